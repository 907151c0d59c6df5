//! The lines that were sent from here, to be fetched again or searched.
//!
//! Promises: no more than [`ENTRIES_MAX`] of them and [`BYTES_MAX`] in all, the oldest go first;
//! what was half typed waits while one looks at older lines. Deliberately forgets what was changed
//! in an older line once one goes on.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::memmem::Finder;

/// So many lines are remembered.
pub const ENTRIES_MAX: usize = 200;
/// So many bytes of them, in all.
pub const BYTES_MAX: usize = 16 * 1024;

/// The lines, and which of them one looks at.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    entries: VecDeque<String>,
    /// Of all entries.
    bytes: usize,
    looked_at: Option<LookedAt>,
    /// So many bytes were searched, ever.
    #[cfg(test)]
    pub searched: std::cell::Cell<usize>,
}

#[derive(Debug)]
struct LookedAt {
    index: usize,
    /// What was half typed.
    draft: String,
}

/// An entry in which something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place; older ones have lower ones.
    pub index: usize,
    /// Where in it, in bytes.
    pub at: usize,
}

impl History {
    /// Remembers a line, unless it is blank, too long, or the same as the last.
    pub fn push(&mut self, line: &str) {
        let is_last = self.entries.back().is_some_and(|last| last == line);
        if is_last || line.trim().is_empty() || line.len() > BYTES_MAX {
            return;
        }
        self.bytes += line.len();
        self.entries.push_back(line.to_owned());
        while self.entries.len() > ENTRIES_MAX || self.bytes > BYTES_MAX {
            let oldest = self.entries.pop_front();
            self.bytes -= oldest.map_or(0, |oldest| oldest.len());
        }
    }

    /// The next older line; `current` is what is typed now.
    pub fn older(&mut self, current: &str) -> Option<&str> {
        let from = self.looked_at.as_ref().map_or(self.entries.len(), |it| it.index);
        let index = from.checked_sub(1)?;
        match &mut self.looked_at {
            Some(looked_at) => looked_at.index = index,
            None => self.looked_at = Some(LookedAt { index, draft: current.to_owned() }),
        }
        self.entry(index)
    }

    /// The next newer line; behind the newest, what was half typed.
    pub fn newer(&mut self) -> Option<String> {
        let mut looked_at = self.looked_at.take()?;
        looked_at.index += 1;
        let Some(entry) = self.entries.get(looked_at.index) else { return Some(looked_at.draft) };
        self.looked_at = Some(looked_at);
        Some(entry.clone())
    }

    /// Nobody looks at older lines any more.
    pub fn leave(&mut self) {
        self.looked_at = None;
    }

    /// The newest line at these places that contains `words`; each is looked at once.
    pub fn find(&self, words: &str, places: Range<usize>) -> Option<Found> {
        let end = places.end.min(self.entries.len());
        let finder = Finder::new(words);
        let mut entries = (places.start.min(end)..end).rev().zip(self.entries.range(..end).rev());
        entries.find_map(|(index, entry)| {
            #[cfg(test)]
            self.searched.set(self.searched.get() + entry.len());
            finder.find(entry.as_bytes()).map(|at| Found { index, at })
        })
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The bytes of all lines.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The line at a place.
    pub fn entry(&self, index: usize) -> Option<&str> {
        self.entries.get(index).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(lines: &[&str]) -> History {
        let mut history = History::default();
        lines.iter().for_each(|line| history.push(line));
        history
    }

    #[test]
    fn one_goes_up_and_down_and_finds_the_draft_again() {
        let mut history = history(&["one", "two", "two", " ", "", "three"]);
        assert_eq!(history.newer(), None);
        assert_eq!(history.older("draft"), Some("three"));
        assert_eq!(history.older("three, changed"), Some("two"));
        assert_eq!(history.older(""), Some("one"));
        assert_eq!(history.older(""), None);
        assert_eq!(history.newer().as_deref(), Some("two"));
        assert_eq!(history.newer().as_deref(), Some("three"));
        assert_eq!(history.newer().as_deref(), Some("draft"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn it_is_bounded_in_number_and_bytes() {
        let mut history = History::default();
        for number in 0..=ENTRIES_MAX {
            history.push(&number.to_string());
        }
        assert_eq!((history.entries.len(), history.entry(0)), (ENTRIES_MAX, Some("1")));
        for fill in ["a", "b", "c", "d", "e"] {
            history.push(&fill.repeat(BYTES_MAX / 4));
        }
        assert_eq!((history.entries.len(), history.bytes), (4, BYTES_MAX));
        history.push(&"x".repeat(BYTES_MAX + 1));
        assert_eq!(history.entries.len(), 4);
    }

    #[test]
    fn the_newest_is_found_first() {
        let history = history(&["make tea", "drink tea", "sleep"]);
        let find =
            |words, before| history.find(words, 0..before).map(|found| (found.index, found.at));
        assert_eq!(find("tea", usize::MAX), Some((1, 6)));
        assert_eq!(find("tea", 1), Some((0, 5)));
        assert_eq!(find("tea", 0), None);
        assert_eq!(history.find("tea", 2..9), None);
        assert_eq!(find("coffee", usize::MAX), None);
    }
}
