//! An instant in eight bytes, for what every connection keeps.
//!
//! Promises: exact to the nanosecond for the first 584 years after the start, and later on that
//! last moment. Deliberately no arithmetic: deadlines are reckoned with [`Duration`]s.

use std::time::Duration;

/// How long after the start something was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    nanos: u64,
}

impl Moment {
    /// As a time since the start.
    pub fn since_start(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// How long ago it was; nothing for what is still to come.
    pub fn elapsed(self, now: Duration) -> Duration {
        now.saturating_sub(self.since_start())
    }
}

impl From<Duration> for Moment {
    fn from(since_start: Duration) -> Moment {
        Moment { nanos: u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_back_as_it_was() {
        let instant = Duration::new(86_400 * 365 * 500, 999_999_999);
        assert_eq!(Moment::from(instant).since_start(), instant);
        assert_eq!(Moment::from(instant).elapsed(instant + Duration::from_nanos(7)).as_nanos(), 7);
        assert_eq!(Moment::from(instant).elapsed(Duration::ZERO), Duration::ZERO);
        assert!(Moment::from(Duration::MAX) > Moment::from(instant));
        assert_eq!(size_of::<Moment>(), 8);
    }
}
