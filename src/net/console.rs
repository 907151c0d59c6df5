//! The operator's socket: a Unix socket at which a few consoles are served, with lines in and lines
//! out.
//!
//! Promises: nobody but its owner can ever connect: the file has mode 0600 before the socket
//! listens, and a peer of another user is refused all the same, unless it is root. A file that a
//! dead server has left is replaced, one of a living server never, nor anything that is no socket.
//! At most [`CONSOLES_MAX`] consoles; of each at most one read and one answer are held, and no
//! further line is taken until the answer has gone. Deliberately obeys nothing: the server does.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, info, warn};
use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Socket, Type};

use super::listen::PAUSE;
use crate::admin::Fault;
use crate::admin::text;
use crate::wire::clean::clean;
use crate::wire::line::{Item, LineBuffer};

/// How many consoles there may be.
pub const CONSOLES_MAX: usize = 8;
/// Bytes of a line at most.
pub const LINE_BYTES_MAX: usize = 4096;
/// How long a console may take nothing of an answer.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How many lines of all consoles are obeyed in one turn of the loop.
pub const LINES_PER_TURN: usize = 16;
/// Bytes of one read.
const READ_BYTES: usize = 4096;
/// How many connections the kernel lets wait.
const BACKLOG: i32 = 16;

/// Who has typed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleId(usize);

/// What a console has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A line, clean.
    Line(String),
    /// A line that is too long.
    TooLong,
}

/// The socket, and who is connected to it.
#[derive(Debug)]
pub struct Consoles {
    /// That of the door; each console has one below it.
    token: Token,
    door: Option<Door>,
    open: [Option<Console>; CONSOLES_MAX],
    /// Whose line comes next.
    next: usize,
}

/// Where consoles come in.
#[derive(Debug)]
struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file, by which it is known again.
    file: (u64, u64),
    is_waited_at: bool,
    /// The machine has refused: nothing is accepted before this time since start.
    paused_until: Option<Duration>,
}

#[derive(Debug)]
struct Console {
    stream: UnixStream,
    /// Who it is, for the log.
    uid: Option<u32>,
    lines: LineBuffer,
    /// What was read, and how far it was obeyed.
    inbox: Vec<u8>,
    obeyed: usize,
    /// What is to be sent, and how far it was.
    outbox: Vec<u8>,
    sent: usize,
    /// When the peer last took something, or an answer began to wait, since start.
    taken_at: Duration,
    is_readable: bool,
    is_writable: bool,
    /// Nothing more will come, or is wanted.
    is_over: bool,
    has_ended_input: bool,
}

impl Consoles {
    /// Listens at `path`; nowhere for `None`. Events come under `token`, and those of consoles
    /// under those below it.
    ///
    /// # Errors
    /// One sentence without its end.
    pub fn listen(
        path: Option<&Path>,
        registry: &Registry,
        token: Token,
    ) -> Result<Consoles, String> {
        let door = path.map(|path| {
            let door = Door::open(path, registry, token);
            door.map_err(|why| format!("cannot open the console {}: {why}", path.display()))
        });
        Ok(Consoles { token, door: door.transpose()?, open: Default::default(), next: 0 })
    }

    /// An event has come; says whether it was for a console.
    pub fn ready(&mut self, event: &Event) -> bool {
        let Some(below) = self.token.0.checked_sub(event.token().0) else { return false };
        if below == 0 {
            if let Some(door) = &mut self.door {
                door.is_waited_at = true;
            }
            return true;
        }
        let Some(place) = self.open.get_mut(below - 1) else { return false };
        if let Some(console) = place {
            let is_broken = event.is_error();
            console.is_readable |= event.is_readable() || event.is_read_closed() || is_broken;
            console.is_writable |= event.is_writable() || event.is_write_closed() || is_broken;
        }
        true
    }

    /// When to come back without an event, since start.
    pub fn deadline(&self) -> Option<Duration> {
        let is_busy = self.open.iter().flatten().any(Console::has_something);
        if is_busy {
            return Some(Duration::ZERO);
        }
        let door = self.door.as_ref().filter(|door| door.is_waited_at);
        let arrival = door.map(|door| door.paused_until.unwrap_or_default());
        let waiting = self.open.iter().flatten().filter(|console| console.is_behind());
        waiting.map(|console| console.taken_at + STALL_TIMEOUT).chain(arrival).min()
    }

