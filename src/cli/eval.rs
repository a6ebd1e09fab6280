use std::path::PathBuf;

use anyhow::Result;
use ndarray::Array2;
use serde_json::json;

use super::{Answer, load};
use crate::data::{write_predictions, write_scores};
use crate::golden::Golden;
use crate::reference;

/// Classify a data set: hardware-free, or with the splits of a hardware description.
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
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let network = load::network(&args.network)?.network;
    let set = args.data.open(&network)?;
    let images: Vec<&[u8]> = (0..set.len()).map(|i| set.image(i)).collect();
    let classes: Vec<usize> = match &args.hardware {
        None => reference::evaluate_all(&network, &images, |_| ()).iter().map(|e| e.class).collect(),
        Some(path) => {
            let (_, hardware) = load::hardware(Some(path))?;
            let plan = load::plan(&network, &hardware, Some(path))?;
            let traces = Golden::new(&plan).run_all(&images, || ());
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
    let how = if args.hardware.is_some() { "on the hardware" } else { "hardware-free" };
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
