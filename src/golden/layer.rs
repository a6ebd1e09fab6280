//! One layer: weights packed once, outputs for one input vector.

use ndarray::s;

use super::matrix::{Matrix, Planes};
use super::{Bits, LayerTrace, kernels};
use crate::plan::{LayerPlan, OutputPlan, ReadoutPlan, SaPlan, Values};

pub(super) struct Layer {
    neurons: usize,
    weights: Weights,
    output: OutputPlan,
    readout: ReadoutPlan,
}

enum Weights {
    /// -1, 0, +1 on bipolar or trit inputs, cut along the inputs into an `sa` layer's blocks; one piece otherwise.
    Planes(Vec<Matrix>),
    /// Integer inputs or weights: `[neurons, inputs]`, row-major.
    Integers { values: Vec<i8>, inputs: Inputs },
}

/// The narrowest word that holds a layer's integer inputs.
#[derive(Clone, Copy)]
enum Inputs {
    I16,
    I32,
}

/// Buffers that one thread uses again for every layer and image.
#[derive(Default)]
pub(super) struct Scratch {
    slice: [Vec<u64>; 2],
    narrow: Vec<i16>,
    wide: Vec<i32>,
    sums: Vec<i32>,
    votes: Vec<i32>,
}

impl Layer {
    pub fn new(plan: &LayerPlan) -> Self {
        assert!(plan.largest_sum <= i32::MAX.into(), "layer {}: the plan's sums fit 32 bits", plan.name);
        let weights = &plan.weights;
        let trits = weights.iter().all(|w| (-1..=1).contains(w));
        let weights = match plan.input {
            Values::Bipolar | Values::Trit if trits => {
                let whole = [plan.inputs];
                let sizes = if let ReadoutPlan::Sa(sa) = &plan.readout { sa.block_sizes.as_slice() } else { &whole };
                assert_eq!(sizes.iter().sum::<usize>(), plan.inputs, "layer {}: blocks cover the inputs", plan.name);
                let ends = sizes.iter().scan(0, |end, size| {
                    *end += size;
                    Some(*end)
                });
                Weights::Planes(
                    sizes.iter().zip(ends).map(|(n, end)| Matrix::new(weights.slice(s![.., end - n..end]))).collect(),
                )
            }
            input => {
                assert!(matches!(plan.readout, ReadoutPlan::Digital(_)), "layer {}: arrays take trits", plan.name);
                let inputs = if input.largest() < 1 << 15 { Inputs::I16 } else { Inputs::I32 };
                Weights::Integers { values: weights.iter().copied().collect(), inputs }
            }
        };
        Self { neurons: plan.neurons, weights, output: plan.output.clone(), readout: plan.readout.clone() }
    }

    pub fn neurons(&self) -> usize {
        self.neurons
    }

    pub fn readout(&self) -> &ReadoutPlan {
        &self.readout
    }

    /// Planes of an array layer, one matrix a block.
    pub fn matrices(&self) -> &[Matrix] {
        match &self.weights {
            Weights::Planes(matrices) => matrices,
            Weights::Integers { .. } => &[],
        }
    }

    /// Outputs for the input vector `x`.
    pub fn run(&self, x: &LayerTrace, scratch: &mut Scratch) -> LayerTrace {
        if let ReadoutPlan::Sa(sa) = &self.readout {
            return self.aggregate(sa, x, scratch);
        }
        self.sums(x, scratch);
        let sums = scratch.sums.as_slice();
        match &self.output {
            OutputPlan::Bipolar { high } => LayerTrace::Bipolar(Bits::from_fn(sums.len(), |j| sums[j] >= high[j])),
            OutputPlan::Trit { high, low } => {
                trits(sums.len(), |j| i32::from(sums[j] >= high[j]) - i32::from(sums[j] < low[j]))
            }
            OutputPlan::Sums => LayerTrace::Sums(sums.to_vec()),
        }
    }

    /// Whole sums to `scratch.sums`.
    fn sums(&self, x: &LayerTrace, scratch: &mut Scratch) {
        let Scratch { narrow, wide, sums, .. } = scratch;
        sums.resize(self.neurons, 0);
        match (&self.weights, Planes::of(x)) {
            (Weights::Planes(matrices), Some(planes)) => matrices[0].sums(planes, sums),
            (Weights::Planes(_), None) => unreachable!("a layer on planes takes bipolar values or trits"),
            (Weights::Integers { values, inputs: Inputs::I16 }, _) => {
                narrow.clear();
                narrow.extend(x.values().map(|v| v as i16));
                kernels::dot_i16(narrow, values, sums);
            }
            (Weights::Integers { values, inputs: Inputs::I32 }, _) => {
                wide.clear();
                wide.extend(x.values());
                kernels::dot_i32(wide, values, sums);
            }
        }
    }

    /// Votes of the blocks, added up.
    fn aggregate(&self, sa: &SaPlan, x: &LayerTrace, scratch: &mut Scratch) -> LayerTrace {
        scratch.votes.clear();
        scratch.votes.resize(self.neurons, 0);
        let trit = matches!(self.output, OutputPlan::Trit { .. });
        self.each_block(x, scratch, |k, sums, votes| {
            let of_neurons = votes.iter_mut().zip(sums).zip(&sa.high[k]);
            if trit {
                for (((vote, sum), high), low) in of_neurons.zip(&sa.low[k]) {
                    *vote += i32::from(sum >= high) - i32::from(sum < low);
                }
            } else {
                for ((vote, sum), high) in of_neurons {
                    *vote += 2 * i32::from(sum >= high) - 1;
                }
            }
        });
        let votes = scratch.votes.as_slice();
        match &self.output {
            // A tie is +1.
            OutputPlan::Bipolar { .. } => LayerTrace::Bipolar(Bits::from_fn(votes.len(), |j| votes[j] >= 0)),
            OutputPlan::Trit { .. } => trits(votes.len(), |j| votes[j]),
            OutputPlan::Sums => unreachable!("a 1-bit amplifier gives no sums"),
        }
    }

    /// Calls `f(k, sums of block k, one a neuron, scratch.votes)` for every block of an array layer.
    pub fn each_block(&self, x: &LayerTrace, scratch: &mut Scratch, mut f: impl FnMut(usize, &[i32], &mut [i32])) {
        let planes = Planes::of(x).expect("arrays take bipolar values or trits");
        let Scratch { slice, sums, votes, .. } = scratch;
        sums.resize(self.neurons, 0);
        let mut start = 0;
        for (k, matrix) in self.matrices().iter().enumerate() {
            matrix.sums(planes.slice(start, matrix.inputs(), slice), sums);
            f(k, sums, votes);
            start += matrix.inputs();
        }
    }
}

/// The signs of `len` values.
fn trits(len: usize, value: impl Fn(usize) -> i32) -> LayerTrace {
    let nonzero = Bits::from_fn(len, |j| value(j) != 0);
    LayerTrace::Trit { nonzero, positive: Bits::from_fn(len, |j| value(j) > 0) }
}
