//! Clients of every bad kind: each comes, behaves as it does, and goes.
//!
//! Promises: a visit is short and ends by itself; what is sent is drawn from a seed; the names of
//! people and rooms are few, so that what a server remembers of them has an end. An error only says
//! that the server broke off. Deliberately looks at no answer: others see whether all is well.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

#[cfg(feature = "tls")]
use crate::within_tls;
use crate::world::rng::Rng;

/// How long a read or a write waits for the server.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long an answer is waited for that may not come.
const MOMENT: Duration = Duration::from_millis(10);
/// How many connections a kind holds at once that holds some.
pub const CROWD: usize = 40;
const MEBIBYTE: usize = 1 << 20;

/// Where the server lets people in.
#[derive(Clone, Copy)]
pub struct Doors {
    pub lines: SocketAddr,
    pub telnet: SocketAddr,
    #[cfg(feature = "tls")]
    pub tls: SocketAddr,
    pub metrics: SocketAddr,
}

/// Who comes, and until when.
pub struct Visit {
    pub doors: Doors,
    pub rng: Rng,
    pub until: Instant,
    /// How many connections there were.
    pub connections: u64,
}

/// A kind of clients.
pub struct Kind {
    /// What it does.
    pub name: &'static str,
    /// One visit.
    pub come: fn(&mut Visit) -> io::Result<()>,
}

const fn kind(name: &'static str, come: fn(&mut Visit) -> io::Result<()>) -> Kind {
    Kind { name, come }
}

/// All of them, first those who say what is remembered.
pub const KINDS: &[Kind] = &[
    kind("speak JSON", json),
    kind("have terminals", terminal),
    kind("come and go at once", come_and_go),
    kind("take a name, then reset", reset_together),
    kind("half-close", half_close),
    kind("write byte by byte", byte_by_byte),
    kind("write lines of a megabyte", long_line),
    kind("never read", never_read),
    kind("speak garbage of telnet", telnet_garbage),
    kind("say much to everybody", talk),
    #[cfg(feature = "tls")]
    kind("break off a handshake of TLS", within_tls::no_handshake),
    #[cfg(feature = "tls")]
    kind("speak TLS badly", within_tls::talk),
    #[cfg(feature = "tls")]
    kind("never read what is within TLS", within_tls::never_read),
];

/// So many of them make a server remember all that it ever will.
pub const FILLING: usize = 2;

/// The first line that a newcomer is told.
pub fn greeting(to: SocketAddr, patience: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, patience)?;
    stream.set_read_timeout(Some(patience))?;
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\n") && stream.read(&mut byte)? > 0 {
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

impl Visit {
    /// A connection, from some address of this machine: of one alone the ports would run out.
    pub fn connect(&mut self, to: SocketAddr) -> io::Result<TcpStream> {
        self.connect_with(to, None)
    }

    pub fn connect_with(
        &mut self,
        to: SocketAddr,
        receive: Option<usize>,
    ) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let from = Ipv4Addr::new(127, 0, 1, 1 + self.rng.below(250) as u8);
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        if let Some(bytes) = receive {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect_timeout(&to.into(), PATIENCE)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        self.connections += 1;
        Ok(stream)
    }

    /// One of a few names; somebody else may have it.
    pub fn nick(&mut self) -> String {
        format!("somebody-{}\n", self.rng.below(300))
    }

    fn line(&mut self) -> String {
        const LINES: [&str; 14] = [
            "hello",
            "#dev over there",
            "@somebody-7 psst",
            "/join dev",
            "/join ops",
            "/leave dev",
            "/me waves",
            "/who",
            "/rooms",
            "/history 20",
            "/topic #dev tea",
            "/away",
            "/nick somebody-9",
            "/nonsense",
        ];
        format!("{}\n", self.rng.pick(&LINES))
    }

    pub fn lines(&mut self, count: usize) -> Vec<u8> {
        (0..count).flat_map(|_| self.line().into_bytes()).collect()
    }

    pub fn garbage(&mut self, pieces: &[&[u8]], count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..count {
            match self.rng.below(4) {
                0 => bytes.push(self.rng.next() as u8),
                _ => bytes.extend(*self.rng.pick(pieces)),
            }
        }
        bytes
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// The connection breaks when it is dropped.
pub fn break_off(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Waits until something comes, and reads it: so nobody outruns the server for long.
pub fn hear(stream: &mut TcpStream) -> io::Result<()> {
    match stream.read(&mut [0; 64 * 1024])? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The same, for a moment only: there may be no answer.
pub fn hear_soon(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(MOMENT))?;
    match hear(stream) {
        Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
            Ok(())
        }
        other => other,
    }
}

/// Reads what has come without waiting.
fn skim(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
    stream.set_nonblocking(false)
}

/// Most of them are not even greeted.
fn come_and_go(visit: &mut Visit) -> io::Result<()> {
    let to = visit.doors.lines;
    let mut stream = visit.connect(to)?;
    match visit.rng.below(16) {
        0 => hear(&mut stream),
        1..4 => Ok(()),
        4..8 => {
            stream.write_all(visit.nick().as_bytes())?;
            break_off(&stream)
        }
        8..12 => {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")?;
            break_off(&stream)
        }
        _ => break_off(&stream),
    }
}

fn reset_together(visit: &mut Visit) -> io::Result<()> {
    let mut all = Vec::new();
    for _ in 0..CROWD {
        let mut stream = visit.connect(visit.doors.lines)?;
        break_off(&stream)?;
        stream.write_all(visit.nick().as_bytes())?;
        stream.write_all(&visit.lines(2))?;
        hear(&mut stream)?;
        all.push(stream);
    }
    Ok(())
}

fn half_close(visit: &mut Visit) -> io::Result<()> {
    let mut stream = visit.connect(visit.doors.lines)?;
    stream.write_all(visit.nick().as_bytes())?;
    stream.write_all(&visit.lines(5))?;
    stream.write_all(b"and no end")?;
    stream.shutdown(Shutdown::Write)?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).map(drop)
}

fn byte_by_byte(visit: &mut Visit) -> io::Result<()> {
    let mut stream = visit.connect(visit.doors.lines)?;
    let typed = [visit.nick().into_bytes(), visit.lines(3)].concat();
    for byte in typed {
        stream.write_all(&[byte])?;
        skim(&mut stream)?;
    }
    break_off(&stream)?;
    hear(&mut stream)
}

fn long_line(visit: &mut Visit) -> io::Result<()> {
    let mut stream = visit.connect(visit.doors.lines)?;
    stream.write_all(visit.nick().as_bytes())?;
    let piece = vec![b'x'; MEBIBYTE / 16];
    for _ in 0..16 {
        stream.write_all(&piece)?;
        skim(&mut stream)?;
    }
    stream.write_all(b"\nquit\n")?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).map(drop)
}

