//! Faults put into a build directory by hand: found, named, shown in a waveform.

mod common;

use std::path::{Path, PathBuf};

use common::{Ended, command, ended, generate, hafnia, network, tiny};
use hafnia::cosim;
use serde_json::Value;

struct Build {
    _folder: tempfile::TempDir,
    path: PathBuf,
    dataset: PathBuf,
}

impl Build {
    fn new(name: &str, readout: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hardware = format!("readout = \"{readout}\"\n[array]\ninputs = 64\noutputs = 64\n");
        let path = generate(folder.path(), &network(name), &hardware);
        Self { _folder: folder, path, dataset: "digits".into() }
    }

    fn tiny(readout: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, dataset) = (tiny::generate_on(folder.path(), readout), tiny::images(folder.path()));
        Self { _folder: folder, path, dataset }
    }

    /// Changes a file's text.
    fn edit(&self, file: &str, change: impl FnOnce(&str) -> String) {
        let path = self.path.join(file);
        let old = std::fs::read_to_string(&path).unwrap();
        let new = change(&old);
        assert_ne!(old, new, "{file}: nothing to edit");
        std::fs::write(path, new).unwrap();
    }

    fn verify(&self, simulator: &str, more: &[&str]) -> Ended {
        let waveform = self.waveform();
        let args =
            args!["verify", self.path, "--simulator", simulator, "--images", "3", "--waveform", waveform, "--json"];
        let more: Vec<std::ffi::OsString> = more.iter().map(Into::into).collect();
        hafnia(args.iter().chain(&args!["--dataset", self.dataset, "--stalled", "0"]).chain(&more))
    }

    fn waveform(&self) -> PathBuf {
        self.path.with_file_name("wave.vcd")
    }

    /// Verifies, asserts that the edited file was warned about and the fault found; gives its description.
    fn finds(&self, file: &str, simulator: &str) -> Value {
        self.finds_in(file, simulator, &[])
    }

    fn finds_in(&self, file: &str, simulator: &str, more: &[&str]) -> Value {
        let ended = self.verify(simulator, more).expect(1);
        assert!(
            ended.stderr.contains(file) && ended.stderr.contains("differs from the manifest"),
            "no warning: {}",
            ended.stderr
        );
        let json = ended.json();
        assert_eq!(json["edited_files"], serde_json::json!([file]));
        assert!(json["mismatches"].as_u64().unwrap() > 0);
        let found = json["first_mismatch"].clone();
        for key in ["image", "neuron", "cycle"] {
            assert!(found[key].is_u64(), "{key}: {found}");
        }
        for key in ["layer", "array", "expected", "got", "note"] {
            assert!(found[key].as_str().is_some_and(|s| !s.is_empty()), "{key}: {found}");
        }
        assert!(found.get("split").is_some(), "{found}");
        assert_ne!(found["expected"], found["got"]);
        assert_eq!(Path::new(found["waveform"].as_str().unwrap()), self.waveform());
        found
    }
}

/// A waveform with the signals of a layer, whose values change.
fn shows(path: &Path, net: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let (head, body) = text.split_once("$enddefinitions").expect("a VCD");
    let named =
        |name: &str| head.lines().any(|l| l.contains("$var") && l.split_whitespace().any(|w| w.starts_with(name)));
    for name in [format!("{net}_valid"), format!("{net}_ready"), format!("{net}_data"), "clk_i".into()] {
        assert!(named(&name), "no signal {name}");
    }
    assert!(body.lines().filter(|l| l.starts_with('#')).count() > 20, "hardly any time passes");
}

/// The waveform has the place that a mismatch names, `TOP.INSTANCE...` and what follows it in brackets.
fn has(path: &Path, place: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut open: Vec<&str> = Vec::new();
    let mut scopes = Vec::new();
    for line in text.lines().take_while(|l| !l.contains("$enddefinitions")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            Some(&"$scope") => {
                open.push(words[2]);
                scopes.push(open.join("."));
            }
            Some(&"$upscope") => drop(open.pop()),
            _ => {}
        }
    }
    let (_, below) = place.split_once('.').unwrap();
    let instance = below.split(' ').next().unwrap();
    assert!(scopes.iter().any(|s| s.ends_with(&format!(".dut.{instance}"))), "no scope {instance}: {scopes:#?}");
}

