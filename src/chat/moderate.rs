//! Kicking, banning and muting: in a room by its operators, everywhere by those of the server.
//!
//! Promises: nobody in the conversation does that to an operator of the server, to the owner of a
//! room as a mere operator of it, or to themself; the console, which stands above them all, does; a
//! room is told of all that is done in it; what was done is recorded, and holds until its end, over
//! restarts too. Deliberately looks at no line that is said: who may not speak is asked in
//! `standing`.

use std::rc::Rc;

use ipnet::IpNet;

use super::command::{Measure, Moderation, Verb, Where, Who};
use super::event::{Act, Deed, Event, ModerationFault, Parting, Refusal, Subject};
use super::kept::Change;
use super::name::{Nick, key_of};
use super::network;
use super::outbox::{Audience, Outbox};
use super::ranks::{Place, Rank};
use super::record::{Record, Recorded};
use super::room::RoomId;
use super::sanctions::{EVERYWHERE_MAX, Kind, OF_ROOM_MAX, Person, Sanction, Target};
use super::{Chat, ConnId, Now};

/// How many bytes of a reason are shown and kept; the rest is cut off.
pub const WHY_BYTES_MAX: usize = 200;

/// How many bans, or mutes, one list shows.
pub const LISTED_MAX: usize = 100;

/// How the console is called, to those whom it does something to, and where that is kept.
const CONSOLE: &str = "the operator";

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Somebody in the conversation.
    User(ConnId),
    /// Whoever runs the server.
    Console,
}

/// To whom something is done.
#[derive(Clone, Debug)]
struct Whom {
    target: Target,
    /// As they are shown now.
    name: Rc<str>,
    /// As they are listed.
    listed: String,
    /// The connection that has the name.
    conn: Option<ConnId>,
    /// Whose it is: the account, or whose bot it is.
    account: Option<u64>,
}

/// What was done, and who is to be told of it.
struct Done {
    event: Event,
    rooms: Vec<RoomId>,
    /// Somebody else, who may be in none of the rooms.
    other: Option<ConnId>,
}

impl Chat {
    /// Does what a user wants to be done.
    pub(super) fn moderate_as(
        &mut self,
        conn: ConnId,
        moderation: Moderation<'_>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let done = self.moderate_by(By::User(conn), moderation, now, out)?;
        record(Some(conn), &done.event, out);
        self.tell_done(&done, Some(conn), out);
        Ok(())
    }

    /// Does what whoever runs the server wants to be done, and says what that was; a place that is
    /// not named is everywhere. What follows from it is put into the outbox.
    ///
    /// # Errors
    /// As the same is refused to a user; but it may be done to operators of the server.
    pub fn moderate(
        &mut self,
        moderation: Moderation<'_>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Event, Refusal> {
        self.unix = now.unix;
        let done = self.moderate_by(By::Console, moderation, now, out)?;
        record(None, &done.event, out);
        self.tell_done(&done, None, out);
        Ok(done.event)
    }

    /// Tells rooms what was done in them; and who did it, or had it done to them, if they are in
    /// none of them.
    fn tell_done(&self, done: &Done, doer: Option<ConnId>, out: &mut Outbox) {
        let is_listed = |conn: ConnId| {
            let Some(user) = self.users.find(conn) else { return true };
            done.rooms.iter().any(|room| user.is_in(*room))
        };
        let other = done.other.filter(|other| Some(*other) != doer);
        for conn in doer.into_iter().chain(other).filter(|conn| !is_listed(*conn)) {
            out.tell(conn, done.event.clone());
        }
        if !done.rooms.is_empty() {
            let audience = Audience::Members { rooms: done.rooms.clone() };
            out.publish(audience, done.event.clone());
        }
    }

