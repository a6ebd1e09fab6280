//! A network that a study trains, once, and what becomes of it.

use std::path::PathBuf;

use hafnia::data::Split as Part;
use serde::Deserialize;

use super::{News, Options, addressee, read_text, spread};
use crate::data::{self, Images};
use crate::recipe::Recipe;
use crate::run::{self, Files};
use crate::{Error, checkpoint, whole};

#[derive(Clone)]
pub struct Training {
    /// File name, and network name.
    pub name: String,
    pub recipe: &'static str,
    /// Assignments that the options' own may change.
    pub set: Vec<String>,
    /// Those that make it what it is.
    pub fixed: Vec<String>,
    /// Another training to start from.
    pub from: Option<Box<Training>>,
}

impl Training {
    pub fn new(name: &str, recipe: &'static str) -> Self {
        Self { name: name.into(), recipe, set: Vec::new(), fixed: Vec::new(), from: None }
    }
}

/// What a study reads of a run's summary.
#[derive(Deserialize)]
pub struct Judged {
    pub recipe: Recipe,
    pub from: Option<Recipe>,
    network: Option<String>,
    pub held_out_accuracy: f64,
}

impl Training {
    fn file(&self, options: &Options, extension: &str) -> PathBuf {
        options.folder.join(&self.name).with_extension(extension)
    }

    pub fn recipe(&self, options: &Options) -> Result<Recipe, Error> {
        let given = options.set.iter().filter_map(|text| match addressee(text) {
            Some((name, assignment)) => (name == self.name).then_some(assignment),
            None => Some(text.as_str()),
        });
        let fixed = self.fixed.iter().map(String::as_str);
        let set = self.set.iter().map(String::as_str).chain(given).chain(fixed).map(str::to_string);
        let set: Vec<String> = set.chain([format!("name={}", self.name)]).collect();
        Recipe::load(self.recipe, &set)
    }

    /// Itself, and what it starts from.
    pub fn line(&self) -> impl Iterator<Item = &Training> {
        std::iter::successors(Some(self), |t| t.from.as_deref())
    }

    /// What its run gave, where it has been done.
    pub fn judged(&self, options: &Options) -> Result<Option<Judged>, Error> {
        let summary = self.file(options, "json");
        if !summary.is_file() || !self.file(options, "checkpoint").is_file() {
            return Ok(None);
        }
        let judged: Option<Judged> = serde_json::from_str(&read_text(&summary, "read a summary")?).ok();
        // A full-precision baseline has no network file.
        let judged = judged.filter(|j| j.network.is_none() || self.file(options, "safetensors").is_file());
        let Some(judged) = judged else { return Ok(None) };
        let recipe = self.recipe(options)?;
        let bad = |reason: String| {
            let reason = format!("{reason}; use that one, remove the file to train anew, or take another folder");
            Err(Error::Checkpoint { path: summary.clone(), reason })
        };
        if judged.recipe != recipe {
            let key = checkpoint::difference(&judged.recipe, &recipe);
            return bad(format!("its network comes from another recipe ({key})"));
        }
        if let Some(reason) = self.other_origin(judged.from.as_ref(), options)? {
            return bad(reason);
        }
        Ok(Some(judged))
    }

    /// Says where a run did not start from the network that it is to start from here.
    fn other_origin(&self, then: Option<&Recipe>, options: &Options) -> Result<Option<String>, Error> {
        let now = self.from.as_ref().map(|from| from.recipe(options)).transpose()?;
        Ok(match (then, now) {
            (Some(then), Some(now)) if *then != now => {
                Some(format!("it started from a network of another recipe ({})", checkpoint::difference(then, &now)))
            }
            (Some(_), Some(_)) | (None, None) => None,
            (then, _) => {
                let what = if then.is_some() { "a trained network" } else { "nothing" };
                Some(format!("it started from {what}, which this study does not"))
            }
        })
    }

    /// Trains where that has not been done, and judges.
    pub fn run(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<Judged, Error> {
        if let Some(judged) = self.judged(options)? {
            return Ok(judged);
        }
        if let Some(from) = &self.from {
            from.run(options, tell)?;
        }
        let recipe = self.recipe(options)?;
        let checkpoint = self.file(options, "checkpoint");
        if checkpoint.is_file()
            && let Some(reason) = self.other_origin(checkpoint::origin(&checkpoint)?.as_ref(), options)?
        {
            let reason = format!("{reason}; remove the file to train anew, or take another folder");
            return Err(Error::Checkpoint { path: checkpoint, reason });
        }
        let files = Files {
            data: options.data.clone(),
            resume: checkpoint.is_file(),
            from: self.from.as_ref().filter(|_| !checkpoint.is_file()).map(|f| f.file(options, "checkpoint")),
            network: self.file(options, "safetensors"),
            curve: Some(self.file(options, "csv")),
            checkpoint,
            checkpoint_every: 1,
            keep_checkpoint: true,
        };
        let done = run::run(&recipe, &files, |event| tell(News::Training(&recipe, event)))?;
        if !done.differences.is_empty() {
            return Err(Error::Parted { network: self.file(options, "safetensors"), images: done.differences.len() });
        }
        let text = serde_json::to_string_pretty(&done).expect("a summary is plain data") + "\n";
        whole::write(&self.file(options, "json"), text.as_bytes(), "write a summary")?;
        Ok(serde_json::from_str(&text).expect("just written"))
    }

    /// Checkpoint and recipe of the trained network, and the images to judge on.
    pub fn trained(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<(PathBuf, Recipe, Images), Error> {
        self.run(options, tell)?;
        let path = self.file(options, "checkpoint");
        let recipe = checkpoint::recipe(&path)?;
        let images = data::part(recipe.data.set, options.data.as_deref(), Part::Test, recipe.data.side)?;
        let count = if options.images == 0 { images.len() } else { options.images.min(images.len()) };
        Ok((path, recipe, images.chosen(&spread(images.len(), count))))
    }
}
