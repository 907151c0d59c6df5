//! A million users: what each costs in memory, and whether anything that is done for one of them
//! costs more the more others there are.
//!
//! Promises: no socket and no other process, so that nothing but the conversation ([`talk`]) and
//! the hub ([`hub`]) is measured; the same work at several sizes, a column for each. Memory is what
//! the process holds beyond what it held before all of it, as /proc/self/status has it (Linux
//! only); a process that has done other work before may hold room for some of it already. Times
//! are those of the clock on the wall, so the longest step shows what else the machine does, too.
//! Deliberately judges nothing.
//!
//! Rooms have ten members each, but for the large one, in which are all, or the first 100,000.

mod hub;
mod talk;

use std::fs;
use std::time::{Duration, Instant};

use chatline::chat::{Limits, Now};

/// How many are in a small room.
const ROOM: usize = 10;
/// How many are in the large room, at most.
const CROWD: usize = 100_000;
/// A line of 64 bytes.
const TEXT: &str = "the quick brown fox jumps over the lazy dog, then over 1 or two.";

/// Longer than anything that the conversation has put off.
const REST: Duration = Duration::from_secs(3);

/// Prints all of it; `is_brief` is for a hundredth of everybody.
pub fn run(is_brief: bool) {
    let scale = if is_brief { 100 } else { 1 };
    let sizes = [1_000, 10_000, 100_000, 1_000_000].map(|size| size / scale);
    let crowd = CROWD / scale;
    let before = resident();
    // The smaller one first: what it leaves behind is the least.
    let on_hub = at_sizes(&sizes[..3], before, |size, before| hub::measure(size, crowd, before));
    let alone = at_sizes(&sizes, before, |size, before| talk::measure(size, crowd, before));
    print("million: the conversation alone", &sizes, &alone);
    print("million: the hub on connections in memory", &sizes[..3], &on_hub);
}

/// Measures at each size, and the memory at the largest one, which is the first: later on there is
/// room that was left behind.
fn at_sizes(
    sizes: &[usize],
    before: usize,
    measure: impl Fn(usize, Option<usize>) -> Figures,
) -> Vec<Figures> {
    let mut before = Some(before);
    let mut columns: Vec<Figures> =
        sizes.iter().rev().map(|size| measure(*size, before.take())).collect();
    columns.reverse();
    columns
}

/// Everybody at one size: what is done with them whatever it is that they are connected to.
trait Population {
    /// How many lines are timed, if there are no more rooms than this.
    const LINES: usize;
    /// How many deliveries are timed in the large room, about.
    const DELIVERIES: usize;

    /// How many there are.
    fn count(&self) -> usize;
    /// How many deliveries there have been.
    fn heard(&self) -> usize;
    /// Time goes on, and what is due by then is done.
    fn pass(&mut self, time: Duration);
    /// One of them types a line.
    fn types(&mut self, n: usize, text: &str);
    /// The connection of one of them ends.
    fn end(&mut self, n: usize);

    /// How many rooms of ten there are.
    fn rooms(&self) -> usize {
        self.count() / ROOM
    }

    /// A member of a room of ten: they came long after each other.
    fn member(&self, room: usize, place: usize) -> usize {
        room + place % ROOM * self.rooms()
    }

    /// Everybody of these types the same.
    fn type_all(&mut self, who: &[usize], text: &str) -> Duration {
        timed(|| who.iter().for_each(|n| self.types(*n, text)))
    }

    /// Everybody of these says a line.
    fn say(&mut self, speakers: &[usize]) -> Lines {
        let before = self.heard();
        let time = self.type_all(speakers, TEXT);
        Lines { count: speakers.len(), deliveries: self.heard() - before, time }
    }

    fn talk_in_rooms(&mut self, figures: &mut Figures) {
        self.pass(REST);
        let (rooms, lines) = (self.rooms(), Self::LINES);
        // From then on each room keeps lines.
        self.say(&(0..rooms).collect::<Vec<_>>());
        let order = shuffled(rooms);
        let speakers = (0..lines.max(rooms)).map(|n| self.member(order[n % rooms], 1 + n / rooms));
        let cold = self.say(&speakers.collect::<Vec<_>>());
        let speakers: Vec<usize> = (0..lines).map(|n| self.member(0, n)).collect();
        assert_eq!(cold.deliveries, cold.count * (ROOM - 1), "the others hear each line");
        let warm = (0..9).map(|_| self.say(&speakers)).collect();
        figures.lines("a line, always in the same room", median(warm));
        figures.lines("a line, in another room each time", cold);
    }

    /// These join the large room, and some of them speak there.
    fn talk_in_crowd(&mut self, members: &[usize], figures: &mut Figures) {
        let time = self.type_all(members, "/join crowd");
        figures.each("to join the large room", time, members.len());
        self.pass(REST);
        let count = (Self::DELIVERIES / members.len()).clamp(1, Self::LINES);
        let speakers: Vec<usize> = members.iter().copied().cycle().take(count).collect();
        let lines = (0..9).map(|_| self.say(&speakers)).collect();
        figures.lines("a line in the large room", median(lines));
    }

