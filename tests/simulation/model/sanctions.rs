//! Who may not be somewhere, or not speak there; and what operators do to people.
//!
//! A ban or a mute is one entry of a list, which is looked through from end to end. Of whom several
//! hold, the one of the account is told, then the one of the name, then those of the connection.

use std::net::IpAddr;

use super::super::ask::{Code, Kind, Order, Where};
use super::super::names::{Name, key_of};
use super::login::AccountNo;
use super::networks::Network;
use super::ranks::Rank;
use super::{ConnNo, Model, RoomNo, look, time_of_day};

/// Who may not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Account(AccountNo),
    Nick(String),
    Network(Network),
}

impl Target {
    fn has(&self, address: IpAddr) -> bool {
        matches!(self, Target::Network(network) if network.has(address))
    }
}

/// One ban or mute.
#[derive(Clone, Debug)]
pub struct Sanction {
    kind: Kind,
    target: Target,
    /// The connections that had the name of a guest, by which they are known under others too.
    conns: Vec<ConnNo>,
    name: String,
    end: Option<i64>,
    why: Option<String>,
    by: String,
    unix: i64,
    /// It is known to be over, or was when the server was started; it is still kept.
    is_dropped: bool,
}

impl Sanction {
    fn holds(&self, unix: i64) -> bool {
        !self.is_dropped && self.end.is_none_or(|end| unix < end)
    }
}

/// What was done to somebody.
#[derive(Clone, Debug)]
struct Deed {
    did: &'static str,
    place: Option<RoomNo>,
    who: String,
    by: String,
    end: Option<i64>,
    why: Option<String>,
}

/// Whom a word means.
struct Whom {
    target: Target,
    name: String,
    listed: String,
    conn: Option<ConnNo>,
}

impl Model {
    fn table(&self, place: Option<RoomNo>) -> &Vec<Sanction> {
        place.map_or(&self.everywhere, |room| &self.rooms[room].sanctions)
    }

    fn table_mut(&mut self, place: Option<RoomNo>) -> &mut Vec<Sanction> {
        match place {
            None => &mut self.everywhere,
            Some(room) => &mut self.rooms[room].sanctions,
        }
    }

    /// Those that hold for somebody: first the one that is told.
    fn holding(
        &self,
        kind: Kind,
        place: Option<RoomNo>,
        conn: Option<ConnNo>,
        accounts: [Option<AccountNo>; 2],
        key: Option<&str>,
    ) -> Vec<Sanction> {
        let all = self.table(place).iter().filter(|it| it.kind == kind && it.holds(self.unix));
        let mut found: Vec<(usize, &Sanction)> = all
            .filter_map(|it| match &it.target {
                Target::Account(account) if accounts.contains(&Some(*account)) => Some((0, it)),
                Target::Nick(nick) if key == Some(nick) => Some((1, it)),
                Target::Nick(_) if conn.is_some_and(|conn| it.conns.contains(&conn)) => {
                    Some((2, it))
                }
                _ => None,
            })
            .collect();
        found.sort_by(|one, other| (one.0, &one.1.target).cmp(&(other.0, &other.1.target)));
        found.into_iter().map(|(_, it)| it.clone()).collect()
    }

    fn holding_for(&self, kind: Kind, place: Option<RoomNo>, no: ConnNo) -> Option<Sanction> {
        let conn = &self.conns[no];
        let key = conn.nick.as_ref().map(|nick| &*nick.key);
        self.holding(kind, place, Some(no), [conn.account, None], key).into_iter().next()
    }

    /// Whether somebody may be in a room, and look into it.
    pub(super) fn may_be_in(&self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        self.holding_for(Kind::Ban, Some(room), no).map_or(Ok(()), |_| Err("banned"))
    }

    /// Whether somebody may speak, if they may be there.
    pub(super) fn is_not_muted(&self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        let there = self.holding_for(Kind::Mute, Some(room), no);
        let muted = there.or_else(|| self.holding_for(Kind::Mute, None, no));
        muted.map_or(Ok(()), |_| Err("muted"))
    }

