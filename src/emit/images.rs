//! Memory images: `$readmemh` text, one word a line. Packing only; every number stands in the plan.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::cells::Cells;
use super::spares;
use crate::fault_map::Fault;
use crate::network::WeightKind;
use crate::plan::{
    AdcPlan, Arrays, DigitalPlan, InputMap, KEYS, KeysPlan, LayerPlan, MemoryPlan, OutputPlan, PcsaPlan, Place, Plan,
    ReadoutPlan, SaPlan, Values, left_out, signed_width,
};

/// A word under construction, least significant bit first.
#[derive(Default)]
pub(super) struct Word(pub Vec<bool>);

impl Word {
    fn bit(&mut self, bit: bool) {
        self.0.push(bit);
    }

    /// The low `width` bits of a two's complement number.
    pub fn number(&mut self, value: i64, width: usize) {
        self.0.extend((0..width).map(|b| (value >> b.min(63)) & 1 == 1));
    }

    fn hex(&self) -> String {
        let digit = |nibble: &[bool]| {
            let value = nibble.iter().rev().fold(0u32, |v, b| 2 * v + u32::from(*b));
            char::from_digit(value, 16).expect("a nibble")
        };
        self.0.chunks(4).rev().map(digit).collect()
    }
}

/// An image file.
pub struct Image {
    /// File name.
    pub name: String,
    pub text: String,
}

pub(super) fn image(name: String, words: impl IntoIterator<Item = Word>) -> Image {
    let mut text = String::new();
    for word in words {
        text += &word.hex();
        text.push('\n');
    }
    Image { name, text }
}

/// All images of a plan.
pub(super) fn images(plan: &Plan) -> Vec<Image> {
    let mut out = Vec::new();
    if let InputMap::Table(table) = &plan.input.map {
        let width = table_width(plan.input.values);
        let word = |v: &i32| {
            let mut w = Word::default();
            w.number(i64::from(*v), width);
            w
        };
        out.push(image("image_table.mem".into(), table.iter().map(word)));
    }
    for layer in &plan.layers {
        match &layer.readout {
            ReadoutPlan::Pcsa(p) => pcsa(layer, p, &plan.faults, &mut out),
            ReadoutPlan::Sa(s) => sa(layer, s, plan, &mut out),
            ReadoutPlan::Adc(a) => adc(layer, a, plan, &mut out),
            ReadoutPlan::Digital(d) => digital(layer, d, &mut out),
        }
        spares::images(layer, &mut out);
    }
    if let Some(memory) = &plan.memory {
        keys(memory, &mut out);
    }
    if let (Some(affine), Some(last)) = (&plan.scores.affine, plan.layers.last()) {
        let words = (0..last.neurons).map(|c| {
            let mut w = Word::default();
            w.number(i64::from(affine.gain[c]), affine.gain_width);
            w.number(i64::from(affine.offset[c]), plan.scores.width);
            w
        });
        out.push(image("scores_affine.mem".into(), words));
    }
    out
}

/// Cells of the key memory that were never written, all HRS, and the ADCs' levels and values.
fn keys(memory: &MemoryPlan, out: &mut Vec<Image>) {
    let virgin = |lines: usize, bits: usize| (0..lines).map(move |_| Word(vec![false; bits]));
    match &memory.keys {
        KeysPlan::Pcsa(p) => {
            for (r, c) in (0..p.row_tiles).flat_map(|r| (0..p.column_tiles).map(move |c| (r, c))) {
                let words = virgin(p.rows * p.columns_per_amplifier, 2 * p.amplifiers);
                out.push(image(format!("{KEYS}_r{r}_c{c}.mem"), words));
            }
        }
        KeysPlan::Adc(a) => {
            let planes = if a.single_column { 1 } else { 2 };
            for (b, size) in a.block_sizes.iter().enumerate() {
                for t in 0..a.tiles {
                    let words = virgin(a.adcs * a.columns_per_adc, planes * size);
                    out.push(image(format!("{KEYS}_b{b}_t{t}.mem"), words));
                }
            }
            transfer(KEYS, a, out);
        }
    }
}

