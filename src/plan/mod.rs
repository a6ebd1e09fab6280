//! How a network lies on arrays. Every number that the golden model and the RTL both need is decided here, once.
//!
//! All weights are resident and every layer is a pipeline stage. The plan is exact integers; real numbers end in
//! `fold`.

mod build;
mod cycles;
mod error;
mod fold;
mod geometry;
mod print;

use ndarray::Array2;
use serde::Serialize;

pub use build::plan;
pub use cycles::Cycles;
pub use error::PlanError;
pub use geometry::{block_sizes, blocks};

use crate::network::WeightKind;

/// Version of `plan.json`.
pub const FORMAT: u32 = 1;

/// A network on hardware.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub format: u32,
    /// Name of the network.
    pub name: String,
    pub clock_mhz: f64,
    /// Bits of a beat of both AXI4-Streams.
    pub stream_bits: usize,
    pub sense: SensePlan,
    pub input: InputPlan,
    pub layers: Vec<LayerPlan>,
    pub scores: ScoresPlan,
    pub cycles: Cycles,
}

/// Timing of PCSA reads, in clock cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SensePlan {
    pub precharge_cycles: usize,
    pub window_cycles: usize,
    /// Cycles in which an ideal LRS/HRS pair resolves.
    pub sign_cycles: usize,
    /// Cycles in which an ideal HRS/HRS pair resolves.
    pub zero_cycles: usize,
}

/// Values of a vector between two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    Bipolar,
    Trit,
    /// Signed integers of `width` bits in `min..=max`.
    Integer {
        width: usize,
        min: i32,
        max: i32,
    },
}

impl Values {
    /// Largest magnitude.
    pub fn largest(self) -> i64 {
        match self {
            Self::Bipolar | Self::Trit => 1,
            Self::Integer { min, max, .. } => i64::from(min).abs().max(i64::from(max).abs()),
        }
    }
}

/// How image codes become the first layer's inputs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputPlan {
    /// Codes of an image.
    pub count: usize,
    /// 1: bipolar codes, 8: bytes.
    pub code_bits: usize,
    /// Bytes are signed.
    pub signed: bool,
    pub map: InputMap,
    pub values: Values,
    /// Beats of an image.
    pub beats: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputMap {
    /// One bit a code, 1 = +1.
    Bit,
    /// +1 where code >= this, else -1.
    Threshold(i32),
    Affine {
        gain: i32,
        offset: i32,
    },
    /// Indexed by the byte.
    Table(Vec<i32>),
}

