//! Bans and mutes as rows, and back.
//!
//! Promises: what cannot be read, for the file may have been edited, is left out. What has ended
//! goes at the next start. Deliberately judges nothing: who is meant is as it was given.

use std::borrow::Cow;

use rusqlite::{Connection, Result, Row};

use crate::chat::kept::KeptSanction;
use crate::chat::name::key_of;
use crate::chat::network::canonical;
use crate::chat::sanctions::{Kind, Sanction, Target};

use super::changes::{run, signed};
use super::read::{number, words};

/// The words for what a target is.
const ACCOUNT: &str = "account";
const NICK: &str = "nick";
const ADDRESS: &str = "address";

fn kind_column(kind: Kind) -> &'static str {
    match kind {
        Kind::Ban => "ban",
        Kind::Mute => "mute",
    }
}

/// No room has the number 0.
fn room_column(room: Option<u64>) -> i64 {
    room.map_or(0, signed)
}

fn target_columns(target: &Target) -> (&'static str, Cow<'_, str>) {
    match target {
        Target::Account(account) => (ACCOUNT, account.to_string().into()),
        Target::Nick(nick) => (NICK, nick.into()),
        Target::Network(network) => (ADDRESS, network.to_string().into()),
    }
}

/// Adds one, in the place of one for the same.
pub(super) fn add(conn: &Connection, KeptSanction { room, sanction }: &KeptSanction) -> Result<()> {
    let Sanction { kind, target, name, end, why, by, unix } = sanction;
    let (what, target) = target_columns(target);
    let sql = "INSERT OR REPLACE INTO sanctions
        (room, kind, what, target, nick, ends_at, why, by, made_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (room, kind) = (room_column(*room), kind_column(*kind));
    run(conn, sql, (room, kind, what, target, name, end, why, by, unix))
}

/// Takes one out.
pub(super) fn lift(
    conn: &Connection,
    room: Option<u64>,
    kind: Kind,
    target: &Target,
) -> Result<()> {
    let (what, target) = target_columns(target);
    let sql = "DELETE FROM sanctions WHERE room = ?1 AND kind = ?2 AND what = ?3 AND target = ?4";
    run(conn, sql, (room_column(room), kind_column(kind), what, target))
}

/// How somebody is called who is forgotten.
const FORGOTTEN: &str = "somebody";

/// Forgets those of a name, by its key, and who did what was done under it.
pub(super) fn forget(conn: &Connection, key: &str) -> Result<()> {
    // Names are the same beyond what SQLite can compare.
    let names = |column: &str| -> Result<Vec<String>> {
        let mut statement = conn.prepare(&format!("SELECT DISTINCT {column} FROM sanctions"))?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        names.filter(|name| name.as_ref().map_or(true, |name| *key_of(name) == *key)).collect()
    };
    run(conn, "DELETE FROM sanctions WHERE what = ?1 AND target = ?2", (NICK, key))?;
    for name in names("nick")? {
        run(conn, "DELETE FROM sanctions WHERE nick = ?1", [name])?;
    }
    for name in names("by")? {
        run(conn, "UPDATE sanctions SET by = ?2 WHERE by = ?1", [name.as_str(), FORGOTTEN])?;
    }
    Ok(())
}

/// Forgets those that have ended by `unix`, in seconds since 1970 UTC, or whose room is gone, and
/// gives the rest.
pub(super) fn load(conn: &Connection, unix: i64) -> Result<Vec<KeptSanction>> {
    conn.execute("DELETE FROM sanctions WHERE ends_at <= ?1", [unix])?;
    conn.execute(
        "DELETE FROM sanctions WHERE room <> 0 AND room NOT IN (SELECT id FROM rooms)",
        [],
    )?;
    let mut statement = conn.prepare(
        "SELECT room, kind, what, target, nick, ends_at, why, by, made_at FROM sanctions",
    )?;
    let mut rows = statement.query([])?;
    let mut sanctions = Vec::new();
    while let Some(row) = rows.next()? {
        sanctions.extend(sanction_of(row));
    }
    Ok(sanctions)
}

fn sanction_of(row: &Row<'_>) -> Option<KeptSanction> {
    let kind = match words(row, 1)?.as_str() {
        "ban" => Kind::Ban,
        "mute" => Kind::Mute,
        _ => return None,
    };
    let target = words(row, 3)?;
    let target = match words(row, 2)?.as_str() {
        ACCOUNT => Target::Account(target.parse().ok()?),
        NICK => Target::Nick(target),
        ADDRESS => Target::Network(canonical(target.parse().ok()?)),
        _ => return None,
    };
    let room = Some(number(row, 0)?).filter(|room| *room != 0);
    let (name, why, by) = (words(row, 4)?, words(row, 6), words(row, 7)?);
    // One of which the end cannot be read has none.
    let (end, unix) = (row.get(5).unwrap_or_default(), row.get(8).ok()?);
    Some(KeptSanction { room, sanction: Sanction { kind, target, name, end, why, by, unix } })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, House};
    use super::*;
    use crate::chat::kept::{Change, KeptLock};
    use crate::chat::network::network;

    fn kept(room: Option<u64>, kind: Kind, target: Target, end: Option<i64>) -> KeptSanction {
        let (name, by) = ("Bob".to_owned(), "alice".to_owned());
        let why = end.map(|_| "spam".to_owned());
        KeptSanction { room, sanction: Sanction { kind, target, name, end, why, by, unix: NOW } }
    }

    fn nick() -> Target {
        Target::Nick("bob".to_owned())
    }

    #[test]
    fn what_was_done_comes_back() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let net = Target::Network(network("10.0.0.0/8").unwrap());
        let all = [
            kept(None, Kind::Ban, Target::Account(2), None),
            kept(None, Kind::Ban, net, Some(NOW + 9)),
            kept(None, Kind::Mute, nick(), Some(NOW + 9)),
            kept(Some(1), Kind::Ban, nick(), None),
        ];
        let mut ledger = changes([
            room_made(1, "dev", KeptLock::Open),
            account_made(2, "ann", &[]),
            Change::Sanctioned(kept(Some(1), Kind::Ban, nick(), Some(NOW + 1))),
            Change::Sanctioned(kept(Some(1), Kind::Mute, nick(), Some(NOW))),
            Change::Sanctioned(kept(Some(7), Kind::Mute, nick(), None)),
        ]);
        all.iter().for_each(|it| ledger.change(Change::Sanctioned(it.clone())));
        engine.commit(&ledger).unwrap();
        let loaded = engine.load(NOW).unwrap().sanctions;
        assert_eq!(loaded, all, "what has ended, or is of no room, is not there");
        let lifted = Change::Lifted { room: None, kind: Kind::Ban, target: Target::Account(2) };
        engine.commit(&changes([lifted])).unwrap();
        assert_eq!(engine.load(NOW).unwrap().sanctions, all[1..]);
        assert_eq!(engine.load(NOW + 9).unwrap().sanctions, all[3..]);
        assert_eq!(engine.load(NOW).unwrap().sanctions, all[3..], "they are forgotten");
    }

    #[test]
    fn it_goes_with_its_room_and_with_its_account() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let ledger = changes([
            room_made(1, "dev", KeptLock::Open),
            account_made(2, "ann", &[]),
            token_made(3, "ci", 2, &[], None),
            account_made(4, "dan", &[]),
            Change::Sanctioned(kept(Some(1), Kind::Ban, nick(), None)),
            Change::Sanctioned(kept(None, Kind::Ban, Target::Account(2), None)),
            Change::Sanctioned(kept(None, Kind::Mute, Target::Account(3), None)),
            Change::Sanctioned(kept(None, Kind::Mute, Target::Account(4), None)),
            Change::RoomGone { room: 1 },
            Change::AccountGone { account: 2 },
        ]);
        engine.commit(&ledger).unwrap();
        let left = [kept(None, Kind::Mute, Target::Account(4), None)];
        assert_eq!(engine.load(NOW).unwrap().sanctions, left);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        engine
            .conn()
            .execute_batch(
                "INSERT INTO sanctions VALUES
                (0, 'ban', 'nick', 'bob', 'bob', NULL, NULL, 'ann', 1),
                (0, 'curse', 'nick', 'bob', 'bob', NULL, NULL, 'ann', 1),
                (0, 'ban', 'house', 'bob', 'bob', NULL, NULL, 'ann', 1),
                (0, 'ban', 'account', 'bob', 'bob', NULL, NULL, 'ann', 1),
                (0, 'ban', 'address', '10.0.0.0/33', 'bob', NULL, NULL, 'ann', 1);",
            )
            .unwrap();
        let loaded = engine.load(NOW).unwrap().sanctions;
        assert_eq!(loaded.len(), 1);
        assert_eq!(loaded[0].sanction.target, nick());
    }
}
