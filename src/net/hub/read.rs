//! Taking in: from bytes that are ready to inputs of the conversation.
//!
//! Promises: every line that was received is obeyed, also when writing to the peer fails; lines of
//! one connection keep their order; whoever sends too fast is read more slowly, and nothing of
//! theirs is dropped. Deliberately flushes nothing.

use std::cmp::Reverse;
use std::io;
use std::time::Duration;

use log::debug;

use crate::chat::event::{Parting, Stranger};
use crate::chat::pace::Rate;
use crate::chat::{ConnId, Input};
use crate::wire::Ends;
use crate::wire::clean::clean;
use crate::wire::line::Item;
use crate::wire::sniff;
use crate::wire::telnet::TIMING_MARK_REFUSED;

use super::super::conn::{Conn, Inbox, Intake, Readable, Stage, Stream};
use super::super::view::Face;
use super::{Hub, Timer};

/// How many lines of one connection are obeyed in one turn: some cost more than others, and nobody
/// else should wait for all of them.
const LINES_PER_TURN: usize = 256;

/// After its goodbye, a peer that sends something after so long a silence is a person who presses
/// Enter to get the prompt back, and no script that has not finished sending: closing at once sends
/// the reset that ends their client.
const DRAIN_SILENCE: Duration = Duration::from_millis(500);

/// How much of what all connections have sent is still taken when the server stops, beyond what a
/// turn takes of each.
const LAST_BYTES_MAX: usize = 16 << 20;
const LAST_LINES_MAX: usize = 1 << 17;

/// How much keys of one connection may cost in one turn, each by what it makes its editor look at;
/// when the server stops, of each and of all together.
const KEYS_PER_TURN: usize = 512;
const LAST_KEYS: usize = 32;
const LAST_KEYS_MAX: usize = 1 << 14;

/// How much may still be taken from a connection.
pub(super) struct Budget {
    bytes: usize,
    lines: usize,
    /// What keys may cost.
    pub(super) keys: usize,
}

impl Budget {
    /// What a stop takes of one connection whose answer came late.
    pub(super) fn of_stop() -> Budget {
        Budget { bytes: LAST_BYTES_MAX, lines: LAST_LINES_MAX, keys: LAST_KEYS_MAX }
    }
}

impl Budget {
    /// A line was taken, or as much as one.
    pub(super) fn take_line(&mut self) {
        self.lines -= 1;
    }
}

/// How many bytes are left lying, and until when, since start.
pub(super) struct Left {
    bytes: usize,
    not_before: Duration,
}

/// Why no more of some input is obeyed.
pub(super) enum Stop {
    /// It is over, or that is left.
    Over(Option<Left>),
    /// What follows is to be taken otherwise: as lines, and not as keys, or the reverse.
    Changed,
}

impl<S: Stream> Hub<S> {
    /// Obeys what a connection has left lying, then reads more and obeys it, as far as this turn
    /// goes.
    pub(super) fn serve(&mut self, id: ConnId) {
        let bytes = self.limits.read_bytes_per_turn;
        let keys = KEYS_PER_TURN;
        self.serve_within(id, &mut Budget { bytes, lines: LINES_PER_TURN, keys });
    }

    /// The server stops: obeys all that has come from everybody. First as much of each as a turn
    /// takes, then the rest within a bound, so that nobody with a flood has the last word.
    pub(super) fn serve_all(&mut self) {
        let bytes = self.limits.read_bytes_per_turn;
        for id in self.conns.ids() {
            if let Some(conn) = self.conns.find_mut(id) {
                conn.readable = Readable::UntilBlocked;
            }
            let keys = LAST_KEYS;
            self.serve_last(id, &mut Budget { bytes, lines: LINES_PER_TURN, keys });
        }
        let mut rest = Budget::of_stop();
        for id in self.conns.ids() {
            self.serve_last(id, &mut rest);
        }
    }

