//! What the kernel says of a server's process, and what it lets a test do to it.
//!
//! Linux has all of it in `/proc` (proc(5)); elsewhere the tests that need it are not built.

use std::io;
use std::net::TcpStream;
#[cfg(target_os = "linux")]
use std::{fs, thread, time::Duration};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

use crate::world::PATIENCE;
use crate::world::on_tcp::ServerProcess;
#[cfg(target_os = "linux")]
use crate::world::on_tcp::wait_for;

/// Lets this process have as many descriptors as the hard limit allows.
pub fn allow_many_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    // Where it is unlimited a system may refuse; then the tests go as far as they come.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// A connection whose kernel takes in only a few kilobytes for it.
pub fn connect_with_little_room(server: &ServerProcess) -> TcpStream {
    let connect = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_recv_buffer_size(4096)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.connect_timeout(&server.address().into(), PATIENCE)?;
        Ok(socket)
    };
    connect().expect("the server listens").into()
}

/// The fields of `/proc/PID/stat` behind the name of the program; the first is the state.
#[cfg(target_os = "linux")]
fn stat(server: &ServerProcess) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{}/stat", server.id())).expect("it runs");
    let (_, fields) = text.rsplit_once(") ").expect("the name is in parentheses");
    fields.split_whitespace().map(str::to_owned).collect()
}

/// Stops the process where it stands, until it is thawed.
#[cfg(target_os = "linux")]
pub fn freeze(server: &ServerProcess) {
    server.signal(Signal::STOP);
    wait_for(|| (stat(server)[0] == "T").then_some(())).expect("a stopped process stops");
}

/// Lets a frozen process go on.
pub fn thaw(server: &ServerProcess) {
    server.signal(Signal::CONT);
}

/// How much of a second the server computes, in hundredths, while nothing should happen.
#[cfg(target_os = "linux")]
pub fn busy_hundredths(server: &ServerProcess) -> u64 {
    // User and system time, in ticks; there are a hundred a second on every Linux.
    let ticks = || -> u64 { stat(server)[11..13].iter().map(|n| n.parse::<u64>().unwrap()).sum() };
    let before = ticks();
    thread::sleep(Duration::from_secs(1));
    ticks() - before
}

/// The server's resident memory in bytes.
#[cfg(target_os = "linux")]
pub fn resident_bytes(server: &ServerProcess) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("it is a number") * 1024
}