    /// Whether somebody may say something to one person: to operators of the server all may.
    pub(super) fn may_whisper(&self, no: ConnNo, to: Option<AccountNo>) -> Result<(), Code> {
        if to.is_some_and(|to| self.accounts[to].is_operator) {
            return Ok(());
        }
        self.holding_for(Kind::Mute, None, no).map_or(Ok(()), |_| Err("muted"))
    }

    /// Whether the name may be heard that somebody gives themself, or a room.
    pub(super) fn may_be_heard(&self, no: ConnNo) -> Result<(), Code> {
        if self.is_muted_everywhere(no) { Err("muted") } else { Ok(()) }
    }

    pub(super) fn is_muted_everywhere(&self, no: ConnNo) -> bool {
        self.holding_for(Kind::Mute, None, no).is_some()
    }

    pub(super) fn is_account_welcome(&self, account: AccountNo) -> Result<(), Code> {
        let key = &self.accounts[account].nick.key;
        let bans = self.holding(Kind::Ban, None, None, [Some(account), None], Some(key));
        if bans.is_empty() { Ok(()) } else { Err("banned") }
    }

    pub(super) fn is_name_welcome(&self, name: &Name) -> Result<(), Code> {
        let bans = self.holding(Kind::Ban, None, None, [None; 2], Some(&name.key));
        if bans.is_empty() { Ok(()) } else { Err("banned") }
    }

    fn ban_of(&self, address: IpAddr) -> Option<Deed> {
        let covers = |it: &&Sanction| it.target.has(address);
        let bans = self.everywhere.iter().filter(|it| it.kind == Kind::Ban && it.holds(self.unix));
        let widest = bans.filter(covers).min_by_key(|it| match it.target {
            Target::Network(network) => network.bits,
            _ => u8::MAX,
        });
        widest.map(|it| deed_of(it, None))
    }

    /// The last line of who comes from an address that is banned.
    pub(super) fn barred(&self, address: IpAddr) -> Option<String> {
        let deed = self.ban_of(address)?;
        let rest = rest_of(&deed, 0);
        Some(format!("! banned your address was banned from this server{rest}"))
    }

    /// The server has died: what is over then is not there any longer, though it is kept; and no
    /// connection is.
    pub(super) fn restart_sanctions(&mut self) {
        let unix = self.unix;
        let rooms = self.rooms.iter_mut().flat_map(|room| &mut room.sanctions);
        for it in rooms.chain(&mut self.everywhere) {
            it.conns.clear();
            it.is_dropped = it.end.is_some_and(|end| end <= unix);
        }
    }

    pub(super) fn moderate(
        &mut self,
        no: ConnNo,
        place: Where<'_>,
        order: Order<'_>,
    ) -> Result<(), Code> {
        let place = match place {
            Where::Everywhere => None,
            Where::Room(room) => Some(self.room_named(room)?),
            Where::Here => Some(self.conns[no].current().ok_or("no-room")?),
        };
        match (place, &order) {
            (Some(room), Order::List(_)) if self.rank(no, place) == Rank::Nobody => {
                self.may_be_in(no, room).and(Err("not-allowed"))?;
            }
            (Some(_), Order::List(_)) => {}
            (Some(room), _) => self.may_rule(no, room, Rank::RoomOperator, "not-allowed")?,
            (None, _) if self.rank(no, None) == Rank::Nobody => return Err("not-allowed"),
            (None, _) => {}
        }
        match order {
            Order::List(kind) => {
                self.list_sanctions(no, kind, place);
                Ok(())
            }
            Order::Kick(who, why) => self.kick(no, place, who, why),
            Order::Forbid(kind, who, secs, why) => self.forbid(no, place, kind, who, secs, why),
            Order::Allow(kind, who) => self.allow(no, place, kind, who),
        }
    }

    /// A line names nobody, but a room: that was meant. In JSON a name is a name.
    fn is_no_room(&self, no: ConnNo, typed: &str) -> Result<(), Code> {
        let may_be_room = !self.conns[no].is_json && !typed.starts_with('@');
        if may_be_room && self.room_named(typed).is_ok() { Err("usage") } else { Ok(()) }
    }

