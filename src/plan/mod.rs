//! How a network lies on arrays. Every number that the golden model and the RTL both need is decided here, once.
//!
//! All weights are resident and every layer is a pipeline stage. The plan is exact integers; real numbers end in
//! `fold`.

mod access;
mod adc;
mod arrays;
mod build;
mod cycles;
mod error;
mod fold;
mod geometry;
mod memory;
mod print;
mod scores;
mod spares;
mod split;
mod stages;
mod timing;
mod width;

use ndarray::Array2;
use serde::Serialize;

pub use access::{AccessPlan, BankPlan};
pub use adc::Transfer;
pub use arrays::{ArrayKind, Arrays, KEYS, LeftOut, Place};
pub use build::{plan, plan_with_faults};
pub use cycles::{Cycles, Start};
pub use error::PlanError;
pub use geometry::{block_sizes, blocks};
pub use memory::{Action, KeysPlan, MemoryPlan, ProgramPlan};
pub use spares::{Repair, SparesPlan, check_faults, left_out};
pub use stages::{Stage, StageKind};
pub use timing::SensePlan;
pub use width::signed_width;

use crate::fault_map::Fault;
use crate::network::{Shape, WeightKind};

/// Version of `plan.json`.
pub const FORMAT: u32 = 2;

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
    /// Scores of a class each; with a memory, its class sums.
    pub scores: ScoresPlan,
    /// A few-shot memory behind the last layer, whose outputs are features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryPlan>,
    /// Cells that can be written and read back over the register bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessPlan>,
    pub cycles: Cycles,
    /// Cells of the chip that are faulty; spares take the place of those that matter.
    #[serde(skip)]
    pub faults: Vec<Fault>,
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
    /// Vectors that an image enters the pipeline as: one for each position of the map that a convolution takes, else one.
    pub vectors: usize,
    /// 1: bipolar codes, 8: bytes.
    pub code_bits: usize,
    /// Bytes are signed.
    pub signed: bool,
    pub map: InputMap,
    pub values: Values,
    /// Beats of an image. Every vector begins a beat of its own; the codes of a position are those of its channels.
    pub beats: usize,
}

impl InputPlan {
    /// Codes of a vector.
    pub fn codes(&self) -> usize {
        self.count / self.vectors
    }
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
    /// Inputs of a neuron.
    pub inputs: usize,
    pub neurons: usize,
    /// How its input vectors are formed.
    pub source: Source,
    /// What a neuron sees, padding included.
    pub input: Values,
    pub weight_kind: WeightKind,
    /// `[neurons, inputs]` as the arrays hold them: a neuron with a negative gain has its signs flipped.
    #[serde(skip)]
    pub weights: Array2<i8>,
    /// SHA-256 of the weights as signed bytes, row-major.
    pub weights_sha256: String,
    /// Neurons whose weights and thresholds are flipped; in a layer that was trained split, `[block * neurons + neuron]`.
    pub flipped: Vec<bool>,
    pub output: OutputPlan,
    /// Largest magnitude of any partial sum, from the weights as they are.
    pub largest_sum: i64,
    /// Bits of a signed sum or threshold; holds `largest_sum + 1`.
    pub sum_width: usize,
    pub readout: ReadoutPlan,
    /// Spare word lines and columns of its arrays; none without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spares: Option<SparesPlan>,
    pub pool: Option<PoolPlan>,
    /// The map that the layer gives, pooled; a vector has one position.
    pub map: MapPlan,
    /// Whether it computes what the network's layer does: splits that were not trained may not.
    pub exact: bool,
}

/// Rows and columns of a feature map. Its positions follow one another row by row, each a vector of all channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MapPlan {
    pub rows: usize,
    pub columns: usize,
}

impl MapPlan {
    pub fn positions(self) -> usize {
        self.rows * self.columns
    }
}

impl From<Shape> for MapPlan {
    fn from(shape: Shape) -> Self {
        Self { rows: shape.rows, columns: shape.columns }
    }
}

/// Where the input vectors of a layer come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What the stage before gives, vector by vector.
    Vector,
    /// All positions of the map before as one vector: channel, row, column.
    Flatten { positions: usize },
    /// A window of the map before for each position of the kernel: channel, kernel row, kernel column (im2col).
    Window(WindowPlan),
}

/// A kernel moved over a padded map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WindowPlan {
    pub channels: usize,
    /// The map without padding.
    pub map: MapPlan,
    /// `[rows, columns]`
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Positions above, left, below, right.
    pub pad: [usize; 4],
    pub pad_value: i32,
    /// Values of the map, padding aside.
    pub values: Values,
    /// Windows along rows and columns.
    pub windows: MapPlan,
}

impl WindowPlan {
    /// The map with its padding: the former takes one of these positions a cycle.
    pub fn padded(&self) -> MapPlan {
        let [above, left, below, right] = self.pad;
        MapPlan { rows: self.map.rows + above + below, columns: self.map.columns + left + right }
    }

    /// Whether padding turns bipolar values into trits.
    pub fn gates(&self) -> bool {
        self.values == Values::Bipolar && self.pad != [0; 4] && self.pad_value == 0
    }
}

