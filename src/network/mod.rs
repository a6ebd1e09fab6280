//! The trained network: typed layers, exact weights, no hardware.
//!
//! A layer computes, for each of its neurons `j` and its integer inputs `x_i`,
//!
//! ```text
//! s_j = sum_i w_ji x_i                     integers
//! y_j = normalize_j(alpha_j s_j + b_j)     f64
//! ```
//!
//! and then an [`Activation`]. A convolution does so at every position of its kernel; a [`Pool`] takes the largest `v` or
//! output of a window of positions. A layer trained as a split network has a normalisation and an activation of its own
//! for each block of inputs, and activates the sum of their votes. Encodings are those of the field: bipolar -1/+1, trit -1/0/+1,
//! `sign(0) = +1`, ties in an argmax go to the lowest index.

mod error;
mod file;
pub mod import;
mod reserved;
mod shape;
mod topology;
mod validate;

pub use error::NetworkError;
pub use file::{load, save};
pub use shape::{Conv, Pool, PoolOrder, Shape};
pub use topology::{FORMAT, json_schema};
pub use validate::is_name;

use ndarray::Array2;

/// A trained network. Build one with [`Network::new`], which validates, or [`load`] a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub name: String,
    pub input: Input,
    pub layers: Vec<Layer>,
}

/// What the network takes: a tensor of codes as the data set stores them, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Shape of one image, for example `[784]` or `[3, 32, 32]` (channel, row, column).
    pub shape: Vec<usize>,
    pub code: InputCode,
}

/// How a stored code stands for the integer that the first layer multiplies.
#[derive(Clone, Debug, PartialEq)]
pub enum InputCode {
    /// One unsigned byte a value, mapped to an integer.
    U8(InputValues),
    /// One signed byte a value, mapped to an integer. A table is indexed by the byte's bits.
    I8(InputValues),
    /// One bit a value: 1 is +1, 0 is -1.
    Bipolar,
}

/// Map from a byte to the integer it stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum InputValues {
    /// `gain * code + offset`
    Affine { gain: i32, offset: i32 },
    /// +1 where `code >= at`, else -1.
    Threshold { at: i32 },
    /// 256 entries, one for each bit pattern of the byte.
    Table(Vec<i32>),
}

/// What values a vector between two layers holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    Bipolar,
    Trit,
    /// Integers in `min..=max`.
    Integer {
        min: i32,
        max: i32,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub name: String,
    pub op: Op,
    pub weights: Weights,
    /// Real bias `b`, one a neuron, added after the scale; zeros where there is none.
    pub bias: Vec<f64>,
    pub normalize: Normalize,
    pub activation: Activation,
    pub pool: Option<Pool>,
    /// Blocks of a layer that was trained split (input-splitting, section III-C), in the order of their inputs; empty for
    /// one that was trained whole. With blocks, `bias` is 0, `normalize` is absent, and `activation` is that of the sum
    /// of the blocks' votes.
    pub blocks: Vec<Block>,
}

/// A block of a split layer: what follows its own partial sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Inputs of the block.
    pub inputs: usize,
    pub bias: Vec<f64>,
    pub normalize: Normalize,
    /// Gives the block's vote: bipolar or ternary, as the layer's output.
    pub activation: Activation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Fully connected; a feature map is flattened row-major: channel, row, column.
    Dense,
    /// Convolution, without a flip of the kernel; inputs of a neuron in the order channel, kernel row, kernel column.
    Conv(Conv),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    pub kind: WeightKind,
    /// `[neurons, inputs of a neuron]`.
    pub values: Array2<i8>,
    /// Scale `alpha`, one a neuron; the scale of the layer's inputs is multiplied in.
    pub scale: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeightKind {
    /// -1, +1
    Bipolar,
    /// -1, 0, +1
    Ternary,
    /// -128 to 127
    Int8,
}

