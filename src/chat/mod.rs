//! The rules of the conversation: users, rooms, commands and their limits.
//!
//! One door: [`Chat::handle`] takes an [`Input`] and the time, and puts what follows from it into
//! an [`Outbox`]. One deadline: [`Chat::deadline`] says when to come back with [`Input::Time`].
//! Promises: nothing here blocks, fails, logs, reads a clock or sees a byte that is not already a
//! clean line; the same inputs give the same outputs. Deliberately ignorant of sockets, bytes and
//! English.
//!
//! The rules stand in the files of this folder by what they are about: `naming` (the first line,
//! `/nick`), `login` (names that are somebody's), `admission` (who
//! comes in without one), `invites` (how they get one), `back` (after a login), `talk` (saying and
//! whispering), `paste` (many lines as one), `moves` (entering, leaving, parting), `own` (rooms
//! that are somebody's), `ranks` and `operate` (operators, and what they do), `slow` (a line in so
//! many seconds), `moderate` (kicking, banning, muting), `standing` (what that keeps somebody
//! from), `tokens` (names for bots), `look` (who, rooms, topic, help), `recall`
//! (what was said before), `whole` (all of one line), `wishes` (how it is for you), `habits` (how
//! it is after the next login), `limits` (and when they change), `receipts` (what became of what
//! you said to one person) and [`oversee`] (what only the operator of the server sees).
//! [`record`] is what is logged of operators, [`kept`] is what outlives the process, [`asked`] what
//! happens when an answer comes.

pub mod accounts;
pub mod admission;
pub mod asked;
mod audience;
mod back;
pub mod chunks;
pub mod command;
pub mod complete;
pub mod emoji;
pub mod event;
mod habits;
pub mod history;
mod input;
pub mod invites;
pub mod kept;
pub mod keyed;
mod limits;
pub mod lock;
pub mod login;
mod look;
pub mod moderate;
pub mod moment;
mod moves;
pub mod name;
mod naming;
pub mod network;
mod operate;
pub mod outbox;
pub mod oversee;
mod own;
pub mod pace;
pub mod paste;
mod peer;
pub mod ranks;
pub mod recall;
pub mod receipts;
pub mod record;
pub mod refusal;
pub mod room;
pub mod sanctions;
pub mod settings;
pub mod slow;
mod standing;
mod talk;
mod timers;
pub mod tokens;
pub mod user;
mod whole;
mod wishes;

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::time::Duration;

use accounts::Accounts;
use command::{Command, Verb};
use event::{Event, Parting, PasteNews, Refusal};
pub use input::Input;
use invites::Invite;
use kept::{Answer, Kept, Question};
use keyed::Keyed;
pub use limits::Limits;
use name::{Nick, RoomName};
use outbox::Outbox;
pub use peer::{ConnId, Origin};
use receipts::Receipts;
use room::{RoomId, Rooms};
use sanctions::Sanctions;
use settings::Face;
use timers::{Timer, Timers};
use user::{User, Users};
use whole::Wholes;

/// The time: read once a turn, by the server, and handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines: how long since the start. It never goes back.
    pub mono: Duration,
    /// For people: seconds since 1970 UTC. It may jump.
    pub unix: i64,
    /// The server's zone: seconds that its clock is ahead of UTC.
    pub zone_secs: i32,
}

/// What becomes of the next line of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// It is taken for a name.
    Nameless,
    /// It is taken for a password.
    Password,
    /// It is taken into a block.
    Block,
    /// It is said in no room.
    Nowhere,
    /// It is said in that room.
    Room(&'a RoomName),
}

/// The conversation.
#[derive(Debug)]
pub struct Chat {
    limits: Limits,
    secret: Keyed,
    users: Users,
    rooms: Rooms,
    accounts: Accounts,
    timers: Timers,
    receipts: Receipts,
    /// The number of the last guest; never given twice, so that an answer reaches nobody else.
    guests: u64,
    /// The id of the next line.
    next_line: u64,
    /// Who is banned or muted everywhere.
    everywhere: Sanctions,
    /// What was done of that while nothing could be kept.
    sanctions_due: standing::Due,
    /// When the input at hand came, in seconds since 1970 UTC: what ends by then does not hold.
    unix: i64,
    /// The last blocks, whole.
    wholes: Wholes,
    /// Bytes of all blocks that are being typed.
    pasting: usize,
    /// What is given away to be kept is kept at present.
    is_keeping: bool,
    /// Invitations that somebody is using just now: of one connection each.
    redeeming: BTreeSet<Invite>,
    /// Counts the entries into rooms.
    entries: u64,
    /// Counts what is derived from the secret: ids of connections, salts.
    derived: u64,
}

