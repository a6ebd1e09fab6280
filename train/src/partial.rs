//! Baselines of input-splitting: partial sums of arrays, quantized to few bits, linearly or by Lloyd and Max, and added. First
//! and last layer stay exact.

use burn::tensor::Device;
use hafnia::network::InputCode;
use rayon::prelude::*;

use crate::data::Images;
use crate::inference::Outputs;
use crate::model::Model;
use crate::{batch, evaluate};

const AT_ONCE: usize = 250;

/// Points of the density's grid between two whole numbers.
const FINE: usize = 10;

/// Samples that the kernel density's bandwidth is made for. The formula takes what was sampled to be continuous; for millions
/// of whole numbers it would give a comb of needles, on which Lloyd's iteration stops at once.
const SAMPLES: f64 = 10_000.0;

/// How often each partial sum was seen; sums from `-reach` to `reach`.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    reach: i64,
    counts: Vec<u64>,
}

impl Histogram {
    pub fn new(reach: usize) -> Self {
        Self { reach: reach as i64, counts: vec![0; 2 * reach + 1] }
    }

    fn add(&mut self, sum: f32) {
        self.counts[(sum as i64 + self.reach) as usize] += 1;
    }

    fn seen(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let value = |i: usize| (i as i64 - self.reach) as f64;
        self.counts.iter().enumerate().filter(|(_, n)| **n > 0).map(move |(i, n)| (value(i), *n))
    }

    fn moments(&self) -> (f64, f64, f64) {
        let n: f64 = self.seen().map(|(_, n)| n as f64).sum();
        let mean = self.seen().map(|(x, n)| x * n as f64).sum::<f64>() / n;
        let variance = self.seen().map(|(x, n)| (x - mean).powi(2) * n as f64).sum::<f64>() / (n - 1.0).max(1.0);
        (n, mean, variance.sqrt())
    }
}

/// Levels in rising order; a sum becomes the nearest one. Of two as near, blocks take the lower and the upper by turns: were it
/// always the same one, the many sums of 0 midway between two of equal steps would move a neuron's sum by half a step a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels(pub Vec<f64>);

impl Levels {
    /// Middles of 2^bits equal steps over the span of the sums that were seen.
    pub fn linear(histogram: &Histogram, bits: u32) -> Self {
        let (low, high) = histogram.seen().fold((f64::MAX, f64::MIN), |(low, high), (x, _)| (low.min(x), high.max(x)));
        let steps = 1usize << bits;
        let step = (high - low) / steps as f64;
        Self((0..steps).map(|k| low + (k as f64 + 0.5) * step).collect())
    }

    /// Lloyd's iteration (Lloyd 1982; Max 1960) on a Gaussian kernel density of bandwidth 1.06 sigma n^(-1/5).
    pub fn lloyd_max(histogram: &Histogram, bits: u32) -> Self {
        let (n, _, sigma) = histogram.moments();
        let bandwidth = (1.06 * sigma * n.min(SAMPLES).powf(-0.2)).max(1e-3);
        let reach = histogram.reach as f64 + 4.0 * bandwidth;
        let points = (2.0 * reach * FINE as f64) as usize + 1;
        let seen: Vec<(f64, u64)> = histogram.seen().collect();
        let density = |k: usize| {
            let x = -reach + k as f64 / FINE as f64;
            let kernel = |(s, n): &(f64, u64)| {
                let z = (x - s) / bandwidth;
                if z.abs() > 6.0 { 0.0 } else { *n as f64 * libm::exp(-0.5 * z * z) }
            };
            (x, seen.iter().map(kernel).sum::<f64>())
        };
        let density: Vec<(f64, f64)> = (0..points).into_par_iter().map(density).collect();
        // From levels at equal shares of the probability.
        let whole: f64 = density.iter().map(|(_, p)| p).sum();
        let count = 1usize << bits;
        let mut levels = Vec::with_capacity(count);
        let mut sum = 0.0;
        for (x, p) in &density {
            sum += p;
            while levels.len() < count && sum >= (levels.len() as f64 + 0.5) / count as f64 * whole {
                levels.push(*x);
            }
        }
        levels.resize(count, reach);
        for _ in 0..1000 {
            let mut sums = vec![(0.0, 0.0); count];
            let mut cell = 0;
            for (x, p) in &density {
                while cell + 1 < count && *x > (levels[cell] + levels[cell + 1]) / 2.0 {
                    cell += 1;
                }
                sums[cell].0 += p * x;
                sums[cell].1 += p;
            }
            let next: Vec<f64> =
                sums.iter().zip(&levels).map(|((s, p), l)| if *p > 0.0 { s / p } else { *l }).collect();
            let moved = next.iter().zip(&levels).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            levels = next;
            if moved < 1e-6 {
                break;
            }
        }
        Self(levels)
    }

