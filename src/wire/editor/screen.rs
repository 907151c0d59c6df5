//! What of the prompt and the line is on the screen, and how it changes.
//!
//! Promises: the rows above are never touched; typing and erasing at the end costs what was typed,
//! anything else is redrawn from the change on; of more rows than the terminal has, those around
//! the cursor are shown; where things stand depends on what is shown, not on how it came about.
//! Deliberately never learns what the terminal really shows: it is told when that is unknown.

use super::pen::{ERASE_BELOW, Pen, go};
use crate::wire::cells::{Cluster, Place, Shape, Stretch, clusters, shape, stretches};

/// How large a terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Cells in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Default for Size {
    fn default() -> Size {
        Size { columns: 80, rows: 24 }
    }
}

impl Size {
    /// 20 to 500 columns, 2 to 500 rows: what lies beyond is taken to be the nearest of them.
    pub fn clamped(self) -> Size {
        Size { columns: self.columns.clamp(20, 500), rows: self.rows.clamp(2, 500) }
    }
}

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    /// Stands before the text; may hold sequences that set colours.
    pub prompt: &'v str,
    /// The text.
    pub text: &'v str,
    /// Where in the text the cursor is, in bytes.
    pub cursor: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing, and the cursor is at the beginning of a row.
    #[default]
    Hidden,
    /// Unknown.
    Lost,
    Shown(Shown),
}

/// Where things are on the screen.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// The first row of the view that is on the screen.
    top: usize,
    /// Where the terminal's cursor is.
    cursor: Place,
    /// The cell behind the text, or the beginning of the last row that is on the screen.
    end: Place,
}

/// The places in a view that matter.
struct Survey {
    cursor: Place,
    end: Place,
    /// Where the drawing begins if only the text from some byte on has changed.
    from: (usize, Place),
}

/// The rows of the terminal that the view is on.
#[derive(Debug, Default)]
pub struct Screen {
    size: Size,
    is_plain: bool,
    state: State,
}

impl Screen {
    /// How large the terminal is taken to be.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether anything of the view is on the screen.
    pub fn is_shown(&self) -> bool {
        matches!(self.state, State::Shown(_))
    }

    /// Nothing is erased from now on, and the cursor goes forward only.
    pub fn set_plain(&mut self, is_plain: bool) {
        self.is_plain = is_plain;
    }

    /// What is on the screen is unknown.
    pub fn forget(&mut self) {
        self.state = State::Lost;
    }

    /// The terminal has another size; whether the view has to be drawn again.
    pub fn resize(&mut self, size: Size, view: View<'_>) -> bool {
        let (old, size) = (self.size, size.clamped());
        self.size = size;
        let State::Shown(shown) = &mut self.state else { return false };
        let now = survey(view, usize::from(size.columns), 0);
        if old.columns == size.columns && now.end.row < usize::from(size.rows.min(old.rows)) {
            return false;
        }
        if (now.end.row, shown.end.row, shown.top) == (0, 0, 0) {
            return false;
        }
        // Some terminals have put the rows together anew, others have not. Better a piece of the
        // line too many on the screen than somebody else's line too few.
        let above = (shown.cursor.row - shown.top).min(now.cursor.row);
        shown.top = 0;
        shown.cursor.row = above;
        true
    }

    /// Takes the view off the screen.
    pub fn hide(&mut self, out: &mut Vec<u8>) {
        let shown = match self.state {
            State::Hidden => return,
            State::Lost => return self.begin_anew(out),
            State::Shown(shown) => shown,
        };
        self.state = State::Hidden;
        if self.is_plain {
            if shown.end != Place::default() {
                out.extend_from_slice(b"\r\n");
            }
            return;
        }
        go(shown.cursor, Place { row: shown.top, column: shown.cursor.column }, out);
        out.push(b'\r');
        out.extend_from_slice(ERASE_BELOW);
    }

    /// Whatever there is, what comes next begins on a new row.
    fn begin_anew(&mut self, out: &mut Vec<u8>) {
        self.state = State::Hidden;
        if self.is_plain {
            out.extend_from_slice(b"\r\n");
        } else {
            // A colour may have been on its way.
            out.extend_from_slice(b"\x1b[0m\r\n");
            out.extend_from_slice(ERASE_BELOW);
        }
    }

    /// Puts the view on the screen, if it is not.
    pub fn show(&mut self, view: View<'_>, out: &mut Vec<u8>) {
        match self.state {
            State::Shown(_) => return,
            State::Hidden => {}
            State::Lost => self.begin_anew(out),
        }
        let survey = survey(view, self.columns(), 0);
        let top = self.top(&survey);
        let mut pen = self.pen(Place { row: top, column: 0 }, top, out);
        put_all(view, top, &mut pen);
        self.end_drawing(pen.finish(), top, &survey, out);
    }

    /// The view has changed, its text from byte `from` on only.
    pub fn redraw(&mut self, view: View<'_>, from: usize, out: &mut Vec<u8>) {
        let State::Shown(shown) = self.state else { return };
        let survey = survey(view, self.columns(), from);
        let (at, start) = survey.from;
        let top = self.top(&survey);
        if self.is_plain || top != shown.top || start.row < top {
            self.hide(out);
            self.show(view, out);
            return;
        }
        go(shown.cursor, start, out);
        out.extend_from_slice(ERASE_BELOW);
        let mut pen = self.pen(start, top, out);
        clusters(&view.text[at..]).all(|cluster| pen.put(cluster));
        self.end_drawing(pen.finish(), top, &survey, out);
    }

