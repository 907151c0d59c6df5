//! A terminal with an editor behind it, and what should stand on its screen.
//!
//! Promises: each look compares every cell, and where the cursor is, with the prompt, the line and
//! what was printed above, laid out here anew with widths from a table. Deliberately no judge of
//! what keys do: the line is taken from the editor.

use std::num::NonZeroU16;

use chatline::wire::editor::{Edit, Editor, Size, secret_from};
use unicode_segmentation::UnicodeSegmentation;

/// What is typed, beside marks.
pub const PIECES: &[&str] = &[
    "/join a ",
    "a",
    "b",
    " ",
    "-",
    "é",
    "漢",
    "字",
    "한",
    "😀",
    "👍🏽",
    "❤\u{FE0F}",
    "🇨🇭",
    "👨\u{200D}👩\u{200D}👧",
    "क्ष",
];

/// A mark joins with whatever stands before it.
pub const MARK: &str = "\u{301}";

/// What is seen of a row: of each cell the first character.
type Row = Vec<char>;

/// A screen full of cells, laid out as it should be.
pub struct Layout {
    pub rows: Vec<Row>,
    pub cursor: (usize, usize),
}

/// A line and its cursor as they are to be seen: of a password each character is a star.
fn masked(line: &str, cursor: usize) -> (String, usize) {
    let from = secret_from(line).unwrap_or(line.len());
    let stars = |text: &str| "*".repeat(text.chars().count());
    let cursor = match cursor.checked_sub(from) {
        None => cursor,
        Some(_) => from + stars(&line[from..cursor]).len(),
    };
    (format!("{}{}", &line[..from], stars(&line[from..])), cursor)
}

/// Lays out a prompt and a line in so many columns.
pub fn lay_out(prompt: &str, line: &str, cursor: usize, columns: usize) -> Layout {
    let mut rows = vec![Row::new()];
    let mut cursor_cell = None;
    let clusters = prompt.graphemes(true).map(|cluster| (None, cluster));
    let typed = line.grapheme_indices(true).map(|(at, cluster)| (Some(at), cluster));
    for (at, cluster) in clusters.chain(typed) {
        let (cells, span) = measure(cluster);
        if rows[rows.len() - 1].len() + span > columns {
            rows.push(Row::new());
        }
        let last = rows.len() - 1;
        if cursor_cell.is_none() && at.is_some_and(|at| at >= cursor) {
            cursor_cell = Some((last, rows[last].len()));
        }
        rows[last].extend(cells.chars());
        if rows[last].len() == columns {
            rows.push(Row::new());
        }
    }
    let end = (rows.len() - 1, rows[rows.len() - 1].len());
    Layout { rows, cursor: cursor_cell.unwrap_or(end) }
}

/// What this terminal shows of a cluster in its cells, and how many it may take on others. The
/// cluster is one of the pieces, or the beginning of one, with any marks.
fn measure(cluster: &str) -> (String, usize) {
    let bare = cluster.replace(MARK, "");
    let seen = bare.replace(['\u{200D}', '\u{94D}', '\u{FE0F}'], "");
    let Some(first) = seen.chars().next() else { return (" ".to_owned(), 3) };
    let count = seen.chars().count();
    match first {
        'é' | 'क' => (seen, count),
        '❤' if bare == seen => (seen, 1),
        '❤' => ("❤ ".to_owned(), 2),
        '漢' | '字' | '한' | '😀' => (format!("{first} "), 2),
        '👍' | '👨' => (format!("{first} "), 2 * count),
        '🇨' | '🇭' => (seen, 2 * count),
        _ if seen.is_ascii() => (seen, count),
        _ => panic!("nobody types {cluster:?}"),
    }
}

/// An editor and its terminal.
pub struct Terminal {
    pub editor: Editor,
    pub edits: Vec<Edit>,
    parser: vt100::Parser,
    columns: usize,
    rows: usize,
    prompt: &'static str,
    /// The rows above the prompt.
    above: Vec<Row>,
    printed: usize,
}

impl Terminal {
    /// A terminal that tells its size, either because telnet does or because it is asked.
    pub fn new(columns: u16, rows: u16, has_telnet: bool) -> Terminal {
        let (size, of) = (Size { columns, rows }, |it| NonZeroU16::new(it).unwrap());
        let mut editor = Editor::new(Some(400));
        if has_telnet {
            editor.set_size(size);
        }
        let mut terminal = Terminal {
            editor,
            edits: Vec::new(),
            parser: vt100::Parser::new(of(rows), of(columns), 0),
            columns: usize::from(columns),
            rows: usize::from(rows),
            prompt: "",
            above: Vec::new(),
            printed: 0,
        };
        terminal.set_prompt("[dev] ", "\x1b[1;32m[dev]\x1b[0m ");
        terminal.with(|editor, out| editor.show(out));
        if !has_telnet {
            terminal.feed(format!("\x1b[{rows};{columns}R").as_bytes());
        }
        assert_eq!(terminal.editor.size(), size);
        terminal.look();
        terminal
    }

