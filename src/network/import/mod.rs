//! Importing trained networks: QONNX files, as Brevitas exports them and FINN rewrites them.
//!
//! ```text
//! bytes ─► messages ─► graph ─► constants folded ─► data path walked ─► Network
//!          proto       graph    constant            walk
//! ```
//!
//! On the data path there is one value at a time: first the `input` as a table over all 256 codes, then the `sum`s
//! of a layer, then the output of an activation. Each operator either changes that value or is refused by its node. A
//! `layout` says how the channels, rows and columns of a feature map lie in the graph's tensor.
//! Everything in a file is untrusted: sizes are checked before memory is taken, and nothing recurses on its depth.
//! `docs/import.md` says how each operator maps.

mod attributes;
mod constant;
mod graph;
mod input;
mod layout;
mod multithreshold;
mod proto;
mod quant;
mod shape;
mod sum;
mod tensor;
mod walk;
mod weights;
mod window;

#[cfg(test)]
mod tests;

use std::path::Path;

use prost::Message;

use super::reserved::is_reserved;
use super::{Network, NetworkError};
use proto::NodeProto;

/// Largest file; also the largest message that protobuf allows.
const MAX_FILE_BYTES: u64 = 1 << 31;

#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Value that one step of a `u8` pixel stands for in training. `None`: pixels were divided by 255.
    pub input_scale: Option<f32>,
    /// Name of the network. `None`: the file's name.
    pub name: Option<String>,
}

/// Reads a QONNX file; a refusal names the node and what to do.
pub fn qonnx(path: &Path, options: &ImportOptions) -> Result<Network, NetworkError> {
    let io = |source| NetworkError::Io { path: path.into(), action: "read the model", source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MAX_FILE_BYTES {
        return Err(model_error(path, format!("it has {size} bytes; at most {MAX_FILE_BYTES} are read")));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    from_bytes(path, &bytes, options)
}

fn from_bytes(path: &Path, bytes: &[u8], options: &ImportOptions) -> Result<Network, NetworkError> {
    let model = proto::ModelProto::decode(bytes)
        .map_err(|e| model_error(path, format!("{e}; the file may be cut short, damaged or no ONNX file")))?;
    let graph = graph::Graph::new(model).map_err(|reason| model_error(path, reason))?;
    let (input, layers) = walk::Walk::new(&graph, options).run().map_err(|refusal| match refusal.node {
        Some(index) => NetworkError::Node {
            path: path.into(),
            node: graph::label(index, &graph.nodes[index]),
            reason: refusal.reason,
        },
        None => model_error(path, refusal.reason),
    })?;
    let name = options.name.clone().unwrap_or_else(|| name_of(path));
    Network::new(name, input, layers).map_err(|source| NetworkError::In { path: path.into(), source: Box::new(source) })
}

fn model_error(path: &Path, reason: String) -> NetworkError {
    NetworkError::Model { path: path.into(), reason }
}

/// A network name from a file name: other characters become single underscores, and a word that SystemVerilog keeps
/// for itself, as in `small.onnx`, gets an ending.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let words: Vec<&str> = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let mut name = words.join("_");
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, if name.is_empty() { "network" } else { "n" });
    }
    name.truncate(48);
    let name = name.trim_end_matches('_');
    if is_reserved(name) { format!("{name}_net") } else { name.to_string() }
}

/// `Quant` and `BipolarQuant`, in the domains that QONNX, Brevitas and FINN use; these are often undeclared.
fn is_quantizer(node: &NodeProto) -> bool {
    is_custom(&node.domain) && matches!(node.op_type.as_str(), "Quant" | "IntQuant" | "BipolarQuant")
}

fn is_custom(domain: &str) -> bool {
    matches!(domain, "onnx.brevitas" | "qonnx.custom_op.general" | "finn.custom_op.general")
}
