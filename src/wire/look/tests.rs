//! What lines look like, to the byte; and that no text gets out of its place.

use std::rc::Rc;

use proptest::prelude::*;

use crate::chat::event::{Code, Refusal, Remembered, Zone};
use crate::chat::name::{Nick, RoomName};
use crate::wire::cells::widest;
use crate::wire::clean::clean;

use super::*;

const NOON: Clock = Clock { unix: 1_795_262_400, zone_secs: 0 };

fn nick(name: &str) -> Nick {
    Nick::parse(name, None).expect("it is a name")
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name, None).expect("it is a name")
}

fn said(by: &str, text: &str) -> Event {
    Event::Said { id: 1, room: room("dev"), nick: nick(by), text: text.into() }
}

fn acted(by: &str, text: &str) -> Event {
    Event::Acted { id: 1, room: room("dev"), nick: nick(by), text: text.into() }
}

fn whispered(by: &str, text: &str) -> Event {
    Event::Whispered { nick: nick(by), text: text.into() }
}

fn replay() -> Event {
    let line = |text: &str| Remembered {
        id: 1,
        unix: NOON.unix,
        nick: nick("bob"),
        is_action: false,
        more: 0,
        text: text.into(),
    };
    let lines: Rc<[Remembered]> = [line("hi alice")].into();
    Event::Replay { room: room("dev"), lines }
}

/// What alice sees.
fn seen_in(event: &Event, settings: &Settings, is_terminal: bool, columns: usize) -> String {
    let look = Look { settings, is_terminal, columns, nick: Some("alice") };
    let mut out = Vec::new();
    render(event, &look, Ends::Lf, NOON, &mut out);
    String::from_utf8(out).expect("it is text")
}

fn seen(event: &Event, settings: &Settings) -> String {
    seen_in(event, settings, false, 0)
}

fn colored() -> Settings {
    Settings { color: Some(Color::On), ..Settings::default() }
}

fn ringing() -> Settings {
    Settings { is_ringing: true, ..Settings::default() }
}

fn plain() -> Settings {
    Settings { is_plain: true, ..Settings::default() }
}

#[test]
fn who_has_set_nothing_sees_what_everybody_sees() {
    for event in [said("bob", "hi alice"), replay(), Event::Gone { nick: nick("bob") }] {
        let mut base = Vec::new();
        crate::wire::render(&event, Ends::CrLf, NOON, &mut base);
        let settings = Settings::default();
        let look = Look { settings: &settings, is_terminal: false, columns: 0, nick: None };
        assert!(!look.is_otherwise());
        let mut out = Vec::new();
        render(&event, &look, Ends::CrLf, NOON, &mut out);
        assert_eq!(out, base);
    }
}

#[test]
fn names_and_marks_are_coloured() {
    let refused = Event::Refused(Refusal::NoRoom);
    let code = Code::NoRoom.word();
    for (event, start) in [
        (said("bob", "hi"), "#dev \x1b[38;5;130mbob\x1b[0m: hi\n".to_owned()),
        (said("Bob", "hi"), "#dev \x1b[38;5;130mBob\x1b[0m: hi\n".to_owned()),
        (acted("bob", "waves"), "#dev * \x1b[38;5;130mbob\x1b[0m waves\n".to_owned()),
        (whispered("bob", "hi"), "\x1b[1;38;5;130m@bob:\x1b[0m hi\n".to_owned()),
        (Event::Gone { nick: nick("bob") }, "\x1b[38;5;244m* bob left\x1b[0m\n".to_owned()),
        (Event::Here, "\x1b[38;5;244m*\x1b[0m yes,".to_owned()),
        (refused, format!("\x1b[1;38;5;160m! {code}\x1b[0m ")),
        (replay(), "\x1b[38;5;244m*\x1b[0m #dev: 1 earlier line\n".to_owned()),
    ] {
        let text = seen(&event, &colored());
        assert!(text.starts_with(&start), "{text:?} should begin with {start:?}");
    }
    let text = seen(&replay(), &colored());
    let line = "\x1b[38;5;244m*\x1b[0m 12:00:00 #dev \x1b[38;5;130mbob\x1b[0m: hi alice\n";
    assert!(text.contains(line), "{text:?}");
}

