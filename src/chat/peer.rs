//! A connection as the conversation knows it: a number, and a key of where it comes from.
//!
//! Promises: both are as small as they can be, and compared in one step. Deliberately gives no
//! numbers out and makes no key: the loop does. [`super::network`] says what a key means.

/// Where a connection comes from: of an IPv6 address the first half, of an IPv4 address the last
/// half of what it is mapped into. What is counted by address is counted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(pub u64);

/// A connection: a slot, and a generation so that a slot's next owner is not mistaken for the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    slot: u32,
    generation: u32,
}

impl ConnId {
    /// The connection of that generation in that slot.
    pub const fn new(slot: u32, generation: u32) -> ConnId {
        ConnId { slot, generation }
    }

    /// The index of its slot.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// The generation of its slot.
    pub fn generation(self) -> u32 {
        self.generation
    }

    /// Both in one number, for the poll.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The connection behind such a number.
    pub fn from_bits(bits: u64) -> ConnId {
        ConnId { slot: bits as u32, generation: (bits >> 32) as u32 }
    }
}
