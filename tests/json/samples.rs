//! One event of each kind, and more where its fields vary.

use std::rc::Rc;
use std::time::Duration;

use chatline::chat::command::Verb;
use chatline::chat::event::{
    Act, Deed, Edges, ModerationFault, PasteNews, RankNews, Receipt, RoomRow, StopNews, Stranger,
    Subject, TokenNews, TokenRow, Zone,
};
use chatline::chat::event::{Event, JsonFault, Parting, Profile, Refusal, Remembered, Roll};
use chatline::chat::kept::{KeptDirect, Secret, Span};
use chatline::chat::name::{Nick, RoomName};
use chatline::chat::sanctions::Kind;
use chatline::chat::settings::{Color, Face, Setting};

pub fn nick(text: &str) -> Nick {
    Nick::parse(text, None).unwrap()
}

pub fn room(text: &str) -> RoomName {
    RoomName::parse(text, None).unwrap()
}

fn roll() -> Roll {
    Roll { shown: vec![(nick("bob"), false), (nick("zoë"), true)], total: 7 }
}

fn line(id: u64, is_action: bool) -> Remembered {
    let text = Rc::from("it \"burns\"");
    Remembered { id, unix: 1_772_625_600, nick: nick("bob"), is_action, text, more: 0 }
}

fn profile(away: Option<&str>) -> Event {
    Event::Profile(Box::new(Profile {
        nick: nick("bob"),
        rooms: vec![room("dev")],
        rooms_more: 2,
        since_unix: 1_772_625_600,
        span: Duration::from_secs(90),
        idle: Duration::from_secs(5),
        away: away.map(Rc::from),
        id: 0xfeed,
        owner: away.map(|_| nick("ann")),
        address: away.map(|_| "192.0.2.7/32".parse().expect("a network")),
    }))
}

pub fn events() -> Vec<Event> {
    let (rooms, past) = ([of_rooms(), of_operators(), of_moderation()].concat(), of_the_past());
    [of_people(), rooms, past, of_settings(), of_names(), of_connections()].concat()
}

fn of_people() -> Vec<Event> {
    let text: Rc<str> = Rc::from("lunch");
    vec![
        Event::Greeting { people: Some(0), is_for_members: false },
        Event::Greeting { people: Some(2), is_for_members: true },
        Event::Greeting { people: None, is_for_members: true },
        Event::NameWanted,
        Event::Welcome { nick: nick("bob"), is_guest: false, lobby: None },
        Event::Welcome { nick: Nick::guest(3), is_guest: true, lobby: Some((room("dev"), roll())) },
        Event::Motd { text: Rc::from("be kind\nbackups at 4") },
        Event::Whispered { nick: nick("bob"), text: text.clone() },
        Event::IsAway { nick: nick("bob"), text },
        Event::IsAway { nick: nick("bob"), text: Rc::from("") },
        Event::Gone { nick: nick("bob") },
        Event::Renamed { old: nick("bob"), new: nick("rob") },
        Event::YouAre { nick: nick("bob") },
        Event::Everybody { roll: Roll { shown: Vec::new(), total: 0 } },
        Event::Members { room: room("dev"), roll: roll() },
        profile(None),
        profile(Some("")),
        profile(Some("lunch")),
        Event::Ignoring { nicks: Vec::new() },
        Event::Ignoring { nicks: vec![nick("bob"), nick("zoë")] },
        Event::Ignored { nick: nick("bob"), is_ignored: true },
    ]
}

fn of_rooms() -> Vec<Event> {
    let (dev, bob, topic) = (room("dev"), nick("bob"), Some(Rc::from("on fire")));
    let text: Rc<str> = Rc::from("hi \u{1F44B} \\ there");
    let open =
        RoomRow::Open { room: room("a"), members: 3, topic: topic.clone(), is_locked: false };
    let rows = vec![open, RoomRow::Locked { room: room("vault") }];
    vec![
        Event::Said { id: 1, room: dev.clone(), nick: bob.clone(), text: text.clone() },
        Event::Acted { id: u64::MAX, room: dev.clone(), nick: bob.clone(), text },
        Event::Came { room: dev.clone(), nick: bob.clone() },
        Event::Left { room: dev.clone(), nick: bob.clone() },
        Event::Tally { room: dev.clone(), came: 5, left: 0 },
        Event::Made { room: dev.clone(), is_locked: true },
        Event::Joined { room: dev.clone(), others: roll(), topic: topic.clone() },
        Event::Joined { room: dev.clone(), others: Roll { shown: vec![], total: 0 }, topic: None },
        Event::Current { room: dev.clone() },
        Event::YouLeft { room: dev.clone(), current: None },
        Event::YouLeft { room: dev.clone(), current: Some(room("lobby")) },
        Event::Topic { room: dev.clone(), topic: None },
        Event::Topic { room: dev.clone(), topic: topic.clone() },
        Event::TopicSet { room: dev.clone(), nick: bob.clone(), topic: None },
        Event::TopicSet { room: dev.clone(), nick: bob.clone(), topic },
        Event::Rooms { rows, total: 9 },
        Event::Rooms { rows: Vec::new(), total: 0 },
        Event::LockSet { room: dev.clone(), nick: bob.clone(), is_locked: false },
        Event::CloseAsked { room: dev.clone() },
        Event::Closed { room: dev.clone(), nick: bob, current: Some(dev) },
    ]
}

