//! What programs are told and may ask, against the schema and the tables of `protocol.md`.
//!
//! Promises: the schema takes every event that the server sends, knows each of its fields, and
//! takes a request exactly when the server does; the tables beside it list all there is.

#![allow(clippy::unwrap_used)]

#[path = "json/samples.rs"]
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chatline::chat::event::Event;
use chatline::wire::json::{ACTIONS, Action, FIELD_ALIASES, Kind, Need, TYPES};
use chatline::wire::json::{parse, render};
use chatline::wire::{Clock, Ends};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const CLOCK: Clock = Clock { unix: 1_772_625_600, zone_secs: 3_600 };

/// What `protocol.md` says about JSON.
fn chapter() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/protocol.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, chapter) = text.split_once("\n## JSON\n").expect("there is a chapter about JSON");
    chapter.split_once("\n## ").unwrap().0.to_owned()
}

fn schema() -> Value {
    let chapter = chapter();
    let (_, schema) = chapter.split_once("```json\n").expect("the chapter has a schema");
    serde_json::from_str(schema.split_once("```").unwrap().0).unwrap()
}

/// The validator of one half of the schema; of events a stricter one than what is published, so
/// that a field that nobody has described is found.
fn validator(half: &str) -> Validator {
    let mut schema = schema();
    schema["anyOf"] = json!([{"$ref": format!("#/$defs/{half}")}]);
    schema["$defs"]["event"]["unevaluatedProperties"] = json!(false);
    jsonschema::draft202012::new(&schema).unwrap()
}

/// The branches of one half, by the constant that each has in that field.
fn branches(schema: &Value, half: &str, field: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found = BTreeMap::<String, Vec<Value>>::new();
    for branch in schema["$defs"][half]["oneOf"].as_array().unwrap() {
        let name = branch["properties"][field]["const"].as_str().unwrap();
        found.entry(name.to_owned()).or_default().push(branch.clone());
    }
    found
}

fn rendered(event: &Event, ends: Ends) -> Value {
    let mut bytes = Vec::new();
    render(event, None, ends, CLOCK, &mut bytes);
    let line = String::from_utf8(bytes).unwrap();
    let end = if ends == Ends::Lf { "\n" } else { "\r\n" };
    let object = line.strip_suffix(end).unwrap();
    assert!(!object.contains(['\r', '\n']), "{object:?}");
    serde_json::from_str(object).unwrap()
}

/// The cells of each row of the tables, without those above the line.
fn rows(chapter: &str) -> Vec<Vec<&str>> {
    let tables = chapter.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    tables.map(|line| line[2..line.len() - 2].split(" |").map(str::trim).collect()).collect()
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn every_event_is_as_the_schema_says() {
    let events = validator("event");
    let mut seen = BTreeSet::new();
    for event in samples::events() {
        let line = rendered(&event, Ends::Lf);
        assert_eq!(line, rendered(&event, Ends::CrLf));
        let errors: Vec<String> = events.iter_errors(&line).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{line}\n{}", errors.join("\n"));
        if line["type"] != "ok" {
            let text = line["text"].as_str().unwrap();
            assert!(!text.is_empty() && !text.starts_with(['*', '!']), "{line}");
        }
        seen.insert(line["type"].as_str().unwrap().to_owned());
    }
    let types: BTreeSet<String> = TYPES.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(seen, types, "there is a sample of each");
    let chapter = chapter();
    let listed: BTreeSet<String> = rows(&chapter)
        .iter()
        .map(|row| row[0].to_owned())
        .filter(|it| types.contains(it))
        .collect();
    assert_eq!(listed, types, "each has a row");
    let known: BTreeSet<String> = branches(&schema(), "event", "type").into_keys().collect();
    assert_eq!(known, types, "the schema has all of them and no other");
}

#[test]
fn an_answer_repeats_the_id() {
    let events = validator("event");
    for given in [json!(7), json!(-1), json!("a \"b\"")] {
        let line = json!({"id": given, "action": "rooms"}).to_string();
        let id = parse(line.as_bytes()).unwrap().id;
        let mut bytes = Vec::new();
        render(&Event::Here, id.as_ref(), Ends::Lf, CLOCK, &mut bytes);
        render(&Event::Taken { number: 1 }, id.as_ref(), Ends::Lf, CLOCK, &mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line["re"] == given));
        assert!(lines.iter().all(|line| events.is_valid(line)), "{text}");
        assert_eq!(lines[1]["type"], "ok");
    }
    let mut bytes = Vec::new();
    render(&Event::Taken { number: 1 }, None, Ends::CrLf, CLOCK, &mut bytes);
    assert_eq!(bytes, b"{\"type\":\"ok\"}\r\n");
}

