//! A study from recipe to table, on the digits and small layers.

use std::path::Path;
use std::process::{Child, Command, Stdio};

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hafnia-train"));
    command.args(["study", "mnist_splitting", "-o", folder.to_str().unwrap()]);
    for set in ["data.set=digits", "data.shift=0", "train.epochs=6", "train.batch=64"] {
        command.args(["--set", set]);
    }
    for layer in 0..3 {
        command.args(["--set", &format!("layers.{layer}.neurons=300")]);
    }
    command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The table, and the pieces that were worked on.
fn end(process: Child) -> (String, Vec<String>) {
    let out = process.wait_with_output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{said}");
    let begun = said.lines().filter_map(|l| l.split_once("/47 ")).map(|(_, key)| key.into()).collect();
    (String::from_utf8(out.stdout).unwrap(), begun)
}

#[test]
fn two_processes_write_a_studys_table_and_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let both = [start(folder.path()), start(folder.path())].map(end);
    let table = &both[0].0;
    assert_eq!(&both[1].0, table);
    // Each piece once, by one or the other.
    let mut begun: Vec<&String> = both.iter().flat_map(|(_, begun)| begun).collect();
    begun.sort();
    let count = begun.len();
    begun.dedup();
    assert_eq!((begun.len(), count), (47, 47));

    let accuracy = |series: &str, x: &str| -> f64 {
        let series = if series.contains(',') { format!("\"{series}\"") } else { series.into() };
        let start = format!("{series},{x},1,");
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
    assert!(table.contains("256: retrained,1,1,") && table.lines().any(|l| l.contains(",98.7,")));
    assert!(std::fs::read_to_string(folder.path().join("mnist_splitting.svg")).unwrap().contains("Lloyd-Max"));

    // What has a result is not done again; what has none is.
    let path = folder.path().join("mnist_splitting.csv");
    let settings = "data.set=digits data.shift=0 train.epochs=6 train.batch=64 layers.0.neurons=300";
    assert!(table.lines().skip(1).all(|l| l.contains(settings)), "{table}");
    let emptied: Vec<String> =
        table
            .lines()
            .map(|l| {
                if l.starts_with("128: linear") { l[..l.rfind(",1,").unwrap() + 3].to_string() + "," } else { l.into() }
            })
            .collect();
    std::fs::write(&path, emptied.join("\n")).unwrap();
    let trained = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().modified().unwrap();
    let before = trained("mnist_mlp.safetensors");
    let (again, begun) = end(start(folder.path()));
    assert_eq!(&again, table);
    assert_eq!(begun, [1, 2, 3, 4, 5, 6].map(|bits| format!("128: linear @ {bits}")));
    assert_eq!(trained("mnist_mlp.safetensors"), before);

    // Rows that other options made stay; those that other settings made are not passed off as these.
    std::fs::write(&path, format!("{table}7: retrained,1,1,50.00,,\n")).unwrap();
    assert!(end(start(folder.path())).0.ends_with("7: retrained,1,1,50.00,,\n"));
    let picture = std::fs::read_to_string(path.with_extension("svg")).unwrap();
    assert!(picture.contains(">7 inputs an array<"), "the picture is of all rows");
    std::fs::write(&path, table.replace("train.epochs=6", "train.epochs=5")).unwrap();
    let refused = |expected: &str| {
        let out = start(folder.path()).wait_with_output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.code() == Some(2) && said.contains(expected), "{said}");
    };
    refused("was made with the settings `data.set=digits data.shift=0 train.epochs=5 ");
    std::fs::remove_file(&path).unwrap();
    let (epochs, other) = ("\"epochs\": 6,\n      \"batch\"", "\"epochs\": 5,\n      \"batch\"");
    let summary = folder.path().join("mnist_mlp.json");
    let text = std::fs::read_to_string(&summary).unwrap();
    std::fs::write(&summary, text.replace(epochs, other)).unwrap();
    refused("mnist_mlp.json: its network comes from another recipe (train.epochs: then 5, now 6)");
    std::fs::write(&summary, text).unwrap();

    // One network that fails, here because it started from another one than now, does not keep the others.
    let summary = folder.path().join("mnist_mlp_256.json");
    let text = std::fs::read_to_string(&summary).unwrap();
    let (own, origin) = text.split_at(text.rfind(epochs).unwrap());
    std::fs::write(&summary, own.to_string() + &origin.replace(epochs, other)).unwrap();
    refused("mnist_mlp_256.json: it started from a network of another recipe (train.epochs: then 5, now 6)");
    let row = table.lines().find(|l| l.starts_with("256: retrained")).unwrap();
    let left = std::fs::read_to_string(&path).unwrap();
    assert_eq!(left, table.replace(row, "256: retrained,1,1,,98.7,"));
}

#[test]
fn a_table_that_does_not_read_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mnist_splitting.csv");
    let head = "series,bits_of_a_partial_sum,run,accuracy_percent,paper_percent,settings\n";
    for (text, expected) in [
        (format!("{head}whole,0,1,ninety,98.8,\n"), "row whole, 0, 1 has the accuracy `ninety`: correct it"),
        ("whole,0,1,98.00,98.8,\n".into(), "does not begin with the line `series,bits_of_a_partial_sum,run,"),
        (
            format!("{head}7: linear,1,1,90.00,,\n7: linear,1,1,91.00,,\n"),
            "row 7: linear, 1, 1 is there twice: delete one",
        ),
    ] {
        std::fs::write(&path, &text).unwrap();
        let out = start(folder.path()).wait_with_output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(said.contains(&format!("mnist_splitting.csv: {expected}")), "{said}");
        assert_eq!(out.status.code(), Some(2));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
