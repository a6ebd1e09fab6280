//! What follows a layer's sums in evaluation: running statistics normalize, in f64 and in the order that the network's definition
//! has, as [`Exported`] says; sums of binary and ternary layers are integers that f32 holds exactly.

use burn::tensor::{Device, Tensor, TensorData};
use hafnia::network::Layer as Exported;
use multiversion::multiversion;
use rayon::prelude::*;

/// What a layer gives for some images, one after the other: -1, 0 and +1, or scores.
pub struct Outputs {
    pub width: usize,
    pub values: Vec<f64>,
}

impl Outputs {
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.width)
    }

    pub fn tensor(&self, device: &Device) -> Tensor<2> {
        let data: Vec<f32> = self.values.iter().map(|v| *v as f32).collect();
        let sides = [data.len() / self.width, self.width];
        Tensor::from_data(TensorData::new(data, sides), device)
    }
}

/// What the sums of one block become.
pub struct Step {
    pub rule: Exported,
    /// Of full precision, where the rule has no activation.
    pub relu: bool,
}

impl Step {
    fn of(&self, neuron: usize, sum: f32) -> f64 {
        let y = self.rule.normalized(neuron, self.rule.scaled(neuron, f64::from(sum)));
        let real = if self.relu { y.max(0.0) } else { y };
        self.rule.activation.apply(neuron, y).map_or(real, f64::from)
    }
}

/// Images that a thread takes together, so that a cache line of a dense layer's sums serves all it holds.
const TOGETHER: usize = 16;

/// Largest sum of a table.
const REACH: f32 = 1e6;

/// First f32 whose last bit counts ones, and the bits below its exponent.
const FIRST: f32 = 8_388_608.0;
const MANTISSA: u32 = FIRST as u32 - 1;

/// `sums`: `[block, neuron, image and position]`, `steps`: of every block. Gives `[image, neuron and position]`, added up over the
/// blocks.
pub fn outputs(sums: &[f32], steps: &[Step], images: usize) -> Vec<f64> {
    let neurons = steps[0].rule.weights.scale.len();
    let across = sums.len() / (steps.len() * neurons);
    let positions = across / images;
    let rows: Vec<Row> = sums
        .par_chunks_exact(across)
        .enumerate()
        .map(|(row, sums)| Row::new(&steps[row / neurons], row % neurons, sums))
        .collect();
    let mut out = vec![0.0; images * neurons * positions];
    let fill = |(chunk, out): (usize, &mut [f64])| {
        let (start, size) = (chunk * TOGETHER * positions, out.len() / neurons);
        for neuron in 0..neurons {
            for row in rows.iter().skip(neuron).step_by(neurons) {
                for (image, sums) in row.sums[start..start + size].chunks_exact(positions).enumerate() {
                    row.add(sums, &mut out[(image * neurons + neuron) * positions..][..positions]);
                }
            }
        }
    };
    out.par_chunks_mut(TOGETHER * neurons * positions).enumerate().for_each(fill);
    out
}

/// Signs of sums of votes. A tie is +1, or 0 of trits.
pub fn elect(votes: &mut [f64], ternary: bool) {
    let sign = |v: f64| match ternary {
        true => f64::from(i8::from(v > 0.0) - i8::from(v < 0.0)),
        false => f64::from(i8::from(v >= 0.0) - i8::from(v < 0.0)),
    };
    votes.par_iter_mut().for_each(|v| *v = sign(*v));
}

/// The sums of a neuron of one block.
struct Row<'a> {
    step: &'a Step,
    neuron: usize,
    sums: &'a [f32],
    /// What whole numbers from `-reach` to `reach` become, each asked for once, where that is less work.
    table: Option<Vec<f64>>,
    reach: f32,
}

impl<'a> Row<'a> {
    fn new(step: &'a Step, neuron: usize, sums: &'a [f32]) -> Self {
        let reach = reach(sums);
        let count = 2 * reach.min(REACH) as usize + 1;
        let of = |i: usize| step.of(neuron, i as f32 - reach);
        let table = (reach < REACH && count < sums.len()).then(|| (0..count).map(of).collect());
        Self { step, neuron, sums, table, reach }
    }

