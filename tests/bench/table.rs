//! What is printed: a table for each workload, with a row for each server.
//!
//! Promises: a figure is the median of its runs, but for counts of what should not be, of which the
//! most is shown, and for what says so, of which the least; ratios are of medians, with the
//! smallest and the largest ratio of two servers in the same round. Deliberately judges nothing.

use super::stats::{median, range};

/// What a column holds.
#[derive(Clone, Copy)]
pub struct Column {
    /// What stands above it, with the unit.
    pub title: &'static str,
    /// How many digits stand behind the point.
    pub decimals: usize,
    /// Whether the ratio to the floor is printed with its range.
    pub is_compared: bool,
    /// What stands for all runs.
    summary: fn(Vec<f64>) -> f64,
}

/// A column that is only shown.
pub const fn shown(title: &'static str, decimals: usize) -> Column {
    Column { title, decimals, is_compared: false, summary: median }
}

/// A column whose ratio to the floor counts.
pub const fn compared(title: &'static str, decimals: usize) -> Column {
    Column { title, decimals, is_compared: true, summary: median }
}

/// A count of what should not be: of all runs the most.
pub const fn most(title: &'static str) -> Column {
    Column { title, decimals: 0, is_compared: false, summary: |values| range(values).1 }
}

/// Of all runs the least: of what should be whole, or of what the machine only adds to.
pub const fn least(title: &'static str) -> Column {
    Column { title, decimals: 0, is_compared: false, summary: |values| range(values).0 }
}

/// The figures of one run, in the order of the columns; NaN where there is none.
pub type Row = Vec<f64>;

/// The runs of one server.
pub struct Runs {
    /// The name of the server.
    pub name: &'static str,
    /// A row for each run.
    pub rows: Vec<Row>,
}

impl Runs {
    fn summary(&self, columns: &[Column]) -> Row {
        let all = columns.iter().enumerate();
        all.map(|(at, column)| (column.summary)(self.rows.iter().map(|row| row[at]).collect()))
            .collect()
    }
}

/// The table as text: a title with the number of runs, a head, a row for each server, and how each
/// compares with the first.
pub fn rendered(title: &str, columns: &[Column], runs: &[Runs]) -> String {
    let mut cells = vec![
        std::iter::once(String::new())
            .chain(columns.iter().map(|column| column.title.to_owned()))
            .collect::<Vec<_>>(),
    ];
    for run in runs {
        let figures = run.summary(columns);
        let shown = columns.iter().zip(figures).map(|(column, value)| number(value, column));
        cells.push(std::iter::once(run.name.to_owned()).chain(shown).collect());
    }
    let mut text = match runs.iter().map(|it| it.rows.len()).max() {
        Some(1) => format!("\n{title} (1 run)\n"),
        many => format!("\n{title} ({} runs)\n", many.unwrap_or(0)),
    };
    let widths: Vec<usize> = (0..=columns.len())
        .map(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    for row in &cells {
        let mut line = format!("  {:<width$}", row[0], width = widths[0]);
        for (cell, width) in row[1..].iter().zip(&widths[1..]) {
            line += &format!("  {cell:>width$}");
        }
        text += line.trim_end();
        text.push('\n');
    }
    if let Some((first, others)) = runs.split_first() {
        for other in others {
            text += &comparison(columns, first, other);
        }
    }
    text
}

fn comparison(columns: &[Column], first: &Runs, other: &Runs) -> String {
    let mut text = String::new();
    for (at, column) in columns.iter().enumerate().filter(|(_, column)| column.is_compared) {
        let [ours, theirs] = [other, first].map(|runs| median(runs.rows.iter().map(|row| row[at])));
        let pairs = other.rows.iter().zip(&first.rows).map(|(ours, theirs)| ours[at] / theirs[at]);
        let (low, high) = range(pairs);
        let ratio = ours / theirs;
        if ratio.is_finite() {
            let (other, first, title) = (other.name, first.name, column.title);
            text += &format!("  {other} / {first}: {ratio:.2} in {title}");
            text += &if high > low { format!(" ({low:.2} to {high:.2})\n") } else { "\n".into() };
        }
    }
    text
}

/// A number with its thousands apart.
fn number(value: f64, column: &Column) -> String {
    if value.is_nan() {
        return "-".to_owned();
    }
    let plain = format!("{:.*}", column.decimals, value.abs());
    let (whole, fraction) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{text}{fraction}")
}
