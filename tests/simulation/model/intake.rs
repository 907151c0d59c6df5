//! From pieces to lines: ends, erasing, telnet, the limit on lines, and the pace.

use std::time::Duration;

use chatline::chat::pace::Rate;

use super::super::told::What;
use super::super::typing::{End, Piece, Telnet};
use super::{ConnNo, Model, Stage};

/// How long a silence after the last line says that its reader is a person.
const SILENCE: Duration = Duration::from_millis(500);

/// How much of a rate is left, as the time that it stands for; refilled as time passes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// How much is missing.
    missing: Duration,
    at: Duration,
}

impl Bucket {
    /// The one of whoever comes from there.
    pub fn of(all: &mut Vec<(u128, Bucket)>, origin: u128) -> &mut Bucket {
        let at = all.iter().position(|(who, _)| *who == origin).unwrap_or_else(|| {
            all.push((origin, Bucket::default()));
            all.len() - 1
        });
        &mut all[at].1
    }

    /// When one more is to be had, at `now` or later.
    pub fn next(&mut self, rate: Rate, now: Duration) -> Duration {
        self.missing = self.missing.saturating_sub(now - self.at);
        self.at = now;
        let spare = rate.every * rate.burst - self.missing;
        now + rate.every.saturating_sub(spare)
    }

    /// Takes one.
    pub fn take(&mut self, rate: Rate) {
        self.missing += rate.every;
    }

    /// Gives one back.
    pub fn give_back(&mut self, rate: Rate) {
        self.missing = self.missing.saturating_sub(rate.every);
    }
}

/// What a piece completes.
enum Item {
    Nothing,
    Line,
    TooLong,
    Reply([u8; 3]),
    AreYouThere,
    Interrupt,
    EndOfInput,
}

impl Model {
    /// Pieces arrive.
    pub fn receive(&mut self, no: ConnNo, pieces: &[Piece]) {
        let now = self.mono;
        if pieces.is_empty() {
            return;
        }
        match &mut self.conns[no].stage {
            Stage::Talking => {
                self.conns[no].inbox.extend_from_slice(pieces);
                self.obey_inbox(no);
            }
            // Whoever sends something after a silence wants the connection closed.
            Stage::Lingering { heard_at, .. } => match *heard_at + SILENCE <= now {
                true => self.conns[no].stage = Stage::Gone,
                false => *heard_at = now,
            },
            Stage::Gone => {}
        }
    }

    /// No more will come; to say so twice changes nothing.
    pub fn end(&mut self, no: ConnNo) {
        if std::mem::replace(&mut self.conns[no].is_input_over, true) {
            return;
        }
        match self.conns[no].stage {
            Stage::Talking => self.obey_inbox(no),
            Stage::Lingering { .. } => self.conns[no].stage = Stage::Gone,
            Stage::Gone => {}
        }
    }

    /// A peer that speaks another protocol comes in and says so in one go.
    pub fn turn_away(&mut self, no: ConnNo, is_tls: bool) {
        if self.conns[no].stage == Stage::Talking {
            match is_tls {
                true => self.tell(no, What::Bytes(vec![21, 3, 1, 0, 2, 2, 70])),
                false => self.tell(no, What::Refused("wrong-protocol")),
            }
            self.linger(no);
        }
    }

    /// Obeys what has come in, as far as the pace allows.
    pub(super) fn obey_inbox(&mut self, no: ConnNo) {
        while self.conns[no].stage == Stage::Talking {
            self.skip(no);
            if self.conns[no].inbox.is_empty() {
                if self.conns[no].is_input_over {
                    self.finish(no);
                }
                return;
            }
            if let Some(rate) = self.hub.pace {
                let at = self.conns[no].bucket.next(rate, self.mono);
                if at > self.mono {
                    return self.slow(no, at, rate);
                }
                self.conns[no].bucket.take(rate);
            }
            if !self.obey_item(no)
                && let Some(rate) = self.hub.pace
            {
                self.conns[no].bucket.give_back(rate);
            }
        }
    }

    /// What is left of a line that is too long waits for nothing.
    fn skip(&mut self, no: ConnNo) {
        let is_text = |piece: &Piece| !piece.is_telnet();
        while self.conns[no].is_skipping && self.conns[no].inbox.first().is_some_and(is_text) {
            let piece = self.conns[no].inbox.remove(0);
            self.assemble(no, &piece);
        }
    }