    fn whom(
        &self,
        no: ConnNo,
        kind: Kind,
        typed: &str,
        place: Option<RoomNo>,
    ) -> Result<Whom, Code> {
        let name = typed.trim_start_matches('@');
        let conn = self.person_called(name);
        if let Some(network) = Network::parse(typed) {
            if place.is_none() && kind == Kind::Ban {
                if network.bits == 0 {
                    return Err("usage");
                }
                let target = Target::Network(network);
                let name = network.shown();
                return Ok(Whom { target, name: name.clone(), listed: name, conn: None });
            }
            if conn.is_none() {
                return Err("usage");
            }
        }
        if let Some(conn) = conn {
            return Ok(self.whom_at(conn));
        }
        if let Some(account) = self.account_named(name) {
            let nick = self.accounts[account].nick.shown.clone();
            let (target, conn) = (Target::Account(account), self.accounts[account].conn);
            return Ok(Whom { target, name: nick.clone(), listed: nick, conn });
        }
        self.is_no_room(no, typed)?;
        let is_like_address = typed.contains('.')
            && typed.chars().all(|it| it.is_ascii_digit() || ".-/".contains(it));
        // In JSON a name is a name.
        if kind == Kind::Ban && is_like_address && !self.conns[no].is_json {
            return Err("usage");
        }
        let nick = Name::parse(name, usize::MAX).filter(|_| kind == Kind::Ban);
        let nick = nick.ok_or("no-such-user")?;
        let target = Target::Nick(nick.key);
        Ok(Whom { target, name: nick.shown.clone(), listed: nick.shown, conn: None })
    }

    fn whom_at(&self, conn: ConnNo) -> Whom {
        let nick = self.nick(conn);
        let (target, listed) = match self.conns[conn].account {
            Some(account) => (Target::Account(account), self.accounts[account].nick.shown.clone()),
            None => (Target::Nick(nick.key), nick.shown.clone()),
        };
        Whom { target, name: nick.shown, listed, conn: Some(conn) }
    }

    fn may_do_that(&self, no: ConnNo, whom: &Whom, place: Option<RoomNo>) -> Result<(), Code> {
        let is_own = match &whom.target {
            Target::Account(account) => self.conns[no].account == Some(*account),
            Target::Nick(_) => whom.conn == Some(no),
            Target::Network(network) => network.may_have(self.conns[no].address),
        };
        let rank = match whom.target {
            Target::Account(account) => self.rank_of(account, place),
            _ => Rank::Nobody,
        };
        let is_above = rank == Rank::RoomOwner && self.rank(no, place) < Rank::RoomOwner;
        let is_operators = self.people().any(|(_, conn)| {
            let is_operator = conn.account.is_some_and(|it| self.accounts[it].is_operator);
            let is_theirs = |it: &Network| is_operator && it.may_have(conn.address);
            matches!(&whom.target, Target::Network(network) if is_theirs(network))
        });
        let is_above = is_above || is_operators;
        let is_allowed = !is_own && !is_above && rank != Rank::ServerOperator;
        if is_allowed { Ok(()) } else { Err("not-allowed") }
    }

    fn kick(
        &mut self,
        no: ConnNo,
        place: Option<RoomNo>,
        who: &str,
        why: Option<&str>,
    ) -> Result<(), Code> {
        let conn = self.person_named(who.trim_start_matches('@'));
        if conn.is_err() {
            self.is_no_room(no, who)?;
        }
        let conn = conn?;
        let whom = self.whom_at(conn);
        self.may_do_that(no, &whom, place)?;
        let by = self.nick(no).shown;
        let why = why.map(str::to_owned);
        let deed = Deed { did: "kicked", place, who: whom.name, by, end: None, why };
        let rooms = match place {
            Some(room) if !self.conns[conn].is_in(room) => return Err("no-such-user"),
            Some(room) => {
                self.put_out(conn, room, &deed);
                vec![room]
            }
            None => self.expel(conn, &deed),
        };
        self.tell_done(Some(no), None, &rooms, &deed);
        Ok(())
    }

