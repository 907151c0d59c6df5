//! Terminals whose lines are edited here: keys in, echo out, and the prompt that leaves the screen
//! for what others say and comes back at the end of the turn.
//!
//! Promises: what is half typed is never broken; echo waits its place among what was told, and for
//! who does not read it is dropped like any other line. What keys mean is `wire::editor`'s to say.
//! Deliberately nothing for connections that are no terminals.

use std::cmp::Reverse;
use std::time::Duration;

use crate::chat::command::Command;
use crate::chat::name::key_of;
use crate::chat::settings::Face as FaceOf;
use crate::chat::{ConnId, Input, Place};
use crate::wire::Ends;
use crate::wire::editor::{self, Edit, Editor, Size};
use crate::wire::line::{Item, Keys, Tells};
use crate::wire::telnet;
use crate::wire::text::block;

use super::super::conn::Stream;
use super::super::view::{Face, Terminal, Unread};
use super::read::{Budget, Stop};
use super::special::{TYPING_SHOWN, forget_screen};
use super::{Hub, Timer};

/// Keys of one connection that are taken before it is looked again whether the turn is full.
const KEYS_AT_ONCE: usize = 64;

/// A key costs one, and one more for each so many bytes that it may make the editor look at.
const BYTES_PER_COST: usize = 256;

/// Others are told no more often than this that somebody is typing.
const TYPING_PAUSE: Duration = Duration::from_secs(3);

impl<S: Stream> Hub<S> {
    /// Obeys keys in order, as far as pace and turn allow.
    pub(super) fn obey_keys(&mut self, id: ConnId, rest: &mut &[u8], budget: &mut Budget) -> Stop {
        loop {
            let rate = match self.may_go_on(id, rest, budget) {
                Ok(rate) => rate,
                Err(stop) => return stop,
            };
            let Some(conn) = self.conns.find_mut(id) else { return Stop::Over(None) };
            let view = conn.view.as_deref_mut().map(|view| &mut view.face);
            let Some(Face::Terminal(terminal)) = view else {
                conn.give_back(rate);
                return Stop::Changed;
            };
            let all = *rest;
            let cost = 1 + terminal.editor.weight() / BYTES_PER_COST;
            let keys = (budget.keys / cost).clamp(1, KEYS_AT_ONCE);
            let mut chunk = &all[..all.len().min(keys)];
            let chunk_len = chunk.len();
            let mut echo = std::mem::take(&mut self.echo);
            let (mut edit, mut item, mut unused) = (None, None, 0);
            match conn.lines.next_keys(&mut chunk) {
                None => {}
                Some(Keys::Item(it)) => item = Some(it),
                Some(Keys::Byte(byte)) => edit = terminal.editor.feed(&mut &[byte][..], &mut echo),
                Some(Keys::Bytes(mut bytes)) => {
                    edit = terminal.editor.feed(&mut bytes, &mut echo);
                    unused = bytes.len();
                }
            }
            *rest = &all[chunk_len - chunk.len() - unused..];
            let is_line = item.is_some() || edit.as_ref().is_some_and(|it| *it != Edit::Changed);
            if !is_line {
                conn.give_back(rate);
            }
            self.push_echo(id, &echo);
            echo.clear();
            self.echo = echo;
            let taken = all.len() - rest.len();
            budget.keys = budget.keys.saturating_sub(cost * taken.max(1));
            budget.take_line();
            let ends_with_cr = all[..taken].last() == Some(&b'\r');
            if let Some(item) = item {
                self.obey_terminal_item(id, item);
            }
            if let Some(edit) = edit {
                self.obey_edit(id, edit);
            }
            // What belongs to the Enter that ended the editing is no line.
            let is_over = self.conns.find_mut(id).is_none_or(|conn| conn.terminal_mut().is_none());
            if is_over && ends_with_cr {
                *rest = rest.strip_prefix(b"\n").or(rest.strip_prefix(b"\0")).unwrap_or(rest);
            }
        }
    }

    /// What telnet says while lines are edited here.
    fn obey_terminal_item(&mut self, id: ConnId, item: Item<'_>) {
        match item {
            Item::Interrupt => {
                self.tell_bytes(id, &telnet::TIMING_MARK_REFUSED);
                let mut echo = Vec::new();
                let terminal = self.conns.find_mut(id).and_then(|conn| conn.terminal_mut());
                // The same as its key.
                let edit = terminal.and_then(|it| it.editor.feed(&mut &b"\x03"[..], &mut echo));
                self.push_echo(id, &echo);
                if let Some(edit) = edit {
                    self.obey_edit(id, edit);
                }
            }
            item => self.obey_item(id, item),
        }
    }

