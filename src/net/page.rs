//! Frozen pages: the lines of a turn, kept for those who could not be sent all of them.
//!
//! Promises: a page lives as long as some slice of it waits, and both are counted for as long.
//! Deliberately knows no queue.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

/// What a slice costs beside its bytes, in bytes; part of
/// [`super::queue::SendQueue::cost`], so that a great many
/// short lines cannot go beyond a limit either.
pub const SLICE_COST: usize = 48;

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
pub struct Slice {
    page: Rc<Page>,
    /// Where on its page it stands.
    pub range: Range<usize>,
}

impl Slice {
    /// That part of a page, counted like it.
    pub fn new(page: &Rc<Page>, range: Range<usize>) -> Slice {
        page.pinned.set(page.pinned.get() + SLICE_COST);
        Slice { page: Rc::clone(page), range }
    }

    /// The same bytes on a page of their own, so that they do not pin all of this one.
    pub fn alone(&self, range: Range<usize>) -> Slice {
        let bytes = self.page.bytes[range].to_vec();
        let range = 0..bytes.len();
        Slice::new(&Page::freeze(bytes, &self.page.pinned), range)
    }

    /// Where it stands, to change that, and all bytes of its page.
    pub fn range_and_page(&mut self) -> (&mut Range<usize>, &[u8]) {
        (&mut self.range, &self.page.bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.page.bytes[self.range.clone()]
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        self.page.pinned.set(self.page.pinned.get() - SLICE_COST);
    }
}
