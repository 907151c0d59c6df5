//! Holding back: what is to be kept is kept before anybody is told of it.
//!
//! A page on which something stands that is to be kept is not flushed at the end of its turn: it
//! stays open for what the next turns say, for as long as the window lasts or an earlier page is
//! held back, and is then sealed: its ledger goes on an errand, and it waits for the ledger to come
//! back. Promises: pages leave in the order in which they were written, whole, so nothing
//! overtakes; there are never more than two, and when the open one is full nothing more is read; a
//! question is asked after all that was said before it is kept. A ledger that does not come back in
//! time holds nobody up any longer: the conversation goes on, and is told that it is not kept.
//! Deliberately knows no store: whoever runs the errands does.

use std::borrow::Cow;
use std::time::Duration;

use crate::chat::kept::{Answer, Ledger, Question};
use crate::chat::{ConnId, Input, Now};
use crate::wire::clean::clean;

use super::super::conn::{Stage, Stream};
use super::super::figures::Lag;
use super::super::queue::{Fresh, OpenPage};
use super::read::Budget;
use super::{Hub, LEDGER_BYTES_MAX};

/// How long a page is held back at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether and when what is to be kept goes on its errand.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Everybody is told at once, and not only when it is kept.
    pub is_told_at_once: bool,
    /// How long a ledger gathers at most before it goes; a quarter of that after its last entry it
    /// goes, too.
    pub window: Duration,
}

/// What the hub wants done: at most one ledger at a time, which has to come back with
/// [`Hub::kept`]; and questions, each of which has to come back with [`Hub::answer`].
#[derive(Debug, Default)]
pub struct Errands {
    /// To be kept.
    pub ledger: Option<Ledger>,
    /// To be answered, in any order, after the ledgers before them are kept.
    pub questions: Vec<(ConnId, Question)>,
}

/// A page that is held back until its ledger is kept.
#[derive(Debug)]
pub(super) struct Sealed {
    page: OpenPage,
    fresh: Vec<(ConnId, Fresh)>,
    questions: Vec<(ConnId, Question)>,
}

/// What is on its way, and what has come back.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    errands: Errands,
    /// The page of the ledger that is on its way, until it is sent.
    sealed: Option<Sealed>,
    /// When the ledger went that is on its way, since start, and its size then.
    gone_at: Option<Duration>,
    gone_bytes: usize,
    /// Asked since the last ledger went.
    questions: Vec<(ConnId, Question)>,
    /// Who asked something, and does not read what it was told before.
    unheard: Vec<ConnId>,
    /// When the open ledger got its first entry and its last, since start, and its size then.
    since: Option<Duration>,
    grown_at: Duration,
    grown_to: usize,
    /// For the next ones.
    spare_ledger: Ledger,
    spare_page: OpenPage,
    spare_fresh: Vec<(ConnId, Fresh)>,
    /// What is given away is not kept at present, and when that began, since start.
    is_failing: bool,
    failing_since: Duration,
    /// Lines that could not be given away since then.
    forgotten: usize,
}

impl<S: Stream> Hub<S> {
    /// What is to be done now, to be asked for after every turn.
    pub fn take_errands(&mut self) -> Errands {
        std::mem::take(&mut self.keeping.errands)
    }

    /// The ledger that went last is kept, or is not and will not be for now; it comes back for its
    /// memory. What was held back for it is sent.
    pub fn kept(&mut self, mut ledger: Ledger, is_kept: bool, now: Now) {
        self.now = now;
        ledger.clear();
        self.keeping.spare_ledger = ledger;
        self.keeping.gone_at = None;
        if let Some(sealed) = self.keeping.sealed.take() {
            self.release(sealed);
        }
        self.note_keeping(is_kept, now);
    }

    /// What is given away is kept from now on, or is not.
    pub fn note_keeping(&mut self, is_kept: bool, now: Now) {
        self.now = now;
        if self.keeping.is_failing == is_kept {
            self.keeping.is_failing = !is_kept;
            self.keeping.failing_since = now.mono;
            let forgotten = std::mem::take(&mut self.keeping.forgotten);
            if forgotten > 0 {
                log::warn!(lines = forgotten; "lines_lost");
            }
            self.chat(Input::Keeping { is_kept });
        }
    }

    /// The answer to a connection's question.
    pub fn answer(&mut self, conn: ConnId, answer: Answer, now: Now) {
        self.now = now;
        let Some(it) = self.conns.find_mut(conn) else { return };
        it.is_awaiting = false;
        self.resume_request(conn);
        self.chat(Input::Answer { conn, answer: cleaned(answer) });
        self.end_request(conn);
        self.list(conn);
        if self.is_stopping {
            self.serve_last(conn, &mut Budget::of_stop());
            self.dismiss_at_stop(conn);
        }
    }

