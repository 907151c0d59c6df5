//! What a ban or a mute keeps somebody from, and how it is kept.
//!
//! Promises: whom nothing is done to pays a look at two empty tables; a ban of a room holds for
//! entering, reading and speaking, a mute for speaking, whatever name its target takes. What is
//! done while nothing can be written is given away when that is possible again. Deliberately
//! adds to no table but at the start, and when an account is gone: that is in [`super::moderate`].

use std::collections::BTreeMap;
use std::rc::Rc;

use ipnet::IpNet;

use super::admission::Admission;
use super::event::{Act, Deed, Event, ModerationFault, Refusal, Subject};
use super::kept::{Change, KeptSanction};
use super::name::{Nick, RoomName};
use super::outbox::Outbox;
use super::ranks::{Place, Rank};
use super::room::RoomId;
use super::sanctions::{Kind, Person, Sanction, Sanctions, Target};
use super::user::User;
use super::{Chat, ConnId};

/// How many bans and mutes that were changed while nothing could be written are given away later;
/// those beyond hold until the next start.
const DUE_MAX: usize = 10_000;

/// Bans and mutes that are to be given away again; `None` for one that was lifted.
pub(super) type Due = BTreeMap<(Option<u64>, Kind, Target), Option<Sanction>>;

impl Chat {
    /// Takes the bans and mutes that were kept; not those that have ended, or are of a room or of
    /// an account that is gone.
    pub(super) fn restore_sanctions(&mut self, kept: &[KeptSanction]) {
        for KeptSanction { room, sanction } in kept {
            let is_there = match &sanction.target {
                Target::Account(serial) => self.accounts.find(*serial).is_some(),
                Target::Nick(_) | Target::Network(_) => true,
            };
            if !is_there || !sanction.holds(self.unix) {
                continue;
            }
            let table = match room.map(|room| self.rooms.of_serial(room)) {
                None => &mut self.everywhere,
                Some(None) => continue,
                Some(Some(id)) => self.rooms.at_mut(id).sanctions.get_or_insert_default(),
            };
            table.insert(sanction.clone(), None);
        }
    }

    pub(super) fn table(&self, place: Place) -> Option<&Sanctions> {
        match place {
            Place::Everywhere => Some(&self.everywhere),
            Place::Room(id) => self.rooms.find(id)?.sanctions.as_deref(),
        }
    }

    pub(super) fn table_mut(&mut self, place: Place) -> Option<&mut Sanctions> {
        match place {
            Place::Everywhere => Some(&mut self.everywhere),
            Place::Room(id) => self.rooms.at_mut(id).sanctions.as_deref_mut(),
        }
    }

    /// The room that a place is; `None` for everywhere.
    pub(super) fn name_of(&self, place: Place) -> Option<RoomName> {
        match place {
            Place::Everywhere => None,
            Place::Room(id) => self.rooms.find(id).map(|room| room.name.clone()),
        }
    }

    /// A ban or a mute as it is told.
    pub(super) fn deed_of(&self, sanction: &Sanction, place: Place) -> Deed {
        Deed {
            act: if sanction.kind == Kind::Ban { Act::Banned } else { Act::Muted },
            room: self.name_of(place),
            who: Subject::new(&sanction.target, &sanction.name),
            by: Some(Rc::from(sanction.by.as_str())),
            end: sanction.end,
            why: sanction.why.as_deref().map(Rc::from),
        }
    }

    /// The account of a user; of a bot its own, and then whose it is.
    pub(super) fn accounts_of(&self, user: &User) -> [Option<u64>; 2] {
        let Some(token) = user.token() else { return [user.account(), None] };
        let bot = self.accounts.find(token).and_then(|it| it.bot.as_ref());
        [Some(token), bot.map(|bot| bot.owner)]
    }

