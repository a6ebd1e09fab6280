//! Batch norm over images and positions (Ioffe and Szegedy 2015, arXiv:1502.03167), and the quantizer behind it.

use burn::tensor::{Device, Tensor};
use hafnia::network::Normalize;
use rayon::prelude::*;

use crate::fused;
use crate::param::{Buffer, Param, values};
use crate::quantize::{self, Quantizer};

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

/// What a normalized value becomes; see [`crate::quantize`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hard {
    Bipolar,
    Ternary { zone: f32 },
}

/// Rows of `s` are the neurons of `norms`, one after the other; columns are images and positions. Batch statistics
/// normalize, and the running ones move by `momentum`.
pub fn train(norms: &mut [&mut BatchNorm], s: Tensor<2>, momentum: f64) -> Tensor<2> {
    let samples = s.dims()[1];
    let mean = s.clone().mean_dim(1);
    let centred = s - mean.clone();
    let variance = centred.clone().square().mean_dim(1);
    let plain = |t: &Tensor<2>| t.clone().without_autodiff().flatten::<1>(0, 1);
    follow(norms, &plain(&mean), &plain(&variance), samples, momentum);
    let gain = row(norms, |n| &n.gamma).unsqueeze_dim(1) / (variance + EPSILON).sqrt();
    centred * gain + row(norms, |n| &n.beta).unsqueeze_dim(1)
}

/// The same, quantized.
pub fn train_quantized(norms: &mut [&mut BatchNorm], s: Tensor<2>, momentum: f64, to: Hard) -> Tensor<2> {
    if !fused::is_available(&s) {
        let y = train(norms, s, momentum);
        return match to {
            Hard::Bipolar => quantize::bipolar(y),
            Hard::Ternary { zone } => quantize::ternary(y, f64::from(zone)),
        };
    }
    let moments = fused::moments(&s);
    let [_, rows] = moments.dims();
    let part = |k: usize| moments.clone().narrow(0, k, 1).reshape([rows]);
    follow(norms, &part(0), &part(1), s.dims()[1], momentum);
    fused::quantized(s, moments, row(norms, |n| &n.gamma), row(norms, |n| &n.beta), to)
}

fn row(norms: &[&mut BatchNorm], of: impl Fn(&BatchNorm) -> &Param) -> Tensor<1> {
    Tensor::cat(norms.iter().map(|n| of(n).tracked::<1>()).collect(), 0)
}

fn follow(norms: &mut [&mut BatchNorm], mean: &Tensor<1>, variance: &Tensor<1>, samples: usize, momentum: f64) {
    // The running variance is the unbiased one, as in other frameworks.
    let unbiased = samples as f64 / (samples as f64 - 1.0);
    let mut start = 0;
    for norm in norms {
        let neurons = norm.gamma.shape[0];
        norm.mean.follow(mean.clone().narrow(0, start, neurons), momentum);
        norm.variance.follow(variance.clone().narrow(0, start, neurons) * unbiased, momentum);
        start += neurons;
    }
}

/// On the host: means of the rows of `s`, then their variances.
pub fn moments(s: &[f32], rows: usize) -> Vec<f32> {
    let across = s.len() / rows;
    let of = |row: &[f32]| {
        let mean = sum(row, row, |s, _| f64::from(s)) / across as f64;
        (mean as f32, (sum(row, row, |s, _| (f64::from(s) - mean).powi(2)) / across as f64) as f32)
    };
    let (mean, variance): (Vec<f32>, Vec<f32>) = s.par_chunks_exact(across).map(of).unzip();
    [mean, variance].concat()
}