/// Batch norm in either form. All vectors hold one value a neuron.
#[derive(Clone, Debug, PartialEq)]
pub enum Normalize {
    None,
    /// `gamma (v - mean) / sqrt(variance + epsilon) + beta`
    BatchNorm {
        gamma: Vec<f64>,
        beta: Vec<f64>,
        mean: Vec<f64>,
        variance: Vec<f64>,
        epsilon: f64,
    },
    /// `gain v + shift`
    Affine {
        gain: Vec<f64>,
        shift: Vec<f64>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    /// +1 where `y >= threshold`, else -1.
    Bipolar { threshold: Vec<f64> },
    /// +1 above `above`, -1 below `below`, else 0.
    Ternary { above: Cut, below: Cut },
    /// Last layer: real scores `y`; the class is the first maximum.
    Scores,
}

/// One side of a ternary activation's dead zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Where the side begins, one value a neuron.
    pub at: Vec<f64>,
    /// Whether `at` itself still belongs to the dead zone.
    pub strict: bool,
}

impl Network {
    /// Validates and builds a network; the error names the layer and what to change.
    pub fn new(name: impl Into<String>, input: Input, layers: Vec<Layer>) -> Result<Self, NetworkError> {
        let network = Self { name: name.into(), input, layers };
        validate::network(&network)?;
        Ok(network)
    }

    /// Values in one input image.
    pub fn input_len(&self) -> usize {
        self.input.shape.iter().product()
    }

    /// Number of classes: neurons of the last layer.
    pub fn classes(&self) -> usize {
        self.layers.last().map_or(0, Layer::neurons)
    }

    /// The network as the controller of a few-shot memory: its last layer gives bipolar features, +1 where a score is 0 or
    /// more. The result does not end in scores, so it cannot be saved.
    pub fn features(&self) -> Self {
        let mut controller = self.clone();
        if let Some(last) = controller.layers.last_mut() {
            last.activation = Activation::Bipolar { threshold: vec![0.0; last.neurons()] };
        }
        controller
    }

    /// What the inputs of layer `index` may be, padding left aside.
    pub fn input_domain(&self, index: usize) -> Domain {
        match index {
            0 => self.input.code.domain(),
            _ => match self.layers[index - 1].activation {
                Activation::Bipolar { .. } => Domain::Bipolar,
                Activation::Ternary { .. } => Domain::Trit,
                Activation::Scores => unreachable!("validated: scores end a network"),
            },
        }
    }

    /// What a neuron of layer `index` may see, padding included: a bipolar layer padded with 0 sees trits.
    pub fn seen_domain(&self, index: usize) -> Domain {
        let domain = self.input_domain(index);
        match &self.layers[index].op {
            Op::Conv(conv) if conv.is_padded() => domain.with(conv.pad_value),
            _ => domain,
        }
    }

    /// Shape of what each layer takes, in order, and of what the last one gives. Validated networks have them all.
    pub fn shapes(&self) -> Vec<Shape> {
        let mut shapes = vec![Shape::of_input(&self.input.shape)];
        for layer in &self.layers {
            shapes.push(layer.output_shape(shapes[shapes.len() - 1]).expect("validated: kernels and pools fit"));
        }
        shapes
    }
}

impl InputCode {
    /// The integer that a stored byte stands for.
    pub fn value(&self, byte: u8) -> i32 {
        match self {
            Self::U8(values) => values.value(i32::from(byte), byte),
            Self::I8(values) => values.value(i32::from(byte as i8), byte),
            Self::Bipolar => 2 * i32::from(byte & 1) - 1,
        }
    }

    /// Bits of one stored value.
    pub fn bits(&self) -> usize {
        match self {
            Self::U8(_) | Self::I8(_) => 8,
            Self::Bipolar => 1,
        }
    }

