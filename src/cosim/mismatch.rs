//! Where a mismatch comes from: the image is run again, with the arrays' own results and a waveform.

use std::path::PathBuf;

use super::compare::{Mismatch, signed};
use super::model::{self, Model};
use super::records::Record;
use super::run::{RunOptions, run};
use super::stimulus::Stimulus;
use super::{Arrays, Build, CosimError, Options, Simulator};
use crate::emit::{self, TapKind};
use crate::golden::{ArrayPlace, Bits, Golden, LayerDetail, Site, locate as places};
use crate::plan::{self, KEYS, LayerPlan, ReadoutPlan};

/// Cycles of waveform before and after the place.
const AROUND: u64 = 200;

/// Runs the image again and fills in split, array, cycle and waveform.
pub(super) fn locate(
    build: &Build,
    options: &Options,
    model: &Model,
    stimulus: &Stimulus,
    images: &[&[u8]],
    run_options: &RunOptions,
    mut found: Mismatch,
) -> Result<Mismatch, CosimError> {
    let plan = &build.plan;
    let mut again = RunOptions { detail: Some(found.image), ..run_options.clone() };
    if again.seed == 0 {
        again.images = (found.image + 1).min(images.len());
    }
    if let Some(layer) = plan.layers.iter().position(|l| l.name == found.layer)
        && found.image < images.len()
        && found.neuron < plan.layers[layer].neurons
    {
        let places = places(&plan.layers[layer], found.neuron);
        let details = Golden::new(plan).details(images[found.image], layer);
        let vectors = vectors(&plan.layers[layer], found.position);
        let taps = emit::taps(plan);
        let mut first: Option<(u64, usize, String)> = None;
        run(build, options.simulator, &model.program, stimulus, &again, |record| {
            let Record::Tap { tap, image, cycle, firing, data } = record else { return };
            if image != found.image {
                return;
            }
            let bits = Bits::from_le_bytes(&data.bytes, taps[tap].bits);
            let per_vector = taps[tap].per_image / plan.layers[layer].vectors().max(1);
            let vector = firing / per_vector.max(1);
            if !taps[tap].is_detail() || !vectors.contains(&vector) || vector >= details.len() {
                return;
            }
            let different = match (&taps[tap].kind, &details[vector]) {
                (TapKind::Lanes { layer: l, width }, LayerDetail::Pcsa(reads)) if *l == layer => {
                    let read = firing % per_vector;
                    lane_difference(&places, read, *width, &bits, reads.read(read))
                }
                (TapKind::Codes { layer: l, width }, LayerDetail::Adc(codes)) if *l == layer => {
                    let neurons = plan.layers[layer].neurons;
                    let expected = |phase: usize, block: usize| codes[phase][block * neurons + found.neuron];
                    code_difference(&places, firing % per_vector, *width, &bits, expected)
                }
                (TapKind::Votes(l), LayerDetail::Sa(blocks)) if *l == layer => {
                    let neurons = plan.layers[layer].neurons;
                    let vote =
                        |plane: usize, block: usize| bits.get((plane * blocks.len() + block) * neurons + found.neuron);
                    blocks.iter().enumerate().find_map(|(b, v)| {
                        let high = v.high.get(found.neuron) != vote(0, b);
                        let low = v.low.as_ref().is_some_and(|low| low.get(found.neuron) != vote(1, b));
                        (high || low)
                            .then(|| (b, format!("{} vote of the block differs", if high { "high" } else { "low" })))
                    })
                }
                _ => None,
            };
            if first.is_none() {
                first = different.map(|(place, note)| (cycle, place, note));
            }
        })?;
        match first {
            Some((cycle, place, note)) => {
                found.split = Some(places[place].split);
                found.array = describe(build, options.arrays, layer, &places[place]);
                found.cycle = cycle;
                found.note = note;
            }
            None if places.is_empty() => {
                found.array = "none (digital layer)".into();
                found.note = "the layer has no arrays".into();
            }
            None => {
                found.array =
                    places.iter().map(|p| describe(build, options.arrays, layer, p)).collect::<Vec<_>>().join("; ");
                found.note = "the arrays of this neuron agree with the golden model: the fault lies behind them, in \
                              accumulator, threshold, pool, vote aggregation or output register"
                    .into();
            }
        }
    } else if found.layer == KEYS {
        found.array = format!("{}.i_keys: slot {}", build.manifest.top, found.neuron);
        found.note =
            "the features agree: the fault lies in the key memory, when it wrote this slot or when it read it".into();
    } else {
        found.array = "none".into();
        found.note = "all layers agree: the fault lies in the class scores or the output stream".into();
    }
    found.waveform = waveform(build, options, stimulus, &again, found.cycle)?;
    Ok(found)
}

