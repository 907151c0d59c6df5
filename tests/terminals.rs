//! Terminals whose lines are edited on the server, as people see them: what the server sends goes
//! through a terminal emulator, and what is asserted is the screen.
//!
//! Promises: each scene is played on good pipes and on awkward ones, and the screen is the same in
//! the end. Deliberately nothing of what single keys do: `wire::editor` has tests of its own.

#![allow(clippy::unwrap_used)]

#[path = "terminals/stage.rs"]
mod stage;
mod world;

use stage::{Stage, on_every_stage};

#[test]
fn what_is_half_typed_survives_what_others_say() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(alice, "have you seen the");
        for number in 1..=10 {
            stage.types(bob, &format!("line {number}\n"));
        }
        assert_eq!(
            stage.last_rows(alice, 3),
            ["#lobby bob: line 9", "#lobby bob: line 10", "#lobby> have you seen the",]
        );
        assert_eq!(stage.cursor_column(alice), "#lobby> have you seen the".len());
        stage.types(alice, " build?\r");
        assert_eq!(stage.last_line(bob), "#lobby alice: have you seen the build?");
        assert_eq!(stage.last_rows(alice, 2), ["#lobby> have you seen the build?", "#lobby>"]);
    });
}

#[test]
fn the_prompt_says_what_is_unread_elsewhere() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(alice, "/join dev\r/join lobby\r");
        stage.types(bob, "#dev one\n#dev two\n@alice psst\n");
        assert_eq!(stage.prompt(alice), "#lobby (#dev 2, @bob 1)>");
        stage.types(alice, "@bob yes?\r");
        assert_eq!(stage.prompt(alice), "#lobby (#dev 2)>");
        stage.types(alice, "/join dev\r");
        assert_eq!(stage.prompt(alice), "#dev>");
        stage.types(bob, "hello\n@alice psst\n");
        assert_eq!(stage.prompt(alice), "#dev (#lobby 1, @bob 1)>");
        stage.types(alice, "\r");
        assert_eq!(stage.prompt(alice), "#dev>");
    });
}

#[test]
fn tab_completes_commands_names_and_rooms() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(bob, "/join development\n");
        stage.types(alice, "/his\t");
        assert_eq!(stage.prompt(alice), "#lobby> /history");
        stage.types(alice, "dev\t");
        assert_eq!(stage.prompt(alice), "#lobby> /history development");
        stage.types(alice, "\x15bo\thi\r");
        assert_eq!(stage.last_line(bob), "#lobby alice: bob: hi");
        stage.types(alice, "@bo\tthere\r");
        assert_eq!(stage.last_line(bob), "@alice: there");
        stage.types(alice, "#dev\tall\r");
        assert_eq!(stage.last_line(bob), "#development alice: all");
        stage.types(alice, ":thumbsu\t\r");
        assert_eq!(stage.last_line(bob).trim_end(), "#lobby alice: 👍");
        // Several: they are shown, and the line is still there.
        stage.types(alice, "/unr");
        stage.types(alice, "\x7f\t\t");
        assert!(stage.screen(alice).contains("/unignore"), "{}", stage.screen(alice));
        assert_eq!(stage.prompt(alice), "#lobby> /un");
    });
}

#[test]
fn a_password_is_not_shown() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(bob, "/register secret1\nquit\n");
        stage.types(alice, "/login bob\r");
        assert_eq!(stage.prompt(alice), "password>");
        stage.types(alice, "secret1");
        assert!(!stage.screen(alice).contains("secret"), "{}", stage.screen(alice));
        stage.types(alice, "\r");
        assert!(!stage.screen(alice).contains("secret"), "{}", stage.screen(alice));
        assert!(stage.screen(alice).contains("you are bob"), "{}", stage.screen(alice));
        // Nor does it come back with the arrows.
        stage.types(alice, "\x1b[A");
        assert_eq!(stage.prompt(alice), "#lobby> /login bob");
        // Nor is one seen that is typed in the open.
        stage.types(alice, "\x03/password secret1 secr3t");
        assert_eq!(stage.prompt(alice), "#lobby> /password **************");
        stage.types(alice, "\x1b[D\x7fe\r\x1b[A");
        assert!(stage.screen(alice).contains("> /password **********"), "{}", stage.screen(alice));
        assert!(!stage.screen(alice).contains("secr"), "{}", stage.screen(alice));
        assert_eq!(stage.prompt(alice), "#lobby> /login bob");
    });
}

