//! The last lines that were said in a room, packed.
//!
//! Promises: remembering a line neither asks for memory nor gives any back once the bounds are
//! reached, and looks at no old text; bounded by [`LINES_MAX`] and [`BYTES_MAX`]. Deliberately
//! knows no members: who may be shown what is decided by the rules.

use std::collections::VecDeque;

use super::ConnId;
use super::event::Remembered;
use super::name::Nick;

/// How many of its last lines a room remembers.
pub const LINES_MAX: usize = 100;
/// How many bytes of text a room remembers at most, so that ten thousand rooms stay bounded.
pub const BYTES_MAX: usize = 32 * 1024;

/// What is remembered of a line beside its text.
#[derive(Debug)]
struct Head {
    unix: i64,
    nick: Nick,
    speaker: ConnId,
    len: u32,
    is_action: bool,
}

/// The last lines of a room.
#[derive(Debug, Default)]
pub struct History {
    heads: VecDeque<Head>,
    /// The texts, one behind the other.
    texts: VecDeque<u8>,
    /// The serial number that the next line gets.
    next: u64,
}

impl History {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The serial number that the next line gets: what came before it was said before now.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Remembers a line, said at `unix` (seconds since 1970 UTC), and forgets the oldest beyond the
    /// bounds; a text that is beyond them alone is forgotten, too.
    pub fn remember(
        &mut self,
        unix: i64,
        speaker: ConnId,
        nick: Nick,
        is_action: bool,
        text: &str,
    ) {
        self.next += 1;
        while !self.has_room_for(text) {
            let Some(oldest) = self.heads.pop_front() else { return };
            self.texts.drain(..oldest.len as usize);
        }
        let len = u32::try_from(text.len()).expect("a text within the bound is short");
        self.heads.push_back(Head { unix, nick, speaker, len, is_action });
        self.texts.extend(text.as_bytes());
    }

    fn has_room_for(&self, text: &str) -> bool {
        self.heads.len() < LINES_MAX && self.texts.len() + text.len() <= BYTES_MAX
    }

    /// The last lines before that serial number, oldest first: at most `most`, none from before
    /// `unix_min`, none whose speaker `is_hidden`.
    pub fn before(
        &self,
        serial: u64,
        most: usize,
        unix_min: i64,
        is_hidden: impl Fn(ConnId, &Nick) -> bool,
    ) -> Vec<Remembered> {
        let newer = usize::try_from(self.next.saturating_sub(serial)).unwrap_or(usize::MAX);
        let mut end = self.texts.len();
        let with_ends = self.heads.iter().rev().map(|head| {
            let here = end;
            end -= head.len as usize;
            (head, here)
        });
        let mut lines: Vec<Remembered> = with_ends
            .skip(newer)
            .take_while(|(head, _)| head.unix >= unix_min)
            .filter(|(head, _)| !is_hidden(head.speaker, &head.nick))
            .take(most)
            .map(|(head, end)| self.line(head, end))
            .collect();
        lines.reverse();
        lines
    }

    /// A line whose text ends there.
    fn line(&self, head: &Head, end: usize) -> Remembered {
        let bytes = self.texts.range(end - head.len as usize..end).copied().collect();
        let text = String::from_utf8(bytes).expect("what is remembered was text");
        Remembered {
            unix: head.unix,
            nick: head.nick.clone(),
            is_action: head.is_action,
            text: text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(history: &mut History, unix: i64, text: &str) {
        let nick = Nick::guest(1);
        history.remember(unix, ConnId::new(0, 0), nick, false, text);
    }

    fn texts(history: &History, serial: u64, most: usize, unix_min: i64) -> Vec<String> {
        let lines = history.before(serial, most, unix_min, |_, _| false);
        lines.iter().map(|line| line.text.to_string()).collect()
    }

    #[test]
    fn the_last_lines_come_back_in_order() {
        let mut history = History::default();
        assert!(history.is_empty() && texts(&history, 0, 9, 0).is_empty());
        for (unix, text) in [(1, "one"), (2, "zwei ß"), (3, ""), (4, "vier")] {
            said(&mut history, unix, text);
        }
        assert_eq!(texts(&history, history.next(), 9, 0), ["one", "zwei ß", "", "vier"]);
        assert_eq!(texts(&history, history.next(), 2, 0), ["", "vier"]);
        assert_eq!(texts(&history, 2, 9, 0), ["one", "zwei ß"]);
        assert_eq!(texts(&history, history.next(), 9, 2), ["zwei ß", "", "vier"]);
    }

    #[test]
    fn who_is_hidden_takes_no_place() {
        let mut history = History::default();
        for number in 0..4 {
            let nick = Nick::guest(number);
            history.remember(0, ConnId::new(number as u32, 0), nick, number == 1, "text");
        }
        let lines = history.before(4, 2, 0, |speaker, _| speaker.slot() == 2);
        let nicks: Vec<&str> = lines.iter().map(|line| line.nick.as_str()).collect();
        assert_eq!(nicks, ["guest-1", "guest-3"]);
        assert_eq!([lines[0].is_action, lines[1].is_action], [true, false]);
    }

    #[test]
    fn both_bounds_hold_and_nothing_grows_beyond_them() {
        let mut history = History::default();
        for number in 0..1_000 {
            said(&mut history, 0, &number.to_string());
        }
        let all = texts(&history, history.next(), usize::MAX, 0);
        assert_eq!((all.len(), &*all[0]), (LINES_MAX, "900"));
        for number in 0..1_000 {
            said(&mut history, 0, &number.to_string().repeat(500));
        }
        let all = texts(&history, history.next(), usize::MAX, 0);
        assert_eq!(all.len(), BYTES_MAX / 1_500);
        assert_eq!(all[all.len() - 1], "999".repeat(500));
        assert!(history.texts.capacity() <= BYTES_MAX * 2);
        said(&mut history, 0, &"x".repeat(BYTES_MAX + 1));
        assert!(history.is_empty() && history.texts.is_empty());
        assert_eq!(history.next(), 2_001);
    }
}
