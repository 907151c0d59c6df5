//! A server under test: a process on a core of its own, what it costs, and its end.
//!
//! Promises: processor time and memory are the operating system's own figures, of all threads; the
//! process is killed when this is dropped, and by the kernel when the driver dies, however it does
//! (prctl(2), `PR_SET_PDEATHSIG`). Only a process itself can ask for that: a server is started as
//! this program, which asks and then becomes the server. Of a driver that was killed, a folder of a
//! server may remain. Reads /proc, and so needs Linux.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::ops::Sub;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tempfile::TempDir;

/// How long a server may take until it lets somebody in.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// A server process.
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// Kept open, so that what it prints later does not end it.
    _stdout: Option<ChildStdout>,
    /// Where its configuration is.
    folder: Option<TempDir>,
}

/// Processor time that was used, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// By user and system together.
    pub total: f64,
    /// In user and in system mode, as the kernel has sampled it: only the ratio is of use.
    ticks: (f64, f64),
}

impl Usage {
    /// The part of the total in user mode.
    pub fn user(&self) -> f64 {
        match self.ticks.0 + self.ticks.1 {
            0.0 => 0.0,
            all => self.total * self.ticks.0 / all,
        }
    }

    /// The part of the total in system mode.
    pub fn system(&self) -> f64 {
        self.total - self.user()
    }
}

impl Sub for Usage {
    type Output = Usage;

    fn sub(self, before: Usage) -> Usage {
        let ticks = (self.ticks.0 - before.ticks.0, self.ticks.1 - before.ticks.1);
        Usage { total: self.total - before.total, ticks }
    }
}

impl Server {
    /// Starts a server that prints `listening on ADDRESS:PORT`.
    pub fn start_announced(mut command: Command) -> io::Result<Server> {
        command.stdout(Stdio::piped());
        let mut child = spawn(&mut command)?;
        let mut stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening on ").and_then(|a| a.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let outcome = child.wait()?;
            let line = line.trim_end();
            return Err(io::Error::other(format!("the server did not start ({outcome}) {line}")));
        };
        Ok(Server { child, address, _stdout: Some(stdout.into_inner()), folder: None })
    }

    /// Starts a server that listens on a known port, and waits until it does.
    pub fn start_listening(
        mut command: Command,
        address: SocketAddr,
        folder: TempDir,
    ) -> io::Result<Server> {
        command.stdout(Stdio::null());
        let child = spawn(&mut command)?;
        let mut server = Server { child, address, _stdout: None, folder: Some(folder) };
        let until = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(address).is_err() {
            if let Some(outcome) = server.child.try_wait()? {
                return Err(io::Error::other(format!("the server did not start: {outcome}")));
            }
            if Instant::now() > until {
                return Err(ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The folder lasts as long as the server.
    pub fn hold(&mut self, folder: Option<TempDir>) {
        self.folder = folder;
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The processor time that all its threads have used.
    pub fn usage(&self) -> io::Result<Usage> {
        let mut total = 0.0;
        for task in fs::read_dir(self.proc("task"))? {
            // A thread may end meanwhile.
            if let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) {
                total += field(&text, 0);
            }
        }
        let stat = fs::read_to_string(self.proc("stat"))?;
        // The name of the program, in parentheses, may have blanks in it.
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        Ok(Usage { total, ticks: (field(fields, 11), field(fields, 12)) })
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> io::Result<f64> {
        match fs::read_to_string(self.proc("smaps_rollup")) {
            Ok(text) => Ok(kilobytes(&text, "Rss:")),
            Err(_) => Ok(kilobytes(&fs::read_to_string(self.proc("status"))?, "VmRSS:")),
        }
    }

    /// The most resident memory that it has had since [`Server::forget_peak`], in bytes.
    pub fn peak(&self) -> io::Result<f64> {
        Ok(kilobytes(&fs::read_to_string(self.proc("status"))?, "VmHWM:"))
    }

    /// Begins to look for the peak anew (proc(5), `clear_refs`).
    pub fn forget_peak(&self) -> io::Result<()> {
        fs::write(self.proc("clear_refs"), "5")
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn field(text: &str, index: usize) -> f64 {
    text.split_ascii_whitespace().nth(index).and_then(|it| it.parse().ok()).unwrap_or(0.0)
}

fn kilobytes(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(f64::NAN, |line| field(line, 0) * 1024.0)
}

/// A command that runs `program` with what arguments are added, and dies with this process.
pub fn tied(program: impl AsRef<OsStr>) -> Command {
    let own = std::env::current_exe().expect("a process on Linux knows its program");
    let mut command = Command::new(own);
    command.arg("--tied").arg(program);
    command
}

/// What such a command begins with: ties this process to its parent, and becomes `program`. Returns
/// only if that fails, why.
pub fn become_tied(program: &OsStr, arguments: &[OsString]) -> String {
    let cause = match set_parent_process_death_signal(Some(Signal::KILL)) {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(cause) => cause.into(),
    };
    format!("{}: {cause}", program.display())
}

/// Spawns the process on the first core, and stays on the second.
fn spawn(command: &mut Command) -> io::Result<Child> {
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let cores = cores();
    pin(cores.map(|(server, _)| server))?;
    let child = command.spawn();
    pin(cores.map(|(_, driver)| driver))?;
    child
}

/// The cores of the server and of the driver; `None` where there are no two, and nothing is pinned.
pub fn cores() -> Option<(usize, usize)> {
    // The first answer is kept: this process is pinned later.
    static CORES: std::sync::OnceLock<Option<(usize, usize)>> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| {
        let set = sched_getaffinity(None).ok()?;
        let mut ours = (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core));
        Some((ours.next()?, ours.next()?))
    })
}

fn pin(core: Option<usize>) -> io::Result<()> {
    let Some(core) = core else { return Ok(()) };
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}
