//! A tiny, fixed network, so fast in hardware and so small to build that many runs of it cost little.

use std::path::{Path, PathBuf};

use hafnia::network::{
    self, Activation, Cut, Input, InputCode, InputValues, Layer, Network, Normalize, Op, WeightKind, Weights,
};
use ndarray::Array2;

/// A digital first layer, a split one, a PCSA one, and scores with constants.
pub fn network() -> Network {
    let layer = |name: &str, kind, neurons, inputs, normalize, activation| Layer {
        name: name.into(),
        op: Op::Dense,
        pool: None,
        blocks: Vec::new(),
        weights: Weights {
            kind,
            values: Array2::from_shape_fn((neurons, inputs), |(j, i)| match kind {
                WeightKind::Ternary => ((j * 7 + i * 5 + i * i) % 3) as i8 - 1,
                _ => 2 * ((j * 3 + i * 5 + i * j) / 2 % 2) as i8 - 1,
            }),
            scale: vec![1.0; neurons],
        },
        bias: vec![0.0; neurons],
        normalize,
        activation,
    };
    let cut = |at: f64| Cut { at: vec![at; 5], strict: true };
    Network::new(
        "tiny",
        Input { shape: vec![6], code: InputCode::U8(InputValues::Affine { gain: 2, offset: -255 }) },
        vec![
            layer("fc1", WeightKind::Bipolar, 10, 6, Normalize::None, Activation::Bipolar { threshold: vec![3.0; 10] }),
            layer(
                "fc2",
                WeightKind::Ternary,
                5,
                10,
                Normalize::None,
                Activation::Ternary { above: cut(0.5), below: cut(-0.5) },
            ),
            layer(
                "fc3",
                WeightKind::Ternary,
                3,
                5,
                Normalize::Affine { gain: vec![0.5, 1.0, -0.25], shift: vec![1.0, 0.0, -2.0] },
                Activation::Scores,
            ),
        ],
    )
    .unwrap()
}

const HARDWARE: &str = "readout = \"sa\"\n[array]\ninputs = 4\noutputs = 4\n[stream]\nbits = 32\n";

/// Its build directory in `folder`.
pub fn generate(folder: &Path) -> PathBuf {
    generate_on(folder, "sa")
}

/// The same with another readout.
pub fn generate_on(folder: &Path, readout: &str) -> PathBuf {
    let net = folder.join("tiny.safetensors");
    network::save(&network(), &net).unwrap();
    super::generate(folder, &net, &HARDWARE.replace("\"sa\"", &format!("\"{readout}\"")))
}

/// Twenty images for it, as a file in `folder`.
pub fn images(folder: &Path) -> PathBuf {
    let npy = folder.join("images.npy");
    let values = Array2::from_shape_fn((20, 6), |(n, i)| (n * 61 + i * 97 + n * i * 13) as u8);
    ndarray_npy::write_npy(&npy, &values).unwrap();
    npy
}
