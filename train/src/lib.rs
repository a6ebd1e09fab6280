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
mod batch;
pub mod checkpoint;
pub mod curve;
pub mod data;
mod error;
pub mod evaluate;
pub mod export;
pub mod fit;
pub mod layer;
mod loss;
pub mod model;
mod overrides;
pub mod param;
pub mod quantize;
pub mod random;
pub mod recipe;
pub mod run;
mod schedule;
mod whole;

pub use error::Error;
