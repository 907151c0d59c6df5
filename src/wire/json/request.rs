//! From a line of JSON to what it asks.
//!
//! Promises: any bytes are a [`Request`] or a [`BadRequest`]; each text of a request is clean, and
//! of one line but for the text of a block; what a plain line could not ask is not asked here
//! either. Deliberately judges no name and no password: that is `chat`.

use serde_json::{Map, Value};

use crate::chat::command::{Since, offset};
use crate::chat::event::{JsonFault, Refusal};
use crate::chat::name::nearest;
use crate::wire::clean::clean;

use super::RequestId;
use super::action::{ACTIONS, Action, Kind};
use super::ask::{Ask, Datum, Given, is_blank};

/// What a program asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What its answer repeats.
    pub id: Option<RequestId>,
    /// What.
    pub ask: Ask,
}

/// What is no request.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRequest {
    /// What its answer repeats.
    pub id: Option<RequestId>,
    /// Why not.
    pub fault: JsonFault,
}

impl BadRequest {
    /// How it is refused.
    pub fn refusal(self) -> Refusal {
        Refusal::BadJson { fault: self.fault }
    }
}

/// What a line asks, given without its end. A line of nothing but blanks asks nothing.
///
/// # Errors
/// Why it is no request.
pub fn parse(line: &[u8]) -> Result<Request, BadRequest> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(Request { id: None, ask: Ask::Command(Given::default()) });
    }
    let bad = |id, fault| BadRequest { id, fault };
    let object = serde_json::from_slice::<Map<String, Value>>(line);
    let mut object = object.map_err(|_| bad(None, JsonFault::NoObject))?;
    let id = match object.remove("id").filter(|id| !id.is_null()) {
        None => None,
        Some(id) => Some(RequestId::of(&id).ok_or_else(|| bad(None, JsonFault::Id))?),
    };
    match asked(&object) {
        Ok(ask) => Ok(Request { id, ask }),
        Err(fault) => Err(bad(id, fault)),
    }
}

fn asked(object: &Map<String, Value>) -> Result<Ask, JsonFault> {
    let Some(Value::String(word)) = object.get("action") else { return Err(JsonFault::NoAction) };
    let action = Action::named(word).ok_or_else(|| unknown(word))?;
    let mut values = Vec::with_capacity(action.fields.len());
    for (key, value) in object.iter().filter(|(key, value)| *key != "action" && !value.is_null()) {
        let Some(field) = action.field(key) else {
            let typed = clean(key.as_bytes()).into_owned();
            return Err(JsonFault::UnknownField { action: action.name, typed });
        };
        let unfit = || JsonFault::Unfit { action: action.name, field: field.name };
        if values.iter().any(|(name, _)| *name == field.name) {
            return Err(unfit());
        }
        let datum = datum(field.kind, value).ok_or_else(unfit)?;
        let is_none = field.kind == Kind::Secret && datum == Datum::Text(String::new());
        if !is_none {
            values.push((field.name, datum));
        }
    }
    Given::new(action, values).into_ask(action)
}

/// The fault of an action that there is not, with a guess at what was meant.
fn unknown(word: &str) -> JsonFault {
    let typed = clean(word.as_bytes()).into_owned();
    let names = ACTIONS.iter().map(|action| action.name);
    let meant = nearest(&typed.to_lowercase(), names.clone());
    let meant = meant.and_then(|meant| names.clone().find(|name| *name == meant));
    JsonFault::UnknownAction { typed, meant }
}

/// The value of a field, if it can be one.
fn datum(kind: Kind, value: &Value) -> Option<Datum> {
    let text = |text: Option<String>| text.map(Datum::Text);
    match (kind, value) {
        (Kind::Name, Value::String(value)) => text(name_of(value)),
        (Kind::NameWith(sign), Value::String(value)) => {
            text(name_of(value).map(|name| format!("{sign}{name}")))
        }
        (Kind::Secret | Kind::Note, Value::String(value)) => text(trimmed(value)),
        (Kind::Text, Value::String(value)) => text(one_line(value).filter(|text| !is_blank(text))),
        (Kind::Lines, Value::String(value)) => {
            text(Some(lines(value)).filter(|text| !is_blank(text)))
        }
        (Kind::Since, Value::String(value)) => {
            text(trimmed(value).filter(|time| Since::parse(time).is_some()))
        }
        (Kind::Zone, Value::String(value)) => {
            text(trimmed(value).filter(|zone| offset(zone).is_some()))
        }
        (Kind::Word(words), Value::String(value)) => {
            text(words.iter().find(|word| *word == value).map(|word| (*word).to_owned()))
        }
        (Kind::Names, Value::Array(values)) => {
            let names = values.iter().map(|value| {
                let name = name_of(value.as_str()?)?;
                (!name.contains([',', ' '])).then_some(name)
            });
            text(names.collect::<Option<Vec<String>>>().map(|names| names.join(",")))
        }
        (Kind::Switch, Value::Bool(is_on)) => Some(Datum::Switch(*is_on)),
        (Kind::Number { least, most }, Value::Number(number)) => {
            number.as_u64().filter(|number| (least..=most).contains(number)).map(Datum::Number)
        }
        _ => None,
    }
}

