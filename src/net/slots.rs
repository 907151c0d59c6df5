//! Where the connections stand: slabs of a fixed size, under keys that carry a generation, so that
//! a connection that is gone is not mistaken for the next one in its slot.
//!
//! Promises: inserting, finding and removing cost the same however many there are, and move
//! nothing; a slab that is empty is freed, so that who stays after a storm holds no more than one,
//! and the lowest slab with a free slot is filled first. Deliberately knows nothing of what it
//! holds.

use std::collections::BTreeSet;

use slab::Slab;

use crate::chat::ConnId;
use crate::chat::chunks::CHUNK;

/// Values by [`ConnId`].
#[derive(Debug)]
pub struct Slots<T> {
    /// The slot with number `n` is the one with number `n % CHUNK` in the slab `n / CHUNK`. The
    /// last slab is not empty. Each value stands beside its generation.
    chunks: Vec<Slab<(u32, T)>>,
    /// The slabs that have a free slot.
    with_room: BTreeSet<usize>,
    len: usize,
    /// The generation of the next value.
    generation: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { chunks: Vec::new(), with_room: BTreeSet::new(), len: 0, generation: 0 }
    }
}

impl<T> Slots<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a value in; the id finds it until it is removed, and nothing for 2^32 insertions after.
    pub fn insert(&mut self, value: T) -> ConnId {
        let number = match self.with_room.first() {
            Some(number) => *number,
            None => {
                self.chunks.push(Slab::new());
                self.with_room.insert(self.chunks.len() - 1);
                self.chunks.len() - 1
            }
        };
        let chunk = &mut self.chunks[number];
        chunk.reserve_exact(CHUNK - chunk.len());
        let key = chunk.insert((self.generation, value));
        if chunk.len() == CHUNK {
            self.with_room.remove(&number);
        }
        self.len += 1;
        let id = id(number, key, self.generation);
        self.generation = self.generation.wrapping_add(1);
        id
    }

    /// The value of an id that may be gone.
    pub fn find(&self, id: ConnId) -> Option<&T> {
        let (generation, value) = self.chunks.get(id.slot() / CHUNK)?.get(id.slot() % CHUNK)?;
        (*generation == id.generation()).then_some(value)
    }

    /// The value of an id that may be gone, to change it.
    pub fn find_mut(&mut self, id: ConnId) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(id.slot() / CHUNK)?;
        let (generation, value) = chunk.get_mut(id.slot() % CHUNK)?;
        (*generation == id.generation()).then_some(value)
    }

    /// Takes a value out.
    pub fn remove(&mut self, id: ConnId) -> Option<T> {
        self.find(id)?;
        let number = id.slot() / CHUNK;
        let chunk = &mut self.chunks[number];
        let (_, value) = chunk.try_remove(id.slot() % CHUNK)?;
        self.len -= 1;
        self.with_room.insert(number);
        if chunk.is_empty() {
            *chunk = Slab::new();
            while self.chunks.pop_if(|chunk| chunk.is_empty()).is_some() {
                self.with_room.remove(&self.chunks.len());
            }
        }
        Some(value)
    }

    /// All values with their ids, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &T)> {
        self.chunks.iter().enumerate().flat_map(|(number, chunk)| {
            let values = chunk.iter();
            values.map(move |(key, (generation, value))| (id(number, key, *generation), value))
        })
    }

    /// All ids, by slot.
    pub fn ids(&self) -> Vec<ConnId> {
        self.iter().map(|(id, _)| id).collect()
    }
}

fn id(chunk: usize, key: usize, generation: u32) -> ConnId {
    let slot = u32::try_from(chunk * CHUNK + key).expect("there are fewer connections than 2^32");
    ConnId::new(slot, generation)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// How many values there is memory for.
    fn room<T>(slots: &Slots<T>) -> usize {
        slots.chunks.iter().map(Slab::capacity).sum()
    }

    #[test]
    fn an_id_outlives_its_value_and_finds_nothing() {
        let mut slots = Slots::default();
        let old = slots.insert("old");
        assert_eq!(slots.remove(old), Some("old"));
        let new = slots.insert("new");
        assert_eq!(new.slot(), old.slot());
        assert_eq!((slots.find(old), slots.find(new)), (None, Some(&"new")));
        assert_eq!(slots.remove(old), None);
        assert_eq!(slots.len(), 1);
        assert_eq!(slots.ids(), [new]);
    }

    #[test]
    fn memory_goes_with_those_who_had_it() {
        let mut slots = Slots::default();
        let ids: Vec<ConnId> = (0..1000).map(|number| slots.insert(number)).collect();
        assert_eq!((slots.len(), room(&slots)), (1000, 1000_usize.next_multiple_of(CHUNK)));
        // Who came last stays, and holds one slab.
        for id in &ids[..999] {
            slots.remove(*id);
        }
        assert_eq!((slots.len(), room(&slots)), (1, CHUNK));
        assert_eq!((slots.find(ids[999]), slots.find(ids[998])), (Some(&999), None));

        // Who comes next fills the front, whatever the order in which the others went.
        let more: Vec<ConnId> = (0..CHUNK).map(|number| slots.insert(number)).collect();
        assert!(more.iter().all(|id| id.slot() < CHUNK), "{more:?}");
        assert_eq!(slots.ids().last(), Some(&ids[999]));
        slots.remove(ids[999]);
        assert_eq!((slots.len(), slots.chunks.len()), (CHUNK, 1));
        for step in 0..CHUNK {
            slots.remove(more[step * 7 % CHUNK]);
        }
        assert_eq!((slots.len(), slots.chunks.len(), slots.with_room.len()), (0, 0, 0));
    }
}
