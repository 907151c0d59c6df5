//! Many connections of one process: what they are waiting for, what they hear, and what they have
//! still to send.
//!
//! Promises: hearing a line costs no allocation; what a socket does not take is kept, and sent when
//! it can be. Deliberately waits for nothing: the driver does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use memchr::{memchr_iter, memmem};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::dialect::Dialect;
use super::payload::{self, DIGITS, MARK, Payload};
use super::stats::Latencies;

const READ_BYTES: usize = 256 * 1024;
/// How many connections come from one address of this machine, which has 28,000 ports for them.
const CONNS_PER_ADDRESS: usize = 20_000;

/// What a connection does with what it hears.
pub enum Ear {
    /// Counts it.
    Counts,
    /// Counts it, and records how long it took; kept are the last digits of a read.
    Measures { digits: [u8; DIGITS], len: Option<usize> },
    /// Counts it, and keeps all of it.
    Keeps(Vec<u8>),
    /// Does not read.
    Deaf,
}

/// Where a connection is to sit.
#[derive(Clone, Copy)]
pub struct Seat {
    /// The number of its room.
    pub room: usize,
    /// Whether it hears the room; if not, it only speaks there.
    pub joins: bool,
    /// The size of its receive buffer; `None` for what the machine gives.
    pub receive_bytes: Option<usize>,
}

/// How far a connection goes when it is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// It has a name.
    Named,
    /// It is in its room, too.
    Seated,
}

/// What the answer is awaited to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    LogIn,
    Join,
    Leave,
}

/// One connection.
pub struct Conn {
    stream: TcpStream,
    seat: Seat,
    goal: Goal,
    awaited: Awaited,
    /// How much of the awaited marker the last read ended with.
    matched: usize,
    /// What it does with what it hears.
    pub ear: Ear,
    /// What is to be sent, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    is_blocked: bool,
    is_lost: bool,
}

/// What is said and heard in one room.
#[derive(Default)]
pub struct Room {
    /// Who speaks there, in turns.
    pub speakers: Vec<usize>,
    turn: usize,
    /// How many hear each line and read it.
    pub readers: u64,
    /// Lines said there.
    pub said: u64,
    /// Deliveries counted there.
    pub heard: u64,
    is_touched: bool,
}

impl Room {
    /// How many lines have not been heard by everybody yet.
    pub fn in_flight(&self) -> u64 {
        self.said.saturating_sub(self.heard / self.readers.max(1))
    }

    /// How many deliveries of what was said there have not come.
    pub fn missing(&self) -> u64 {
        (self.said * self.readers).saturating_sub(self.heard)
    }

    /// Who speaks next.
    pub fn next_speaker(&mut self) -> usize {
        let speaker = self.speakers[self.turn];
        self.turn = (self.turn + 1) % self.speakers.len();
        speaker
    }

    /// Who has spoken so many turns ago; 1 is the last one.
    pub fn speaker_before(&self, turns: usize) -> usize {
        let many = self.speakers.len();
        self.speakers[(self.turn + many - turns % many) % many]
    }
}

/// All connections to one server.
pub struct Load {
    dialect: Box<dyn Dialect>,
    epoch: Instant,
    buffer: Box<[u8]>,
    payload: Payload,
    /// The connections, in the order in which they were opened.
    pub conns: Vec<Conn>,
    /// The rooms, by their numbers.
    pub rooms: Vec<Room>,
    /// The rooms where something was heard since somebody last looked.
    pub touched: Vec<usize>,
    /// What the measuring connections recorded.
    pub latencies: Latencies,
    /// How many answers are awaited.
    pub awaited: usize,
    /// How many connections the server has closed.
    pub lost: usize,
}

