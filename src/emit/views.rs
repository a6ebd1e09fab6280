//! Plain structs of finished text and numbers for the templates.

use askama::Template;

use super::COUNT_WIDTH;
use super::access;
use super::blocks::{self, Instance};
use super::memory::{self, Net};
use super::stages;
use crate::plan::{AdcPlan, LayerPlan, OutputPlan, Plan, ReadoutPlan};

/// A pipeline stage's output nets.
pub(super) struct Stage {
    pub comment: String,
    /// Prefix of the nets: `NET_valid`, `NET_ready`, `NET_data`.
    pub net: String,
    pub bits: usize,
    /// Whether synthesis has to keep the nets: a layer's output, not what lies within it.
    pub keep: bool,
    pub details: Vec<DetailNet>,
}

/// Nets of what the arrays of a layer give, for the test bench.
pub(super) struct DetailNet {
    pub valid: String,
    pub data: String,
    pub bits: usize,
}

/// What a tap shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TapKind {
    /// Output of layer `0..`: a bipolar plane, {nonzero, positive} planes, or sums.
    Layer(usize),
    /// {class, scores}, or {head, class sums}.
    Scores,
    /// A similarity of the key memory; as many for an image as its command reads.
    Dots,
    /// PCSA layer: partial sums of the lanes of one read, lane k at k * width.
    Lanes { layer: usize, width: usize },
    /// ADC layer: codes of all arrays, `width` bits each; those of the arrays that were read are new.
    Codes { layer: usize, width: usize },
    /// SA layer: `{[low,] high}` votes, block k at k * neurons.
    Votes(usize),
}

/// A tap of the co-simulation, in the order of its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    pub kind: TapKind,
    pub bits: usize,
    /// Firings of an image; 0: any number, all of them before the image's [`TapKind::Scores`] and after that of the image before.
    pub per_image: usize,
}

impl Tap {
    /// Whether the tap is only read to locate a mismatch.
    pub fn is_detail(&self) -> bool {
        matches!(self.kind, TapKind::Lanes { .. } | TapKind::Codes { .. } | TapKind::Votes(_))
    }
}

/// Taps of a plan's design: every layer, the scores, then details.
pub fn taps(plan: &Plan) -> Vec<Tap> {
    let mut taps: Vec<Tap> = Vec::new();
    for (k, layer) in plan.layers.iter().enumerate() {
        taps.push(Tap { kind: TapKind::Layer(k), bits: output_bits(layer), per_image: layer.map.positions() });
    }
    if let Some(memory) = &plan.memory {
        taps.push(Tap { kind: TapKind::Dots, bits: memory.dot_width, per_image: 0 });
    }
    taps.push(Tap { kind: TapKind::Scores, bits: score_bits(plan), per_image: 1 });
    for (k, layer) in plan.layers.iter().enumerate() {
        match &layer.readout {
            ReadoutPlan::Pcsa(p) => {
                let width = blocks::lane_width(p);
                let bits = p.lane_rows * p.lane_columns * width;
                taps.push(Tap {
                    kind: TapKind::Lanes { layer: k, width },
                    bits,
                    per_image: p.reads * p.planes * layer.vectors(),
                });
            }
            ReadoutPlan::Sa(s) => {
                let bits = stages::votes_bits(layer, s);
                taps.push(Tap { kind: TapKind::Votes(k), bits, per_image: layer.vectors() });
            }
            ReadoutPlan::Adc(a) => {
                let width = a.transfer.bits;
                let kind = TapKind::Codes { layer: k, width };
                taps.push(Tap { kind, bits: codes_bits(a), per_image: a.reads * layer.vectors() });
            }
            ReadoutPlan::Digital(_) => {}
        }
    }
    taps
}

/// Number of the tap that shows an image's result.
pub(super) fn result_tap(plan: &Plan) -> usize {
    taps(plan).iter().position(|t| t.kind == TapKind::Scores).expect("every design has a result")
}

/// Bits of a layer's output vector.
pub(super) fn output_bits(layer: &LayerPlan) -> usize {
    layer.neurons
        * match layer.output {
            OutputPlan::Bipolar { .. } => 1,
            OutputPlan::Trit { .. } => 2,
            OutputPlan::Sums => layer.sum_width,
        }
}

