//! A line from its bytes to what it asks: what the clean text promises, what a parsed command and a
//! parsed name promise, that what an operator orders is the same when it is written anew, and that
//! a refusal is one line that only prints.

use chatline::chat::command::{Command, Measure, Moderation, SPAN_SECS_MAX, Since, Where};
use chatline::chat::event::Event;
use chatline::chat::name::{Name, Nick, RoomName, key_of};
use chatline::chat::slow::SLOW_SECS_MAX;
use chatline::wire::clean::clean;
use chatline::wire::editor::secret_from;
use chatline::wire::{Clock, Ends, render};

use super::text::assert_printable;

const CLOCK: Clock = Clock { unix: 1_772_625_600, zone_secs: 0 };
const NAME_CHARS_MAX: usize = 24;

/// The bytes are one line.
pub fn run(data: &[u8]) {
    let text = clean(data);
    assert_printable(&text);
    assert_eq!(clean(text.as_bytes()), text, "cleaning twice is cleaning once");
    if data.iter().all(|byte| matches!(byte, 0x20..=0x7E)) {
        assert_eq!(text.as_bytes(), data, "printable ASCII passes");
    }
    match Command::parse(&text) {
        Ok(command) => {
            assert_sound(&command);
            assert_hidden(&text, &command);
            if let Command::Moderate(moderation) = &command {
                let written = written(moderation);
                assert_eq!(Command::parse(&written), Ok(command), "{text:?} is {written:?}");
            }
        }
        Err(refusal) => {
            let mut line = Vec::new();
            render(&Event::Refused(refusal), Ends::Lf, CLOCK, &mut line);
            let line = String::from_utf8(line).expect("what is said is text");
            let line = line.strip_suffix('\n').expect("a line has an end");
            assert!(line.starts_with("! "), "{line:?}");
            assert_printable(line);
        }
    }
    text.split(' ').take(4).chain([&*text]).for_each(assert_name);
}

/// What is said is not blank, and a name is one word.
fn assert_sound(command: &Command<'_>) {
    let is_blank = |text: &str| text.chars().all(char::is_whitespace);
    let (name, text) = match command {
        Command::Say(text) | Command::Act(text) | Command::Announce(text) => (None, Some(*text)),
        Command::SayIn(name, text) | Command::Whisper(name, text) => (Some(*name), Some(*text)),
        Command::Join(name, _)
        | Command::Ignore(name)
        | Command::Unignore(name)
        | Command::Login(name, _)
        | Command::Op(_, name)
        | Command::Deop(_, name)
        | Command::Slow(name, _)
        | Command::Lock(name, _)
        | Command::Unlock(name)
        | Command::Close(name) => (Some(*name), None),
        _ => (None, None),
    };
    assert!(text.is_none_or(|text| !is_blank(text)), "{command:?} says nothing");
    let is_word = |name: &str| !name.contains(' ');
    assert!(name.is_none_or(is_word), "{command:?} names several");
    if let Command::Slow(_, seconds) = command {
        assert!(*seconds <= SLOW_SECS_MAX, "{command:?} is too slow");
    }
}

/// What an operator orders, as a line.
fn written(Moderation { place, measure }: &Moderation<'_>) -> String {
    let verb = Moderation { place: *place, measure: *measure }.verb().name();
    let place = match place {
        Where::Here => String::new(),
        Where::Room(room) => format!("#{room}"),
        Where::Everywhere => "*".to_owned(),
    };
    let (who, time, why) = match measure {
        Measure::Kick { who, why } => (who.typed(), None, *why),
        Measure::Forbid { who, secs, why, .. } => (who.typed(), *secs, *why),
        Measure::Allow { who, .. } => (who.typed(), None, None),
        Measure::List { .. } => ("", None, None),
    };
    assert!(time.is_none_or(|secs| (1..=SPAN_SECS_MAX).contains(&secs)), "for {time:?}");
    let time = time.map_or(String::new(), |secs| {
        let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
        let fits = units.into_iter().find(|(unit, _)| secs % unit == 0);
        fits.map_or(String::new(), |(unit, letter)| format!("{}{letter}", secs / unit))
    });
    let words = [&place, who, &time, why.unwrap_or_default()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("/{verb} {}", words.join(" "))
}

/// A password of a command stands where nobody sees it typed.
fn assert_hidden(text: &str, command: &Command<'_>) {
    let secrets: &[&str] = match command {
        Command::Join(_, Some(secret))
        | Command::Register(None, secret)
        | Command::Login(_, Some(secret))
        | Command::Unregister(secret)
        | Command::Lock(_, secret) => &[secret],
        Command::Password(old, new) | Command::Register(Some(old), new) => &[old, new],
        _ => &[],
    };
    for secret in secrets {
        let at = secret.as_ptr() as usize - text.as_ptr() as usize;
        let hidden = secret_from(text);
        assert!(hidden.is_some_and(|from| from <= at), "{text:?} is seen from {at}: {hidden:?}");
    }
}

fn assert_name(word: &str) {
    // Neither may panic, whatever is typed.
    let _ = Since::parse(word);
    let _ = key_of(word);
    let nick = Nick::parse(word, Some(NAME_CHARS_MAX));
    let room = RoomName::parse(word, Some(NAME_CHARS_MAX));
    assert_eq!(nick.is_ok(), room.is_ok(), "one rule is for both");
    let Ok(nick) = nick else { return };
    let shown = nick.as_str();
    assert_printable(shown);
    assert!(shown.chars().all(|c| !c.is_whitespace() && !"#@:/,*!".contains(c)), "{shown:?}");
    assert!((1..=NAME_CHARS_MAX).contains(&shown.chars().count()), "{shown:?}");
    assert_eq!(Nick::parse(shown, Some(NAME_CHARS_MAX)).as_ref(), Ok(&nick), "it stays a name");
    assert_eq!(key_of(shown), nick.key(), "it compares as it is shown");
    assert_eq!(key_of(nick.key()), nick.key(), "{shown:?} folds once");
    assert!(Nick::known(shown).as_ref().map(Nick::name).map(Name::key) == Some(nick.key()));
}
