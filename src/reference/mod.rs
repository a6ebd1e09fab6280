//! Hardware-free evaluation: what the trained network itself says, written down as plainly as it can be.
//!
//! Sums are integers, `y` is the f64 expression of [`Layer::value`], and nothing here knows of arrays, folded
//! thresholds or packed bits: it must never read a plan, since `verify` uses it to show that an exact plan
//! computes what was trained.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use crate::network::{Layer, Network, Op};

/// Everything a network says about one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Outputs of every layer but the last: -1, 0 or +1 a neuron.
    pub activations: Vec<Vec<i8>>,
    /// Integer sums `s` of the last layer.
    pub sums: Vec<i64>,
    /// Scores `y` of the last layer.
    pub scores: Vec<f64>,
    /// The first maximum of the scores.
    pub class: usize,
}

/// Evaluates one image, given as its stored bytes: one a value, 0 or 1 where the input is bipolar.
///
/// # Panics
/// Where the image has not [`Network::input_len`] bytes.
pub fn evaluate(network: &Network, image: &[u8]) -> Evaluation {
    assert_eq!(image.len(), network.input_len(), "bytes of the image against values of the network's input");
    let mut inputs: Vec<i32> = image.iter().map(|byte| network.input.code.value(*byte)).collect();
    let mut activations = Vec::new();
    let (last, hidden) = network.layers.split_last().expect("validated: a network has layers");
    for layer in hidden {
        let (_, values) = outputs(layer, &inputs);
        let trits: Vec<i8> = values
            .into_iter()
            .enumerate()
            .map(|(j, y)| layer.activation.apply(j, y).expect("validated: only the last layer gives scores"))
            .collect();
        inputs = trits.iter().map(|t| i32::from(*t)).collect();
        activations.push(trits);
    }
    let (sums, scores) = outputs(last, &inputs);
    let class = first_maximum(&scores);
    Evaluation { activations, sums, scores, class }
}

/// Evaluates many images on all cores, in order. `progress` hears how many are done, from any thread.
pub fn evaluate_all(network: &Network, images: &[&[u8]], progress: impl Fn(usize) + Sync) -> Vec<Evaluation> {
    let done = AtomicUsize::new(0);
    let one = |image: &&[u8]| {
        let evaluation = evaluate(network, image);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        evaluation
    };
    images.par_iter().map(one).collect()
}

/// `s` and `y` of every neuron of a layer.
fn outputs(layer: &Layer, inputs: &[i32]) -> (Vec<i64>, Vec<f64>) {
    let sums = match layer.op {
        Op::Dense => dense(&layer.weights.values, inputs),
    };
    let values = sums.iter().enumerate().map(|(j, s)| layer.value(j, *s)).collect();
    (sums, values)
}

fn dense(weights: &Array2<i8>, inputs: &[i32]) -> Vec<i64> {
    let weights = weights.as_standard_layout();
    let rows = weights.rows().into_iter();
    let small: Option<Vec<i16>> = inputs.iter().map(|x| i16::try_from(*x).ok()).collect();
    match small {
        Some(inputs) => rows.map(|row| dot_small(row.as_slice().expect("standard layout"), &inputs)).collect(),
        None => rows.map(|row| row.iter().zip(inputs).map(|(w, x)| i64::from(*w) * i64::from(*x)).sum()).collect(),
    }
}

/// Dot product for inputs that fit 16 bits. 256 products stay within 2^30, so a piece cannot wrap; saying so spares
/// the checks of debug builds, and the compiler then works on whole vectors.
fn dot_small(weights: &[i8], inputs: &[i16]) -> i64 {
    let product = |(w, x): (&i8, &i16)| i32::from(*w).wrapping_mul(i32::from(*x));
    let piece = |(w, x): (&[i8], &[i16])| w.iter().zip(x).map(product).fold(0, i32::wrapping_add);
    weights.chunks(256).zip(inputs.chunks(256)).map(piece).map(i64::from).sum()
}

