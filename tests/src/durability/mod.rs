//! Campaigns against a real relay's memory: kills, simulated power cuts, full disks.
//!
//! A campaign knows what was acknowledged and nothing of how it is kept. It judges by what a device
//! reads after the relay came back.

pub mod cold;
pub mod disk;
pub mod full;
pub mod kill;
pub mod oracle;
pub mod power;
pub mod senders;
pub mod site;
pub mod team;

/// Randomness that a seed repeats.
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 64 bits (xorshift64*).
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
