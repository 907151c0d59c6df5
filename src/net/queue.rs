//! What waits to be sent to one connection: slices of shared pages.
//!
//! A turn's lines are rendered once into one page, and each queue takes slices of it. Whoever can
//! be sent everything at once never owns anything; for the others the page is frozen and shared.
//! Promises: bytes leave in the order in which they were put in, whole lines apart from the one
//! under way; what is dropped is counted in lines; an empty queue holds no heap. Deliberately
//! decides nothing: what is too much is the hub's to say.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::num::NonZeroU32;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

pub use super::page::Page;
use super::page::{SLICE_COST, Slice};

/// How many slices are handed to one write.
const SLICES_PER_WRITE: usize = 64;

/// What the turn says, while it is being written: its bytes, and the slices of those queues that
/// have several of them.
#[derive(Debug, Default)]
pub struct OpenPage {
    /// Whole lines, and what stands before some.
    pub bytes: Vec<u8>,
    links: Vec<Link>,
}

/// A further slice of a queue. The links of one queue form a ring.
#[derive(Clone, Debug)]
struct Link {
    range: Range<usize>,
    next: NonZeroU32,
}

impl OpenPage {
    /// Begins anew, with room for about so many bytes.
    pub fn clear(&mut self, bytes: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(bytes);
        self.links.clear();
        self.links.shrink_to(bytes / size_of::<Link>());
    }
}

/// What one queue holds of an open page.
#[derive(Debug, Default)]
pub struct Fresh {
    first: Range<usize>,
    last: Option<NonZeroU32>,
    /// As [`SendQueue::cost`].
    cost: usize,
}

impl Fresh {
    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

/// What earlier turns left, and what is told of it.
#[derive(Debug, Default)]
struct Backlog {
    slices: VecDeque<Slice>,
    /// Lines that were dropped after all that waits here.
    dropped: u64,
    /// The notices of dropped lines that wait here: how many bytes are still to be sent until each
    /// is through, and how many lines it speaks of.
    notices: Vec<(usize, u64)>,
    /// What was sent so far ends in the middle of a line.
    is_mid_line: bool,
    /// Bytes of an earlier page that are held back elsewhere; they come before those of the open
    /// one.
    held: usize,
    /// When the peer last took something, or else when something began to wait, since start.
    taken_at: Duration,
}

/// What waits to be sent to one connection. Every connection has one, so it is small when nothing
/// does.
#[derive(Debug, Default)]
pub struct SendQueue {
    /// This turn's first slice of the open page; empty if there is none.
    first: Range<usize>,
    /// This turn's last further slice, by its place among the links of the open page; its next one
    /// is the first further slice.
    last: Option<NonZeroU32>,
    /// There while earlier turns' lines wait, or their absence is to be told.
    backlog: Option<Box<Backlog>>,
    /// The bytes of all slices, and [`SLICE_COST`] for each.
    cost: usize,
}

impl SendQueue {
    /// Whether nothing waits, apart from the notice of dropped lines.
    pub fn is_empty(&self) -> bool {
        self.cost == 0
    }

    /// Whether the peer has not taken yet, or not been told of, what earlier turns said.
    pub fn is_behind(&self) -> bool {
        self.backlog.is_some()
    }

    /// The bytes that wait, and what keeping them costs.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// When the peer last took some of what waits, or else when it began to wait, since start.
    pub fn taken_at(&self) -> Duration {
        self.backlog.as_ref().map_or(Duration::ZERO, |backlog| backlog.taken_at)
    }

    /// Lines that were dropped after all that waits here.
    pub fn dropped(&self) -> u64 {
        self.backlog.as_ref().map_or(0, |backlog| backlog.dropped)
    }

    /// Counts lines that are dropped here.
    pub fn drop_lines(&mut self, lines: u64) {
        self.backlog.get_or_insert_default().dropped += lines;
    }

    /// Takes the count of dropped lines, to tell of them in this place.
    pub fn take_dropped(&mut self) -> u64 {
        self.backlog.as_mut().map_or(0, |backlog| std::mem::take(&mut backlog.dropped))
    }

    /// What was appended last is the notice that so many lines were dropped: should it be dropped
    /// itself, they are counted again.
    pub fn note_notice(&mut self, page: &OpenPage, lines: u64) {
        let fresh: usize = self.fresh(page).map(Range::len).sum();
        let backlog = self.backlog.get_or_insert_default();
        let waiting: usize = backlog.slices.iter().map(|slice| slice.range.len()).sum();
        backlog.notices.push((waiting + backlog.held + fresh, lines));
    }

