//! A study from recipe to table, on the digits and small layers.

use std::path::Path;
use std::process::Command;

fn study(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hafnia-train"));
    command.args(["study", "mnist_splitting", "-o", folder.to_str().unwrap()]);
    for set in ["data.set=digits", "data.shift=0", "train.epochs=6", "train.batch=64"] {
        command.args(["--set", set]);
    }
    for layer in 0..3 {
        command.args(["--set", &format!("layers.{layer}.neurons=300")]);
    }
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn a_study_writes_its_table_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let table = study(folder.path());
    let accuracy = |series: &str, x: &str| -> f64 {
        let start = format!("\"{series}\",{x},1,");
        let line = table.lines().find(|l| l.starts_with(&start)).unwrap_or_else(|| panic!("{start} in {table}"));
        line[start.len()..].split(',').next().unwrap().parse().unwrap()
    };
    let whole = accuracy("whole", "0");
    assert!(whole > 80.0, "{table}");
    // 300 inputs fit an array of 512: nothing is split, so that both mappings change nothing.
    assert_eq!(accuracy("512: mapped, shift", "1"), whole);
    assert_eq!(accuracy("512: mapped, literal", "1"), whole);
    assert_eq!(accuracy("512: Lloyd-Max", "1"), whole);
    // On arrays of 128 they are: 5 blocks of 60. Six bits hold nearly every sum of 60.
    assert!((accuracy("128: linear", "6") - whole).abs() < 1.0, "{table}");
    assert!(accuracy("128: retrained", "1") > 80.0, "{table}");
    assert!(accuracy("whole, trained on", "0") > 80.0, "{table}");
    assert!(table.contains("\"256: retrained\",1,1,") && table.lines().any(|l| l.ends_with(",98.7")));
    assert!(std::fs::read_to_string(folder.path().join("mnist_splitting.svg")).unwrap().contains("Lloyd-Max"));

    // What has a result is not done again; what has none is.
    let ledger = folder.path().join("mnist_splitting.jsonl");
    let lines = std::fs::read_to_string(&ledger).unwrap();
    let kept: Vec<&str> = lines.lines().filter(|l| !l.contains("128: linear")).collect();
    std::fs::write(&ledger, kept.join("\n")).unwrap();
    let trained = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().modified().unwrap();
    let before = trained("mnist_mlp.safetensors");
    assert_eq!(study(folder.path()), table);
    assert_eq!(trained("mnist_mlp.safetensors"), before);
}
