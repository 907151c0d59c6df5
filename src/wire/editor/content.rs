//! What is being edited, and what of it is to be seen.
//!
//! Promises: nothing of a secret is in the view, and of a password in a line no more than its
//! length. Deliberately knows no keys and no screen.

use super::history::{Found, History};
use super::line::Line;
use super::paste::Paste;
use super::screen::View;
use super::secret::Masked;
use crate::wire::text::editing;

/// What is searched for has no more bytes.
pub const SEARCH_BYTES_MAX: usize = 256;

/// What the keys are for.
#[derive(Debug, Default)]
pub enum Mode {
    /// The line.
    #[default]
    Edit,
    /// Finding an older line.
    Search(Search),
    /// A paste under way.
    Paste(Paste),
    /// Whether this is to be sent.
    Ask {
        /// The paste.
        paste: Paste,
        /// The question, in place of the prompt.
        question: String,
    },
}

/// A search among older lines.
#[derive(Debug)]
pub struct Search {
    words: String,
    found: Option<Found>,
    /// No line before this place has the words in it.
    none_before: usize,
    /// What stands in place of the prompt.
    prompt: String,
}

impl Search {
    /// A search for nothing yet.
    pub fn new() -> Search {
        let (words, prompt) = (String::new(), String::new());
        let mut search = Search { words, found: None, none_before: 0, prompt };
        search.note(true);
        search
    }

    /// Goes on with one more character; whether there is room for it.
    pub fn push(&mut self, character: char, history: &History) -> bool {
        if self.words.len() + character.len_utf8() > SEARCH_BYTES_MAX {
            return false;
        }
        self.words.push(character);
        let before = self.found.map_or(usize::MAX, |found| found.index + 1);
        self.find(before, history);
        true
    }

    /// Goes on with one character less, from the newest line on.
    pub fn pop(&mut self, history: &History) {
        self.words.pop();
        self.found = None;
        self.none_before = 0;
        self.find(usize::MAX, history);
    }

    /// Goes on with older lines; whether there is one.
    pub fn older(&mut self, history: &History) -> bool {
        let before = self.found.map_or(usize::MAX, |found| found.index);
        self.find(before, history)
    }

    /// What is found.
    pub fn line(&self, history: &History) -> Option<Line> {
        let found = self.found?;
        history.entry(found.index).map(|entry| Line::new(entry.to_owned(), found.at))
    }

    /// What was found stays if nothing is. Where nothing was found, nobody looks again: more words
    /// are not in there either.
    fn find(&mut self, before: usize, history: &History) -> bool {
        let found = match self.words.is_empty() {
            true => None,
            false => history.find(&self.words, self.none_before..before),
        };
        if found.is_none() && !self.words.is_empty() {
            self.none_before = before.min(history.len()).max(self.none_before);
        }
        self.found = found.or(self.found);
        self.note(found.is_some() || self.words.is_empty());
        found.is_some()
    }

    fn note(&mut self, has_found: bool) {
        self.prompt = editing::search(&self.words, has_found);
    }
}

/// What is being edited.
#[derive(Debug, Default)]
pub struct Content {
    /// Stands before the line.
    pub prompt: String,
    /// What is typed.
    pub line: Line,
    /// What was sent.
    pub history: History,
    /// What the keys are for.
    pub mode: Mode,
    /// What is typed is not shown.
    pub is_secret: bool,
    /// What is seen of the line, if there is a password in it.
    pub masked: Masked,
}

impl Content {
    /// Where a byte of the line is in the view.
    pub fn place(&mut self, at: usize) -> usize {
        match self.masked.mask(self.line.text()) {
            true => self.masked.place(self.line.text(), at),
            false => at,
        }
    }

    /// What is to be seen.
    pub fn view(&mut self) -> View<'_> {
        let line = &self.line;
        let (text, cursor) = match self.masked.mask(line.text()) {
            true => (self.masked.text.as_str(), self.masked.place(line.text(), line.cursor())),
            false => (line.text(), line.cursor()),
        };
        match &self.mode {
            _ if self.is_secret => View { prompt: &self.prompt, text: "", cursor: 0 },
            Mode::Edit | Mode::Paste(_) => View { prompt: &self.prompt, text, cursor },
            Mode::Ask { question, .. } => View { prompt: question, text: "", cursor: 0 },
            Mode::Search(Search { prompt, found, .. }) => {
                let entry = |found: Found| Some((self.history.entry(found.index)?, found.at));
                let found = found.and_then(entry);
                let (text, cursor) = found.unwrap_or((text, cursor));
                View { prompt, text, cursor }
            }
        }
    }
}
