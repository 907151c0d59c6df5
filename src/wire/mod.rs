//! Words to bytes and bytes to words; no socket.
//!
//! In: [`mod@line`] finds lines among what arrives (with [`telnet`] stripping its commands),
//! [`clean`] lets through what may reach a terminal, [`sniff`] recognises who speaks something
//! else, [`editor`] edits a line for who has a bare terminal. Out: [`render`] makes the bytes of an
//! [`Event`], with the words of [`text`], and [`look`] those for who wants them otherwise.
//! [`json`] is both for programs. Promises: what goes out is whole lines, and their first
//! characters say what they are. Deliberately decides nothing: that is `chat`.

mod cells;
pub mod clean;
pub mod editor;
mod escape;
pub mod help;
mod joiner;
pub mod json;
pub mod line;
pub mod look;
pub mod sniff;
pub mod telnet;
pub mod text;

use crate::chat::event::{Event, Parting, Stranger};

/// How lines to a connection end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    /// With LF.
    #[default]
    Lf,
    /// With CR LF: the peer ends its own lines so, or has spoken telnet.
    CrLf,
}

impl Ends {
    fn bytes(self) -> &'static [u8] {
        match self {
            Ends::Lf => b"\n",
            Ends::CrLf => b"\r\n",
        }
    }
}

/// The time as a reader is shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since 1970 UTC.
    pub unix: i64,
    /// Seconds that the reader's zone is ahead of UTC.
    pub zone_secs: i32,
}

impl Clock {
    /// Hours, minutes and seconds of the day, at a moment given in seconds since 1970 UTC.
    pub fn time_of_day(self, unix: i64) -> (i64, i64, i64) {
        let second = (unix + i64::from(self.zone_secs)).rem_euclid(24 * 60 * 60);
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// `HH:MM:SS` of a moment given in seconds since 1970 UTC.
    pub fn show(self, unix: i64) -> String {
        let (hours, minutes, seconds) = self.time_of_day(unix);
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    }
}

impl Clock {
    /// `YYYY-MM-DD HH:MM:SS` of a moment given in seconds since 1970 UTC.
    pub fn show_with_day(self, unix: i64) -> String {
        let days = (unix + i64::from(self.zone_secs)).div_euclid(24 * 60 * 60);
        let (year, month, day) = date_of(days);
        format!("{year:04}-{month:02}-{day:02} {}", self.show(unix))
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339) of a moment given in seconds since 1970 UTC; beyond the years
/// 0 to 9999 the nearest that there is.
pub fn rfc3339(unix: i64) -> String {
    let unix = unix.clamp(-62_167_219_200, 253_402_300_799);
    let utc = Clock { unix, zone_secs: 0 };
    let (year, month, day) = date_of(unix.div_euclid(24 * 60 * 60));
    format!("{year:04}-{month:02}-{day:02}T{}Z", utc.show(unix))
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar.
fn date_of(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the odd day is the last of one; eras are of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let odd_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - odd_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// Appends what stands before each line of a reader who asked for times: `HH:MM:SS `.
pub fn stamp(clock: Clock, out: &mut Vec<u8>) {
    out.extend_from_slice(clock.show(clock.unix).as_bytes());
    out.push(b' ');
}

/// Appends the whole lines that an event is.
pub fn render(event: &Event, ends: Ends, clock: Clock, out: &mut Vec<u8>) {
    let mut line = |parts: &[&str]| {
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(ends.bytes());
    };
    match event {
        Event::Said { room, nick, text, .. } => {
            line(&["#", room.as_str(), " ", nick.as_str(), ": ", text]);
        }
        Event::Acted { room, nick, text, .. } => {
            line(&["#", room.as_str(), " * ", nick.as_str(), " ", text]);
        }
        Event::Block { id, room, nick, text } => {
            let (shown, more) = text::block::shown(text);
            for text in shown {
                line(&["#", room.as_str(), " ", nick.as_str(), ": ", text]);
            }
            if more > 0 {
                line(&[&text::block::rest(room, nick, *id, more)]);
            }
        }
        Event::Whispered { nick, text } => line(&["@", nick.as_str(), ": ", text]),
        Event::Bye { parting: Parting::WrongProtocol(Stranger::Tls), .. } => {
            out.extend_from_slice(&TLS_ALERT);
        }
        _ => text::of(event, clock).lines().for_each(|text| line(&[text])),
    }
}

/// What a TLS client understands: a fatal alert, protocol_version (RFC 8446, section 6).
const TLS_ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::name::{Nick, RoomName};

    #[test]
    fn a_block_shows_five_lines_at_most_and_never_folds_one_alone() {
        let room = RoomName::parse("ops", None).expect("a name");
        let rendered = |lines: usize| {
            let text: Vec<String> = (1..=lines).map(|number| number.to_string()).collect();
            let (room, text) = (room.clone(), text.join("\n").into());
            let event = Event::Block { id: 7, room, nick: Nick::guest(1), text };
            let mut out = Vec::new();
            render(&event, Ends::CrLf, Clock { unix: 0, zone_secs: 0 }, &mut out);
            String::from_utf8(out).expect("text")
        };
        let said = |number| format!("#ops guest-1: {number}\r\n");
        let all = |lines| (1..=lines).map(said).collect::<String>();
        assert_eq!(rendered(2), all(2));
        assert_eq!(rendered(5), all(5));
        let rest = |more| format!("* #ops: {more} more lines of guest-1; /show 7 shows all\r\n");
        assert_eq!(rendered(6), all(4) + &rest(2));
        assert_eq!(rendered(500), all(4) + &rest(496));
    }

    #[test]
    fn a_moment_has_its_day() {
        let utc = Clock { unix: 0, zone_secs: 0 };
        for (unix, text) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_772_625_600, "2026-03-04 12:00:00"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(utc.show_with_day(unix), text);
        }
        assert_eq!(rfc3339(1_772_625_600), "2026-03-04T12:00:00Z");
        assert_eq!(rfc3339(i64::MIN), "0000-01-01T00:00:00Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59Z");
        let ahead = Clock { unix: 0, zone_secs: 3_600 };
        assert_eq!(ahead.show_with_day(1_772_668_799), "2026-03-05 00:59:59");
    }
}
