//! The line editor that runs here, for terminals that send each key as it is pressed.
//!
//! Bytes in; the echo, and what is for the caller, out. A line is printed by [`Editor::hide`], the
//! line, [`Editor::show`]. Promises: however the bytes are cut, the same edits come out and the
//! same screen stands there; what is echoed holds no control and no format character (but joiners
//! and variation selectors, which are judged when the line is whole), and moves the cursor within
//! the rows of prompt and line only; what is typed as a secret is neither echoed nor remembered,
//! nor is a password in a command; everything that is kept is bounded; one call draws once, however
//! much it is fed. Deliberately no socket, no clock, and no opinion on what a line means: what
//! completes a word is the caller's answer.

mod choices;
mod content;
mod history;
mod keys;
mod line;
mod paste;
mod pen;
mod press;
mod screen;
mod secret;
#[cfg(test)]
mod tests;

use content::{Content, Mode};
use keys::Keys;
use line::Line;
pub use paste::PASTE_BYTES_MAX;
use screen::Screen;
pub use screen::Size;
pub use secret::{has_secret, secret_from};

/// Asks the terminal to mark what is pasted; sent when editing begins.
pub const BEGIN: &[u8] = b"\x1b[?2004h";
/// Takes that back; sent when editing ends.
pub const END: &[u8] = b"\x1b[?2004l";
/// Asks the terminal how large it is: by where the cursor is when it cannot go further.
pub const ASK_SIZE: &[u8] = b"\x1b7\x1b[999;999H\x1b[6n\x1b8";
/// A line has no more bytes, even where lines have no limit.
pub const LINE_BYTES_MAX: usize = 16 * 1024;

const BELL: u8 = 0x07;

/// What is for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Enter: the line as typed, without control characters. It stays on the screen, above.
    Line(String),
    /// A paste of several lines, with LF between them; confirmed when long.
    Block(String),
    /// Tab: answered with [`Editor::complete`].
    Complete,
    /// Ctrl-D on an empty line.
    Leave,
    /// Ctrl-C on an empty line.
    Interrupt,
    /// The line was changed, and is no secret. At most once when the input is used up.
    Changed,
}

/// What on the screen is not as it should be.
#[derive(Clone, Copy, Debug, Default)]
enum Damage {
    #[default]
    None,
    Cursor,
    /// The text from this byte on.
    From(usize),
    All,
}

impl Damage {
    fn and(self, other: Damage) -> Damage {
        match (self, other) {
            (Damage::All, _) | (_, Damage::All) => Damage::All,
            (Damage::From(one), Damage::From(other)) => Damage::From(one.min(other)),
            (Damage::From(at), _) | (_, Damage::From(at)) => Damage::From(at),
            (Damage::Cursor, _) | (_, Damage::Cursor) => Damage::Cursor,
            (Damage::None, Damage::None) => Damage::None,
        }
    }
}

/// The line editor of one connection.
#[derive(Debug, Default)]
pub struct Editor {
    keys: Keys,
    content: Content,
    line_bytes_max: usize,
    /// What was cut last.
    cut: String,
    screen: Screen,
    damage: Damage,
    is_plain: bool,
    /// The size is known by other means than asking.
    has_size: bool,
    /// It was asked for, and the answer has not come.
    is_size_asked: bool,
    has_begun: bool,
    is_changed: bool,
    /// The whole screen is to be emptied before anything is drawn.
    is_emptied: bool,
    /// Something cannot be done.
    is_refused: bool,
}

impl Editor {
    /// An editor of a line that may have so many bytes; [`LINE_BYTES_MAX`] if there is no limit.
    pub fn new(line_bytes_max: Option<usize>) -> Editor {
        let line_bytes_max = line_bytes_max.unwrap_or(LINE_BYTES_MAX).min(LINE_BYTES_MAX);
        Editor { line_bytes_max, ..Editor::default() }
    }

