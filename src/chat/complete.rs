//! What a word that somebody has begun may become: commands, names and rooms.
//!
//! Promises: nothing is offered that the asker could not have seen otherwise; at most
//! [`CHOICES_MAX`] choices, found among a bounded number of names. Deliberately a look and no
//! change: nobody learns that somebody looked.

use super::command::{TABLE, Verb};
use super::name::{Nick, RoomName, key_of};
use super::user::User;
use super::{Chat, ConnId, emoji};

/// How many choices are offered at most.
pub const CHOICES_MAX: usize = 100;

/// How many names, and how many rooms, are looked at.
const LOOKED_AT_MAX: usize = 1_000;

/// What a word may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins, in bytes of the line.
    pub start: usize,
    /// What may stand in its place, in order; each with what follows it.
    pub choices: Vec<String>,
}

/// What is wanted where the word stands.
enum Wanted {
    Command,
    Help,
    Room,
    Nick,
    /// A word of a text.
    Text,
}

impl Chat {
    /// What the word before `cursor`, a place in bytes, may become.
    pub fn complete(&self, conn: ConnId, line: &str, cursor: usize) -> Completion {
        let before = line.get(..cursor).unwrap_or(line);
        let start = before.rfind(' ').map_or(0, |blank| blank + 1);
        let word = &before[start..];
        let mut choices = match wanted(&before[..start], word) {
            Wanted::Command => commands("/", &word[1..]),
            Wanted::Help => commands("", word.trim_start_matches('/')),
            Wanted::Room => self.rooms_like(conn, word.trim_start_matches('#'), ""),
            Wanted::Nick => self.nicks_like(conn, word.trim_start_matches('@'), "", " "),
            Wanted::Text if word.is_empty() => Vec::new(),
            Wanted::Text => match (word.as_bytes()[0], start) {
                (b'#', _) => self.rooms_like(conn, &word[1..], "#"),
                (b'@', _) => self.nicks_like(conn, &word[1..], "@", " "),
                (b':', _) if word.len() > 1 => emoji_like(&word[1..]),
                (_, 0) => self.nicks_like(conn, word, "", ": "),
                _ => self.nicks_like(conn, word, "", " "),
            },
        };
        choices.sort();
        choices.dedup();
        choices.truncate(CHOICES_MAX);
        Completion { start, choices }
    }

    /// Rooms whose names begin so; that there is a locked one is no secret, but to a bot that is
    /// for other rooms.
    fn rooms_like(&self, conn: ConnId, prefix: &str, sigil: &str) -> Vec<String> {
        if self.is_outside(conn) {
            return Vec::new();
        }
        let prefix = key_of(prefix);
        let rooms = self.rooms.iter().take(LOOKED_AT_MAX).map(|(_, room)| &room.name);
        let may_know = |name: &&RoomName| self.check_token_room(conn, name.as_str()).is_ok();
        let like = rooms.filter(|name| name.key().starts_with(&*prefix)).filter(may_know);
        like.map(|name| format!("{sigil}{name} ")).collect()
    }

    /// People whose names begin so: those in the asker's current room, or else all.
    fn nicks_like(&self, conn: ConnId, prefix: &str, sigil: &str, end: &str) -> Vec<String> {
        if self.is_outside(conn) {
            return Vec::new();
        }
        let prefix = key_of(prefix);
        let is_like = |nick: &&Nick| nick.key().starts_with(&*prefix);
        let shown = |nick: &Nick| format!("{sigil}{nick}{end}");
        let room = self.users.find(conn).and_then(User::current_room);
        let near = room.map_or(&[][..], |room| self.rooms.at(room).members());
        let near = near.iter().filter(|member| member.conn != conn).take(LOOKED_AT_MAX);
        let near = near.filter_map(|member| self.users.at(member.conn).nick());
        let near: Vec<String> = near.filter(is_like).map(shown).collect();
        if !near.is_empty() {
            return near;
        }
        let all = self.users.people_iter().filter(|user| user.conn != conn).take(LOOKED_AT_MAX);
        all.filter_map(User::nick).filter(is_like).map(shown).collect()
    }
}

/// What is wanted in the place of a word behind what stands before it.
fn wanted(before: &str, word: &str) -> Wanted {
    if before.is_empty() && word.starts_with('/') && !word.starts_with("//") {
        return Wanted::Command;
    }
    let Some(command) = before.strip_prefix('/') else { return Wanted::Text };
    let mut words = command.split_whitespace();
    let (first, is_second) = (words.next().unwrap_or_default(), words.next().is_none());
    let verb = TABLE.iter().find(|row| row.names.iter().any(|it| it.eq_ignore_ascii_case(first)));
    match verb.map(|row| row.verb) {
        Some(Verb::Help) if is_second => Wanted::Help,
        Some(
            Verb::Join
            | Verb::Leave
            | Verb::History
            | Verb::Lock
            | Verb::Unlock
            | Verb::Close
            | Verb::Paste,
        ) if is_second => Wanted::Room,
        Some(Verb::Who) if is_second && !word.starts_with('#') => Wanted::Nick,
        Some(Verb::Whisper | Verb::Ignore | Verb::Unignore | Verb::Login) if is_second => {
            Wanted::Nick
        }
        _ => Wanted::Text,
    }
}

/// Commands whose names begin so.
fn commands(sigil: &str, prefix: &str) -> Vec<String> {
    let prefix = prefix.to_lowercase();
    let names = TABLE.iter().flat_map(|row| row.names.iter());
    names.filter(|name| name.starts_with(&prefix)).map(|name| format!("{sigil}{name} ")).collect()
}

/// Emoji whose names begin so.
fn emoji_like(prefix: &str) -> Vec<String> {
    let names = emoji::shortcodes_with(prefix, CHOICES_MAX);
    names.into_iter().map(|name| format!(":{name}: ")).collect()
}
