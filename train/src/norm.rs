//! Batch norm over images and positions (Ioffe and Szegedy 2015, arXiv:1502.03167).

use burn::tensor::{Device, Tensor};
use hafnia::network::Normalize;

use crate::param::{Buffer, Param, values};
use crate::quantize::Quantizer;

pub const EPSILON: f64 = 1e-5;

pub struct BatchNorm {
    pub gamma: Param,
    pub beta: Param,
    pub mean: Buffer,
    pub variance: Buffer,
}

impl BatchNorm {
    pub fn new(place: &str, neurons: usize, device: &Device) -> Self {
        let (zeros, ones) = (vec![0.0; neurons], vec![1.0; neurons]);
        let param = |name: &str, start: &[f32]| {
            Param::new(format!("{place}.{name}"), &[neurons], Quantizer::None, false, start.into(), device)
        };
        Self {
            gamma: param("gamma", &ones),
            beta: param("beta", &zeros),
            mean: Buffer::new(format!("{place}.mean"), &zeros, device),
            variance: Buffer::new(format!("{place}.variance"), &ones, device),
        }
    }

    /// `[image, neuron, position]`. Batch statistics normalize, and the running ones move by `momentum`.
    pub fn train(&mut self, s: Tensor<3>, momentum: f64) -> Tensor<3> {
        let [images, _, positions] = s.dims();
        let mean_of = |t: Tensor<3>| if positions > 1 { t.mean_dim(2).mean_dim(0) } else { t.mean_dim(0) };
        let mean = mean_of(s.clone());
        let centred = s - mean.clone();
        let variance = mean_of(centred.clone().square());
        let flat = |t: &Tensor<3>| t.clone().without_autodiff().flatten::<1>(0, 2);
        let count = (images * positions) as f64;
        self.mean.follow(flat(&mean), momentum);
        // The running variance is the unbiased one, as in other frameworks.
        self.variance.follow(flat(&variance) * (count / (count - 1.0)), momentum);
        let row = |p: &Param| p.tracked::<1>().reshape([1, -1, 1]);
        let gain = row(&self.gamma) / (variance + EPSILON).sqrt();
        centred * gain + row(&self.beta)
    }

    /// With running statistics, in f64 as the network has it.
    pub fn running(&self) -> Normalize {
        let exact = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
        Normalize::BatchNorm {
            gamma: exact(self.gamma.latent()),
            beta: exact(self.beta.latent()),
            mean: exact(&values(self.mean.value.clone())),
            variance: exact(&values(self.variance.value.clone())),
            epsilon: EPSILON,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: Vec<f32>, expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    #[test]
    fn batch_norm_by_hand() {
        let device = Device::flex();
        let mut norm = BatchNorm::new("fc", 2, &device);
        let s = Tensor::<2>::from_floats([[1.0, 0.0], [3.0, 0.0], [5.0, 0.0], [7.0, 8.0]], &device);
        // Column 0: mean 4, variance 5; column 1: mean 2, variance 12.
        let y = values(norm.train(s.reshape([4, 2, 1]), 0.1));
        let (a, b) = ((5.0f64 + EPSILON).sqrt(), (12.0f64 + EPSILON).sqrt());
        near(y, &[-3.0 / a, -2.0 / b, -1.0 / a, -2.0 / b, 1.0 / a, -2.0 / b, 3.0 / a, 6.0 / b]);
        // Running: 0.9 * 0 + 0.1 * mean, and 0.9 * 1 + 0.1 * variance * 4 / 3.
        near(norm.mean.values(), &[0.4, 0.2]);
        near(norm.variance.values(), &[0.9 + 0.1 * 20.0 / 3.0, 0.9 + 1.6]);
    }

    #[test]
    fn a_map_is_normalized_over_its_positions_too() {
        let device = Device::flex();
        let mut norm = BatchNorm::new("conv", 1, &device);
        let s = Tensor::<3>::from_floats([[[1.0, 3.0]], [[5.0, 7.0]]], &device);
        let a = (5.0f64 + EPSILON).sqrt();
        near(values(norm.train(s, 0.1)), &[-3.0 / a, -1.0 / a, 1.0 / a, 3.0 / a]);
        near(norm.mean.values(), &[0.4]);
    }
}
