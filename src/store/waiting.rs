//! What could not be committed yet.
//!
//! Promises: ledgers stay in order; together they have at most [`BYTES_MAX`], and beyond that the
//! oldest lines are given up and counted, and never a change. Deliberately does not know why they
//! wait, nor when to try again.

use crate::chat::kept::Ledger;

/// How much may wait, in bytes, beside changes.
pub const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Ledgers that wait for better times.
#[derive(Debug, Default)]
pub struct Waiting {
    ledgers: Vec<Ledger>,
    /// How many lines were given up.
    lost: u64,
}

impl Waiting {
    /// Adds one behind the others.
    pub fn add(&mut self, ledger: Ledger) {
        self.ledgers.push(ledger);
        let mut bytes = self.bytes();
        for ledger in &mut self.ledgers {
            if bytes <= BYTES_MAX {
                break;
            }
            bytes -= ledger.bytes();
            self.lost += ledger.lines().len() as u64;
            ledger.forget_lines();
            bytes += ledger.bytes();
        }
        self.ledgers.retain(|ledger| !ledger.is_empty());
    }

    /// What they hold, in bytes.
    pub fn bytes(&self) -> usize {
        self.ledgers.iter().map(Ledger::bytes).sum()
    }

    /// How many lines were given up so far, and how many wait.
    pub fn lines(&self) -> (u64, u64) {
        (self.lost, self.ledgers.iter().map(|ledger| ledger.lines().len() as u64).sum())
    }

    /// Gives the oldest ones away, until none waits or `commit` refuses: first one, and then twice
    /// as many each time, so that a refusal costs little and success not much.
    pub fn give<E>(&mut self, mut commit: impl FnMut(&[Ledger]) -> Result<(), E>) -> Result<(), E> {
        let mut most = 1;
        while !self.ledgers.is_empty() {
            let count = self.ledgers.len().min(most);
            commit(&self.ledgers[..count])?;
            self.ledgers.drain(..count);
            most *= 2;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::*;
    use crate::chat::kept::KeptLock;

    #[test]
    fn the_oldest_lines_are_given_up_and_no_change_is() {
        let mut waiting = Waiting::default();
        let long = "long ".repeat(20_000);
        for id in 1..=100 {
            let mut ledger = changes([room_made(id, &format!("room{id}"), KeptLock::Open)]);
            ledger.line(line(id, 1, "ann", &long));
            waiting.add(ledger);
            waiting.add(lines(1, []));
            assert!(waiting.bytes() <= BYTES_MAX);
        }
        let (lost, left) = waiting.lines();
        assert!(lost > 10 && left > 70, "{lost} {left}");
        assert_eq!(lost + left, 100);
        let (mut ids, mut made) = (Vec::new(), 0);
        let mut counts = Vec::new();
        let given: Result<(), ()> = waiting.give(|ledgers| {
            counts.push(ledgers.len());
            ids.extend(ledgers.iter().flat_map(|ledger| ledger.lines()).map(|line| line.id));
            made += ledgers.iter().map(|ledger| ledger.changes().len()).sum::<usize>();
            Ok(())
        });
        assert_eq!((given, made, counts), (Ok(()), 100, vec![1, 2, 4, 8, 16, 32, 37]));
        assert_eq!(ids, (lost + 1..=100).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_refused_stays() {
        let mut waiting = Waiting::default();
        (1..=9).for_each(|id| waiting.add(lines(1, [id])));
        let mut tries = 0;
        let given = waiting.give(|_| {
            tries += 1;
            if tries <= 2 { Ok(()) } else { Err("full") }
        });
        assert_eq!((given, waiting.lines()), (Err("full"), (0, 6)));
    }
}
