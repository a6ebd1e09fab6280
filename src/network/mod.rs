//! The trained network: typed layers, exact weights, no hardware.
//!
//! A layer computes, for each of its neurons `j` and its integer inputs `x_i`,
//!
//! ```text
//! s_j = sum_i w_ji x_i                     integers
//! y_j = normalize_j(alpha_j s_j + b_j)     f64
//! ```
//!
//! and then an [`Activation`]. Encodings are those of the field: bipolar -1/+1, trit -1/0/+1,
//! `sign(0) = +1`, ties in an argmax go to the lowest index.

mod error;
mod file;
pub mod import;
mod reserved;
mod topology;
mod validate;

pub use error::NetworkError;
pub use file::{load, save};
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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Fully connected; a shaped input is flattened row-major.
    Dense,
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

    /// What the inputs of layer `index` may be.
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

    /// `y` of neuron `j` for the integer sum `s`, in f64 in the order written in the module's head.
    /// Every operation is monotone in `s`, so `y` is, rounding included.
    pub fn value(&self, j: usize, s: i64) -> f64 {
        let v = self.weights.scale[j] * s as f64 + self.bias[j];
        match &self.normalize {
            Normalize::None => v,
            Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => {
                gamma[j] * (v - mean[j]) / (variance[j] + epsilon).sqrt() + beta[j]
            }
            Normalize::Affine { gain, shift } => gain[j] * v + shift[j],
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
    /// The integer that goes on to the next layer; `None` for scores.
    pub fn apply(&self, j: usize, y: f64) -> Option<i8> {
        match self {
            Self::Bipolar { threshold } => Some(if y >= threshold[j] { 1 } else { -1 }),
            Self::Ternary { above, below } => Some(i8::from(above.above(j, y)) - i8::from(below.below(j, y))),
            Self::Scores => None,
        }
    }
}