#[test]
fn a_message_stands_in_its_order() {
    let [said, acted] = [0, 1].map(|at| {
        let is_message = |event: &&Event| matches!(event, Event::Said { .. } | Event::Acted { .. });
        let events = samples::events();
        let mut bytes = Vec::new();
        let event = events.iter().filter(is_message).nth(at).unwrap();
        render(event, None, Ends::Lf, CLOCK, &mut bytes);
        String::from_utf8(bytes).unwrap()
    });
    assert_eq!(
        said,
        "{\"type\":\"message\",\"id\":1,\"time\":\"2026-03-04T12:00:00Z\",\"room\":\"dev\",\
         \"from\":\"bob\",\"text\":\"hi \u{1F44B} \\\\ there\"}\n"
    );
    assert!(acted.contains(r#""from":"bob","me":true,"text":"#), "{acted}");
}

#[test]
fn every_request_of_the_table_is_one() {
    let requests = validator("request");
    let chapter = chapter();
    let mut seen = BTreeSet::new();
    for row in rows(&chapter).iter().filter(|row| row[0].starts_with("`{")) {
        let line = row[0].trim_matches('`');
        let request = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = requests.iter_errors(&request).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{line}\n{}", errors.join("\n"));
        assert!(parse(line.as_bytes()).is_ok(), "{line}");
        seen.insert(request["action"].as_str().unwrap().to_owned());
    }
    let actions: BTreeSet<String> = ACTIONS.iter().map(|action| action.name.to_owned()).collect();
    assert_eq!(seen, actions, "each has a row");
}

#[test]
fn the_schema_has_the_fields_of_each_action() {
    let schema = schema();
    let branches = branches(&schema, "request", "action");
    assert_eq!(branches.len(), ACTIONS.len());
    for action in ACTIONS {
        let branches = &branches[action.name];
        let mut fields = BTreeSet::new();
        for branch in branches {
            fields.extend(branch["properties"].as_object().unwrap().keys().cloned());
            let required = branch["required"].as_array().cloned().unwrap_or_default();
            let required: BTreeSet<&str> = required.iter().map(|it| it.as_str().unwrap()).collect();
            let must = action.fields.iter().filter(|field| field.need == Need::Must);
            let must: BTreeSet<&str> = must.map(|field| field.name).collect();
            let is_same = if branches.len() == 1 { required == must } else { required >= must };
            assert!(is_same, "{}: {required:?}", action.name);
        }
        fields.remove("action");
        let known: BTreeSet<String> =
            action.fields.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(fields, known, "{}", action.name);
    }
}

#[test]
fn every_other_name_is_listed() {
    let mut unseen: BTreeSet<&str> = ACTIONS.iter().flat_map(|it| it.aliases).copied().collect();
    let mut unseen_fields: BTreeSet<&str> = FIELD_ALIASES.iter().map(|(alias, _)| *alias).collect();
    for row in rows(&chapter()) {
        for name in row[0].split(", ").filter(|_| row.len() == 3) {
            match row[1] {
                "action" => {
                    let action = Action::named(name).unwrap_or_else(|| panic!("{name}"));
                    assert_eq!(action.name, row[2], "{name}");
                    unseen.remove(name.to_lowercase().as_str());
                }
                "field" => {
                    let alias = name.to_lowercase();
                    let (_, names) = FIELD_ALIASES.iter().find(|(it, _)| *it == alias).unwrap();
                    assert_eq!(names.join(" or "), row[2], "{name}");
                    unseen_fields.remove(alias.as_str());
                }
                _ => {}
            }
        }
    }
    assert!(unseen.is_empty() && unseen_fields.is_empty(), "{unseen:?} {unseen_fields:?}");
}

/// Values for a field: what it may be first, then what it may not.
fn values(kind: Kind) -> (Vec<Value>, Vec<Value>) {
    let (good, bad): (Vec<Value>, Vec<Value>) = match kind {
        Kind::Name | Kind::NameWith(_) => {
            (vec![json!("dev"), json!("#ops"), json!("@bob")], vec![json!(""), json!("#")])
        }
        Kind::Secret => (vec![json!("open sesame")], vec![json!("a\nb")]),
        Kind::Note => (vec![json!("on fire"), json!("")], vec![json!("a\nb")]),
        Kind::Text => (vec![json!("hi"), json!(" /hi ")], vec![json!(" "), json!("a\nb")]),
        Kind::Lines => (vec![json!("hi"), json!("a\nb")], vec![json!(" "), json!("\n\n")]),
        Kind::Switch => (vec![json!(true), json!(false)], vec![json!("on"), json!(1)]),
        Kind::Number { least, most } => {
            let mut bad = vec![json!(-1), json!(1.5), json!("5")];
            bad.extend(least.checked_sub(1).map(Value::from));
            bad.extend(most.checked_add(1).map(Value::from));
            (vec![json!(least), json!(most)], bad)
        }
        Kind::Since => {
            let good = ["2h", "9:05", "12:30:01", "2026-11-21", "2026-11-21 9:05"];
            let mut good = good.map(Value::from).to_vec();
            good.push(json!("2026-11-21T09:05:00Z"));
            (good, vec![json!("yesterday"), json!("2 h"), json!("2026-11-21T09:05")])
        }
        Kind::Zone => {
            (vec![json!("+02:00"), json!("-14:00")], vec![json!("+14:01"), json!("02:00")])
        }
        Kind::Word(words) => {
            (words.iter().copied().map(Value::from).collect(), vec![json!("x"), json!(true)])
        }
        Kind::Names => (
            vec![json!(["ops", "#dev"]), json!([])],
            vec![json!("ops"), json!(["a,b"]), json!([1])],
        ),
    };
    (good, [bad, vec![json!({}), json!([[]])]].concat())
}

/// A request of some action with some of its fields, most of which are what they may be.
fn request() -> impl Strategy<Value = Value> {
    let choice = (any::<prop::sample::Index>(), 0..20_u8);
    let choices = proptest::collection::vec(proptest::option::weighted(0.7, choice), 5);
    (proptest::sample::select(ACTIONS), choices).prop_map(|(action, choices)| {
        let mut request = Map::from_iter([("action".to_owned(), json!(action.name))]);
        for (field, choice) in action.fields.iter().zip(&choices) {
            let Some((index, luck)) = choice else { continue };
            let (good, bad) = values(field.kind);
            let value = if *luck > 0 { index.get(&good) } else { index.get(&bad) };
            // What `help` is about must be an action, which is not for a schema to say.
            let value = if field.name == "about" { &json!("join") } else { value };
            request.insert(field.name.to_owned(), value.clone());
        }
        if let Some(Some((_, 1))) = choices.last() {
            request.insert("odd".to_owned(), json!("field"));
        }
        Value::Object(request)
    })
}

thread_local! {
    static REQUESTS: Validator = validator("request");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_schema_takes_what_the_server_takes(request in request()) {
        let parsed = parse(request.to_string().as_bytes());
        let is_valid = REQUESTS.with(|requests| requests.is_valid(&request));
        prop_assert_eq!(parsed.is_ok(), is_valid, "{}", request);
    }

    #[test]
    fn any_text_comes_out_as_it_went_in(id in 1_u64.., text in "\\PC{0,40}|.{0,40}") {
        let (room, nick) = (samples::room("dev"), samples::nick("bob"));
        let event = Event::Said { id, room, nick, text: Rc::from(text.as_str()) };
        let line = rendered(&event, Ends::CrLf);
        prop_assert_eq!(line["text"].as_str(), Some(text.as_str()));
        prop_assert_eq!(line["id"].as_u64(), Some(id));
    }
}