#[test]
fn colour_is_as_it_was_said_or_as_the_terminal_has_it() {
    let event = said("bob", "hi");
    let with = |color| Settings { color, ..Settings::default() };
    let is_colored = |settings: &Settings, is_terminal| {
        seen_in(&event, settings, is_terminal, 80).contains('\x1b')
    };
    for (color, elsewhere, in_terminal) in [
        (None, false, true),
        (Some(Color::Off), false, false),
        (Some(Color::On), true, true),
        (Some(Color::Dark), true, true),
        (Some(Color::Light), true, true),
    ] {
        let settings = with(color);
        let is = (is_colored(&settings, false), is_colored(&settings, true));
        assert_eq!(is, (elsewhere, in_terminal), "{color:?}");
        assert!(!is_colored(&Settings { is_plain: true, ..settings }, true), "{color:?}");
    }
    let settings = with(None);
    let look = |is_terminal| Look { settings: &settings, is_terminal, columns: 0, nick: None };
    assert_eq!(colored_name("bob", &look(false)), "bob");
    assert_eq!(colored_name("bob", &look(true)), "\x1b[38;5;130mbob\x1b[0m");
}

#[test]
fn who_is_meant_sees_and_hears_it() {
    let text = seen(&said("bob", "Alice, hi alice"), &colored());
    assert!(text.ends_with(": \x1b[7mAlice\x1b[0m, hi \x1b[7malice\x1b[0m\n"), "{text:?}");
    for (event, is_meant) in [
        (said("bob", "hi Alice"), true),
        (acted("bob", "waves at alice."), true),
        (whispered("bob", "hi"), true),
        (said("bob", "hi alice-2"), false),
        (said("alice", "I am alice"), false),
        (replay(), false),
        (Event::Came { room: room("dev"), nick: nick("alice") }, false),
    ] {
        assert_eq!(means(&event, "ALICE"), is_meant, "{event:?}");
        let text = seen(&event, &ringing());
        let bells = text.matches('\x07').count();
        assert_eq!((bells, text.ends_with("\x07\n")), (usize::from(is_meant), is_meant));
        assert!(!seen(&event, &colored()).contains('\x07'));
    }
    let look = Look { settings: &colored(), is_terminal: false, columns: 0, nick: None };
    let mut out = Vec::new();
    render(&said("bob", "hi alice"), &look, Ends::Lf, NOON, &mut out);
    assert!(!out.windows(4).any(|bytes| bytes == b"\x1b[7m"), "who has no name is not meant");
}

#[test]
fn times_stand_before_lines_and_rows_go_on_behind_blanks() {
    let settings = Settings { time: Some(Zone::Server), ..Settings::default() };
    let event = said("bob", "the quick brown fox");
    assert_eq!(seen(&event, &settings), "12:00:00 #dev bob: the quick brown fox\n");
    let rows = "12:00:00 #dev bob: the\n  quick brown fox\n";
    assert_eq!(seen_in(&event, &Settings { color: Some(Color::Off), ..settings }, true, 24), rows);
    let rows = seen_in(&said("bob", "hi there dear alice"), &settings, true, 24);
    let time = "\x1b[38;5;244m12:00:00\x1b[0m";
    let expected =
        format!("{time} #dev \x1b[38;5;130mbob\x1b[0m: hi\n  there dear \x1b[7malice\x1b[0m\n");
    assert_eq!(rows, expected);
    let look = Look { settings: &plain(), is_terminal: true, columns: 24, nick: None };
    let mut out = Vec::new();
    render(&event, &look, Ends::CrLf, NOON, &mut out);
    assert_eq!(out, b"In dev, bob: the quick brown fox\r\n", "what is heard is not wrapped");
}

#[test]
fn words_stand_for_marks() {
    for (event, expected) in [
        (said("bob", "hi 👋"), "In dev, bob: hi (waving hand)\n"),
        (acted("bob", "waves"), "In dev, bob does: waves\n"),
        (whispered("bob", "hi"), "From bob to you: hi\n"),
        (Event::Came { room: room("dev"), nick: nick("bob") }, "Notice: in dev, bob came\n"),
        (
            replay(),
            "Notice: in dev, 1 earlier line\nNotice: 12:00:00 in dev, bob: hi alice\n\
             Notice: in dev, end of earlier lines\n",
        ),
    ] {
        assert_eq!(seen(&event, &plain()), expected);
    }
}

#[test]
fn every_line_with_a_name_in_it_is_coloured_and_spoken() {
    let line = |text: &str, more, is_action| {
        let (nick, text) = (nick("bob"), text.into());
        Remembered { id: 7, unix: NOON.unix, nick, is_action, more, text }
    };
    let lines: Rc<[Remembered]> =
        [line("hi", 0, false), line("waves", 0, true), line("a, 2 b: c", 5, false)].into();
    let block = Event::Whole { room: room("dev"), line: line("a\n@eve: b", 0, false) };
    let replay = Event::Replay { room: room("dev"), lines };
    let named = "\x1b[38;5;130mbob\x1b[0m";
    for event in [said("bob", "hi"), acted("bob", "waves"), replay, block] {
        for row in seen(&event, &colored()).lines().filter(|row| row.contains("bob")) {
            assert!(row.contains(named), "{row:?}");
        }
        for row in seen(&event, &plain()).lines() {
            assert!(!row.contains(['#', '|', '*']), "{row:?}");
            let is_named = row.contains("in dev, bob") || row.contains("In dev, bob");
            assert!(is_named || !row.contains("bob"), "{row:?}");
        }
    }
}