    pub(super) fn serve_last(&mut self, id: ConnId, budget: &mut Budget) {
        self.serve_within(id, budget);
        let is_left = |conn: &Conn<S>| conn.inbox.is_some() && !conn.is_awaiting;
        while budget.lines > 0 && budget.keys > 0 && self.conns.find(id).is_some_and(is_left) {
            self.settle();
            self.serve_within(id, budget);
        }
    }

    fn serve_within(&mut self, id: ConnId, budget: &mut Budget) {
        if !self.obey_inbox(id, budget) {
            return;
        }
        loop {
            let Some(conn) = self.conns.find_mut(id) else { return };
            if conn.is_awaiting {
                return;
            }
            if conn.intake != Intake::Open || conn.is_finishing && conn.is_talking() {
                return self.finish(id);
            }
            if conn.stage == Stage::Doomed || conn.readable == Readable::No {
                return;
            }
            if budget.bytes == 0 {
                return self.list(id);
            }
            if conn.stage == Stage::Handshaking {
                match self.shake_hands(id) {
                    true => continue,
                    false => return,
                }
            }
            if conn.stage == Stage::Draining
                && let Some(ending) = &mut conn.ending
            {
                if self.now.mono >= ending.heard_at + DRAIN_SILENCE {
                    return self.doom(id);
                }
                ending.heard_at = self.now.mono;
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            let most = buffer.len().min(budget.bytes);
            let (read, cost) = self.read(id, &mut buffer[..most]);
            budget.bytes = budget.bytes.saturating_sub(cost);
            let left = self.obey(id, &buffer[..read], budget);
            if let Some(left) = &left
                && let Some(conn) = self.conns.find_mut(id)
            {
                let rest = &buffer[read - left.bytes..read];
                conn.inbox = Some(Box::new(Inbox::new(rest, left.not_before)));
            }
            self.buffer = buffer;
            if left.is_some() {
                return;
            }
        }
    }

    /// Obeys what a connection has left lying, as far as pace and turn allow; returns whether
    /// nothing lies there any more.
    fn obey_inbox(&mut self, id: ConnId, budget: &mut Budget) -> bool {
        let Some(conn) = self.conns.find_mut(id).filter(|conn| !conn.is_awaiting) else {
            return false;
        };
        let Some(mut inbox) = conn.inbox.take() else { return true };
        if inbox.not_before() > self.now.mono && !self.is_stopping {
            conn.inbox = Some(inbox);
            return false;
        }
        let left = self.obey(id, inbox.rest(), budget);
        if let Some(left) = &left
            && let Some(conn) = self.conns.find_mut(id)
        {
            inbox.keep(left.bytes, left.not_before);
            conn.inbox = Some(inbox);
        }
        left.is_none()
    }

    /// Reads once. Returns how many bytes came, and how many that counts as.
    fn read(&mut self, id: ConnId, buffer: &mut [u8]) -> (usize, usize) {
        let Some(conn) = self.conns.find_mut(id) else { return (0, 0) };
        let came = conn.read(buffer);
        let read = note_read(conn, came, buffer.len());
        conn.life.bytes_in.add(read as u64);
        self.counts.bytes_in += read as u64;
        let Some(session) = &mut conn.tls else { return (read, read) };
        // Some of what TLS takes in is nothing to us, and some wants an answer.
        let cost = session.take_read().max(read);
        if session.has_more_to_write() {
            self.touch(id);
        }
        (read, cost)
    }

    /// Obeys some input in order, as far as pace and turn allow; returns what is left, if anything
    /// is.
    fn obey(&mut self, id: ConnId, input: &[u8], budget: &mut Budget) -> Option<Left> {
        let mut rest = input;
        loop {
            for is_keys in [false, true] {
                let stop = match is_keys {
                    true => self.obey_keys(id, &mut rest, budget),
                    false => self.obey_lines(id, &mut rest, budget),
                };
                if let Stop::Over(left) = stop {
                    return left;
                }
            }
        }
    }

    /// Whether one more line, or some keys, of a connection may be taken now, and at which pace.
    pub(super) fn may_go_on(
        &mut self,
        id: ConnId,
        rest: &[u8],
        budget: &Budget,
    ) -> Result<Option<Rate>, Stop> {
        let is_full = self.turn_is_full();
        let left = |not_before| Stop::Over(Some(Left { bytes: rest.len(), not_before }));
        // Telnet's end of input may have come, and who is to end wait for an answer.
        let goes_on = |conn: &&mut Conn<S>| conn.is_talking() && !conn.is_finishing;
        let Some(conn) = self.conns.find_mut(id).filter(goes_on) else {
            return Err(Stop::Over(None));
        };
        if rest.is_empty() {
            return Err(Stop::Over(None));
        }
        if conn.is_awaiting {
            return Err(left(Duration::ZERO));
        }
        if let Some(stranger) = first_bytes_of_stranger(conn, rest) {
            self.turn_away(id, stranger);
            return Err(Stop::Over(None));
        }
        if is_full || budget.lines == 0 || budget.keys == 0 {
            self.list(id);
            return Err(left(Duration::ZERO));
        }
        let own = conn.view.as_ref().and_then(|view| view.pace);
        let rate = own.or(self.limits.pace).filter(|_| !self.is_stopping);
        if let Some(rate) = rate
            && let Err(at) = conn.pace.take(rate, self.now.mono)
        {
            self.slow(id, at, rate.every);
            return Err(left(at));
        }
        Ok(rate)
    }

    fn obey_lines(&mut self, id: ConnId, rest: &mut &[u8], budget: &mut Budget) -> Stop {
        loop {
            // What was refused already waits for nothing, in however many pieces it comes.
            if let Some(conn) = self.conns.find_mut(id) {
                conn.lines.skip(rest);
            }
            let rate = match self.may_go_on(id, rest, budget) {
                Ok(rate) => rate,
                Err(stop) => return stop,
            };
            let Some(conn) = self.conns.find_mut(id) else { return Stop::Over(None) };
            match conn.view.as_ref().map(|view| &view.face) {
                None | Some(Face::Lines | Face::Json(None)) => {}
                Some(Face::Terminal(_)) => {
                    conn.give_back(rate);
                    return Stop::Changed;
                }
                Some(Face::Json(Some(_))) => {
                    // The request was paid for, in however many pieces its bytes come.
                    conn.give_back(rate);
                    budget.take_line();
                    self.take_sized(id, rest);
                    continue;
                }
            }
            let item = conn.lines.next(rest, self.limits.line_bytes_max);
            if conn.lines.has_spoken_telnet() {
                conn.ends = Ends::CrLf;
            }
            let Some(item) = item else {
                conn.give_back(rate);
                continue;
            };
            budget.take_line();
            self.obey_item(id, item);
        }
    }

    pub(super) fn obey_item(&mut self, id: ConnId, item: Item<'_>) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        match item {
            Item::Line { bytes, crlf } => {
                if crlf {
                    conn.ends = Ends::CrLf;
                }
                self.obey_line(id, &bytes);
            }
            Item::TooLong => {
                conn.is_known = true;
                conn.life.lines_in = conn.life.lines_in.saturating_add(1);
                self.counts.lines_in += 1;
                let bytes_max = self.limits.line_bytes_max;
                let bytes_max = bytes_max.expect("only a limit makes a line too long");
                self.begin_request(id, None);
                self.chat(Input::TooLong { conn: id, bytes_max });
                self.end_request(id);
            }
            Item::Reply(bytes) => self.tell_bytes(id, &bytes),
            Item::AreYouThere => self.chat(Input::AreYouThere { conn: id }),
            Item::Interrupt => {
                // Telnet shows nothing of what comes before this answer (RFC 860), so it stands
                // before the notice, and not only where the timing mark is asked for.
                self.tell_bytes(id, &TIMING_MARK_REFUSED);
                self.chat(Input::Interrupt { conn: id });
            }
            Item::EndOfInput => self.finish(id),
            Item::Terminal(tells) => self.note_terminal(id, tells),
        }
    }

