//! Wrong input to the command: exit code 2 and a message that says what, where and what to do; nothing half-written.
//! `network_file.rs` has every way in which a network file can be wrong; here are those that a user meets, through the
//! command.

mod common;

use std::path::{Path, PathBuf};

use common::{Ended, command, ended, hafnia, network};
use serde_json::{Value, json};

/// A `.safetensors` file of 4 inputs, 3 bipolar neurons, 2 scores.
struct File {
    topology: Value,
    tensors: Vec<(&'static str, &'static str, Vec<usize>, Vec<u8>)>,
}

impl File {
    fn good() -> Self {
        let topology = json!({
            "format": 1, "name": "four", "input": {"shape": [4], "code": "u8"},
            "layers": [
                {"name": "fc1", "op": "dense", "weights": {"tensor": "w1", "kind": "bipolar"}, "bias": "b1",
                 "activation": {"bipolar": {}}},
                {"name": "fc2", "op": "dense", "weights": {"tensor": "w2", "kind": "bipolar"},
                 "activation": {"scores": {}}},
            ],
        });
        let tensors = vec![
            ("w1", "I8", vec![3, 4], [1u8, 255].repeat(6)),
            ("b1", "F32", vec![3], vec![0; 12]),
            ("w2", "I8", vec![2, 3], vec![1; 6]),
        ];
        Self { topology, tensors }
    }

    fn bytes(&self) -> Vec<u8> {
        let (mut header, mut data) = (json!({"__metadata__": {"hafnia": self.topology.to_string()}}), Vec::new());
        for (name, dtype, shape, bytes) in &self.tensors {
            header[name] =
                json!({"dtype": dtype, "shape": shape, "data_offsets": [data.len(), data.len() + bytes.len()]});
            data.extend(bytes);
        }
        let header = header.to_string();
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
    }
}

/// A folder with a network and a hardware file.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put("net.safetensors", &File::good().bytes());
        desk.put("hardware.toml", b"");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn generate(&self) -> Ended {
        let [net, toml, build] = ["net.safetensors", "hardware.toml", "build"].map(|n| self.path(n));
        hafnia(args!["generate", net, "--hardware", toml, "-o", build, "--json"])
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// Exit code 2, no JSON, one message with all of `parts`, no panic.
fn refused(ended: Ended, parts: &[&str]) {
    let ended = ended.expect(2);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.starts_with("hafnia: ") && !ended.stderr.contains("panicked"), "{}", ended.stderr);
    for part in parts {
        assert!(ended.stderr.contains(part), "no {part:?} in: {}", ended.stderr);
    }
}

#[test]
fn networks() {
    let desk = Desk::new();
    desk.generate().expect(0);
    std::fs::remove_dir_all(desk.path("build")).unwrap();
    let with = |change: &dyn Fn(&mut File)| {
        let mut file = File::good();
        change(&mut file);
        file.bytes()
    };
    let good = File::good().bytes();
    let called = |name: &str| with(&|f| f.topology["layers"][1]["name"] = name.into());
    let cases: [(&str, Vec<u8>, &[&str]); 15] = [
        ("empty", vec![], &["cut short"]),
        ("cut short", good[..good.len() - 3].to_vec(), &["cut short"]),
        ("cut in the header", good[..40].to_vec(), &["cut short"]),
        ("noise", b"this is no network, but longer than eight bytes".to_vec(), &["not a usable .safetensors file"]),
        ("no topology", with(&|f| f.topology = json!({})), &["topology", "format"]),
        ("transposed", with(&|f| f.tensors[0].2 = vec![4, 3]), &["layer `fc1`", "[neurons, inputs]"]),
        ("no such tensor", with(&|f| f.topology["layers"][0]["bias"] = "b2".into()), &["layer `fc1`", "b2"]),
        ("not bipolar", with(&|f| f.tensors[2].3[1] = 0), &["layer `fc2`", "[0, 1]"]),
        ("NaN", with(&|f| f.tensors[1].3[4..8].copy_from_slice(&f32::NAN.to_le_bytes())), &["fc1", "NaN", "finite"]),
        (
            "unknown key",
            with(&|f| f.topology["layers"][1]["normalise"] = json!({})),
            &["normalise", "did you mean `normalize`?"],
        ),
        ("name with a blank", with(&|f| f.topology["name"] = "my net".into()), &["my net", "Verilog"]),
        ("reserved name", with(&|f| f.topology["layers"][0]["name"] = "table".into()), &["table", "reserved word"]),
        ("image", called("image"), &["layer `image`", "names another stage", "call the layer something else"]),
        ("scores", called("scores"), &["layer `scores`", "names another stage", "call the layer something else"]),
        ("output", called("output"), &["layer `output`", "reserved word", "such as `output_1`"]),
    ];
    for (what, bytes, parts) in cases {
        println!("{what}");
        desk.put("net.safetensors", &bytes);
        refused(desk.generate(), &[&["net.safetensors"], parts].concat());
        refused(hafnia(args!["info", desk.path("net.safetensors")]), parts);
        assert_eq!(desk.names(), ["hardware.toml", "net.safetensors"], "{what}");
    }
    let missing = hafnia(args!["info", desk.path("none.safetensors")]);
    assert_eq!(missing.stderr.matches("No such file").count(), 1, "said once: {}", missing.stderr);
    refused(missing, &["none.safetensors", "cannot"]);
}