    fn forbid(
        &mut self,
        no: ConnNo,
        place: Option<RoomNo>,
        kind: Kind,
        who: &str,
        secs: Option<i64>,
        why: Option<&str>,
    ) -> Result<(), Code> {
        let whom = self.whom(no, kind, who, place)?;
        self.may_do_that(no, &whom, place)?;
        let (unix, by) = (self.unix, self.nick(no).shown);
        let (end, why) = (secs.map(|secs| unix + secs), why.map(str::to_owned));
        let did = if kind == Kind::Ban { "banned" } else { "muted" };
        let deed = Deed { did, place, who: whom.name, by, end, why };
        if let Some(room) = place {
            self.keep(room);
        }
        let Deed { by, end, why, .. } = deed.clone();
        let by = self.conns[no].account.map_or(by, |own| self.accounts[own].nick.shown.clone());
        let (target, name) = (whom.target.clone(), whom.listed);
        let conn = whom.conn.filter(|_| matches!(target, Target::Nick(_)));
        let is_dropped = false;
        let table = self.table_mut(place);
        // Whom the one that was there held for, this one holds for too.
        let mut conns: Vec<ConnNo> = conn.into_iter().collect();
        table.retain(|it| {
            let is_it = (it.kind, &it.target) == (kind, &target);
            if is_it && !it.is_dropped {
                conns.extend(&it.conns);
            }
            !is_it
        });
        table.push(Sanction { kind, target, conns, name, end, why, by, unix, is_dropped });
        match (kind, place) {
            (Kind::Mute, Some(room)) => self.tell_done(Some(no), whom.conn, &[room], &deed),
            (Kind::Mute, None) => {
                let rooms = self.rooms_of(whom.conn);
                self.tell_done(Some(no), whom.conn, &rooms, &deed);
            }
            (Kind::Ban, Some(room)) => {
                let outside = whom.conn.filter(|conn| !self.conns[*conn].is_in(room));
                for member in self.rooms[room].members.clone() {
                    if self.may_be_in(member, room).is_err() {
                        self.put_out(member, room, &deed);
                    }
                }
                if let Target::Account(account) = whom.target {
                    self.accounts[account].rooms.retain(|it| *it != room);
                }
                self.tell_done(Some(no), outside, &[room], &deed);
            }
            (Kind::Ban, None) => self.ban_everywhere(no, &whom.target, &deed),
        }
        Ok(())
    }

    fn ban_everywhere(&mut self, no: ConnNo, target: &Target, deed: &Deed) {
        let conn = match target {
            Target::Account(account) => self.accounts[*account].conn,
            Target::Nick(nick) => self.person_called(nick),
            Target::Network(..) => {
                self.tell_done(Some(no), None, &[], deed);
                return self.bar(target);
            }
        };
        let rooms = conn.map_or(Vec::new(), |conn| self.expel(conn, deed));
        self.tell_done(Some(no), None, &rooms, deed);
    }

    /// Ends all connections from a network that is banned now, one by one.
    fn bar(&mut self, target: &Target) {
        let mut order: Vec<ConnNo> = (0..self.conns.len()).collect();
        order.sort_by_key(|no| self.conns[*no].place);
        order.retain(|no| self.conns[*no].stage == super::Stage::Talking);
        for no in order {
            let address = self.conns[no].address;
            let is_in = target.has(address);
            let Some(deed) = self.ban_of(address).filter(|_| is_in) else { continue };
            let nick = self.conns[no].nick.clone();
            let rooms = self.expel(no, &deed);
            if let Some(nick) = nick {
                let who = format!("{}'s address", nick.shown);
                self.tell_done(None, None, &rooms, &Deed { who, ..deed });
            }
        }
    }

