//! Expected values come from hand arithmetic, or, in `random`, from loops over the definitions.

mod random;

use ndarray::{Array2, array};

use super::*;
use crate::network::WeightKind;
use crate::plan::{
    AdcPlan, AffineScores, Cycles, DigitalPlan, Encoding, FORMAT, InputMap, LayerPlan, MapPlan, OutputPlan, PcsaPlan,
    ReadoutPlan, SaPlan, SensePlan, Source, Transfer,
};

const DIGITAL: ReadoutPlan = ReadoutPlan::Digital(DigitalPlan { lane_inputs: 1, lane_neurons: 1, reads: 0 });

fn layer(weights: Array2<i8>, input: Values, output: OutputPlan, readout: ReadoutPlan) -> LayerPlan {
    let (neurons, inputs) = weights.dim();
    let largest = |w: ndarray::ArrayView1<i8>| w.iter().map(|w| i64::from(w.unsigned_abs())).sum::<i64>();
    let largest_sum = weights.rows().into_iter().map(largest).max().unwrap() * input.largest();
    LayerPlan {
        name: "l".into(),
        inputs,
        neurons,
        source: Source::Vector,
        input,
        weight_kind: WeightKind::Int8,
        weights,
        weights_sha256: String::new(),
        flipped: vec![false; neurons],
        output,
        largest_sum,
        sum_width: 32,
        readout,
        spares: None,
        pool: None,
        map: MapPlan { rows: 1, columns: 1 },
        exact: true,
    }
}

/// A plan of layers that end in sums; where they do not, one neuron that adds up the last layer's outputs ends it.
fn plan(map: InputMap, signed: bool, mut layers: Vec<LayerPlan>) -> Plan {
    let last = layers.last().unwrap();
    let values = match &last.output {
        OutputPlan::Bipolar { .. } => Some(Values::Bipolar),
        OutputPlan::Trit { .. } => Some(Values::Trit),
        OutputPlan::Sums => None,
    };
    if let Some(values) = values {
        layers.push(layer(Array2::ones((1, last.neurons)), values, OutputPlan::Sums, DIGITAL));
    }
    let values = layers[0].input;
    Plan {
        format: FORMAT,
        name: "n".into(),
        clock_mhz: 100.0,
        stream_bits: 64,
        sense: SensePlan { precharge_cycles: 1, window_cycles: 7, sign_cycles: 5, zero_cycles: 20 },
        input: InputPlan { count: layers[0].inputs, vectors: 1, code_bits: 8, signed, map, values, beats: 1 },
        layers,
        memory: None,
        scores: ScoresPlan { affine: None, width: 32 },
        access: None,
        faults: Vec::new(),
        cycles: Cycles { done: vec![0], interval: 1 },
    }
}

fn pcsa(
    inputs: usize,
    neurons: usize,
    rows: usize,
    amplifiers: usize,
    shared: usize,
    lanes: (usize, usize),
) -> PcsaPlan {
    let (column_tiles, row_tiles) = (inputs.div_ceil(amplifiers * shared), neurons.div_ceil(rows));
    let (lane_rows, lane_columns) = (lanes.0.min(row_tiles), lanes.1.min(column_tiles));
    let reads = row_tiles.div_ceil(lane_rows) * rows * column_tiles.div_ceil(lane_columns) * shared;
    PcsaPlan {
        column_tiles,
        row_tiles,
        rows,
        amplifiers,
        columns_per_amplifier: shared,
        lane_columns,
        lane_rows,
        reads,
        planes: 1,
    }
}

fn sa(block_sizes: &[usize], high: Vec<Vec<i32>>, low: Vec<Vec<i32>>) -> ReadoutPlan {
    let neurons = high[0].len();
    ReadoutPlan::Sa(SaPlan {
        block_sizes: block_sizes.to_vec(),
        high,
        low,
        tiles: 1,
        amplifiers: neurons,
        columns_per_amplifier: 1,
        lane_blocks: 1,
        lane_tiles: 1,
        reads: block_sizes.len(),
        read_cycles: 1,
        threshold_width: 32,
        unipolar: false,
    })
}

/// A run with what the arrays of every layer give for its first vector.
struct Detailed {
    input: LayerTrace,
    trace: Trace,
    layers: Vec<LayerDetail>,
}

fn detailed(golden: &Golden, image: &[u8]) -> Detailed {
    let layers = (0..golden.layers.len()).map(|k| golden.details(image, k).remove(0)).collect();
    Detailed { input: golden.input(image), trace: golden.run(image), layers }
}

fn values(trace: &LayerTrace) -> Vec<i32> {
    trace.values().collect()
}