/// Maximum over windows of positions that do not overlap, as OR or AND of thresholds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolPlan {
    /// The map before.
    pub from: MapPlan,
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub place: PoolPlace,
    /// AND instead of OR, because the normalisation behind the maximum falls: one a neuron, or `[block * neurons + neuron]` for
    /// votes.
    pub all: Vec<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolPlace {
    /// On the votes of each block, before they are aggregated.
    Votes,
    /// On the layer's outputs.
    Outputs,
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
    Adc(AdcPlan),
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
    /// Bit planes of the inputs, which meet each read one after the other, lowest first: the bits of a signed integer, or 1 for
    /// bipolar values and trits.
    pub planes: usize,
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
    /// Inputs are {0, 1} on the word lines: an array compares `(sum + sum of its weights) / 2` (input-splitting, figure 2a).
    pub unipolar: bool,
}

/// A layer whose columns are read by ADCs. Array (b, t) holds block b of the inputs and neurons `t * adcs * columns_per_adc ..`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdcPlan {
    /// Sizes of the blocks, larger ones first.
    pub block_sizes: Vec<usize>,
    pub tiles: usize,
    pub adcs: usize,
    pub columns_per_adc: usize,
    /// Arrays read at once along inputs.
    pub lane_blocks: usize,
    /// Arrays read at once along neurons.
    pub lane_tiles: usize,
    /// Reads of a vector.
    pub reads: usize,
    pub conversion_cycles: usize,
    pub encoding: Encoding,
    /// One cell a weight and a bias column, instead of two columns.
    pub single_column: bool,
    pub transfer: Transfer,
}

/// How inputs drive word lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Both signs in one read.
    Signed,
    /// +1 first, then -1; the values are subtracted.
    TwoPhases,
    /// +1 drives, -1 does not.
    Unipolar,
    /// Integers of so many bits, lowest first; the value of bit p counts 2^p, that of the highest -2^p.
    BitSerial(usize),
}

impl Encoding {
    /// Reads of a column for one vector.
    pub fn phases(self) -> usize {
        match self {
            Self::Signed | Self::Unipolar => 1,
            Self::TwoPhases => 2,
            Self::BitSerial(bits) => bits,
        }
    }
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

    /// Arrays of all layers and of a key memory.
    pub fn arrays(&self) -> usize {
        let memory = self.memory.as_ref().map_or(0, MemoryPlan::arrays);
        self.layers.iter().map(LayerPlan::arrays).sum::<usize>() + memory
    }

    pub fn classes(&self) -> usize {
        match &self.memory {
            Some(memory) => memory.classes,
            None => self.layers.last().map_or(0, |l| l.neurons),
        }
    }

    /// Cycle of the last output beat of each image, the first image's first input beat being cycle 0, where the few-shot memory
    /// does these things with them and nothing stalls. Empty without a memory.
    pub fn command_cycles(&self, actions: &[Action], start: Start) -> Vec<u64> {
        timing::command_cycles(self, actions, start)
    }

    /// As `cycles`, for a first image that comes at another time: windows pass the padding ahead of it meanwhile.
    pub fn cycles_from(&self, start: Start) -> Cycles {
        timing::all(self, start)
    }

    /// Whether precharge sense amplifiers read any array.
    pub fn uses_pcsa(&self) -> bool {
        self.memory.as_ref().is_some_and(|m| matches!(m.keys, KeysPlan::Pcsa(_)))
            || self.layers.iter().any(|l| matches!(l.readout, ReadoutPlan::Pcsa(_)))
    }

    /// The plan where the sense registers hold other counts.
    pub fn with_sense(&self, precharge_cycles: Option<usize>, window_cycles: Option<usize>) -> Self {
        let mut plan = self.clone();
        plan.sense.precharge_cycles = precharge_cycles.unwrap_or(self.sense.precharge_cycles);
        plan.sense.window_cycles = window_cycles.unwrap_or(self.sense.window_cycles);
        if let Some(memory) = &mut plan.memory {
            memory.read_cycles = plan.sense.read_cycles();
        }
        plan.cycles = timing::all(&plan, Start::After(0));
        plan
    }

    /// Layers from the first on that compute what the network does: no splits whose votes may differ, no codes that round.
    pub fn exact_layers(&self) -> usize {
        self.layers.iter().take_while(|l| l.exact).count()
    }

    /// Whether the whole plan computes what the network does; of a few-shot memory, no codes that round a similarity.
    pub fn is_exact(&self) -> bool {
        let keys = self.memory.as_ref().is_none_or(|m| match &m.keys {
            KeysPlan::Pcsa(_) => true,
            KeysPlan::Adc(a) => a.transfer.exact,
        });
        keys && self.exact_layers() == self.layers.len()
    }
}

impl LayerPlan {
    /// Vectors that its arrays work on for an image.
    pub fn vectors(&self) -> usize {
        match &self.source {
            Source::Window(window) => window.windows.positions(),
            _ => 1,
        }
    }
}
