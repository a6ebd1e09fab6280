//! Imports point one way. The golden model and the RTL share only the plan, and the hardware-free evaluation not even
//! that: were one built on another, a fault of it would pass every comparison.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders of `src` and what their code must not import from the crate.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("golden", &["emit", "cosim", "device", "hardware"]),
    ("plan", &["golden", "emit"]),
    ("reference", &["plan"]),
    ("network", &["data"]),
    ("emit", &["golden"]),
];

#[test]
fn imports_point_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut spoiled = Vec::new();
    for (folder, forbidden) in FORBIDDEN {
        for file in sources(&src, folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let relative = file.strip_prefix(&src).unwrap();
            for module in imports(&text, depth(relative)) {
                if forbidden.contains(&module.as_str()) || module == "*" {
                    spoiled.push(format!("src/{} imports crate::{module}", relative.display()));
                }
            }
        }
    }
    assert!(spoiled.is_empty(), "{}", spoiled.join("\n"));
}

/// `src/FOLDER.rs` and all files under `src/FOLDER`, those that exist.
fn sources(src: &Path, folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        Some(src.join(folder).with_extension("rs")).filter(|f| f.exists()).into_iter().collect();
    let mut folders = vec![src.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.map(|e| e.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// How many `super::` lead from a file, given from `src` on, to the crate's root.
fn depth(file: &Path) -> usize {
    file.components().count() - usize::from(file.ends_with("mod.rs"))
}

/// Top-level modules that the code names: `crate::x`, `crate::{x, y::z}`, `hafnia::x`, and `super::super::x` that
/// reaches the root; `*` for all of them.
fn imports(text: &str, depth: usize) -> BTreeSet<String> {
    let tokens = tokens(text);
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    let mut modules = BTreeSet::new();
    for i in 0..tokens.len() {
        let inside = i > 0 && at(i - 1) == "::";
        let mut next = match at(i) {
            "crate" | "hafnia" if !inside => i + 1,
            "super" if !inside => {
                let mut supers = 1;
                while at(i + 2 * supers - 1) == "::" && at(i + 2 * supers) == "super" {
                    supers += 1;
                }
                // An inline module, of tests say, lies one deeper; being strict there costs nothing.
                if supers < depth {
                    continue;
                }
                i + 2 * supers - 1
            }
            _ => continue,
        };
        if at(next) != "::" {
            continue;
        }
        next += 1;
        if at(next) != "{" {
            // `use super::*` in an inline module of a file right under the root is not the root.
            if at(next) != "*" || at(i) != "super" {
                modules.insert(at(next).to_string());
            }
            continue;
        }
        let (mut nested, mut first) = (0, true);
        for token in tokens[next..].iter().map(String::as_str) {
            match token {
                "{" => nested += 1,
                "}" => nested -= 1,
                "," if nested == 1 => first = true,
                name if first && nested == 1 => {
                    modules.insert(name.to_string());
                    first = false;
                }
                _ => {}
            }
            if nested == 0 {
                break;
            }
        }
    }
    modules
}

/// Words, `::` and single other characters, without comments and what stands in quotes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with('"') {
            string(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("'\\") {
            // A character such as '\n', '\'' or '\u{1f}'.
            3 + rest[3..].find('\'').map_or(0, |end| end + 1)
        } else if rest.starts_with("::") {
            tokens.push("::".into());
            2
        } else if word > 0 {
            tokens.push(rest[..word].into());
            word
        } else {
            if !c.is_whitespace() {
                tokens.push(c.into());
            }
            c.len_utf8()
        };
        rest = &rest[skip..];
    }
    tokens
}

/// Length of the string that `text` begins with, quotes included. (The ends of a raw string are taken for quotes, too:
/// what stands in it is code or not by chance, which no import minds.)
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn every_form_of_import_is_seen() {
    let seen = |text: &str, depth: usize| imports(text, depth).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(seen("use crate::emit::Block;", 1), "emit");
    assert_eq!(seen("use crate::{plan::{Plan, golden}, emit as e};", 1), "emit plan");
    assert_eq!(seen("fn f() { crate::device::read(hafnia::cosim::run) }", 1), "cosim device");
    assert_eq!(seen("use super::super::golden;", 2), "golden");
    assert_eq!(seen("use super::golden; use super::{fold, emit};", 2), "");
    assert_eq!(seen("use super::{fold, emit};", 1), "emit fold");
    assert_eq!(seen("use crate::*;", 1), "*");
    assert_eq!(
        seen("// crate::golden\nlet s = \"\\\"crate::emit\"; /* crate::cosim */ let c = '\"'; crate::plan::f()", 1),
        "plan"
    );
}

#[test]
fn depths_are_counted_from_the_root() {
    for (file, expected) in
        [("golden/mod.rs", 1), ("golden/bits.rs", 2), ("hardware.rs", 1), ("network/import/mod.rs", 2)]
    {
        assert_eq!(depth(Path::new(file)), expected, "{file}");
    }
}
