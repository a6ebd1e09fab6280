//! Batch norm and activation folded to integer thresholds.
//!
//! `y(s)` of a neuron is monotone in its integer sum `s`, rounding included, so each comparison with `y` is a comparison
//! with one integer. It is found by bisection on the float expression itself, which is therefore checked on either
//! side of the result. A falling `y` is kept as a flip: the neuron's weights change sign and so does `s`.

use crate::hardware::Mapping;
use crate::network::{Layer, Normalize};

/// Smallest `s` in `low..=high` for which `holds`, or `high + 1`; `holds` must be monotone, false before true.
fn first(low: i64, high: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut below, mut at) = (low - 1, high + 1);
    while at - below > 1 {
        let middle = below + (at - below) / 2;
        if holds(middle) { at = middle } else { below = middle }
    }
    assert!(at > high || holds(at), "the float expression holds at the threshold");
    assert!(at == low || !holds(at - 1), "and not below it");
    at
}

/// Whether `y` of neuron `j` falls with `s` over `-largest..=largest`.
pub(super) fn falls(layer: &Layer, j: usize, largest: i64) -> bool {
    layer.value(j, largest) < layer.value(j, -largest)
}

/// Least integer in `-largest..=largest` (of the flipped sum where `flip`) at which `above(y)`, `sum` being what it stands for;
/// `sum` and `above` must be monotone.
pub(super) fn threshold(
    layer: &Layer,
    j: usize,
    largest: i64,
    flip: bool,
    sum: impl Fn(i64) -> f64,
    above: impl Fn(f64) -> bool,
) -> i32 {
    let sign = if flip { -1.0 } else { 1.0 };
    first(-largest, largest, |v| above(layer.normalized(j, layer.scaled(j, sign * sum(v))))) as i32
}

/// Real threshold of a neuron on its sum, in two parts, such that `y >= at` iff `s >= shift + scale` (or `<=` where the
/// gain is negative): `shift = (mean - b) / alpha` and `scale = (at - beta) sqrt(var + eps) / (gamma alpha)`.
/// `None` where no sum changes y: the gain is zero, or so small that rounding swallows it.
pub(super) fn real_threshold(layer: &Layer, j: usize, at: f64) -> Option<(f64, f64)> {
    let alpha = layer.weights.scale[j];
    let bias = layer.bias[j];
    let (gain, mean, beta) = match &layer.normalize {
        Normalize::None => (1.0, 0.0, 0.0),
        Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => {
            (gamma[j] / (variance[j] + epsilon).sqrt(), mean[j], beta[j])
        }
        Normalize::Affine { gain, shift } => (gain[j], 0.0, shift[j]),
    };
    let most = layer.inputs() as i64;
    (layer.value(j, most) != layer.value(j, -most)).then(|| ((mean - bias) / alpha, (at - beta) / (gain * alpha)))
}

/// Which sums reach a block's threshold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// `s >= t`
    At,
    /// `s > t`
    Above,
}

