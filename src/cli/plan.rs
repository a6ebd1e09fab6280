use std::path::PathBuf;

use anyhow::Result;

use super::{Answer, load};

/// Show how a network lies on arrays.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Network file (.safetensors).
    network: PathBuf,
    #[command(flatten)]
    hardware: load::HardwareArgs,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let file = load::network(&args.network)?;
    let (_, plan) = args.hardware.plan(&file.network)?;
    Ok(Answer::held(plan.to_string(), serde_json::to_value(&plan)?))
}
