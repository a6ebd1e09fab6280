//! Weight errors of arrays (ternary-pcsa, section IV): type 1 switches signs; type 2 takes 0 for +-1, and +-1 for 0.

use burn::tensor::Device;
use hafnia::network::{InputCode, WeightKind};
use serde::{Deserialize, Serialize};

use crate::data::Images;
use crate::model::Model;
use crate::random::{Purpose, Stream};
use crate::{batch, evaluate};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Type 1. A zero has no sign, so of ternary weights fewer change than the rate says.
    #[default]
    Sign,
    /// Type 2.
    Zero,
}

/// Weights with errors at a rate of `rate` each. As the authors' code draws those of type 2: with probability
/// 2 rate / (1 + p0) a weight gets +1 or -1 added, p0 being the layer's share of zeros, and is ternarized again; what it adds to a
/// weight of the same sign changes nothing, so the rate comes out as asked.
pub fn with_errors(weights: &[f32], kind: ErrorKind, rate: f64, stream: &mut Stream) -> Vec<f32> {
    let zeros = weights.iter().filter(|w| **w == 0.0).count() as f64 / weights.len() as f64;
    let chance = match kind {
        ErrorKind::Sign => rate,
        ErrorKind::Zero => 2.0 * rate / (1.0 + zeros),
    };
    let one = |w: &f32| {
        if stream.unit() >= chance {
            *w
        } else if kind == ErrorKind::Sign {
            -w
        } else {
            (w + if stream.coin() { 1.0 } else { -1.0 }).clamp(-1.0, 1.0)
        }
    };
    weights.iter().map(one).collect()
}

/// Gives the weights of every layer errors, until their latent values move: type 1 of binary and ternary ones, type 2 of ternary ones.
pub fn disturb(model: &mut Model, kind: ErrorKind, rate: f64, stream: &mut Stream) {
    let has_them = |weights: Option<WeightKind>| match kind {
        ErrorKind::Sign => matches!(weights, Some(WeightKind::Bipolar | WeightKind::Ternary)),
        ErrorKind::Zero => weights == Some(WeightKind::Ternary),
    };
    for layer in model.layers.iter_mut().filter(|l| has_them(l.kind)) {
        layer.weight.show(with_errors(&layer.weight.quantized(), kind, rate, stream));
    }
}

/// Classes of images where the weights of every layer have errors, drawn anew for each batch of `at_once` images.
pub fn predictions(
    model: &mut Model,
    images: &Images,
    (code, device): (&InputCode, &Device),
    (kind, rate): (ErrorKind, f64),
    at_once: usize,
    seed: u64,
) -> Vec<usize> {
    let mut predicted = Vec::new();
    for (draw, from) in (0..images.len()).step_by(at_once).enumerate() {
        disturb(model, kind, rate, &mut Stream::new(seed, Purpose::Errors, draw));
        let places: Vec<usize> = (from..images.len().min(from + at_once)).collect();
        for piece in places.chunks(250) {
            let x = batch::inputs(piece.iter().map(|i| images.image(*i).into()), images.values(), code, device);
            let outputs = model.eval(x);
            predicted.extend(outputs.last().expect("layers").rows().map(evaluate::first_maximum));
        }
    }
    model.layers.iter_mut().for_each(|layer| layer.weight.update(|_| ()));
    predicted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_at_the_rate_asked() {
        let mut stream = Stream::new(1, Purpose::Errors, 0);
        let weights: Vec<f32> = (0..90_000).map(|_| stream.below(3) as f32 - 1.0).collect();
        let changed = |kind, rate, stream: &mut Stream| {
            let errors = with_errors(&weights, kind, rate, stream);
            assert!(errors.iter().all(|w| [-1.0, 0.0, 1.0].contains(w)));
            let signs = errors.iter().zip(&weights).filter(|(a, b)| **a == -**b && **b != 0.0).count();
            (errors.iter().zip(&weights).filter(|(a, b)| a != b).count() as f64 / 90_000.0, signs)
        };
        let (rate, signs) = changed(ErrorKind::Zero, 0.1, &mut stream);
        assert!((rate - 0.1).abs() < 0.005, "{rate}");
        assert_eq!(signs, 0, "type 2 never switches a sign");
        let (rate, _) = changed(ErrorKind::Sign, 0.15, &mut stream);
        assert!((rate - 0.1).abs() < 0.005, "a third are zeros, which have no sign: {rate}");
        assert_eq!(with_errors(&weights, ErrorKind::Sign, 0.0, &mut stream), weights);
    }
}