/// Bytes 0, 1, 2 stand for -1, 0, +1.
fn trit_table() -> InputMap {
    InputMap::Table((0..256).map(|byte| (byte % 3) - 1).collect())
}

#[test]
fn bipolar_thresholds_hold_at_equality_never_and_always() {
    let weights = array![[1, 1, 1], [1, 1, 1], [-1, 1, -1], [-1, 1, -1], [1, -1, 1], [-1, -1, -1]];
    // x = +1 -1 +1; sums 1, 1, -3, -3, 3, -1.
    let high = vec![1, 2, -3, -2, 4, -3];
    for readout in [DIGITAL, ReadoutPlan::Pcsa(pcsa(3, 6, 4, 2, 1, (1, 1)))] {
        let output = OutputPlan::Bipolar { high: high.clone() };
        let trace =
            Golden::new(&plan(InputMap::Bit, false, vec![layer(weights.clone(), Values::Bipolar, output, readout)]))
                .run(&[1, 0, 1]);
        let LayerTrace::Bipolar(bits) = &trace.layers[0] else { panic!("{trace:?}") };
        // + - + - never always
        assert_eq!(bits.to_le_bytes(), [0b10_0101]);
        assert_eq!(trace.scores, [0]);
    }
}

#[test]
fn trits_count_neither_zero_inputs_nor_zero_weights() {
    let weights = array![[1, 1, 1, 0], [0, 0, 0, 0], [-1, 1, -1, -1], [0, 1, 0, 1]];
    // x = +1 0 -1 -1; sums 0, 0, 1, -1.
    let image = [2, 1, 0, 0];
    for readout in [DIGITAL, ReadoutPlan::Pcsa(pcsa(4, 4, 4, 3, 1, (1, 1)))] {
        let run = |high: [i32; 4], low: [i32; 4]| {
            let output = OutputPlan::Trit { high: high.to_vec(), low: low.to_vec() };
            let layer = layer(weights.clone(), Values::Trit, output, readout.clone());
            Golden::new(&plan(trit_table(), false, vec![layer])).run(&image)
        };
        let trace = run([1; 4], [0; 4]);
        let LayerTrace::Trit { nonzero, positive } = &trace.layers[0] else { panic!("{trace:?}") };
        assert_eq!((nonzero.to_le_bytes(), positive.to_le_bytes()), (vec![0b1100], vec![0b0100]));
        // A threshold belongs to the upper side: sum 0 with high 0 is +1; sum 0 with low 1 is -1.
        assert_eq!(values(&run([0, 2, 5, 5], [-4, 1, -4, -1]).layers[0]), [1, -1, 0, 0]);
    }
}

#[test]
fn trit_weights_on_bipolar_inputs_and_bipolar_weights_on_trits() {
    // x = +1 -1 -1: sums 1 - 1 = 0 and 0 + 1 = 1.
    let first = layer(array![[1, 1, 0], [0, -1, 0]], Values::Bipolar, OutputPlan::Sums, DIGITAL);
    assert_eq!(Golden::new(&plan(InputMap::Bit, false, vec![first])).run(&[1, 0, 0]).scores, [0, 1]);
    // x = 0 -1 +1: sums -1 + 1 = 0 and -1 - 1 = -2.
    let first = layer(array![[1, 1, 1], [-1, 1, -1]], Values::Trit, OutputPlan::Sums, DIGITAL);
    assert_eq!(Golden::new(&plan(trit_table(), false, vec![first])).run(&[1, 0, 2]).scores, [0, -2]);
}

#[test]
fn block_votes_are_added_and_a_tie_is_plus() {
    // x = +1 +1 -1 -1; every neuron's blocks have sums 2 and -2.
    let high = vec![vec![2, 3, 2, 3], vec![-1, -1, -2, -2]];
    // Votes + -, - -, + +, - +.
    let readout = sa(&[2, 2], high, vec![]);
    let output = OutputPlan::Bipolar { high: vec![100; 4] }; // of the whole sum: not read
    let golden =
        Golden::new(&plan(InputMap::Bit, false, vec![layer(Array2::ones((4, 4)), Values::Bipolar, output, readout)]));
    let detail = detailed(&golden, &[1, 1, 0, 0]);
    assert_eq!(values(&detail.trace.layers[0]), [1, -1, 1, 1]);
    let LayerDetail::Sa(blocks) = &detail.layers[0] else { panic!() };
    assert_eq!(blocks[0], BlockVotes { high: Bits::from_le_bytes(&[0b0101], 4), low: None });
    assert_eq!(blocks[1], BlockVotes { high: Bits::from_le_bytes(&[0b1100], 4), low: None });
    assert_eq!(detail.layers[1], LayerDetail::Digital);
}

