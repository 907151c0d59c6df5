//! Connections within TLS: their handshake, before the conversation knows of them, and reading and
//! writing through their session.
//!
//! Promises: a handshake ends in time, there are no more than so many at once, of which one address
//! has a part, and in one turn they take no more than so many steps; who does not speak TLS
//! is told so. Deliberately nothing for connections that are plain, beyond the question whether
//! they are.

use std::cmp::Reverse;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use log::debug;

use crate::chat::event::{Event, Parting, Stranger};
use crate::chat::outbox::Who;
use crate::chat::{ConnId, Input, Origin};

use super::super::conn::{Conn, Intake, Readable, Stage, Stream};
use super::super::door;
use super::super::figures::Kind;
use super::super::queue::OpenPage;
use super::super::tls::{Session, Step};
use super::{Hub, Timer};

/// How many steps of handshakes are taken in one turn: one may cost a signature, of up to a
/// millisecond, for which everybody else waits.
pub(super) const STEPS_PER_TURN: usize = 8;

/// Of all handshakes that may be under way, one origin may have one in so many, rounded up.
const SHARES: usize = 4;

/// Where there are too many, a handshake that has lasted so long makes room for another: it takes a
/// few times the way there and back.
const GRACE: Duration = Duration::from_secs(1);

/// Why a handshake does not begin, or ends early, in the log: there are as many as may be, in all
/// or from where it comes from.
const TOO_MANY: &str = "too-many-handshakes";
const TOO_MANY_FROM_HERE: &str = "too-many-handshakes-from-here";

/// A handshake that is under way.
#[derive(Debug)]
struct Handshake {
    conn: ConnId,
    origin: Origin,
    /// When it began, since start.
    began_at: Duration,
}

/// The handshakes that are under way, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Handshakes(Vec<Handshake>);

impl Handshakes {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One is over.
    fn end(&mut self, conn: ConnId) {
        self.0.retain(|it| it.conn != conn);
    }
}

impl<S: Stream> Hub<S> {
    /// Takes in a connection within TLS. It becomes part of the conversation when its handshake is
    /// done; who may not come in is told why then. `None` when it was refused and is gone already:
    /// whatever it were told, it could not read it.
    pub fn open_tls(
        &mut self,
        stream: S,
        from: SocketAddr,
        session: Session,
        now: super::Now,
    ) -> Option<ConnId> {
        self.now = now;
        if let Err(parting) = self.let_shake_hands(from.ip().to_canonical()) {
            self.note_refused(parting);
            self.log_refused(from, parting.word());
            return None;
        }
        let origin = door::origin(from.ip());
        if let Err(reason) = self.make_room_for_handshake(origin) {
            self.door.leave(from.ip());
            self.log_refused(from, reason);
            return None;
        }
        let mut conn = Conn::new(stream, from, Some(Kind::Tls), now.mono);
        conn.stage = Stage::Handshaking;
        conn.tls = Some(Box::new(session));
        let conn = self.conns.insert(conn);
        self.handshakes.0.push(Handshake { conn, origin, began_at: now.mono });
        self.counts.note_opened(Kind::Tls);
        debug!(peer:% = from, kind = Kind::Tls.word(); "connected");
        let at = self.now.mono + self.limits.handshake_timeout;
        self.timers.push(Reverse((at, Timer::Handshake(conn))));
        Some(conn)
    }

    /// Counts somebody who may begin a handshake, or says why not. To tell those who are banned is
    /// worth a handshake only as long as there are few.
    fn let_shake_hands(&mut self, address: IpAddr) -> Result<(), Parting> {
        let are_few = self.handshakes.len() < self.limits.handshakes_max / SHARES;
        match self.check_open_to(address) {
            Err((parting, _)) if self.is_stopping || !are_few => Err(parting),
            _ => self.door.enter(address, self.now.mono),
        }
    }