    /// Whether everything that was to be kept has been given away and has come back.
    pub fn has_kept_all(&self) -> bool {
        self.keeping.gone_at.is_none() && self.outbox.ledger().is_empty()
    }

    /// A question is asked for a connection, which waits for the answer. Nothing is looked up for
    /// one who does not read what it was told before.
    pub(super) fn ask(&mut self, conn: ConnId, question: &Question) {
        let most = self.limits.queue_bytes_max.map_or(usize::MAX, |most| most / 2);
        let Some(it) = self.conns.find_mut(conn).filter(|it| it.is_talking()) else { return };
        it.is_awaiting = true;
        if it.queue.holds_backlog() && it.queue.cost() > most {
            self.keeping.unheard.push(conn);
        } else {
            self.keeping.questions.push((conn, question.clone()));
        }
    }

    /// Answers those for whom nothing is looked up.
    pub(super) fn answer_unheard(&mut self) {
        while let Some(conn) = self.keeping.unheard.pop() {
            self.answer(conn, Answer::Unavailable, self.now);
        }
    }

    /// What waits to be kept, and for how long it has.
    pub(super) fn lag(&self) -> Lag {
        let Keeping { gone_at, gone_bytes, since, is_failing, failing_since, .. } = self.keeping;
        let oldest = is_failing.then_some(failing_since).or(gone_at).or(since);
        let gone_bytes = gone_at.map_or(0, |_| gone_bytes);
        Lag {
            waited: oldest.map_or(Duration::ZERO, |at| self.now.mono.saturating_sub(at)),
            bytes: gone_bytes + self.outbox.ledger().bytes(),
            is_failing,
        }
    }

    /// Whether nobody may be told yet what stands on the page.
    pub(super) fn is_holding(&self) -> bool {
        let is_told_at_once = self.limits.keep.is_none_or(|keep| keep.is_told_at_once);
        !is_told_at_once && !self.is_overdue() && !self.has_kept_all()
    }

    /// Whether a ledger is on its way that nobody waits for any longer.
    pub(super) fn is_overdue(&self) -> bool {
        self.keeping.gone_at.is_some() && self.keeping.sealed.is_none()
    }

    /// Whether as much was said as a turn may say, and more cannot be said before something comes
    /// back.
    pub(super) fn is_stuck(&self) -> bool {
        self.keeping.sealed.is_some() && self.turn_is_full()
    }

    /// When the open ledger is to go, or the one that is on its way will have taken too long, since
    /// start.
    pub(super) fn keeping_deadline(&self) -> Option<Duration> {
        match self.keeping.gone_at {
            Some(gone_at) => self.keeping.sealed.as_ref().map(|_| gone_at + PATIENCE),
            None => self.keeping.since.map(|since| self.ledger_due_at(since)),
        }
    }

    /// The ledger that is on its way may have taken too long: then what was held back for it is
    /// sent. What cannot be given away meanwhile is bounded, and its lines are not kept.
    pub(super) fn check_patience(&mut self) {
        let Some(gone_at) = self.keeping.gone_at else { return };
        if self.now.mono >= gone_at + PATIENCE
            && let Some(sealed) = self.keeping.sealed.take()
        {
            log::warn!(seconds = PATIENCE.as_secs(); "store_silent");
            self.release(sealed);
            self.note_keeping(false, self.now);
        }
        if self.is_overdue() {
            self.keeping.forgotten += self.outbox.bound_ledger(LEDGER_BYTES_MAX);
        }
    }

    /// Sends the ledger on its errand, if there is one and it is time, and questions that have
    /// nothing to wait for.
    pub(super) fn hand_over(&mut self) {
        let Some(keep) = self.limits.keep else { return };
        if self.keeping.gone_at.is_some() {
            // Nobody waits for what may never come back.
            if self.is_overdue() {
                self.keeping.errands.questions.append(&mut self.keeping.questions);
            }
            return;
        }
        if self.outbox.ledger().is_empty() {
            let questions = &mut self.keeping.questions;
            self.keeping.errands.questions.append(questions);
            return;
        }
        let since = *self.keeping.since.get_or_insert(self.now.mono);
        let bytes = self.outbox.ledger().bytes();
        if bytes != self.keeping.grown_to {
            (self.keeping.grown_at, self.keeping.grown_to) = (self.now.mono, bytes);
        }
        let is_due = self.now.mono >= self.ledger_due_at(since) || self.is_stopping;
        if is_due || self.turn_is_full() {
            self.seal(keep);
        }
    }

