use std::path::PathBuf;

use anyhow::Result;

use super::{Answer, load};

/// Show how a network lies on arrays.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Network file (.safetensors).
    network: PathBuf,
    /// Hardware description; absent: every default.
    #[arg(long)]
    hardware: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let file = load::network(&args.network)?;
    let (_, hardware) = load::hardware(args.hardware.as_deref())?;
    let plan = load::plan(&file.network, &hardware, args.hardware.as_deref())?;
    Ok(Answer::held(plan.to_string(), serde_json::to_value(&plan)?))
}
