//! The real binary as a child process, and peers on real sockets.
//!
//! Everything that waits does so for at most [`PATIENCE`](super::PATIENCE) and then fails with
//! what it was waiting for and what it had by then. A [`ServerProcess`] that is dropped is killed
//! and waited for.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::PATIENCE;

/// How long to sleep between two looks at something.
const BLINK: Duration = Duration::from_millis(2);

/// Looks again and again until there is something, for as long as patience lasts.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if started.elapsed() > PATIENCE {
            return None;
        }
        thread::sleep(BLINK);
    }
}

/// A running server.
pub struct ServerProcess {
    child: Child,
    addresses: Vec<SocketAddr>,
    stderr: Arc<Mutex<String>>,
    /// Where what is said is kept, until the server is gone.
    folder: Option<TempDir>,
}

impl ServerProcess {
    /// Starts the binary on a free port of this machine with further flags, in a zone that is UTC
    /// and with none of the server's own environment variables. What is said is kept in a file of
    /// its own, unless the flags say where; beside it is its console.
    pub fn start(flags: &[String]) -> ServerProcess {
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0"]).args(flags);
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        if !flags.iter().any(|flag| flag.starts_with("--admin")) {
            command.arg("--admin").arg(folder.path().join("console"));
        }
        let is_kept = cfg!(feature = "store");
        if is_kept && !flags.iter().any(|flag| flag.starts_with("--data")) {
            command.arg("--data").arg(folder.path().join("chatline.db"));
        }
        let mut server = ServerProcess::spawn(command, 1);
        server.folder = Some(folder);
        server
    }

    /// After this one has ended: starts another one that goes on with what it kept.
    pub fn successor(&mut self, flags: &[String]) -> ServerProcess {
        let folder = self.folder.take().expect("the server has kept something");
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0"]).args(flags);
        command.arg("--data").arg(folder.path().join("chatline.db"));
        command.arg("--admin").arg(folder.path().join("console"));
        let mut server = ServerProcess::spawn(command, 1);
        server.folder = Some(folder);
        server
    }

