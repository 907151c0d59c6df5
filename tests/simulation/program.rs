//! What a program sees, as lines: each object that came becomes what a person would have seen, so
//! that both are compared alike.
//!
//! What answers a request begins with the request's id and `> `; what was said in a room with the
//! line's id, and a block is one line, `⏎` between those that it is of.

use serde_json::{Map, Value};

/// Reasons for which somebody is put out, and is told so as a refusal.
const REFUSALS: [&str; 3] = ["no-name", "kicked", "banned"];

/// The stream with each object of JSON as lines; what is none stays.
pub fn as_lines(seen: &[u8]) -> Result<Vec<u8>, String> {
    let (mut out, mut rest) = (Vec::new(), seen);
    while let Some(first) = rest.first() {
        // Telnet's answers stand between the lines.
        let length = match first {
            0xFF => 3.min(rest.len()),
            _ => rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1),
        };
        let (line, behind) = rest.split_at(length);
        rest = behind;
        if *first != b'{' {
            out.extend_from_slice(line);
            continue;
        }
        let object = serde_json::from_slice(line).map_err(|error| format!("{error} in a line"))?;
        let end = if line.ends_with(b"\r\n") { "\r\n" } else { "\n" };
        for line in lines_of(&object)? {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(end.as_bytes());
        }
    }
    Ok(out)
}

fn lines_of(object: &Map<String, Value>) -> Result<Vec<String>, String> {
    let field = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or("?");
    let (from, room, text) = (field("from"), field("room"), field("text"));
    let lines = match field("type") {
        "ok" => vec!["ok".to_owned()],
        "message" => {
            let id = object.get("id").and_then(Value::as_u64).ok_or("a message has no id")?;
            let text = text.replace('\n', "⏎");
            vec![match object.contains_key("me") {
                true => format!("{id} #{room} * {from} {text}"),
                false => format!("{id} #{room} {from}: {text}"),
            }]
        }
        "direct" => vec![format!("@{from}: {text}")],
        "refused" => vec![format!("! {} {text}", field("code"))],
        "bye" if REFUSALS.contains(&field("reason")) => {
            vec![format!("! {} {text}", field("reason"))]
        }
        "came" => vec![format!("* #{room}: {from} came")],
        "left" => vec![format!("* #{room}: {from} left")],
        "gone" => vec![format!("* {from} left")],
        "renamed" => vec![format!("* {from} is now {}", field("nick"))],
        "?" => return Err("an object has no type".to_owned()),
        _ => text.lines().map(|line| format!("* {line}")).collect(),
    };
    let stamp = object.get("re").map_or(String::new(), |re| format!("{re}> "));
    Ok(lines.into_iter().map(|line| stamp.clone() + &line).collect())
}
