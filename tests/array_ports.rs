//! A black box in `rtl/stub/` stands in for the model of the same name in `rtl/array/`, so both have the same parameters
//! and ports.

use std::collections::BTreeMap;
use std::path::Path;

/// For every module in a folder below `rtl/`: its parameters and ports, one a line.
fn headers(folder: &str) -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtl").join(folder);
    let mut out = BTreeMap::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = without_comments(&std::fs::read_to_string(&path).unwrap());
        for module in text.split("\nmodule ").skip(1) {
            let (name, rest) = module.split_once([' ', '\n']).unwrap();
            let (header, _) = rest.split_once(");").unwrap_or_else(|| panic!("{}: no `);`", path.display()));
            let words = header.split_whitespace().collect::<Vec<_>>().join(" ");
            out.insert(name.to_string(), words.split(", ").map(str::to_string).collect());
        }
    }
    out
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn black_boxes_have_the_ports_of_their_models() {
    let (stubs, mut models) = (headers("stub"), headers("array"));
    // A behavioral bank stands for a grid of the library.
    models.retain(|name, _| !name.starts_with("hf_bank_"));
    assert!(!stubs.is_empty());
    assert_eq!(stubs.keys().collect::<Vec<_>>(), models.keys().collect::<Vec<_>>());
    for (name, stub) in &stubs {
        assert!(stub.len() > 10, "{name}: {stub:?}");
        assert_eq!(stub, &models[name], "rtl/stub/{name}.sv against rtl/array/{name}.sv");
    }
}
