//! Requests of programs, as the oracle reads them: what each asks, and how it is answered.

use serde_json::{Map, Value};

use super::super::ask::{Ask, Code, Kind, Order, Span, Where};
use super::super::told::What;
use super::{ConnNo, Model, Stage};

/// A request that can be obeyed.
enum Request<'a> {
    Ask(Ask<'a>),
    /// Before it a name, if there is none yet.
    Join(Ask<'a>, &'a str),
    Lines(Option<&'a str>, &'a str),
    /// Nothing but to say so.
    Json,
}

impl Model {
    /// Does what a line of a program asks, and answers it.
    pub(super) fn obey_json(&mut self, no: ConnNo, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if line.trim().eq_ignore_ascii_case("quit") {
            self.note_directs_seen(no);
            return self.answer_named(no, Ask::Quit);
        }
        let object: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
        let id = object.get("id").filter(|id| is_id(id));
        self.conns[no].is_refused = false;
        self.answering = id.map(|id| (no, format!("{id}> ")));
        if object.contains_key("id") && id.is_none() {
            self.tell(no, What::Refused("bad-json"));
        } else {
            match asked(&object) {
                Err(code) => self.tell(no, What::Refused(code)),
                Ok(request) => self.obey_request(no, request),
            }
        }
        let conn = &self.conns[no];
        if !conn.is_refused && conn.stage == Stage::Talking {
            self.line(no, "ok");
        }
        self.answering = None;
    }

    fn obey_request(&mut self, no: ConnNo, request: Request<'_>) {
        self.conns[no].typed_at = self.mono;
        self.note_directs_seen(no);
        self.note_seen(no);
        match request {
            Request::Json => self.words(no, &["speaks JSON"]),
            Request::Ask(asked) => self.answer_named(no, asked),
            Request::Join(asked, name) => {
                if self.conns[no].nick.is_none() {
                    self.answer_named(no, Ask::Nick(name));
                    // What is refused has no effect.
                    if self.conns[no].nick.is_none() {
                        return;
                    }
                }
                self.answer_named(no, asked);
            }
            Request::Lines(room, text) => {
                self.name_guest(no);
                let lines = text.split('\n').map(str::to_owned).collect();
                let said = self.room_or_current(no, room).and_then(|room| {
                    self.may_speak(no, room)?;
                    self.say_lines(no, room, lines)
                });
                if let Err(code) = said {
                    self.tell(no, What::Refused(code));
                }
            }
        }
    }

    fn answer_named(&mut self, no: ConnNo, asked: Ask<'_>) {
        if !asked.needs_no_name() {
            self.name_guest(no);
        }
        self.answer(no, asked);
    }
}

fn is_id(id: &Value) -> bool {
    id.is_u64() || id.as_str().is_some_and(|id| (1..=64).contains(&id.len()))
}

/// What the other names of actions and fields are.
fn plain(word: &str) -> &str {
    match word {
        "sendMessage" => "message",
        "createChannel" => "join",
        "setName" => "nick",
        other => other,
    }
}

