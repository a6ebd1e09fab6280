//! The whole check: golden model against hardware-free evaluation, free run, run with stalls and resets.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::commands::{self, Asked, FewShotRun};
use super::compare::Mismatch;
use super::faults::{self, Faults};
use super::load::{Load, LoadRun};
use super::mismatch;
use super::model::{self, Model};
use super::records::Record;
use super::run::{RunOptions, run};
use super::stimulus::Stimulus;
use super::tally::Tally;
use super::{Build, CosimError};
use crate::data::Dataset;
use crate::emit::{self, ICARUS_IMAGES};
use crate::fault_map::Fault;
use crate::golden::{Command, Golden, Trace};
use crate::plan::{Action, KEYS, Plan, Start};
use crate::reference::{self, Evaluation};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Simulator {
    #[default]
    Verilator,
    Icarus,
}

/// How the arrays of a layer are simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrays {
    /// Each one an instance, wired as in synthesis.
    Grid,
    /// All in one behavioral model.
    #[default]
    Bank,
}

impl Arrays {
    /// The file list of the simulation.
    pub(super) fn files(self) -> &'static str {
        match self {
            Self::Grid => emit::GRID_FILES,
            Self::Bank => emit::BANK_FILES,
        }
    }
}

impl Simulator {
    /// What is simulated where nothing else is asked for: the large run with what is fast, the sample with what is
    /// synthesized.
    pub fn usual_arrays(self) -> Arrays {
        match self {
            Self::Verilator => Arrays::Bank,
            Self::Icarus => Arrays::Grid,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Options {
    pub simulator: Simulator,
    pub arrays: Arrays,
    /// Seed of stalls and resets; not 0.
    pub seed: u64,
    /// Images of the run with stalls and resets; 0 leaves it out.
    pub stalled: usize,
    pub resets: usize,
    /// Other counts for the sense registers, written over the bus after reset.
    pub precharge: Option<usize>,
    pub window: Option<usize>,
    /// The arrays start with new cells, and the weights come over the register bus.
    pub load: bool,
    /// Cells that do not do what they are told.
    pub faults: Vec<Fault>,
    /// Where the waveform of a mismatch goes.
    pub waveform: PathBuf,
}

/// Run with random stalls on both streams and resets in the middle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StalledRun {
    pub images: usize,
    pub seed: u64,
    /// Resets that fell.
    pub resets: usize,
    pub resets_asked: usize,
    /// Images that a reset dropped; they were sent again.
    pub dropped: Vec<usize>,
    pub compared: usize,
    pub mismatches: usize,
}

/// What `verify` found.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub network: String,
    pub dataset: String,
    pub simulator: Simulator,
    pub arrays: Arrays,
    pub images: usize,
    /// Values compared between simulation and golden model in the free run: every output of every layer, the scores, the
    /// class, and both again at the output stream.
    pub compared: usize,
    pub mismatches: usize,
    /// Images classified as their label says; absent without labels.
    pub correct: Option<usize>,
    pub cycles_per_image_predicted: u64,
    pub cycles_per_image_counted: u64,
    pub first_latency_predicted: u64,
    pub first_latency_counted: u64,
    pub batch_cycles_predicted: u64,
    pub batch_cycles_counted: u64,
    /// Whether every image left in the predicted cycle.
    pub cycles_equal: bool,
    pub stalled: Option<StalledRun>,
    /// How the weights were loaded over the register bus; absent where the arrays start with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadRun>,
    /// Commands of a few-shot memory; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub few_shot: Option<FewShotRun>,
    /// Breaches of the stream protocol at the output.
    pub protocol_faults: usize,
    /// No result for too long.
    pub stuck: bool,
    pub first_mismatch: Option<Mismatch>,
    /// Whether the plan computes the network itself, so that golden must equal the hardware-free evaluation.
    pub plan_is_exact: bool,
    /// Layers from the first on of which that holds.
    pub exact_layers: usize,
    /// Values compared between golden model and hardware-free evaluation.
    pub reference_compared: usize,
    pub reference_mismatches: usize,
    /// Of them, those that must not be: all where the plan is exact, else those in the exact layers.
    pub reference_faults: usize,
    /// Images whose class differs from the hardware-free one: splits, or rounded score constants.
    pub class_differences: usize,
    /// Files of the build directory that differ from its manifest.
    pub edited_files: Vec<String>,
    /// Simulation with comparison, without building the model.
    pub images_per_second: f64,
    pub golden_images_per_second: f64,
    pub model_build_seconds: f64,
}

impl Verdict {
    /// Whether everything that was checked holds.
    pub fn held(&self) -> bool {
        let stalled = self.stalled.as_ref().is_none_or(|s| s.mismatches == 0 && s.resets == s.resets_asked);
        let cycles = self.cycles_equal && self.load.as_ref().is_none_or(LoadRun::held);
        let sound = self.protocol_faults == 0 && !self.stuck;
        self.mismatches == 0 && stalled && self.reference_faults == 0 && cycles && sound
    }
}

/// What is going on, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Reference,
    Golden,
    Model,
    Simulation,
    Stalls,
}