#[test]
fn what_is_pasted_together_is_one_message() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(alice, "\x1b[200~a\nb\x1b[201~");
        assert_eq!(stage.last_lines(bob, 2), ["#lobby alice: a", "#lobby alice: b"]);
        stage.types(alice, "before \x1b[200~a\nb\x1b[201~\r");
        assert_eq!(stage.last_lines(bob, 2), ["#lobby alice: a", "#lobby alice: b"]);
        assert_eq!(stage.prompt(alice), "#lobby> before");
        let log: String = (1..=40).map(|number| format!("line {number}\n")).collect();
        stage.types(alice, &format!("\x15\x1b[200~{log}\x1b[201~"));
        assert_eq!(stage.last_line(bob), "#lobby alice: b", "it is asked first");
        stage.types(alice, "\r");
        assert_eq!(stage.last_lines(bob, 2)[0], "#lobby alice: line 4");
        assert!(stage.last_line(bob).contains("/show"), "{}", stage.last_line(bob));
        stage.types(alice, &format!("\x1b[200~{log}\x1b[201~"));
        stage.types(alice, "\x03");
        stage.types(alice, "instead\r");
        assert_eq!(stage.last_line(bob), "#lobby alice: instead");
    });
}

#[test]
fn telnet_clients_are_asked_for_their_keys_and_their_size() {
    on_every_stage(|stage| {
        let carol = stage.connects_by_telnet();
        let sent = stage.bytes(carol);
        assert!(sent.windows(3).any(|bytes| bytes == b"\xFF\xFB\x01"), "{}", sent.escape_ascii());
        stage.sends(carol, b"\xFF\xFD\x01\xFF\xFD\x03\xFF\xFB\x18\xFF\xFB\x1F");
        stage.sends(carol, b"\xFF\xFA\x1F\x00\x28\x00\x0A\xFF\xF0");
        stage.sends(carol, b"\xFF\xFA\x18\x00xterm\xFF\xF0");
        stage.resizes(carol, 10, 40);
        stage.types(carol, "carol\r");
        assert_eq!(stage.prompt(carol), "#lobby>");
        let bob = stage.connects("bob");
        stage.types(bob, "one word after the other, up to the end of the row and beyond\n");
        assert_eq!(
            stage.last_rows(carol, 3),
            [
                "#lobby bob: one word after the other, up",
                "  to the end of the row and beyond",
                "#lobby>",
            ]
        );
        stage.sends(carol, b"\xFF\xFA\x1F\x00\x50\x00\x18\xFF\xF0");
        stage.resizes(carol, 24, 80);
        stage.types(bob, "one word after the other, up to the end of the row and beyond\n");
        let all = "#lobby bob: one word after the other, up to the end of the row and beyond";
        assert_eq!(stage.last_rows(carol, 2), [all, "#lobby>"]);
        // One that edits its lines itself is let alone.
        let dave = stage.connects_by_telnet();
        stage.sends(dave, b"\xFF\xFE\x01\xFF\xFE\x03\xFF\xFC\x18\xFF\xFC\x1Fdave\r\n");
        assert!(stage.screen(dave).contains("your telnet goes on"), "{}", stage.screen(dave));
        assert!(stage.screen(dave).contains("you are dave"), "{}", stage.screen(dave));
    });
}

#[test]
fn who_types_is_shown_to_who_wants_to_see_it() {
    on_every_stage(|stage| {
        let (alice, bob) = (stage.terminal("alice"), stage.terminal("bob"));
        stage.types(alice, "/typing on\r");
        stage.types(bob, "hm");
        assert_eq!(stage.prompt(alice), "#lobby>", "bob does not want to be seen");
        stage.types(bob, "\x15/typing on\r");
        stage.types(bob, "hello");
        assert_eq!(stage.prompt(alice), "#lobby (bob types)>");
        stage.types(bob, "\r");
        assert_eq!(stage.last_rows(alice, 2), ["#lobby bob: hello", "#lobby>"]);
        stage.waits(4);
        stage.types(bob, "again");
        assert_eq!(stage.prompt(alice), "#lobby (bob types)>");
        stage.waits(7);
        assert_eq!(stage.prompt(alice), "#lobby>");
        // A command is nobody's business.
        stage.types(bob, "\x15/who");
        assert_eq!(stage.prompt(alice), "#lobby>");
    });
}

#[test]
fn the_terminal_is_left_as_it_was() {
    on_every_stage(|stage| {
        let alice = stage.terminal("alice");
        stage.types(alice, "half\x03");
        assert_eq!(stage.prompt(alice), "#lobby>");
        stage.types(alice, "/tty off\r");
        let sent = stage.bytes(alice);
        assert!(sent.ends_with(b"again\r\n"), "{}", sent.escape_ascii());
        assert!(sent.windows(8).any(|bytes| bytes == b"\x1b[?2004l"), "{}", sent.escape_ascii());
        stage.types(alice, "/tty\n");
        stage.types(alice, "\x04");
        let sent = stage.bytes(alice);
        assert!(sent.ends_with(b"\x1b[?2004l"), "{}", sent.escape_ascii());
        assert!(stage.screen(alice).contains("bye, alice"), "{}", stage.screen(alice));
    });
}

