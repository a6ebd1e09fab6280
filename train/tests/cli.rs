//! The command line, from outside.

use std::path::Path;
use std::process::{Command, Output};

use ndarray::Array;
use ndarray_npy::WriteNpyExt;

fn hafnia_train(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hafnia-train")).args(args).output().unwrap()
}

const TINY: [&str; 6] = ["--set", "train.epochs=2", "--set", "layers.0.neurons=16", "--set", "layers.1.neurons=16"];

#[test]
fn a_run_writes_network_and_curve_and_removes_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (net, curve) = (path("tiny.safetensors"), path("tiny.csv"));
    let args = ["run", "digits_ternary", "-o", &net, "--curve", &curve, "--checkpoint-every", "1", "--json"];
    let out = hafnia_train(&[&args[..], &TINY].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(summary["held_out_images"], 599);
    assert_eq!(summary["held_out_right"], summary["held_out_right_integer"]);
    assert_eq!(hafnia::network::load(net.as_ref()).unwrap().layers[0].neurons(), 16);
    assert_eq!(std::fs::read_to_string(&curve).unwrap().lines().count(), 3);
    assert!(std::fs::read_to_string(path("tiny.svg")).unwrap().contains("held out"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no checkpoint is left");
}

#[test]
fn wrong_use_exits_with_2_and_says_what_to_do() {
    let refused = |args: &[&str], expected: &str| {
        let out = hafnia_train(args);
        let message = String::from_utf8_lossy(&out.stderr).to_string();
        assert_eq!(out.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    };
    let run = ["run", "digits_binary", "-o", "x.safetensors"];
    refused(&[&run[..], &["--set", "train.epoch=1"]].concat(), "did you mean `epochs`?");
    refused(&["run", "digits_binary", "-o", "no/such/x.safetensors"], "there is no folder no/such; make it first");
    refused(&[&run[..], &["--resume"]].concat(), "to start anew, leave out --resume or --from");
    let written = ["run", "digits_binary", "-o"];
    refused(&[&written[..], &["x.checkpoint"]].concat(), "x.checkpoint: two of network, checkpoint,");
    refused(&[&written[..], &["x", "--curve", "c.svg"]].concat(), "c.svg: two of network, checkpoint,");
    refused(
        &[&run[..], &["--keep-checkpoint", "--checkpoint-every", "0"]].concat(),
        "cannot be kept, as none is written",
    );
    refused(&[&run[..], &["--seed", "9223372036854775808"]].concat(), "invalid value '9223372036854775808'");
    let conv = ["--set", "layers.0.op=conv", "--set", "layers.1.op=conv", "--set", "layers.2.op=conv"];
    refused(&[&run[..], &conv].concat(), "layers.2 gives 4 positions; the last layer gives one score a class");
    refused(&["study", "vgg_sizes", "--rates", "0.1"], "has no --rates; it takes --set, --sizes, --runs");
    refused(&["run", "zzz", "-o", "x.safetensors"], "shipped: digits_binary, digits_ternary,");
}

#[test]
fn show_prints_a_recipe_that_reads_back() {
    let out = hafnia_train(&["show", "digits_binary", "--seed", "7"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("again.toml");
    std::fs::write(&file, &out.stdout).unwrap();
    assert_eq!(hafnia_train(&["show", file.to_str().unwrap()]).stdout, out.stdout);
    assert!(String::from_utf8_lossy(&out.stdout).contains("seed = 7"));
    let json = |args: &[&str]| serde_json::from_slice::<serde_json::Value>(&hafnia_train(args).stdout).unwrap();
    assert_eq!(json(&["show", "digits_binary", "--seed", "7", "--json"])["seed"], 7);
    assert_eq!(json(&["recipes", "--json"])[0], "digits_binary");
    assert_eq!(json(&["study", "--json"])[0]["name"], "mnist_splitting");
}

fn save(path: &Path, array: &impl WriteNpyExt) {
    array.write_npy(std::fs::File::create(path).unwrap()).unwrap();
}

const OWN: &str = r#"
name = "own"
seed = 1
input = { affine = [1, 0] }
data = { set = "arrays" }
quantize = { weights = "ternary", activations = "bipolar" }
layers = [{ name = "fc1", neurons = 24 }, { name = "fc2", neurons = 3 }]
train = { epochs = 20, batch = 10, learning_rate = 0.02, loss = "cross_entropy", temperature = 8.0, init = 0.5 }
"#;

#[test]
fn a_set_of_ones_own_is_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Class c has its three of nine values at 9, the others at a value of 0 to 2 that the image sets.
    let image = |i: usize| (0..9).map(move |k| if k / 3 == i % 3 { 9 } else { (i / 3 % 3) as u8 });
    for (part, count) in [("train", 60), ("test", 12)] {
        let images: Vec<u8> = (0..count).flat_map(image).collect();
        save(&at(&format!("{part}.npy")), &Array::from_vec(images).into_shape_with_order([count, 9]).unwrap());
        let labels: Vec<u8> = (0..count).map(|i| i as u8 % 3).collect();
        save(&at(&format!("{part}.labels.npy")), &Array::from_vec(labels));
    }
    std::fs::write(at("own.toml"), OWN).unwrap();
    let text = |name: &str| at(name).to_str().unwrap().to_string();
    let (recipe, net, dir) = (text("own.toml"), text("own.safetensors"), folder.path().to_str().unwrap());
    let run = ["run", &recipe, "-o", &net, "--data", dir, "--json"];
    let out = hafnia_train(&run);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let right = ["train_images", "held_out_images", "held_out_right", "held_out_right_integer"].map(|k| &summary[k]);
    assert_eq!(right, [60, 12, 12, 12]);
    let network = hafnia::network::load(net.as_ref()).unwrap();
    hafnia::data::open("arrays", Some(folder.path())).unwrap().check_fits(&network.input.shape).unwrap();

    let refused = |set: &[&str], expected: &str| {
        let out = hafnia_train(&[&run[..], set].concat());
        let message = String::from_utf8_lossy(&out.stderr).to_string();
        assert_eq!(out.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    };
    refused(&["--set", "layers.1.neurons=10"], "layers.1.neurons is 10, but the data set has 3 classes");
    refused(&["--set", "data.flip=true"], "vectors, without rows and columns; leave out data.shift, data.flip");
    refused(&["--set", "data.side=4"], "leave out data.side");
    save(&at("test.npy"), &Array::<u8, _>::zeros([12, 8]));
    refused(&[], "arrays: training images have shape [9, 1, 1], test images [8, 1, 1]");
}