#[test]
fn a_threshold_off_by_one() {
    let build = Build::new("digits_ternary", "pcsa");
    build.edit("rtl/hf_threshold.sv", |t| t.replace("sum >= high", "sum > high"));
    let found = build.finds("rtl/hf_threshold.sv", "icarus");
    assert_eq!((&found["layer"], &found["split"]), (&"fc1".into(), &Value::Null), "behind the arrays");
    assert!(found["note"].as_str().unwrap().contains("threshold"), "{found}");
    shows(&build.waveform(), "layer_fc1");
}

/// A pair of cells of class 0 in array (0, 1) the other way round: the score is off by two, or by one where the input
/// bears.
#[test]
fn one_flipped_pair_of_cells() {
    let build = Build::new("digits_binary", "pcsa");
    // 50 columns of a slice of 64 at most: word = {BLb, BL}, most significant digit first.
    build.edit("mem/fc3_r0_c1.mem", |text| {
        let (first, rest) = text.split_once('\n').unwrap();
        let value = u128::from_str_radix(first, 16).unwrap();
        let columns = 4 * first.len() / 2;
        let plus = (0..columns).find(|j| value >> j & 1 == 1).unwrap();
        let other = value & !(1 << plus) | 1 << (plus + columns);
        format!("{other:0width$x}\n{rest}", width = first.len())
    });
    let found = build.finds("mem/fc3_r0_c1.mem", "icarus");
    assert_eq!(found["layer"], "fc3");
    assert_eq!((&found["image"], &found["neuron"], &found["split"]), (&0.into(), &0.into(), &1.into()), "{found}");
    let array = found["array"].as_str().unwrap();
    assert!(array.contains("i_layer_fc3.") && array.contains("column tile 1), word line 0"), "{found}");
    has(&build.waveform(), array);
    let number = |key: &str| found[key].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!((number("expected") - number("got")).abs(), 2);
    shows(&build.waveform(), "layer_fc3");
}

#[test]
fn a_dropped_carry_of_the_votes_in_verilator() {
    let build = Build::new("digits_ternary", "sa");
    build.edit("rtl/hf_vote_aggregate.sv", |t| t.replacen("(sum & a) | (b & (sum ^ a))", "'0", 1));
    let found = build.finds("rtl/hf_vote_aggregate.sv", "verilator");
    assert_eq!((&found["layer"], &found["split"]), (&"fc2".into(), &Value::Null), "behind the arrays");
    assert!(found["note"].as_str().unwrap().contains("vote aggregation"), "{found}");
    shows(&build.waveform(), "layer_fc2");
}

/// The waveform begins with the first cycle, not with the reset before it, whose cycles have no number.
#[test]
fn a_mismatch_in_the_first_cycles_in_verilator() {
    let build = Build::tiny("sa");
    build.edit("rtl/hf_class_scores.sv", |t| t.replace("score > best_score_q", "score < best_score_q"));
    let found = build.finds("rtl/hf_class_scores.sv", "verilator");
    assert_eq!(found["layer"], "scores");
    assert!(found["cycle"].as_u64().unwrap() < 200, "{found}");
    shows(&build.waveform(), "scores");
}

/// The references of array (2, 0) as low as they go: its block votes +1 always.
#[test]
fn wrong_references_of_one_block() {
    let build = Build::new("digits_binary", "sa");
    build.edit("mem/fc2_b2_t0_ref.mem", |text| {
        text.lines().map(|l| "0".repeat(l.len()).replacen('0', "8", 1) + "\n").collect()
    });
    // Where the arrays are instances, the message names one; in a bank, its block and tile.
    for (arrays, name) in [
        ("grid", "i_layer_fc2__votes.i_bank.gen_block[2].gen_tile[0].i_array (block 2, tile 0), column"),
        ("bank", "i_layer_fc2__votes.i_bank (block 2, tile 0), column"),
    ] {
        let found = build.finds_in("mem/fc2_b2_t0_ref.mem", "icarus", &["--arrays", arrays]);
        assert_eq!((&found["layer"], &found["split"]), (&"fc2".into(), &2.into()), "{found}");
        let array = found["array"].as_str().unwrap();
        assert!(array.contains(name), "{found}");
        has(&build.waveform(), array);
    }
}

/// Pairs of columns the other way round: codes differ.
#[test]
fn swapped_columns_of_an_adc_array() {
    let build = Build::tiny("adc");
    build.edit("mem/fc2_b1_t0.mem", |text| {
        // A line is a word line: what is LRS of the four neurons' columns, then of their negative ones, in two digits.
        let swapped = |line: &str| {
            let (negative, positive) = line.split_at(1);
            format!("{positive}{negative}\n")
        };
        text.lines().map(swapped).collect()
    });
    let found = build.finds("mem/fc2_b1_t0.mem", "icarus");
    assert_eq!(found["layer"], "fc2", "{found}");
    let array = found["array"].as_str().unwrap();
    assert!(array.contains("(block 1, tile 0)") && !array.contains(';'), "{found}");
    assert!(found["note"].as_str().unwrap().starts_with("code of the array: expected"), "{found}");
    has(&build.waveform(), array);
}

