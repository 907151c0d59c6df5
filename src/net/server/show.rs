//! The figures of the server, its connections and its rooms, as its operator's console shows them.
//!
//! Promises: each figure that there is stands in one line, under the name that `protocol.md` lists;
//! what has never happened is left out of a line that tells things apart. Deliberately counts
//! nothing.

use std::time::Duration;

use crate::admin::text::{self, ConnRow, RoomRow, Served};
use crate::chat::Chat;
use crate::chat::name::Nick;
use crate::chat::settings::Face;
use crate::net::figures::{Figures, Histogram, Kind, Lag};
use crate::net::hub::{State, Watched};

/// The id of a connection that takes part in the conversation.
pub fn id_of(watched: &Watched<'_>) -> Option<u64> {
    match &watched.state {
        State::Handshaking { .. } => None,
        State::Talking { sight, .. } => Some(sight.id),
    }
}

/// One line of the answer to `/conns`.
pub fn conn(watched: &Watched<'_>) -> ConnRow {
    let name = |nick: &Nick| nick.as_str().to_owned();
    let row = ConnRow {
        id: id_of(watched),
        address: watched.address,
        nick: None,
        account: None,
        rooms: 0,
        span: Duration::ZERO,
        idle: Duration::ZERO,
        queued: watched.queued,
        by: watched.came_by.map_or("-", Kind::word),
        kind: Served::Handshake,
    };
    match &watched.state {
        State::Handshaking { span } => ConnRow { span: *span, idle: *span, ..row },
        State::Talking { sight, face } => ConnRow {
            nick: sight.nick.map(name),
            account: sight.account.map(name),
            rooms: sight.rooms,
            span: sight.span,
            idle: sight.idle,
            kind: match face {
                Face::Lines => Served::Lines,
                Face::Terminal => Served::Terminal,
                Face::Json => Served::Json,
            },
            ..row
        },
    }
}

/// The rooms, those with most members first, and locked ones last.
pub fn rooms(chat: &Chat) -> impl Iterator<Item = RoomRow> + '_ {
    let rooms = chat.rooms();
    let open = rooms.fullest().map(|(_, id)| id);
    open.chain(rooms.locked()).map(move |id| {
        let room = rooms.at(id);
        RoomRow {
            name: room.name.as_str().to_owned(),
            members: room.members().len(),
            owner: chat.room_owner(room).map(|nick| nick.as_str().to_owned()),
            is_locked: room.is_locked(),
            lines: room.history().count_after(0),
            topic: room.topic.as_deref().map(str::to_owned),
        }
    })
}

/// The answer to `/stats`.
pub fn figures(figures: &Figures) -> String {
    let counts = &figures.counts;
    let opened = || counts.opened();
    let here = opened().map(|(kind, opened)| (kind.word(), opened.now));
    let ever = opened().map(|(kind, opened)| (kind.word(), opened.total));
    let refusals = counts.refusals().map(|(code, count)| (code.word(), count));
    text::figures([
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("uptime", text::uptime(figures.uptime)),
        ("people", figures.people.to_string()),
        ("connections", text::sum(here)),
        ("connections since start", text::sum(ever)),
        ("rooms", figures.rooms.to_string()),
        ("lines in", counts.lines_in.to_string()),
        ("lines out", counts.lines_out.to_string()),
        ("bytes in", counts.bytes_in.to_string()),
        ("bytes out", counts.bytes_out.to_string()),
        ("refusals", text::sum(refusals)),
        ("partings", text::sum(counts.partings())),
        ("waiting bytes", figures.queue_bytes.to_string()),
        ("turns", turns(&figures.turns)),
        ("store", figures.lag.map_or_else(|| "nothing is kept".to_owned(), lag)),
    ])
}

/// How many there were, and how long the middle one and the slowest of a hundred took at most.
fn turns(turns: &Histogram) -> String {
    let within = |per_mille| match turns.bound_of(per_mille) {
        Some(bound) => format!("within {}", text::precise(bound)),
        None => "longer than 1 s".to_owned(),
    };
    match turns.count() {
        0 => "0".to_owned(),
        count => format!("{count} (half {}, 99 of 100 {})", within(500), within(990)),
    }
}

fn lag(lag: Lag) -> String {
    let Lag { waited, bytes, is_failing } = lag;
    let state = if is_failing { "cannot write" } else { "keeps" };
    // What is less than a millisecond is nothing to look at.
    let waited = Duration::from_millis(waited.as_millis().try_into().unwrap_or(u64::MAX));
    format!("{state}, {bytes} bytes have waited for {}", text::precise(waited))
}
