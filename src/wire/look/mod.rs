//! How a line looks to somebody who is not served plainly: in colour, wrapped, rung for, or in
//! words for a screen reader.
//!
//! Promises: the words are those of [`super::render`], whose lines are taken apart by their shape
//! and decorated; what is coloured ends on its row; nothing is cut inside of a word, but for words
//! that are wider than the terminal and no links. Nobody's text can imitate any of it: it
//! never stands at the beginning of a row, for what is wrapped goes on behind two blanks, and it
//! has no escape sequence and no bell in it, since [`super::clean`] lets none through. Deliberately
//! no state: the caller knows the reader, and when a day has passed.

mod mention;
mod palette;
mod shape;
mod words;
mod wrap;

use std::ops::Range;

use crate::chat::event::{Event, Parting, Stranger};
use crate::chat::settings::{Color, Settings};

use super::{Clock, Ends, date_of};
use palette::{Palette, Style};
use shape::Shape;

const BELL: u8 = 0x07;

/// The days of the week, from the third day before 1970-01-01 on, which was a Thursday.
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Who looks, and how they want it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What they have set.
    pub settings: &'a Settings,
    /// Whether their lines are edited here: what was not set is as terminals have it.
    pub is_terminal: bool,
    /// How wide their terminal is, in columns; 0 when that is not known, and nothing is wrapped.
    pub columns: usize,
    /// Their own name, once there is one.
    pub nick: Option<&'a str>,
}

impl Look<'_> {
    /// Whether their lines differ from what everybody sees, the time before them apart.
    pub fn is_otherwise(&self) -> bool {
        let Settings { is_plain, is_ringing, .. } = *self.settings;
        is_plain || is_ringing || self.columns > 0 || self.palette().is_some()
    }

    fn palette(&self) -> Option<&'static Palette> {
        if self.settings.is_plain {
            return None;
        }
        match self.settings.color {
            Some(Color::Off) => None,
            Some(Color::On) => Some(&palette::ON),
            Some(Color::Dark) => Some(&palette::DARK),
            Some(Color::Light) => Some(&palette::LIGHT),
            None => self.is_terminal.then_some(&palette::ON),
        }
    }
}

/// A piece of a line that looks otherwise than the rest; the pieces of a line stand in order.
type Piece = (Range<usize>, Style);

/// Appends the whole lines that an event is to this reader, each with the time, if it is wished.
pub fn render(event: &Event, look: &Look<'_>, ends: Ends, clock: Clock, out: &mut Vec<u8>) {
    if let Event::Bye { parting: Parting::WrongProtocol(Stranger::Tls), .. } = event {
        return super::render(event, ends, clock, out);
    }
    let mut bytes = Vec::new();
    super::render(event, Ends::Lf, clock, &mut bytes);
    let text = String::from_utf8(bytes).expect("all that is told is text, but the alert of TLS");
    let rings = look.settings.is_ringing && look.nick.is_some_and(|nick| means(event, nick));
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line_out = LineOut { look, ends, clock, rings: rings && lines.peek().is_none() };
        match look.settings.is_plain {
            true => line_out.append(&words::spoken(line, is_of_past(event)), &[], out),
            false => line_out.append(line, &pieces(event, line, look), out),
        }
    }
}

/// Appends the line that separates days.
pub fn day(clock: Clock, look: &Look<'_>, ends: Ends, out: &mut Vec<u8>) {
    let number = day_number(clock);
    let (year, month, day) = date_of(number);
    let weekday = WEEKDAYS[(number + 3).rem_euclid(7) as usize];
    let line = format!("* {weekday} {year:04}-{month:02}-{day:02}");
    let line_out = LineOut { look, ends, clock, rings: false };
    match (look.settings.is_plain, look.palette()) {
        (true, _) => line_out.append(&words::spoken(&line, false), &[], out),
        (false, None) => line_out.append(&line, &[], out),
        (false, Some(palette)) => line_out.append(&line, &[(0..line.len(), palette.aside())], out),
    }
}

/// Which day it is for the reader, counted from 1970-01-01.
pub fn day_number(clock: Clock) -> i64 {
    (clock.unix + i64::from(clock.zone_secs)).div_euclid(24 * 60 * 60)
}

