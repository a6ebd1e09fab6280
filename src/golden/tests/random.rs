//! Random layers against loops over the definitions.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use super::*;

/// Outputs of a layer by the definitions, one value at a time.
fn naive(layer: &LayerPlan, x: &[i32]) -> Vec<i32> {
    let sum = |j: usize, inputs: std::ops::Range<usize>| -> i32 {
        inputs.map(|i| i32::from(layer.weights[[j, i]]) * x[i]).sum()
    };
    let step = |s: i32, high: i32, low: i32| {
        if s >= high {
            1
        } else if s < low {
            -1
        } else {
            0
        }
    };
    let neuron = |j: usize| {
        if let ReadoutPlan::Sa(sa) = &layer.readout {
            let mut start = 0;
            let mut votes = 0i32;
            for (k, size) in sa.block_sizes.iter().enumerate() {
                let s = sum(j, start..start + size);
                let high = sa.high[k][j];
                votes += step(s, high, sa.low.get(k).map_or(high, |low| low[j]));
                start += size;
            }
            return if sa.low.is_empty() && votes == 0 { 1 } else { votes.signum() };
        }
        let s = sum(j, 0..layer.inputs);
        match &layer.output {
            OutputPlan::Bipolar { high } => step(s, high[j], high[j]),
            OutputPlan::Trit { high, low } => step(s, high[j], low[j]),
            OutputPlan::Sums => s,
        }
    };
    (0..layer.neurons).map(neuron).collect()
}

/// A random layer, its plan and an image; weights and values among `kind`.
#[derive(Clone, Debug)]
struct Case {
    inputs: usize,
    neurons: usize,
    /// 0: bipolar, 1: trits, 2: integers of 10 bits, 3: of 17 bits.
    values: usize,
    /// 0: bipolar, 1: trits, 2: 8 bits.
    weights: usize,
    /// 0: digital, 1: pcsa, 2: sa.
    readout: usize,
    trit_output: bool,
    geometry: [usize; 5],
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let readout_values_weights = prop_oneof![(Just(0usize), 0..4usize, 0..3usize), (1..3usize, 0..2usize, 0..2usize)];
    let geometry = [1..40usize, 1..90usize, 1..4usize, 1..4usize, 1..4usize];
    (1..300usize, 1..70usize, readout_values_weights, any::<bool>(), geometry, any::<u64>()).prop_map(
        |(inputs, neurons, (readout, values, weights), trit_output, geometry, seed)| Case {
            inputs,
            neurons,
            values,
            weights,
            readout,
            trit_output,
            geometry,
            seed,
        },
    )
}

fn build(case: &Case) -> (Plan, Vec<u8>) {
    let mut random = ChaCha8Rng::seed_from_u64(case.seed);
    let mut below = |n: usize| random.next_u32() as usize % n;
    let Case { inputs, neurons, .. } = *case;
    let weights = Array2::from_shape_simple_fn((neurons, inputs), || match case.weights {
        0 => 2 * below(2) as i8 - 1,
        1 => below(3) as i8 - 1,
        _ => below(256) as u8 as i8,
    });
    let (values, map) = match case.values {
        0 => (Values::Bipolar, InputMap::Threshold(100)),
        1 => (Values::Trit, trit_table()),
        2 => (Values::Integer { width: 10, min: -255, max: 255 }, InputMap::Affine { gain: 2, offset: -255 }),
        _ => {
            let table = (0..256).map(|byte| 400 * byte - 52_000).collect();
            (Values::Integer { width: 17, min: -52_000, max: 50_000 }, InputMap::Table(table))
        }
    };
    let image: Vec<u8> = (0..inputs).map(|_| below(256) as u8).collect();
    // Thresholds near typical sums, so that either side and equality occur.
    let spread = match (case.values, case.weights) {
        (0 | 1, 0 | 1) => 6,
        _ => 40_000,
    };
    let mut thresholds = |n: usize, extra: usize| -> (Vec<i32>, Vec<i32>) {
        (0..n)
            .map(|_| {
                let low = below(2 * spread + 1) as i32 - spread as i32;
                (low + below(extra + 1) as i32, low)
            })
            .unzip()
    };
    let (high, low) = thresholds(neurons, 4);
    let output = if case.trit_output { OutputPlan::Trit { high, low } } else { OutputPlan::Bipolar { high } };
    let [rows, amplifiers, shared, lane_rows, lane_columns] = case.geometry;
    let readout = match case.readout {
        0 => DIGITAL,
        1 => ReadoutPlan::Pcsa(pcsa(inputs, neurons, rows, amplifiers, shared, (lane_rows, lane_columns))),
        _ => {
            let n = inputs.div_ceil(amplifiers);
            let sizes: Vec<usize> = (0..n).map(|k| inputs / n + usize::from(k < inputs % n)).collect();
            let (high, low) = sizes.iter().map(|_| thresholds(neurons, 3)).unzip();
            sa(&sizes, high, if case.trit_output { low } else { vec![] })
        }
    };
    (plan(map, false, vec![layer(weights, values, output, readout)]), image)
}

proptest! {
    #[test]
    fn packed_layers_equal_plain_loops(case in case()) {
        let (plan, image) = build(&case);
        let x: Vec<i32> = image.iter().map(|byte| plan.input.map.value(false, *byte)).collect();
        let hidden = naive(&plan.layers[0], &x);
        let detail = detailed(&Golden::new(&plan), &image);
        prop_assert_eq!(values(&detail.input), x);
        prop_assert_eq!(values(&detail.trace.layers[0]), hidden.clone());
        prop_assert_eq!(&detail.trace.scores, &naive(&plan.layers[1], &hidden));
        if let LayerTrace::Trit { nonzero, positive } = &detail.trace.layers[0] {
            prop_assert!(nonzero.iter().zip(positive.iter()).all(|(nonzero, positive)| nonzero || !positive));
        }
    }

    /// Every partial sum of every read, found through [`locate`], is the plain sum over its inputs; no lane is left.
    #[test]
    fn reads_hold_the_partial_sums_that_locate_names(case in case()) {
        let (plan, image) = build(&Case { readout: 1, values: case.values % 2, weights: case.weights % 2, ..case });
        let (layer, detail) = (&plan.layers[0], detailed(&Golden::new(&plan), &image));
        let (ReadoutPlan::Pcsa(pcsa), LayerDetail::Pcsa(reads)) = (&layer.readout, &detail.layers[0]) else { panic!() };
        prop_assert_eq!(reads.len(), pcsa.reads);
        let mut seen = 0;
        for neuron in 0..layer.neurons {
            for place in locate(layer, neuron) {
                let Site::Pcsa { lane, reads: range, .. } = place.site else { panic!() };
                for (phase, read) in range.enumerate() {
                    let start = (place.inputs.start + phase * pcsa.amplifiers).min(layer.inputs);
                    let end = (start + pcsa.amplifiers).min(layer.inputs);
                    let product = |i: usize| i32::from(layer.weights[[neuron, i]]) * detail.input.value(i);
                    prop_assert_eq!(reads.read(read)[lane], Some((start..end).map(product).sum()));
                    seen += 1;
                }
            }
        }
        prop_assert_eq!(reads.iter().flatten().filter(|sum| sum.is_some()).count(), seen);
    }
}
