//! Values by slot, in blocks of a fixed size.
//!
//! Promises: finding, putting in and taking out cost the same however many there are, and move
//! nothing; a block that is empty is freed, so that who stays after a storm holds no more than one.
//! Deliberately does not choose the slots: whoever numbers the values does.

/// Values in one block: enough that its own cost is nothing, and few enough that one survivor,
/// who holds all of it, is cheap.
pub const BLOCK: usize = 16;

/// Values by slot. There should be no wide gaps among the slots.
#[derive(Debug)]
pub struct Blocks<T> {
    /// The last block is not empty.
    blocks: Vec<Block<T>>,
    len: usize,
}

/// Room for [`BLOCK`] values, or none while there is no value.
#[derive(Debug)]
struct Block<T> {
    slots: Box<[Option<T>]>,
    len: usize,
}

impl<T> Default for Block<T> {
    fn default() -> Block<T> {
        Block { slots: Box::default(), len: 0 }
    }
}

impl<T> Default for Blocks<T> {
    fn default() -> Blocks<T> {
        Blocks { blocks: Vec::new(), len: 0 }
    }
}

impl<T> Blocks<T> {
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
        self.blocks.get(slot / BLOCK)?.slots.get(slot % BLOCK)?.as_ref()
    }

    /// The value in a slot, to change it.
    pub fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.blocks.get_mut(slot / BLOCK)?.slots.get_mut(slot % BLOCK)?.as_mut()
    }

    /// Puts a value into a slot, which must be free.
    pub fn insert(&mut self, slot: usize, value: T) {
        let number = slot / BLOCK;
        if number >= self.blocks.len() {
            self.blocks.resize_with(number + 1, Block::default);
        }
        let block = &mut self.blocks[number];
        if block.len == 0 {
            block.slots = std::iter::repeat_with(|| None).take(BLOCK).collect();
        }
        let old = block.slots[slot % BLOCK].replace(value);
        assert!(old.is_none(), "a slot is filled again only after its value was taken out");
        block.len += 1;
        self.len += 1;
    }

    /// Takes the value out of a slot.
    pub fn remove(&mut self, slot: usize) -> Option<T> {
        let block = self.blocks.get_mut(slot / BLOCK)?;
        let value = block.slots.get_mut(slot % BLOCK)?.take()?;
        block.len -= 1;
        self.len -= 1;
        if block.len == 0 {
            block.slots = Box::default();
            while self.blocks.pop_if(|block| block.len == 0).is_some() {}
        }
        Some(value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// How many values there is memory for.
    fn room<T>(blocks: &Blocks<T>) -> usize {
        blocks.blocks.iter().map(|block| block.slots.len()).sum()
    }

    #[test]
    fn a_value_is_in_its_slot_until_it_is_taken_out() {
        let mut blocks = Blocks::default();
        blocks.insert(70, "seventy");
        blocks.insert(3, "three");
        *blocks.get_mut(3).unwrap() = "drei";
        assert_eq!((blocks.get(3), blocks.get(70)), (Some(&"drei"), Some(&"seventy")));
        assert_eq!((blocks.get(4), blocks.get(71), blocks.get(700)), (None, None, None));
        assert_eq!(
            (blocks.remove(3), blocks.remove(3), blocks.remove(700)),
            (Some("drei"), None, None)
        );
        assert_eq!((blocks.len(), blocks.get(70)), (1, Some(&"seventy")));
    }

    #[test]
    fn memory_goes_with_those_who_had_it() {
        let mut blocks = Blocks::default();
        (0..1000).for_each(|slot| blocks.insert(slot, slot));
        assert_eq!((blocks.len(), room(&blocks)), (1000, 1000_usize.next_multiple_of(BLOCK)));
        (0..999).for_each(|slot| assert_eq!(blocks.remove(slot), Some(slot)));
        assert_eq!((blocks.get(999), room(&blocks)), (Some(&999), BLOCK));
        blocks.insert(0, 0);
        blocks.remove(999);
        assert_eq!((blocks.len(), blocks.blocks.len()), (1, 1));
        blocks.remove(0);
        assert!(blocks.is_empty() && blocks.blocks.is_empty());
    }
}
