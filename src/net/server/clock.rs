//! The only clock of the server.
//!
//! Promises: it does not go back; the local zone is asked now and then, and believed in between.
//! Deliberately read once a turn: two times in a turn would be two truths.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::chat::Now;

/// How long the offset of the local zone is believed.
const ZONE_LIFETIME: Duration = Duration::from_secs(60);

/// The only clock: what happens in a turn happens at its one time.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    zone_secs: i32,
    /// When the zone is to be asked again, since the start.
    zone_until: Duration,
}

impl Clock {
    /// Begins now.
    pub fn start() -> Clock {
        Clock { started: Instant::now(), zone_secs: 0, zone_until: Duration::ZERO }
    }

    /// What time it is.
    pub fn now(&mut self) -> Now {
        let mono = self.started.elapsed();
        let wall = Timestamp::now();
        if mono >= self.zone_until {
            self.zone_secs = TimeZone::system().to_offset(wall).seconds();
            self.zone_until = mono + ZONE_LIFETIME;
        }
        Now { mono, unix: wall.as_second(), zone_secs: self.zone_secs }
    }

    /// How long that is ago: to measure a turn, and nothing that happens in it.
    pub fn since(&self, now: Now) -> Duration {
        self.started.elapsed().saturating_sub(now.mono)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_does_not_go_back() {
        let mut clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first.mono <= second.mono);
        assert_eq!(first.zone_secs, second.zone_secs);
        assert!(second.zone_secs.abs() <= 26 * 3600);
    }
}