impl Load {
    /// Nobody yet.
    pub fn new(dialect: Box<dyn Dialect>) -> Load {
        Load {
            dialect,
            epoch: Instant::now(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            payload: Payload::new(),
            conns: Vec::new(),
            rooms: Vec::new(),
            touched: Vec::new(),
            latencies: Latencies::new(),
            awaited: 0,
            lost: 0,
        }
    }

    /// Nanoseconds since the epoch.
    pub fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    /// Whether speakers are connections of their own.
    pub fn speaks_apart(&self) -> bool {
        self.dialect.speaks_apart()
    }

    /// Lets each so many-th connection that there is record latencies.
    pub fn measure_each(&mut self, step: usize) {
        for conn in self.conns.iter_mut().step_by(step) {
            conn.ear = Ear::Measures { digits: [0; DIGITS], len: None };
        }
    }

    /// Lines said and deliveries counted, in all rooms.
    pub fn totals(&self) -> (u64, u64) {
        self.rooms.iter().fold((0, 0), |(said, heard), it| (said + it.said, heard + it.heard))
    }

    /// Opens one more connection, which goes on by itself as far as its goal.
    pub fn connect(
        &mut self,
        to: SocketAddr,
        registry: &Registry,
        seat: Seat,
        goal: Goal,
    ) -> io::Result<()> {
        let index = self.conns.len();
        let mut stream = connect(to, index / CONNS_PER_ADDRESS, seat.receive_bytes)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(index), both)?;
        if self.rooms.len() <= seat.room {
            self.rooms.resize_with(seat.room + 1, Room::default);
        }
        self.conns.push(Conn {
            stream,
            seat,
            goal,
            awaited: Awaited::LogIn,
            matched: 0,
            ear: Ear::Counts,
            out: self.dialect.log_in(index),
            sent: 0,
            is_blocked: false,
            is_lost: false,
        });
        self.awaited += 1;
        if self.dialect.logged_in().is_none() {
            self.answered(index);
        }
        self.flush(index);
        Ok(())
    }

    /// Sends the request to join the room of a connection's seat.
    pub fn join(&mut self, index: usize) {
        let request = self.dialect.join(self.conns[index].seat.room);
        self.request(index, Awaited::Join, &request);
        self.awaited += 1;
    }

    /// Sends the request to leave that room.
    pub fn leave(&mut self, index: usize) {
        let request = self.dialect.leave(self.conns[index].seat.room);
        self.request(index, Awaited::Leave, &request);
        self.awaited += 1;
    }

    fn request(&mut self, index: usize, awaited: Awaited, bytes: &[u8]) {
        let conn = &mut self.conns[index];
        (conn.awaited, conn.matched) = (awaited, 0);
        conn.out.extend_from_slice(bytes);
        self.flush(index);
    }

    /// The answer is there that a connection waited for.
    fn answered(&mut self, index: usize) {
        let conn = &mut self.conns[index];
        let was = std::mem::replace(&mut conn.awaited, Awaited::Nothing);
        self.awaited -= 1;
        if was == Awaited::LogIn && conn.goal == Goal::Seated && conn.seat.joins {
            self.join(index);
        }
    }

    /// Says a line that is due at `due`; it is sent with [`Load::flush`].
    pub fn say(&mut self, room: usize, speaker: usize, due: u64) {
        self.rooms[room].said += 1;
        let out = &mut self.conns[speaker].out;
        self.dialect.say(room, self.payload.due(due), out);
    }

    /// The same with a number in it.
    pub fn say_numbered(&mut self, room: usize, speaker: usize, due: u64, number: usize) {
        self.rooms[room].said += 1;
        let out = &mut self.conns[speaker].out;
        self.dialect.say(room, self.payload.numbered(due, number), out);
    }

    /// How many bytes a connection has still to send.
    pub fn unsent(&self, index: usize) -> usize {
        self.conns[index].out.len() - self.conns[index].sent
    }