    fn obey_edit(&mut self, id: ConnId, edit: Edit) {
        match edit {
            Edit::Line(line) => {
                self.hide_prompt(id);
                self.mark_read(id, &line);
                self.obey_line(id, line.as_bytes());
            }
            Edit::Block(text) => {
                self.push_echo(id, block::echo(&text).as_bytes());
                self.hide_prompt(id);
                self.begin_request(id, None);
                self.say_block(id, None, text.as_bytes());
                self.end_request(id);
            }
            Edit::Complete => self.complete(id),
            // What one types ends there, and only then the connection.
            Edit::Leave if self.chat.place_of(id) == Place::Block => {
                self.hide_prompt(id);
                self.obey_line(id, b".");
            }
            Edit::Leave => self.chat(Input::Command { conn: id, command: Command::Quit }),
            Edit::Interrupt => self.chat(Input::Interrupt { conn: id }),
            Edit::Changed => self.note_typing(id),
        }
    }

    /// The editor has left its line on the screen: the prompt comes back below it.
    fn hide_prompt(&mut self, id: ConnId) {
        if let Some(terminal) = self.conns.find_mut(id).and_then(|conn| conn.terminal_mut())
            && !terminal.is_hidden
        {
            terminal.is_hidden = true;
            self.hidden.push(id);
        }
    }

    /// An empty line marks all as read, an addressed one what was said there.
    fn mark_read(&mut self, id: ConnId, line: &str) {
        let Some(terminal) = self.conns.find_mut(id).and_then(|conn| conn.terminal_mut()) else {
            return;
        };
        let command = Command::parse(line);
        terminal.mark_read(|place| match (place, command.as_ref()) {
            (_, Ok(Command::Nothing)) => true,
            (Unread::Room(room), Ok(Command::SayIn(name, _))) => room.key() == key_of(name),
            (Unread::Direct(nick), Ok(Command::Whisper(name, _))) => nick.key() == key_of(name),
            _ => false,
        });
    }

    fn complete(&mut self, id: ConnId) {
        let Some(terminal) = self.conns.find_mut(id).and_then(|conn| conn.terminal_mut()) else {
            return;
        };
        let editor = &mut terminal.editor;
        let found = self.chat.complete(id, editor.line(), editor.cursor());
        let mut echo = Vec::new();
        editor.complete(found.start, &found.choices, &mut echo);
        self.push_echo(id, &echo);
    }

