use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::json;

use super::{Answer, load};
use crate::network::{Activation, Network, Op, Shape, WeightKind, json_schema};
use crate::text::table;

/// Show a network's layers, shapes, parameters, share of zeros and operations.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Network file (.safetensors).
    network: Option<PathBuf>,
    /// Print the JSON Schema of the topology instead.
    #[arg(long)]
    schema: bool,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    if args.schema {
        let schema = json_schema();
        return Ok(Answer::held(serde_json::to_string_pretty(&schema)? + "\n", schema));
    }
    let Some(path) = args.network else { bail!("name a network file, or ask for --schema") };
    let network = load::network(&path)?.network;
    Ok(describe(&network))
}

fn describe(network: &Network) -> Answer {
    let head = ["layer", "op", "inputs", "neurons", "weights", "parameters", "zeros", "operations", "gives"];
    let shapes = network.shapes();
    let mut total_operations = 0;
    let mut rows = vec![head.map(String::from)];
    let mut layers = Vec::new();
    for (k, layer) in network.layers.iter().enumerate() {
        let parameters = layer.weights.values.len();
        let zeros = layer.weights.values.iter().filter(|w| **w == 0).count();
        let kind = match layer.weights.kind {
            WeightKind::Bipolar => "bipolar",
            WeightKind::Ternary => "ternary",
            WeightKind::Int8 => "int8",
        };
        let output = match layer.activation {
            Activation::Bipolar { .. } => "bipolar",
            Activation::Ternary { .. } => "trits",
            Activation::Scores => "scores",
        };
        let op = match (&layer.op, layer.pool) {
            (Op::Dense, None) => "dense".to_string(),
            (Op::Dense, Some(_)) => "dense, pool".to_string(),
            (Op::Conv(conv), pool) => {
                let [rows, columns] = conv.kernel;
                format!("conv {rows}x{columns}{}", if pool.is_some() { ", pool" } else { "" })
            }
        };
        // One multiplication and one addition a weight, at every position.
        let positions = layer.sum_shape(shapes[k]).map_or(1, Shape::positions);
        let operations = 2 * parameters * positions;
        total_operations += operations;
        let blocks = if layer.blocks.is_empty() { 1 } else { layer.blocks.len() };
        rows.push([
            layer.name.clone(),
            op.clone(),
            layer.inputs().to_string(),
            layer.neurons().to_string(),
            kind.into(),
            parameters.to_string(),
            format!("{:.1}%", 100.0 * zeros as f64 / parameters as f64),
            operations.to_string(),
            format!("{} {output}", shapes[k + 1]),
        ]);
        layers.push(json!({
            "name": layer.name, "op": op, "inputs": layer.inputs(), "neurons": layer.neurons(), "weights": kind,
            "parameters": parameters, "zeros": zeros, "operations": operations, "output": output,
            "positions": shapes[k + 1].positions(), "blocks": blocks,
        }));
    }
    let total: usize = network.layers.iter().map(|l| l.weights.values.len()).sum();
    let text = format!(
        "network {}, input {:?} ({:?}), {} classes\n{}{total} parameters, {} operations an image\n",
        network.name,
        network.input.shape,
        network.input.code.domain(),
        network.classes(),
        table(&rows),
        total_operations
    );
    let json = json!({
        "name": network.name, "input_shape": network.input.shape, "classes": network.classes(),
        "parameters": total, "operations": total_operations, "layers": layers,
    });
    Answer::held(text, json)
}
