//! Batch norm, quantizer and vote on the host, each in one pass over the sums.
//!
//! Rows of `s` are neurons of one block after the other; a row holds a neuron's sums at every position, image by image.

use std::borrow::Cow;

use hafnia::network::Pool;
use multiversion::multiversion;
use rayon::prelude::*;

use crate::norm::EPSILON;
use crate::pooled;

/// What a normalized value becomes; see [`crate::quantize`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hard {
    Bipolar,
    Ternary { zone: f32 },
}

/// Blocks of a neuron, each with a vote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ballot {
    pub blocks: usize,
    /// The gradient passes where the sum of votes lies within +-this.
    pub reach: f32,
}

impl Ballot {
    /// `window` square roots of the number of blocks; 0: the gradient passes everywhere.
    pub fn new(blocks: usize, window: f64) -> Self {
        let reach = if window > 0.0 { (window * (blocks as f64).sqrt()) as f32 } else { f32::INFINITY };
        Self { blocks, reach }
    }

    /// Whether a sum may lie beyond the reach. A single vote is no sum.
    pub fn is_windowed(&self) -> bool {
        self.blocks > 1 && self.reach < self.blocks as f32
    }
}

/// How rows of sums become the activations of images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Votes {
    pub to: Hard,
    pub poll: Poll,
}

/// Whose values stand in the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poll {
    pub ballot: Ballot,
    pub images: usize,
    /// Behind the votes, and the rows and columns of the map that they are on.
    pub pool: Option<(Pool, [usize; 2])>,
}

/// Of the way forward, for the gradient.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Where the gradient passes; `None`: everywhere.
    pub passes: Option<Vec<bool>>,
    /// See [`pooled::maxima_of_planes`]; `None`: there is no pool.
    pub places: Option<Vec<u32>>,
}

/// Images whose rows a thread reads together, so that a cache line of a dense layer's sums serves all it holds.
const TOGETHER: usize = 16;

/// Values summed in f32 before the sum goes on in f64.
const STRETCH: usize = 1024;

/// Means of the rows of `s`, then their variances.
pub fn moments(s: &[f32], rows: usize) -> Vec<f32> {
    let across = s.len() / rows;
    let (mean, variance): (Vec<f32>, Vec<f32>) = s.par_chunks_exact(across).map(moments_of).unzip();
    [mean, variance].concat()
}

#[multiversion(targets("x86_64+avx2"))]
fn moments_of(row: &[f32]) -> (f32, f32) {
    // Of the distances from the first value, which keeps a variance far below the mean's square exact.
    let first = row[0];
    let [sum, squares] = sums(row, row, |s, _| [s - first, (s - first) * (s - first)]);
    let [mean, square] = [sum, squares].map(|sum| sum / row.len() as f64);
    ((f64::from(first) + mean) as f32, (square - mean * mean).max(0.0) as f32)
}

/// Rows normalized, scaled and moved; then, of several blocks, the sum of their votes: `[image, neuron and position]`.
pub fn polled(s: &[f32], moments: &[f32], gamma: &[f32], beta: &[f32], Votes { to, poll }: Votes) -> Vec<f32> {
    let (rows, across) = (gamma.len(), s.len() / gamma.len());
    let (neurons, positions) = (rows / poll.ballot.blocks, across / poll.images);
    let mut out = vec![0.0; neurons * across];
    let fill = |(chunk, out): (usize, &mut [f32])| {
        for row in 0..rows {
            let line = Line::new(row, moments, gamma, beta);
            let own = &s[row * across + chunk * TOGETHER * positions..][..out.len() / neurons];
            for (image, s) in own.chunks_exact(positions).enumerate() {
                let votes = &mut out[(image * neurons + row % neurons) * positions..][..positions];
                match poll.ballot.blocks {
                    1 => normalize(s, votes, line),
                    _ => add_votes(s, votes, line, to),
                }
            }
        }
    };
    out.par_chunks_mut(TOGETHER * neurons * positions).enumerate().for_each(fill);
    out
}