    /// Takes bytes, without telnet's, from the front of `input` until something is for the caller;
    /// what the terminal must be sent is appended to `out`. `None` when the input is used up.
    pub fn feed(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Option<Edit> {
        while let Some(key) = self.keys.next(input) {
            if let Some(edit) = self.press(key, out) {
                self.refresh(out);
                return Some(edit);
            }
        }
        self.refresh(out);
        std::mem::take(&mut self.is_changed).then_some(Edit::Changed)
    }

    /// Takes prompt and line off the screen, so that lines can be printed there.
    pub fn hide(&mut self, out: &mut Vec<u8>) {
        self.screen.hide(out);
    }

    /// Puts prompt and line on the screen, with the cursor in its place.
    pub fn show(&mut self, out: &mut Vec<u8>) {
        if !self.has_begun {
            self.has_begun = true;
            self.ask_size(out);
        }
        if matches!(self.damage, Damage::All) {
            self.take_off(out);
        }
        if self.screen.is_shown() {
            self.refresh(out);
        } else {
            self.screen.show(self.content.view(), out);
            self.damage = Damage::None;
        }
    }

    /// What stands before the line: text, and sequences that set colours. A caller that has not
    /// hidden the old one sees the new one after the next [`show`](Editor::show).
    pub fn set_prompt(&mut self, prompt: &str) {
        if self.content.prompt != prompt {
            self.content.prompt.clear();
            self.content.prompt.push_str(prompt);
            self.damage = Damage::All;
        }
    }

    /// Whether what is typed is a secret: not echoed, not remembered. What is half typed becomes
    /// one; the unfinished end of a secret is dropped.
    pub fn set_secret(&mut self, is_secret: bool) {
        if self.content.is_secret == is_secret {
            return;
        }
        self.content.is_secret = is_secret;
        self.content.history.leave();
        self.is_changed = false;
        if !matches!(self.content.mode, Mode::Paste(_)) {
            self.content.mode = Mode::Edit;
        }
        if !is_secret {
            self.content.line = Line::default();
        }
        self.damage = Damage::All;
    }

    /// Whether a screen reader follows: nothing is erased, and the cursor goes forward only.
    pub fn set_plain(&mut self, is_plain: bool) {
        self.is_plain = is_plain;
        self.screen.set_plain(is_plain);
    }

    /// The size of the terminal, as telnet tells it; from now on nobody asks. A caller that has
    /// not hidden prompt and line sees them drawn anew after the next [`show`](Editor::show).
    pub fn set_size(&mut self, size: Size) {
        self.has_size = true;
        self.resize(size);
    }

    /// The size that the terminal is taken to have.
    pub fn size(&self) -> Size {
        self.screen.size()
    }

    /// Nobody knows what is on the screen: what is shown next begins on a new row.
    pub fn forget_screen(&mut self) {
        self.screen.forget();
    }

    /// Whether what is typed is a secret.
    pub fn is_secret(&self) -> bool {
        self.content.is_secret
    }

    /// The line.
    pub fn line(&self) -> &str {
        self.content.line.text()
    }

    /// Where in the line the cursor is, in bytes.
    pub fn cursor(&self) -> usize {
        self.content.line.cursor()
    }

    /// About how many bytes one key may have to look at or draw just now, at worst: the longer that
    /// is, the fewer keys are to be taken at once.
    pub fn weight(&self) -> usize {
        let Content { prompt, line, history, mode, .. } = &self.content;
        let searched = if matches!(mode, Mode::Search(_)) { history.bytes() } else { 0 };
        prompt.len() + line.text().len() + self.cut.len() + searched
    }

    fn ask_size(&mut self, out: &mut Vec<u8>) {
        if !self.has_size && !self.is_plain {
            self.is_size_asked = true;
            out.extend_from_slice(ASK_SIZE);
        }
    }

    fn resize(&mut self, size: Size) {
        if size.clamped() != self.screen.size() && self.screen.resize(size, self.content.view()) {
            self.damage = Damage::All;
        }
    }

    /// Makes the screen what it should be, if anything is there.
    fn refresh(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_refused) {
            out.push(BELL);
        }
        let damage = std::mem::take(&mut self.damage);
        if !self.screen.is_shown() {
            return;
        }
        match damage {
            Damage::None => {}
            Damage::Cursor => self.screen.move_cursor(self.content.view(), out),
            Damage::From(at) => {
                let at = self.content.place(at);
                self.screen.redraw(self.content.view(), at, out);
            }
            Damage::All => {
                self.take_off(out);
                self.screen.show(self.content.view(), out);
            }
        }
    }

    /// Takes prompt and line off the screen, with all else if somebody wished that.
    fn take_off(&mut self, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.is_emptied) {
            true => self.screen.clear(out),
            false => self.screen.hide(out),
        }
    }
}
