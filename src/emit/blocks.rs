//! Instances of the library's blocks for a plan: parameters and wiring, and the latencies that their headers state.

use super::stages::{stage_net, votes_bits};
use super::views::{detail, head_bits, output_bits};
use super::{COUNT_WIDTH, access, images, memory, spares};
use crate::network::WeightKind;
use crate::plan::{
    AdcPlan, DigitalPlan, Encoding, InputMap, LayerPlan, OutputPlan, PcsaPlan, Plan, ReadoutPlan, SaPlan, Source,
    StageKind, Values, WindowPlan, signed_width,
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

pub(super) fn pair(name: &str, value: impl ToString) -> Pair {
    Pair { name: name.into(), value: value.to_string() }
}

pub(super) fn flag(name: &str, value: bool) -> Pair {
    pair(name, if value { "1'b1" } else { "1'b0" })
}

/// A prefix of memory images.
pub(super) fn prefix(name: &str, layer: &str) -> Pair {
    pair(name, format!("\"{layer}_\""))
}

/// Bits of a PCSA lane's partial sum: it holds +-amplifiers.
pub(super) fn lane_width(p: &PcsaPlan) -> usize {
    signed_width(p.amplifiers as i64)
}

pub(super) fn values_bits(values: Values) -> usize {
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
    for (at, stage) in plan.stages().iter().enumerate() {
        let (layer, to) = (&plan.layers[stage.layer], stage_net(plan, at));
        let bits = output_bits(layer);
        out.push(match (stage.kind, &layer.source, &layer.readout) {
            (StageKind::Slice, Source::Window(w), _) => slice(w, &from, &to),
            (StageKind::Window, Source::Window(w), _) => window(w, &from, &to),
            (StageKind::Flatten, Source::Flatten { positions }, _) => flatten(layer, *positions, &from, &to),
            (StageKind::Read, _, ReadoutPlan::Pcsa(p)) => pcsa(plan, layer, p, &from, &to),
            (StageKind::Read, _, ReadoutPlan::Sa(s)) => sa(plan, layer, s, &from, &to),
            (StageKind::Read, _, ReadoutPlan::Adc(a)) => adc(plan, layer, a, &from, &to),
            (StageKind::Read, _, ReadoutPlan::Digital(d)) => digital(layer, d, &from, &to),
            (StageKind::Aggregate, _, ReadoutPlan::Sa(s)) => votes(layer, s, &from, &to),
            (StageKind::PoolVotes, _, ReadoutPlan::Sa(s)) => {
                let planes = if s.low.is_empty() { 1 } else { 2 };
                pool(layer, planes, false, votes_bits(layer, s) / planes, &from, &to)
            }
            (StageKind::PoolOutputs, ..) => {
                let trits = matches!(layer.output, OutputPlan::Trit { .. });
                let planes = if trits { 2 } else { 1 };
                pool(layer, planes, trits, bits / planes, &from, &to)
            }
            _ => unreachable!("a stage of another source or readout"),
        });
        from = to;
    }
    match &plan.memory {
        None => out.push(class_scores(plan, &from)),
        Some(memory) => out.extend(memory::instances(plan, memory, &from)),
    }
    out.extend(plan.access.as_ref().map(access::instance));
    out.push(stream_out(plan));
    out
}

fn slice(w: &WindowPlan, from: &str, to: &str) -> Instance {
    Instance {
        module: "hf_register_slice",
        name: format!("i_{to}"),
        parameters: vec![pair("Width", w.channels * values_bits(w.values))],
        ports: stream_ports(from, to),
    }
}

fn window(w: &WindowPlan, from: &str, to: &str) -> Instance {
    let [above, left, below, right] = w.pad;
    Instance {
        module: "hf_window",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Channels", w.channels),
            pair("Rows", w.map.rows),
            pair("Columns", w.map.columns),
            pair("Kind", kind(w.values)),
            pair("Width", images::table_width(w.values)),
            pair("KernelRows", w.kernel[0]),
            pair("KernelColumns", w.kernel[1]),
            pair("StrideRows", w.stride[0]),
            pair("StrideColumns", w.stride[1]),
            pair("PadAbove", above),
            pair("PadLeft", left),
            pair("PadBelow", below),
            pair("PadRight", right),
            pair("PadValue", w.pad_value),
        ],
        ports: stream_ports(from, to),
    }
}

fn flatten(layer: &LayerPlan, positions: usize, from: &str, to: &str) -> Instance {
    Instance {
        module: "hf_flatten",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Channels", layer.inputs / positions),
            pair("Positions", positions),
            flag("Trits", layer.input == Values::Trit),
        ],
        ports: stream_ports(from, to),
    }
}

