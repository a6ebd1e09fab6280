//! A layer between its matrix product and its activation: `y = normalize(alpha s + b)`, composed in f64.

use super::quant::Step;
use crate::network::{Activation, Layer, Normalize, Op, Weights};

/// `gain v + shift`, one of each a neuron, as a chain of operations builds it.
#[derive(Clone, Debug)]
pub struct Affine {
    pub gain: Vec<f64>,
    pub shift: Vec<f64>,
}

/// One operation with a constant on a value `v`.
#[derive(Clone, Debug)]
pub enum Change {
    /// `v + c`
    Add(Vec<f64>),
    /// `c - v`
    From(Vec<f64>),
    /// `v c`
    Mul(Vec<f64>),
    /// `v / c`, no `c` being zero
    Div(Vec<f64>),
}

impl Affine {
    pub fn identity(neurons: usize) -> Self {
        Self { gain: vec![1.0; neurons], shift: vec![0.0; neurons] }
    }

    pub fn change(&mut self, change: &Change) {
        let (Change::Add(c) | Change::From(c) | Change::Mul(c) | Change::Div(c)) = change;
        for ((gain, shift), c) in self.gain.iter_mut().zip(&mut self.shift).zip(c) {
            (*gain, *shift) = match change {
                Change::Add(_) => (*gain, *shift + c),
                Change::From(_) => (-*gain, c - *shift),
                Change::Mul(_) => (*gain * c, *shift * c),
                Change::Div(_) => (*gain / c, *shift / c),
            };
        }
    }
}

/// Batch norm values, one of each a neuron.
pub struct BatchNorm {
    pub gamma: Vec<f64>,
    pub beta: Vec<f64>,
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
    pub epsilon: f64,
}

pub struct Sum {
    weights: Weights,
    bias: Vec<f64>,
    /// Before the batch norm, or without one.
    chain: Affine,
    norm: Option<BatchNorm>,
}

impl Sum {
    pub fn new(weights: Weights, bias: Vec<f64>) -> Self {
        let chain = Affine::identity(bias.len());
        Self { weights, bias, chain, norm: None }
    }

    pub fn neurons(&self) -> usize {
        self.bias.len()
    }

    pub fn change(&mut self, change: &Change) {
        match &mut self.norm {
            None => self.chain.change(change),
            Some(norm) => {
                // gamma and beta are the gain and shift of what precedes them.
                let gain = std::mem::take(&mut norm.gamma);
                let mut affine = Affine { gain, shift: std::mem::take(&mut norm.beta) };
                affine.change(change);
                (norm.gamma, norm.beta) = (affine.gain, affine.shift);
            }
        }
    }

    pub fn batch_norm(&mut self, norm: BatchNorm) {
        if let Some(first) = self.norm.take() {
            self.chain = first.after(&self.chain);
        }
        self.norm = Some(norm);
    }

    pub fn finish(mut self, index: usize, activation: Activation) -> Layer {
        let Affine { gain, shift } = &self.chain;
        // A positive chain before a batch norm belongs to scale and bias, as a bias alone does without one.
        let plain = gain.iter().all(|g| *g == 1.0);
        let normalize = match self.norm {
            None if plain => Normalize::None,
            Some(BatchNorm { gamma, beta, mean, variance, epsilon }) if gain.iter().all(|g| *g > 0.0) => {
                Normalize::BatchNorm { gamma, beta, mean, variance, epsilon }
            }
            None => Normalize::Affine { gain: gain.clone(), shift: shift.clone() },
            Some(norm) => {
                let Affine { gain, shift } = norm.after(&self.chain);
                Normalize::Affine { gain, shift }
            }
        };
        if !matches!(normalize, Normalize::Affine { .. }) {
            for (j, (gain, shift)) in gain.iter().zip(shift).enumerate() {
                self.weights.scale[j] *= gain;
                self.bias[j] = self.bias[j] * gain + shift;
            }
        }
        Layer {
            name: format!("fc{index}"),
            op: Op::Dense,
            pool: None,
            blocks: Vec::new(),
            weights: self.weights,
            bias: self.bias,
            normalize,
            activation,
        }
    }
}

impl BatchNorm {
    /// Both as one affine map.
    fn after(&self, chain: &Affine) -> Affine {
        let deviation = |j: usize| (self.variance[j] + self.epsilon).sqrt();
        let gain = (0..self.gamma.len()).map(|j| self.gamma[j] * chain.gain[j] / deviation(j)).collect();
        let shift = (0..self.gamma.len())
            .map(|j| self.gamma[j] * (chain.shift[j] - self.mean[j]) / deviation(j) + self.beta[j])
            .collect();
        Affine { gain, shift }
    }
}

/// What an activation puts out: codes -1, (0,) +1 that stand for `gain code + shift`.
pub struct Levels {
    affine: Affine,
    ternary: bool,
}

impl Levels {
    pub fn new(step: &Step) -> Self {
        let gain = vec![step.scale; step.offset.len()];
        let ternary = matches!(step.activation, Activation::Ternary { .. });
        Self { affine: Affine { gain, shift: step.offset.clone() }, ternary }
    }

    /// Values of the input, one code table for all positions.
    pub fn of_input(scale: f64, offset: f64, inputs: usize) -> Self {
        Self { affine: Affine { gain: vec![scale; inputs], shift: vec![offset; inputs] }, ternary: true }
    }

    pub fn len(&self) -> usize {
        self.affine.gain.len()
    }

    pub fn change(&mut self, change: &Change) -> Result<(), String> {
        self.affine.change(change);
        let gain = &self.affine.gain;
        if gain.iter().any(|g| *g != gain[0]) {
            return Err(
                "it scales an activation differently from neuron to neuron, which would need real-valued weights \
                        in the next layer; move the scale before the quantizer"
                    .into(),
            );
        }
        if gain[0].is_nan() || gain[0] <= 0.0 {
            return Err(format!("it makes the activation's scale {}; it must stay positive", gain[0]));
        }
        Ok(())
    }

    /// The values of each code, as rows of one value a neuron.
    pub fn values(&self) -> Vec<Vec<f64>> {
        let codes: &[f64] = if self.ternary { &[-1.0, 0.0, 1.0] } else { &[-1.0, 1.0] };
        let Affine { gain, shift } = &self.affine;
        codes.iter().map(|c| gain.iter().zip(shift).map(|(g, s)| g * c + s).collect()).collect()
    }

    /// The sum that `weights` make of these values: the scale goes into theirs, offsets become a bias.
    pub fn sum(&self, mut weights: Weights, mut bias: Vec<f64>) -> Sum {
        let Affine { gain, shift } = &self.affine;
        for (j, row) in weights.values.outer_iter().enumerate() {
            if shift.iter().any(|s| *s != 0.0) {
                let moved: f64 = row.iter().zip(shift).map(|(w, s)| f64::from(*w) * s).sum();
                bias[j] += weights.scale[j] * moved;
            }
            weights.scale[j] *= gain[0];
        }
        Sum::new(weights, bias)
    }
}
