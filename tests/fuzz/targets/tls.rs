//! The port where TLS is spoken: strangers who send any bytes, and clients of TLS whose ciphertext
//! is cut, changed, doubled, late, never read, or ends without a word.
//!
//! Promises: what must hold always is looked at after each turn; what leaves the port is records of
//! TLS, or one plain line for who speaks plainly; a client whose bytes arrive as they were is never
//! sent what it cannot decrypt, and hears of the end in TLS; nobody comes in without a handshake;
//! at the end nothing is left. Keys are not drawn from the bytes, all else is. Deliberately no
//! model of what is said to whom.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chatline::config::Config;

use super::bytes::Bytes;
use super::end::{LONG, assert_nothing_is_left};
use super::text::assert_lines;
use crate::world::on_hub::{PeerId, World};
use crate::world::pipe::FarEnd;
use crate::world::rng::Rng;
use crate::world::secret::{self, Client};

/// Nothing happens after so many deeds.
const DEEDS_MAX: usize = 150;
/// So many there are besides who listens.
const PEOPLE: usize = 6;
/// So often at once may a client take new keys.
const RENEWALS: u8 = 4;
/// A handshake takes no more rounds.
const ROUNDS_MAX: usize = 8;
/// A record is no longer, in bytes (RFC 8446, section 5.2; RFC 5246, section 6.2.3).
const RECORD_BYTES_MAX: usize = (1 << 14) + 2048;
/// The type of a record that belongs to a handshake, with which every client begins.
const HANDSHAKE: u8 = 22;
/// The types of all records there are (RFC 8446, section 5.1; RFC 5246, section 6.2.1).
const TYPES: std::ops::RangeInclusive<u8> = 20..=23;

const FLAGS: [&str; 4] = [
    "--pace off",
    "--pace 3 --burst 2 --name-timeout 500ms --line-bytes 64 --tls-handshakes 2",
    "--pace off --queue-bytes 1024 --queue-total-bytes 3000 --stall-timeout 600ms \
     --read-bytes-per-turn 512 --connections-per-address 2 --tls-handshake-timeout 500ms",
    "--pace 7 --burst 9 --queue-bytes 2048 --drain-timeout 100ms --paste-bytes 1024 \
     --tls-handshakes 3 --tls-handshake-timeout 1s --connections 4",
];

const MILLISECONDS: [u64; 8] = [0, 1, 100, 500, 1_000, 5_000, 61_000, 130_000];

/// Who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who sends only what stands in the bytes.
    Stranger,
    /// A client of TLS 1.3, or of 1.2, that has not begun.
    Client { is_old: bool },
    /// The same, which then goes through its handshake.
    Guest { is_old: bool },
}

/// How what waits with a client is changed before it is sent, at a place or from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The byte is changed.
    Flip(u8),
    /// A byte is put there.
    Insert(u8),
    /// So many bytes are taken out.
    Cut(u8),
    /// So many bytes come twice.
    Double(u8),
}

/// How somebody goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The input ends, in TLS too.
    End,
    /// The input ends without a word in TLS.
    Abrupt,
    /// The input ends in TLS, and goes on to be open.
    Word,
    /// Both directions are closed.
    Close,
    /// The connection breaks.
    Reset,
}

/// One thing that happens. The first number is of who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A connection comes; the earlier one of that person is closed.
    Connect(u8, Caller),
    /// Bytes are encrypted and sent, 255 at most.
    Say(u8, Vec<u8>),
    /// The same in records of so many bytes.
    SayInRecords(u8, u8, Vec<u8>),
    /// The same so many times, in as few records as it takes.
    Flood(u8, u8, Vec<u8>),
    /// Bytes are encrypted, and wait to be sent.
    Hold(u8, Vec<u8>),
    /// So many bytes of what waits are sent (255: all), in pieces of so many (0: in one), with a
    /// turn after each.
    Deliver(u8, u8, u8),
    /// What waits is changed so many bytes from its start.
    Spoil(u8, u8, Harm),
    /// Bytes are sent as they are.
    Raw(u8, Vec<u8>),
    /// New keys are taken so many times, and the server is asked to do the same.
    Rekey(u8, u8),
    /// So many times 16 bytes of ciphertext may pile up on the way there; 255 for any number.
    Window(u8, u8),
    /// So many times 16 bytes of ciphertext are taken.
    Read(u8, u8),
    /// Somebody goes.
    Leave(u8, Exit),
    /// Time passes, a time of the table.
    Wait(u8),
    /// The same in one leap.
    Leap(u8),
    /// The server is told to stop.
    Stop,
}