    /// Somebody is typing something that is for their current room: others may be told.
    fn note_typing(&mut self, id: ConnId) {
        let now = self.now.mono;
        let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_deref_mut()) else {
            return;
        };
        let Face::Terminal(terminal) = &mut view.face else { return };
        let line = terminal.editor.line();
        let is_told = terminal.typing_told_at.is_some_and(|at| now < at + TYPING_PAUSE);
        let is_said = matches!(Command::parse(line), Ok(Command::Say(_) | Command::Act(_)));
        if view.settings.shows_typing && !is_told && is_said && !terminal.editor.is_secret() {
            terminal.typing_told_at = Some(now);
            self.chat(Input::Typing { conn: id });
        }
    }

    /// Sends a terminal what its keys brought about. For who does not take it, it is left out.
    fn push_echo(&mut self, id: ConnId, echo: &[u8]) {
        let most = self.limits.queue_bytes_max.unwrap_or(usize::MAX);
        let Some(conn) = self.conns.find_mut(id).filter(|conn| conn.is_talking()) else { return };
        if echo.is_empty() {
            return;
        }
        if conn.queue.dropped() > 0 || conn.queue.cost() + echo.len() > most {
            // The prompt comes back when there is room for it.
            forget_screen(conn);
            return self.hide_prompt(id);
        }
        let start = self.page.bytes.len();
        self.page.bytes.extend_from_slice(echo);
        conn.queue.push(&mut self.page, start..start + echo.len());
        self.touch(id);
    }

    /// Puts the prompts back that left the screen in this turn.
    pub(super) fn show_prompts(&mut self) {
        for id in std::mem::take(&mut self.watched_typing) {
            self.timers.push(Reverse((self.now.mono + TYPING_SHOWN, Timer::Typing(id))));
            self.redraw_prompt(id);
        }
        for id in std::mem::take(&mut self.hidden) {
            self.show_prompt(id);
        }
    }

    /// The prompt says something else, and is drawn anew at the end of the turn.
    fn redraw_prompt(&mut self, id: ConnId) {
        let terminal = self.conns.find_mut(id).and_then(|conn| conn.terminal_mut());
        let Some(terminal) = terminal.filter(|terminal| !terminal.is_hidden) else { return };
        let mut echo = Vec::new();
        terminal.editor.hide(&mut echo);
        self.push_echo(id, &echo);
        self.hide_prompt(id);
    }

    fn show_prompt(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id).filter(|conn| conn.is_talking()) else { return };
        let is_plain = conn.view.as_ref().is_some_and(|view| view.settings.is_plain);
        let Some(terminal) = conn.terminal_mut() else { return };
        let place = self.chat.place_of(id);
        if let Place::Room(room) = place {
            terminal.mark_read(|place| matches!(place, Unread::Room(it) if it == room));
        }
        terminal.is_hidden = false;
        terminal.editor.set_prompt(&terminal.prompt(place, is_plain));
        let mut echo = std::mem::take(&mut self.echo);
        terminal.editor.show(&mut echo);
        self.push_echo(id, &echo);
        echo.clear();
        self.echo = echo;
    }

    /// Who has stopped typing is not shown any more.
    pub(super) fn expire_typists(&mut self, id: ConnId) {
        let now = self.now.mono;
        let Some(terminal) = self.conns.find_mut(id).and_then(|conn| conn.terminal_mut()) else {
            return;
        };
        if terminal.expire_typists(now) {
            self.redraw_prompt(id);
        }
    }

    /// The peer's telnet client is asked to send each key.
    pub(super) fn negotiate(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        conn.lines.offer_terminal();
        conn.ends = Ends::CrLf;
        self.tell_bytes(id, &telnet::TERMINAL_WANTED);
    }

    /// What telnet tells of the peer's terminal.
    pub(super) fn note_terminal(&mut self, id: ConnId, tells: Tells) {
        match tells {
            Tells::SendsKeys(is_so) => {
                self.chat(Input::Terminal { conn: id, is_on: is_so });
                let conn = self.conns.find_mut(id);
                if let Some(terminal) = conn.and_then(|conn| conn.terminal_mut()) {
                    terminal.is_telnet = true;
                }
            }
            Tells::HasType => self.tell_bytes(id, &telnet::TYPE_WANTED),
            Tells::IsDumb(is_dumb) => {
                if let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_mut())
                    && let Face::Terminal(terminal) = &mut view.face
                {
                    view.settings.is_plain |= is_dumb;
                    terminal.editor.set_plain(view.settings.is_plain);
                }
            }
            Tells::Size(columns, rows) => {
                let Some(conn) = self.conns.find_mut(id) else { return };
                let Some(terminal) = conn.terminal_mut() else { return };
                terminal.editor.set_size(Size { columns, rows });
                self.redraw_prompt(id);
            }
        }
    }

    /// From here on the connection is of that kind.
    pub(super) fn become_face(&mut self, id: ConnId, face: FaceOf) {
        self.leave_terminal(id);
        let is_secret = matches!(self.chat.place_of(id), Place::Password);
        let line_bytes_max = self.limits.line_bytes_max;
        let Some(conn) = self.conns.find_mut(id) else { return };
        let view = conn.view.get_or_insert_default();
        let is_plain = view.settings.is_plain;
        view.face = match face {
            FaceOf::Lines => Face::Lines,
            FaceOf::Json => Face::Json(None),
            FaceOf::Terminal => {
                let mut terminal = Terminal::new(Editor::new(line_bytes_max), false);
                terminal.hide_typing(is_secret);
                terminal.editor.set_plain(is_plain);
                Face::Terminal(Box::new(terminal))
            }
        };
        if face == FaceOf::Terminal {
            conn.ends = Ends::CrLf;
            self.push_echo(id, editor::BEGIN);
            self.hide_prompt(id);
        }
    }

    /// A terminal edits its lines itself again.
    fn leave_terminal(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        let Some(terminal) = conn.terminal_mut() else { return };
        let mut echo = Vec::new();
        if !terminal.is_hidden {
            terminal.editor.hide(&mut echo);
        }
        echo.extend_from_slice(&terminal.end());
        conn.lines.take_back_terminal();
        self.push_echo(id, &echo);
    }
}
