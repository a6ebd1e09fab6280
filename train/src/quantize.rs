//! Quantizers with straight-through gradients.
//!
//! Forward, a value becomes -1 or +1 (`sign(0) = +1`), or -1, 0 or +1. Backward, the gradient passes as if the
//! quantizer were the identity clipped to +-1: it is 1 where |x| <= 1, else 0 (Bengio et al. 2013,
//! arXiv:1308.3432; Hubara et al. 2016, arXiv:1602.02830, eq. 4).

use burn::tensor::Tensor;

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
    fn forward_is_exact_where_rounding_would_show() {
        let x = [0.1, 1e-8, -3e-7, 0.333_333_34, 1e-30];
        assert_eq!(both(x, [1.0; 5], bipolar).0, [1.0, 1.0, -1.0, 1.0, 1.0]);
    }
}
