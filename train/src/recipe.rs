//! A recipe: everything that decides which network comes out, as TOML.

use hafnia::network::{InputCode, InputValues, WeightKind};
use serde::{Deserialize, Serialize};

use crate::{Error, overrides};

/// Recipes that ship with the trainer, by name.
pub const SHIPPED: [(&str, &str); 2] = [
    ("digits_binary", include_str!("../recipes/digits_binary.toml")),
    ("digits_ternary", include_str!("../recipes/digits_ternary.toml")),
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Name of the network, as it stands in its file.
    pub name: String,
    pub seed: u64,
    pub data: DataRecipe,
    pub input: InputRecipe,
    pub quantize: QuantizeRecipe,
    /// From the input to the scores.
    pub layers: Vec<LayerRecipe>,
    pub train: TrainRecipe,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecipe {
    pub set: SetName,
    /// Training images are moved by up to this many pixels in each direction, drawn anew every epoch.
    #[serde(default)]
    pub shift: usize,
    /// Every code of a training image moves by up to so much, drawn anew every epoch.
    #[serde(default)]
    pub jitter: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetName {
    Digits,
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
    pub weights: WeightKind,
    pub activations: ActivationKind,
    /// A latent weight beyond +-this becomes +-1 (ternary weights only).
    #[serde(default = "threshold")]
    pub weight_threshold: f64,
    /// A normalized sum beyond +-this becomes +-1 (ternary activations only).
    #[serde(default = "threshold")]
    pub dead_zone: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    Bipolar,
    Ternary,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecipe {
    pub name: String,
    #[serde(default)]
    pub op: OpName,
    pub neurons: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpName {
    #[default]
    Dense,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainRecipe {
    pub epochs: usize,
    pub batch: usize,
    pub learning_rate: f64,
    #[serde(default)]
    pub schedule: Schedule,
    pub loss: Loss,
    /// The loss sees integer scores divided by this; the exported network keeps the integers.
    pub temperature: f64,
    /// Latent weights start uniform in +-this.
    pub init: f64,
    /// Share of the newest batch in the running statistics of batch norm.
    #[serde(default = "momentum")]
    pub momentum: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    Constant,
    /// From the full rate to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts).
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

    /// Ranges. What a network itself demands, names for one, is left to it: `fit` builds one before it trains.
    fn check(&self) -> Result<(), String> {
        let positive = |key: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(format!("{key} is {value}; give a positive number")),
        };
        if self.layers.is_empty() {
            return Err("has no [[layers]]; the last one gives the scores, one neuron a class".into());
        }
        if let Some(layer) = self.layers.iter().find(|l| l.neurons == 0) {
            return Err(format!("layer {:?} has 0 neurons", layer.name));
        }
        if self.quantize.weights == WeightKind::Int8 {
            return Err("quantize.weights is \"int8\", which is not trained yet; use \"bipolar\" or \"ternary\"".into());
        }
        if let InputRecipe::Trits([low, high]) = self.input
            && low >= high
        {
            return Err(format!("input.trits is [{low}, {high}]; the low end must lie below the high one"));
        }
        positive("train.learning_rate", self.train.learning_rate)?;
        positive("train.temperature", self.train.temperature)?;
        positive("train.init", self.train.init)?;
        positive("train.momentum", self.train.momentum)?;
        if self.train.momentum > 1.0 {
            return Err(format!("train.momentum is {}; it is a share, at most 1", self.train.momentum));
        }
        for (key, value) in
            [("weight_threshold", self.quantize.weight_threshold), ("dead_zone", self.quantize.dead_zone)]
        {
            if !(0.0..1.0).contains(&value) {
                return Err(format!("quantize.{key} is {value}; use 0 or more, below 1"));
            }
        }
        if self.train.epochs == 0 || self.train.batch < 2 {
            return Err("train.epochs must be at least 1 and train.batch at least 2 (batch norm needs two)".into());
        }
        Ok(())
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
        let message = Recipe::load("digits_binary", &["train.batch=1".into()]).unwrap_err().to_string();
        assert!(message.contains("train.batch at least 2"), "{message}");
        let message = Recipe::load("digits_binary", &["input={trits=[9,3]}".into()]).unwrap_err().to_string();
        assert!(message.contains("input.trits is [9, 3]"), "{message}");
    }

    #[test]
    fn trits_by_hand() {
        let code = InputRecipe::Trits([4, 11]).code();
        let values: Vec<i32> = [0, 4, 5, 10, 11, 16, 255].map(|q| code.value(q)).to_vec();
        assert_eq!(values, [-1, -1, 0, 0, 1, 1, 1]);
    }
}
