//! Choices that replay: for a simulation and nothing else.

use staffetta_protocol::random::Random;

/// Splitmix64. Two of the same seed choose alike.
#[derive(Clone)]
pub struct Choices(u64);

impl Choices {
    /// The choices of a seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True once in `often`.
    pub fn once_in(&mut self, often: u64) -> bool {
        self.below(often) == 0
    }

    /// One of several.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(of.len() as u64)).ok()?;
        of.get(index).cloned()
    }

    /// Others, that take nothing from these.
    pub fn branch(&mut self) -> Self {
        Self(self.next())
    }
}

impl Random for Choices {
    fn fill(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
    }
}
