//! The whole way, from a shipped network to a verified design, for every readout and folded.

mod common;

use std::path::Path;

use common::{command, ended, generate, hafnia, network, tiny, tree};
use serde_json::Value;

/// Small arrays, so that layers of 256 and 200 inputs are split.
const VARIANTS: [(&str, &str); 3] = [
    ("pcsa", "[array]\ninputs = 64\noutputs = 64\n"),
    ("sa", "readout = \"sa\"\n[array]\ninputs = 64\noutputs = 64\n"),
    (
        "folded",
        "[array]\ninputs = 64\noutputs = 64\n[fold]\nsensed_at_once = 3\ncolumns_per_amplifier = 4\n\
         [digital]\nneurons_at_once = 48\n[stream]\nbits = 32\n[layer.fc2]\nreadout = \"sa\"\n",
    ),
];

fn check(name: &str, hardware: &str, simulator: &str, images: usize) {
    let folder = tempfile::tempdir().unwrap();
    let build = generate(folder.path(), &network(name), hardware);
    let images_text = images.to_string();
    let common = args!["verify", build, "--dataset", "digits", "--simulator", simulator, "--json"];
    let more = args!["--images", images_text, "--stalled", "2", "--resets", "2"];
    let json = hafnia(common.iter().chain(&more)).expect(0).json();
    holds(&json, images);
    assert_eq!(json["simulator"], simulator);
    assert!(!folder.path().join("build-mismatch.vcd").exists());
}

/// Every figure that a verdict which holds must have.
fn holds(json: &Value, images: usize) {
    let number = |key: &str| json[key].as_u64().unwrap_or_else(|| panic!("{key}: {json}"));
    assert_eq!(number("images"), images as u64);
    assert_eq!(number("mismatches"), 0);
    assert_eq!(number("protocol_faults"), 0);
    assert_eq!(json["cycles_equal"], true);
    for pair in ["cycles_per_image", "first_latency", "batch_cycles"] {
        assert_eq!(number(&format!("{pair}_predicted")), number(&format!("{pair}_counted")), "{pair}");
    }
    // Both hidden layers, scores and class at the last layer and twice behind it.
    assert_eq!(number("compared"), images as u64 * (256 + 200 + 10 + 11 + 11));
    assert!(number("correct") <= images as u64);
    assert_eq!(json["first_mismatch"], Value::Null);
    assert_eq!(json["edited_files"], Value::Array(vec![]));
    assert_eq!(json["stalled"]["mismatches"], 0);
    assert_eq!((&json["stalled"]["resets"], &json["stalled"]["resets_asked"]), (&2.into(), &2.into()), "{json}");
    assert!(json["stalled"]["compared"].as_u64().unwrap() > 0);
    if json["plan_is_exact"] == true {
        assert_eq!(number("reference_mismatches"), 0);
    }
}

#[test]
fn binary_digits_in_icarus() {
    for (_, hardware) in VARIANTS {
        check("digits_binary", hardware, "icarus", 2);
    }
}

#[test]
fn ternary_digits_in_icarus() {
    for (_, hardware) in VARIANTS {
        check("digits_ternary", hardware, "icarus", 2);
    }
}

#[test]
fn ternary_digits_in_verilator() {
    check("digits_ternary", VARIANTS[2].1, "verilator", 50);
}

/// An image passes the tiny design in fewer cycles than lie between resets, yet all of them fall, in the same cycles for
/// the same seed.
#[test]
fn all_resets_fall_in_a_fast_design() {
    let folder = tempfile::tempdir().unwrap();
    let (build, npy) = (tiny::generate(folder.path()), tiny::images(folder.path()));
    for simulator in ["icarus", "verilator"] {
        for (seed, images) in [("1", "1"), ("2", "1"), ("3", "2"), ("4", "3")] {
            let start = args!["verify", build, "--dataset", npy, "--simulator", simulator, "--seed", seed, "--json"];
            let more = args!["--images", images, "--stalled", images, "--resets", "6"];
            let run = || hafnia(start.iter().chain(&more)).expect(0).json()["stalled"].clone();
            let stalled = run();
            assert_eq!((&stalled["resets"], &stalled["resets_asked"]), (&6.into(), &6.into()), "{simulator}");
            assert_eq!(run(), stalled, "{simulator}: the seed decides");
        }
    }
}

/// A test bench that loses the resets it was asked for: the run proves less than it says, so it fails.
#[test]
fn resets_that_did_not_fall_fail() {
    let folder = tempfile::tempdir().unwrap();
    let build = generate(folder.path(), &network("digits_binary"), VARIANTS[0].1);
    let bench = build.join("sim/tb_icarus.sv");
    let text = std::fs::read_to_string(&bench).unwrap();
    assert!(text.contains("\"resets=%d\""));
    std::fs::write(&bench, text.replace("\"resets=%d\"", "\"no_resets=%d\"")).unwrap();
    let args = args!["verify", build, "--simulator", "icarus", "--images", "1", "--stalled", "1", "--resets", "2"];
    let ended = hafnia(&args).expect(1);
    assert!(ended.stdout.contains("stalls and 0 of 2 resets  NOT ALL"), "{}", ended.stdout);
    let json = hafnia(args.iter().chain(&args!["--json"])).expect(1).json();
    assert_eq!((&json["stalled"]["resets"], &json["stalled"]["resets_asked"]), (&0.into(), &2.into()));
    assert_eq!((&json["mismatches"], &json["stalled"]["mismatches"]), (&0.into(), &0.into()));
}

/// Same inputs, same bytes: into another folder, over an older build, on one thread.
#[test]
fn generation_repeats_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["digits_binary", "digits_ternary"] {
        let first = generate(folder.path(), &network(name), VARIANTS[2].1);
        let files = tree(&first);
        assert!(files.iter().any(|(path, _)| path == Path::new("manifest.json")));
        let again = generate(folder.path(), &network(name), VARIANTS[2].1);
        assert_eq!(tree(&again), files);
        let (toml, other) = (folder.path().join("hardware.toml"), folder.path().join("a place apart/build"));
        let mut one = command(args!["generate", network(name), "--hardware", toml, "-o", other]);
        ended(one.env("RAYON_NUM_THREADS", "1").env("TZ", "Asia/Tokyo").env("LC_ALL", "C")).expect(0);
        assert_eq!(tree(&other), files);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing is left behind: {left:?}");
}
