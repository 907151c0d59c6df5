//! Real clients: finding their programs and running them to their end.
//!
//! Promises: a program that is not on this machine is skipped with a line on standard error, or is
//! a failure where `CHATLINE_CLIENTS=required`; a program that hangs is ended after [`PATIENCE`];
//! a failed expectation shows the command and everything that it printed. Does not interpret what
//! a client prints.

use std::env;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::stage::PATIENCE;

/// How long a client may take to end by itself: generous, for a busy machine.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// The command of a client with `HOST` and `PORT` filled in; nothing when the program is missing
/// and may be.
pub fn client(words: &[&str], port: u16) -> Option<Command> {
    let mut command = Command::new(installed(words[0])?);
    for word in &words[1..] {
        command.arg(word.replace("HOST", "127.0.0.1").replace("PORT", &port.to_string()));
    }
    Some(command)
}

/// Where the program of a client is; nothing, aloud, when it is missing and may be.
pub fn installed(name: &str) -> Option<PathBuf> {
    let program = find(name);
    if program.is_none() {
        let required = env::var("CHATLINE_CLIENTS").is_ok_and(|value| value == "required");
        assert!(!required, "{name} is not installed, and required here");
        // Not by a macro, whose output the test runner keeps to itself when the test passes.
        let _ = writeln!(std::io::stderr(), "skipped: {name} is not installed");
    }
    program
}

/// Where a program is, by its Debian name; `nc.openbsd` and `nc.traditional` may be called `nc`.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let on_path =
        |name: &str| env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    let mark = match name {
        "nc.openbsd" => "OpenBSD netcat",
        "nc.traditional" => "[v1.10",
        _ => return on_path(name),
    };
    on_path(name).or_else(|| {
        let nc = on_path("nc")?;
        let help = Command::new(&nc).arg("-h").stdin(Stdio::null()).output().ok()?;
        let text = [help.stdout, help.stderr].concat();
        String::from_utf8_lossy(&text).contains(mark).then_some(nc)
    })
}

/// What became of a client.
pub struct Ran {
    command: String,
    output: String,
    errors: String,
    took: Duration,
    code: Option<i32>,
    hung: bool,
}

/// Runs a client, gives it this input and, `linger` later, the end of its input.
pub fn run(mut command: Command, input: &[u8], linger: Duration) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().expect("a program that was found starts");
    let mut stdin = child.stdin.take().expect("its input is piped");
    let mut stdout = child.stdout.take().expect("its output is piped");
    let mut stderr = child.stderr.take().expect("its errors are piped");
    thread::scope(|scope| {
        scope.spawn(move || {
            // A client that ends before its input does is judged by what it printed.
            let _ = stdin.write_all(input);
            thread::sleep(linger);
        });
        let output = scope.spawn(move || text(&mut stdout));
        let errors = scope.spawn(move || text(&mut stderr));
        let (code, hung) = end(&mut child);
        Ran {
            took: start.elapsed().saturating_sub(linger),
            command: format!("{command:?}"),
            output: output.join().expect("reading does not panic"),
            errors: errors.join().expect("reading does not panic"),
            code,
            hung,
        }
    })
}

fn text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("a pipe can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end of a child, or brings it about: its exit code, and whether it hung.
fn end(child: &mut Child) -> (Option<i32>, bool) {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return (status.code(), false);
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("a child can be killed");
    child.wait().expect("a child can be waited for");
    (None, true)
}

impl Ran {
    /// Holds when the client ended by itself in time.
    pub fn ended(&self) -> &Ran {
        assert!(!self.hung && self.took < ENDS_WITHIN, "did not end in time: {self}");
        self
    }

    /// Holds when the client printed this.
    pub fn printed(&self, text: &str) -> &Ran {
        assert!(self.output.contains(text), "did not print {text:?}: {self}");
        self
    }

    /// All that the client printed.
    pub fn output(&self) -> &str {
        &self.output
    }

    /// Holds when the client printed no line that begins like this.
    pub fn printed_no_line(&self, beginning: &str) -> &Ran {
        let line = self.output.lines().find(|line| line.starts_with(beginning));
        assert!(line.is_none(), "printed {line:?}: {self}");
        self
    }

    /// Holds when this stood in what the client wrote to standard error.
    pub fn complained(&self, text: &str) -> &Ran {
        assert!(self.errors.contains(text), "did not complain of {text:?}: {self}");
        self
    }

    /// Holds when the client ended with this exit code.
    pub fn exited(&self, code: i32) -> &Ran {
        assert!(self.code == Some(code), "did not exit with {code}: {self}");
        self
    }

    /// From the end of its input, as far as lingering shows it, to the end of the client.
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran { command, output, errors, took, code, hung } = self;
        writeln!(f, "{command}\n  took {took:?}, exit code {code:?}, hung: {hung}")?;
        write!(f, "  stdout:\n{output}\n  stderr:\n{errors}")
    }
}
