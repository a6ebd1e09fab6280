//! Named random streams. A stream depends on the seed, its purpose and the epoch only, never on what was
//! drawn before: a resumed run draws what an uninterrupted one would.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_core::RngCore;

use crate::recipe::InitKind;

/// What a stream is for. The numbers are part of what makes a run repeatable: never change them.
#[derive(Clone, Copy)]
pub enum Purpose {
    Weights = 1,
    Order = 2,
    Augment = 3,
    Validation = 4,
    Episodes = 5,
    Errors = 6,
    // 7: episodes that judge, see hafnia::data::Episode.
    ErrorsInTraining = 8,
    ErrorsInStatistics = 9,
}

pub struct Stream(ChaCha8Rng);

impl Stream {
    pub fn new(seed: u64, purpose: Purpose, index: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream((purpose as u64) << 32 | index as u64);
        Self(rng)
    }

    /// A whole number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        hafnia::data::below(n, &mut self.0)
    }

    /// The generator itself.
    pub fn generator(&mut self) -> &mut ChaCha8Rng {
        &mut self.0
    }

    /// Uniform in +-`bound`, on a grid of 2^24 values.
    pub fn symmetric(&mut self, bound: f64) -> f32 {
        let unit = (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32;
        (2.0 * unit - 1.0) * bound as f32
    }

    /// Uniform in 0 to 1, 1 left out, on a grid of 2^53 values.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn coin(&mut self) -> bool {
        self.0.next_u32() >> 31 == 1
    }

    /// Box and Muller, with `libm`, so that every machine draws the same.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * libm::log(radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)
    }

    /// A latent weight's start.
    pub fn weight(&mut self, init: InitKind) -> f32 {
        match init {
            InitKind::Uniform(bound) => self.symmetric(bound),
            InitKind::Normal(deviation) => (self.normal() * deviation) as f32,
        }
    }

    /// `count` different numbers below `n`, in the order drawn.
    pub fn distinct(&mut self, n: usize, count: usize) -> Vec<usize> {
        hafnia::data::distinct(n, count, &mut self.0)
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |purpose, index| {
            let mut stream = Stream::new(1, purpose, index);
            (0..4).map(|_| stream.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(Purpose::Order, 3), draw(Purpose::Order, 3));
        assert_ne!(draw(Purpose::Order, 3), draw(Purpose::Order, 4));
        assert_ne!(draw(Purpose::Order, 3), draw(Purpose::Augment, 3));
    }

    #[test]
    fn normal_draws_have_their_moments() {
        let mut stream = Stream::new(1, Purpose::Weights, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..50).collect();
        Stream::new(1, Purpose::Order, 0).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
