//! What `/history` and `/search` may ask, as typed.
//!
//! Promises: a room that is named like a number, or like `since`, is meant by `#` and its name.
//! Deliberately resolves no time: what "12:30" is depends on now.

use super::super::Now;
use super::{Command, HistorySpan, name_of, split_word};
use crate::chat::recall::HISTORY_LINES_MAX;

/// The longest span that can be typed, in seconds: `SPAN_DIGITS` digits of days.
pub const SPAN_SECS_MAX: i64 = 999_999 * 86_400;

/// How many digits the number of a span may have.
const SPAN_DIGITS: usize = 6;

/// A time that somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So many seconds ago.
    Ago(i64),
    /// The last time that it was so many seconds after midnight.
    Time(i64),
    /// At that moment, in seconds since 1970 UTC.
    Unix(i64),
    /// On that day, counted from 1970-01-01, so many seconds after midnight.
    Date {
        /// The day.
        day: i64,
        /// The second.
        second: i64,
    },
}

impl Since {
    /// `90s`, `30m`, `2h`, `3d`; `HH:MM`; `YYYY-MM-DD`, and that with `HH:MM`;
    /// `YYYY-MM-DDTHH:MM:SSZ`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Since> {
        since(text)
    }

    /// When that was, in seconds since 1970 UTC; times of day are those of the server's zone, and
    /// the last that has been.
    pub fn unix(self, now: Now) -> i64 {
        let zone = i64::from(now.zone_secs);
        match self {
            Since::Ago(seconds) => now.unix.saturating_sub(seconds),
            Since::Unix(unix) => unix,
            Since::Time(second) => {
                let midnight = (now.unix + zone).div_euclid(86_400) * 86_400 - zone;
                let today = midnight + second;
                if today > now.unix { today - 86_400 } else { today }
            }
            Since::Date { day, second } => day * 86_400 + second - zone,
        }
    }
}

/// `[ROOM] [N | since TIME | before ID | after ID]`; `None` for anything else.
pub(super) fn history(given: Option<&str>) -> Option<Command<'_>> {
    let Some(given) = given else {
        return Some(Command::History(None, HistorySpan::Last(None)));
    };
    if let Some(span) = span(given) {
        return Some(Command::History(None, span));
    }
    let (room, rest) = split_word(given);
    let span = match rest {
        "" => HistorySpan::Last(None),
        rest => span(rest)?,
    };
    let is_number = room.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    Some(name_of(room)).filter(|room| !room.is_empty() && !is_number).map(|room| {
        let room = Some(room);
        Command::History(room, span)
    })
}

fn span(text: &str) -> Option<HistorySpan> {
    match split_word(text) {
        ("before", id) => id.parse().ok().map(HistorySpan::Before),
        ("after", id) => id.parse().ok().map(HistorySpan::After),
        ("since", time) => since(time).map(HistorySpan::Since),
        (number, "") => {
            let lines = number.parse().ok().filter(|lines| (1..=HISTORY_LINES_MAX).contains(lines));
            lines.map(|lines| HistorySpan::Last(Some(lines)))
        }
        _ => None,
    }
}

/// `90s`, `30m`, `2h`, `3d`; `HH:MM` or `HH:MM:SS`; `YYYY-MM-DD`, and that with one of those; a
/// moment of UTC (RFC 3339).
pub(super) fn since(text: &str) -> Option<Since> {
    if let Some((date, time)) = text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        return Some(Since::Unix(day(date)? * 86_400 + time_of_day(time)?));
    }
    let (first, second) = split_word(text);
    match (ago(first), time_of_day(first), day(first)) {
        (Some(seconds), _, _) if second.is_empty() => Some(Since::Ago(seconds)),
        (_, Some(second_of_day), _) if second.is_empty() => Some(Since::Time(second_of_day)),
        (_, _, Some(day)) if second.is_empty() => Some(Since::Date { day, second: 0 }),
        (_, _, Some(day)) => Some(Since::Date { day, second: time_of_day(second)? }),
        _ => None,
    }
}

/// `90s`, `30m`, `2h` or `3d`, in seconds.
pub(super) fn ago(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let scale = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    digits(number, 1..=SPAN_DIGITS).map(|number| number * scale)
}