fn first_maximum(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ndarray::{Array2, arr2};

    use super::*;
    use crate::network::{Activation, Cut, Input, InputCode, InputValues, Normalize, WeightKind, Weights};

    fn layer(name: &str, kind: WeightKind, values: Array2<i8>, normalize: Normalize, activation: Activation) -> Layer {
        let neurons = values.nrows();
        let weights = Weights { kind, values, scale: vec![1.0; neurons] };
        Layer { name: name.into(), op: Op::Dense, weights, bias: vec![0.0; neurons], normalize, activation }
    }

    fn network(shape: usize, code: InputCode, layers: Vec<Layer>) -> Network {
        Network::new("hand", Input { shape: vec![shape], code }, layers).unwrap()
    }

    fn hand() -> Network {
        // gamma of the second neuron is negative, so its sign flips; the third has gamma 0 and beta 0: always +1
        let norm = Normalize::BatchNorm {
            gamma: vec![2.0, -1.0, 0.0],
            beta: vec![0.5, 0.0, 0.0],
            mean: vec![1.0, -1.0, 7.0],
            variance: vec![4.0, 1.0, 1.0],
            epsilon: 0.0,
        };
        let first = layer(
            "first",
            WeightKind::Bipolar,
            arr2(&[[1, 1, -1, 1], [1, -1, 1, 1], [-1, -1, -1, -1]]),
            norm,
            Activation::Bipolar { threshold: vec![0.0; 3] },
        );
        let cut = |at: f64, strict| Cut { at: vec![at; 2], strict };
        let second = layer(
            "second",
            WeightKind::Ternary,
            arr2(&[[1, 0, 1], [0, -1, 1]]),
            Normalize::None,
            Activation::Ternary { above: cut(2.0, false), below: cut(-1.0, true) },
        );
        let affine = Normalize::Affine { gain: vec![0.5, -1.0, 1.0], shift: vec![1.0, 0.0, 0.0] };
        let last = layer("last", WeightKind::Int8, arr2(&[[3, -100], [-1, 127], [4, 0]]), affine, Activation::Scores);
        network(4, InputCode::Bipolar, vec![first, second, last])
    }

    #[test]
    fn follows_hand_arithmetic() {
        // x = + - - +. Sums of `first`: 1-1+1+1 = 2; 1+1-1+1 = 2; -1+1+1-1 = 0.
        // y: 2 (2-1)/2 + 0.5 = 1.5 -> +1; -(2+1)/1 = -3 -> -1; 0 (0-7) + 0 = -0 -> +1.
        // Sums of `second`: 1+1 = 2 -> +1; 1+1 = 2 -> +1.
        // Sums of `last`: 3-100 = -97; -1+127 = 126; 4; scores -97/2 + 1, -126, 4.
        let got = evaluate(&hand(), &[1, 0, 0, 1]);
        assert_eq!(got.activations, [vec![1, -1, 1], vec![1, 1]]);
        assert_eq!(got.sums, [-97, 126, 4]);
        assert_eq!(got.scores, [-47.5, -126.0, 4.0]);
        assert_eq!(got.class, 2);
        // x = - - + -. Sums of `first`: -1-1-1-1 = -4; -1+1+1-1 = 0; 1+1-1+1 = 2.
        // y: 2 (-5)/2 + 0.5 = -4.5 -> -1; -(0+1) = -1 -> -1; +1.
        // `second`: -1+1 = 0 -> 0; 1+1 = 2 -> +1. `last`: -100, 127, 0.
        let got = evaluate(&hand(), &[0, 0, 1, 0]);
        assert_eq!(got.activations, [vec![-1, -1, 1], vec![0, 1]]);
        assert_eq!(got.sums, [-100, 127, 0]);
        assert_eq!(got.scores, [-49.0, -127.0, 0.0]);
        assert_eq!(got.class, 2);
    }

    #[test]
    fn dead_zone_edges_follow_their_strictness() {
        let cut = |at: f64, strict| Cut { at: vec![at], strict };
        for (strict, at_edge) in [(true, 0), (false, 1)] {
            let ternary = Activation::Ternary { above: cut(3.0, strict), below: cut(-3.0, strict) };
            let hidden = layer("h", WeightKind::Int8, arr2(&[[1]]), Normalize::None, ternary);
            let last = layer("l", WeightKind::Ternary, arr2(&[[1]]), Normalize::None, Activation::Scores);
            let code = InputCode::I8(InputValues::Affine { gain: 1, offset: 0 });
            let net = network(1, code, vec![hidden, last]);
            let trit = |v: i8| evaluate(&net, &[v as u8]).activations[0][0];
            assert_eq!([trit(2), trit(3), trit(4)], [0, at_edge, 1]);
            assert_eq!([trit(-2), trit(-3), trit(-4)], [0, -at_edge, -1]);
        }
    }

    #[test]
    fn first_maximum_wins_a_tie() {
        assert_eq!(first_maximum(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(first_maximum(&[-0.0, 0.0]), 0);
    }

    #[test]
    fn input_codes_stand_for_integers() {
        let last = |w: i8| layer("l", WeightKind::Int8, arr2(&[[w]]), Normalize::None, Activation::Scores);
        let sum = |code: InputCode, byte: u8| evaluate(&network(1, code, vec![last(-128)]), &[byte]).sums[0];
        assert_eq!(sum(InputCode::U8(InputValues::Affine { gain: 2, offset: -255 }), 0), 255 * 128);
        assert_eq!(sum(InputCode::U8(InputValues::Threshold { at: 128 }), 128), -128);
        assert_eq!(sum(InputCode::I8(InputValues::Threshold { at: 0 }), 0xff), 128);
        assert_eq!(sum(InputCode::Bipolar, 0), 128);
        // beyond 16 bits: the plain path
        assert_eq!(sum(InputCode::U8(InputValues::Affine { gain: 32768, offset: 1 }), 255), -128 * (32768 * 255 + 1));
    }

    #[test]
    fn both_dot_products_agree_at_the_extremes() {
        let weights = Array2::from_elem((1, 1000), -128i8);
        assert_eq!(dense(&weights, &[i32::from(i16::MIN); 1000]), [128 * 32768 * 1000]);
        let mut inputs = [32767; 1000];
        let small = dense(&weights, &inputs)[0];
        inputs[999] += 1; // one more, and it no longer fits 16 bits
        assert_eq!(dense(&weights, &inputs)[0], small - 128);
    }

    #[test]
    fn weights_in_column_order_give_the_same() {
        let row_order = arr2(&[[1i8, 2, 3], [4, 5, 6]]);
        let column_order = row_order.t().as_standard_layout().to_owned().reversed_axes();
        assert!(!column_order.is_standard_layout());
        assert_eq!(dense(&row_order, &[1, 10, 100]), dense(&column_order, &[1, 10, 100]));
    }

    #[test]
    fn many_images_keep_their_order_and_report_progress() {
        let net = hand();
        let images: Vec<Vec<u8>> = (0..16u8).map(|n| (0..4).map(|b| n >> b & 1).collect()).collect();
        let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
        let heard = Mutex::new(Vec::new());
        let got = evaluate_all(&net, &images, |done| heard.lock().unwrap().push(done));
        assert_eq!(got, images.iter().map(|i| evaluate(&net, i)).collect::<Vec<_>>());
        let mut heard = heard.into_inner().unwrap();
        heard.sort();
        assert_eq!(heard, (1..=16).collect::<Vec<_>>());
    }
}
