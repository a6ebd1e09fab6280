use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::episodes::{EpisodeArgs, first_episode};
use super::{Answer, Outcome, load};
use crate::cosim::{self, Arrays, Build, Options, Phase, Simulator, Verdict};
use crate::emit::COUNT_WIDTH;

/// What a sense register holds at most; the design refuses to store more, or 0.
const LARGEST_COUNT: i64 = (1 << COUNT_WIDTH) - 1;

/// Images of the run with stalls and resets, where nothing else is asked for.
const STALLED: usize = 20;

/// Co-simulate a build directory: every output of every layer against the golden model.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Build directory.
    build: PathBuf,
    #[command(flatten)]
    data: load::DataArgs,
    #[command(flatten)]
    episodes: EpisodeArgs,
    #[arg(long, value_enum, default_value_t)]
    simulator: SimulatorArg,
    /// Arrays each an instance, wired as in synthesis, or one behavioral bank a layer, which is fast; absent: bank in
    /// Verilator, grid in Icarus Verilog.
    #[arg(long, value_enum)]
    arrays: Option<ArraysArg>,
    /// Seed of the stalls and resets of the second run.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=0x7fff_ffff))]
    seed: u64,
    /// Images of the second run, with random stalls and resets; 0 leaves it out; absent: 20, and with a few-shot memory at least
    /// the first episode.
    #[arg(long)]
    stalled: Option<usize>,
    /// Resets of the second run.
    #[arg(long, default_value_t = 3)]
    resets: usize,
    /// Cycles of the PCSA sense window, written over the register bus, instead of the plan's.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=LARGEST_COUNT))]
    window: Option<u16>,
    /// Cycles of the PCSA precharge, written over the register bus, instead of the plan's.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=LARGEST_COUNT))]
    precharge: Option<u16>,
    /// Where the weights come from: memory images, or the register bus, over which every word line of new arrays is programmed
    /// and verified before the first image.
    #[arg(long, value_enum, default_value_t)]
    load: LoadArg,
    /// Cells that do not do what they are told, of the layers with `--load bus`, of the key memory in any case: a JSON list, see
    /// docs/programming.md.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Waveform of the first mismatch; absent: BUILD-mismatch.vcd.
    #[arg(long)]
    waveform: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum SimulatorArg {
    #[default]
    Verilator,
    Icarus,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum LoadArg {
    #[default]
    Images,
    Bus,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum ArraysArg {
    Grid,
    Bank,
}

impl SimulatorArg {
    pub fn simulator(self) -> Simulator {
        match self {
            Self::Verilator => Simulator::Verilator,
            Self::Icarus => Simulator::Icarus,
        }
    }
}

impl ArraysArg {
    /// What was asked for, or what the simulator usually takes.
    pub fn arrays(asked: Option<Self>, simulator: Simulator) -> Arrays {
        match asked {
            None => simulator.usual_arrays(),
            Some(Self::Grid) => Arrays::Grid,
            Some(Self::Bank) => Arrays::Bank,
        }
    }
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let build = Build::open(&args.build)?;
    for file in &build.differences {
        eprintln!(
            "warning: {} differs from the manifest; it is verified as it stands",
            build.path.join(file).display()
        );
    }
    let simulator = args.simulator.simulator();
    let arrays = ArraysArg::arrays(args.arrays, simulator);
    let mut set = args.data.open(&build.network)?;
    let asked = match &build.plan.memory {
        None if args.episodes.given() => anyhow::bail!(
            "{}: the design has no few-shot memory, so there are no episodes; hardware.toml needs a table [memory]",
            args.build.display()
        ),
        None => Vec::new(),
        Some(m) => args.episodes.asked(&set, m.slots, m.classes)?,
    };
    if asked.is_empty() && simulator == Simulator::Icarus && args.data.images.is_none() {
        // A second opinion on a sample: Icarus is hundreds of times slower.
        let sample = set.len().min(4);
        set = set.chosen(0, 1, Some(sample))?;
    }
    let waveform = match args.waveform {
        Some(path) => path,
        None => {
            // Beside the build directory, also where that is `.`.
            let path = match build.path.file_name() {
                Some(_) => build.path.clone(),
                None => build.path.canonicalize().with_context(|| format!("{}: cannot open", build.path.display()))?,
            };
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push("-mismatch.vcd");
            path.with_file_name(name)
        }
    };
    let faults = load::faults(args.faults.as_deref())?;
    let options = Options {
        simulator,
        arrays,
        seed: args.seed,
        // A memory that only learns under stalls would not show much.
        stalled: args.stalled.unwrap_or(STALLED.max(first_episode(&asked))),
        resets: args.resets,
        precharge: args.precharge.map(usize::from),
        window: args.window.map(usize::from),
        load: args.load == LoadArg::Bus,
        faults,
        waveform,
    };
    let bar = Bar::new(if asked.is_empty() { set.len() } else { asked.len() });
    let verdict = cosim::verify(&build, &set, &asked, &options, &|phase, n| bar.show(phase, n))?;
    bar.finish();
    let outcome = if verdict.held() { Outcome::Held } else { Outcome::Failed };
    Ok(Answer { text: text(&verdict), json: serde_json::to_value(&verdict)?, outcome })
}

/// Progress on standard error, one line.
pub(super) struct Bar {
    bar: ProgressBar,
    phase: Mutex<Option<Phase>>,
}

impl Bar {
    pub fn new(images: usize) -> Self {
        let style = ProgressStyle::with_template("{msg:12} {bar:40} {pos}/{len} images {elapsed}").expect("a template");
        Self { bar: ProgressBar::new(images as u64).with_style(style), phase: Mutex::new(None) }
    }

    pub fn show(&self, phase: Phase, done: usize) {
        let mut current = self.phase.lock().unwrap_or_else(|e| e.into_inner());
        if *current != Some(phase) {
            *current = Some(phase);
            self.bar.set_message(match phase {
                Phase::Reference => "reference",
                Phase::Golden => "golden",
                Phase::Model => "build model",
                Phase::Simulation => "simulation",
                Phase::Stalls => "stalls",
            });
        }
        self.bar.set_position(done as u64);
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn text(v: &Verdict) -> String {
    let mut lines = Vec::new();
    let percent = |n: usize| 100.0 * n as f64 / v.images as f64;
    lines.push(format!(
        "{} on {}: {} images, {} values compared, {} mismatches",
        v.network, v.dataset, v.images, v.compared, v.mismatches
    ));
    if let Some(correct) = v.correct {
        lines.push(format!("classified right: {correct} of {} ({:.2}%)", v.images, percent(correct)));
    }
    if let Some(l) = &v.load {
        lines.push(format!(
            "loaded over the register bus: {} arrays, {} word lines, {} retries; {} cycles predicted, {} counted{}; {} with the bus",
            l.arrays,
            l.lines,
            l.retries,
            l.cycles_predicted,
            l.cycles_counted,
            if l.cycles_predicted == l.cycles_counted { "" } else { "  NOT EQUAL" },
            l.bus_cycles
        ));
        if l.attempts_differ > 0 {
            lines.push(format!("NOT AS PREDICTED: the attempts of {} word lines", l.attempts_differ));
        }
        for f in l.failed.iter().take(10) {
            lines.push(format!(
                "NOT WRITTEN: layer {}, split {}, tile {}, word line {}: cells {:?}",
                f.layer, f.split, f.tile, f.line, f.cells
            ));
        }
        if l.failed.len() > 10 {
            lines.push(format!("NOT WRITTEN: {} word lines more", l.failed.len() - 10));
        }
    }
    if let Some(f) = &v.few_shot {
        lines.push(format!(
            "few-shot memory: {} learns, {} queries, {} refused{}; {} similarities; {} of {} queries right ({:.2}%)",
            f.learns,
            f.queries,
            f.refused,
            match (f.failed, f.retries) {
                (0, 0) => String::new(),
                (failed, retries) => format!("; {failed} learns whose cells could not be written, {retries} retries"),
            },
            f.similarities,
            f.correct,
            f.judged,
            100.0 * f.correct as f64 / f.judged.max(1) as f64
        ));
        lines.push(format!(
            "cycles of the memory: a learn {} predicted, {} counted; a query {} predicted, {} counted; {} of them differ",
            f.learn_cycles_predicted,
            f.learn_cycles_counted,
            f.query_cycles_predicted,
            f.query_cycles_counted,
            f.cycles_differ
        ));
    }
    lines.push(format!(
        "cycles: first result {} predicted, {} counted; an image every {} predicted, {} counted; all {} predicted, {} counted{}",
        v.first_latency_predicted,
        v.first_latency_counted,
        v.cycles_per_image_predicted,
        v.cycles_per_image_counted,
        v.batch_cycles_predicted,
        v.batch_cycles_counted,
        match v.cycles_equal {
            true => "",
            false => "  NOT EQUAL",
        }
    ));
    if let Some(s) = &v.stalled {
        lines.push(format!(
            "stalls and {} of {} resets{} (seed {}): {} images, {} values compared, {} mismatches; dropped and sent again: {:?}",
            s.resets,
            s.resets_asked,
            if s.resets == s.resets_asked { "" } else { "  NOT ALL" },
            s.seed,
            s.images,
            s.compared,
            s.mismatches,
            s.dropped
        ));
    }
    let reference = match (v.plan_is_exact, v.exact_layers) {
        (true, _) => "must be equal".into(),
        (false, 0) => "may differ: the plan splits or rounds".into(),
        (false, n) => format!("may differ behind layer {n}, from where on the plan splits or rounds"),
    };
    lines.push(format!(
        "golden against hardware-free evaluation ({reference}): {} values compared, {} differ{}; {} images of another class",
        v.reference_compared,
        v.reference_mismatches,
        if v.reference_faults > 0 { format!(", {} where none may: A FAULT OF THE PLAN", v.reference_faults) } else { String::new() },
        v.class_differences
    ));
    if v.protocol_faults > 0 {
        lines.push(format!("{} breaches of the stream protocol at the output", v.protocol_faults));
    }
    if v.stuck {
        lines.push("STUCK: no result for too many cycles".into());
    }
    if let Some(m) = &v.first_mismatch {
        lines.push(format!(
            "first mismatch ({}): image {}, layer {}, neuron {}{}, split {}, cycle {}: expected {}, got {}",
            m.run,
            m.image,
            m.layer,
            m.neuron,
            m.position.map_or(String::new(), |[r, c]| format!(" at row {r}, column {c}")),
            m.split.map_or("-".into(), |s| s.to_string()),
            m.cycle,
            m.expected,
            m.got
        ));
        lines.push(format!("  array: {}", m.array));
        lines.push(format!("  {}", m.note));
        if let Some(path) = &m.waveform {
            lines.push(format!("  waveform: {}", path.display()));
        }
    }
    lines.push(format!(
        "{:.1} images/s simulated with comparison, {:.0} images/s golden; model built in {:.1} s",
        v.images_per_second, v.golden_images_per_second, v.model_build_seconds
    ));
    lines.push(if v.held() { "HELD".into() } else { "FAILED".into() });
    lines.join("\n") + "\n"
}
