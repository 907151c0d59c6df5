//! When the server stops that was told to, and when everybody is told so again.
//!
//! Promises: told at once, and once more at each of [`TOLD_AT_SECS`] that is still to come.
//! Deliberately stops nothing.

use std::time::Duration;

/// So many seconds before the end everybody is told.
const TOLD_AT_SECS: [u64; 4] = [3_600, 600, 60, 10];

/// A server that is to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countdown {
    ends_at: Duration,
    /// So many seconds before that, everybody is told next; 0 for no more.
    next_secs: u64,
    /// Why; may be empty.
    pub why: String,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// Everybody is to be told that it stops in so many seconds.
    Tell(u64),
    /// It stops.
    Stop,
}

impl Countdown {
    /// It stops in so many seconds from `now`, a time since the start; that was told.
    pub fn begin(seconds: u64, why: &str, now: Duration) -> Countdown {
        let ends_at = now + Duration::from_secs(seconds);
        Countdown { ends_at, next_secs: told_below(seconds), why: why.to_owned() }
    }

    /// When to look again, since the start.
    pub fn deadline(&self) -> Duration {
        self.ends_at.saturating_sub(Duration::from_secs(self.next_secs))
    }

    /// How many seconds are left then, rounded up.
    pub fn left(&self, now: Duration) -> u64 {
        let left = self.ends_at.saturating_sub(now).as_millis().div_ceil(1_000);
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    /// What is due at that time since the start; told once.
    pub fn due(&mut self, now: Duration) -> Due {
        if now >= self.ends_at {
            return Due::Stop;
        }
        if now < self.deadline() {
            return Due::Nothing;
        }
        // Whoever comes late tells the time that there really is.
        let left = self.left(now);
        self.next_secs = told_below(left);
        Due::Tell(left)
    }
}

/// The next time to tell after one at which so many seconds were left.
fn told_below(seconds: u64) -> u64 {
    TOLD_AT_SECS.into_iter().find(|at| *at < seconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_is_told_at_sensible_moments() {
        let start = secs(1_000);
        let mut countdown = Countdown::begin(90, "", start);
        let mut told = Vec::new();
        loop {
            let now = countdown.deadline();
            match countdown.due(now) {
                Due::Nothing => panic!("something is due at the deadline"),
                Due::Tell(left) => told.push((now - start, left)),
                Due::Stop => {
                    assert_eq!(now, start + secs(90));
                    break;
                }
            }
        }
        assert_eq!(told, [(secs(30), 60), (secs(80), 10)]);
        assert_eq!(Countdown::begin(10, "", start).deadline(), start + secs(10));
        assert_eq!(Countdown::begin(0, "", start).due(start), Due::Stop);
    }

    #[test]
    fn who_comes_late_tells_what_is_left() {
        let mut countdown = Countdown::begin(100, "", secs(0));
        assert_eq!(countdown.due(secs(39)), Due::Nothing);
        assert_eq!(countdown.due(Duration::from_millis(95_500)), Due::Tell(5));
        assert_eq!(countdown.deadline(), secs(100));
        assert_eq!(countdown.due(secs(500)), Due::Stop);
    }
}
