//! How the owner of an account wants to be served, from one login to the next.
//!
//! Promises: the text of it (`color=dark bell=on time=+02:00 replay=5`) is read as the commands of
//! these names are, and what is not known there is passed over, so that an older server and a newer
//! one get along with one file. What was never said stands nowhere. Deliberately without `/ack` and
//! the kind of the connection: those are of the program that speaks, not of the person.

use std::fmt;

use super::super::command::{Command, Verb};
use super::super::event::Zone;
use super::super::settings::{Color, Setting, Settings};

/// What an owner has said of it; `None` for what was never said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptSettings {
    /// Which times the lines begin with, if any.
    pub time: Option<Option<Zone>>,
    /// Whether and how names are coloured.
    pub color: Option<Color>,
    /// Whether the bell rings when one is meant.
    pub bell: Option<bool>,
    /// Whether marks are words, and nothing is redrawn.
    pub plain: Option<bool>,
    /// Whether `:wave:` is said as the emoji that it names.
    pub emoji: Option<bool>,
    /// Whether one sees who is typing, and is seen.
    pub typing: Option<bool>,
    /// Whether one is told what becomes of direct messages.
    pub receipts: Option<bool>,
    /// Whether comings and goings are hidden.
    pub quiet: Option<bool>,
    /// How many earlier lines joining a room shows.
    pub replay: Option<usize>,
}

impl KeptSettings {
    /// What is in force for somebody, as far as it is not so for everybody.
    pub fn of(settings: &Settings, is_quiet: bool, replay: Option<usize>) -> KeptSettings {
        let said = |is_on: bool| is_on.then_some(true);
        KeptSettings {
            time: settings.time.map(Some),
            color: settings.color,
            bell: said(settings.is_ringing),
            plain: said(settings.is_plain),
            emoji: settings.emoji,
            typing: said(settings.shows_typing),
            receipts: said(settings.wants_receipts),
            quiet: said(is_quiet),
            replay,
        }
    }

    /// What a text says, as far as it is known.
    pub fn parse(text: &str) -> KeptSettings {
        let mut kept = KeptSettings::default();
        for (name, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
            match Command::parse(&format!("/{name} {value}")) {
                Ok(Command::Time(zone)) => kept.time = Some(zone),
                Ok(Command::Quiet(is_on)) => kept.quiet = Some(is_on),
                Ok(Command::Replay(lines)) => kept.replay = Some(lines),
                Ok(Command::Set(setting)) => kept.note(setting),
                _ => {}
            }
        }
        kept
    }

    /// The owner has said so.
    pub fn note(&mut self, setting: Setting) {
        match setting {
            Setting::Color(color) => self.color = Some(color),
            Setting::Bell(is_on) => self.bell = Some(is_on),
            Setting::Plain(is_on) => self.plain = Some(is_on),
            Setting::Emoji(is_on) => self.emoji = Some(is_on),
            Setting::Typing(is_on) => self.typing = Some(is_on),
            Setting::Receipts(is_on) => self.receipts = Some(is_on),
            Setting::Ack(_) => {}
        }
    }

    /// Settings with these in force where anything was said.
    pub fn over(&self, settings: Settings) -> Settings {
        Settings {
            time: self.time.unwrap_or(settings.time),
            color: self.color.or(settings.color),
            emoji: self.emoji.or(settings.emoji),
            is_ringing: self.bell.unwrap_or(settings.is_ringing),
            is_plain: self.plain.unwrap_or(settings.is_plain),
            shows_typing: self.typing.unwrap_or(settings.shows_typing),
            wants_receipts: self.receipts.unwrap_or(settings.wants_receipts),
            ..settings
        }
    }
}

impl fmt::Display for KeptSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = |is_on: bool| if is_on { "on" } else { "off" }.to_owned();
        let color = |color| match color {
            Color::On => "on".to_owned(),
            Color::Off => "off".to_owned(),
            Color::Dark => "dark".to_owned(),
            Color::Light => "light".to_owned(),
        };
        let words = [
            (Verb::Time, self.time.map(time_word)),
            (Verb::Color, self.color.map(color)),
            (Verb::Bell, self.bell.map(switch)),
            (Verb::Plain, self.plain.map(switch)),
            (Verb::Emoji, self.emoji.map(switch)),
            (Verb::Typing, self.typing.map(switch)),
            (Verb::Receipts, self.receipts.map(switch)),
            (Verb::Quiet, self.quiet.map(switch)),
            (Verb::Replay, self.replay.map(|lines| lines.to_string())),
        ];
        let said = words.into_iter().filter_map(|(verb, value)| Some((verb, value?)));
        for (place, (verb, value)) in said.enumerate() {
            let blank = if place > 0 { " " } else { "" };
            write!(f, "{blank}{}={value}", verb.name())?;
        }
        Ok(())
    }
}

/// What `/time` takes for that.
fn time_word(zone: Option<Zone>) -> String {
    match zone {
        None => "off".to_owned(),
        Some(Zone::Server) => "on".to_owned(),
        Some(Zone::Offset(minutes)) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zones() -> impl Strategy<Value = Option<Zone>> {
        let offset = (-840_i16..=840).prop_map(|minutes| Some(Zone::Offset(minutes)));
        prop_oneof![Just(None), Just(Some(Zone::Server)), offset]
    }

    fn colors() -> impl Strategy<Value = Color> {
        prop::sample::select(vec![Color::On, Color::Off, Color::Dark, Color::Light])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_is_read_again(
            time in prop::option::of(zones()),
            color in prop::option::of(colors()),
            switches in prop::array::uniform6(any::<Option<bool>>()),
            replay in prop::option::of(0_usize..=100),
        ) {
            let [bell, plain, emoji, typing, receipts, quiet] = switches;
            let kept = KeptSettings {
                time, color, bell, plain, emoji, typing, receipts, quiet, replay,
            };
            prop_assert_eq!(KeptSettings::parse(&kept.to_string()), kept);
        }

        #[test]
        fn any_text_is_read(text in any::<String>()) {
            KeptSettings::parse(&text);
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let text = "color=dark tune=loud replay=5 replay=1000 ack=on quit=now bell time=+02:00";
        let kept = KeptSettings::parse(text);
        assert_eq!(kept.to_string(), "time=+02:00 color=dark replay=5");
        assert_eq!(KeptSettings::default().to_string(), "");
    }

    #[test]
    fn what_was_said_is_in_force_and_the_rest_stays() {
        let mut here = Settings::default();
        here.set(Setting::Bell(true));
        here.set(Setting::Typing(true));
        here.set(Setting::Ack(true));
        let said = KeptSettings::parse("bell=off time=on");
        let over = said.over(here);
        assert_eq!((over.is_ringing, over.time), (false, Some(Zone::Server)));
        assert!(over.shows_typing && over.wants_acks);
        let kept = KeptSettings::of(&over, true, Some(3));
        assert_eq!(kept.to_string(), "time=on typing=on quiet=on replay=3");
    }
}