/// Verifies a build directory on images: on all of the set, or on those that are asked, each with its command, where the
/// design has a few-shot memory.
pub fn verify(
    build: &Build,
    set: &Dataset,
    asked: &[Asked],
    options: &Options,
    progress: &(dyn Fn(Phase, usize) + Sync),
) -> Result<Verdict, CosimError> {
    let plan = &build.plan;
    if options.precharge.or(options.window).is_some() && !plan.uses_pcsa() {
        return Err(CosimError::NoSense);
    }
    commands::check(plan, set, asked)?;
    commands::check_faults(plan, &options.faults, if options.stalled > 0 { options.resets } else { 0 })?;
    let chip = Chip::new(build, options)?;
    // Every image once, and which of them comes when.
    let (shown, order) = match asked {
        [] => ((0..set.len()).collect(), (0..set.len()).collect()),
        _ => commands::order(asked),
    };
    let commands: Vec<Command> = asked.iter().map(|a| a.command).collect();
    if options.simulator == Simulator::Icarus && order.len() > ICARUS_IMAGES {
        return Err(CosimError::TooMany { images: order.len(), most: ICARUS_IMAGES });
    }
    let unique: Vec<&[u8]> = shown.iter().map(|i| set.image(*i)).collect();
    let images: Vec<&[u8]> = order.iter().map(|i| unique[*i]).collect();

    progress(Phase::Model, 0);
    let start = Instant::now();
    let model = match options.simulator {
        Simulator::Verilator => model::verilator(build, options.arrays, false)?,
        Simulator::Icarus => model::icarus(build, options.arrays)?,
    };
    let model_build = start.elapsed();

    let expected = expect(build, &unique, &order, asked, &options.faults, progress);
    let traces: Vec<&Trace> = order.iter().map(|i| &expected.traces[*i]).collect();
    let taps = emit::taps(plan);
    let stimulus = Stimulus::new(plan, images.iter().copied(), &commands);
    let longest = plan.memory.as_ref().map_or(0, commands::longest);
    let timed = plan.with_sense(options.precharge, options.window);
    let limit = 20 * (timed.cycles.first_latency() + timed.cycles.interval + longest) + 10_000;
    let go = |name, run_options: &RunOptions, phase| -> Result<_, CosimError> {
        let images = run_options.images;
        let asked = &commands[..images.min(commands.len())];
        let mut tally = Tally::new(build, &taps, &traces[..images], asked, &options.faults, name);
        run(build, options.simulator, &model.program, &stimulus, run_options, |record| {
            if let Record::Output { image, .. } = &record {
                progress(phase, image + 1);
            }
            tally.take(record);
        })?;
        tally.finish();
        Ok(tally)
    };

    let free_options = RunOptions {
        images: images.len(),
        limit,
        precharge: options.precharge,
        window: options.window,
        ..RunOptions::default()
    };
    let free_options = match &chip {
        None => free_options,
        Some(chip) => chip.run_options(free_options),
    };
    let start = Instant::now();
    let free = go("free-running", &free_options, Phase::Simulation)?;
    let simulated = start.elapsed();
    let loaded = match chip.as_ref().and_then(|c| c.load.as_ref()) {
        None => None,
        Some(load) => Some(load.judge(&free.bus)?),
    };
    // Without its weights the network need not be run again, nor its faults be traced.
    let whole = loaded.as_ref().is_none_or(|l| l.failed.is_empty());

    let few = if whole { options.stalled.min(images.len()) } else { 0 };
    let stalled_options = RunOptions {
        images: few,
        seed: options.seed,
        resets: options.resets,
        limit: 8 * limit,
        ..free_options.clone()
    };
    let stalled = match few {
        0 => None,
        _ => Some(go("stalls and resets", &stalled_options, Phase::Stalls)?),
    };

    let mut first = free.first.clone().map(|m| (m, &free_options));
    if first.is_none() {
        first = stalled.as_ref().and_then(|s| s.first.clone()).map(|m| (m, &stalled_options));
    }
    // A mismatch that cannot be traced is one all the same.
    let locate = |(m, run_options): (Mismatch, _)| {
        let traced = mismatch::locate(build, options, &model, &stimulus, &images, run_options, m.clone());
        traced.unwrap_or_else(|error| Mismatch { note: format!("it could not be traced further: {error}"), ..m })
    };
    let first_mismatch = first.filter(|_| whole).map(locate);
    let labels = if asked.is_empty() { set.labels.as_deref() } else { None };
    let few_shot = timed.memory.as_ref().map(|m| FewShotRun::new(m, asked, &free.answers()));
    let times = Times { model_build, simulated };
    let name = set.name.clone();
    Ok(verdict(
        build,
        &timed,
        name,
        labels,
        options,
        &expected,
        &model,
        times,
        free,
        stalled,
        loaded,
        few_shot,
        first_mismatch,
    ))
}

