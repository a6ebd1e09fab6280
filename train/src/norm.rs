//! Batch norm over images and positions (Ioffe and Szegedy 2015, arXiv:1502.03167), and the quantizer behind it.

use burn::tensor::{Device, Tensor};
use hafnia::network::{Normalize, Pool};

use crate::fused;
use crate::param::{Buffer, Param, values};
use crate::pooled::max_pool;
use crate::quantize::{self, Quantizer};
use crate::votes::{Hard, Poll, Votes};

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

/// Rows of `s` are the neurons of `norms`, one after the other; columns are images and positions. Batch statistics
/// normalize, and the running ones move by `momentum`.
pub fn train(norms: &mut [&mut BatchNorm], s: Tensor<2>, momentum: f64) -> Tensor<2> {
    let samples = s.dims()[1];
    let mean = s.clone().mean_dim(1);
    let centred = s - mean.clone();
    let variance = centred.clone().square().mean_dim(1);
    let plain = |t: &Tensor<2>| t.clone().without_autodiff().flatten::<1>(0, 1);
    follow(norms, &plain(&mean), &plain(&variance), samples, momentum);
    let gain = row(norms, &centred, |n| &n.gamma).unsqueeze_dim(1) / (variance + EPSILON).sqrt();
    let shift = row(norms, &centred, |n| &n.beta);
    centred * gain + shift.unsqueeze_dim(1)
}

/// The same, quantized; then the blocks of a neuron vote. `[image, neuron and position]`.
pub fn train_votes(norms: &mut [&mut BatchNorm], s: Tensor<2>, momentum: f64, votes: Votes) -> Tensor<2> {
    if !fused::is_available(&s) {
        return composed_votes(train(norms, s, momentum), votes);
    }
    let moments = fused::moments(&s);
    let [_, rows] = moments.dims();
    let part = |k: usize| moments.clone().narrow(0, k, 1).reshape([rows]);
    follow(norms, &part(0), &part(1), s.dims()[1], momentum);
    let [gamma, beta] = [row(norms, &s, |n| &n.gamma), row(norms, &s, |n| &n.beta)];
    fused::votes(s, moments, gamma, beta, votes)
}

/// With the framework's own operations, from normalized values.
fn composed_votes(y: Tensor<2>, votes: Votes) -> Tensor<2> {
    let hard = |y| match votes.to {
        Hard::Bipolar => quantize::bipolar(y),
        Hard::Ternary { zone } => quantize::ternary(y, f64::from(zone)),
    };
    activated(y, hard, matches!(votes.to, Hard::Ternary { .. }), votes.poll)
}

/// Normalized values through a rising activation of every block, the votes of several, and a pool behind them.
pub fn activated(y: Tensor<2>, activation: impl Fn(Tensor<2>) -> Tensor<2>, ternary: bool, poll: Poll) -> Tensor<2> {
    // The maximum of values before they are quantized is as large, and known apart.
    if poll.ballot.blocks == 1 {
        return activation(pooled(quantize::polled(y, poll), poll.pool));
    }
    quantize::elected(pooled(quantize::polled(activation(y), poll), poll.pool), poll.ballot, ternary)
}

/// Maxima of the maps of images, `[image, neuron and position]`.
fn pooled(x: Tensor<2>, pool: Option<(Pool, [usize; 2])>) -> Tensor<2> {
    let Some((pool, [rows, columns])) = pool else { return x };
    let [images, width] = x.dims();
    max_pool(x.reshape([images * width / (rows * columns), rows, columns]), pool).reshape([images as i32, -1])
}

