//! Trainers for the networks that hafnia turns into hardware.
//!
//! ```text
//! recipe ─► data ─► batch ─► model (layer, quantize) ─► loss ─► adam ─┐
//!                    ▲                                                │ fit: epochs, checkpoints, curve
//!                    └────────────────────────────────────────────────┘
//!                                 └─► export ─► network file ─► evaluate, twice
//! ```
//!
//! Everything random comes from the recipe's seed; a run repeats to the last byte on the same machine, interrupted
//! and resumed or not.

mod adam;
pub mod bars;
pub mod batch;
pub mod chart;
pub mod checkpoint;
mod columns;
pub mod curve;
pub mod data;
pub mod episodes;
mod error;
pub mod errors;
pub mod evaluate;
pub mod export;
pub mod few_shot;
pub mod fit;
mod fused;
pub mod inference;
pub mod layer;
mod loss;
mod matrix;
pub mod model;
pub mod norm;
mod overrides;
pub mod param;
pub mod partial;
mod pooled;
mod product;
pub mod progress;
pub mod quantize;
pub mod random;
pub mod recipe;
mod rotated;
pub mod run;
mod schedule;
pub mod study;
mod votes;
mod whole;

pub use error::Error;

/// What tensors live on: the CPU, or a CUDA device where the trainer was built with the feature `cuda`.
pub fn device() -> burn::tensor::Device {
    #[cfg(feature = "cuda")]
    return burn::tensor::Device::cuda(0);
    #[cfg(not(feature = "cuda"))]
    burn::tensor::Device::flex()
}
