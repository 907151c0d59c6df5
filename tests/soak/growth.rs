//! Whether a server grows: its figures at rests, against how many had been there by then.
//!
//! Promises: a hundred bytes that stay behind of each connection are found within some ten thousand
//! connections; memory that rises and falls, or rises once, is no growth. The first rests are a
//! warm-up and not looked at. Deliberately no opinion on how much memory is right.

/// There are at least so many rests.
pub const RESTS_MIN: usize = 6;
/// A server without clients has fewer descriptors.
pub const DESCRIPTORS_MAX: usize = 64;
/// After so many rests it has opened everything that it opens once.
pub const DESCRIPTORS_AFTER: usize = 2;

/// Of so many parts of all rests, the first is a warm-up.
const WARM_UP_PARTS: usize = 3;
/// What each connection may leave behind, in bytes.
const BYTES_PER_VISIT_MAX: u64 = 40;
/// What memory may rise by without anybody's fault, in bytes.
pub const SLACK_BYTES: u64 = 768 * 1024;
/// What the caches of a database may take beside that.
pub const CACHES_BYTES: u64 = 8 * 1024 * 1024;

/// What a server is while nobody is there.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// How many connections there had been.
    pub visits: u64,
    /// In bytes.
    pub resident: u64,
    /// Of files, sockets and all else.
    pub descriptors: usize,
}

/// Says what has grown, if anything has; memory by more than `slack` bytes.
pub fn judge(rests: &[Rest], slack: u64) -> Result<(), String> {
    if rests.len() < RESTS_MIN {
        return Err("there were too few rests".to_owned());
    }
    let descriptors = |rests: &[Rest]| rests.iter().map(|rest| rest.descriptors).max();
    let (first, later) = rests.split_at(DESCRIPTORS_AFTER);
    if descriptors(later) > descriptors(first) {
        return Err("the descriptors grow".to_owned());
    }
    let warm = &rests[rests.len() / WARM_UP_PARTS..];
    let (early, late) = warm.split_at(warm.len() / 2);
    let (early, late) = (least(early), least(late));
    let grown = late.resident.saturating_sub(early.resident);
    let visits = late.visits - early.visits;
    if grown > slack + visits * BYTES_PER_VISIT_MAX {
        return Err(format!("memory grows: {grown} bytes with {visits} connections"));
    }
    Ok(())
}

/// The least memory, which no moment's need has raised, at the mean of the connections.
fn least(rests: &[Rest]) -> Rest {
    let visits = rests.iter().map(|rest| rest.visits).sum::<u64>() / rests.len() as u64;
    let least = rests.iter().min_by_key(|rest| rest.resident).expect("there are some rests");
    Rest { visits, ..*least }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: u64 = SLACK_BYTES;

    fn rests(count: u64, resident: impl Fn(u64) -> u64) -> Vec<Rest> {
        let rest = |at| Rest { visits: at * 10_000, resident: resident(at), descriptors: 12 };
        (1..=count).map(rest).collect()
    }

    #[test]
    fn what_rises_and_falls_or_rises_once_does_not_grow() {
        assert_eq!(judge(&rests(9, |_| 9 << 20), SLACK), Ok(()));
        assert_eq!(judge(&rests(9, |at| (9 << 20) + at % 2 * (2 << 20)), SLACK), Ok(()));
        assert_eq!(judge(&rests(9, |at| (8 + at.min(3)) << 20), SLACK), Ok(()));
        assert_eq!(judge(&rests(9, |at| (20 - at) << 20), SLACK), Ok(()));
    }

    #[test]
    fn a_hundred_bytes_of_each_connection_are_found() {
        let leaking = |at| (9 << 20) + at * 10_000 * 100;
        assert!(judge(&rests(RESTS_MIN as u64, leaking), SLACK).is_err());
        assert!(judge(&rests(100, |at| leaking(at) + at % 2 * (1 << 20)), SLACK).is_err());
    }

    #[test]
    fn one_descriptor_that_stays_is_found() {
        let mut all = rests(6, |_| 9 << 20);
        all[5].descriptors = 13;
        assert!(judge(&all, SLACK).is_err());
        assert!(judge(&all[..1], SLACK).is_err());
    }
}
