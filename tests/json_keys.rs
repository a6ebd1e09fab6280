//! The keys of every command's `--json`, as snapshots: scripts rely on them. `docs/json.md` names each one.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{generate, hafnia, network};
use serde_json::Value;

/// Paths of all keys with the kinds of their values; a list stands for its first entry.
fn keys(value: &Value, at: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let kind = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "bool",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "list",
                    Value::Object(_) => "object",
                };
                out.insert(format!("{path}: {kind}"));
                keys(value, &path, out);
            }
        }
        Value::Array(list) => list.iter().take(1).for_each(|v| keys(v, &format!("{at}[]"), out)),
        _ => {}
    }
}

fn listed(json: &Value) -> String {
    let mut out = BTreeSet::new();
    keys(json, "", &mut out);
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    for path in &out {
        let path = path.split(':').next().unwrap();
        let key = path.rsplit('.').next().unwrap();
        assert!(page.contains(&format!("`{key}`")), "docs/json.md does not name `{key}` ({path})");
    }
    out.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn info() {
    insta::assert_snapshot!(listed(&hafnia(args!["info", network("digits_ternary"), "--json"]).expect(0).json()));
}

#[test]
fn eval() {
    let args = args!["eval", network("digits_binary"), "--images", "3", "--json"];
    insta::assert_snapshot!(listed(&hafnia(args).expect(0).json()));
}

#[test]
fn plan() {
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("h.toml");
    std::fs::write(&toml, "readout = 'sa'\n[layer.fc1]\nreadout = 'digital'").unwrap();
    let json = hafnia(args!["plan", network("digits_ternary"), "--hardware", toml, "--json"]).expect(0).json();
    let mut text = String::new();
    // The layers differ in kind.
    for layer in json["layers"].as_array().unwrap() {
        text += &format!("layer {}\n{}\n\n", layer["name"], listed(layer));
    }
    insta::assert_snapshot!(text + &listed(&json));
}

#[test]
fn generate_and_verify() {
    let folder = tempfile::tempdir().unwrap();
    let (net, build) = (network("digits_binary"), folder.path().join("b"));
    let json = hafnia(args!["generate", net, "-o", build, "--json"]).expect(0).json();
    insta::assert_snapshot!("generate", listed(&json));
    let build = generate(folder.path(), &net, "");
    let common = args!["verify", build, "--simulator", "icarus", "--images", "1", "--stalled", "1", "--json"];
    insta::assert_snapshot!("verify", listed(&hafnia(&common).expect(0).json()));
    let trimmed = hafnia(common.iter().chain(&args!["--window", "8"])).expect(0).json();
    insta::assert_snapshot!("verify_trimmed", listed(&trimmed));
    let text = hafnia(common[..common.len() - 1].iter().chain(&args!["--window", "8"])).expect(0).stdout;
    assert!(!text.contains("NOT EQUAL"), "{text}");
    let block = build.join("rtl/hf_class_scores.sv");
    let text = std::fs::read_to_string(&block).unwrap();
    std::fs::write(&block, text.replace("score > best_score_q", "score < best_score_q")).unwrap();
    insta::assert_snapshot!("verify_failed", listed(&hafnia(&common).expect(1).json()));
}