/// The waveform cannot be written: the mismatch stands, with what is known of it.
#[test]
fn a_mismatch_that_cannot_be_traced_stays_one() {
    let build = Build::tiny("sa");
    build.edit("rtl/hf_class_scores.sv", |t| t.replace("score > best_score_q", "score < best_score_q"));
    let common = args!["verify", build.path, "--dataset", build.dataset, "--stalled", "0", "--json"];
    let nowhere = args!["--simulator", "icarus", "--images", "3", "--waveform", "/no/such/folder/w.vcd"];
    let json = hafnia(common.iter().chain(&nowhere)).expect(1).json();
    assert_eq!(json["first_mismatch"]["layer"], "scores", "{json}");
    let note = json["first_mismatch"]["note"].as_str().unwrap();
    assert!(note.starts_with("it could not be traced further: "), "{note}");
}

/// A simulation without an end is an error of the tool; what it said is kept apart from what others say.
#[test]
fn a_broken_simulation_keeps_its_messages() {
    let cache = tempfile::tempdir().unwrap();
    let logs = || std::fs::read_dir(cache.path().join("logs")).map_or(0, Iterator::count);
    let verify = |build: &Build| {
        let args = args!["verify", build.path, "--simulator", "icarus", "--dataset", build.dataset, "--stalled", "0"];
        ended(command(args).env("HAFNIA_CACHE", cache.path()))
    };
    let mut kept = Vec::new();
    for said in ["no end, first", "no end, second"] {
        let build = Build::tiny("sa");
        verify(&build).expect(0);
        assert_eq!(logs(), kept.len(), "a run that holds leaves no log");
        build.edit("sim/tb_icarus.sv", |t| t.replace("$fwrite(out, \"E ", &format!("$display(\"{said} ")));
        let ended = verify(&build).expect(3);
        let (_, log) = ended.stderr.split_once("no end record; its messages: ").expect(&ended.stderr);
        kept.push((PathBuf::from(log.trim()), said));
    }
    assert_eq!(logs(), 2);
    for (log, said) in kept {
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.contains(said), "{}: {text}", log.display());
    }
}

/// A plan that was edited cannot be told from another network's: refused, not verified.
/// A plan that is wrong in a layer ahead of one that is split, in design and golden model alike: here the network is what differs.
#[test]
fn a_wrong_plan_is_found_in_front_of_a_split_layer() {
    let on_disk = Build::new("digits_binary", "sa");
    let mut build = cosim::Build::open(&on_disk.path).unwrap();
    let set = hafnia::data::open("digits", None).unwrap().chosen(0, 1, Some(2)).unwrap();
    let options = cosim::Options {
        simulator: cosim::Simulator::Icarus,
        arrays: cosim::Arrays::Bank,
        seed: 1,
        stalled: 0,
        resets: 0,
        precharge: None,
        window: None,
        load: false,
        faults: Vec::new(),
        waveform: on_disk.waveform(),
    };
    let run = |build: &cosim::Build| cosim::verify(build, &set, &[], &options, &|_, _| ()).unwrap();
    let verdict = run(&build);
    assert_eq!((verdict.plan_is_exact, verdict.exact_layers, verdict.reference_faults), (false, 1, 0));
    assert!(verdict.held(), "{verdict:#?}");
    // Half of the first layer's neurons fire on no image, half on every one.
    build.network.layers[0].bias.iter_mut().step_by(2).for_each(|bias| *bias -= 1e6);
    build.network.layers[0].bias.iter_mut().skip(1).step_by(2).for_each(|bias| *bias += 1e6);
    let verdict = run(&build);
    assert!(verdict.mismatches == 0 && verdict.reference_faults > 0 && !verdict.held(), "{verdict:#?}");
}

#[test]
fn an_edited_plan_is_refused() {
    let build = Build::new("digits_binary", "pcsa");
    build.edit("plan.json", |t| t.replacen("\"stream_bits\": 64", "\"stream_bits\": 32", 1));
    let ended = build.verify("icarus", &[]).expect(2);
    assert!(ended.stderr.contains("plan.json") && ended.stderr.contains("hafnia generate"), "{}", ended.stderr);
}