#[test]
fn hardware() {
    let desk = Desk::new();
    std::fs::copy(network("digits_ternary"), desk.path("net.safetensors")).unwrap();
    let cases: [(&str, &[&str]); 27] = [
        ("[arrya]\ninputs = 64", &["line 1", "did you mean `array`?"]),
        ("[array]\ninptus = 64", &["line 2", "did you mean `inputs`?"]),
        ("readout = 'pcas'", &["did you mean `pcsa`?"]),
        ("[array]\ninputs = ", &["TOML parse error", "line 2"]),
        ("[array]\ninputs = -1", &["invalid value", "-1"]),
        ("[array]\ninputs = 'many'", &["invalid type", "many"]),
        ("[array]\ninputs = 0", &["array.inputs = 0", "1 to 16384"]),
        ("[array]\noutputs = 100000", &["array.outputs = 100000", "1 to 16384"]),
        ("readout = 'sa'\n[array]\nneurons = 'unipolar'", &["fc2", "no word line state for three values", "bipolar"]),
        ("readout = 'adc'\n[array]\ncolumns = 'single'", &["fc2", "holds no 0", "double"]),
        ("readout = 'adc'\n[adc]\nbits = 0", &["adc.bits = 0", "1 to 12"]),
        ("readout = 'adc'\n[adc]\nfull_scale = -1", &["adc.full_scale = -1", "positive"]),
        ("readout = 'adc'\n[adc]\nbits = 2\nlevels = [0, 1]\nvalues = [0, 1, 2, 3]", &["adc.levels", "3 levels"]),
        ("readout = 'adc'\n[adc]\ncolumns_per_adc = 3", &["adc.columns_per_adc = 3", "must divide", "128"]),
        ("[pcsa]\nwindow_ns = 30", &["pcsa.window_ns = 30", "lengthen the window"]),
        ("[pcsa]\nwindow_ns = 300", &["pcsa.window_ns = 300", "shorten the window"]),
        ("[pcsa]\nwindow_ns = nan", &["pcsa.window_ns", "positive time"]),
        ("[pcsa]\nsupply_v = 0.9", &["supply_v", "0.9"]),
        ("[clock]\nmhz = 0", &["clock.mhz = 0", "0.001 to 10000"]),
        ("[clock]\nmhz = 9000\n[pcsa]\nprecharge_ns = 1000", &["pcsa.precharge_ns", "counts to 4095"]),
        (
            "[array]\ninputs = 64\n[fold]\ncolumns_per_amplifier = 3",
            &["columns_per_amplifier = 3", "must divide", "64"],
        ),
        ("[fold]\nsensed_at_once = 0", &["fold.sensed_at_once = 0", "at least 1"]),
        ("[stream]\nbits = 24", &["stream.bits = 24", "power of two"]),
        ("[layer.fc9]\nreadout = 'sa'", &["fc9", "did you mean `fc", "hafnia info"]),
        ("[layer.fc3]\nreadout = 'sa'", &["layer `fc3`", "no scores"]),
        ("[layer.fc1.clock]\nmhz = 1", &["layer.fc1", "whole design"]),
        ("[device]\nlrs_kohm = 20", &["device", "not available yet"]),
    ];
    for (text, parts) in cases {
        println!("{text}");
        desk.put("hardware.toml", text.as_bytes());
        refused(desk.generate(), &[&["hardware.toml"], parts].concat());
        let [net, toml] = ["net.safetensors", "hardware.toml"].map(|n| desk.path(n));
        refused(hafnia(args!["plan", net, "--hardware", toml]), parts);
        assert_eq!(desk.names(), ["hardware.toml", "net.safetensors"], "{text}");
    }
    // A binary network has no zeros that too long a window could misread.
    std::fs::copy(network("digits_binary"), desk.path("net.safetensors")).unwrap();
    desk.put("hardware.toml", b"[pcsa]\nwindow_ns = 300");
    desk.generate().expect(0);
}

#[test]
fn places_to_write() {
    let desk = Desk::new();
    let [net, file, below] = ["net.safetensors", "hardware.toml", "hardware.toml/build"].map(|n| desk.path(n));
    refused(hafnia(args!["generate", net, "-o", below]), &["hardware.toml", "cannot"]);
    // A file that is no build directory stays what it is.
    desk.put("hardware.toml", b"readout = 'sa'");
    refused(hafnia(args!["generate", net, "-o", file]), &["hardware.toml"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"readout = 'sa'");
    // So does a folder with something else in it.
    let folder = desk.path("precious");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("thesis.tex"), "42").unwrap();
    refused(hafnia(args!["generate", net, "-o", folder]), &["precious", "no build directory", "choose another"]);
    assert_eq!(std::fs::read_to_string(folder.join("thesis.tex")).unwrap(), "42");
    // An empty one may be filled, an older build replaced, and a failed attempt leaves that alone.
    std::fs::remove_file(folder.join("thesis.tex")).unwrap();
    hafnia(args!["generate", net, "-o", folder]).expect(0);
    let before = common::tree(&folder);
    desk.put("hardware.toml", b"[array]\ninputs = 0");
    refused(hafnia(args!["generate", net, "-o", folder, "--hardware", file]), &["array.inputs"]);
    assert_eq!(common::tree(&folder), before);
    assert_eq!(desk.names(), ["hardware.toml", "net.safetensors", "precious"]);
}

