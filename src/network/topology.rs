//! The JSON that stands under `hafnia` in a network file's metadata. `docs/network-format.md` explains it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PoolOrder, WeightKind};

/// Version of the file format.
pub const FORMAT: u32 = 1;

/// JSON Schema of the topology, as `hafnia info --schema` prints it.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Topology).into()
}

/// Reads a topology; the error says where in it, and what may have been meant.
pub(super) fn parse(text: &str) -> Result<Topology, String> {
    /// Looked at first: what else a later format holds is not known.
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    if let Ok(Version { format }) = serde_json::from_str(text)
        && format != FORMAT
    {
        return Err(format!("format {format} is not known; this version reads format {FORMAT}"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let topology = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let (place, reason) = (e.path().to_string(), e.inner().to_string());
        let remedy = remedy(&reason);
        if place == "." { format!("{reason}{remedy}") } else { format!("{place}: {reason}{remedy}") }
    })?;
    json.end().map_err(|e| e.to_string())?;
    Ok(topology)
}

/// What to do about an error of serde's, where that is not plain from what it expects.
fn remedy(reason: &str) -> String {
    let mut quoted = reason.split('`').skip(1).step_by(2);
    if reason.starts_with("unknown ") {
        let unknown = quoted.next().unwrap_or_default();
        crate::suggest::nearest(unknown, quoted)
    } else if reason.contains("expected struct variant") {
        "; give it as an object, such as {\"scores\": {}}".into()
    } else {
        String::new()
    }
}

/// Topology of a network. Tensors are named; they stand in the same file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Topology {
    /// Version of this format: 1.
    pub format: u32,
    pub name: String,
    pub input: InputTopology,
    pub layers: Vec<LayerTopology>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InputTopology {
    /// Shape of one image, without a batch axis.
    pub shape: Vec<usize>,
    pub code: CodeTopology,
    /// Integer that a byte stands for; absent: the byte's own value. None with `bipolar`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<ValuesTopology>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CodeTopology {
    U8,
    I8,
    Bipolar,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ValuesTopology {
    /// `[gain, offset]`: gain * code + offset.
    Affine([i32; 2]),
    /// +1 where code >= this, else -1.
    Threshold(i32),
    /// 256 integers, indexed by the byte.
    Table(Vec<i32>),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerTopology {
    pub name: String,
    pub op: OpTopology,
    pub weights: WeightsTopology,
    /// Real bias, added after the weight scale; absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Reals>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<NormalizeTopology>,
    /// Of the whole layer; with `blocks`, of the sum of their votes, and then absent for the usual one: the sign, where a
    /// tie is +1 in a bipolar layer and 0 in a ternary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<ActivationTopology>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolTopology>,
    /// Blocks of a layer that was trained split, in the order of their inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockTopology>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OpTopology {
    Dense,
    /// Sides are [rows, columns].
    Conv {
        kernel: [usize; 2],
        #[serde(default = "ones")]
        stride: [usize; 2],
        /// Padded positions above, left, below, right; absent: none.
        #[serde(default)]
        pad: [usize; 4],
        /// Integer that a padded position holds; absent: 0, which contributes nothing.
        #[serde(default)]
        pad_value: i32,
    },
}

/// Maximum over windows of positions; those that fill no whole window are left out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolTopology {
    /// [rows, columns]
    pub size: [usize; 2],
    /// Absent: the size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<[usize; 2]>,
    pub order: PoolOrder,
}

/// What follows the partial sums of a block.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockTopology {
    /// Inputs of the block.
    pub inputs: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Reals>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<NormalizeTopology>,
    pub activation: ActivationTopology,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WeightsTopology {
    /// Tensor [neurons, inputs] of I8, F32 or F64, or of U8 with `packed`; a convolution's may also be [neurons, channels,
    /// kernel rows, kernel columns].
    pub tensor: String,
    pub kind: WeightKind,
    /// Absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Reals>,
    /// Inputs of a neuron, where the tensor is bit-packed: bipolar U8 [neurons, ceil(inputs / 8)], bit i % 8 of byte
    /// i / 8, 1 = +1; ternary U8 [2, neurons, ceil(inputs / 8)], plane 0 = nonzero, plane 1 = positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed: Option<usize>,
}

/// A number for all neurons, or the name of a tensor (F32, F64 or I8 to I64) with one value, or one for each neuron.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or the name of a tensor")]
pub(super) enum Reals {
    Same(f64),
    Tensor(String),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum NormalizeTopology {
    /// gamma (v - mean) / sqrt(variance + epsilon) + beta
    BatchNorm { gamma: Reals, beta: Reals, mean: Reals, variance: Reals, epsilon: f64 },
    /// gain v + shift
    Affine { gain: Reals, shift: Reals },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ActivationTopology {
    /// +1 where y >= threshold, else -1.
    Bipolar {
        #[serde(default = "zero")]
        threshold: Reals,
    },
    /// +1 above, -1 below, 0 between.
    Ternary { above: CutTopology, below: CutTopology },
    /// Ternary with a symmetric dead zone: +1 where y > delta, -1 where y < -delta.
    DeadZone { delta: f64 },
    /// Real scores; the class is the first maximum.
    Scores {},
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CutTopology {
    pub at: Reals,
    /// true: `at` itself gives 0.
    pub strict: bool,
}

fn ones() -> [usize; 2] {
    [1, 1]
}

fn zero() -> Reals {
    Reals::Same(0.0)
}
