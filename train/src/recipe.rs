//! A recipe: everything that decides which network comes out, as TOML.

mod check;
mod episodes;

pub use episodes::{EpisodeRecipe, Sharpening, Similarity};
use hafnia::network::{InputCode, InputValues, PoolOrder, WeightKind};
use serde::{Deserialize, Serialize};

use crate::errors::ErrorKind;
use crate::quantize::Quantizer;
use crate::{Error, overrides};

/// Recipes that ship with the trainer, by name.
pub const SHIPPED: [(&str, &str); 7] = [
    ("digits_binary", include_str!("../recipes/digits_binary.toml")),
    ("digits_ternary", include_str!("../recipes/digits_ternary.toml")),
    ("mnist_mlp", include_str!("../recipes/mnist_mlp.toml")),
    ("cifar10_cnn", include_str!("../recipes/cifar10_cnn.toml")),
    ("batmann", include_str!("../recipes/batmann.toml")),
    ("vgg_binary", include_str!("../recipes/vgg_binary.toml")),
    ("vgg_ternary", include_str!("../recipes/vgg_ternary.toml")),
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Name of the network, as it stands in its file.
    pub name: String,
    pub seed: u64,
    pub data: DataRecipe,
    pub input: InputRecipe,
    pub quantize: QuantizeRecipe,
    #[serde(default)]
    pub split: SplitRecipe,
    #[serde(default)]
    pub errors: ErrorsRecipe,
    /// Where a layer's pool stands; the papers' networks pool before batch norm.
    #[serde(default = "before_normalize")]
    pub pool_order: PoolOrder,
    /// Batch norm of the scores, as in input-splitting; without it the scores are the integer sums themselves.
    #[serde(default)]
    pub scores_norm: bool,
    /// What the layers' `widths` count.
    #[serde(default = "one")]
    pub width: usize,
    /// Learns from few-shot episodes; the last layer's scores are features, whose signs the key memory holds.
    #[serde(default)]
    pub episodes: Option<EpisodeRecipe>,
    /// From the input to the scores.
    pub layers: Vec<LayerRecipe>,
    pub train: TrainRecipe,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecipe {
    pub set: SetName,
    /// Training images set aside, drawn with the seed: they judge early stopping and `train.keep`. Of Omniglot, characters.
    #[serde(default)]
    pub validation: usize,
    /// Learns from at most so many images; 0: all.
    #[serde(default)]
    pub images: usize,
    /// Training images are moved by up to this many pixels in each direction, drawn anew every epoch.
    #[serde(default)]
    pub shift: usize,
    /// Every code of a training image moves by up to so much, drawn anew every epoch.
    #[serde(default)]
    pub jitter: usize,
    /// Training images are mirrored, left to right, with even chances.
    #[serde(default)]
    pub flip: bool,
    /// Training images are turned by up to so many degrees. With a shift as well, each image gets one of the two, with even
    /// chances.
    #[serde(default)]
    pub rotate: f64,
    /// Side that images are resized to, each pixel the mean of the area it covers; 0: as they are.
    #[serde(default)]
    pub side: usize,
    /// Code of what comes in from outside.
    #[serde(default)]
    pub fill: u8,
    /// Training drawings turned by quarter turns are characters of their own (Omniglot).
    #[serde(default)]
    pub turns: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetName {
    Digits,
    Mnist,
    Cifar10,
    Omniglot,
    /// `train.npy` and `test.npy`, with labels.
    Arrays,
}

/// The integers that stored bytes stand for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputRecipe {
    /// `[gain, offset]`: gain q + offset.
    Affine([i32; 2]),
    /// `[low, high]`: -1 up to `low`, +1 from `high` on, 0 between.
    Trits([u8; 2]),
    /// +1 from here on, else -1.
    Bipolar(u8),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantizeRecipe {
    pub weights: WeightName,
    pub activations: ActivationKind,
    /// A latent weight beyond +-this becomes +-1 (ternary weights only).
    #[serde(default = "threshold")]
    pub weight_threshold: f64,
    /// A normalized sum beyond +-this becomes +-1 (ternary activations only).
    #[serde(default = "threshold")]
    pub dead_zone: f64,
    /// XNOR-Net's scale: a neuron's sum is multiplied by the mean of its latent weights' magnitudes (bipolar weights only).
    #[serde(default)]
    pub scaled: bool,
    /// RBNN's scheme: bipolar weights are rotated before they are binarized, the scale is learned, gradients follow its
    /// approximation (bipolar weights only).
    #[serde(default)]
    pub rotated: bool,
}

/// What a layer's weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightName {
    Bipolar,
    Ternary,
    Int8,
    /// Real, for the papers' full-precision baselines; such a network is judged, never exported.
    Float,
}

impl WeightName {
    /// None: no network of hafnia has them.
    pub fn kind(self) -> Option<WeightKind> {
        match self {
            Self::Bipolar => Some(WeightKind::Bipolar),
            Self::Ternary => Some(WeightKind::Ternary),
            Self::Int8 => Some(WeightKind::Int8),
            Self::Float => None,
        }
    }
}

/// Trains a network whose hidden layers are split for arrays (input-splitting, section III-C). First and last layer
/// stay whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitRecipe {
    /// Inputs of an array; 0: every layer is whole.
    #[serde(default)]
    pub inputs: usize,
    /// In training, the gradient passes where the sum of a neuron's votes is at most so many square roots of their number, which
    /// is about how far it lies from 0; 0: everywhere, as in the authors' code.
    #[serde(default)]
    pub vote_window: f64,
}