    /// Lets in who waits; `now` is the time since the start.
    pub fn accept(&mut self, registry: &Registry, now: Duration) {
        let is_due = |door: &&mut Door| {
            door.is_waited_at && door.paused_until.is_none_or(|until| until <= now)
        };
        while let Some(door) = self.door.as_mut().filter(is_due) {
            match door.listener.accept() {
                Ok((stream, _)) => {
                    door.paused_until = None;
                    self.admit(stream, registry, now);
                }
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                    (door.is_waited_at, door.paused_until) = (false, None);
                }
                Err(cause) => {
                    // The same until it is over is told once.
                    if door.paused_until.replace(now + PAUSE).is_none() {
                        warn!(cause:%; "console_not_let_in");
                    }
                }
            }
        }
    }

    fn admit(&mut self, stream: UnixStream, registry: &Registry, now: Duration) {
        let uid = uid_of(&stream);
        let mut console = Console::new(stream, uid, now);
        let place = self.open.iter().position(Option::is_none);
        let fault = match (is_allowed(uid), place) {
            (false, _) => Fault::NotAllowed,
            (true, None) => Fault::ConsolesFull { most: CONSOLES_MAX },
            (true, Some(place)) => {
                let token = Token(self.token.0 - 1 - place);
                let interest = Interest::READABLE | Interest::WRITABLE;
                if let Err(cause) = registry.register(&mut console.stream, token, interest) {
                    return warn!(cause:%; "console_not_let_in");
                }
                console.say(&text::greeting(), now);
                info!(uid = shown(uid); "console_opened");
                self.open[place] = Some(console);
                return;
            }
        };
        info!(uid = shown(uid), code = fault.code().word(); "console_refused");
        console.say(&text::refusal(&fault), now);
        console.flush(now);
        // What is unread when it is closed would be told as an error.
        let _ = console.stream.read(&mut [0; READ_BYTES]);
    }

    /// The next line that is to be obeyed, of each console in turn; to be answered with
    /// [`Consoles::answer`] before the next is asked for.
    pub fn next_line(&mut self) -> Option<(ConsoleId, Said)> {
        for step in 0..CONSOLES_MAX {
            let place = (self.next + step) % CONSOLES_MAX;
            let console = self.open[place].as_mut();
            if let Some(said) = console.and_then(Console::next_line) {
                self.next = place + 1;
                return Some((ConsoleId(place), said));
            }
        }
        None
    }

    /// Answers a line of a console.
    pub fn answer(&mut self, id: ConsoleId, answer: &str, now: Duration) {
        if let Some(console) = &mut self.open[id.0] {
            console.say(answer, now);
        }
    }

    /// Nothing more is wanted of a console: it is closed as soon as it has taken what waits.
    pub fn dismiss(&mut self, id: ConsoleId) {
        if let Some(console) = &mut self.open[id.0] {
            console.is_over = true;
        }
    }

    /// Who a console is, for the log.
    pub fn uid(&self, id: ConsoleId) -> String {
        shown(self.open[id.0].as_ref().and_then(|console| console.uid))
    }

    /// Sends what waits, and frees who has ended or takes nothing.
    pub fn settle(&mut self, now: Duration) {
        for place in &mut self.open {
            let Some(console) = place else { continue };
            if console.has_come_to_end() {
                console.say(text::bye(), now);
                console.is_over = true;
            }
            console.flush(now);
            let is_stalled = console.is_behind() && now >= console.taken_at + STALL_TIMEOUT;
            if is_stalled {
                warn!(uid = shown(console.uid); "console_stalled");
            } else if console.is_over && !console.is_behind() {
                debug!(uid = shown(console.uid); "console_closed");
            } else {
                continue;
            }
            *place = None;
        }
    }

    /// The server stops: tells everybody as far as that goes without waiting, and removes the file
    /// if it is still this socket's.
    pub fn close(&mut self, now: Duration) {
        for mut console in self.open.iter_mut().filter_map(Option::take) {
            console.say(text::bye_at_stop(), now);
            console.flush(now);
        }
        self.door = None;
    }
}

fn shown(uid: Option<u32>) -> String {
    uid.map_or_else(|| "-".to_owned(), |uid| uid.to_string())
}

impl Door {
    fn open(path: &Path, registry: &Registry, token: Token) -> Result<Door, String> {
        make_room(path)?;
        let said = |cause: io::Error| match cause.kind() {
            ErrorKind::InvalidInput => "its path is too long for a socket".to_owned(),
            _ => cause.to_string(),
        };
        let mut listener = bind(path).map_err(said)?;
        let file = file_of(path).map_err(said)?;
        registry.register(&mut listener, token, Interest::READABLE).map_err(said)?;
        Ok(Door { listener, path: path.to_owned(), file, is_waited_at: false, paused_until: None })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if file_of(&self.path).is_ok_and(|file| file == self.file) {
            // Whoever starts the next server finds that nobody listens there.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes what a dead server has left at `path`; says what else is there.
fn make_room(path: &Path) -> Result<(), String> {
    let file = match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cause.to_string()),
        Ok(file) => file,
    };
    if !file.file_type().is_socket() {
        return Err("there is a file that is no socket; choose another with --admin PATH".into());
    }
    match knock(path) {
        Ok(()) => {
            Err("a server listens there; stop it, or choose another with --admin PATH".into())
        }
        Err(cause) if cause.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|cause| cause.to_string())
        }
        Err(cause) => Err(cause.to_string()),
    }
}

