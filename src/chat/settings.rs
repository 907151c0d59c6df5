//! How somebody wants to be served: what it looks and sounds like, and what they are told beside
//! the conversation.
//!
//! Promises: a setting changes what its user is shown, and nothing for anybody else (but that emoji
//! are said, and that who types is seen, by who has asked for that). Settings are plain data: the
//! conversation keeps them, `wire` and `net` do what they say. Deliberately no comings and goings
//! and no earlier lines: those stand with the user, for the rooms ask for them.

use super::event::Zone;

/// Whether and how names are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// In colours that can be read on dark and on light.
    On,
    /// Not at all.
    Off,
    /// In colours for a dark background.
    Dark,
    /// In colours for a light background.
    Light,
}

/// What kind of peer a connection is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Face {
    /// Lines of text, both ways.
    #[default]
    Lines,
    /// A terminal whose lines are edited here.
    Terminal,
    /// A program that speaks JSON.
    Json,
}

/// One setting, with what it is from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Whether and how names are coloured.
    Color(Color),
    /// Whether the bell rings when one is meant.
    Bell(bool),
    /// Whether marks are words, and nothing is redrawn.
    Plain(bool),
    /// Whether `:wave:` is said as the emoji that it names.
    Emoji(bool),
    /// Whether one sees who is typing, and is seen.
    Typing(bool),
    /// Whether one is told that a direct message arrived and was seen.
    Receipts(bool),
    /// Whether each line that is taken is answered.
    Ack(bool),
}

/// All of them. What was not said is as it is for the connection's kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which times the lines begin with.
    pub time: Option<Zone>,
    /// Whether and how names are coloured; unless said, in a terminal.
    pub color: Option<Color>,
    /// Whether `:wave:` is said as the emoji that it names; unless said, in a terminal.
    pub emoji: Option<bool>,
    /// Whether the bell rings when one is meant.
    pub is_ringing: bool,
    /// Whether marks are words, and nothing is redrawn.
    pub is_plain: bool,
    /// Whether one sees who is typing, and is seen.
    pub shows_typing: bool,
    /// Whether one is told that a direct message arrived and was seen.
    pub wants_receipts: bool,
    /// Whether each line that is taken is answered.
    pub wants_acks: bool,
}

impl Settings {
    /// Whether a plain connection is served so that has asked for nothing.
    pub fn is_default(&self) -> bool {
        let said = Settings {
            color: self.color.filter(|color| *color != Color::Off),
            emoji: self.emoji.filter(|is_on| *is_on),
            ..*self
        };
        said == Settings::default()
    }

    /// It is so from now on.
    pub fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Color(color) => self.color = Some(color),
            Setting::Bell(is_on) => self.is_ringing = is_on,
            Setting::Plain(is_on) => self.is_plain = is_on,
            Setting::Emoji(is_on) => self.emoji = Some(is_on),
            Setting::Typing(is_on) => self.shows_typing = is_on,
            Setting::Receipts(is_on) => self.wants_receipts = is_on,
            Setting::Ack(is_on) => self.wants_acks = is_on,
        }
    }
}
