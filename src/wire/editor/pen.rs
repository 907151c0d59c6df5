//! Draws clusters from one cell on, and always knows where the terminal's cursor is.
//!
//! Promises: rows end as terminals end them when a text flows on, so that it is copied as one line;
//! behind a cluster on whose width terminals do not agree, the cursor is put where it belongs, and
//! what stands behind that is erased; only relative movements. Deliberately decides nothing about
//! what is drawn.

use crate::wire::cells::{Cluster, Place};

/// Erases from the cursor to the end of the screen.
pub const ERASE_BELOW: &[u8] = b"\x1b[J";
const ERASE_RIGHT: &[u8] = b"\x1b[K";

/// One drawing.
pub struct Pen<'o> {
    /// What the terminal is sent.
    pub out: &'o mut Vec<u8>,
    /// Of the terminal.
    pub columns: usize,
    /// The last row that may be drawn on.
    pub bottom: usize,
    /// The terminal is left to wrap by itself.
    pub is_plain: bool,
    /// Where the next cluster is put.
    pub place: Place,
    /// The last column has just been written on: the terminal wraps before the next character.
    pub is_pending: bool,
}

impl Pen<'_> {
    /// Draws a cluster, unless it would stand below the bottom.
    pub fn put(&mut self, cluster: Cluster<'_>) -> bool {
        let (at, behind) = self.place.put(cluster.shape, self.columns);
        if at.row > self.bottom {
            return false;
        }
        if at.row > self.place.row && !self.is_plain {
            let blanks = self.columns - self.place.column;
            self.out.extend(std::iter::repeat_n(b' ', blanks));
        }
        if cluster.shape.is_bare {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(cluster.drawn.as_bytes());
        self.is_pending = behind.row > at.row;
        if !cluster.shape.is_certain && !self.is_plain {
            self.settle(behind);
        }
        self.place = behind;
        true
    }

    /// Goes where all terminals should be now.
    fn settle(&mut self, behind: Place) {
        if !self.is_pending {
            self.out.push(b'\r');
            right(behind.column, self.out);
            self.out.extend_from_slice(ERASE_RIGHT);
        } else if behind.row <= self.bottom {
            self.out.extend_from_slice(b"\r\n");
            self.is_pending = false;
        }
    }

    /// Ends the drawing; returns the cell in which the terminal's cursor is.
    pub fn finish(self) -> Place {
        if self.is_plain {
            return self.place;
        }
        if self.place.row > self.bottom {
            self.out.push(b'\r');
            return Place { row: self.bottom, column: 0 };
        }
        if self.is_pending {
            self.out.extend_from_slice(b" \r");
        }
        self.place
    }
}

/// Moves the cursor between rows that have been drawn.
pub fn go(from: Place, to: Place, out: &mut Vec<u8>) {
    if to.row != from.row {
        let direction = if to.row < from.row { b'A' } else { b'B' };
        steps(from.row.abs_diff(to.row), direction, out);
    }
    if to.column == from.column {
        return;
    }
    if to.column == 0 {
        out.push(b'\r');
    } else if to.column > from.column {
        right(to.column - from.column, out);
    } else {
        steps(from.column - to.column, b'D', out);
    }
}

fn right(columns: usize, out: &mut Vec<u8>) {
    steps(columns, b'C', out);
}

/// None of them is a step of none: a terminal takes 0 for 1.
fn steps(count: usize, direction: u8, out: &mut Vec<u8>) {
    match (count, direction) {
        (0, _) => {}
        (1, b'D') => out.push(b'\x08'),
        (1, _) => out.extend_from_slice(&[b'\x1b', b'[', direction]),
        _ => {
            out.extend_from_slice(format!("\x1b[{count}").as_bytes());
            out.push(direction);
        }
    }
}
