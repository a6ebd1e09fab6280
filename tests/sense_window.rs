//! The sense window as silicon would show it: a count in the window register that the cells do not allow reads wrong trits.

mod common;

use std::path::Path;

use common::{Ended, generate, hafnia, network};
use serde_json::Value;

fn verify(build: &Path, window: u64) -> Ended {
    let args = args!["verify", build, "--simulator", "icarus", "--images", "1", "--stalled", "0", "--json"];
    hafnia(args.iter().chain(&args!["--window", window.to_string()]))
}

/// Verifies with a window that misreads cells of the first layer; gives what that array's sum was.
fn misreads(build: &Path, window: u64) -> i64 {
    let json = verify(build, window).expect(1).json();
    assert!(json["mismatches"].as_u64().unwrap() > 0, "{json}");
    assert_eq!(json["cycles_equal"], true, "the window is as long as it was set: {json}");
    let found = &json["first_mismatch"];
    assert_eq!((&found["layer"], &found["split"]), (&"fc1".into(), &0.into()), "an array of the first layer: {found}");
    let note = found["note"].as_str().unwrap();
    let (_, got) = note.split_once("partial sum of the array: ").unwrap().1.split_once("got ").expect(note);
    got.parse().expect(note)
}

#[test]
fn too_short_and_too_long_windows_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let build = generate(folder.path(), &network("digits_ternary"), "readout = \"pcsa\"\n");
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(build.join("plan.json")).unwrap()).unwrap();
    let cycles = |key: &str| plan["sense"][key].as_u64().unwrap();
    let (sign, window, zero) = (cycles("sign_cycles"), cycles("window_cycles"), cycles("zero_cycles"));
    assert!(1 < sign && sign < window && window < zero - 1, "{}", plan["sense"]);

    // Pairs of -1 and +1 have not resolved: every weight is 0, and so is every sum.
    assert_eq!(misreads(&build, sign - 1), 0);
    for window in [sign, window, zero - 1] {
        let json = verify(&build, window).expect(0).json();
        assert_eq!((&json["mismatches"], &json["cycles_equal"]), (&0.into(), &true.into()), "{window}");
    }
    // Without precharge sense amplifiers there is no window.
    let digital = tempfile::tempdir().unwrap();
    let said =
        verify(&generate(digital.path(), &network("digits_ternary"), "readout = \"digital\"\n"), 9).expect(2).stderr;
    assert!(said.contains("no array of this design is read by them; leave them out"), "{said}");
    // Pairs of 0 have resolved, to +1, and stay so.
    assert_eq!(misreads(&build, zero), misreads(&build, zero + 1));
}