    fn moderate_by(
        &mut self,
        by: By,
        Moderation { place, measure }: Moderation<'_>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Done, Refusal> {
        let place = match (place, by) {
            (Where::Everywhere, _) | (Where::Here, By::Console) => Place::Everywhere,
            (Where::Room(room), _) => Place::Room(self.room_named(room)?),
            (Where::Here, By::User(conn)) => {
                Place::Room(self.users.at(conn).current_room().ok_or(Refusal::NoRoom)?)
            }
        };
        let doer_in = match (by, place) {
            (By::User(conn), Place::Room(id)) => Some((conn, id)),
            _ => None,
        };
        if self.rank_of_doer(by, place) == Rank::Nobody {
            doer_in.map_or(Ok(()), |(conn, id)| self.check_not_banned(conn, id))?;
            return refused(match place {
                Place::Room(id) if !self.has_operators(id) => {
                    ModerationFault::NoOperators { room: self.rooms.at(id).name.clone() }
                }
                _ => ModerationFault::NoOperator { room: self.name_of(place) },
            });
        }
        // A reason is said, and so is each name that nobody has; and nobody below an operator of
        // the server lifts what holds for themself.
        if !matches!(measure, Measure::List { .. }) {
            doer_in.map_or(Ok(()), |(conn, id)| self.check_may_rule(conn, id))?;
        }
        match measure {
            Measure::List { kind } => Ok(self.list_sanctions(kind, place)),
            Measure::Kick { who, why } => self.kick(by, place, who, why, now, out),
            Measure::Forbid { kind, who, secs, why } => {
                let whom = self.whom(kind, who, place)?;
                self.check_doable(by, &whom, place)?;
                let deed = Deed {
                    act: if kind == Kind::Ban { Act::Banned } else { Act::Muted },
                    end: secs.map(|secs| now.unix.saturating_add(secs)),
                    ..self.deed(by, place, Subject::new(&whom.target, &whom.name), why)
                };
                let sanction = Sanction {
                    kind,
                    target: whom.target,
                    name: whom.listed,
                    end: deed.end,
                    why: deed.why.as_deref().map(str::to_owned),
                    by: self.kept_as(by),
                    unix: now.unix,
                };
                self.forbid(sanction, whom.conn, place, deed, now, out)
            }
            Measure::Allow { kind, who } => self.allow(by, kind, who, place, out),
        }
    }

    fn rank_of_doer(&self, by: By, place: Place) -> Rank {
        match by {
            By::User(conn) => self.rank_in(conn, place),
            By::Console => Rank::ServerOperator,
        }
    }

    /// Who does something, as that is kept: a name that means the same later.
    fn kept_as(&self, by: By) -> String {
        match by {
            By::User(conn) => self.own_name_of(conn).unwrap_or_default().to_owned(),
            By::Console => CONSOLE.to_owned(),
        }
    }

    /// What somebody does now; to be completed.
    fn deed(&self, by: By, place: Place, who: Subject, why: Option<&str>) -> Deed {
        let by = match by {
            By::User(conn) => Some(Rc::from(self.users.nick(conn).as_str())),
            By::Console => Some(Rc::from(CONSOLE)),
        };
        let why = why.map(|why| Rc::from(&why[..why.floor_char_boundary(WHY_BYTES_MAX)]));
        Deed { act: Act::Kicked, room: self.name_of(place), who, by, end: None, why }
    }

