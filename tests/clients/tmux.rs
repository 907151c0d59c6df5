//! Real terminals: telnet and nc in tmux, against the real binary, screens compared.
//!
//! Promises: each test has a tmux server of its own, which ends with it; what is to be seen is
//! waited for, and shown when it does not come. Does not say what the keys of the editor do: that
//! is tested where it is.

use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::installed;
use crate::stage::{PATIENCE, Server};

/// A tmux with one window.
struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    /// A window of 80 by 24 in which a shell obeys this; `None` without tmux.
    fn start(shell_command: &str) -> Option<Tmux> {
        installed("tmux")?;
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let tmux = Tmux { folder };
        let size = ["-x", "80", "-y", "24"];
        let begin = ["-f", "/dev/null", "new-session", "-d", "-s", "it"];
        tmux.run(&[&begin[..], &size, &[shell_command]].concat());
        Some(tmux)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.folder.path().join("socket")).args(args);
        command.env_remove("TMUX").env("TERM", "screen").env("LC_ALL", "C.UTF-8");
        let output = command.output().expect("tmux starts");
        assert!(output.status.success(), "tmux {args:?}: {output:?}");
        output
    }

    /// Keys are pressed; names such as `Enter` and `C-w` are those keys.
    fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys", "-t", "it"][..], keys].concat());
    }

    /// The rows of the screen, without the blanks behind them.
    fn rows(&self) -> Vec<String> {
        let output = self.run(&["capture-pane", "-p", "-t", "it"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(|row| row.trim_end().to_owned()).collect()
    }

    /// Waits until these are the last rows that are not empty.
    fn sees(&self, last_rows: &[&str]) {
        let start = Instant::now();
        loop {
            let mut rows = self.rows();
            while rows.last().is_some_and(String::is_empty) {
                rows.pop();
            }
            let last = &rows[rows.len().saturating_sub(last_rows.len())..];
            if last == last_rows {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{last_rows:#?} never came; on the screen: {rows:#?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.run(&["resize-window", "-t", "it", "-x", &columns, "-y", &rows]);
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It ends with its last window, which may be gone already.
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.folder.path().join("socket")).arg("kill-server");
        let _ = command.output();
    }
}

/// Half a line is typed, ten messages come, and the line is still there and is sent.
fn half_a_line_survives(server: &Server, tmux: &Tmux) {
    let mut bob = server.person("bob");
    tmux.press(&["have you seen the"]);
    tmux.sees(&["#lobby> have you seen the"]);
    for number in 1..=10 {
        bob.types(&format!("message {number}"));
    }
    let mut rows: Vec<String> = (1..=10).map(|it| format!("#lobby bob: message {it}")).collect();
    rows.push("#lobby> have you seen the".to_owned());
    tmux.sees(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    tmux.press(&[" bild", "Left", "Left", "Left", "u", "End", "?", "Enter"]);
    bob.sees("#lobby alice: have you seen the build?");
    tmux.sees(&["#lobby> have you seen the build?", "#lobby>"]);
    tmux.press(&["Up", "C-w", "C-y", "C-u", "/whi", "Tab", "bo", "Tab", "日本語 ok", "Enter"]);
    bob.sees("@alice: 日本語 ok");
}

#[test]
fn telnet_on_its_port_edits_lines_and_follows_the_size() {
    let mut server = Server::start(&["--telnet-listen", "127.0.0.1:0"]);
    if installed("telnet").is_none() {
        return;
    }
    let port = server.next_port();
    let Some(tmux) = Tmux::start(&format!("telnet 127.0.0.1 {port}; sleep 60")) else { return };
    tmux.sees(&[
        "* your lines are edited here; /help tty lists the keys, /tty off ends it",
        "name>",
    ]);
    tmux.press(&["alice", "Enter"]);
    tmux.sees(&["#lobby>"]);
    half_a_line_survives(&server, &tmux);
    tmux.resize(40, 12);
    let mut carol = server.person("carol");
    tmux.press(&["a half line"]);
    tmux.sees(&["#lobby> a half line"]);
    carol.types("one word after the other, up to the end of the row and beyond");
    tmux.sees(&[
        "#lobby carol: one word after the other,",
        "  up to the end of the row and beyond",
        "#lobby> a half line",
    ]);
    tmux.press(&["C-c", "C-d"]);
    tmux.sees(&["Connection closed by foreign host."]);
}

#[test]
fn telnet_on_the_ordinary_port_is_asked_by_a_command() {
    let server = Server::start(&[]);
    if installed("telnet").is_none() {
        return;
    }
    let port = server.port();
    let Some(tmux) = Tmux::start(&format!("telnet 127.0.0.1 {port}; sleep 60")) else { return };
    tmux.press(&["alice", "Enter", "/telnet", "Enter"]);
    tmux.sees(&[
        "* your lines are edited here; /help tty lists the keys, /tty off ends it",
        "#lobby>",
    ]);
    half_a_line_survives(&server, &tmux);
    tmux.press(&["/tty off", "Enter"]);
    tmux.sees(&["* your lines are edited by your own terminal again"]);
    tmux.press(&["typed to telnet itself"]);
    tmux.sees(&["typed to telnet itself"]);
}

#[test]
fn a_bare_terminal_edits_lines_at_nc() {
    let server = Server::start(&[]);
    let Some(nc) = installed("nc.openbsd") else { return };
    let (nc, port) = (nc.display(), server.port());
    let line = format!("stty -icanon -echo -isig; {nc} 127.0.0.1 {port}; stty sane; sleep 60");
    let Some(tmux) = Tmux::start(&line) else { return };
    tmux.sees(&["* chatline: nobody is here yet. Type a name and press Enter (or /help, quit)."]);
    tmux.press(&["/tty", "Enter"]);
    tmux.sees(&[
        "* your lines are edited here; /help tty lists the keys, /tty off ends it",
        "name>",
    ]);
    tmux.press(&["alice", "Enter"]);
    tmux.sees(&["#lobby>"]);
    half_a_line_survives(&server, &tmux);
    tmux.resize(40, 12);
    tmux.press(&["dropped", "C-c"]);
    // The size is asked for at each Enter.
    tmux.press(&["Enter"]);
    let mut carol = server.person("carol");
    tmux.press(&["x"]);
    tmux.sees(&["#lobby> x"]);
    carol.types("one word after the other, up to the end of the row and beyond");
    tmux.sees(&["  up to the end of the row and beyond", "#lobby> x"]);
}
