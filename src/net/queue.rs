//! What waits to be sent to one connection: slices of shared pages.
//!
//! A turn's lines are rendered once into one page, and each queue takes slices of it. Whoever can
//! be sent everything at once never owns anything; for the others the page is frozen and shared.
//! Promises: bytes leave in the order in which they were put in, whole lines apart from the one
//! under way; what is dropped is counted in lines; an empty queue holds no heap. Deliberately
//! decides nothing: what is too much is the hub's to say.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::ops::Range;
use std::rc::Rc;

/// How many slices are handed to one write.
const SLICES_PER_WRITE: usize = 64;

/// What a slice costs beside its bytes, in bytes; part of [`SendQueue::cost`], so that a great many
/// short lines cannot go beyond a limit either.
const SLICE_COST: usize = 48;

/// What a page costs beside its bytes.
const PAGE_COST: usize = 64;

/// The lines of one turn, shared by the queues that could not send them at once.
#[derive(Debug)]
pub struct Page {
    bytes: Vec<u8>,
    /// What all pages that somebody still needs cost, and all slices of them.
    pinned: Rc<Cell<usize>>,
}

impl Page {
    /// Freezes a page, counted in `pinned` until nobody needs it any more.
    pub fn freeze(bytes: Vec<u8>, pinned: &Rc<Cell<usize>>) -> Rc<Page> {
        pinned.set(pinned.get() + bytes.capacity() + PAGE_COST);
        Rc::new(Page { bytes, pinned: Rc::clone(pinned) })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.pinned.set(self.pinned.get() - self.bytes.capacity() - PAGE_COST);
    }
}

/// A part of a frozen page; never empty.
#[derive(Debug)]
struct Slice {
    page: Rc<Page>,
    range: Range<usize>,
}

impl Slice {
    fn new(page: &Rc<Page>, range: Range<usize>) -> Slice {
        page.pinned.set(page.pinned.get() + SLICE_COST);
        Slice { page: Rc::clone(page), range }
    }

    /// The same bytes on a page of their own, so that they do not pin all of this one.
    fn alone(&self, range: Range<usize>) -> Slice {
        let bytes = self.page.bytes[range].to_vec();
        let range = 0..bytes.len();
        Slice::new(&Page::freeze(bytes, &self.page.pinned), range)
    }

    fn bytes(&self) -> &[u8] {
        &self.page.bytes[self.range.clone()]
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        self.page.pinned.set(self.page.pinned.get() - SLICE_COST);
    }
}

/// What waits to be sent to one connection.
#[derive(Debug, Default)]
pub struct SendQueue {
    /// What earlier turns left.
    backlog: VecDeque<Slice>,
    /// This turn's first slice of the open page; empty if there is none.
    first: Range<usize>,
    /// This turn's further slices of the open page, none of which continues the one before.
    further: VecDeque<Range<usize>>,
    /// The bytes of all slices, and [`SLICE_COST`] for each.
    cost: usize,
    /// Lines that were dropped after all that waits here.
    dropped: u64,
    /// The notices of dropped lines that wait here: how many bytes are still to be sent until each
    /// is through, and how many lines it speaks of.
    notices: Vec<(usize, u64)>,
    /// What was sent so far ends in the middle of a line.
    is_mid_line: bool,
}

impl SendQueue {
    /// Whether nothing waits, apart from the notice of dropped lines.
    pub fn is_empty(&self) -> bool {
        self.cost == 0
    }

    /// The bytes that wait, and what keeping them costs.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// Lines that were dropped after all that waits here.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Counts lines that are dropped here.
    pub fn drop_lines(&mut self, lines: u64) {
        self.dropped += lines;
    }

    /// Takes the count of dropped lines, to tell of them in this place.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// What was appended last is the notice that so many lines were dropped: should it be dropped
    /// itself, they are counted again.
    pub fn note_notice(&mut self, lines: u64) {
        let waiting = self.backlog.iter().map(|slice| slice.range.len());
        let fresh = std::iter::once(&self.first).chain(&self.further).map(Range::len);
        self.notices.push((waiting.chain(fresh).sum(), lines));
    }

    /// Appends a slice of the open page, wherever it stands there.
    pub fn push(&mut self, range: Range<usize>) {
        if range.start == range.end {
            return;
        }
        self.cost += range.len();
        let last = self.further.back_mut().unwrap_or(&mut self.first);
        if last.start == last.end {
            *last = range;
        } else if last.end == range.start {
            last.end = range.end;
            return;
        } else {
            self.further.push_back(range);
        }
        self.cost += SLICE_COST;
    }

