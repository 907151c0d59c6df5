//! The log: lines of `key=value` on standard error, written by a thread of their own.
//!
//! A record's message is the name of what has happened, one word; all else is in its pairs.
//! Promises: each record is one line, whatever stands in its values; logging never waits for who
//! reads the log. At most [`LINES_MAX`] lines wait; what does not fit is counted, and one line says
//! how many were lost at that place. Deliberately no colours, no files, no rotation: standard error
//! belongs to whoever started the server.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use env_logger::{Builder, Target};
use jiff::Timestamp;
use log::kv::{self, Key, Value, VisitSource};
use log::{Level, LevelFilter, Record};

/// How many lines may wait for a slow reader of the log.
pub const LINES_MAX: usize = 1024;

/// How long [`Log::finish`] waits at most.
const FINISH_TIMEOUT: Duration = Duration::from_millis(200);

/// The running log.
#[derive(Debug)]
pub struct Log {
    unwritten: Arc<AtomicU64>,
    lines_lost: Arc<AtomicU64>,
}

impl Log {
    /// How many lines were lost so far, also while it goes on.
    pub fn lines_lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lines_lost)
    }

    /// Waits until every line is written, or 200 ms when nobody reads them.
    pub fn finish(self) {
        let begun = Instant::now();
        while self.unwritten.load(Ordering::Acquire) > 0 && begun.elapsed() < FINISH_TIMEOUT {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Starts the log for this process; `RUST_LOG` is stronger than `level`, which
/// [`log::set_max_level`] changes. Fails without a thread, and when a log runs already.
pub fn start(level: LevelFilter) -> io::Result<Log> {
    let (entrance, log) = entrance_to(io::stderr())?;
    let is_decided = std::env::var_os("RUST_LOG").is_some();
    Builder::new()
        // What is logged at all is for one place to decide, which can be changed.
        .filter_level(if is_decided { level } else { LevelFilter::Trace })
        .parse_default_env()
        .format(|out, record| out.write_all(line_of(record, Timestamp::now()).as_bytes()))
        .target(Target::Pipe(Box::new(entrance)))
        .try_init()
        .map_err(io::Error::other)?;
    if !is_decided {
        log::set_max_level(level);
    }
    Ok(log)
}

/// One line: when, how grave, and the pairs.
fn line_of(record: &Record<'_>, at: Timestamp) -> String {
    let mut line = Line::new(at, record.level());
    let message = record.args().to_string();
    if record.target().starts_with(env!("CARGO_PKG_NAME")) {
        line.pair("event", &message);
    } else {
        // A library does not know what an event is.
        line.pair("event", "library");
        line.pair("target", record.target());
        line.pair("text", &message);
    }
    // A pair that cannot be shown is left out, and so are those after it.
    let _ = record.key_values().visit(&mut line);
    line.end()
}

/// A line that is being written.
struct Line(String);

impl Line {
    fn new(at: Timestamp, level: Level) -> Line {
        Line(format!("{at:.3} {level}"))
    }

    fn pair(&mut self, key: &str, value: &str) {
        // Nothing refuses to be written into a string.
        let _ = write!(self.0, " {key}=");
        if !value.is_empty() && value.chars().all(is_bare) {
            self.0 += value;
            return;
        }
        self.0.push('"');
        for char in value.chars() {
            match char {
                ' ' | '\'' => self.0.push(char),
                _ => self.0.extend(char.escape_debug()),
            }
        }
        self.0.push('"');
    }

    fn end(mut self) -> String {
        self.0.push('\n');
        self.0
    }
}

impl<'kvs> VisitSource<'kvs> for Line {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        self.pair(key.as_str(), &value.to_string());
        Ok(())
    }
}

/// Whether a value with such a character can stand without quotes.
fn is_bare(char: char) -> bool {
    !matches!(char, ' ' | '"' | '=' | '\\') && (char == '\'' || char.escape_debug().count() == 1)
}

/// A writer that never waits, and what is known of its lines on their way to `sink`.
fn entrance_to(sink: impl Write + Send + 'static) -> io::Result<(Entrance, Log)> {
    let (lines, waiting) = sync_channel(LINES_MAX);
    let log = Log { unwritten: Arc::default(), lines_lost: Arc::default() };
    let unwritten = Arc::clone(&log.unwritten);
    let entrance = Entrance { lines, unwritten, lost: 0, lines_lost: log.lines_lost() };
    let count = Arc::clone(&log.unwritten);
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write_all(waiting, sink, &count))?;
    Ok((entrance, log))
}

fn write_all(waiting: Receiver<Vec<u8>>, mut sink: impl Write, unwritten: &AtomicU64) {
    for line in waiting {
        // There is nobody left to tell that the log itself cannot be written.
        let _ = sink.write_all(&line).and_then(|()| sink.flush());
        unwritten.fetch_sub(1, Ordering::Release);
    }
}

