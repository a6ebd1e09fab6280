//! The networks in `networks/` are what their cards say. Those of sets that are not at hand are skipped.

use std::path::{Path, PathBuf};

use hafnia_train::data::{Images, fitting};
use hafnia_train::evaluate;
use hafnia_train::few_shot::{self, Draw};
use hafnia_train::recipe::{EpisodeRecipe, SetName};
use sha2::{Digest, Sha256};

/// Images that every run judges; a card of a larger set also states the result on these, the first ones.
const QUICK: usize = 1000;

/// Every network, its card, and the held-out images of its set, which its name begins with.
fn shipped() -> Vec<(PathBuf, String, Images)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../networks");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    assert!(paths.len() >= 2);
    let mut shipped = Vec::new();
    for path in paths {
        let card = std::fs::read_to_string(path.with_extension("md")).unwrap();
        let sha: String = Sha256::digest(std::fs::read(&path).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
        assert!(card.contains(&sha), "{}: the card names another file than that of SHA-256 {sha}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        let sets = [SetName::Digits, SetName::Mnist, SetName::Cifar10];
        let of_name = || sets.into_iter().find(|s| name.starts_with(s.name()));
        let few_shot = name.starts_with("batmann").then_some(SetName::Omniglot);
        let set = few_shot.or_else(of_name).unwrap_or_else(|| panic!("{name}: of which set?"));
        let shape = hafnia::network::load(&path).unwrap().input.shape;
        match fitting(set, None, &shape) {
            Ok(images) => shipped.push((path, card, images)),
            Err(_) => eprintln!("SKIPPED {name}: no {} at hand; set HAFNIA_DATA", set.name()),
        }
    }
    shipped
}

/// Few-shot episodes: of all characters, or a few of the first ones.
const EPISODES: [Draw; 2] =
    [Draw { seed: 1, episodes: 20, characters: 25 }, Draw { seed: 1, episodes: 1000, characters: 0 }];

fn check(path: &Path, card: &str, images: &Images, all: bool) {
    let network = hafnia::network::load(path).unwrap();
    let (right, asked) = if path.file_stem().unwrap().to_str().unwrap().starts_with("batmann") {
        let recipe = EpisodeRecipe { way: 20, shots: 5, judged_queries: 15, ..EpisodeRecipe::default() };
        let judged = few_shot::judge(&network, images, &recipe, EPISODES[usize::from(all)]).unwrap();
        (judged.right, judged.asked)
    } else {
        let first: Vec<usize> = (0..if all { images.len() } else { images.len().min(QUICK) }).collect();
        let images = images.chosen(&first);
        (evaluate::right(&evaluate::integers(&network, &images), &images.labels), images.len())
    };
    let stated = format!("({right} of {asked})");
    assert!(card.contains(&stated), "{}: {stated} right, the card differs", path.display());
}

#[test]
fn shipped_networks_hold_what_their_cards_say() {
    for (path, card, images) in shipped() {
        check(&path, &card, &images, false);
    }
}

#[test]
#[ignore = "judges on every held-out image of every set at hand: minutes"]
fn shipped_networks_hold_it_on_every_image() {
    for (path, card, images) in shipped() {
        check(&path, &card, &images, true);
    }
}
