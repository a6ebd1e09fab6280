//! Small random networks on random hardware through the whole flow: RTL in Icarus Verilog, and of a sample in Verilator,
//! equals the golden model, and both equal the hardware-free evaluation where the plan is exact.
//!
//! `HAFNIA_CASES=1000 cargo test --release --test random_networks` runs more, `HAFNIA_SEED=17` one of them again, and both
//! together as many from that seed on. A case that fails is shrunk; what is left of it is kept as a folder with the
//! commands that run it again.

#[path = "../common/mod.rs"]
mod common;

mod case;
mod chip;
mod draw;
mod edit;
mod features;
mod hardware;
mod random;
mod shrink;

use std::ops::Range;
use std::path::Path;
use std::process::Command;

use case::{Case, Fault, Outcome};
use features::Shown;
use rayon::prelude::*;
use shrink::shrink;

/// Cases of a default run.
const CASES: u64 = 320;

/// So many of them show each feature.
const LEAST: usize = 5;

/// Smaller cases that are run to shrink one that fails.
const ATTEMPTS: usize = 400;

#[test]
fn random_networks_in_icarus() {
    let (first, cases) = (number("HAFNIA_SEED"), number("HAFNIA_CASES"));
    let count = cases.unwrap_or(if first.is_some() { 1 } else { CASES });
    let first = first.unwrap_or(0);
    let held = hold(first..first + count, "icarus");
    assert!(held.len() as u64 >= count / 10 * 9, "{} of {count} cases were built", held.len());
}

/// A case whose plan is not refused is one that is run.
#[test]
fn every_feature_is_drawn() {
    let cases: Vec<Case> = (0..CASES).map(|seed| draw::case(seed, "icarus")).collect();
    let shown = Shown::by(&cases);
    println!("{shown}");
    assert_eq!(shown.rare(LEAST), [], "features with the number of cases that show them");
}

/// Cases that Verilator runs, too: it takes seconds to build each.
const SAMPLE: Range<u64> = 0..8;

#[test]
fn a_sample_in_verilator() {
    hold(SAMPLE, "verilator");
}

#[test]
#[ignore = "long: a thousand networks in Icarus Verilog, sixty in Verilator"]
fn many_random_networks() {
    hold(1000..2000, "icarus");
    hold(1000..1060, "verilator");
}

fn number(key: &str) -> Option<u64> {
    std::env::var(key).ok().map(|v| v.parse().unwrap_or_else(|_| panic!("{key}: a number")))
}

/// The cases that hold. Where some do not, it panics: it names them all and shrinks the first.
fn hold(seeds: Range<u64>, simulator: &'static str) -> Vec<Case> {
    let run = |seed| {
        let case = draw::case(seed, simulator);
        let outcome = case.run(tempfile::tempdir().unwrap().path());
        (seed, case, outcome)
    };
    let (mut held, mut failed) = (Vec::new(), Vec::new());
    for (seed, case, outcome) in seeds.clone().into_par_iter().map(run).collect::<Vec<_>>() {
        match outcome {
            Outcome::Held => held.push(case),
            Outcome::Refused => {}
            Outcome::Failed(failure) => failed.push((seed, case, failure)),
        }
    }
    println!(
        "{simulator}, seeds {seeds:?}: {} held, {} failed, the hardware of others is refused",
        held.len(),
        failed.len()
    );
    if let Some((seed, case, failure)) = failed.first() {
        for (seed, _, failure) in &failed {
            println!("HAFNIA_SEED={seed}: {}", failure.kind);
        }
        println!("\n{}", failure.text);
        let shrunk = shrink(case, failure, ATTEMPTS);
        println!("after {} smaller cases, seed {seed} is left with {}", shrunk.attempts, shrunk.case);
        println!("{}", kept(&shrunk.case, &format!("{simulator}-{seed}")));
        panic!("{} of {seeds:?} failed in {simulator}", failed.len());
    }
    held
}

/// Keeps a case that fails as a folder; gives the command that runs it.
fn kept(case: &Case, name: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("random-networks").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    case.write(&folder);
    format!("HAFNIA={} sh {}", env!("CARGO_BIN_EXE_hafnia"), folder.join("reproduce.sh").display())
}

/// A threshold that its own sum does not reach. One input, one neuron and one class are enough to show it.
#[test]
fn a_planted_fault_shrinks_to_one_hidden_layer() {
    let fault = Fault { file: "rtl/hf_threshold.sv", from: "sum >= high", to: "sum > high" };
    let neurons = |c: &Case| c.network.layers.iter().map(|l| l.neurons()).collect::<Vec<_>>();
    let large = |c: &Case| c.network.layers.len() == 4 && neurons(c).iter().sum::<usize>() > 60;
    let cases = (0..).map(|seed| Case { fault: Some(fault), ..draw::case(seed, "icarus") });
    let fails = |case: Case| match case.run(tempfile::tempdir().unwrap().path()) {
        Outcome::Failed(failure) => Some((case, failure)),
        _ => None,
    };
    let (case, failure) = cases.filter(large).find_map(fails).unwrap();
    assert_eq!(failure.kind, "verify ends with 1: simulation and golden model differ");

    let shrunk = shrink(&case, &failure, ATTEMPTS);
    println!("{case}\n\nafter {} smaller cases:\n\n{}", shrunk.attempts, shrunk.case);
    assert_eq!(shrunk.failure.kind, failure.kind);
    let left = &shrunk.case;
    assert_eq!((neurons(left).len(), left.images.nrows(), left.stalls), (2, 1, None));
    assert!(neurons(left)[0] <= 2 && neurons(left)[1] == 1 && left.network.input_len() <= 4, "{left}");
    assert!(left.hardware.is_empty(), "no key has to do with it: {left}");
    assert_eq!(Case { fault: None, ..left.clone() }.run(tempfile::tempdir().unwrap().path()), Outcome::Held);

    // The commands that are printed fail in the same way.
    let line = kept(left, "planted");
    let ended = common::ended(Command::new("sh").args(["-c", &line]).env("HAFNIA_CACHE", common::cache())).expect(1);
    assert!(
        ended.stdout.contains("first mismatch (free-running): image 0") && ended.stdout.ends_with("FAILED\n"),
        "{ended:?}"
    );
}

#[test]
fn an_edit_of_nothing_changes_nothing() {
    for seed in 0..200 {
        let case = draw::case(seed, "icarus");
        assert_eq!(edit::Edit::of(&case).build().as_ref(), Some(&case), "seed {seed}");
    }
}