/// Threshold of a block of `size` of the layer's `of` inputs (input-splitting, section III-B): its share of the real
/// threshold, rounded up. `shift` maps b, mean and beta to their share; `literal` divides sigma as well, as the
/// paper's sentence says.
pub(super) fn block_threshold(
    (shift, scale): (f64, f64),
    flip: bool,
    size: usize,
    of: usize,
    mapping: Mapping,
    reach: Reach,
) -> i32 {
    let share = size as f64 / of as f64;
    let tau = match mapping {
        Mapping::Shift => (shift + scale) * size as f64 / of as f64,
        Mapping::Literal => shift * share + scale * share * share,
    };
    let tau = if flip { -tau } else { tau };
    let least = match reach {
        Reach::At => tau.ceil(),
        Reach::Above => tau.floor() + 1.0,
    };
    let size = size as f64;
    least.clamp(-size, size + 1.0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Op, WeightKind, Weights};
    use ndarray::Array2;

    fn layer(gamma: f64, beta: f64, mean: f64, variance: f64) -> Layer {
        let one = |v| vec![v];
        Layer {
            name: "l".into(),
            op: Op::Dense,
            pool: None,
            blocks: Vec::new(),
            weights: Weights { kind: WeightKind::Bipolar, values: Array2::ones((1, 10)), scale: one(1.0) },
            bias: one(0.0),
            normalize: Normalize::BatchNorm {
                gamma: one(gamma),
                beta: one(beta),
                mean: one(mean),
                variance: one(variance),
                epsilon: 0.0,
            },
            activation: Activation::Bipolar { threshold: one(0.0) },
        }
    }

    fn bipolar(l: &Layer) -> (bool, i32) {
        let flip = falls(l, 0, 10);
        (flip, threshold(l, 0, 10, flip, |s| s as f64, |y| y >= 0.0))
    }

    /// 2 (s - 3) / 2 + 1 >= 0 iff s >= 2.
    #[test]
    fn positive_gain() {
        assert_eq!(bipolar(&layer(2.0, 1.0, 3.0, 4.0)), (false, 2));
    }

    /// -2 (s - 3) / 2 + 0.5 >= 0 iff s <= 3.5, that is -s >= -3.
    #[test]
    fn negative_gain_is_a_flip() {
        assert_eq!(bipolar(&layer(-2.0, 0.5, 3.0, 4.0)), (true, -3));
    }

    /// sign(beta) whatever s is; sign(0) = +1.
    #[test]
    fn zero_gain_is_a_constant() {
        assert_eq!(bipolar(&layer(0.0, 0.1, 3.0, 1.0)), (false, -10));
        assert_eq!(bipolar(&layer(0.0, 0.0, 3.0, 1.0)), (false, -10));
        assert_eq!(bipolar(&layer(0.0, -0.1, 3.0, 1.0)), (false, 11));
    }

    /// y = s - 3: dead zone |y| <= 2 keeps 1..=5 at zero when strict, 2..=4 otherwise.
    #[test]
    fn ternary_strictness() {
        let l = layer(1.0, 0.0, 3.0, 1.0);
        assert_eq!(threshold(&l, 0, 10, false, |s| s as f64, |y| y > 2.0), 6);
        assert_eq!(threshold(&l, 0, 10, false, |s| s as f64, |y| y >= 2.0), 5);
        assert_eq!(threshold(&l, 0, 10, false, |s| s as f64, |y| y >= -2.0), 1);
        assert_eq!(threshold(&l, 0, 10, false, |s| s as f64, |y| y > -2.0), 2);
    }

    /// tau = 5 over 10 inputs; a block of 5 takes 2.5, rounded up; flipped -2.5 rounds up to -2.
    #[test]
    fn a_block_takes_its_share() {
        let parts = real_threshold(&layer(2.0, 0.0, 5.0, 1.0), 0, 0.0).unwrap();
        assert_eq!(parts, (5.0, 0.0));
        let t = |flip, reach| block_threshold(parts, flip, 5, 10, Mapping::Shift, reach);
        assert_eq!((t(false, Reach::At), t(true, Reach::At)), (3, -2));
        let whole = |reach| block_threshold((4.0, 0.0), false, 5, 10, Mapping::Shift, reach);
        assert_eq!((whole(Reach::At), whole(Reach::Above)), (2, 3));
    }

    /// mean 4, beta -1, gamma 1, sigma 2: tau = 4 + 2; halves: shift 3, literal 2 + 0.5.
    #[test]
    fn literal_divides_sigma_too() {
        let parts = real_threshold(&layer(1.0, -1.0, 4.0, 4.0), 0, 0.0).unwrap();
        assert_eq!(parts, (4.0, 2.0));
        let t = |mapping| block_threshold(parts, false, 5, 10, mapping, Reach::At);
        assert_eq!((t(Mapping::Shift), t(Mapping::Literal)), (3, 3));
        let u = |mapping| block_threshold((4.0, 4.0), false, 5, 10, mapping, Reach::At);
        assert_eq!((u(Mapping::Shift), u(Mapping::Literal)), (4, 3));
    }
}