    /// The command that [`ServerProcess::start`] runs, still without arguments; nothing is kept.
    pub fn command() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatline"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CHATLINE_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.env("TZ", "UTC").env("CHATLINE_DATA", "none");
        command
    }

    /// As [`ServerProcess::command`], run by a shell script that ends with `exec "$0" "$@"`.
    pub fn command_through(script: &str) -> Command {
        let server = ServerProcess::command();
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(server.get_program());
        for (name, value) in server.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs a command and waits until it has said `listeners` times that it is listening.
    pub fn spawn(command: Command, listeners: usize) -> ServerProcess {
        ServerProcess::spawn_writing_to([Stdio::piped(), Stdio::piped()], command, listeners)
    }

    /// As [`ServerProcess::spawn`], with a standard output and a standard error that need not be
    /// pipes to the test. What is not is not read: no listeners are found, or no log is kept.
    pub fn spawn_writing_to(
        [stdout, stderr]: [Stdio; 2],
        mut command: Command,
        listeners: usize,
    ) -> ServerProcess {
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().expect("the binary was built");
        let stderr = Arc::new(Mutex::new(String::new()));
        let (sender, receiver) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    // The port may be followed by further words.
                    let address = line.strip_prefix("listening on ");
                    let address =
                        address.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
                    if let Some(address) = address {
                        let _ = sender.send(address);
                    }
                }
            });
        }
        if let Some(errors) = child.stderr.take() {
            let (log, mut errors) = (Arc::clone(&stderr), BufReader::new(errors));
            thread::spawn(move || {
                let mut line = Vec::new();
                while errors.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                    log.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            });
        }
        let mut server = ServerProcess { child, addresses: Vec::new(), stderr, folder: None };
        while server.addresses.len() < listeners {
            match receiver.recv_timeout(PATIENCE) {
                Ok(address) => server.addresses.push(address),
                Err(_) => panic!("the server is not listening; it said: {}", server.log()),
            }
        }
        server
    }

    /// Where it listens; the first of several.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Everywhere it listens, in the order in which it said so.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where its console is.
    pub fn console_path(&self) -> PathBuf {
        self.folder.as_ref().expect("the server has a folder").path().join("console")
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// A peer, connected.
    pub fn connect(&self) -> Peer {
        Peer::connect(self.address())
    }

    /// A peer who has taken that name and read the welcome.
    pub fn person(&self, nick: &str) -> Peer {
        let mut peer = self.connect();
        peer.send_line(nick);
        peer.line_that_starts(&format!("* you are {nick}"));
        peer
    }

    /// Tells it to stop (SIGTERM).
    pub fn stop(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).expect("the child was not waited for");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let status = wait_for(|| self.child.try_wait().expect("it is our child"));
        status.unwrap_or_else(|| panic!("the server does not end; it said: {}", self.log()))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a peer is connected with.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One end of a connection to a server.
pub struct Peer {
    stream: Stream,
    /// What has arrived and was not taken yet.
    arrived: Vec<u8>,
    is_disconnected: bool,
    was_reset: bool,
}

impl Peer {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Peer {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the server listens");
        Peer::on(stream)
    }

    /// A peer on a stream that is connected already.
    pub fn on(stream: TcpStream) -> Peer {
        stream.set_nonblocking(true).expect("a socket can be non-blocking");
        stream.set_nodelay(true).expect("a socket need not wait");
        Peer::with(Stream::Tcp(stream))
    }

    /// A peer at a console.
    pub fn at_console(path: &Path) -> Peer {
        let stream = UnixStream::connect(path).expect("there is a console");
        stream.set_nonblocking(true).expect("a socket can be non-blocking");
        Peer::with(Stream::Unix(stream))
    }

    fn with(stream: Stream) -> Peer {
        Peer { stream, arrived: Vec::new(), is_disconnected: false, was_reset: false }
    }

    /// Where it comes from, as the server sees it.
    pub fn address(&self) -> SocketAddr {
        let Stream::Tcp(stream) = &self.stream else { panic!("a console has no address") };
        stream.local_addr().expect("the socket is bound")
    }

    /// Sends bytes, all of them if the server still takes them; whether it did. What arrives
    /// meanwhile is kept, so that two full buffers never face each other.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let sent = wait_for(|| {
            while !rest.is_empty() {
                match self.stream.write(rest) {
                    Ok(count) => rest = &rest[count..],
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.look();
                        return None;
                    }
                    Err(_) => return Some(false),
                }
            }
            Some(true)
        });
        sent.unwrap_or_else(|| panic!("the server takes no more; {} bytes are left", rest.len()))
    }

    /// Sends a line and its end.
    pub fn send_line(&mut self, line: &str) -> bool {
        self.send(format!("{line}\n").as_bytes())
    }

    /// Moves what the kernel holds to what has arrived, without waiting.
    fn look(&mut self) {
        let mut buffer = [0; 16 * 1024];
        while !self.is_disconnected {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.is_disconnected = true,
                Ok(count) => self.arrived.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.is_disconnected = true;
                    self.was_reset = true;
                }
            }
        }
    }

    /// Takes everything that has arrived, without waiting.
    pub fn take(&mut self) -> Vec<u8> {
        self.look();
        std::mem::take(&mut self.arrived)
    }

    /// Whether the server has closed its direction, or reset; looks without waiting.
    pub fn is_disconnected(&mut self) -> bool {
        self.look();
        self.is_disconnected
    }

    /// Whether the connection ended with a reset instead of an end of input.
    pub fn was_reset(&self) -> bool {
        self.was_reset
    }

    /// Whether something has arrived that was not taken yet; looks without waiting.
    pub fn has_arrived(&mut self) -> bool {
        self.look();
        !self.arrived.is_empty()
    }

    /// The next line, without its line feed; `None` when the connection ends before it does.
    pub fn line(&mut self) -> Option<String> {
        let line = wait_for(|| {
            self.look();
            if let Some(end) = self.arrived.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.arrived.drain(..=end).collect();
                return Some(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            self.is_disconnected.then_some(None)
        });
        line.unwrap_or_else(|| panic!("no line came; there is: {}", self.shown()))
    }

    /// Skips lines up to the first that begins with `start`, and returns that one.
    pub fn line_that_starts(&mut self, start: &str) -> String {
        loop {
            match self.line() {
                Some(line) if line.starts_with(start) => return line,
                Some(_) => {}
                None => panic!("the server closed before a line that starts with: {start}"),
            }
        }
    }

    /// Everything up to the end of the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let ended = wait_for(|| self.is_disconnected().then_some(()));
        assert!(ended.is_some(), "the server does not close; there is: {}", self.shown());
        self.take()
    }

    /// Ends this end's input (half-close); it still reads.
    pub fn end(&mut self) {
        // The server may have reset by now; then there is no input left to end.
        let _ = match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }

    /// Closes both ways.
    pub fn close(self) {}

    /// Breaks the connection.
    pub fn reset(self) {
        let Stream::Tcp(stream) = &self.stream else { return };
        let socket = socket2::SockRef::from(stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a socket can linger");
    }

    fn shown(&self) -> String {
        super::escape::shown(&self.arrived)
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(bytes),
            Stream::Unix(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
