//! The line editor: whatever a terminal sends, only sequences that are allowed are sent back, each
//! line is bounded, any cutting gives the same edits and the same screen, and what stands on the
//! screen is what drawing it anew would put there.

use chatline::wire::editor::{Edit, Editor, Size};

use super::bytes::Bytes;
use super::text::is_printable;

const LINE_BYTES_MAX: usize = 120;
/// Nothing happens after so many deeds.
const DEEDS_MAX: usize = 64;
/// Prompts as the terminal draws them.
const PROMPTS: [&str; 4] = ["", "> ", "\x1b[1;32m[dev]\x1b[0m ", "[漢字 \x1b[31m12\x1b[0m] > "];
const PRINTED: &[u8] = b"#dev bob: it burns\r\n";

/// The terminal, and what happens there.
pub fn run(data: &[u8]) {
    let whole = play(data, false);
    let cut = play(data, true);
    assert_eq!(cut.edits, whole.edits, "byte by byte");
    assert_eq!(cut.editor.line(), whole.editor.line());
    assert_eq!(cut.editor.cursor(), whole.editor.cursor());
    // For a screen reader each change is drawn below the last one, also those in between.
    if whole.is_foreseen() && cut.is_foreseen() && !whole.was_plain {
        assert_alike(&cut.seen(), &whole.seen());
    }
}

/// The rows of a screen, and where its cursor is.
type Sight = (Vec<String>, (u16, u16));

/// Panics if two screens differ by more than how far they have scrolled: what stood there for a
/// moment may have been longer.
fn assert_alike(one: &Sight, other: &Sight) {
    assert_eq!(one.1.1, other.1.1, "the cursor's column: {one:?} {other:?}");
    let around = |(rows, (row, _)): &Sight, to: usize| {
        let (above, below) = rows.split_at(usize::from(*row));
        let above = above[above.len() - to..].to_vec();
        [&above[..], below].concat().join("\n").trim_end().to_owned()
    };
    let shared = usize::from(one.1.0.min(other.1.0));
    assert_eq!(around(one, shared), around(other, shared), "byte by byte");
}

/// An editor and its terminal.
struct Terminal {
    editor: Editor,
    parser: vt100::Parser,
    edits: Vec<Edit>,
    size: Size,
    is_plain: bool,
    was_plain: bool,
}

fn play(data: &[u8], is_cut: bool) -> Terminal {
    let mut data = Bytes::new(data);
    let columns = 20 + data.below(60) as u16;
    let rows = 2 + data.below(28) as u16;
    let mut terminal = Terminal::new(columns, rows, data.below(2) == 0);
    for _ in 0..DEEDS_MAX {
        if data.is_empty() {
            break;
        }
        match data.below(16) {
            0..9 => {
                let keys = data.piece();
                let length = if is_cut { 1 } else { keys.len().max(1) };
                keys.chunks(length).for_each(|chunk| terminal.feed(chunk));
            }
            9 | 10 => terminal.print(),
            11 => terminal.change(|editor| editor.set_prompt(PROMPTS[data.below(PROMPTS.len())])),
            12 => {
                let is_secret = data.below(2) == 0;
                terminal.change(|editor| editor.set_secret(is_secret));
            }
            13 => terminal.feed(b"\x0C"),
            14 => {
                terminal.is_plain = data.below(4) == 0;
                let is_plain = terminal.is_plain;
                terminal.was_plain |= is_plain;
                terminal.change(|editor| editor.set_plain(is_plain));
            }
            _ => {
                terminal.with(|editor, out| {
                    editor.forget_screen();
                    editor.show(out);
                });
            }
        }
        terminal.look();
    }
    terminal
}

impl Terminal {
    /// A terminal of that size, which telnet tells, or it when it is asked.
    fn new(columns: u16, rows: u16, has_telnet: bool) -> Terminal {
        let of = |length| std::num::NonZeroU16::new(length).expect("a terminal has some cells");
        let mut editor = Editor::new(Some(LINE_BYTES_MAX));
        if has_telnet {
            editor.set_size(Size { columns, rows });
        }
        let mut terminal = Terminal {
            editor,
            parser: vt100::Parser::new(of(rows), of(columns), 0),
            edits: Vec::new(),
            size: Size { columns, rows },
            is_plain: false,
            was_plain: false,
        };
        terminal.editor.set_prompt(PROMPTS[1]);
        terminal.with(|editor, out| editor.show(out));
        if !has_telnet {
            terminal.feed(format!("\x1b[{rows};{columns}R").as_bytes());
        }
        terminal
    }

