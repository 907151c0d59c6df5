//! What chatline does beside serving, with what is kept: export, invite, backup, forget.
//!
//! Promises: what is asked for is written to the given sink and nothing else is; a reader that goes
//! away early (`| head`) is no failure; a failure is one sentence without its end. Deliberately
//! starts no server.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::chat::Now;
use crate::chat::kept::KeptLine;
use crate::config::{Format, Task};
use crate::store;
use crate::wire::Clock;

const DAY_SECS: i64 = 86_400;

/// Does it.
///
/// # Errors
/// One sentence without its end.
pub fn run(task: &Task, data: &Path, out: &mut dyn Write) -> Result<(), String> {
    match task {
        Task::Export { room, since, format } => {
            let now = now();
            let since = since.map(|since| since.unix(now));
            let room = room.strip_prefix('#').unwrap_or(room);
            let mut has_left = false;
            let mut write = |line: &KeptLine| {
                let line = written(line, room, *format, now.zone_secs);
                let written = writeln!(out, "{line}");
                has_left = matches!(&written, Err(error) if error.kind() == ErrorKind::BrokenPipe);
                written
            };
            let exported = store::export(data, room, since, &mut write);
            if has_left { Ok(()) } else { exported.map(|_| ()) }
        }
        Task::Invite { days, count } => {
            let now = now().unix;
            let end = now + i64::from(*days) * DAY_SECS;
            let codes = store::invite(data, *count, now, end)?;
            let written = writeln!(out, "{}", codes.join("\n"));
            written.map_err(|error| format!("cannot write the codes: {error}"))
        }
        Task::Backup { file } => store::backup(data, file),
        Task::Forget { nick } => {
            let forgotten = store::forget(data, nick)?;
            let account = match (forgotten.had_account, forgotten.tokens) {
                (false, _) => String::new(),
                (true, 0) => "the account, ".to_owned(),
                (true, 1) => "the account and its token, ".to_owned(),
                (true, tokens) => format!("the account and its {tokens} tokens, "),
            };
            let (lines, directs) = (forgotten.lines, forgotten.directs);
            let told = format!("forgot {account}{lines} lines and {directs} direct messages");
            let _: io::Result<()> = writeln!(out, "{told}");
            Ok(())
        }
    }
}

/// What is to be said to a person, apart from what was asked for, when it is done.
pub fn advice(task: &Task) -> Option<String> {
    let Task::Invite { days, .. } = task else { return None };
    let days = if *days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    Some(format!(
        "each code is good for one account, and for {days}: who has one connects, types a name, \
         and then /register CODE PASSWORD"
    ))
}

fn written(line: &KeptLine, room: &str, format: Format, zone_secs: i32) -> String {
    let KeptLine { id, unix, nick, is_action, text, .. } = line;
    match format {
        Format::Text => {
            let when = Clock { unix: *unix, zone_secs }.show_with_day(*unix);
            let said = if *is_action { format!("* {nick}") } else { format!("{nick}:") };
            // What is not the first line of a message cannot be taken for another message.
            let text = text.replace('\n', "\n| ");
            format!("{id} {when} {said} {text}")
        }
        Format::Json => {
            let time = Timestamp::from_second(*unix).unwrap_or_default().to_string();
            json!({
                "id": id, "time": time, "room": room, "from": nick, "action": is_action,
                "text": text,
            })
            .to_string()
        }
    }
}

fn now() -> Now {
    let wall = Timestamp::now();
    let zone_secs = TimeZone::system().to_offset(wall).seconds();
    Now { mono: Duration::ZERO, unix: wall.as_second(), zone_secs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_for_people_and_for_programs() {
        let line = |is_action| KeptLine {
            id: 7,
            unix: 1_772_625_600,
            nick: "zoë".into(),
            is_action,
            text: "a \"quote\"".into(),
            more: 0,
        };
        let text = |is_action| written(&line(is_action), "dev", Format::Text, 3_600);
        assert_eq!(text(false), "7 2026-03-04 13:00:00 zoë: a \"quote\"");
        assert_eq!(text(true), "7 2026-03-04 13:00:00 * zoë a \"quote\"");
        let block = KeptLine { text: "one\n8 2026-03-04 13:00:00 bob: two".into(), ..line(false) };
        assert_eq!(
            written(&block, "dev", Format::Text, 3_600),
            "7 2026-03-04 13:00:00 zoë: one\n| 8 2026-03-04 13:00:00 bob: two"
        );
        let json: serde_json::Value =
            serde_json::from_str(&written(&line(true), "dev", Format::Json, 3_600))
                .unwrap_or_default();
        assert_eq!(json["time"], "2026-03-04T12:00:00Z");
        assert_eq!((&json["text"], &json["action"]), (&json!("a \"quote\""), &json!(true)));
    }
}
