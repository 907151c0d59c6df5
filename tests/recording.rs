//! The session that the README shows: played on a hub, seen through a terminal emulator, and drawn
//! as an animated picture.
//!
//! Promises: the picture in `tests/recorded/` is what the server of this source sends; `BLESS=1`
//! (which is what `scripts/record` sets) draws it anew. Deliberately no real time: a frame is shown
//! as long as somebody takes to read it.

#![allow(clippy::unwrap_used)]

#[path = "recording/picture.rs"]
mod picture;
#[path = "terminals/stage.rs"]
mod stage;
mod world;

use std::fs;
use std::path::Path;

use picture::Picture;
use stage::{Stage, Who};

/// The size of the terminal in the picture.
const ROWS: u16 = 18;
const COLUMNS: u16 = 76;

/// How long frames are shown, in milliseconds: while somebody types, and when something is to be
/// read.
const KEY: u32 = 90;
const READ: u32 = 1_400;

/// Alice's terminal, and what happens there.
struct Scene {
    stage: Stage,
    alice: Who,
    picture: Picture,
}

impl Scene {
    fn frame(&mut self, millis: u32) {
        self.picture.frame(self.stage.emulator(self.alice), millis);
    }

    /// Alice presses keys, one after the other.
    fn alice(&mut self, keys: &str) {
        for key in keys.chars() {
            self.stage.types(self.alice, &key.to_string());
            self.frame(KEY);
        }
    }

    /// Something else happens, and is read.
    fn then(&mut self, deed: impl FnOnce(&mut Stage)) {
        deed(&mut self.stage);
        self.frame(READ);
    }
}

/// The whole session.
fn recorded() -> String {
    let mut stage = Stage::new(None);
    let (bob, carol) = (stage.connects("bob"), stage.connects("carol"));
    stage.types(carol, "/join release\n/topic #release 0.2 tonight\n/join lobby\n");
    stage.waits(3);
    let alice = stage.connects_by_telnet();
    stage.resizes(alice, ROWS, COLUMNS);
    stage.sends(alice, b"\xFF\xFD\x01\xFF\xFD\x03\xFF\xFB\x18\xFF\xFB\x1F");
    let [columns, rows] = [COLUMNS, ROWS].map(u16::to_be_bytes);
    stage.sends(alice, &[&b"\xFF\xFA\x1F"[..], &columns, &rows, b"\xFF\xF0"].concat());
    let mut scene = Scene { stage, alice, picture: Picture::new(ROWS, COLUMNS) };
    scene.then(|_| {});
    scene.alice("alice\r");
    scene.then(|_| {});
    scene.then(|stage| stage.types(bob, "hi alice! is the build green?\n"));
    scene.alice("almost. The last te");
    scene.then(|stage| stage.types(carol, "2 tests fail: https://ci.example/512\n"));
    scene.then(|stage| stage.types(carol, "/me gets coffee\n"));
    scene.alice("st runs :snai\t\r");
    scene.then(|stage| stage.types(bob, "@alice shall I tag it?\n"));
    scene.alice("@bo\tnot yet\r");
    scene.alice("/join rel\t\r");
    scene.then(|stage| stage.waits(1));
    let log = "wide_rows ... FAILED\n  left: 3\n right: 2\nat screen.rs:41\n1 failed\n";
    scene.then(|stage| stage.types(alice, &format!("\x1b[200~{log}\x1b[201~")));
    scene.alice("\r");
    scene.then(|stage| stage.types(carol, "#release ah. That one is mine, alice\n"));
    scene.then(|stage| stage.types(bob, "and lunch?\n"));
    scene.alice("thanks!");
    scene.frame(2 * READ);
    scene.picture.drawn("chatline, as alice sees it: typing while others talk")
}

#[test]
fn the_recorded_session_is_what_is_seen() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/session.svg");
    let picture = recorded();
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, &picture).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == picture, "the picture has changed: scripts/record draws it anew");
}
