//! Few-shot episodes of a recipe.

use serde::{Deserialize, Serialize};

/// BATMANN, algorithm 1. An epoch of `train.epochs` is its validation interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeRecipe {
    pub way: usize,
    pub shots: usize,
    /// Queries of each class in a training episode.
    pub queries: usize,
    /// Classes of a training episode; 0: `way`.
    #[serde(default)]
    pub learned_way: usize,
    /// In training, queries and support change roles as well, and both losses count.
    #[serde(default)]
    pub mirrored: bool,
    /// First epochs, in which every training character has one key that is learned along, in place of those that shots write:
    /// batches of `train.batch` images, dot product and absolute value with all of these keys.
    #[serde(default)]
    pub key_epochs: usize,
    /// `train.temperature` of these epochs.
    #[serde(default = "one_temperature")]
    pub key_temperature: f64,
    /// Training episodes from one validation to the next.
    pub interval: usize,
    /// Queries of each class in an episode that judges.
    pub judged_queries: usize,
    pub validation_episodes: usize,
    /// Stops once the validation accuracy is above this; 1: never.
    pub threshold: f64,
    /// Episodes of held-out characters, at the end.
    pub test_episodes: usize,
    /// Learns with the real features, not with their signs; what is judged takes signs.
    #[serde(default)]
    pub real_features: bool,
    #[serde(default)]
    pub similarity: Similarity,
    #[serde(default)]
    pub sharpening: Sharpening,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Similarity {
    #[default]
    Dot,
    Cosine,
}

/// In learning; what is judged takes dot products and absolute values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharpening {
    #[default]
    Abs,
    Softabs,
}

fn one_temperature() -> f64 {
    1.0
}