    fn of(&self, sum: f64, block: usize) -> f64 {
        let at = self.0.partition_point(|level| *level < sum);
        match (at.checked_sub(1).map(|k| self.0[k]), self.0.get(at)) {
            (Some(below), Some(above)) => {
                let (down, up) = (sum - below, above - sum);
                if down > up || (down == up && block % 2 == 1) { *above } else { below }
            }
            (Some(below), None) => below,
            (None, above) => *above.expect("there are levels"),
        }
    }

    /// For sums of a block from `-reach` to `reach`.
    fn table(&self, reach: usize, block: usize) -> Vec<f32> {
        (-(reach as i64)..=reach as i64).map(|s| self.of(s as f64, block) as f32).collect()
    }
}

/// Partial sums of each split layer of `split`, which has the weights of `whole`, as exact inference of `whole` gives them.
pub fn histograms(
    whole: &Model,
    split: &Model,
    images: &Images,
    code: &InputCode,
    device: &Device,
    progress: impl FnMut(usize),
) -> Vec<Option<Histogram>> {
    let mut histograms: Vec<Option<Histogram>> = split
        .layers
        .iter()
        .map(|l| l.is_split().then(|| Histogram::new(l.blocks.iter().map(|b| b.inputs).max().unwrap_or(0))))
        .collect();
    each_batch(images, code, device, progress, |x, _| {
        let outputs = whole.eval(x.clone());
        for (i, layer) in split.layers.iter().enumerate() {
            if let Some(histogram) = &mut histograms[i] {
                let x = if i == 0 { x.clone() } else { outputs[i - 1].tensor(device) };
                layer.partial_sums(&x).into_iter().for_each(|s| histogram.add(s));
            }
        }
    });
    histograms
}

/// Classes where every partial sum of a split layer becomes one of that layer's levels; `None`: exact.
pub fn predictions(
    whole: &Model,
    split: &Model,
    levels: &[Option<Levels>],
    images: &Images,
    code: &InputCode,
    device: &Device,
    progress: impl FnMut(usize),
) -> Vec<usize> {
    let mut predicted = Vec::new();
    each_batch(images, code, device, progress, |x, count| {
        let mut outputs: Option<Outputs> = None;
        for ((layer, parts), levels) in whole.layers.iter().zip(&split.layers).zip(levels) {
            let x = outputs.as_ref().map_or_else(|| x.clone(), |y| y.tensor(device));
            outputs = Some(match levels {
                None => layer.eval(x),
                Some(levels) => {
                    let reach = parts.blocks.iter().map(|b| b.inputs).max().unwrap_or(0);
                    let tables = [0, 1].map(|block| levels.table(reach, block));
                    let partial = parts.partial_sums(&x);
                    let mut sums = vec![0.0; partial.len() / parts.blocks.len()];
                    for (block, own) in partial.chunks_exact(sums.len()).enumerate() {
                        let table = &tables[block % 2];
                        let add = |(sum, s): (&mut f32, &f32)| *sum += table[(*s as i64 + reach as i64) as usize];
                        sums.par_iter_mut().zip(own).for_each(add);
                    }
                    layer.follow(count, sums, device)
                }
            });
        }
        let scores = outputs.expect("a model has layers");
        predicted.extend(scores.rows().map(evaluate::first_maximum));
    });
    predicted
}

