use std::path::PathBuf;

/// What can go wrong in training. Every message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },

    #[error("{}: there is no folder {}; make it first", path.display(), folder.display())]
    NoFolder { path: PathBuf, folder: PathBuf },

    #[error(
        "{}: two of network, checkpoint, learning curve and its picture (.svg) would be this file; name another", path.display()
    )]
    SamePath { path: PathBuf },

    #[error("no recipe `{name}`{near} (shipped: {shipped}; a file's name must end in .toml)")]
    NoRecipe { name: String, near: String, shipped: String },

    #[error("{place}: {reason}")]
    Recipe { place: String, reason: String },

    #[error("--set {text}: {reason}")]
    Assignment { text: String, reason: String },

    #[error("data set {set}: {reason}")]
    Data { set: &'static str, reason: String },

    #[error("{}: {reason}", path.display())]
    Checkpoint { path: PathBuf, reason: String },

    #[error("{}: {reason}", path.display())]
    Table { path: PathBuf, reason: String },

    #[error("study {study}: {reason}")]
    Study { study: &'static str, reason: String },

    #[error("{}: the two evaluations part on {images} images, though sums are exact and both round alike: a fault, please report it", network.display())]
    Parted { network: PathBuf, images: usize },

    #[error("epoch {epoch}: the loss is {loss}; lower train.learning_rate or raise train.temperature")]
    Diverged { epoch: usize, loss: f64 },

    #[error(transparent)]
    Set(#[from] hafnia::data::DataError),

    #[error(transparent)]
    Network(#[from] hafnia::network::NetworkError),
}
