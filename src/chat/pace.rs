//! How fast somebody may go: a token bucket of eight bytes.
//!
//! Promises: in any stretch of time `t` at most `burst + t / every` takes succeed, and a take at
//! the instant that a refusal named succeeds. Deliberately reads no clock and keeps no rate: both
//! are arguments, instants being the time since the server started.

use std::time::Duration;

use super::moment::Moment;

/// How many at once, and how long until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How long it takes until one more is to be had.
    pub every: Duration,
    /// How many are to be had at once from a full bucket; 0 counts as 1.
    pub burst: u32,
}

impl Rate {
    /// `count` a second, rounded down to whole nanoseconds between two; 0 counts as 1.
    pub fn per_second(count: u32, burst: u32) -> Rate {
        let nanos = 1_000_000_000_u64.div_ceil(u64::from(count.max(1)));
        Rate { every: Duration::from_nanos(nanos), burst }
    }

    /// How long an empty bucket takes to fill.
    fn depth(self) -> Duration {
        self.every.saturating_mul(self.burst.max(1))
    }
}

/// A bucket, by the one instant that describes it whole (the generic cell rate algorithm of ITU-T
/// I.371, in its form of virtual scheduling).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// When the bucket is full again, if nothing more is taken.
    full_at: Moment,
}

impl Pace {
    /// A full bucket.
    pub fn new() -> Pace {
        Pace::default()
    }

    /// Takes one, or takes nothing and says at which instant the next one is to be had.
    pub fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at().max(now).saturating_add(rate.every);
        let allowed_at = full_at.saturating_sub(rate.depth());
        if allowed_at > now {
            return Err(allowed_at);
        }
        self.full_at = full_at.into();
        Ok(())
    }

    /// Gives one back; a full bucket stays full.
    pub fn give_back(&mut self, rate: Rate) {
        self.full_at = self.full_at().saturating_sub(rate.every).into();
    }

    /// Goes on at another rate: as many as were taken and have not come back are missing still.
    pub fn adapt(&mut self, old: Rate, new: Rate, now: Duration) {
        let missing = self.full_at().saturating_sub(now).as_nanos();
        let nanos = missing * new.every.as_nanos() / old.every.as_nanos().max(1);
        let missing = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.full_at = now.saturating_add(missing.min(new.depth())).into();
    }

    /// Whether forgetting this bucket would change nothing.
    pub fn is_full(&self, now: Duration) -> bool {
        self.full_at() <= now
    }

    /// When the bucket is full again, if nothing more is taken; in the past for one that is.
    pub fn full_at(&self) -> Duration {
        self.full_at.since_start()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOURLY: Rate = Rate { every: Duration::from_secs(3600), burst: 2 };

    #[test]
    fn a_burst_goes_at_once_and_then_one_each_interval() {
        let mut pace = Pace::new();
        let now = Duration::from_secs(10);
        assert_eq!(pace.take(HOURLY, now), Ok(()));
        assert_eq!(pace.take(HOURLY, now), Ok(()));
        let next = now + HOURLY.every;
        assert_eq!(pace.take(HOURLY, now), Err(next));
        assert_eq!(pace.take(HOURLY, next - Duration::from_nanos(1)), Err(next));
        assert_eq!(pace.take(HOURLY, next), Ok(()));
        assert!(!pace.is_full(next + HOURLY.every));
        assert!(pace.is_full(next + HOURLY.every * 2));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut pace = Pace::new();
        assert_eq!(pace.take(HOURLY, Duration::ZERO), Ok(()));
        assert_eq!(pace.take(HOURLY, Duration::ZERO), Ok(()));
        pace.give_back(HOURLY);
        assert_eq!(pace.take(HOURLY, Duration::ZERO), Ok(()));
        assert!(pace.take(HOURLY, Duration::ZERO).is_err());
    }

    #[test]
    fn another_rate_forgives_nothing_and_punishes_nobody() {
        let (slow, fast) = (Rate::per_second(1, 1000), Rate::per_second(100, 1000));
        let now = Duration::from_secs(10);
        let mut pace = Pace::new();
        while pace.take(slow, now).is_ok() {}
        let mut faster = pace;
        faster.adapt(slow, fast, now);
        assert_eq!(faster.take(fast, now), Err(now + fast.every));
        let tight = Rate::per_second(100, 5);
        pace.adapt(slow, tight, now);
        assert_eq!(pace.take(tight, now), Err(now + tight.every));
        let mut half = Pace::new();
        (0..500).for_each(|_| _ = half.take(fast, now));
        half.adapt(fast, slow, now);
        assert_eq!((0..).take_while(|_| half.take(slow, now).is_ok()).count(), 500);
        let mut rested = Pace::new();
        rested.adapt(slow, fast, now);
        assert!(rested.is_full(now));
    }

    #[test]
    fn odd_rates_neither_panic_nor_starve() {
        for (count, burst) in [(0, 0), (0, u32::MAX), (u32::MAX, 0), (u32::MAX, u32::MAX)] {
            let rate = Rate::per_second(count, burst);
            assert_eq!(Pace::new().take(rate, Duration::ZERO), Ok(()));
        }
        assert!(size_of::<Pace>() <= 8);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let rate = Rate::per_second(1, 1);
        let mut pace = Pace::new();
        assert_eq!(pace.take(rate, Duration::from_secs(9)), Ok(()));
        assert_eq!(pace.take(rate, Duration::from_secs(3)), Err(Duration::from_secs(10)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_stretch_of_time_has_more_than_its_share(
            every in 1_u64..5_000,
            burst in 1_u32..6,
            steps in prop::collection::vec(0_u64..4_000, 1..60),
        ) {
            let rate = Rate { every: Duration::from_nanos(every), burst };
            let (mut pace, mut now, mut taken) = (Pace::new(), 0, Vec::new());
            for step in steps {
                now += step;
                match pace.take(rate, Duration::from_nanos(now)) {
                    Ok(()) => taken.push(now),
                    Err(at) => {
                        prop_assert!(at > Duration::from_nanos(now));
                        prop_assert!(at <= Duration::from_nanos(now + every));
                        prop_assert_eq!({ pace }.take(rate, at), Ok(()));
                    }
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let most = u64::from(burst) + (to - from) / every;
                    prop_assert!((last - first + 1) as u64 <= most);
                }
            }
        }
    }
}