/// Where lines go in. Each call of `write` is one whole line, as env_logger makes them.
struct Entrance {
    lines: SyncSender<Vec<u8>>,
    /// Counts what is in the channel and what is being written.
    unwritten: Arc<AtomicU64>,
    /// How many lines found no place since the last one that did.
    lost: u64,
    /// How many did not in all.
    lines_lost: Arc<AtomicU64>,
}

impl Entrance {
    fn send(&self, line: Vec<u8>) -> bool {
        // Before sending, so that the writer never counts below zero.
        self.unwritten.fetch_add(1, Ordering::AcqRel);
        match self.lines.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.unwritten.fetch_sub(1, Ordering::AcqRel);
                false
            }
        }
    }
}

impl Write for Entrance {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lost > 0 {
            let mut notice = Line::new(Timestamp::now(), Level::Warn);
            notice.pair("event", "log_lines_lost");
            notice.pair("count", &self.lost.to_string());
            if self.send(notice.end().into_bytes()) {
                self.lost = 0;
            }
        }
        if self.lost > 0 || !self.send(line.to_vec()) {
            self.lost += 1;
            self.lines_lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::{Mutex, mpsc};

    /// A sink that writes nothing until it is let, and says when it would.
    struct Gate {
        reached: mpsc::Sender<()>,
        opened: mpsc::Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Nobody may care any more; an error of the other means that the gate stays open.
            let _ = self.reached.send(());
            let _ = self.opened.recv();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(target: &str, message: &str, pairs: &[(&str, &str)]) -> String {
        let at: Timestamp = "2026-11-22T01:02:03.4567Z".parse().unwrap();
        let mut record = Record::builder();
        record.level(Level::Info).target(target).key_values(&pairs);
        let line = line_of(&record.args(format_args!("{message}")).build(), at);
        let rest = line.strip_prefix("2026-11-22T01:02:03.456Z INFO ").unwrap();
        rest.strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn a_record_is_one_line_of_pairs() {
        let pairs = [("peer", "[::1]:9"), ("nick", "Zo\u{eb}"), ("seconds", "3"), ("why", "")];
        assert_eq!(
            shown("chatline::net", "gone", &pairs),
            "event=gone peer=[::1]:9 nick=Zo\u{eb} seconds=3 why=\"\""
        );
        let text = shown("mio::poll", "registering it", &[]);
        assert_eq!(text, "event=library target=mio::poll text=\"registering it\"");
    }

    #[test]
    fn no_value_looks_like_another_line_or_pair() {
        for (value, seen) in [
            ("two words", "\"two words\""),
            ("a=b", "\"a=b\""),
            ("it's", "it's"),
            ("say \"hi\"", r#""say \"hi\"""#),
            ("back\\slash", r#""back\\slash""#),
            ("end\n2026 INFO event=refused peer=1", r#""end\n2026 INFO event=refused peer=1""#),
            ("\u{1b}[2J\r\0", r#""\u{1b}[2J\r\0""#),
            ("a\u{202e}b\u{2028}c", r#""a\u{202e}b\u{2028}c""#),
        ] {
            assert_eq!(shown("chatline", "it", &[("key", value)]), format!("event=it key={seen}"));
        }
    }

    #[test]
    fn a_stalled_reader_stops_nobody_and_is_told_what_it_missed() {
        let (key, opened) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (reached, has_reached) = mpsc::channel();
        let gate = Gate { reached, opened, written: Arc::clone(&written) };
        let (mut entrance, log) = entrance_to(gate).unwrap();
        let sent = 3 * LINES_MAX;
        for number in 0..sent {
            entrance.write_all(format!("line {number}\n").as_bytes()).unwrap();
            if number == 0 {
                has_reached.recv().unwrap();
            }
        }
        let lost = entrance.lost;
        assert_eq!(log.lines_lost().load(Ordering::Relaxed), lost);
        assert_eq!(lost, (sent - LINES_MAX - 1) as u64);

        drop(key);
        let unwritten = Arc::clone(&log.unwritten);
        log.finish();
        entrance.write_all(b"again\n").unwrap();
        Log { unwritten, lines_lost: Arc::default() }.finish();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let end = format!(" WARN event=log_lines_lost count={lost}\nagain\n");
        assert!(text.starts_with("line 0\nline 1\n"));
        assert!(text.ends_with(&end), "{}", &text[text.len() - 100..]);
        assert_eq!(text.lines().count() as u64, sent as u64 - lost + 2);
    }

    #[test]
    fn the_end_waits_for_a_bounded_time() {
        let (_key, opened) = mpsc::channel();
        let (mut entrance, log) =
            entrance_to(Gate { reached: mpsc::channel().0, opened, written: Arc::default() })
                .unwrap();
        entrance.write_all(b"never read\n").unwrap();
        let begun = Instant::now();
        log.finish();
        assert!(begun.elapsed() >= FINISH_TIMEOUT);
        assert!(begun.elapsed() < FINISH_TIMEOUT * 20);
    }
}