#[test]
fn trit_votes_keep_zero() {
    // x = +1 0 -1 | +1 +1: sums of the blocks 0 and 2, all weights 1.
    let high = vec![vec![0, 1, 1, 1, 0], vec![3, 2, 3, 3, 3]];
    let low = vec![vec![-1, 0, 0, 1, -3], vec![3, -2, -2, -2, 3]];
    // Votes + -, 0 +, 0 0, - 0, + -.
    let readout = sa(&[3, 2], high, low);
    let output = OutputPlan::Trit { high: vec![9; 5], low: vec![-9; 5] };
    let golden =
        Golden::new(&plan(trit_table(), false, vec![layer(Array2::ones((5, 5)), Values::Trit, output, readout)]));
    let detail = detailed(&golden, &[2, 1, 0, 2, 2]);
    assert_eq!(values(&detail.trace.layers[0]), [0, 1, 0, -1, 0]);
    let LayerDetail::Sa(blocks) = &detail.layers[0] else { panic!() };
    let votes = |block: &BlockVotes| (block.high.to_le_bytes()[0], block.low.as_ref().unwrap().to_le_bytes()[0]);
    assert_eq!(votes(&blocks[0]), (0b10001, 0b10111));
    assert_eq!(votes(&blocks[1]), (0b00010, 0b01110));
}

#[test]
fn blocks_end_inside_words() {
    // Inputs 0 to 65 are +1, 66 to 130 are -1: with weights of +1 the blocks' sums are 66 and -65.
    let image: Vec<u8> = (0..131).map(|i| u8::from(i < 66)).collect();
    let high = vec![vec![66, 66, 67, 67], vec![-65, -64, -64, -65]];
    let output = OutputPlan::Bipolar { high: vec![0; 4] };
    let layer = layer(Array2::ones((4, 131)), Values::Bipolar, output, sa(&[66, 65], high, vec![]));
    let trace = Golden::new(&plan(InputMap::Bit, false, vec![layer])).run(&image);
    // Votes + +, + -, - -, - +.
    assert_eq!(values(&trace.layers[0]), [1, 1, -1, 1]);
}

#[test]
fn signed_bytes_and_8_bit_weights() {
    // -1, -128 and 5 stand for 2 v - 1: -3, -257, 9.
    let image = [0xff, 0x80, 5];
    let input = Values::Integer { width: 10, min: -257, max: 253 };
    // 384 - 32639 + 9 = -32246; -3 + 257 - 18 = 236.
    let first = layer(array![[-128, 127, 1], [1, -1, -2]], input, OutputPlan::Sums, DIGITAL);
    let map = InputMap::Affine { gain: 2, offset: -1 };
    let golden = Golden::new(&plan(map, true, vec![first]));
    let detail = detailed(&golden, &image);
    assert_eq!(values(&detail.input), [-3, -257, 9]);
    assert_eq!((detail.trace.scores, detail.trace.class), (vec![-32246, 236], 1));
}

#[test]
fn a_signed_threshold_makes_bipolar_inputs() {
    // Codes -1, -128, 127, 0 against 0: - - + +; sum of 1 2 3 4 with those signs: 4. Weights beyond trits.
    let first = layer(array![[1, 2, 3, 4]], Values::Bipolar, OutputPlan::Sums, DIGITAL);
    let golden = Golden::new(&plan(InputMap::Threshold(0), true, vec![first]));
    assert_eq!(golden.run(&[0xff, 0x80, 0x7f, 0]).scores, [4]);
}

#[test]
fn tables_may_hold_integers_beyond_16_bits() {
    let table = (0..256).map(|byte| if byte == 7 { 70_000 } else { -byte }).collect();
    let input = Values::Integer { width: 18, min: -255, max: 70_000 };
    // 70000 and -200: sums 69800 and -70000 * 2 + 600.
    let first = layer(array![[1, 1], [-2, -3]], input, OutputPlan::Sums, DIGITAL);
    assert_eq!(
        Golden::new(&plan(InputMap::Table(table), false, vec![first])).run(&[7, 200]).scores,
        [69_800, -139_400]
    );
}

