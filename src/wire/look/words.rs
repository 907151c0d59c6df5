//! Words in place of marks, for who hears lines instead of seeing them.
//!
//! Promises: each line begins with one of `In ROOM, `, `From NICK to you: `, `Notice: ` and
//! `Refused, CODE: `, which no text can stand before; emoji are said by name. What is longer in
//! words is so by a bounded factor: no name of an emoji is endless. Deliberately no other wording:
//! sentences are as everybody reads them.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::shape::Shape;

const NOTICE: &str = "Notice: ";
const REFUSED: &str = "Refused, ";

/// A line as it is spoken.
pub(super) fn spoken(line: &str, is_of_past: bool) -> String {
    let shape = Shape::of(line, is_of_past);
    let at = |range: &Range<usize>| &line[range.clone()];
    let text = match &shape {
        Shape::Said { room, nick, text, is_action } => {
            format!("In {}, {}", at(room), doing(at(nick), at(text), *is_action))
        }
        Shape::Whispered { nick } => format!("From {} to you{}", at(nick), &line[nick.end..]),
        Shape::Past { room, nick, lines, text, is_action } => {
            let said = doing(&line[nick.start..lines.end], at(text), *is_action);
            let said = if text.is_empty() { said.trim_end() } else { &said };
            match room {
                None => {
                    let when = &line[2..nick.start - 1];
                    format!("{}{when}from {said}", NOTICE)
                }
                Some(room) => {
                    let when = &line[2..room.start - 1];
                    format!("{}{when}in {}, {said}", NOTICE, at(room))
                }
            }
        }
        Shape::Quoted { text } => format!("{}line: {}", NOTICE, at(text)),
        Shape::Notice { room: None } => format!("{}{}", NOTICE, &line[2..]),
        Shape::Notice { room: Some(room) } => {
            let name = at(room);
            let rest = &line[room.end..];
            match rest.strip_prefix(": ") {
                Some(rest) => format!("{}in {name}, {rest}", NOTICE),
                None => format!("{}room {name}{rest}", NOTICE),
            }
        }
        Shape::Refused { code } => {
            format!("{}{}:{}", REFUSED, at(code), &line[code.end..])
        }
        Shape::Other => line.to_owned(),
    };
    match emoji_named(&text) {
        Cow::Owned(named) => named,
        Cow::Borrowed(_) => text,
    }
}

fn doing(nick: &str, text: &str, is_action: bool) -> String {
    match is_action {
        true => format!("{nick} does: {text}"),
        false => format!("{nick}: {text}"),
    }
}

/// A text with the names of its emoji in their place.
fn emoji_named(text: &str) -> Cow<'_, str> {
    let name_of = |grapheme: &str| match grapheme.is_ascii() {
        true => None,
        false => emojis::get(grapheme).map(|emoji| emoji.name()),
    };
    if text.is_ascii() || !text.graphemes(true).any(|grapheme| name_of(grapheme).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut named = String::with_capacity(text.len() * 2);
    for grapheme in text.graphemes(true) {
        match name_of(grapheme) {
            Some(name) => {
                if named.ends_with(|c: char| !c.is_whitespace()) {
                    named.push(' ');
                }
                named.extend(["(", name, ")"]);
            }
            None => {
                let follows = named.ends_with(')') && grapheme.chars().all(char::is_alphanumeric);
                if follows {
                    named.push(' ');
                }
                named.push_str(grapheme);
            }
        }
    }
    Cow::Owned(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_words() {
        for (line, expected) in [
            ("#dev bob: hi", "In dev, bob: hi"),
            ("#dev * bob waves", "In dev, bob does: waves"),
            ("@bob: hi", "From bob to you: hi"),
            ("* bob left", "Notice: bob left"),
            ("* #dev: bob came", "Notice: in dev, bob came"),
            ("* #dev topic: x", "Notice: room dev topic: x"),
            ("* 12:00:00 #dev bob: hi", "Notice: 12:00:00 in dev, bob: hi"),
            (
                "* 7 2026-11-21 12:00:00 #dev * bob waves",
                "Notice: 7 2026-11-21 12:00:00 in dev, bob does: waves",
            ),
            (
                "* 12:00:00 #dev bob, 6 lines (/show 7): a",
                "Notice: 12:00:00 in dev, bob, 6 lines (/show 7): a",
            ),
            (
                "* 7 2026-11-21 12:00:00 #dev bob, 6 lines:",
                "Notice: 7 2026-11-21 12:00:00 in dev, bob, 6 lines:",
            ),
            ("* | a", "Notice: line: a"),
            ("* 2026-11-21 12:00:00 @bob: hi", "Notice: 2026-11-21 12:00:00 from bob: hi"),
            ("! usage type: /me TEXT", "Refused, usage: type: /me TEXT"),
        ] {
            assert_eq!(spoken(line, true), expected);
        }
    }

    #[test]
    fn emoji_are_named() {
        for (text, expected) in [
            ("👋", "(waving hand)"),
            ("hi👋there", "hi (waving hand) there"),
            ("hi 👋, all", "hi (waving hand), all"),
            ("👋🏽", "(waving hand: medium skin tone)"),
            ("👋👋", "(waving hand) (waving hand)"),
            ("❤\u{fe0f} ❤", "(red heart) (red heart)"),
            ("(é) → 日本 1", "(é) → 日本 1"),
        ] {
            assert_eq!(emoji_named(text), expected);
        }
    }
}
