//! What the tests of this folder begin with.
//!
//! Promises: the same lines at the same times. Deliberately panics when anything is not as it
//! should be.

use super::*;
use crate::chat::kept::{
    Bot, Change, KeptAccount, KeptLine, KeptLock, KeptRoom, KeptSettings, Line, Search, Span,
};

/// Now, in seconds since 1970 UTC.
pub const NOW: i64 = 1_700_000_000;

/// A database in that folder, without bounds.
pub fn settings(folder: &tempfile::TempDir) -> Settings {
    Settings {
        path: folder.path().join("chatline.db"),
        sync: Sync::Process,
        keep: None,
        keep_lines: None,
        is_searchable: true,
    }
}

/// One room and what is said in it, by ann, a second apart; the last word is the id.
pub fn lines(room: u64, ids: impl IntoIterator<Item = u64>) -> Ledger {
    let mut ledger = Ledger::default();
    for id in ids {
        ledger.line(line(id, room, "ann", &format!("this is {id}")));
    }
    ledger
}

/// A line, `id` seconds after the beginning.
pub fn line<'a>(id: u64, room: u64, nick: &'a str, text: &'a str) -> Line<'a> {
    let unix = NOW + i64::try_from(id).expect("an id is small");
    Line { id, room, unix, nick, is_action: false, text }
}

/// A ledger of changes.
pub fn changes(changes: impl IntoIterator<Item = Change>) -> Ledger {
    let mut ledger = Ledger::default();
    changes.into_iter().for_each(|change| ledger.change(change));
    ledger
}

/// A room that is made.
pub fn room_made(serial: u64, name: &str, lock: KeptLock) -> Change {
    let name = name.to_owned();
    Change::RoomMade(KeptRoom { serial, name, topic: None, lock, owner: None, has_lines: false })
}

/// An account that is made.
pub fn account_made(serial: u64, nick: &str, rooms: &[u64]) -> Change {
    Change::AccountMade(KeptAccount {
        serial,
        nick: nick.to_owned(),
        hash: "$argon2id$".to_owned(),
        unix: NOW,
        seen: 0,
        rooms: rooms.to_vec(),
        directs: 0,
        settings: KeptSettings::default(),
        bot: None,
    })
}

/// A token of that account that is made, for those rooms.
pub fn token_made(
    serial: u64,
    nick: &str,
    owner: u64,
    rooms: &[&str],
    rate: Option<u32>,
) -> Change {
    let Change::AccountMade(account) = account_made(serial, nick, &[]) else {
        unreachable!("an account is made")
    };
    let rooms = rooms.iter().map(|room| room.to_string()).collect();
    Change::AccountMade(KeptAccount { bot: Some(Bot { owner, rooms, rate }), ..account })
}

/// Does all that is to be done; how many steps that took.
pub fn tend_all(engine: &mut Engine, unix: i64) -> usize {
    (0..100_000)
        .find(|_| !engine.tend(unix).expect("tending succeeds"))
        .expect("it comes to an end")
}

/// The ids of all lines of a room.
pub fn ids(engine: &Engine, room: u64) -> Vec<u64> {
    let question = Question::History { room, span: Span::Last, most: 100_000 };
    let Answer::Lines { lines, .. } = engine.answer(&question) else { panic!("no lines") };
    lines.iter().map(|line: &KeptLine| line.id).collect()
}

/// Whether these bytes are anywhere in the files of that folder.
pub fn is_on_disk(folder: &tempfile::TempDir, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder.path()).expect("it is there").any(|file| {
        let content = std::fs::read(file.expect("it has files").path()).expect("it is read");
        memchr::memmem::find(&content, bytes).is_some()
    })
}

/// How many lines of open rooms are found with these words.
pub fn found(engine: &Engine, words: &str) -> usize {
    let (words, locked) = (words.to_owned(), Vec::new());
    let search = Search { words, room: None, nick: None, locked, most: 100_000 };
    let answer = engine.answer(&Question::Search(search));
    let Answer::Found { lines, .. } = answer else { panic!("{answer:?}") };
    lines.len()
}

/// SQLite's own opinion of the tables and the index.
pub fn is_sound(engine: &mut Engine) -> bool {
    let sql = "PRAGMA integrity_check";
    let text: String = engine.conn().query_row(sql, [], |row| row.get(0)).expect("it is checked");
    let sql = "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)";
    text == "ok" && engine.conn().execute(sql, []).is_ok()
}

/// A database with one room, whose number is 1.
pub fn with_room(mut engine: Engine) -> Engine {
    engine.load(NOW).expect("it is loaded");
    engine.commit(&changes([room_made(1, "dev", KeptLock::Open)])).expect("it is committed");
    engine
}