#[test]
fn the_class_is_the_first_of_the_largest_affine_scores() {
    let first = layer(array![[1, 1], [1, -1], [-1, 1]], Values::Bipolar, OutputPlan::Sums, DIGITAL);
    let mut plan = plan(InputMap::Bit, false, vec![first]);
    // x = +1 +1: sums 2, 0, 0.
    assert_eq!(Golden::new(&plan).run(&[1, 1]).class, 0);
    let affine =
        AffineScores { gain: vec![-3, 7, 1], offset: vec![1, -2, -2], gain_width: 4, fraction_bits: 0, exact: true };
    plan.scores.affine = Some(affine);
    // -6 + 1, -2, -2.
    let trace = Golden::new(&plan).run(&[1, 1]);
    assert_eq!(trace.layers[0], LayerTrace::Sums(vec![2, 0, 0]));
    assert_eq!((trace.scores, trace.class), (vec![-5, -2, -2], 1));
}

#[test]
#[should_panic(expected = "bytes of an image")]
fn images_of_another_length_are_refused() {
    let first = layer(array![[1, 1]], Values::Bipolar, OutputPlan::Sums, DIGITAL);
    Golden::new(&plan(InputMap::Bit, false, vec![first])).run(&[1]);
}

/// Inputs 5, -3 and 0 of 4 bits: planes 110, 000, 110 and, counting -8, 010.
#[test]
fn integers_meet_pcsa_reads_bit_by_bit() {
    let weights = array![[1, -1, 1], [-1, 0, 1]];
    let input = Values::Integer { width: 4, min: -8, max: 7 };
    let arrays = PcsaPlan { planes: 4, ..pcsa(3, 2, 2, 2, 2, (1, 1)) };
    let first = layer(weights, input, OutputPlan::Sums, ReadoutPlan::Pcsa(arrays));
    let Site::Pcsa { reads, .. } = &locate(&first, 1)[0].site else { panic!() };
    assert_eq!(*reads, 8..16);
    let table = InputMap::Table((0..256).map(|byte| byte - 8).collect());
    let detail = detailed(&Golden::new(&plan(table, false, vec![first])), &[13, 5, 8]);
    let LayerDetail::Pcsa(reads) = &detail.layers[0] else { panic!() };
    // The amplifiers read inputs 0 and 1, then input 2.
    let expected = [[0, 0, 0, -1], [0; 4], [-1, 0, -1, 0], [0; 4]].concat();
    assert_eq!(reads.iter().map(|lanes| lanes[0].unwrap()).collect::<Vec<_>>(), expected);
    assert_eq!(detail.trace.scores, [8, -5]);
}

/// 3 neurons of 5 inputs on arrays of 2 word lines and 1 amplifier with 2 columns: 2 x 3 arrays, 2 columns of them at
/// once. 2 row groups x 2 word lines x 2 column groups x 2 columns of an amplifier: 16 reads of 2 lanes.
#[test]
fn pcsa_reads_come_in_schedule_order() {
    let weights = array![[1, 1, 1, 1, 1], [1, -1, 1, -1, 1], [-1, 1, 0, 1, -1]];
    // x = +1 +1 -1 0 +1
    let image = [2, 2, 0, 1, 2];
    let first = layer(weights, Values::Trit, OutputPlan::Sums, ReadoutPlan::Pcsa(pcsa(5, 3, 2, 1, 2, (1, 2))));
    let place = |neuron: usize, split: usize| locate(&first, neuron)[split].clone();
    assert_eq!(
        place(1, 2),
        ArrayPlace { split: 2, inputs: 4..5, site: Site::Pcsa { row_tile: 0, word_line: 1, lane: 0, reads: 6..8 } }
    );
    assert_eq!(place(1, 2).to_string(), "split 2: array (0, 2), word line 1, inputs 4 to 4");
    assert_eq!(
        place(2, 1),
        ArrayPlace { split: 1, inputs: 2..4, site: Site::Pcsa { row_tile: 1, word_line: 0, lane: 1, reads: 8..10 } }
    );
    let detail = detailed(&Golden::new(&plan(trit_table(), false, vec![first])), &image);
    let LayerDetail::Pcsa(reads) = &detail.layers[0] else { panic!() };
    let (s, none) = (|l, r| vec![Some(l), Some(r)], || vec![None, None]);
    let last = |sum| vec![Some(sum), None]; // the second lane of column tiles 2 and 3
    let expected = [
        // Neuron 0, products + + - 0 +: inputs 0 and 2, 1 and 3, then 4 and beyond.
        [s(1, -1), s(1, 0), last(1), last(0)],
        // Neuron 1, products + - - 0 +.
        [s(1, -1), s(-1, 0), last(1), last(0)],
        // Neuron 2, products - + 0 0 -.
        [s(-1, 0), s(1, 0), last(-1), last(0)],
        // No neuron 3.
        [none(), none(), none(), none()],
    ];
    assert_eq!(reads.len(), 16);
    assert_eq!(reads.iter().collect::<Vec<_>>(), expected.iter().flatten().collect::<Vec<_>>());
    assert_eq!(reads.read(9), s(1, 0));
    assert_eq!(detail.trace.scores, [2, 0, -1]);
}