fn votes(layer: &LayerPlan, s: &SaPlan, from: &str, to: &str) -> Instance {
    Instance {
        module: "hf_layer_votes",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Blocks", s.block_sizes.len()),
            pair("Neurons", layer.neurons),
            flag("OutputTrits", !s.low.is_empty()),
        ],
        ports: stream_ports(from, to),
    }
}

fn pool(layer: &LayerPlan, planes: usize, trits: bool, values: usize, from: &str, to: &str) -> Instance {
    let pool = layer.pool.as_ref().expect("a pool's stage");
    Instance {
        module: "hf_pool",
        name: format!("i_{to}"),
        parameters: vec![
            pair("Values", values),
            pair("Planes", planes),
            flag("Trits", trits),
            pair("Rows", pool.from.rows),
            pair("Columns", pool.from.columns),
            pair("SizeRows", pool.size[0]),
            pair("SizeColumns", pool.size[1]),
            pair("StrideRows", pool.stride[0]),
            pair("StrideColumns", pool.stride[1]),
            pair("All", bits_constant(&pool.all, layer.neurons)),
        ],
        ports: stream_ports(from, to),
    }
}

/// Hexadecimal constant of one bit a value, bit 0 first in the list; blocks that repeat the first `neurons` bits are written as
/// a repetition.
fn bits_constant(bits: &[bool], neurons: usize) -> String {
    let digit = |nibble: &[bool]| nibble.iter().rev().fold(0u32, |v, b| 2 * v + u32::from(*b));
    let hex = |bits: &[bool]| -> String {
        let digits = bits.chunks(4).rev().map(|n| char::from_digit(digit(n), 16).expect("a nibble"));
        format!("{}'h{}", bits.len(), digits.collect::<String>())
    };
    let first = &bits[..neurons];
    match bits.len() / neurons {
        n if n > 1 && bits.chunks(neurons).all(|block| block == first) => format!("{{{n}{{{}}}}}", hex(first)),
        _ => hex(bits),
    }
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
            pair("Values", input.codes()),
            pair("Vectors", input.vectors),
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
            pair("first_o", "image_first"),
            pair("start_o", "image_start"),
            pair("error_o", "frame_error"),
        ],
    }
}

fn pcsa(plan: &Plan, layer: &LayerPlan, p: &PcsaPlan, from: &str, to: &str) -> Instance {
    let mut ports = vec![pair("precharge_cycles_i", "precharge_cycles"), pair("window_cycles_i", "window_cycles")];
    ports.extend(stream_ports(from, to));
    let detail = detail(layer, 0);
    ports.extend([pair("lanes_valid_o", detail.valid), pair("lanes_o", detail.data)]);
    ports.extend(access::layer_ports(plan, layer));
    let mut parameters = vec![
        pair("Inputs", layer.inputs),
        pair("Neurons", layer.neurons),
        flag("InputTrits", layer.input == Values::Trit),
        flag("WeightTrits", layer.weight_kind == WeightKind::Ternary),
        pair("Planes", p.planes),
        pair("Output", output_kind(&layer.output)),
    ];
    parameters.extend(pcsa_arrays(plan, p, layer.sum_width));
    parameters.extend(spares::parameters(layer, "SpareAmplifiers"));
    parameters.extend(access::parameters(plan));
    parameters.push(prefix("Name", &layer.name));
    Instance { module: "hf_layer_pcsa", name: format!("i_{to}"), parameters, ports }
}

/// Parameters of PCSA arrays and the sums of their word lines, in a layer or a key memory.
pub(super) fn pcsa_arrays(plan: &Plan, p: &PcsaPlan, sum_width: usize) -> Vec<Pair> {
    vec![
        pair("ColumnTiles", p.column_tiles),
        pair("RowTiles", p.row_tiles),
        pair("Rows", p.rows),
        pair("Amplifiers", p.amplifiers),
        pair("ColumnsPerAmplifier", p.columns_per_amplifier),
        pair("LaneColumns", p.lane_columns),
        pair("LaneRows", p.lane_rows),
        pair("SumWidth", sum_width),
        pair("SignCycles", plan.sense.sign_cycles),
        pair("ZeroCycles", plan.sense.zero_cycles),
        pair("CountWidth", COUNT_WIDTH),
    ]
}

fn sa(plan: &Plan, layer: &LayerPlan, s: &SaPlan, from: &str, to: &str) -> Instance {
    let mut ports = stream_ports(from, to);
    ports.extend(access::layer_ports(plan, layer));
    let largest = s.block_sizes[0];
    let large = s.block_sizes.iter().filter(|b| **b == largest).count();
    let mut parameters = vec![
        pair("Inputs", layer.inputs),
        pair("Neurons", layer.neurons),
        flag("InputTrits", layer.input == Values::Trit),
        flag("WeightTrits", layer.weight_kind == WeightKind::Ternary),
        flag("OutputTrits", !s.low.is_empty()),
        flag("Unipolar", s.unipolar),
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
    ];
    parameters.extend(spares::parameters(layer, "SpareAmplifiers"));
    parameters.extend(access::parameters(plan));
    parameters.push(prefix("Name", &layer.name));
    Instance { module: "hf_layer_sa", name: format!("i_{to}"), parameters, ports }
}

