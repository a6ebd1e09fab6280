//! Quantizers with straight-through gradients.
//!
//! Forward, a value becomes -1 or +1 (`sign(0) = +1`), or -1, 0 or +1. Backward, the gradient passes as if the
//! quantizer were the identity clipped to +-1: it is 1 where |x| <= 1, else 0 (Bengio et al. 2013,
//! arXiv:1308.3432; Hubara et al. 2016, arXiv:1602.02830, eq. 4).

use burn::tensor::Tensor;

use crate::votes::{Ballot, Poll};

/// How latent values become those that a layer sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantizer {
    /// As they are: batch norm's own.
    None,
    /// -1 below 0, +1 from 0 on. `scaled`: the layer multiplies a neuron's sum by the mean of its latent weights' absolute
    /// values, and the gradient is XNOR-Net's (Rastegari et al. 2016, arXiv:1603.05279, section 3.1).
    Bipolar { scaled: bool },
    /// +1 above the zone, -1 below it, 0 between, ends included.
    Ternary { zone: f32 },
    /// Whole numbers: 127 times the latent value, rounded.
    Int8,
}

impl Quantizer {
    pub fn of(&self, latent: f32) -> f32 {
        match self {
            Self::None => latent,
            Self::Bipolar { .. } => {
                if latent >= 0.0 {
                    1.0
                } else {
                    -1.0
                }
            }
            Self::Ternary { zone } => f32::from(i8::from(latent > *zone) - i8::from(latent < -*zone)),
            Self::Int8 => (latent * 127.0).round().clamp(-127.0, 127.0),
        }
    }

    pub fn is_weight(&self) -> bool {
        *self != Self::None
    }

    /// The gradient of latent values from that of quantized ones, for `rows` neurons.
    pub fn latent_gradient(&self, latent: &[f32], gradient: &mut [f32], rows: usize) {
        if let Self::Bipolar { scaled: true } = self {
            // What the graph gives is alpha dC/dW; the paper's gradient is dC/dW (1 / n + alpha where |w| <= 1).
            let n = latent.len() / rows;
            for (w, g) in latent.chunks(n).zip(gradient.chunks_mut(n)) {
                let alpha = mean_magnitude(w).max(f32::MIN_POSITIVE);
                for (w, g) in w.iter().zip(g) {
                    *g = *g / alpha * (1.0 / n as f32 + if w.abs() <= 1.0 { alpha } else { 0.0 });
                }
            }
        } else if self.is_weight() {
            latent.iter().zip(gradient).filter(|(w, _)| w.abs() > 1.0).for_each(|(_, g)| *g = 0.0);
        }
    }
}

/// XNOR-Net's scale of one neuron.
pub fn mean_magnitude(latent: &[f32]) -> f32 {
    (latent.iter().map(|w| f64::from(w.abs())).sum::<f64>() / latent.len() as f64) as f32
}

/// -1 below 0, +1 from 0 on; the gradient passes where the sum of votes `x` is within the ballot's reach.
fn sign_of_votes<const D: usize>(x: Tensor<D>, ballot: Ballot, ternary: bool) -> Tensor<D> {
    let plain = x.clone().without_autodiff();
    let hard = match ternary {
        true => plain.clone().greater_scalar(0.0).float() - plain.clone().lower_scalar(0.0).float(),
        false => plain.clone().greater_equal_scalar(0.0).float() * 2.0 - 1.0,
    };
    if !ballot.is_windowed() {
        return x - plain + hard;
    }
    let pass = plain.clone().abs().lower_equal_scalar(ballot.reach).float();
    (x - plain) * pass + hard
}

/// Rows of a neuron's blocks, one block after the other, to the sum of the votes, `[image, neuron and position]`.
pub fn polled(votes: Tensor<2>, Poll { ballot, images, .. }: Poll) -> Tensor<2> {
    let ([rows, across], blocks) = (votes.dims(), ballot.blocks);
    let neurons = rows / blocks;
    let sums = if blocks == 1 {
        votes
    } else {
        votes.reshape([blocks, neurons, across]).sum_dim(0).reshape([neurons, across])
    };
    sums.reshape([neurons, images, across / images]).swap_dims(0, 1).reshape([images, neurons * (across / images)])
}

/// What sums of votes make; a single vote stays.
pub fn elected(polled: Tensor<2>, ballot: Ballot, ternary: bool) -> Tensor<2> {
    if ballot.blocks == 1 { polled } else { sign_of_votes(polled, ballot, ternary) }
}

/// -1 below 0, +1 from 0 on.
pub fn bipolar<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let hard = x.clone().without_autodiff().greater_equal_scalar(0.0).float() * 2.0 - 1.0;
    straight_through(x, hard)
}

/// +1 above `zone`, -1 below `-zone`, 0 between, ends included (Deng et al. 2018, arXiv:1705.09283, eq. 5).
pub fn ternary<const D: usize>(x: Tensor<D>, zone: f64) -> Tensor<D> {
    let plain = x.clone().without_autodiff();
    let hard = plain.clone().greater_scalar(zone).float() - plain.lower_scalar(-zone).float();
    straight_through(x, hard)
}

/// How steep RBNN's gradient is (Lin et al. 2020, arXiv:2009.13055, section 3.4): `k` and `t`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    pub k: f64,
    pub t: f64,
}

