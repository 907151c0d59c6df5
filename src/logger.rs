//! The log: lines on standard error, written by a thread of their own.
//!
//! Promises: logging never waits for who reads the log. At most [`LINES_MAX`] lines wait; what
//! does not fit is counted, and one line says how many were lost at that place. Deliberately no
//! colours, no files, no rotation: standard error belongs to whoever started the server.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use env_logger::{Builder, Target};
use log::LevelFilter;

/// How many lines may wait for a slow reader of the log.
pub const LINES_MAX: usize = 1024;

/// How long [`Log::finish`] waits at most.
const FINISH_TIMEOUT: Duration = Duration::from_millis(200);

/// The running log.
#[derive(Debug)]
pub struct Log {
    unwritten: Arc<AtomicU64>,
}

impl Log {
    /// Waits until every line is written, or 200 ms when nobody reads them.
    pub fn finish(self) {
        let begun = Instant::now();
        while self.unwritten.load(Ordering::Acquire) > 0 && begun.elapsed() < FINISH_TIMEOUT {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Starts the log for this process; `RUST_LOG` is stronger than `level`. Fails without a thread,
/// and when a log runs already.
pub fn start(level: LevelFilter) -> io::Result<Log> {
    let (entrance, unwritten) = entrance_to(io::stderr())?;
    Builder::new()
        .filter_level(level)
        .parse_default_env()
        .format(|line, record| {
            writeln!(line, "{} {:<5} {}", line.timestamp(), record.level(), record.args())
        })
        .target(Target::Pipe(Box::new(entrance)))
        .try_init()
        .map_err(io::Error::other)?;
    Ok(Log { unwritten })
}

/// A writer that never waits, and how many of its lines are not yet in `sink`.
fn entrance_to(sink: impl Write + Send + 'static) -> io::Result<(Entrance, Arc<AtomicU64>)> {
    let (lines, waiting) = sync_channel(LINES_MAX);
    let unwritten = Arc::new(AtomicU64::new(0));
    let entrance = Entrance { lines, unwritten: Arc::clone(&unwritten), lost: 0 };
    let count = Arc::clone(&unwritten);
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write_all(waiting, sink, &count))?;
    Ok((entrance, unwritten))
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
            let notice = format!("({} lines of this log were lost here)\n", self.lost);
            if self.send(notice.into_bytes()) {
                self.lost = 0;
            }
        }
        if self.lost > 0 || !self.send(line.to_vec()) {
            self.lost += 1;
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

    #[test]
    fn a_stalled_reader_stops_nobody_and_is_told_what_it_missed() {
        let (key, opened) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (reached, has_reached) = mpsc::channel();
        let gate = Gate { reached, opened, written: Arc::clone(&written) };
        let (mut entrance, unwritten) = entrance_to(gate).unwrap();
        let sent = 3 * LINES_MAX;
        for number in 0..sent {
            entrance.write_all(format!("line {number}\n").as_bytes()).unwrap();
            if number == 0 {
                has_reached.recv().unwrap();
            }
        }
        let lost = entrance.lost;
        assert_eq!(lost, (sent - LINES_MAX - 1) as u64);

        drop(key);
        Log { unwritten: Arc::clone(&unwritten) }.finish();
        entrance.write_all(b"again\n").unwrap();
        Log { unwritten }.finish();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let end = format!("({lost} lines of this log were lost here)\nagain\n");
        assert!(text.starts_with("line 0\nline 1\n"));
        assert!(text.ends_with(&end), "{}", &text[text.len() - 100..]);
        assert_eq!(text.lines().count() as u64, sent as u64 - lost + 2);
    }

    #[test]
    fn the_end_waits_for_a_bounded_time() {
        let (_key, opened) = mpsc::channel();
        let (mut entrance, unwritten) =
            entrance_to(Gate { reached: mpsc::channel().0, opened, written: Arc::default() })
                .unwrap();
        entrance.write_all(b"never read\n").unwrap();
        let begun = Instant::now();
        Log { unwritten }.finish();
        assert!(begun.elapsed() >= FINISH_TIMEOUT);
        assert!(begun.elapsed() < FINISH_TIMEOUT * 20);
    }
}
