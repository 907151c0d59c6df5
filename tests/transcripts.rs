//! Plays every transcript four ways: on the hub, on the hub with awkward pipes, on the hub within
//! TLS, and on the real binary over TCP; those with a console on the real binary alone. The text is
//! the same each time.
//!
//! Transcripts are the files of `tests/transcripts/` and the blocks of `protocol.md` and
//! `README.md` that are fenced as `transcript`. With `BLESS=1` in the environment what is seen on
//! the hub is written back into them first. All that differs is reported, not only the first.

#![allow(clippy::unwrap_used)]

mod world;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use chatline::admin;
use chatline::chat::command::TABLE;
use chatline::chat::event::Code;
#[cfg(feature = "tls")]
use chatline::config::Config;
use world::compare::{Sight, Streams, seen_in, steps_differ, streams_differ};
#[cfg(feature = "tls")]
use world::on_hub::World;
use world::script::{self, Action, Script, Seen};
use world::{bless, drive_hub, drive_tcp};

/// The seeds of the awkward runs.
const SEEDS: std::ops::Range<u64> = 0..6;

/// How many transcripts are played over TCP at once: most of them wait.
const PLAYERS: usize = 6;

#[test]
fn transcripts_hold_on_the_hub() {
    expect_nothing(reports_of(of_hub(), |script| on_hub(script, None)));
}

#[test]
fn transcripts_hold_when_bytes_come_in_pieces() {
    for seed in SEEDS {
        let reports = reports_of(of_hub(), |script| on_hub(script, Some(seed)));
        let reports = reports.into_iter().map(|report| format!("with seed {seed}: {report}"));
        expect_nothing(reports.collect());
    }
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "it needs TLS")]
fn transcripts_hold_within_tls() {
    let all = scripts().iter();
    let playable: Vec<&Script> = all.filter(|it| drive_hub::is_playable_secretly(it)).collect();
    assert!(playable.len() + 10 > scripts().len(), "nearly all can be played within TLS");
    for seed in [None, Some(0), Some(1)] {
        let play = |script: &Script| match drive_hub::play_secretly(script, seed) {
            Ok(sights) => steps_differ(script, &sights),
            Err(error) => vec![error],
        };
        let reports = reports_of(playable.iter().copied(), play).into_iter();
        expect_nothing(reports.map(|it| format!("with seed {seed:?}: {it}")).collect());
    }
}

#[test]
#[cfg(feature = "tls")]
fn who_is_in_a_handshake_when_their_address_is_banned_is_let_go() {
    let args = ["chatline", "--operators", "ann", "--tls-handshakes", "8"].map(Into::into);
    let config = Config::parse_from(args).unwrap();
    let mut world = World::new(config.chat, config.hub, None);
    world.begin_with(&[("ann", "hunter-ann")]);
    let ann = world.connect("127.0.0.1:40000".parse().unwrap());
    let [banned, other] = ["10.0.0.7:40000", "11.0.0.7:40000"]
        .map(|from| world.connect_to_tls(from.parse().unwrap()));
    world.far(ann).send(b"/login ann hunter-ann\n/ban * 10.0.0.0/8\n");
    world.settle();
    assert!(world.far(banned).is_disconnected());
    assert!(!world.far(other).is_disconnected());
    // Who is banned is told so, but not at the cost of many handshakes.
    let told = world.connect_to_tls("10.0.0.7:40001".parse().unwrap());
    let untold = world.connect_to_tls("10.0.0.7:40002".parse().unwrap());
    world.settle();
    assert!(!world.far(told).is_disconnected());
    assert!(world.far(untold).is_disconnected());
}

#[test]
#[cfg(feature = "tls")]
fn handshakes_that_go_no_further_make_room() {
    let config = Config::parse_from(["chatline", "--tls-handshakes", "8"].map(Into::into)).unwrap();
    let mut world = World::new(config.chat, config.hub, None);
    let comes = |world: &mut World, from: &str| {
        let peer = world.connect_to_tls(from.parse().unwrap());
        world.settle();
        // The first byte of every handshake, and no more.
        world.far(peer).send(b"\x16");
        world.settle();
        peer
    };
    let stuck = [1, 1, 2, 2, 3, 3, 4, 4].map(|net| comes(&mut world, &format!("10.0.0.{net}:1")));
    world.advance(std::time::Duration::from_millis(900));
    let early = comes(&mut world, "10.0.0.5:1");
    assert!(world.far(early).is_disconnected());
    world.advance(std::time::Duration::from_millis(100));
    let late = comes(&mut world, "10.0.0.5:1");
    let gone = stuck.map(|peer| world.far(peer).is_disconnected());
    assert_eq!(gone, [true, false, false, false, false, false, false, false]);
    assert!(!world.far(late).is_disconnected());
}

