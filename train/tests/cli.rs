//! The command line, from outside.

use std::process::{Command, Output};

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
