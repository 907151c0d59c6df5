//! How a connection is served that is not served plainly: what it has asked for, and what its face
//! needs.
//!
//! Promises: there is one only for who has asked for something; everybody else pays nothing for
//! it. Everything in it is bounded. Deliberately passive: `hub::special` and `hub::terminal` do
//! what it says.

use std::time::Duration;

use crate::chat::Place;
use crate::chat::name::Nick;
use crate::chat::pace::Rate;
use crate::chat::settings::Settings;
use crate::wire::editor::{self, Editor};
use crate::wire::json::RequestId;
use crate::wire::look::Look;
use crate::wire::telnet;
pub use crate::wire::text::prompt::Unread;
use crate::wire::text::prompt::prompt;

/// What such a connection wants.
#[derive(Debug, Default)]
pub struct View {
    /// As the conversation has it.
    pub settings: Settings,
    /// What kind of peer it is for, and what that takes.
    pub face: Face,
    /// How fast its lines are taken, if not as everybody's.
    pub pace: Option<Rate>,
    /// The line that is being obeyed, where lines are answered.
    pub request: Option<Request>,
    /// How many lines were answered, or are being.
    pub lines: u64,
    /// The zone of the time that its last line carried, in seconds ahead of UTC, and the day there,
    /// counted from 1970-01-01.
    pub day: Option<(i32, i64)>,
}

impl View {
    /// How lines look to it, whose user has that name.
    pub fn look<'v>(&'v self, nick: Option<&'v str>) -> Look<'v> {
        let (is_terminal, columns) = match &self.face {
            Face::Terminal(terminal) => (true, usize::from(terminal.editor.size().columns)),
            Face::Lines | Face::Json(_) => (false, 0),
        };
        Look { settings: &self.settings, is_terminal, columns, nick }
    }

    /// Whether it says nothing that is not so without it.
    pub fn is_plain(&self) -> bool {
        let is_served = matches!(self.face, Face::Lines) && self.settings.is_default();
        // Whose lines were answered once has them counted on when that begins again.
        is_served && self.pace.is_none() && self.request.is_none() && self.lines == 0
    }

    /// The conversation has it so from now on.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
        if let Face::Terminal(terminal) = &mut self.face {
            terminal.editor.set_plain(settings.is_plain);
        }
    }
}

/// What kind of peer a connection is for.
#[derive(Debug, Default)]
pub enum Face {
    /// Lines of text.
    #[default]
    Lines,
    /// JSON, with the block whose bytes are being taken.
    Json(Option<Box<Sized>>),
    /// A terminal whose lines are edited here.
    Terminal(Box<Terminal>),
}

/// A line whose answer is awaited by who sent it.
#[derive(Debug, Default)]
pub struct Request {
    /// What is to be repeated in the answer.
    pub id: Option<RequestId>,
    /// It was refused, which is an answer.
    pub is_refused: bool,
}

/// A block of which the size was told before.
#[derive(Debug)]
pub struct Sized {
    /// The id of the request.
    pub id: Option<RequestId>,
    /// Which room it is for; `None` for the current one.
    pub room: Option<String>,
    /// How many bytes are still to come.
    pub left: usize,
    /// Those that have come, as far as they are taken.
    pub bytes: Vec<u8>,
    /// How many bytes are taken at most; of a longer block none is.
    pub bytes_max: usize,
    /// There was no room for it beside those of others.
    pub is_crowded_out: bool,
    /// It was refused before it came, and is only skipped.
    pub is_answered: bool,
}

/// How many rooms and people are counted at once.
const UNREAD_MAX: usize = 50;
/// How many people are shown typing at once.
const TYPISTS_MAX: usize = 3;

/// A terminal whose lines are edited here.
#[derive(Debug)]
pub struct Terminal {
    /// The line that is being edited.
    pub editor: Editor,
    /// The peer's telnet client was asked for this, and is to be told when it ends.
    pub is_telnet: bool,
    /// Its prompt is off the screen, and comes back at the end of the turn.
    pub is_hidden: bool,
    /// When others were last told that something is being typed, since start.
    pub typing_told_at: Option<Duration>,
    unread: Vec<(Unread, u64)>,
    typists: Vec<(Nick, Duration)>,
}