#[test]
fn sa_neurons_are_located_by_block_tile_and_column() {
    let ReadoutPlan::Sa(mut geometry) = sa(&[2, 1], vec![vec![0; 5], vec![0; 5]], vec![]) else { unreachable!() };
    (geometry.tiles, geometry.amplifiers, geometry.columns_per_amplifier) = (2, 2, 2);
    let output = OutputPlan::Bipolar { high: vec![0; 5] };
    let layer = layer(Array2::ones((5, 3)), Values::Bipolar, output, ReadoutPlan::Sa(geometry));
    let site = Site::Sa { tile: 1, column: 0 };
    assert_eq!(
        locate(&layer, 4),
        [ArrayPlace { split: 0, inputs: 0..2, site: site.clone() }, ArrayPlace { split: 1, inputs: 2..3, site },]
    );
    assert_eq!(locate(&layer, 3)[1].to_string(), "split 1: array (1, 0), column 3, inputs 2 to 2");
}

#[test]
fn many_images_come_back_in_order() {
    let first = layer(array![[1, 1], [1, -1]], Values::Bipolar, OutputPlan::Sums, DIGITAL);
    let golden = Golden::new(&plan(InputMap::Bit, false, vec![first]));
    let images: Vec<[u8; 2]> = (0..1000).map(|k| [(k & 1) as u8, (k >> 1 & 1) as u8]).collect();
    // -2 0, 0 2, 0 -2, 2 0
    let expected = [[-2, 0], [0, 2], [0, -2], [2, 0]];
    let done = std::sync::atomic::AtomicUsize::new(0);
    let all = golden.run_all(&images, || {
        done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(done.into_inner(), 1000);
    assert!(all.iter().enumerate().all(|(k, trace)| trace.scores == expected[k % 4]));
    assert_eq!(golden.stream(&images, |traces| traces.collect::<Vec<_>>()), all);
    // A reader that stops early ends the stream.
    assert_eq!(golden.stream(&images, |mut traces| traces.nth(2)).unwrap(), all[2]);
}

#[test]
fn adc_neurons_are_located_by_tile_column_and_reads_and_their_codes_are_told() {
    // Three neurons on arrays of two columns that share an ADC, inputs in blocks of 3 and 2, +1 driven before -1.
    let transfer = Transfer {
        bits: 2,
        levels: vec![-1, 1, 2],
        values: vec![-3, -1, 1, 3],
        uniform: true,
        unit: 1.0,
        exact: false,
    };
    let geometry = AdcPlan {
        block_sizes: vec![3, 2],
        tiles: 2,
        adcs: 1,
        columns_per_adc: 2,
        lane_blocks: 1,
        lane_tiles: 1,
        reads: 16,
        conversion_cycles: 1,
        encoding: Encoding::TwoPhases,
        single_column: false,
        transfer,
    };
    let weights = array![[1, 1, 1, 1, 1], [-1, -1, -1, -1, -1], [1, -1, 0, 1, 1]];
    let layer = layer(weights, Values::Trit, OutputPlan::Sums, ReadoutPlan::Adc(geometry));
    // Neuron 2 is column 0 of the second tile: steps 0 and 1 are the first tile's two columns, a step has four reads.
    let place =
        |split, inputs, adc, reads| ArrayPlace { split, inputs, site: Site::Adc { tile: 1, column: 0, adc, reads } };
    assert_eq!(locate(&layer, 2), [place(0, 0..3, 1, 8..10), place(1, 3..5, 3, 10..12)]);
    assert_eq!(locate(&layer, 1)[1].to_string(), "split 1: array (1, 0), column 1, inputs 3 to 4");

    let golden = Golden::new(&plan(trit_table(), false, vec![layer]));
    let detail = detailed(&golden, &[2, 2, 0, 1, 0]);
    // x = + + - 0 -. First phase: 2 0, -2 0, 0 0; second: 1 1, -1 -1, 0 1. A code counts the levels that its sum reaches.
    let codes = vec![vec![3, 0, 1, 1, 1, 1], vec![2, 1, 1, 2, 1, 2]];
    assert_eq!(detail.layers[0], LayerDetail::Adc(codes));
    // 3 - 1 - 1 - 1 = 0, -3 - 1 + 1 + 1 = -2, -1 - 1 + 1 - 1 = -2.
    assert_eq!(detail.trace.scores, [0, -2, -2]);
}