    /// Appends a slice of the open page, wherever it stands there.
    #[inline]
    pub fn push(&mut self, page: &mut OpenPage, range: Range<usize>) {
        let continues_first = self.last.is_none() && self.first.end == range.start;
        self.cost += range.end - range.start;
        // Where the page begins, there is nothing to continue.
        if continues_first && range.start > 0 {
            self.first.end = range.end;
        } else {
            self.push_apart(page, range);
        }
    }

    /// Appends a slice that may not continue the first one.
    fn push_apart(&mut self, page: &mut OpenPage, range: Range<usize>) {
        assert!(range.start < range.end, "a slice holds something");
        if let Some(last) = self.last {
            let last = &mut page.links[place(last)].range;
            if last.end == range.start {
                last.end = range.end;
                return;
            }
        }
        self.cost += SLICE_COST;
        match self.holds_fresh() {
            true => self.link(page, range),
            false => self.first = range,
        }
    }

    /// Appends a further slice.
    fn link(&mut self, page: &mut OpenPage, range: Range<usize>) {
        let number = u32::try_from(page.links.len() + 1).ok().and_then(NonZeroU32::new);
        let number = number.expect("a page has fewer than 2^32 slices");
        let next = match self.last.replace(number) {
            None => number,
            Some(last) => std::mem::replace(&mut page.links[place(last)].next, number),
        };
        page.links.push(Link { range, next });
    }

    /// Takes out the first further slice.
    fn unlink(&mut self, page: &mut OpenPage) -> Option<Range<usize>> {
        let last = self.last?;
        let first = page.links[place(last)].next;
        let Link { range, next } = page.links[place(first)].clone();
        page.links[place(last)].next = next;
        self.last = Some(last).filter(|last| *last != first);
        Some(range)
    }

    /// This turn's slices of the open page, in order.
    fn fresh<'p>(&'p self, page: &'p OpenPage) -> impl Iterator<Item = &'p Range<usize>> {
        let first = Some(&self.first).filter(|first| !first.is_empty());
        let mut next = self.last.map(|last| page.links[place(last)].next);
        let further = std::iter::from_fn(move || {
            let number = next?;
            let link = &page.links[place(number)];
            next = Some(link.next).filter(|_| Some(number) != self.last);
            Some(&link.range)
        });
        first.into_iter().chain(further)
    }