impl Terminal {
    /// A terminal with nothing typed.
    pub fn new(editor: Editor, is_telnet: bool) -> Terminal {
        Terminal {
            editor,
            is_telnet,
            is_hidden: false,
            typing_told_at: None,
            unread: Vec::new(),
            typists: Vec::new(),
        }
    }

    /// What is typed from now on is a password, or is not any longer.
    pub fn hide_typing(&mut self, is_secret: bool) {
        self.editor.set_secret(is_secret);
    }

    /// What makes it a terminal like any other again.
    pub fn end(&self) -> Vec<u8> {
        match self.is_telnet {
            true => [editor::END, &telnet::TERMINAL_OVER].concat(),
            false => editor::END.to_vec(),
        }
    }

    /// Something was said there that was not answered yet.
    pub fn count_unread(&mut self, place: Unread) {
        if let Some((_, count)) = self.unread.iter_mut().find(|(known, _)| *known == place) {
            *count += 1;
        } else if self.unread.len() < UNREAD_MAX {
            self.unread.push((place, 1));
        }
    }

    /// What is unread there no longer counts.
    pub fn mark_read(&mut self, is_read: impl Fn(&Unread) -> bool) {
        self.unread.retain(|(place, _)| !is_read(place));
    }

    /// Somebody is typing, and is shown so until that time since start.
    pub fn note_typing(&mut self, nick: &Nick, until: Duration) {
        self.note_typed(nick);
        if self.typists.len() < TYPISTS_MAX {
            self.typists.push((nick.clone(), until));
        }
    }

    /// Somebody has said what they typed.
    pub fn note_typed(&mut self, nick: &Nick) {
        self.typists.retain(|(typist, _)| typist != nick);
    }

    /// Who has stopped typing by then is not shown any more; whether there was anybody.
    pub fn expire_typists(&mut self, now: Duration) -> bool {
        let before = self.typists.len();
        self.typists.retain(|(_, until)| *until > now);
        self.typists.len() < before
    }

    /// What stands before the line: where it goes, what is unread, who is typing.
    pub fn prompt(&self, place: Place<'_>, is_plain: bool) -> String {
        // For who hears it, less is more.
        if is_plain && matches!(place, Place::Nowhere | Place::Room(_)) {
            return String::new();
        }
        let unread = self.unread.iter().map(|(place, count)| (place, *count));
        prompt(place, unread, self.typists.iter().map(|(nick, _)| nick))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chat::name::RoomName;

    #[test]
    fn the_prompt_says_what_is_unread_and_who_types() {
        let nick = |text| Nick::parse(text, None).unwrap();
        let room = |text| RoomName::parse(text, None).unwrap();
        let mut terminal = Terminal::new(Editor::new(None), false);
        let lobby = room("lobby");
        assert_eq!(terminal.prompt(Place::Nameless, false), "name> ");
        assert_eq!(terminal.prompt(Place::Nowhere, false), "> ");
        assert_eq!(terminal.prompt(Place::Room(&lobby), false), "#lobby> ");
        for place in ["dev", "ops", "dev"] {
            terminal.count_unread(Unread::Room(room(place)));
        }
        terminal.count_unread(Unread::Direct(nick("bob")));
        let shown = terminal.prompt(Place::Room(&lobby), false);
        assert_eq!(shown, "#lobby (#dev 2, #ops 1, @bob 1)> ");
        terminal.count_unread(Unread::Room(room("misc")));
        terminal.mark_read(|place| *place == Unread::Room(room("ops")));
        terminal.note_typing(&nick("carol"), Duration::from_secs(5));
        let shown = terminal.prompt(Place::Room(&lobby), false);
        assert_eq!(shown, "#lobby (#dev 2, @bob 1, #misc 1, carol types)> ");
        let plain = terminal.prompt(Place::Room(&lobby), true);
        assert_eq!(plain, "");
        assert!(!terminal.expire_typists(Duration::from_secs(4)));
        assert!(terminal.expire_typists(Duration::from_secs(5)));
        terminal.mark_read(|_| true);
        assert_eq!(terminal.prompt(Place::Room(&lobby), false), "#lobby> ");
    }
}
