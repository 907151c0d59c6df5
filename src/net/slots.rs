//! A slab whose keys carry a generation: a connection that is gone is not mistaken for the next
//! one in its slot.
//!
//! Promises: inserting, finding and removing cost the same however many there are, taken together;
//! the slots behind the last value are freed in time. Deliberately knows nothing of what it holds.

use slab::Slab;

use crate::chat::ConnId;

/// Values by [`ConnId`].
#[derive(Debug)]
pub struct Slots<T> {
    slab: Slab<T>,
    /// The generation of each slot that was ever used; it grows when the slot is freed.
    generations: Vec<u32>,
    /// How many values were taken out since the slab was last made smaller.
    removed: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { slab: Slab::new(), generations: Vec::new(), removed: 0 }
    }
}

impl<T> Slots<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Puts a value in; the id finds it until it is removed, and nothing ever after.
    pub fn insert(&mut self, value: T) -> ConnId {
        let slot = self.slab.insert(value);
        if slot >= self.generations.len() {
            self.generations.resize(slot + 1, 0);
        }
        self.id(slot)
    }

    /// The value of an id that may be gone.
    pub fn find(&self, id: ConnId) -> Option<&T> {
        self.slab.get(id.slot()).filter(|_| self.is_current(id))
    }

    /// The value of an id that may be gone, to change it.
    pub fn find_mut(&mut self, id: ConnId) -> Option<&mut T> {
        if !self.is_current(id) {
            return None;
        }
        self.slab.get_mut(id.slot())
    }

    /// Takes a value out.
    pub fn remove(&mut self, id: ConnId) -> Option<T> {
        if !self.is_current(id) {
            return None;
        }
        let value = self.slab.try_remove(id.slot())?;
        self.removed += 1;
        // What lies behind the last value is freed, if anything does. That walks through all slots:
        // once in an eighth as many removals, and when nobody is left.
        let slots = self.slab.capacity();
        let is_due = self.slab.len() < slots / 4 && self.removed >= slots / 8;
        if is_due || self.slab.is_empty() {
            self.slab.shrink_to_fit();
            if self.slab.capacity() < slots {
                self.removed = 0;
            }
        }
        let generation = &mut self.generations[id.slot()];
        *generation = generation.wrapping_add(1);
        Some(value)
    }

    /// All values with their ids, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &T)> {
        self.slab.iter().map(|(slot, value)| (self.id(slot), value))
    }

    /// All ids, by slot.
    pub fn ids(&self) -> Vec<ConnId> {
        self.iter().map(|(id, _)| id).collect()
    }

    fn id(&self, slot: usize) -> ConnId {
        let slot_number = u32::try_from(slot).expect("there are fewer connections than 2^32");
        ConnId::new(slot_number, self.generations[slot])
    }

    fn is_current(&self, id: ConnId) -> bool {
        self.generations.get(id.slot()) == Some(&id.generation())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        for id in &ids[10..] {
            slots.remove(*id);
        }
        assert!(slots.slab.capacity() < 100, "{}", slots.slab.capacity());
        assert_eq!(slots.find(ids[9]), Some(&9));
        let again = slots.insert(1000);
        assert_eq!((slots.find(again), slots.find(ids[10])), (Some(&1000), None));

        // Whatever the order in which the others go, the last one leaves nothing behind.
        let more: Vec<ConnId> = (0..1000).map(|number| slots.insert(number)).collect();
        for step in 0..1000 {
            slots.remove(more[step * 7 % 1000]);
        }
        ids[..10].iter().chain([&again]).for_each(|id| assert!(slots.remove(*id).is_some()));
        assert_eq!((slots.len(), slots.slab.capacity()), (0, 0));
    }
}
