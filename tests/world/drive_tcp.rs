//! Plays a transcript on the real binary over TCP, and gathers what each person sees from first
//! to last. Nothing is said of when anything is seen.
//!
//! After each step a barrier waits until the server has done everything that the step asked of
//! it: a connection of its own, without a name and so nobody's company, has a line refused, twice;
//! what the step sent was read before the first answer, and what followed from it was written
//! before the second.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::PATIENCE;
use super::compare::{Streams, joined, masked, secrets_in, seen_in, streams_differ};
use super::on_tcp::{Peer, ServerProcess, wait_for};
use super::script::{Action, Script, Seen};

/// How much longer than the transcript says a stretch of steps may take before the server's own
/// timers may have come in between, so that a difference says nothing.
const SLACK: Duration = Duration::from_millis(150);

/// How often a transcript is played at most when the machine was too slow to tell.
const TRIES: usize = 5;

/// Whether a script can be played here: a loopback has one address, a kernel buffers more than a
/// test wants to fill, and time really passes.
pub fn is_playable(script: &Script) -> bool {
    if waits(script) > PATIENCE {
        return false;
    }
    script.steps.iter().all(|step| {
        !matches!(
            step.action,
            Action::Connect(_, Some(_))
                | Action::StopReading(_)
                | Action::ReadOn(_)
                | Action::Invite(_)
                | Action::Store(_)
        )
    })
}

/// How long a transcript waits in all.
pub fn waits(script: &Script) -> Duration {
    let waits = script.steps.iter().map(|step| match step.action {
        Action::Wait(time) => time,
        _ => Duration::ZERO,
    });
    waits.sum()
}

/// Plays a transcript; returns reports of what differs.
pub fn play(script: &Script) -> Vec<String> {
    let mut tries = 0;
    loop {
        tries += 1;
        let mut play = Play::start(script);
        let differences = match play.run() {
            Ok(()) => streams_differ(script, &play.streams()),
            Err(error) => vec![error],
        };
        if differences.is_empty() || !play.was_slow || tries == TRIES {
            return differences;
        }
    }
}

struct Person {
    /// The present connection; `None` after it was closed from here.
    peer: Option<Peer>,
    /// Everything seen, over all connections.
    seen: Vec<Seen>,
    is_over: bool,
}

struct Play<'a> {
    script: &'a Script,
    server: ServerProcess,
    barrier: Option<Peer>,
    people: BTreeMap<String, Person>,
    /// Whether the machine took so long over a step that timers may have fired in between, or a
    /// second began that does not in the transcript.
    was_slow: bool,
}

impl<'a> Play<'a> {
    fn start(script: &'a Script) -> Play<'a> {
        let server = ServerProcess::start(&with_room_for_barrier(&script.flags));
        let barrier = Some(server.connect());
        Play { script, server, barrier, people: BTreeMap::new(), was_slow: false }
    }

    fn run(&mut self) -> Result<(), String> {
        let started = SystemTime::now();
        let run = self.run_steps();
        // A second that began meanwhile shows where times of day are subtracted.
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
        let passed = seconds(SystemTime::now()).saturating_sub(seconds(started));
        self.was_slow |= passed != waits(self.script).as_secs();
        run
    }

    fn run_steps(&mut self) -> Result<(), String> {
        let mut stretch = Instant::now();
        for (index, step) in self.script.steps.iter().enumerate() {
            let wrong = |error| format!("{}:{}: {error}", self.script.name, step.line);
            if let Action::Wait(time) = step.action {
                self.was_slow |= stretch.elapsed() > SLACK;
                thread::sleep(time);
                stretch = Instant::now();
            } else {
                self.act(&step.action, index).map_err(wrong)?;
            }
            self.await_barrier();
            self.look();
            self.await_answers(index);
        }
        self.was_slow |= stretch.elapsed() > SLACK;
        let all = self.script.steps.len();
        let people: Vec<String> = self.people.keys().cloned().collect();
        people.iter().for_each(|who| self.catch_up(who, all));
        if self.barrier.is_none() {
            // Who has seen the end closes, as clients do.
            self.people.values_mut().filter(|it| it.is_over).for_each(|it| it.peer = None);
            let status = self.server.wait();
            if !status.success() {
                return Err(format!("{}: the server ended with {status}", self.script.name));
            }
        }
        self.await_barrier();
        self.look();
        Ok(())
    }

    fn act(&mut self, action: &Action, index: usize) -> Result<(), String> {
        match action {
            Action::Connect(who, _) => self.begin(who, self.server.connect()),
            Action::OpenConsole(who) => {
                let peer = Peer::at_console(&self.server.console_path());
                self.begin(who, peer);
            }
            Action::Send(who, bytes) => {
                let bytes = self.with_secrets(bytes, index);
                self.peer(who)?.send(&bytes);
            }
            Action::End(who) => self.peer(who)?.end(),
            Action::Close(who) | Action::Reset(who) => {
                self.peer(who)?;
                self.catch_up(who, index);
                let person = self.people.get_mut(who).expect("the peer is somebody's");
                person.is_over = true;
                let peer = person.peer.take().expect("it was there just now");
                match action {
                    Action::Reset(_) => peer.reset(),
                    _ => peer.close(),
                }
            }
            Action::Stop => {
                self.barrier = None;
                self.server.stop();
            }
            Action::Restart(flags) => {
                self.barrier = None;
                self.server.stop();
                let status = self.server.wait();
                if !status.success() {
                    return Err(format!("the server ended with {status}"));
                }
                let people: Vec<String> = self.people.keys().cloned().collect();
                people.iter().for_each(|who| self.catch_up(who, index + 1));
                let flags = flags.as_ref().unwrap_or(&self.script.flags);
                self.server = self.server.successor(&with_room_for_barrier(flags));
                self.barrier = Some(self.server.connect());
            }
            Action::StopReading(_)
            | Action::ReadOn(_)
            | Action::Invite(_)
            | Action::Store(_)
            | Action::Wait(_) => {
                unreachable!("not played here, or played by the caller")
            }
        }
        Ok(())
    }

    /// What somebody types, with the secrets that were told in this run in place of those that are
    /// written.
    fn with_secrets(&self, bytes: &[u8], index: usize) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
        let mut typed = text.to_owned();
        for (who, person) in &self.people {
            let steps = self.script.steps[..index].iter().flat_map(|step| &step.expected);
            let written: Vec<Seen> =
                steps.filter(|it| it.who == *who).map(|it| it.seen.clone()).collect();
            let (written, told) = (format!("{written:?}"), format!("{:?}", person.seen));
            for (written, told) in secrets_in(&written).iter().zip(secrets_in(&told)) {
                typed = typed.replace(written, told);
            }
        }
        typed.into_bytes()
    }

