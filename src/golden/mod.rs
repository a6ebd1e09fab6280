//! The golden model: what the hardware of a [`Plan`] computes, bit for bit, in integers only.
//!
//! It reads the plan and nothing else. The RTL is written from the same plan by other code, so that each checks the
//! other.
//!
//! [`Golden::run`] gives the outputs of every layer for one image, [`Golden::run_all`] and [`Golden::stream`] for many.
//! [`Golden::details`] gives what every single array read of a layer gives, and [`locate`] names the arrays of a neuron: both
//! serve to explain a mismatch.

mod bits;
mod cells;
mod cuts;
mod detail;
mod kernels;
mod layer;
mod matrix;
mod memory;
mod source;
#[cfg(test)]
mod tests;
mod trace;

pub use bits::Bits;
pub use detail::{ArrayPlace, BlockVotes, LayerDetail, Reads, Site, locate};
pub use memory::{Answer, Command, Memory, Status};
pub use trace::{LayerTrace, Trace};

use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;

use crate::plan::{InputPlan, Plan, ScoresPlan, Values};
use layer::{Layer, Scratch};

/// Traces that [`Golden::stream`] computes ahead of their reader.
const AHEAD: usize = 256;

/// A plan, packed for fast evaluation.
pub struct Golden {
    /// The integer that every input byte stands for.
    table: Vec<i32>,
    /// Bytes of an image.
    inputs: usize,
    /// Vectors that an image enters as.
    vectors: usize,
    /// What those integers are.
    values: Values,
    layers: Vec<Layer>,
    scores: ScoresPlan,
}

impl Golden {
    /// Packs the weights of every layer.
    pub fn new(plan: &Plan) -> Self {
        let table = (0..=255).map(|byte| plan.input.map.value(plan.input.signed, byte)).collect();
        let layers = plan.layers.iter().map(Layer::new).collect();
        let InputPlan { count, vectors, values, .. } = plan.input;
        Self { table, inputs: count, vectors, values, layers, scores: plan.scores.clone() }
    }

    /// Outputs of every layer for one image: its stored bytes, one a value.
    ///
    /// # Panics
    /// Where the image has another length than the plan's input.
    pub fn run(&self, image: &[u8]) -> Trace {
        self.run_in(image, &mut Scratch::default())
    }

    /// Traces of all images, in order, on all threads of rayon's pool; `progress` is called after each image.
    pub fn run_all<I: AsRef<[u8]> + Sync>(&self, images: &[I], progress: impl Fn() + Sync) -> Vec<Trace> {
        let one = |scratch: &mut Scratch, image: &I| {
            let trace = self.run_in(image.as_ref(), scratch);
            progress();
            trace
        };
        images.par_iter().map_init(Scratch::default, one).collect()
    }

    /// Calls `consume` with an iterator over the traces of all images, in order. A thread of its own computes them, a
    /// bounded number ahead, so `consume` may wait for a simulator meanwhile; it may also stop early.
    pub fn stream<I, R>(&self, images: &[I], consume: impl FnOnce(Traces) -> R) -> R
    where
        I: AsRef<[u8]> + Sync,
    {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            scope.spawn(move || {
                let mut scratch = Scratch::default();
                // An error means that the reader has stopped.
                images.iter().try_for_each(|image| sender.send(self.run_in(image.as_ref(), &mut scratch)))
            });
            consume(Traces(receiver))
        })
    }

    /// What every array read of layer `layer` gives for one image, vector by vector.
    pub fn details(&self, image: &[u8], layer: usize) -> Vec<LayerDetail> {
        let mut scratch = Scratch::default();
        let trace = self.run_in(image, &mut scratch);
        let input = self.input(image);
        let before = if layer == 0 { &input } else { &trace.layers[layer - 1] };
        let layer = &self.layers[layer];
        let mut details = Vec::new();
        layer.gather().each(before, |x| details.push(layer.detail(x, &mut scratch)));
        details
    }

    fn run_in(&self, image: &[u8], scratch: &mut Scratch) -> Trace {
        let input = self.input(image);
        let mut layers: Vec<LayerTrace> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let out = layer.run(layers.last().unwrap_or(&input), scratch);
            layers.push(out);
        }
        // Features have no scores: a memory finds the class.
        let scores = match layers.last() {
            Some(LayerTrace::Sums(sums)) => scores(&self.scores, sums),
            _ => Vec::new(),
        };
        let class = first_maximum(&scores);
        Trace { layers, scores, class }
    }

    /// The first layer's inputs.
    fn input(&self, image: &[u8]) -> LayerTrace {
        assert_eq!(image.len(), self.inputs, "bytes of an image");
        // Images are stored channel by channel; a map lies position by position.
        let (positions, channels) = (self.vectors, image.len() / self.vectors);
        let value = |i: usize| self.table[usize::from(image[i % channels * positions + i / channels])];
        let plane = |f: &dyn Fn(i32) -> bool| Bits::from_fn(image.len(), |i| f(value(i)));
        match self.values {
            Values::Bipolar => LayerTrace::Bipolar(plane(&|v| v > 0)),
            Values::Trit => LayerTrace::Trit { nonzero: plane(&|v| v != 0), positive: plane(&|v| v > 0) },
            Values::Integer { .. } => LayerTrace::Sums((0..image.len()).map(value).collect()),
        }
    }
}

/// Traces in the order of their images, see [`Golden::stream`].
pub struct Traces(Receiver<Trace>);

impl Iterator for Traces {
    type Item = Trace;

    fn next(&mut self) -> Option<Trace> {
        self.0.recv().ok()
    }
}

/// Integer scores from the last layer's sums.
fn scores(plan: &ScoresPlan, sums: &[i32]) -> Vec<i32> {
    let Some(affine) = &plan.affine else { return sums.to_vec() };
    let score = |((sum, gain), offset): ((&i32, &i32), &i32)| {
        let score = i64::from(*gain) * i64::from(*sum) + i64::from(*offset);
        i32::try_from(score).expect("the plan's scores fit 32 bits")
    };
    sums.iter().zip(&affine.gain).zip(&affine.offset).map(score).collect()
}

fn first_maximum(scores: &[i32]) -> usize {
    (0..scores.len()).fold(0, |best, j| if scores[j] > scores[best] { j } else { best })
}
