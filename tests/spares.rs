//! Spare word lines and columns: a chip with faulty cells computes what a good one does, whatever reads its arrays.

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{hafnia, tiny};
use hafnia::fault_map::{self, Fault, FaultKind};
use hafnia::hardware::Hardware;
use hafnia::network;
use hafnia::plan::{self, Arrays, Place};
use serde_json::{Value, json};

const PROGRAM: &str = "[program]\nset_ns = 30\nreset_ns = 20\nverify_ns = 20\n";
const FOLDED: &str = "[fold]\nsensed_at_once = 1\ncolumns_per_amplifier = 2\n";

/// The tiny network on small arrays: 6 -> 10 digital, 10 -> 5 as said, 5 -> 3 by PCSAs.
struct Chip {
    folder: tempfile::TempDir,
    net: PathBuf,
    images: PathBuf,
    toml: PathBuf,
    hardware: String,
}

impl Chip {
    fn new(hardware: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (net, toml) = (folder.path().join("tiny.safetensors"), folder.path().join("hardware.toml"));
        network::save(&tiny::network(), &net).unwrap();
        std::fs::write(&toml, hardware).unwrap();
        let images = tiny::images(folder.path());
        Self { folder, net, images, toml, hardware: hardware.into() }
    }

    fn map(&self, faults: &[Fault]) -> PathBuf {
        let path = self.folder.path().join("map.json");
        std::fs::write(&path, fault_map::write(faults)).unwrap();
        path
    }

    fn generate(&self, name: &str, map: Option<&Path>) -> PathBuf {
        let build = self.folder.path().join(name);
        let mut all = args!["generate", self.net, "--hardware", self.toml, "-o", build].to_vec();
        all.extend(map.iter().flat_map(|m| args!["--faults", m]));
        hafnia(all).expect(0);
        build
    }

    fn verify(&self, build: &Path, code: i32, more: impl IntoIterator<Item = OsString>) -> Value {
        let all = args!["verify", build, "--dataset", self.images, "--images", "6", "--stalled", "2", "--resets", "1"];
        hafnia(all.into_iter().chain(args!["--simulator", "icarus", "--json"]).chain(more)).expect(code).json()
    }

    /// As many faulty columns in every array as it has spare amplifiers, and as many faulty word lines in arrays that are read at
    /// once as there are spare ones, all in the wrong state with nothing left out; and a slow cell in each array.
    fn faults(&self) -> Vec<Fault> {
        let plan = plan::plan(&tiny::network(), &Hardware::parse(&self.hardware).unwrap()).unwrap();
        let mut faults = Vec::new();
        for layer in &plan.layers {
            let Some(arrays) = Arrays::of(layer) else { continue };
            let each = arrays.lines_each();
            for group in arrays.groups() {
                for (number, (split, tile)) in group.iter().copied().enumerate() {
                    let none = arrays.left_out(split, &[], &[]);
                    let lines = arrays.all_lines(split) - arrays.spare_lines();
                    let used = arrays.amplifiers().0 - arrays.spare_amplifiers();
                    let mut put = |line: usize, column: usize, slow: bool| {
                        // The first cell on the word line that the amplifier reads, in the state that it is not to be in.
                        let line = line * each + column % each;
                        let of = |c: &usize| c % arrays.columns() % arrays.amplifiers().0 == column;
                        let cell = (0..arrays.cells()).filter(of).nth(column % 2).unwrap();
                        let lrs = arrays.lrs(split, tile, Place { line, cell }, &none).unwrap();
                        let stuck = if lrs { FaultKind::StuckHrs } else { FaultKind::StuckLrs };
                        let kind = if slow { FaultKind::Slow } else { stuck };
                        faults.push(Fault { layer: layer.name.clone(), split, tile, line, cell, kind });
                    };
                    for spare in 0..arrays.spare_amplifiers() {
                        put((spare + number) % lines, spare % used, false);
                    }
                    // More cells on one word line than there are spare columns.
                    if number == 0 {
                        for spare in 0..arrays.spare_lines() {
                            for column in arrays.spare_amplifiers()..used {
                                put((lines - 1).saturating_sub(spare), column, false);
                            }
                        }
                    }
                }
            }
        }
        faults.sort();
        faults.dedup_by(|a, b| {
            (&a.layer, a.split, a.tile, a.line, a.cell) == (&b.layer, b.split, b.tile, b.line, b.cell)
        });
        faults
    }
}

