//! What the cases show of hafnia, so that a drawing that loses something is noticed.

use hafnia::hardware::{Hardware, Mapping};
use hafnia::network::{Activation, Conv, InputCode, InputValues, Layer, Network, Normalize, Op, WeightKind};
use hafnia::plan::{self, AdcPlan, Encoding, LayerPlan, Plan, PoolPlace, ReadoutPlan, SaPlan, Source, Values};

use super::case::Case;

type OfLayer = fn(&Layer, &LayerPlan) -> bool;
type OfDesign = fn(&Network, &Hardware, &Plan) -> bool;

/// What one of a design's layers may be.
const LAYER: [(&str, OfLayer); 65] = [
    ("bipolar inputs", |_, p| p.input == Values::Bipolar),
    ("trits as inputs", |_, p| p.input == Values::Trit),
    ("integers as inputs", |_, p| matches!(p.input, Values::Integer { .. })),
    ("bipolar weights", |l, _| l.weights.kind == WeightKind::Bipolar),
    ("ternary weights", |l, _| l.weights.kind == WeightKind::Ternary),
    ("8-bit weights", |l, _| l.weights.kind == WeightKind::Int8),
    ("batch norm", |l, _| matches!(l.normalize, Normalize::BatchNorm { .. })),
    ("gain and shift", |l, _| matches!(l.normalize, Normalize::Affine { .. })),
    ("a gain of 0", |l, _| gains(l).contains(&0.0)),
    ("flipped neurons beside others", |_, p| p.flipped.contains(&true) && p.flipped.contains(&false)),
    ("bipolar outputs", |l, _| matches!(l.activation, Activation::Bipolar { .. })),
    ("trits as outputs", |l, _| matches!(l.activation, Activation::Ternary { .. })),
    (
        "dead zones with and without their ends",
        |l, _| matches!(&l.activation, Activation::Ternary { above, below } if above.strict != below.strict),
    ),
    ("a flattened map", |_, p| matches!(p.source, Source::Flatten { .. })),
    ("strides", |l, _| conv(l, |c| c.stride != [1, 1])),
    ("padding with 0", |l, _| conv(l, |c| c.is_padded() && c.pad_value == 0)),
    ("padding with another value", |l, _| conv(l, |c| c.is_padded() && c.pad_value != 0)),
    ("padding of unequal sides", |l, _| conv(l, |c| c.pad[0] != c.pad[2] || c.pad[1] != c.pad[3])),
    ("gates for padding in a bipolar layer", |_, p| matches!(&p.source, Source::Window(w) if w.gates())),
    ("a kernel of unequal sides", |l, _| conv(l, |c| c.kernel[0] != c.kernel[1])),
    ("a pool of votes", |_, p| pool(p, |p| p.place == PoolPlace::Votes)),
    ("a pool of outputs", |_, p| pool(p, |p| p.place == PoolPlace::Outputs && p.all.iter().all(|all| !all))),
    ("a pool with AND", |_, p| pool(p, |p| p.all.contains(&true))),
    ("a pool that leaves positions out", |_, p| pool(p, |p| p.stride != p.size)),
    ("pcsa", |_, p| matches!(p.readout, ReadoutPlan::Pcsa(_))),
    (
        "pcsa: several arrays either way",
        |_, p| matches!(&p.readout, ReadoutPlan::Pcsa(p) if p.column_tiles > 1 && p.row_tiles > 1),
    ),
    (
        "pcsa: arrays share what reads them",
        |_, p| matches!(&p.readout, ReadoutPlan::Pcsa(p) if p.column_groups() * p.row_groups() > 1),
    ),
    (
        "pcsa: columns share amplifiers",
        |_, p| matches!(&p.readout, ReadoutPlan::Pcsa(p) if p.columns_per_amplifier > 1),
    ),
    ("sa", |_, p| sa(p, |_| true)),
    ("sa: one block", |_, p| sa(p, |s| s.block_sizes.len() == 1)),
    ("sa: blocks of one size", |_, p| sa(p, |s| s.block_sizes.len() > 1 && !unequal(&s.block_sizes))),
    ("sa: unequal blocks", |_, p| sa(p, |s| unequal(&s.block_sizes))),
    ("sa: several tiles", |_, p| sa(p, |s| s.tiles > 1)),
    ("sa: arrays share what reads them", |_, p| {
        sa(p, |s| s.lane_blocks < s.block_sizes.len() || s.lane_tiles < s.tiles)
    }),
    ("sa: columns share amplifiers", |_, p| sa(p, |s| s.columns_per_amplifier > 1)),
    ("sa: two references", |_, p| sa(p, |s| !s.low.is_empty())),
    ("sa: unipolar neurons", |_, p| sa(p, |s| s.unipolar)),
    ("sa: trained split", |l, p| sa(p, |_| l.blocks.len() > 1)),
    ("sa: trained split, unequal blocks", |l, p| sa(p, |s| !l.blocks.is_empty() && unequal(&s.block_sizes))),
    ("sa: a convolution", |l, p| sa(p, |_| conv(l, |_| true))),
    ("adc", |_, p| adc(p, |_| true)),
    ("adc: exact", |_, p| adc(p, |a| a.transfer.exact)),
    ("adc: codes that round, in equal steps", |_, p| adc(p, |a| a.transfer.uniform)),
    ("adc: a table of levels", |_, p| adc(p, |a| !a.transfer.exact && !a.transfer.uniform)),
    ("adc: several blocks", |_, p| adc(p, |a| a.block_sizes.len() > 1)),
    ("adc: unequal blocks", |_, p| adc(p, |a| unequal(&a.block_sizes))),
    ("adc: arrays share what reads them", |_, p| {
        adc(p, |a| a.lane_blocks < a.block_sizes.len() || a.lane_tiles < a.tiles)
    }),
    ("adc: columns share ADCs", |_, p| adc(p, |a| a.columns_per_adc > 1)),
    ("adc: single columns, one read", |_, p| adc(p, |a| a.single_column && a.encoding == Encoding::Signed)),
    ("adc: single columns, two phases", |_, p| adc(p, |a| a.encoding == Encoding::TwoPhases)),
    ("adc: unipolar neurons", |_, p| adc(p, |a| a.encoding == Encoding::Unipolar)),
    ("adc: bit by bit", |_, p| adc(p, |a| matches!(a.encoding, Encoding::BitSerial(_)))),
    ("adc: a convolution", |l, p| adc(p, |_| conv(l, |_| true))),
    ("adc: scores", |l, p| adc(p, |_| l.activation == Activation::Scores)),
    ("pcsa: word lines left out", |_, p| matches!(p.readout, ReadoutPlan::Pcsa(_)) && lines_left_out(p)),
    ("pcsa: columns left out", |_, p| matches!(p.readout, ReadoutPlan::Pcsa(_)) && columns_left_out(p)),
    ("sa: word lines left out", |_, p| sa(p, |_| lines_left_out(p))),
    ("sa: columns left out", |_, p| sa(p, |_| columns_left_out(p))),
    ("adc: word lines left out", |_, p| adc(p, |_| lines_left_out(p))),
    ("adc: columns left out", |_, p| adc(p, |_| columns_left_out(p))),
    ("stuck cells that need no spare", |_, p| p.spares.as_ref().is_some_and(|s| s.harmless > 0)),
    ("digital", |_, p| matches!(p.readout, ReadoutPlan::Digital(_))),
    (
        "digital: not all inputs at once",
        |_, p| matches!(&p.readout, ReadoutPlan::Digital(d) if d.lane_inputs < p.inputs),
    ),
    (
        "digital: not all neurons at once",
        |_, p| matches!(&p.readout, ReadoutPlan::Digital(d) if d.lane_neurons < p.neurons),
    ),
    ("digital: bipolar values or trits", |_, p| {
        matches!(p.readout, ReadoutPlan::Digital(_)) && !matches!(p.input, Values::Integer { .. })
    }),
];

