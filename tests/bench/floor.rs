//! The bare server: what the kernel asks for carrying lines, and nothing beside. It is the
//! yardstick.
//!
//! One thread, one poll, edge-triggered. Who is in no room says its number to enter it, or nothing
//! to be answered that the server is there; `/leave` leaves the room; every other line is told to
//! the others in it as it is. The lines of one turn are one batch for each room, and each member
//! gets one send for it.
//!
//! Promises: nobody gets their own lines. Deliberately has no names and no rules, and trusts
//! whoever connects.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use memchr::{memchr_iter, memrchr};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use slab::Slab;

const LISTENER: Token = Token(usize::MAX - 1);
const EVENTS_PER_TURN: usize = 1024;
const READ_BYTES: usize = 64 * 1024;
/// What waits for one reader at most, in bytes; more is dropped.
const BACKLOG_BYTES: usize = 1024 * 1024;
/// The room of who is in none.
const NOWHERE: u32 = u32::MAX;

/// Serves on that port of this machine until it is killed; 0 takes a free one. Prints
/// `listening on ADDRESS:PORT`, as `chatline` does.
pub fn serve(port: u16) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on {}", listener.local_addr()?);
    let mut events = Events::with_capacity(EVENTS_PER_TURN);
    let mut floor = Floor {
        listener,
        peers: Slab::new(),
        rooms: Vec::new(),
        spoken: Vec::new(),
        unread: Vec::new(),
        buffer: vec![0; READ_BYTES].into_boxed_slice(),
        scratch: Vec::new(),
    };
    loop {
        let timeout = (!floor.unread.is_empty()).then_some(std::time::Duration::ZERO);
        match poll.poll(&mut events, timeout) {
            Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for index in std::mem::take(&mut floor.unread) {
            floor.read(index);
        }
        for event in &events {
            let Token(index) = event.token();
            if event.token() == LISTENER {
                floor.accept(poll.registry())?;
                continue;
            }
            if event.is_writable() {
                floor.drain(index);
            }
            if !event.is_readable() && !event.is_read_closed() {
                continue;
            }
            // Behind the last bytes of who has gone comes the end, and no event for it any more.
            while floor.read(index) && event.is_read_closed() {}
        }
        floor.tell();
    }
}

struct Peer {
    stream: TcpStream,
    room: u32,
    /// Where it stands among the members of its room.
    place: u32,
    /// The beginning of a line that has not ended yet.
    begun: Vec<u8>,
    /// What the socket did not take.
    backlog: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<u32>,
    /// The lines of this turn.
    batch: Vec<u8>,
    /// Who said them: who, and up to where.
    parts: Vec<(u32, usize)>,
}

struct Floor {
    listener: TcpListener,
    peers: Slab<Peer>,
    rooms: Vec<Room>,
    /// The rooms where something was said in this turn.
    spoken: Vec<u32>,
    /// The connections that may have more to read than one turn takes.
    unread: Vec<usize>,
    buffer: Box<[u8]>,
    scratch: Vec<u8>,
}