    /// Sends what a connection has to send, as far as its socket takes it.
    pub fn flush(&mut self, index: usize) {
        let conn = &mut self.conns[index];
        while !conn.is_blocked && conn.sent < conn.out.len() {
            match conn.stream.write(&conn.out[conn.sent..]) {
                Ok(count) => conn.sent += count,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) if is_not_yet(&cause) => conn.is_blocked = true,
                Err(_) => return self.lose(index),
            }
        }
        if conn.sent == conn.out.len() {
            conn.out.clear();
            conn.sent = 0;
        }
    }

    /// The socket of a connection takes bytes again.
    pub fn writable(&mut self, index: usize) {
        self.conns[index].is_blocked = false;
        self.flush(index);
    }

    /// Reads what there is; all of it where the peer has ended its side, and else until a read
    /// comes short.
    pub fn read(&mut self, index: usize, has_ended: bool) {
        while !self.conns[index].is_lost && !matches!(self.conns[index].ear, Ear::Deaf) {
            match self.conns[index].stream.read(&mut self.buffer) {
                Ok(0) => self.lose(index),
                Ok(count) => {
                    self.hear(index, count);
                    if count < READ_BYTES && !has_ended {
                        return;
                    }
                }
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) if is_not_yet(&cause) => return,
                Err(_) => self.lose(index),
            }
        }
    }

    fn hear(&mut self, index: usize, count: usize) {
        if self.conns[index].awaited != Awaited::Nothing {
            self.look(index, count);
        }
        let conn = &mut self.conns[index];
        let bytes = &self.buffer[..count];
        let marks = memchr_iter(MARK, bytes).count() as u64;
        match &mut conn.ear {
            Ear::Counts | Ear::Deaf => {}
            Ear::Keeps(all) => all.extend_from_slice(bytes),
            Ear::Measures { digits, len } => {
                let now = self.epoch.elapsed().as_nanos() as u64;
                measure(bytes, digits, len, |due| self.latencies.record(due, now));
            }
        }
        let room = &mut self.rooms[conn.seat.room];
        room.heard += marks;
        if marks > 0 && !room.is_touched {
            room.is_touched = true;
            self.touched.push(conn.seat.room);
        }
    }

    /// Takes a room off the list of those where something was heard.
    pub fn untouch(&mut self) -> Option<usize> {
        let room = self.touched.pop()?;
        self.rooms[room].is_touched = false;
        Some(room)
    }

    /// Looks for the marker of the awaited answer, which may have begun in an earlier read.
    fn look(&mut self, index: usize, count: usize) {
        let conn = &mut self.conns[index];
        let marker = match conn.awaited {
            Awaited::Nothing => return,
            Awaited::LogIn => self.dialect.logged_in().unwrap_or_default(),
            Awaited::Join => self.dialect.joined(),
            Awaited::Leave => self.dialect.left(),
        };
        let bytes = &self.buffer[..count];
        // The end of the earlier reads that the marker begins with, or a shorter one.
        let begun = &marker[..conn.matched];
        let mut begins = (1..=begun.len()).rev().filter(|&len| begun.ends_with(&marker[..len]));
        let is_there = begins.any(|len| bytes.starts_with(&marker[len..]))
            || memmem::find(bytes, marker).is_some();
        if is_there {
            return self.answered(index);
        }
        let longest = (1..marker.len()).rev().find(|&len| match len.checked_sub(bytes.len()) {
            Some(before @ 1..) => {
                begun.ends_with(&marker[..before]) && marker[before..len] == *bytes
            }
            _ => bytes.ends_with(&marker[..len]),
        });
        conn.matched = longest.unwrap_or(0);
    }

    fn lose(&mut self, index: usize) {
        let conn = &mut self.conns[index];
        if !std::mem::replace(&mut conn.is_lost, true) {
            self.lost += 1;
            if std::mem::replace(&mut conn.awaited, Awaited::Nothing) != Awaited::Nothing {
                self.awaited -= 1;
            }
            conn.out = Vec::new();
            conn.sent = 0;
        }
    }
}

/// A connection is broken off, so that no port waits for stragglers.
impl Drop for Conn {
    fn drop(&mut self) {
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

/// Finds when the lines in these bytes were due. The digits of a line that is cut are kept, with
/// how many there are.
fn measure(
    bytes: &[u8],
    digits: &mut [u8; DIGITS],
    len: &mut Option<usize>,
    mut heard: impl FnMut(u64),
) {
    if let Some(have) = len.take() {
        let more = (DIGITS - have).min(bytes.len());
        digits[have..have + more].copy_from_slice(&bytes[..more]);
        match have + more {
            DIGITS => heard(payload::due(digits)),
            fewer => *len = Some(fewer),
        }
    }
    for at in memchr_iter(MARK, bytes) {
        let rest = &bytes[at + 1..];
        match rest.get(..DIGITS) {
            Some(all) => heard(payload::due(all)),
            None => {
                digits[..rest.len()].copy_from_slice(rest);
                *len = Some(rest.len());
            }
        }
    }
}

/// Begins to connect, from the address of this machine with that index.
fn connect(to: SocketAddr, from: usize, receive_bytes: Option<usize>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    if from > 0 {
        let address = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + from as u32);
        socket.bind(&SocketAddr::from((address, 0)).into())?;
    }
    match socket.connect(&SockAddr::from(to)) {
        Err(cause) if cause.raw_os_error() != Some(IN_PROGRESS) => Err(cause),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// What connect(2) says when it goes on by itself.
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

fn is_not_yet(cause: &io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
