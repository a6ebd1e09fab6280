use std::path::PathBuf;

/// What can be wrong with a network or its file. Every message says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },

    #[error("{}: not a usable .safetensors file: {reason}; write it again, the file may be cut short or damaged", path.display())]
    Container { path: PathBuf, reason: String },

    #[error("{}: no `hafnia` entry in the metadata; write the topology there (docs/network-format.md has a dozen lines of Python that do)", path.display())]
    NoTopology { path: PathBuf },

    #[error("{}: topology: {reason}", path.display())]
    Topology { path: PathBuf, reason: String },

    #[error("{}: layer `{layer}`: tensor `{tensor}`: {reason}", path.display())]
    Tensor { path: PathBuf, layer: String, tensor: String, reason: String },

    #[error("{place}: {reason}")]
    Invalid { place: String, reason: String },

    #[error("{}: {source}", path.display())]
    In { path: PathBuf, source: Box<NetworkError> },

    /// `node` names it as `"name" (op "Op", index 3)`.
    #[error("{}: node {node}: {reason}", path.display())]
    Node { path: PathBuf, node: String, reason: String },

    #[error("{}: cannot import this model: {reason}", path.display())]
    Model { path: PathBuf, reason: String },
}

impl NetworkError {
    pub(crate) fn invalid(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), reason: reason.into() }
    }
}
