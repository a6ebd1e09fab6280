use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::{Answer, Outcome, load, synth as area, verify::Bar};
use crate::cosim::{self, Build, Options, Simulator, Verdict};
use crate::hardware::Hardware;
use crate::synth::{self, Area, Target};
use crate::text::table;
use crate::{data, emit};

/// The networks that ship with hafnia.
const NETWORKS: [(&str, &[u8]); 2] = [
    ("digits_binary", include_bytes!("../../networks/digits_binary.safetensors")),
    ("digits_ternary", include_bytes!("../../networks/digits_ternary.safetensors")),
];

/// Hardware of the demo: arrays small enough that layers are split, and a digital first layer no faster than they are.
const HARDWARE: &str = "\
readout = \"pcsa\"

[array]
inputs = 128
outputs = 128

[digital]
inputs_at_once = 4
neurons_at_once = 32
";

/// Take the networks that ship with hafnia from file to verified, synthesized RTL.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Folder for the build directories.
    #[arg(long, default_value = "build/demo")]
    out: PathBuf,
}

struct Row {
    verdict: Verdict,
    luts: Area,
    gates: Area,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    std::fs::create_dir_all(&args.out).with_context(|| format!("{}: cannot create", args.out.display()))?;
    let mut rows = Vec::new();
    for (name, bytes) in NETWORKS {
        rows.push(one(&args.out, name, bytes)?);
    }
    let held = rows.iter().all(|r| r.verdict.held());
    let json = rows.iter().map(|r| json!({ "verify": r.verdict, "lut4": r.luts, "generic": r.gates })).collect();
    let outcome = if held { Outcome::Held } else { Outcome::Failed };
    Ok(Answer {
        text: text(&rows, held),
        json: json!({ "networks": serde_json::Value::Array(json), "held": held }),
        outcome,
    })
}

fn one(out: &Path, name: &str, bytes: &[u8]) -> Result<Row> {
    let file = out.join(format!("{name}.safetensors"));
    std::fs::write(&file, bytes).with_context(|| format!("{}: cannot write", file.display()))?;
    let network = load::network(&file)?.network;
    let hardware = Hardware::parse(HARDWARE).map_err(anyhow::Error::msg)?;
    let plan = load::plan(&network, &hardware, None)?;
    let path = out.join(name);
    eprintln!("{name}: generate {}", path.display());
    emit::write(&plan, bytes, HARDWARE.as_bytes(), &path)?;
    let build = Build::open(&path)?;
    let set = data::open("digits", None)?;
    let options = Options {
        simulator: Simulator::Verilator,
        arrays: Simulator::Verilator.usual_arrays(),
        seed: 1,
        stalled: 20,
        resets: 3,
        precharge: None,
        window: None,
        load: false,
        faults: Vec::new(),
        waveform: out.join(format!("{name}-mismatch.vcd")),
    };
    eprintln!("{name}: verify on {} held-out images", set.len());
    let bar = Bar::new(set.len());
    let verdict = cosim::verify(&build, &set, &[], &options, &|phase, n| bar.show(phase, n))?;
    bar.finish();
    eprintln!("{name}: synthesize");
    let folder = out.join(format!("{name}-synth"));
    let luts = synth::synth(&path, Target::Lut4, Some(&folder), Some(&synth::kept()))?;
    let gates = synth::synth(&path, Target::Generic, Some(&folder), Some(&synth::kept()))?;
    Ok(Row { verdict, luts, gates })
}

fn text(rows: &[Row], held: bool) -> String {
    let head =
        ["network", "right", "images", "compared", "mismatches", "cycles/image predicted", "counted", "LUT4s", "gates"];
    let mut lines = vec![head.map(String::from)];
    for r in rows {
        let v = &r.verdict;
        let right = v.correct.map_or("-".into(), |c| format!("{:.2}%", 100.0 * c as f64 / v.images as f64));
        lines.push([
            v.network.clone(),
            right,
            v.images.to_string(),
            v.compared.to_string(),
            v.mismatches.to_string(),
            v.cycles_per_image_predicted.to_string(),
            v.cycles_per_image_counted.to_string(),
            r.luts.total.luts.to_string(),
            r.gates.total.cells.to_string(),
        ]);
    }
    let mut text = String::new();
    for r in rows {
        text += &format!("{}\n", area::text(&r.luts));
    }
    text + &table(&lines) + if held { "HELD\n" } else { "FAILED\n" }
}