    /// They leave it, and come back.
    fn leave_crowd(&mut self, members: &[usize], figures: &mut Figures) {
        self.pass(REST);
        figures.each("to leave the large room", self.type_all(members, "/leave"), members.len());
        self.type_all(members, "/join crowd");
        let time = timed(|| self.types(members[0], TEXT));
        figures.once("the first line after all came back", time);
        self.pass(REST);
    }

    /// These leave altogether, one by one.
    fn leave(&mut self, who: &[usize], figures: &mut Figures) {
        let mut longest = Longest::new();
        let time = timed(|| {
            for n in who {
                self.end(*n);
                longest.step();
            }
        });
        figures.each("to leave altogether", time, who.len());
        figures.once("    the longest of these", longest.time);
    }
}

/// No bounds but those of a name.
fn limits() -> Limits {
    Limits {
        lobby: None,
        motd: None,
        name_chars_max: Some(24),
        name_timeout: None,
        rooms_max: None,
        rooms_per_user_max: None,
        room_members_max: None,
        replay_lines: 20,
        accounts_max: None,
        paste_bytes_max: 64 << 10,
        directs_max: 100,
        admission: Default::default(),
        operators: Default::default(),
        is_searchable: false,
        is_kept: false,
    }
}

/// When it all begins.
const START: Now = Now { mono: Duration::ZERO, unix: 1_772_625_600, zone_secs: 0 };

/// Later by that time.
fn later(now: Now, time: Duration) -> Now {
    let mono = now.mono + time;
    Now { mono, unix: now.unix + (mono.as_secs() - now.mono.as_secs()) as i64, ..now }
}

/// A figure with its unit, under the name of its row.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

/// What was measured at one size, from top to bottom; the same rows at each size.
#[derive(Default)]
struct Figures(Vec<Figure>);

impl Figures {
    /// How much more memory the process holds than `before`, for each of so many.
    fn memory(&mut self, name: &'static str, before: Option<usize>, count: usize) {
        let bytes = before.map(|before| resident().saturating_sub(before) as f64);
        self.0.push(Figure {
            name,
            value: bytes.unwrap_or(f64::NAN) / count as f64,
            unit: "bytes",
        });
    }

    /// How long each of so many took, in nanoseconds.
    fn each(&mut self, name: &'static str, time: Duration, count: usize) {
        let value = time.as_nanos() as f64 / count.max(1) as f64;
        self.0.push(Figure { name, value, unit: "ns" });
    }

    /// How long one took, in microseconds.
    fn once(&mut self, name: &'static str, time: Duration) {
        self.0.push(Figure { name, value: time.as_nanos() as f64 / 1e3, unit: "µs" });
    }

    /// How long so many lines took, each, and each delivery of one.
    fn lines(&mut self, name: &'static str, lines: Lines) {
        self.each(name, lines.time, lines.count);
        self.each("    for each who hears it", lines.time, lines.deliveries);
    }
}

/// Lines that were said, and what came of them.
struct Lines {
    count: usize,
    deliveries: usize,
    time: Duration,
}

/// Lines of one crowd that were measured; of several stretches the median one counts.
fn median(mut stretches: Vec<Lines>) -> Lines {
    stretches.sort_by_key(|lines| lines.time);
    let middle = stretches.len() / 2;
    stretches.swap_remove(middle)
}

/// The longest of many steps.
struct Longest {
    time: Duration,
    last: Instant,
}

impl Longest {
    /// The first step begins.
    fn new() -> Longest {
        Longest { time: Duration::ZERO, last: Instant::now() }
    }

    /// A step ends, and the next one begins.
    fn step(&mut self) {
        let now = Instant::now();
        self.time = self.time.max(now - self.last);
        self.last = now;
    }
}

/// How long it takes.
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The numbers below `count`, in an order that no cache and no prefetcher foresees; the same in
/// each run.
fn shuffled(count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut numbers);
    numbers
}

/// What memory the process holds, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = kib.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<usize>().ok());
    kib.unwrap_or_default() << 10
}

fn print(title: &str, sizes: &[usize], columns: &[Figures]) {
    let Some(first) = columns.first() else { return };
    let width = first.0.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
    let heads: String =
        sizes.iter().map(|size| format!("{:>11}", thousands(*size as f64))).collect();
    println!("\n{title}\n  {:<width$}{heads}", "");
    for (at, Figure { name, unit, .. }) in first.0.iter().enumerate() {
        let values = columns.iter().map(|column| column.0[at].value);
        let cells: String = values.map(|value| format!("{:>11}", number(value))).collect();
        println!("  {name:<width$}{cells}  {unit}");
    }
}

/// A number that is not negative, with a digit behind the point if it is small; NaN is none.
fn number(value: f64) -> String {
    match value {
        none if none.is_nan() => "-".to_owned(),
        small if small < 100.0 => format!("{small:.1}"),
        large => thousands(large),
    }
}

/// A whole number with its thousands apart.
fn thousands(value: f64) -> String {
    let plain = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in plain.char_indices() {
        if at > 0 && (plain.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
