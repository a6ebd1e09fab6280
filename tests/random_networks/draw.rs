//! Draws a case from its seed: a network of sizes that no power of two divides, hardware of small arrays, images.

use hafnia::network::{
    Activation, Block, Conv, Cut, Domain, Input, InputCode, InputValues, Layer, Network, Normalize, Op, Pool,
    PoolOrder, Shape, WeightKind, Weights,
};
use ndarray::Array2;

use super::case::Case;
use super::chip;
use super::hardware::hardware;
use super::random::Random;

/// Images of a case.
const IMAGES: usize = 3;

pub fn case(seed: u64, simulator: &'static str) -> Case {
    let mut r = Random::new(seed);
    let network = network(&mut r);
    let mut hardware = hardware(&mut r, &network);
    let largest = if network.input.code == InputCode::Bipolar { 2 } else { 256 };
    let images = Array2::from_shape_fn((IMAGES, network.input_len()), |_| r.below(largest) as u8);
    // Numbers of their own, so that what else is drawn does not hang on spares.
    let mut r = Random::new(!seed);
    chip::spares(&mut r, &mut hardware);
    let faulty = chip::faults(&mut r, &network, &hardware);
    Case { network, hardware, faulty, images, stalls: Some(seed % 1000 + 1), simulator, fault: None }
}

fn network(r: &mut Random) -> Network {
    let input = input(r);
    let layers = r.range(1, 4);
    let mut network = Network { name: "random".into(), input, layers: Vec::new() };
    let mut shape = Shape::of_input(&network.input.shape);
    for index in 0..layers {
        let domain = network.input_domain(index);
        let next = layer(r, index, shape, domain, index + 1 == layers);
        shape = next.output_shape(shape).unwrap();
        network.layers.push(next);
    }
    Network::new("random", network.input, network.layers).unwrap()
}

fn input(r: &mut Random) -> Input {
    let shape = match r.below(5) {
        0 => vec![r.range(1, 70)],
        1 => vec![r.range(1, 4), r.range(1, 17)],
        _ => vec![r.range(1, 3), r.range(1, 7), r.range(1, 7)],
    };
    let values = match r.below(5) {
        0 => InputValues::Affine { gain: 2, offset: -255 },
        1 => InputValues::Affine { gain: r.integer(-3, 3), offset: r.integer(-300, 300) },
        2 => InputValues::Threshold { at: r.integer(0, 256) },
        3 => InputValues::Table((0..256).map(|_| r.integer(-1, 1)).collect()),
        _ => InputValues::Table((0..256).map(|_| r.integer(-255, 255)).collect()),
    };
    let code = match r.below(4) {
        0 => InputCode::Bipolar,
        1 => InputCode::I8(values),
        _ => InputCode::U8(values),
    };
    Input { shape, code }
}

/// A kernel that fits a map, or none.
fn op(r: &mut Random, shape: Shape, domain: Domain, last: bool) -> Op {
    if last || shape.positions() == 1 || r.one_in(4) {
        return Op::Dense;
    }
    let kernel = [shape.rows, shape.columns].map(|side| r.range(1, side.min(3)));
    let pads = !r.one_in(2);
    let mut pad = |k: usize| if pads { r.below(kernel[k]) } else { 0 };
    let pad = [pad(0), pad(1), pad(0), pad(1)];
    let pad_value = match domain {
        _ if r.one_in(2) => 0,
        Domain::Integer { .. } => r.integer(-20, 20),
        _ => r.pick(&[-1, 1]),
    };
    Op::Conv(Conv { kernel, stride: [r.pick(&[1, 1, 2, 3]), r.pick(&[1, 1, 2])], pad, pad_value })
}

fn pool(r: &mut Random, shape: Shape) -> Option<Pool> {
    if r.one_in(2) {
        return None;
    }
    let size = [shape.rows, shape.columns].map(|side| r.range(1, side.min(3)));
    let stride = size.map(|s| s + r.pick(&[0, 0, 0, 1]));
    Some(Pool { size, stride, order: r.pick(&[PoolOrder::BeforeNormalize, PoolOrder::AfterActivation]) })
}