/// A clean line, unless it is several.
fn one_line(text: &str) -> Option<String> {
    (!text.contains('\n')).then(|| clean(text.as_bytes()).into_owned())
}

fn trimmed(text: &str) -> Option<String> {
    one_line(text).map(|text| text.trim().to_owned())
}

/// Clean lines, without the ends of the last.
fn lines(text: &str) -> String {
    let lines = text.trim_end_matches(['\r', '\n']).split('\n');
    let lines: Vec<_> = lines.map(|line| clean(line.as_bytes())).collect();
    lines.join("\n")
}

/// A name, its leading `#` or `@` dropped.
fn name_of(text: &str) -> Option<String> {
    let text = trimmed(text)?;
    let name = text.strip_prefix(['#', '@']).unwrap_or(&text);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chat::command::{Command, HistorySpan, Verb};
    use crate::chat::event::Zone;
    use crate::chat::settings::{Color, Setting};
    use proptest::prelude::*;

    fn ask(line: &str) -> Ask {
        parse(line.as_bytes()).unwrap_or_else(|bad| panic!("{line}: {bad:?}")).ask
    }

    fn fault(line: &str) -> JsonFault {
        parse(line.as_bytes()).expect_err(line).fault
    }

    fn missing(action: &'static str, field: &'static str) -> JsonFault {
        JsonFault::Missing { action, field }
    }

    fn unfit(action: &'static str, field: &'static str) -> JsonFault {
        JsonFault::Unfit { action, field }
    }

    #[test]
    fn what_a_line_could_ask_can_be_asked() {
        let since = HistorySpan::Since(Since::Ago(7_200));
        let moment = HistorySpan::Since(Since::Unix(1_772_625_600));
        for (line, command) in [
            (" ", Command::Nothing),
            (r#"{"action":"message","text":" hi "}"#, Command::Say(" hi ")),
            (r#"{"action":"message","text":"done\r\n"}"#, Command::Say("done")),
            (r##"{"action":"message","room":"#dev","text":"/hi"}"##, Command::SayIn("dev", "/hi")),
            (r#"{"action":"message","nick":"@bob","text":"x"}"#, Command::Whisper("bob", "x")),
            (r#"{"action":"who","room":"dev"}"#, Command::Who(Some("#dev"))),
            (r#"{"action":"who","nick":"bob"}"#, Command::Who(Some("@bob"))),
            (r#"{"action":"join","room":"dev","password":" "}"#, Command::Join("dev", None)),
            (r#"{"action":"leave","room":null}"#, Command::Leave(None)),
            (r#"{"action":"topic"}"#, Command::Topic(None)),
            (r#"{"action":"topic","text":""}"#, Command::SetTopic(None, None)),
            (r#"{"action":"topic","text":" a "}"#, Command::SetTopic(None, Some("a"))),
            (r#"{"action":"away","text":""}"#, Command::Away(None)),
            (r#"{"action":"time","on":false}"#, Command::Time(None)),
            (r#"{"action":"time","zone":"-03:30"}"#, Command::Time(Some(Zone::Offset(-210)))),
            (r#"{"action":"replay","lines":0}"#, Command::Replay(0)),
            (r#"{"action":"history","since":"2h"}"#, Command::History(None, since)),
            (
                r#"{"action":"history","since":"2026-03-04T12:00:00Z"}"#,
                Command::History(None, moment),
            ),
            (
                r#"{"action":"history","room":"dev","before":77}"#,
                Command::History(Some("dev"), HistorySpan::Before(77)),
            ),
            (
                r#"{"action":"history","lines":5}"#,
                Command::History(None, HistorySpan::Last(Some(5))),
            ),
            (
                r#"{"action":"search","words":"disk full","by":"bob"}"#,
                Command::Search("disk full", None, Some("bob")),
            ),
            (
                r##"{"action":"token","do":"new","name":"ci","rooms":["ops","#dev"],"rate":5}"##,
                Command::TokenNew("ci", "ops,dev", Some(5)),
            ),
            (r#"{"action":"token","do":"list"}"#, Command::Tokens),
            (r#"{"action":"plain"}"#, Command::Set(Setting::Plain(true))),
            (r#"{"action":"color","scheme":"dark"}"#, Command::Set(Setting::Color(Color::Dark))),
            (r#"{"action":"help","about":"sendMessage"}"#, Command::Help),
            (r#"{"action":"help","about":"msg"}"#, Command::HelpOn(Verb::Whisper)),
        ] {
            assert_eq!(ask(line).command(), command, "{line}");
        }
    }

    #[test]
    fn small_servers_words_are_understood() {
        for (line, command) in [
            (
                r#"{"action":"createChannel","channelName":"dev","channelPassword":"s"}"#,
                Command::Join("dev", Some("s")),
            ),
            (r#"{"action":"JOIN_CHANNEL","channel_name":"dev"}"#, Command::Join("dev", None)),
            (r#"{"action":"leaveChannel","channelName":"dev"}"#, Command::Leave(Some("dev"))),
            (
                r#"{"action":"sendMessage","channelName":"dev","message":"hi"}"#,
                Command::SayIn("dev", "hi"),
            ),
            (
                r#"{"action":"sendMessage","memberName":"bob","message":"hi"}"#,
                Command::Whisper("bob", "hi"),
            ),
            (r#"{"action":"setName","memberName":"bob"}"#, Command::Nick("bob")),
            (r#"{"action":"listChannels"}"#, Command::Rooms),
        ] {
            assert_eq!(ask(line).command(), command, "{line}");
        }
        let joins = ask(r#"{"action":"joinChannel","channelName":"dev","memberName":"bob"}"#);
        assert_eq!(joins.name(), Some("bob"));
        assert_eq!(ask(r#"{"action":"nick","name":"bob"}"#).name(), None);
    }

    #[test]
    fn what_is_no_request_is_told_why() {
        let unknown = |typed: &str, meant| JsonFault::UnknownAction { typed: typed.into(), meant };
        let odd = |action, typed: &str| JsonFault::UnknownField { action, typed: typed.into() };
        for (line, expected) in [
            ("hello", JsonFault::NoObject),
            ("[1]", JsonFault::NoObject),
            (r#"{"action":"rooms"} {}"#, JsonFault::NoObject),
            ("{}", JsonFault::NoAction),
            (r#"{"action":5}"#, JsonFault::NoAction),
            (r#"{"action":"jion"}"#, unknown("jion", Some("join"))),
            (r#"{"action":"\u001b[2Jx\u202e"}"#, unknown("x", None)),
            (r#"{"action":"rooms","id":1.5}"#, JsonFault::Id),
            (r#"{"action":"join"}"#, missing("join", "room")),
            (r##"{"action":"join","room":"#"}"##, unfit("join", "room")),
            (r#"{"action":"join","room":"a\nb"}"#, unfit("join", "room")),
            (r#"{"action":"join","room":"a","channel":"b"}"#, unfit("join", "room")),
            (r#"{"action":"join","room":"a","passwrod":"b"}"#, odd("join", "passwrod")),
            (r#"{"action":"lock","room":"a","password":""}"#, missing("lock", "password")),
            (r#"{"action":"message","room":"dev"}"#, missing("message", "text")),
            (r#"{"action":"message","room":"","text":"x"}"#, unfit("message", "room")),
            (r#"{"action":"message","text":" \n"}"#, unfit("message", "text")),
            (r#"{"action":"message","text":"\u001b[2J"}"#, unfit("message", "text")),
            (r#"{"action":"message","nick":"b","text":"x\ny"}"#, unfit("message", "text")),
            (r#"{"action":"message","nick":"b","room":"c","text":"x"}"#, unfit("message", "nick")),
            (r#"{"action":"me","text":"x\ny"}"#, unfit("me", "text")),
            (r#"{"action":"quiet","on":"on"}"#, unfit("quiet", "on")),
            (r#"{"action":"time"}"#, missing("time", "on")),
            (r#"{"action":"time","on":true,"zone":"+01:00"}"#, unfit("time", "zone")),
            (r#"{"action":"time","zone":"+14:01"}"#, unfit("time", "zone")),
            (r#"{"action":"replay","lines":101}"#, unfit("replay", "lines")),
            (r#"{"action":"history","since":"yesterday"}"#, unfit("history", "since")),
            (r#"{"action":"history","lines":5,"before":7}"#, unfit("history", "before")),
            (r#"{"action":"search","words":"..."}"#, unfit("search", "words")),
            (r#"{"action":"show","line":0}"#, unfit("show", "line")),
            (r#"{"action":"token","do":"drop"}"#, missing("token", "name")),
            (
                r#"{"action":"token","do":"new","name":"a","rooms":["b,c"]}"#,
                unfit("token", "rooms"),
            ),
            (r#"{"action":"paste"}"#, missing("paste", "text")),
            (r#"{"action":"paste","text":"a","bytes":5}"#, unfit("paste", "bytes")),
            (r#"{"action":"help","about":"nonsense"}"#, unfit("help", "about")),
        ] {
            assert_eq!(fault(line), expected, "{line}");
        }
    }

    #[test]
    fn a_text_of_many_lines_is_a_block() {
        let block = |room: Option<&str>, text: &str| Ask::Block {
            room: room.map(str::to_owned),
            text: text.to_owned(),
        };
        for (line, expected) in [
            (r#"{"action":"message","text":"a\r\n\tb\u0007\n\n"}"#, block(None, "a\n b")),
            (r#"{"action":"message","room":"dev","text":"a\nb"}"#, block(Some("dev"), "a\nb")),
            (r#"{"action":"paste","room":"dev","text":"one"}"#, block(Some("dev"), "one")),
            (r#"{"action":"paste","bytes":7}"#, Ask::Sized { room: None, bytes: 7 }),
        ] {
            assert_eq!(ask(line), expected, "{line}");
        }
        let sized = ask(r#"{"action":"paste","room":"dev","bytes":7}"#);
        assert_eq!(sized.command(), Command::Paste(Some("dev")));
    }

    #[test]
    fn an_id_is_kept_whatever_is_wrong() {
        let id = |line: &str| match parse(line.as_bytes()) {
            Ok(request) => request.id,
            Err(bad) => bad.id,
        };
        let shown = |line| id(line).map(|id| id.json().to_owned());
        for (line, expected) in [
            (r#"{"id":7,"action":"rooms"}"#, Some("7")),
            (r#"{"id":-7,"action":"nonsense"}"#, Some("-7")),
            (r#"{"id":"a\"b\\","action":"join"}"#, Some(r#""a\"b\\""#)),
            (r#"{"id":null,"action":"rooms"}"#, None),
            (r#"{"id":"","action":"rooms"}"#, None),
            (r#"{"id":"é","action":"rooms"}"#, None),
            (r#"{"id":"a\nb","action":"rooms"}"#, None),
            (r#"{"id":123456789012345678901234567890,"action":"rooms"}"#, None),
            (r#"{"id":[],"action":"rooms"}"#, None),
        ] {
            assert_eq!(shown(line).as_deref(), expected, "{line}");
        }
        let longest = "x".repeat(64);
        assert!(id(&format!(r#"{{"id":"{longest}"}}"#)).is_some());
        assert!(id(&format!(r#"{{"id":"{longest}x"}}"#)).is_none());
    }

    /// Values of all kinds, many of which fit some field.
    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<String>().prop_map(Value::from),
            proptest::sample::select(vec!["dev", "#x", "2h", "+02:00", "dark", "new", "drop", ""])
                .prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (0..120_u64).prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            proptest::collection::vec("[a-z #,]{0,3}", 0..3).prop_map(Value::from),
            Just(Value::Null),
        ]
    }

    /// Any action with a choice of its own fields.
    fn object() -> impl Strategy<Value = Vec<u8>> {
        let values = proptest::collection::vec(proptest::option::of(value()), 4);
        (proptest::sample::select(ACTIONS), values).prop_map(|(action, values)| {
            let mut object = Map::from_iter([("action".to_owned(), Value::from(action.name))]);
            for (field, value) in action.fields.iter().zip(values) {
                object.extend(value.map(|value| (field.name.to_owned(), value)));
            }
            Value::Object(object).to_string().into_bytes()
        })
    }

    fn is_clean(text: &str) -> bool {
        text.split('\n').all(|line| clean(line.as_bytes()) == line)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn any_line_is_a_request_or_none(
            line in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                ".{0,40}".prop_map(String::into_bytes),
                object(),
            ],
        ) {
            if let Ok(Request { ask, .. }) = parse(&line) {
                ask.command();
                match &ask {
                    Ask::Block { text, .. } => prop_assert!(is_clean(text) && !is_blank(text)),
                    Ask::Sized { bytes, .. } => prop_assert!(*bytes > 0),
                    Ask::Command(given) => for (_, datum) in given.values() {
                        if let Datum::Text(text) = datum {
                            prop_assert!(is_clean(text) && !text.contains('\n'));
                        }
                    }
                }
            }
        }

        #[test]
        fn a_text_passes_whole(text in "[\\p{L}\\p{Nd}\\p{P}\\p{S}]{1,20}") {
            let line = serde_json::json!({"action": "message", "text": text}).to_string();
            let ask = ask(&line);
            prop_assert_eq!(ask.command(), Command::Say(&text));
        }
    }
}