/// Finds out whether somebody listens, without waiting for who listens and lets nobody in: then as
/// many wait there as may (connect(2), `EAGAIN`).
fn knock(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(cause) if cause.kind() == ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

/// A socket that listens. Until it does nobody can connect, and before it does the file is its
/// owner's alone; where the kernel takes the mode of the socket for the file (unix(7)) it was never
/// anybody else's.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Not every kernel lets it be set here.
    let _ = rustix::fs::fchmod(&socket, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    socket.listen(BACKLOG)?;
    Ok(UnixListener::from_std(socket.into()))
}

fn file_of(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// The user of the peer, where the kernel says so.
fn uid_of(stream: &UnixStream) -> Option<u32> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return rustix::net::sockopt::socket_peercred(stream).ok().map(|peer| peer.uid.as_raw());
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = stream;
        None
    }
}

/// Whether that user may give orders; where the kernel does not say who it is, the mode of the file
/// has decided.
fn is_allowed(uid: Option<u32>) -> bool {
    uid.is_none_or(|uid| uid == 0 || uid == rustix::process::geteuid().as_raw())
}

impl Console {
    fn new(stream: UnixStream, uid: Option<u32>, now: Duration) -> Console {
        Console {
            stream,
            uid,
            lines: LineBuffer::default(),
            inbox: Vec::new(),
            obeyed: 0,
            outbox: Vec::new(),
            sent: 0,
            taken_at: now,
            is_readable: false,
            is_writable: true,
            is_over: false,
            has_ended_input: false,
        }
    }

    /// Whether something waits to be sent.
    fn is_behind(&self) -> bool {
        self.sent < self.outbox.len()
    }

    /// Whether it may be asked for a line, or has to be looked after, without any event.
    fn has_something(&self) -> bool {
        let is_unread = self.obeyed < self.inbox.len() || self.is_readable || self.has_ended_input;
        is_unread && !self.is_behind() || self.is_behind() && self.is_writable
    }

    /// Whether all that it sent was obeyed, and no more will come.
    fn has_come_to_end(&self) -> bool {
        let is_done = self.has_ended_input && self.obeyed == self.inbox.len();
        is_done && !self.is_over && self.lines.first_bytes().is_empty() && !self.is_behind()
    }

    fn say(&mut self, text: &str, now: Duration) {
        if !self.is_behind() {
            self.taken_at = now;
        }
        self.outbox.extend_from_slice(text.as_bytes());
    }

    /// The next line, if the answer to the one before has gone.
    fn next_line(&mut self) -> Option<Said> {
        while !self.is_over && !self.is_behind() {
            let mut rest = &self.inbox[self.obeyed..];
            let item = self.lines.next(&mut rest, Some(LINE_BYTES_MAX));
            let is_used_up = item.is_none();
            let said = match item {
                Some(Item::Line { bytes, .. }) => Some(Said::Line(clean(&bytes).into_owned())),
                Some(Item::TooLong) => Some(Said::TooLong),
                // A console is no telnet: what that says is left out.
                Some(_) | None => None,
            };
            self.obeyed = self.inbox.len() - rest.len();
            if said.is_some() {
                return said;
            }
            if is_used_up && !self.read() {
                return self.last_line();
            }
        }
        None
    }

    /// What stands behind the last line end, once nothing more comes.
    fn last_line(&mut self) -> Option<Said> {
        let bytes = if self.has_ended_input { self.lines.finish() } else { None };
        bytes.map(|bytes| Said::Line(clean(&bytes).into_owned()))
    }

    /// Reads once; whether something came.
    fn read(&mut self) -> bool {
        self.inbox.clear();
        self.obeyed = 0;
        if !self.is_readable || self.has_ended_input {
            return false;
        }
        let mut bytes = [0; READ_BYTES];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.has_ended_input = true,
                Ok(count) => self.inbox.extend_from_slice(&bytes[..count]),
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => self.is_readable = false,
                Err(_) => self.has_ended_input = true,
            }
            return !self.inbox.is_empty();
        }
    }

    fn flush(&mut self, now: Duration) {
        while self.is_behind() && self.is_writable {
            match self.stream.write(&self.outbox[self.sent..]) {
                Ok(count) => {
                    self.sent += count;
                    self.taken_at = now;
                }
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(_) => {
                    // Nobody takes anything any more.
                    self.sent = self.outbox.len();
                    self.is_over = true;
                }
            }
        }
        if !self.is_behind() {
            self.outbox = Vec::new();
            self.sent = 0;
        }
    }
}
