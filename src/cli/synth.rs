use std::path::PathBuf;

use anyhow::Result;

use super::Answer;
use crate::synth::{self, Area, Target};
use crate::text::table;

/// Synthesize a build directory with Yosys, arrays as black boxes, and show the area by block.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Build directory.
    build: PathBuf,
    /// generic, lut4 or lut6.
    #[arg(long, default_value = "generic")]
    target: Target,
    /// Folder for netlist, log and statistics; absent: BUILD-synth.
    #[arg(short, long)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let area = synth::synth(&args.build, args.target, args.out.as_deref(), Some(&synth::kept()))?;
    Ok(Answer::held(text(&area), serde_json::to_value(&area)?))
}

pub(super) fn text(area: &Area) -> String {
    let mut rows = vec![["block", "instances", "cells", "LUTs", "flip-flops"].map(String::from)];
    for b in &area.blocks {
        let t = &b.total;
        rows.push([
            b.block.clone(),
            b.instances.to_string(),
            t.cells.to_string(),
            t.luts.to_string(),
            t.flip_flops.to_string(),
        ]);
    }
    let t = &area.total;
    rows.push(["total".into(), String::new(), t.cells.to_string(), t.luts.to_string(), t.flip_flops.to_string()]);
    let arrays: Vec<String> = area.arrays.iter().map(|(name, n)| format!("{n} {name}")).collect();
    format!(
        "{} for {} (cells of a block without the blocks in it)\n{}black boxes: {}\nnetlist: {}\n",
        area.top,
        area.target,
        table(&rows),
        if arrays.is_empty() { "none".into() } else { arrays.join(", ") },
        area.netlist.display()
    )
}
