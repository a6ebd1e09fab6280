//! Weights over the register bus: every readout, folded and not, against a start from memory images; faulty cells.

mod common;

use std::path::{Path, PathBuf};

use common::{generate, hafnia, tiny};
use hafnia::network;
use serde_json::{Value, json};

/// The tiny network on arrays that can be programmed: 6 -> 10 digital, 10 -> 5 as said, 5 -> 3 by PCSAs.
fn build(folder: &Path, hardware: &str) -> (PathBuf, PathBuf) {
    let net = folder.join("tiny.safetensors");
    network::save(&tiny::network(), &net).unwrap();
    (generate(folder, &net, hardware), tiny::images(folder))
}

fn load(build: &Path, images: &Path, code: i32, more: impl IntoIterator<Item = std::ffi::OsString>) -> Value {
    let mut all =
        args!["verify", build, "--dataset", images, "--images", "4", "--stalled", "2", "--resets", "1"].to_vec();
    all.extend(args!["--load", "bus", "--json"]);
    all.extend(more);
    hafnia(all).expect(code).json()
}

const PROGRAM: &str = "[program]\nset_ns = 30\nreset_ns = 20\nverify_ns = 20\n";

#[test]
fn a_network_loaded_over_the_bus_equals_one_that_starts_from_images() {
    let arrays = "[array]\ninputs = 4\noutputs = 4\n";
    let folded = "[fold]\nsensed_at_once = 1\ncolumns_per_amplifier = 2\n";
    for readout in ["pcsa", "sa", "adc"] {
        for fold in ["", folded] {
            let folder = tempfile::tempdir().unwrap();
            let adc = if fold.is_empty() { "" } else { "[adc]\nbits = 5\ncolumns_per_adc = 2\n" };
            let text = format!("readout = '{readout}'\n{arrays}{fold}{adc}{PROGRAM}");
            let (build, images) = build(folder.path(), &text);
            for arrays in ["grid", "bank"] {
                let json = load(&build, &images, 0, args!["--simulator", "icarus", "--arrays", arrays]);
                let load = &json["load"];
                assert_eq!((&json["mismatches"], &json["stalled"]["mismatches"]), (&0.into(), &0.into()), "{text}");
                assert_eq!((&load["retries"], &load["failed"]), (&0.into(), &json!([])), "{text}");
                assert_eq!(load["cycles_predicted"], load["cycles_counted"], "{text}");
            }
            // From images, too: the plan and the layers are the same.
            let args = args!["verify", build, "--dataset", images, "--images", "4", "--simulator", "icarus"];
            hafnia(args).expect(0);
        }
    }
}

/// fc2 under `pcsa`: 5 neurons of 10 inputs on arrays of 4 x 4: 3 x 2 arrays; ceil(10 / 3) = 4 pairs, 3 word lines. fc3: 3 neurons
/// of 5 inputs: 2 arrays of 3 pairs and 3 word lines. A PROGRAM takes 1 + 2 + 3 + 2 * cells + 4 cycles.
#[test]
fn cycles_and_word_lines_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (build, images) = build(folder.path(), &format!("[array]\ninputs = 4\noutputs = 4\n{PROGRAM}"));
    let json = load(&build, &images, 0, args!["--simulator", "icarus"]);
    assert_eq!((&json["load"]["arrays"], &json["load"]["lines"]), (&8.into(), &(18 + 6).into()));
    assert_eq!(json["load"]["cycles_counted"], 18 * (10 + 2 * 8) + 6 * (10 + 2 * 6));
}

fn fault(layer: &str, line: usize, cell: usize, kind: &str) -> Value {
    json!({ "layer": layer, "split": 1, "tile": 0, "line": line, "cell": cell, "kind": kind })
}

/// Whether a cell of fc2's split 1, tile 0 is to be LRS, from the network: inputs 4 to 7, +1 in the first four cells.
fn lrs(line: usize, cell: usize) -> bool {
    let weight = tiny::network().layers[1].weights.values[[line, 4 + cell % 4]];
    weight == if cell < 4 { 1 } else { -1 }
}

