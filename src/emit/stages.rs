//! Nets between the pipeline's stages: names, widths, comments.

use super::blocks::{lane_width, values_bits};
use super::views::{Stage, codes_bits, detail, net, output_bits, score_bits};
use crate::plan::{LayerPlan, OutputPlan, Plan, ReadoutPlan, SaPlan, Source, StageKind};

/// Images that the pipeline can hold parts of: four at most in any stage, as in a digital layer of one read, and one each in the
/// input, the class scores and the output.
pub(super) fn most_in_flight(plan: &Plan) -> usize {
    4 * plan.stages().len() + 3
}

/// Nets of every stage, in order: the image, the stages of the layers, the scores.
pub(super) fn stages(plan: &Plan) -> Vec<Stage> {
    let codes = plan.input.codes();
    let image = Stage {
        comment: match plan.input.vectors {
            1 => "Image: what the first layer takes".into(),
            n => format!("Image: {n} positions of {codes} channels, row by row"),
        },
        net: "image".into(),
        bits: codes * values_bits(plan.input.values),
        keep: true,
        details: Vec::new(),
    };
    let scores = Stage {
        comment: if plan.memory.is_some() {
            "Result of the few-shot memory: {head, class sums}".into()
        } else {
            "Class scores: {class, scores}".into()
        },
        net: "scores".into(),
        bits: score_bits(plan),
        keep: true,
        details: Vec::new(),
    };
    let mut all = vec![image];
    for at in 0..plan.stages().len() {
        let stage = layer_stage(plan, at, all[at].bits);
        all.push(stage);
    }
    all.push(scores);
    all
}

/// Stage `at` of the plan's, behind one of `before` bits.
fn layer_stage(plan: &Plan, at: usize, before: usize) -> Stage {
    let stages = plan.stages();
    let (layer, kind) = (&plan.layers[stages[at].layer], stages[at].kind);
    let bits = match kind {
        StageKind::Slice => before,
        StageKind::Window => layer.inputs * values_bits(layer.input),
        StageKind::Flatten => layer.inputs * values_bits(layer.input),
        StageKind::Read | StageKind::PoolVotes => match &layer.readout {
            ReadoutPlan::Sa(s) => votes_bits(layer, s),
            _ => output_bits(layer),
        },
        StageKind::Aggregate | StageKind::PoolOutputs => output_bits(layer),
    };
    let details = match (&layer.readout, kind) {
        (ReadoutPlan::Pcsa(p), StageKind::Read) => vec![detail(layer, p.lane_rows * p.lane_columns * lane_width(p))],
        (ReadoutPlan::Adc(a), StageKind::Read) => vec![detail(layer, codes_bits(a))],
        _ => Vec::new(),
    };
    let net = stage_net(plan, at);
    Stage { comment: comment(layer, kind), keep: !net.contains("__"), net, bits, details }
}

/// The arrays of a layer in the hierarchy below the top.
pub fn bank(plan: &Plan, layer: usize) -> String {
    let read = plan.stages().iter().position(|s| s.layer == layer && s.kind == StageKind::Read);
    let net = stage_net(plan, read.expect("every layer reads its weights"));
    match plan.layers[layer].readout {
        ReadoutPlan::Pcsa(_) | ReadoutPlan::Adc(_) => format!("i_{net}.i_sums.i_bank"),
        ReadoutPlan::Sa(_) | ReadoutPlan::Digital(_) => format!("i_{net}.i_bank"),
    }
}

/// Prefix of the nets behind stage `at`: the layer's own behind its last stage. No layer's name has two underscores.
pub(super) fn stage_net(plan: &Plan, at: usize) -> String {
    let stages = plan.stages();
    let own = net(&plan.layers[stages[at].layer]);
    if stages.get(at + 1).is_none_or(|next| next.layer != stages[at].layer) {
        return own;
    }
    let what = match stages[at].kind {
        StageKind::Slice => "positions",
        StageKind::Window => "windows",
        StageKind::Flatten => "flat",
        StageKind::Read if matches!(plan.layers[stages[at].layer].readout, ReadoutPlan::Sa(_)) => "votes",
        StageKind::Read | StageKind::Aggregate => "outputs",
        StageKind::PoolVotes => "pooled_votes",
        StageKind::PoolOutputs => unreachable!("a pool of outputs ends a layer"),
    };
    format!("{own}__{what}")
}

fn comment(layer: &LayerPlan, kind: StageKind) -> String {
    let name = &layer.name;
    let map = layer.map;
    let positions = match map.positions() {
        1 => String::new(),
        _ => format!(" at {} x {} positions", map.rows, map.columns),
    };
    match kind {
        StageKind::Slice => format!("Layer {name}: positions of the map before, through a register slice"),
        StageKind::Window => match &layer.source {
            Source::Window(w) => format!(
                "Layer {name}: windows of {} x {} of {} channels, {} x {} of them",
                w.kernel[0], w.kernel[1], w.channels, w.windows.rows, w.windows.columns
            ),
            _ => unreachable!("windows have a kernel"),
        },
        StageKind::Flatten => format!("Layer {name}: the map before as one vector"),
        StageKind::Read => {
            let how = match &layer.readout {
                ReadoutPlan::Pcsa(_) => format!("{} PCSA arrays", layer.arrays()),
                ReadoutPlan::Sa(s) => format!(
                    "{} arrays with 1-bit sense amplifiers, votes of {} blocks",
                    layer.arrays(),
                    s.block_sizes.len()
                ),
                ReadoutPlan::Adc(a) => format!("{} arrays with {}-bit ADCs", layer.arrays(), a.transfer.bits),
                ReadoutPlan::Digital(_) => "digital".into(),
            };
            let out = match layer.output {
                OutputPlan::Bipolar { .. } => "bipolar",
                OutputPlan::Trit { .. } => "trits {nonzero, positive}",
                OutputPlan::Sums => "sums",
            };
            format!("Layer {name}: {} -> {} {out}, {how}", layer.inputs, layer.neurons)
        }
        StageKind::PoolVotes => format!("Layer {name}: votes of each pool"),
        StageKind::Aggregate => format!("Layer {name}: sign of the votes{positions}"),
        StageKind::PoolOutputs => format!("Layer {name}: pooled{positions}"),
    }
}

/// Bits of an `sa` layer's votes: {[low,] high} of every block.
pub(super) fn votes_bits(layer: &LayerPlan, s: &SaPlan) -> usize {
    let references = if s.low.is_empty() { 1 } else { 2 };
    references * s.block_sizes.len() * layer.neurons
}
