//! A failure, cut down: the fewest deeds that still fail, as a transcript.

use std::panic::{self, AssertUnwindSafe};

use super::plan::{Deed, Plan};
use super::typing::Piece;

/// How many runs a failure is worth.
const TRIES: usize = 3_000;

/// What a judge says; a panic is a verdict too.
pub fn caught(plan: &Plan, judge: fn(&Plan) -> Result<(), String>) -> Result<(), String> {
    panic::catch_unwind(AssertUnwindSafe(|| judge(plan))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
        Err(text.to_owned())
    })
}

/// The shortest transcript that was found of a plan that fails, and how that one fails.
pub fn report(plan: &Plan, judge: fn(&Plan) -> Result<(), String>) -> String {
    // What panics on the way has been said already.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let shortest = shortest(plan.clone(), judge);
    panic::set_hook(hook);
    let why = caught(&shortest, judge).err().unwrap_or_default();
    format!("cut down:\n{}\n{why}", shortest.transcript())
}

fn shortest(plan: Plan, judge: fn(&Plan) -> Result<(), String>) -> Plan {
    let mut tries = 0;
    let mut fails = |deeds: &[Deed]| {
        tries += 1;
        tries < TRIES && caught(&Plan { deeds: deeds.to_vec(), ..plan.clone() }, judge).is_err()
    };
    let mut deeds = fewest(plan.deeds.clone(), &mut fails);
    for at in 0..deeds.len() {
        let mut with = |pieces: &[Piece]| {
            let mut deed = deeds[at].clone();
            match &mut deed {
                Deed::Send(_, typed, _) | Deed::Leap(_, typed, _) => *typed = pieces.to_vec(),
                _ => {}
            }
            let mut shorter = deeds.clone();
            shorter[at] = deed;
            (fails(&shorter), shorter)
        };
        if let Deed::Send(_, pieces, _) | Deed::Leap(_, pieces, _) = &deeds[at] {
            let pieces = fewest(pieces.clone(), &mut |pieces| with(pieces).0);
            deeds = with(&pieces).1;
        }
    }
    Plan { deeds, ..plan }
}

/// As few of those as still fail, by leaving out ever shorter stretches.
fn fewest<T: Clone>(mut all: Vec<T>, fails: &mut impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut length = all.len().div_ceil(2);
    while length > 0 {
        let mut start = 0;
        while start < all.len() {
            let mut fewer = all.clone();
            fewer.drain(start..(start + length).min(all.len()));
            match fails(&fewer) {
                true => all = fewer,
                false => start += length,
            }
        }
        length /= 2;
    }
    all
}
