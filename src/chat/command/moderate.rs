//! The arguments of `/kick`, `/ban`, `/unban`, `/mute` and `/unmute`.
//!
//! Promises: `None` for anything that the row in the table does not allow; a reason is never taken
//! for a time, unless it begins with a word that is one, and what looks like a time and is none is
//! not taken for a reason. Deliberately judges no name and no address.

use super::super::sanctions::Kind;
use super::{Verb, past, split_word};

/// Where something is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where<'a> {
    /// In the current room.
    Here,
    /// In that room.
    Room(&'a str),
    /// On the whole server.
    Everywhere,
}

/// To whom something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// Whoever has that name, which may have its `@`.
    Name(&'a str),
    /// Whoever comes from that address or network.
    Address(&'a str),
    /// Of the two whichever it can be.
    Either(&'a str),
}

impl<'a> Who<'a> {
    /// As it was typed.
    pub fn typed(self) -> &'a str {
        match self {
            Who::Name(typed) | Who::Address(typed) | Who::Either(typed) => typed,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure<'a> {
    /// Put somebody out.
    Kick {
        /// Whom.
        who: Who<'a>,
        /// The reason, to be shown.
        why: Option<&'a str>,
    },
    /// Keep somebody from being there, or from speaking.
    Forbid {
        /// Which of the two.
        kind: Kind,
        /// Whom.
        who: Who<'a>,
        /// For so many seconds; `None` for good.
        secs: Option<i64>,
        /// The reason, to be shown.
        why: Option<&'a str>,
    },
    /// Allow it again.
    Allow {
        /// Which of the two.
        kind: Kind,
        /// Whom.
        who: Who<'a>,
    },
    /// List who may not.
    List {
        /// Which of the two.
        kind: Kind,
    },
}

/// What an operator wants to be done, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moderation<'a> {
    /// Where.
    pub place: Where<'a>,
    /// What.
    pub measure: Measure<'a>,
}

impl Moderation<'_> {
    /// The command that asks for it.
    pub fn verb(&self) -> Verb {
        match self.measure {
            Measure::Kick { .. } => Verb::Kick,
            Measure::Forbid { kind: Kind::Ban, .. } | Measure::List { kind: Kind::Ban } => {
                Verb::Ban
            }
            Measure::Forbid { kind: Kind::Mute, .. } | Measure::List { kind: Kind::Mute } => {
                Verb::Mute
            }
            Measure::Allow { kind: Kind::Ban, .. } => Verb::Unban,
            Measure::Allow { kind: Kind::Mute, .. } => Verb::Unmute,
        }
    }
}

/// Reads what stands after one of those commands.
pub(super) fn moderation(verb: Verb, given: Option<&str>) -> Option<Moderation<'_>> {
    let given = given.unwrap_or_default();
    let (place, rest) = match split_word(given) {
        ("*", rest) => (Where::Everywhere, rest),
        (first, rest) if first.starts_with('#') => {
            (Where::Room(Some(&first[1..]).filter(|room| !room.is_empty())?), rest)
        }
        _ => (Where::Here, given),
    };
    let (who, rest) = split_word(rest);
    let has_who = !who.trim_start_matches('@').is_empty();
    let why = |rest| Some(rest).filter(|why: &&str| !why.is_empty());
    let measure = match (verb, kind_of(verb)) {
        (Verb::Kick, _) if has_who => Measure::Kick { who: Who::Either(who), why: why(rest) },
        (Verb::Ban | Verb::Mute, Some(kind)) if who.is_empty() => Measure::List { kind },
        (Verb::Ban | Verb::Mute, Some(kind)) if has_who => {
            let (word, after) = split_word(rest);
            let who = Who::Either(who);
            match past::ago(word).filter(|secs| *secs > 0) {
                Some(secs) => Measure::Forbid { kind, who, secs: Some(secs), why: why(after) },
                // It would hold for good, with a reason that nobody meant.
                None if is_like_time(word) => return None,
                None => Measure::Forbid { kind, who, secs: None, why: why(rest) },
            }
        }
        (Verb::Unban | Verb::Unmute, Some(kind)) if has_who && rest.is_empty() => {
            Measure::Allow { kind, who: Who::Either(who) }
        }
        _ => return None,
    };
    Some(Moderation { place, measure })
}