/// Word lines, columns and both; from images and over the bus; grid and bank.
fn holds(readout: &str, spares: &[&str]) {
    for fold in ["", FOLDED] {
        for spares in spares {
            let adc = if fold.is_empty() { "bits = 5\n" } else { "bits = 5\ncolumns_per_adc = 2\n" };
            let hardware =
                format!("readout = '{readout}'\n[array]\ninputs = 4\noutputs = 4\n{spares}{fold}[adc]\n{adc}{PROGRAM}");
            let chip = Chip::new(&hardware);
            let faults = chip.faults();
            assert!(faults.len() > 2, "{hardware}");
            let map = chip.map(&faults);
            let (repaired, bare) = (chip.generate("repaired", Some(&map)), chip.generate("bare", None));
            for arrays in ["grid", "bank"] {
                let kind = || args!["--arrays", arrays];
                let plain = chip.verify(&repaired, 0, kind());
                let bus = || kind().into_iter().chain(args!["--load", "bus"]);
                let loaded = chip.verify(&repaired, 0, bus().chain(args!["--faults", map]));
                for json in [&plain, &loaded] {
                    assert_eq!(
                        (&json["mismatches"], &json["stalled"]["mismatches"], &json["cycles_equal"]),
                        (&0.into(), &0.into(), &true.into()),
                        "{hardware}"
                    );
                }
                let load = &loaded["load"];
                assert_eq!(load["failed"], json!([]), "{hardware}");
                assert_eq!(load["cycles_predicted"], load["cycles_counted"], "{hardware}");
                // The cycles of an image are those without spares.
                let failed = chip.verify(&bare, 1, bus().chain(args!["--faults", map]));
                assert_ne!(failed["load"]["failed"], json!([]), "{hardware}");
                assert_eq!(plain["batch_cycles_counted"], chip.verify(&bare, 0, kind())["batch_cycles_counted"]);
            }
        }
    }
}

const SPARES: [&str; 3] =
    ["spare_word_lines = 1\n", "spare_columns = 2\n", "spare_word_lines = 2\nspare_columns = 2\n"];

#[test]
fn pcsa() {
    holds("pcsa", &SPARES);
}

#[test]
fn sa() {
    holds("sa", &SPARES);
}

#[test]
fn adc() {
    holds("adc", &SPARES);
}

/// Without a programmable design the images have fewer cells, and hold just as well.
#[test]
fn cells_that_cannot_be_programmed_are_left_out_too() {
    for readout in ["pcsa", "sa", "adc"] {
        let hardware = format!(
            "readout = '{readout}'\n[array]\ninputs = 4\noutputs = 4\n{}[adc]\nbits = 5\n[layer.fc2.array]\ninputs = 5\n",
            SPARES[2]
        );
        let chip = Chip::new(&hardware);
        let map = chip.map(&chip.faults());
        let (repaired, bare) = (chip.generate("repaired", Some(&map)), chip.generate("bare", None));
        for arrays in ["grid", "bank"] {
            assert_eq!(chip.verify(&repaired, 0, args!["--arrays", arrays])["mismatches"], 0, "{hardware}");
        }
        // The same cells in arrays that leave others out: what is wrong in them is seen.
        let images: Vec<PathBuf> = std::fs::read_dir(bare.join("mem")).unwrap().map(|e| e.unwrap().path()).collect();
        for image in images.iter().filter(|p| p.to_string_lossy().contains("_spare_")) {
            std::fs::copy(image, repaired.join("mem").join(image.file_name().unwrap())).unwrap();
        }
        chip.verify(&repaired, 1, []);
    }
}