    pub(super) fn obey_line(&mut self, id: ConnId, bytes: &[u8]) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        conn.life.lines_in = conn.life.lines_in.saturating_add(1);
        self.counts.lines_in += 1;
        if !conn.is_known {
            conn.is_known = true;
            if let Some(stranger) = sniff::stranger_by_first_line(bytes) {
                self.turn_away(id, stranger);
                return;
            }
        }
        match conn.view.as_ref().map(|view| &view.face) {
            None => self.chat(Input::Line { conn: id, text: &clean(bytes) }),
            Some(Face::Json(_)) => self.obey_json(id, bytes),
            Some(Face::Lines | Face::Terminal(_)) => {
                self.begin_request(id, None);
                self.chat(Input::Line { conn: id, text: &clean(bytes) });
                self.end_request(id);
            }
        }
    }

    /// Ends the connection of a peer that speaks something else.
    fn turn_away(&mut self, id: ConnId, stranger: Stranger) {
        self.log_stranger(id, stranger);
        self.chat(Input::Ended { conn: id, parting: Parting::WrongProtocol(stranger) });
    }

    /// The connection's next line is to be had at that time.
    fn slow(&mut self, id: ConnId, at: Duration, every: Duration) {
        self.timers.push(Reverse((at, Timer::Pace(id))));
        let Some(conn) = self.conns.find_mut(id) else { return };
        if !conn.was_slowed {
            conn.was_slowed = true;
            let per_second = 1.0 / every.as_secs_f64();
            let per_second = (per_second.round() as u32).max(1); // A rate is made from a u32.
            self.chat(Input::Slowed { conn: id, per_second });
        }
    }

    /// Nothing more will come: the last line counts also without its end, then the connection ends.
    fn finish(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        // Who ends a terminal's input has not ended a line, or a message of many.
        let is_terminal = conn.terminal_mut().is_some();
        let parting = match conn.intake {
            Intake::Lost => Parting::Lost,
            Intake::Open | Intake::Ended if is_terminal => Parting::Lost,
            Intake::Open | Intake::Ended => Parting::EndOfInput,
        };
        match conn.stage {
            Stage::Talking => {
                if let Some(line) = conn.lines.finish() {
                    self.obey_line(id, &line);
                }
                let Some(conn) = self.conns.find_mut(id) else { return };
                if conn.is_awaiting {
                    conn.is_finishing = true;
                    return;
                }
                self.chat(Input::Ended { conn: id, parting });
            }
            Stage::Handshaking => self.doom(id),
            // Once everything is sent, nothing has to be drained.
            Stage::Closing => self.touch(id),
            Stage::Draining => self.doom(id),
            Stage::Doomed => {}
        }
    }
}