/// What a run needs whose arrays are not as the memory images have them: weights over the register bus, faults.
pub(super) struct Chip {
    load: Option<Load>,
    /// `mem/`: images of new cells; `faults/`.
    folder: tempfile::TempDir,
}

impl Chip {
    pub fn new(build: &Build, options: &Options) -> Result<Option<Self>, CosimError> {
        let plan = &build.plan;
        if !options.load && options.faults.is_empty() {
            return Ok(None);
        }
        if options.load && plan.access.is_none() {
            return Err(CosimError::NotProgrammable { path: build.path.clone() });
        }
        let faults = Faults::new(plan, &options.faults)?;
        if let Some(fault) = options.faults.iter().find(|f| !options.load && f.layer != KEYS) {
            return Err(CosimError::FaultsWithoutLoad { layer: fault.layer.clone() });
        }
        let folder = tempfile::tempdir().map_err(super::io(&std::env::temp_dir(), "make a folder"))?;
        let [mem, faulty] = ["mem", "faults"].map(|name| folder.path().join(name));
        faults::write_blank(plan, &faults, options.load, &build.path.join("mem"), &mem)?;
        faults::write_faults(plan, &faults, &faulty)?;
        Ok(Some(Self { load: options.load.then(|| Load::new(plan, &faults)), folder }))
    }

    pub fn run_options(&self, options: RunOptions) -> RunOptions {
        let at = |name| Some(self.folder.path().join(name));
        let bus = self.load.as_ref().map_or(Vec::new(), |l| l.script.steps.clone());
        RunOptions { bus, images_at: at("mem"), faults_at: at("faults"), ..options }
    }
}

struct Times {
    model_build: Duration,
    simulated: Duration,
}

/// Golden traces, and what the hardware-free evaluation says of them.
struct Expected {
    traces: Vec<Trace>,
    golden_time: Duration,
    reference_compared: usize,
    reference_mismatches: usize,
    reference_faults: usize,
    class_differences: usize,
}

