//! Draws how small the limits are.

use super::draw::Kind;
use crate::world::rng::Rng;

/// What a run is like.
#[derive(Clone, Copy)]
pub struct Traits {
    /// There are more people than are told of one by one.
    pub is_crowd: bool,
    /// Reads and writes are awkward.
    pub is_awkward: bool,
    /// Lines are taken no faster than at some pace.
    pub is_paced: bool,
    /// Some want to know what becomes of what they say to one person.
    pub has_receipts: bool,
}

/// Flags within what the program takes, so that a plan is a transcript.
pub fn flags(rng: &mut Rng, kind: Kind, traits: Traits) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    let mut flag = |name: &str, value: String| flags.extend([format!("--{name}"), value]);
    let may_come_seldom = kind.is_prompt() && !traits.is_crowd && rng.one_in(4);
    let connects = if may_come_seldom { (1 + rng.below(6)).to_string() } else { "off".to_owned() };
    flag("connects-per-minute", connects);
    if kind == Kind::Ranked {
        flag("operators", (*rng.pick(&["ann", "ann", "ann,BEN"])).to_owned());
    }
    match traits.is_paced {
        true => {
            flag("pace", rng.pick(&["3", "7"]).to_string());
            flag("burst", (1 + rng.below(12)).to_string());
        }
        false => flag("pace", "off".into()),
    }
    if !kind.is_prompt() {
        flag("queue-bytes", rng.pick(&["1024", "2048", "6000"]).to_string());
        flag("queue-total-bytes", rng.pick(&["3000", "6000", "20000", "off"]).to_string());
        flag("line-bytes", (64 + rng.below(960)).to_string());
    } else if !traits.is_paced && rng.one_in(2) {
        flag("line-bytes", (64 + rng.below(100)).to_string());
    }
    let stall = 500 + rng.below(5_000);
    match kind {
        Kind::Stalled => flag("stall-timeout", format!("{stall}ms")),
        Kind::Slow => flag("stall-timeout", "off".into()),
        Kind::Prompt | Kind::Ranked => {}
    }
    if rng.one_in(2) {
        flag("name-timeout", format!("{}ms", 100 + rng.below(5_000)));
    }
    flag("drain-timeout", format!("{}ms", 100 + rng.below(3_000)));
    // At a stop, what waits in one read is still said; so that this is all that waits, it is large.
    let is_large = traits.is_paced || traits.has_receipts;
    let read_bytes = if is_large { 65_536 } else { *rng.pick(&[512, 1_000, 65_536]) };
    flag("read-bytes-per-turn", read_bytes.to_string());
    if rng.one_in(6) {
        flag("lobby", String::new());
    }
    if traits.is_crowd {
        flag("connections-per-address", "off".into());
    } else {
        crowding(rng, kind, traits, &mut flag);
    }
    flags
}

/// How many rooms, members and connections there may be.
fn crowding(rng: &mut Rng, kind: Kind, traits: Traits, flag: &mut impl FnMut(&str, String)) {
    for (name, least, most) in [("rooms", 2, 5), ("rooms-per-user", 1, 4), ("room-members", 2, 4)] {
        if rng.one_in(2) {
            flag(name, (least + rng.below(most - least + 1)).to_string());
        }
    }
    if rng.one_in(3) {
        flag("name-chars", (8 + rng.below(8)).to_string());
    }
    // What a poll reports for nothing may end the patience with a connection that ends.
    if traits.is_awkward || !kind.is_prompt() || kind == Kind::Ranked && !rng.one_in(6) {
        return;
    }
    if rng.one_in(3) {
        flag("connections", (2 + rng.below(6)).to_string());
    }
    if rng.one_in(3) {
        flag("connections-per-address", (1 + rng.below(3)).to_string());
    }
}
