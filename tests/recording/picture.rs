//! Frames of a terminal as one animated picture, in SVG.
//!
//! Promises: the same frames give the same bytes; a row that does not change from one frame to the
//! next is drawn once, for as long as it stands. Deliberately no script in it: a picture is shown
//! by anything.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;
use vt100::{Cell, Color, Screen};

/// The size of a cell, in pixels.
const WIDTH: u32 = 9;
const HEIGHT: u32 = 19;
const MARGIN: u32 = 12;

const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d8dee9";

/// How a terminal looked from a time on, in milliseconds.
struct Row {
    from: u32,
    to: u32,
    drawn: String,
}

/// A picture that is being made.
pub struct Picture {
    rows: u16,
    columns: u16,
    /// What each row of the terminal has shown, one after the other.
    shown: Vec<Vec<Row>>,
    /// Where the cursor was.
    cursor: Vec<(u32, u16, u16)>,
    length: u32,
}

impl Picture {
    /// One of a terminal of that size.
    pub fn new(rows: u16, columns: u16) -> Picture {
        let shown = (0..rows).map(|_| Vec::new()).collect();
        Picture { rows, columns, shown, cursor: Vec::new(), length: 0 }
    }

    /// The terminal looks so, for that many milliseconds.
    pub fn frame(&mut self, screen: &Screen, millis: u32) {
        let to = self.length + millis;
        for (at, shown) in (0..self.rows).zip(&mut self.shown) {
            let drawn = row(screen, at, self.columns);
            match shown.last_mut().filter(|last| last.drawn == drawn) {
                Some(last) => last.to = to,
                None => shown.push(Row { from: self.length, to, drawn }),
            }
        }
        let (row, column) = screen.cursor_position();
        self.cursor.push((self.length, row, column));
        self.length = to;
    }

    /// The picture, with that title.
    pub fn drawn(&self, title: &str) -> String {
        let width = u32::from(self.columns) * WIDTH + 2 * MARGIN;
        let height = u32::from(self.rows) * HEIGHT + 2 * MARGIN;
        let seconds = f64::from(self.length) / 1000.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
             font-size=\"15\" xml:space=\"preserve\">\n<title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
        );
        for (at, shown) in self.shown.iter().enumerate() {
            let y = MARGIN + at as u32 * HEIGHT + 15;
            for row in shown.iter().filter(|row| !row.drawn.is_empty()) {
                let visible = self.timed(&[(row.from, "1"), (row.to, "0")]);
                let values = animation("opacity", &visible, seconds);
                // What stands at the end is what is shown where nothing moves.
                let still = u8::from(row.to == self.length);
                writeln!(svg, "<text y=\"{y}\" opacity=\"{still}\">{values}{}</text>", row.drawn)
                    .unwrap();
            }
        }
        svg.push_str(&self.cursor(seconds));
        svg.push_str("</svg>\n");
        svg
    }

    fn cursor(&self, seconds: f64) -> String {
        let place = |origin: u32, size: u32| (MARGIN + origin * size).to_string();
        let xs: Vec<(u32, String)> = self
            .cursor
            .iter()
            .map(|(at, _, column)| (*at, place(u32::from(*column), WIDTH)))
            .collect();
        let ys: Vec<(u32, String)> =
            self.cursor.iter().map(|(at, row, _)| (*at, place(u32::from(*row), HEIGHT))).collect();
        let timed = |values: &[(u32, String)]| {
            let values: Vec<(u32, &str)> =
                values.iter().map(|(at, value)| (*at, value.as_str())).collect();
            self.timed(&values)
        };
        let (x, y) = (animation("x", &timed(&xs), seconds), animation("y", &timed(&ys), seconds));
        let (last_x, last_y) = (&xs[xs.len() - 1].1, &ys[ys.len() - 1].1);
        format!(
            "<rect x=\"{last_x}\" y=\"{last_y}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" fill=\"{FOREGROUND}\" opacity=\"0.5\">{x}{y}</rect>\n"
        )
    }

    /// Values from times on, as parts of the whole; the first holds from the beginning, and what
    /// comes again at once is left out.
    fn timed(&self, values: &[(u32, &str)]) -> Vec<(f64, String)> {
        let mut timed: Vec<(f64, String)> = Vec::new();
        if values[0].0 > 0 {
            timed.push((0.0, "0".to_owned()));
        }
        for (at, value) in values.iter().filter(|(at, _)| *at < self.length) {
            if timed.last().is_none_or(|(_, last)| last != value) {
                timed.push((f64::from(*at) / f64::from(self.length), (*value).to_owned()));
            }
        }
        timed
    }
}

fn animation(attribute: &str, timed: &[(f64, String)], seconds: f64) -> String {
    let times: Vec<String> = timed.iter().map(|(at, _)| format!("{at:.4}")).collect();
    let values: Vec<&str> = timed.iter().map(|(_, value)| value.as_str()).collect();
    format!(
        "<animate attributeName=\"{attribute}\" dur=\"{seconds:.2}s\" repeatCount=\"indefinite\" \
         calcMode=\"discrete\" keyTimes=\"{}\" values=\"{}\"/>",
        times.join(";"),
        values.join(";")
    )
}

/// A row of the screen as pieces of text, each of one look; empty if there is nothing on it.
fn row(screen: &Screen, at: u16, columns: u16) -> String {
    let mut drawn = String::new();
    let (mut look, mut text, mut start) = (String::new(), String::new(), 0);
    let mut flush = |look: &str, text: &mut String, start: u16| {
        if !text.trim_end().is_empty() {
            let x = MARGIN + u32::from(start) * WIDTH;
            let length = text.trim_end().width() as u32 * WIDTH;
            let text = escaped(text.trim_end());
            write!(drawn, "<tspan x=\"{x}\" textLength=\"{length}\" {look}>{text}</tspan>")
                .unwrap();
        }
        text.clear();
    };
    for column in 0..columns {
        let Some(cell) = screen.cell(at, column) else { continue };
        if cell.is_wide_continuation() {
            continue;
        }
        let this = look_of(cell);
        let is_blank = cell.contents().is_empty();
        // Each piece has its place, so that a font with other widths moves nothing far.
        if this != look || is_blank && text.ends_with(' ') {
            flush(&look, &mut text, start);
            (look, start) = (this, column);
        }
        text.push_str(if is_blank { " " } else { cell.contents() });
    }
    flush(&look, &mut text, start);
    drawn
}

fn look_of(cell: &Cell) -> String {
    let fill = match cell.fgcolor() {
        _ if cell.inverse() => "#ebcb8b".to_owned(),
        Color::Default => FOREGROUND.to_owned(),
        Color::Idx(index) => of_palette(index),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    };
    let weight = if cell.bold() || cell.inverse() { " font-weight=\"bold\"" } else { "" };
    format!("fill=\"{fill}\"{weight}")
}

/// A colour of xterm's 256: sixteen named ones, a cube, and greys.
fn of_palette(index: u8) -> String {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => FOREGROUND.to_owned(),
        16..232 => {
            let cube = index - 16;
            let (r, g, b) = (level(cube / 36), level(cube / 6 % 6), level(cube % 6));
            format!("#{r:02x}{g:02x}{b:02x}")
        }
        _ => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
