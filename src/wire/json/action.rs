//! What a program may ask: the one table of actions and their fields.
//!
//! Promises: each command of `chat::command` has an action, by its own name; the parser, what a
//! refusal says an action takes, and the schema in `protocol.md` (by a test) all follow this table.
//! Deliberately reads no JSON: `request` does.

use crate::chat::command::{RATE_MAX, REPLAY_LINES_MAX, SPAN_SECS_MAX, Verb};
use crate::chat::recall::HISTORY_LINES_MAX;
use crate::chat::slow::SLOW_SECS_MAX;

/// Something that a program may ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// The command that it is; `None` for saying something.
    pub verb: Option<Verb>,
    /// What else it may be called, in lower case and without hyphens.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub fields: &'static [Field],
}

/// A field of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What may stand in it.
    pub kind: Kind,
    /// Whether it must be there.
    pub need: Need,
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A name, with its sign or without.
    Name,
    /// A name that is handed on with that sign before it.
    NameWith(char),
    /// One line, without the blanks around it; an empty one is none.
    Secret,
    /// One line, without the blanks around it; it may be empty.
    Note,
    /// One line with something to be seen in it.
    Text,
    /// The same, of as many lines as it has.
    Lines,
    /// True or false.
    Switch,
    /// A whole number.
    Number {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A time that has been, as `Since::parse` knows it.
    Since,
    /// How far ahead of UTC it is: `+HH:MM` or `-HH:MM`.
    Zone,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of names.
    Names,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Yes.
    Must,
    /// No.
    May,
    /// It, or another one of the action that is marked so, and no two of them.
    OneOf,
    /// The same, or none.
    AtMostOne,
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::Must }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::May }
}

const fn one_of(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::OneOf }
}

const fn at_most_one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::AtMostOne }
}

const fn action(
    verb: Verb,
    name: &'static str,
    aliases: &'static [&'static str],
    fields: &'static [Field],
) -> Action {
    Action { name, verb: Some(verb), aliases, fields }
}

const fn number(least: u64, most: u64) -> Kind {
    Kind::Number { least, most }
}

const ROOM: Field = must("room", Kind::Name);
const ANY_ROOM: Field = may("room", Kind::Name);
const NICK: Field = must("nick", Kind::Name);
const PASSWORD: Field = must("password", Kind::Secret);
const ON: Field = must("on", Kind::Switch);
const WHY: Field = may("why", Kind::Note);
const MAY_ON: Field = may("on", Kind::Switch);

