//! The sentences of blocks: what others see of one at once, and all of it for who asks.
//!
//! Promises: a block takes no more than [`BLOCK_LINES_SHOWN`] lines of those who did not ask for
//! it; each of its lines stands behind an address or a mark of ours. Deliberately cuts no line.

use crate::chat::event::{Event, PasteNews, Remembered};
use crate::chat::name::{Nick, RoomName};

use super::super::Clock;
use super::super::clean::clean;
use super::{count, past};

/// How many lines others see of a block at once; of a longer one, the last of these says how many
/// more there are.
pub const BLOCK_LINES_SHOWN: usize = 5;

/// The lines that others see, and how many further ones there are.
pub fn shown(text: &str) -> (impl Iterator<Item = &str>, usize) {
    let lines = text.split('\n').count();
    let shown = if lines > BLOCK_LINES_SHOWN { BLOCK_LINES_SHOWN - 1 } else { lines };
    (text.split('\n').take(shown), lines - shown)
}

/// The line that stands for so many further ones.
pub fn rest(room: &RoomName, nick: &Nick, id: u64, more: usize) -> String {
    format!("* #{room}: {more} more lines of {nick}; /show {id} shows all")
}

/// What who sends a block sees of it on a terminal, where each row ends with CR LF.
pub fn echo(text: &str) -> String {
    let (lines, more) = shown(text);
    let mut rows: String = lines.map(|line| format!("| {}\r\n", clean(line.as_bytes()))).collect();
    if more > 0 {
        rows.push_str(&format!("| and {}\r\n", count(more as u64, "more line")));
    }
    rows
}

/// What is told to who types a block, or asked for one.
pub(super) fn of(event: &Event, clock: Clock) -> String {
    match event {
        Event::Paste(PasteNews::Begun { room }) => {
            format!("* your lines are taken for #{room} up to a line with nothing but a dot\n")
        }
        Event::Paste(PasteNews::LeftOut) => {
            "* your lines are left out up to a line with nothing but a dot\n".to_owned()
        }
        Event::Paste(PasteNews::Dropped) => {
            "* interrupted; nothing of your message is said\n".to_owned()
        }
        Event::Whole { room, line } => whole(room.as_str(), line, clock),
        other => unreachable!("{other:?} is not about a block"),
    }
}

fn whole(room: &str, line: &Remembered, clock: Clock) -> String {
    if !line.text.contains('\n') {
        return past::numbered(room, line, clock);
    }
    let lines = line.text.split('\n').count() as u64;
    let (id, nick, when) = (line.id, &line.nick, clock.show_with_day(line.unix));
    let mut text = format!("* {id} {when} #{room} {nick}, {}:\n", count(lines, "line"));
    for line in line.text.split('\n') {
        text.push_str(&format!("* | {line}\n"));
    }
    text.push_str(&format!("* #{room}: end of these lines\n"));
    text
}
