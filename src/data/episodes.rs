//! Few-shot episodes over a labelled set: some classes, a support set of some images of each, and queries of others.
//!
//! Drawn from ChaCha8 (`rand_chacha`), seeded by the seed as `seed_from_u64` does, stream number 7 * 2^32 + the episode's number, so
//! that episode `k` is the same however many are drawn. A draw below `n` takes the high 32 bits of a 32-bit word times `n`.
//! The draws, in order: the classes, without repetition; then for each of them its images, without repetition, the shots
//! before the queries. Drawing `m` of a list without repetition swaps element `i` with a drawn one of `i ..`, for `i` below `m`.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use serde::Serialize;

use super::{DataError, Dataset};

/// What episodes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EpisodeShape {
    /// Classes.
    pub way: usize,
    /// Support images of a class.
    pub shots: usize,
    /// Queries of a class.
    pub queries: usize,
}

/// An episode: images by their places in the set. A class's label in the episode is its place here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    pub classes: Vec<usize>,
    /// `[class][shot]`
    pub support: Vec<Vec<usize>>,
    /// `[class][query]`
    pub queries: Vec<Vec<usize>>,
}

impl Episode {
    /// Draws classes, then images of each; `classes` lists the images of every one that may be drawn.
    pub fn draw(classes: &[Vec<usize>], shape: EpisodeShape, stream: &mut ChaCha8Rng) -> Self {
        let chosen = distinct(classes.len(), shape.way, stream);
        let of_class = |c: &usize| -> Vec<usize> {
            let images = distinct(classes[*c].len(), shape.shots + shape.queries, stream);
            images.into_iter().map(|i| classes[*c][i]).collect()
        };
        let images: Vec<Vec<usize>> = chosen.iter().map(of_class).collect();
        let support = images.iter().map(|i| i[..shape.shots].to_vec()).collect();
        let queries = images.iter().map(|i| i[shape.shots..].to_vec()).collect();
        Self { classes: chosen, support, queries }
    }

    /// Episode `number` of those that judge.
    pub fn judging(classes: &[Vec<usize>], shape: EpisodeShape, seed: u64, number: usize) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        stream.set_stream(JUDGING << 32 | number as u64);
        Self::draw(classes, shape, &mut stream)
    }

    /// Support images, then queries, class by class.
    pub fn images(&self) -> Vec<usize> {
        self.support.iter().chain(&self.queries).flatten().copied().collect()
    }
}

/// The purpose that the numbers of judging episodes' streams begin with; part of what makes them repeatable.
const JUDGING: u64 = 7;

/// Draws `count` episodes; the error says what the set lacks.
pub fn episodes(set: &Dataset, shape: EpisodeShape, count: usize, seed: u64) -> Result<Vec<Episode>, DataError> {
    let bad = |reason: String| DataError::Episodes { name: set.name.clone(), reason };
    let labels = set.labels.as_ref().ok_or_else(|| bad("has no labels".into()))?;
    if shape.way == 0 || shape.shots == 0 || count == 0 {
        return Err(bad("an episode needs at least one class and one shot".into()));
    }
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    labels.iter().enumerate().for_each(|(i, label)| classes.entry(*label).or_default().push(i));
    let of_class = shape.shots + shape.queries;
    classes.retain(|_, images| images.len() >= of_class);
    let (able, images): (Vec<usize>, Vec<Vec<usize>>) = classes.into_iter().unzip();
    if able.len() < shape.way {
        let reason = format!(
            "has {} classes with {} images or more (shots and queries), but {} ways were asked for",
            able.len(),
            of_class,
            shape.way
        );
        return Err(bad(reason));
    }
    let one = |number: usize| {
        let mut episode = Episode::judging(&images, shape, seed, number);
        episode.classes.iter_mut().for_each(|c| *c = able[*c]);
        episode
    };
    Ok((0..count).map(one).collect())
}

/// A whole number below `n`.
pub fn below(n: usize, stream: &mut ChaCha8Rng) -> usize {
    ((u64::from(stream.next_u32()) * n as u64) >> 32) as usize
}

/// `count` different numbers below `n`, in the order drawn.
pub fn distinct(n: usize, count: usize, stream: &mut ChaCha8Rng) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    for k in 0..count {
        all.swap(k, k + below(n - k, stream));
    }
    all.truncate(count);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::open;

    #[test]
    fn episodes_draw_without_repetition_and_stay_the_same() {
        let digits = open("digits", None).unwrap();
        let shape = EpisodeShape { way: 5, shots: 2, queries: 3 };
        let drawn = episodes(&digits, shape, 4, 1).unwrap();
        assert_eq!(drawn, episodes(&digits, shape, 9, 1).unwrap()[..4]);
        assert_ne!(drawn, episodes(&digits, shape, 4, 2).unwrap());
        let labels = digits.labels.as_ref().unwrap();
        for episode in &drawn {
            let mut images = episode.images();
            assert_eq!((episode.support[4].len(), episode.queries[4].len(), images.len()), (2, 3, 25));
            images.sort_unstable();
            images.dedup();
            assert_eq!(images.len(), 25);
            for (c, class) in episode.classes.iter().enumerate() {
                assert!(episode.support[c].iter().chain(&episode.queries[c]).all(|i| labels[*i] == *class));
            }
        }
    }

    #[test]
    fn what_a_set_lacks_is_said() {
        let digits = open("digits", None).unwrap();
        let shape = EpisodeShape { way: 11, shots: 1, queries: 1 };
        let error = episodes(&digits, shape, 1, 1).unwrap_err().to_string();
        assert!(error.contains("10 classes") && error.contains("11 ways"), "{error}");
        // A label is a name, not a size.
        let mut named = digits;
        named.labels.as_mut().unwrap().iter_mut().for_each(|label| *label += usize::MAX - 9);
        let drawn = episodes(&named, EpisodeShape { way: 10, ..shape }, 1, 1).unwrap();
        assert!(drawn[0].classes.contains(&usize::MAX));
    }
}