    fn begin(&mut self, who: &str, peer: Peer) {
        let peer = Some(peer);
        match self.people.get_mut(who) {
            Some(person) => {
                person.peer = peer;
                person.is_over = false;
            }
            None => {
                let person = Person { peer, seen: Vec::new(), is_over: false };
                self.people.insert(who.to_owned(), person);
            }
        }
    }

    fn peer(&mut self, who: &str) -> Result<&mut Peer, String> {
        let peer = self.people.get_mut(who).and_then(|person| person.peer.as_mut());
        peer.ok_or_else(|| format!("{who} is not connected"))
    }

    /// Waits until the server has done everything that was asked of it before.
    fn await_barrier(&mut self) {
        // There is none once the server was told to stop: it ends, and that is waited for.
        let Some(barrier) = &mut self.barrier else { return };
        if self.script.flags.iter().any(|flag| flag == "--pace") {
            // Each connection has a burst; the pace that follows would hold the transcript up.
            *barrier = self.server.connect();
        }
        for _ in 0..2 {
            barrier.send_line("/barrier");
            let is_refused = |line: &String| line.starts_with("! unknown-command ");
            while let Some(line) = barrier.line() {
                if is_refused(&line) {
                    break;
                }
            }
        }
        // It may have been let go, as somebody who gives no name is.
        if barrier.is_disconnected() {
            self.barrier = Some(self.server.connect());
            self.await_barrier();
        }
    }

    /// Waits until whoever sees something in a step has seen it: an answer may be under way.
    fn await_answers(&mut self, index: usize) {
        let expected = self.script.steps[index].expected.iter();
        let who: BTreeSet<String> = expected.map(|line| line.who.clone()).collect();
        who.iter().for_each(|who| self.catch_up(who, index + 1));
    }

    /// Takes what has arrived.
    fn look(&mut self) {
        self.people.values_mut().for_each(Person::look);
    }

    /// Waits until somebody has seen as much as is written before step `end`, or something else.
    fn catch_up(&mut self, who: &str, end: usize) {
        let steps = self.script.steps[..end].iter();
        let written = steps.flat_map(|step| &step.expected).filter(|line| line.who == who);
        let written: Vec<Seen> = written.map(|line| line.seen.clone()).collect();
        let expected = lines_of(ended(&written).iter());
        let Some(person) = self.people.get_mut(who) else { return };
        wait_for(|| {
            person.look();
            let seen = lines_of(ended(&person.seen).iter());
            (seen.len() >= expected.len() || !expected.starts_with(&seen)).then_some(())
        });
    }

    fn streams(&self) -> Streams {
        self.people.iter().map(|(who, person)| (who.clone(), person.seen.clone())).collect()
    }
}

impl Person {
    fn look(&mut self) {
        let Some(peer) = self.peer.as_mut().filter(|_| !self.is_over) else { return };
        let is_disconnected = peer.is_disconnected();
        self.seen.extend(seen_in(&peer.take()));
        if is_disconnected {
            self.is_over = true;
            self.seen.push(Seen::Disconnected);
        }
    }
}

/// Without a line that has not ended yet: nothing can be said of it.
fn ended(mut seen: &[Seen]) -> &[Seen] {
    while let [before @ .., Seen::Part(_)] = seen {
        seen = before;
    }
    seen
}

/// The whole lines among what was seen, comparable.
fn lines_of<'a>(seen: impl Iterator<Item = &'a Seen>) -> Vec<String> {
    joined(seen).iter().map(|seen| masked(&format!("{seen:?}"))).collect()
}

/// The flags, with one more connection where there is a limit: the barrier is one.
fn with_room_for_barrier(flags: &[String]) -> Vec<String> {
    let mut flags = flags.to_vec();
    if let Some(at) = flags.iter().position(|flag| flag == "--connections") {
        let count: usize = flags[at + 1].parse().expect("a transcript limits to a number");
        flags[at + 1] = (count + 1).to_string();
    }
    flags
}
