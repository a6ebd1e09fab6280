//! What the integration tests share.
#![allow(dead_code)] // each test binary uses its own part

pub mod tiny;

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

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

/// How a run of the command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// The one JSON object on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }

    /// Asserts the exit code; whatever else was printed is shown where it differs.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// The `hafnia` command with a cache of models of the tests' own.
pub fn command<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hafnia"));
    command.args(args).env("HAFNIA_CACHE", cache());
    command
}

pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("models")
}

pub fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `hafnia` to its end.
pub fn hafnia<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    ended(&mut command(args))
}

/// A network that ships.
pub fn network(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("networks").join(name).with_extension("safetensors")
}

/// Arguments of mixed types.
#[macro_export]
macro_rules! args {
    ($($arg:expr),* $(,)?) => { [$(std::ffi::OsString::from(&$arg)),*] };
}

/// Generates `build` in `folder` from a network and the text of a `hardware.toml`.
pub fn generate(folder: &Path, network: &Path, hardware: &str) -> PathBuf {
    let (toml, build) = (folder.join("hardware.toml"), folder.join("build"));
    std::fs::write(&toml, hardware).unwrap();
    hafnia(args!["generate", network, "--hardware", toml, "-o", build]).expect(0);
    build
}

/// All files below a folder: path and bytes, sorted.
pub fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for path in std::fs::read_dir(next).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
