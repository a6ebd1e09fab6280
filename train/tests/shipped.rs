//! The networks in `networks/` are what their cards say. Those of sets that are not at hand are skipped.

use std::path::{Path, PathBuf};

use hafnia::data::Split;
use hafnia_train::data::{Images, part};
use hafnia_train::{evaluate, recipe::SetName};
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
        let set =
            sets.into_iter().find(|s| name.starts_with(s.name())).unwrap_or_else(|| panic!("{name}: of which set?"));
        match part(set, None, Split::Test) {
            Ok(images) => shipped.push((path, card, images)),
            Err(_) => eprintln!("SKIPPED {name}: no {} at hand; set HAFNIA_DATA", set.name()),
        }
    }
    shipped
}

fn check(path: &Path, card: &str, images: &Images) {
    let network = hafnia::network::load(path).unwrap();
    let right = evaluate::right(&evaluate::integers(&network, images), &images.labels);
    let stated = format!("({right} of {})", images.len());
    assert!(card.contains(&stated), "{}: {stated} right, the card differs", path.display());
}

#[test]
fn shipped_networks_hold_what_their_cards_say() {
    for (path, card, images) in shipped() {
        let first: Vec<usize> = (0..images.len().min(QUICK)).collect();
        check(&path, &card, &images.chosen(&first));
    }
}

#[test]
#[ignore = "judges on every held-out image of every set at hand: minutes"]
fn shipped_networks_hold_it_on_every_image() {
    for (path, card, images) in shipped() {
        check(&path, &card, &images);
    }
}