impl Floor {
    fn accept(&mut self, registry: &Registry) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(cause) if cause.kind() == ErrorKind::ConnectionAborted => continue,
                Err(_) => return Ok(()),
            };
            stream.set_nodelay(true)?;
            let entry = self.peers.vacant_entry();
            let both = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut stream, Token(entry.key()), both)?;
            let (begun, backlog) = (Vec::new(), Vec::new());
            entry.insert(Peer { stream, room: NOWHERE, place: 0, begun, backlog });
        }
    }

    /// Reads once, and says whether anything came.
    fn read(&mut self, index: usize) -> bool {
        let Some(peer) = self.peers.get_mut(index) else { return false };
        let mut buffer = std::mem::take(&mut self.buffer);
        let got = peer.stream.read(&mut buffer);
        match &got {
            Ok(0) => self.remove(index),
            Ok(count) => self.take(index, &buffer[..*count]),
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.remove(index),
        }
        let count = got.unwrap_or(0);
        if count == buffer.len() {
            self.unread.push(index);
        }
        self.buffer = buffer;
        count > 0
    }

    fn take(&mut self, index: usize, bytes: &[u8]) {
        let whole = memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let (mut lines, rest) = bytes.split_at(whole);
        let mut begun = std::mem::take(&mut self.peers[index].begun);
        if !begun.is_empty() && !lines.is_empty() {
            let end = memchr_iter(b'\n', lines).next().map_or(0, |at| at + 1);
            begun.extend_from_slice(&lines[..end]);
            self.obey(index, &begun);
            lines = &lines[end..];
            begun.clear();
        }
        let mut start = 0;
        for at in memchr_iter(b'\n', lines) {
            self.obey(index, &lines[start..=at]);
            start = at + 1;
        }
        begun.extend_from_slice(rest);
        self.peers[index].begun = begun;
    }

    /// Obeys one line, which ends with LF.
    fn obey(&mut self, index: usize, line: &[u8]) {
        let peer = &mut self.peers[index];
        if peer.room == NOWHERE {
            if line == b"\n" {
                return send(peer, b"ready\n");
            }
            let digits = std::str::from_utf8(&line[..line.len() - 1]).ok();
            let Some(room) = digits.and_then(|digits| digits.parse().ok()) else { return };
            if self.rooms.len() <= room {
                self.rooms.resize_with(room + 1, Room::default);
            }
            peer.room = room as u32;
            peer.place = self.rooms[room].members.len() as u32;
            self.rooms[room].members.push(index as u32);
            send(peer, b"joined\n");
        } else if line == b"/leave\n" {
            self.leave(index);
            send(&mut self.peers[index], b"left\n");
        } else {
            let room = &mut self.rooms[peer.room as usize];
            if room.batch.is_empty() {
                self.spoken.push(peer.room);
            }
            room.batch.extend_from_slice(line);
            match room.parts.last_mut() {
                Some((speaker, end)) if *speaker == index as u32 => *end = room.batch.len(),
                _ => room.parts.push((index as u32, room.batch.len())),
            }
        }
    }

    /// Sends each member of each room where something was said what the others said.
    fn tell(&mut self) {
        for room in self.spoken.drain(..) {
            let room = &mut self.rooms[room as usize];
            for &member in &room.members {
                let has_spoken = room.parts.iter().any(|(speaker, _)| *speaker == member);
                let bytes = match has_spoken {
                    false => &room.batch,
                    true => {
                        without(member, room, &mut self.scratch);
                        &self.scratch
                    }
                };
                send(&mut self.peers[member as usize], bytes);
            }
            room.batch.clear();
            room.parts.clear();
        }
    }

    fn drain(&mut self, index: usize) {
        let Some(peer) = self.peers.get_mut(index) else { return };
        let sent = peer.backlog.len() - write(&mut peer.stream, &peer.backlog).len();
        peer.backlog.drain(..sent);
        if peer.backlog.is_empty() {
            peer.backlog = Vec::new();
        }
    }

    fn leave(&mut self, index: usize) {
        let (room, place) = (self.peers[index].room, self.peers[index].place);
        if room == NOWHERE {
            return;
        }
        let members = &mut self.rooms[room as usize].members;
        members.swap_remove(place as usize);
        if let Some(&moved) = members.get(place as usize) {
            self.peers[moved as usize].place = place;
        }
        self.peers[index].room = NOWHERE;
    }

    fn remove(&mut self, index: usize) {
        self.leave(index);
        self.peers.remove(index);
    }
}

/// Puts into `out` what a room was told by others than that member.
fn without(member: u32, room: &Room, out: &mut Vec<u8>) {
    out.clear();
    let mut start = 0;
    for &(speaker, end) in &room.parts {
        if speaker != member {
            out.extend_from_slice(&room.batch[start..end]);
        }
        start = end;
    }
}

/// Sends what can be sent and keeps the rest.
fn send(peer: &mut Peer, bytes: &[u8]) {
    let rest = if peer.backlog.is_empty() { write(&mut peer.stream, bytes) } else { bytes };
    if peer.backlog.len() + rest.len() <= BACKLOG_BYTES {
        peer.backlog.extend_from_slice(rest);
    }
}

/// Writes what the socket takes, and returns the rest; of what is written to a broken connection,
/// nothing is left, and who reads it removes it.
fn write<'b>(stream: &mut TcpStream, bytes: &'b [u8]) -> &'b [u8] {
    let mut rest = bytes;
    while !rest.is_empty() {
        match stream.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => return rest,
            Err(_) => return &[],
        }
    }
    rest
}
