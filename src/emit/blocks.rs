//! Instances of the library's blocks for a plan: parameters and wiring, and the latencies that their headers state.

use super::views::{DetailNet, Stage, detail, net, output_bits, score_bits};
use super::{COUNT_WIDTH, images};
use crate::network::WeightKind;
use crate::plan::{
    DigitalPlan, InputMap, LayerPlan, OutputPlan, PcsaPlan, Plan, ReadoutPlan, SaPlan, Values, signed_width,
};

/// A module instance.
pub(super) struct Instance {
    pub module: &'static str,
    pub name: String,
    pub parameters: Vec<Pair>,
    pub ports: Vec<Pair>,
}

pub(super) struct Pair {
    pub name: String,
    pub value: String,
}

fn pair(name: &str, value: impl ToString) -> Pair {
    Pair { name: name.into(), value: value.to_string() }
}

fn flag(name: &str, value: bool) -> Pair {
    pair(name, if value { "1'b1" } else { "1'b0" })
}

/// A prefix of memory images.
fn prefix(name: &str, layer: &str) -> Pair {
    pair(name, format!("\"{layer}_\""))
}

/// Bits of a PCSA lane's partial sum: it holds +-amplifiers.
pub(super) fn lane_width(p: &PcsaPlan) -> usize {
    signed_width(p.amplifiers as i64)
}

/// Images that the pipeline can hold: three in an SA layer, one in every other stage.
pub(super) fn most_in_flight(plan: &Plan) -> usize {
    3 * plan.layers.len() + 3
}

pub(super) fn stages(plan: &Plan) -> Vec<Stage> {
    let image = Stage {
        comment: "Image: what the first layer takes".into(),
        net: "image".into(),
        bits: plan.input.count * values_bits(plan.input.values),
        details: Vec::new(),
    };
    let layer = |l: &LayerPlan| {
        let (how, details): (_, Vec<DetailNet>) = match &l.readout {
            ReadoutPlan::Pcsa(p) => {
                (format!("{} PCSA arrays", l.arrays()), vec![detail(l, p.lane_rows * p.lane_columns * lane_width(p))])
            }
            ReadoutPlan::Sa(s) => {
                let references = if s.low.is_empty() { 1 } else { 2 };
                let votes = detail(l, references * s.block_sizes.len() * l.neurons);
                (
                    format!("{} arrays with 1-bit sense amplifiers, {} blocks", l.arrays(), s.block_sizes.len()),
                    vec![votes],
                )
            }
            ReadoutPlan::Digital(_) => ("digital".into(), Vec::new()),
        };
        let out = match l.output {
            OutputPlan::Bipolar { .. } => "bipolar",
            OutputPlan::Trit { .. } => "trits {nonzero, positive}",
            OutputPlan::Sums => "sums",
        };
        let comment = format!("Layer {}: {} -> {} {out}, {how}", l.name, l.inputs, l.neurons);
        Stage { comment, net: net(l), bits: output_bits(l), details }
    };
    let scores = Stage {
        comment: "Class scores: {class, scores}".into(),
        net: "scores".into(),
        bits: score_bits(plan),
        details: Vec::new(),
    };
    std::iter::once(image).chain(plan.layers.iter().map(layer)).chain([scores]).collect()
}

fn values_bits(values: Values) -> usize {
    match values {
        Values::Bipolar => 1,
        Values::Trit => 2,
        Values::Integer { width, .. } => width,
    }
}

/// The library's code for a vector's kind.
fn kind(values: Values) -> usize {
    match values {
        Values::Bipolar => 0,
        Values::Trit => 1,
        Values::Integer { .. } => 2,
    }
}

fn output_kind(output: &OutputPlan) -> usize {
    match output {
        OutputPlan::Bipolar { .. } => 0,
        OutputPlan::Trit { .. } => 1,
        OutputPlan::Sums => 2,
    }
}

/// Ports that hang a block between two stages.
fn stream_ports(from: &str, to: &str) -> Vec<Pair> {
    vec![
        pair("in_valid_i", format!("{from}_valid")),
        pair("in_ready_o", format!("{from}_ready")),
        pair("in_data_i", format!("{from}_data")),
        pair("out_valid_o", format!("{to}_valid")),
        pair("out_ready_i", format!("{to}_ready")),
        pair("out_data_o", format!("{to}_data")),
    ]
}