/// Bits of a result's head: the class, or what hf_few_shot puts there.
pub(super) fn head_bits(plan: &Plan) -> usize {
    if plan.memory.is_some() { 32 } else { index_width(plan.classes()) }
}

/// Bits of the head and the scores.
pub(super) fn score_bits(plan: &Plan) -> usize {
    head_bits(plan) + plan.classes() * plan.scores.width
}

/// Bits of an index into `count` things, at least one.
pub(super) fn index_width(count: usize) -> usize {
    (usize::BITS - count.saturating_sub(1).leading_zeros()).max(1) as usize
}

/// Prefix of a layer's nets.
pub(super) fn net(layer: &LayerPlan) -> String {
    format!("layer_{}", layer.name)
}

/// Nets of a tap below the design: `(fire condition's nets, data)`.
fn tap_nets(plan: &Plan, kind: &TapKind) -> (Vec<String>, String) {
    let stream = |net: &str| (vec![format!("{net}_valid"), format!("{net}_ready")], format!("{net}_data"));
    match kind {
        TapKind::Layer(k) => stream(&net(&plan.layers[*k])),
        TapKind::Scores => stream("scores"),
        TapKind::Dots => (vec!["keys_dot_valid".into()], "keys_dot".into()),
        TapKind::Lanes { layer, .. } | TapKind::Codes { layer, .. } => {
            let detail = detail(&plan.layers[*layer], 0);
            (vec![detail.valid], detail.data)
        }
        TapKind::Votes(layer) => stream(&format!("{}__votes", net(&plan.layers[*layer]))),
    }
}

/// Nets of the partial sums of a PCSA layer, or of the codes of an ADC layer.
pub(super) fn detail(layer: &LayerPlan, bits: usize) -> DetailNet {
    let what = if matches!(layer.readout, ReadoutPlan::Adc(_)) { "codes" } else { "lanes" };
    let net = format!("{}__{what}", net(layer));
    DetailNet { valid: format!("{net}_valid"), data: net, bits }
}

/// Bits of the codes of all arrays of a layer.
pub(super) fn codes_bits(plan: &AdcPlan) -> usize {
    plan.block_sizes.len() * plan.tiles * plan.adcs * plan.transfer.bits
}

pub(super) struct TapView {
    pub comment: String,
    pub fire: String,
    pub data: String,
    pub bits: usize,
    pub per_image: usize,
    pub detail: u8,
}

fn tap_view(plan: &Plan, tap: &Tap) -> TapView {
    let (fire, data) = tap_nets(plan, &tap.kind);
    let fire: Vec<String> = fire.iter().map(|n| format!("dut.{n}")).collect();
    let comment = match &tap.kind {
        TapKind::Layer(k) => format!("output of layer {}", plan.layers[*k].name),
        TapKind::Scores if plan.memory.is_some() => "head and class sums".into(),
        TapKind::Scores => "class and scores".into(),
        TapKind::Dots => "similarities".into(),
        TapKind::Lanes { layer, .. } => format!("partial sums of the arrays of layer {}", plan.layers[*layer].name),
        TapKind::Codes { layer, .. } => format!("codes of the arrays of layer {}", plan.layers[*layer].name),
        TapKind::Votes(layer) => format!("votes of the arrays of layer {}", plan.layers[*layer].name),
    };
    let detail = u8::from(tap.is_detail());
    TapView { comment, fire: fire.join(" & "), data, bits: tap.bits, per_image: tap.per_image, detail }
}

/// Nets that belong to no stage.
pub(super) struct NetGroup {
    comment: &'static str,
    nets: Vec<Net>,
}

fn nets(plan: &Plan) -> Vec<NetGroup> {
    let memory = plan.memory.as_ref().map(memory::nets);
    let memory = memory.map(|nets| NetGroup { comment: "Few-shot memory: control, keys and registers", nets });
    let access = plan.access.as_ref().map(access::nets);
    let access = access.map(|nets| NetGroup { comment: "Access to the arrays' cells", nets });
    memory.into_iter().chain(access).collect()
}

