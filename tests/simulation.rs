//! Whole lives of small servers, drawn from seeds.
//!
//! Each seed draws who comes and goes, what they type and in which pieces, how the clocks go and
//! how small the limits are. A plain model says what each client must have seen; slow readers are
//! compared with prompt ones; at the end everybody leaves and nothing is left. `SEED=123` runs one
//! seed, `SEEDS=100000` so many, with `FROM=500` from there on. A failure is cut down to the deeds
//! that it takes, and printed as a transcript.

#![allow(clippy::unwrap_used)]

#[path = "simulation/ask.rs"]
mod ask;
#[path = "simulation/draw.rs"]
mod draw;
#[path = "simulation/gaps.rs"]
mod gaps;
#[path = "simulation/limits.rs"]
mod limits;
#[path = "simulation/model/mod.rs"]
mod model;
#[path = "simulation/names.rs"]
mod names;
#[path = "simulation/noise.rs"]
mod noise;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/orders.rs"]
mod orders;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "simulation/program.rs"]
mod program;
#[path = "simulation/requests.rs"]
mod requests;
#[path = "simulation/run.rs"]
mod run;
#[path = "simulation/shorten.rs"]
mod shorten;
#[path = "simulation/told.rs"]
mod told;
#[path = "simulation/typing.rs"]
mod typing;
mod world;

use std::ops::Range;

use draw::{Kind, plan};
use plan::Plan;

/// The seeds to run: as many as fit into a moment, or what the environment asks for.
fn seeds(usual: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(most)) => {
            let from = number("FROM").unwrap_or(0);
            from..from + most
        }
        (None, None) => 0..usual,
    }
}

fn all_hold(kind: Kind, usual: u64, judge: fn(&Plan) -> Result<(), String>) {
    for seed in seeds(usual) {
        let plan = plan(seed, kind);
        if let Err(why) = shorten::caught(&plan, judge) {
            panic!("seed {seed}: {why}\n\n{}", shorten::report(&plan, judge));
        }
    }
}

#[test]
fn everybody_sees_what_the_rules_say() {
    all_hold(Kind::Prompt, 300, |plan| oracle::judge(plan).map(|_| ()));
}

#[test]
fn operators_do_what_the_rules_say() {
    all_hold(Kind::Ranked, 300, |plan| oracle::judge(plan).map(|_| ()));
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in seeds(300).step_by(20) {
        let plan = plan(seed, Kind::Prompt);
        assert_eq!(oracle::judge(&plan), oracle::judge(&plan), "seed {seed}");
        let plan = draw::plan(seed, Kind::Slow);
        assert_eq!(gaps::judge(&plan), gaps::judge(&plan), "seed {seed}");
    }
}

#[test]
fn slow_readers_see_gaps_and_cost_nobody_anything() {
    all_hold(Kind::Slow, 150, |plan| gaps::judge(plan).map(|_| ()));
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "it needs TLS")]
fn slow_readers_within_tls_see_the_same() {
    all_hold(Kind::Slow, 60, |plan| gaps::judge_within_tls(plan).map(|_| ()));
}

#[test]
fn nothing_is_left_of_anybody() {
    all_hold(Kind::Stalled, 200, gaps::survive);
}
