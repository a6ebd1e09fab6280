use std::path::PathBuf;

use anyhow::{Result, bail};
use ndarray::Array2;
use serde_json::json;

use super::episodes::EpisodeArgs;
use super::{Answer, load};
use crate::cosim::{Asked, FewShotRun, check_commands, order};
use crate::data::{Dataset, write_predictions, write_scores};
use crate::golden::{Golden, Memory};
use crate::plan::{MemoryPlan, Plan};
use crate::reference;

/// Classify a data set: hardware-free, or with the splits of a hardware description; or ask its few-shot memory.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Network file (.safetensors).
    network: PathBuf,
    #[command(flatten)]
    data: load::DataArgs,
    /// Evaluate what this hardware computes; absent: the network itself.
    #[arg(long)]
    hardware: Option<PathBuf>,
    /// Write the class of each image, int64.
    #[arg(long)]
    predictions: Option<PathBuf>,
    /// Write integer scores [images, classes], int32; needs --hardware, whose plan decides the integers.
    #[arg(long, requires = "hardware")]
    scores: Option<PathBuf>,
    /// Faulty cells of the chip: spares take the place of those of layers, the key memory works around its own.
    #[arg(long, requires = "hardware")]
    faults: Option<PathBuf>,
    #[command(flatten)]
    episodes: EpisodeArgs,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let network = load::network(&args.network)?.network;
    let set = args.data.open(&network)?;
    let images: Vec<&[u8]> = (0..set.len()).map(|i| set.image(i)).collect();
    let plan = match &args.hardware {
        None => None,
        hardware => Some(load::HardwareArgs { hardware: hardware.clone(), faults: args.faults }.plan(&network)?.1),
    };
    if let Some(plan @ Plan { memory: Some(memory), .. }) = &plan {
        if args.predictions.is_some() || args.scores.is_some() {
            bail!("a few-shot memory answers commands, not images: leave out --predictions and --scores");
        }
        let asked = args.episodes.asked(&set, memory.slots, memory.classes)?;
        check_commands(plan, &set, &asked)?;
        return Ok(few_shot(plan, memory, &set, &asked));
    }
    if args.episodes.given() {
        bail!("episodes are for a few-shot memory: give --hardware a file with a table [memory]");
    }
    let classes: Vec<usize> = match &plan {
        None => reference::evaluate_all(&network, &images, |_| ()).iter().map(|e| e.class).collect(),
        Some(plan) => {
            let traces = Golden::new(plan).run_all(&images, || ());
            if let Some(out) = &args.scores {
                let scores = Array2::from_shape_fn((traces.len(), plan.classes()), |(i, c)| traces[i].scores[c]);
                write_scores(out, scores.view())?;
            }
            traces.iter().map(|t| t.class).collect()
        }
    };
    if let Some(out) = &args.predictions {
        write_predictions(out, &classes)?;
    }
    let correct = set.labels.as_ref().map(|l| l.iter().zip(&classes).filter(|(a, b)| a == b).count());
    let how = if plan.is_some() { "on the hardware" } else { "hardware-free" };
    let text = match correct {
        Some(n) => format!(
            "{} on {}, {how}: {n} of {} right ({:.2}%)\n",
            network.name,
            set.name,
            set.len(),
            100.0 * n as f64 / set.len() as f64
        ),
        None => format!("{} on {}, {how}: {} images, no labels\n", network.name, set.name, set.len()),
    };
    let json = json!({ "network": network.name, "dataset": set.name, "images": set.len(), "correct": correct });
    Ok(Answer::held(text, json))
}

/// Queries that get their class, in the golden model, on a chip with the plan's faults.
fn few_shot(plan: &Plan, memory: &MemoryPlan, set: &Dataset, asked: &[Asked]) -> Answer {
    let (shown, places) = order(asked);
    let images: Vec<&[u8]> = shown.iter().map(|i| set.image(*i)).collect();
    let traces = Golden::new(plan).run_all(&images, || ());
    let mut golden = Memory::new(memory, &plan.faults);
    let mut run = FewShotRun::default();
    for (asked, place) in asked.iter().zip(places) {
        let answer = golden.step(asked.command, traces[place].layers.last().expect("a network has layers"));
        run.count(memory, asked, &answer);
    }
    let FewShotRun { learns, queries, judged, correct, refused, failed, .. } = run;
    let text = format!(
        "{} on {}, few-shot memory: {correct} of {judged} queries right ({:.2}%); {learns} learns, {failed} of them failed, {queries} queries, {refused} commands refused\n",
        plan.name,
        set.name,
        100.0 * correct as f64 / judged.max(1) as f64
    );
    let few_shot = json!({ "learns": learns, "queries": queries, "judged": judged, "correct": correct, "refused": refused, "failed": failed });
    let json = json!({ "network": plan.name, "dataset": set.name, "images": images.len(), "few_shot": few_shot });
    Answer::held(text, json)
}