    fn person<'u>(&self, user: &'u User) -> Person<'u> {
        let accounts = self.accounts_of(user);
        Person { conn: Some(user.conn), accounts, nick: user.nick().map(Nick::key) }
    }

    fn check(&self, kind: Kind, conn: ConnId, place: Place) -> Result<(), Refusal> {
        let table = self.table(place).filter(|table| !table.is_empty());
        let Some(table) = table else { return Ok(()) };
        match table.of(kind, self.person(self.users.at(conn)), self.unix) {
            None => Ok(()),
            Some(it) => Err(self.kept_from(it, place)),
        }
    }

    fn kept_from(&self, sanction: &Sanction, place: Place) -> Refusal {
        let deed = Box::new(self.deed_of(sanction, place));
        Refusal::Moderation(ModerationFault::Sanctioned(deed))
    }

    /// Whether somebody is not banned from a room.
    pub(super) fn check_not_banned(&self, conn: ConnId, id: RoomId) -> Result<(), Refusal> {
        self.check(Kind::Ban, conn, Place::Room(id))
    }

    /// Whether somebody may speak in a room, if they may be there: the room's operators have muted
    /// them neither there nor everywhere.
    pub(super) fn check_not_muted(&self, conn: ConnId, id: RoomId) -> Result<(), Refusal> {
        self.check(Kind::Mute, conn, Place::Room(id))?;
        self.check_may_be_heard(conn)
    }

    /// Whether somebody is not muted everywhere: neither may the name be heard that they would
    /// choose for themself, or for a room.
    pub(super) fn check_may_be_heard(&self, conn: ConnId) -> Result<(), Refusal> {
        self.check(Kind::Mute, conn, Place::Everywhere)
    }

    /// Whether somebody may whisper to the owner of an account, or to somebody without one: who is
    /// muted everywhere can still say something to operators of the server.
    pub(super) fn check_may_whisper(&self, conn: ConnId, to: Option<u64>) -> Result<(), Refusal> {
        let rank = to.map_or(Rank::Nobody, |account| self.rank_of(account, Place::Everywhere));
        match rank {
            Rank::ServerOperator => Ok(()),
            _ => self.check_may_be_heard(conn),
        }
    }

    /// What somebody who is away has others told: nothing if they are muted everywhere.
    pub(super) fn away_of(&self, user: &User) -> Option<Rc<str>> {
        let text = user.away()?;
        match self.check(Kind::Mute, user.conn, Place::Everywhere) {
            Ok(()) => Some(Rc::clone(text)),
            Err(_) => Some(Rc::from("")),
        }
    }

    /// Whether an account, the one whose bot it is, or its name is not banned everywhere.
    pub(super) fn check_account_not_banned(&self, serial: u64) -> Result<(), Refusal> {
        let account = self.accounts.find(serial);
        let bot = account.and_then(|it| it.bot.as_ref());
        let accounts = [Some(serial), bot.map(|bot| bot.owner)];
        let nick = account.map(|it| it.nick.key());
        self.check_absent_not_banned(Person { conn: None, accounts, nick })
    }

    /// Whether a name is not banned everywhere.
    pub(super) fn check_nick_not_banned(&self, nick: &Nick) -> Result<(), Refusal> {
        let nick = Some(nick.key());
        self.check_absent_not_banned(Person { conn: None, accounts: [None; 2], nick })
    }

    fn check_absent_not_banned(&self, person: Person<'_>) -> Result<(), Refusal> {
        match self.everywhere.of(Kind::Ban, person, self.unix) {
            None => Ok(()),
            Some(it) => Err(self.kept_from(it, Place::Everywhere)),
        }
    }

    /// What to tell somebody who comes from that address, a network of one, in the second `unix`
    /// since 1970 UTC, and who is not let in because it is banned.
    pub fn barred(&self, address: IpNet, unix: i64) -> Option<Event> {
        let it = self.everywhere.covering(address, unix)?;
        let deed = Box::new(self.for_outsider(self.deed_of(it, Place::Everywhere)));
        Some(Event::Expelled { deed, nick: None })
    }

    /// What is told of a deed to somebody who is not in: where nobody learns who is here, neither
    /// who did it nor what they said.
    pub(super) fn for_outsider(&self, deed: Deed) -> Deed {
        match self.limits.admission {
            Admission::Private => Deed { by: None, why: None, ..deed },
            Admission::Everybody | Admission::Members => deed,
        }
    }

    /// Somebody has another name, or is logged in: they leave the rooms that they are banned from
    /// as that.
    pub(super) fn leave_banned_rooms(&mut self, conn: ConnId, out: &mut Outbox) {
        let rooms = self.users.at(conn).rooms.iter().map(|it| it.room);
        let banned: Vec<RoomId> =
            rooms.filter(|id| self.check_not_banned(conn, *id).is_err()).collect();
        for id in banned {
            let banned = self.check_not_banned(conn, id);
            if let Err(Refusal::Moderation(ModerationFault::Sanctioned(deed))) = banned {
                self.expel_from(conn, id, *deed, out);
            }
        }
    }

    /// An account of that name is gone, to which a connection was logged in: what was done to its
    /// owner holds for both from now on, or nobody would have to bear it.
    pub(super) fn unname(
        &mut self,
        account: u64,
        nick: &Nick,
        conn: Option<ConnId>,
        out: &mut Outbox,
    ) {
        let rooms = self.rooms.iter().filter(|(_, room)| room.sanctions.is_some());
        let rooms: Vec<Place> = rooms.map(|(id, _)| Place::Room(id)).collect();
        for place in rooms.into_iter().chain([Place::Everywhere]) {
            let Some(table) = self.table_mut(place) else { continue };
            for sanction in table.unname(account, nick.key(), conn) {
                let (kind, target) = (sanction.kind, sanction.target.clone());
                self.keep_sanction(place, kind, target, Some(sanction), out);
            }
        }
    }

    /// Gives away a ban or a mute to be kept, or that there is none any longer.
    pub(super) fn keep_sanction(
        &mut self,
        place: Place,
        kind: Kind,
        target: Target,
        sanction: Option<Sanction>,
        out: &mut Outbox,
    ) {
        if !self.limits.is_kept {
            return;
        }
        let room = match place {
            Place::Everywhere => None,
            Place::Room(id) => Some(self.rooms.at(id).serial),
        };
        if !self.is_keeping {
            if self.sanctions_due.len() < DUE_MAX {
                self.sanctions_due.insert((room, kind, target), sanction);
            }
            return;
        }
        if let Place::Room(id) = place {
            self.keep_room(id, out);
        }
        out.keep(match sanction {
            Some(sanction) => Change::Sanctioned(KeptSanction { room, sanction }),
            None => Change::Lifted { room, kind, target },
        });
    }

    /// Gives away what was done while nothing could be kept.
    pub(super) fn keep_sanctions(&mut self, out: &mut Outbox) {
        for ((room, kind, target), sanction) in std::mem::take(&mut self.sanctions_due) {
            let place = match room.map(|room| self.rooms.of_serial(room)) {
                None => Place::Everywhere,
                Some(Some(id)) => Place::Room(id),
                Some(None) => continue,
            };
            self.keep_sanction(place, kind, target, sanction, out);
        }
    }
}
