//! One layer: quantized weights, batch norm, quantized activation.

use burn::tensor::{Device, Tensor};
use hafnia::network::WeightKind;

use crate::param::{Buffer, Param};
use crate::quantize;
use crate::random::Stream;
use crate::recipe::{ActivationKind, QuantizeRecipe};

/// Batch norm's epsilon.
pub const EPSILON: f64 = 1e-5;

/// A fully connected layer. Without a batch norm it is the last one and gives integer scores.
pub struct Dense {
    pub name: String,
    pub quantize: QuantizeRecipe,
    pub weight: Param,
    pub norm: Option<BatchNorm>,
}

/// Batch norm over the batch axis (Ioffe and Szegedy 2015, arXiv:1502.03167).
pub struct BatchNorm {
    pub gamma: Param,
    pub beta: Param,
    pub mean: Buffer,
    pub variance: Buffer,
}

impl Dense {
    /// Latent weights uniform in +-`init`.
    pub fn new(
        name: &str,
        [neurons, inputs]: [usize; 2],
        hidden: bool,
        quantize: &QuantizeRecipe,
        init: f64,
        stream: &mut Stream,
        device: &Device,
    ) -> Self {
        let weights: Vec<f32> = (0..neurons * inputs).map(|_| stream.symmetric(init)).collect();
        Self {
            name: name.into(),
            quantize: quantize.clone(),
            weight: Param::new(format!("{name}.weight"), &[neurons, inputs], true, &weights, device),
            norm: hidden.then(|| BatchNorm::new(name, neurons, device)),
        }
    }

    /// In training, batch statistics normalize, and the running ones move by `momentum`.
    pub fn train(&mut self, x: Tensor<2>, momentum: f64) -> Tensor<2> {
        let s = x.matmul(self.quantized(self.weight.tracked()).transpose());
        match &mut self.norm {
            Some(norm) => activate(&self.quantize, norm.train(s, momentum)),
            None => s,
        }
    }

    /// Running statistics normalize; no graph.
    pub fn eval(&self, x: Tensor<2>) -> Tensor<2> {
        let s = x.matmul(self.quantized(self.weight.plain()).transpose());
        match &self.norm {
            Some(norm) => activate(&self.quantize, norm.eval(s)),
            None => s,
        }
    }

    /// The weights that the network has, from the latent ones.
    pub fn quantized(&self, latent: Tensor<2>) -> Tensor<2> {
        match self.quantize.weights {
            WeightKind::Ternary => quantize::ternary(latent, self.quantize.weight_threshold),
            WeightKind::Bipolar => quantize::bipolar(latent),
            WeightKind::Int8 => unreachable!("the recipe was checked"),
        }
    }

    pub fn params(&self) -> Vec<&Param> {
        let norm = self.norm.iter().flat_map(|n| [&n.gamma, &n.beta]);
        std::iter::once(&self.weight).chain(norm).collect()
    }

    pub fn params_mut(&mut self) -> Vec<&mut Param> {
        let norm = self.norm.iter_mut().flat_map(|n| [&mut n.gamma, &mut n.beta]);
        std::iter::once(&mut self.weight).chain(norm).collect()
    }

    pub fn buffers(&self) -> Vec<&Buffer> {
        self.norm.iter().flat_map(|n| [&n.mean, &n.variance]).collect()
    }

    pub fn buffers_mut(&mut self) -> Vec<&mut Buffer> {
        self.norm.iter_mut().flat_map(|n| [&mut n.mean, &mut n.variance]).collect()
    }
}

fn activate(quantize: &QuantizeRecipe, y: Tensor<2>) -> Tensor<2> {
    match quantize.activations {
        ActivationKind::Bipolar => quantize::bipolar(y),
        ActivationKind::Ternary => quantize::ternary(y, quantize.dead_zone),
    }
}

impl BatchNorm {
    fn new(layer: &str, neurons: usize, device: &Device) -> Self {
        let (zeros, ones) = (vec![0.0; neurons], vec![1.0; neurons]);
        Self {
            gamma: Param::new(format!("{layer}.gamma"), &[neurons], false, &ones, device),
            beta: Param::new(format!("{layer}.beta"), &[neurons], false, &zeros, device),
            mean: Buffer::new(format!("{layer}.mean"), &zeros, device),
            variance: Buffer::new(format!("{layer}.variance"), &ones, device),
        }
    }

    fn train(&mut self, s: Tensor<2>, momentum: f64) -> Tensor<2> {
        let batch = s.dims()[0];
        let mean = s.clone().mean_dim(0);
        let variance = (s.clone() - mean.clone()).square().mean_dim(0);
        let flat = |t: &Tensor<2>| t.clone().without_autodiff().flatten::<1>(0, 1);
        self.mean.follow(flat(&mean), momentum);
        // The running variance is the unbiased one, as in other frameworks.
        self.variance.follow(flat(&variance) * (batch as f64 / (batch - 1) as f64), momentum);
        let (gamma, beta) = (self.gamma.tracked::<1>().unsqueeze(), self.beta.tracked::<1>().unsqueeze());
        normalize(s, gamma, beta, mean, variance)
    }

    fn eval(&self, s: Tensor<2>) -> Tensor<2> {
        let row = |t: Tensor<1>| t.unsqueeze::<2>();
        let (mean, variance) = (row(self.mean.value.clone()), row(self.variance.value.clone()));
        normalize(s, row(self.gamma.plain()), row(self.beta.plain()), mean, variance)
    }
}

/// In the order of operations that `hafnia::network::Layer::value` has.
fn normalize(s: Tensor<2>, gamma: Tensor<2>, beta: Tensor<2>, mean: Tensor<2>, variance: Tensor<2>) -> Tensor<2> {
    gamma * (s - mean) / (variance + EPSILON).sqrt() + beta
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::values;

    #[test]
    fn batch_norm_by_hand() {
        let device = Device::flex();
        let mut norm = BatchNorm::new("fc", 2, &device);
        let s = Tensor::<2>::from_floats([[1.0, 0.0], [3.0, 0.0], [5.0, 0.0], [7.0, 8.0]], &device);
        // Column 0: mean 4, variance 5; column 1: mean 2, variance 12.
        let y = values(norm.train(s.clone(), 0.1));
        let (a, b) = ((5.0f64 + EPSILON).sqrt(), (12.0f64 + EPSILON).sqrt());
        let expected = [-3.0 / a, -2.0 / b, -1.0 / a, -2.0 / b, 1.0 / a, -2.0 / b, 3.0 / a, 6.0 / b];
        for (got, expected) in y.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} {expected}");
        }
        // Running: 0.9 * 0 + 0.1 * mean, and 0.9 * 1 + 0.1 * variance * 4 / 3.
        let near = |got: Vec<f32>, expected: [f32; 2]| got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-6);
        assert!(near(values(norm.mean.value.clone()), [0.4, 0.2]));
        assert!(near(values(norm.variance.value.clone()), [0.9 + 0.1 * 20.0 / 3.0, 0.9 + 1.6]));
        // Evaluation takes the running ones.
        let y = values(norm.eval(s));
        assert!((y[0] - 0.6 / (0.9f32 + 2.0 / 3.0 + 1e-5).sqrt()).abs() < 1e-6);
    }
}