/// What a design may be.
const DESIGN: [(&str, OfDesign); 22] = [
    ("one layer", |n, _, _| n.layers.len() == 1),
    ("four layers", |n, _, _| n.layers.len() == 4),
    ("two convolutions", |n, _, _| n.layers.iter().filter(|l| conv(l, |_| true)).count() > 1),
    ("bits as input", |n, _, _| n.input.code == InputCode::Bipolar),
    ("signed bytes as input", |n, _, _| matches!(n.input.code, InputCode::I8(_))),
    ("input by threshold", |n, _, _| matches!(n.input.code, InputCode::U8(InputValues::Threshold { .. }))),
    ("input by table", |n, _, _| matches!(n.input.code, InputCode::U8(InputValues::Table(_)))),
    ("input by gain and offset", |n, _, _| matches!(n.input.code, InputCode::U8(InputValues::Affine { .. }))),
    ("two readouts", |_, _, p| readouts(p) == 2),
    ("three readouts", |_, _, p| readouts(p) >= 3),
    ("pcsa beside sa", |_, _, p| {
        p.layers.iter().any(|l| matches!(l.readout, ReadoutPlan::Pcsa(_))) && p.layers.iter().any(|l| sa(l, |_| true))
    }),
    ("sa beside adc", |_, _, p| p.layers.iter().any(|l| sa(l, |_| true)) && p.layers.iter().any(|l| adc(l, |_| true))),
    ("thresholds mapped to the letter", |_, h, p| {
        p.layers.iter().any(|l| sa(l, |_| !l.exact && h.layer(&l.name).sa.mapping == Mapping::Literal))
    }),
    ("scores as they are", |_, _, p| p.scores.affine.is_none()),
    ("scores in fixed point, exactly", |_, _, p| p.scores.affine.as_ref().is_some_and(|a| a.exact)),
    ("scores in fixed point, rounded", |_, _, p| p.scores.affine.as_ref().is_some_and(|a| !a.exact)),
    ("a plan that is exact", |_, _, p| p.is_exact()),
    ("a plan that is not exact", |_, _, p| !p.is_exact()),
    ("a stream of 8 bits", |_, _, p| p.stream_bits == 8),
    ("a stream of 32 bits", |_, _, p| p.stream_bits == 32),
    ("a stream of 1024 bits", |_, _, p| p.stream_bits == 1024),
    ("an image of several beats a position", |_, _, p| p.input.vectors > 1 && p.input.beats > p.input.vectors),
];

