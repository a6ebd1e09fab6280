//! Of several test files.

use std::io::Write;

/// Says aloud what is not checked; unlike `eprintln!`, the test harness does not swallow it.
pub fn skipped(what: &str, set: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "SKIPPED: {what}: no {set} at hand; set HAFNIA_DATA").unwrap();
}
