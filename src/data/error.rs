use std::path::PathBuf;

/// What can be wrong with a data set. Every message says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error(
        "{name} has {len} images, not {count} from {first} on in steps of {every}: choose --first, --every and --images within it"
    )]
    Range { name: String, first: usize, every: usize, count: usize, len: usize },

    #[error("there is no data set `{spec}`{near}; use {}, or a file whose name ends in .npy", super::SETS.join(", "))]
    Unknown { spec: String, near: String },

    #[error("there is no split `{split}`; use train, test or all")]
    Split { split: String },

    #[error("{set}: where is it? Give its folder, or the one that holds `{set}/`, with --data DIR or in HAFNIA_DATA")]
    NoFolder { set: String },

    #[error("{}: no {set} there or in `{set}/` below; looked for {looked}; point --data DIR or HAFNIA_DATA at it", dir.display())]
    NotFound { set: &'static str, dir: PathBuf, looked: String },

    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },

    #[error("{}: {place}: {reason}", path.display())]
    Bad { path: PathBuf, place: String, reason: String },

    #[error(
        "{name}: its images have shape {got:?} but the network takes {want:?}; the numbers of values must be equal"
    )]
    Shape { name: String, got: Vec<usize>, want: Vec<usize> },

    #[error("{name}: training images have shape {train:?}, test images {test:?}; save both in one shape")]
    Parts { name: String, train: Vec<usize>, test: Vec<usize> },

    #[error(
        "{name}: image {image}, value {value} is {byte}; bipolar input is 0 for -1 and 1 for +1 (store those, or give the network `u8` input with a `threshold`)"
    )]
    Bits { name: String, image: usize, value: usize, byte: u8 },

    #[error("{name}: {reason}; ask for smaller episodes")]
    Episodes { name: String, reason: String },
}

impl DataError {
    pub(super) fn bad(path: impl Into<PathBuf>, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Bad { path: path.into(), place: place.into(), reason: reason.into() }
    }
}