fn gains(layer: &Layer) -> &[f64] {
    match &layer.normalize {
        Normalize::None => &[],
        Normalize::BatchNorm { gamma: gain, .. } | Normalize::Affine { gain, .. } => gain,
    }
}

fn conv(layer: &Layer, is: impl Fn(&Conv) -> bool) -> bool {
    matches!(&layer.op, Op::Conv(conv) if is(conv))
}

fn pool(layer: &LayerPlan, is: impl Fn(&plan::PoolPlan) -> bool) -> bool {
    layer.pool.as_ref().is_some_and(is)
}

fn sa(layer: &LayerPlan, is: impl Fn(&SaPlan) -> bool) -> bool {
    matches!(&layer.readout, ReadoutPlan::Sa(sa) if is(sa))
}

fn adc(layer: &LayerPlan, is: impl Fn(&AdcPlan) -> bool) -> bool {
    matches!(&layer.readout, ReadoutPlan::Adc(adc) if is(adc))
}

fn lines_left_out(layer: &LayerPlan) -> bool {
    layer.spares.as_ref().is_some_and(|s| s.repairs.iter().any(|r| !r.word_lines.is_empty()))
}

fn columns_left_out(layer: &LayerPlan) -> bool {
    layer.spares.as_ref().is_some_and(|s| s.repairs.iter().any(|r| !r.amplifiers.is_empty()))
}

fn unequal(sizes: &[usize]) -> bool {
    sizes.iter().any(|s| *s != sizes[0])
}

fn readouts(plan: &Plan) -> usize {
    let kind = |l: &LayerPlan| std::mem::discriminant(&l.readout);
    plan.layers.iter().map(kind).collect::<std::collections::HashSet<_>>().len()
}

/// How many cases show each feature.
pub struct Shown(Vec<(&'static str, usize)>);

impl Shown {
    pub fn by(cases: &[Case]) -> Self {
        let designs: Vec<(&Network, Hardware, Plan)> = cases.iter().filter_map(design).collect();
        let layer = |is: &dyn Fn(&Layer, &LayerPlan) -> bool| {
            let has = |(n, _, p): &&(&Network, Hardware, Plan)| n.layers.iter().zip(&p.layers).any(|(l, p)| is(l, p));
            designs.iter().filter(has).count()
        };
        let mut shown: Vec<_> = LAYER.iter().map(|(name, is)| (*name, layer(is))).collect();
        shown.extend(DESIGN.iter().map(|(name, is)| (*name, designs.iter().filter(|(n, h, p)| is(n, h, p)).count())));
        Self(shown)
    }

    /// Features that fewer than `least` cases show.
    pub fn rare(&self, least: usize) -> Vec<(&'static str, usize)> {
        self.0.iter().filter(|(_, count)| *count < least).copied().collect()
    }
}

/// None where the hardware is refused.
fn design(case: &Case) -> Option<(&Network, Hardware, Plan)> {
    let hardware = Hardware::parse(&case.hardware.to_string()).unwrap();
    let plan = plan::plan_with_faults(&case.network, &hardware, case.faulty.clone()).ok()?;
    Some((&case.network, hardware, plan))
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0.iter().try_for_each(|(feature, count)| writeln!(f, "{count:5} {feature}"))
    }
}
