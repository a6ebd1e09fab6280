//! Co-simulation: the generated design against the golden model, every layer of every image.
//!
//! The only place that sees both. The design runs in a simulator of its own process; what its taps show is compared
//! while it runs.

mod build;
mod bus;
mod commands;
mod compare;
mod faults;
mod load;
mod march;
mod mismatch;
mod model;
mod records;
mod run;
mod stimulus;
mod tally;
mod verify;

use std::path::PathBuf;

pub use build::Build;
pub use commands::{Asked, FewShotRun, check as check_commands, order};
pub use compare::Mismatch;
pub use load::{FailedLine, LoadRun};
pub use march::{MarchRun, march};
use verify::Chip;
pub use verify::{Arrays, Options, Phase, Simulator, StalledRun, Verdict, verify};

use crate::emit::BuildError;
use crate::hardware::HardwareError;
use crate::network::NetworkError;
use crate::plan::PlanError;
use crate::tool::ToolError;

#[derive(Debug, thiserror::Error)]
pub enum CosimError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Hardware(#[from] HardwareError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("{}: not what this version plans from the network.safetensors, hardware.toml and fault map beside it; run `hafnia generate` again", path.display())]
    StalePlan { path: PathBuf },
    #[error("the simulation ended early: {reason}; its messages: {}", log.display())]
    Simulation { reason: String, log: PathBuf },
    #[error("{reason}")]
    Commands { reason: String },
    #[error("{}: not a list of faults: {source}", path.display())]
    FaultMap { path: PathBuf, source: serde_json::Error },
    #[error("the register bus: {reason}; the design does not do what it should")]
    Bus { reason: String },
    #[error(
        "--window and --precharge are counts of precharge sense amplifiers, and no array of this design is read by them; leave them out"
    )]
    NoSense,
    #[error("{}: the arrays cannot be written over the register bus; give hardware.toml a table [program] and generate again", path.display())]
    NotProgrammable { path: PathBuf },
    #[error("layer \"{layer}\": faults of a layer's cells matter where they are written: add --load bus")]
    FaultsWithoutLoad { layer: String },
    #[error("{images} images are too many for Icarus Verilog, which takes {most}; use --images or Verilator")]
    TooMany { images: usize, most: usize },
}

pub(crate) fn io(path: &std::path::Path, action: &'static str) -> impl FnOnce(std::io::Error) -> CosimError {
    let path = path.to_path_buf();
    move |source| CosimError::Io { path, action, source }
}
