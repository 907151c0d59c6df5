//! A line of the server, as a reader takes it: who said what where, live or as an earlier one.
//!
//! Deliberately reads the plain form alone: no `/time on`, no whispers.

/// What was said in a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    pub room: String,
    pub nick: String,
    pub is_action: bool,
    pub text: String,
}

/// What was said in a room, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Just now.
    Live(Said),
    /// Before the reader came.
    Earlier(Said),
}

impl Heard {
    /// What the line says that somebody said; `None` if it is about something else.
    pub fn of(line: &str) -> Option<Heard> {
        if line.starts_with('#') {
            return said(line).map(Heard::Live);
        }
        let (time, rest) = line.strip_prefix("* ")?.split_once(' ')?;
        let is_time = time.len() == 8 && time.split(':').count() == 3;
        said(rest).filter(|_| is_time).map(Heard::Earlier)
    }

    pub fn said(&self) -> &Said {
        match self {
            Heard::Live(said) | Heard::Earlier(said) => said,
        }
    }
}

fn said(line: &str) -> Option<Said> {
    let (room, rest) = line.strip_prefix('#')?.split_once(' ')?;
    let (is_action, end, rest) = match rest.strip_prefix("* ") {
        Some(rest) => (true, " ", rest),
        None => (false, ": ", rest),
    };
    let (nick, text) = rest.split_once(end)?;
    let owned = str::to_owned;
    Some(Said { room: owned(room), nick: owned(nick), is_action, text: owned(text) })
}
