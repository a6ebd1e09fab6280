//! Few-shot memories from a hardware file to co-simulation: both readouts, refused commands, a planted fault.

mod common;

use std::path::Path;

use common::{generate, hafnia, network};

/// The digits' ten scores are the features: a small controller of a small memory.
fn build(folder: &Path, memory: &str) -> std::path::PathBuf {
    generate(folder, &network("digits_binary"), &format!("[memory]\n{memory}"))
}

macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$(std::ffi::OsString::from($arg)),*] };
}

#[test]
fn episodes_hold_in_every_readout() {
    let memories = [
        "keys = 7\nclasses = 4\narray = { inputs = 4, outputs = 3 }",
        "keys = 16\nclasses = 3\narray = { outputs = 2 }\nwhen_full = 'overwrite'",
        "keys = 13\nclasses = 3\narray = { inputs = 4, outputs = 2 }\nfold = { columns_per_amplifier = 2 }\nscore = 'mean'",
        "keys = 7\nclasses = 4\nreadout = 'adc'\narray = { inputs = 4, outputs = 4 }\nadc = { bits = 3, columns_per_adc = 2 }",
        "keys = 13\nclasses = 3\nreadout = 'adc'\narray = { inputs = 3, outputs = 4, columns = 'single' }\nadc = { bits = 2 }\nfold = { sensed_at_once = 2 }",
        "keys = 6\nclasses = 5\nreadout = 'adc'\nsharpening = 'plain'\nadc = { bits = 4, conversion_ns = 30, negative_inputs = 'negative_voltage' }",
    ];
    for memory in memories {
        let folder = tempfile::tempdir().unwrap();
        let build = build(folder.path(), memory);
        let episodes = args!["--episodes", "2", "--way", "3", "--shots", "2", "--queries", "1", "--stalled", "9"];
        let mut all = args!["verify", build, "--simulator", "icarus", "--json"];
        all.extend(episodes);
        let json = hafnia(all).expect(0).json();
        let few_shot = &json["few_shot"];
        // Two episodes of six keys and three queries, each of which meets six keys.
        for (key, want) in [("learns", 12), ("queries", 6), ("judged", 6), ("refused", 0), ("similarities", 36)] {
            assert_eq!(few_shot[key], want, "{key}: {memory}");
        }
        assert_eq!((&json["mismatches"], &few_shot["cycles_differ"]), (&0.into(), &0.into()), "{memory}");
        assert_eq!(json["stalled"]["resets"], 3, "{memory}");
    }
}

/// Empty, label out of range, two keys, full, erase with a learn, and again.
#[test]
fn refused_commands_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let build = build(folder.path(), "keys = 2\nclasses = 2");
    let list = folder.path().join("commands.json");
    let learn = |label: u16| format!(r#"{{"image":{label},"learn":true,"label":{label}}}"#);
    let ask = r#"{"image":5}"#.to_string();
    let erase = r#"{"image":6,"learn":true,"label":1,"erase":true}"#.to_string();
    let lines = [ask.clone(), learn(2), learn(0), learn(1), learn(0), ask.clone(), erase, ask];
    std::fs::write(&list, format!("[{}]", lines.join(","))).unwrap();
    let json = hafnia(args!["verify", build, "--simulator", "icarus", "--commands", list, "--json"]).expect(0).json();
    let few_shot = &json["few_shot"];
    for (key, want) in [("learns", 5), ("queries", 3), ("refused", 3), ("similarities", 3)] {
        assert_eq!(few_shot[key], want, "{key}");
    }
}

/// Learns that need a second attempt, and slots that cannot hold every key.
#[test]
fn faulty_cells_of_the_key_memory() {
    let pcsa = r#"[{"layer":"keys","split":0,"tile":0,"line":0,"cell":1,"kind":"stuck_hrs"},
        {"layer":"keys","split":1,"tile":0,"line":1,"cell":0,"kind":"slow"},
        {"layer":"keys","split":1,"tile":0,"line":1,"cell":4,"kind":"slow"},
        {"layer":"keys","split":2,"tile":1,"line":0,"cell":4,"kind":"stuck_lrs"}]"#;
    let adc = r#"[{"layer":"keys","split":0,"tile":0,"line":1,"cell":0,"kind":"slow"},
        {"layer":"keys","split":1,"tile":0,"line":2,"cell":1,"kind":"slow"},
        {"layer":"keys","split":2,"tile":0,"line":0,"cell":3,"kind":"stuck_lrs"},
        {"layer":"keys","split":1,"tile":1,"line":1,"cell":0,"kind":"stuck_lrs"}]"#;
    let arrays = "keys = 7\nclasses = 4\nprogram = { attempts = 2 }\n";
    for (memory, faults) in [
        ("array = { inputs = 4, outputs = 3 }", pcsa),
        ("readout = 'adc'\narray = { inputs = 4, outputs = 4 }\nadc = { bits = 3, columns_per_adc = 2 }", adc),
        ("readout = 'adc'\narray = { inputs = 4, outputs = 4, columns = 'single' }\nadc = { bits = 3 }", adc),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let build = build(folder.path(), &format!("{arrays}{memory}"));
        let map = folder.path().join("faults.json");
        std::fs::write(&map, faults).unwrap();
        for arrays in ["grid", "bank"] {
            let mut all = args!["verify", build.clone(), "--simulator", "icarus", "--arrays", arrays, "--json"];
            all.extend(args!["--faults", map.clone()]);
            all.extend(args!["--episodes", "3", "--way", "3", "--shots", "2", "--queries", "1", "--stalled", "9"]);
            let json = hafnia(all).expect(0).json();
            let few_shot = &json["few_shot"];
            let count = |key: &str| few_shot[key].as_u64().unwrap();
            assert!(
                count("failed") > 0 && count("failed") < 18 && count("retries") > count("failed"),
                "{memory}: {json}"
            );
            assert_eq!((&json["mismatches"], &json["stalled"]["mismatches"]), (&0.into(), &0.into()), "{memory}");
            assert_eq!((&few_shot["cycles_differ"], &json["cycles_equal"]), (&0.into(), &true.into()), "{memory}");
        }
    }
}