/// A name in its colour, as far as the reader sees colours.
pub fn colored_name(name: &str, look: &Look<'_>) -> String {
    match look.palette() {
        None => name.to_owned(),
        Some(palette) => {
            let mut out = Vec::new();
            palette.name(name).paint(name, &mut out);
            String::from_utf8(out).expect("a name in its colour is text")
        }
    }
}

/// Whether an event means the reader of that name: a whisper to them, or a line of somebody else
/// that has their name in it as a word.
pub fn means(event: &Event, reader: &str) -> bool {
    match event {
        Event::Whispered { .. } => true,
        Event::Said { nick, text, .. }
        | Event::Acted { nick, text, .. }
        | Event::Block { nick, text, .. } => {
            let reader = mention::Named::new(reader);
            !reader.is(nick.as_str()) && reader.find_in(text).next().is_some()
        }
        _ => false,
    }
}

/// Whether the notices of an event have lines in them that were said once.
fn is_of_past(event: &Event) -> bool {
    matches!(
        event,
        Event::Replay { .. }
            | Event::History { .. }
            | Event::Found { .. }
            | Event::Whole { .. }
            | Event::Directs { .. }
    )
}

/// What looks otherwise in a line.
fn pieces(event: &Event, line: &str, look: &Look<'_>) -> Vec<Piece> {
    let Some(palette) = look.palette() else { return Vec::new() };
    let shape = Shape::of(line, is_of_past(event));
    let name = |nick: &Range<usize>| palette.name(&line[nick.clone()]);
    match shape {
        Shape::Said { nick, text, .. } => {
            let mut pieces = vec![(nick.clone(), name(&nick))];
            if let Some(reader) = look.nick {
                let reader = mention::Named::new(reader);
                if !reader.is(&line[nick]) {
                    let found = reader.find_in(&line[text.start..]);
                    let at = |it: Range<usize>| it.start + text.start..it.end + text.start;
                    pieces.extend(found.map(|it| (at(it), Style::Mention)));
                }
            }
            pieces
        }
        Shape::Whispered { nick } => {
            // The mark and the colon are bold with the name.
            vec![(0..nick.end + 1, name(&nick).bold())]
        }
        Shape::Past { nick, .. } => vec![(0..1, palette.aside()), (nick.clone(), name(&nick))],
        Shape::Quoted { text } => vec![(0..text.start, palette.aside())],
        Shape::Notice { .. } => match event {
            Event::Came { .. } | Event::Left { .. } | Event::Gone { .. } | Event::Tally { .. } => {
                vec![(0..line.len(), palette.aside())]
            }
            _ => vec![(0..1, palette.aside())],
        },
        Shape::Refused { code } => vec![(0..code.end, palette.refusal())],
        Shape::Other => Vec::new(),
    }
}

/// How one line leaves.
struct LineOut<'a> {
    look: &'a Look<'a>,
    ends: Ends,
    clock: Clock,
    rings: bool,
}

impl LineOut<'_> {
    fn append(&self, line: &str, pieces: &[Piece], out: &mut Vec<u8>) {
        let mut columns_taken = 0;
        if self.look.settings.time.is_some() {
            let time = self.clock.show(self.clock.unix);
            columns_taken = time.len() + 1;
            match self.look.palette() {
                Some(palette) => palette.aside().paint(&time, out),
                None => out.extend_from_slice(time.as_bytes()),
            }
            out.push(b' ');
        }
        let columns = if self.look.settings.is_plain { 0 } else { self.look.columns };
        for (number, row) in wrap::rows(line, columns, columns_taken).into_iter().enumerate() {
            if number > 0 {
                out.extend_from_slice(self.ends.bytes());
                out.extend_from_slice(wrap::INDENT);
            }
            paint(line, row, pieces, out);
        }
        if self.rings {
            out.push(BELL);
        }
        out.extend_from_slice(self.ends.bytes());
    }
}

/// Appends a part of a line, each piece of it in its style.
fn paint(line: &str, part: Range<usize>, pieces: &[Piece], out: &mut Vec<u8>) {
    let mut at = part.start;
    for (range, style) in pieces {
        let (start, end) = (range.start.max(at), range.end.min(part.end));
        if start < end {
            out.extend_from_slice(&line.as_bytes()[at..start]);
            style.paint(&line[start..end], out);
            at = end;
        }
    }
    out.extend_from_slice(&line.as_bytes()[at..part.end]);
}

#[cfg(test)]
mod tests;