/// The whole way: a march test of a new chip, its map to the plan, weights over the bus into the same chip.
#[test]
fn from_a_march_test_to_a_repaired_chip() {
    for readout in ["pcsa", "sa", "adc"] {
        let hardware =
            format!("readout = '{readout}'\n[array]\ninputs = 4\noutputs = 4\n{}[adc]\nbits = 5\n{PROGRAM}", SPARES[2]);
        let chip = Chip::new(&hardware);
        let mut planted = chip.faults();
        // A spare of the last array is faulty, too.
        planted.push(Fault { layer: "fc3".into(), split: 1, tile: 0, line: 4, cell: 4, kind: FaultKind::Slow });
        planted.sort();
        let truth = chip.map(&planted);
        let (new, found) = (chip.generate("new", None), chip.folder.path().join("found.json"));
        let march = args!["march", new, "--simulator", "icarus", "--faults", truth, "--map", found, "--json"];
        let json = hafnia(march).expect(1).json();
        assert_eq!(json["faults"], json!(planted), "{readout}");
        let repaired = chip.generate("repaired", Some(&found));
        let json = chip.verify(&repaired, 0, args!["--load", "bus", "--faults", truth]);
        assert_eq!((&json["mismatches"], &json["load"]["failed"]), (&0.into(), &json!([])), "{readout}");
        // What is in the build directory is what it was made from; the march test finds the same in it.
        assert_eq!(fault_map::read(&std::fs::read_to_string(repaired.join("faults.json")).unwrap()).unwrap(), planted);
        let march = args!["march", repaired, "--simulator", "icarus", "--faults", truth, "--json"];
        assert_eq!(hafnia(march).expect(1).json()["faults"], json!(planted), "{readout}");
    }
}

/// A mismatch names the word line or column of the array as it is made.
#[test]
fn a_mismatch_names_the_place_in_the_array() {
    for (readout, spares, image, name) in [
        ("pcsa", "spare_word_lines = 1\n", "fc2_r0_c0.mem", "word line"),
        ("sa", "spare_columns = 1\n", "fc2_b0_t0_ref.mem", "column"),
    ] {
        let chip = Chip::new(&format!("readout = '{readout}'\n[array]\ninputs = 4\noutputs = 4\n{spares}"));
        let stuck = |line, cell, kind| Fault { layer: "fc2".into(), split: 0, tile: 0, line, cell, kind };
        // Word line 0, or column 0, is left out: one of its cells is wrong, whatever it is to be.
        let plan = plan::plan(&tiny::network(), &Hardware::parse(&chip.hardware).unwrap()).unwrap();
        let arrays = Arrays::of(&plan.layers[1]).unwrap();
        let lrs = arrays.lrs(0, 0, Place { line: 0, cell: 0 }, &arrays.left_out(0, &[], &[])).unwrap();
        let kind = if lrs { FaultKind::StuckHrs } else { FaultKind::StuckLrs };
        let build = chip.generate("repaired", Some(&chip.map(&[stuck(0, 0, kind)])));
        // Each place behind is found under its own number.
        let path = build.join("mem").join(image);
        let good = std::fs::read_to_string(&path).unwrap();
        let mut named = 0;
        for place in 1..good.lines().count() {
            let flip = |digit: char| char::from_digit(15 - digit.to_digit(16).unwrap(), 16).unwrap();
            let of = |(n, l): (usize, &str)| if n == place { l.chars().map(flip).collect() } else { l.to_string() };
            let bad: Vec<String> = good.lines().enumerate().map(of).collect();
            std::fs::write(&path, bad.join("\n") + "\n").unwrap();
            let all = args!["verify", build, "--dataset", chip.images, "--images", "6", "--stalled", "0", "--json"];
            let ended = hafnia(all.into_iter().chain(args!["--simulator", "icarus"]));
            if ended.code == 1 {
                let array = ended.json()["first_mismatch"]["array"].as_str().unwrap().to_string();
                assert!(array.ends_with(&format!("{name} {place}")), "{readout}: place {place}: {array}");
                named += 1;
            }
        }
        assert!(named > 1, "{readout}");
    }
}

/// One netlist for all chips: a fault map changes memory images, plan and manifest, but no Verilog.
#[test]
fn a_fault_map_changes_no_verilog() {
    let chip = Chip::new(&format!("[array]\ninputs = 4\noutputs = 4\n{}", SPARES[2]));
    let (repaired, bare) = (chip.generate("a", Some(&chip.map(&chip.faults()))), chip.generate("b", None));
    let [a, b] = [&repaired, &bare].map(|build| common::tree(&build.join("rtl")));
    assert_eq!(a.len(), b.len());
    for ((path, a), (_, b)) in a.iter().zip(&b) {
        // The command in the banner names the map.
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace(" --faults faults.json", "");
        assert!(text(a) == text(b), "{}", path.display());
    }
}