    /// Sends as much as the stream takes, and adds how many bytes that were to `sent`. `Ok(true)`
    /// when nothing waits any more, `Ok(false)` when the stream would block.
    ///
    /// # Errors
    /// What the stream says, but for `WouldBlock` and `Interrupted`.
    pub fn flush(
        &mut self,
        page: &mut OpenPage,
        stream: &mut impl Write,
        sent: &mut u64,
    ) -> io::Result<bool> {
        while !self.is_empty() {
            match self.write_once(page, stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    *sent += taken as u64;
                    self.advance(page, taken);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    #[inline]
    fn write_once(&self, page: &OpenPage, stream: &mut impl Write) -> io::Result<usize> {
        match self.is_one_slice() {
            true => stream.write(&page.bytes[self.first.clone()]),
            false => self.write_slices(page, stream),
        }
    }

    /// Whether there is nothing but one slice of the open page: as nearly always.
    #[inline]
    fn is_one_slice(&self) -> bool {
        self.backlog.is_none() && self.last.is_none()
    }

    #[inline(never)]
    fn write_slices(&self, page: &OpenPage, stream: &mut impl Write) -> io::Result<usize> {
        let mut parts = [IoSlice::new(&[]); SLICES_PER_WRITE];
        let backlog = self.backlog.iter().flat_map(|backlog| &backlog.slices).map(Slice::bytes);
        let fresh = self.fresh(page).map(|range| &page.bytes[range.clone()]);
        let mut count = 0;
        for (part, bytes) in parts.iter_mut().zip(backlog.chain(fresh)) {
            *part = IoSlice::new(bytes);
            count += 1;
        }
        stream.write_vectored(&parts[..count])
    }

    /// Takes out what was sent.
    #[inline]
    fn advance(&mut self, page: &mut OpenPage, sent: usize) {
        match self.is_one_slice() && sent == self.first.len() {
            true => (self.first, self.cost) = (0..0, 0),
            false => self.advance_within(page, sent),
        }
    }

    #[inline(never)]
    fn advance_within(&mut self, page: &mut OpenPage, sent: usize) {
        if self.backlog.is_none() && sent == self.fresh(page).map(Range::len).sum::<usize>() {
            return self.clear();
        }
        let mut backlog = self.backlog.take().unwrap_or_default();
        backlog.notices.retain_mut(|(bytes, _)| {
            *bytes = bytes.saturating_sub(sent);
            *bytes > 0
        });
        let mut left = sent;
        while left > 0 {
            let (range, bytes) = match backlog.slices.front_mut() {
                Some(slice) => slice.range_and_page(),
                None => (&mut self.first, &page.bytes[..]),
            };
            let taken = left.min(range.len());
            range.start += taken;
            left -= taken;
            self.cost -= taken;
            backlog.is_mid_line = bytes[range.start - 1] != b'\n';
            if range.start == range.end {
                self.cost -= SLICE_COST;
                if backlog.slices.pop_front().is_none() {
                    self.first = self.unlink(page).unwrap_or_default();
                }
            }
        }
        if !self.is_empty() || backlog.dropped > 0 {
            self.backlog = Some(backlog);
        }
    }

    /// Whether something that earlier turns said waits.
    pub fn holds_backlog(&self) -> bool {
        self.backlog.as_ref().is_some_and(|backlog| !backlog.slices.is_empty())
    }

    /// Whether something of the open page waits.
    pub fn holds_fresh(&self) -> bool {
        !self.first.is_empty()
    }

    /// Takes out what is held of the open page, to be put back with [`SendQueue::put_fresh`] before
    /// anything else of the queue is sent than its backlog.
    pub fn take_fresh(&mut self, page: &OpenPage) -> Fresh {
        let mut cost = self.cost;
        if self.backlog.is_some() {
            let (bytes, slices) = self.fresh_cost(page);
            cost = bytes + slices;
            self.backlog.get_or_insert_default().held = bytes;
        }
        self.cost -= cost;
        Fresh { first: std::mem::take(&mut self.first), last: self.last.take(), cost }
    }

    /// Puts back what was taken out; nothing of an open page may be held meanwhile.
    pub fn put_fresh(&mut self, fresh: Fresh) {
        assert!(!self.holds_fresh(), "a queue holds slices of one open page");
        if let Some(backlog) = &mut self.backlog {
            backlog.held = 0;
        }
        self.cost += fresh.cost;
        (self.first, self.last) = (fresh.first, fresh.last);
    }

    /// The bytes that are held of the open page, and what their slices cost beside that.
    fn fresh_cost(&self, page: &OpenPage) -> (usize, usize) {
        let count = |(bytes, slices), range: &Range<usize>| (bytes + range.len(), slices + 1);
        let (bytes, slices) = self.fresh(page).fold((0, 0), count);
        (bytes, slices * SLICE_COST)
    }

    /// Drops what is held of the open page, and counts the lines.
    pub fn drop_fresh(&mut self, page: &OpenPage) {
        if !self.holds_fresh() {
            return;
        }
        let lines = |range: &Range<usize>| {
            memchr::memchr_iter(b'\n', &page.bytes[range.clone()]).count() as u64
        };
        let lines: u64 = self.fresh(page).map(lines).sum();
        let (bytes, slices) = self.fresh_cost(page);
        self.cost -= bytes + slices;
        (self.first, self.last) = (0..0, None);
        self.drop_lines(lines);
    }

    /// Something waits for the peer, who has just taken a part of it, or has it before them since
    /// now.
    pub fn note_taken(&mut self, now: Duration) {
        self.backlog.get_or_insert_default().taken_at = now;
    }

    /// The open page was frozen: what waits of it is in the backlog from now on.
    pub fn freeze(&mut self, open: &OpenPage, page: &Rc<Page>) {
        let mut backlog = self.backlog.take().unwrap_or_default();
        backlog.slices.extend(self.fresh(open).map(|range| Slice::new(page, range.clone())));
        self.first = 0..0;
        self.last = None;
        self.backlog = Some(backlog);
    }

    /// Drops all that waits, but for the rest of a line that is under way, and counts the lines.
    /// So many `sealed` bytes are encrypted already, and thereby under way. Nothing of the open
    /// page may wait.
    pub fn discard(&mut self, sealed: usize) {
        assert!(!self.holds_fresh(), "what is discarded was frozen before");
        let Some(backlog) = &mut self.backlog else { return };
        let mut is_mid_line = backlog.is_mid_line || sealed > 0;
        let mut left = sealed;
        let mut lines = 0;
        self.cost = 0;
        for slice in std::mem::take(&mut backlog.slices) {
            let bytes = slice.bytes();
            lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
            if !is_mid_line {
                continue;
            }
            let mut range = slice.range.clone();
            // A line and the time before it are two slices. The line that counts is the one that
            // the last sealed byte is of.
            let from = left.saturating_sub(1).min(bytes.len());
            let end = memchr::memchr(b'\n', &bytes[from..]).filter(|_| left <= bytes.len());
            if let Some(at) = end {
                range.end = range.start + from + at + 1;
                is_mid_line = false;
            }
            left = left.saturating_sub(bytes.len());
            lines -= memchr::memchr_iter(b'\n', &bytes[..range.len()]).count() as u64;
            self.cost += range.len() + SLICE_COST;
            backlog.slices.push_back(slice.alone(range));
        }
        let kept = backlog.slices.iter().map(|slice| slice.range.len()).sum();
        backlog.notices.retain(|(bytes, spoken_of)| {
            let is_kept = *bytes <= kept;
            if !is_kept {
                lines += spoken_of - 1;
            }
            is_kept
        });
        backlog.dropped += lines;
        if backlog.dropped == 0 && backlog.slices.is_empty() {
            self.backlog = None;
        }
    }

    /// Drops everything: nobody is there to take it.
    pub fn clear(&mut self) {
        *self = SendQueue::default();
    }
}

/// Where a link stands among those of its page: their numbers begin with 1.
fn place(number: NonZeroU32) -> usize {
    number.get() as usize - 1
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Takes so many bytes in all, then would block.
    struct Sink {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.taken.extend_from_slice(&bytes[..taken]);
            self.room -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn open(bytes: &[u8]) -> OpenPage {
        OpenPage { bytes: bytes.to_vec(), links: Vec::new() }
    }

    fn freeze(queue: &mut SendQueue, open: &mut OpenPage, pinned: &Rc<Cell<usize>>) {
        let page = Page::freeze(std::mem::take(&mut open.bytes), pinned);
        queue.freeze(open, &page);
        open.clear(0);
    }

    fn pinned() -> Rc<Cell<usize>> {
        Rc::new(Cell::new(0))
    }

    #[test]
    fn slices_leave_in_order_and_neighbours_join() {
        let mut page = open(b"one\ntwo\nthree\n");
        let mut queue = SendQueue::default();
        queue.push(&mut page, 0..4);
        queue.push(&mut page, 4..8);
        assert_eq!(queue.cost(), 8 + SLICE_COST);
        let mut queue = SendQueue::default();
        queue.push(&mut page, 0..4);
        queue.push(&mut page, 8..14);
        let mut sink = Sink { taken: Vec::new(), room: 100 };
        assert!(queue.flush(&mut page, &mut sink, &mut 0).unwrap());
        assert_eq!(sink.taken, b"one\nthree\n");
        assert!(queue.is_empty());
    }

    #[test]
    fn what_is_left_pins_its_page_and_no_longer() {
        let pinned = pinned();
        let mut queue = SendQueue::default();
        let mut page = open(b"one\ntwo\n");
        queue.push(&mut page, 0..4);
        queue.push(&mut page, 4..8);
        let mut sink = Sink { taken: Vec::new(), room: 2 };
        assert!(!queue.flush(&mut page, &mut sink, &mut 0).unwrap());
        freeze(&mut queue, &mut page, &pinned);
        assert!(pinned.get() >= 8);
        sink.room = 100;
        assert!(queue.flush(&mut OpenPage::default(), &mut sink, &mut 0).unwrap());
        assert_eq!(sink.taken, b"one\ntwo\n");
        assert_eq!((pinned.get(), queue.cost()), (0, 0));
    }

    #[test]
    fn discarding_keeps_the_line_under_way_and_counts_the_rest() {
        let mut queue = SendQueue::default();
        let mut page = open(b"one\ntwo\nthree\n");
        queue.push(&mut page, 0..8);
        queue.push(&mut page, 8..14);
        let mut sink = Sink { taken: Vec::new(), room: 6 };
        assert!(!queue.flush(&mut page, &mut sink, &mut 0).unwrap());
        freeze(&mut queue, &mut page, &pinned());
        queue.discard(0);
        assert_eq!(queue.dropped(), 1);
        sink.room = 100;
        assert!(queue.flush(&mut OpenPage::default(), &mut sink, &mut 0).unwrap());
        assert_eq!(sink.taken, b"one\ntwo\n");
    }

    #[test]
    fn discarding_keeps_what_is_encrypted_up_to_the_end_of_its_line() {
        for (sealed, kept, dropped) in [
            (0, &b""[..], 4),
            (2, b"one\n", 3),
            (4, b"one\n", 3),
            (5, b"one\ntwo\n", 2),
            (8, b"one\ntwo\n", 2),
            (14, b"one\ntwo\nthree\n", 1),
            (15, b"one\ntwo\nthree\nfour\n", 0),
        ] {
            let mut queue = SendQueue::default();
            let mut page = open(b"one\ntwo\nthree\n four\n");
            queue.push(&mut page, 0..8);
            queue.push(&mut page, 8..14);
            // One that does not stand beside the others.
            queue.push(&mut page, 15..20);
            freeze(&mut queue, &mut page, &pinned());
            queue.discard(sealed);
            assert_eq!(queue.dropped(), dropped, "{sealed}");
            let mut sink = Sink { taken: Vec::new(), room: 100 };
            assert!(queue.flush(&mut OpenPage::default(), &mut sink, &mut 0).unwrap());
            assert_eq!((sink.taken.as_slice(), queue.cost()), (kept, 0), "{sealed}");
        }
    }

    #[test]
    fn the_rest_of_a_line_does_not_pin_its_page_and_each_slice_counts() {
        let pinned = pinned();
        let mut queue = SendQueue::default();
        let mut page = open("12345678\n".repeat(1000).as_bytes());
        queue.push(&mut page, 0..9);
        queue.push(&mut page, 18..27);
        let mut sink = Sink { taken: Vec::new(), room: 2 };
        assert!(!queue.flush(&mut page, &mut sink, &mut 0).unwrap());
        freeze(&mut queue, &mut page, &pinned);
        assert!(pinned.get() >= 9000 + 2 * SLICE_COST);
        queue.discard(0);
        assert!(pinned.get() < 200, "{}", pinned.get());
        queue.clear();
        assert_eq!(pinned.get(), 0);
    }

    #[test]
    fn a_notice_that_is_dropped_leaves_its_count() {
        let mut queue = SendQueue::default();
        let mut page = open(b"notice\none\nnotice\n");
        queue.push(&mut page, 0..7);
        queue.note_notice(&page, 10);
        queue.push(&mut page, 7..11);
        queue.push(&mut page, 11..18);
        queue.note_notice(&page, 5);
        let mut sink = Sink { taken: Vec::new(), room: 3 };
        assert!(!queue.flush(&mut page, &mut sink, &mut 0).unwrap());
        freeze(&mut queue, &mut page, &pinned());
        queue.discard(0);
        assert_eq!(queue.dropped(), 1 + 5, "the notice under way is kept, the other is not");
        queue.discard(0);
        sink.room = 100;
        assert!(queue.flush(&mut OpenPage::default(), &mut sink, &mut 0).unwrap());
        assert_eq!((sink.taken.as_slice(), queue.dropped()), (&b"notice\n"[..], 6));
    }

    #[test]
    fn discarding_keeps_a_line_whose_time_is_under_way() {
        let mut queue = SendQueue::default();
        let mut page = open(b"12:00:00 one\ntwo\n");
        queue.push(&mut page, 0..9);
        queue.push(&mut page, 13..17);
        queue.push(&mut page, 0..9);
        queue.push(&mut page, 9..13);
        let mut sink = Sink { taken: Vec::new(), room: 5 };
        assert!(!queue.flush(&mut page, &mut sink, &mut 0).unwrap());
        freeze(&mut queue, &mut page, &pinned());
        queue.discard(0);
        assert_eq!(queue.dropped(), 1);
        sink.room = 100;
        assert!(queue.flush(&mut OpenPage::default(), &mut sink, &mut 0).unwrap());
        assert_eq!(sink.taken, b"12:00:00 two\n");
        assert_eq!(queue.cost(), 0);
    }
}