impl Slope {
    /// When `done`, of 0 to 1, of the training is done.
    pub fn at(done: f64) -> Self {
        let t = libm::pow(10.0, 3.0 * done - 2.0);
        Self { k: (1.0 / t).max(1.0), t }
    }
}

/// -1 below 0, +1 from 0 on, with RBNN's gradient: max(k (sqrt(2) t - t^2 |x|), 0).
pub fn approximated<const D: usize>(x: Tensor<D>, Slope { k, t }: Slope) -> Tensor<D> {
    let plain = x.clone().without_autodiff();
    let hard = plain.clone().greater_equal_scalar(0.0).float() * 2.0 - 1.0;
    let pass = (-plain.clone().abs() * (k * t * t) + k * t * std::f64::consts::SQRT_2).clamp_min(0.0);
    (x - plain) * pass + hard
}

/// `hard` forward, the clipped identity's gradient backward. `x - x` is exactly 0, so that forward is exact, too,
/// which the usual `x + (hard - x)` is not in floating point.
fn straight_through<const D: usize>(x: Tensor<D>, hard: Tensor<D>) -> Tensor<D> {
    let plain = x.clone().without_autodiff();
    let pass = plain.clone().abs().lower_equal_scalar(1.0).float();
    (x - plain) * pass + hard
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Values of `f(x)`, and the gradient of `sum(weights * f(x))`.
    fn both<const N: usize>(
        x: [f32; N],
        weights: [f32; N],
        f: impl Fn(Tensor<1>) -> Tensor<1>,
    ) -> (Vec<f32>, Vec<f32>) {
        let device = Device::flex();
        let x = Tensor::<1>::from_floats(x, &device).autodiff().require_grad();
        let y = f(x.clone());
        let grads = (y.clone() * Tensor::from_floats(weights, &device)).sum().backward();
        (y.try_to_vec_as::<f32>().unwrap(), x.grad(&grads).unwrap().try_to_vec_as::<f32>().unwrap())
    }

    #[test]
    fn bipolar_by_hand() {
        let x = [-1.5, -1.0, -0.3, -0.0, 0.0, 0.7, 1.0, 1.0001];
        let (y, grad) = both(x, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], bipolar);
        assert_eq!(y, [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(grad, [0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0]);
    }

    #[test]
    fn ternary_by_hand_with_both_ends_of_the_zone() {
        let x = [-2.0, -0.06, -0.05, 0.0, 0.05, 0.050001, 1.0, 1.1];
        let (y, grad) = both(x, [1.0; 8], |x| ternary(x, 0.05));
        assert_eq!(y, [-1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(grad, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_gradient_of_rbnn_by_hand() {
        // Half way, t = 10^-0.5 and k = 10^0.5: 10^0.5 (2^0.5 10^-0.5 - |x| / 10) = 2^0.5 - 0.316 |x|.
        let (y, grad) = both([-5.0, -1.0, 0.0, 2.0], [1.0; 4], |x| approximated(x, Slope::at(0.5)));
        assert_eq!(y, [-1.0, -1.0, 1.0, 1.0]);
        for (g, expected) in grad.iter().zip([0.0, 1.0980, std::f32::consts::SQRT_2, 0.7818]) {
            assert!((g - expected).abs() < 1e-3, "{grad:?}");
        }
    }

    #[test]
    fn weights_by_hand() {
        let of = |q: Quantizer| [-0.9f32, -0.05, -0.0, 0.0, 0.06, 2.0].map(|w| q.of(w));
        assert_eq!(of(Quantizer::Bipolar { scaled: false }), [-1.0, -1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(of(Quantizer::Ternary { zone: 0.05 }), [-1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!(of(Quantizer::Int8), [-114.0, -6.0, 0.0, 0.0, 8.0, 127.0]);
    }

    #[test]
    fn the_gradient_of_xnor_net_by_hand() {
        // alpha = 0.5; dC/dW is g / alpha; times 1/2 + alpha, or 1/2 alone beyond +-1.
        let mut g = [1.0, 1.0];
        Quantizer::Bipolar { scaled: true }.latent_gradient(&[0.25, -0.75], &mut g, 1);
        assert_eq!(g, [2.0, 2.0]);
        let mut g = [1.0, 1.0];
        Quantizer::Bipolar { scaled: true }.latent_gradient(&[0.5, -1.5], &mut g, 1);
        assert_eq!(g, [1.5, 0.5]);
    }

    #[test]
    fn votes_by_hand() {
        let x = [-3.0, -1.0, 0.0, 2.0];
        let of = |window, ternary| both(x, [1.0; 4], |x| sign_of_votes(x, Ballot::new(4, window), ternary));
        assert_eq!(of(0.0, false), (vec![-1.0, -1.0, 1.0, 1.0], vec![1.0; 4]));
        assert_eq!(of(0.0, true), (vec![-1.0, -1.0, 0.0, 1.0], vec![1.0; 4]));
        assert_eq!(of(1.0, false), (vec![-1.0, -1.0, 1.0, 1.0], vec![0.0, 1.0, 1.0, 1.0]));
    }

    #[test]
    fn forward_is_exact_where_rounding_would_show() {
        let x = [0.1, 1e-8, -3e-7, 0.333_333_34, 1e-30];
        assert_eq!(both(x, [1.0; 5], bipolar).0, [1.0, 1.0, -1.0, 1.0, 1.0]);
    }
}