    /// Whom a word means: somebody who is here, an owner who is not, an address, or for a ban a
    /// name that nobody has.
    fn whom(&self, kind: Kind, who: Who<'_>, place: Place) -> Result<Whom, Refusal> {
        let typed = who.typed().trim_start_matches('@');
        let key = key_of(typed);
        let conn = self.users.named(&key);
        if let Some(network) = network_meant(who) {
            if place == Place::Everywhere && kind == Kind::Ban {
                // A slip of a digit or two is not to keep everybody out.
                if network.prefix_len() == 0 {
                    return refused(ModerationFault::AllAddresses { typed: typed.to_owned() });
                }
                let listed = network::shown(network);
                let (name, target) = (Rc::from(&*listed), Target::Network(network));
                return Ok(Whom { target, name, listed, conn: None, account: None });
            }
            if conn.is_none() || matches!(who, Who::Address(_)) {
                return refused(ModerationFault::AddressInRoom);
            }
        }
        if matches!(who, Who::Address(_)) {
            return refused(ModerationFault::NoAddress { typed: typed.to_owned() });
        }
        if let Some(conn) = conn {
            return Ok(self.whom_at(conn));
        }
        if let Some(account) = self.accounts.named(&key).and_then(|it| self.accounts.find(it)) {
            return Ok(Whom {
                target: Target::Account(account.serial),
                name: Rc::from(account.nick.as_str()),
                listed: account.nick.as_str().to_owned(),
                conn: account.conn,
                account: Some(account.bot.as_ref().map_or(account.serial, |bot| bot.owner)),
            });
        }
        self.check_no_room(if kind == Kind::Ban { Verb::Ban } else { Verb::Mute }, who)?;
        // Nobody would be kept out by that, and whoever typed it would believe so.
        if kind == Kind::Ban && is_like_address(who) {
            return refused(ModerationFault::NoAddress { typed: typed.to_owned() });
        }
        match Nick::parse(typed, None) {
            Ok(nick) if kind == Kind::Ban => Ok(Whom {
                target: Target::Nick(nick.key().to_owned()),
                name: Rc::from(nick.as_str()),
                listed: nick.as_str().to_owned(),
                conn: None,
                account: None,
            }),
            _ => Err(Refusal::NoSuchUser { typed: typed.to_owned(), meant: None }),
        }
    }

