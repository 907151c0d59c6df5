//! The sentences of how somebody is served from now on.
//!
//! Promises: each says what changes for the reader, and where it is not obvious how to undo it.

use crate::chat::settings::{Color, Face, Setting};

/// Something is otherwise.
pub(super) fn set(setting: Setting) -> &'static str {
    match setting {
        Setting::Color(Color::On) => "names are coloured",
        Setting::Color(Color::Off) => "nothing is coloured",
        Setting::Color(Color::Dark) => "names are coloured for a dark background",
        Setting::Color(Color::Light) => "names are coloured for a light background",
        Setting::Bell(true) => "the bell rings when somebody means you",
        Setting::Bell(false) => "the bell does not ring",
        Setting::Plain(true) => "words stand for marks, and nothing is redrawn or coloured",
        Setting::Plain(false) => "marks are marks again",
        Setting::Emoji(true) => ":wave: and the like are said as emoji",
        Setting::Emoji(false) => ":wave: is said as you type it",
        Setting::Typing(true) => "you see who is typing, and they see you",
        Setting::Typing(false) => "nobody sees that you are typing, nor do you",
        Setting::Receipts(true) => {
            "you are told when a line for one person has arrived, and when it was seen"
        }
        Setting::Receipts(false) => "you are not told what becomes of lines for one person",
        Setting::Ack(true) => "each line of yours is answered: + and its number, or ! and a code",
        Setting::Ack(false) => "your lines are not answered any longer",
    }
}

/// The connection is of another kind.
pub(super) fn face(face: Face) -> &'static str {
    match face {
        Face::Lines => "your lines are edited by your own terminal again",
        Face::Terminal => "your lines are edited here; /help tty lists the keys, /tty off ends it",
        Face::Json => "this connection speaks JSON",
    }
}