/// All of them: saying something, then the commands in the order of theirs.
#[rustfmt::skip]
pub const ACTIONS: &[Action] = &[
    Action {
        name: "message",
        verb: None,
        aliases: &["sendmessage", "send", "say"],
        fields: &[
            at_most_one("room", Kind::Name),
            at_most_one("nick", Kind::Name),
            must("text", Kind::Lines),
        ],
    },
    action(Verb::Join, "join", &["joinchannel", "createchannel", "joinroom", "createroom"], &[
        ROOM,
        may("password", Kind::Secret),
        may("name", Kind::Name),
    ]),
    action(Verb::Leave, "leave", &["leavechannel", "leaveroom"], &[ANY_ROOM]),
    action(Verb::Who, "who", &["listmembers", "listusers"], &[
        at_most_one("room", Kind::NameWith('#')),
        at_most_one("nick", Kind::NameWith('@')),
    ]),
    action(Verb::Rooms, "rooms", &["listchannels", "listrooms"], &[]),
    action(Verb::Nick, "nick", &["setname", "changename"], &[must("name", Kind::Name)]),
    action(Verb::Topic, "topic", &["settopic"], &[ANY_ROOM, may("text", Kind::Note)]),
    action(Verb::Me, "me", &[], &[must("text", Kind::Text)]),
    action(Verb::Whisper, "whisper", &["msg", "directmessage", "privatemessage"], &[
        NICK,
        must("text", Kind::Text),
    ]),
    action(Verb::Ignore, "ignore", &[], &[may("nick", Kind::Name)]),
    action(Verb::Unignore, "unignore", &[], &[NICK]),
    action(Verb::Away, "away", &[], &[may("text", Kind::Note)]),
    action(Verb::Quiet, "quiet", &[], &[ON]),
    action(Verb::Time, "time", &[], &[one_of("on", Kind::Switch), one_of("zone", Kind::Zone)]),
    action(Verb::Replay, "replay", &[], &[must("lines", number(0, REPLAY_LINES_MAX as u64))]),
    action(Verb::History, "history", &["gethistory", "getmessages"], &[
        ANY_ROOM,
        at_most_one("lines", number(1, HISTORY_LINES_MAX as u64)),
        at_most_one("since", Kind::Since),
        at_most_one("before", number(1, u64::MAX)),
        at_most_one("after", number(0, u64::MAX)),
    ]),
    action(Verb::Search, "search", &[], &[
        must("words", Kind::Text),
        ANY_ROOM,
        may("by", Kind::Name),
    ]),
    action(Verb::Register, "register", &[], &[may("code", Kind::Secret), PASSWORD]),
    action(Verb::Login, "login", &[], &[NICK, may("password", Kind::Secret)]),
    action(Verb::Password, "password", &["changepassword"], &[
        must("old", Kind::Secret),
        must("new", Kind::Secret),
    ]),
    action(Verb::Unregister, "unregister", &[], &[PASSWORD]),
    action(Verb::Lock, "lock", &["lockchannel", "lockroom"], &[ROOM, PASSWORD]),
    action(Verb::Unlock, "unlock", &["unlockchannel", "unlockroom"], &[ROOM]),
    action(Verb::Close, "close", &["deletechannel", "closeroom"], &[ROOM]),
    action(Verb::Op, "op", &[], &[ANY_ROOM, may("nick", Kind::Name)]),
    action(Verb::Deop, "deop", &[], &[ANY_ROOM, NICK]),
    action(Verb::Slow, "slow", &[], &[ROOM, must("seconds", number(0, SLOW_SECS_MAX as u64))]),
    action(Verb::Announce, "announce", &[], &[must("text", Kind::Text)]),
    action(Verb::Kick, "kick", &[], &[ANY_ROOM, NICK, WHY]),
    action(Verb::Ban, "ban", &[], &[
        ANY_ROOM,
        at_most_one("nick", Kind::NameWith('@')),
        at_most_one("address", Kind::Name),
        may("seconds", number(1, SPAN_SECS_MAX as u64)),
        WHY,
    ]),
    action(Verb::Unban, "unban", &[], &[
        ANY_ROOM,
        one_of("nick", Kind::NameWith('@')),
        one_of("address", Kind::Name),
    ]),
    action(Verb::Mute, "mute", &[], &[
        ANY_ROOM,
        may("nick", Kind::NameWith('@')),
        may("seconds", number(1, SPAN_SECS_MAX as u64)),
        WHY,
    ]),
    action(Verb::Unmute, "unmute", &[], &[ANY_ROOM, must("nick", Kind::NameWith('@'))]),
    action(Verb::Token, "token", &[], &[
        must("do", Kind::Word(&["new", "list", "drop"])),
        may("name", Kind::Name),
        may("rooms", Kind::Names),
        may("rate", number(1, RATE_MAX as u64)),
    ]),
    action(Verb::Paste, "paste", &[], &[
        ANY_ROOM,
        one_of("text", Kind::Lines),
        one_of("bytes", number(1, u64::MAX)),
    ]),
    action(Verb::Show, "show", &[], &[must("line", number(1, u64::MAX))]),
    action(Verb::Tty, "tty", &[], &[MAY_ON]),
    action(Verb::Telnet, "telnet", &[], &[]),
    action(Verb::Color, "color", &["colour"], &[
        one_of("on", Kind::Switch),
        one_of("scheme", Kind::Word(&["dark", "light"])),
    ]),
    action(Verb::Bell, "bell", &[], &[ON]),
    action(Verb::Plain, "plain", &[], &[MAY_ON]),
    action(Verb::Emoji, "emoji", &[], &[ON]),
    action(Verb::Typing, "typing", &[], &[ON]),
    action(Verb::Receipts, "receipts", &[], &[ON]),
    action(Verb::Json, "json", &[], &[]),
    action(Verb::Ack, "ack", &[], &[ON]),
    action(Verb::Help, "help", &[], &[may("about", Kind::Name)]),
    action(Verb::Quit, "quit", &["exit"], &[]),
];

/// What fields may be called too, in lower case and without hyphens, and what they are then: the
/// first of these that the action has.
pub const FIELD_ALIASES: &[(&str, &[&str])] = &[
    ("channel", &["room"]),
    ("channelname", &["room"]),
    ("roomname", &["room"]),
    ("channelpassword", &["password"]),
    ("roompassword", &["password"]),
    ("member", &["nick", "name"]),
    ("membername", &["nick", "name"]),
    ("message", &["text"]),
    ("oldpassword", &["old"]),
    ("newpassword", &["new"]),
];

