//! Few-shot episodes (BATMANN, algorithm 1): a support set goes into the key memory, queries are compared with every key,
//! and the similarities, sharpened, are summed over each class's shots.

use burn::tensor::{Device, Tensor, TensorData};
use hafnia::data::{Episode, EpisodeShape};
use rayon::prelude::*;

use crate::recipe::{EpisodeRecipe, Sharpening, Similarity};
use crate::{evaluate, quantize};

/// Places of the images of every class.
pub fn classes(labels: &[usize]) -> Vec<Vec<usize>> {
    let mut classes = vec![Vec::new(); labels.iter().max().map_or(0, |l| l + 1)];
    labels.iter().enumerate().for_each(|(i, label)| classes[*label].push(i));
    classes.retain(|class| !class.is_empty());
    classes
}

/// Loss and number of queries right, from the scores of the episode's images in the order of [`Episode::images`].
pub fn loss(scores: Tensor<2>, episode: &Episode, recipe: &EpisodeRecipe, temperature: f64) -> (Tensor<1>, usize) {
    let device = scores.device();
    let features = if recipe.real_features { scores } else { quantize::bipolar(scores) };
    let count = features.dims()[0];
    let keys: usize = episode.support.iter().map(Vec::len).sum();
    let width = features.dims()[1];
    let support = features.clone().narrow(0, 0, keys);
    let queries = features.narrow(0, keys, count - keys);
    let length = |t: &Tensor<2>| (t.clone().square().sum_dim(1) + f64::from(f32::MIN_POSITIVE)).sqrt();
    let lengths = recipe.real_features.then(|| length(&queries).matmul(length(&support).transpose()));
    let dot = queries.matmul(support.transpose());
    let cosine = |dot: Tensor<2>| match lengths {
        Some(lengths) => dot / lengths,
        // Bipolar vectors have the length sqrt(width), so the cosine is the dot product over the width.
        None => dot / width as f64,
    };
    let sharp = match (recipe.similarity, recipe.sharpening) {
        // What is sharpened is brought back to the reach of a dot product, so that the temperature means the same.
        (Similarity::Cosine, Sharpening::Softabs) => softabs(cosine(dot)) * width as f64,
        (Similarity::Cosine, Sharpening::Abs) => cosine(dot).abs() * width as f64,
        (Similarity::Dot, Sharpening::Softabs) => softabs(dot),
        (Similarity::Dot, Sharpening::Abs) => dot.abs(),
    };
    let labels = |sets: &[Vec<usize>]| -> Vec<usize> {
        sets.iter().enumerate().flat_map(|(c, set)| std::iter::repeat_n(c, set.len())).collect()
    };
    let (of_keys, of_queries) = (labels(&episode.support), labels(&episode.queries));
    let way = episode.support.len();
    let sums = sharp.matmul(one_hot(&of_keys, way, &device));
    let predicted = crate::param::values(sums.clone());
    let right = predicted.chunks_exact(way).zip(&of_queries).filter(|(s, l)| evaluate::first_maximum(s) == **l).count();
    let logits = sums / (temperature * recipe.shots as f64);
    (crate::loss::loss(crate::recipe::Loss::CrossEntropy, logits, one_hot(&of_queries, way, &device)), right)
}

/// Two sigmoids in place of the absolute value (Karunaratne et al. 2021, arXiv:2010.01939, with their beta of 10).
fn softabs(x: Tensor<2>) -> Tensor<2> {
    let side = |x: Tensor<2>| burn::tensor::activation::sigmoid((x - 0.5) * 10.0);
    side(x.clone()) + side(-x)
}

fn one_hot(labels: &[usize], classes: usize, device: &Device) -> Tensor<2> {
    let mut data = vec![0.0f32; labels.len() * classes];
    labels.iter().enumerate().for_each(|(row, label)| data[row * classes + label] = 1.0);
    Tensor::from_data(TensorData::new(data, [labels.len(), classes]), device)
}

/// A bipolar feature vector, one bit a value.
pub type Feature = Vec<u64>;