impl InputMap {
    /// The integer that a stored byte stands for.
    pub fn value(&self, signed: bool, byte: u8) -> i32 {
        let code = if signed { i32::from(byte as i8) } else { i32::from(byte) };
        match self {
            Self::Bit => 2 * i32::from(byte & 1) - 1,
            Self::Threshold(at) => 2 * i32::from(code >= *at) - 1,
            Self::Affine { gain, offset } => gain * code + offset,
            Self::Table(table) => table[usize::from(byte)],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerPlan {
    pub name: String,
    pub inputs: usize,
    pub neurons: usize,
    pub input: Values,
    pub weight_kind: WeightKind,
    /// `[neurons, inputs]` as the arrays hold them: a neuron with a negative gain has its signs flipped.
    #[serde(skip)]
    pub weights: Array2<i8>,
    /// SHA-256 of the weights as signed bytes, row-major.
    pub weights_sha256: String,
    /// Neurons whose weights and thresholds are flipped.
    pub flipped: Vec<bool>,
    pub output: OutputPlan,
    /// Largest magnitude of any partial sum, from the weights as they are.
    pub largest_sum: i64,
    /// Bits of a signed sum or threshold; holds `largest_sum + 1`.
    pub sum_width: usize,
    pub readout: ReadoutPlan,
}

/// Thresholds on a neuron's whole sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputPlan {
    /// +1 iff sum >= high.
    Bipolar { high: Vec<i32> },
    /// +1 iff sum >= high, -1 iff sum < low.
    Trit { high: Vec<i32>, low: Vec<i32> },
    /// The sums themselves, for the class scores.
    Sums,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadoutPlan {
    Pcsa(PcsaPlan),
    Sa(SaPlan),
    Digital(DigitalPlan),
}

/// A layer on PCSA arrays. Array (r, c) holds neurons `r * rows ..` and inputs `c * slice ..`, slice =
/// `amplifiers * columns_per_amplifier`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PcsaPlan {
    pub column_tiles: usize,
    pub row_tiles: usize,
    /// Word lines used in an array.
    pub rows: usize,
    /// Sense amplifiers used in an array.
    pub amplifiers: usize,
    pub columns_per_amplifier: usize,
    /// Arrays sensed at once along inputs.
    pub lane_columns: usize,
    /// Arrays sensed at once along neurons.
    pub lane_rows: usize,
    /// Reads of a vector.
    pub reads: usize,
}

impl PcsaPlan {
    /// Inputs of an array.
    pub fn slice(&self) -> usize {
        self.amplifiers * self.columns_per_amplifier
    }

    pub fn column_groups(&self) -> usize {
        self.column_tiles.div_ceil(self.lane_columns)
    }

    pub fn row_groups(&self) -> usize {
        self.row_tiles.div_ceil(self.lane_rows)
    }
}

/// A layer on arrays with 1-bit sense amplifiers. Array (b, t) holds block b of the inputs and neurons
/// `t * amplifiers * columns_per_amplifier ..`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaPlan {
    /// Sizes of the blocks, larger ones first.
    pub block_sizes: Vec<usize>,
    /// Thresholds `[block][neuron]` of the high votes.
    pub high: Vec<Vec<i32>>,
    /// Thresholds `[block][neuron]` of the low votes; empty unless the output is a trit.
    pub low: Vec<Vec<i32>>,
    pub tiles: usize,
    pub amplifiers: usize,
    pub columns_per_amplifier: usize,
    /// Arrays sensed at once along inputs.
    pub lane_blocks: usize,
    /// Arrays sensed at once along neurons.
    pub lane_tiles: usize,
    /// Reads of a vector.
    pub reads: usize,
    pub read_cycles: usize,
    /// Bits of a column's signed threshold.
    pub threshold_width: usize,
}

/// A digital layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DigitalPlan {
    pub lane_inputs: usize,
    pub lane_neurons: usize,
    /// Cycles of multiply-accumulate of a vector.
    pub reads: usize,
}

/// From the last layer's sums to integer scores: `score = gain * sum + offset`, or the sum itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoresPlan {
    pub affine: Option<AffineScores>,
    /// Bits of a signed score.
    pub width: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AffineScores {
    pub gain: Vec<i32>,
    pub offset: Vec<i32>,
    /// Bits of a signed gain.
    pub gain_width: usize,
    /// A score is the real score times 2^fraction_bits, rounded per constant.
    pub fraction_bits: u32,
    /// Whether gain and offset stand for the network's real values without rounding.
    pub exact: bool,
}

impl Plan {
    /// `plan.json`: everything but the weights, which stand in the network.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan is plain data") + "\n"
    }

    pub fn classes(&self) -> usize {
        self.layers.last().map_or(0, |l| l.neurons)
    }

    /// Whether the plan computes what the network does, without splits whose votes may differ.
    pub fn is_exact(&self) -> bool {
        let split = |l: &LayerPlan| matches!(&l.readout, ReadoutPlan::Sa(sa) if sa.block_sizes.len() > 1);
        !self.layers.iter().any(split)
    }
}

/// Bits of the smallest signed word that holds `-value ..= value`.
pub fn signed_width(value: i64) -> usize {
    (64 - value.unsigned_abs().leading_zeros() + 1) as usize
}

#[cfg(test)]
mod tests {
    use super::signed_width;

    #[test]
    fn signed_widths() {
        for (value, width) in [(0, 1), (1, 2), (127, 8), (128, 9), (255, 9), (785, 11)] {
            assert_eq!(signed_width(value), width, "{value}");
        }
    }
}
