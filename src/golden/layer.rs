//! One layer: weights packed once, outputs for the map before it.

use ndarray::s;

use super::cuts::{Cuts, pooled};
use super::matrix::{Matrix, Planes};
use super::source::Gather;
use super::{Bits, LayerTrace, kernels};
use crate::plan::{AdcPlan, Encoding, LayerPlan, OutputPlan, PoolPlace, PoolPlan, ReadoutPlan, SaPlan, Values};

pub(super) struct Layer {
    neurons: usize,
    weights: Weights,
    output: OutputPlan,
    readout: ReadoutPlan,
    gather: Gather,
    pool: Option<PoolPlan>,
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
    columns: Vec<i32>,
}

impl Layer {
    pub fn new(plan: &LayerPlan) -> Self {
        assert!(plan.largest_sum <= i32::MAX.into(), "layer {}: the plan's sums fit 32 bits", plan.name);
        let weights = &plan.weights;
        let trits = weights.iter().all(|w| (-1..=1).contains(w));
        let arrays = !matches!(plan.readout, ReadoutPlan::Digital(_));
        let small = matches!(plan.input, Values::Bipolar | Values::Trit);
        let weights = if trits && (arrays || small) {
            let whole = [plan.inputs];
            let sizes = match &plan.readout {
                ReadoutPlan::Sa(sa) => sa.block_sizes.as_slice(),
                ReadoutPlan::Adc(adc) => adc.block_sizes.as_slice(),
                _ => &whole,
            };
            assert_eq!(sizes.iter().sum::<usize>(), plan.inputs, "layer {}: blocks cover the inputs", plan.name);
            let ends = sizes.iter().scan(0, |end, size| {
                *end += size;
                Some(*end)
            });
            Weights::Planes(
                sizes.iter().zip(ends).map(|(n, end)| Matrix::new(weights.slice(s![.., end - n..end]))).collect(),
            )
        } else {
            assert!(!arrays, "layer {}: arrays hold trits", plan.name);
            let inputs = if plan.input.largest() < 1 << 15 { Inputs::I16 } else { Inputs::I32 };
            Weights::Integers { values: weights.iter().copied().collect(), inputs }
        };
        Self {
            neurons: plan.neurons,
            weights,
            output: plan.output.clone(),
            readout: plan.readout.clone(),
            gather: Gather::new(&plan.source),
            pool: plan.pool.clone(),
        }
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

    pub fn gather(&self) -> &Gather {
        &self.gather
    }

    /// Outputs for the map before, position by position.
    pub fn run(&self, map: &LayerTrace, scratch: &mut Scratch) -> LayerTrace {
        if let OutputPlan::Sums = self.output {
            let mut all = Vec::new();
            self.gather.each(map, |x| {
                self.sums(x, scratch);
                all.extend_from_slice(&scratch.sums);
            });
            return LayerTrace::Sums(all);
        }
        let mut cuts = Vec::with_capacity(self.gather.vectors());
        self.gather.each(map, |x| cuts.push(self.cuts(x, scratch)));
        let pools = |place: PoolPlace| self.pool.as_ref().filter(|p| p.place == place);
        if let Some(pool) = pools(PoolPlace::Votes) {
            cuts = pooled(pool, &cuts);
        }
        if let ReadoutPlan::Sa(sa) = &self.readout {
            cuts.iter_mut().for_each(|c| *c = aggregated(sa.block_sizes.len(), self.neurons, c));
        }
        if let Some(pool) = pools(PoolPlace::Outputs) {
            cuts = pooled(pool, &cuts);
        }
        Cuts::trace(&cuts)
    }

    /// Thresholded sums of one input vector: of blocks under `sa`, else of whole neurons.
    pub fn cuts(&self, x: &LayerTrace, scratch: &mut Scratch) -> Cuts {
        if let ReadoutPlan::Sa(sa) = &self.readout {
            return self.votes(sa, x, scratch);
        }
        self.sums(x, scratch);
        let sums = scratch.sums.as_slice();
        let reach = |t: &[i32]| Bits::from_fn(sums.len(), |j| sums[j] >= t[j]);
        match &self.output {
            OutputPlan::Bipolar { high } => Cuts { high: reach(high), low: None },
            OutputPlan::Trit { high, low } => Cuts { high: reach(high), low: Some(reach(low)) },
            OutputPlan::Sums => unreachable!("sums have no thresholds"),
        }
    }

    /// Whole sums to `scratch.sums`.
    fn sums(&self, x: &LayerTrace, scratch: &mut Scratch) {
        if let ReadoutPlan::Adc(adc) = &self.readout {
            return self.values(adc, x, scratch);
        }
        let Scratch { narrow, wide, sums, columns, .. } = scratch;
        sums.resize(self.neurons, 0);
        match (&self.weights, Planes::of(x)) {
            (Weights::Planes(matrices), Some(planes)) => matrices[0].sums(planes, sums),
            (Weights::Planes(matrices), None) => {
                let ReadoutPlan::Pcsa(pcsa) = &self.readout else {
                    unreachable!("only arrays take integers as planes")
                };
                sums.fill(0);
                columns.resize(self.neurons, 0);
                for (x, weight) in driven_planes(pcsa.planes, x) {
                    matrices[0].sums(Planes::of(&x).expect("planes of bits are trits"), columns);
                    sums.iter_mut().zip(columns.iter()).for_each(|(sum, s)| *sum += weight * s);
                }
            }
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

    /// Values of the columns' codes, added over blocks and phases, to `scratch.sums`.
    fn values(&self, adc: &AdcPlan, x: &LayerTrace, scratch: &mut Scratch) {
        let mut values = std::mem::take(&mut scratch.sums);
        values.clear();
        values.resize(self.neurons, 0);
        self.each_column(adc, x, scratch, |_, weight, sums| {
            values.iter_mut().zip(sums).for_each(|(v, sum)| *v += weight * adc.transfer.value(*sum));
        });
        scratch.sums = values;
    }

    /// Calls `visit(phase, weight of the phase, sums of the columns)` for every phase and block.
    pub(super) fn each_column(
        &self,
        adc: &AdcPlan,
        x: &LayerTrace,
        scratch: &mut Scratch,
        mut visit: impl FnMut(usize, i32, &[i32]),
    ) {
        let Scratch { slice, columns, .. } = scratch;
        columns.resize(self.neurons, 0);
        for phase in 0..adc.encoding.phases() {
            let (drive, weight) = driven(adc.encoding, phase, x);
            let planes = Planes::of(&drive).expect("word lines take signs");
            let mut start = 0;
            for matrix in self.matrices() {
                matrix.sums(planes.slice(start, matrix.inputs(), slice), columns);
                visit(phase, weight, columns);
                start += matrix.inputs();
            }
        }
    }

    /// What the amplifiers of all blocks give.
    fn votes(&self, sa: &SaPlan, x: &LayerTrace, scratch: &mut Scratch) -> Cuts {
        let unipolar;
        let x = if sa.unipolar {
            unipolar = driven(Encoding::Unipolar, 0, x).0;
            &unipolar
        } else {
            x
        };
        let planes = Planes::of(x).expect("arrays take bipolar values or trits");
        let Scratch { slice, sums, .. } = scratch;
        sums.resize(self.neurons, 0);
        let (mut high, mut low) = (Bits::default(), Bits::default());
        let mut start = 0;
        for (k, matrix) in self.matrices().iter().enumerate() {
            matrix.sums(planes.slice(start, matrix.inputs(), slice), sums);
            let reach = |t: &[i32]| Bits::from_fn(sums.len(), |j| sums[j] >= t[j]);
            high.append(&reach(&sa.high[k]));
            if let Some(thresholds) = sa.low.get(k) {
                low.append(&reach(thresholds));
            }
            start += matrix.inputs();
        }
        Cuts { high, low: (!sa.low.is_empty()).then_some(low) }
    }
}

/// What drives the word lines in a phase, and what its values count.
fn driven(encoding: Encoding, phase: usize, x: &LayerTrace) -> (LayerTrace, i32) {
    let on = |f: &dyn Fn(i32) -> bool| {
        let lines = Bits::from_fn(x.len(), |i| f(x.value(i)));
        LayerTrace::Trit { nonzero: lines.clone(), positive: lines }
    };
    match (encoding, phase) {
        (Encoding::Signed, _) => (x.clone(), 1),
        (Encoding::TwoPhases, 0) | (Encoding::Unipolar, _) => (on(&|v| v > 0), 1),
        (Encoding::TwoPhases, _) => (on(&|v| v < 0), -1),
        // Two's complement: the highest bit counts negatively.
        (Encoding::BitSerial(bits), p) => {
            let weight = if p + 1 == bits { -(1 << p) } else { 1 << p };
            (on(&|v| v >> p & 1 == 1), weight)
        }
    }
}

/// What meets the reads of a PCSA array, and what it counts: the input itself, or the bits of integers.
pub(super) fn driven_planes(planes: usize, x: &LayerTrace) -> impl Iterator<Item = (LayerTrace, i32)> {
    let encoding = if planes == 1 { Encoding::Signed } else { Encoding::BitSerial(planes) };
    (0..planes).map(move |p| driven(encoding, p, x))
}

/// Sign of the sum of the blocks' votes: a tie is +1 where outputs are bipolar, 0 where they are trits.
fn aggregated(blocks: usize, neurons: usize, votes: &Cuts) -> Cuts {
    let mut sums = vec![0i32; neurons];
    for k in 0..blocks {
        for (j, sum) in sums.iter_mut().enumerate() {
            let at = k * neurons + j;
            *sum += match &votes.low {
                // +1 above both thresholds, -1 below both.
                Some(low) => i32::from(votes.high.get(at)) - i32::from(!low.get(at)),
                None => 2 * i32::from(votes.high.get(at)) - 1,
            };
        }
    }
    let reach = |least: i32| Bits::from_fn(neurons, |j| sums[j] >= least);
    match votes.low {
        Some(_) => Cuts { high: reach(1), low: Some(reach(0)) },
        None => Cuts { high: reach(0), low: None },
    }
}
