//! The last lines that were said in a room, packed.
//!
//! Promises: remembering a line neither asks for memory nor gives any back once the bounds are
//! reached, and looks at no old text; bounded by [`LINES_MAX`] and [`BYTES_MAX`]. Deliberately
//! knows no members: who may be shown what is decided by the rules.

use std::collections::VecDeque;

use super::ConnId;
use super::event::Remembered;
use super::kept::{KeptLine, fold};
use super::name::Nick;

/// How many of its last lines a room remembers.
pub const LINES_MAX: usize = 100;
/// How many bytes of text a room remembers at most, so that ten thousand rooms stay bounded.
pub const BYTES_MAX: usize = 32 * 1024;

/// What is remembered of a line beside its text.
#[derive(Debug)]
struct Head {
    id: u64,
    unix: i64,
    nick: Nick,
    speaker: ConnId,
    len: u32,
    /// Further lines of a block, which are not remembered.
    more: u16,
    is_action: bool,
}

/// The last lines of a room.
#[derive(Debug, Default)]
pub struct History {
    heads: VecDeque<Head>,
    /// The texts, one behind the other.
    texts: VecDeque<u8>,
}

/// Who said a line of which only the name is known: no connection has this id.
const SOMEBODY: ConnId = ConnId::new(u32::MAX, u32::MAX);

impl History {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The id of the oldest line.
    pub fn oldest(&self) -> Option<u64> {
        self.heads.front().map(|head| head.id)
    }

    /// The id of the newest line.
    pub fn newest(&self) -> Option<u64> {
        self.heads.back().map(|head| head.id)
    }

    /// How many lines after that id are remembered.
    pub fn count_after(&self, id: u64) -> usize {
        self.heads.iter().rev().take_while(|head| head.id > id).count()
    }

    /// Remembers a line, said at `unix` (seconds since 1970 UTC), and forgets the oldest beyond the
    /// bounds; a text that is beyond them alone is forgotten, too. Ids grow.
    pub fn remember(
        &mut self,
        id: u64,
        unix: i64,
        speaker: ConnId,
        nick: Nick,
        is_action: bool,
        text: &str,
    ) {
        let head = Head { id, unix, nick, speaker, len: 0, more: 0, is_action };
        self.remember_as(head, text);
    }

    /// The same for a block, of which the first line is remembered, and how many more there were.
    pub fn remember_block(&mut self, id: u64, unix: i64, speaker: ConnId, nick: Nick, text: &str) {
        let (text, more) = fold(text);
        let more = bounded(more);
        self.remember_as(Head { id, unix, nick, speaker, len: 0, more, is_action: false }, text);
    }

    fn remember_as(&mut self, head: Head, text: &str) {
        while !self.has_room_for(text) {
            let Some(oldest) = self.heads.pop_front() else { return };
            self.texts.drain(..oldest.len as usize);
        }
        let len = u32::try_from(text.len()).expect("a text within the bound is short");
        self.heads.push_back(Head { len, ..head });
        self.texts.extend(text.as_bytes());
    }

    /// Puts lines in front that were said before all that is remembered, oldest first: the newest
    /// of them, as many as there is room for. Whose name is none is left out.
    pub fn recall(&mut self, lines: &[KeptLine]) {
        let oldest = self.oldest().unwrap_or(u64::MAX);
        for line in lines.iter().rev().filter(|line| line.id < oldest) {
            let Some(nick) = Nick::known(&line.nick) else { continue };
            if !self.has_room_for(&line.text) {
                break;
            }
            let len = u32::try_from(line.text.len()).expect("a text within the bound is short");
            let KeptLine { id, unix, is_action, more, .. } = *line;
            let (more, speaker) = (bounded(more), SOMEBODY);
            self.heads.push_front(Head { id, unix, nick, speaker, len, more, is_action });
            line.text.bytes().rev().for_each(|byte| self.texts.push_front(byte));
        }
    }

    fn has_room_for(&self, text: &str) -> bool {
        self.heads.len() < LINES_MAX && self.texts.len() + text.len() <= BYTES_MAX
    }

    /// The last lines before that id, oldest first: at most `most`, none from before `unix_min`,
    /// none whose speaker `is_hidden`.
    pub fn before(
        &self,
        id: u64,
        most: usize,
        unix_min: i64,
        is_hidden: impl Fn(ConnId, &Nick) -> bool,
    ) -> Vec<Remembered> {
        let mut end = self.texts.len();
        let with_ends = self.heads.iter().rev().map(|head| {
            let here = end;
            end -= head.len as usize;
            (head, here)
        });
        let mut lines: Vec<Remembered> = with_ends
            .skip_while(|(head, _)| head.id >= id)
            .take_while(|(head, _)| head.unix >= unix_min)
            .filter(|(head, _)| !is_hidden(head.speaker, &head.nick))
            .take(most)
            .map(|(head, end)| self.line(head, end))
            .collect();
        lines.reverse();
        lines
    }

