//! Memory images: `$readmemh` text, one word a line. Packing only; every number stands in the plan.

use ndarray::Array2;

use super::cells::Cells;
use crate::network::WeightKind;
use crate::plan::{
    AdcPlan, DigitalPlan, InputMap, KeysPlan, LayerPlan, MemoryPlan, OutputPlan, PcsaPlan, Plan, ReadoutPlan, SaPlan,
    Values, signed_width,
};

/// A word under construction, least significant bit first.
#[derive(Default)]
pub(super) struct Word(pub Vec<bool>);

impl Word {
    fn bit(&mut self, bit: bool) {
        self.0.push(bit);
    }

    /// The low `width` bits of a two's complement number.
    fn number(&mut self, value: i64, width: usize) {
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

/// Prefix of the key memory's images; no layer has the name of this stage.
pub(super) const KEYS: &str = "keys";

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
            ReadoutPlan::Pcsa(p) => pcsa(layer, p, &mut out),
            ReadoutPlan::Sa(s) => sa(layer, s, plan.access.is_some(), &mut out),
            ReadoutPlan::Adc(a) => adc(layer, a, plan.access.is_some(), &mut out),
            ReadoutPlan::Digital(d) => digital(layer, d, &mut out),
        }
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

/// Array (r, c): line row * columns_per_amplifier + column holds {BLb, BL}, 1 = LRS: +1 is LRS/HRS, -1 HRS/LRS, 0 and
/// cells that hold no weight HRS/HRS.
fn pcsa(layer: &LayerPlan, p: &PcsaPlan, out: &mut Vec<Image>) {
    for r in 0..p.row_tiles {
        for c in 0..p.column_tiles {
            let lines = (0..p.rows).flat_map(|row| (0..p.columns_per_amplifier).map(move |column| (row, column)));
            let words = lines.map(|(row, column)| {
                let j = r * p.rows + row;
                let start = c * p.slice() + column * p.amplifiers;
                let cells =
                    |sign: i8| (start..start + p.amplifiers).map(move |i| weight(&layer.weights, j, i) == Some(sign));
                let mut word = Word::default();
                word.0.extend(cells(1));
                word.0.extend(cells(-1));
                word
            });
            out.push(image(format!("{}_r{r}_c{c}.mem", layer.name), words));
        }
    }
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

/// Cells of array (b, t), which holds `neurons` from input `start` on: {[negative,] positive} planes, or all that can be
/// programmed.
fn cells(
    layer: &LayerPlan,
    programmable: bool,
    (b, t): (usize, usize),
    neurons: std::ops::Range<usize>,
    inputs: std::ops::Range<usize>,
) -> Image {
    if let (true, Some(cells)) = (programmable, Cells::of(layer)) {
        return cells.image(b, t, |at| cells.lrs(b, t, at));
    }
    let trits = layer.weight_kind == WeightKind::Ternary;
    let words = neurons.map(|j| {
        let plane = |sign: i8| inputs.clone().map(move |i| weight(&layer.weights, j, i) == Some(sign));
        let mut word = Word::default();
        word.0.extend(plane(1));
        if trits {
            word.0.extend(plane(-1));
        }
        word
    });
    image(format!("{}_b{b}_t{t}.mem", layer.name), words)
}

/// Array (b, t): line column * amplifiers + amplifier holds a neuron's block, and in the `_ref` image its {[low,] high}
/// thresholds.
fn sa(layer: &LayerPlan, s: &SaPlan, programmable: bool, out: &mut Vec<Image>) {
    let per_tile = s.amplifiers * s.columns_per_amplifier;
    let mut start = 0;
    for (b, size) in s.block_sizes.iter().enumerate() {
        for t in 0..s.tiles {
            let neurons = t * per_tile..(t + 1) * per_tile;
            out.push(cells(layer, programmable, (b, t), neurons.clone(), start..start + size));
            let references = neurons.map(|j| {
                let at = |v: &[i32]| i64::from(v.get(j).copied().unwrap_or(0));
                let mut word = Word::default();
                word.number(at(&s.high[b]), s.threshold_width);
                if let Some(low) = s.low.get(b) {
                    word.number(at(low), s.threshold_width);
                }
                word
            });
            out.push(image(format!("{}_b{b}_t{t}_ref.mem", layer.name), references));
        }
        start += size;
    }
}

/// Array (b, t): line column * ADCs + ADC holds a neuron's block; levels and values of all ADCs; thresholds with line tile
/// group * columns + column.
fn adc(layer: &LayerPlan, a: &AdcPlan, programmable: bool, out: &mut Vec<Image>) {
    let per_tile = a.adcs * a.columns_per_adc;
    let mut start = 0;
    for (b, size) in a.block_sizes.iter().enumerate() {
        for t in 0..a.tiles {
            out.push(cells(layer, programmable, (b, t), t * per_tile..(t + 1) * per_tile, start..start + size));
        }
        start += size;
    }
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