/// Bit 1 where the score is 0 or more.
pub fn feature(scores: &[f64]) -> Feature {
    let word = |bits: &[f64]| bits.iter().enumerate().map(|(i, y)| u64::from(*y >= 0.0) << i).sum();
    scores.chunks(64).map(word).collect()
}

/// Episode `k` of those that judge.
pub fn judged(classes: &[Vec<usize>], recipe: &EpisodeRecipe, seed: u64, k: usize) -> Episode {
    let shape = EpisodeShape { way: recipe.way, shots: recipe.shots, queries: recipe.judged_queries };
    Episode::judging(classes, shape, seed, k)
}

/// Queries right in an episode, in integers: dot products, absolute values, sums, first maximum.
pub fn right(features: &[Feature], width: usize, episode: &Episode) -> usize {
    let is_right = |class: usize, query: &usize| {
        let sum = |keys: &Vec<usize>| -> i64 {
            keys.iter().map(|key| dot(&features[*key], &features[*query], width).abs()).sum()
        };
        evaluate::first_maximum(&episode.support.iter().map(sum).collect::<Vec<_>>()) == class
    };
    let queries = episode.queries.iter().enumerate();
    queries.map(|(class, queries)| queries.iter().filter(|q| is_right(class, q)).count()).sum()
}

/// Share of queries right over `count` episodes.
pub fn accuracy(
    features: &[Feature],
    width: usize,
    labels: &[usize],
    recipe: &EpisodeRecipe,
    count: usize,
    seed: u64,
) -> f64 {
    let classes = classes(labels);
    let asked = count * recipe.way * recipe.judged_queries;
    let all = (0..count).into_par_iter().map(|k| right(features, width, &judged(&classes, recipe, seed, k)));
    all.sum::<usize>() as f64 / asked as f64
}

