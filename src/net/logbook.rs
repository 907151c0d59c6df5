//! How much is logged of what peers bring about.
//!
//! Promises: of each thing that a peer can bring about, no more than a bounded number of lines a
//! second is logged, and no more than a part of them for what comes from one address, so that
//! nobody hides the others; how many were not is told with the next turn of another second, or at
//! the end. Deliberately logs nothing else, and reads no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use log::info;

use crate::chat::Origin;

/// So many lines a second are logged of each thing that comes from one address.
pub const LINES_OF_ONE: u32 = 10;
/// The same of all addresses together.
pub const LINES_OF_ALL: u32 = 100;

/// What a peer can bring about: the name of the event, and which of several reasons for it.
pub type Matter = (&'static str, &'static str);

/// What was logged in one second.
#[derive(Debug, Default)]
pub struct Logbook {
    /// Which second, since start.
    second: u64,
    /// There are as many as there are names for them.
    entries: Vec<Entry>,
    /// Something was not logged in this second.
    is_overfull: bool,
}

#[derive(Debug)]
struct Entry {
    matter: Matter,
    lines: u32,
    /// How many of them are about whom: no more addresses than lines.
    by_origin: BTreeMap<Origin, u32>,
    suppressed: u64,
}

impl Logbook {
    /// Whether one more line about a matter is to be logged, of which there may be so many in a
    /// second; if not, it is counted. `now` is the time since start.
    pub fn has_room(&mut self, matter: Matter, lines_max: u32, now: Duration) -> bool {
        let entry = self.entry(matter, now);
        let has_room = entry.lines < lines_max;
        match has_room {
            true => entry.lines += 1,
            false => entry.suppressed += 1,
        }
        self.is_overfull |= !has_room;
        has_room
    }

    /// The same about a matter that somebody from there has brought about, of which there may be
    /// [`LINES_OF_ONE`] of each such address, and [`LINES_OF_ALL`] together.
    pub fn has_room_for(&mut self, matter: Matter, from: Origin, now: Duration) -> bool {
        let entry = self.entry(matter, now);
        let is_loud = entry.by_origin.get(&from).is_some_and(|lines| *lines >= LINES_OF_ONE);
        if is_loud {
            entry.suppressed += 1;
            self.is_overfull = true;
            return false;
        }
        let has_room = self.has_room(matter, LINES_OF_ALL, now);
        if has_room {
            *self.entry(matter, now).by_origin.entry(from).or_default() += 1;
        }
        has_room
    }

    /// What was logged of a matter in this second.
    fn entry(&mut self, matter: Matter, now: Duration) -> &mut Entry {
        self.catch_up(now);
        if self.second != now.as_secs() {
            self.second = now.as_secs();
            self.entries.clear();
        }
        let place = self.entries.iter().position(|entry| entry.matter == matter);
        let place = place.unwrap_or_else(|| {
            let by_origin = BTreeMap::new();
            self.entries.push(Entry { matter, lines: 0, by_origin, suppressed: 0 });
            self.entries.len() - 1
        });
        &mut self.entries[place]
    }

    /// When another second has begun: tells what was not logged in the one before.
    pub fn catch_up(&mut self, now: Duration) {
        if self.is_overfull && self.second != now.as_secs() {
            self.end();
        }
    }

    /// Tells what was not logged so far.
    pub fn end(&mut self) {
        for ((of, reason), count) in self.take_suppressed() {
            info!(of, reason, count; "suppressed");
        }
    }

    fn take_suppressed(&mut self) -> Vec<(Matter, u64)> {
        self.is_overfull = false;
        let counts = self.entries.iter_mut();
        let counts = counts.map(|entry| (entry.matter, std::mem::take(&mut entry.suppressed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_matter_leaves_a_bounded_number_of_lines_and_the_count() {
        let (full, here) = (("refused", "server-full"), ("refused", "too-many-from-here"));
        let mut book = Logbook::default();
        let logged = |book: &mut Logbook, matter, times: usize, millis| {
            let now = Duration::from_millis(millis);
            (0..times).filter(|_| book.has_room(matter, 10, now)).count()
        };
        assert_eq!(logged(&mut book, full, 1_000, 500), 10);
        assert_eq!(logged(&mut book, here, 7, 999), 7);
        assert!(book.is_overfull);
        assert_eq!(book.take_suppressed(), [(full, 990)]);
        assert_eq!(book.take_suppressed(), []);

        // Another second is another page; what is left of the one before is told.
        assert_eq!(logged(&mut book, full, 11, 1_000), 10);
        book.catch_up(Duration::from_millis(1_999));
        assert!(book.is_overfull);
        book.catch_up(Duration::from_millis(2_000));
        assert!(!book.is_overfull);
        assert_eq!(logged(&mut book, full, 11, 2_000), 10);
        assert_eq!(logged(&mut book, here, 1, 3_000), 1);
        assert_eq!(book.entries.len(), 1);
    }

    #[test]
    fn who_is_loud_hides_nobody_and_a_crowd_is_bounded() {
        let matter = ("wrong_password", "-");
        let mut book = Logbook::default();
        let logged = |book: &mut Logbook, from, times: usize| {
            let now = Duration::from_millis(500);
            (0..times).filter(|_| book.has_room_for(matter, Origin(from), now)).count()
        };
        assert_eq!(logged(&mut book, 7, 1_000), 10);
        assert_eq!(logged(&mut book, 8, 3), 3);
        let crowd: usize = (100..1_000).map(|from| logged(&mut book, from, 1)).sum();
        assert_eq!(crowd, 87);
        assert_eq!(book.entries[0].by_origin.len(), 89, "whoever is not logged takes no memory");
        assert_eq!(book.take_suppressed(), [(matter, 990 + 813)]);
        assert!(book.has_room_for(matter, Origin(7), Duration::from_secs(1)));
        assert_eq!(book.entries[0].by_origin.len(), 1);
    }
}