    fn slow(&mut self, no: ConnNo, at: Duration, rate: Rate) {
        self.paced.retain(|(_, paced)| *paced != no);
        self.paced.push((at, no));
        if !std::mem::replace(&mut self.conns[no].was_slowed, true) {
            let lines = (1.0 / rate.every.as_secs_f64()).round();
            let lines = if lines == 1.0 { "1 line".into() } else { format!("{lines} lines") };
            self.words(no, &["faster than", &lines, "a second"]);
        }
    }

    /// Takes pieces until one completes something; returns whether one did.
    fn obey_item(&mut self, no: ConnNo) -> bool {
        while !self.conns[no].inbox.is_empty() {
            let piece = self.conns[no].inbox.remove(0);
            self.conns[no].is_crlf |= piece.is_telnet();
            match self.assemble(no, &piece) {
                Item::Nothing => continue,
                Item::Line => {
                    let text = std::mem::take(&mut self.conns[no].text);
                    self.conns[no].raw.clear();
                    self.conns[no].is_known = true;
                    self.obey_and_answer(no, |model| model.obey(no, &text));
                }
                Item::TooLong => {
                    self.conns[no].is_known = true;
                    self.refuse_too_long(no);
                }
                Item::Reply(bytes) => self.tell(no, What::Bytes(bytes.to_vec())),
                Item::AreYouThere => self.words(no, &["chatline is here"]),
                Item::Interrupt => {
                    self.tell(no, What::Bytes(vec![0xFF, 252, 6]));
                    let was_pasting = self.conns[no].paste.take().is_some();
                    let what = if was_pasting { "nothing of your message" } else { "to leave" };
                    self.words(no, &["interrupted", what]);
                }
                Item::EndOfInput => self.finish(no),
            }
            return true;
        }
        false
    }

    fn assemble(&mut self, no: ConnNo, piece: &Piece) -> Item {
        let most = self.hub.line_bytes_max.unwrap_or(usize::MAX);
        let conn = &mut self.conns[no];
        match piece {
            Piece::Plain(..) | Piece::Erase(_) if conn.is_skipping => Item::Nothing,
            Piece::Plain(..) | Piece::Erase(_) => {
                conn.raw.extend(piece.counted());
                match piece {
                    Piece::Plain(_, text) => conn.text.push_str(text),
                    _ => _ = conn.text.pop(),
                }
                if conn.raw.len() <= most {
                    return Item::Nothing;
                }
                conn.is_skipping = true;
                conn.raw.clear();
                conn.text.clear();
                Item::TooLong
            }
            Piece::End(_) if conn.is_skipping => {
                conn.is_skipping = false;
                Item::Nothing
            }
            Piece::End(end) => {
                conn.is_crlf |= *end != End::Lf;
                Item::Line
            }
            Piece::Telnet(telnet) => self.negotiate(no, *telnet),
        }
    }

    fn negotiate(&mut self, no: ConnNo, telnet: Telnet) -> Item {
        let conn = &mut self.conns[no];
        if matches!(telnet, Telnet::Interrupt | Telnet::EraseLine) {
            conn.is_skipping = false;
            conn.raw.clear();
            conn.text.clear();
        }
        match telnet {
            Telnet::Nothing(_) | Telnet::EraseLine => Item::Nothing,
            Telnet::Wants { verb, option } => {
                let is_new = conn.refused_options.insert((verb, option));
                let refusal = if verb == 253 { 252 } else { 254 };
                match is_new || (verb, option) == (253, 6) {
                    true => Item::Reply([0xFF, refusal, option]),
                    false => Item::Nothing,
                }
            }
            Telnet::AreYouThere => Item::AreYouThere,
            Telnet::Interrupt => Item::Interrupt,
            Telnet::EndOfInput => Item::EndOfInput,
        }
    }

    /// The last line counts without its end, then the connection is over.
    fn finish(&mut self, no: ConnNo) {
        let conn = &mut self.conns[no];
        let text = std::mem::take(&mut conn.text);
        let is_line = !conn.raw.is_empty() && !conn.is_skipping;
        if is_line {
            self.obey_and_answer(no, |model| model.obey(no, &text));
        }
        if self.conns[no].stage == Stage::Talking {
            self.end_paste(no);
            self.part(no);
        }
    }
}