    /// The line of that id, unless its speaker `is_hidden`.
    pub fn find(&self, id: u64, is_hidden: impl Fn(ConnId, &Nick) -> bool) -> Option<Remembered> {
        let at = self.heads.binary_search_by_key(&id, |head| head.id).ok()?;
        let head = &self.heads[at];
        let end = self.heads.iter().take(at + 1).map(|head| head.len as usize).sum();
        (!is_hidden(head.speaker, &head.nick)).then(|| self.line(head, end))
    }

    /// A line whose text ends there.
    fn line(&self, head: &Head, end: usize) -> Remembered {
        let bytes = self.texts.range(end - head.len as usize..end).copied().collect();
        let text = String::from_utf8(bytes).expect("what is remembered was text");
        Remembered {
            id: head.id,
            unix: head.unix,
            nick: head.nick.clone(),
            is_action: head.is_action,
            text: text.into(),
            more: head.more.into(),
        }
    }
}

/// As many further lines as can be counted here; a block that was said has no more.
fn bounded(more: usize) -> u16 {
    u16::try_from(more).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = u64::MAX;

    /// The next line is said.
    fn said(history: &mut History, unix: i64, text: &str) {
        let (id, nick) = (history.newest().map_or(1, |newest| newest + 1), Nick::guest(1));
        history.remember(id, unix, ConnId::new(0, 0), nick, false, text);
    }

    fn kept(id: u64, nick: &str, text: &str) -> KeptLine {
        KeptLine { id, unix: 0, nick: nick.into(), is_action: false, text: text.into(), more: 0 }
    }

    fn texts(history: &History, id: u64, most: usize, unix_min: i64) -> Vec<String> {
        let lines = history.before(id, most, unix_min, |_, _| false);
        lines.iter().map(|line| line.text.to_string()).collect()
    }

    #[test]
    fn the_last_lines_come_back_in_order() {
        let mut history = History::default();
        assert!(history.is_empty() && texts(&history, 0, 9, 0).is_empty());
        for (unix, text) in [(1, "one"), (2, "zwei ß"), (3, ""), (4, "vier")] {
            said(&mut history, unix, text);
        }
        assert_eq!(texts(&history, ALL, 9, 0), ["one", "zwei ß", "", "vier"]);
        assert_eq!(texts(&history, ALL, 2, 0), ["", "vier"]);
        assert_eq!(texts(&history, 3, 9, 0), ["one", "zwei ß"]);
        assert_eq!(texts(&history, ALL, 9, 2), ["zwei ß", "", "vier"]);
    }

    #[test]
    fn what_was_kept_comes_before_what_was_said_since() {
        let mut history = History::default();
        history.remember(9, 0, ConnId::new(0, 0), Nick::guest(1), false, "now");
        let mut lines = [kept(3, "ann", "one"), kept(5, "no name", "?"), kept(8, "guest-2", "two")];
        history.recall(&lines);
        history.recall(&[kept(9, "ann", "not again")]);
        assert_eq!(texts(&history, ALL, 9, 0), ["one", "two", "now"]);
        assert_eq!((history.oldest(), history.newest()), (Some(3), Some(9)));
        lines[1] = kept(2, "ann", &"x".repeat(BYTES_MAX));
        history.recall(&lines[..2]);
        assert_eq!(history.oldest(), Some(3), "there is no room for it");
    }

    #[test]
    fn a_block_costs_its_first_line() {
        let mut history = History::default();
        said(&mut history, 0, "before");
        let (speaker, nick) = (ConnId::new(0, 0), Nick::guest(1));
        let long = format!("first{}", "\nmore".repeat(BYTES_MAX));
        history.remember_block(2, 0, speaker, nick.clone(), &long);
        history.remember_block(9, 0, speaker, nick, "one\ntwo");
        let lines = history.before(ALL, 9, 0, |_, _| false);
        let shown: Vec<_> = lines.iter().map(|line| (&*line.text, line.more)).collect();
        assert_eq!(shown, [("before", 0), ("first", BYTES_MAX), ("one", 1)]);
        assert_eq!(history.find(9, |_, _| false).as_ref(), lines.last());
        assert_eq!(history.find(1, |_, _| false).as_ref(), lines.first());
        assert_eq!((history.find(3, |_, _| false), history.find(9, |_, _| true)), (None, None));
    }

    #[test]
    fn who_is_hidden_takes_no_place() {
        let mut history = History::default();
        for number in 0..4 {
            let nick = Nick::guest(number);
            history.remember(
                number + 1,
                0,
                ConnId::new(number as u32, 0),
                nick,
                number == 1,
                "text",
            );
        }
        let lines = history.before(ALL, 2, 0, |speaker, _| speaker.slot() == 2);
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
        let all = texts(&history, ALL, usize::MAX, 0);
        assert_eq!((all.len(), &*all[0]), (LINES_MAX, "900"));
        for number in 0..1_000 {
            said(&mut history, 0, &number.to_string().repeat(500));
        }
        let all = texts(&history, ALL, usize::MAX, 0);
        assert_eq!(all.len(), BYTES_MAX / 1_500);
        assert_eq!(all[all.len() - 1], "999".repeat(500));
        assert!(history.texts.capacity() <= BYTES_MAX * 2);
        said(&mut history, 0, &"x".repeat(BYTES_MAX + 1));
        assert!(history.is_empty() && history.texts.is_empty());
    }
}
