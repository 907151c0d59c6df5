//! What each key does.
//!
//! Promises: a key that can do nothing rings the bell or is ignored, and changes nothing. What has
//! changed is noted as damage, and drawn when all keys are done; only what is typed and erased at
//! the end of the line is echoed at once.

use super::content::{Mode, Search};
use super::keys::Key;
use super::line::{Line, Word};
use super::paste::{PASTE_BYTES_MAX, Paste};
use super::secret::{MASK, has_secret, secret_from};
use super::{Damage, Edit, Editor, Size, choices};
use crate::wire::clean;
use crate::wire::text::editing;

impl Editor {
    /// Does what a key is for.
    pub(super) fn press(&mut self, key: Key, out: &mut Vec<u8>) -> Option<Edit> {
        if let Key::Report { row, column } = key {
            // Some terminals send the same for a key, with a row of 1.
            if row > 1 && std::mem::take(&mut self.is_size_asked) && !self.has_size {
                self.resize(Size { columns: column, rows: row });
            }
            return None;
        }
        match &mut self.content.mode {
            Mode::Edit => self.press_in_line(key, out),
            Mode::Search(_) => self.press_in_search(key, out),
            // The end of it may never come.
            Mode::Paste(_) if key == Key::Interrupt => {
                self.content.mode = Mode::Edit;
                None
            }
            Mode::Paste(paste) if key != Key::PasteEnd => {
                paste.take(key);
                None
            }
            Mode::Paste(paste) => {
                let paste = std::mem::take(paste);
                self.content.mode = Mode::Edit;
                self.end_paste(paste, out)
            }
            Mode::Ask { paste, .. } => {
                let text = match key {
                    Key::Enter | Key::Char('y' | 'Y') => Some(paste.text().to_owned()),
                    Key::Interrupt | Key::Abort | Key::Escape | Key::AltEnter => None,
                    Key::EndOfInput | Key::Char('n' | 'N' | 'q' | 'Q') => None,
                    Key::PasteBegin => {
                        self.content.mode = Mode::Paste(Paste::default());
                        self.damage = Damage::All;
                        return None;
                    }
                    _ => {
                        self.is_refused = true;
                        return None;
                    }
                };
                self.content.mode = Mode::Edit;
                self.damage = Damage::All;
                text.map(|text| self.send_block(text, out))
            }
        }
    }

    fn press_in_line(&mut self, key: Key, out: &mut Vec<u8>) -> Option<Edit> {
        let line = &self.content.line;
        let is_empty = line.text().is_empty();
        match key {
            Key::Char(character) => self.insert(character, out),
            Key::Enter | Key::AltEnter => return Some(self.send_line(out)),
            Key::Tab if self.content.is_secret || has_secret(line.text()) => self.is_refused = true,
            Key::Tab => return Some(Edit::Complete),
            Key::Interrupt if is_empty => return Some(Edit::Interrupt),
            Key::Interrupt => {
                self.content.history.leave();
                self.replace(Line::default());
            }
            Key::EndOfInput if is_empty => return Some(Edit::Leave),
            Key::Left => self.go(line.left()),
            Key::Right => self.go(line.right()),
            Key::WordLeft => self.go(line.word_left(Word::Letters)),
            Key::WordRight => self.go(line.word_right(Word::Letters)),
            Key::Start => self.go(0),
            Key::End => self.go(line.text().len()),
            Key::Backspace => self.erase_left(out),
            Key::Delete | Key::EndOfInput => drop(self.remove(line.right())),
            Key::CutToStart => self.cut(0),
            Key::CutToEnd => self.cut(line.text().len()),
            Key::CutBlankLeft => self.cut(line.word_left(Word::NoBlanks)),
            Key::CutWordLeft => self.cut(line.word_left(Word::Letters)),
            Key::CutWordRight => self.cut(line.word_right(Word::Letters)),
            Key::Yank => {
                let text = std::mem::take(&mut self.cut);
                self.insert_text(&text);
                self.cut = text;
            }
            Key::Clear => {
                self.damage = Damage::All;
                self.is_emptied = self.screen.is_shown();
            }
            Key::Up | Key::Down | Key::Search if self.content.is_secret => self.is_refused = true,
            Key::Up => self.look_up(),
            Key::Down => self.look_down(),
            Key::Search => {
                self.content.mode = Mode::Search(Search::new());
                self.damage = Damage::All;
            }
            Key::PasteBegin => self.content.mode = Mode::Paste(Paste::default()),
            Key::Abort | Key::Escape | Key::PasteEnd | Key::Report { .. } => {}
        }
        None
    }