#[test]
fn the_plan_says_what_is_left_out() {
    let chip = Chip::new(&format!("[array]\ninputs = 4\noutputs = 4\n{}", SPARES[2]));
    let map = chip.map(&chip.faults());
    let base = args!["plan", chip.net, "--hardware", chip.toml, "--faults", map];
    let text = hafnia(&base).expect(0).stdout;
    assert!(text.contains("fc2: 2 spare word lines and 2 spare amplifiers an array; "), "{text}");
    assert!(text.contains("fc2: split 0, tile 0 leaves out word lines "), "{text}");
    let json = hafnia(base.iter().chain(&args!["--json"])).expect(0).json();
    let spares = &json["layers"][1]["spares"];
    assert_eq!((&spares["word_lines"], &spares["amplifiers"]), (&2.into(), &2.into()));
    assert_eq!(spares["repairs"].as_array().unwrap().len(), 6, "{spares}");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let keys = spares.as_object().unwrap().keys().chain(spares["repairs"][0].as_object().unwrap().keys());
    for key in keys.chain([&"spares".to_string(), &"spare_lines".to_string()]) {
        assert!(page.contains(&format!("`{key}`")), "docs/json.md does not name `{key}`");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let stuck =
        |line, cell| json!({ "layer": "fc2", "split": 0, "tile": 0, "line": line, "cell": cell, "kind": "stuck_lrs" });
    let many: Vec<Value> = (0..3).flat_map(|line| (0..8).map(move |cell| stuck(line, cell))).collect();
    let other = |key: &str, value: Value| {
        let mut fault = stuck(0, 0);
        fault[key] = value;
        json!([fault])
    };
    let spares = "[array]\ninputs = 4\noutputs = 4\nspare_word_lines = 1\nspare_columns = 1\n";
    for (hardware, map, want) in [
        (spares, json!(many), "layer `fc2`: too few spares for 14 cells that are stuck in the wrong state"),
        ("", other("cell", 1.into()), "spare columns of each: 0; spare word lines of all together: 0."),
        (spares, other("layer", "fc9".into()), "layer \"fc9\" has no arrays; those that have are fc2, fc3"),
        (spares, other("layer", "fc1".into()), "layer \"fc1\" has no arrays"),
        (spares, other("split", 3.into()), "map.json: fault 0 of the list: split 3 does not exist"),
        (spares, other("line", 4.into()), "line 4 does not exist: layer \"fc2\" has 4 there"),
        (spares, other("cell", 10.into()), "cell 10 does not exist: layer \"fc2\" has 10 there"),
        (spares, json!([stuck(0, 0), stuck(0, 0)]), "fault 1 of the list: the cell is listed twice"),
        (spares, other("kind", "gone".into()), "map.json: not a list of faults"),
        ("[array]\nspare_columns = 65", json!([]), "array.spare_columns = 65: must be 0 to 64"),
        (
            "[array]\nspare_columns = 3\n[fold]\ncolumns_per_amplifier = 2",
            json!([]),
            "must be a multiple of fold.columns_per_amplifier = 2",
        ),
        ("[array]\nspare_rows = 3", json!([]), "unknown field `spare_rows`"),
        ("[memory]\n[memory.array]\nspare_columns = 1", json!([]), "the key memory's arrays have no spares"),
    ] {
        let chip = Chip::new(hardware);
        let path = chip.folder.path().join("map.json");
        std::fs::write(&path, map.to_string()).unwrap();
        let out = chip.folder.path().join("out");
        for verb in ["plan", "generate"] {
            let mut all = args![verb, chip.net, "--hardware", chip.toml, "--faults", path].to_vec();
            if verb == "generate" {
                all.extend(args!["-o", out]);
            }
            let said = hafnia(all).expect(2).stderr;
            assert!(said.contains(want), "{hardware}: {said}");
        }
        assert!(!out.exists(), "{hardware}");
    }
}