/// What a request asks, or with which code it is refused. Of what is wrong it knows what is drawn.
fn asked(object: &Map<String, Value>) -> Result<Request<'_>, Code> {
    let word = object.get("action").and_then(Value::as_str).ok_or("bad-json")?;
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| object.get(*name));
        found.and_then(Value::as_str).filter(|text| !text.is_empty())
    };
    let name = |names: &[&str]| {
        text(names).map(str::trim).map(|name| name.strip_prefix(['#', '@']).unwrap_or(name))
    };
    let (room, nick) = (name(&["room", "channelName"]), name(&["nick", "memberName", "name"]));
    let words = text(&["text", "message"]);
    let said = words.filter(|text| !text.trim().is_empty());
    let is_on = object.get("on").and_then(Value::as_bool);
    let number = |name: &str| object.get(name).and_then(Value::as_u64);
    let usage: Code = "usage";
    Ok(Request::Ask(match plain(word) {
        "message" => match (said.ok_or(usage)?, room, nick) {
            (_, Some(_), Some(_)) => return Err(usage),
            (text, room, None) if text.trim_end_matches('\n').contains('\n') => {
                return Ok(Request::Lines(room, text.trim_end_matches('\n')));
            }
            (text, _, Some(nick)) => Ask::Whisper(nick, text),
            (text, Some(room), None) => Ask::SayIn(room, text),
            (text, None, None) => Ask::Say(text),
        },
        "paste" => {
            return Ok(Request::Lines(room, said.ok_or(usage)?.trim_end_matches('\n')));
        }
        "whisper" => Ask::Whisper(nick.ok_or(usage)?, said.ok_or(usage)?),
        "me" => Ask::Me(said.ok_or(usage)?),
        "join" => {
            let password = text(&["password", "channelPassword"]);
            let join = Ask::Join(room.ok_or(usage)?, password);
            match nick {
                Some(nick) => return Ok(Request::Join(join, nick)),
                None => join,
            }
        }
        "leave" => Ask::Leave(room),
        "nick" => Ask::Nick(nick.ok_or(usage)?),
        "who" if nick.is_some() => Ask::WhoIs(nick.ok_or(usage)?),
        "who" => room.map_or(Ask::Who(None), Ask::WhoIn),
        "rooms" if room.is_some() => return Err(usage),
        "rooms" => Ask::Rooms,
        "topic" if object.contains_key("text") => Ask::SetTopic(room, words.map(str::trim)),
        "topic" => Ask::Topic(room),
        "ignore" => nick.map_or(Ask::Ignores, Ask::Ignore),
        "unignore" => Ask::Unignore(nick.ok_or(usage)?),
        "away" => Ask::Away(words.map(str::trim)),
        "quiet" => Ask::Quiet(is_on.ok_or(usage)?),
        "time" if object.contains_key("zone") => Ask::Time(Some(19_800)),
        "time" => Ask::Time(is_on.ok_or(usage)?.then_some(0)),
        "replay" => Ask::Replay(number("lines").ok_or(usage)? as usize),
        "emoji" => Ask::Emoji(is_on.ok_or(usage)?),
        "ack" => Ask::Ack(is_on.ok_or(usage)?),
        "receipts" => Ask::Receipts(is_on.ok_or(usage)?),
        "help" => Ask::HelpOn("join"),
        "history" => {
            let before = number("before").map(Span::Before);
            let span = before.or(number("after").map(Span::After));
            Ask::History(room, span.unwrap_or(Span::Last(20)))
        }
        "show" => Ask::Show(number("line").ok_or(usage)?),
        "json" => return Ok(Request::Json),
        "quit" => Ask::Quit,
        _ => order(word, room, nick, object)?,
    }))
}

/// What only some may ask.
fn order<'a>(
    word: &str,
    room: Option<&'a str>,
    nick: Option<&'a str>,
    object: &'a Map<String, Value>,
) -> Result<Ask<'a>, Code> {
    let text = |name: &str| {
        let text = object.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let (usage, seconds): (Code, _) = ("usage", object.get("seconds").and_then(Value::as_i64));
    Ok(match word {
        "login" => Ask::Login(nick.ok_or(usage)?, text("password").unwrap_or_default()),
        "op" if nick.is_none() => Ask::Operators(room),
        "op" | "deop" => Ask::SetOperator(room, nick.ok_or(usage)?, word == "op"),
        "slow" => {
            let seconds = seconds.and_then(|seconds| seconds.try_into().ok());
            let seconds = seconds.filter(|seconds| *seconds <= 3_600).ok_or(usage)?;
            Ask::Slow(room.ok_or(usage)?, seconds)
        }
        "announce" => Ask::Announce(text("text").ok_or(usage)?.trim()),
        "kick" | "ban" | "unban" | "mute" | "unmute" => {
            if seconds == Some(0) {
                return Err(usage);
            }
            let place = match room {
                None => Where::Here,
                Some("*") => Where::Everywhere,
                Some(room) => Where::Room(room),
            };
            let kind = if word.ends_with("ban") { Kind::Ban } else { Kind::Mute };
            let order = match (word, nick.or(text("address"))) {
                ("kick", who) => Order::Kick(who.ok_or(usage)?, text("why")),
                ("unban" | "unmute", who) => Order::Allow(kind, who.ok_or(usage)?),
                (_, Some(who)) => Order::Forbid(kind, who, seconds, text("why")),
                (_, None) => Order::List(kind),
            };
            Ask::Moderate(place, order)
        }
        _ => return Err("bad-json"),
    })
}