impl Chat {
    /// A conversation without anybody. `secret` keys the hash tables, the ids of connections and
    /// the salts; it must be unpredictable, except where runs are to be repeated.
    pub fn new(limits: Limits, secret: [u8; 16], now: Now) -> Chat {
        Chat::restore(limits, secret, &Kept::default(), now)
    }

    /// A conversation that goes on where another one ended: without anybody, but with the rooms
    /// and the accounts that were kept.
    pub fn restore(limits: Limits, secret: [u8; 16], kept: &Kept, now: Now) -> Chat {
        let key = Keyed::new(secret);
        let mut rooms = Rooms::new(key, kept.next_room);
        kept.rooms.iter().for_each(|room| rooms.restore(room, now.mono));
        rooms.restore_ranks(kept);
        if let Some(lobby) = &limits.lobby {
            rooms.make_permanent(lobby.clone(), now.mono);
        }
        let mut chat = Chat {
            limits,
            secret: key,
            users: Users::new(key),
            rooms,
            accounts: Accounts::restore(key, &kept.accounts, kept.next_account),
            timers: Timers::default(),
            receipts: Receipts::default(),
            guests: 0,
            next_line: kept.next_line.max(1),
            everywhere: Sanctions::default(),
            sanctions_due: standing::Due::default(),
            unix: now.unix,
            wholes: Wholes::default(),
            pasting: 0,
            is_keeping: true,
            redeeming: BTreeSet::new(),
            entries: 0,
            derived: 0,
        };
        chat.restore_sanctions(&kept.sanctions);
        chat
    }

    /// What to ask for before anybody comes: the older lines of the lobby, which nobody enters by
    /// asking.
    pub fn first_question(&self) -> Option<Question> {
        let lobby = self.lobby().map(|id| self.rooms.at(id)).filter(|lobby| lobby.is_cold)?;
        Some(lobby.question_for_tail(self.next_line))
    }

    /// The answer to [`Chat::first_question`].
    pub fn begin_with(&mut self, answer: &Answer) {
        if let (Some(lobby), Answer::Lines { lines, .. }) = (self.lobby(), answer) {
            self.rooms.at_mut(lobby).recall(lines);
        }
    }

