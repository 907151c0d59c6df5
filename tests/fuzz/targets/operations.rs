//! A whole server without sockets, and a program of what happens there: who comes, what is sent in
//! which pieces, who takes how much, who breaks off, how time passes, what becomes of the store.
//!
//! Promises: what must hold always is looked at after each turn; somebody who only listens sees
//! whole lines of text that the server began; at the end everybody leaves, and nothing is left.
//! Deliberately no model of what is said to whom: the simulation has one.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chatline::config::Config;
use chatline::net::hub::Keep;

use super::bytes::Bytes;
use super::end::{LONG, assert_nothing_is_left};
use super::text::assert_lines;
use crate::world::memory::Mood;
use crate::world::on_hub::{PeerId, World};
use crate::world::pipe::FarEnd;
use crate::world::rng::Rng;

/// Nothing happens after so many deeds.
const DEEDS_MAX: usize = 200;
/// So many people there are besides who listens.
const PEOPLE: usize = 8;
/// A store that takes its time has done everything within this.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

const FLAGS: [&str; 4] = [
    "--pace off",
    "--pace 3 --burst 2 --name-timeout 500ms --line-bytes 64 --rooms 2 --name-chars 8",
    "--pace off --queue-bytes 1024 --queue-total-bytes 3000 --stall-timeout 600ms \
     --read-bytes-per-turn 512 --rooms-per-user 2 --room-members 2 --connections-per-address 2",
    "--pace 7 --burst 9 --queue-bytes 2048 --drain-timeout 100ms --paste-bytes 1024 --replay 3 \
     --accounts 2 --directs 1",
];

const MILLISECONDS: [u64; 8] = [0, 1, 100, 500, 1_000, 5_000, 61_000, 130_000];

/// One thing that happens. The number is of who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A connection comes; the earlier one of that person is closed.
    Connect(u8),
    /// The same, where telnet clients come in.
    ConnectTelnet(u8),
    /// Bytes are sent, 255 at most.
    Send(u8, Vec<u8>),
    /// The same, one by one, with a turn after each.
    Trickle(u8, Vec<u8>),
    /// The input ends.
    End(u8),
    /// Both directions are closed.
    Close(u8),
    /// The connection breaks.
    Reset(u8),
    /// So many times 16 bytes may pile up on the way there; 255 for any number.
    Window(u8, u8),
    /// So many times 16 bytes are taken.
    Read(u8, u8),
    /// Time passes, a time of the table.
    Wait(u8),
    /// The same in one leap.
    Leap(u8),
    /// The store works, fails, or hangs.
    Store(u8),
    /// Another server goes on with what was kept.
    Restart,
    /// The server is told to stop.
    Stop,
}

impl Deed {
    fn of(data: &mut Bytes<'_>) -> Deed {
        let first = data.next();
        let who = first >> 4;
        match first & 15 {
            0 | 1 => Deed::Connect(who),
            2 => Deed::ConnectTelnet(who),
            3..7 => Deed::Send(who, data.piece().to_vec()),
            7 => Deed::Trickle(who, data.piece().to_vec()),
            8 => match data.below(3) {
                0 => Deed::End(who),
                1 => Deed::Close(who),
                _ => Deed::Reset(who),
            },
            9 | 10 => Deed::Window(who, data.next()),
            11 => Deed::Read(who, data.next()),
            12 | 13 => Deed::Wait(data.next()),
            14 => Deed::Leap(data.next()),
            _ => match data.below(8) {
                it @ 0..6 => Deed::Store(it as u8 / 2),
                6 => Deed::Restart,
                _ => Deed::Stop,
            },
        }
    }

    /// The bytes that are this deed.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut put = |kind: u8, who: u8, more: &[u8]| {
            out.push(who << 4 | kind);
            out.extend_from_slice(more);
        };
        let piece = |bytes: &[u8]| {
            let most = bytes.len().min(255);
            [&[most as u8], &bytes[..most]].concat()
        };
        match self {
            Deed::Connect(who) => put(0, *who, &[]),
            Deed::ConnectTelnet(who) => put(2, *who, &[]),
            Deed::Send(who, bytes) => put(3, *who, &piece(bytes)),
            Deed::Trickle(who, bytes) => put(7, *who, &piece(bytes)),
            Deed::End(who) => put(8, *who, &[0]),
            Deed::Close(who) => put(8, *who, &[1]),
            Deed::Reset(who) => put(8, *who, &[2]),
            Deed::Window(who, most) => put(9, *who, &[*most]),
            Deed::Read(who, most) => put(11, *who, &[*most]),
            Deed::Wait(time) => put(12, 0, &[*time]),
            Deed::Leap(time) => put(14, 0, &[*time]),
            Deed::Store(mood) => put(15, 0, &[*mood * 2]),
            Deed::Restart => put(15, 0, &[6]),
            Deed::Stop => put(15, 0, &[7]),
        }
    }
}

/// What the server is like, and what happens there.
pub fn run(data: &[u8]) {
    let mut data = Bytes::new(data);
    let mut play = Play::new(data.next());
    for _ in 0..DEEDS_MAX {
        if data.is_empty() {
            break;
        }
        play.act(&Deed::of(&mut data));
    }
    play.end();
}

struct Play {
    world: World,
    people: [Option<PeerId>; PEOPLE],
    /// Whose input has not ended.
    is_open: [bool; PEOPLE],
    /// Who only listens, until the server is another one; and all that came there.
    listener: Option<PeerId>,
    heard: Vec<u8>,
}