    /// Nobody has that name: whether it is no room's either, which was meant then.
    fn check_no_room(&self, verb: Verb, who: Who<'_>) -> Result<(), Refusal> {
        let Who::Either(typed) = who else { return Ok(()) };
        match self.rooms.named(&key_of(typed)) {
            Some(id) if !typed.starts_with('@') => {
                refused(ModerationFault::IsRoom { verb, room: self.rooms.at(id).name.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Who is behind a connection that has a name.
    fn whom_at(&self, conn: ConnId) -> Whom {
        let nick = self.users.nick(conn);
        let accounts = self.accounts_of(self.users.at(conn));
        let account = accounts[0].and_then(|serial| self.accounts.find(serial));
        Whom {
            target: match account {
                Some(account) => Target::Account(account.serial),
                None => Target::Nick(nick.key().to_owned()),
            },
            name: Rc::from(nick.as_str()),
            listed: account.map_or(nick.as_str(), |it| it.nick.as_str()).to_owned(),
            conn: Some(conn),
            account: accounts[1].or(accounts[0]),
        }
    }

    /// Whether that may be done to them by who wants it.
    fn check_doable(&self, by: By, whom: &Whom, place: Place) -> Result<(), Refusal> {
        // Or nobody could do anything about an operator whose account is stolen.
        let By::User(conn) = by else { return Ok(()) };
        let own = self.users.at(conn).account().map(Target::Account);
        if whom.conn == Some(conn) || own.as_ref() == Some(&whom.target) {
            return refused(ModerationFault::Oneself);
        }
        if let Target::Network(network) = &whom.target {
            if self.users.at(conn).origin.is_in(*network) {
                return refused(ModerationFault::OwnAddress);
            }
            if let Some(who) = self.operator_in(*network) {
                return refused(ModerationFault::Operator { who });
            }
        }
        let who = Rc::clone(&whom.name);
        match whom.account.map_or(Rank::Nobody, |account| self.rank_of(account, place)) {
            Rank::ServerOperator => refused(ModerationFault::Operator { who }),
            Rank::RoomOwner if self.rank_of_doer(by, place) < Rank::RoomOwner => {
                refused(ModerationFault::Owner { who })
            }
            _ => Ok(()),
        }
    }

    /// Somebody who is here from that network, and is an operator of the server or a bot of one.
    fn operator_in(&self, network: IpNet) -> Option<Rc<str>> {
        let there = self.users.people_iter().filter(|user| user.origin.is_in(network));
        let operators = there.filter(|user| {
            let accounts = self.accounts_of(user);
            let rank = |account| self.rank_of(account, Place::Everywhere);
            accounts[1].or(accounts[0]).map(rank) == Some(Rank::ServerOperator)
        });
        operators.filter_map(|user| user.nick()).min().map(|nick| Rc::from(nick.as_str()))
    }

    fn kick(
        &mut self,
        by: By,
        place: Place,
        who: Who<'_>,
        why: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Done, Refusal> {
        let typed = who.typed().trim_start_matches('@');
        let key = key_of(typed);
        let of_owner = || self.accounts.find(self.accounts.named(&key)?)?.conn;
        let conn = self.users.named(&key).or_else(of_owner);
        let Some(conn) = conn else {
            self.check_no_room(Verb::Kick, who)?;
            return Err(Refusal::NoSuchUser { typed: typed.to_owned(), meant: None });
        };
        let whom = self.whom_at(conn);
        self.check_doable(by, &whom, place)?;
        let deed = self.deed(by, place, Subject::Nick(whom.name), why);
        let rooms = match place {
            Place::Room(id) if !self.users.at(conn).is_in(id) => {
                let room = self.rooms.at(id).name.clone();
                return refused(ModerationFault::NotInRoom { nick: self.users.nick(conn), room });
            }
            Place::Room(id) => {
                self.expel_from(conn, id, deed.clone(), out);
                vec![id]
            }
            Place::Everywhere => self.expel(conn, Parting::Kicked, deed.clone(), now, out),
        };
        Ok(done(deed, rooms, None))
    }

    /// Bans or mutes somebody.
    fn forbid(
        &mut self,
        sanction: Sanction,
        conn: Option<ConnId>,
        place: Place,
        deed: Deed,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Done, Refusal> {
        let (kind, target) = (sanction.kind, sanction.target.clone());
        let (table, most) = match place {
            Place::Everywhere => (&mut self.everywhere, EVERYWHERE_MAX),
            Place::Room(id) => {
                (&mut **self.rooms.at_mut(id).sanctions.get_or_insert_default(), OF_ROOM_MAX)
            }
        };
        if table.len() >= most {
            table.expire(now.unix);
        }
        let is_new = table.find(kind, &target, now.unix).is_none();
        if is_new && table.len() >= most {
            return refused(ModerationFault::Full { most });
        }
        table.insert(sanction.clone(), conn);
        self.keep_sanction(place, kind, target.clone(), Some(sanction), out);
        let (rooms, other) = match (kind, place) {
            (Kind::Mute, Place::Room(id)) => (vec![id], conn),
            (Kind::Mute, Place::Everywhere) => (self.rooms_of(conn), conn),
            (Kind::Ban, Place::Room(id)) => {
                // Who is put out is told so.
                let other = conn.filter(|conn| !self.users.at(*conn).is_in(id));
                self.empty_of_banned(id, &target, &deed, out);
                (vec![id], other)
            }
            (Kind::Ban, Place::Everywhere) => (self.expel_banned(&target, &deed, now, out), None),
        };
        Ok(done(deed, rooms, other))
    }

    /// Takes those who are banned from a room now out of it, and an owner who is away.
    fn empty_of_banned(&mut self, id: RoomId, target: &Target, deed: &Deed, out: &mut Outbox) {
        let members = self.rooms.at(id).members().iter().map(|member| member.conn);
        let banned = members.filter(|conn| self.check_not_banned(*conn, id).is_err());
        for conn in banned.collect::<Vec<_>>() {
            self.expel_from(conn, id, deed.clone(), out);
        }
        let Some(room) = self.rooms.find(id).map(|room| room.serial) else { return };
        if let Target::Account(serial) = target
            && let Some(account) = self.accounts.find_mut(*serial)
            && account.rooms.contains(&room)
        {
            account.rooms.retain(|it| *it != room);
            out.keep(Change::Left { account: *serial, room });
        }
    }

    /// Ends the connections of who is banned everywhere now; the rooms that they were in.
    fn expel_banned(
        &mut self,
        target: &Target,
        deed: &Deed,
        now: Now,
        out: &mut Outbox,
    ) -> Vec<RoomId> {
        let conns = match target {
            Target::Network(network) => {
                out.bar(*network);
                return Vec::new();
            }
            Target::Nick(nick) => Vec::from_iter(self.users.named(nick)),
            Target::Account(serial) => {
                let serial = Some(*serial);
                let people = self.users.people_iter();
                let theirs = people.filter(|user| self.accounts_of(user).contains(&serial));
                let mut conns: Vec<ConnId> = theirs.map(|user| user.conn).collect();
                conns.sort_unstable();
                conns
            }
        };
        let mut rooms = Vec::new();
        for conn in conns {
            rooms.extend(self.expel(conn, Parting::Banned, deed.clone(), now, out));
        }
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    /// Puts a member out of a room, who is told; the others are told by the caller.
    pub(super) fn expel_from(&mut self, conn: ConnId, id: RoomId, deed: Deed, out: &mut Outbox) {
        self.put_out(conn, id, out);
        let current = self.users.at(conn).current_room();
        let current = current.map(|room| self.rooms.at(room).name.clone());
        out.tell(conn, Event::PutOut { deed: Box::new(deed), current });
    }

    /// Ends a connection, which is told why; the rooms that it was in, to be told by the caller.
    fn expel(
        &mut self,
        conn: ConnId,
        parting: Parting,
        deed: Deed,
        now: Now,
        out: &mut Outbox,
    ) -> Vec<RoomId> {
        let rooms = self.rooms_of(Some(conn));
        let nick = self.users.at(conn).nick().cloned();
        let last = Event::Expelled { deed: Box::new(deed), nick };
        self.part_with(conn, parting, Some(last), now, out);
        rooms
    }

    /// A connection comes from a network that may be banned now.
    pub(super) fn bar(&mut self, conn: ConnId, address: IpNet, now: Now, out: &mut Outbox) {
        let Some(it) = self.everywhere.covering(address, now.unix) else { return };
        let deed = self.deed_of(it, Place::Everywhere);
        let nick = self.nick_if_any(conn);
        let told = match nick {
            Some(_) => deed.clone(),
            None => self.for_outsider(deed.clone()),
        };
        let rooms = self.expel(conn, Parting::Banned, told, now, out);
        // The others know them by their name, and where they come from is not theirs to know.
        if let Some(nick) = nick {
            let deed = Deed { who: Subject::AddressOf(Rc::from(nick.as_str())), ..deed };
            self.tell_done(&done(deed, rooms, None), None, out);
        }
    }

    /// Lets somebody be there again, or speak there.
    fn allow(
        &mut self,
        by: By,
        kind: Kind,
        who: Who<'_>,
        place: Place,
        out: &mut Outbox,
    ) -> Result<Done, Refusal> {
        let name = who.typed().trim_start_matches('@');
        let key = key_of(name);
        let conn = self.users.named(&key);
        let of_name = self.accounts.named(&key);
        let of_conn = conn.and_then(|conn| self.accounts_of(self.users.at(conn))[0]);
        let person = Person { conn, accounts: [of_name, of_conn], nick: Some(&key) };
        let unix = self.unix;
        let Some(table) = self.table_mut(place) else {
            return refused(ModerationFault::NotSanctioned { kind, typed: name.to_owned() });
        };
        let mut targets = match who {
            Who::Address(_) => Vec::new(),
            Who::Name(_) | Who::Either(_) => table.targets_of(kind, person),
        };
        targets.extend(network_meant(who).map(Target::Network));
        let lifted = targets.into_iter().filter_map(|it| table.find(kind, &it, unix).cloned());
        let lifted: Vec<Sanction> = lifted.collect();
        let Some(first) = lifted.first() else {
            return refused(ModerationFault::NotSanctioned { kind, typed: name.to_owned() });
        };
        // Or an operator of the server whom the console keeps silent would speak.
        if let By::User(doer) = by
            && let Some(own) = self.users.at(doer).account()
            && lifted.iter().any(|it| it.target == Target::Account(own))
        {
            return refused(ModerationFault::Oneself);
        }
        let act = if kind == Kind::Ban { Act::Unbanned } else { Act::Unmuted };
        let who = Subject::new(&first.target, &first.name);
        let deed = Deed { act, ..self.deed(by, place, who, None) };
        for it in lifted {
            if let Some(table) = self.table_mut(place) {
                table.remove(kind, &it.target);
            }
            self.keep_sanction(place, kind, it.target, None, out);
        }
        let rooms = match (kind, place) {
            (_, Place::Room(id)) => vec![id],
            (Kind::Ban, Place::Everywhere) => Vec::new(),
            (Kind::Mute, Place::Everywhere) => self.rooms_of(conn),
        };
        Ok(done(deed, rooms, conn))
    }

    /// The rooms that somebody is in who may not be here.
    fn rooms_of(&self, conn: Option<ConnId>) -> Vec<RoomId> {
        let user = conn.and_then(|conn| self.users.find(conn));
        user.map_or(Vec::new(), |user| user.rooms.iter().map(|it| it.room).collect())
    }

    /// Who is banned or muted at a place.
    fn list_sanctions(&mut self, kind: Kind, place: Place) -> Done {
        let unix = self.unix;
        if let Some(table) = self.table_mut(place) {
            table.expire(unix);
        }
        let mut all: Vec<&Sanction> =
            self.table(place).map_or(Vec::new(), |table| table.iter(kind).collect());
        all.sort_by(|one, other| (other.unix, &one.name).cmp(&(one.unix, &other.name)));
        let total = all.len();
        let rows = all.into_iter().take(LISTED_MAX).map(|it| self.deed_of(it, place)).collect();
        let room = self.name_of(place);
        let event = Event::Listed { kind, room, rows, total };
        Done { event, rooms: Vec::new(), other: None }
    }
}

/// The network that is meant, if one can be.
fn network_meant(who: Who<'_>) -> Option<IpNet> {
    match who {
        Who::Name(_) => None,
        Who::Address(typed) | Who::Either(typed) => network::network(typed),
    }
}

/// Whether that was to be an address, or several: digits with dots in between. Behind an `@` it is
/// a name.
fn is_like_address(who: Who<'_>) -> bool {
    let Who::Either(typed) = who else { return false };
    typed.contains('.') && typed.chars().all(|it| it.is_ascii_digit() || ".-/".contains(it))
}

/// Has it written down what somebody did, if they did anything.
fn record(doer: Option<ConnId>, event: &Event, out: &mut Outbox) {
    let Event::Moderated(deed) = event else { return };
    let what = match deed.act {
        Act::Kicked => Recorded::Kick,
        Act::Banned => Recorded::Ban { end: deed.end },
        Act::Unbanned => Recorded::Unban,
        Act::Muted => Recorded::Mute { end: deed.end },
        Act::Unmuted => Recorded::Unmute,
    };
    let (room, target) = (deed.room.clone(), Some(Rc::clone(deed.who.text())));
    out.record(Record { doer, what, room, target });
}

fn refused<T>(fault: ModerationFault) -> Result<T, Refusal> {
    Err(Refusal::Moderation(fault))
}

/// What is told of a deed, and to whom.
fn done(deed: Deed, rooms: Vec<RoomId>, other: Option<ConnId>) -> Done {
    Done { event: Event::Moderated(Box::new(deed)), rooms, other }
}

#[cfg(test)]
mod tests;