fn of_operators() -> Vec<Event> {
    let (dev, bob, ann) = (room("dev"), nick("bob"), nick("ann"));
    let operator_set = |by: &Nick, is_operator| {
        Event::Rank(RankNews::OperatorSet {
            room: dev.clone(),
            by: by.clone(),
            nick: bob.clone(),
            is_operator,
        })
    };
    let slow_set =
        |seconds| Event::Rank(RankNews::SlowSet { room: dev.clone(), nick: bob.clone(), seconds });
    vec![
        Event::Rank(RankNews::Operators { room: dev.clone(), owner: None, nicks: Vec::new() }),
        Event::Rank(RankNews::Operators {
            room: dev.clone(),
            owner: Some(ann.clone()),
            nicks: vec![bob.clone()],
        }),
        operator_set(&ann, true),
        operator_set(&ann, false),
        operator_set(&bob, false),
        slow_set(0),
        slow_set(1),
        Event::Rank(RankNews::IsSlow { room: dev.clone(), seconds: 30 }),
        Event::Rank(RankNews::Announced { nick: Some(ann), text: Rc::from("lunch") }),
        Event::Rank(RankNews::Announced { nick: None, text: Rc::from("lunch") }),
    ]
}

fn of_the_past() -> Vec<Event> {
    let history = |span, edges: Option<Edges>| Event::History {
        room: room("dev"),
        lines: edges.map_or(Rc::from([]), |_| Rc::from([line(4, false), line(5, true)])),
        edges,
        has_more: edges.is_some(),
        span,
    };
    let edges = Some(Edges { first: 4, last: 5, last_unix: 1_772_625_600 });
    let direct = KeptDirect { unix: 0, nick: "bob".into(), text: "psst".into() };
    let found = Rc::from([(room("dev"), line(9, true))]);
    vec![
        Event::Replay { room: room("dev"), lines: Rc::from([line(4, false), line(5, true)]) },
        history(Span::Last, None),
        history(Span::Before(6), edges),
        history(Span::Since(0), edges),
        history(Span::After(3), edges),
        Event::Found { words: "burns".into(), lines: found, has_more: true, unsearched: 3 },
        Event::Back { room: room("dev"), missed: 12 },
        Event::Directs { directs: Rc::from([direct]) },
    ]
}

fn of_settings() -> Vec<Event> {
    let settings = [
        Setting::Color(Color::On),
        Setting::Color(Color::Off),
        Setting::Color(Color::Dark),
        Setting::Color(Color::Light),
        Setting::Bell(true),
        Setting::Plain(false),
        Setting::Emoji(true),
        Setting::Typing(true),
        Setting::Receipts(true),
        Setting::Ack(true),
    ];
    let zones = [None, Some(Zone::Server), Some(Zone::Offset(-210)), Some(Zone::Offset(840))];
    let mut events = vec![
        Event::Away { text: None },
        Event::Away { text: Some(Rc::from("")) },
        Event::Away { text: Some(Rc::from("lunch")) },
        Event::Quiet { is_on: true },
        Event::ReplayLines { lines: 0 },
        Event::Help,
        Event::HelpOn(Verb::History),
    ];
    events.extend(zones.map(|zone| Event::Time { zone }));
    events.extend(settings.map(Event::Set));
    events.extend([Face::Lines, Face::Terminal, Face::Json].map(Event::Face));
    events.push(Event::NoTerminal);
    events
}

