//! Clients of TLS: one who behaves well, and bad ones of every kind, who break off, send garbage,
//! hold handshakes open, end without a word, or never read.
//!
//! Promises: as all kinds, a visit is short and ends by itself; handshakes that are held open are
//! fewer than the server allows. Deliberately no look at what a stranger without keys could see.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use crate::chaos::{self, CROWD, Visit, break_off, hear, hear_soon};
use crate::pair::Speaker;
use crate::world::{PATIENCE, secret};

/// How a client begins: a handshake record of 512 bytes, of which the rest may not come.
const HALF_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// A connection within TLS.
struct Talker(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Speaker for Talker {
    fn says(&mut self, line: &str) {
        let sent = self.0.get_mut().write_all(format!("{line}\n").as_bytes());
        sent.expect("who behaves well is not sent away");
    }

    fn hears(&mut self) -> Option<String> {
        let mut line = String::new();
        let heard = self.0.read_line(&mut line);
        assert!(heard.is_ok(), "no line came: {heard:?}; there is: {line}");
        line.pop().map(|_| line)
    }
}

/// Somebody who behaves well, and checks the certificate.
pub fn come(to: SocketAddr) -> Box<dyn Speaker> {
    Box::new(talker(to, PATIENCE).expect("the server listens"))
}

/// The first line that a newcomer is told.
pub fn greeting(to: SocketAddr, patience: Duration) -> io::Result<String> {
    let mut line = String::new();
    talker(to, patience)?.0.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn talker(to: SocketAddr, patience: Duration) -> io::Result<Talker> {
    let stream = TcpStream::connect_timeout(&to, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    let state = secret::known().connection(false);
    Ok(Talker(BufReader::new(StreamOwned::new(state, stream))))
}

/// One that has gone through its handshake, of TLS 1.3 or 1.2, and been greeted.
fn guest(visit: &mut Visit) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let stream = visit.connect(visit.doors.tls)?;
    greeted(StreamOwned::new(secret::known().connection(visit.rng.one_in(2)), stream))
}

fn greeted(
    mut guest: StreamOwned<ClientConnection, TcpStream>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    match guest.read(&mut [0; 4096])? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(guest),
    }
}

/// They do not get through their handshake.
pub fn no_handshake(visit: &mut Visit) -> io::Result<()> {
    let to = visit.doors.tls;
    match visit.rng.below(8) {
        0 => {
            let mut stream = visit.connect(to)?;
            stream.write_all(b"hello, is this the chat?\n")?;
            hear(&mut stream)
        }
        1 => {
            let mut stream = visit.connect(to)?;
            stream.write_all(HALF_HELLO)?;
            stream.write_all(&visit.garbage(&[b"\0\0\0\0", b"\x13\x01"], 150))?;
            hear_soon(&mut stream)
        }
        2 => {
            let mut stream = visit.connect(to)?;
            stream.write_all(HALF_HELLO)?;
            stream.shutdown(Shutdown::Write)?;
            hear(&mut stream)
        }
        3 => {
            let mut all = Vec::new();
            for _ in 0..CROWD {
                let mut stream = visit.connect(to)?;
                stream.write_all(HALF_HELLO)?;
                all.push(stream);
            }
            hear_soon(all.last_mut().expect("there is a crowd"))
        }
        4 => {
            // The server has signed by then, and hears no more.
            let mut stream = visit.connect(to)?;
            secret::known().connection(false).write_tls(&mut stream)?;
            hear(&mut stream)?;
            break_off(&stream)
        }
        _ => break_off(&visit.connect(to)?),
    }
}

/// They get through their handshake, and then behave badly.
pub fn talk(visit: &mut Visit) -> io::Result<()> {
    let mut guest = guest(visit)?;
    guest.write_all(visit.nick().as_bytes())?;
    guest.write_all(&visit.lines(5))?;
    let mut rest = Vec::new();
    match visit.rng.below(6) {
        0 => {
            guest.conn.send_close_notify();
            guest.flush()?;
            guest.sock.shutdown(Shutdown::Write)?;
            guest.read_to_end(&mut rest).map(drop)
        }
        1 => {
            guest.sock.shutdown(Shutdown::Write)?;
            guest.read_to_end(&mut rest).map(drop)
        }
        2 => {
            guest.sock.write_all(&visit.garbage(&[b"\x17\x03\x03\x00\x20", b"\xff\xff"], 30))?;
            guest.read_to_end(&mut rest).map(drop)
        }
        3 => {
            for byte in visit.lines(3) {
                guest.write_all(&[byte])?;
            }
            break_off(&guest.sock)
        }
        4 => {
            for _ in 0..8 {
                // It is a no for TLS 1.2.
                let _ = guest.conn.refresh_traffic_keys();
                guest.write_all(&visit.lines(1))?;
            }
            hear_soon(&mut guest.sock)
        }
        _ => break_off(&guest.sock),
    }
}

/// They ask for much, and take none of it until the others go or they are sent away.
pub fn never_read(visit: &mut Visit) -> io::Result<()> {
    let mut all = Vec::new();
    for _ in 0..CROWD / 4 {
        let stream = visit.connect_with(visit.doors.tls, Some(2048))?;
        break_off(&stream)?;
        let guest = StreamOwned::new(secret::known().connection(false), stream);
        let mut guest = greeted(guest)?;
        guest.write_all(visit.nick().as_bytes())?;
        guest.write_all(&b"/help\n".repeat(50))?;
        all.push(guest);
    }
    chaos::wait_out(visit);
    Ok(())
}
