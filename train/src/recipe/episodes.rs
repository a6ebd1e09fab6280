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
