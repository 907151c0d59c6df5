//! Names that are somebody's: who logs in is where they were, and is shown what they missed.
//!
//! Deliberately knows right passwords only: after another one nothing is foretold.

use std::time::Duration;

use chatline::chat::name::Nick;
use chatline::chat::pace::Rate;

use super::super::ask::Code;
use super::super::names::{Name, key_of};
use super::intake::Bucket;
use super::moves::origin;
use super::{ConnNo, Model, RoomNo, look, time_of_day};

/// An account, counted from the first one.
pub type AccountNo = usize;

/// Twenty passwords are hashed for one address, then one in a second.
const HASHES: Rate = Rate { every: Duration::from_secs(1), burst: 20 };

/// What an owner has said, while logged in, of how they want to be served.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // Each is the field of that name of a connection.
pub struct Habits {
    pub is_quiet: Option<bool>,
    pub zone: Option<Option<i64>>,
    pub replay_lines: Option<usize>,
    pub says_emoji: Option<bool>,
    pub wants_receipts: Option<bool>,
}

/// A name that is somebody's.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name.
    pub nick: Name,
    password: String,
    /// Its owner may do everything everywhere.
    pub is_operator: bool,
    /// It was given up.
    is_gone: bool,
    /// Who is logged in.
    pub conn: Option<ConnNo>,
    /// The number of the last line that was said when the owner left.
    seen: u64,
    /// Where the owner is, or was; the room that is the current one last.
    pub rooms: Vec<RoomNo>,
    /// What waits for the owner: when it was said, by whom, and what.
    directs: Vec<(i64, String, String)>,
    habits: Habits,
}

impl Model {
    /// There is an account of that name from the start.
    pub fn enroll(&mut self, name: &str, password: &str) {
        let nick = parsed(name);
        self.accounts.push(Account {
            nick: Name { shown: name.to_owned(), key: key_of(name) },
            password: password.to_owned(),
            is_operator: self.limits.operators.has(&nick),
            is_gone: false,
            conn: None,
            seen: 0,
            rooms: Vec::new(),
            directs: Vec::new(),
            habits: Habits::default(),
        });
    }

    /// The account of that name.
    pub(super) fn account_named(&self, typed: &str) -> Option<AccountNo> {
        let key = key_of(typed);
        self.accounts.iter().position(|account| account.nick.key == key && !account.is_gone)
    }

    /// The server has died: nobody is logged in, and all that was said until now was seen.
    pub(super) fn restart_accounts(&mut self) {
        let (said, rooms) = (self.said, &self.rooms);
        for account in &mut self.accounts {
            if account.conn.take().is_some() {
                account.seen = said;
            }
            account.rooms.retain(|room| rooms[*room].is_there);
        }
        (self.hashes, self.arrivals) = (Vec::new(), Vec::new());
    }

    /// A password is about to be hashed.
    pub(super) fn take_hash(&mut self, no: ConnNo) -> Result<(), Code> {
        let (now, origin) = (self.mono, origin(self.conns[no].address));
        let bucket = Bucket::of(&mut self.hashes, origin);
        if bucket.next(HASHES, now) > now {
            return Err("try-later");
        }
        bucket.take(HASHES);
        Ok(())
    }

    pub(super) fn login(&mut self, no: ConnNo, typed: &str, password: &str) -> Result<(), Code> {
        let account = self.account_named(typed).ok_or("not-registered")?;
        if self.conns[no].account == Some(account) {
            return Err("already-registered");
        }
        self.verify(no, account, password)?;
        self.is_account_welcome(account)?;
        self.come_home(no, account);
        Ok(())
    }

    /// What is right is not counted, but it is not looked at by who has no tries left.
    fn verify(&mut self, no: ConnNo, account: AccountNo, password: &str) -> Result<(), Code> {
        self.take_hash(no)?;
        if self.accounts[account].password != password {
            self.is_lost = true;
            return Err("wrong-password");
        }
        let origin = origin(self.conns[no].address);
        Bucket::of(&mut self.hashes, origin).give_back(HASHES);
        Ok(())
    }

    /// Somebody gives up the name that is theirs: they go on as a guest who has it.
    pub(super) fn unregister(&mut self, no: ConnNo, password: &str) -> Result<(), Code> {
        let account = self.conns[no].account.ok_or("not-registered")?;
        self.verify(no, account, password)?;
        self.disown_rooms(account);
        self.unname(account, no);
        self.conns[no].account = None;
        self.accounts[account].is_gone = true;
        self.accounts[account].conn = None;
        let nick = self.accounts[account].nick.shown.clone();
        self.words(no, &[&nick, "is nobody's name now"]);
        Ok(())
    }

