use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::Answer;
use crate::network::{self, import};

/// Convert a QONNX model into a network file.
#[derive(clap::Args)]
pub(super) struct Args {
    /// QONNX model (.onnx), as Brevitas exports it or FINN rewrites it.
    model: PathBuf,
    /// Network file to write (.safetensors).
    #[arg(short, long)]
    out: PathBuf,
    /// What one step of an input byte stands for, as a number or a fraction; absent: 1/255.
    #[arg(long, value_parser = scale)]
    input_scale: Option<f32>,
}

fn scale(text: &str) -> Result<f32, String> {
    let number = |t: &str| t.trim().parse::<f32>().map_err(|e| e.to_string());
    let value = match text.split_once('/') {
        Some((over, under)) => number(over)? / number(under)?,
        None => number(text)?,
    };
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err("must be a positive number, such as 1/255".into()) }
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let options = import::ImportOptions { input_scale: args.input_scale, name: None };
    let network = import::qonnx(&args.model, &options)?;
    network::save(&network, &args.out)?;
    let text = format!("{}: network {}, {} layers\n", args.out.display(), network.name, network.layers.len());
    let json = json!({ "network": network.name, "out": args.out, "layers": network.layers.len() });
    Ok(Answer::held(text, json))
}
