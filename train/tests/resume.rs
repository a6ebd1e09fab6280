//! Few-shot runs that are interrupted: episodes and RBNN's rotations come back to the byte. Plain runs are tested in `fit`.

mod common;

use std::path::Path;

use hafnia::data::DataError;
use hafnia_train::data::Split;
use hafnia_train::fit::{Options, fit};
use hafnia_train::recipe::{Keep, Recipe};
use hafnia_train::{Error, data};

const TINY: [&str; 7] = [
    "width=2",
    "train.epochs=4",
    "train.batch=40",
    "episodes.way=5",
    "episodes.interval=3",
    "episodes.validation_episodes=5",
    "layers.4.neurons=32",
];

/// Latent values, running statistics and the epoch that was kept.
fn trained(recipe: &Recipe, split: &Split, options: Options) -> (Vec<Vec<f32>>, usize) {
    let fitted = fit(recipe, split, &hafnia_train::device(), options, |_| ()).unwrap();
    let params = fitted.model.params().into_iter().map(|p| p.latent().to_vec());
    (params.chain(fitted.model.buffers().into_iter().map(|b| b.values())).collect(), fitted.epoch)
}

fn check(recipe: &Recipe, split: &Split, folder: &Path) {
    let path = folder.join("run.checkpoint");
    let whole = trained(recipe, split, Options::default());
    for stop_after in [1, 3] {
        let options = Options { checkpoint: Some((&path, 1)), ..Options::default() };
        let cut = trained(recipe, split, Options { stop_after: Some(stop_after), ..options });
        assert!(cut.0 != whole.0 || recipe.train.keep == Keep::Best, "the rest must change something");
        let resumed = trained(recipe, split, Options { resume: true, ..options });
        assert!(resumed == whole, "{}: interrupted after epoch {stop_after}", recipe.name);
    }
}

#[test]
fn few_shot_runs_resume_to_the_same_values() {
    let load = |more: &[&str]| {
        Recipe::load("batmann", &TINY.iter().chain(more).map(|s| s.to_string()).collect::<Vec<_>>()).unwrap()
    };
    let recipe = load(&["train.keep=last"]);
    let split = match data::load(&recipe.data, recipe.seed, None) {
        Err(Error::Set(DataError::NoFolder { .. } | DataError::NotFound { .. })) => {
            return common::skipped("few-shot runs", "omniglot");
        }
        split => split.unwrap(),
    };
    let folder = tempfile::tempdir().unwrap();
    check(&recipe, &split, folder.path());
    check(&load(&["train.keep=best"]), &split, folder.path());
    let rotated = ["quantize.scaled=false", "quantize.rotated=true", "layers.0.weights=float"];
    check(&load(&rotated), &split, folder.path());
}

#[test]
fn episodes_that_do_not_fit_the_characters_are_refused_before_training() {
    let recipe = Recipe::load("batmann", &["data.validation=10".into(), "width=2".into()]).unwrap();
    let split = match data::load(&recipe.data, recipe.seed, None) {
        Err(Error::Set(DataError::NoFolder { .. } | DataError::NotFound { .. })) => {
            return common::skipped("few-shot runs", "omniglot");
        }
        split => split.unwrap(),
    };
    let error = fit(&recipe, &split, &hafnia_train::device(), Options::default(), |_| ()).err().unwrap().to_string();
    assert!(error.contains("20 ways do not fit 10 validation characters; lower episodes.way"), "{error}");

    // A drawing is missing: 19 are left of a character, where 5 shots and 15 queries need 20.
    let recipe = Recipe::load("batmann", &["width=2".into()]).unwrap();
    let mut split = data::load(&recipe.data, recipe.seed, None).unwrap();
    split.held_out = split.held_out.chosen(&(1..split.held_out.len()).collect::<Vec<_>>());
    let error = fit(&recipe, &split, &hafnia_train::device(), Options::default(), |_| ()).err().unwrap().to_string();
    assert!(error.contains("5 shots and 15 queries do not fit a held-out character of 19 drawings"), "{error}");
}
