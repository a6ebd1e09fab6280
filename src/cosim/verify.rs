//! The whole check: golden model against hardware-free evaluation, free run, run with stalls and resets.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::compare::{self, Compared, Mismatch};
use super::mismatch;
use super::model::{self, Model};
use super::records::Record;
use super::run::{RunOptions, run};
use super::{Build, CosimError, stimulus};
use crate::data::Dataset;
use crate::emit::{self, ICARUS_IMAGES, Tap, TapKind};
use crate::golden::{Golden, Trace};
use crate::reference;

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
    /// Whether every image left in the predicted cycle; absent where the sense registers were changed, since the plan
    /// counts with its own precharge and window.
    pub cycles_equal: Option<bool>,
    pub stalled: Option<StalledRun>,
    /// Breaches of the stream protocol at the output.
    pub protocol_faults: usize,
    /// No result for too long.
    pub stuck: bool,
    pub first_mismatch: Option<Mismatch>,
    /// Whether the plan computes the network itself, so that golden must equal the hardware-free evaluation.
    pub plan_is_exact: bool,
    /// Values compared between golden model and hardware-free evaluation.
    pub reference_compared: usize,
    pub reference_mismatches: usize,
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
        let reference = !self.plan_is_exact || self.reference_mismatches == 0;
        let cycles = self.cycles_equal.unwrap_or(true);
        self.mismatches == 0 && stalled && reference && cycles && self.protocol_faults == 0 && !self.stuck
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

/// Tally of one run.
struct Tally<'a> {
    build: &'a Build,
    taps: &'a [Tap],
    traces: &'a [Trace],
    name: &'static str,
    compared: usize,
    mismatches: usize,
    first: Option<Mismatch>,
    /// Firings of each tap and of the output, by image.
    seen: HashMap<(usize, usize), usize>,
    done: Vec<u64>,
    first_beat: u64,
    faults: usize,
    stuck: bool,
    dropped: Vec<usize>,
    resets: usize,
}

impl<'a> Tally<'a> {
    fn new(build: &'a Build, taps: &'a [Tap], traces: &'a [Trace], name: &'static str) -> Self {
        Self {
            build,
            taps,
            traces,
            name,
            compared: 0,
            mismatches: 0,
            first: None,
            seen: HashMap::new(),
            done: Vec::new(),
            first_beat: 0,
            faults: 0,
            stuck: false,
            dropped: Vec::new(),
            resets: 0,
        }
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::Tap { tap, image, cycle, firing, data } => {
                if self.taps[tap].is_detail() {
                    return;
                }
                *self.seen.entry((tap, image)).or_default() += 1;
                let plan = &self.build.plan;
                let compared = self.traces.get(image).map(|t| compare::tap(plan, &self.taps[tap], firing, &data, t));
                let (layer, position) = match self.taps[tap].kind {
                    TapKind::Layer(k) => {
                        let map = plan.layers[k].map;
                        let position = [firing / map.columns, firing % map.columns];
                        (plan.layers[k].name.clone(), (map.positions() > 1).then_some(position))
                    }
                    _ => ("scores".into(), None),
                };
                self.count(compared, image, tap, layer, position, cycle);
            }
            Record::Output { image, cycle, data } => {
                *self.seen.entry((self.taps.len(), image)).or_default() += 1;
                self.done.push(cycle);
                let compared = self.traces.get(image).map(|t| compare::output(&data, t));
                self.count(compared, image, self.taps.len(), "output".into(), None, cycle);
            }
            Record::Reset { first_dropped, started, .. } => {
                self.resets += 1;
                self.dropped.extend(first_dropped..started);
                // They pass every tap again.
                self.seen.retain(|(_, image), _| *image < first_dropped);
            }
            Record::Fault { .. } => self.faults += 1,
            Record::End { first_beat, stuck, .. } => {
                self.first_beat = first_beat;
                self.stuck = stuck;
            }
        }
    }

    /// Adds a comparison; without one the image does not exist, which is a mismatch of its own.
    fn count(
        &mut self,
        compared: Option<Compared>,
        image: usize,
        stage: usize,
        layer: String,
        position: Option<[usize; 2]>,
        cycle: u64,
    ) {
        let compared = compared.unwrap_or(Compared {
            values: 0,
            wrong: 1,
            first: Some((0, "nothing".into(), "an output for an image that was not sent".into())),
        });
        self.compared += compared.values;
        self.mismatches += compared.wrong;
        let Some((neuron, expected, got)) = compared.first else { return };
        let rank = |m: &Mismatch| (m.image, self.stage(&m.layer), m.position, m.neuron);
        if self.first.as_ref().is_none_or(|m| (image, stage, position, neuron) < rank(m)) {
            self.first = Some(Mismatch {
                run: self.name,
                image,
                layer,
                neuron,
                position,
                split: None,
                array: String::new(),
                cycle,
                expected,
                got,
                note: String::new(),
                waveform: None,
            });
        }
    }

    fn stage(&self, layer: &str) -> usize {
        let plan = &self.build.plan;
        match layer {
            "output" => self.taps.len(),
            name => plan.layers.iter().position(|l| l.name == name).unwrap_or(plan.layers.len()),
        }
    }

    /// Every image must have passed every tap and the output; what is missing is a mismatch.
    fn finish(&mut self) {
        let stages = self.taps.iter().enumerate().filter(|(_, t)| !t.is_detail()).map(|(k, _)| k);
        let stages: Vec<usize> = stages.chain([self.taps.len()]).collect();
        for image in 0..self.traces.len() {
            for stage in &stages {
                let due = self.taps.get(*stage).map_or(1, |t| t.per_image);
                if self.seen.get(&(*stage, image)) == Some(&due) {
                    continue;
                }
                let layer = match self.taps.get(*stage).map(|t| &t.kind) {
                    Some(TapKind::Layer(k)) => self.build.plan.layers[*k].name.clone(),
                    Some(_) => "scores".into(),
                    None => "output".into(),
                };
                let missing = Compared { values: 0, wrong: 1, first: Some((0, "an output".into(), "none".into())) };
                self.count(Some(missing), image, *stage, layer, None, 0);
            }
        }
    }
}

