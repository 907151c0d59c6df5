//! Plays a transcript on the hub, step by step; with a seed, on awkward pipes.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chatline::chat;
use chatline::config::{Config, Connections, Declined};
use chatline::net::hub::{self, Keep};

use super::compare::{Sight, seen_in};
use super::on_hub::{PeerId, World};
use super::rng::Rng;
use super::script::{Action, Script, Seen};

/// Somebody of the transcript.
struct Person {
    name: String,
    /// The present connection.
    peer: PeerId,
    is_reading: bool,
    /// Whether the end of the connection was seen, or is no longer looked for.
    is_over: bool,
}

/// Whether a script can be played here: a console is a socket of the server, and the hub has none.
/// What its flags ask for may not have been built.
pub fn is_playable(script: &Script) -> bool {
    let is_built = cfg!(feature = "store") || limits(&script.flags).is_ok();
    is_built && !script.steps.iter().any(|step| matches!(step.action, Action::OpenConsole(_)))
}

/// Plays a transcript and returns what was seen after each step. The error says what in the
/// transcript cannot be done.
pub fn play(script: &Script, seed: Option<u64>) -> Result<Vec<Sight>, String> {
    play_in(world(script, seed)?, script)
}

/// The same with everybody within TLS.
pub fn play_secretly(script: &Script, seed: Option<u64>) -> Result<Vec<Sight>, String> {
    let mut world = world(script, seed)?;
    world.speak_secretly();
    play_in(world, script)
}

/// Whether the transcript is the same within TLS: who is refused there at once is told nothing,
/// and a handshake takes place for everybody before the server stops.
pub fn is_playable_secretly(script: &Script) -> bool {
    const AT_THE_DOOR: [&str; 3] = ["server-full", "too-many-from-here", "too-often-from-here"];
    let is_refusal = |seen: &Seen| match seen {
        Seen::Line(text) => text
            .strip_prefix("! ")
            .is_some_and(|text| AT_THE_DOOR.iter().any(|code| text.starts_with(code))),
        _ => false,
    };
    let mut expected = script.steps.iter().flat_map(|step| &step.expected);
    is_playable(script) && !expected.any(|line| is_refusal(&line.seen))
}

fn play_in(mut world: World, script: &Script) -> Result<Vec<Sight>, String> {
    let mut people: Vec<Person> = Vec::new();
    let mut sights = Vec::new();
    for step in &script.steps {
        act(&mut world, &mut people, &step.action)
            .map_err(|error| format!("{}:{}: {error}", script.name, step.line))?;
        sights.push(look(&world, &mut people, step.action.who()));
    }
    Ok(sights)
}

/// The world that a transcript's flags ask for.
fn world(script: &Script, seed: Option<u64>) -> Result<World, String> {
    let (chat, hub) =
        limits(&script.flags).map_err(|declined| format!("{}: {declined}", script.name))?;
    Ok(World::new(chat, hub, seed.map(Rng::new)))
}

/// What flags ask of a world. What is kept is kept by a store that is played, which is there
/// whatever was built.
///
/// # Errors
/// As the program declines them.
pub fn config(flags: &[String]) -> Result<Config, Declined> {
    let program = std::iter::once(OsString::from("chatline"));
    let mut config = Config::parse_from(program.chain(flags.iter().map(OsString::from)))?;
    if !cfg!(feature = "store") && !flags.iter().any(|flag| flag == "none") {
        config.hub.keep = Some(Keep { is_told_at_once: false, window: Duration::ZERO });
        config.chat.is_kept = true;
        config.chat.is_searchable = true;
    }
    Ok(config)
}

/// What flags limit.
fn limits(flags: &[String]) -> Result<(chat::Limits, hub::Limits), String> {
    let config =
        config(flags).map_err(|declined| format!("these flags are declined: {declined:?}"))?;
    let mut hub = config.hub;
    if let Connections::AtMost(most) = config.connections {
        hub.connections_max = Some(most);
    }
    Ok((config.chat, hub))
}

fn act(world: &mut World, people: &mut Vec<Person>, action: &Action) -> Result<(), String> {
    match action {
        Action::Connect(name, from) => connect(world, people, name, *from),
        Action::OpenConsole(_) => return Err("a hub has no console".to_owned()),
        Action::Wait(time) => {
            world.advance(*time);
            return Ok(());
        }
        Action::Stop => world.stop(),
        Action::Invite(code) => world.invite(code),
        Action::Store(mood) => world.store_is(*mood),
        Action::Restart(flags) => {
            world.stop();
            world.settle();
            if let Some(flags) = flags {
                let (chat, hub) = limits(flags)?;
                world.set_next_limits(chat, hub);
            }
            world.restart();
        }
        Action::Send(who, bytes) => {
            let person = person(people, who)?;
            world.far(person.peer).send(bytes);
        }
        Action::End(who) => world.far(person(people, who)?.peer).end(),
        Action::Close(who) => {
            let person = person(people, who)?;
            person.is_over = true;
            world.far(person.peer).close();
        }
        Action::Reset(who) => {
            let person = person(people, who)?;
            person.is_over = true;
            world.far(person.peer).reset();
        }
        Action::StopReading(who) => {
            let person = person(people, who)?;
            person.is_reading = false;
            world.far(person.peer).set_window(Some(0));
        }
        Action::ReadOn(who) => {
            let person = person(people, who)?;
            person.is_reading = true;
            world.far(person.peer).set_window(None);
        }
    }
    world.settle();
    Ok(())
}

fn connect(world: &mut World, people: &mut Vec<Person>, name: &str, from: Option<IpAddr>) {
    // A port of its own for each connection, as a kernel would give it.
    let port = 40_000 + people.len() as u16;
    let from = SocketAddr::new(from.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port);
    let old = people.iter().position(|person| person.name == name);
    let peer = world.connect(from);
    let person = Person { name: name.to_owned(), peer, is_reading: true, is_over: false };
    match old {
        Some(index) => {
            world.far(people[index].peer).close();
            people[index] = person;
        }
        None => people.push(person),
    }
}

fn person<'a>(people: &'a mut [Person], name: &str) -> Result<&'a mut Person, String> {
    let person = people.iter_mut().find(|person| person.name == name);
    person.ok_or_else(|| format!("{name} has not connected"))
}

/// What everybody sees now: first whoever did it, then the others as they came.
fn look(world: &World, people: &mut [Person], first: Option<&str>) -> Sight {
    let mut sight = Sight::new();
    let mut order: Vec<&mut Person> = people.iter_mut().collect();
    order.sort_by_key(|person| Some(person.name.as_str()) != first);
    for person in order.into_iter().filter(|person| person.is_reading && !person.is_over) {
        let seen = seen_in(&world.take(person.peer));
        sight.extend(seen.into_iter().map(|seen| (person.name.clone(), seen)));
        if world.far(person.peer).is_disconnected() {
            person.is_over = true;
            sight.push((person.name.clone(), Seen::Disconnected));
        }
    }
    sight
}