fn adc(plan: &Plan, layer: &LayerPlan, a: &AdcPlan, from: &str, to: &str) -> Instance {
    let encoding = match a.encoding {
        Encoding::Signed | Encoding::BitSerial(_) => 0,
        Encoding::TwoPhases => 1,
        Encoding::Unipolar => 2,
    };
    let mut parameters = vec![
        pair("Inputs", layer.inputs),
        pair("Neurons", layer.neurons),
        pair("InputKind", kind(layer.input)),
        pair("InputWidth", images::table_width(layer.input)),
        pair("Encoding", encoding),
        flag("WeightTrits", layer.weight_kind == WeightKind::Ternary),
        flag("SingleColumn", a.single_column),
        pair("Output", output_kind(&layer.output)),
    ];
    parameters.extend(adc_arrays(a, layer.sum_width));
    parameters.extend(spares::parameters(layer, "SpareAdcs"));
    parameters.extend(access::parameters(plan));
    parameters.push(prefix("Name", &layer.name));
    let mut ports = stream_ports(from, to);
    let detail = detail(layer, 0);
    ports.extend([pair("codes_valid_o", detail.valid), pair("codes_o", detail.data)]);
    ports.extend(access::layer_ports(plan, layer));
    Instance { module: "hf_layer_adc", name: format!("i_{to}"), parameters, ports }
}

/// Parameters of arrays read by ADCs and the sums of their columns, in a layer or a key memory.
pub(super) fn adc_arrays(a: &AdcPlan, sum_width: usize) -> Vec<Pair> {
    let largest = a.block_sizes[0];
    vec![
        pair("Blocks", a.block_sizes.len()),
        pair("LargeBlocks", a.block_sizes.iter().filter(|b| **b == largest).count()),
        pair("BlockInputs", largest),
        pair("Tiles", a.tiles),
        pair("Adcs", a.adcs),
        pair("ColumnsPerAdc", a.columns_per_adc),
        pair("LaneBlocks", a.lane_blocks),
        pair("LaneTiles", a.lane_tiles),
        pair("ConversionCycles", a.conversion_cycles),
        pair("CodeBits", a.transfer.bits),
        pair("LevelWidth", images::level_width(a)),
        flag("Uniform", a.transfer.uniform),
        pair("ValueWidth", images::value_width(a)),
        pair("SumWidth", sum_width),
    ]
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
            pair("HeadWidth", head_bits(plan)),
        ],
        ports,
    }
}

#[cfg(test)]
mod tests {
    use crate::emit::LIBRARY;

    #[test]
    fn repeated_bits_are_written_once() {
        // Bits 0, 1 and 4 of 5: 0x13.
        let five = [true, true, false, false, true];
        assert_eq!(super::bits_constant(&five, 5), "5'h13");
        assert_eq!(super::bits_constant(&[five, five].concat(), 5), "{2{5'h13}}");
        assert_eq!(super::bits_constant(&[true, false, false, false], 2), "4'h1");
    }

    /// The latencies that `plan` counts with are those that the blocks' headers state.
    #[test]
    fn headers_state_the_latency_that_the_plan_counts_with() {
        for (file, latency) in [
            (
                "hf_layer_pcsa.sv",
                "Reads * (precharge + window + Planes) + 3 cycles from the accepting cycle to out_valid_o",
            ),
            ("hf_layer_sa.sv", "Reads * ReadCycles + 1 cycles from the accepting cycle to out_valid_o"),
            ("hf_layer_adc.sv", "Reads * ConversionCycles + 3 cycles from the accepting cycle to out_valid_o"),
            ("hf_layer_votes.sv", "1 cycle"),
            ("hf_register_slice.sv", "1 cycle"),
            ("hf_window.sv", "1 cycle from the position that completes a window"),
            ("hf_pool.sv", "1 cycle from the position that completes a window"),
            ("hf_flatten.sv", "1 cycle from the last position"),
            ("hf_layer_digital.sv", "Reads + 3 cycles from the accepting cycle to out_valid_o"),
            ("hf_few_shot.sv", "2 cycles where nothing is read or written, else"),
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
        for name in ["hf_bank_adc.sv", "hf_bank_pcsa.sv", "hf_bank_sa.sv"] {
            let grid = interface(name);
            assert!(grid.len() > 20, "{grid:?}");
            assert_eq!(interface(&format!("array/{name}")), grid, "{name}");
        }
    }
}
