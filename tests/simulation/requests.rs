//! What a program asks, drawn: what it can, under every name that it has, and what it cannot.

use serde_json::{Value, json};

use super::orders;
use crate::world::rng::Rng;

/// Names and words that were drawn before.
pub struct Drawn<'a> {
    /// A person's name, or what is none.
    pub nick: &'a str,
    /// The same, or a name that is somebody's from the start.
    pub whom: &'a str,
    /// A room's.
    pub room: &'a str,
    /// Some words.
    pub words: &'a str,
    /// Whether something may be asked for that a store looks up.
    pub may_look_up: bool,
    /// Whether receipts may be wanted.
    pub may_want_receipts: bool,
    /// Of how many requests one is an operator's; 0 for none.
    pub orders_in: usize,
}

/// No requests, and some that lack something, or have too much of it.
const WRONG: [&str; 14] = [
    "hello",
    "[]",
    "{}",
    "7",
    r#"{"action":"jion","id":1}"#,
    r#"{"action":7}"#,
    r#"{"id":1.5,"action":"rooms"}"#,
    r#"{"id":"","action":"rooms"}"#,
    r#"{"id":2,"action":"join"}"#,
    r#"{"id":3,"action":"quiet","on":"yes"}"#,
    r#"{"id":4,"action":"message","text":"  "}"#,
    r#"{"id":5,"action":"message","text":"x","nick":"bob","room":"dev"}"#,
    r#"{"id":6,"action":"paste"}"#,
    r#"{"id":7,"action":"rooms","room":"dev"}"#,
];

/// A line of a program.
pub fn request(rng: &mut Rng, drawn: &Drawn<'_>) -> String {
    if rng.one_in(15) {
        return (*rng.pick(&WRONG)).to_owned();
    }
    let is_order = drawn.orders_in > 0 && rng.one_in(drawn.orders_in);
    let mut request = if is_order { orders::request(rng, drawn) } else { said(rng, drawn) };
    match rng.below(4) {
        0 => {}
        1 => request["id"] = json!(format!("a{}", rng.below(100))),
        _ => request["id"] = json!(rng.below(1_000)),
    }
    request.to_string()
}

/// Saying something, coming and going.
fn said(rng: &mut Rng, drawn: &Drawn<'_>) -> Value {
    let Drawn { nick, whom, room, words, .. } = *drawn;
    match rng.below(24) {
        0..6 => json!({"action": "message", "text": words}),
        6..9 => json!({"action": "message", "room": room, "text": words}),
        9 => json!({"action": "sendMessage", "channelName": format!("#{room}"), "message": words}),
        10 => json!({"action": "message", "nick": whom, "text": words}),
        11 => json!({"action": "whisper", "memberName": format!("@{whom}"), "text": words}),
        12 => json!({"action": "message", "text": format!("{words}\n\n /{words}\n")}),
        13 => json!({"action": "paste", "room": room, "text": format!("{words}\n").repeat(7)}),
        14 => json!({"action": "me", "text": words}),
        15 | 16 => json!({"action": "join", "room": room}),
        17 => json!({"action": "join", "room": room, "password": "secret", "name": nick}),
        18 => json!({"action": "createChannel", "channelName": room, "channelPassword": ""}),
        19 => json!({"action": "leave", "room": room}),
        20 => json!({"action": "leave"}),
        _ => rare(rng, drawn),
    }
}

/// All the rest.
fn rare(rng: &mut Rng, drawn: &Drawn<'_>) -> Value {
    let Drawn { nick, whom, room, words, .. } = *drawn;
    let (is_on, id) = (rng.one_in(2), 1 + rng.below(60));
    match rng.below(28) {
        0 | 1 => json!({"action": "nick", "name": nick}),
        2 => json!({"action": "setName", "memberName": format!("{nick}*")}),
        3 => json!({"action": "who"}),
        4 => json!({"action": "who", "room": room}),
        5 => json!({"action": "who", "nick": whom}),
        6 => json!({"action": "rooms"}),
        7 => json!({"action": "topic"}),
        8 => json!({"action": "topic", "room": room}),
        9 => json!({"action": "topic", "room": room, "text": words}),
        10 => json!({"action": "topic", "text": ""}),
        11 => json!({"action": "ignore", "nick": whom}),
        12 => json!({"action": "unignore", "nick": whom}),
        13 => json!({"action": "ignore"}),
        14 => json!({"action": "away", "text": words}),
        15 => json!({"action": "away"}),
        16 => json!({"action": "quiet", "on": is_on}),
        17 => json!({"action": "time", "zone": "+05:30"}),
        18 => json!({"action": "time", "on": is_on}),
        19 => json!({"action": "replay", "lines": rng.below(5)}),
        20 => json!({"action": "emoji", "on": is_on}),
        21 => json!({"action": "ack", "on": is_on}),
        22 => json!({"action": "help", "about": "join"}),
        23 if drawn.may_want_receipts => json!({"action": "receipts", "on": is_on}),
        24 if drawn.may_look_up => json!({"action": "history", "room": room, "before": id}),
        25 if drawn.may_look_up => json!({"action": "history", "after": id}),
        26 if drawn.may_look_up => json!({"action": "show", "line": id}),
        27 if rng.one_in(3) => json!({"action": "quit"}),
        _ => json!({"action": "json"}),
    }
}
