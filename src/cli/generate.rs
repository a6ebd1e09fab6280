use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::{Answer, load};
use crate::emit;

/// Write a build directory: Verilog, memory images, simulation and synthesis files.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Network file (.safetensors).
    network: PathBuf,
    #[command(flatten)]
    hardware: load::HardwareArgs,
    /// Build directory to write; an older one is replaced.
    #[arg(short, long)]
    out: PathBuf,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let file = load::network(&args.network)?;
    let (hardware_bytes, plan) = args.hardware.plan(&file.network)?;
    let manifest = emit::write(&plan, &file.bytes, &hardware_bytes, &args.out)?;
    let arrays = plan.arrays();
    let text = format!(
        "{}: top {}, {} files, {arrays} arrays; next: hafnia verify {0} --dataset ...\n",
        args.out.display(),
        manifest.top,
        manifest.files.len()
    );
    let json = json!({ "build": args.out, "top": manifest.top, "files": manifest.files.len(), "arrays": arrays });
    Ok(Answer::held(text, json))
}
