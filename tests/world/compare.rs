//! What was seen against what is written: equal to the line, or a report that a person can read.
//!
//! What varies from run to run is masked on both sides: a time of day (`{time}`), the date before
//! one (`{date}`), both as programs are told them (`{moment}`), an id of sixteen hexadecimal digits
//! (`{id}`), the secret of a token (`{secret}`) and a port of this machine (`{port}`). Nothing else
//! is.

use std::collections::BTreeMap;

use super::script::{Script, Seen, Step, written};

/// What everybody saw of one step, in the order in which it should be written down.
pub type Sight = Vec<(String, Seen)>;

/// What each person saw over a whole transcript.
pub type Streams = BTreeMap<String, Vec<Seen>>;

/// Turns what arrived into lines: whole ones, then the beginning of one.
pub fn seen_in(bytes: &[u8]) -> Vec<Seen> {
    let shown = |bytes| super::escape::shown(bytes);
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| match line.strip_suffix(b"\n") {
            Some(line) => Seen::Line(shown(line)),
            None => Seen::Part(shown(line)),
        })
        .collect()
}

/// Replaces times of day, dates before them, moments, ids, secrets and ports by `{time}`, `{date}`,
/// `{moment}`, `{id}`, `{secret}` and `{port}`.
pub fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_inside = out.ends_with(|c: char| c.is_ascii_alphanumeric()) && !ends_a_style(&out);
        let (put, length) = if !is_inside && starts_with_time(rest) {
            ("{time}", 8)
        } else if !is_inside && starts_with_date(rest) {
            ("{date}", 10)
        } else if !is_inside && starts_with_moment(rest) {
            ("{moment}", 20)
        } else if !is_inside && starts_with_id(rest) {
            ("{id}", 16)
        } else if !is_inside && starts_with_secret(rest) {
            ("{secret}", SECRET_LENGTH)
        } else if let Some(digits) = port_after(&out, rest) {
            ("{port}", digits)
        } else {
            (&rest[..first.len_utf8()], first.len_utf8())
        };
        out.push_str(put);
        rest = &rest[length..];
    }
    out
}

/// How long the port is that comes next, behind an address of this machine.
fn port_after(out: &str, rest: &str) -> Option<usize> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && out.ends_with("127.0.0.1:")).then_some(digits)
}

/// Whether a sequence that colours what follows has just ended.
fn ends_a_style(out: &str) -> bool {
    let style = out.rsplit_once("\\x1b[").and_then(|(_, style)| style.strip_suffix('m'));
    style.is_some_and(|style| style.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'))
}

/// Whether a date and a time of day come next.
fn starts_with_date(text: &str) -> bool {
    let Some((date, time)) = text.split_at_checked(11) else { return false };
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'-' | b' ' => byte == shape,
        _ => byte.is_ascii_digit(),
    };
    date.as_bytes().iter().zip(b"0000-00-00 ").all(fits) && starts_with_time(time)
}

/// Whether a date and a time of day in UTC come next, in one word.
fn starts_with_moment(text: &str) -> bool {
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    text.len() >= 20 && text.as_bytes().iter().zip(b"0000-00-00T00:00:00Z").all(fits)
}

fn starts_with_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b':' => *byte == b':',
        _ => byte.is_ascii_digit(),
    };
    bytes.len() >= 8
        && bytes.iter().zip(b"00:00:00").all(fits)
        && !bytes.get(8).is_some_and(u8::is_ascii_alphanumeric)
}

