//! Lines of JSON: any bytes are a request or a refusal; one that is written otherwise asks the
//! same; all texts in it are clean; what is told is one line of JSON with the text whole.

use std::rc::Rc;

use chatline::chat::command::{Command, Measure, Moderation, SPAN_SECS_MAX, Where};
use chatline::chat::event::Event;
use chatline::chat::name::{Nick, RoomName};
use chatline::wire::clean::clean;
use chatline::wire::json::{Ask, RequestId, parse, render};
use chatline::wire::{Clock, Ends};
use serde_json::Value;

use super::text::{assert_printable, is_printable};

const CLOCK: Clock = Clock { unix: 1_772_625_600, zone_secs: 0 };

/// The bytes are one line.
pub fn run(data: &[u8]) {
    let parsed = parse(data);
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        assert_eq!(parse(value.to_string().as_bytes()), parsed, "it asks the same");
    }
    match parsed {
        Ok(request) => {
            assert_clean(&request.ask);
            let event = Event::Taken { number: 1 };
            let told = told(&event, request.id.as_ref());
            assert_eq!(told["type"], "ok");
            assert_eq!(told.get("re").is_some(), request.id.is_some());
        }
        Err(bad) => {
            let id = bad.id.clone();
            let told = told(&Event::Refused(bad.refusal()), id.as_ref());
            assert_eq!(told["type"], "refused");
            assert_printable(told["text"].as_str().expect("a refusal has words"));
        }
    }
    let text = clean(data);
    let names = (RoomName::parse("dev", None), Nick::parse("bob", None));
    let (Ok(room), Ok(nick)) = names else { panic!("these are names") };
    let said = told(&Event::Said { id: 1, room, nick, text: Rc::from(&*text) }, None);
    assert_eq!(said["text"].as_str(), Some(&*text), "it arrives whole");
}

/// What is told, which is one line.
fn told(event: &Event, re: Option<&RequestId>) -> Value {
    let mut line = Vec::new();
    render(event, re, Ends::Lf, CLOCK, &mut line);
    let (end, object) = line.split_last().expect("it is a line");
    assert_eq!(*end, b'\n');
    assert!(object.iter().all(|byte| *byte >= 0x20), "no control character stands in it");
    let value: Value = serde_json::from_slice(object).expect("it is JSON");
    if let Some(re) = re {
        let given: Value = serde_json::from_str(re.json()).expect("an id is JSON");
        assert_eq!(value["re"], given, "the answer repeats the id");
    }
    value
}

fn assert_clean(ask: &Ask) {
    if let Ask::Block { text, .. } = ask {
        assert!(text.chars().all(|character| character == '\n' || is_printable(character)));
    }
    let texts = match ask.command() {
        Command::Say(text) | Command::Act(text) => [Some(text), None],
        Command::SayIn(one, other) | Command::Whisper(one, other) => [Some(one), Some(other)],
        Command::Join(room, password) => [Some(room), password],
        Command::SetTopic(room, text) => [room, text],
        Command::Nick(name) | Command::Ignore(name) => [Some(name), None],
        Command::Away(text) => [text, None],
        Command::Search(words, room, _) => [Some(words), room],
        Command::Op(room, name) | Command::Deop(room, name) => [Some(name), room],
        Command::Announce(text) => [Some(text), None],
        Command::Register(code, password) => [code, Some(password)],
        Command::Slow(room, _) => [Some(room), None],
        Command::Moderate(moderation) => assert_order(&moderation),
        _ => [None, None],
    };
    texts.into_iter().flatten().for_each(assert_printable);
    ask.name().into_iter().for_each(assert_printable);
}

/// What an operator orders has somebody whom it is about, and an end that comes. Returns what of
/// it is shown.
fn assert_order<'a>(moderation: &Moderation<'a>) -> [Option<&'a str>; 2] {
    if let Where::Room(room) = moderation.place {
        assert!(!room.is_empty());
        assert_printable(room);
    }
    let (who, why) = match moderation.measure {
        Measure::Kick { who, why } => (Some(who.typed()), why),
        Measure::Forbid { who, secs, why, .. } => {
            assert!(secs.is_none_or(|secs| (1..=SPAN_SECS_MAX).contains(&secs)), "for {secs:?}");
            (Some(who.typed()), why)
        }
        Measure::Allow { who, .. } => (Some(who.typed()), None),
        Measure::List { .. } => (None, None),
    };
    assert!(who.is_none_or(|who| !who.is_empty()), "it is about somebody");
    assert!(why.is_none_or(|why| !why.is_empty()), "a reason has words");
    [who, why]
}