pub(super) fn instances(plan: &Plan) -> Vec<Instance> {
    let mut out = vec![stream_in(plan)];
    let mut from = "image".to_string();
    for layer in &plan.layers {
        let to = net(layer);
        out.push(match &layer.readout {
            ReadoutPlan::Pcsa(p) => pcsa(plan, layer, p, &from, &to),
            ReadoutPlan::Sa(s) => sa(layer, s, &from, &to),
            ReadoutPlan::Digital(d) => digital(layer, d, &from, &to),
        });
        from = to;
    }
    out.push(class_scores(plan, &from));
    out.push(stream_out(plan));
    out
}

fn stream_in(plan: &Plan) -> Instance {
    let input = &plan.input;
    let (map, threshold, gain, offset) = match &input.map {
        InputMap::Threshold(at) => (0, *at, 1, 0),
        InputMap::Affine { gain, offset } => (1, 0, *gain, *offset),
        InputMap::Bit => (1, 0, 1, 0),
        InputMap::Table(_) => (2, 0, 1, 0),
    };
    Instance {
        module: "hf_stream_in",
        name: "i_stream_in".into(),
        parameters: vec![
            pair("Values", input.count),
            pair("StreamBits", plan.stream_bits),
            pair("CodeBits", input.code_bits),
            flag("CodeSigned", input.signed),
            pair("OutKind", kind(input.values)),
            pair("OutWidth", images::table_width(input.values)),
            pair("Map", map),
            pair("Threshold", threshold),
            pair("Gain", gain),
            pair("Offset", offset),
            prefix("Name", "image"),
        ],
        ports: vec![
            pair("tvalid_i", "s_axis_tvalid_i"),
            pair("tready_o", "s_axis_tready_o"),
            pair("tdata_i", "s_axis_tdata_i"),
            pair("tlast_i", "s_axis_tlast_i"),
            pair("out_valid_o", "image_valid"),
            pair("out_ready_i", "image_ready"),
            pair("out_data_o", "image_data"),
            pair("error_o", "frame_error"),
        ],
    }
}

fn pcsa(plan: &Plan, layer: &LayerPlan, p: &PcsaPlan, from: &str, to: &str) -> Instance {
    let mut ports = vec![pair("precharge_cycles_i", "precharge_cycles"), pair("window_cycles_i", "window_cycles")];
    ports.extend(stream_ports(from, to));
    let detail = detail(layer, 0);
    ports.extend([pair("lanes_valid_o", detail.valid), pair("lanes_o", detail.data)]);
    Instance {
        module: "hf_layer_pcsa",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Inputs", layer.inputs),
            pair("Neurons", layer.neurons),
            flag("InputTrits", layer.input == Values::Trit),
            flag("WeightTrits", layer.weight_kind == WeightKind::Ternary),
            pair("Output", output_kind(&layer.output)),
            pair("ColumnTiles", p.column_tiles),
            pair("RowTiles", p.row_tiles),
            pair("Rows", p.rows),
            pair("Amplifiers", p.amplifiers),
            pair("ColumnsPerAmplifier", p.columns_per_amplifier),
            pair("LaneColumns", p.lane_columns),
            pair("LaneRows", p.lane_rows),
            pair("SumWidth", layer.sum_width),
            pair("SignCycles", plan.sense.sign_cycles),
            pair("ZeroCycles", plan.sense.zero_cycles),
            pair("CountWidth", COUNT_WIDTH),
            prefix("Name", &layer.name),
        ],
        ports,
    }
}

fn sa(layer: &LayerPlan, s: &SaPlan, from: &str, to: &str) -> Instance {
    let largest = s.block_sizes[0];
    let large = s.block_sizes.iter().filter(|b| **b == largest).count();
    let mut ports = stream_ports(from, to);
    let detail = detail(layer, 0);
    ports.extend([pair("votes_valid_o", detail.valid), pair("votes_o", detail.data)]);
    Instance {
        module: "hf_layer_sa",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Inputs", layer.inputs),
            pair("Neurons", layer.neurons),
            flag("InputTrits", layer.input == Values::Trit),
            flag("WeightTrits", layer.weight_kind == WeightKind::Ternary),
            flag("OutputTrits", !s.low.is_empty()),
            pair("Blocks", s.block_sizes.len()),
            pair("LargeBlocks", large),
            pair("BlockInputs", largest),
            pair("Tiles", s.tiles),
            pair("Amplifiers", s.amplifiers),
            pair("ColumnsPerAmplifier", s.columns_per_amplifier),
            pair("LaneBlocks", s.lane_blocks),
            pair("LaneTiles", s.lane_tiles),
            pair("ReadCycles", s.read_cycles),
            pair("ThresholdWidth", s.threshold_width),
            prefix("Name", &layer.name),
        ],
        ports,
    }
}