#[derive(Template)]
#[template(path = "top.sv", escape = "none")]
pub(super) struct Top {
    pub banner: String,
    pub network: String,
    pub top: String,
    pub input_comment: String,
    pub output_comment: String,
    pub cycles_comment: String,
    pub stream_bits: usize,
    pub count_width: usize,
    pub precharge_cycles: usize,
    pub window_cycles: usize,
    pub most_in_flight: usize,
    pub in_flight_width: usize,
    pub uses_pcsa: bool,
    /// A few-shot memory: commands come with the images.
    pub memory: bool,
    /// The arrays can be programmed.
    pub access: bool,
    /// Layers with arrays.
    pub banks: usize,
    pub nets: Vec<NetGroup>,
    /// Lines that join the registers' extensions.
    pub answers: Vec<String>,
    pub stages: Vec<Stage>,
    pub instances: Vec<Instance>,
}

#[derive(Template)]
#[template(path = "hafnia_sim.sv", escape = "none")]
pub(super) struct Sim {
    pub banner: String,
    /// Commands come with the images.
    pub memory: bool,
    /// The arrays can be programmed.
    pub access: bool,
    pub top: String,
    pub stream_bits: usize,
    pub taps: Vec<TapView>,
}

#[derive(Template)]
#[template(path = "taps.h", escape = "none")]
pub(super) struct TapsHeader {
    pub banner: String,
    /// Commands come with the images.
    pub memory: bool,
    /// The arrays can be programmed.
    pub access: bool,
    pub stream_bytes: usize,
    pub beats: usize,
    /// Number of the tap that shows an image's result.
    pub result_tap: usize,
    pub taps: Vec<TapView>,
}

#[derive(Template)]
#[template(path = "tb_icarus.sv", escape = "none")]
pub(super) struct IcarusBench {
    pub banner: String,
    /// Commands come with the images.
    pub memory: bool,
    /// The arrays can be programmed.
    pub access: bool,
    pub beats: usize,
    pub stream_bits: usize,
    pub most_beats: usize,
    pub most_images: usize,
    pub result_beats: usize,
    pub result_tap: usize,
    pub taps: Vec<TapView>,
}

/// Images that the Icarus test bench has room for.
pub const ICARUS_IMAGES: usize = 256;

pub(super) fn tap_views(plan: &Plan) -> Vec<TapView> {
    taps(plan).iter().map(|t| tap_view(plan, t)).collect()
}

pub(super) fn top(plan: &Plan, banner: String, top: String) -> Top {
    let images = format!(
        "{} codes of {} bits an image, least significant first, {} beats of {} bits, tlast on the last{}",
        plan.input.count,
        plan.input.code_bits,
        plan.input.beats,
        plan.stream_bits,
        match plan.input.vectors {
            1 => String::new(),
            n => format!("; {n} positions row by row, the channels of each together, from a beat of their own"),
        }
    );
    let results = match &plan.memory {
        None => format!("32-bit words: the class, then {} signed scores; tlast on the last beat", plan.classes()),
        Some(m) => format!(
            "32-bit words: the head (see hf_few_shot), then {} signed class sums; tlast on the last beat",
            m.classes
        ),
    };
    let cycles = format!(
        "first result {} cycles after the first beat, then an image every {} cycles, if nothing stalls",
        plan.cycles.first_latency(),
        plan.cycles.interval
    );
    Top {
        banner,
        network: plan.name.clone(),
        top,
        input_comment: images,
        output_comment: results,
        cycles_comment: cycles,
        stream_bits: plan.stream_bits,
        count_width: COUNT_WIDTH,
        precharge_cycles: plan.sense.precharge_cycles,
        window_cycles: plan.sense.window_cycles,
        most_in_flight: stages::most_in_flight(plan),
        in_flight_width: index_width(stages::most_in_flight(plan) + 1),
        uses_pcsa: plan.uses_pcsa(),
        memory: plan.memory.is_some(),
        access: plan.access.is_some(),
        banks: access::banks(plan),
        nets: nets(plan),
        answers: access::answers(plan),
        stages: stages::stages(plan),
        instances: blocks::instances(plan),
    }
}