fn of_names() -> Vec<Event> {
    vec![
        Event::DirectKept { nick: nick("bob") },
        Event::Receipt(Receipt::Delivered { nick: nick("bob") }),
        Event::Receipt(Receipt::NotDelivered),
        Event::Receipt(Receipt::Seen { nick: nick("bob") }),
        Event::Typing { room: room("dev"), nick: nick("bob") },
        Event::Taken { number: 3 },
        Event::StaysOut { room: room("dev") },
        Event::Token(TokenNews::Made {
            nick: nick("ci"),
            secret: Secret("ct_1".into()),
            rooms: vec!["ops".into()],
            rate: Some(5),
        }),
        Event::Token(TokenNews::Listed(vec![
            TokenRow { nick: nick("ci"), rooms: vec![], rate: None, connections: 0 },
            TokenRow { nick: nick("cj"), rooms: vec!["ops".into()], rate: Some(5), connections: 2 },
        ])),
        Event::Token(TokenNews::Dropped { nick: nick("ci"), connections: 1 }),
        Event::Paste(PasteNews::Begun { room: room("dev") }),
        Event::Paste(PasteNews::LeftOut),
        Event::Paste(PasteNews::Dropped),
        Event::Whole { room: room("dev"), line: Remembered { more: 3, ..line(4, false) } },
        Event::Block { id: 4, room: room("dev"), nick: nick("bob"), text: Rc::from("one\ntwo") },
        Event::Registered { nick: nick("bob") },
        Event::Unregistered { nick: nick("bob") },
        Event::PasswordChanged,
        Event::PasswordWanted { nick: nick("bob"), is_somebodys: true },
        Event::PasswordWanted { nick: nick("bob"), is_somebodys: false },
        Event::TypingShows,
        Event::LoginDropped { nick: None },
        Event::LoginDropped { nick: Some(nick("bob")) },
    ]
}

fn of_moderation() -> Vec<Event> {
    let deed = |act, is_whole: bool| {
        let room = is_whole.then(|| room("dev"));
        let (who, by) = (Subject::Nick(Rc::from("bob")), Some(Rc::from("the operator")));
        let (end, why) = (is_whole.then_some(1_772_625_600), is_whole.then(|| Rc::from("spam")));
        Box::new(Deed { act, room, who, by, end, why })
    };
    let acts = [Act::Kicked, Act::Banned, Act::Unbanned, Act::Muted, Act::Unmuted];
    let mut events: Vec<Event> =
        acts.map(|act| Event::Moderated(deed(act, act != Act::Kicked))).into();
    let address = Subject::Address(Rc::from("192.0.2.7"));
    let of_address = Deed { who: address, ..*deed(Act::Banned, false) };
    events.push(Event::Moderated(Box::new(of_address.clone())));
    let (kicked, banned) = (deed(Act::Kicked, false), deed(Act::Banned, true));
    events.extend([
        Event::PutOut { deed: deed(Act::Kicked, true), current: None },
        Event::PutOut { deed: banned.clone(), current: Some(room("lobby")) },
        Event::Expelled { deed: kicked, nick: Some(nick("bob")) },
        Event::Expelled { deed: banned.clone(), nick: None },
        Event::Expelled { deed: Box::new(Deed { by: None, ..*banned.clone() }), nick: None },
        Event::Listed { kind: Kind::Ban, room: None, rows: Vec::new(), total: 0 },
        Event::Listed {
            kind: Kind::Mute,
            room: Some(room("dev")),
            rows: vec![*banned, of_address],
            total: 9,
        },
        Event::Refused(Refusal::Moderation(ModerationFault::Sanctioned(deed(Act::Muted, true)))),
    ]);
    events
}

fn of_connections() -> Vec<Event> {
    let fault = JsonFault::UnknownField { action: "join", typed: "passwrod".into() };
    let partings = [
        Parting::Quit,
        Parting::EndOfInput,
        Parting::Lost,
        Parting::ServerFull,
        Parting::WrongProtocol(Stranger::Tls),
        Parting::TakenOver,
        Parting::TokenDropped,
        Parting::Shutdown,
    ];
    let mut events = vec![
        Event::Slowed { per_second: 20 },
        Event::Dropped { lines: 1 },
        Event::Keeping { is_kept: false },
        Event::Stop(StopNews::In { seconds: 60, why: Rc::from("a new disk") }),
        Event::Stop(StopNews::In { seconds: 1, why: Rc::from("") }),
        Event::Stop(StopNews::Off),
        Event::Interrupted,
        Event::Here,
        Event::Refused(Refusal::NoRoom),
        Event::Refused(Refusal::Usage(Verb::Join)),
        Event::Refused(Refusal::BadJson { fault }),
        Event::Refused(Refusal::BadJson { fault: JsonFault::NoObject }),
    ];
    let bye = |parting| Event::Bye { nick: Some(nick("bob")), parting };
    events.extend(partings.map(bye));
    events.push(Event::Bye { nick: None, parting: Parting::NoName });
    events
}
