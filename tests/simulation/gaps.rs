//! The second judge: a slow reader sees what a prompt one would have seen, with gaps that say how
//! long they are; and a slow reader costs nobody else anything.
//!
//! The same deeds are played twice: everybody prompt and queues without bounds, then with the
//! appetites and the bounds of the plan.

use serde_json::Value;

use super::plan::Plan;
use super::run::{Run, config};

/// Bytes of one record of TLS (RFC 8446, section 5.1), and what keeping them costs.
const RECORD_BYTES: usize = 17 << 10;

/// Plays a plan both ways. Returns what the slow ones saw; the error says who saw what else.
pub fn judge(plan: &Plan) -> Result<Vec<Vec<u8>>, String> {
    compare_runs(plan, Run::new(plan, true))
}

/// The same, where the slow ones and everybody with them are within TLS.
pub fn judge_within_tls(plan: &Plan) -> Result<Vec<Vec<u8>>, String> {
    let mut slow = Run::new(plan, true);
    slow.world.speak_secretly();
    compare_runs(plan, slow)
}

fn compare_runs(plan: &Plan, mut slow: Run) -> Result<Vec<Vec<u8>>, String> {
    let mut prompt = Run::new(plan, false);
    let most = most_queued(plan);
    for deed in &plan.deeds {
        for run in [&mut prompt, &mut slow] {
            if run.can(deed) {
                run.act(deed);
            }
        }
        check_bounds(most, &slow)?;
    }
    // Those who are still there are told at last what they missed.
    slow.read_on();
    for (no, (line, reference)) in slow.lines.iter().zip(&prompt.lines).enumerate() {
        // Whom TLS does not let in it cannot tell why.
        if line.is_deaf || !line.was_let_in {
            continue;
        }
        // Of a connection that ended, what was not taken in time is lost.
        let may_lack_the_end = line.was_slow && slow.world.far(line.peer).is_disconnected();
        let may_have_gaps = line.was_slow || plan.is_awkward;
        let far = slow.world.far(line.peer);
        if far.is_stall_expected() && !far.is_disconnected() {
            return Err(format!("connection {no} has taken everything, and a stall is expected"));
        }
        // How often a screen is drawn depends on who reads.
        if line.is_noisy {
            continue;
        }
        compare(&reference.stream, &line.stream, may_have_gaps, may_lack_the_end)
            .map_err(|why| format!("connection {no}: {why}"))?;
    }
    prompt.end();
    slow.end();
    Ok(slow.lines.into_iter().map(|line| line.stream).collect())
}

/// Plays a plan of which nothing is known but that nothing may be left of it.
pub fn survive(plan: &Plan) -> Result<(), String> {
    let (mut run, most) = (Run::new(plan, true), most_queued(plan));
    for deed in &plan.deeds {
        if run.can(deed) {
            run.act(deed);
        }
        check_bounds(most, &run)?;
    }
    run.end();
    Ok(())
}

/// How much may wait in all: a turn's page, and what is rendered beyond it for one line, may come
/// on top of the limit.
fn most_queued(plan: &Plan) -> usize {
    let limits = config(plan).hub;
    let page = limits.queue_bytes_max.unwrap_or(0) / 4 + 8_192;
    limits.queue_total_bytes_max.map_or(usize::MAX, |most| most + page)
}

fn check_bounds(most: usize, run: &Run) -> Result<(), String> {
    let queued = run.world.hub().queued_bytes();
    // What is encrypted already cannot be dropped.
    let most = match run.world.is_secret() {
        true => most.saturating_add(run.lines.len() * RECORD_BYTES),
        false => most,
    };
    if queued > most { Err(format!("{queued} bytes wait, {most} may")) } else { Ok(()) }
}

/// Whether `seen` is `reference`, but for gaps in their places, and but for its end where it may
/// lack that.
fn compare(
    reference: &[u8],
    seen: &[u8],
    may_have_gaps: bool,
    may_lack_the_end: bool,
) -> Result<(), String> {
    let (reference, seen) = (without_telnet(reference), without_telnet(seen));
    let mut reference = reference.split_inclusive(|byte| *byte == b'\n');
    for line in seen.split_inclusive(|byte| *byte == b'\n') {
        if let Some(dropped) = dropped(line).filter(|_| may_have_gaps) {
            for _ in 0..dropped {
                reference.next().ok_or(format!("{dropped} were dropped of fewer"))?;
            }
            continue;
        }
        let expected = reference.next().unwrap_or_default();
        let is_cut = may_lack_the_end && !line.ends_with(b"\n");
        let is_begun = is_cut && (expected.starts_with(line) || begins_gap(line));
        let is_it = line == expected || is_same_refusal(line, expected) || is_begun;
        if !is_it {
            let [line, expected] = [line, expected].map(String::from_utf8_lossy);
            return Err(format!("{line:?} came instead of {expected:?}"));
        }
    }
    match reference.next().filter(|_| !may_lack_the_end) {
        None => Ok(()),
        Some(line) => Err(format!("{:?} did not come", String::from_utf8_lossy(line))),
    }
}

/// How many lines were dropped, if that is what the line says. It may begin with a time.
const DROPPED: &str = " dropped here: you read too slowly; /history shows what was said";

fn dropped(line: &[u8]) -> Option<usize> {
    if let Some(object) = object(line).filter(|object| object["type"] == "dropped") {
        return object["count"].as_u64().map(|count| count as usize);
    }
    let text = std::str::from_utf8(without_time(line)).ok()?.trim_end();
    let text = text.strip_prefix("* ")?.strip_suffix(DROPPED)?;
    let (number, rest) = text.split_once(' ')?;
    let number = number.parse().ok()?;
    let is_it = rest == if number == 1 { "line was" } else { "lines were" };
    (is_it && number > 0).then_some(number)
}

/// What a program is told.
fn object(line: &[u8]) -> Option<Value> {
    line.starts_with(b"{").then(|| serde_json::from_slice(line).ok()).flatten()
}

/// Whether both are refusals with the same code: whom they suggest depends on who drains.
fn is_same_refusal(line: &[u8], other: &[u8]) -> bool {
    let code = |line| {
        if let Some(object) = object(line).filter(|object| object["type"] == "refused") {
            return Some(object["code"].to_string().into_bytes());
        }
        let mut words = without_time(line).split(|byte| *byte == b' ');
        (words.next() == Some(b"!")).then(|| words.next()).flatten().map(<[u8]>::to_vec)
    };
    line.ends_with(b"\n") && code(line).is_some() && code(line) == code(other)
}

/// Whether a line that was cut short may be the beginning of such a one.
fn begins_gap(line: &[u8]) -> bool {
    let line = without_time(line);
    let (dropped, length) = (br#"{"type":"dropped""#, line.len().min(17));
    line.len() < 9
        || line.starts_with(&dropped[..length.min(dropped.len())])
        || line.starts_with(b"* ") && line[2].is_ascii_digit()
}

fn without_time(line: &[u8]) -> &[u8] {
    let is_stamped = line.get(2) == Some(&b':') && line.get(8) == Some(&b' ');
    if is_stamped { &line[9..] } else { line }
}

/// The stream without telnet's answers: they are no lines, and not counted as such.
fn without_telnet(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match first {
            0xFF => rest = rest.get(3..).unwrap_or_default(),
            byte => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    out
}