    /// What becomes of the next line of a connection.
    pub fn place_of(&self, conn: ConnId) -> Place<'_> {
        let Some(user) = self.users.find(conn) else { return Place::Nameless };
        if user.awaited_login().is_some() {
            return Place::Password;
        }
        if user.is_pasting() {
            return Place::Block;
        }
        match (user.nick(), self.room_of(conn)) {
            (None, _) => Place::Nameless,
            (Some(_), None) => Place::Nowhere,
            (Some(_), Some(room)) => Place::Room(room),
        }
    }

    /// The room in which a connection's bare text is said.
    pub fn room_of(&self, conn: ConnId) -> Option<&RoomName> {
        let room = self.users.find(conn)?.current_room()?;
        self.rooms.find(room).map(|room| &room.name)
    }

    /// Bytes of a block at most.
    pub fn paste_bytes_max(&self) -> usize {
        self.limits.paste_bytes_max
    }

    /// How many have a name.
    pub fn people(&self) -> usize {
        self.users.people()
    }

    /// The name of who is behind a connection, if there is anybody and they have one.
    pub fn nick_of(&self, conn: ConnId) -> Option<&str> {
        self.users.find(conn)?.nick().map(Nick::as_str)
    }

    /// How many connections there are, named or not.
    pub fn connected(&self) -> usize {
        self.users.connected()
    }

    /// The rooms there are, for tests and figures.
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// When [`Input::Time`] is due, since start.
    pub fn deadline(&self) -> Option<Duration> {
        self.timers.deadline()
    }

    /// Takes one input, and puts all that follows from it into the outbox, which must be empty.
    /// Input of connections that are gone is ignored.
    pub fn handle(&mut self, input: Input<'_>, now: Now, out: &mut Outbox) {
        self.unix = now.unix;
        match input {
            Input::Open { conn, origin } => self.open(conn, origin, now, out),
            Input::Time => self.expire(now, out),
            Input::Line { conn, .. }
            | Input::Command { conn, .. }
            | Input::Block { conn, .. }
            | Input::TooLong { conn, .. }
            | Input::Interrupt { conn }
            | Input::AreYouThere { conn }
            | Input::Slowed { conn, .. }
            | Input::Ended { conn, .. }
            | Input::Answer { conn, .. }
            | Input::Terminal { conn, .. }
            | Input::Barred { conn, .. }
            | Input::Typing { conn }
                if self.users.find(conn).is_none() => {}
            Input::Line { conn, text } => self.line(conn, text, now, out),
            Input::Command { conn, command } => self.command(conn, command, now, out),
            Input::Block { conn, room, text } => self.block(conn, room, text, now, out),
            Input::TooLong { conn, bytes_max } => {
                let user = self.users.at_mut(conn);
                user.typed_at = now.mono.into();
                self.note_seen(conn, out);
                out.refuse(
                    conn,
                    match self.users.at(conn).is_pasting() {
                        true => Refusal::LineLeftOut { bytes_max },
                        false => Refusal::LineTooLong { bytes_max },
                    },
                );
            }
            Input::Interrupt { conn } => {
                let was_pasting = self.take_paste(conn).is_some();
                out.tell(
                    conn,
                    if was_pasting { Event::Paste(PasteNews::Dropped) } else { Event::Interrupted },
                );
            }
            Input::AreYouThere { conn } => out.tell(conn, Event::Here),
            Input::Slowed { conn, per_second } => out.tell(conn, Event::Slowed { per_second }),
            Input::Ended { conn, parting } => self.part(conn, parting, now, out),
            Input::Answer { conn, answer } => self.answered(conn, answer, now, out),
            Input::Barred { conn, address } => self.bar(conn, address, now, out),
            Input::Terminal { conn, is_on } => self.note_terminal(conn, is_on, out),
            Input::Typing { conn } => self.typing(conn, out),
            Input::Receipt { from, to, is_taken } => self.delivered(from, to, is_taken, out),
            Input::Keeping { is_kept } => self.note_keeping(is_kept, out),
            Input::Stopping(when) => self.tell_stop(when, out),
        }
    }

    fn open(&mut self, conn: ConnId, origin: Origin, now: Now, out: &mut Outbox) {
        let id = self.derive();
        self.users.insert(User::new(conn, origin, id, now));
        if let Some(at) = self.name_due_at(conn) {
            self.timers.await_name(at, conn);
        }
        self.greet(conn, out);
    }

    /// When the connection should have a name, since start.
    fn name_due_at(&self, conn: ConnId) -> Option<Duration> {
        let since = self.users.at(conn).since.since_start();
        self.limits.name_timeout.map(|timeout| since + timeout)
    }

    /// The connection has a name now, or needs none.
    fn await_no_name(&mut self, conn: ConnId) {
        if let Some(at) = self.name_due_at(conn) {
            self.timers.name_came(at, conn);
        }
    }

    /// The next number that nobody without the secret can guess.
    fn derive(&mut self) -> u64 {
        self.derived += 1;
        self.secret.hash_one(("derived", self.derived))
    }

    fn line(&mut self, conn: ConnId, text: &str, now: Now, out: &mut Outbox) {
        let user = self.users.at_mut(conn);
        user.typed_at = now.mono.into();
        let (awaited_login, is_pasting) = (user.awaited_login(), user.is_pasting());
        if user.directs_shown() > 0 {
            self.note_directs_seen(conn, out);
        }
        if !self.receipts.is_empty() {
            self.note_seen(conn, out);
        }
        if is_pasting {
            return self.paste_line(conn, text, now, out);
        }
        if let Some(account) = awaited_login {
            return self.password_line(conn, account, text, now, out);
        }
        if self.users.at(conn).nick().is_none() {
            return self.line_before_name(conn, text, now, out);
        }
        match Command::parse(text) {
            Ok(command) => self.obey_allowed(conn, command, now, out),
            Err(refusal) => self.refuse_unread(conn, refusal, out),
        }
    }

    /// A connection asks something that is not a line, and so no password.
    fn command(&mut self, conn: ConnId, command: Command<'_>, now: Now, out: &mut Outbox) {
        let user = self.users.at_mut(conn);
        user.typed_at = now.mono.into();
        let awaited_login = user.awaited_login();
        if user.directs_shown() > 0 {
            self.note_directs_seen(conn, out);
        }
        self.note_seen(conn, out);
        if let Some(account) = awaited_login {
            return self.command_for_password(conn, account, command, now, out);
        }
        match self.users.at(conn).nick() {
            None => self.obey_before_name(conn, command, now, out),
            Some(_) => self.obey_allowed(conn, command, now, out),
        }
    }

    /// Does what a line asks. The connection has a name, except for what
    /// `naming::needs_no_name` lists.
    fn obey(&mut self, conn: ConnId, command: Command<'_>, now: Now, out: &mut Outbox) {
        let done = match command {
            Command::Nothing => Ok(()),
            Command::Say(text) => self.say(conn, text, false, now, out),
            Command::SayIn(room, text) => self.say_in(conn, room, text, now, out),
            Command::Act(text) => self.say(conn, text, true, now, out),
            Command::Whisper(nick, text) => self.whisper(conn, nick, text, now, out),
            Command::Join(room, password) => self.join(conn, room, password, now, out),
            Command::Leave(room) => self.leave(conn, room, now, out),
            Command::Who(None) => self.who(conn, out),
            Command::Who(Some(word)) => self.who_is(conn, word, now, out),
            Command::Rooms => self.list_rooms(conn, out),
            Command::Nick(name) => self.nick(conn, name, now, out),
            Command::Topic(room) => self.topic(conn, room, out),
            Command::SetTopic(room, text) => self.set_topic(conn, room, text, now, out),
            Command::Ignores => self.list_ignores(conn, out),
            Command::Ignore(nick) => self.ignore(conn, nick, out),
            Command::Unignore(nick) => self.unignore(conn, nick, out),
            Command::Away(text) => self.away(conn, text, out),
            Command::Quiet(is_on) => self.quiet(conn, is_on, out),
            Command::Time(zone) => self.time(conn, zone, out),
            Command::Replay(lines) => self.replay_lines(conn, lines, out),
            Command::History(room, span) => self.history(conn, room, span, now, out),
            Command::Search(words, room, nick) => self.search(conn, words, room, nick, out),
            Command::Register(code, password) => self.register(conn, code, password, now, out),
            Command::Login(nick, password) => self.login(conn, nick, password, now, out),
            Command::Password(old, new) => self.change_password(conn, old, new, now, out),
            Command::Unregister(password) => self.unregister(conn, password, now, out),
            Command::Lock(room, password) => self.lock_room(conn, room, password, now, out),
            Command::Unlock(room) => self.unlock_room(conn, room, out),
            Command::Close(room) => self.close_room(conn, room, now, out),
            Command::Operators(room) => self.list_operators(conn, room, out),
            Command::Op(room, nick) => self.set_operator(conn, room, nick, true, out),
            Command::Deop(room, nick) => self.set_operator(conn, room, nick, false, out),
            Command::Slow(room, seconds) => self.set_slow(conn, room, seconds, out),
            Command::Announce(text) => self.announce(conn, text, out),
            Command::Moderate(moderation) => self.moderate_as(conn, moderation, now, out),
            Command::TokenNew(name, rooms, rate) => {
                self.make_token(conn, name, rooms, rate, now, out)
            }
            Command::Tokens => self.list_tokens(conn, out),
            Command::TokenDrop(name) => self.drop_token(conn, name, now, out),
            Command::Paste(room) => self.paste(conn, room, out),
            Command::Show(id) => self.show(conn, id, out),
            Command::Tty(false) => self.change_face(conn, Face::Lines, out),
            Command::Tty(true) => self.change_face(conn, Face::Terminal, out),
            Command::Telnet => self.negotiate(conn, out),
            Command::Json => self.change_face(conn, Face::Json, out),
            Command::Set(setting) => self.set(conn, setting, out),
            Command::Help => self.help(conn, None, out),
            Command::HelpOn(verb) => self.help(conn, Some(verb), out),
            Command::Quit => {
                self.part(conn, Parting::Quit, now, out);
                Ok(())
            }
        };
        if let Err(refusal) = done {
            out.refuse(conn, refusal);
        }
    }

    /// A program stays one: it has no lines to be edited, and answers are what it waits for.
    fn change_face(&mut self, conn: ConnId, face: Face, out: &mut Outbox) -> Result<(), Refusal> {
        if face != Face::Json && self.users.at(conn).face() == Face::Json {
            return Err(Refusal::NotForPrograms);
        }
        self.become_face(conn, face, out);
        Ok(())
    }

    /// Asks a telnet client to let its lines be edited here.
    fn negotiate(&self, conn: ConnId, out: &mut Outbox) -> Result<(), Refusal> {
        if self.users.at(conn).face() == Face::Json {
            return Err(Refusal::NotForPrograms);
        }
        out.negotiate(conn);
        Ok(())
    }

    fn help(&self, conn: ConnId, verb: Option<Verb>, out: &mut Outbox) -> Result<(), Refusal> {
        out.tell(conn, verb.map_or(Event::Help, Event::HelpOn));
        Ok(())
    }

    /// Does the next thing that is due, and no more: between two of them the caller can send.
    fn expire(&mut self, now: Now, out: &mut Outbox) {
        match self.timers.take_due(now.mono) {
            None => {}
            Some(Timer::Name(conn)) => self.check_name(conn, now, out),
            Some(Timer::Arrival(conn)) => self.announce_arrival(conn, now, out),
            Some(Timer::Replay(conn)) => self.replay_after_pause(conn, now, out),
            Some(Timer::Tally(room)) => self.tell_tally(room, out),
        }
    }

    /// The time is over in which a connection should have got a name.
    fn check_name(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        if self.users.find(conn).is_some_and(|user| user.nick().is_none()) {
            self.part(conn, Parting::NoName, now, out);
        }
    }

    /// Panics when the tables disagree. Linear: for tests.
    pub fn assert_invariants(&self) {
        let mut memberships = 0;
        for user in self.users.people_iter() {
            for membership in &user.rooms {
                let member = &self.rooms.at(membership.room).members()[membership.place as usize];
                assert_eq!(member.conn, user.conn, "a membership points to its member");
                assert_eq!(member.is_quiet(), user.is_quiet, "a member is as quiet as the user");
                assert_eq!(member.is_ignoring(), !user.ignored().is_empty(), "ignoring is known");
                memberships += 1;
            }
        }
        let members: usize = self.rooms.iter().map(|(_, room)| room.members().len()).sum();
        assert_eq!(memberships, members, "every member has a membership");
        let is_here = |conn| self.users.find(conn).is_some();
        assert!(self.receipts.unseen().all(is_here), "who is gone will see nothing");
        let pasting: usize = self.users.people_iter().map(paste::bytes_of).sum();
        assert_eq!(pasting, self.pasting, "the bytes of blocks are counted");
        for (_, room) in self.rooms.iter() {
            let is_forgotten =
                room.is_locked() && room.owner.is_none() && room.members().is_empty();
            assert!(!is_forgotten, "a locked room goes with its last member");
        }
        for (members, id) in self.rooms.fullest() {
            let room = self.rooms.at(id);
            assert!(!room.is_locked(), "a room is open or locked");
            assert_eq!(room.members().len(), members, "a room is ranked by its members");
        }
        let listed = self.rooms.fullest().count() + self.rooms.locked().count();
        assert_eq!(listed, self.rooms.len(), "every room is listed");
    }

    /// The room that the permanent one is, if there is any.
    fn lobby(&self) -> Option<RoomId> {
        self.rooms.permanent()
    }
}