/// Bits of an entry of the input table.
pub(super) fn table_width(values: Values) -> usize {
    match values {
        Values::Integer { width, .. } => width,
        Values::Bipolar | Values::Trit => 2,
    }
}

/// Weight of neuron `j` for input `i`, where both exist.
fn weight(weights: &Array2<i8>, j: usize, i: usize) -> Option<i8> {
    weights.get([j, i]).copied()
}

/// State of the cells of every array: stuck ones have theirs, left-out ones else are HRS.
fn cells(layer: &LayerPlan, faults: &[Fault], bits: impl Fn(usize) -> Option<usize>, out: &mut Vec<Image>) {
    let Some(cells) = Cells::of(layer) else { return };
    let left_out = left_out(layer);
    for (split, tile) in cells.arrays.each() {
        let here = faults.iter().filter(|f| f.layer == layer.name && (f.split, f.tile) == (split, tile));
        let stuck: BTreeMap<Place, bool> =
            here.filter_map(|f| Some((Place { line: f.line, cell: f.cell }, f.kind.stuck_at_lrs()?))).collect();
        let lrs = |at| match stuck.get(&at) {
            Some(lrs) => *lrs,
            None => cells.arrays.lrs(split, tile, at, &left_out[split][tile]) == Some(true),
        };
        out.push(match bits(split) {
            None => cells.image(split, tile, lrs),
            Some(bits) => cells.part(split, tile, bits, lrs),
        });
    }
}

/// Array (r, c): line row * columns_per_amplifier + column holds {BLb, BL}, 1 = LRS: +1 is LRS/HRS, -1 HRS/LRS, 0 and
/// cells that hold no weight HRS/HRS.
fn pcsa(layer: &LayerPlan, p: &PcsaPlan, faults: &[Fault], out: &mut Vec<Image>) {
    cells(layer, faults, |_| None, out);
    thresholds(layer, p.row_groups() * p.rows, p.lane_rows, |word, lane| {
        (word / p.rows * p.lane_rows + lane) * p.rows + word % p.rows
    })
    .into_iter()
    .for_each(|i| out.push(i));
}

/// Threshold ROM: `lanes` neurons a word, {[low,] high} each; lane 0 lowest. Neurons that do not exist get zeros.
fn thresholds(layer: &LayerPlan, words: usize, lanes: usize, neuron: impl Fn(usize, usize) -> usize) -> Option<Image> {
    let (high, low) = match &layer.output {
        OutputPlan::Bipolar { high } => (high, None),
        OutputPlan::Trit { high, low } => (high, Some(low)),
        OutputPlan::Sums => return None,
    };
    let words = (0..words).map(|w| {
        let mut word = Word::default();
        for lane in 0..lanes {
            let j = neuron(w, lane);
            let at = |v: &[i32]| i64::from(v.get(j).copied().unwrap_or(0));
            word.number(at(high), layer.sum_width);
            if let Some(low) = low {
                word.number(at(low), layer.sum_width);
            }
        }
        word
    });
    Some(image(format!("{}_threshold.mem", layer.name), words))
}

/// Array (b, t): line column * amplifiers + amplifier holds a neuron's block, {[negative,] positive} planes or all cells that can
/// be programmed, and in the `_ref` image its {[low,] high} thresholds.
fn sa(layer: &LayerPlan, s: &SaPlan, plan: &Plan, out: &mut Vec<Image>) {
    cells(layer, &plan.faults, part(layer, plan), out);
    let (Some(arrays), left_out) = (Arrays::of(layer), left_out(layer)) else { return };
    for (b, t) in arrays.each() {
        let references = (0..arrays.columns()).map(|column| {
            let neuron = arrays.column(column, &left_out[b][t]);
            let j = neuron.map(|n| t * s.amplifiers * s.columns_per_amplifier + n);
            let at = |v: &[i32]| i64::from(j.and_then(|j| v.get(j)).copied().unwrap_or(0));
            let mut word = Word::default();
            word.number(at(&s.high[b]), s.threshold_width);
            if let Some(low) = s.low.get(b) {
                word.number(at(low), s.threshold_width);
            }
            word
        });
        out.push(image(format!("{}_b{b}_t{t}_ref.mem", layer.name), references));
    }
}