    /// The name that somebody has is theirs, as they are and where they are. Only of a name that
    /// was somebody's before it is foretold what follows.
    pub(super) fn register(&mut self, no: ConnNo, password: &str) -> Result<(), Code> {
        if self.conns[no].account.is_some() {
            return Err("already-registered");
        }
        let nick = self.nick(no);
        let mut before = self.accounts.iter().filter(|account| account.nick.key == nick.key);
        if before.next_back().is_none_or(|account| account.password != password) {
            self.is_lost = true;
            return Ok(());
        }
        if self.limits.operators.has(&parsed(&nick.shown)) {
            return Err("not-allowed");
        }
        self.take_hash(no)?;
        let origin = origin(self.conns[no].address);
        Bucket::of(&mut self.hashes, origin).give_back(HASHES);
        let account = self.accounts.len();
        self.enroll(&nick.shown, password);
        let conn = &mut self.conns[no];
        self.accounts[account].conn = Some(no);
        self.accounts[account].habits = Habits {
            is_quiet: conn.is_quiet.then_some(true),
            zone: conn.zone.map(Some),
            wants_receipts: conn.wants_receipts.then_some(true),
            ..conn.habits.clone()
        };
        conn.account = Some(account);
        let rooms: Vec<RoomNo> = conn.rooms.iter().map(|it| it.room).collect();
        rooms.into_iter().for_each(|room| self.note_entered(no, room));
        self.words(no, &[&nick.shown, "is yours now"]);
        Ok(())
    }

    fn come_home(&mut self, no: ConnNo, account: AccountNo) {
        let (nick, seen) = (self.accounts[account].nick.clone(), self.accounts[account].seen);
        let was_in = self.accounts[account].rooms.clone();
        let old = self.accounts[account].conn;
        let was_announced = old.is_some_and(|old| self.take_over(old, no, &nick));
        let had: Vec<RoomNo> = self.conns[no].rooms.iter().map(|it| it.room).collect();
        self.log_out(no);
        self.accounts[account].conn = Some(no);
        self.conns[no].account = Some(account);
        self.serve_as_wanted(no, account);
        match self.conns[no].nick {
            None => self.welcome(no, nick),
            Some(_) => self.rename(no, nick, None),
        }
        let lobby = self.lobby();
        let mut rooms = self.conns[no].rooms.iter_mut();
        if let Some(membership) = rooms.find(|it| Some(it.room) == lobby) {
            membership.is_announced |= was_announced;
        }
        for room in was_in {
            if self.rooms[room].is_there && !had.contains(&room) {
                self.come_back(no, room, seen, old.is_some());
            }
        }
        self.show_directs(no, account);
        self.leave_banned_rooms(no);
        let rooms: Vec<RoomNo> = self.conns[no].rooms.iter().map(|it| it.room).collect();
        rooms.into_iter().for_each(|room| self.note_entered(no, room));
        if let Some(room) = self.conns[no].current().filter(|room| lobby != Some(*room)) {
            let room = format!("#{}", self.rooms[room].name.shown);
            self.words(no, &["you are in", &room]);
        }
    }

    /// The owner comes in elsewhere, and nobody hears that the connection that they had goes; but
    /// for the name, if it was another one. Whether the lobby knew of it.
    fn take_over(&mut self, old: ConnNo, new: ConnNo, nick: &Name) -> bool {
        if self.nick(old) != *nick {
            self.rename(old, nick.clone(), Some(new));
        }
        let lobby = self.lobby();
        let known = self.conns[old].rooms.iter().find(|it| Some(it.room) == lobby);
        let was_announced = known.is_some_and(|it| it.is_announced);
        self.conns[old].paste = None;
        for membership in &mut self.conns[old].rooms {
            membership.is_announced = false;
        }
        self.log_out(old);
        for membership in std::mem::take(&mut self.conns[old].rooms) {
            self.dismiss(old, membership.room);
        }
        self.words(old, &["bye", &nick.shown, "from elsewhere"]);
        self.linger(old);
        was_announced
    }

    fn serve_as_wanted(&mut self, no: ConnNo, account: AccountNo) {
        let (habits, conn) = (&self.accounts[account].habits, &mut self.conns[no]);
        conn.is_quiet = habits.is_quiet.unwrap_or(conn.is_quiet);
        conn.zone = habits.zone.unwrap_or(conn.zone);
        conn.replay_lines = habits.replay_lines.unwrap_or(conn.replay_lines);
        conn.says_emoji = habits.says_emoji.unwrap_or(conn.says_emoji);
        conn.wants_receipts = habits.wants_receipts.unwrap_or(conn.wants_receipts);
        conn.habits.replay_lines = habits.replay_lines.or(conn.habits.replay_lines);
        conn.habits.says_emoji = habits.says_emoji.or(conn.habits.says_emoji);
    }

    /// Who is logged in wants to be served so the next time, too.
    pub(super) fn note_habit(&mut self, no: ConnNo, note: impl Fn(&mut Habits)) {
        note(&mut self.conns[no].habits);
        if let Some(account) = self.conns[no].account {
            note(&mut self.accounts[account].habits);
        }
    }

