//! Who is connected: one [`User`] for each connection, named or not yet, and the table of them.
//!
//! Promises: a [`ConnId`] that is gone finds nobody, also when its slot is in use again. The table
//! keeps the names in use and the count of people true. Deliberately knows no rule: what a user may
//! do is decided in the files beside this one.

use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use smallvec::SmallVec;

use super::asked::Pending;
use super::chunks::Chunks;
use super::keyed::Keyed;
use super::moment::Moment;
use super::name::{NamesInUse, Nick, Verdict};
use super::paste::Paste;
use super::room::RoomId;
use super::settings::{Face, Settings};
use super::{ConnId, Now, Origin};

/// The most people that one user may ignore; enough for anybody, and a bound on what a line costs.
pub const IGNORES_MAX: usize = 100;

/// A room that a user is in.
#[derive(Debug)]
pub struct Membership {
    /// Which room.
    pub room: RoomId,
    /// The user waits for the earlier lines: those before this id.
    pub replay_before: Option<NonZeroU64>,
    /// Where in the room's list of members the user stands.
    pub place: u32,
    /// Whether the others know of it; a departure is told only of who is.
    pub is_announced: bool,
}

/// Somebody whose lines are not shown: by connection, so that a new name does not evade it, and by
/// name, so that a new connection does not either.
#[derive(Debug)]
pub struct Ignored {
    /// The connection at that time.
    pub conn: ConnId,
    /// The name at that time.
    pub nick: Nick,
}

/// How it is for one user, for those who have said anything about it.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Who is ignored; at most [`IGNORES_MAX`].
    pub ignores: Vec<Ignored>,
    /// What was given to `/away`; an empty text for none.
    pub away: Option<Rc<str>>,
    /// How many earlier lines joining a room shows, for who has said so.
    pub replay_lines: Option<usize>,
    /// How the user is served.
    pub settings: Settings,
    /// What kind of peer the connection is for.
    pub face: Face,
    /// The account whose password is awaited.
    pub login: Option<u64>,
    /// The name that is wanted by who cannot come in without an account.
    pub wanted: Option<Nick>,
    /// The block that is being typed.
    pub paste: Option<Box<Paste>>,
    /// The token that the connection uses.
    pub token: Option<u64>,
    /// How many lines that had waited were shown, and not noted as seen yet.
    pub directs_shown: usize,
    /// The room that is closed if that is asked for once more by that time, since start.
    pub closing: Option<(RoomId, Duration)>,
}

/// One connection and, once it has a name, the person behind it. There are as many of these as
/// connections, so what few have is kept apart.
#[derive(Debug)]
pub struct User {
    /// The connection.
    pub conn: ConnId,
    /// Where it comes from.
    pub origin: Origin,
    /// Its unguessable id.
    pub id: u64,
    /// When it came, in seconds since 1970 UTC.
    pub since_unix: i64,
    /// When it came.
    pub since: Moment,
    /// When it last sent a line.
    pub typed_at: Moment,
    /// The rooms, in the order of entering; the last is the current one.
    pub rooms: SmallVec<[Membership; 2]>,
    /// When it last entered the lobby, where an arrival is told later.
    pub arrived_at: Moment,
    wishes: Option<Box<Wishes>>,
    /// What is done when the answer has come that the user waits for.
    pub pending: Option<Box<Pending>>,
    account: Option<NonZeroU64>,
    nick: Option<Nick>,
    /// Comings and goings are hidden.
    pub is_quiet: bool,
    /// A timer for announcing the arrival in the lobby is running.
    pub arrival_is_timed: bool,
    /// A timer for showing earlier lines is running.
    pub replay_is_timed: bool,
}

impl User {
    /// A connection that has no name yet.
    pub fn new(conn: ConnId, origin: Origin, id: u64, now: Now) -> User {
        User {
            conn,
            origin,
            id,
            since_unix: now.unix,
            since: now.mono.into(),
            typed_at: now.mono.into(),
            rooms: SmallVec::new(),
            arrived_at: now.mono.into(),
            wishes: None,
            pending: None,
            account: None,
            nick: None,
            is_quiet: false,
            arrival_is_timed: false,
            replay_is_timed: false,
        }
    }

    /// The name, once there is one.
    pub fn nick(&self) -> Option<&Nick> {
        self.nick.as_ref()
    }

    /// The membership in a room.
    pub fn membership(&self, room: RoomId) -> Option<&Membership> {
        self.rooms.iter().find(|membership| membership.room == room)
    }

    /// The membership in a room, to change it.
    pub fn membership_mut(&mut self, room: RoomId) -> Option<&mut Membership> {
        self.rooms.iter_mut().find(|membership| membership.room == room)
    }

    /// Whether the user is in that room.
    pub fn is_in(&self, room: RoomId) -> bool {
        self.membership(room).is_some()
    }

    /// The room in which bare text is said.
    pub fn current_room(&self) -> Option<RoomId> {
        self.rooms.last().map(|membership| membership.room)
    }

    /// How it is for the user, to change it.
    pub fn wishes_mut(&mut self) -> &mut Wishes {
        self.wishes.get_or_insert_default()
    }

    /// Who is ignored.
    pub fn ignored(&self) -> &[Ignored] {
        self.wishes.as_ref().map_or(&[], |wishes| &wishes.ignores)
    }

    /// Whether lines of that connection, or of that name, are not shown.
    pub fn ignores(&self, conn: ConnId, nick: &Nick) -> bool {
        self.ignored().iter().any(|ignored| ignored.conn == conn || ignored.nick == *nick)
    }

    /// Whether lines under that name are not shown.
    pub fn ignores_name(&self, nick: &Nick) -> bool {
        self.ignored().iter().any(|ignored| ignored.nick == *nick)
    }

