//! The figures of the server, as its operator's console shows them.
//!
//! Promises: each figure that there is stands in one line, under the name that `protocol.md` lists;
//! what has never happened is left out of a line that tells things apart. Deliberately counts
//! nothing.

use std::time::Duration;

use crate::admin::text;
use crate::net::figures::{Figures, Histogram, Lag};

/// The answer to `/stats`.
pub fn figures(figures: &Figures) -> String {
    let counts = &figures.counts;
    let opened = || counts.opened();
    let here = opened().map(|(kind, opened)| (kind.word(), opened.now));
    let ever = opened().map(|(kind, opened)| (kind.word(), opened.total));
    let refusals = counts.refusals().map(|(code, count)| (code.word(), count));
    text::figures([
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("uptime", text::uptime(figures.uptime)),
        ("people", figures.people.to_string()),
        ("connections", text::sum(here)),
        ("connections since start", text::sum(ever)),
        ("rooms", figures.rooms.to_string()),
        ("lines in", counts.lines_in.to_string()),
        ("lines out", counts.lines_out.to_string()),
        ("bytes in", counts.bytes_in.to_string()),
        ("bytes out", counts.bytes_out.to_string()),
        ("refusals", text::sum(refusals)),
        ("partings", text::sum(counts.partings())),
        ("waiting bytes", figures.queue_bytes.to_string()),
        ("turns", turns(&figures.turns)),
        ("store", figures.lag.map_or_else(|| "nothing is kept".to_owned(), lag)),
    ])
}

/// How many there were, and how long the middle one and the slowest of a hundred took at most.
fn turns(turns: &Histogram) -> String {
    let within = |per_mille| match turns.bound_of(per_mille) {
        Some(bound) => format!("within {}", text::precise(bound)),
        None => "longer than 1 s".to_owned(),
    };
    match turns.count() {
        0 => "0".to_owned(),
        count => format!("{count} (half {}, 99 of 100 {})", within(500), within(990)),
    }
}

fn lag(lag: Lag) -> String {
    let Lag { waited, bytes, is_failing } = lag;
    let state = if is_failing { "cannot write" } else { "keeps" };
    // What is less than a millisecond is nothing to look at.
    let waited = Duration::from_millis(waited.as_millis().try_into().unwrap_or(u64::MAX));
    format!("{state}, {bytes} bytes have waited for {}", text::precise(waited))
}
