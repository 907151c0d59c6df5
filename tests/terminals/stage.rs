//! A world with terminals in it: what each connection is sent goes through an emulator.
//!
//! Promises: after each deed the world has come to rest, and the screens show what was sent.

#![allow(dead_code)] // Each test crate has its own use for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::time::Duration;

use vt100::Parser;

use super::world::drive_hub;
use super::world::on_hub::{PeerId, World};
use super::world::rng::Rng;

/// The seeds of the awkward stages.
const SEEDS: std::ops::Range<u64> = 0..8;

/// Somebody on the stage.
pub type Who = usize;

/// A connection, with its screen.
struct Seat {
    peer: PeerId,
    screen: Parser,
    /// All that was sent since it was last asked for.
    bytes: Vec<u8>,
    is_reading: bool,
}

/// The world and its screens.
pub struct Stage {
    world: World,
    seats: Vec<Seat>,
}

/// Plays a scene on good pipes, and on awkward ones.
pub fn on_every_stage(scene: impl Fn(&mut Stage)) {
    scene(&mut Stage::new(None));
    for seed in SEEDS {
        scene(&mut Stage::new(Some(Rng::new(seed))));
    }
}

impl Stage {
    /// An empty one.
    pub fn new(mischief: Option<Rng>) -> Stage {
        let config = drive_hub::config(&["--pace", "off"].map(str::to_owned)).unwrap();
        Stage { world: World::new(config.chat, config.hub, mischief), seats: Vec::new() }
    }

    fn sits(&mut self, is_telnet: bool) -> Who {
        let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
        let peer = match is_telnet {
            true => self.world.connect_telnet(from),
            false => self.world.connect(from),
        };
        let screen = Parser::new(cells(24), cells(80), 0);
        self.seats.push(Seat { peer, screen, bytes: Vec::new(), is_reading: true });
        self.settle();
        self.seats.len() - 1
    }

    /// Somebody at a plain `nc`, with that name.
    pub fn connects(&mut self, name: &str) -> Who {
        let who = self.sits(false);
        self.types(who, &format!("{name}\n"));
        who
    }

    /// Somebody at a telnet client, on the port for such.
    pub fn connects_by_telnet(&mut self) -> Who {
        self.sits(true)
    }

    /// Somebody with that name whose lines are edited on the server, without colours.
    pub fn terminal(&mut self, name: &str) -> Who {
        let who = self.connects(name);
        self.types(who, "/tty\n/color off\r");
        self.bytes(who);
        who
    }

    /// Alice at such a terminal, and bob at a plain `nc`.
    pub fn two(&mut self) -> (Who, Who) {
        let (alice, bob) = (self.terminal("alice"), self.connects("bob"));
        // Bob's arrival has been told.
        self.waits(3);
        (alice, bob)
    }

    /// Keys are pressed.
    pub fn types(&mut self, who: Who, keys: &str) {
        self.sends(who, keys.as_bytes());
    }

    /// Bytes are sent.
    pub fn sends(&mut self, who: Who, bytes: &[u8]) {
        self.world.far(self.seats[who].peer).send(bytes);
        self.settle();
    }

    /// Time passes, in seconds.
    pub fn waits(&mut self, seconds: u64) {
        self.world.advance(Duration::from_secs(seconds));
        self.settle();
    }

    /// The day is over.
    pub fn next_day(&mut self) {
        self.world.jump_wall_clock(24 * 60 * 60);
    }

    /// Nothing is taken any more.
    pub fn stops_reading(&mut self, who: Who) {
        self.seats[who].is_reading = false;
        self.world.far(self.seats[who].peer).set_window(Some(0));
    }

    /// Everything is taken again.
    pub fn reads_on(&mut self, who: Who) {
        self.seats[who].is_reading = true;
        self.world.far(self.seats[who].peer).set_window(None);
        self.settle();
    }

    /// The window has another size.
    pub fn resizes(&mut self, who: Who, rows: u16, columns: u16) {
        self.seats[who].screen.screen_mut().set_size(cells(rows), cells(columns));
    }

    fn settle(&mut self) {
        loop {
            self.world.settle();
            let mut is_quiet = true;
            for seat in self.seats.iter_mut().filter(|seat| seat.is_reading) {
                let bytes = self.world.take(seat.peer);
                is_quiet &= bytes.is_empty();
                seat.screen.process(&without_telnet(&bytes));
                seat.bytes.extend(bytes);
            }
            if is_quiet {
                return;
            }
        }
    }

    /// All that was sent since this was last asked.
    pub fn bytes(&mut self, who: Who) -> Vec<u8> {
        std::mem::take(&mut self.seats[who].bytes)
    }

    /// The screen as the emulator has it.
    pub fn emulator(&self, who: Who) -> &vt100::Screen {
        self.seats[who].screen.screen()
    }

    /// The screen as text.
    pub fn screen(&self, who: Who) -> String {
        self.seats[who].screen.screen().contents()
    }

    /// The last rows of the screen that are not empty.
    pub fn last_rows(&self, who: Who, count: usize) -> Vec<String> {
        let screen = self.screen(who);
        let rows: Vec<&str> = screen.lines().map(str::trim_end).collect();
        let end = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        rows[end.saturating_sub(count)..end].iter().map(|row| (*row).to_owned()).collect()
    }

    /// The row with the cursor.
    pub fn prompt(&self, who: Who) -> String {
        let screen = self.seats[who].screen.screen();
        let (row, _) = screen.cursor_position();
        let (_, columns) = screen.size();
        let rows: Vec<String> = screen.rows(0, columns.get()).collect();
        rows[usize::from(row)].trim_end().to_owned()
    }

    /// Where in its row the cursor stands.
    pub fn cursor_column(&self, who: Who) -> usize {
        usize::from(self.seats[who].screen.screen().cursor_position().1)
    }

    /// The last line that a plain connection was sent.
    pub fn last_line(&self, who: Who) -> String {
        self.last_lines(who, 1).remove(0)
    }

    /// The last lines that a plain connection was sent.
    pub fn last_lines(&self, who: Who, count: usize) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.seats[who].bytes).into_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[lines.len() - count..].to_vec()
    }
}

/// So many rows or columns.
fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

/// Bytes without telnet's commands, each of which is whole where this is used.
fn without_telnet(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte != 0xFF {
            text.push(byte);
            continue;
        }
        match rest.next() {
            Some(0xFA) => while rest.next().is_some_and(|&byte| byte != 0xF0) {},
            Some(0xFB..=0xFE) => {
                rest.next();
            }
            _ => {}
        }
    }
    text
}