    fn press_in_search(&mut self, key: Key, out: &mut Vec<u8>) -> Option<Edit> {
        let Mode::Search(search) = &mut self.content.mode else { return None };
        let history = &self.content.history;
        self.damage = Damage::All;
        match key {
            Key::Char(character) => {
                let character = clean::printed(character);
                let is_taken = character.is_none_or(|it| search.push(it, history));
                self.is_refused |= !is_taken;
            }
            Key::Backspace => search.pop(history),
            Key::Search => self.is_refused |= !search.older(history),
            Key::Interrupt | Key::Abort | Key::Escape | Key::AltEnter => {
                self.content.mode = Mode::Edit;
            }
            _ => {
                let found = search.line(history);
                self.content.mode = Mode::Edit;
                match (found, key) {
                    // What was half typed before is not what one wants to send.
                    (None, Key::Enter) => self.is_refused = true,
                    (found, key) => {
                        found.into_iter().for_each(|line| self.replace(line));
                        self.damage = Damage::All;
                        if !matches!(key, Key::Up | Key::Down | Key::Tab | Key::EndOfInput) {
                            return self.press_in_line(key, out);
                        }
                    }
                }
            }
        }
        None
    }

    /// Puts what is typed at the cursor.
    fn insert(&mut self, character: char, out: &mut Vec<u8>) {
        let Some(character) = clean::printed(character) else { return };
        let mut bytes = [0; 4];
        let text: &str = character.encode_utf8(&mut bytes);
        let line = &self.content.line;
        if line.text().len() + text.len() > self.line_bytes_max {
            self.is_refused = true;
            return;
        }
        let is_next = line.is_at_end() && self.is_line_on_screen();
        let begins_cluster = is_next && line.begins_cluster(character);
        let at = line.cursor();
        self.content.line.insert(text);
        let is_masked = secret_from(self.content.line.text()).is_some_and(|from| from <= at);
        let is_simple = match is_masked {
            true => is_next && self.screen.type_at_end(MASK, out),
            false => begins_cluster && self.screen.type_at_end(text, out),
        };
        self.note_change(if is_simple { Damage::None } else { Damage::From(at) });
    }

    /// Puts a text at the cursor, as much of it as there is room for.
    fn insert_text(&mut self, text: &str) {
        let line = &mut self.content.line;
        let room = self.line_bytes_max - line.text().len();
        let fitting = &text[..text.floor_char_boundary(room)];
        self.is_refused |= fitting.len() < text.len();
        if fitting.is_empty() {
            return;
        }
        let at = line.cursor();
        line.insert(fitting);
        self.note_change(Damage::From(at));
    }

    /// Whether the screen shows the line as it is.
    fn is_line_on_screen(&self) -> bool {
        let is_whole = matches!(self.damage, Damage::None) && self.screen.is_shown();
        is_whole && !self.content.is_secret
    }

    fn note_change(&mut self, damage: Damage) {
        if !self.content.is_secret {
            self.is_changed = true;
            self.damage = self.damage.and(damage);
        }
    }

    fn go(&mut self, to: usize) {
        if self.content.line.go(to) {
            self.damage = self.damage.and(Damage::Cursor);
        }
    }

    fn erase_left(&mut self, out: &mut Vec<u8>) {
        let line = &self.content.line;
        let from = line.left();
        let last = &line.text()[from..];
        let last = match secret_from(line.text()).filter(|from| *from < line.text().len()) {
            Some(secret) if secret <= from && last.chars().nth(1).is_none() => MASK,
            Some(_) => "",
            None => last,
        };
        let is_simple = line.is_at_end()
            && !last.is_empty()
            && self.is_line_on_screen()
            && self.screen.erase_at_end(last, out);
        if is_simple {
            self.content.line.cut(from);
            self.note_change(Damage::None);
        } else {
            self.remove(from);
        }
    }

