//! What is asked: the command that an action with its fields is, or a text of many lines.
//!
//! Promises: an [`Ask`] can be obeyed; nothing is in it that does not go together. Deliberately
//! reads no JSON: `request` does.

use crate::chat::command::{
    Command, HistorySpan, Measure, Moderation, Since, Verb, Where, Who, offset,
};
use crate::chat::event::{JsonFault, Zone};
use crate::chat::sanctions::Kind;
use crate::chat::settings::{Color, Setting};

use super::action::{Action, Field, Need};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A command.
    Command(Given),
    /// To say a text of many lines, LF between them, as one message.
    Block {
        /// Where; `None` for the current room.
        room: Option<String>,
        /// What.
        text: String,
    },
    /// The same, and the text follows the line.
    Sized {
        /// Where; `None` for the current room.
        room: Option<String>,
        /// How long it is, at least one byte; bounded by nobody so far.
        bytes: usize,
    },
}

/// An action with what was given for its fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// `None` asks nothing.
    action: Option<&'static Action>,
    values: Vec<(&'static str, Datum)>,
}

/// What was given for a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Text(String),
    Number(u64),
    Switch(bool),
}

impl Ask {
    /// The command that it is; of a text of many lines, the one that begins such a text.
    pub fn command(&self) -> Command<'_> {
        match self {
            Ask::Command(given) => {
                given.command().expect("what was given has made a command before")
            }
            Ask::Block { room, .. } | Ask::Sized { room, .. } => Command::Paste(room.as_deref()),
        }
    }

    /// The name that it is asked under by who has none yet: to be taken first.
    pub fn name(&self) -> Option<&str> {
        match self {
            Ask::Command(given) if given.verb() == Some(Verb::Join) => given.text("name"),
            _ => None,
        }
    }
}

/// Whether there is nothing to be seen in it.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

