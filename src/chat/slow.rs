//! Slow mode: how often each person may say something in one room, and when they last did.
//!
//! Promises: a room without it costs nothing but a look; who leaves and comes back has gained
//! nothing as long as they are logged in; memory is bounded by `SPEAKERS_MAX`, whoever speaks.
//! Deliberately knows no ranks: who is exempt is not asked here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::ConnId;

/// The longest time between two lines of one person, in seconds.
pub const SLOW_SECS_MAX: u32 = 3_600;

/// How many are remembered of those who may not speak again yet; beyond that whoever has waited
/// longest may.
const SPEAKERS_MAX: usize = 4_096;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaker {
    /// The owner of that account, on whatever connection.
    Account(u64),
    /// Somebody who has none.
    Guest(ConnId),
}

/// The slow mode of one room.
#[derive(Clone, Debug)]
pub struct Slow {
    /// Seconds between two lines of one person, from 1 to [`SLOW_SECS_MAX`].
    seconds: u32,
    /// When they may speak again, since start.
    free_at: BTreeMap<Speaker, Duration>,
    /// The same, in the order of time.
    queue: BTreeSet<(Duration, Speaker)>,
}

impl Slow {
    /// Nobody has spoken yet; 0 counts as 1.
    pub fn new(seconds: u32) -> Slow {
        let seconds = seconds.clamp(1, SLOW_SECS_MAX);
        Slow { seconds, free_at: BTreeMap::new(), queue: BTreeSet::new() }
    }

    /// Seconds between two lines of one person.
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// How long somebody has to wait for their turn, if it has not come.
    pub fn wait(&self, speaker: Speaker, now: Duration) -> Option<Duration> {
        let at = self.free_at.get(&speaker).filter(|at| **at > now)?;
        Some(at.saturating_sub(now))
    }

    /// Takes somebody's turn, or says how long they have to wait for it. `now` is the time since
    /// the start.
    pub fn take(&mut self, speaker: Speaker, now: Duration) -> Result<(), Duration> {
        while let Some((_, free)) = self.queue.first().copied().filter(|(at, _)| *at <= now) {
            self.queue.pop_first();
            self.free_at.remove(&free);
        }
        if let Some(wait) = self.wait(speaker, now) {
            return Err(wait);
        }
        if self.free_at.len() >= SPEAKERS_MAX
            && let Some((_, longest)) = self.queue.pop_first()
        {
            self.free_at.remove(&longest);
        }
        let at = now + Duration::from_secs(u64::from(self.seconds));
        self.free_at.insert(speaker, at);
        self.queue.insert((at, speaker));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_has_one_turn_in_its_time() {
        let mut slow = Slow::new(30);
        let guest = Speaker::Guest(ConnId::new(1, 1));
        assert_eq!(slow.take(Speaker::Account(1), secs(5)), Ok(()));
        assert_eq!(slow.take(guest, secs(6)), Ok(()));
        assert_eq!(slow.take(Speaker::Account(1), secs(15)), Err(secs(20)));
        assert_eq!(slow.wait(Speaker::Account(1), secs(15)), Some(secs(20)));
        assert_eq!(slow.wait(Speaker::Account(1), secs(35)), None);
        assert_eq!(slow.wait(Speaker::Account(2), secs(15)), None);
        assert_eq!(slow.take(Speaker::Guest(ConnId::new(1, 2)), secs(15)), Ok(()), "another");
        assert_eq!(slow.take(Speaker::Account(1), secs(35)), Ok(()));
        assert_eq!(slow.take(guest, secs(35)), Err(secs(1)));
        assert_eq!(slow.take(guest, secs(36)), Ok(()));
    }

    #[test]
    fn a_crowd_is_remembered_within_bounds() {
        let mut slow = Slow::new(5);
        for account in 0..100 {
            assert_eq!(slow.take(Speaker::Account(account), secs(account)), Ok(()));
        }
        assert_eq!((slow.free_at.len(), slow.queue.len()), (5, 5), "time frees them, too");
        let mut slow = Slow::new(SLOW_SECS_MAX);
        for account in 0..2 * SPEAKERS_MAX as u64 {
            let now = Duration::from_millis(account);
            assert_eq!(slow.take(Speaker::Account(account), now), Ok(()));
        }
        assert_eq!((slow.free_at.len(), slow.queue.len()), (SPEAKERS_MAX, SPEAKERS_MAX));
        let now = secs(60);
        assert_eq!(slow.take(Speaker::Account(0), now), Ok(()), "forgotten first");
        assert!(slow.take(Speaker::Account(2 * SPEAKERS_MAX as u64 - 1), now).is_err());
    }
}