/// The order in which the images come, and their commands, matter to a few-shot memory only.
fn expect(
    build: &Build,
    images: &[&[u8]],
    order: &[usize],
    asked: &[Asked],
    faults: &[Fault],
    progress: &(dyn Fn(Phase, usize) + Sync),
) -> Expected {
    let golden = Golden::new(&build.plan);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let start = Instant::now();
    let traces = golden.run_all(images, || {
        progress(Phase::Golden, done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
    });
    let golden_time = start.elapsed();
    let references = reference::evaluate_all(&build.network, images, |n| progress(Phase::Reference, n));
    let (mut compared, mut mismatches, mut classes) = (0, 0, 0);
    let (exact, mut in_exact) = (build.plan.exact_layers(), 0);
    let memory = build.plan.memory.as_ref();
    let scores_exact = memory.is_none() && build.plan.scores.affine.as_ref().is_none_or(|a| a.exact);
    for (trace, reference) in traces.iter().zip(&references) {
        // The network's maps run channel by channel, the hardware's position by position.
        let hidden = reference.activations.iter().zip(&build.plan.layers).flat_map(|(values, layer)| {
            let positions = layer.map.positions();
            let channels = values.len() / positions;
            (0..values.len()).map(move |i| i64::from(values[i % channels * positions + i / channels]))
        });
        let all: Vec<i64> = match memory {
            None => hidden.chain(reference.sums.iter().copied()).collect(),
            Some(_) => hidden.chain(reference.features().into_iter().map(i64::from)).collect(),
        };
        let golden = trace.layers.iter().enumerate().flat_map(|(k, l)| l.values().map(move |v| (k, i64::from(v))));
        for ((layer, g), r) in golden.zip(all) {
            compared += 1;
            mismatches += usize::from(g != r);
            in_exact += usize::from(g != r && layer < exact);
        }
        let class_differs = memory.is_none() && trace.class != reference.class;
        classes += usize::from(class_differs);
        compared += usize::from(scores_exact);
        mismatches += usize::from(scores_exact && class_differs);
    }
    if let Some(memory) = memory {
        let of = |i: &usize| (&traces[*i], &references[*i]);
        let pairs: Vec<(&Trace, &Evaluation)> = order.iter().map(of).collect();
        let differ = commands::reference(memory, asked, faults, &pairs);
        let number = differ.iter().filter(|d| **d).count();
        classes += number;
        // A memory that cannot hold a key answers otherwise, as it should.
        if !faults.iter().any(|f| f.layer == KEYS) {
            compared += differ.len();
            mismatches += number;
        }
    }
    Expected {
        traces,
        golden_time,
        reference_compared: compared,
        reference_mismatches: mismatches,
        reference_faults: if build.plan.is_exact() { mismatches } else { in_exact },
        class_differences: classes,
    }
}

#[expect(clippy::too_many_arguments, reason = "one result from all that was measured")]
fn verdict(
    build: &Build,
    timed: &Plan,
    dataset: String,
    labels: Option<&[usize]>,
    options: &Options,
    expected: &Expected,
    model: &Model,
    times: Times,
    free: Tally,
    stalled: Option<Tally>,
    load: Option<LoadRun>,
    few_shot: Option<FewShotRun>,
    first_mismatch: Option<Mismatch>,
) -> Verdict {
    let images = free.images();
    let counted: Vec<u64> = free.done.iter().map(|c| c - free.first_beat + 1).collect();
    // A write to a sense register takes two cycles ahead of the first image, weights over the bus many.
    let written = options.precharge.iter().chain(&options.window).count() as u64;
    let begins = if options.load { Start::Rest } else { Start::After(2 * written) };
    let cycles = timed.cycles_from(begins);
    let predicted: Vec<u64> = match &timed.memory {
        None => (1..=images).map(|n| cycles.batch(n)).collect(),
        Some(_) => {
            let actions: Vec<Action> = free.answers().iter().flatten().map(|a| a.answer.action).collect();
            timed.command_cycles(&actions, begins).iter().map(|c| c + 1).collect()
        }
    };
    let last = |v: &[u64]| v.last().copied().unwrap_or(0);
    // The steady interval, once the pipeline is full; a single image has none.
    let interval = |v: &[u64]| if v.len() > 1 { v[v.len() - 1] - v[v.len() - 2] } else { last(v) };
    let correct =
        labels.map(|labels| expected.traces.iter().zip(labels).filter(|(t, label)| t.class == **label).count());
    let per_second = |time: Duration| images as f64 / time.as_secs_f64().max(1e-9);
    Verdict {
        network: build.plan.name.clone(),
        dataset,
        simulator: options.simulator,
        arrays: options.arrays,
        images,
        compared: free.compared,
        mismatches: free.mismatches,
        correct,
        cycles_per_image_predicted: interval(&predicted),
        cycles_per_image_counted: interval(&counted),
        first_latency_predicted: predicted.first().copied().unwrap_or(cycles.first_latency()),
        first_latency_counted: counted.first().copied().unwrap_or(0),
        batch_cycles_predicted: last(&predicted),
        batch_cycles_counted: last(&counted),
        cycles_equal: counted == predicted && few_shot.as_ref().is_none_or(|f| f.cycles_differ == 0),
        protocol_faults: free.faults + stalled.as_ref().map_or(0, |s| s.faults),
        stuck: free.stuck || stalled.as_ref().is_some_and(|s| s.stuck),
        stalled: stalled.map(|s| StalledRun {
            images: s.images(),
            seed: options.seed,
            resets: s.resets,
            resets_asked: options.resets,
            dropped: s.dropped,
            compared: s.compared,
            mismatches: s.mismatches,
        }),
        load,
        few_shot,
        first_mismatch,
        plan_is_exact: build.plan.is_exact(),
        exact_layers: build.plan.exact_layers(),
        reference_compared: expected.reference_compared,
        reference_mismatches: expected.reference_mismatches,
        reference_faults: expected.reference_faults,
        class_differences: expected.class_differences,
        edited_files: build.differences.clone(),
        images_per_second: per_second(times.simulated),
        golden_images_per_second: per_second(expected.golden_time),
        model_build_seconds: if model.fresh { times.model_build.as_secs_f64() } else { 0.0 },
    }
}