/// Notes when there is nothing to read, or when nothing more will come. Returns how many bytes
/// came.
fn note_read<S>(conn: &mut Conn<S>, came: io::Result<usize>, most: usize) -> usize {
    match came {
        Ok(0) => conn.intake = Intake::Ended,
        Ok(read) => {
            // A session holds more than it has given.
            let is_all = read < most && conn.tls.is_none();
            if is_all && conn.readable == Readable::UntilShort {
                conn.readable = Readable::No;
            }
            return read;
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => conn.readable = Readable::No,
        Err(error) => {
            debug!(peer:% = conn.from, cause:% = error; "cannot_read");
            conn.intake = Intake::Lost;
            // Who closes without reading resets the connection, and means what they sent; who is
            // gone may have been in the middle of a line.
            if error.kind() != io::ErrorKind::ConnectionReset {
                conn.lines.finish();
            }
        }
    }
    0
}

/// Whether the connection has begun, before its first line ended, as no person would.
fn first_bytes_of_stranger<S>(conn: &Conn<S>, rest: &[u8]) -> Option<Stranger> {
    if conn.is_known {
        return None;
    }
    let mut head = [0; 2];
    let bytes = conn.lines.first_bytes().iter().chain(rest);
    let length = head.iter_mut().zip(bytes).map(|(to, from)| *to = *from).count();
    sniff::stranger_at_first_bytes(&head[..length])
}
