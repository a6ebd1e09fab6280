use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::verify::{ArraysArg, SimulatorArg};
use super::{Answer, Outcome, load};
use crate::cosim::{self, Build, Options};
use crate::{fault_map, whole_file};

/// March test: write and read every cell of every array over the register bus, and list those that fail.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Build directory of a design with a table [program] in hardware.toml.
    build: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    simulator: SimulatorArg,
    /// See `verify`.
    #[arg(long, value_enum)]
    arrays: Option<ArraysArg>,
    /// Cells that do not do what they are told: a JSON list, see docs/programming.md.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Write what was found as a list of the same form.
    #[arg(long)]
    map: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let build = Build::open(&args.build)?;
    let simulator = args.simulator.simulator();
    let options = Options {
        simulator,
        arrays: ArraysArg::arrays(args.arrays, simulator),
        seed: 1,
        stalled: 0,
        resets: 0,
        precharge: None,
        window: None,
        load: true,
        faults: load::faults(args.faults.as_deref())?,
        waveform: PathBuf::new(),
    };
    let run = cosim::march(&build, &options)?;
    if let Some(path) = &args.map {
        let text = fault_map::write(&run.faults);
        whole_file::write(path, text.as_bytes()).with_context(|| format!("{}: cannot write", path.display()))?;
    }
    let mut lines = vec![format!(
        "march test: {} arrays, {} word lines, {} cells in {} cycles; {} faults",
        run.arrays,
        run.lines,
        run.cells,
        run.bus_cycles,
        run.faults.len()
    )];
    lines.extend(run.faults.iter().take(20).map(|f| json!(f).to_string()));
    if run.faults.len() > 20 {
        lines.push(format!("and {} more; --map FILE lists all", run.faults.len() - 20));
    }
    let outcome = if run.faults.is_empty() { Outcome::Held } else { Outcome::Failed };
    Ok(Answer { text: lines.join("\n") + "\n", json: serde_json::to_value(&run)?, outcome })
}