#[test]
fn data_and_build_directories() {
    let desk = Desk::new();
    desk.generate().expect(0);
    let build = desk.path("build");
    refused(hafnia(args!["verify", build]), &["digits", "[8, 8]", "[4]"]);
    refused(hafnia(args!["verify", build, "--dataset", "minst"]), &["did you mean `mnist`?"]);
    refused(hafnia(args!["verify", build, "--dataset", "none.npy"]), &["none.npy"]);
    refused(hafnia(args!["verify", desk.path("nowhere")]), &["nowhere", "no build directory"]);
    let mut bare = command(args!["verify", build, "--dataset", "mnist"]);
    refused(ended(bare.env_remove("HAFNIA_DATA")), &["HAFNIA_DATA"]);
    std::fs::write(build.join("manifest.json"), "{").unwrap();
    refused(hafnia(args!["verify", build]), &["manifest.json", "hafnia generate"]);

    // Bipolar codes are bits; other bytes mean that the data is not what the network was trained on.
    let mut file = File::good();
    file.topology["input"]["code"] = "bipolar".into();
    desk.put("net.safetensors", &file.bytes());
    let npy = desk.path("images.npy");
    ndarray_npy::write_npy(&npy, &ndarray::arr2(&[[0u8, 1, 1, 0], [0, 1, 255, 0]])).unwrap();
    refused(hafnia(args!["eval", desk.path("net.safetensors"), "--dataset", npy]), &["images.npy", "image 1", "255"]);
    refused(
        hafnia(args!["eval", desk.path("net.safetensors"), "--dataset", npy, "--first", "2"]),
        &["images.npy", "2"],
    );
}

/// One protobuf field of bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2, bytes.len() as u8], bytes].concat()
}

#[test]
fn models() {
    let desk = Desk::new();
    let shape = field(2, &field(1, &[0x08, 4]));
    let tensor = field(2, &field(1, &[&[0x08, 1][..], &shape].concat()));
    let input = [field(1, b"x"), tensor].concat();
    let node = [field(1, b"x"), field(2, b"y"), field(3, b"odd"), field(4, b"Frobnicate")].concat();
    let graph = [field(1, &node), field(11, &input), field(12, &field(1, b"y"))].concat();
    desk.put("model.onnx", &field(7, &graph));
    let import = |name: &str| hafnia(args!["import", desk.path(name), "-o", desk.path("new.safetensors")]);
    refused(import("model.onnx"), &["model.onnx", "Frobnicate", "odd"]);
    desk.put("model.onnx", &field(7, &graph)[..30]);
    refused(import("model.onnx"), &["model.onnx", "cut short"]);
    refused(import("none.onnx"), &["none.onnx"]);
    assert!(!desk.path("new.safetensors").exists());
}

/// Tools that are not there or too old are no fault of the input: exit code 3.
#[cfg(unix)]
#[test]
fn simulators() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.generate().expect(0);
    let npy = desk.path("images.npy");
    ndarray_npy::write_npy(&npy, &ndarray::arr2(&[[0u8, 1, 2, 3]])).unwrap();
    let verify = |simulator: &str, path: &Path| {
        let args = args!["verify", desk.path("build"), "--dataset", npy, "--json", "--simulator", simulator];
        let ended = ended(command(args).env("PATH", path)).expect(3);
        assert_eq!(ended.stdout, "");
        ended.stderr
    };
    let bin = desk.path("bin");
    std::fs::create_dir(&bin).unwrap();
    for (simulator, program) in [("verilator", "verilator"), ("icarus", "iverilog")] {
        let said = verify(simulator, &bin);
        assert!(
            said.contains(program) && said.contains("not on the PATH") && said.contains("apt-get install"),
            "{said}"
        );
    }
    let old = bin.join("verilator");
    std::fs::write(&old, "#!/bin/sh\necho 'Verilator 4.0 2018-09-16 rev v4.0'\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = verify("verilator", &bin);
    assert!(said.contains("too old") && said.contains("4.0") && said.contains("5.006"), "{said}");
}

#[test]
fn wrong_use() {
    for args in [
        &["frobnicate"][..],
        &["verify"],
        &["verify", "x", "--seed", "0"],
        &["verify", "x", "--window", "0"],
        &["verify", "x", "--precharge", "4096"],
        &["eval", "x", "--scores", "s.npy"],
    ] {
        let ended = hafnia(args).expect(2);
        assert!(ended.stdout.is_empty() && ended.stderr.contains("--help"), "{ended:?}");
    }
    hafnia(["--help"]).expect(0);
    hafnia(["--version"]).expect(0);
}
