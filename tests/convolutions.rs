//! Convolutional networks that others trained, and those of the papers at full size.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{data, hafnia, python};
use hafnia::network::{self, Activation, Conv, Input, InputCode, Layer, Network, Normalize, Op, WeightKind, Weights};
use ndarray::{Array2, Array4, s};
use ndarray_npy::read_npy;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// BNN-PYNQ's CNV as a hafnia network, and arrays of its file as .npy: `hw_images`, `hw_scores`, `scores`.
fn cnv(folder: &Path) -> Option<PathBuf> {
    let python = python("BNN-PYNQ's convolutional network")?;
    let npz = data("bnn-pynq")?.join("cnv_w1a1_cifar10.npz");
    let net = folder.join("cnv.safetensors");
    run(Command::new(python).arg(example("bnn_pynq_to_hafnia.py")).args([&npz, &net]));
    let unpack = "import sys, numpy as np\nf = np.load(sys.argv[1])\n\
                  for k in ['hw_images', 'hw_scores', 'scores']: np.save(f'{sys.argv[2]}/{k}.npy', f[k])";
    run(Command::new(python).args(["-c", unpack]).args([&npz, &folder.to_path_buf()]));
    Some(net)
}

/// hafnia scores are sums over 512 inputs, those of the file popcounts: sum = 2 popcount - 512.
fn popcounts(scores: &Array2<i32>) -> Array2<i32> {
    scores.mapv(|s| (s + 512) / 2)
}

/// The scores that a real FPGA gave for four pictures, and those of the file for the first 500 test images.
#[test]
fn cnv_scores_are_those_of_its_authors() {
    let folder = tempfile::tempdir().unwrap();
    let Some(net) = cnv(folder.path()) else { return };
    let toml = folder.path().join("hardware.toml");
    std::fs::write(&toml, "readout = \"pcsa\"\n").unwrap();
    let scores = |dataset: &Path, more: &[&str]| -> Array2<i32> {
        let out = folder.path().join("out.npy");
        let args = args!["eval", net, "--hardware", toml, "--dataset", dataset, "--scores", out];
        hafnia(args.iter().map(|a| a.as_os_str()).chain(more.iter().map(|m| std::ffi::OsStr::new(*m)))).expect(0);
        read_npy(out).unwrap()
    };
    let images = folder.path().join("hw_images.npy");
    let pictures: Array4<u8> = read_npy(&images).unwrap();
    assert_eq!(pictures.dim(), (4, 3, 32, 32));
    let expected: Array2<i16> = read_npy(folder.path().join("hw_scores.npy")).unwrap();
    assert_eq!(popcounts(&scores(&images, &[])), expected.mapv(i32::from));
    if data("cifar10").is_some() {
        let expected: Array2<i16> = read_npy(folder.path().join("scores.npy")).unwrap();
        let got = popcounts(&scores(Path::new("cifar10"), &["--images", "500"]));
        assert_eq!(got, expected.slice(s![..500, ..]).mapv(i32::from));
    }
}

/// All layers of one picture at RTL.
#[test]
#[ignore = "minutes: builds the model of a network of 760 arrays"]
fn cnv_at_rtl() {
    let folder = tempfile::tempdir().unwrap();
    let Some(net) = cnv(folder.path()) else { return };
    let hardware = "readout = \"pcsa\"\n[array]\noutputs = 16\n[digital]\ninputs_at_once = 27\n";
    let build = common::generate(folder.path(), &net, hardware);
    let images = folder.path().join("hw_images.npy");
    let args = args!["verify", build, "--dataset", images, "--stalled", "1", "--resets", "1", "--json"];
    let json = hafnia(args).expect(0).json();
    assert_eq!(
        (&json["mismatches"], &json["cycles_equal"], &json["plan_is_exact"]),
        (&0.into(), &true.into(), &true.into())
    );
    // Outputs of every layer, the scores and the class, and both again at the stream.
    let maps = 64 * (900 + 196) + 128 * (144 + 25) + 256 * (9 + 1) + 512 + 512 + 10;
    assert_eq!(json["compared"], 4 * (maps + 11 + 11));
}

