//! Words to bytes and bytes to words; no socket.
//!
//! In: [`mod@line`] finds lines among what arrives (with [`telnet`] stripping its commands),
//! [`clean`] lets through what may reach a terminal, [`sniff`] recognises who speaks something
//! else. Out: [`render`] makes the bytes of an [`Event`], with the words of [`text`]. Promises:
//! what goes out is whole lines, and their first characters say what they are. Deliberately
//! decides nothing: that is `chat`.

pub mod clean;
mod escape;
pub mod help;
mod joiner;
pub mod line;
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
        Event::Said { room, nick, text } => {
            line(&["#", room.as_str(), " ", nick.as_str(), ": ", text]);
        }
        Event::Acted { room, nick, text } => {
            line(&["#", room.as_str(), " * ", nick.as_str(), " ", text]);
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
