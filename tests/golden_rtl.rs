//! Generated files of a tiny, fixed network, compared with the committed copies to the last byte.
//!
//! Where a change is meant: `UPDATE_GOLDEN=1 cargo test --test golden_rtl`, then read the difference before committing.

mod common;

use std::path::Path;

use common::{hafnia, tiny};

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
    let build = tiny::generate(folder.path());
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
    let (build, npy) = (tiny::generate(folder.path()), tiny::images(folder.path()));
    let json = hafnia(args!["verify", build, "--dataset", npy, "--images", "20", "--simulator", "icarus", "--json"])
        .expect(0)
        .json();
    assert_eq!((json["images"].as_u64(), json["mismatches"].as_u64()), (Some(20), Some(0)));
}