    fn allow(
        &mut self,
        no: ConnNo,
        place: Option<RoomNo>,
        kind: Kind,
        typed: &str,
    ) -> Result<(), Code> {
        let name = typed.trim_start_matches('@');
        let (key, conn) = (key_of(name), self.person_called(name));
        let of_conn = conn.and_then(|conn| self.conns[conn].account);
        let accounts = [self.account_named(name), of_conn];
        let mut lifted = self.holding(kind, place, conn, accounts, Some(&key));
        lifted.sort_by(|one, other| one.target.cmp(&other.target));
        let network = Network::parse(typed).map(Target::Network);
        let of_network = self.table(place).iter().filter(|it| it.holds(self.unix));
        let mut of_network = of_network.filter(|it| it.kind == kind);
        lifted.extend(of_network.find(|it| Some(&it.target) == network.as_ref()).cloned());
        let first = lifted.first().ok_or("no-such-user")?.name.clone();
        let own = self.conns[no].account.map(Target::Account);
        if lifted.iter().any(|it| Some(&it.target) == own.as_ref()) {
            return Err("not-allowed");
        }
        let is_lifted = |it: &Sanction| {
            it.kind == kind && lifted.iter().any(|lifted| lifted.target == it.target)
        };
        self.table_mut(place).retain(|it| !is_lifted(it));
        let did = if kind == Kind::Ban { "come back" } else { "speak again" };
        let by = self.nick(no).shown;
        let deed = Deed { did, place, who: first, by, end: None, why: None };
        let rooms = match (kind, place) {
            (_, Some(room)) => vec![room],
            (Kind::Ban, None) => Vec::new(),
            (Kind::Mute, None) => self.rooms_of(conn),
        };
        self.tell_done(Some(no), conn, &rooms, &deed);
        Ok(())
    }

    fn rooms_of(&self, conn: Option<ConnNo>) -> Vec<RoomNo> {
        let conn = conn.map(|conn| &self.conns[conn]);
        conn.map_or(Vec::new(), |conn| conn.rooms.iter().map(|it| it.room).collect())
    }

    /// An account goes: what was done to its owner holds for the name, and for who had it, unless
    /// something that lasts longer does.
    pub(super) fn unname(&mut self, account: AccountNo, no: ConnNo) {
        let key = self.accounts[account].nick.key.clone();
        let (of_account, of_name) = (Target::Account(account), Target::Nick(key));
        let rooms = self.rooms.iter_mut().map(|room| &mut room.sanctions);
        for table in rooms.chain([&mut self.everywhere]) {
            for kind in [Kind::Ban, Kind::Mute] {
                let is_own = |it: &mut Sanction| (it.kind, &it.target) == (kind, &of_account);
                let was = table.extract_if(.., is_own).find(|it| !it.is_dropped);
                let Some(mut was) = was else { continue };
                let is_named = |it: &Sanction| (it.kind, &it.target) == (kind, &of_name);
                let other = table.iter().position(is_named).map(|at| table.remove(at));
                let other = other.filter(|it| !it.is_dropped);
                let ends = |it: &Sanction| it.end.unwrap_or(i64::MAX);
                if let Some(other) = other {
                    was.conns = other.conns.clone();
                    if ends(&other) >= ends(&was) {
                        was = other;
                    }
                }
                was.conns.push(no);
                table.push(Sanction { target: of_name.clone(), ..was });
            }
        }
    }

    /// Takes somebody out of a room, and tells them.
    fn put_out(&mut self, conn: ConnNo, room: RoomNo, deed: &Deed) {
        let name = self.rooms[room].name.shown.clone();
        self.conns[conn].rooms.retain(|it| it.room != room);
        self.note_left(conn, room);
        self.dismiss(conn, room);
        let rest = rest_of(deed, self.conns[conn].ahead());
        let what = match deed.did {
            "banned" => format!("you were banned from #{name}{rest}"),
            _ => format!("you were kicked out of #{name}{rest}"),
        };
        self.line(conn, &format!("* {what}"));
        let now = match self.conns[conn].current() {
            Some(room) => {
                let room = &self.rooms[room].name.shown;
                format!("you are in #{room}; what you type is said there now")
            }
            None => "you are in no room now: /join ROOM enters one".to_owned(),
        };
        self.line(conn, &format!("* {now}"));
    }

    /// Ends a connection, and says in which rooms it was.
    fn expel(&mut self, conn: ConnNo, deed: &Deed) -> Vec<RoomNo> {
        let rooms = self.rooms_of(Some(conn));
        self.conns[conn].paste = None;
        self.log_out(conn);
        self.conns[conn].rooms.clear();
        rooms.iter().for_each(|room| self.dismiss(conn, *room));
        let rest = rest_of(deed, self.conns[conn].ahead());
        let what = match (deed.did, &self.conns[conn].nick) {
            ("kicked", _) => "kicked you were kicked off this server",
            (_, Some(_)) => "banned you were banned from this server",
            (_, None) => "banned your address was banned from this server",
        };
        self.line(conn, &format!("! {what}{rest}"));
        self.linger(conn);
        rooms
    }