    /// Sends the terminal what the editor says.
    pub fn with(&mut self, act: impl FnOnce(&mut Editor, &mut Vec<u8>)) {
        let mut out = Vec::new();
        act(&mut self.editor, &mut out);
        self.parser.process(&out);
    }

    pub fn set_prompt(&mut self, shown: &'static str, prompt: &str) {
        self.prompt = shown;
        self.with(|editor, out| {
            editor.hide(out);
            editor.set_prompt(prompt);
            editor.show(out);
        });
    }

    /// A line arrives from elsewhere.
    pub fn print(&mut self) {
        self.printed += 1;
        let line = format!("line {}", self.printed);
        self.above.push(line.chars().collect());
        self.with(|editor, out| {
            editor.hide(out);
            editor.hide(out);
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            editor.show(out);
            editor.show(out);
        });
    }

    /// Keys are pressed.
    pub fn feed(&mut self, mut input: &[u8]) {
        loop {
            let mut out = Vec::new();
            let edit = self.editor.feed(&mut input, &mut out);
            self.parser.process(&out);
            match edit {
                None => return assert!(input.is_empty()),
                Some(Edit::Changed) => {}
                Some(edit) => self.answer(edit),
            }
        }
    }

    fn answer(&mut self, edit: Edit) {
        match &edit {
            Edit::Line(line) => {
                let (line, _) = masked(line, 0);
                let mut rows = lay_out(self.prompt, &line, 0, self.columns).rows;
                if rows.len() > 1 {
                    rows.pop_if(|row| row.is_empty());
                }
                self.above.extend(rows);
                self.print();
            }
            Edit::Complete => {
                let (line, cursor) = (self.editor.line(), self.editor.cursor());
                let has_begun = line[..cursor].ends_with("alp");
                let is_full = line.len() + 3 > 400;
                let start = if has_begun { cursor - 3 } else { cursor };
                if has_begun && !is_full {
                    self.above.push("alpha  alps".chars().collect());
                }
                let choices = ["alpha ".to_owned(), "alps ".to_owned()];
                let choices = if is_full { &[][..] } else { &choices };
                self.with(|editor, out| editor.complete(start, choices, out));
            }
            _ => {}
        }
        self.edits.push(edit);
    }

    /// Ctrl-L.
    pub fn clear(&mut self) {
        self.above.clear();
        self.feed(b"\x0C");
    }

    /// The cells of a row, blank ones too.
    fn seen(&self, row: usize) -> Row {
        let cell = |column: usize| {
            let cell = self.parser.screen().cell(row as u16, column as u16)?;
            cell.contents().chars().next()
        };
        (0..self.columns).map(|column| cell(column).unwrap_or(' ')).collect()
    }

    /// Whether the screen is as it should be.
    pub fn look(&self) {
        let (line, cursor) = (self.editor.line(), self.editor.cursor());
        let (line, cursor) = masked(line, cursor);
        let layout = lay_out(self.prompt, &line, cursor, self.columns);
        let (row, column) = self.parser.screen().cursor_position();
        let contents = self.parser.screen().contents();
        assert_eq!(usize::from(column), layout.cursor.1, "{line:?} at {cursor}\n{contents}");
        for seen_row in 0..self.rows {
            let from_top = layout.cursor.0 + seen_row;
            let mut expected = match from_top.checked_sub(usize::from(row)) {
                Some(index) => layout.rows.get(index).cloned().unwrap_or_default(),
                None => {
                    let behind = usize::from(row) - from_top;
                    let index = self.above.len().checked_sub(behind);
                    index.map(|index| self.above[index].clone()).unwrap_or_default()
                }
            };
            expected.resize(self.columns, ' ');
            let seen: String = self.seen(seen_row).into_iter().collect();
            let expected: String = expected.into_iter().collect();
            assert_eq!(seen, expected, "row {seen_row} of {line:?} at {cursor}\n{contents}");
        }
        let is_clipped = layout.rows.len() > self.rows;
        let is_all_there = usize::from(row) >= layout.cursor.0;
        assert!(is_all_there || is_clipped, "{line:?}\n{contents}");
    }
}