    /// The smallest domain that holds every value.
    pub fn domain(&self) -> Domain {
        let values = (0..=255u8).map(|byte| self.value(byte));
        let (min, max) = values.clone().fold((i32::MAX, i32::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if values.clone().all(|v| v == 1 || v == -1) {
            Domain::Bipolar
        } else if min >= -1 && max <= 1 {
            Domain::Trit
        } else {
            Domain::Integer { min, max }
        }
    }
}

impl Domain {
    /// The smallest domain that also holds `value`.
    pub fn with(self, value: i32) -> Self {
        match self {
            Self::Bipolar if value == 0 => Self::Trit,
            Self::Bipolar | Self::Trit => self,
            Self::Integer { min, max } => Self::Integer { min: min.min(value), max: max.max(value) },
        }
    }

    /// Whether it holds `value`, or holds it once trits are allowed.
    pub fn takes(self, value: i32) -> bool {
        matches!(self, Self::Integer { .. }) || (-1..=1).contains(&value)
    }
}

impl InputValues {
    fn value(&self, code: i32, byte: u8) -> i32 {
        match self {
            Self::Affine { gain, offset } => gain * code + offset,
            Self::Threshold { at } => 2 * i32::from(code >= *at) - 1,
            Self::Table(table) => table[usize::from(byte)],
        }
    }
}

impl Layer {
    pub fn neurons(&self) -> usize {
        self.weights.values.nrows()
    }

    /// Inputs of one neuron.
    pub fn inputs(&self) -> usize {
        self.weights.values.ncols()
    }

    /// A layer trained whole: neither pooled nor split.
    pub fn new(
        name: impl Into<String>,
        op: Op,
        weights: Weights,
        bias: Vec<f64>,
        normalize: Normalize,
        activation: Activation,
    ) -> Self {
        Self { name: name.into(), op, weights, bias, normalize, activation, pool: None, blocks: Vec::new() }
    }

    /// `v` of neuron `j` for the sum `s`, an integer but where an ADC has rounded it.
    pub fn scaled(&self, j: usize, s: f64) -> f64 {
        self.weights.scale[j] * s + self.bias[j]
    }

    /// `y` of neuron `j` for `v`.
    pub fn normalized(&self, j: usize, v: f64) -> f64 {
        match &self.normalize {
            Normalize::None => v,
            Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => {
                gamma[j] * (v - mean[j]) / (variance[j] + epsilon).sqrt() + beta[j]
            }
            Normalize::Affine { gain, shift } => gain[j] * v + shift[j],
        }
    }

    /// `y` of neuron `j` for the integer sum `s`, in f64 in the order written in the module's head.
    /// Every operation is monotone in `s`, so `y` is, rounding included.
    pub fn value(&self, j: usize, s: i64) -> f64 {
        self.normalized(j, self.scaled(j, s as f64))
    }

    /// Block `k` of a split layer, as a layer of its own on its slice of the inputs.
    pub fn block(&self, k: usize) -> Self {
        let start: usize = self.blocks[..k].iter().map(|b| b.inputs).sum();
        let block = &self.blocks[k];
        let values = self.weights.values.slice(ndarray::s![.., start..start + block.inputs]).to_owned();
        let weights = Weights { values, ..self.weights.clone() };
        let (normalize, activation) = (block.normalize.clone(), block.activation.clone());
        Self::new(self.name.clone(), Op::Dense, weights, block.bias.clone(), normalize, activation)
    }

    /// Shape that the layer gives, pooled where it pools, or why it cannot take `input`.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let shape = self.sum_shape(input)?;
        match &self.pool {
            Some(pool) => pool.output(shape),
            None => Ok(shape),
        }
    }

    /// Shape of its sums, before a pool.
    pub fn sum_shape(&self, input: Shape) -> Result<Shape, String> {
        match &self.op {
            Op::Dense => Ok(Shape { channels: self.neurons(), rows: 1, columns: 1 }),
            Op::Conv(conv) => conv.output(input, self.neurons()),
        }
    }
}

impl Cut {
    /// Whether `y` lies above the cut.
    pub fn above(&self, j: usize, y: f64) -> bool {
        if self.strict { y > self.at[j] } else { y >= self.at[j] }
    }

    /// Whether `y` lies below the cut.
    pub fn below(&self, j: usize, y: f64) -> bool {
        if self.strict { y < self.at[j] } else { y <= self.at[j] }
    }
}

impl Activation {
    /// The activation of the sum of such votes: its sign. A tie is +1 in a bipolar layer and 0 in a ternary one.
    pub fn of_votes(&self, neurons: usize) -> Self {
        match self {
            Self::Ternary { .. } => {
                let side = || Cut { at: vec![0.0; neurons], strict: true };
                Self::Ternary { above: side(), below: side() }
            }
            _ => Self::Bipolar { threshold: vec![0.0; neurons] },
        }
    }

    /// The integer that goes on to the next layer; `None` for scores.
    pub fn apply(&self, j: usize, y: f64) -> Option<i8> {
        match self {
            Self::Bipolar { threshold } => Some(if y >= threshold[j] { 1 } else { -1 }),
            Self::Ternary { above, below } => Some(i8::from(above.above(j, y)) - i8::from(below.below(j, y))),
            Self::Scores => None,
        }
    }
}
