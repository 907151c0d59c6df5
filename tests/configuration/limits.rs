//! Limits that change while people talk, on a clock that the test turns.

use std::ffi::OsString;
use std::time::Duration;

use chatline::config::{Config, Connections};

use crate::world::on_hub::{PeerId, World};

fn config(args: &[&str]) -> Config {
    let args = ["chatline", "--data=none"].iter().chain(args).map(OsString::from);
    let mut config = Config::parse_from(args).unwrap();
    if let Connections::AtMost(most) = config.connections {
        config.hub.connections_max = Some(most);
    }
    config
}

fn world(args: &[&str]) -> World {
    let config = config(args);
    World::new(config.chat, config.hub, None)
}

fn change(world: &mut World, args: &[&str]) {
    let config = config(args);
    world.set_limits(config.chat, config.hub);
    world.settle();
}

fn connect(world: &mut World, from: &str) -> PeerId {
    let peer = world.connect(from.parse().unwrap());
    world.settle();
    peer
}

fn person(world: &mut World, nick: &str) -> PeerId {
    let peer = connect(world, "127.0.0.1:1");
    send(world, peer, &format!("{nick}\n"));
    seen(world, peer);
    peer
}

fn send(world: &mut World, peer: PeerId, text: &str) {
    world.far(peer).send(text.as_bytes());
    world.settle();
}

fn seen(world: &World, peer: PeerId) -> String {
    String::from_utf8(world.take(peer)).unwrap()
}

fn numbers(count: usize) -> String {
    (0..count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn who_is_slowed_goes_on_at_the_new_pace() {
    let mut world = world(&["--pace=1", "--burst=100"]);
    let (alice, bob) = (person(&mut world, "alice"), person(&mut world, "bob"));
    send(&mut world, alice, &numbers(150));
    assert_eq!(seen(&world, bob).lines().count(), 99, "the name was a line too");
    assert!(seen(&world, alice).contains("faster than 1 line a second"));
    change(&mut world, &["--pace=10", "--burst=100"]);
    world.advance(Duration::from_secs(1));
    world.advance(Duration::from_millis(1500));
    let lines = seen(&world, bob).lines().count();
    assert!((15..=26).contains(&lines), "{lines}");
    change(&mut world, &["--pace=off"]);
    world.advance(Duration::from_secs(1));
    let rest = seen(&world, bob);
    assert!(rest.ends_with(": 149\n"), "{rest}");
}

#[test]
fn a_pace_counts_for_who_is_here() {
    let mut world = world(&["--pace=off"]);
    let (alice, bob) = (person(&mut world, "alice"), person(&mut world, "bob"));
    change(&mut world, &["--pace=1", "--burst=3"]);
    send(&mut world, alice, &numbers(5));
    assert_eq!(seen(&world, bob).lines().count(), 3);
    assert!(seen(&world, alice).contains("faster than 1 line a second"));
}

#[test]
fn who_has_no_name_has_the_new_time_for_it() {
    let mut world = world(&["--name-timeout=60s"]);
    let nameless = connect(&mut world, "127.0.0.1:1");
    let other = connect(&mut world, "127.0.0.1:2");
    world.advance(Duration::from_secs(10));
    change(&mut world, &["--name-timeout=20s"]);
    send(&mut world, other, "bob\n");
    world.advance(Duration::from_secs(9));
    assert!(!seen(&world, nameless).contains("no-name"));
    world.advance(Duration::from_secs(1));
    assert!(seen(&world, nameless).contains("! no-name "));
    world.advance(Duration::from_secs(60));
    assert!(!seen(&world, other).contains("no-name"));
    let nameless = connect(&mut world, "127.0.0.1:3");
    change(&mut world, &["--name-timeout=off"]);
    world.advance(Duration::from_secs(600));
    assert!(!seen(&world, nameless).contains("no-name"));
}

#[test]
fn a_reader_who_takes_nothing_is_let_go_after_the_new_time() {
    let stalled = |world: &mut World| {
        let alice = person(world, "alice");
        let lazy = person(world, "lazy");
        world.far(lazy).set_window(Some(0));
        (0..40).for_each(|_| send(world, alice, &format!("{}\n", "x".repeat(4000))));
        (alice, lazy)
    };
    let is_gone = |world: &mut World, alice| {
        send(world, alice, "/who lazy\n");
        seen(world, alice).contains("no-such-user")
    };
    for (first, second) in [("off", "20s"), ("600s", "20s"), ("10s", "20s")] {
        let mut world = world(&[&format!("--stall-timeout={first}")]);
        let (alice, _) = stalled(&mut world);
        world.advance(Duration::from_secs(5));
        change(&mut world, &[&format!("--stall-timeout={second}")]);
        world.advance(Duration::from_secs(14));
        assert!(!is_gone(&mut world, alice), "{first}");
        world.advance(Duration::from_secs(2));
        assert!(is_gone(&mut world, alice), "{first}");
    }
    let mut world = world(&["--stall-timeout=10s"]);
    let (alice, lazy) = stalled(&mut world);
    change(&mut world, &["--stall-timeout=off"]);
    world.advance(Duration::from_secs(600));
    assert!(!is_gone(&mut world, alice));
    world.far(lazy).set_window(None);
    world.settle();
    send(&mut world, alice, "still here?\n");
    assert!(seen(&world, lazy).ends_with("#lobby alice: still here?\n"));
}

#[test]
fn who_is_in_stays_and_the_next_one_is_counted_anew() {
    let mut world = world(&[]);
    let alice = person(&mut world, "alice");
    person(&mut world, "bob");
    change(&mut world, &["--connections=2", "--line-bytes=64", "--name-chars=4"]);
    let late = connect(&mut world, "127.0.0.1:9");
    assert!(seen(&world, late).starts_with("! server-full "));
    send(&mut world, alice, &format!("{}\n", "x".repeat(65)));
    assert!(seen(&world, alice).contains("! line-too-long "));
    change(&mut world, &["--line-bytes=100", "--lobby=other", "--read-bytes-per-turn=512"]);
    send(&mut world, alice, &format!("{}\n", "x".repeat(65)));
    assert!(!seen(&world, alice).contains('!'));
    let carol = connect(&mut world, "127.0.0.1:9");
    send(&mut world, carol, "carol\n");
    assert!(seen(&world, carol).contains("you are carol, in #lobby with "));
}
