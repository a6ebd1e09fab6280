//! The last layer's scores in fixed point.

use super::{AffineScores, PlanError, ScoresPlan, signed_width};
use crate::network::{Layer, Normalize};

/// Gain and offset of every class, such that the real score is `gain * sum + offset`.
fn real_affine(layer: &Layer) -> (Vec<f64>, Vec<f64>) {
    let each = |j: usize| {
        let (alpha, bias) = (layer.weights.scale[j], layer.bias[j]);
        let (gain, shift) = match &layer.normalize {
            Normalize::None => (1.0, 0.0),
            Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => {
                let gain = gamma[j] / (variance[j] + epsilon).sqrt();
                (gain, beta[j] - gain * mean[j])
            }
            Normalize::Affine { gain, shift } => (gain[j], shift[j]),
        };
        (gain * alpha, gain * bias + shift)
    };
    (0..layer.neurons()).map(each).unzip()
}

/// Bits that a rounded constant may take.
const CONSTANT_BITS: i32 = 15;

/// Bits that the largest gain keeps where scores would grow too wide.
const LEAST_BITS: i32 = 8;

/// `unit`: what one of the last layer's sums stands for.
pub(super) fn scores(layer: &Layer, unit: f64, largest_sum: i64, sum_width: usize) -> Result<ScoresPlan, PlanError> {
    let (mut gain, offset) = real_affine(layer);
    gain.iter_mut().for_each(|g| *g *= unit);
    let same = |v: &[f64]| v.iter().all(|x| *x == v[0]);
    if same(&gain) && same(&offset) && gain[0] > 0.0 {
        return Ok(ScoresPlan { affine: None, width: sum_width });
    }
    let scaled = |v: &[f64], bits: i32| -> Vec<f64> { v.iter().map(|x| x * 2f64.powi(bits)).collect() };
    let whole = |v: &[f64]| v.iter().all(|x| x.fract() == 0.0);
    let largest = |v: &[f64]| v.iter().fold(0f64, |a, x| a.max(x.abs()));
    let exact = (0..=CONSTANT_BITS).find(|bits| whole(&scaled(&gain, *bits)) && whole(&scaled(&offset, *bits)));
    // Otherwise as many fraction bits as the largest gain leaves, and as scores of 32 bits do.
    let exponent = largest(&gain).log2().floor();
    let at = |bits: i32| if exponent.is_finite() { (bits - 1 - exponent as i32).clamp(0, 40) } else { 0 };
    let bits = exact.unwrap_or_else(|| at(CONSTANT_BITS));
    let round = |v: &[f64]| -> Option<Vec<i32>> {
        let each = |x: &f64| Some(x.round_ties_even()).filter(|x| x.abs() < 2f64.powi(31)).map(|x| x as i32);
        v.iter().map(each).collect()
    };
    let most = |v: &[i32]| v.iter().map(|x| i64::from(*x).abs()).max().unwrap_or(0);
    let plan = |bits: i32| {
        let (gain, offset) = (round(&scaled(&gain, bits))?, round(&scaled(&offset, bits))?);
        let width = signed_width(most(&gain) * largest_sum + most(&offset)).max(sum_width);
        let affine = AffineScores {
            gain_width: signed_width(most(&gain)),
            gain,
            offset,
            fraction_bits: bits as u32,
            exact: exact == Some(bits),
        };
        (width <= 32).then_some(ScoresPlan { affine: Some(affine), width })
    };
    let refused = || {
        let reason = format!(
            "its class scores do not fit 32 bits, even with gains of {LEAST_BITS} bits; make the differences between its classes' offsets, or its inputs, smaller"
        );
        PlanError::layer(&layer.name, reason)
    };
    (at(LEAST_BITS).min(bits)..=bits).rev().find_map(plan).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Op, WeightKind, Weights};

    fn layer(scale: f64, biases: &[f64]) -> Layer {
        let weights = Weights {
            kind: WeightKind::Bipolar,
            values: ndarray::Array2::ones((biases.len(), 1)),
            scale: vec![scale; biases.len()],
        };
        Layer::new("fc", Op::Dense, weights, biases.to_vec(), Normalize::None, Activation::Scores)
    }

    #[test]
    fn fraction_bits_are_as_many_as_32_bits_leave() {
        // 1/255 has its first bit at 2^-8: 22 fraction bits give 16448, 15 bits; times 199920 that is beyond 2^31, 8224 is not.
        let biases = [0.1, -0.3];
        let narrow = scores(&layer(1.0 / 255.0, &biases), 1.0, 1000, 11).unwrap().affine.unwrap();
        assert_eq!((narrow.gain[0], narrow.fraction_bits, narrow.offset), (16448, 22, vec![419430, -1258291]));
        let wide = scores(&layer(1.0 / 255.0, &biases), 1.0, 199_920, 19).unwrap();
        let affine = wide.affine.unwrap();
        assert_eq!((affine.gain[0], affine.fraction_bits, affine.exact, wide.width), (8224, 21, false, 32));
        // 8 bits of a gain are 128 at least: 128 x 2^24 is 2^31, one bit too many.
        assert!(scores(&layer(1.0, &biases), 1.0, (1 << 24) - 4096, 25).is_ok());
        let error = scores(&layer(1.0, &biases), 1.0, 1 << 24, 26).unwrap_err().to_string();
        assert!(error.contains("do not fit 32 bits, even with gains of 8 bits"), "{error}");
    }
}
