//! A layer between its matrix product and its activation: `y = normalize(alpha s + b)`, composed in f64.

use super::quant::Step;
use crate::network::{Activation, Layer, Normalize, Op, Pool, PoolOrder, Weights};

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

    /// This map of what `first` gives.
    fn after(&self, first: &Self) -> Self {
        let each = |j: usize| (self.gain[j] * first.gain[j], self.gain[j] * first.shift[j] + self.shift[j]);
        let (gain, shift) = (0..self.gain.len()).map(each).unzip();
        Self { gain, shift }
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

/// Operations on a value, in order: a chain, then perhaps a batch norm.
struct FollowUp {
    /// Before the batch norm, or without one.
    chain: Affine,
    norm: Option<BatchNorm>,
}

impl FollowUp {
    fn identity(neurons: usize) -> Self {
        Self { chain: Affine::identity(neurons), norm: None }
    }

    fn change(&mut self, change: &Change) {
        match &mut self.norm {
            None => self.chain.change(change),
            Some(norm) => norm.change(|affine| affine.change(change)),
        }
    }

    fn batch_norm(&mut self, norm: BatchNorm) {
        if let Some(first) = self.norm.take() {
            self.chain = first.after(&self.chain);
        }
        self.norm = Some(norm);
    }

    /// All of it as one affine map.
    fn affine(self) -> Affine {
        match self.norm {
            None => self.chain,
            Some(norm) => norm.after(&self.chain),
        }
    }
}

/// Sums of a layer, at every position of a map, and what was done to them since.
pub struct Sum {
    op: Op,
    weights: Weights,
    bias: Vec<f64>,
    follow_up: FollowUp,
    pool: Option<Pooled>,
}

/// A pool, and what was done to its maxima since.
struct Pooled {
    size: [usize; 2],
    stride: [usize; 2],
    follow_up: FollowUp,
}

impl Sum {
    pub fn new(op: Op, weights: Weights, bias: Vec<f64>) -> Self {
        let follow_up = FollowUp::identity(bias.len());
        Self { op, weights, bias, follow_up, pool: None }
    }

    pub fn neurons(&self) -> usize {
        self.bias.len()
    }

    fn latest(&mut self) -> &mut FollowUp {
        match &mut self.pool {
            None => &mut self.follow_up,
            Some(pool) => &mut pool.follow_up,
        }
    }

    pub fn change(&mut self, change: &Change) {
        self.latest().change(change);
    }

    pub fn batch_norm(&mut self, norm: BatchNorm) {
        self.latest().batch_norm(norm);
    }

    pub fn pool(&mut self, size: [usize; 2], stride: [usize; 2]) -> Result<(), String> {
        if self.pool.is_some() {
            return Err(second_pool());
        }
        self.pool = Some(Pooled { size, stride, follow_up: FollowUp::identity(self.neurons()) });
        Ok(())
    }

    /// The order in which the layer pools; what is left to follow goes into `follow_up`.
    fn settle_pool(&mut self) -> Option<Pool> {
        let Pooled { size, stride, follow_up: then } = self.pool.take()?;
        let order = match &mut self.follow_up.norm {
            // A maximum passes every rising map, so also the activation.
            Some(norm) if then.norm.is_none() && then.chain.gain.iter().all(|g| *g > 0.0) => {
                norm.change(|affine| *affine = then.chain.after(affine));
                PoolOrder::AfterActivation
            }
            // What was pooled is `v`: all that came before belongs to scale and bias, of whatever sign.
            _ => {
                let before = std::mem::replace(&mut self.follow_up, then).affine();
                self.absorb(&before);
                PoolOrder::BeforeNormalize
            }
        };
        Some(Pool { size, stride, order })
    }

    /// Takes an affine map of `v` into scale and bias.
    fn absorb(&mut self, affine: &Affine) {
        for (j, (gain, shift)) in affine.gain.iter().zip(&affine.shift).enumerate() {
            self.weights.scale[j] *= gain;
            self.bias[j] = self.bias[j] * gain + shift;
        }
    }

    pub fn finish(mut self, index: usize, activation: Activation) -> Layer {
        let pool = self.settle_pool();
        let neurons = self.neurons();
        let FollowUp { chain, norm } = std::mem::replace(&mut self.follow_up, FollowUp::identity(neurons));
        // A positive chain before a batch norm belongs to scale and bias, as a bias alone does without one.
        let plain = chain.gain.iter().all(|g| *g == 1.0);
        let normalize = match norm {
            None if plain => {
                self.absorb(&chain);
                Normalize::None
            }
            Some(BatchNorm { gamma, beta, mean, variance, epsilon }) if chain.gain.iter().all(|g| *g > 0.0) => {
                self.absorb(&chain);
                Normalize::BatchNorm { gamma, beta, mean, variance, epsilon }
            }
            norm => {
                let Affine { gain, shift } = FollowUp { chain, norm }.affine();
                Normalize::Affine { gain, shift }
            }
        };
        let kind = if self.op == Op::Dense { "fc" } else { "conv" };
        let layer = Layer::new(format!("{kind}{index}"), self.op, self.weights, self.bias, normalize, activation);
        Layer { pool, ..layer }
    }
}

/// What a refusal says of a layer that pools twice.
pub fn second_pool() -> String {
    "the layer has a MaxPool already, and a layer takes one; put a convolution between them, or make them one larger pool"
        .into()
}

impl BatchNorm {
    /// Changes what comes out: gamma and beta are the gain and shift of what precedes them.
    fn change(&mut self, f: impl FnOnce(&mut Affine)) {
        let mut affine = Affine { gain: std::mem::take(&mut self.gamma), shift: std::mem::take(&mut self.beta) };
        f(&mut affine);
        (self.gamma, self.beta) = (affine.gain, affine.shift);
    }

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
    pub fn of_input(scale: f64, offset: f64) -> Self {
        Self { affine: Affine { gain: vec![scale], shift: vec![offset] }, ternary: true }
    }

    pub fn channels(&self) -> usize {
        self.affine.gain.len()
    }

    /// The code that stands for `value` in every channel, to pad with.
    pub fn code_of(&self, value: f64) -> Result<i32, String> {
        let Affine { gain, shift } = &self.affine;
        let code = |j: usize| code_of(value, gain[j], shift[j]).filter(|c| (-1..=1).contains(c));
        let first = code(0);
        match first {
            Some(code_0) if (1..gain.len()).all(|j| code(j) == first) => Ok(code_0),
            _ => {
                let (a, b) = (shift[0] - gain[0], shift[0] + gain[0]);
                Err(format!(
                    "it pads with {value}, but between the activation's lowest value {a} and its highest {b} only they and \
                     their middle can be padded, the same in every channel; quantize to levels around zero (BipolarQuant, \
                     or Quant of 2 bits, signed, narrow), or do not pad"
                ))
            }
        }
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

    /// The sum that `weights` make of these values: the scale goes into theirs, offsets become a bias. Inputs of a
    /// neuron are in the order of channels, the same number for each.
    pub fn sum(&self, op: Op, mut weights: Weights, mut bias: Vec<f64>) -> Sum {
        let Affine { gain, shift } = &self.affine;
        let each = weights.values.ncols() / shift.len();
        for (j, row) in weights.values.outer_iter().enumerate() {
            if shift.iter().any(|s| *s != 0.0) {
                let moved: f64 = row.iter().enumerate().map(|(i, w)| f64::from(*w) * shift[i / each]).sum();
                bias[j] += weights.scale[j] * moved;
            }
            weights.scale[j] *= gain[0];
        }
        Sum::new(op, weights, bias)
    }
}

/// The whole number that stands for `value` where `gain code + shift` does, within the rounding of float32.
pub fn code_of(value: f64, gain: f64, shift: f64) -> Option<i32> {
    let code = (value - shift) / gain;
    let near = 2f64.powi(-22) * code.abs().max(1.0);
    let fits = (code - code.round()).abs() <= near && code.abs() <= 32768.0;
    fits.then_some(code.round() as i32)
}
