//! Bytes as a source of decisions: taken from the front, and zeros when there are no more.

/// What is left of the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'d>(&'d [u8]);

impl<'d> Bytes<'d> {
    /// All of them.
    pub fn new(data: &'d [u8]) -> Bytes<'d> {
        Bytes(data)
    }

    /// Whether there are no more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`, which is from 1 to 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.next()) % bound
    }

    /// The next bytes, as many as there are of so many.
    pub fn take(&mut self, count: usize) -> &'d [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A piece whose length stands before it, in one byte.
    pub fn piece(&mut self) -> &'d [u8] {
        let count = usize::from(self.next());
        self.take(count)
    }

    /// All that is left.
    pub fn rest(self) -> &'d [u8] {
        self.0
    }
}

/// The stream in chunks whose lengths follow each other, again and again; 0 stands for 256.
pub fn chunks<'d>(mut stream: &'d [u8], lengths: &'d [u8]) -> impl Iterator<Item = &'d [u8]> {
    let lengths = if lengths.is_empty() { &[1][..] } else { lengths };
    let mut lengths = lengths.iter().cycle();
    std::iter::from_fn(move || {
        let length = match lengths.next() {
            None | Some(0) => 256,
            Some(length) => usize::from(*length),
        };
        let (chunk, rest) = stream.split_at(length.min(stream.len()));
        stream = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}