    /// Nothing of the view has changed but its cursor.
    pub fn move_cursor(&mut self, view: View<'_>, out: &mut Vec<u8>) {
        let State::Shown(shown) = &mut self.state else { return };
        if self.is_plain {
            return;
        }
        let survey = survey(view, usize::from(self.size.columns), 0);
        let top = top_of(&survey, self.size);
        if top != shown.top {
            self.hide(out);
            self.show(view, out);
            return;
        }
        go(shown.cursor, survey.cursor, out);
        shown.cursor = survey.cursor;
    }

    /// Adds a cluster behind the text, where the cursor is. `false`, and nothing has been done, if
    /// more than that has to be drawn.
    pub fn type_at_end(&mut self, text: &str, out: &mut Vec<u8>) -> bool {
        let State::Shown(shown) = self.state else { return false };
        let cluster = Cluster { at: 0, drawn: text, shape: shape(text) };
        let (_, behind) = shown.end.put(cluster.shape, self.columns());
        if behind.row > self.bottom(shown.top) || shown.end != shown.cursor {
            return false;
        }
        let mut pen = self.pen(shown.end, shown.top, out);
        pen.put(cluster);
        let end = pen.finish();
        self.state = State::Shown(Shown { cursor: end, end, ..shown });
        true
    }

    /// Erases the last cluster of the text, behind which the cursor is. `false`, and nothing has
    /// been done, if more than that has to be drawn.
    pub fn erase_at_end(&mut self, text: &str, out: &mut Vec<u8>) -> bool {
        let State::Shown(shown) = self.state else { return false };
        let Shape { width, is_certain, .. } = shape(text);
        let Some(column) = shown.end.column.checked_sub(width) else { return false };
        // At the beginning of a row it may stand because it did not fit in the row before.
        let is_below = column == 0 && shown.end.row > 0;
        if !is_certain || is_below || shown.end != shown.cursor {
            return false;
        }
        for byte in [b'\x08', b' ', b'\x08'] {
            out.extend(std::iter::repeat_n(byte, width));
        }
        let end = Place { row: shown.end.row, column };
        self.state = State::Shown(Shown { cursor: end, end, ..shown });
        true
    }

    /// Leaves the view where it is, for good, and goes to a row of its own below it; the cursor is
    /// behind the text.
    pub fn leave_line(&mut self, out: &mut Vec<u8>) {
        let State::Shown(shown) = self.state else { return };
        self.state = State::Hidden;
        let is_on_new_row = shown.end.column == 0 && shown.end.row > 0;
        if self.is_plain || !is_on_new_row {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Empties the whole screen.
    pub fn clear(&mut self, out: &mut Vec<u8>) {
        if self.is_plain {
            self.hide(out);
            return;
        }
        out.extend_from_slice(b"\x1b[H\x1b[2J");
        self.state = State::Hidden;
    }

    fn columns(&self) -> usize {
        usize::from(self.size.columns)
    }

    fn top(&self, survey: &Survey) -> usize {
        if self.is_plain { 0 } else { top_of(survey, self.size) }
    }

    fn bottom(&self, top: usize) -> usize {
        if self.is_plain { usize::MAX } else { top + usize::from(self.size.rows) - 1 }
    }

    fn pen<'o>(&self, place: Place, top: usize, out: &'o mut Vec<u8>) -> Pen<'o> {
        let (columns, bottom) = (self.columns(), self.bottom(top));
        Pen { out, columns, bottom, is_plain: self.is_plain, place, is_pending: false }
    }

    /// Puts the cursor where it belongs, from where the pen has left it.
    fn end_drawing(&mut self, end: Place, top: usize, survey: &Survey, out: &mut Vec<u8>) {
        let cursor = if self.is_plain { end } else { survey.cursor };
        go(end, cursor, out);
        self.state = State::Shown(Shown { top, cursor, end });
    }
}

/// The first row that is shown: all rows, or so many that the cursor is in their middle.
fn top_of(survey: &Survey, size: Size) -> usize {
    let rows = usize::from(size.rows);
    let last_top = (survey.end.row + 1).saturating_sub(rows);
    survey.cursor.row.saturating_sub(rows / 2).min(last_top)
}

fn survey(view: View<'_>, columns: usize, from: usize) -> Survey {
    let mut pen = Place::default();
    for stretch in stretches(view.prompt) {
        if let Stretch::Text(text) = stretch {
            for cluster in clusters(text) {
                pen = pen.put(cluster.shape, columns).1;
            }
        }
    }
    let mut start = (0, pen);
    let mut cursor = None;
    for cluster in clusters(view.text) {
        let (at, behind) = pen.put(cluster.shape, columns);
        // The cluster before the change may have joined with what follows now.
        if cluster.at < from {
            start = (cluster.at, pen);
        }
        if cursor.is_none() && cluster.at >= view.cursor {
            cursor = Some(at);
        }
        pen = behind;
    }
    Survey { cursor: cursor.unwrap_or(pen), end: pen, from: start }
}

/// Draws the rows of the view from `top` on.
fn put_all(view: View<'_>, top: usize, pen: &mut Pen<'_>) {
    let mut above = Place::default();
    let mut put = |cluster: Cluster<'_>, pen: &mut Pen<'_>| {
        let (at, behind) = above.put(cluster.shape, pen.columns);
        above = behind;
        at.row < top || pen.put(cluster)
    };
    for stretch in stretches(view.prompt) {
        match stretch {
            Stretch::Colour(sequence) => pen.out.extend_from_slice(sequence.as_bytes()),
            Stretch::Text(text) => {
                clusters(text).all(|cluster| put(cluster, pen));
            }
        }
    }
    clusters(view.text).all(|cluster| put(cluster, pen));
}
