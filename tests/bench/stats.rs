//! Figures: latencies, medians, ratios.
//!
//! Promises: latencies are kept to three digits. Deliberately knows nothing of what is measured.

use hdrhistogram::Histogram;

/// What takes longer counts as this, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Latencies of lines that were due at a certain time or later.
pub struct Latencies {
    nanos: Histogram<u64>,
    /// What was due before is not recorded; in nanoseconds since the driver's epoch.
    since: u64,
}

impl Latencies {
    /// Records nothing until [`Latencies::start`].
    pub fn new() -> Latencies {
        let nanos = Histogram::new_with_bounds(1, LONGEST, 3);
        let nanos = nanos.expect("three digits are within what it can do");
        Latencies { nanos, since: u64::MAX }
    }

    /// Forgets what was recorded, and records what is due from `now` on.
    pub fn start(&mut self, now: u64) {
        self.nanos.reset();
        self.since = now;
    }

    /// A line that was due at `due` was heard at `now`.
    pub fn record(&mut self, due: u64, now: u64) {
        if due >= self.since {
            self.nanos.saturating_record(now.saturating_sub(due));
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.nanos.len()
    }

    /// The latency that so many percent stay within, in microseconds; NaN when nothing was heard.
    pub fn percentile(&self, percent: f64) -> f64 {
        match self.nanos.is_empty() {
            true => f64::NAN,
            false => self.nanos.value_at_percentile(percent) as f64 / 1e3,
        }
    }
}

/// The median of what is a number; NaN when nothing is.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        many if many % 2 == 1 => values[many / 2],
        many => (values[many / 2 - 1] + values[many / 2]) / 2.0,
    }
}

/// The smallest and the largest.
pub fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .fold((f64::NAN, f64::NAN), |(low, high), value| (low.min(value), high.max(value)))
}