fn dot(a: &Feature, b: &Feature, width: usize) -> i64 {
    width as i64 - 2 * a.iter().zip(b).map(|(a, b)| i64::from((a ^ b).count_ones())).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::values;
    use crate::random::{Purpose, Stream};

    #[test]
    fn episodes_draw_without_repetition() {
        let labels: Vec<usize> = (0..60).map(|i| i / 6).collect();
        let classes = classes(&labels);
        let mut stream = Stream::new(1, Purpose::Episodes, 0);
        let episode = Episode::draw(&classes, EpisodeShape { way: 4, shots: 2, queries: 3 }, stream.generator());
        let mut seen: Vec<usize> = episode.support.iter().chain(&episode.queries).flatten().copied().collect();
        for (support, queries) in episode.support.iter().zip(&episode.queries) {
            assert_eq!((support.len(), queries.len()), (2, 3));
            assert!(support.iter().chain(queries).all(|i| labels[*i] == labels[support[0]]));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 20);
    }

    #[test]
    fn dot_products_of_bits_by_hand() {
        let a = feature(&[0.0, -1.0, 2.0, -0.5, 1.0]);
        let b = feature(&[1.0, 1.0, 1.0, -1.0, -1.0]);
        assert_eq!(a, [0b10101]);
        assert_eq!(dot(&a, &b, 5), 1);
        assert_eq!(dot(&a, &a, 5), 5);
        let long = vec![1.0; 130];
        assert_eq!(dot(&feature(&long), &feature(&vec![-1.0; 130]), 130), -130);
    }

    #[test]
    fn opposite_features_are_as_near_as_equal_ones() {
        // Classes of vectors that differ in a few bits; every second drawing is inverted, which the absolute value undoes.
        let mut stream = Stream::new(2, Purpose::Episodes, 0);
        let prototypes: Vec<Vec<f64>> =
            (0..5).map(|_| (0..128).map(|_| f64::from(stream.symmetric(1.0))).collect()).collect();
        let labels: Vec<usize> = (0..50).map(|i| i / 10).collect();
        let drawing = |i: usize| {
            feature(&prototypes[i / 10].iter().map(|y| if i.is_multiple_of(2) { *y } else { -*y }).collect::<Vec<_>>())
        };
        let features: Vec<Feature> = (0..50).map(drawing).collect();
        let recipe = EpisodeRecipe { way: 5, shots: 2, judged_queries: 3, ..EpisodeRecipe::default() };
        assert_eq!(accuracy(&features, 128, &labels, &recipe, 10, 1), 1.0);
    }

    /// Loss and queries right of two classes; the first half of the scores is the support set.
    fn loss_of(scores: &[&[f32]], recipe: EpisodeRecipe, temperature: f64) -> (f32, usize) {
        let (shots, width) = (scores.len() / 2 - 1, scores[0].len());
        let support = (0..2).map(|c| (0..shots).map(|k| c * shots + k).collect()).collect();
        let episode = Episode { classes: vec![0, 1], support, queries: vec![vec![2 * shots], vec![2 * shots + 1]] };
        assert_eq!(episode.images(), (0..scores.len()).collect::<Vec<_>>());
        let scores = Tensor::from_data(TensorData::new(scores.concat(), [2 * shots + 2, width]), &Device::flex());
        let (loss, right) = loss(scores, &episode, &EpisodeRecipe { way: 2, shots, ..recipe }, temperature);
        (values(loss)[0], right)
    }

    #[test]
    fn losses_by_hand() {
        // Keys ++++ and ++--. Query ---- has the products -4 and 0; +--- has -2 and 2, a tie, which goes to the wrong class.
        let scores: [&[f32]; 4] =
            [&[0.5, 2.0, 0.1, 1.0], &[3.0, 0.2, -0.3, -1.0], &[-0.1; 4], &[0.7, -0.2, -3.0, -0.4]];
        let of = |similarity, sharpening| EpisodeRecipe { similarity, sharpening, ..EpisodeRecipe::default() };
        let (loss, right) = loss_of(&scores, of(Similarity::Dot, Sharpening::Abs), 2.0);
        // Logits 2, 0 and 1, 1: ln(1 + e^-2) and ln 2.
        assert!((loss - (0.126_928 + std::f32::consts::LN_2) / 2.0).abs() < 1e-5 && right == 1, "{loss} {right}");
        // Cosines 1, 0 and 1/2, 1/2 (by magnitude); softabs(1) - softabs(0) = s(5) + s(-15) - 2 s(-5) = 0.979921, times four over
        // a temperature of four: ln(1 + e^-0.979921).
        let (loss, right) = loss_of(&scores, of(Similarity::Cosine, Sharpening::Softabs), 4.0);
        assert!((loss - (0.318_701 + std::f32::consts::LN_2) / 2.0).abs() < 1e-5 && right == 1, "{loss} {right}");
        // Real features, two shots: cosines 1, 0 with the keys of one class and 0, 0 with those of the other; 0, -1 and 1, 1. Sums of
        // magnitudes 1, 0 and 1, 2, times two values, over two shots: ln(1 + e^-1) both times.
        let scores: [&[f32]; 6] = [&[3.0, 0.0], &[0.0, -2.0], &[0.0, 2.0], &[0.0, 7.0], &[5.0, 0.0], &[0.0, 1.0]];
        let recipe = EpisodeRecipe { real_features: true, ..of(Similarity::Cosine, Sharpening::Abs) };
        let (loss, right) = loss_of(&scores, recipe, 1.0);
        assert!((loss - 0.313_262).abs() < 1e-5 && right == 2, "{loss} {right}");
    }

    #[test]
    fn softabs_by_hand() {
        let x = Tensor::<2>::from_floats([[0.0, 0.5, -0.5, 1.0]], &Device::flex());
        let y = values(softabs(x));
        let s = |x: f32| 1.0 / (1.0 + (-x).exp());
        for (y, e) in y.iter().zip([2.0 * s(-5.0), s(0.0) + s(-10.0), s(0.0) + s(-10.0), s(5.0) + s(-15.0)]) {
            assert!((y - e).abs() < 1e-6);
        }
    }
}