#[test]
#[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
fn transcripts_hold_over_tcp() {
    let all = scripts().iter();
    let mut playable: Vec<&Script> = all.filter(|script| drive_tcp::is_playable(script)).collect();
    playable.sort_by_key(|script| std::cmp::Reverse(drive_tcp::waits(script)));
    assert!(playable.len() * 2 > scripts().len(), "most transcripts can be played over TCP");
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                while let Some(script) = playable.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = reports_of([*script], drive_tcp::play);
                    reports.lock().unwrap().extend(found);
                }
            });
        }
    });
    expect_nothing(reports.into_inner().unwrap());
}

#[test]
fn every_code_is_seen_in_a_transcript() {
    let lines = scripts().iter().flat_map(|script| &script.steps).flat_map(|step| &step.expected);
    let seen: Vec<&str> = lines
        .filter_map(|line| match &line.seen {
            Seen::Line(text) => match text.split_once("\"code\":\"") {
                Some((_, code)) => code.split('"').next(),
                None => text.strip_prefix("! ")?.split(' ').next(),
            },
            _ => None,
        })
        .collect();
    for code in Code::ALL {
        assert!(seen.contains(&code.word()), "no transcript shows {}", code.word());
    }
    let is_code = |word: &&str| Code::ALL.iter().any(|code| code.word() == *word);
    assert_eq!(seen.iter().find(|word| !is_code(word)), None, "this is not a code");
}

#[test]
fn every_command_is_typed_in_a_transcript() {
    let typed =
        scripts().iter().flat_map(|script| &script.steps).filter_map(|step| match &step.action {
            Action::Send(_, bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
    let typed: Vec<String> = typed.collect();
    for name in TABLE.iter().flat_map(|row| row.names) {
        let is_it = |line: &String| {
            let word = line.strip_prefix('/').and_then(|line| line.split_whitespace().next());
            word.is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        assert!(typed.iter().any(is_it), "nobody types /{name}");
    }
}

#[test]
fn every_order_of_the_console_is_typed_in_a_transcript() {
    let of_consoles = scripts().iter().filter(|script| !drive_hub::is_playable(script));
    let typed: Vec<String> = of_consoles
        .flat_map(|script| &script.steps)
        .filter_map(|step| match &step.action {
            Action::Send(_, bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        })
        .collect();
    // What the figures are is no matter of a transcript.
    for row in admin::TABLE.iter().filter(|row| row.verb != admin::Verb::Stats) {
        let order = format!("/{}", row.name);
        let is_it = |line: &String| line.split_whitespace().next() == Some(&order);
        assert!(typed.iter().any(is_it), "nobody types {order}");
    }
}

/// Those that can be played on the hub.
fn of_hub() -> impl Iterator<Item = &'static Script> {
    scripts().iter().filter(|script| drive_hub::is_playable(script))
}

/// What differs on the hub.
fn on_hub(script: &Script, seed: Option<u64>) -> Vec<String> {
    match drive_hub::play(script, seed) {
        Ok(sights) => steps_differ(script, &sights),
        Err(error) => vec![error],
    }
}

/// The reports of all scripts; a panic is one too.
fn reports_of<'a>(
    scripts: impl IntoIterator<Item = &'a Script>,
    play: impl Fn(&Script) -> Vec<String>,
) -> Vec<String> {
    let play = &play;
    scripts
        .into_iter()
        .flat_map(|script| {
            let played = panic::catch_unwind(AssertUnwindSafe(|| play(script)));
            played.unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
                vec![format!("{}: {text}", script.name)]
            })
        })
        .collect()
}

fn expect_nothing(mut reports: Vec<String>) {
    reports.sort();
    assert!(reports.is_empty(), "{} differ:\n\n{}", reports.len(), reports.join("\n"));
}

/// All transcripts there are, blessed first if that is wanted.
fn scripts() -> &'static [Script] {
    static SCRIPTS: OnceLock<Vec<Script>> = OnceLock::new();
    SCRIPTS.get_or_init(|| {
        if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
            for (path, scripts) in load() {
                bless_file(&path, &scripts);
            }
        }
        let scripts: Vec<Script> = load().into_iter().flat_map(|(_, scripts)| scripts).collect();
        assert!(!scripts.is_empty(), "there are transcripts");
        scripts
    })
}

/// Each file with its transcripts.
fn load() -> Vec<(PathBuf, Vec<Script>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("tests/transcripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "chat"))
        .collect();
    files.sort();
    let pages = ["protocol.md", "README.md"].map(|page| root.join(page));
    let pages = pages.into_iter().filter(|page| page.exists());
    files
        .into_iter()
        .chain(pages)
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            let scripts = match path.extension().is_some_and(|end| end == "chat") {
                true => script::parse(&name, &text, 0..text.lines().count()).map(|one| vec![one]),
                false => script::parse_fenced(&name, &text),
            };
            (path, scripts.unwrap_or_else(|error| panic!("{error}")))
        })
        .collect()
}