impl Play {
    fn new(traits: u8) -> Play {
        let (flags, is_kept) = (FLAGS[usize::from(traits & 3)], traits & 4 != 0);
        let words = ["chatline", "--data", "none"].into_iter().chain(flags.split_whitespace());
        let mut config = Config::parse_from(words.map(OsString::from))
            .unwrap_or_else(|declined| panic!("{flags} are declined: {declined:?}"));
        if is_kept {
            let window = Duration::ZERO;
            config.hub.keep = Some(Keep { is_told_at_once: traits & 8 != 0, window });
            config.chat.is_kept = true;
            config.chat.is_searchable = true;
        }
        let mischief = (traits & 16 != 0).then(|| Rng::new(u64::from(traits)));
        let mut world = World::new(config.chat, config.hub, mischief);
        if traits & 32 != 0 {
            world.delay_store(Rng::new(!u64::from(traits)));
        }
        let mut play = Play {
            world,
            people: [None; PEOPLE],
            is_open: [false; PEOPLE],
            listener: None,
            heard: Vec::new(),
        };
        play.listen();
        play
    }

    /// Somebody comes who says nothing but a name.
    fn listen(&mut self) {
        let peer = self.world.connect(address(PEOPLE as u8));
        self.world.far(peer).send(b"listener\n");
        self.world.settle();
        self.listener = Some(peer);
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Connect(who) | Deed::ConnectTelnet(who) => {
                self.go(*who, |far| far.close());
                self.world.settle();
                let peer = match deed {
                    Deed::Connect(_) => self.world.connect(address(*who)),
                    _ => self.world.connect_telnet(address(*who)),
                };
                let who = usize::from(*who) % PEOPLE;
                (self.people[who], self.is_open[who]) = (Some(peer), true);
            }
            Deed::Send(who, bytes) => self.say(*who, |world, peer| world.far(peer).send(bytes)),
            Deed::Trickle(who, bytes) => self.say(*who, |world, peer| {
                for byte in bytes {
                    world.far(peer).send(&[*byte]);
                    world.settle();
                }
            }),
            Deed::End(who) => self.go(*who, |far| far.end()),
            Deed::Close(who) => self.go(*who, |far| far.close()),
            Deed::Reset(who) => self.go(*who, |far| far.reset()),
            Deed::Window(who, most) => {
                let most = (*most < u8::MAX).then_some(usize::from(*most) * 16);
                self.with(*who, |world, peer| world.far(peer).set_window(most));
            }
            Deed::Read(who, most) => self.with(*who, |world, peer| {
                world.far(peer).take(usize::from(*most) * 16);
            }),
            Deed::Wait(time) => self.world.advance(time_of(*time)),
            Deed::Leap(time) => self.world.leap(time_of(*time)),
            Deed::Store(mood) => self.world.store_is(match mood {
                0 => Mood::Works,
                1 => Mood::Fails,
                _ => Mood::Hangs,
            }),
            Deed::Restart => self.restart(),
            Deed::Stop => self.world.stop(),
        }
        self.world.settle();
        self.hear();
    }

    /// Does something with the connection of somebody who has one.
    fn with(&mut self, who: u8, act: impl FnOnce(&mut World, PeerId)) {
        if let Some(peer) = self.people[usize::from(who) % PEOPLE] {
            act(&mut self.world, peer);
        }
    }

    /// The same, of somebody whose input goes on.
    fn say(&mut self, who: u8, act: impl FnOnce(&mut World, PeerId)) {
        if self.is_open[usize::from(who) % PEOPLE] {
            self.with(who, act);
        }
    }

    /// The same, and the input ends.
    fn go(&mut self, who: u8, act: impl FnOnce(&FarEnd)) {
        self.say(who, |world, peer| act(world.far(peer)));
        self.is_open[usize::from(who) % PEOPLE] = false;
    }

    fn restart(&mut self) {
        self.world.store_is(Mood::Works);
        self.world.advance(STORE_PATIENCE);
        self.hear();
        self.world.restart();
        (self.people, self.is_open) = ([None; PEOPLE], [false; PEOPLE]);
        self.judge();
        self.listen();
    }

    /// Who listens takes all that has come.
    fn hear(&mut self) {
        if let Some(listener) = self.listener {
            self.heard.extend(self.world.take(listener));
        }
    }

    /// Whether all that was heard is lines that the server began.
    fn judge(&mut self) {
        assert_lines(&std::mem::take(&mut self.heard));
    }

    /// Whoever is left leaves; then nothing must be left of anybody.
    fn end(mut self) {
        self.world.store_is(Mood::Works);
        self.world.settle();
        self.hear();
        for peer in self.people.into_iter().chain([self.listener]).flatten() {
            self.world.far(peer).close();
        }
        self.world.settle();
        self.world.advance(LONG);
        self.judge();
        assert_nothing_is_left(&self.world);
    }
}

fn time_of(time: u8) -> Duration {
    Duration::from_millis(MILLISECONDS[usize::from(time) % MILLISECONDS.len()])
}

/// Four people come from two addresses each, the others from this machine.
fn address(who: u8) -> SocketAddr {
    let last = match who {
        0..4 => Ipv4Addr::new(192, 0, 2, who % 2),
        _ => Ipv4Addr::LOCALHOST,
    };
    SocketAddr::new(IpAddr::V4(last), 40_000 + u16::from(who))
}