#[test]
fn days_are_named() {
    let told = |settings: &Settings, unix| {
        let look = Look { settings, is_terminal: false, columns: 0, nick: None };
        let mut out = Vec::new();
        day(Clock { unix, zone_secs: 3_600 }, &look, Ends::Lf, &mut out);
        String::from_utf8(out).expect("it is text")
    };
    let timed = Settings { time: Some(Zone::Server), ..Settings::default() };
    let sunday = 1_795_302_000;
    assert_eq!(told(&Settings::default(), sunday), "* Sunday 2026-11-22\n");
    assert_eq!(told(&Settings::default(), sunday - 1), "* Saturday 2026-11-21\n");
    assert_eq!(told(&timed, sunday), "00:00:00 * Sunday 2026-11-22\n");
    assert_eq!(told(&plain(), -3_601), "Notice: Wednesday 1969-12-31\n");
    assert_eq!(told(&colored(), 0), "\x1b[38;5;244m* Thursday 1970-01-01\x1b[0m\n");
    assert_eq!(day_number(Clock { unix: sunday, zone_secs: 3_600 }), 20_779);
    assert_eq!(day_number(Clock { unix: sunday, zone_secs: 0 }), 20_778);
}

#[test]
fn what_a_tls_client_gets_is_left_alone() {
    let event = Event::Bye { nick: None, parting: Parting::WrongProtocol(Stranger::Tls) };
    let look = Look { settings: &colored(), is_terminal: true, columns: 80, nick: None };
    let mut out = Vec::new();
    render(&event, &look, Ends::Lf, NOON, &mut out);
    assert_eq!(out, crate::wire::TLS_ALERT);
}

#[test]
fn every_emoji_that_is_said_can_be_sent() {
    let names = crate::chat::emoji::shortcodes_with("", usize::MAX);
    assert!(names.len() > 1_800);
    for name in names {
        let text = format!(":{name}:");
        let emoji = crate::chat::emoji::expand(&text);
        assert_eq!(clean(emoji.as_bytes()), emoji, "{name}");
    }
}

/// A text without what a style begins and ends with.
fn bare(text: &str) -> String {
    let mut rest = text;
    let mut bare = String::new();
    while let Some((before, behind)) = rest.split_once("\x1b[") {
        let (_, behind) = behind.split_once('m').expect("a sequence ends");
        bare.push_str(before);
        rest = behind;
    }
    bare + rest
}

fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("alice".to_owned()),
        Just("* bob".to_owned()),
        Just("#dev eve: hi".to_owned()),
        Just("👋🏽".to_owned()),
        "[!-~]{1,40}",
        "\\PC{1,12}",
    ];
    let text = proptest::collection::vec(word, 0..8).prop_map(|words| words.join(" "));
    text.prop_map(|text| clean(text.as_bytes()).into_owned())
}

proptest! {
    #[test]
    fn no_text_gets_out_of_its_place(
        text in words(),
        kind in 0..3_usize,
        is_ringing: bool,
        time in proptest::option::of(Just(Zone::Server)),
        columns in prop_oneof![Just(0_usize), 20_usize..100],
    ) {
        let event = [said, acted, whispered][kind]("bob", &text);
        let start = ["#dev bob: ", "#dev * bob ", "@bob: "][kind];
        let settings = Settings { is_ringing, time, ..colored() };
        let out = seen_in(&event, &settings, true, columns);
        prop_assert!(out.ends_with('\n'));
        for (number, row) in out.lines().enumerate() {
            prop_assert_eq!(row.matches("\x1b[0m").count() * 2, row.matches("\x1b[").count());
            let bare = bare(row);
            let bare = bare.trim_end_matches('\x07');
            prop_assert!(!bare.contains(char::is_control), "{:?}", bare);
            prop_assert!(columns == 0 || widest(bare) <= columns, "{:?}", bare);
            let start = if number == 0 { start.trim_end() } else { "  " };
            let bare = if number == 0 && time.is_some() { &bare[9..] } else { bare };
            prop_assert!(bare.starts_with(start), "{:?}", bare);
        }
        let plain = Settings { is_plain: true, ..settings };
        let out = seen_in(&event, &plain, true, columns);
        prop_assert_eq!(out.lines().count(), 1);
        let start = ["In dev, bob: ", "In dev, bob does: ", "From bob to you: "][kind];
        let at = if time.is_some() { 9 } else { 0 };
        prop_assert!(out[at..].starts_with(start), "{:?}", out);
    }
}