#[test]
fn slow_cells_take_a_second_attempt_and_stuck_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (build, images) = build(folder.path(), &format!("[array]\ninputs = 4\noutputs = 4\n{PROGRAM}"));
    let list = folder.path().join("faults.json");
    let find = |want: bool| (0..8).find(|c| lrs(1, *c) == want).unwrap();
    let write = |faults: &[Value]| std::fs::write(&list, json!(faults).to_string()).unwrap();
    let run = |code, arrays: &str| {
        load(&build, &images, code, args!["--simulator", "icarus", "--faults", &list, "--arrays", arrays])
    };
    let good = 18 * 26 + 6 * 22;
    for arrays in ["grid", "bank"] {
        // A slow cell that has to switch, one that has not, a stuck one that is right as it is.
        let harmless = fault("fc2", 2, (0..8).find(|c| lrs(2, *c)).unwrap(), "stuck_lrs");
        write(&[
            fault("fc2", 1, find(true), "slow"),
            fault("fc2", 0, (0..8).find(|c| !lrs(0, *c)).unwrap(), "slow"),
            harmless,
        ]);
        let json = run(0, arrays);
        assert_eq!((&json["load"]["retries"], &json["mismatches"]), (&1.into(), &0.into()));
        assert_eq!(json["load"]["cycles_counted"], good + 25);
        for (kind, cell) in [("stuck_hrs", find(true)), ("stuck_lrs", find(false))] {
            write(&[fault("fc2", 1, cell, kind)]);
            let json = run(1, arrays);
            let failed = json!([{ "layer": "fc2", "split": 1, "tile": 0, "line": 1, "cells": [cell] }]);
            assert_eq!(json["load"]["failed"], failed);
            assert_eq!(json["load"]["cycles_counted"], good + 2 * 25);
        }
    }
    // Text names the place, too.
    let args = args!["verify", build, "--dataset", images, "--images", "1", "--simulator", "icarus", "--load", "bus"];
    let text = hafnia(args.into_iter().chain(args!["--faults", &list])).expect(1).stdout;
    assert!(text.contains("NOT WRITTEN: layer fc2, split 1, tile 0, word line 1: cells"), "{text}");
}

/// A march test finds exactly what was planted, of every kind, and nothing in good arrays; what it writes can be planted again.
#[test]
fn a_march_test_finds_what_was_planted() {
    for readout in ["pcsa", "sa", "adc"] {
        let folder = tempfile::tempdir().unwrap();
        let hardware = format!("readout = '{readout}'\n[array]\ninputs = 4\noutputs = 4\n{PROGRAM}");
        let (build, _) = build(folder.path(), &hardware);
        let (list, map) = (folder.path().join("faults.json"), folder.path().join("map.json"));
        let march = |code, more: &[std::ffi::OsString]| {
            let all = args!["march", build, "--simulator", "icarus", "--json"];
            hafnia(all.into_iter().chain(more.iter().cloned())).expect(code).json()
        };
        assert_eq!(march(0, &[])["faults"], json!([]), "{readout}");
        let planted = json!([
            fault("fc2", 0, 1, "stuck_lrs"),
            fault("fc2", 1, 0, "slow"),
            fault("fc2", 1, 3, "stuck_hrs"),
            fault("fc3", 0, 0, "stuck_hrs"),
            fault("fc3", 2, 1, "slow")
        ]);
        std::fs::write(&list, planted.to_string()).unwrap();
        for arrays in ["grid", "bank"] {
            let found = march(1, &args!["--faults", &list, "--map", &map, "--arrays", arrays]);
            assert_eq!(found["faults"], planted, "{readout} {arrays}");
        }
        assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(&map).unwrap()).unwrap(), planted);
    }
}