    /// Sends as much as the stream takes. `Ok(true)` when nothing waits any more, `Ok(false)` when
    /// the stream would block. `page` is the open page.
    ///
    /// # Errors
    /// What the stream says, but for `WouldBlock` and `Interrupted`.
    pub fn flush(&mut self, page: &[u8], stream: &mut impl Write) -> io::Result<bool> {
        while !self.is_empty() {
            match self.write_once(page, stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => self.advance(page, sent),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn write_once(&self, page: &[u8], stream: &mut impl Write) -> io::Result<usize> {
        if self.backlog.is_empty() && self.further.is_empty() {
            return stream.write(&page[self.first.clone()]);
        }
        let mut parts = [IoSlice::new(&[]); SLICES_PER_WRITE];
        let backlog = self.backlog.iter().map(Slice::bytes);
        let fresh = std::iter::once(&self.first).chain(&self.further);
        let fresh = fresh.filter(|range| !range.is_empty()).map(|range| &page[range.clone()]);
        let mut count = 0;
        for (part, bytes) in parts.iter_mut().zip(backlog.chain(fresh)) {
            *part = IoSlice::new(bytes);
            count += 1;
        }
        stream.write_vectored(&parts[..count])
    }

    /// Takes out what was sent.
    fn advance(&mut self, page: &[u8], mut sent: usize) {
        self.notices.retain_mut(|(bytes, _)| {
            *bytes = bytes.saturating_sub(sent);
            *bytes > 0
        });
        while sent > 0 {
            let (range, bytes) = match self.backlog.front_mut() {
                Some(slice) => (&mut slice.range, &slice.page.bytes[..]),
                None if self.first.is_empty() => {
                    self.first = self.further.pop_front().expect("what was sent had waited");
                    (&mut self.first, page)
                }
                None => (&mut self.first, page),
            };
            let taken = sent.min(range.len());
            range.start += taken;
            sent -= taken;
            self.cost -= taken;
            self.is_mid_line = bytes[range.start - 1] != b'\n';
            if range.start == range.end {
                self.cost -= SLICE_COST;
                if self.backlog.pop_front().is_none() {
                    self.first = 0..0;
                }
            }
        }
        if self.backlog.is_empty() {
            self.backlog = VecDeque::new();
        }
        if self.is_empty() {
            self.notices = Vec::new();
            self.further = VecDeque::new();
        }
    }

    /// Whether something that earlier turns said waits.
    pub fn holds_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Whether something of the open page waits.
    pub fn holds_fresh(&self) -> bool {
        !self.first.is_empty() || !self.further.is_empty()
    }

    /// The open page was frozen: what waits of it is in the backlog from now on.
    pub fn freeze(&mut self, page: &Rc<Page>) {
        let first = std::mem::take(&mut self.first);
        let further = std::mem::take(&mut self.further);
        for range in std::iter::once(first).chain(further).filter(|range| !range.is_empty()) {
            self.backlog.push_back(Slice::new(page, range));
        }
    }

    /// Drops all that waits, but for the rest of a line that is under way, and counts the lines.
    /// Nothing of the open page may wait.
    pub fn discard(&mut self) {
        assert!(!self.holds_fresh(), "what is discarded was frozen before");
        let mut backlog = std::mem::take(&mut self.backlog);
        let mut is_mid_line = self.is_mid_line;
        let mut lines = 0;
        self.cost = 0;
        while let Some(slice) = backlog.pop_front() {
            let bytes = slice.bytes();
            lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
            if !is_mid_line {
                continue;
            }
            let mut range = slice.range.clone();
            // A line and the time before it are two slices.
            if let Some(at) = memchr::memchr(b'\n', bytes) {
                range.end = range.start + at + 1;
                is_mid_line = false;
                lines -= 1;
            }
            self.cost += range.len() + SLICE_COST;
            self.backlog.push_back(slice.alone(range));
        }
        let kept = self.backlog.iter().map(|slice| slice.range.len()).sum();
        self.notices.retain(|(bytes, spoken_of)| {
            let is_kept = *bytes <= kept;
            if !is_kept {
                lines += spoken_of - 1;
            }
            is_kept
        });
        self.dropped += lines;
    }

    /// Drops everything: nobody is there to take it.
    pub fn clear(&mut self) {
        *self = SendQueue::default();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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

    fn pinned() -> Rc<Cell<usize>> {
        Rc::new(Cell::new(0))
    }

    #[test]
    fn slices_leave_in_order_and_neighbours_join() {
        let page = b"one\ntwo\nthree\n";
        let mut queue = SendQueue::default();
        queue.push(0..4);
        queue.push(4..8);
        assert_eq!(queue.cost(), 8 + SLICE_COST);
        let mut queue = SendQueue::default();
        queue.push(0..4);
        queue.push(8..14);
        let mut sink = Sink { taken: Vec::new(), room: 100 };
        assert!(queue.flush(page, &mut sink).unwrap());
        assert_eq!(sink.taken, b"one\nthree\n");
        assert!(queue.is_empty());
    }

    #[test]
    fn what_is_left_pins_its_page_and_no_longer() {
        let pinned = pinned();
        let mut queue = SendQueue::default();
        let open = b"one\ntwo\n".to_vec();
        queue.push(0..4);
        queue.push(4..8);
        let mut sink = Sink { taken: Vec::new(), room: 2 };
        assert!(!queue.flush(&open, &mut sink).unwrap());
        let page = Page::freeze(open, &pinned);
        queue.freeze(&page);
        drop(page);
        assert!(pinned.get() >= 8);
        sink.room = 100;
        assert!(queue.flush(b"", &mut sink).unwrap());
        assert_eq!(sink.taken, b"one\ntwo\n");
        assert_eq!((pinned.get(), queue.cost()), (0, 0));
    }

    #[test]
    fn discarding_keeps_the_line_under_way_and_counts_the_rest() {
        let mut queue = SendQueue::default();
        let open = b"one\ntwo\nthree\n".to_vec();
        queue.push(0..8);
        queue.push(8..14);
        let mut sink = Sink { taken: Vec::new(), room: 6 };
        assert!(!queue.flush(&open, &mut sink).unwrap());
        queue.freeze(&Page::freeze(open, &pinned()));
        queue.discard();
        assert_eq!(queue.dropped(), 1);
        sink.room = 100;
        assert!(queue.flush(b"", &mut sink).unwrap());
        assert_eq!(sink.taken, b"one\ntwo\n");
    }

    #[test]
    fn the_rest_of_a_line_does_not_pin_its_page_and_each_slice_counts() {
        let pinned = pinned();
        let mut queue = SendQueue::default();
        let open = "12345678\n".repeat(1000).into_bytes();
        queue.push(0..9);
        queue.push(18..27);
        let mut sink = Sink { taken: Vec::new(), room: 2 };
        assert!(!queue.flush(&open, &mut sink).unwrap());
        queue.freeze(&Page::freeze(open, &pinned));
        assert!(pinned.get() >= 9000 + 2 * SLICE_COST);
        queue.discard();
        assert!(pinned.get() < 200, "{}", pinned.get());
        queue.clear();
        assert_eq!(pinned.get(), 0);
    }

    #[test]
    fn a_notice_that_is_dropped_leaves_its_count() {
        let mut queue = SendQueue::default();
        let open = b"notice\none\nnotice\n".to_vec();
        queue.push(0..7);
        queue.note_notice(10);
        queue.push(7..11);
        queue.push(11..18);
        queue.note_notice(5);
        let mut sink = Sink { taken: Vec::new(), room: 3 };
        assert!(!queue.flush(&open, &mut sink).unwrap());
        queue.freeze(&Page::freeze(open, &pinned()));
        queue.discard();
        assert_eq!(queue.dropped(), 1 + 5, "the notice under way is kept, the other is not");
        queue.discard();
        sink.room = 100;
        assert!(queue.flush(b"", &mut sink).unwrap());
        assert_eq!((sink.taken.as_slice(), queue.dropped()), (&b"notice\n"[..], 6));
    }

    #[test]
    fn discarding_keeps_a_line_whose_time_is_under_way() {
        let mut queue = SendQueue::default();
        let open = b"12:00:00 one\ntwo\n".to_vec();
        queue.push(0..9);
        queue.push(13..17);
        queue.push(0..9);
        queue.push(9..13);
        let mut sink = Sink { taken: Vec::new(), room: 5 };
        assert!(!queue.flush(&open, &mut sink).unwrap());
        queue.freeze(&Page::freeze(open, &pinned()));
        queue.discard();
        assert_eq!(queue.dropped(), 1);
        sink.room = 100;
        assert!(queue.flush(b"", &mut sink).unwrap());
        assert_eq!(sink.taken, b"12:00:00 two\n");
        assert_eq!(queue.cost(), 0);
    }
}
