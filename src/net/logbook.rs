//! How much is logged of what peers bring about.
//!
//! Promises: of each thing that a peer can bring about, no more than a bounded number of lines a
//! second is logged; how many were not is told with the next turn of another second, or at the end.
//! Deliberately logs nothing else, and reads no clock.

use std::time::Duration;

use log::info;

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
    suppressed: u64,
}

impl Logbook {
    /// Whether one more line about a matter is to be logged, of which there may be so many in a
    /// second; if not, it is counted. `now` is the time since start.
    pub fn has_room(&mut self, matter: Matter, lines_max: u32, now: Duration) -> bool {
        self.catch_up(now);
        if self.second != now.as_secs() {
            self.second = now.as_secs();
            self.entries.clear();
        }
        let place = self.entries.iter().position(|entry| entry.matter == matter);
        let place = place.unwrap_or_else(|| {
            self.entries.push(Entry { matter, lines: 0, suppressed: 0 });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[place];
        let has_room = entry.lines < lines_max;
        match has_room {
            true => entry.lines += 1,
            false => (entry.suppressed, self.is_overfull) = (entry.suppressed + 1, true),
        }
        has_room
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
}
