//! The server under test and the people who are already in it when a client comes.
//!
//! Promises: each server is a process of its own on a free port of this machine, untouched by the
//! environment of the tests, and gone when its value is dropped; nobody waits longer than
//! [`PATIENCE`]. Does not know how the server words anything beyond what the protocol fixes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub struct Server {
    child: Child,
    port: u16,
    stdout: BufReader<ChildStdout>,
    /// Where what is said is kept.
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with these flags besides `--listen`, and waits until it listens.
    pub fn start(flags: &[&str]) -> Server {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        Server::start_at(0, folder, flags)
    }

    /// Kills the server, and starts one at the same port that knows what this one has kept.
    pub fn again(self) -> Server {
        let port = self.port;
        let mut server = self;
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let folder = std::mem::replace(&mut server.folder, folder);
        drop(server);
        Server::start_at(port, folder, &[])
    }

    fn start_at(port: u16, folder: tempfile::TempDir, flags: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatline"));
        command.args(["--listen", &format!("127.0.0.1:{port}")]).args(flags);
        if cfg!(feature = "store") {
            command.arg("--data").arg(folder.path().join("chatline.db"));
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CHATLINE_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the server starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut first = String::new();
        stdout.read_line(&mut first).expect("its output is text");
        let port = first.trim().strip_prefix("listening on 127.0.0.1:");
        let port = port.and_then(|digits| digits.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the server's first line is {first:?}"));
        Server { child, port, stdout, folder }
    }

    /// The port that the server listens on, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next port that it has said it listens on, of a server that has several.
    pub fn next_port(&mut self) -> u16 {
        loop {
            let mut line = String::new();
            let bytes = self.stdout.read_line(&mut line).expect("its output is text");
            assert!(bytes > 0, "the server says where else it listens");
            let rest = line.strip_prefix("listening on 127.0.0.1:");
            if let Some(port) = rest.and_then(|rest| rest.split_whitespace().next()) {
                return port.parse().expect("a port is a number");
            }
        }
    }

    /// A new connection that has said and read nothing yet.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server accepts");
        stream.set_nodelay(true).expect("an option can be set");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream
    }

    /// A person who has connected and taken this name.
    pub fn person(&self, nick: &str) -> Person {
        let mut person = Person { stream: BufReader::new(self.connect()) };
        person.types(nick);
        person.sees(&format!("* you are {nick}"));
        person
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is for the test to notice.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody at a raw socket.
pub struct Person {
    stream: BufReader<TcpStream>,
}

impl Person {
    /// Types a line and presses Enter.
    pub fn types(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.stream.get_mut().write_all(line.as_bytes()).expect("the server takes a line");
    }

    /// The next line, without its end.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line arrives in time and is UTF-8");
        assert!(line.ends_with('\n'), "the connection ended behind {line:?}");
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        line
    }

    /// Reads up to the first line that begins like this, and returns it.
    pub fn sees(&mut self, beginning: &str) -> String {
        let start = Instant::now();
        let mut other = Vec::new();
        while start.elapsed() < PATIENCE {
            let line = self.next_line();
            if line.starts_with(beginning) {
                return line;
            }
            other.push(line);
        }
        panic!("no line began with {beginning:?} among {other:#?}");
    }
}
