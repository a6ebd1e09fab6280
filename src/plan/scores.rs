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
    // Otherwise as many fraction bits as the largest gain leaves.
    let bits = exact.unwrap_or_else(|| {
        let exponent = largest(&gain).log2().floor();
        if exponent.is_finite() { (CONSTANT_BITS - 1 - exponent as i32).clamp(0, 40) } else { 0 }
    });
    let too_wide = || PlanError::layer(&layer.name, "its class scores do not fit 32 bits; rescale its batch norm");
    let round = |v: &[f64]| -> Result<Vec<i32>, PlanError> {
        let each = |x: &f64| {
            let x = x.round_ties_even();
            if x.abs() < 2f64.powi(31) { Ok(x as i32) } else { Err(too_wide()) }
        };
        v.iter().map(each).collect()
    };
    let (gain, offset) = (round(&scaled(&gain, bits))?, round(&scaled(&offset, bits))?);
    let most = |v: &[i32]| v.iter().map(|x| i64::from(*x).abs()).max().unwrap_or(0);
    let width = signed_width(most(&gain) * largest_sum + most(&offset)).max(sum_width);
    if width > 32 {
        return Err(too_wide());
    }
    let gain_width = signed_width(most(&gain));
    let affine = AffineScores { gain, offset, gain_width, fraction_bits: bits as u32, exact: exact.is_some() };
    Ok(ScoresPlan { affine: Some(affine), width })
}