#[test]
fn who_reads_slowly_has_a_whole_prompt_in_the_end() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(alice, "half a line");
        stage.stops_reading(alice);
        let long = "x".repeat(4000);
        for _ in 0..600 {
            stage.types(bob, &format!("{long}\n"));
        }
        stage.reads_on(alice);
        assert!(stage.screen(alice).contains("lines were dropped here"), "{}", stage.screen(alice));
        assert_eq!(stage.prompt(alice), "#lobby> half a line");
        stage.types(alice, " more\r");
        assert_eq!(stage.last_line(bob), "#lobby alice: half a line more");
    });
}

#[test]
fn no_text_stands_where_a_line_begins() {
    for columns in [40_u16, 80] {
        let mut stage = Stage::new(None);
        let (alice, bob) = stage.two();
        stage.resizes(alice, 24, columns);
        stage.types(alice, &format!("\x1b[24;{columns}R\x0C"));
        let around = usize::from(columns) - 26..usize::from(columns) + 4;
        for imitated in ["@carol: psst", "* carol left", "! no-room none", "#lobby carol: hi"] {
            for pad in around.clone() {
                let (x, skin, wide) = ("x".repeat(pad), "👍🏽".repeat(pad / 4), "漢".repeat(pad / 2));
                let (filler, flag) = ("\u{3164}".repeat(pad / 2), "🇮".repeat(pad / 2));
                for said in [
                    format!(" {x}{imitated}"),
                    format!(" {x} {imitated}"),
                    format!(" {skin}{imitated}"),
                    format!(" {wide}{imitated}"),
                    format!(" {filler}{imitated}"),
                    format!(" {flag}{imitated}"),
                    format!("see https://example.org/{x}{imitated}"),
                    format!("see https://example.org/{x}{x}#carol {imitated}"),
                ] {
                    stage.types(bob, &format!("{said}\n"));
                    assert_no_imitation(stage.emulator(alice), &said);
                }
            }
        }
    }
}

/// Each row is the first one of a line of bob's or the prompt, begins with blanks, or is a part of
/// a link in which no such row begins as a line does.
fn assert_no_imitation(screen: &vt100::Screen, said: &str) {
    let mut is_wrapped = true;
    for (number, row) in screen.rows(0, screen.size().1.get()).enumerate() {
        let is_ours = row.is_empty() || row.starts_with("  ");
        let is_first = row.starts_with("#lobby bob:") || row.starts_with("#lobby>");
        // What stands above has gone, of a line before.
        let is_inside = is_wrapped && !row.starts_with(['*', '!', '@', '#', '+']);
        let is_fine = is_ours || is_first || is_inside;
        assert!(is_fine, "{said:?}\n{}", screen.contents());
        is_wrapped = screen.row_wrapped(number as u16);
    }
}

#[test]
fn days_are_told_apart() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(bob, "good night\n");
        stage.next_day();
        stage.types(bob, "good morning\n");
        assert_eq!(
            stage.last_rows(alice, 4),
            [
                "#lobby bob: good night",
                "* Thursday 2026-03-05",
                "#lobby bob: good morning",
                "#lobby>",
            ]
        );
    });
}

#[test]
fn for_a_screen_reader_nothing_is_redrawn() {
    on_every_stage(|stage| {
        let (alice, bob) = stage.two();
        stage.types(alice, "/plain\r");
        stage.bytes(alice);
        stage.types(alice, "hello");
        stage.types(bob, "hi :-)\n");
        stage.types(alice, "\x7f\x7f\r/who\r");
        stage.types(bob, "/me waves\n@alice psst\n");
        let sent = stage.bytes(alice);
        assert!(!sent.contains(&0x1b), "{}", sent.escape_ascii());
        let rows = ["In lobby, bob does: waves", "From bob to you: psst"];
        assert_eq!(stage.last_rows(alice, 2), rows);
        assert_eq!(stage.last_line(bob), "#lobby alice: hel");
    });
}

#[test]
fn json_and_terminals_hear_the_same() {
    on_every_stage(|stage: &mut Stage| {
        let (alice, bob) = stage.two();
        stage.types(bob, "/json\n{\"action\":\"message\",\"text\":\"from a program\",\"id\":7}\n");
        assert_eq!(stage.last_rows(alice, 2), ["#lobby bob: from a program", "#lobby>"]);
        assert!(stage.last_line(bob).contains("\"re\":7"), "{}", stage.last_line(bob));
        stage.types(alice, "from a person\r");
        assert!(stage.last_line(bob).contains("from a person"), "{}", stage.last_line(bob));
    });
}