/// The key memory is the last bank: its arrays are tested over the bus, and work with weights that come over it. Keys of 3
/// features: a word line of 3 pairs, or columns of arrays of 3 word lines.
#[test]
fn a_key_memory_behind_the_bus() {
    let memory = "[memory]\nkeys = 4\nclasses = 3\nprogram = { attempts = 2 }\n";
    for arrays in [
        "array = { inputs = 2, outputs = 2 }",
        "readout = 'adc'\narray = { inputs = 2, outputs = 2 }\nadc = { bits = 3 }",
        "readout = 'adc'\narray = { inputs = 2, outputs = 4, columns = 'single' }\nadc = { bits = 3, columns_per_adc = 2 }",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (build, images) = build(folder.path(), &format!("{PROGRAM}{memory}{arrays}\n"));
        let (list, map) = (folder.path().join("faults.json"), folder.path().join("map.json"));
        let planted = json!([
            fault("fc2", 0, 1, "stuck_lrs").to_string().replace("\"split\":1", "\"split\":0").parse::<Value>().unwrap(),
            { "layer": "keys", "split": 0, "tile": 0, "line": 1, "cell": 1, "kind": "slow" },
            { "layer": "keys", "split": 1, "tile": 1, "line": 0, "cell": 0, "kind": "stuck_lrs" },
        ]);
        let planted = if arrays.contains("single") { json!([planted[0], planted[1]]) } else { planted };
        std::fs::write(&list, planted.to_string()).unwrap();
        for how in ["grid", "bank"] {
            let march = args!["march", build.clone(), "--simulator", "icarus", "--json", "--arrays", how];
            let found = hafnia(march.into_iter().chain(args!["--faults", &list, "--map", &map])).expect(1).json();
            assert_eq!(found["faults"], planted, "{arrays} {how}");
        }
        // Episodes with the faults of the key memory only: those of fc2 would be in the way of its weights.
        std::fs::write(&list, json!([planted[1]]).to_string()).unwrap();
        let learn = |image: u16| json!({ "image": image, "learn": true, "label": image % 3 });
        let commands: Vec<Value> = (0..4).map(learn).chain([json!({ "image": 1 }), json!({ "image": 2 })]).collect();
        let asked = folder.path().join("commands.json");
        std::fs::write(&asked, json!(commands).to_string()).unwrap();
        let verify = args!["verify", build, "--dataset", images, "--simulator", "icarus", "--load", "bus", "--json"];
        let more = args!["--commands", asked, "--faults", list, "--stalled", "3", "--resets", "1"];
        let json = hafnia(verify.into_iter().chain(more)).expect(0).json();
        assert_eq!((&json["mismatches"], &json["few_shot"]["cycles_differ"]), (&0.into(), &0.into()), "{arrays}");
        assert_eq!((&json["few_shot"]["learns"], &json["load"]["failed"]), (&4.into(), &json!([])), "{arrays}");
    }
}

#[test]
fn verilator_loads_as_icarus_does() {
    let folder = tempfile::tempdir().unwrap();
    let hardware = format!("readout = 'sa'\n[array]\ninputs = 4\noutputs = 4\n{PROGRAM}");
    let (build, images) = build(folder.path(), &hardware);
    let json = load(&build, &images, 0, args!["--simulator", "verilator"]);
    assert_eq!(json["load"], load(&build, &images, 0, args!["--simulator", "icarus"])["load"]);
}

