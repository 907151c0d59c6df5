//! How often connections come from one address.
//!
//! Promises: in any minute no more are let in from one address than twice its rate, which is only
//! when none came in the minute before; an address that has all its connections again takes no
//! memory, and at most `ORIGINS_MAX` do. Deliberately tells nobody, and knows no exemption: who
//! asks does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::chat::Origin;
use crate::chat::pace::{Pace, Rate};

/// How many addresses are remembered, in some 8 MiB; beyond that the one is forgotten that would
/// have all its connections again first.
const ORIGINS_MAX: usize = 65_536;

/// The addresses from which connections came lately.
#[derive(Debug, Default)]
pub struct Arrivals {
    by_origin: BTreeMap<Origin, Pace>,
    /// The same, in the order in which they have all their connections again.
    queue: BTreeSet<(Duration, Origin)>,
}

impl Arrivals {
    /// Lets one in, or does not. `now` is the time since the start; the rate is always the same, or
    /// later ones count for what comes later.
    pub fn take(&mut self, rate: Rate, origin: Origin, now: Duration) -> bool {
        while let Some((_, full)) = self.queue.first().copied().filter(|(at, _)| *at <= now) {
            self.queue.pop_first();
            self.by_origin.remove(&full);
        }
        if self.by_origin.len() >= ORIGINS_MAX
            && !self.by_origin.contains_key(&origin)
            && let Some((_, nearest)) = self.queue.pop_first()
        {
            self.by_origin.remove(&nearest);
        }
        let pace = self.by_origin.entry(origin).or_default();
        self.queue.remove(&(pace.full_at(), origin));
        let is_taken = pace.take(rate, now).is_ok();
        self.queue.insert((pace.full_at(), origin));
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { every: Duration::from_secs(20), burst: 3 };
    const HERE: Origin = Origin(7);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_burst_comes_in_and_then_one_at_a_time() {
        let mut arrivals = Arrivals::default();
        let taken = |arrivals: &mut Arrivals, now| {
            (0..9).filter(|_| arrivals.take(RATE, HERE, at(now))).count()
        };
        assert_eq!(taken(&mut arrivals, 100), 3);
        assert!(arrivals.take(RATE, Origin(8), at(100)), "others are others");
        assert_eq!(taken(&mut arrivals, 119), 0);
        assert_eq!(taken(&mut arrivals, 120), 1);
        assert_eq!(taken(&mut arrivals, 1_000), 3);
    }

    #[test]
    fn who_has_all_again_is_forgotten() {
        let mut arrivals = Arrivals::default();
        for origin in 0..100 {
            assert!(arrivals.take(RATE, Origin(origin), at(5)));
        }
        assert!(arrivals.take(RATE, HERE, at(25)));
        assert_eq!((arrivals.by_origin.len(), arrivals.queue.len()), (1, 1));
    }

    #[test]
    fn memory_is_bounded_and_the_worst_is_remembered() {
        let mut arrivals = Arrivals::default();
        while arrivals.take(RATE, HERE, at(5)) {}
        for origin in 0..2 * ORIGINS_MAX as u64 {
            assert!(arrivals.take(RATE, Origin(1_000 + origin), at(6)));
        }
        assert_eq!((arrivals.by_origin.len(), arrivals.queue.len()), (ORIGINS_MAX, ORIGINS_MAX));
        assert!(!arrivals.take(RATE, HERE, at(7)));
    }
}