    /// What `sums` of this row become, to `out`.
    fn add(&self, sums: &[f32], out: &mut [f64]) {
        let pairs = sums.iter().zip(out);
        match &self.table {
            // Added to 2^23, a whole number is the low bits of an f32.
            Some(table) => {
                pairs.for_each(|(s, y)| *y += table[((s + self.reach + FIRST).to_bits() & MANTISSA) as usize])
            }
            None => pairs.for_each(|(s, y)| *y += self.step.of(self.neuron, *s)),
        }
    }
}

/// Infinite, where a sum is no whole number.
#[multiversion(targets("x86_64+avx2"))]
fn reach(sums: &[f32]) -> f32 {
    let size = |s: f32| if s.trunc() == s { s.abs() } else { f32::INFINITY };
    let mut lanes = [0.0f32; 16];
    let pieces = sums.chunks_exact(16);
    let rest = pieces.remainder().iter().map(|s| size(*s)).fold(0.0, f32::max);
    for piece in pieces {
        for (lane, s) in lanes.iter_mut().zip(piece) {
            *lane = lane.max(size(*s));
        }
    }
    lanes.into_iter().fold(rest, f32::max)
}

#[cfg(test)]
mod tests {
    use hafnia::network::{Activation, Normalize};

    use super::*;
    use crate::export::rule;

    /// Two neurons with batch norm 2 (s - 1) / 1 + 0.5 and 2 (s - 3) / 2 + 0.5.
    fn step(activation: Activation, relu: bool) -> Step {
        let normalize = Normalize::BatchNorm {
            gamma: vec![2.0; 2],
            beta: vec![0.5; 2],
            mean: vec![1.0, 3.0],
            variance: vec![1.0, 4.0],
            epsilon: 0.0,
        };
        Step { rule: rule("fc", &[1.0; 2], &[0.0; 2], normalize, activation), relu }
    }

    #[test]
    fn outputs_by_hand() {
        // Neuron 0 and neuron 1, each two images of two positions; with and without enough images for a table.
        for repeats in [1, 20] {
            let rows = [[0.0, 1.0, 2.0, -1.0], [3.0, 2.0, 0.0, 4.0]];
            let sums: Vec<f32> = rows.iter().flat_map(|row| row.repeat(repeats)).collect();
            let images = 2 * repeats;
            let scores = outputs(&sums, &[step(Activation::Scores, false)], images);
            assert_eq!(scores, [-1.5, 0.5, 0.5, -0.5, 2.5, -3.5, -2.5, 1.5].repeat(repeats));
            let real = outputs(&sums, &[step(Activation::Scores, true)], images);
            assert_eq!(real, [0.0, 0.5, 0.5, 0.0, 2.5, 0.0, 0.0, 1.5].repeat(repeats));
            let bipolar = || step(Activation::Bipolar { threshold: vec![0.0; 2] }, false);
            let mut votes = outputs(&[sums.clone(), sums].concat(), &[bipolar(), bipolar()], images);
            assert_eq!(votes, [-2.0, 2.0, 2.0, -2.0, 2.0, -2.0, -2.0, 2.0].repeat(repeats));
            elect(&mut votes, false);
            assert_eq!(votes, [-1.0, 1.0, 1.0, -1.0, 1.0, -1.0, -1.0, 1.0].repeat(repeats));
        }
        let mut ties = [0.0, -3.0];
        elect(&mut ties, true);
        assert_eq!(ties, [0.0, -1.0]);
        elect(&mut ties, false);
        assert_eq!(ties, [1.0, -1.0]);
    }

    #[test]
    fn sums_that_are_no_whole_numbers_need_no_table() {
        let sums = [[0.25; 8], [3.0; 8]].concat();
        assert_eq!(outputs(&sums, &[step(Activation::Scores, false)], 8), [-1.0, 0.5].repeat(8));
    }
}
