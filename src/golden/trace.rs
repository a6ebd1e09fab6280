//! What a run of the golden model leaves behind.

use super::Bits;

/// Outputs of every layer for one image, and the class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// One a layer, in the plan's order; the last is [`LayerTrace::Sums`], or features where a memory follows.
    pub layers: Vec<LayerTrace>,
    /// One a class: the last layer's sums after the plan's multiply-add; none where a memory follows.
    pub scores: Vec<i32>,
    /// Index of the first largest score.
    pub class: usize,
}

/// Outputs of a layer, one value a neuron; those of a map position by position, `[position * neurons + neuron]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerTrace {
    /// 1 = +1, 0 = -1.
    Bipolar(Bits),
    /// `{nonzero, positive}`: 00 = 0, 10 = -1, 11 = +1; 01 does not occur.
    Trit { nonzero: Bits, positive: Bits },
    /// Integer sums.
    Sums(Vec<i32>),
}

impl LayerTrace {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Bipolar(bits) => bits.len(),
            Self::Trit { nonzero, .. } => nonzero.len(),
            Self::Sums(sums) => sums.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value `j`.
    pub fn value(&self, j: usize) -> i32 {
        match self {
            Self::Bipolar(bits) => sign(bits.get(j)),
            Self::Trit { nonzero, positive } => i32::from(nonzero.get(j)) * sign(positive.get(j)),
            Self::Sums(sums) => sums[j],
        }
    }

    /// Values of one position of a map of `neurons` channels.
    pub fn position(&self, position: usize, neurons: usize) -> Self {
        let start = position * neurons;
        match self {
            Self::Bipolar(bits) => Self::Bipolar(bits.slice(start, neurons)),
            Self::Trit { nonzero, positive } => {
                Self::Trit { nonzero: nonzero.slice(start, neurons), positive: positive.slice(start, neurons) }
            }
            Self::Sums(sums) => Self::Sums(sums[start..start + neurons].to_vec()),
        }
    }

    pub fn values(&self) -> impl Iterator<Item = i32> + '_ {
        (0..self.len()).map(|j| self.value(j))
    }
}

fn sign(bit: bool) -> i32 {
    2 * i32::from(bit) - 1
}
