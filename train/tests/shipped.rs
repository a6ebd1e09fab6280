//! The networks in `networks/` are what their cards say, on all images of the sets at hand and in few-shot episodes; a sample of the
//! images is judged in hafnia's own tests.

mod common;

use std::path::{Path, PathBuf};

use hafnia::data::DataError;
use hafnia_train::Error;
use hafnia_train::data::{Images, fitting};
use hafnia_train::evaluate;
use hafnia_train::few_shot::{Draw, judge};
use hafnia_train::recipe::{EpisodeRecipe, SetName};

/// Every network, its card, and the held-out images of its set, which its name begins with.
fn shipped() -> Vec<(PathBuf, String, Images)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../networks");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    let mut shipped = Vec::new();
    for path in paths {
        let card = std::fs::read_to_string(path.with_extension("md")).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let sets = [SetName::Digits, SetName::Mnist, SetName::Cifar10];
        let of_name = || sets.into_iter().find(|s| name.starts_with(s.name()));
        let set = if few_shot(&path) { Some(SetName::Omniglot) } else { of_name() };
        let set = set.unwrap_or_else(|| panic!("{name}: of which set?"));
        let shape = hafnia::network::load(&path).unwrap().input.shape;
        match fitting(set, None, &shape) {
            Ok(images) => shipped.push((path, card, images)),
            Err(Error::Set(DataError::NoFolder { .. } | DataError::NotFound { .. })) => {
                common::skipped(name, set.name())
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    shipped
}

fn few_shot(path: &Path) -> bool {
    path.file_stem().unwrap().to_str().unwrap().starts_with("batmann")
}

/// Few-shot episodes: of all characters, or a few of the first ones.
const EPISODES: [Draw; 2] =
    [Draw { seed: 1, episodes: 20, characters: 25 }, Draw { seed: 1, episodes: 1000, characters: 0 }];

fn check(path: &Path, card: &str, images: &Images, draw: Draw) {
    let network = hafnia::network::load(path).unwrap();
    let (right, asked) = if few_shot(path) {
        let recipe = EpisodeRecipe { way: 20, shots: 5, judged_queries: 15, ..EpisodeRecipe::default() };
        let judged = judge(&network, images, &recipe, draw).unwrap();
        (judged.right, judged.asked)
    } else {
        (evaluate::right(&evaluate::integers(&network, images), &images.labels), images.len())
    };
    let stated = format!("({right} of {asked})");
    assert!(card.contains(&stated), "{}: {stated} right, the card differs", path.display());
}

#[test]
fn controllers_hold_what_their_cards_say() {
    for (path, card, images) in shipped().into_iter().filter(|(path, ..)| few_shot(path)) {
        check(&path, &card, &images, EPISODES[0]);
    }
}

#[test]
#[ignore = "judges on every held-out image of every set at hand: minutes"]
fn networks_hold_it_on_every_image() {
    for (path, card, images) in shipped() {
        check(&path, &card, &images, EPISODES[1]);
    }
}
