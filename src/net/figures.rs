//! What is counted of what the server does, and a picture of it at one moment.
//!
//! Promises: a counter never falls, and counting is an addition. Plain data, for whoever shows it:
//! the metrics, and the operators. Deliberately counts nothing by itself, and names nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::chat::event::{Code, Parting};

/// How a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Where anybody can.
    Lines,
    /// Where telnet clients do.
    Telnet,
    /// Where lines are encrypted.
    Tls,
}

impl Kind {
    /// Every kind there is, in the order of their declaration.
    pub const ALL: &[Kind] = &[Kind::Lines, Kind::Telnet, Kind::Tls];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Lines => "lines",
            Kind::Telnet => "telnet",
            Kind::Tls => "tls",
        }
    }
}

/// How many connections of one kind there are, and were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Those that are here; those that are about to go count.
    pub now: u64,
    /// All that were let in.
    pub total: u64,
}

/// What the hub has counted since it was made.
#[derive(Clone, Debug)]
pub struct Counts {
    /// By [`Kind`], in the order of [`Kind::ALL`].
    opened: [Opened; Kind::ALL.len()],
    /// By [`Code`], in the order of [`Code::ALL`].
    refusals: [u64; Code::ALL.len()],
    /// By the word of the [`Parting`].
    partings: BTreeMap<&'static str, u64>,
    /// Lines that were taken; those that were refused, too.
    pub lines_in: u64,
    /// What was told, once for each connection that was told it; a message of many lines, or an
    /// answer of several, is one.
    pub lines_out: u64,
    /// Bytes that were read from connections.
    pub bytes_in: u64,
    /// Bytes that connections took.
    pub bytes_out: u64,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            opened: [Opened::default(); Kind::ALL.len()],
            refusals: [0; Code::ALL.len()],
            partings: Parting::ALL.iter().map(|parting| (parting.word(), 0)).collect(),
            lines_in: 0,
            lines_out: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }
}

impl Counts {
    /// A connection was let in.
    pub fn note_opened(&mut self, kind: Kind) {
        let opened = &mut self.opened[kind as usize];
        opened.now += 1;
        opened.total += 1;
    }

    /// A connection that was let in is gone.
    pub fn note_gone(&mut self, kind: Kind) {
        self.opened[kind as usize].now -= 1;
    }

    /// Somebody was refused something, or was not let in.
    pub fn note_refused(&mut self, code: Code) {
        self.refusals[code as usize] += 1;
    }

    /// A connection that was let in began to end.
    pub fn note_parted(&mut self, parting: &'static str) {
        *self.partings.entry(parting).or_default() += 1;
    }

    /// How many connections there are, and were.
    pub fn opened(&self) -> impl Iterator<Item = (Kind, Opened)> {
        Kind::ALL.iter().copied().zip(self.opened)
    }

    /// How often each code was the answer.
    pub fn refusals(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.iter().copied().zip(self.refusals)
    }

    /// How many connections have ended for each reason, by its word ([`Parting::word`]).
    pub fn partings(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.partings.iter().map(|(reason, count)| (*reason, *count))
    }
}

/// How long things took, counted by how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many took no longer than that of [`Histogram::BOUNDS`], and longer than the one before;
    /// at last those that took longer than all.
    counts: [u64; Histogram::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// From 10 µs to 1 s, ascending.
    pub const BOUNDS: [Duration; 16] = [
        Duration::from_micros(10),
        Duration::from_micros(25),
        Duration::from_micros(50),
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
    ];

    /// Something took so long.
    pub fn note(&mut self, took: Duration) {
        let place = Histogram::BOUNDS.partition_point(|bound| *bound < took);
        self.counts[place] += 1;
        self.sum += took;
    }

    /// How many took no longer than each bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let up_to = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        Histogram::BOUNDS.into_iter().zip(up_to)
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all of them took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// A bound that so many of a thousand did not go beyond; `None` when nothing was noted, or it
    /// is beyond all bounds.
    pub fn bound_of(&self, per_mille: u64) -> Option<Duration> {
        let count = self.count();
        let enough = |(_, up_to): &(Duration, u64)| *up_to * 1_000 >= count * per_mille;
        self.buckets().find(enough).map(|(bound, _)| bound).filter(|_| count > 0)
    }
}

