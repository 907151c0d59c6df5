//! Values by slot, in chunks of a fixed size.
//!
//! Promises: finding, putting in and taking out cost the same however many there are, and move
//! nothing; a chunk that is empty is freed, so that who stays after a storm holds no more than one.
//! Deliberately does not choose the slots: whoever numbers the values does.

/// Values in one chunk: enough that its own cost is nothing, and few enough that one survivor,
/// who holds all of it, is cheap.
pub const CHUNK: usize = 16;

/// Values by slot. There should be no wide gaps among the slots.
#[derive(Debug)]
pub struct Chunks<T> {
    /// The last chunk is not empty.
    chunks: Vec<Chunk<T>>,
    len: usize,
}

/// Room for [`CHUNK`] values, or none while there is no value.
#[derive(Debug)]
struct Chunk<T> {
    slots: Box<[Option<T>]>,
    len: usize,
}

impl<T> Default for Chunk<T> {
    fn default() -> Chunk<T> {
        Chunk { slots: Box::default(), len: 0 }
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Chunks<T> {
        Chunks { chunks: Vec::new(), len: 0 }
    }
}

impl<T> Chunks<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value in a slot.
    pub fn get(&self, slot: usize) -> Option<&T> {
        self.chunks.get(slot / CHUNK)?.slots.get(slot % CHUNK)?.as_ref()
    }

    /// The value in a slot, to change it.
    pub fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.chunks.get_mut(slot / CHUNK)?.slots.get_mut(slot % CHUNK)?.as_mut()
    }

    /// Puts a value into a slot, which must be free.
    pub fn insert(&mut self, slot: usize, value: T) {
        let number = slot / CHUNK;
        if number >= self.chunks.len() {
            self.chunks.resize_with(number + 1, Chunk::default);
        }
        let chunk = &mut self.chunks[number];
        if chunk.len == 0 {
            chunk.slots = std::iter::repeat_with(|| None).take(CHUNK).collect();
        }
        let old = chunk.slots[slot % CHUNK].replace(value);
        assert!(old.is_none(), "a slot is filled again only after its value was taken out");
        chunk.len += 1;
        self.len += 1;
    }

    /// Takes the value out of a slot.
    pub fn remove(&mut self, slot: usize) -> Option<T> {
        let chunk = self.chunks.get_mut(slot / CHUNK)?;
        let value = chunk.slots.get_mut(slot % CHUNK)?.take()?;
        chunk.len -= 1;
        self.len -= 1;
        if chunk.len == 0 {
            chunk.slots = Box::default();
            while self.chunks.pop_if(|chunk| chunk.len == 0).is_some() {}
        }
        Some(value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// How many values there is memory for.
    fn room<T>(chunks: &Chunks<T>) -> usize {
        chunks.chunks.iter().map(|chunk| chunk.slots.len()).sum()
    }

    #[test]
    fn a_value_is_in_its_slot_until_it_is_taken_out() {
        let mut chunks = Chunks::default();
        chunks.insert(70, "seventy");
        chunks.insert(3, "three");
        *chunks.get_mut(3).unwrap() = "drei";
        assert_eq!((chunks.get(3), chunks.get(70)), (Some(&"drei"), Some(&"seventy")));
        assert_eq!((chunks.get(4), chunks.get(71), chunks.get(700)), (None, None, None));
        assert_eq!(
            (chunks.remove(3), chunks.remove(3), chunks.remove(700)),
            (Some("drei"), None, None)
        );
        assert_eq!((chunks.len(), chunks.get(70)), (1, Some(&"seventy")));
    }

    #[test]
    fn memory_goes_with_those_who_had_it() {
        let mut chunks = Chunks::default();
        (0..1000).for_each(|slot| chunks.insert(slot, slot));
        assert_eq!((chunks.len(), room(&chunks)), (1000, 1000_usize.next_multiple_of(CHUNK)));
        (0..999).for_each(|slot| assert_eq!(chunks.remove(slot), Some(slot)));
        assert_eq!((chunks.get(999), room(&chunks)), (Some(&999), CHUNK));
        chunks.insert(0, 0);
        chunks.remove(999);
        assert_eq!((chunks.len(), chunks.chunks.len()), (1, 1));
        chunks.remove(0);
        assert!(chunks.is_empty() && chunks.chunks.is_empty());
    }
}