    /// Lets one more handshake begin that comes from there, or says why not. Where there are as
    /// many as may be, of one origin or in all, the oldest that has sent nothing makes room, or
    /// else the oldest that has had its [`GRACE`].
    fn make_room_for_handshake(&mut self, origin: Origin) -> Result<(), &'static str> {
        let most = self.limits.handshakes_max;
        let of_origin = |it: &Handshake| it.origin == origin;
        let count = self.handshakes.0.iter().filter(|it| of_origin(it)).count();
        let (other, reason) = if count >= most.div_ceil(SHARES) {
            (self.handshake_to_end(of_origin), TOO_MANY_FROM_HERE)
        } else if self.handshakes.len() >= most {
            (self.handshake_to_end(|_| true), TOO_MANY)
        } else {
            return Ok(());
        };
        self.end_handshake(other.ok_or(reason)?, reason);
        Ok(())
    }

    /// The one of some handshakes that is given up first.
    fn handshake_to_end(&self, is_meant: impl Fn(&Handshake) -> bool) -> Option<ConnId> {
        let is_late = |it: &&Handshake| it.began_at + GRACE <= self.now.mono;
        self.oldest_idle_handshake(&is_meant).or_else(|| {
            let mut meant = self.handshakes.0.iter().filter(|it| is_meant(it));
            meant.find(is_late).map(|it| it.conn)
        })
    }

    /// The oldest of some handshakes whose peer has sent nothing. Of one that began in this turn
    /// the poll has not told yet whether it has.
    fn oldest_idle_handshake(&self, is_meant: impl Fn(&Handshake) -> bool) -> Option<ConnId> {
        let is_idle = |it: &&Handshake| {
            let conn = self.conns.find(it.conn).filter(|_| it.began_at < self.now.mono);
            conn.is_some_and(|conn| {
                let session = conn.tls.as_ref().filter(|session| !session.has_begun());
                session.is_some() && conn.readable == Readable::No
            })
        };
        self.handshakes.0.iter().filter(|it| is_meant(it)).find(is_idle).map(|it| it.conn)
    }

    /// Goes one step further in a connection's handshake; says whether it may go on in this turn.
    pub(super) fn shake_hands(&mut self, id: ConnId) -> bool {
        if self.handshake_steps == 0 {
            self.list(id);
            return false;
        }
        let Some(conn) = self.conns.find_mut(id) else { return false };
        let Some(session) = &mut conn.tls else { return false };
        let step = match session.step(&mut conn.stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                conn.readable = Readable::No;
                return false;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(error) => {
                debug!(peer:% = conn.from, cause:% = error; "cannot_read");
                conn.intake = Intake::Lost;
                return true;
            }
            Ok(step) => step,
        };
        self.handshake_steps -= 1;
        let from = conn.from;
        match step {
            Step::Further => self.touch(id),
            Step::Done => self.come_in(id, from.into()),
            Step::Ended => conn.intake = Intake::Ended,
            Step::Stranger => {
                self.log_stranger(id, Stranger::Plain);
                self.turn_away_plain(id);
            }
            Step::Failed(why) => {
                self.log_failed_tls(id, &why);
                self.close(id, Parting::Lost, Who::default());
            }
        }
        true
    }

    /// A handshake is done. Who may come in was asked when it began, and may be otherwise now.
    fn come_in(&mut self, id: ConnId, from: SocketAddr) {
        self.touch(id);
        let Err((parting, last)) = self.check_open_to(from.ip()) else {
            self.set_stage(id, Stage::Talking);
            return self.chat(Input::Open { conn: id, origin: door::origin(from.ip()) });
        };
        self.note_refused(parting);
        self.log_refused(from, parting.word());
        self.tell(id, &last);
        self.close(id, parting, Who::default());
    }

    /// Ends the handshakes of a network that is banned now: none of them could read why.
    pub(super) fn bar_handshakes(&mut self, network: IpNet) {
        let is_theirs = |id: &ConnId| {
            self.conns.find(*id).is_some_and(|conn| network.contains(&conn.from.ip()))
        };
        let theirs = self.handshakes.0.iter().map(|it| it.conn).filter(is_theirs);
        for id in theirs.collect::<Vec<_>>() {
            self.end_handshake(id, Parting::Banned.word());
            self.note_refused(Parting::Banned);
        }
    }

    /// Ends a handshake without a word, for that reason.
    fn end_handshake(&mut self, id: ConnId, reason: &'static str) {
        if let Some(conn) = self.conns.find(id) {
            self.log_refused(conn.from.into(), reason);
            self.doom(id);
        }
    }

    /// A handshake has had its time. Who has sent nothing may be a person at a plain client who
    /// waits for a greeting.
    pub(super) fn expire_handshake(&mut self, id: ConnId) {
        let is_due = |conn: &&Conn<S>| conn.stage == Stage::Handshaking;
        let Some(conn) = self.conns.find(id).filter(is_due) else { return };
        if conn.tls.as_ref().is_some_and(|session| !session.has_begun()) {
            self.log_failed_tls(id, "nothing came in time");
            return self.turn_away_plain(id);
        }
        self.log_failed_tls(id, "it was not done in time");
        self.doom(id);
    }

    /// Tells somebody who speaks plainly where TLS is spoken, and ends the connection.
    fn turn_away_plain(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        conn.tls = None;
        let parting = Parting::WrongProtocol(Stranger::Plain);
        self.tell(id, &Event::Bye { nick: None, parting });
        self.close(id, parting, Who::default());
    }

    /// Moves a connection to another stage of its life, by which its handshake may be over.
    pub(super) fn set_stage(&mut self, id: ConnId, stage: Stage) {
        if let Some(conn) = self.conns.find_mut(id) {
            if conn.stage == Stage::Handshaking {
                self.handshakes.end(id);
            }
            conn.stage = stage;
        }
    }
}

impl<S: Stream> Conn<S> {
    /// Reads what the peer has sent, decrypted.
    #[inline]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.read(buffer),
            Some(session) => session.read(&mut self.stream, buffer),
        }
    }

    /// Sends what waits, and what TLS has to say by itself; as the queue says.
    #[inline]
    pub(super) fn flush(&mut self, page: &mut OpenPage, sent: &mut u64) -> io::Result<bool> {
        let Some(session) = &mut self.tls else {
            return self.queue.flush(page, &mut self.stream, sent);
        };
        if !session.write_out(&mut self.stream)? {
            return Ok(false);
        }
        self.queue.flush(page, &mut session.writer(&mut self.stream), sent)
    }

    /// Ends the output. `Ok(false)` when the peer has to take something before.
    pub(super) fn finish_writing(&mut self) -> io::Result<bool> {
        if let Some(session) = &mut self.tls
            && !session.finish_writing(&mut self.stream)?
        {
            self.is_writable = false;
            return Ok(false);
        }
        self.stream.finish_writing().map(|()| true)
    }

    /// How many bytes of what waits are encrypted already, and are to be offered again as they
    /// are.
    pub(super) fn sealed(&self) -> usize {
        self.tls.as_ref().map_or(0, |session| session.sealed())
    }
}