fn starts_with_id(text: &str) -> bool {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits == 16 && !text[16..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// How long the secret of a token is.
const SECRET_LENGTH: usize = "ct_".len() + 32;

fn starts_with_secret(text: &str) -> bool {
    let digits = text.strip_prefix("ct_").map_or(&[][..], str::as_bytes);
    digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() == SECRET_LENGTH - 3
}

/// The secrets in a text, in order.
pub fn secrets_in(text: &str) -> Vec<&str> {
    let starts = text.char_indices().map(|(at, _)| &text[at..]);
    starts.filter(|rest| starts_with_secret(rest)).map(|rest| &rest[..SECRET_LENGTH]).collect()
}

/// Whether a step was seen as it is written; the order between people does not matter.
pub fn step_holds(step: &Step, sight: &Sight) -> bool {
    let expected = step.expected.iter().map(|line| (line.who.as_str(), &line.seen));
    by_person(expected) == by_person(sight.iter().map(|(who, seen)| (who.as_str(), seen)))
}

/// One report for each step that was seen otherwise than it is written.
pub fn steps_differ(script: &Script, sights: &[Sight]) -> Vec<String> {
    assert_eq!(script.steps.len(), sights.len(), "each step is seen once");
    let steps = script.steps.iter().zip(sights);
    steps
        .filter(|(step, sight)| !step_holds(step, sight))
        .map(|(step, sight)| {
            let expected = step.expected.iter().map(|line| (line.who.as_str(), &line.seen));
            let expected = by_person(expected);
            let seen = by_person(sight.iter().map(|(who, seen)| (who.as_str(), seen)));
            let mut report = format!("{}:{}: after this step\n", script.name, step.line);
            let mut people: Vec<&str> = expected.keys().chain(seen.keys()).copied().collect();
            people.sort_unstable();
            people.dedup();
            for who in people {
                let empty = Vec::new();
                let expected = expected.get(who).unwrap_or(&empty);
                report += &difference(expected, seen.get(who).unwrap_or(&empty));
            }
            report
        })
        .collect()
}

/// One report for each person who, over the whole transcript, saw something else than is written.
pub fn streams_differ(script: &Script, streams: &Streams) -> Vec<String> {
    let expected = streams_expected(script);
    let mut people: Vec<&String> = expected.keys().chain(streams.keys()).collect();
    people.sort_unstable();
    people.dedup();
    let mut reports = Vec::new();
    for who in people {
        let lines: &[(usize, Seen)] = expected.get(who).map_or(&[], Vec::as_slice);
        let expected: Vec<String> = lines.iter().map(|(_, seen)| comparable(who, seen)).collect();
        let seen = joined(streams.get(who).into_iter().flatten());
        let seen: Vec<String> = seen.iter().map(|seen| comparable(who, seen)).collect();
        if expected != seen {
            let same = expected.iter().zip(&seen).take_while(|(a, b)| a == b).count();
            let near = lines.get(same).or(lines.last()).map_or(0, |(line, _)| *line);
            let report = format!("{}:{near}: in what {who} sees\n", script.name);
            reports.push(report + &difference(&expected, &seen));
        }
    }
    reports
}

/// Each person's lines as they are written, with their line numbers; parts joined to lines.
fn streams_expected(script: &Script) -> BTreeMap<String, Vec<(usize, Seen)>> {
    let mut streams: BTreeMap<String, Vec<(usize, Seen)>> = BTreeMap::new();
    for line in script.steps.iter().flat_map(|step| &step.expected) {
        let stream = streams.entry(line.who.clone()).or_default();
        match (stream.last_mut(), &line.seen) {
            (Some((_, last @ Seen::Part(_))), seen) if *seen != Seen::Disconnected => {
                *last = continued(last, seen);
            }
            _ => stream.push((line.line, line.seen.clone())),
        }
    }
    streams
}

/// Parts joined to the lines that they begin.
pub fn joined<'a>(seen: impl Iterator<Item = &'a Seen>) -> Vec<Seen> {
    let mut out: Vec<Seen> = Vec::new();
    for next in seen {
        match out.last_mut() {
            Some(last @ Seen::Part(_)) if *next != Seen::Disconnected => {
                *last = continued(last, next);
            }
            _ => out.push(next.clone()),
        }
    }
    out
}

fn continued(part: &Seen, next: &Seen) -> Seen {
    match (part, next) {
        (Seen::Part(start), Seen::Part(more)) => Seen::Part(format!("{start}{more}")),
        (Seen::Part(start), Seen::Line(more)) => Seen::Line(format!("{start}{more}")),
        _ => unreachable!("only a part is continued, and only by text"),
    }
}

fn by_person<'a>(
    seen: impl Iterator<Item = (&'a str, &'a Seen)>,
) -> BTreeMap<&'a str, Vec<String>> {
    let mut people: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (who, seen) in seen {
        people.entry(who).or_default().push(comparable(who, seen));
    }
    people
}

fn comparable(who: &str, seen: &Seen) -> String {
    masked(&written(who, seen))
}

/// Both sides without what they begin and end with in common; a line of that before and after.
fn difference(expected: &[String], seen: &[String]) -> String {
    if expected == seen {
        return String::new();
    }
    let before = expected.iter().zip(seen).take_while(|(a, b)| a == b).count();
    let most = expected.len().min(seen.len()) - before;
    let backwards = expected.iter().rev().zip(seen.iter().rev());
    let after = backwards.take(most).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    if before > 0 {
        out += &format!("      {}\n", expected[before - 1]);
    }
    for line in &expected[before..expected.len() - after] {
        out += &format!("    - {line}\n");
    }
    for line in &seen[before..seen.len() - after] {
        out += &format!("    + {line}\n");
    }
    if after > 0 {
        out += &format!("      {}\n", expected[expected.len() - after]);
    }
    out
}