/// What is given away to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// For how long the oldest of it has waited to be kept.
    pub waited: Duration,
    /// How much waits, in bytes, about; what the store itself holds while it cannot write does not
    /// count.
    pub bytes: usize,
    /// What is said is not kept at present.
    pub is_failing: bool,
}

/// All figures, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// What was counted.
    pub counts: Counts,
    /// How many people have a name.
    pub people: usize,
    /// How many rooms there are.
    pub rooms: usize,
    /// What is kept for those who could not be sent everything, in bytes.
    pub queue_bytes: usize,
    /// What waits to be kept; `None` when nothing is.
    pub lag: Option<Lag>,
    /// The server stops.
    pub is_stopping: bool,
    /// For how long the server has run.
    pub uptime: Duration,
    /// When the certificate ends, in seconds since 1970 UTC; `None` where there is none.
    pub certificate_ends_at: Option<i64>,
    /// How many lines of its log were lost.
    pub log_lines_lost: u64,
    /// How long the turns of the loop took, from waking to going to sleep.
    pub turns: Histogram,
}

impl Figures {
    /// Whether people can come in, and what they say is kept, where anything is.
    pub fn is_healthy(&self) -> bool {
        !self.is_stopping && !self.lag.is_some_and(|lag| lag.is_failing)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_and_kind_is_counted_in_its_own_place() {
        let mut counts = Counts::default();
        for (place, code) in Code::ALL.iter().enumerate() {
            assert_eq!(*code as usize, place);
            (0..=place).for_each(|_| counts.note_refused(*code));
        }
        for (place, (code, count)) in counts.refusals().enumerate() {
            assert_eq!((code, count), (Code::ALL[place], place as u64 + 1));
        }
        for (place, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, place);
            counts.note_opened(*kind);
            counts.note_opened(*kind);
            counts.note_gone(*kind);
        }
        assert!(counts.opened().all(|(_, opened)| opened == Opened { now: 1, total: 2 }));
    }

    #[test]
    fn each_parting_has_a_word_of_its_own_and_is_there_from_the_start() {
        let words: BTreeSet<&str> = Parting::ALL.iter().map(Parting::word).collect();
        assert_eq!(words.len(), Parting::ALL.len());
        let mut counts = Counts::default();
        assert_eq!(counts.partings().map(|(word, _)| word).collect::<BTreeSet<_>>(), words);
        counts.note_parted(Parting::Quit.word());
        assert_eq!(
            counts.partings().filter(|(_, count)| *count > 0).collect::<Vec<_>>(),
            [("quit", 1)]
        );
    }

    #[test]
    fn a_histogram_counts_up_to_each_bound() {
        let mut turns = Histogram::default();
        assert_eq!((turns.count(), turns.bound_of(500)), (0, None));
        for micros in [0, 10, 11, 25, 1_000_000, 1_000_001] {
            turns.note(Duration::from_micros(micros));
        }
        let buckets: Vec<u64> = turns.buckets().map(|(_, count)| count).collect();
        assert_eq!((buckets[0], buckets[1], buckets[2], buckets[15]), (2, 4, 4, 5));
        assert!(buckets.is_sorted());
        assert_eq!(turns.count(), 6);
        assert_eq!(turns.sum(), Duration::from_micros(2_000_047));
        assert_eq!(turns.bound_of(500), Some(Duration::from_micros(25)));
        assert_eq!(turns.bound_of(999), None);
        assert!(Histogram::BOUNDS.is_sorted());
    }

    #[test]
    fn health_is_to_let_in_and_to_keep() {
        let mut figures = Figures::default();
        assert!(figures.is_healthy());
        figures.lag = Some(Lag { waited: Duration::from_secs(1), ..Lag::default() });
        assert!(figures.is_healthy());
        figures.lag = Some(Lag { is_failing: true, ..Lag::default() });
        assert!(!figures.is_healthy());
        figures = Figures { is_stopping: true, ..Figures::default() };
        assert!(!figures.is_healthy());
    }
}