/// On the host: rows of `s` normalized, scaled, moved and quantized.
pub fn quantized(s: &[f32], moments: &[f32], gamma: &[f32], beta: &[f32], to: Hard) -> Vec<f32> {
    let across = s.len() / gamma.len();
    let mut out = vec![0.0; s.len()];
    let fill = |(i, (s, out)): (usize, (&[f32], &mut [f32]))| {
        let (mean, gain, beta) = (moments[i], gamma[i] * inverse_deviation(moments[gamma.len() + i]), beta[i]);
        let pairs = s.iter().zip(out);
        match to {
            Hard::Bipolar => pairs.for_each(|(s, y)| *y = if (s - mean) * gain + beta >= 0.0 { 1.0 } else { -1.0 }),
            Hard::Ternary { zone } => pairs.for_each(|(s, y)| {
                let normal = (s - mean) * gain + beta;
                *y = f32::from(u8::from(normal > zone)) - f32::from(u8::from(normal < -zone));
            }),
        }
    };
    s.par_chunks_exact(across).zip(out.par_chunks_exact_mut(across)).enumerate().for_each(fill);
    out
}

/// On the host: gradients of `s`, gamma and beta from that of the quantized values. With x the normalized sums, g the
/// gradient where |y| <= 1 and n the samples, that of a sum is gamma / deviation (g - mean(g) - x mean(g x)).
pub fn estimated(s: &[f32], moments: &[f32], gamma: &[f32], beta: &[f32], gradient: &[f32]) -> [Vec<f32>; 3] {
    let across = s.len() / gamma.len();
    let mut out = vec![0.0; s.len()];
    let fill = |(i, out): (usize, &mut [f32])| {
        let [s, gradient] = [s, gradient].map(|of| &of[i * across..][..across]);
        let (mean, inverse) = (moments[i], inverse_deviation(moments[gamma.len() + i]));
        let (gamma, beta) = (gamma[i], beta[i]);
        let normal = |s: f32| (s - mean) * inverse;
        let passed = |s: f32, g: f32| {
            let y = (s - mean) * (gamma * inverse) + beta;
            if y.abs() <= 1.0 { g } else { 0.0 }
        };
        let of_beta = sum(s, gradient, |s, g| f64::from(passed(s, g)));
        let of_gamma = sum(s, gradient, |s, g| f64::from(passed(s, g) * normal(s)));
        let [back, along] = [of_beta, of_gamma].map(|sum| (sum / across as f64) as f32);
        for ((s, g), out) in s.iter().zip(gradient).zip(out) {
            *out = gamma * inverse * (passed(*s, *g) - back - normal(*s) * along);
        }
        (of_gamma as f32, of_beta as f32)
    };
    let (of_gamma, of_beta) = out.par_chunks_exact_mut(across).enumerate().map(fill).unzip();
    [out, of_gamma, of_beta]
}

fn inverse_deviation(variance: f32) -> f32 {
    1.0 / (variance + EPSILON as f32).sqrt()
}