/// The golden model alone answers episodes as the simulation did, with faults and without.
#[test]
fn eval_answers_episodes() {
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("hardware.toml");
    std::fs::write(&toml, "[memory]\nkeys = 7\nclasses = 4\narray = { inputs = 4, outputs = 3 }").unwrap();
    let map = folder.path().join("faults.json");
    std::fs::write(&map, r#"[{"layer":"keys","split":2,"tile":1,"line":0,"cell":0,"kind":"stuck_lrs"}]"#).unwrap();
    let net = network("digits_binary");
    let eval = |more: &[&str]| {
        let args = args!["eval", net.clone(), "--hardware", toml.clone(), "--way", "3", "--shots", "2", "--json"];
        hafnia(args.into_iter().chain(more.iter().map(std::ffi::OsString::from)))
    };
    let episodes = ["--episodes", "2", "--queries", "1"];
    let good = eval(&episodes).expect(0).json();
    let build = generate(folder.path(), &net, &std::fs::read_to_string(&toml).unwrap());
    let verify = args!["verify", build, "--simulator", "icarus", "--way", "3", "--shots", "2", "--json"];
    let simulated = hafnia(verify.into_iter().chain(episodes.map(std::ffi::OsString::from))).expect(0).json();
    for key in ["learns", "queries", "judged", "correct", "refused", "failed"] {
        assert_eq!(good["few_shot"][key], simulated["few_shot"][key], "{key}");
    }
    let map = map.to_str().unwrap();
    let faulty = eval(&[&episodes[..], &["--faults", map]].concat()).expect(0).json();
    assert!(faulty["few_shot"]["failed"].as_u64().unwrap() > 0, "{faulty}");
    let said = eval(&["--predictions", "p.npy"]).expect(2).stderr;
    assert!(said.contains("leave out --predictions"), "{said}");
    let said = hafnia(args!["eval", net, "--episodes", "2"]).expect(2).stderr;
    assert!(said.contains("a table [memory]"), "{said}");
}

#[test]
fn faults_of_cells_that_there_are_not_or_that_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let build = build(folder.path(), "keys = 2\nclasses = 2\nprogram = { attempts = 1 }");
    let verify = |fault: &str| {
        let map = folder.path().join("faults.json");
        std::fs::write(&map, format!("[{fault}]")).unwrap();
        hafnia(args!["verify", build.clone(), "--simulator", "icarus", "--way", "2", "--faults", map]).expect(2).stderr
    };
    let said = verify(r#"{"layer":"keys","split":0,"tile":0,"line":2,"cell":0,"kind":"stuck_hrs"}"#);
    assert!(said.contains("line 2 does not exist: layer \"keys\" has 2 there"), "{said}");
    let said = verify(r#"{"layer":"keys","split":0,"tile":0,"line":1,"cell":0,"kind":"slow"}"#);
    assert!(said.contains("ask for no resets"), "{said}");
    let said = verify(r#"{"layer":"fc2","split":0,"tile":0,"line":0,"cell":0,"kind":"slow"}"#);
    assert!(said.contains("layer \"fc2\": faults of a layer's cells matter where they are written"), "{said}");
}

#[test]
fn a_key_written_wrong_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let build = build(folder.path(), "keys = 4\nclasses = 4");
    let block = build.join("rtl/hf_keys_pcsa.sv");
    let text = std::fs::read_to_string(&block).unwrap();
    let fault = "assign target[t*2*Slice+c] = t * Slice + c == 3 ? 1'b1 : x_i[t*Slice+c];";
    let faulty = text.replacen("assign target[t*2*Slice+c] = x_i[t*Slice+c];", fault, 1);
    assert_ne!(faulty, text);
    std::fs::write(&block, faulty).unwrap();
    let args = args!["verify", build, "--simulator", "icarus", "--episodes", "2", "--way", "4", "--json"];
    let json = hafnia(args).expect(1).json();
    assert_eq!(json["first_mismatch"]["layer"], "keys");
    assert!(json["first_mismatch"]["note"].as_str().unwrap().contains("key memory"), "{json}");
}

#[test]
fn episodes_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let memory = build(folder.path(), "keys = 4\nclasses = 2");
    let said = hafnia(args!["verify", memory, "--simulator", "icarus", "--way", "3"]).expect(2).stderr;
    assert!(said.contains("3 ways and 1 shots do not fit a memory of 4 keys and 2 classes"), "{said}");
    let plain = tempfile::tempdir().unwrap();
    let plain = generate(plain.path(), &network("digits_binary"), "");
    let said = hafnia(args!["verify", plain.clone(), "--simulator", "icarus", "--episodes", "1"]).expect(2).stderr;
    assert!(said.contains("has no few-shot memory"), "{said}");
    let said = hafnia(args!["verify", plain, "--simulator", "icarus", "--queries", "1"]).expect(2).stderr;
    assert!(said.contains("has no few-shot memory"), "{said}");
}