/// What the design does wrong is a failed check, not a tool that broke: an access that is refused, a command that never ends, an attempt
/// too many in the report.
#[test]
fn a_bus_that_refuses_or_hangs_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (build, images) = build(folder.path(), &format!("[array]\ninputs = 4\noutputs = 4\n{PROGRAM}"));
    let said = |file: &str, from: &str, to: &str, simulator: &str| {
        let path = build.join("rtl").join(file);
        let good = std::fs::read_to_string(&path).unwrap();
        assert!(good.contains(from), "{file}: `{from}` is not there any more; bring the test up to date");
        std::fs::write(&path, good.replace(from, to)).unwrap();
        let args = args!["verify", build, "--dataset", images, "--images", "1", "--stalled", "0", "--load", "bus"];
        let ended = hafnia(args.iter().chain(&args!["--simulator", simulator])).expect(1);
        std::fs::write(&path, good).unwrap();
        ended.stdout + &ended.stderr
    };
    for simulator in ["icarus", "verilator"] {
        let hangs = said("hf_program.sv", "again ? Gap : Idle", "Gap", simulator);
        assert!(hangs.contains("the register bus: a command did not end within"), "{simulator}: {hangs}");
    }
    let refused = said("hf_array_access.sv", "werror_o = busy;", "werror_o = 1'b1;", "icarus");
    assert!(refused.contains("was refused; the design does not do what it should"), "{refused}");
    let counted = said("hf_program.sv", "attempt_d = CountWidth'(1);", "attempt_d = CountWidth'(2);", "icarus");
    assert!(counted.contains("NOT AS PREDICTED: the attempts of 24 word lines"), "{counted}");
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (fixed, images) = build(folder.path(), "");
    let base = |build: &Path| args!["verify", build, "--dataset", &images, "--simulator", "icarus"];
    let said = hafnia(base(&fixed).into_iter().chain(args!["--load", "bus"])).expect(2).stderr;
    assert!(said.contains("table [program]"), "{said}");

    let other = tempfile::tempdir().unwrap();
    let folder = &other;
    let (build, _) = build(folder.path(), "[program]\n");
    let list = folder.path().join("faults.json");
    let with = |text: &str, more: &[std::ffi::OsString]| {
        std::fs::write(&list, text).unwrap();
        hafnia(base(&build).into_iter().chain(args!["--faults", &list]).chain(more.iter().cloned())).expect(2).stderr
    };
    let bus = &args!["--load", "bus"];
    let one = |layer: &str, line: usize| {
        format!("[{}]", fault(layer, line, 0, "slow").to_string().replace("\"split\":1", "\"split\":0"))
    };
    assert!(with(&one("fc2", 0), &[]).contains("--load bus"));
    assert!(
        with(&one("fc1", 0), bus)
            .contains("fault 0 of the list: layer \"fc1\" has no arrays; those that have are fc2, fc3")
    );
    assert!(with(&one("fc2", 9), bus).contains("line 9 does not exist: layer \"fc2\" has 5"));
    let twice = format!("[{0},{0}]", fault("fc2", 0, 0, "slow").to_string().replace("\"split\":1", "\"split\":0"));
    assert!(with(&twice, bus).contains("fault 1 of the list: the cell is listed twice"));
    assert!(with("[{}]", bus).contains("not a list of faults"));
    let said = hafnia(args!["march", &fixed, "--simulator", "icarus"]).expect(2).stderr;
    assert!(said.contains("table [program]"), "{said}");

    for (hardware, want) in [
        ("[program]\nattempts = 0", "program.attempts = 0"),
        ("[program]\nset_ns = 1e9", "program.set_ns"),
        ("readout = 'digital'\n[program]\n", "nothing to program"),
        ("[program]\nset = 1", "did you mean `set_ns`?"),
        ("[layer.fc2.program]\nset_ns = 1", "whole design"),
        ("[memory]\nprogram = { form_ns = 5 }", "`form_ns` in [program]"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (net, toml) = (folder.path().join("t.safetensors"), folder.path().join("h.toml"));
        network::save(&tiny::network(), &net).unwrap();
        std::fs::write(&toml, hardware).unwrap();
        let out = folder.path().join("out");
        let said = hafnia(args!["generate", net, "--hardware", toml, "-o", &out]).expect(2).stderr;
        assert!(said.contains(want), "{hardware}: {said}");
        assert!(!out.exists(), "{hardware}");
    }
}