/// A stride that leaves the second row out: the result is there before that row is, and a reset in between takes the row.
#[test]
fn a_reset_behind_the_result_of_a_map_that_is_not_all_used() {
    let conv = |name: &str, stride| {
        let weights = Weights { kind: WeightKind::Bipolar, values: Array2::ones((1, 1)), scale: vec![1.0] };
        let op = Op::Conv(Conv { stride, ..Conv::new([1, 1]) });
        let sign = Activation::Bipolar { threshold: vec![0.0] };
        Layer::new(name, op, weights, vec![0.0], Normalize::None, sign)
    };
    let weights = Weights { kind: WeightKind::Bipolar, values: Array2::ones((1, 13)), scale: vec![1.0] };
    let last = Layer::new("l2", Op::Dense, weights, vec![0.0], Normalize::None, Activation::Scores);
    let input = Input { shape: vec![2, 13], code: InputCode::Bipolar };
    let network = Network::new("rows", input, vec![conv("l0", [1, 1]), conv("l1", [3, 1]), last]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (net, images) = (folder.path().join("rows.safetensors"), folder.path().join("images.npy"));
    network::save(&network, &net).unwrap();
    ndarray_npy::write_npy(&images, &Array2::from_shape_fn((4, 26), |(n, i)| ((n + i) % 2) as u8)).unwrap();
    let build = common::generate(folder.path(), &net, "");
    for seed in 1..=8 {
        let args =
            args!["verify", build, "--dataset", images, "--simulator", "icarus", "--stalled", "4", "--resets", "3"];
        hafnia(args.iter().chain(&args!["--seed", seed.to_string()])).expect(0);
    }
}

/// While weights come over the bus, or counts of the sense registers, the first window passes the padding above the image: it comes that
/// much earlier than after a reset. A row of 6 padded positions and one of the next row; a register takes two cycles.
#[test]
fn an_image_behind_accesses_of_the_bus_finds_the_padding_passed() {
    let weights = |neurons, inputs| {
        let values = Array2::from_shape_fn((neurons, inputs), |(n, i)| 1 - 2 * ((n * 3 + i * i) / 2 % 2) as i8);
        Weights { kind: WeightKind::Bipolar, values, scale: vec![1.0; neurons] }
    };
    let op = Op::Conv(Conv { pad: [1, 1, 1, 1], ..Conv::new([3, 3]) });
    let sign = Activation::Bipolar { threshold: vec![0.0; 2] };
    let first = Layer::new("l0", op, weights(2, 9), vec![0.0; 2], Normalize::None, sign);
    let last = Layer::new("l1", Op::Dense, weights(3, 32), vec![0.0; 3], Normalize::None, Activation::Scores);
    let input = Input { shape: vec![1, 4, 4], code: InputCode::Bipolar };
    let network = Network::new("padded", input, vec![first, last]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (net, images) = (folder.path().join("padded.safetensors"), folder.path().join("images.npy"));
    network::save(&network, &net).unwrap();
    ndarray_npy::write_npy(&images, &Array2::from_shape_fn((4, 16), |(n, i)| ((n + i * i) % 3 / 2) as u8)).unwrap();
    let build = common::generate(folder.path(), &net, "[program]\nset_ns = 20\nreset_ns = 20\n[stream]\nbits = 8\n");
    let verify_in = |simulator: &str, more: &[&str]| {
        let args = args!["verify", build.clone(), "--dataset", images.clone(), "--simulator", simulator, "--json"];
        hafnia(args.into_iter().chain(more.iter().map(std::ffi::OsString::from))).expect(0).json()
    };
    let verify = |more: &[&str]| verify_in("icarus", more);
    for simulator in ["icarus", "verilator"] {
        for counts in [&["--window", "8"][..], &["--window", "8", "--precharge", "3"]] {
            let json = verify_in(simulator, counts);
            assert_eq!((&json["cycles_equal"], &json["mismatches"]), (&true.into(), &0.into()), "{counts:?}");
        }
    }
    // The largest seed there is.
    verify_in("verilator", &["--seed", "2147483647"]);
    let (plain, loaded) = (verify(&[]), verify(&["--load", "bus"]));
    let cycles = |json: &serde_json::Value, key: &str| json[key].as_u64().unwrap();
    for json in [&plain, &loaded] {
        assert_eq!(cycles(json, "first_latency_predicted"), cycles(json, "first_latency_counted"));
    }
    let [plain, loaded] = [plain, loaded].map(|json| cycles(&json, "first_latency_counted"));
    assert!(loaded < plain && plain - loaded <= 7, "{plain} after a reset, {loaded} behind the weights");
}

/// Blocks of the papers' networks at full size (input-splitting, tables I and II), planned in a blink.
#[test]
fn the_papers_networks_have_the_papers_blocks() {
    let Some(python) = python("the papers' networks") else { return };
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("hardware.toml");
    for (name, inputs, expected) in [
        ("mlp", 512, vec![2, 4, 4, 4]),
        ("mlp", 256, vec![4, 8, 8, 8]),
        ("mlp", 128, vec![7, 16, 16, 16]),
        ("cnn", 512, vec![1, 3, 3, 6, 6, 9, 16, 2, 2]),
        ("cnn", 256, vec![1, 6, 6, 9, 9, 18, 32, 4, 4]),
        ("cnn", 128, vec![1, 9, 9, 18, 18, 36, 64, 8, 8]),
    ] {
        let net = folder.path().join(name).with_extension("safetensors");
        if !net.exists() {
            run(Command::new(python).arg(example("papers_networks.py")).arg(name).arg(&net));
        }
        std::fs::write(&toml, format!("readout = \"sa\"\n[array]\ninputs = {inputs}\n")).unwrap();
        let json = hafnia(args!["plan", net, "--hardware", toml, "--json"]).expect(0).json();
        let splits = |layer: &serde_json::Value| {
            let readout = &layer["readout"];
            let sa = readout["sa"]["block_sizes"].as_array().map(Vec::len);
            sa.or(readout["pcsa"]["column_tiles"].as_u64().map(|n| n as usize)).unwrap_or(1)
        };
        let got: Vec<usize> = json["layers"].as_array().unwrap().iter().map(splits).collect();
        assert_eq!(got, expected, "{name} at {inputs}");
    }
}