/// Of sums of votes, where the gradient passes; `None`: everywhere.
pub fn passes(polled: &[f32], ballot: Ballot) -> Option<Vec<bool>> {
    let pass = |sum: &f32| sum.abs() <= ballot.reach;
    ballot.is_windowed().then(|| polled.par_iter().map(pass).collect())
}

/// What is made of a single block's values, or of sums of votes, in place.
pub fn elect(polled: &mut [f32], to: Hard, blocks: usize) {
    let to = match to {
        Hard::Ternary { .. } if blocks > 1 => Hard::Ternary { zone: 0.0 },
        to => to,
    };
    polled.par_chunks_mut(STRETCH).for_each(|part| harden(part, to));
}

/// What normalizes a row.
#[derive(Clone, Copy)]
struct Line {
    mean: f32,
    /// 1 / deviation
    inverse: f32,
    /// gamma / deviation
    gain: f32,
    beta: f32,
}

impl Line {
    fn new(row: usize, moments: &[f32], gamma: &[f32], beta: &[f32]) -> Self {
        let inverse = 1.0 / (moments[gamma.len() + row] + EPSILON as f32).sqrt();
        Self { mean: moments[row], inverse, gain: gamma[row] * inverse, beta: beta[row] }
    }

    #[inline(always)]
    fn value(self, s: f32) -> f32 {
        (s - self.mean) * self.gain + self.beta
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn normalize(s: &[f32], out: &mut [f32], line: Line) {
    s.iter().zip(out).for_each(|(s, y)| *y = line.value(*s));
}

#[multiversion(targets("x86_64+avx2"))]
fn add_votes(s: &[f32], votes: &mut [f32], line: Line, to: Hard) {
    let pairs = s.iter().zip(votes);
    match to {
        Hard::Bipolar => pairs.for_each(|(s, y)| *y += if line.value(*s) >= 0.0 { 1.0 } else { -1.0 }),
        Hard::Ternary { zone } => pairs.for_each(|(s, y)| {
            let value = line.value(*s);
            *y += f32::from(u8::from(value > zone)) - f32::from(u8::from(value < -zone));
        }),
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn harden(values: &mut [f32], to: Hard) {
    let values = values.iter_mut();
    match to {
        Hard::Bipolar => values.for_each(|y| *y = if *y >= 0.0 { 1.0 } else { -1.0 }),
        Hard::Ternary { zone } => {
            values.for_each(|y| *y = f32::from(u8::from(*y > zone)) - f32::from(u8::from(*y < -zone)));
        }
    }
}

/// Gradients of `s`, gamma and beta from that of the activations, which reaches every vote of a sum where it passes. With x the normalized sums, g the
/// gradient where |y| <= 1 and n the samples, that of a sum is gamma / deviation (g - mean(g) - x mean(g x)).
pub fn estimated(
    s: &[f32],
    moments: &[f32],
    gamma: &[f32],
    beta: &[f32],
    (gradient, kept): (&[f32], &Kept),
    poll: Poll,
) -> [Vec<f32>; 3] {
    let (rows, across) = (gamma.len(), s.len() / gamma.len());
    let (neurons, positions) = (rows / poll.ballot.blocks, across / poll.images);
    let mut out = vec![0.0; s.len()];
    let mut gradient = passed(gradient, kept.passes.as_deref());
    if let Some((places, pool)) = kept.places.as_ref().zip(poll.pool) {
        gradient = pooled::spread_planes(&gradient, places, pool).into();
    }
    let fill = |of_neuron: &mut Vec<f32>, (row, out): (usize, &mut [f32])| {
        of_neuron.clear();
        for image in 0..poll.images {
            let own = (image * neurons + row % neurons) * positions;
            of_neuron.extend_from_slice(&gradient[own..own + positions]);
        }
        estimated_row(&s[row * across..][..across], Line::new(row, moments, gamma, beta), of_neuron, out)
    };
    let (of_gamma, of_beta) = out.par_chunks_exact_mut(across).enumerate().map_init(Vec::new, fill).unzip();
    [out, of_gamma, of_beta]
}

/// The gradient, 0 where it does not pass.
fn passed<'a>(gradient: &'a [f32], passes: Option<&[bool]>) -> Cow<'a, [f32]> {
    let Some(passes) = passes else { return gradient.into() };
    gradient.par_iter().zip(passes).map(|(g, passes)| if *passes { *g } else { 0.0 }).collect::<Vec<f32>>().into()
}

/// Gradients of a row's sums to `out`; returns those of gamma and beta.
#[multiversion(targets("x86_64+avx2"))]
fn estimated_row(s: &[f32], line: Line, gradient: &[f32], out: &mut [f32]) -> (f32, f32) {
    let normal = |s: f32| (s - line.mean) * line.inverse;
    for ((s, g), passed) in s.iter().zip(gradient).zip(out.iter_mut()) {
        *passed = if line.value(*s).abs() <= 1.0 { *g } else { 0.0 };
    }
    let [of_beta, of_gamma] = sums(s, out, |s, passed| [passed, passed * normal(s)]);
    let [back, along] = [of_beta, of_gamma].map(|sum| (sum / s.len() as f64) as f32);
    for (s, out) in s.iter().zip(out) {
        *out = line.gain * (*out - back - normal(*s) * along);
    }
    (of_gamma as f32, of_beta as f32)
}

/// Of a vector unit's register.
const EIGHT: usize = 8;
type Lanes = [f32; EIGHT];

/// Stretches summed side by side, so that one addition need not wait for the last.
const ABREAST: usize = 4;

/// Two sums of `f` over pairs, in an order that does not depend on threads and that suits vector units.
#[inline(always)]
fn sums(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut totals = [0.0; 2];
    let mut add = |lanes: [Lanes; 2]| {
        for (total, lanes) in totals.iter_mut().zip(lanes) {
            *total += lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>();
        }
    };
    let (many_a, many_b) = (a.chunks_exact(ABREAST * STRETCH), b.chunks_exact(ABREAST * STRETCH));
    let rest = many_a.remainder().chunks(STRETCH).zip(many_b.remainder().chunks(STRETCH));
    for (a, b) in many_a.zip(many_b) {
        let mut all = [[[0.0; EIGHT]; 2]; ABREAST];
        for at in (0..STRETCH).step_by(EIGHT) {
            for (part, lanes) in all.iter_mut().enumerate() {
                let at = part * STRETCH + at;
                gather(&a[at..at + EIGHT], &b[at..at + EIGHT], lanes, &f);
            }
        }
        all.into_iter().for_each(&mut add);
    }
    for (a, b) in rest {
        let mut lanes = [[0.0; EIGHT]; 2];
        let (eights_a, eights_b) = (a.chunks_exact(EIGHT), b.chunks_exact(EIGHT));
        for (a, b) in eights_a.remainder().iter().zip(eights_b.remainder()) {
            let [first, second] = f(*a, *b);
            lanes[0][0] += first;
            lanes[1][0] += second;
        }
        eights_a.zip(eights_b).for_each(|(a, b)| gather(a, b, &mut lanes, &f));
        add(lanes);
    }
    totals
}

#[inline(always)]
fn gather(a: &[f32], b: &[f32], lanes: &mut [Lanes; 2], f: impl Fn(f32, f32) -> [f32; 2]) {
    for k in 0..EIGHT {
        let [first, second] = f(a[k], b[k]);
        lanes[0][k] += first;
        lanes[1][k] += second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: &[f32], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    #[test]
    fn moments_by_hand() {
        near(&moments(&[1.0, 3.0, 5.0, 7.0, 0.0, 0.0, 0.0, 8.0], 2), &[4.0, 2.0, 5.0, 12.0]);
        // Far from zero, and more than twice the stretches that are summed side by side.
        let row: Vec<f32> = (0..9000).map(|i| 60_000.0 + (i % 3) as f32).collect();
        near(&moments(&row, 1), &[60_001.0, 2.0 / 3.0]);
    }

    #[test]
    fn votes_by_hand() {
        // Two blocks of two neurons, two images of one position. Moments 0 and 1 leave the sums nearly as they are.
        let s = [0.5, -2.0, 3.0, 0.01, -0.5, -1.0, -3.0, 0.5];
        let (moments, gamma, beta) = ([[0.0; 4], [1.0; 4]].concat(), [1.0; 4], [0.0; 4]);
        let of = |to| {
            let poll = Poll { ballot: Ballot::new(2, 0.0), images: 2, pool: None };
            let mut sums = polled(&s, &moments, &gamma, &beta, Votes { to, poll });
            elect(&mut sums, to, 2);
            sums
        };
        // Neuron 0: +1 and -1, then -1 and -1; neuron 1: +1 and -1, then +1 (0 within the zone) and +1. Ties are +1, or 0 of trits.
        assert_eq!(of(Hard::Bipolar), [1.0, 1.0, -1.0, 1.0]);
        assert_eq!(of(Hard::Ternary { zone: 0.05 }), [0.0, 0.0, -1.0, 1.0]);
    }

    #[test]
    fn the_gradient_by_hand() {
        // Two samples -1 and 1, gamma 1, beta 0.5: y is -0.5 and 1.5, so the second gradient is stopped. Of 1, 1 remain 1, 0:
        // mean(g) = 1/2, mean(g x) = -1/2, so both sums get 1 - 1/2 + (-1)/2 = 0 and 0 - 1/2 + 1/2 = 0.
        let v = |images| Poll { ballot: Ballot::new(1, 1.0), images, pool: None };
        let all = Kept::default();
        let one = 1.0 - EPSILON as f32;
        let [ds, dgamma, dbeta] = estimated(&[-1.0, 1.0], &[0.0, one], &[1.0], &[0.5], (&[1.0, 1.0], &all), v(2));
        near(&ds, &[0.0, 0.0]);
        assert!((dgamma[0] + 1.0).abs() < 1e-4 && dbeta == [1.0], "{dgamma:?} {dbeta:?}");
        // Three samples: -1, 0 and 1 have variance 2/3, x = s / 0.8165. Gradients 0, 1, 0, all within +-1 for gamma 0.5:
        // mean(g) = 1/3, mean(g x) = 0: 0.6124 (g - 1/3).
        let three = [-1.0, 0.0, 1.0];
        let [ds, dgamma, dbeta] = estimated(&three, &[0.0, 2.0 / 3.0], &[0.5], &[0.0], (&[0.0, 1.0, 0.0], &all), v(1));
        let k = 0.5 / (2.0f64 / 3.0 + EPSILON).sqrt();
        near(&ds, &[-k / 3.0, k * 2.0 / 3.0, -k / 3.0]);
        assert_eq!((dgamma, dbeta), (vec![0.0], vec![1.0]));
        // The same, where what does not pass is no 0.
        let some = Kept { passes: Some(vec![false, true, false]), ..all };
        let masked = estimated(&three, &[0.0, 2.0 / 3.0], &[0.5], &[0.0], (&[7.0, 1.0, 7.0], &some), v(1));
        assert_eq!(masked, [ds, vec![0.0], vec![1.0]]);
    }

    #[test]
    fn the_window_of_votes_by_hand() {
        let sums = [-9.0, -4.0, -3.0, 0.0, 3.0, 5.0];
        // Nine blocks: one square root of them is 3, two are 6.
        let passes = |window| passes(&sums, Ballot::new(9, window));
        assert_eq!(passes(0.0), None);
        assert_eq!(passes(1.0), Some(vec![false, false, true, true, true, false]));
        assert_eq!(passes(2.0), Some(vec![false, true, true, true, true, true]));
        assert_eq!(passes(3.0), None);
        assert!(!Ballot::new(1, 0.5).is_windowed());
    }
}