/// Zero padding of word lines and lanes shows at sizes that no power of two divides.
fn layer(r: &mut Random, index: usize, shape: Shape, domain: Domain, last: bool) -> Layer {
    let op = op(r, shape, domain, last);
    let inputs = match &op {
        Op::Dense => shape.len(),
        Op::Conv(conv) => conv.inputs(shape.channels),
    };
    let neurons = match &op {
        _ if last => r.range(1, 12),
        Op::Dense if r.one_in(4) => r.range(1, 70),
        Op::Dense => r.range(1, 24),
        Op::Conv(_) => r.range(1, 9),
    };
    let kind = match r.below(7) {
        0 => WeightKind::Int8,
        1..=3 => WeightKind::Bipolar,
        _ => WeightKind::Ternary,
    };
    let values = Array2::from_shape_fn((neurons, inputs), |_| match kind {
        WeightKind::Bipolar => r.pick(&[-1, 1]),
        WeightKind::Ternary => r.integer(-1, 1) as i8,
        WeightKind::Int8 => r.integer(-127, 127) as i8,
    });
    // A typical sum, so that thresholds lie among the sums.
    let step = if let Domain::Integer { min, max } = domain { f64::from(max.max(-min).max(1)) } else { 1.0 };
    let weight = if kind == WeightKind::Int8 { 64.0 } else { 1.0 };
    let spread = (inputs as f64).sqrt() * step * weight;
    let scale: Vec<f64> = (0..neurons).map(|_| r.pick(&[1.0, 0.5, 0.125, -1.0, 0.75])).collect();
    let normalize = normalize(r, neurons, spread);
    let activation = if last { Activation::Scores } else { activation(r, neurons, spread) };
    let bias = if r.one_in(2) { vec![0.0; neurons] } else { r.reals(neurons, spread / 4.0) };
    let weights = Weights { kind, values, scale };
    let mut layer = Layer::new(format!("l{index}"), op, weights, bias, normalize, activation);
    if !last {
        layer.pool = pool(r, layer.sum_shape(shape).unwrap());
        if kind != WeightKind::Int8 && !matches!(domain, Domain::Integer { .. }) && r.one_in(4) {
            split(r, &mut layer, spread);
        }
    }
    layer
}

/// Makes a layer one that was trained split.
fn split(r: &mut Random, layer: &mut Layer, spread: f64) {
    let (inputs, neurons) = (layer.inputs(), layer.neurons());
    let blocks = r.range(1, inputs.min(4));
    let ternary = matches!(layer.activation, Activation::Ternary { .. });
    layer.blocks = hafnia::plan::block_sizes(inputs, blocks)
        .into_iter()
        .map(|inputs| {
            let activation = loop {
                let one = activation(r, neurons, spread);
                if matches!(one, Activation::Ternary { .. }) == ternary {
                    break one;
                }
            };
            Block { inputs, bias: r.reals(neurons, spread / 4.0), normalize: normalize(r, neurons, spread), activation }
        })
        .collect();
    layer.bias = vec![0.0; neurons];
    layer.normalize = Normalize::None;
    layer.activation = layer.blocks[0].activation.of_votes(neurons);
}

fn normalize(r: &mut Random, neurons: usize, spread: f64) -> Normalize {
    match r.below(3) {
        0 => Normalize::None,
        1 => Normalize::BatchNorm {
            // Both signs, and none: a constant.
            gamma: (0..neurons).map(|_| if r.one_in(8) { 0.0 } else { r.real() }).collect(),
            beta: r.reals(neurons, 1.0),
            mean: r.reals(neurons, spread),
            variance: (0..neurons).map(|_| 0.25 + r.real().abs() * spread).collect(),
            epsilon: 1e-5,
        },
        _ => Normalize::Affine { gain: r.reals(neurons, 2.0), shift: r.reals(neurons, spread) },
    }
}

fn activation(r: &mut Random, neurons: usize, spread: f64) -> Activation {
    if r.one_in(2) {
        return Activation::Bipolar { threshold: r.reals(neurons, 1.0) };
    }
    let delta: Vec<f64> = (0..neurons).map(|_| 0.05 + spread * r.real().abs() / 2.0).collect();
    let centre = r.reals(neurons, 0.5);
    let at = |sign: f64| centre.iter().zip(&delta).map(|(c, d)| c + sign * d).collect();
    Activation::Ternary {
        above: Cut { at: at(1.0), strict: r.one_in(2) },
        below: Cut { at: at(-1.0), strict: r.one_in(2) },
    }
}
