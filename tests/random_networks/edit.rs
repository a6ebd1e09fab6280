//! Cuts a case down: what is left of its layers, neurons, channels and maps makes a smaller case of the same kind.

use hafnia::network::{
    Activation, Block, Conv, Cut, Input, Layer, Network, Normalize, Op, Pool, Shape, WeightKind, Weights,
};
use ndarray::Array2;

use super::case::Case;
use super::chip;

/// What is to be left of a case.
#[derive(Clone)]
pub struct Edit<'a> {
    case: &'a Case,
    /// Rows and columns of the input.
    pub sides: [usize; 2],
    /// Channels of the input, by their number in the case.
    pub channels: Vec<usize>,
    pub layers: Vec<Kept>,
}

/// What is to be left of a layer.
#[derive(Clone)]
pub struct Kept {
    /// Its number in the case.
    pub index: usize,
    pub neurons: Vec<usize>,
    pub op: Op,
    pub pool: Option<Pool>,
    pub blocks: usize,
}

impl<'a> Edit<'a> {
    /// All of it.
    pub fn of(case: &'a Case) -> Self {
        let shape = Shape::of_input(&case.network.input.shape);
        let kept = |(index, layer): (usize, &Layer)| Kept {
            index,
            neurons: (0..layer.neurons()).collect(),
            op: layer.op.clone(),
            pool: layer.pool,
            blocks: layer.blocks.len(),
        };
        Self {
            case,
            sides: [shape.rows, shape.columns],
            channels: (0..shape.channels).collect(),
            layers: case.network.layers.iter().enumerate().map(kept).collect(),
        }
    }

    /// The case that is left, or none where it is no network.
    pub fn build(&self) -> Option<Case> {
        let Case { network, images, .. } = self.case;
        let shapes = network.shapes();
        let [rows, columns] = self.sides;
        let sides = match network.input.shape.len() {
            2 => vec![rows, columns],
            3 => vec![self.channels.len(), rows, columns],
            _ => vec![self.channels.len()],
        };
        let mut shape = Shape::of_input(&sides);
        let from: Vec<usize> = places(shape, &self.channels, shapes[0]).collect();
        let images = Array2::from_shape_fn((images.nrows(), shape.len()), |(n, i)| images[[n, from[i]]]);
        let mut channels = &self.channels;
        let mut layers = Vec::new();
        for kept in &self.layers {
            let layer = kept.of(&network.layers[kept.index], shapes[kept.index], shape, channels)?;
            shape = layer.output_shape(shape).ok()?;
            layers.push(layer);
            channels = &kept.neurons;
        }
        let input = Input { shape: sides, ..network.input.clone() };
        with_network(self.case, Network { name: network.name.clone(), input, layers }, images)
    }
}

/// The case with another network and images for it, where that is one; hardware of layers that are gone goes, too.
pub fn with_network(case: &Case, network: Network, images: Array2<u8>) -> Option<Case> {
    let network = Network::new(network.name, network.input, network.layers).ok()?;
    let mut hardware = case.hardware.clone();
    if let Some(toml::Value::Table(tables)) = hardware.get_mut("layer") {
        tables.retain(|name, _| network.layers.iter().any(|l| l.name == *name));
    }
    let faulty = chip::possible(&network, &hardware, &case.faulty);
    Some(Case { network, hardware, faulty, images, ..case.clone() })
}