fn time_of_day(text: &str) -> Option<i64> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "00"));
    let (hours, minutes) = (digits(hours, 1..=2)?, digits(minutes, 2..=2)?);
    let seconds = digits(seconds, 2..=2)?;
    let is_sane = hours < 24 && minutes < 60 && seconds < 60;
    is_sane.then_some(hours * 3_600 + minutes * 60 + seconds)
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn day(text: &str) -> Option<i64> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (digits(year, 4..=4)?, digits(month, 2..=2)?, digits(day, 2..=2)?);
    let is_leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // The year begins in March here, so that the odd day is its last.
    let years = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = years / 4 - years / 100 + years / 400;
    (1..=days).contains(&day).then_some(years * 365 + leap_days + day_of_year - 719_468)
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_plain = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// `WORDS [in ROOM] [by NICK]`, the two in any order.
pub(super) fn search(given: &str) -> Option<Command<'_>> {
    let (mut words, mut room, mut nick) = (given, None, None);
    while let Some((before, last)) = words.rsplit_once(' ') {
        let before = before.trim_end();
        let Some((rest, word)) = before.rsplit_once(' ') else { break };
        match word {
            "in" if room.is_none() => room = Some(name_of(last)),
            "by" if nick.is_none() => nick = Some(name_of(last)),
            _ => break,
        }
        words = rest.trim_end();
    }
    let has_words = words.chars().any(char::is_alphanumeric);
    has_words.then_some(Command::Search(words, room, nick))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chat::Now;

    #[test]
    fn every_span_of_a_history() {
        let last = |number| HistorySpan::Last(number);
        for (typed, room, span) in [
            ("", None, last(None)),
            ("50", None, last(Some(50))),
            ("dev", Some("dev"), last(None)),
            ("#50", Some("50"), last(None)),
            ("#dev 5", Some("dev"), last(Some(5))),
            ("before 77", None, HistorySpan::Before(77)),
            ("dev before 77", Some("dev"), HistorySpan::Before(77)),
            ("since 2h", None, HistorySpan::Since(Since::Ago(7_200))),
            ("since 9:05:00", None, HistorySpan::Since(Since::Time(32_700))),
            (
                "dev since 1970-01-02",
                Some("dev"),
                HistorySpan::Since(Since::Date { day: 1, second: 0 }),
            ),
        ] {
            let given = Some(typed).filter(|typed| !typed.is_empty());
            assert_eq!(history(given), Some(Command::History(room, span)), "{typed}");
        }
        for wrong in
            ["101", "-1", "dev 0", "dev 101", "dev since", "since 25:00", "before x", "a b c"]
        {
            assert_eq!(history(Some(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn days_are_counted_as_calendars_do() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(11_016)),
            ("2026-03-04", Some(20_516)),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-04-31", None),
        ] {
            assert_eq!(day(text), days, "{text}");
        }
        assert_eq!(since("2026-03-04T12:00:01Z"), Some(Since::Unix(1_772_625_601)));
        assert_eq!(since("2026-03-04T24:00Z"), None);
        assert_eq!(since("2026-03-04 12:00"), Some(Since::Date { day: 20_516, second: 43_200 }));
    }

    #[test]
    fn words_come_before_where_and_who() {
        for (typed, words, room, nick) in [
            ("disk full", "disk full", None, None),
            ("disk in #dev", "disk", Some("dev"), None),
            ("disk by bob in dev", "disk", Some("dev"), Some("bob")),
            ("stand by me", "stand", None, Some("me")),
            ("in dev", "in dev", None, None),
        ] {
            assert_eq!(search(typed), Some(Command::Search(words, room, nick)), "{typed}");
        }
        assert_eq!(search("..."), None);
    }

    #[test]
    fn a_time_of_day_is_the_last_one_that_has_been() {
        let now = Now { mono: Duration::ZERO, unix: 86_400 * 100 + 3_600 * 10, zone_secs: 3_600 };
        let noon = 86_400 * 100 + 3_600 * 9;
        assert_eq!(Since::Time(3_600 * 10).unix(now), noon);
        assert_eq!(Since::Time(3_600 * 12).unix(now), noon + 7_200 - 86_400);
        assert_eq!(Since::Unix(7).unix(now), 7);
        assert_eq!(Since::Ago(60).unix(now), now.unix - 60);
        assert_eq!(Since::Date { day: 100, second: 0 }.unix(now), 86_400 * 100 - 3_600);
    }
}