/// Weight errors in training, drawn anew for every batch, as the authors' code of ternary-pcsa does. The network that is kept has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorsRecipe {
    /// Share of weights that errors change; 0: no errors.
    #[serde(default)]
    pub rate: f64,
    #[serde(default)]
    pub kind: ErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    Bipolar,
    Ternary,
    /// Of full-precision baselines.
    Relu,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecipe {
    pub name: String,
    #[serde(default)]
    pub op: OpName,
    #[serde(default)]
    pub neurons: usize,
    /// Instead of `neurons`: so many times the recipe's `width`.
    #[serde(default)]
    pub widths: usize,
    /// Side of a convolution's kernel.
    #[serde(default = "three")]
    pub kernel: usize,
    #[serde(default = "one")]
    pub stride: usize,
    /// Zeros around a convolution's input.
    #[serde(default)]
    pub pad: usize,
    /// Side, and stride, of a maximum pool; 0: none.
    #[serde(default)]
    pub pool: usize,
    /// Weights of this layer, where they are not those of `quantize`.
    #[serde(default)]
    pub weights: Option<WeightName>,
}

impl LayerRecipe {
    pub fn neurons(&self, width: usize) -> usize {
        if self.widths > 0 { self.widths.saturating_mul(width) } else { self.neurons }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpName {
    #[default]
    Dense,
    Conv,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainRecipe {
    pub epochs: usize,
    pub batch: usize,
    pub learning_rate: f64,
    #[serde(default)]
    pub schedule: Schedule,
    /// Lengths of the schedule's cycles, as shares: [1, 2, 4] restarts after a seventh and after three sevenths of the epochs.
    #[serde(default = "one_cycle")]
    pub cycles: Vec<f64>,
    /// The rate follows the schedule at every batch, not only at every epoch.
    #[serde(default)]
    pub per_batch: bool,
    /// Decoupled weight decay of latent weights that are quantized.
    #[serde(default)]
    pub weight_decay: f64,
    /// Latent weights that are quantized stay within +-1.
    #[serde(default = "yes")]
    pub clip: bool,
    pub loss: Loss,
    /// The loss sees integer scores divided by this; the exported network keeps the integers.
    pub temperature: f64,
    /// Latent weights start uniform in +-this; or normal, of this standard deviation.
    pub init: f64,
    #[serde(default)]
    pub init_shape: InitShape,
    /// Share of the newest batch in the running statistics of batch norm.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Batches behind every epoch whose mean statistics replace the running ones; 0: those stay.
    #[serde(default)]
    pub statistics: usize,
    /// Stops after so many epochs without a better validation accuracy; 0: never.
    #[serde(default)]
    pub patience: usize,
    /// Which epoch's network is kept.
    #[serde(default)]
    pub keep: Keep,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitShape {
    #[default]
    Uniform,
    Normal,
}

/// How latent weights start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InitKind {
    Uniform(f64),
    Normal(f64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    #[default]
    Last,
    /// The first of those with the best validation accuracy.
    Best,
}

impl TrainRecipe {
    pub fn init_kind(&self) -> InitKind {
        match self.init_shape {
            InitShape::Uniform => InitKind::Uniform(self.init),
            InitShape::Normal => InitKind::Normal(self.init),
        }
    }
}

impl QuantizeRecipe {
    pub fn quantizer(&self, weights: WeightName) -> Quantizer {
        match weights {
            WeightName::Bipolar if self.rotated => Quantizer::None, // the layer rotates and binarizes
            WeightName::Bipolar => Quantizer::Bipolar { scaled: self.scaled },
            WeightName::Ternary => Quantizer::Ternary { zone: self.weight_threshold as f32 },
            WeightName::Int8 => Quantizer::Int8,
            WeightName::Float => Quantizer::None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    Constant,
    /// From the full rate to 0 along half a cosine, again in every cycle (Loshchilov and Hutter 2017, arXiv:1608.03983).
    #[default]
    Cosine,
    /// A tenth of the rate after half of the epochs, a hundredth after three quarters.
    Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    CrossEntropy,
    /// Sum over the classes of max(0, 1 - t o)^2 with targets t = +-1.
    SquaredHinge,
}

fn before_normalize() -> PoolOrder {
    PoolOrder::BeforeNormalize
}

fn one() -> usize {
    1
}

fn three() -> usize {
    3
}

fn one_cycle() -> Vec<f64> {
    vec![1.0]
}

fn yes() -> bool {
    true
}

fn threshold() -> f64 {
    0.05
}

fn momentum() -> f64 {
    0.1
}

impl Recipe {
    /// Reads a shipped recipe by its name, or a file, and lays `--set` assignments over it.
    pub fn load(name: &str, assignments: &[String]) -> Result<Self, Error> {
        let text = match SHIPPED.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => (*text).to_string(),
            None if name.ends_with(".toml") => std::fs::read_to_string(name).map_err(|source| Error::Io {
                path: name.into(),
                action: "read the recipe",
                source,
            })?,
            None => {
                let near = hafnia::suggest::nearest(name, SHIPPED.map(|(n, _)| n));
                return Err(Error::NoRecipe { name: name.into(), near, shipped: SHIPPED.map(|(n, _)| n).join(", ") });
            }
        };
        Self::parse(name, &text, assignments)
    }

    /// `place` stands in the messages.
    pub fn parse(place: &str, text: &str, assignments: &[String]) -> Result<Self, Error> {
        let recipe: Self = overrides::read(place, text, assignments)?;
        recipe.check().map_err(|reason| Error::Recipe { place: place.into(), reason })?;
        Ok(recipe)
    }
}

impl InputRecipe {
    pub fn code(&self) -> InputCode {
        InputCode::U8(match self {
            Self::Affine([gain, offset]) => InputValues::Affine { gain: *gain, offset: *offset },
            Self::Bipolar(at) => InputValues::Threshold { at: i32::from(*at) },
            Self::Trits([low, high]) => {
                InputValues::Table((0..=255u8).map(|q| i32::from(q >= *high) - i32::from(q <= *low)).collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_recipes_are_valid_and_carry_their_name() {
        for (name, _) in SHIPPED {
            assert_eq!(Recipe::load(name, &[]).unwrap().name, name);
        }
    }

    #[test]
    fn an_unknown_recipe_gets_a_suggestion() {
        let message = Recipe::load("digits_binry", &[]).unwrap_err().to_string();
        assert!(message.contains("did you mean `digits_binary`?"), "{message}");
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        for (set, expected) in [
            ("train.batch=1", "train.batch at least 2"),
            ("input={trits=[9,3]}", "input.trits is [9, 3]"),
            ("input={affine=[2,-32769]}", "input.affine is [2, -32769]; keep both within +-32768"),
            ("layers.2.name=fc1", "layers.2: another layer is called \"fc1\""),
            ("layers.0.neurons=65537", "layer \"fc1\": 65537 neurons; use at most 65536"),
            ("data.images=1", "data.images is 1; learn from two at least"),
            ("data.jitter=256", "data.jitter is 256; codes are 0 to 255"),
        ] {
            let message = Recipe::load("digits_binary", &[set.into()]).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        for threshold in ["inf", "nan", "1.5"] {
            let message =
                Recipe::load("batmann", &[format!("episodes.threshold={threshold}")]).unwrap_err().to_string();
            assert!(
                message.to_lowercase().contains(&format!("episodes.threshold is {threshold}; it is a share")),
                "{message}"
            );
        }
    }

    #[test]
    fn real_activations_do_not_vote() {
        let set = ["quantize.weights=float", "quantize.activations=relu", "split.inputs=128"].map(String::from);
        Recipe::load("mnist_mlp", &set[..2]).unwrap();
        let message = Recipe::load("mnist_mlp", &set).unwrap_err().to_string();
        assert!(message.contains("split.inputs has blocks vote"), "{message}");
    }

    #[test]
    fn trits_by_hand() {
        let code = InputRecipe::Trits([4, 11]).code();
        let values: Vec<i32> = [0, 4, 5, 10, 11, 16, 255].map(|q| code.value(q)).to_vec();
        assert_eq!(values, [-1, -1, 0, 0, 1, 1, 1]);
    }
}