impl Deed {
    fn of(data: &mut Bytes<'_>) -> Deed {
        let first = data.next();
        let who = first >> 4;
        match first & 15 {
            0 | 1 => {
                let is_old = first & 1 > 0;
                Deed::Connect(
                    who,
                    match data.below(4) {
                        0 => Caller::Stranger,
                        1 => Caller::Client { is_old },
                        _ => Caller::Guest { is_old },
                    },
                )
            }
            2..5 => Deed::Say(who, data.piece().to_vec()),
            5 => Deed::SayInRecords(who, data.next(), data.piece().to_vec()),
            6 => Deed::Flood(who, data.next(), data.piece().to_vec()),
            7 => Deed::Hold(who, data.piece().to_vec()),
            8 => Deed::Deliver(who, data.next(), data.next()),
            9 => {
                let (at, kind, with) = (data.next(), data.below(4), data.next());
                let harms = [Harm::Flip, Harm::Insert, Harm::Cut, Harm::Double];
                Deed::Spoil(who, at, harms[kind](with))
            }
            10 => Deed::Raw(who, data.piece().to_vec()),
            11 => Deed::Rekey(who, data.next()),
            12 => Deed::Window(who, data.next()),
            13 => Deed::Read(who, data.next()),
            14 => {
                let exits = [Exit::End, Exit::Abrupt, Exit::Word, Exit::Close, Exit::Reset];
                Deed::Leave(who, exits[data.below(exits.len())])
            }
            _ => match data.below(16) {
                it @ 0..8 => Deed::Wait(it as u8),
                it @ 8..15 => Deed::Leap(it as u8 - 8),
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
        let with = |first: u8, bytes: &[u8]| [&[first][..], &piece(bytes)].concat();
        match self {
            Deed::Connect(who, Caller::Stranger) => put(0, *who, &[0]),
            Deed::Connect(who, Caller::Client { is_old }) => put(u8::from(*is_old), *who, &[1]),
            Deed::Connect(who, Caller::Guest { is_old }) => put(u8::from(*is_old), *who, &[2]),
            Deed::Say(who, bytes) => put(2, *who, &piece(bytes)),
            Deed::SayInRecords(who, length, bytes) => put(5, *who, &with(*length, bytes)),
            Deed::Flood(who, times, bytes) => put(6, *who, &with(*times, bytes)),
            Deed::Hold(who, bytes) => put(7, *who, &piece(bytes)),
            Deed::Deliver(who, count, length) => put(8, *who, &[*count, *length]),
            Deed::Spoil(who, at, harm) => match harm {
                Harm::Flip(by) => put(9, *who, &[*at, 0, *by]),
                Harm::Insert(byte) => put(9, *who, &[*at, 1, *byte]),
                Harm::Cut(count) => put(9, *who, &[*at, 2, *count]),
                Harm::Double(count) => put(9, *who, &[*at, 3, *count]),
            },
            Deed::Raw(who, bytes) => put(10, *who, &piece(bytes)),
            Deed::Rekey(who, times) => put(11, *who, &[*times]),
            Deed::Window(who, most) => put(12, *who, &[*most]),
            Deed::Read(who, most) => put(13, *who, &[*most]),
            Deed::Leave(who, exit) => put(14, *who, &[*exit as u8]),
            Deed::Wait(time) => put(15, 0, &[*time % 8]),
            Deed::Leap(time) => put(15, 0, &[8 + *time % 7]),
            Deed::Stop => put(15, 0, &[15]),
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

/// What leaves the port for one connection, as far as it can be judged without keys.
struct Wire {
    /// The first byte came when this had passed, since start: too late for a handshake.
    late_at: Duration,
    /// Nothing was sent to the port, or not in time, or it does not begin a handshake.
    is_plain: bool,
    has_begun: bool,
    /// What was read and is no whole record yet, or the plain line.
    rest: Vec<u8>,
}

impl Wire {
    fn note_sent(&mut self, bytes: &[u8], now: Duration) {
        if let Some(first) = bytes.first().filter(|_| !self.has_begun) {
            self.has_begun = true;
            self.is_plain = *first != HANDSHAKE || now >= self.late_at;
        }
    }

    fn note_read(&mut self, raw: &[u8]) {
        self.rest.extend_from_slice(raw);
        if !self.is_told_plainly() {
            return self.take_records();
        }
        let line = b"! wrong-protocol ";
        assert!(self.is_plain, "a client of TLS is told in plain: {:?}", self.rest);
        let length = line.len().min(self.rest.len());
        assert_eq!(self.rest[..length], line[..length], "who speaks plainly is told so");
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        assert!(end.is_none_or(|end| end + 1 == self.rest.len()), "and nothing else");
    }

    fn is_told_plainly(&self) -> bool {
        self.rest.first() == Some(&b'!')
    }

    /// Takes whole records.
    fn take_records(&mut self) {
        while let [kind, major, _, high, low, ..] = *self.rest {
            assert!(TYPES.contains(&kind) && major == 3, "no record: {:?}", self.rest);
            let length = usize::from(u16::from_be_bytes([high, low]));
            assert!(length <= RECORD_BYTES_MAX, "a record of {length} bytes");
            if self.rest.len() < 5 + length {
                return;
            }
            self.rest.drain(..5 + length);
        }
    }
}

/// Somebody, and what is known of their side.
struct Person {
    peer: PeerId,
    /// `None` for strangers, and for clients that have given up.
    client: Option<Client>,
    /// What waits to be sent.
    held: Vec<u8>,
    /// The input goes on.
    is_open: bool,
    /// It still takes what comes.
    is_reading: bool,
    /// The input has not ended in TLS.
    is_talking: bool,
    /// What has arrived, or will, is not what the client has encrypted.
    is_spoilt: bool,
    wire: Wire,
}

impl Person {
    fn new(peer: PeerId, client: Option<Client>, late_at: Duration) -> Person {
        let is_talking = client.is_some();
        let mut it = Person {
            peer,
            client,
            held: Vec::new(),
            is_open: true,
            is_reading: true,
            is_talking,
            is_spoilt: false,
            wire: Wire { late_at, is_plain: true, has_begun: false, rest: Vec::new() },
        };
        it.take_output();
        it
    }

    /// What the client wants to send waits to be sent.
    fn take_output(&mut self) {
        if let Some(client) = &mut self.client {
            self.held.extend(client.output());
        }
    }

    fn encrypt(&mut self, bytes: &[u8]) {
        if let Some(client) = self.client.as_mut().filter(|_| self.is_talking) {
            self.held.extend(client.encrypt(bytes));
        }
    }

    /// Sends the first so many bytes of what waits.
    fn deliver(&mut self, count: usize, world: &World) {
        let count = count.min(self.held.len());
        let bytes: Vec<u8> = self.held.drain(..count).collect();
        self.send(&bytes, world);
    }

    fn send(&mut self, bytes: &[u8], world: &World) {
        if self.is_open {
            self.wire.note_sent(bytes, world.now().mono);
            world.far(self.peer).send(bytes);
        }
    }

    /// Reads so many bytes.
    fn read(&mut self, most: usize, world: &World) {
        let far = world.far(self.peer);
        let raw = far.take(most);
        self.wire.note_read(&raw);
        if self.wire.is_told_plainly() {
            self.client = None;
        }
        let Some(client) = &mut self.client else { return };
        if let Err(error) = client.decrypt(&raw, &mut Vec::new()) {
            assert!(self.is_spoilt, "what the server sends is TLS: {error}");
            self.client = None;
            return;
        }
        // Who is let go may have been cut off.
        let has_ended = far.is_disconnected() && !far.is_let_go() && !client.is_handshaking();
        let is_told = client.has_read_end() || self.is_spoilt || !self.is_reading;
        assert!(!has_ended || is_told, "the end is told in TLS before it comes");
        self.take_output();
    }

    /// Changes what waits.
    fn spoil(&mut self, at: usize, harm: Harm) {
        let at = at.min(self.held.len());
        let end = |count: u8| (at + usize::from(count)).min(self.held.len());
        match harm {
            Harm::Flip(by) => self.held.iter_mut().skip(at).take(1).for_each(|it| *it ^= by),
            Harm::Insert(byte) => self.held.insert(at, byte),
            Harm::Cut(count) => drop(self.held.drain(at..end(count))),
            Harm::Double(count) => {
                let twice = self.held[at..end(count)].to_vec();
                self.held.splice(at..at, twice);
            }
        }
        self.is_spoilt = true;
    }

    /// Goes.
    fn leave(&mut self, exit: Exit, world: &World) {
        let is_told = matches!(exit, Exit::End | Exit::Word);
        if let Some(client) = self.client.as_mut().filter(|_| is_told && self.is_talking) {
            // An end in the midst of a handshake is answered with an alert; and after its own no
            // client may find anything wrong.
            let has_given_up = self.is_spoilt || client.is_handshaking();
            self.held.extend(client.end());
            self.client.take_if(|_| has_given_up);
            self.is_talking = false;
            self.deliver(usize::MAX, world);
        }
        let far = world.far(self.peer);
        match exit {
            Exit::Word => return,
            Exit::End | Exit::Abrupt => far.end(),
            Exit::Close => far.close(),
            Exit::Reset => far.reset(),
        }
        self.is_open = false;
        self.is_reading = matches!(exit, Exit::End | Exit::Abrupt);
    }
}

struct Play {
    world: World,
    people: [Option<Person>; PEOPLE],
    handshake_timeout: Duration,
    /// How many clients there have been.
    clients: usize,
    /// Who only listens, within TLS; and all that came there.
    listener: PeerId,
    heard: Vec<u8>,
}

impl Play {
    fn new(traits: u8) -> Play {
        let flags = FLAGS[usize::from(traits & 3)];
        let words = ["chatline", "--data", "none"].into_iter().chain(flags.split_whitespace());
        let config = Config::parse_from(words.map(OsString::from))
            .unwrap_or_else(|declined| panic!("{flags} are declined: {declined:?}"));
        let handshake_timeout = config.hub.handshake_timeout;
        let mischief = (traits & 16 != 0).then(|| Rng::new(u64::from(traits)));
        let mut world = World::new(config.chat, config.hub, mischief);
        world.speak_secretly();
        let listener = world.connect(address(PEOPLE as u8));
        world.far(listener).send(b"listener\n");
        world.settle();
        let people = [const { None }; PEOPLE];
        Play { world, people, handshake_timeout, clients: 0, listener, heard: Vec::new() }
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Connect(who, caller) => self.connect(*who, *caller),
            Deed::Say(who, bytes) => self.say(*who, std::iter::once(bytes.as_slice())),
            Deed::SayInRecords(who, length, bytes) => {
                self.say(*who, bytes.chunks(usize::from(*length).max(1)));
            }
            Deed::Flood(who, times, bytes) => {
                let bytes = bytes.repeat(usize::from(*times));
                self.say(*who, std::iter::once(bytes.as_slice()));
            }
            Deed::Hold(who, bytes) => self.with(*who, |person, _| person.encrypt(bytes)),
            Deed::Deliver(who, count, length) => self.deliver(*who, *count, *length),
            Deed::Spoil(who, at, harm) => {
                self.with(*who, |person, _| person.spoil(usize::from(*at), *harm));
            }
            Deed::Raw(who, bytes) => self.with(*who, |person, world| {
                person.is_spoilt = true;
                person.send(bytes, world);
            }),
            Deed::Rekey(who, times) => self.with(*who, |person, world| {
                for _ in 0..*times {
                    person.client.iter_mut().for_each(Client::renew_keys);
                    person.take_output();
                }
                // More than a few at once may be too many.
                person.is_spoilt |= *times > RENEWALS;
                person.deliver(usize::MAX, world);
            }),
            Deed::Window(who, most) => {
                let most = (*most < u8::MAX).then_some(usize::from(*most) * 16);
                self.with(*who, |person, world| world.far(person.peer).set_window(most));
            }
            Deed::Read(who, most) => {
                self.with(*who, |person, world| person.read(usize::from(*most) * 16, world));
            }
            Deed::Leave(who, exit) => self.with(*who, |person, world| {
                if person.is_open {
                    person.leave(*exit, world);
                }
            }),
            Deed::Wait(time) => self.world.advance(time_of(*time)),
            Deed::Leap(time) => self.world.leap(time_of(*time)),
            Deed::Stop => self.world.stop(),
        }
        self.look();
    }

    /// Does something with somebody who is there.
    fn with(&mut self, who: u8, act: impl FnOnce(&mut Person, &World)) {
        if let Some(person) = &mut self.people[usize::from(who) % PEOPLE] {
            act(person, &self.world);
        }
    }

    fn connect(&mut self, who: u8, caller: Caller) {
        self.with(who, |person, world| {
            if person.is_open {
                person.leave(Exit::Close, world);
            }
        });
        self.world.settle();
        let client = match caller {
            Caller::Stranger => None,
            Caller::Client { is_old } | Caller::Guest { is_old } => {
                self.clients += 1;
                Some(secret::known().client(is_old))
            }
        };
        let peer = self.world.connect_to_tls(address(who));
        let late_at = self.world.now().mono + self.handshake_timeout;
        self.people[usize::from(who) % PEOPLE] = Some(Person::new(peer, client, late_at));
        let is_guest = matches!(caller, Caller::Guest { .. });
        for _ in 0..ROUNDS_MAX * usize::from(is_guest) {
            self.with(who, |person, world| {
                person.deliver(usize::MAX, world);
                person.read(usize::MAX, world);
            });
            self.world.settle();
        }
    }

    /// Encrypts each by itself, and sends all that waits.
    fn say<'b>(&mut self, who: u8, all: impl Iterator<Item = &'b [u8]>) {
        self.with(who, |person, world| {
            all.for_each(|bytes| person.encrypt(bytes));
            person.deliver(usize::MAX, world);
        });
    }

    fn deliver(&mut self, who: u8, count: u8, length: u8) {
        let mut left = if count == u8::MAX { usize::MAX } else { usize::from(count) };
        let most = if length == 0 { usize::MAX } else { usize::from(length) };
        loop {
            let mut held = 0;
            self.with(who, |person, world| {
                person.deliver(left.min(most), world);
                held = person.held.len();
            });
            left = left.saturating_sub(most);
            if left == 0 || held == 0 {
                return;
            }
            self.world.settle();
        }
    }

    /// Lets the server work, and looks at what came of it.
    fn look(&mut self) {
        self.world.settle();
        self.heard.extend(self.world.take(self.listener));
        let connected = self.world.hub().conversation().connected();
        assert!(connected <= 1 + self.clients, "somebody is in without a handshake");
    }

    /// Whoever is left takes what waits and leaves; then nothing must be left of anybody.
    fn end(mut self) {
        for person in self.people.iter_mut().flatten() {
            person.read(usize::MAX, &self.world);
        }
        self.look();
        let leave = |far: &FarEnd| far.close();
        for person in self.people.iter().flatten().filter(|person| person.is_open) {
            leave(self.world.far(person.peer));
        }
        leave(self.world.far(self.listener));
        self.world.settle();
        self.world.advance(LONG);
        assert_lines(&self.heard);
        assert_nothing_is_left(&self.world);
    }
}

fn time_of(time: u8) -> Duration {
    Duration::from_millis(MILLISECONDS[usize::from(time) % MILLISECONDS.len()])
}

/// Four come from two addresses, the others from this machine.
fn address(who: u8) -> SocketAddr {
    let last = match usize::from(who) % (PEOPLE + 1) {
        0..4 => Ipv4Addr::new(192, 0, 2, who % 2),
        _ => Ipv4Addr::LOCALHOST,
    };
    SocketAddr::new(IpAddr::V4(last), 40_000 + u16::from(who))
}
