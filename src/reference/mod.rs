//! Hardware-free evaluation: what the trained network itself says, written down as plainly as it can be.
//!
//! Sums are integers, `y` is the f64 expression of [`Layer::value`], and nothing here knows of arrays, folded
//! thresholds or packed bits: it must never read a plan, since `verify` uses it to show that an exact plan
//! computes what was trained.

mod few_shot;

pub use few_shot::KeyValueMemory;

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use crate::network::{Layer, Network, Op, Pool, PoolOrder, Shape};

/// Everything a network says about one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Outputs of every layer but the last: -1, 0 or +1; a feature map is row-major: channel, row, column.
    pub activations: Vec<Vec<i8>>,
    /// Integer sums `s` of the last layer.
    pub sums: Vec<i64>,
    /// Scores `y` of the last layer.
    pub scores: Vec<f64>,
    /// The first maximum of the scores.
    pub class: usize,
}

impl Evaluation {
    /// What the network gives as the controller of a few-shot memory: +1 where a score is 0 or more, else -1.
    pub fn features(&self) -> Vec<i8> {
        self.scores.iter().map(|y| if *y >= 0.0 { 1 } else { -1 }).collect()
    }
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
    let shapes = network.shapes();
    for (layer, shape) in hidden.iter().zip(&shapes) {
        let trits = outputs(layer, *shape, &inputs);
        inputs = trits.iter().map(|t| i32::from(*t)).collect();
        activations.push(trits);
    }
    let sums = sums(last, shapes[hidden.len()], &inputs).remove(0);
    let scores: Vec<f64> = sums.iter().enumerate().map(|(j, s)| last.value(j, *s)).collect();
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

/// Outputs of a hidden layer as a feature map, row-major: channel, row, column.
fn outputs(layer: &Layer, shape: Shape, inputs: &[i32]) -> Vec<i8> {
    let map = layer.sum_shape(shape).expect("validated: the kernel fits");
    let mut outputs = if layer.blocks.is_empty() {
        activations(layer, map, &sums(layer, shape, inputs))
    } else {
        // The sign of the votes' sum.
        let windows = windows(layer, shape, inputs);
        let mut start = 0;
        let mut votes: Vec<f64> = Vec::new();
        for k in 0..layer.blocks.len() {
            let block = layer.block(k);
            let slices: Vec<&[i32]> = windows.iter().map(|w| &w[start..start + block.inputs()]).collect();
            start += block.inputs();
            let sums: Vec<Vec<i64>> = slices.iter().map(|x| dense(&block.weights.values, x)).collect();
            let block = Layer { pool: layer.pool, ..block };
            let own = activations(&block, map, &sums);
            votes.resize(own.len(), 0.0);
            votes.iter_mut().zip(own).for_each(|(sum, vote)| *sum += f64::from(vote));
        }
        let neuron = votes.len() / layer.neurons();
        let sign = |(i, v): (usize, &f64)| layer.activation.apply(i / neuron, *v).expect("validated: no scores");
        votes.iter().enumerate().map(sign).collect()
    };
    if let Some(pool) = layer.pool.filter(|p| p.order == PoolOrder::AfterActivation) {
        outputs = pooled(&pool, map, &outputs);
    }
    outputs
}

/// Activations of sums that stand position by position; pooled where the pool comes before the normalisation.
fn activations(layer: &Layer, map: Shape, sums: &[Vec<i64>]) -> Vec<i8> {
    let neurons = 0..layer.neurons();
    let scaled = |j: usize| sums.iter().map(move |s| layer.scaled(j, s[j] as f64));
    let mut v: Vec<f64> = neurons.clone().flat_map(scaled).collect();
    if let Some(pool) = layer.pool.filter(|p| p.order == PoolOrder::BeforeNormalize) {
        v = pooled(&pool, map, &v);
    }
    let positions = v.len() / layer.neurons();
    let one = |(i, v): (usize, &f64)| {
        let j = i / positions;
        layer.activation.apply(j, layer.normalized(j, *v)).expect("validated: only the last layer gives scores")
    };
    v.iter().enumerate().map(one).collect()
}

/// Maximum over each window of each channel of a map.
fn pooled<T: Copy + PartialOrd>(pool: &Pool, map: Shape, values: &[T]) -> Vec<T> {
    let to = pool.output(map).expect("validated: the pool fits");
    let mut out = Vec::with_capacity(to.len());
    for channel in values.chunks_exact(map.positions()) {
        for (row, column) in (0..to.rows).flat_map(|r| (0..to.columns).map(move |c| (r, c))) {
            let (top, left) = (row * pool.stride[0], column * pool.stride[1]);
            let rows = (top..top + pool.size[0]).flat_map(|r| &channel[r * map.columns + left..][..pool.size[1]]);
            out.push(rows.copied().reduce(|a, b| if b > a { b } else { a }).expect("a pool has positions"));
        }
    }
    out
}

/// Sums of every neuron, position by position.
fn sums(layer: &Layer, shape: Shape, inputs: &[i32]) -> Vec<Vec<i64>> {
    windows(layer, shape, inputs).iter().map(|x| dense(&layer.weights.values, x)).collect()
}

/// What the neurons see at every position, in the order of their weights.
fn windows(layer: &Layer, shape: Shape, inputs: &[i32]) -> Vec<Vec<i32>> {
    let Op::Conv(conv) = &layer.op else { return vec![inputs.to_vec()] };
    let map = layer.sum_shape(shape).expect("validated: the kernel fits");
    let [above, left, ..] = conv.pad;
    let at = |channel: usize, row: usize, column: usize| {
        let inside = (above..above + shape.rows).contains(&row) && (left..left + shape.columns).contains(&column);
        let place = || (channel * shape.rows + row - above) * shape.columns + column - left;
        if inside { inputs[place()] } else { conv.pad_value }
    };
    let window = |position: usize| {
        let (top, left) = (position / map.columns * conv.stride[0], position % map.columns * conv.stride[1]);
        let mut window = Vec::with_capacity(layer.inputs());
        for channel in 0..shape.channels {
            for row in top..top + conv.kernel[0] {
                window.extend((left..left + conv.kernel[1]).map(|column| at(channel, row, column)));
            }
        }
        window
    };
    (0..map.positions()).map(window).collect()
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
    use crate::network::{Activation, Block, Conv, Cut, Input, InputCode, InputValues, Normalize, WeightKind, Weights};

    fn layer(name: &str, kind: WeightKind, values: Array2<i8>, normalize: Normalize, activation: Activation) -> Layer {
        let neurons = values.nrows();
        let weights = Weights { kind, values, scale: vec![1.0; neurons] };
        Layer::new(name, Op::Dense, weights, vec![0.0; neurons], normalize, activation)
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

    /// A map of one channel, 3 x 3, and a kernel of 2 x 2: + on the first row, - on the second.
    fn conv(conv: Conv, pool: Option<Pool>, gain: f64, threshold: f64, last: usize) -> Network {
        let normalize = Normalize::Affine { gain: vec![gain], shift: vec![0.0] };
        let kernel = arr2(&[[1, 1, -1, -1]]);
        let hidden = Layer {
            op: Op::Conv(conv),
            pool,
            ..layer("c", WeightKind::Bipolar, kernel, normalize, Activation::Bipolar { threshold: vec![threshold] })
        };
        let end = layer("l", WeightKind::Int8, Array2::ones((1, last)), Normalize::None, Activation::Scores);
        let code = InputCode::U8(InputValues::Affine { gain: 1, offset: 0 });
        Network::new("hand", Input { shape: vec![3, 3], code }, vec![hidden, end]).unwrap()
    }

    /// 1 2 3 / 4 0 5 / 6 7 9: sums 3-4, 5-5 / 4-13, 5-16.
    const MAP: [u8; 9] = [1, 2, 3, 4, 0, 5, 6, 7, 9];

    #[test]
    fn a_convolution_is_not_flipped() {
        let net = conv(Conv::new([2, 2]), None, 1.0, -9.0, 4);
        assert_eq!(evaluate(&net, &MAP).activations[0], [1, 1, 1, -1]);
        let net = conv(Conv::new([2, 2]), None, 1.0, 0.0, 4);
        assert_eq!(evaluate(&net, &MAP).activations[0], [-1, 1, -1, -1]);
    }

    /// Above and left: rows 0 0 0 0 / 0 1 2 3 / ...; stride 2 takes the windows at (0, 0), (0, 2), (2, 0), (2, 2):
    /// 0-1, 0-5, 0+4-0-6, 0+5-7-9 (columns 1 and 2).
    #[test]
    fn padding_and_stride() {
        let c = Conv { pad: [1, 1, 0, 0], stride: [2, 2], ..Conv::new([2, 2]) };
        let net = conv(c, None, 1.0, -2.0, 4);
        assert_eq!(evaluate(&net, &MAP).activations[0], [1, -1, 1, -1]);
        // A padded position holds 3: 3+3-3-1 = 2, 6-5 = 1, 3+4-3-6 = -2, -11.
        let net = conv(Conv { pad_value: 3, ..c }, None, 1.0, 1.0, 4);
        assert_eq!(evaluate(&net, &MAP).activations[0], [1, 1, -1, -1]);
    }

    /// Sums -1 0 / -9 -11. Before a falling normalisation the largest v is 0, so y = -0 >= 0; after it, every output is
    /// taken: y = 1 0 9 11, all +1. With threshold 1, the first order gives -1, the second +1.
    #[test]
    fn a_pool_keeps_its_order() {
        let pool = |order| Some(Pool { size: [2, 2], stride: [2, 2], order });
        let class = |order, threshold| {
            evaluate(&conv(Conv::new([2, 2]), pool(order), -1.0, threshold, 1), &MAP).activations[0].clone()
        };
        assert_eq!(class(PoolOrder::BeforeNormalize, 0.0), [1]);
        assert_eq!(class(PoolOrder::BeforeNormalize, 1.0), [-1]);
        assert_eq!(class(PoolOrder::AfterActivation, 1.0), [1]);
        assert_eq!(class(PoolOrder::AfterActivation, 12.0), [-1]);
    }

    /// Inputs + - + | + -, weights + + + | - +: sums 1 and -2. Votes at thresholds 0, 0: + and -, a tie, so +1; at 2, 0:
    /// - and -; ternary votes with the zone [-1, 1]: 0 and -, so -1.
    #[test]
    fn blocks_vote() {
        let block = |inputs, activation| Block { inputs, bias: vec![0.0], normalize: Normalize::None, activation };
        let net = |first: Activation, second: Activation| {
            let all = first.of_votes(1);
            let values = arr2(&[[1, 1, 1, -1, 1]]);
            let mut hidden = layer("h", WeightKind::Bipolar, values, Normalize::None, all);
            hidden.blocks = vec![block(3, first), block(2, second)];
            let last = layer("l", WeightKind::Int8, arr2(&[[1]]), Normalize::None, Activation::Scores);
            network(5, InputCode::Bipolar, vec![hidden, last])
        };
        let at = |t: f64| Activation::Bipolar { threshold: vec![t] };
        let sum = |n: Network| evaluate(&n, &[1, 0, 1, 1, 0]).sums[0];
        assert_eq!(sum(net(at(0.0), at(0.0))), 1);
        assert_eq!(sum(net(at(2.0), at(0.0))), -1);
        let cut = |at: f64| Cut { at: vec![at], strict: true };
        let zone = || Activation::Ternary { above: cut(1.0), below: cut(-1.0) };
        assert_eq!(sum(net(zone(), zone())), -1);
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