    fn come_back(&mut self, no: ConnNo, room: RoomNo, seen: u64, was_here: bool) {
        let is_welcomed = self.conns[no].is_in(room);
        let name = format!("#{}", self.rooms[room].name.shown);
        if !is_welcomed {
            if self.has_room_for(no, room).is_err() {
                return self.words(no, &["you are not back in", &name]);
            }
            self.enter_as(no, room, was_here);
        } else {
            // The room that was the current one is so again, the lobby too.
            let memberships = &mut self.conns[no].rooms;
            let at = memberships.iter().position(|it| it.room == room).expect("they are in it");
            let membership = memberships.remove(at);
            memberships.push(membership);
        }
        if was_here {
            return;
        }
        self.rooms[room].waiting.retain(|waiting| *waiting != no);
        let memberships = &mut self.conns[no].rooms;
        memberships.iter_mut().for_each(|it| {
            if it.room == room {
                it.replay_before = None;
            }
        });
        let lines = &self.rooms[room].lines;
        let missed = lines.iter().filter(|line| line.said_as > seen).count();
        let what = match missed {
            0 if is_welcomed => return,
            0 => "nothing".to_owned(),
            1 => "1 line".to_owned(),
            many => format!("{many} lines"),
        };
        let all = lines.len();
        self.line(no, &format!("* you are back in {name}; you missed {what}"));
        let most = missed.min(self.conns[no].replay_lines);
        self.show_last(no, room, all, most, i64::MIN);
    }

    fn show_directs(&mut self, no: ConnNo, account: AccountNo) {
        let zone = self.conns[no].ahead();
        let directs = self.accounts[account].directs.clone();
        let number = match directs.len() {
            0 => return,
            1 => "1 line".to_owned(),
            many => format!("{many} lines"),
        };
        self.conns[no].directs_shown = directs.len();
        self.line(no, &format!("* {number} for you alone came while you were away"));
        for (unix, nick, text) in directs {
            let (day, time) = (look::date(unix + zone), time_of_day(unix + zone));
            self.line(no, &format!("* {day} {time} @{nick}: {text}"));
        }
        self.line(no, "* end of what came while you were away");
    }

    /// The owner has typed something: what they were shown has arrived.
    pub(super) fn note_directs_seen(&mut self, no: ConnNo) {
        let shown = std::mem::take(&mut self.conns[no].directs_shown);
        if let Some(account) = self.conns[no].account {
            self.accounts[account].directs.drain(..shown);
        }
    }

    /// Says something to an owner who is not here; nothing if nobody owns that name.
    pub(super) fn leave_direct(
        &mut self,
        no: ConnNo,
        typed: &str,
        text: &str,
    ) -> Option<Result<(), Code>> {
        let account = self.account_named(typed)?;
        if let Err(code) = self.may_whisper(no, Some(account)) {
            return Some(Err(code));
        }
        let (unix, from, text) = (self.unix, self.nick(no).shown, self.as_said(no, text));
        self.accounts[account].directs.push((unix, from, text));
        let nick = self.accounts[account].nick.shown.clone();
        self.words(no, &[&nick, "is not here", "your line is kept"]);
        Some(Ok(()))
    }

    pub(super) fn log_out(&mut self, no: ConnNo) {
        let said = self.said;
        if let Some(account) = self.conns[no].account.take() {
            let account = &mut self.accounts[account];
            (account.conn, account.seen) = (None, said);
        }
        self.conns[no].directs_shown = 0;
    }

    /// An owner is in a room from now on, until they leave it.
    pub(super) fn note_entered(&mut self, no: ConnNo, room: RoomNo) {
        let Some(account) = self.conns[no].account else { return };
        if !self.accounts[account].rooms.contains(&room) {
            self.accounts[account].rooms.push(room);
            self.keep(room);
        }
    }

    /// A room has become the current one.
    pub(super) fn note_current(&mut self, no: ConnNo, room: RoomNo) {
        let Some(account) = self.conns[no].account else { return };
        self.accounts[account].rooms.retain(|it| *it != room);
        self.note_entered(no, room);
    }

    /// An owner has left a room, or was put out.
    pub(super) fn note_left(&mut self, no: ConnNo, room: RoomNo) {
        if let Some(account) = self.conns[no].account {
            self.accounts[account].rooms.retain(|it| *it != room);
        }
    }

    /// As many rooms may be somebody's own as they may be in, and half of all rooms are nobody's.
    pub(super) fn may_own_another(&self, no: ConnNo) -> Result<(), Code> {
        let (owner, most) = (self.conns[no].account, self.limits.rooms_per_user_max);
        let (Some(owner), Some(most)) = (owner, most) else { return Ok(()) };
        let rooms = self.rooms.iter().filter(|room| room.is_there);
        let owners: Vec<AccountNo> = rooms.filter_map(|room| room.owner).collect();
        let own = owners.iter().filter(|it| **it == owner).count();
        let all_max = self.limits.rooms_max.map_or(usize::MAX, |most| most.div_ceil(2));
        let is_too_many = own >= most || owners.len() >= all_max;
        if is_too_many { Err("too-many-rooms") } else { Ok(()) }
    }
}

fn parsed(name: &str) -> Nick {
    Nick::parse(name, None).expect("the names of members are names")
}
