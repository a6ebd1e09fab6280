//! Numbers from a seed.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0.next_u32() as usize % n
    }

    pub fn range(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// `low..=high`, where numbers may be negative.
    pub fn integer(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as usize) as i32
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// In -1..=1, often a multiple of 1/4, so that sums fall on thresholds.
    pub fn real(&mut self) -> f64 {
        if self.one_in(2) {
            self.range(0, 8) as f64 / 4.0 - 1.0
        } else {
            self.below(1 << 20) as f64 / (1 << 19) as f64 - 1.0
        }
    }

    pub fn reals(&mut self, n: usize, factor: f64) -> Vec<f64> {
        (0..n).map(|_| factor * self.real()).collect()
    }
}
