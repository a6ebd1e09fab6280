//! What synthesis and proofs read of a build directory.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The file list of synthesis, relative to the build directory.
pub const FILE_LIST: &str = "synth/files.f";

#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    #[error("{}: cannot read: {source}; is this a build directory? `hafnia generate` makes one", path.display())]
    Io { path: PathBuf, source: std::io::Error },

    #[error("{}: {reason}; generate the build directory again", path.display())]
    Manifest { path: PathBuf, reason: String },

    #[error("{}: names no file", path.display())]
    Empty { path: PathBuf },

    #[error("{}: `{name}` cannot stand in a Yosys script: a name here has letters, digits and `_ - . /` only", path.display())]
    Name { path: PathBuf, name: String },
}

/// The top module of a build directory and the files that synthesis reads.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Absolute.
    pub build: PathBuf,
    pub top: String,
    /// Relative to `build`, in the order of the list.
    pub files: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    top: String,
}

impl Sources {
    pub fn read(build: &Path) -> Result<Self, SourcesError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| SourcesError::Io { path, source }
        };
        let build = fs::canonicalize(build).map_err(io(build))?;
        let path = build.join("manifest.json");
        let text = fs::read_to_string(&path).map_err(io(&path))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| SourcesError::Manifest { path: path.clone(), reason: error.to_string() })?;
        let list = build.join(FILE_LIST);
        let text = fs::read_to_string(&list).map_err(io(&list))?;
        let files: Vec<String> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("//"))
            .map(str::to_owned)
            .collect();
        if files.is_empty() {
            return Err(SourcesError::Empty { path: list });
        }
        // These names go into a script.
        for (path, name) in files.iter().map(|name| (&list, name)).chain([(&path, &manifest.top)]) {
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c)) {
                return Err(SourcesError::Name { path: path.clone(), name: name.clone() });
            }
        }
        Ok(Self { build, top: manifest.top, files })
    }

    /// The Yosys command that reads all files, without elaborating them, in a run in the build directory.
    pub fn read_command(&self) -> String {
        format!("read_verilog -sv -defer -D SYNTHESIS {}", self.files.join(" "))
    }
}
