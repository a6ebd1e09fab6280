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
    /// As it ran.
    pub recipe: Recipe,
    /// That of the network it started from.
    pub from: Option<Recipe>,
    /// None of a full-precision baseline, which no network file holds; nor are there integers to judge it by.
    pub network: Option<String>,
    pub sha256: Option<String>,
    pub seconds: f64,
    /// Epochs done, and the one whose network this is.
    pub epochs: usize,
    pub epoch: usize,
    pub train_images: usize,
    pub held_out_images: usize,
    /// Right by the trainer's tensors in evaluation mode; of a few-shot run only the share is told.
    pub held_out_right: Option<usize>,
    pub held_out_accuracy: f64,
    /// The highest after any epoch, which chose nothing.
    pub highest_held_out_accuracy: Option<f64>,
    /// Right by integers on the exported network.
    pub held_out_right_integer: Option<usize>,
    pub held_out_accuracy_integer: Option<f64>,
    /// Images on which the two part, in any neuron of any layer.
    pub differences: Vec<Difference>,
}

/// Trains, writes the network, reads it back and evaluates it; the checkpoint goes once the network is there.
pub fn run(recipe: &Recipe, files: &Files, mut report: impl FnMut(Event)) -> Result<Summary, Error> {
    let start = Instant::now();
    check_files(files)?;
    if !files.resume && files.checkpoint_every > 0 && files.checkpoint.is_file() {
        let reason = "is there already; --resume goes on from it, removing it starts anew".into();
        return Err(Error::Checkpoint { path: files.checkpoint.clone(), reason });
    }
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
    if let Some(path) = &files.curve {
        curve::write_both(&recipe.name, &fitted.curve, path)?;
    }
    let exportable = fitted.model.is_exportable();
    if exportable {
        let (shape, code) = (&split.train.shape, recipe.input.code());
        let network = export::network(&recipe.name, shape, code, &fitted.model.layers)?;
        hafnia::network::save(&network, &files.network)?;
    }
    let seconds = start.elapsed().as_secs_f64();

    let network = exportable.then(|| hafnia::network::load(&files.network)).transpose()?;
    let held_out = &split.held_out;
    let features = recipe.layers.last().expect("checked when it was read").neurons(recipe.width);
    let share = |predicted: &[usize], own: &[episodes::Feature]| match &recipe.episodes {
        None => evaluate::accuracy(predicted, &held_out.labels),
        Some(e) => episodes::accuracy(own, features, &held_out.labels, e, e.test_episodes, recipe.seed),
    };
    let (trainer, integer, differences) = match &network {
        Some(network) => {
            let both = evaluate::both(&fitted.model, network, held_out, &device, |_| ());
            let of_integers = share(&both.integer, &both.integer_features);
            let of_trainer = share(&both.trainer, &both.trainer_features);
            ((both.trainer, of_trainer), Some((both.integer, of_integers)), both.differences)
        }
        None => {
            let code = recipe.input.code();
            let (predicted, own) = evaluate::both_outputs(&fitted.model, held_out, &code, &device);
            let of_trainer = share(&predicted, &own);
            ((predicted, of_trainer), None, Vec::new())
        }
    };
    if keeps && !files.keep_checkpoint {
        std::fs::remove_file(&files.checkpoint).ok();
    }
    let right = |predicted: &[usize]| evaluate::right(predicted, &held_out.labels);
    let classified = recipe.episodes.is_none();
    Ok(Summary {
        recipe: recipe.clone(),
        from: fitted.from,
        sha256: network.is_some().then(|| sha256(&files.network)).transpose()?,
        network: network.map(|_| files.network.display().to_string()),
        seconds,
        epochs: fitted.curve.len(),
        epoch: fitted.epoch,
        train_images: split.train.len(),
        held_out_images: held_out.len(),
        held_out_right: classified.then(|| right(&trainer.0)),
        held_out_accuracy: trainer.1,
        highest_held_out_accuracy: fitted.curve.iter().filter_map(|row| row.held_out_accuracy).reduce(f64::max),
        held_out_right_integer: integer.as_ref().filter(|_| classified).map(|(predicted, _)| right(predicted)),
        held_out_accuracy_integer: integer.map(|(_, share)| share),
        differences,
    })
}

/// What would stop a run at its end should stop it at its start: a folder that is missing, a file that another would replace.
fn check_files(files: &Files) -> Result<(), Error> {
    if files.keep_checkpoint && files.checkpoint_every == 0 && !files.resume {
        let reason = "cannot be kept, as none is written; leave out --checkpoint-every 0 or --keep-checkpoint".into();
        return Err(Error::Checkpoint { path: files.checkpoint.clone(), reason });
    }
    let picture = files.curve.as_ref().map(|path| path.with_extension("svg"));
    let written = [Some(&files.network), Some(&files.checkpoint), files.curve.as_ref(), picture.as_ref()];
    let written: Vec<&PathBuf> = written.into_iter().flatten().collect();
    if let Some(k) = (1..written.len()).find(|k| written[..*k].contains(&written[*k])) {
        return Err(Error::SamePath { path: written[k].clone() });
    }
    for path in written {
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