/// Verifies a build directory on images.
pub fn verify(
    build: &Build,
    set: &Dataset,
    options: &Options,
    progress: &(dyn Fn(Phase, usize) + Sync),
) -> Result<Verdict, CosimError> {
    let images: Vec<&[u8]> = (0..set.len()).map(|i| set.image(i)).collect();
    if options.simulator == Simulator::Icarus && images.len() > ICARUS_IMAGES {
        return Err(CosimError::TooMany { images: images.len(), most: ICARUS_IMAGES });
    }
    let plan = &build.plan;

    progress(Phase::Model, 0);
    let start = Instant::now();
    let model = match options.simulator {
        Simulator::Verilator => model::verilator(build, options.arrays, false)?,
        Simulator::Icarus => model::icarus(build, options.arrays)?,
    };
    let model_build = start.elapsed();

    let expected = expect(build, &images, progress);
    let taps = emit::taps(plan);
    let beats = stimulus::beats(plan, images.iter().copied());
    let limit = 20 * (plan.cycles.first_latency() + plan.cycles.interval) + 10_000;
    let go = |name, run_options: &RunOptions, traces, phase| -> Result<_, CosimError> {
        let mut tally = Tally::new(build, &taps, traces, name);
        run(build, options.simulator, &model.program, &beats, run_options, |record| {
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
    let start = Instant::now();
    let free = go("free-running", &free_options, &expected.traces[..], Phase::Simulation)?;
    let simulated = start.elapsed();

    let few = options.stalled.min(images.len());
    let stalled_options = RunOptions {
        images: few,
        seed: options.seed,
        resets: options.resets,
        limit: 8 * limit,
        ..free_options.clone()
    };
    let stalled = match few {
        0 => None,
        _ => Some(go("stalls and resets", &stalled_options, &expected.traces[..few], Phase::Stalls)?),
    };

    let mut first = free.first.clone().map(|m| (m, &free_options));
    if first.is_none() {
        first = stalled.as_ref().and_then(|s| s.first.clone()).map(|m| (m, &stalled_options));
    }
    let first_mismatch = match first {
        None => None,
        Some((m, run_options)) => Some(mismatch::locate(build, options, &model, &beats, &images, run_options, m)?),
    };
    Ok(verdict(build, set, options, &expected, &model, Times { model_build, simulated }, free, stalled, first_mismatch))
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
    class_differences: usize,
}

fn expect(build: &Build, images: &[&[u8]], progress: &(dyn Fn(Phase, usize) + Sync)) -> Expected {
    let golden = Golden::new(&build.plan);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let start = Instant::now();
    let traces = golden.run_all(images, || {
        progress(Phase::Golden, done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
    });
    let golden_time = start.elapsed();
    let references = reference::evaluate_all(&build.network, images, |n| progress(Phase::Reference, n));
    let (mut compared, mut mismatches, mut classes) = (0, 0, 0);
    let scores_exact = build.plan.scores.affine.as_ref().is_none_or(|a| a.exact);
    for (trace, reference) in traces.iter().zip(&references) {
        // The network's maps run channel by channel, the hardware's position by position.
        let hidden = reference.activations.iter().zip(&build.plan.layers).flat_map(|(values, layer)| {
            let positions = layer.map.positions();
            let channels = values.len() / positions;
            (0..values.len()).map(move |i| i64::from(values[i % channels * positions + i / channels]))
        });
        let all = hidden.chain(reference.sums.iter().copied());
        let golden = trace.layers.iter().flat_map(|l| l.values()).map(i64::from);
        for (g, r) in golden.zip(all) {
            compared += 1;
            mismatches += usize::from(g != r);
        }
        let class_differs = trace.class != reference.class;
        classes += usize::from(class_differs);
        compared += usize::from(scores_exact);
        mismatches += usize::from(scores_exact && class_differs);
    }
    Expected {
        traces,
        golden_time,
        reference_compared: compared,
        reference_mismatches: mismatches,
        class_differences: classes,
    }
}

#[expect(clippy::too_many_arguments, reason = "one result from all that was measured")]
fn verdict(
    build: &Build,
    set: &Dataset,
    options: &Options,
    expected: &Expected,
    model: &Model,
    times: Times,
    free: Tally,
    stalled: Option<Tally>,
    first_mismatch: Option<Mismatch>,
) -> Verdict {
    let cycles = &build.plan.cycles;
    let images = expected.traces.len();
    let counted: Vec<u64> = free.done.iter().map(|c| c - free.first_beat + 1).collect();
    let predicted: Vec<u64> = (1..=images).map(|n| cycles.batch(n)).collect();
    let last = |v: &[u64]| v.last().copied().unwrap_or(0);
    // The steady interval, once the pipeline is full; a single image has none.
    let interval = |v: &[u64]| if v.len() > 1 { v[v.len() - 1] - v[v.len() - 2] } else { last(v) };
    let trimmed = options.window.is_some() || options.precharge.is_some();
    let correct = set
        .labels
        .as_ref()
        .map(|labels| expected.traces.iter().zip(labels).filter(|(t, label)| t.class == **label).count());
    let per_second = |time: Duration| images as f64 / time.as_secs_f64().max(1e-9);
    Verdict {
        network: build.plan.name.clone(),
        dataset: set.name.clone(),
        simulator: options.simulator,
        arrays: options.arrays,
        images,
        compared: free.compared,
        mismatches: free.mismatches,
        correct,
        cycles_per_image_predicted: interval(&predicted),
        cycles_per_image_counted: interval(&counted),
        first_latency_predicted: cycles.first_latency(),
        first_latency_counted: counted.first().copied().unwrap_or(0),
        batch_cycles_predicted: last(&predicted),
        batch_cycles_counted: last(&counted),
        cycles_equal: (!trimmed).then(|| counted == predicted),
        protocol_faults: free.faults + stalled.as_ref().map_or(0, |s| s.faults),
        stuck: free.stuck || stalled.as_ref().is_some_and(|s| s.stuck),
        stalled: stalled.map(|s| StalledRun {
            images: s.traces.len(),
            seed: options.seed,
            resets: s.resets,
            resets_asked: options.resets,
            dropped: s.dropped,
            compared: s.compared,
            mismatches: s.mismatches,
        }),
        first_mismatch,
        plan_is_exact: build.plan.is_exact(),
        reference_compared: expected.reference_compared,
        reference_mismatches: expected.reference_mismatches,
        class_differences: expected.class_differences,
        edited_files: build.differences.clone(),
        images_per_second: per_second(times.simulated),
        golden_images_per_second: per_second(expected.golden_time),
        model_build_seconds: if model.fresh { times.model_build.as_secs_f64() } else { 0.0 },
    }
}