/// Bits of a word that hold the weights' signs, where not all cells can be programmed.
fn part(layer: &LayerPlan, plan: &Plan) -> impl Fn(usize) -> Option<usize> {
    let planes = if layer.weight_kind == WeightKind::Ternary { 2 } else { 1 };
    let inputs: Vec<usize> =
        Arrays::of(layer).map_or(Vec::new(), |a| (0..a.splits()).map(|s| a.all_lines(s)).collect());
    let programmable = plan.access.is_some();
    move |split| (!programmable).then(|| planes * inputs[split])
}

/// Array (b, t): line column * ADCs + ADC holds a neuron's block; levels and values of all ADCs; thresholds with line tile
/// group * columns + column.
fn adc(layer: &LayerPlan, a: &AdcPlan, plan: &Plan, out: &mut Vec<Image>) {
    let per_tile = a.adcs * a.columns_per_adc;
    cells(layer, &plan.faults, part(layer, plan), out);
    transfer(&layer.name, a, out);
    let words = a.tiles.div_ceil(a.lane_tiles) * a.columns_per_adc;
    out.extend(thresholds(layer, words, a.lane_tiles * a.adcs, |word, lane| {
        let tile = word / a.columns_per_adc * a.lane_tiles + lane / a.adcs;
        if tile < a.tiles { tile * per_tile + word % a.columns_per_adc * a.adcs + lane % a.adcs } else { usize::MAX }
    }));
}

/// Levels of the ADCs, and the values of their codes where they are no equal steps.
fn transfer(name: &str, a: &AdcPlan, out: &mut Vec<Image>) {
    let numbers = |values: &[i32], width: usize| -> Vec<Word> {
        let word = |v: &i32| {
            let mut w = Word::default();
            w.number(i64::from(*v), width);
            w
        };
        values.iter().map(word).collect()
    };
    out.push(image(format!("{name}_levels.mem"), numbers(&a.transfer.levels, level_width(a))));
    if !a.transfer.uniform {
        out.push(image(format!("{name}_values.mem"), numbers(&a.transfer.values, value_width(a))));
    }
}

/// Bits of a signed level.
pub(super) fn level_width(a: &AdcPlan) -> usize {
    signed_width(a.transfer.levels.iter().map(|l| i64::from(*l).abs()).max().unwrap_or(0))
}

/// Bits of a signed value.
pub(super) fn value_width(a: &AdcPlan) -> usize {
    if a.transfer.uniform { a.transfer.bits + 1 } else { signed_width(a.transfer.largest()) }
}

/// Weight ROM: line neuron group * input groups + input group, weight (n, i) at n * lane_inputs + i.
fn digital(layer: &LayerPlan, d: &DigitalPlan, out: &mut Vec<Image>) {
    let input_groups = layer.inputs.div_ceil(d.lane_inputs);
    let neuron_groups = layer.neurons.div_ceil(d.lane_neurons);
    let words = (0..neuron_groups * input_groups).map(|w| {
        let (neurons, inputs) = (w / input_groups * d.lane_neurons, w % input_groups * d.lane_inputs);
        let mut word = Word::default();
        for j in neurons..neurons + d.lane_neurons {
            for i in inputs..inputs + d.lane_inputs {
                let value = weight(&layer.weights, j, i).unwrap_or(0);
                match layer.weight_kind {
                    WeightKind::Bipolar => word.bit(value > 0),
                    WeightKind::Ternary => {
                        word.bit(value > 0);
                        word.bit(value != 0);
                    }
                    WeightKind::Int8 => word.number(i64::from(value), 8),
                }
            }
        }
        word
    });
    out.push(image(format!("{}_weights.mem", layer.name), words));
    out.extend(thresholds(layer, neuron_groups, d.lane_neurons, |word, lane| word * d.lane_neurons + lane));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_hexadecimal_most_significant_first() {
        let mut w = Word::default();
        w.number(-2, 5); // 11110
        w.bit(true); // 1 11110 = 0x3e
        assert_eq!(w.hex(), "3e");
    }
}
