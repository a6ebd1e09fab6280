//! Generated files of a tiny, fixed network, compared with the committed copies to the last byte.
//!
//! Where a change is meant: `UPDATE_GOLDEN=1 cargo test --test golden_rtl`, then read the difference before committing.

mod common;

use std::path::Path;

use common::generate;
use hafnia::network::{
    self, Activation, Cut, Input, InputCode, InputValues, Layer, Network, Normalize, Op, WeightKind, Weights,
};
use ndarray::Array2;

/// A digital first layer, a split one, a PCSA one, and scores with constants.
fn tiny() -> Network {
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

const FILES: [&str; 6] = [
    "rtl/tiny_top.sv",
    "sim/taps.h",
    "sim/hafnia_sim.sv",
    "mem/fc2_b0_t0.mem",
    "mem/scores_affine.mem",
    "tiny_top.core",
];

#[test]
fn generated_files_are_the_committed_ones() {
    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("tiny.safetensors");
    network::save(&tiny(), &net).unwrap();
    let build = generate(folder.path(), &net, HARDWARE);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut stale = Vec::new();
    for file in FILES {
        let made = std::fs::read_to_string(build.join(file)).unwrap();
        let copy = golden.join(Path::new(file).file_name().unwrap());
        if update {
            std::fs::create_dir_all(&golden).unwrap();
            std::fs::write(&copy, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&copy).unwrap_or_default();
        if made != kept {
            let line = made
                .lines()
                .zip(kept.lines())
                .position(|(a, b)| a != b)
                .unwrap_or(made.lines().count().min(kept.lines().count()));
            stale.push(format!(
                "tests/golden/{}: differs from line {}:\n  made {:?}\n  kept {:?}",
                copy.file_name().unwrap().to_string_lossy(),
                line + 1,
                made.lines().nth(line).unwrap_or_default(),
                kept.lines().nth(line).unwrap_or_default()
            ));
        }
    }
    assert!(
        stale.is_empty(),
        "{}\nnot up to date; where the change is meant, regenerate with UPDATE_GOLDEN=1 cargo test --test golden_rtl",
        stale.join("\n")
    );
}

/// The copies are of a design that works.
#[test]
fn the_tiny_design_holds() {
    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("tiny.safetensors");
    network::save(&tiny(), &net).unwrap();
    let build = generate(folder.path(), &net, HARDWARE);
    let npy = folder.path().join("images.npy");
    ndarray_npy::write_npy(&npy, &Array2::from_shape_fn((20, 6), |(n, i)| (n * 61 + i * 97 + n * i * 13) as u8))
        .unwrap();
    let json =
        common::hafnia(args!["verify", build, "--dataset", npy, "--images", "20", "--simulator", "icarus", "--json"])
            .expect(0)
            .json();
    assert_eq!((json["images"].as_u64(), json["mismatches"].as_u64()), (Some(20), Some(0)));
}