/// Input vectors of a layer that a position of its map depends on.
fn vectors(layer: &LayerPlan, position: Option<[usize; 2]>) -> Vec<usize> {
    let [row, column] = position.unwrap_or([0, 0]);
    match &layer.pool {
        None => vec![row * layer.map.columns + column],
        Some(pool) => {
            let (rows, columns) = (row * pool.stride[0].., column * pool.stride[1]..);
            let columns: Vec<usize> = columns.take(pool.size[1]).collect();
            rows.take(pool.size[0]).flat_map(|r| columns.iter().map(move |c| r * pool.from.columns + c)).collect()
        }
    }
}

/// The neuron's first lane whose partial sum differs in this read.
fn lane_difference(
    places: &[ArrayPlace],
    read: usize,
    width: usize,
    bits: &Bits,
    expected: &[Option<i32>],
) -> Option<(usize, String)> {
    places.iter().enumerate().find_map(|(k, place)| {
        let Site::Pcsa { lane, reads, .. } = &place.site else { return None };
        if !reads.contains(&read) {
            return None;
        }
        let got = signed(bits, lane * width, width);
        let expected = expected[*lane].map(i64::from)?;
        (expected != got).then(|| (k, format!("partial sum of the array: expected {expected}, got {got}")))
    })
}

/// The neuron's first ADC whose code differs in this read.
fn code_difference(
    places: &[ArrayPlace],
    read: usize,
    width: usize,
    bits: &Bits,
    expected: impl Fn(usize, usize) -> usize,
) -> Option<(usize, String)> {
    places.iter().enumerate().find_map(|(k, place)| {
        let Site::Adc { adc, reads, .. } = &place.site else { return None };
        if !reads.contains(&read) {
            return None;
        }
        let got = (0..width).fold(0, |code, bit| code | usize::from(bits.get(adc * width + bit)) << bit);
        let expected = expected(read - reads.start, place.split);
        (expected != got).then(|| (k, format!("code of the array: expected {expected}, got {got}")))
    })
}

/// The array as the simulated hierarchy names it, and where the neuron lies in it.
fn describe(build: &Build, arrays: Arrays, layer: usize, place: &ArrayPlace) -> String {
    let bank = format!("{}.{}", build.manifest.top, emit::bank(&build.plan, layer));
    let split = place.split;
    let planned = &build.plan.layers[layer];
    let left_out = |tile: usize| plan::left_out(planned)[split][tile].clone();
    match (&place.site, &build.plan.layers[layer].readout) {
        (Site::Pcsa { row_tile, word_line, .. }, ReadoutPlan::Pcsa(p)) => {
            let instance = match arrays {
                Arrays::Bank => bank,
                Arrays::Grid => format!(
                    "{bank}.gen_lane_row[{}].gen_lane[{}].gen_row_group[{}].gen_column_group[{}].gen_array.i_array",
                    row_tile % p.lane_rows,
                    split % p.lane_columns,
                    row_tile / p.lane_rows,
                    split / p.lane_columns,
                ),
            };
            let line = left_out(*row_tile).line(*word_line);
            format!("{instance} (row tile {row_tile}, column tile {split}), word line {line}")
        }
        (Site::Sa { tile, column } | Site::Adc { tile, column, .. }, _) => {
            let instance = match arrays {
                Arrays::Bank => bank,
                Arrays::Grid => format!("{bank}.gen_block[{split}].gen_tile[{tile}].i_array"),
            };
            let arrays = plan::Arrays::of(planned).expect("a layer with arrays");
            let column = arrays.column_behind(*column, &left_out(*tile));
            format!("{instance} (block {split}, tile {tile}), column {column}")
        }
        (Site::Pcsa { .. }, _) => unreachable!("a pcsa site in a layer of another readout"),
    }
}

/// Writes the waveform around `cycle`.
fn waveform(
    build: &Build,
    options: &Options,
    stimulus: &Stimulus,
    again: &RunOptions,
    cycle: u64,
) -> Result<Option<PathBuf>, CosimError> {
    let model = match options.simulator {
        Simulator::Verilator => model::verilator(build, options.arrays, true)?,
        Simulator::Icarus => model::icarus(build, options.arrays)?,
    };
    let path = std::path::absolute(&options.waveform).unwrap_or_else(|_| options.waveform.clone());
    let trace = Some((path.clone(), cycle.saturating_sub(AROUND), cycle + AROUND));
    let traced = RunOptions { trace, detail: None, ..again.clone() };
    run(build, options.simulator, &model.program, stimulus, &traced, |_| {})?;
    Ok(path.is_file().then_some(path))
}
