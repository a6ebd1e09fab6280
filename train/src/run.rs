//! One training run, from recipe to evaluated network file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::evaluate::{self, Difference};
use crate::fit::{Event, Options, fit};
use crate::{Error, curve, data, episodes, export, recipe::Recipe};

/// Where a run reads and writes.
pub struct Files {
    /// Folder of the data set, or one that holds it; else `HAFNIA_DATA` says.
    pub data: Option<PathBuf>,
    pub network: PathBuf,
    /// A `.csv`; its picture goes beside it.
    pub curve: Option<PathBuf>,
    pub checkpoint: PathBuf,
    /// Epochs from one checkpoint to the next; 0 writes none.
    pub checkpoint_every: usize,
    /// Whether the checkpoint stays when the run is complete, for others to start from.
    pub keep_checkpoint: bool,
    pub resume: bool,
    /// Another run's checkpoint to start from.
    pub from: Option<PathBuf>,
}

/// What a run gave.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub network: PathBuf,
    pub sha256: String,
    pub seconds: f64,
    /// Epochs done, and the one whose network this is.
    pub epochs: usize,
    pub epoch: usize,
    pub train_images: usize,
    pub held_out_images: usize,
    /// Right by the trainer's tensors in evaluation mode; of a few-shot run only the share is told.
    pub held_out_right: Option<usize>,
    pub held_out_accuracy: f64,
    /// Right by integers on the exported network.
    pub held_out_right_integer: Option<usize>,
    pub held_out_accuracy_integer: f64,
    /// Images on which the two part, in any neuron of any layer.
    pub differences: Vec<Difference>,
}

/// Trains, writes the network, reads it back and evaluates it; the checkpoint goes once the network is there.
pub fn run(recipe: &Recipe, files: &Files, mut report: impl FnMut(Event)) -> Result<Summary, Error> {
    let start = Instant::now();
    check_folders(files)?;
    let device = crate::device();
    let split = data::load(&recipe.data, recipe.seed, files.data.as_deref())?;
    let keeps = files.checkpoint_every > 0 || files.resume;
    let every = if files.checkpoint_every > 0 { files.checkpoint_every } else { usize::MAX };
    let options = Options {
        checkpoint: keeps.then_some((files.checkpoint.as_path(), every)),
        resume: files.resume,
        from: files.from.as_deref(),
        stop_after: None,
    };
    let mut rows = Vec::new();
    let fitted = fit(recipe, &split, &device, options, |event| {
        if let (Event::Epoch(row), Some(path)) = (&event, &files.curve) {
            rows.push((*row).clone());
            curve::write_both(&recipe.name, &rows, path).ok(); // written again, and checked, at the end
        }
        report(event);
    })?;
    let code = recipe.input.code();
    let network = export::network(&recipe.name, &split.train.shape, code, &fitted.model.layers)?;
    hafnia::network::save(&network, &files.network)?;
    if let Some(path) = &files.curve {
        curve::write_both(&recipe.name, &fitted.curve, path)?;
    }
    let seconds = start.elapsed().as_secs_f64();

    let network = hafnia::network::load(&files.network)?;
    let held_out = &split.held_out;
    let both = evaluate::both(&fitted.model, &network, held_out, &device, |_| ());
    let few_shot = recipe.episodes.as_ref().map(|e| {
        let judged = |features: &[episodes::Feature]| {
            episodes::accuracy(features, network.classes(), &held_out.labels, e, e.test_episodes, recipe.seed)
        };
        [judged(&both.trainer_features), judged(&both.integer_features)]
    });
    let shares = few_shot.unwrap_or_else(|| {
        [&both.trainer, &both.integer].map(|predicted| evaluate::accuracy(predicted, &held_out.labels))
    });
    if keeps && !files.keep_checkpoint {
        std::fs::remove_file(&files.checkpoint).ok();
    }
    Ok(Summary {
        network: files.network.clone(),
        sha256: sha256(&files.network)?,
        seconds,
        epochs: fitted.curve.len(),
        epoch: fitted.epoch,
        train_images: split.train.len(),
        held_out_images: held_out.len(),
        held_out_right: few_shot.is_none().then(|| evaluate::right(&both.trainer, &held_out.labels)),
        held_out_accuracy: shares[0],
        held_out_right_integer: few_shot.is_none().then(|| evaluate::right(&both.integer, &held_out.labels)),
        held_out_accuracy_integer: shares[1],
        differences: both.differences,
    })
}

/// A folder that is missing should stop a run at its start, not at its end.
fn check_folders(files: &Files) -> Result<(), Error> {
    for path in [Some(&files.network), files.curve.as_ref(), Some(&files.checkpoint)].into_iter().flatten() {
        let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|f| !f.is_dir()) {
            return Err(Error::NoFolder { path: path.clone(), folder: folder.into() });
        }
    }
    Ok(())
}

fn sha256(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: path.into(),
        action: "read back the network",
        source,
    })?;
    Ok(Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect())
}
