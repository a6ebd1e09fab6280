//! The golden model: what the hardware of a [`Plan`] computes, bit for bit, in integers only.
//!
//! It reads the plan and nothing else. The RTL is written from the same plan by other code, so that each checks the
//! other.

mod bits;
mod layer;
mod trace;

pub use bits::Bits;
pub use trace::{LayerTrace, Trace};

use rayon::prelude::*;

use crate::plan::{Plan, ScoresPlan};
use layer::Layer;

/// A plan, packed for fast evaluation.
pub struct Golden {
    /// The integer of every input byte.
    table: Vec<i32>,
    inputs: usize,
    layers: Vec<Layer>,
    scores: ScoresPlan,
}

impl Golden {
    pub fn new(plan: &Plan) -> Self {
        let table = (0..=255).map(|byte| plan.input.map.value(plan.input.signed, byte)).collect();
        let layers = plan.layers.iter().map(Layer::new).collect();
        Self { table, inputs: plan.input.count, layers, scores: plan.scores.clone() }
    }

    /// Outputs of every layer for one image: its stored bytes, one a value.
    ///
    /// # Panics
    /// Where the image has another length than the plan's input.
    pub fn run(&self, image: &[u8]) -> Trace {
        assert_eq!(image.len(), self.inputs, "bytes of an image");
        let mut x: Vec<i32> = image.iter().map(|byte| self.table[usize::from(*byte)]).collect();
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let out = layer.run(&x);
            x = out.values().collect();
            layers.push(out);
        }
        let scores = scores(&self.scores, &x);
        let class = first_maximum(&scores);
        Trace { layers, scores, class }
    }

    /// Traces of all images, in order, on all threads of the pool; `progress` is called once after each image.
    pub fn run_all<I: AsRef<[u8]> + Sync>(&self, images: &[I], progress: impl Fn() + Sync) -> Vec<Trace> {
        let one = |image: &I| {
            let trace = self.run(image.as_ref());
            progress();
            trace
        };
        images.par_iter().map(one).collect()
    }
}

/// Integer scores from the last layer's sums.
fn scores(plan: &ScoresPlan, sums: &[i32]) -> Vec<i32> {
    match &plan.affine {
        None => sums.to_vec(),
        Some(affine) => (0..sums.len()).map(|j| affine.gain[j] * sums[j] + affine.offset[j]).collect(),
    }
}

fn first_maximum(scores: &[i32]) -> usize {
    (0..scores.len()).fold(0, |best, j| if scores[j] > scores[best] { j } else { best })
}
