//! One layer: weights packed once, outputs for one input vector.

use ndarray::Array2;

use super::{Bits, LayerTrace};
use crate::plan::{LayerPlan, OutputPlan, ReadoutPlan};

pub(super) struct Layer {
    weights: Array2<i8>,
    output: OutputPlan,
    blocks: Vec<Block>,
}

struct Block {
    start: usize,
    len: usize,
    high: Vec<i32>,
    low: Vec<i32>,
}

impl Layer {
    pub fn new(plan: &LayerPlan) -> Self {
        let mut blocks = Vec::new();
        if let ReadoutPlan::Sa(sa) = &plan.readout {
            let mut start = 0;
            for (k, &len) in sa.block_sizes.iter().enumerate() {
                let low = sa.low.get(k).cloned().unwrap_or_default();
                blocks.push(Block { start, len, high: sa.high[k].clone(), low });
                start += len;
            }
        }
        Self { weights: plan.weights.clone(), output: plan.output.clone(), blocks }
    }

    fn sum(&self, j: usize, x: &[i32], start: usize, len: usize) -> i32 {
        (start..start + len).map(|i| i32::from(self.weights[[j, i]]) * x[i]).sum()
    }

    /// Votes of the blocks on neuron `j`, high then low.
    fn votes<'a>(&'a self, j: usize, x: &'a [i32]) -> impl Iterator<Item = (bool, bool)> + 'a {
        self.blocks.iter().map(move |b| {
            let s = self.sum(j, x, b.start, b.len);
            (s >= b.high[j], b.low.get(j).is_some_and(|low| s < *low))
        })
    }

    pub fn run(&self, x: &[i32]) -> LayerTrace {
        let n = self.weights.nrows();
        let whole = |j: usize| self.sum(j, x, 0, x.len());
        if self.blocks.is_empty() {
            return match &self.output {
                OutputPlan::Bipolar { high } => LayerTrace::Bipolar(Bits::from_fn(n, |j| whole(j) >= high[j])),
                OutputPlan::Trit { high, low } => {
                    trits((0..n).map(|j| i32::from(whole(j) >= high[j]) - i32::from(whole(j) < low[j])))
                }
                OutputPlan::Sums => LayerTrace::Sums((0..n).map(whole).collect()),
            };
        }
        match &self.output {
            OutputPlan::Bipolar { .. } => LayerTrace::Bipolar(Bits::from_fn(n, |j| {
                self.votes(j, x).map(|(high, _)| if high { 1 } else { -1 }).sum::<i32>() >= 0
            })),
            OutputPlan::Trit { .. } => {
                trits((0..n).map(|j| {
                    self.votes(j, x).map(|(high, low)| i32::from(high) - i32::from(low)).sum::<i32>().signum()
                }))
            }
            OutputPlan::Sums => unreachable!("a 1-bit amplifier gives no sums"),
        }
    }
}

fn trits(values: impl Iterator<Item = i32>) -> LayerTrace {
    let values: Vec<i32> = values.collect();
    LayerTrace::Trit {
        nonzero: Bits::from_fn(values.len(), |j| values[j] != 0),
        positive: Bits::from_fn(values.len(), |j| values[j] > 0),
    }
}