/// Whether a word is meant for a time, and may be none: `0s`, `5m5s`, `1.5h`, `2weeks`; not `3`,
/// `2nd` or `404`, which a reason begins with.
fn is_like_time(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let rest = word.trim_start_matches(|char: char| char.is_ascii_digit());
    let is_ordinal = matches!(rest, "st" | "nd" | "rd" | "th");
    let has_digit = rest.len() < word.len();
    let has_mark = |char: char| !char.is_ascii_alphanumeric() && char != '.' && char != ',';
    let unit = |char: char| matches!(char, 's' | 'm' | 'h' | 'd' | 'w' | 'y');
    let first = rest.chars().find(char::is_ascii_alphabetic);
    has_digit
        && !is_ordinal
        && !rest.contains(has_mark)
        && (first.is_some_and(unit) || rest.ends_with(['s', 'm', 'h', 'd']))
}

/// What a command is about.
fn kind_of(verb: Verb) -> Option<Kind> {
    match verb {
        Verb::Ban | Verb::Unban => Some(Kind::Ban),
        Verb::Mute | Verb::Unmute => Some(Kind::Mute),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::event::Refusal;
    use super::super::Command;
    use super::*;

    #[test]
    fn every_form_is_known() {
        let (ban, mute) = (Kind::Ban, Kind::Mute);
        let forbid = |kind, who, secs, why| {
            let who = Who::Either(who);
            Measure::Forbid { kind, who, secs, why }
        };
        let kick = |who, why| Measure::Kick { who: Who::Either(who), why };
        for (line, place, measure) in [
            ("/kick bob", Where::Here, kick("bob", None)),
            ("/kick #dev @bob", Where::Room("dev"), kick("@bob", None)),
            ("/kick * bob 2h is a why", Where::Everywhere, kick("bob", Some("2h is a why"))),
            ("/ban", Where::Here, Measure::List { kind: ban }),
            ("/ban *", Where::Everywhere, Measure::List { kind: ban }),
            ("/mute #dev", Where::Room("dev"), Measure::List { kind: mute }),
            ("/ban bob", Where::Here, forbid(ban, "bob", None, None)),
            ("/ban bob 2h", Where::Here, forbid(ban, "bob", Some(7_200), None)),
            ("/ban bob 2h  spam it", Where::Here, forbid(ban, "bob", Some(7_200), Some("spam it"))),
            ("/mute bob 3 strikes", Where::Here, forbid(mute, "bob", None, Some("3 strikes"))),
            ("/mute bob 2nd time", Where::Here, forbid(mute, "bob", None, Some("2nd time"))),
            ("/mute bob 404", Where::Here, forbid(mute, "bob", None, Some("404"))),
            ("/mute bob 4chan", Where::Here, forbid(mute, "bob", None, Some("4chan"))),
            ("/mute bob 3d-spam", Where::Here, forbid(mute, "bob", None, Some("3d-spam"))),
            ("/mute bob 10.0.0.1", Where::Here, forbid(mute, "bob", None, Some("10.0.0.1"))),
            ("/mute bob 2 hours", Where::Here, forbid(mute, "bob", None, Some("2 hours"))),
            (
                "/BAN * 10.0.0.0/8 3d",
                Where::Everywhere,
                forbid(ban, "10.0.0.0/8", Some(259_200), None),
            ),
            (
                "/unban * ::1",
                Where::Everywhere,
                Measure::Allow { kind: ban, who: Who::Either("::1") },
            ),
            ("/unmute bob", Where::Here, Measure::Allow { kind: mute, who: Who::Either("bob") }),
        ] {
            let command = Command::Moderate(Moderation { place, measure });
            assert_eq!(Command::parse(line), Ok(command), "{line:?}");
        }
        for (line, verb) in [
            ("/kick", Verb::Kick),
            ("/kick #dev", Verb::Kick),
            ("/kick # bob", Verb::Kick),
            ("/ban @", Verb::Ban),
            ("/unban", Verb::Unban),
            ("/unban *", Verb::Unban),
            ("/unban a b", Verb::Unban),
            ("/unmute @", Verb::Unmute),
            ("/mute bob 0s", Verb::Mute),
            ("/mute bob 0S spam", Verb::Mute),
            ("/ban bob 5m5s", Verb::Ban),
            ("/ban * bob 1e9d", Verb::Ban),
            ("/ban * 10.0.0.1 99999999999d", Verb::Ban),
            ("/ban #dev bob 1.5h", Verb::Ban),
            ("/ban bob 10min spam", Verb::Ban),
            ("/ban bob 2weeks", Verb::Ban),
        ] {
            assert_eq!(Command::parse(line), Err(Refusal::Usage(verb)), "{line:?}");
        }
    }
}