/// Of `f` over pairs, in an order that does not depend on threads and that suits vector units.
fn sum(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (pairs_a, pairs_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = pairs_a.remainder().iter().zip(pairs_b.remainder()).map(|(a, b)| f(*a, *b)).sum();
    for (a, b) in pairs_a.zip(pairs_b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += f(*a, *b));
    }
    lanes.iter().sum::<f64>() + rest
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
        let s = Tensor::<2>::from_floats([[1.0, 3.0, 5.0, 7.0], [0.0, 0.0, 0.0, 8.0]], &device);
        // Row 0: mean 4, variance 5; row 1: mean 2, variance 12.
        let y = values(train(&mut [&mut norm], s.clone(), 0.1));
        let (a, b) = ((5.0f64 + EPSILON).sqrt(), (12.0f64 + EPSILON).sqrt());
        near(y, &[-3.0 / a, -1.0 / a, 1.0 / a, 3.0 / a, -2.0 / b, -2.0 / b, -2.0 / b, 6.0 / b]);
        // Running: 0.9 * 0 + 0.1 * mean, and 0.9 * 1 + 0.1 * variance * 4 / 3.
        near(norm.mean.values(), &[0.4, 0.2]);
        near(norm.variance.values(), &[0.9 + 0.1 * 20.0 / 3.0, 0.9 + 1.6]);
        // Two norms share the rows.
        let [mut first, mut second] = [0, 1].map(|_| BatchNorm::new("fc", 1, &device));
        train(&mut [&mut first, &mut second], s, 0.1);
        near(second.mean.values(), &[0.2]);
    }

    /// Hard values, running statistics, and the gradients of sums, gamma and beta.
    fn all(fused: bool, to: Hard) -> (Vec<f32>, [Vec<f32>; 5]) {
        let device = Device::flex();
        let mut norm = BatchNorm::new("fc", 3, &device);
        norm.gamma.set(&[1.5, -0.5, 0.75]);
        norm.beta.set(&[0.25, 0.5, -1.0]);
        let data: Vec<f32> = (0..3 * 37).map(|i| (i * 53 % 97) as f32 / 7.0 - 5.0).collect();
        let s = Tensor::<2>::from_data(burn::tensor::TensorData::new(data, [3, 37]), &device).autodiff().require_grad();
        let y = if fused {
            train_quantized(&mut [&mut norm], s.clone(), 0.1, to)
        } else {
            let y = train(&mut [&mut norm], s.clone(), 0.1);
            match to {
                Hard::Bipolar => quantize::bipolar(y),
                Hard::Ternary { zone } => quantize::ternary(y, f64::from(zone)),
            }
        };
        let weights: Vec<f32> = (0..3 * 37).map(|i| (i * 29 % 31) as f32 / 31.0 - 0.4).collect();
        let weights = Tensor::<2>::from_data(burn::tensor::TensorData::new(weights, [3, 37]), &device).autodiff();
        let grads = (y.clone() * weights).sum().backward();
        let of = |leaf: &Tensor<1>| values(leaf.grad(&grads).unwrap());
        let gradients = [values(s.grad(&grads).unwrap()), of(norm.gamma.leaf()), of(norm.beta.leaf())];
        let [ds, dgamma, dbeta] = gradients;
        (values(y.without_autodiff()), [norm.mean.values(), norm.variance.values(), ds, dgamma, dbeta])
    }

    #[test]
    fn one_pass_gives_what_single_operations_give() {
        for to in [Hard::Bipolar, Hard::Ternary { zone: 0.3 }] {
            let ((y, rest), (expected, others)) = (all(true, to), all(false, to));
            assert_eq!(y, expected, "{to:?}");
            for (got, expected) in rest.into_iter().zip(others) {
                near(got, &expected.into_iter().map(f64::from).collect::<Vec<f64>>());
            }
        }
    }

    #[test]
    fn the_gradient_by_hand() {
        // Two samples -1 and 1, gamma 1, beta 0.5: y is -0.5 and 1.5, so the second gradient is stopped. Of 1, 1 remain 1, 0:
        // mean(g) = 1/2, mean(g x) = -1/2, so both sums get 1 - 1/2 + (-1)/2 = 0 and 0 - 1/2 + 1/2 = 0.
        let [ds, dgamma, dbeta] = estimated(&[-1.0, 1.0], &[0.0, 1.0 - EPSILON as f32], &[1.0], &[0.5], &[1.0, 1.0]);
        near(ds, &[0.0, 0.0]);
        assert!((dgamma[0] + 1.0).abs() < 1e-4 && dbeta == [1.0], "{dgamma:?} {dbeta:?}");
        // Three samples: -1, 0 and 1 have variance 2/3, x = s / 0.8165. Gradients 0, 1, 0, all within +-1 for gamma 0.5:
        // mean(g) = 1/3, mean(g x) = 0: 0.6124 (g - 1/3).
        let [ds, dgamma, dbeta] = estimated(&[-1.0, 0.0, 1.0], &[0.0, 2.0 / 3.0], &[0.5], &[0.0], &[0.0, 1.0, 0.0]);
        let k = 0.5 / (2.0f64 / 3.0 + EPSILON).sqrt();
        near(ds, &[-k / 3.0, k * 2.0 / 3.0, -k / 3.0]);
        assert_eq!((dgamma, dbeta), (vec![0.0], vec![1.0]));
    }
}