impl Given {
    /// What was given for the fields of an action, each of its kind.
    pub(super) fn new(action: &'static Action, values: Vec<(&'static str, Datum)>) -> Given {
        Given { action: Some(action), values }
    }

    /// What was given.
    #[cfg(test)]
    pub(super) fn values(&self) -> &[(&'static str, Datum)] {
        &self.values
    }

    /// What it asks, unless something is missing or does not fit.
    pub(super) fn into_ask(self, action: &'static Action) -> Result<Ask, JsonFault> {
        self.check(action)?;
        let fault = match self.block(action) {
            Some(Ok(block)) => return Ok(block),
            Some(Err(field)) => Some(field),
            None => self.command().err(),
        };
        match fault {
            None => Ok(Ask::Command(self)),
            Some(field) if self.value(field).is_some() => {
                Err(JsonFault::Unfit { action: action.name, field })
            }
            Some(field) => Err(JsonFault::Missing { action: action.name, field }),
        }
    }

    fn verb(&self) -> Option<Verb> {
        self.action.and_then(|action| action.verb)
    }

    fn value(&self, field: &str) -> Option<&Datum> {
        self.values.iter().find(|(name, _)| *name == field).map(|(_, datum)| datum)
    }

    fn text(&self, field: &str) -> Option<&str> {
        match self.value(field) {
            Some(Datum::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn number(&self, field: &str) -> Option<u64> {
        match self.value(field) {
            Some(Datum::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn switch(&self, field: &str) -> Option<bool> {
        match self.value(field) {
            Some(Datum::Switch(is_on)) => Some(*is_on),
            _ => None,
        }
    }

    /// Whether all is there that must be, and nothing that does not go together.
    fn check(&self, action: &Action) -> Result<(), JsonFault> {
        let is_given = |field: &&Field| self.value(field.name).is_some();
        let mut must = action.fields.iter().filter(|field| field.need == Need::Must);
        let mut rivals = action.rivals().filter(is_given);
        let missing = must.find(|field| !is_given(field)).or_else(|| {
            let is_one_of = |field: &&Field| field.need == Need::OneOf;
            action
                .rivals()
                .find(|field| is_one_of(field) && !action.rivals().any(|it| is_given(&it)))
        });
        if let Some(field) = missing {
            return Err(JsonFault::Missing { action: action.name, field: field.name });
        }
        match rivals.nth(1) {
            Some(field) => Err(JsonFault::Unfit { action: action.name, field: field.name }),
            None => Ok(()),
        }
    }

    /// The text of many lines that it is, if it is one, or the field that does not fit.
    fn block(&self, action: &Action) -> Option<Result<Ask, &'static str>> {
        let room = || self.text("room").map(str::to_owned);
        let text = self.text("text").filter(|text| {
            matches!(action.verb, Some(Verb::Paste)) || action.verb.is_none() && text.contains('\n')
        });
        match (text, self.number("bytes")) {
            (Some(_), _) if self.text("nick").is_some() => Some(Err("text")),
            (Some(text), _) => Some(Ok(Ask::Block { room: room(), text: text.to_owned() })),
            (None, Some(bytes)) => Some(match usize::try_from(bytes) {
                Ok(bytes) => Ok(Ask::Sized { room: room(), bytes }),
                Err(_) => Err("bytes"),
            }),
            (None, None) => None,
        }
    }

    /// The command that it is, or the field that is missing or does not fit.
    fn command(&self) -> Result<Command<'_>, &'static str> {
        let Some(action) = self.action else { return Ok(Command::Nothing) };
        let Some(verb) = action.verb else { return self.said() };
        let need = |field: &'static str| self.text(field).ok_or(field);
        let may = |field| self.text(field);
        Ok(match verb {
            Verb::Join => Command::Join(need("room")?, may("password")),
            Verb::Leave => Command::Leave(may("room")),
            Verb::Who => Command::Who(may("room").or(may("nick"))),
            Verb::Rooms => Command::Rooms,
            Verb::Nick => Command::Nick(need("name")?),
            Verb::Topic => match may("text") {
                None => Command::Topic(may("room")),
                text => Command::SetTopic(may("room"), text.filter(|text| !text.is_empty())),
            },
            Verb::Me => Command::Act(need("text")?),
            Verb::Whisper => Command::Whisper(need("nick")?, need("text")?),
            Verb::Ignore => may("nick").map_or(Command::Ignores, Command::Ignore),
            Verb::Unignore => Command::Unignore(need("nick")?),
            Verb::Away => Command::Away(may("text").filter(|text| !text.is_empty())),
            Verb::History => Command::History(may("room"), self.span()?),
            Verb::Search => {
                let words = need("words")?;
                let has_words = words.chars().any(char::is_alphanumeric);
                let words = has_words.then_some(words).ok_or("words")?;
                Command::Search(words.trim(), may("room"), may("by"))
            }
            Verb::Register => Command::Register(may("code"), need("password")?),
            Verb::Login => Command::Login(need("nick")?, may("password")),
            Verb::Password => Command::Password(need("old")?, need("new")?),
            Verb::Unregister => Command::Unregister(need("password")?),
            Verb::Lock => Command::Lock(need("room")?, need("password")?),
            Verb::Unlock => Command::Unlock(need("room")?),
            Verb::Close => Command::Close(need("room")?),
            Verb::Op => match may("nick") {
                None => Command::Operators(may("room")),
                Some(nick) => Command::Op(may("room"), nick),
            },
            Verb::Deop => Command::Deop(may("room"), need("nick")?),
            Verb::Slow => {
                let seconds = self.number("seconds").and_then(|it| u32::try_from(it).ok());
                Command::Slow(need("room")?, seconds.ok_or("seconds")?)
            }
            Verb::Announce => Command::Announce(need("text")?.trim()),
            Verb::Kick | Verb::Ban | Verb::Unban | Verb::Mute | Verb::Unmute => {
                return self.moderation(verb).map(Command::Moderate);
            }
            Verb::Token => return self.token(),
            Verb::Paste => Command::Paste(may("room")),
            Verb::Help => match may("about").map(Action::named) {
                None => Command::Help,
                Some(about) => about.ok_or("about")?.verb.map_or(Command::Help, Command::HelpOn),
            },
            Verb::Quit => Command::Quit,
            Verb::Quiet
            | Verb::Time
            | Verb::Replay
            | Verb::Show
            | Verb::Tty
            | Verb::Telnet
            | Verb::Color
            | Verb::Bell
            | Verb::Plain
            | Verb::Emoji
            | Verb::Typing
            | Verb::Receipts
            | Verb::Json
            | Verb::Ack => return self.wish(verb),
        })
    }

    /// What is said, where.
    fn said(&self) -> Result<Command<'_>, &'static str> {
        let text = self.text("text").ok_or("text")?;
        Ok(match (self.text("room"), self.text("nick")) {
            (Some(room), _) => Command::SayIn(room, text),
            (None, Some(nick)) => Command::Whisper(nick, text),
            (None, None) => Command::Say(text),
        })
    }

    fn span(&self) -> Result<HistorySpan, &'static str> {
        if let Some(time) = self.text("since") {
            return Since::parse(time).map(HistorySpan::Since).ok_or("since");
        }
        if let Some(id) = self.number("before") {
            return Ok(HistorySpan::Before(id));
        }
        if let Some(id) = self.number("after") {
            return Ok(HistorySpan::After(id));
        }
        Ok(HistorySpan::Last(self.count("lines")?))
    }

    /// A number of things in memory.
    fn count(&self, field: &'static str) -> Result<Option<usize>, &'static str> {
        self.number(field).map(|number| usize::try_from(number).map_err(|_| field)).transpose()
    }

    /// What an operator wants; a room of `*` is everywhere.
    fn moderation(&self, verb: Verb) -> Result<Moderation<'_>, &'static str> {
        let place = match self.text("room") {
            None => Where::Here,
            Some("*") => Where::Everywhere,
            Some(room) => Where::Room(room),
        };
        let who = self.text("nick").map(Who::Name).or(self.text("address").map(Who::Address));
        let why = self.text("why").filter(|why| !why.is_empty());
        let kind = if matches!(verb, Verb::Ban | Verb::Unban) { Kind::Ban } else { Kind::Mute };
        let secs = self.number("seconds").map(|secs| i64::try_from(secs).map_err(|_| "seconds"));
        let secs = secs.transpose()?;
        let measure = match (verb, who) {
            (Verb::Kick, Some(who)) => Measure::Kick { who, why },
            (Verb::Ban | Verb::Mute, Some(who)) => Measure::Forbid { kind, who, secs, why },
            (Verb::Ban | Verb::Mute, None) if secs.is_none() && self.value("why").is_none() => {
                Measure::List { kind }
            }
            (Verb::Unban | Verb::Unmute, Some(who)) => Measure::Allow { kind, who },
            _ => return Err("nick"),
        };
        Ok(Moderation { place, measure })
    }

    fn token(&self) -> Result<Command<'_>, &'static str> {
        let name = || self.text("name").ok_or("name");
        let none_of = |fields: &[&'static str]| {
            let odd = fields.iter().find(|field| self.value(field).is_some());
            odd.map_or(Ok(()), |field| Err(*field))
        };
        match self.text("do") {
            Some("new") => {
                let rate = self.number("rate").map(|rate| u32::try_from(rate).map_err(|_| "rate"));
                let rooms = self.text("rooms").unwrap_or_default();
                Ok(Command::TokenNew(name()?, rooms, rate.transpose()?))
            }
            Some("list") => none_of(&["name", "rooms", "rate"]).map(|()| Command::Tokens),
            Some("drop") => {
                none_of(&["rooms", "rate"])?;
                Ok(Command::TokenDrop(name()?))
            }
            _ => Err("do"),
        }
    }

    /// What says how the connection is to be served.
    fn wish(&self, verb: Verb) -> Result<Command<'_>, &'static str> {
        let on = || self.switch("on").ok_or("on");
        let may_on = || self.switch("on").unwrap_or(true);
        Ok(match verb {
            Verb::Quiet => Command::Quiet(on()?),
            Verb::Time => Command::Time(match self.text("zone") {
                Some(zone) => Some(offset(zone).ok_or("zone")?),
                None => on()?.then_some(Zone::Server),
            }),
            Verb::Replay => Command::Replay(self.count("lines")?.ok_or("lines")?),
            Verb::Show => Command::Show(self.number("line").ok_or("line")?),
            Verb::Tty => Command::Tty(may_on()),
            Verb::Telnet => Command::Telnet,
            Verb::Json => Command::Json,
            Verb::Color => Command::Set(Setting::Color(match self.text("scheme") {
                Some("dark") => Color::Dark,
                Some(_) => Color::Light,
                None if on()? => Color::On,
                None => Color::Off,
            })),
            Verb::Bell => Command::Set(Setting::Bell(on()?)),
            Verb::Plain => Command::Set(Setting::Plain(may_on())),
            Verb::Emoji => Command::Set(Setting::Emoji(on()?)),
            Verb::Typing => Command::Set(Setting::Typing(on()?)),
            Verb::Receipts => Command::Set(Setting::Receipts(on()?)),
            Verb::Ack => Command::Set(Setting::Ack(on()?)),
            other => unreachable!("{other:?} is no wish"),
        })
    }
}