    /// Sends the terminal what the editor says.
    fn with<T>(&mut self, act: impl FnOnce(&mut Editor, &mut Vec<u8>) -> T) -> T {
        let mut out = Vec::new();
        let done = act(&mut self.editor, &mut out);
        let text = allowed(&out);
        // The emulator takes this for a fault of the line and leaves it out; terminals do not.
        self.parser.process(text.replace(char::REPLACEMENT_CHARACTER, "?").as_bytes());
        done
    }

    /// Changes how the line is seen, while it is not.
    fn change(&mut self, act: impl FnOnce(&mut Editor)) {
        self.with(|editor, out| {
            editor.hide(out);
            act(editor);
            editor.show(out);
        });
    }

    fn print(&mut self) {
        self.with(|editor, out| {
            editor.hide(out);
            out.extend_from_slice(PRINTED);
            editor.show(out);
        });
    }

    fn feed(&mut self, mut input: &[u8]) {
        while let Some(edit) = self.with(|editor, out| editor.feed(&mut input, out)) {
            match &edit {
                Edit::Changed => continue,
                Edit::Line(line) => {
                    assert!(line.len() <= LINE_BYTES_MAX, "{line:?}");
                    assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
                    self.print();
                }
                Edit::Block(text) => {
                    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
                    self.print();
                }
                Edit::Complete => {
                    let (cursor, choices) = (self.editor.cursor(), ["alpha ", "alps "]);
                    let choices = choices.map(str::to_owned);
                    let is_room = self.editor.line().len() + 3 <= LINE_BYTES_MAX;
                    let choices = if is_room { &choices[..] } else { &[] };
                    self.with(|editor, out| editor.complete(cursor, choices, out));
                }
                Edit::Leave | Edit::Interrupt => {}
            }
            self.edits.push(edit);
        }
        assert!(input.is_empty(), "all is used up");
    }

    /// Whether it is known what must stand on the screen: a terminal may have said that it is of
    /// another size, and nothing is erased for a screen reader.
    fn is_foreseen(&self) -> bool {
        !self.is_plain && self.editor.size() == self.size
    }

    /// The rows, without the blanks at their ends, and where the cursor is.
    fn seen(&self) -> Sight {
        let screen = self.parser.screen();
        let rows = screen.rows(0, self.size.columns).map(|row| row.trim_end().to_owned());
        (rows.collect(), screen.cursor_position())
    }

    /// Whether all is as it must be.
    fn look(&mut self) {
        let (line, cursor) = (self.editor.line(), self.editor.cursor());
        assert!(line.len() <= LINE_BYTES_MAX && line.is_char_boundary(cursor), "{line:?}");
        if !self.is_foreseen() {
            return;
        }
        let before = self.seen();
        self.change(|_| {});
        let line = self.editor.line();
        assert_eq!(self.seen(), before, "{line:?} is drawn otherwise");
    }
}

/// What is sent, as text; panics if it moves or shows what it must not.
fn allowed(out: &[u8]) -> &str {
    let text = std::str::from_utf8(out).expect("a terminal is sent text");
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\r' | '\n' | '\x08' | '\x07' => {}
            '\x1b' => rest = behind_sequence(rest),
            _ => assert!(is_printable(first), "{first:?} in {text:?}"),
        }
    }
    text
}

/// What stands behind a sequence whose ESC was taken.
fn behind_sequence(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix(['7', '8']) {
        return rest;
    }
    let Some(rest) = text.strip_prefix('[') else { panic!("{text:?} is no sequence") };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';');
    let (parameters, rest) = rest.split_at(end.expect("a sequence ends"));
    let is_number = !parameters.contains(';');
    let is_allowed = match rest.as_bytes()[0] {
        b'A' | b'B' | b'C' | b'D' => is_number && parameters != "0",
        b'J' => ["", "2"].contains(&parameters),
        b'K' => parameters.is_empty(),
        b'H' => ["", "999;999"].contains(&parameters),
        b'n' => parameters == "6",
        b'm' => true,
        _ => false,
    };
    assert!(is_allowed, "{parameters:?} before {rest:?}");
    &rest[1..]
}