fn bless_file(path: &Path, scripts: &[Script]) {
    let play = |script| -> Option<Vec<Sight>> {
        panic::catch_unwind(|| drive_hub::play(script, None)).ok()?.ok()
    };
    let sights: Vec<(&Script, Vec<Sight>)> =
        scripts.iter().filter_map(|script| Some((script, play(script)?))).collect();
    let played: Vec<(&Script, &[Sight])> =
        sights.iter().map(|(script, sights)| (*script, sights.as_slice())).collect();
    let text = fs::read_to_string(path).unwrap();
    let blessed = bless::blessed(&text, &played);
    if blessed != text {
        fs::write(path, blessed).unwrap();
    }
}

mod language {
    //! The transcript language itself: what it refuses, what it misses, what bless leaves alone.

    use super::*;

    const TEXT: &str = "\
# a comment\n\
flags: --pace 5 --lobby ''\n\
\n\
alice connects\n\
alice< hello 12:00:01 and 0123456789abcdef\n\
# what follows is typed\n\
alice>\\ a\\xff\\u{200d}\\r\\n\n\
bob< one\n\
alice<| half\n\
alice disconnected\n";

    fn parsed(text: &str) -> Result<Script, String> {
        script::parse("it", text, 0..text.lines().count())
    }

    fn sight(seen: &[(&str, &[u8])]) -> Sight {
        let seen = seen.iter().flat_map(|(who, bytes)| {
            seen_in(bytes).into_iter().map(|seen| ((*who).to_owned(), seen))
        });
        seen.collect()
    }

    fn sights_as_written() -> Vec<Sight> {
        let mut last = sight(&[("alice", b"half"), ("bob", b"one\n")]);
        last.push(("alice".into(), script::Seen::Disconnected));
        vec![sight(&[("alice", b"hello 23:59:59 and fedcba9876543210\n")]), last]
    }

    #[test]
    fn reads_flags_deeds_and_bytes() {
        let script = parsed(TEXT).unwrap();
        assert_eq!(script.flags, ["--pace", "5", "--lobby", ""]);
        let typed = script::Action::Send("alice".into(), b"a\xff\xe2\x80\x8d\r\n".to_vec());
        assert_eq!(script.steps[1].action, typed);
        assert_eq!(script.steps[1].expected.len(), 3);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for wrong in
            ["alice dances", "alice<x", "alice>x", "#x", "wait 2", "alice< early", "> x", "a> b "]
        {
            assert!(parsed(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn holds_whatever_the_order_between_people_and_the_time() {
        let script = parsed(TEXT).unwrap();
        assert_eq!(steps_differ(&script, &sights_as_written()), [""; 0]);
    }

    #[test]
    fn misses_no_line_too_many_and_none_too_few() {
        let script = parsed(TEXT).unwrap();
        let mut more = sights_as_written();
        more[0].extend(sight(&[("bob", b"two\n")]));
        let mut less = sights_as_written();
        less[1].pop();
        let mut other = sights_as_written();
        other[1][0] = sight(&[("alice", b"half\r")])[0].clone();
        for (sights, report) in [
            (more, "it:4: after this step\n    + bob< two\n"),
            (less, "it:7: after this step\n      alice<| half\n    - alice disconnected\n"),
            (
                other,
                "it:7: after this step\n    - alice<| half\n    + alice<| half\\r\n      \
                 alice disconnected\n",
            ),
        ] {
            assert_eq!(steps_differ(&script, &sights), [report]);
        }
    }

    #[test]
    fn compares_whole_streams_across_steps() {
        let script = parsed("a connects\na<| ha\na> x\na< lf\na< 2\n").unwrap();
        let stream = |text: &[u8]| Streams::from([("a".to_owned(), seen_in(text))]);
        assert_eq!(streams_differ(&script, &stream(b"half\n2\n")), [""; 0]);
        let report = "it:5: in what a sees\n      a< half\n    - a< 2\n    + a< 3\n";
        assert_eq!(streams_differ(&script, &stream(b"half\n3\n")), [report]);
    }

    #[test]
    fn bless_replaces_only_what_is_seen_and_differs() {
        let script = parsed(TEXT).unwrap();
        let same = sights_as_written();
        assert_eq!(bless::blessed(TEXT, &[(&script, &same)]), TEXT);
        let other = vec![sight(&[("bob", b"hi\\\n")]), same[1].clone()];
        let blessed = TEXT.replace("alice< hello 12:00:01 and 0123456789abcdef", "bob< hi\\\\");
        assert_eq!(bless::blessed(TEXT, &[(&script, &other)]), blessed);
    }

    #[test]
    fn finds_the_fenced_blocks_of_a_page() {
        let page = "text\n```transcript\na connects\na< 1\n```\nmore\n```\nno\n```\n";
        let scripts = script::parse_fenced("page", page).unwrap();
        assert_eq!(scripts.len(), 1);
        assert_eq!(scripts[0].steps[0].line, 3);
        let sights = vec![sight(&[("a", b"2\n3\n")])];
        let blessed = page.replace("a< 1", "a< 2\na< 3");
        assert_eq!(bless::blessed(page, &[(&scripts[0], &sights)]), blessed);
        assert!(script::parse_fenced("page", "```transcript\n").is_err());
    }
}
