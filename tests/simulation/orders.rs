//! What operators type, drawn; and what others type who are none.

use serde_json::{Value, json};

use super::plan::MEMBERS;
use super::requests::Drawn;
use crate::world::rng::Rng;

const ADDRESSES: [&str; 14] = [
    "10.0.0.1",
    "10.0.0.2",
    "192.0.2.7",
    "10.0.0.0/31",
    "10.0.0.0/8",
    "127.0.0.1",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "2001:db8::2/128",
    "2001:db8:0:1::/64",
    "2001:db8::/32",
    "::/1",
    "::/0",
    "0.0.0.0/0",
];
const TIMES: [&str; 16] = [
    "", "", "", "2s ", "2s ", "30s ", "30s ", "5m ", "5m ", "2d ", "0s ", "1.5h ", "2weeks ",
    "5m5s ", "2nd ", "3 ",
];

/// A name that is somebody's from the start.
pub fn member(rng: &mut Rng) -> &'static str {
    rng.pick(&MEMBERS).0
}

fn name_and_password(rng: &mut Rng) -> (&'static str, &'static str) {
    if rng.one_in(2) { MEMBERS[0] } else { *rng.pick(&MEMBERS) }
}

/// The line with which somebody logs in.
pub fn login(rng: &mut Rng) -> String {
    let (name, password) = name_and_password(rng);
    let login = *rng.pick(&["/login", "/login", "/LOGIN"]);
    format!("{login} {name} {password}")
}

/// What ends what a line did.
pub fn undoing(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let undo = match words.next()? {
        "/ban" => "/unban",
        "/mute" => "/unmute",
        "/op" => "/deop",
        _ => return None,
    };
    let first = words.next()?;
    let is_place = first.starts_with(['#', '*']);
    let who = if is_place { words.next()? } else { "" };
    Some(format!("{undo} {first} {who}").trim_end().to_owned())
}

/// The same as a program asks it.
pub fn request(rng: &mut Rng, drawn: &Drawn<'_>) -> Value {
    let Drawn { whom: nick, room, words, .. } = *drawn;
    let mut request = match rng.below(16) {
        0..2 => json!({"action": "kick", "nick": nick}),
        2..4 => json!({"action": "ban", "nick": nick}),
        4 => json!({"action": "ban", "address": rng.pick(&ADDRESSES)}),
        5 => json!({"action": "ban"}),
        6 => json!({"action": "unban", "nick": nick}),
        7 => json!({"action": "unban", "address": rng.pick(&ADDRESSES)}),
        8 | 9 => json!({"action": "mute", "nick": nick}),
        10 => json!({"action": "mute"}),
        11 => json!({"action": "unmute", "nick": nick}),
        12 => json!({"action": rng.pick(&["op", "op", "deop"]), "nick": nick}),
        13 => json!({"action": "slow", "room": room, "seconds": rng.pick(&[0, 1, 30, 3_601])}),
        14 => json!({"action": "announce", "text": words}),
        _ => {
            let (name, password) = name_and_password(rng);
            return json!({"action": "login", "nick": name, "password": password});
        }
    };
    let action = request["action"].as_str().unwrap_or_default().to_owned();
    if action == "slow" || action == "announce" {
        return request;
    }
    let is_order = !matches!(&*action, "op" | "deop");
    match rng.below(6) {
        0 | 1 => {}
        2 if is_order => request["room"] = json!("*"),
        _ => request["room"] = json!(room),
    }
    let does = request.get("nick").or(request.get("address")).is_some();
    let has_why = matches!(&*action, "kick" | "ban" | "mute");
    if does && has_why && rng.one_in(2) {
        request["why"] = json!(words);
    }
    if does && has_why && action != "kick" && rng.one_in(2) {
        request["seconds"] = json!(rng.pick(&[1, 2, 30, 300, 0]));
    }
    request
}

/// Something that operators may do.
pub fn order(rng: &mut Rng, nick: &str, room: &str, words: &str) -> String {
    let place = match rng.below(8) {
        0..4 => String::new(),
        4..7 => format!("#{room} "),
        _ => "* ".to_owned(),
    };
    let at = if rng.one_in(5) { "@" } else { "" };
    let who = match rng.one_in(12) {
        true => (*rng.pick(&ADDRESSES)).to_owned(),
        false => format!("{at}{nick}"),
    };
    let why = if rng.one_in(2) { words } else { "" };
    let time = *rng.pick(&TIMES);
    match rng.below(34) {
        0..4 => format!("/kick {place}{who} {why}"),
        4..8 => format!("/ban {place}{who} {time}{why}"),
        8..10 => format!("/unban {place}{who}"),
        10..15 => format!("/mute {place}{who} {time}{why}"),
        15..17 => format!("/unmute {place}{who}"),
        17 => format!("/ban {place}"),
        18 => format!("/mute {place}"),
        19 => format!("/kick {place}"),
        20..23 => format!("/op {}{at}{nick}", place.replace('*', "")),
        23 => format!("/op {}", place.replace('*', "")),
        24 => format!("/deop {}{nick}", place.replace('*', "")),
        25..27 => {
            let seconds = *rng.pick(&["1", "2", "30", "3600", "3601", "0", "off", "x"]);
            format!("/slow {room} {seconds}")
        }
        27 => format!("/announce {words}"),
        28 | 32 | 33 => format!("/ban * {} {time}{why}", rng.pick(&ADDRESSES)),
        29 => format!("/unban * {}", rng.pick(&ADDRESSES)),
        30 => "/ban *".to_owned(),
        _ => login(rng),
    }
}
