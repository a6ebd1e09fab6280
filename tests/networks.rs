//! The networks in `networks/` are what their cards say: the file by its hash, and the share of images that it gets right by plain
//! integers. Few-shot controllers are judged in the trainer's tests.

mod common;

use std::path::{Path, PathBuf};

use hafnia::data::{Dataset, open_for};
use hafnia::{network, reference};
use sha2::{Digest, Sha256};

/// Images of a large set that are judged here, spread evenly over the held-out ones: CIFAR-10's stand class by class.
const JUDGED: usize = 200;

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
        if name.starts_with("batmann") {
            continue;
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
