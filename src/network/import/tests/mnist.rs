//! A trained network from Brevitas on the MNIST test images, where `HAFNIA_DATA` has both.

use std::io::Read;
use std::path::PathBuf;

use super::*;
use crate::network::{Activation, InputCode, InputValues, Normalize, WeightKind};

fn data(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("HAFNIA_DATA") else {
        eprintln!("SKIPPED: HAFNIA_DATA is not set, so {name} is NOT tested");
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there, so it is NOT tested", path.display());
        return None;
    }
    Some(path)
}

fn unpacked(path: PathBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn tfc_1w1a_has_four_bipolar_layers() {
    let Some(path) = data("qonnx/TFC_1W1A.onnx") else { return };
    let n = super::super::qonnx(&path, &ImportOptions::default()).unwrap();
    assert_eq!(n.name, "TFC_1W1A");
    assert_eq!(n.input.shape, [1, 28, 28]);
    assert_eq!(n.input.code, InputCode::U8(InputValues::Threshold { at: 128 }));
    let names: Vec<&str> = n.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["fc0", "fc1", "fc2", "fc3"]);
    for layer in &n.layers[..3] {
        assert!(matches!(layer.normalize, Normalize::BatchNorm { .. }));
        assert_eq!(layer.activation, Activation::Bipolar { threshold: vec![0.0; 64] });
    }
    for layer in &n.layers {
        assert_eq!(layer.weights.kind, WeightKind::Bipolar);
        assert!(layer.weights.scale.iter().all(|s| *s == 1.0) && layer.bias.iter().all(|b| *b == 0.0));
    }
    assert!(matches!(n.layers[3].normalize, Normalize::Affine { .. }));
    assert_eq!(n.layers[3].activation, Activation::Scores);
}

#[test]
fn tfc_1w1a_cut_or_changed_never_panics() {
    let Some(path) = data("qonnx/TFC_1W1A.onnx") else { return };
    let bytes = std::fs::read(path).unwrap();
    for at in (0..bytes.len()).step_by(1531).chain(0..64).chain(bytes.len() - 64..bytes.len()) {
        let _ = from_bytes(Path::new("cut.onnx"), &bytes[..at], &ImportOptions::default());
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x90;
        let _ = from_bytes(Path::new("changed.onnx"), &damaged, &ImportOptions::default());
    }
}

#[test]
fn tfc_1w1a_classifies_9296_of_the_mnist_test_images() {
    let model = data("qonnx/TFC_1W1A.onnx");
    let images = data("mnist/t10k-images-idx3-ubyte.gz");
    let labels = data("mnist/t10k-labels-idx1-ubyte.gz");
    let (Some(model), Some(images), Some(labels)) = (model, images, labels) else { return };
    let n = super::super::qonnx(&model, &ImportOptions::default()).unwrap();
    let (images, labels) = (unpacked(images), unpacked(labels));
    let correct = images[16..].chunks_exact(784).zip(&labels[8..]).filter(|(image, label)| {
        let scores = scores(&n, image);
        let best = (1..10).fold(0, |best, k| if scores[k] > scores[best] { k } else { best });
        best == usize::from(**label)
    });
    assert_eq!(correct.count(), 9296);

    // The written file is the same network.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tfc.safetensors");
    crate::network::save(&n, &file).unwrap();
    assert_eq!(crate::network::load(&file).unwrap(), n);
}