fn digital(layer: &LayerPlan, d: &DigitalPlan, from: &str, to: &str) -> Instance {
    let weight_width = match layer.weight_kind {
        WeightKind::Bipolar => 1,
        WeightKind::Ternary => 2,
        WeightKind::Int8 => 8,
    };
    Instance {
        module: "hf_layer_digital",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Inputs", layer.inputs),
            pair("Neurons", layer.neurons),
            pair("InputWidth", images::table_width(layer.input)),
            pair("InputKind", kind(layer.input)),
            pair("WeightWidth", weight_width),
            pair("Output", output_kind(&layer.output)),
            pair("LaneInputs", d.lane_inputs),
            pair("LaneNeurons", d.lane_neurons),
            pair("SumWidth", layer.sum_width),
            prefix("Name", &layer.name),
        ],
        ports: stream_ports(from, to),
    }
}

fn class_scores(plan: &Plan, from: &str) -> Instance {
    let last = plan.layers.last().expect("a network has layers");
    let gain_width = plan.scores.affine.as_ref().map_or(1, |a| a.gain_width);
    Instance {
        module: "hf_class_scores",
        name: "i_scores".into(),
        parameters: vec![
            pair("Classes", last.neurons),
            pair("SumWidth", last.sum_width),
            flag("Affine", plan.scores.affine.is_some()),
            pair("GainWidth", gain_width),
            pair("ScoreWidth", plan.scores.width),
            prefix("Name", "scores"),
        ],
        ports: stream_ports(from, "scores"),
    }
}

fn stream_out(plan: &Plan) -> Instance {
    let ports = vec![
        pair("in_valid_i", "scores_valid"),
        pair("in_ready_o", "scores_ready"),
        pair("in_data_i", "scores_data"),
        pair("tvalid_o", "m_axis_tvalid_o"),
        pair("tready_i", "m_axis_tready_i"),
        pair("tdata_o", "m_axis_tdata_o"),
        pair("tlast_o", "m_axis_tlast_o"),
    ];
    Instance {
        module: "hf_stream_out",
        name: "i_stream_out".into(),
        parameters: vec![
            pair("Classes", plan.classes()),
            pair("ScoreWidth", plan.scores.width),
            pair("StreamBits", plan.stream_bits),
        ],
        ports,
    }
}

#[cfg(test)]
mod tests {
    use crate::emit::LIBRARY;

    /// The latencies that `plan` counts with are those that the blocks' headers state.
    #[test]
    fn headers_state_the_latency_that_the_plan_counts_with() {
        for (file, latency) in [
            ("hf_layer_pcsa.sv", "Reads * (precharge + window + 1) + 3 cycles from the accepting cycle to out_valid_o"),
            ("hf_layer_sa.sv", "Reads * ReadCycles + 2 cycles from the accepting cycle to out_valid_o"),
            ("hf_layer_digital.sv", "Reads + 3 cycles from the accepting cycle to out_valid_o"),
            ("hf_class_scores.sv", "Classes + 2 cycles from the accepting cycle to out_valid_o"),
            ("hf_stream_in.sv", "1 cycle after the last beat"),
            ("hf_stream_out.sv", "1 cycle to the first beat"),
        ] {
            let text = LIBRARY.get_file(file).unwrap().contents_utf8().unwrap();
            let line = text.lines().find(|l| l.starts_with("// Latency")).unwrap();
            assert!(line.contains(latency), "{file}: {line}");
        }
    }

    #[test]
    fn every_block_states_purpose_equation_parameters_latency_and_throughput() {
        for file in LIBRARY.files().filter(|f| f.path().extension().is_some_and(|e| e == "sv")) {
            let text = file.contents_utf8().unwrap();
            for part in ["Purpose", "Parameters", "Latency", "Throughput", "Overflow"] {
                assert!(text.contains(&format!("\n// {part}")), "{}: no {part} in its header", file.path().display());
            }
        }
    }

    /// Parameters and ports, without comments.
    fn interface(file: &str) -> Vec<String> {
        let text = LIBRARY.get_file(file).unwrap_or_else(|| panic!("no {file}")).contents_utf8().unwrap();
        let code = |l: &str| l.split("//").next().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
        let lines = text.lines().skip_while(|l| !l.starts_with("module ")).take_while(|l| !l.starts_with(");"));
        lines.map(code).filter(|l| !l.is_empty()).collect()
    }

    #[test]
    fn a_behavioral_bank_has_the_ports_of_its_grid() {
        for name in ["hf_bank_pcsa.sv", "hf_bank_sa.sv"] {
            let grid = interface(name);
            assert!(grid.len() > 20, "{grid:?}");
            assert_eq!(interface(&format!("array/{name}")), grid, "{name}");
        }
    }
}
