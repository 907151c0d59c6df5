//! The sentences of what was said before: earlier lines, `/history`, `/search`, what was missed.
//!
//! Promises: each old line is a notice, so that none is taken for one that is said now, and begins
//! with when it was said; where it was asked for, also with its id. Deliberately no bound on how
//! many: who asks has it.

use crate::chat::event::{Edges, Event, Remembered};
use crate::chat::kept::Span;

use super::super::Clock;
use super::{count, quoted};

/// A line as it follows the room's name.
fn said(line: &Remembered) -> String {
    let Remembered { nick, text, .. } = line;
    match (line.is_action, line.more) {
        (true, _) => format!("* {nick} {text}"),
        (false, 0) => format!("{nick}: {text}"),
        // It stands before the text, where nobody can type it.
        (false, more) => format!("{nick}, {} lines (/show {}): {text}", more + 1, line.id),
    }
}

/// Earlier lines that were not asked for.
pub(super) fn replay(room: &str, lines: &[Remembered], clock: Clock) -> String {
    let number = count(lines.len() as u64, "earlier line");
    let mut text = format!("* #{room}: {number}\n");
    for line in lines {
        text.push_str(&format!("* {} #{room} {}\n", clock.show(line.unix), said(line)));
    }
    text.push_str(&format!("* #{room}: end of earlier lines\n"));
    text
}

/// What `/history` and `/search` show, and what was said to who was away.
pub(super) fn past(event: &Event, clock: Clock) -> String {
    match event {
        Event::History { room, lines, edges, has_more, span } => {
            let more = edges.filter(|_| *has_more).map(|edges| (edges, *span));
            history(room.as_str(), lines, more, clock)
        }
        Event::Found { words, lines, has_more, unsearched } => {
            let mut text = match (lines.len(), *has_more) {
                (0, false) => format!("* nothing was found for {}\n", quoted(words)),
                (0, true) => format!(
                    "* nothing was found for {} as far as it was looked; say more words, in ROOM \
                     or by NICK\n",
                    quoted(words)
                ),
                (found, false) => format!("* {} found:\n", count(found as u64, "line")),
                (found, true) => format!("* the last {} found:\n", count(found as u64, "line")),
            };
            for (room, line) in lines.iter() {
                text.push_str(&numbered(room.as_str(), line, clock));
            }
            if *unsearched > 0 {
                let lines = count(*unsearched, "line");
                text.push_str(&format!("* the newest {lines} cannot be searched yet\n"));
            }
            text
        }
        Event::Directs { directs } => {
            let number = count(directs.len() as u64, "line");
            let mut text = format!("* {number} for you alone came while you were away\n");
            for direct in directs.iter() {
                let when = clock.show_with_day(direct.unix);
                text.push_str(&format!("* {when} @{}: {}\n", direct.nick, direct.text));
            }
            text.push_str("* end of what came while you were away\n");
            text
        }
        other => unreachable!("{other:?} is not of the past"),
    }
}

pub(super) fn numbered(room: &str, line: &Remembered, clock: Clock) -> String {
    format!("* {} {} #{room} {}\n", line.id, clock.show_with_day(line.unix), said(line))
}

/// Lines of a room; and what to type for more of them, if there are any beyond those edges.
fn history(room: &str, lines: &[Remembered], more: Option<(Edges, Span)>, clock: Clock) -> String {
    if lines.is_empty() && more.is_none() {
        return format!("* #{room}: no such lines\n");
    }
    let mut text = format!("* #{room}: {}\n", count(lines.len() as u64, "line"));
    for line in lines {
        text.push_str(&numbered(room, line, clock));
    }
    let end = match more {
        None => "end of these lines".to_owned(),
        Some((edges, Span::Since(_))) => {
            let when = clock.show_with_day(edges.last_unix);
            format!("there are more; /history {room} since {when} shows them")
        }
        Some((edges, Span::After(_))) => {
            format!("there are more; /history {room} after {} shows them", edges.last)
        }
        Some((edges, Span::Last | Span::Before(_))) => {
            format!("there are more; /history {room} before {} shows them", edges.first)
        }
    };
    text.push_str(&format!("* #{room}: {end}\n"));
    text
}