    /// Who has another name, or another account, leaves the rooms that they are banned from so.
    pub(super) fn leave_banned_rooms(&mut self, no: ConnNo) {
        for room in self.rooms_of(Some(no)) {
            if let Some(ban) = self.holding_for(Kind::Ban, Some(room), no) {
                self.put_out(no, room, &deed_of(&ban, Some(room)));
            }
        }
    }

    /// Tells those rooms what was done; and who did it, and to whom, if they are in none of them.
    fn tell_done(
        &mut self,
        doer: Option<ConnNo>,
        other: Option<ConnNo>,
        rooms: &[RoomNo],
        deed: &Deed,
    ) {
        for conn in 0..self.conns.len() {
            let is_asked = doer == Some(conn) || other == Some(conn);
            let is_in = rooms.iter().any(|room| self.rooms[*room].members.contains(&conn));
            if (is_asked || is_in) && self.conns[conn].stage == super::Stage::Talking {
                let place = self.place_shown(deed.place);
                let Deed { did, who, by, .. } = deed;
                let rest = rest_of(deed, self.conns[conn].ahead());
                let what = match *did {
                    "come back" | "speak again" => format!("{by} lets {who} {did}"),
                    _ => format!("{who} was {did}{rest}"),
                };
                self.line(conn, &format!("* {place}{what}"));
            }
        }
    }

    fn place_shown(&self, place: Option<RoomNo>) -> String {
        place.map_or(String::new(), |room| format!("#{}: ", self.rooms[room].name.shown))
    }

    fn list_sanctions(&mut self, no: ConnNo, kind: Kind, place: Option<RoomNo>) {
        let (unix, zone) = (self.unix, self.conns[no].ahead());
        for it in self.table_mut(place) {
            it.is_dropped |= !it.holds(unix);
        }
        let room = place.map(|room| format!("#{}", self.rooms[room].name.shown));
        let from = match (kind, room) {
            (Kind::Ban, Some(room)) => format!("banned from {room}"),
            (Kind::Ban, None) => "banned everywhere".to_owned(),
            (Kind::Mute, Some(room)) => format!("muted in {room}"),
            (Kind::Mute, None) => "muted everywhere".to_owned(),
        };
        let all = self.table(place).iter().filter(|it| it.kind == kind && !it.is_dropped);
        let mut all: Vec<&Sanction> = all.collect();
        // Of the same moment, the list is not said to have an order beyond the names.
        all.sort_by(|one, other| {
            (other.unix, &one.name, &one.target).cmp(&(one.unix, &other.name, &other.target))
        });
        let row =
            |it: &&Sanction| format!("* {}: {from}{}", it.name, rest_of(&deed_of(it, place), zone));
        let lines: Vec<String> = all.iter().map(row).collect();
        if lines.is_empty() {
            let from = match (kind, place) {
                (Kind::Ban, None) => "banned from this server",
                (Kind::Mute, None) => "muted on the whole server",
                _ => &from,
            };
            self.line(no, &format!("* nobody is {from}"));
        }
        lines.iter().for_each(|line| self.line(no, line));
    }
}

fn deed_of(it: &Sanction, place: Option<RoomNo>) -> Deed {
    let did = if it.kind == Kind::Ban { "banned" } else { "muted" };
    let (who, by, why) = (it.name.clone(), it.by.clone(), it.why.clone());
    Deed { did, place, who, by, end: it.end, why }
}

/// Who did it, until when in that zone, and why.
fn rest_of(deed: &Deed, zone: i64) -> String {
    let until = deed
        .end
        .map(|end| format!(" until {} {}", look::date(end + zone), time_of_day(end + zone)));
    let why = deed.why.as_ref().map(|why| format!(": {why}"));
    format!(" by {}{}{}", deed.by, until.unwrap_or_default(), why.unwrap_or_default())
}
