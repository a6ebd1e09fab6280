//! What the integration tests share.
#![allow(dead_code)] // each test binary uses its own part

use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// Says aloud what is not checked; unlike `eprintln!`, the test harness does not swallow it.
pub fn skipped(what: &str, why: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "SKIPPED: {what}: {why}").unwrap();
}

/// Folder of a data set below `HAFNIA_DATA`, or nothing, said aloud.
pub fn data(set: &str) -> Option<PathBuf> {
    let why = match std::env::var_os("HAFNIA_DATA") {
        None => "HAFNIA_DATA is not set; point it at the folder that holds mnist/, cifar10/, omniglot/".to_string(),
        Some(dir) => match Path::new(&dir).join(set) {
            folder if folder.is_dir() => return Some(folder),
            folder => format!("{} is no folder", folder.display()),
        },
    };
    skipped(&format!("checks on {set}"), &why);
    None
}

/// Python with NumPy, or nothing, said aloud.
pub fn python(what: &str) -> Option<&'static str> {
    let found = std::process::Command::new("python3").args(["-c", "import numpy"]).output();
    if found.is_ok_and(|o| o.status.success()) {
        return Some("python3");
    }
    skipped(what, "python3 with numpy is not installed");
    None
}