fn each_batch(
    images: &Images,
    code: &InputCode,
    device: &Device,
    mut progress: impl FnMut(usize),
    mut take: impl FnMut(burn::tensor::Tensor<2>, usize),
) {
    for from in (0..images.len()).step_by(AT_ONCE) {
        let chosen = from..images.len().min(from + AT_ONCE);
        let count = chosen.len();
        take(batch::inputs(chosen.map(|i| images.image(i).into()), images.values(), code, device), count);
        progress(from + count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: &[(i64, u64)]) -> Histogram {
        let mut h = Histogram::new(8);
        counts.iter().for_each(|(s, n)| h.counts[(s + 8) as usize] += n);
        h
    }

    #[test]
    fn linear_levels_are_the_middles_of_equal_steps() {
        let levels = Levels::linear(&histogram(&[(-4, 1), (0, 5), (4, 1)]), 2);
        assert_eq!(levels.0, [-3.0, -1.0, 1.0, 3.0]);
        // Midway are -2, 0 and 2.
        let of = |block| [-8.0, -2.0, -1.9, 0.0, 2.5].map(|s| levels.of(s, block));
        assert_eq!([of(0), of(1)], [[-3.0, -3.0, -1.0, -1.0, 3.0], [-3.0, -1.0, -1.0, 1.0, 3.0]]);
    }

    #[test]
    fn lloyd_max_finds_two_heaps() {
        let levels = Levels::lloyd_max(&histogram(&[(-6, 500), (-5, 500), (5, 500), (6, 500)]), 1);
        assert!((levels.0[0] + 5.5).abs() < 0.1 && (levels.0[1] - 5.5).abs() < 0.1, "{levels:?}");
    }

    /// Two sums, -1 and +1: sigma is sqrt(2), the bandwidth h = 1.06 sqrt(2) 2^(-1/5) = 1.3050, and one bit of the two bells has the
    /// levels +-E|x| = +-(h sqrt(2 / pi) exp(-1 / (2 h^2)) + 1 - 2 Phi(-1 / h)) = +-1.3328; 0.9 for 1.06 would give 1.2216, n^(-1/4) 1.3067.
    #[test]
    fn the_bandwidth_is_that_of_the_paper() {
        let levels = Levels::lloyd_max(&histogram(&[(-1, 1), (1, 1)]), 1);
        assert!(((levels.0[1] - levels.0[0]) / 2.0 - 1.3328).abs() < 0.01, "{levels:?}");
    }

    /// One bit of a normal distribution: +-sigma sqrt(2 / pi), sigma being that of the smoothed density.
    #[test]
    fn lloyd_max_of_a_bell_is_the_known_one() {
        let bell: Vec<(i64, u64)> =
            (-40..=40).map(|s| (s, (1e6 * libm::exp(-0.5 * (s as f64 / 10.0).powi(2))) as u64)).collect();
        let mut h = Histogram::new(40);
        bell.iter().for_each(|(s, n)| h.counts[(s + 40) as usize] = *n);
        let (_, _, sigma) = h.moments();
        let smoothed = (sigma.powi(2) + (1.06 * sigma * SAMPLES.powf(-0.2)).powi(2)).sqrt();
        let expected = smoothed * (2.0 / std::f64::consts::PI).sqrt();
        let levels = Levels::lloyd_max(&h, 1);
        assert!((levels.0[1] - expected).abs() < 0.2 && (levels.0[0] + expected).abs() < 0.2, "{levels:?} {expected}");
        // More bits, less distortion.
        let distortion = |bits| {
            let levels = Levels::lloyd_max(&h, bits);
            h.seen().map(|(x, n)| (x - levels.of(x, 0)).powi(2) * n as f64).sum::<f64>()
        };
        assert!(distortion(3) < distortion(2) && distortion(2) < distortion(1));
    }
}