/// A word as it compares: in lower case, without hyphens and low lines.
fn folded(word: &str) -> String {
    let letters = word.chars().filter(|c| !matches!(c, '-' | '_'));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

impl Action {
    /// The action of that name.
    pub fn named(word: &str) -> Option<&'static Action> {
        let word = folded(word);
        let is_it = |action: &&Action| action.name == word || action.aliases.contains(&&*word);
        ACTIONS.iter().find(is_it)
    }

    /// The action that a command is.
    pub fn of(verb: Verb) -> &'static Action {
        let action = ACTIONS.iter().find(|action| action.verb == Some(verb));
        action.expect("every command has an action")
    }

    /// Its field of that name.
    pub fn field(&self, word: &str) -> Option<&'static Field> {
        let word = folded(word);
        let plain = |name: &str| self.fields.iter().find(|field| field.name == name);
        plain(&word).or_else(|| {
            let (_, names) = FIELD_ALIASES.iter().find(|(alias, _)| *alias == word)?;
            names.iter().find_map(|name| plain(name))
        })
    }

    /// The fields of which no two go together.
    pub fn rivals(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| matches!(field.need, Need::OneOf | Need::AtMostOne))
    }

    /// What it takes, in a few words.
    pub fn takes(&self) -> String {
        let own = self.fields.iter().filter_map(|field| match field.need {
            Need::Must => Some(described(field, "")),
            Need::May => Some(described(field, "optional")),
            Need::OneOf | Need::AtMostOne => None,
        });
        let mut parts: Vec<String> = own.collect();
        let rivals: Vec<String> = self.rivals().map(|field| described(field, "")).collect();
        if let Some(first) = self.rivals().next() {
            let how_many = if first.need == Need::OneOf { "one of" } else { "at most one of" };
            parts.push(format!("{how_many} {}", rivals.join(", ")));
        }
        match (parts.pop(), parts.is_empty()) {
            (None, _) => "nothing".to_owned(),
            (Some(last), true) => last,
            (Some(last), false) if rivals.is_empty() => format!("{}, {last}", parts.join(", ")),
            (Some(last), false) => format!("{}, and {last}", parts.join(", ")),
        }
    }
}

/// A field with what may stand in it, where its name does not say that.
fn described(field: &Field, need: &str) -> String {
    let kind = match field.kind {
        Kind::Name | Kind::NameWith(_) | Kind::Secret | Kind::Note | Kind::Text | Kind::Lines => {
            String::new()
        }
        Kind::Switch => "true or false".to_owned(),
        Kind::Number { most: u64::MAX, .. } => "a number".to_owned(),
        Kind::Number { least, most } => format!("{least} to {most}"),
        Kind::Since => "such as 2h".to_owned(),
        Kind::Zone => "such as +02:00".to_owned(),
        Kind::Word(words) => words.join(" or "),
        Kind::Names => "a list".to_owned(),
    };
    let notes: Vec<&str> = [need, &kind].into_iter().filter(|note| !note.is_empty()).collect();
    match notes.is_empty() {
        true => field.name.to_owned(),
        false => format!("{} ({})", field.name, notes.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::TABLE;

    #[test]
    fn every_command_has_an_action_of_its_name() {
        for row in TABLE {
            assert_eq!(Action::of(row.verb).name, row.names[0]);
            for name in row.names {
                let action = Action::named(name).map(|action| action.verb);
                assert_eq!(action, Some(Some(row.verb)), "{name}");
            }
        }
        assert_eq!(ACTIONS.len(), TABLE.len() + 1);
    }

    #[test]
    fn every_name_means_one_thing() {
        let mut names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
        names.extend(ACTIONS.iter().flat_map(|action| action.aliases));
        let count = names.len();
        assert!(names.iter().all(|name| folded(name) == **name));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for action in ACTIONS {
            let needs: Vec<Need> = action.rivals().map(|field| field.need).collect();
            assert!(needs.windows(2).all(|pair| pair[0] == pair[1]), "{}", action.name);
            assert_ne!(needs.len(), 1, "{}", action.name);
        }
    }

    #[test]
    fn what_an_action_takes_is_one_sentence() {
        for (name, takes) in [
            ("join", "room, password (optional), name (optional)"),
            ("rooms", "nothing"),
            ("message", "text, and at most one of room, nick"),
            ("time", "one of on (true or false), zone (such as +02:00)"),
            (
                "history",
                "room (optional), and at most one of lines (1 to 100), since (such as 2h), before \
                 (a number), after (a number)",
            ),
            (
                "TOKEN",
                "do (new or list or drop), name (optional), rooms (optional, a list), rate \
                (optional, 1 to 1000000)",
            ),
        ] {
            assert_eq!(Action::named(name).map(Action::takes).as_deref(), Some(takes));
        }
    }
}