    /// When a ledger that got its first entry then goes: nobody need wait for more that does not
    /// come.
    fn ledger_due_at(&self, since: Duration) -> Duration {
        let window = self.limits.keep.map_or(Duration::ZERO, |keep| keep.window);
        (since + window).min(self.keeping.grown_at + window / 4)
    }

    fn seal(&mut self, keep: Keep) {
        (self.keeping.since, self.keeping.grown_to) = (None, 0);
        self.keeping.gone_at = Some(self.now.mono);
        self.keeping.gone_bytes = self.outbox.ledger().bytes();
        let empty = std::mem::take(&mut self.keeping.spare_ledger);
        self.keeping.errands.ledger = Some(self.outbox.take_ledger(empty));
        let questions = std::mem::take(&mut self.keeping.questions);
        let mut fresh = std::mem::take(&mut self.keeping.spare_fresh);
        let mut page = OpenPage::default();
        if !keep.is_told_at_once {
            self.touched.retain(|id| {
                let Some(conn) = self.conns.find_mut(*id) else { return false };
                if !conn.queue.holds_fresh() {
                    return true;
                }
                conn.is_touched = false;
                conn.is_held = true;
                fresh.push((*id, conn.queue.take_fresh(&self.page)));
                false
            });
            self.held_touched = 0;
            let spare = std::mem::take(&mut self.keeping.spare_page);
            page = self.open_page(spare);
        }
        self.keeping.sealed = Some(Sealed { page, fresh, questions });
    }

    /// Opens another page, and returns the one that was open. What stands on it stands there alone.
    fn open_page(&mut self, page: OpenPage) -> OpenPage {
        self.stamps.clear();
        self.replay = None;
        std::mem::replace(&mut self.page, page)
    }

    /// What was held back is sent, as far as it can be, while what stands on the open page is set
    /// aside.
    fn release(&mut self, mut sealed: Sealed) {
        self.keeping.errands.questions.append(&mut sealed.questions);
        if sealed.page.bytes.is_empty() {
            self.keeping.spare_fresh = sealed.fresh;
            return;
        }
        let open = self.open_page(sealed.page);
        let touched = std::mem::take(&mut self.touched);
        let mut aside = Vec::new();
        for (id, fresh) in sealed.fresh.drain(..) {
            let Some(conn) = self.conns.find_mut(id) else { continue };
            if conn.stage == Stage::Doomed {
                continue;
            }
            conn.is_held = conn.queue.holds_fresh();
            if conn.is_held {
                aside.push((id, conn.queue.take_fresh(&open)));
            }
            conn.queue.put_fresh(fresh);
            // Only from now on can it be taken.
            if let Some(ending) = &mut conn.ending {
                ending.extend(self.now.mono + self.limits.drain_timeout);
            }
            self.touched.push(id);
        }
        self.flush();
        self.keep_what_waits();
        self.keeping.spare_page = self.open_page(open);
        self.keeping.spare_fresh = sealed.fresh;
        self.touched = touched;
        for (id, fresh) in aside {
            let Some(conn) = self.conns.find_mut(id) else { continue };
            conn.is_held = false;
            if conn.stage == Stage::Doomed {
                continue;
            }
            conn.queue.put_fresh(fresh);
            conn.is_touched = true;
        }
        self.bound_what_waits();
    }
}

/// An answer of which all that was said may reach a terminal: others may have written to what is
/// kept.
fn cleaned(mut answer: Answer) -> Answer {
    let clean_up = |text: &mut String| {
        if let Cow::Owned(clean) = clean(text.as_bytes()) {
            *text = clean;
        }
    };
    match &mut answer {
        Answer::Lines { lines, .. } => lines.iter_mut().for_each(|line| clean_up(&mut line.text)),
        Answer::Line(line) => {
            if let Some((_, line)) = line {
                // A block has LF between its lines.
                let lines: Vec<_> = line.text.split('\n').map(str::as_bytes).map(clean).collect();
                line.text = lines.join("\n");
            }
        }
        Answer::Found { lines, .. } => {
            lines.iter_mut().for_each(|(_, line)| clean_up(&mut line.text));
        }
        Answer::Missed { rooms, directs } => {
            let lines = rooms.iter_mut().flat_map(|missed| &mut missed.tail);
            lines.for_each(|line| clean_up(&mut line.text));
            for direct in directs {
                clean_up(&mut direct.text);
                clean_up(&mut direct.nick);
            }
        }
        Answer::Hash(_) | Answer::Verified(_) | Answer::Unavailable => {}
    }
    answer
}