fn row(norms: &[&mut BatchNorm], s: &Tensor<2>, of: impl Fn(&BatchNorm) -> &Param) -> Tensor<1> {
    Tensor::cat(norms.iter().map(|n| of(n).beside::<1, 2>(s)).collect(), 0)
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

#[cfg(test)]
mod tests {
    use hafnia::network::PoolOrder;

    use super::*;
    use crate::votes::Ballot;

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

    /// Activations, running statistics, and the gradients of sums, gamma and beta, for six rows of blocks.
    fn all(fused: bool, votes: Votes) -> (Vec<f32>, [Vec<f32>; 5]) {
        let device = Device::flex();
        let mut norm = BatchNorm::new("conv", 6, &device);
        norm.gamma.set(&[1.5, -0.5, 0.75, 1.0, 0.5, 2.0]);
        norm.beta.set(&[0.25, 0.5, -1.0, 0.0, -0.25, 0.1]);
        let across = votes.poll.images * POSITIONS;
        let data: Vec<f32> = (0..6 * across).map(|i| (i * 53 % 97) as f32 / 7.0 - 5.0).collect();
        let tensor =
            |data, sides| Tensor::<2>::from_data(burn::tensor::TensorData::new(data, sides), &device).autodiff();
        let s = tensor(data, [6, across]).require_grad();
        let y = if fused {
            train_votes(&mut [&mut norm], s.clone(), 0.1, votes)
        } else {
            composed_votes(train(&mut [&mut norm], s.clone(), 0.1), votes)
        };
        let weights: Vec<f32> = (0..values(y.clone()).len()).map(|i| (i * 29 % 31) as f32 / 31.0 - 0.4).collect();
        let grads = (y.clone() * tensor(weights, y.dims())).sum().backward();
        let of = |leaf: &Tensor<1>| values(leaf.grad(&grads).unwrap());
        let gradients = [values(s.grad(&grads).unwrap()), of(norm.gamma.leaf()), of(norm.beta.leaf())];
        let [ds, dgamma, dbeta] = gradients;
        (values(y.without_autodiff()), [norm.mean.values(), norm.variance.values(), ds, dgamma, dbeta])
    }

    /// Two rows of three.
    const POSITIONS: usize = 6;

    #[test]
    fn one_pass_gives_what_single_operations_give() {
        let pool = Pool { size: [2, 2], stride: [1, 1], order: PoolOrder::AfterActivation };
        for pool in [None, Some((pool, [2, 3]))] {
            for (to, blocks, window) in [
                (Hard::Bipolar, 1, 1.0),
                (Hard::Ternary { zone: 0.3 }, 1, 1.0),
                (Hard::Bipolar, 2, 0.0),
                (Hard::Ternary { zone: 0.3 }, 2, 0.0),
                (Hard::Bipolar, 2, 1.0),
            ] {
                // 18 images, more than are read together.
                let poll = Poll { ballot: Ballot::new(blocks, window), images: 18, pool };
                let votes = Votes { to, poll };
                let ((y, rest), (expected, others)) = (all(true, votes), all(false, votes));
                assert_eq!(y.len(), 6 / blocks * 18 * if pool.is_some() { 2 } else { POSITIONS });
                assert_eq!(y, expected, "{votes:?}");
                for (got, expected) in rest.into_iter().zip(others) {
                    near(got, &expected.into_iter().map(f64::from).collect::<Vec<f64>>());
                }
            }
        }
    }

    #[test]
    fn a_pool_behind_any_activation_passes_to_the_largest_by_hand() {
        let pool = Pool { size: [1, 2], stride: [1, 2], order: PoolOrder::AfterActivation };
        let poll = Poll { ballot: Ballot::new(1, 0.0), images: 1, pool: Some((pool, [1, 2])) };
        // Both are +1. RBNN's gradient half way is 2^0.5 - 0.3162 |x|, at 0.9 so 1.1296.
        let y = Tensor::<2>::from_floats([[0.2, 0.9]], &Device::flex()).autodiff().require_grad();
        let rotated = |y| quantize::approximated(y, quantize::Slope::at(0.5));
        let x = activated(y.clone(), rotated, false, poll);
        let gradient = values(y.grad(&x.clone().sum().backward()).unwrap());
        assert_eq!((values(x.without_autodiff()), gradient[0]), (vec![1.0], 0.0));
        assert!((gradient[1] - 1.1296).abs() < 1e-4, "{gradient:?}");
    }

    #[test]
    fn a_pool_behind_the_votes_takes_the_largest_by_hand() {
        let device = Device::flex();
        // One image of two positions, pooled to one; moments of a row of -1 and 1 leave it as it is.
        let pool = Pool { size: [1, 2], stride: [1, 2], order: PoolOrder::AfterActivation };
        let gradients = |rows: [[f32; 2]; 3], blocks, beta: [f32; 3], window| {
            let mut norm = BatchNorm::new("conv", 3, &device);
            norm.beta.set(&beta);
            let s = Tensor::<2>::from_floats(rows, &device).autodiff();
            let poll = Poll { ballot: Ballot::new(blocks, window), images: 1, pool: Some((pool, [1, 2])) };
            let votes = Votes { to: Hard::Bipolar, poll };
            let y = train_votes(&mut [&mut norm], s, 0.1, votes);
            let grads = y.clone().sum().backward();
            (values(y.without_autodiff()), values(norm.beta.leaf().grad(&grads).unwrap()))
        };
        // Single blocks: y is (-0.5, 1.5), (1.0, -1.0) and (-1.5, 0.5). The largest is 1.5, beyond 1: no gradient; 1.0; 0.5.
        let rows = [[-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]];
        let (y, of_beta) = gradients(rows, 1, [0.5, 0.0, -0.5], 1.0);
        assert_eq!((y, of_beta), (vec![1.0; 3], vec![0.0, 1.0, 1.0]));
        // Three blocks of a neuron vote (-1, +1), (+1, -1) and (-1, +1): -1 and 1. The second wins and passes to those within 1.
        let (y, of_beta) = gradients(rows, 3, [0.5, 0.0, -0.5], 1.0);
        assert_eq!((y, of_beta), (vec![1.0], vec![0.0, 1.0, 1.0]));
        // (-1, +1) thrice: -3 and 3, which lies beyond a square root of three.
        let (y, of_beta) = gradients([[-1.0, 1.0]; 3], 3, [0.0; 3], 1.0);
        assert_eq!((y, of_beta), (vec![1.0], vec![0.0; 3]));
    }
}
