//! The networks in `networks/` are what their cards say: the file by its hash, and the share of images that it gets right by plain
//! integers; of a few-shot controller the share of queries.

mod common;

use std::path::{Path, PathBuf};

use hafnia::data::{Dataset, Episode, EpisodeShape, open_for};
use hafnia::reference::KeyValueMemory;
use hafnia::{network, reference};
use sha2::{Digest, Sha256};

/// Images of a large set that are judged here, spread evenly over the held-out ones: CIFAR-10's stand class by class.
const JUDGED: usize = 200;

/// What the names of few-shot controllers begin with.
const CONTROLLER: &str = "batmann";

/// A set of so many is judged whole.
const SMALL: usize = 1000;

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("networks");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    assert!(paths.len() >= 6, "{paths:?}");
    paths
}

fn card(path: &Path) -> String {
    std::fs::read_to_string(path.with_extension("md")).unwrap()
}

#[test]
fn cards_name_the_files_that_ship() {
    for path in shipped() {
        let sha: String = Sha256::digest(std::fs::read(&path).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
        assert!(
            card(&path).contains(&sha),
            "{}: the card names another file than that of SHA-256 {sha}",
            path.display()
        );
    }
}

/// The held-out images of the set that a network's name begins with.
fn held_out(name: &str, shape: &[usize]) -> Option<Dataset> {
    let set = name.split('_').next().unwrap();
    if set == "digits" {
        return Some(open_for(set, None, shape).unwrap());
    }
    common::data(set).map(|folder| open_for(set, Some(&folder), shape).unwrap())
}

#[test]
fn networks_hold_what_their_cards_say() {
    for path in shipped() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let network = network::load(&path).unwrap();
        if name.starts_with(CONTROLLER) {
            continue; // below
        }
        let Some(set) = held_out(&name, &network.input.shape) else { continue };
        let count = if set.len() > SMALL { JUDGED } else { set.len() };
        let chosen: Vec<usize> = (0..count).map(|k| k * set.len() / count).collect();
        let images: Vec<&[u8]> = chosen.iter().map(|i| set.image(*i)).collect();
        let labels = set.labels.as_ref().unwrap();
        let evaluated = reference::evaluate_all(&network, &images, |_| ());
        let right = chosen.iter().zip(&evaluated).filter(|(i, e)| labels[**i] == e.class).count();
        let stated = format!("({right} of {count})");
        assert!(card(&path).contains(&stated), "{name}: {stated} right, the card differs");
    }
}

/// 20 episodes of seed 1, 20-way 5-shot with 15 queries, of the first 25 evaluation characters.
#[test]
fn controllers_answer_episodes_as_their_cards_say() {
    const CHARACTERS: usize = 25;
    const DRAWINGS: usize = 20;
    let Some(folder) = common::data("omniglot") else { return };
    for path in shipped().iter().filter(|p| p.file_stem().unwrap().to_str().unwrap().starts_with(CONTROLLER)) {
        let network = network::load(path).unwrap();
        let set = open_for("omniglot", Some(&folder), &network.input.shape).unwrap();
        // Drawings stand character by character.
        let labels = &set.labels.as_ref().unwrap()[..CHARACTERS * DRAWINGS];
        assert!(labels.iter().enumerate().all(|(i, label)| *label == i / DRAWINGS));
        let images: Vec<&[u8]> = (0..labels.len()).map(|i| set.image(i)).collect();
        let keys: Vec<Vec<i8>> =
            reference::evaluate_all(&network, &images, |_| ()).iter().map(|e| e.features()).collect();
        let characters: Vec<Vec<usize>> =
            (0..CHARACTERS).map(|c| (c * DRAWINGS..(c + 1) * DRAWINGS).collect()).collect();
        let (mut right, mut asked) = (0, 0);
        for number in 0..20 {
            let shape = EpisodeShape { way: 20, shots: 5, queries: 15 };
            let episode = Episode::judging(&characters, shape, 1, number);
            let mut memory = KeyValueMemory::new(20, (100, false), true, false);
            for (label, shots) in episode.support.iter().enumerate() {
                shots.iter().for_each(|image| memory.learn(label, keys[*image].clone()));
            }
            for (label, queries) in episode.queries.iter().enumerate() {
                right += queries.iter().filter(|image| memory.class(&keys[**image]) == Some(label)).count();
                asked += queries.len();
            }
        }
        let stated = format!("({right} of {asked})");
        assert!(card(path).contains(&stated), "{}: {stated} right, the card differs", path.display());
    }
}