    /// How the user is served, for who is not served plainly.
    pub fn settings(&self) -> Option<&Settings> {
        self.wishes.as_ref().map(|wishes| &wishes.settings)
    }

    /// Whether `:wave:` is said as an emoji when the user types it.
    pub fn says_emoji(&self) -> bool {
        let is_on = |wishes: &Wishes| wishes.face == Face::Terminal;
        self.wishes.as_ref().is_some_and(|it| it.settings.emoji.unwrap_or(is_on(it)))
    }

    /// What kind of peer the connection is for.
    pub fn face(&self) -> Face {
        self.wishes.as_ref().map_or(Face::Lines, |wishes| wishes.face)
    }

    /// The account that the user is logged in to.
    pub fn account(&self) -> Option<u64> {
        self.account.map(NonZeroU64::get)
    }

    /// The user is logged in to that account from now on, or to none.
    pub fn set_account(&mut self, account: Option<u64>) {
        self.account = account.and_then(NonZeroU64::new);
    }

    /// The token that the connection uses: it is a bot then, and logged in to no account.
    pub fn token(&self) -> Option<u64> {
        self.wishes.as_ref()?.token
    }

    /// How many lines that had waited were shown, and not noted as seen yet.
    pub fn directs_shown(&self) -> usize {
        self.wishes.as_ref().map_or(0, |wishes| wishes.directs_shown)
    }

    /// The account whose password is awaited.
    pub fn awaited_login(&self) -> Option<u64> {
        self.wishes.as_ref()?.login
    }

    /// The name that is wanted by who cannot come in without an account.
    pub fn wanted(&self) -> Option<&Nick> {
        self.wishes.as_ref()?.wanted.as_ref()
    }

    /// The block for which the user's lines are taken.
    pub fn paste(&self) -> Option<&Paste> {
        self.wishes.as_ref()?.paste.as_deref()
    }

    /// Whether there is one.
    pub fn is_pasting(&self) -> bool {
        self.paste().is_some()
    }

    /// What was given to `/away`, if the user is away; an empty text for none.
    pub fn away(&self) -> Option<&Rc<str>> {
        self.wishes.as_ref()?.away.as_ref()
    }

    /// How many earlier lines joining a room shows, if the user has said so.
    pub fn replay_lines(&self) -> Option<usize> {
        self.wishes.as_ref()?.replay_lines
    }
}

/// Everybody who is connected.
#[derive(Debug)]
pub struct Users {
    users: Chunks<User>,
    names: NamesInUse<ConnId>,
    people: usize,
}

impl Users {
    /// Nobody yet; names are hashed with that key.
    pub fn new(key: Keyed) -> Users {
        Users { users: Chunks::default(), names: NamesInUse::new(key), people: 0 }
    }

    /// How many have a name.
    pub fn people(&self) -> usize {
        self.people
    }

    /// The connection of the person whose name has this key.
    pub fn named(&self, key: &str) -> Option<ConnId> {
        self.names.find(key, |conn| self.key(conn))
    }

    /// Whether a connection may have that name.
    pub fn verdict(&self, nick: &Nick, own: ConnId) -> Verdict<ConnId> {
        self.names.verdict(nick.name(), Some(own), |conn| self.key(conn))
    }

    /// The key of the name of somebody who is known to have one.
    fn key(&self, conn: ConnId) -> &str {
        self.at(conn).nick.as_ref().expect("who is found by a name has it").key()
    }

    /// Takes in a connection. Its slot must be free.
    pub fn insert(&mut self, user: User) {
        self.users.insert(user.conn.slot(), user);
    }

    /// The user of a connection that is still there.
    pub fn find(&self, conn: ConnId) -> Option<&User> {
        self.users.get(conn.slot()).filter(|user| user.conn == conn)
    }

    /// The user of a connection that is still there, to change it.
    pub fn find_mut(&mut self, conn: ConnId) -> Option<&mut User> {
        self.users.get_mut(conn.slot()).filter(|user| user.conn == conn)
    }

    /// The user of a connection that the caller knows to be there.
    pub fn at(&self, conn: ConnId) -> &User {
        self.find(conn).expect("the connection is there")
    }

    /// The user of a connection that the caller knows to be there, to change it.
    pub fn at_mut(&mut self, conn: ConnId) -> &mut User {
        self.find_mut(conn).expect("the connection is there")
    }

    /// The name of somebody who is known to have one.
    pub fn nick(&self, conn: ConnId) -> Nick {
        self.at(conn).nick.clone().expect("members of rooms and speakers have a name")
    }

    /// Everybody who has a name, in no particular order that anybody should rely on.
    pub fn people_iter(&self) -> impl Iterator<Item = &User> {
        self.names.values().map(|conn| self.at(conn))
    }

    /// Gives a connection its name, or another one. Returns the old one.
    pub fn rename(&mut self, conn: ConnId, nick: Nick) -> Option<Nick> {
        let old = self.at(conn).nick.clone();
        match &old {
            Some(old) => self.names.remove(old.name(), conn),
            None => self.people += 1,
        }
        self.names.insert(nick.name(), conn);
        self.at_mut(conn).nick = Some(nick);
        old
    }

    /// Takes a connection out, its name with it.
    pub fn remove(&mut self, conn: ConnId) -> Option<User> {
        self.find(conn)?;
        let user = self.users.remove(conn.slot())?;
        if let Some(nick) = &user.nick {
            self.names.remove(nick.name(), conn);
            self.people -= 1;
        }
        Some(user)
    }

    /// How many connections there are, named or not.
    pub fn connected(&self) -> usize {
        self.users.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_small_as_it_was() {
        // What few have is kept apart; there are as many of these as connections.
        assert!(size_of::<User>() <= 168, "{}", size_of::<User>());
    }
}