impl Kept {
    /// What is left of `layer`, made for inputs of shape `old`, where it takes these channels of a map of shape `new`.
    fn of(&self, layer: &Layer, old: Shape, new: Shape, channels: &[usize]) -> Option<Layer> {
        let window = |op: &Op, shape: Shape| match op {
            Op::Dense => shape,
            Op::Conv(conv) => Shape { rows: conv.kernel[0], columns: conv.kernel[1], ..shape },
        };
        let op = match &self.op {
            Op::Conv(conv) => Op::Conv(fitted(*conv, new)),
            Op::Dense => Op::Dense,
        };
        let from: Vec<usize> = places(window(&op, new), channels, window(&layer.op, old)).collect();
        let values = Array2::from_shape_fn((self.neurons.len(), from.len()), |(j, i)| {
            layer.weights.values[[self.neurons[j], from[i]]]
        });
        let pick = |v: &[f64]| self.pick(v);
        let weights = Weights { kind: layer.weights.kind, values, scale: pick(&layer.weights.scale) };
        let (normalize, activation) = (self.normalize(&layer.normalize), self.activation(&layer.activation));
        let name = layer.name.clone();
        let mut left = Layer::new(name, op, weights, pick(&layer.bias), normalize, activation);
        let map = left.sum_shape(new).ok()?;
        left.pool = self.pool.map(|p| Pool { size: [p.size[0].min(map.rows), p.size[1].min(map.columns)], ..p });
        let sizes = hafnia::plan::block_sizes(from.len(), self.blocks.min(from.len()));
        let block = |(inputs, block): (usize, &Block)| Block {
            inputs,
            bias: pick(&block.bias),
            normalize: self.normalize(&block.normalize),
            activation: self.activation(&block.activation),
        };
        left.blocks = sizes.into_iter().zip(&layer.blocks).map(block).collect();
        if let (true, Some(first)) = (left.blocks.is_empty(), layer.blocks.first()) {
            // What followed the first block follows the whole layer.
            let Block { bias, normalize, activation, .. } = block((0, first));
            (left.bias, left.normalize, left.activation) = (bias, normalize, activation);
        }
        Some(left)
    }

    fn pick(&self, values: &[f64]) -> Vec<f64> {
        self.neurons.iter().map(|j| values[*j]).collect()
    }

    fn normalize(&self, normalize: &Normalize) -> Normalize {
        let pick = |v: &Vec<f64>| self.pick(v);
        match normalize {
            Normalize::None => Normalize::None,
            Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => Normalize::BatchNorm {
                gamma: pick(gamma),
                beta: pick(beta),
                mean: pick(mean),
                variance: pick(variance),
                epsilon: *epsilon,
            },
            Normalize::Affine { gain, shift } => Normalize::Affine { gain: pick(gain), shift: pick(shift) },
        }
    }

    fn activation(&self, activation: &Activation) -> Activation {
        let cut = |c: &Cut| Cut { at: self.pick(&c.at), strict: c.strict };
        match activation {
            Activation::Bipolar { threshold } => Activation::Bipolar { threshold: self.pick(threshold) },
            Activation::Ternary { above, below } => Activation::Ternary { above: cut(above), below: cut(below) },
            Activation::Scores => Activation::Scores,
        }
    }
}

/// Where each value of a map of shape `new` stands in one of shape `old`, whose `channels` it has; smaller maps repeat.
fn places(new: Shape, channels: &[usize], old: Shape) -> impl Iterator<Item = usize> {
    (0..new.len()).map(move |i| {
        let (channel, row, column) = (i / new.positions(), i / new.columns % new.rows, i % new.columns);
        let channel = channels[channel] % old.channels;
        (channel * old.rows + row % old.rows) * old.columns + column % old.columns
    })
}

/// The kernel, no larger than the map.
fn fitted(conv: Conv, map: Shape) -> Conv {
    let kernel = [conv.kernel[0].min(map.rows), conv.kernel[1].min(map.columns)];
    let pad = [0, 1, 2, 3].map(|side: usize| conv.pad[side].min(kernel[side % 2] - 1));
    Conv { kernel, pad, ..conv }
}

/// A dense layer of one class, which every input favours.
pub fn simplest_scores(name: &str, inputs: usize) -> Layer {
    let weights = Weights { kind: WeightKind::Bipolar, values: Array2::ones((1, inputs)), scale: vec![1.0] };
    Layer::new(name, Op::Dense, weights, vec![0.0], Normalize::None, Activation::Scores)
}