/// Waits until the others go, or not as long.
pub fn wait_out(visit: &mut Visit) {
    while !visit.is_over() && visit.rng.below(10) > 0 {
        std::thread::sleep(PATIENCE / 5);
    }
}

/// They ask for much, and take none of it until the others go or they are sent away.
fn never_read(visit: &mut Visit) -> io::Result<()> {
    let mut all = Vec::new();
    for _ in 0..CROWD {
        let mut stream = visit.connect_with(visit.doors.lines, Some(2048))?;
        break_off(&stream)?;
        stream.write_all(visit.nick().as_bytes())?;
        stream.write_all(&b"/help\n".repeat(50))?;
        all.push(stream);
    }
    hear(&mut visit.connect(visit.doors.lines)?)?;
    wait_out(visit);
    Ok(())
}

fn telnet_garbage(visit: &mut Visit) -> io::Result<()> {
    const PIECES: [&[u8]; 12] = [
        b"\xff\xfd\x01",
        b"\xff\xfb\x18",
        b"\xff\xfe\x01",
        b"\xff\xfc\x1f",
        b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
        b"\xff\xfa\x18\x00xterm\xff\xf0",
        b"\xff\xfa\x18never ends",
        b"\xff\xf6",
        b"\xff\xf4",
        b"\xff\xec",
        b"hello\r\n",
        b"\r\0",
    ];
    let to = if visit.rng.one_in(2) { visit.doors.lines } else { visit.doors.telnet };
    let mut stream = visit.connect(to)?;
    stream.write_all(visit.nick().as_bytes())?;
    for _ in 0..4 {
        stream.write_all(&visit.garbage(&PIECES, 30))?;
        hear_soon(&mut stream)?;
    }
    break_off(&stream)
}

fn json(visit: &mut Visit) -> io::Result<()> {
    const PIECES: [&[u8]; 10] = [
        b"{\"id\":1,\"action\":\"rooms\"}\n",
        b"{\"id\":\"a\",\"action\":\"message\",\"text\":\"hi\"}\n",
        b"{\"action\":\"join\",\"room\":\"dev\"}\n",
        b"{\"action\":\"message\",\"room\":\"dev\",\"text\":\"one\\ntwo\"}\n",
        b"{\"id\":2,\"action\":\"paste\",\"bytes\":9}\n123\n56789",
        b"{\"action\":\"history\",\"lines\":50}\n",
        b"{\"action\":\"ack\",\"on\":true}\n",
        b"{\"action\":\"jion\"}\n",
        b"{{{{[[[[\n",
        b"\"\n",
    ];
    let mut stream = visit.connect(visit.doors.lines)?;
    stream.write_all(visit.nick().as_bytes())?;
    stream.write_all(b"/json\n")?;
    stream.write_all(&visit.garbage(&PIECES, 20))?;
    stream.shutdown(Shutdown::Write)?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).map(drop)
}

fn terminal(visit: &mut Visit) -> io::Result<()> {
    const PIECES: [&[u8]; 14] = [
        b"\x1b[A",
        b"\x1b[D",
        b"\x1b[3~",
        b"\x12he",
        b"\x03",
        b"\t",
        b"\x15",
        b"\x0c",
        b"\x1b[200~one\ntwo\nthree\x1b[201~",
        b"\x1b[24;80R",
        b"/typing on\r",
        b"/color dark\r",
        b"hello \xe6\xbc\xa2\r",
        b"\x1b]0;never ends",
    ];
    let mut stream = visit.connect(visit.doors.lines)?;
    stream.write_all(visit.nick().as_bytes())?;
    stream.write_all(b"/tty\n")?;
    for _ in 0..8 {
        stream.write_all(&visit.garbage(&PIECES, 10))?;
        hear_soon(&mut stream)?;
    }
    break_off(&stream)
}

fn talk(visit: &mut Visit) -> io::Result<()> {
    let mut stream = visit.connect(visit.doors.lines)?;
    break_off(&stream)?;
    stream.write_all(visit.nick().as_bytes())?;
    for _ in 0..40 {
        stream.write_all(&visit.lines(10))?;
        hear_soon(&mut stream)?;
    }
    Ok(())
}