    /// Removes what lies between the cursor and `to`, and returns it.
    fn remove(&mut self, to: usize) -> String {
        let cut = self.content.line.cut(to);
        if !cut.is_empty() {
            self.note_change(Damage::From(self.content.line.cursor()));
        }
        cut
    }

    /// Removes it so that it can be put elsewhere.
    fn cut(&mut self, to: usize) {
        let is_secret = self.content.is_secret || has_secret(self.content.line.text());
        let cut = self.remove(to);
        if !cut.is_empty() && !is_secret {
            self.cut = cut;
        }
    }

    /// Puts another line in the place of this one.
    fn replace(&mut self, line: Line) {
        self.content.line = line;
        self.note_change(Damage::From(0));
    }

    fn look_up(&mut self) {
        let older = self.content.history.older(self.content.line.text());
        match older.map(|line| Line::new(line.to_owned(), line.len())) {
            Some(line) => self.replace(line),
            None => self.is_refused = true,
        }
    }

    fn look_down(&mut self) {
        match self.content.history.newer() {
            Some(line) => {
                let end = line.len();
                self.replace(Line::new(line, end));
            }
            None => self.is_refused = true,
        }
    }

    fn send_line(&mut self, out: &mut Vec<u8>) -> Edit {
        let len = self.content.line.text().len();
        self.go(len);
        // What was typed while nothing was shown is seen all the same.
        self.show(out);
        self.screen.leave_line(out);
        self.ask_size(out);
        self.content.line.go(0);
        let line = self.content.line.cut(len);
        if !self.content.is_secret && !has_secret(&line) {
            self.content.history.push(&line);
        }
        self.content.history.leave();
        self.is_changed = false;
        Edit::Line(line)
    }

    fn end_paste(&mut self, paste: Paste, out: &mut Vec<u8>) -> Option<Edit> {
        if paste.is_cut() {
            self.print(&[editing::paste_is_cut(PASTE_BYTES_MAX)], out);
        }
        if self.content.is_secret || paste.lines() == 1 {
            self.insert_text(paste.text().lines().next().unwrap_or_default());
            return None;
        }
        if self.content.line.text().is_empty() && !paste.is_long() {
            return Some(self.send_block(paste.text().to_owned(), out));
        }
        let question = paste.question();
        self.content.mode = Mode::Ask { paste, question };
        self.damage = Damage::All;
        None
    }

    fn send_block(&mut self, text: String, out: &mut Vec<u8>) -> Edit {
        self.take_off(out);
        self.is_changed = false;
        Edit::Block(text)
    }

    /// Prints lines above the prompt.
    fn print(&mut self, lines: &[String], out: &mut Vec<u8>) {
        let is_shown = self.screen.is_shown();
        self.take_off(out);
        for line in lines {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if is_shown {
            self.screen.show(self.content.view(), out);
            self.damage = Damage::None;
        }
    }

    /// The answer to [`Edit::Complete`]: the word from byte `start` to the cursor could be any of
    /// these, of which each has the blank behind it, if any. What they have in common is put in its
    /// place; where that is nothing more, they are shown above the prompt.
    pub fn complete(&mut self, start: usize, choices: &[String], out: &mut Vec<u8>) {
        let line = &self.content.line;
        let Some(typed) = line.text().get(start..line.cursor()) else { return };
        let is_ours = matches!(self.content.mode, Mode::Edit) && !self.content.is_secret;
        let beginning = choices::shared_beginning(choices);
        let is_more = beginning.chars().count() > typed.chars().count();
        let len = line.text().len() - typed.len() + beginning.len();
        if !is_ours || choices.is_empty() || is_more && len > self.line_bytes_max {
            self.is_refused = true;
        } else if is_more || choices.len() == 1 {
            if typed != beginning {
                let beginning = clean::clean(beginning.as_bytes()).into_owned();
                self.remove(start);
                self.insert_text(&beginning);
            }
        } else if self.is_plain {
            self.print(&[choices::sentence(choices)], out);
        } else {
            let columns = usize::from(self.size().columns);
            self.print(&choices::rows(choices, columns), out);
        }
        self.refresh(out);
    }
}
