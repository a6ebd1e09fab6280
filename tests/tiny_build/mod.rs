//! Build directories made by hand, so that proofs and synthesis are tested apart from the writer of real ones.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The design in `tests/tiny_build/tiny`.
pub fn tiny() -> TempDir {
    let source = repository().join("tests/tiny_build/tiny");
    let build = with_top("tiny", &fs::read_to_string(source.join("tiny.sv")).unwrap());
    copy(&source.join("mem"), &build.path().join("mem"), "mem");
    build
}

/// A design that has nothing but these instances, unconnected: enough to say which blocks it uses.
pub fn instances(text: &str) -> TempDir {
    with_top("instances", &format!("module instances;\n{text}\nendmodule\n"))
}

fn with_top(name: &str, text: &str) -> TempDir {
    let build = tempfile::tempdir().unwrap();
    let root = build.path();
    copy(&repository().join("rtl"), &root.join("rtl"), "sv");
    copy(&repository().join("rtl/stub"), &root.join("rtl/stub"), "sv");
    fs::create_dir_all(root.join("mem")).unwrap();
    fs::create_dir_all(root.join("synth")).unwrap();
    fs::write(root.join(format!("rtl/{name}.sv")), text).unwrap();
    fs::write(root.join("manifest.json"), format!("{{\"top\": \"{name}\", \"files\": {{}}}}")).unwrap();
    let mut files: Vec<String> = Vec::new();
    for folder in ["rtl", "rtl/stub"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    fs::write(root.join("synth/files.f"), files.join("\n") + "\n").unwrap();
    build
}

fn copy(from: &Path, to: &Path, extension: &str) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|found| found == extension) {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Replaces a text that must be there, everywhere it is.
pub fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{}: `{from}` is not there any more; bring the test up to date", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

/// A memory image of words that are all different.
pub fn image(path: &Path, words: usize, digits: usize) {
    let mut text = String::new();
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..words {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let word = format!("{state:08x}").repeat(digits.div_ceil(8));
        text.push_str(&word[..digits]);
        text.push('\n');
    }
    fs::write(path, text).unwrap();
}
