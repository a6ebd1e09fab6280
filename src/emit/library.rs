//! The hand-written files that every build directory gets a copy of, inside the binary.

use include_dir::{Dir, include_dir};

/// `rtl/`: blocks, behavioral arrays, black boxes, proof references.
pub static LIBRARY: Dir = include_dir!("$CARGO_MANIFEST_DIR/rtl");

/// Folder of [`LIBRARY`] that holds the references of the proofs; not copied.
pub const FORMAL: &str = "formal";

/// The co-simulation harness.
pub(super) const HARNESS: &str = include_str!("../../sim/harness.cpp");

/// Files of the library that go into a build directory: `(path below rtl/, text)`, sorted.
pub(super) fn files() -> Vec<(String, &'static [u8])> {
    fn walk(dir: &'static Dir, out: &mut Vec<(String, &'static [u8])>) {
        for file in dir.files() {
            if file.path().extension().is_some_and(|e| e == "sv") {
                out.push((file.path().to_string_lossy().into_owned(), file.contents()));
            }
        }
        for sub in dir.dirs().filter(|d| !d.path().ends_with(FORMAL)) {
            walk(sub, out);
        }
    }
    let mut out = Vec::new();
    walk(&LIBRARY, &mut out);
    out.sort();
    out
}
