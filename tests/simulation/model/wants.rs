//! What only those hear, or say, who have asked for it: answers to each line, receipts, emoji.

use super::super::ask::Ask;
use super::super::told::What;
use super::{ConnNo, Model, Stage};

/// The emoji that are typed here by name.
const EMOJI: [(&str, &str); 2] = [(":wave:", "👋"), (":+1:", "👍")];

impl Model {
    /// Obeys a line, and answers it after all else that follows from it, unless it was refused or
    /// was the last.
    pub(super) fn obey_and_answer(&mut self, no: ConnNo, obey: impl FnOnce(&mut Model)) {
        if self.conns[no].is_json {
            return obey(self);
        }
        let wants_acks = self.conns[no].wants_acks;
        self.conns[no].answered += u64::from(wants_acks);
        self.conns[no].is_refused = false;
        obey(self);
        let conn = &self.conns[no];
        if wants_acks && !conn.is_refused && conn.stage == Stage::Talking {
            let answer =
                if conn.is_json { "ok".to_owned() } else { format!("+ {}", conn.answered) };
            self.line(no, &answer);
        }
    }

    pub(super) fn want(&mut self, no: ConnNo, asked: Ask<'_>) {
        let conn = &mut self.conns[no];
        let words = match asked {
            Ask::Emoji(is_on) => {
                conn.says_emoji = is_on;
                self.note_habit(no, |habits| habits.says_emoji = Some(is_on));
                if is_on { "said as emoji" } else { "as you type it" }
            }
            Ask::Receipts(is_on) => {
                conn.wants_receipts = is_on;
                self.note_habit(no, |habits| habits.wants_receipts = Some(is_on));
                if is_on { "you are told when" } else { "you are not told" }
            }
            Ask::Ack(is_on) => {
                conn.wants_acks = is_on;
                if is_on { "each line of yours" } else { "not answered any longer" }
            }
            Ask::Json => {
                conn.is_json = true;
                "speaks JSON"
            }
            _ => unreachable!("{asked:?} is nothing to want"),
        };
        self.words(no, &[words]);
    }

    /// Something was said to one person, whose side has it when the turn is over.
    pub(super) fn await_receipt(&mut self, no: ConnNo, to: ConnNo) {
        if self.conns[no].wants_receipts && !self.receipts.contains(&(no, to)) {
            self.receipts.push((no, to));
        }
    }

    /// The turn is over: what was said to one person has arrived.
    pub fn tell_receipts(&mut self) {
        for (no, to) in std::mem::take(&mut self.receipts) {
            let is_there = self.conns[no].stage == Stage::Talking;
            if !is_there || !self.conns[no].wants_receipts {
                continue;
            }
            if self.conns[to].stage != Stage::Talking {
                self.words(no, &["did not arrive"]);
                continue;
            }
            if !self.conns[to].watchers.contains(&no) {
                self.conns[to].watchers.push(no);
            }
            self.line(no, &format!("* {} has your line", self.nick(to).shown));
        }
    }

    /// Somebody has typed something.
    pub(super) fn note_seen(&mut self, no: ConnNo) {
        for watcher in std::mem::take(&mut self.conns[no].watchers) {
            if self.conns[watcher].stage == Stage::Talking {
                self.line(watcher, &format!("* {} has seen your line", self.nick(no).shown));
            }
        }
    }

    /// A text as who typed it means it to be said.
    pub(super) fn as_said(&self, no: ConnNo, text: &str) -> String {
        if !self.conns[no].says_emoji {
            return text.to_owned();
        }
        let (mut said, mut rest, mut before) = (String::new(), text, None);
        while let Some(c) = rest.chars().next() {
            let is_glued = |c: char| c.is_alphanumeric() || c == ':';
            let named = EMOJI.iter().filter(|_| !before.is_some_and(is_glued)).find(|(name, _)| {
                let behind = rest.strip_prefix(name);
                behind.is_some_and(|behind| !behind.starts_with(char::is_alphanumeric))
            });
            let (taken, shown) = match named {
                Some((name, emoji)) => (name.len(), *emoji),
                None => (c.len_utf8(), &rest[..c.len_utf8()]),
            };
            said.push_str(shown);
            // An emoji may stand right behind another.
            before = Some(c).filter(|_| named.is_none());
            rest = &rest[taken..];
        }
        said
    }

    /// A refusal that is no line of its own: the line that it answers is one.
    pub(super) fn refuse_too_long(&mut self, no: ConnNo) {
        self.obey_and_answer(no, |model| {
            model.conns[no].typed_at = model.mono;
            model.note_seen(no);
            model.tell(no, What::Refused("line-too-long"));
        });
    }
}
