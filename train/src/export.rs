//! A trained model as a [`Network`].
//!
//! Weights are the quantized ones, batch norm goes over as it is (f32 values are exact in f64), and the last layer
//! keeps its integers: scale 1, no bias, so the class is the first largest sum.

use hafnia::network::{
    Activation, Cut, Input, InputCode, Layer, Network, NetworkError, Normalize, Op, WeightKind, Weights,
};
use ndarray::Array2;

use crate::layer::{Dense, EPSILON};
use crate::param::{Param, values};
use crate::recipe::ActivationKind;

pub fn network(name: &str, shape: &[usize], code: InputCode, layers: &[Dense]) -> Result<Network, NetworkError> {
    let layers = layers.iter().map(dense).collect();
    Network::new(name, Input { shape: shape.into(), code }, layers)
}

fn dense(layer: &Dense) -> Layer {
    let quantized = layer.quantized(layer.weight.plain());
    let [neurons, inputs] = quantized.dims();
    let weights: Vec<i8> = values(quantized).into_iter().map(|w| w as i8).collect();
    let same = |value: f64| vec![value; neurons];
    let (normalize, activation) = match &layer.norm {
        None => (Normalize::None, Activation::Scores),
        Some(norm) => {
            let exact = |v: Vec<f32>| v.into_iter().map(f64::from).collect::<Vec<f64>>();
            let param = |p: &Param| exact(p.values());
            let normalize = Normalize::BatchNorm {
                gamma: param(&norm.gamma),
                beta: param(&norm.beta),
                mean: exact(values(norm.mean.value.clone())),
                variance: exact(values(norm.variance.value.clone())),
                epsilon: EPSILON,
            };
            let zone = layer.quantize.dead_zone;
            let activation = match layer.quantize.activations {
                ActivationKind::Bipolar => Activation::Bipolar { threshold: same(0.0) },
                ActivationKind::Ternary => Activation::Ternary {
                    above: Cut { at: same(zone), strict: true },
                    below: Cut { at: same(-zone), strict: true },
                },
            };
            (normalize, activation)
        }
    };
    Layer {
        name: layer.name.clone(),
        op: Op::Dense,
        pool: None,
        blocks: Vec::new(),
        weights: Weights {
            kind: match layer.quantize.weights {
                WeightKind::Int8 => unreachable!("the recipe was checked"),
                kind => kind,
            },
            values: Array2::from_shape_vec((neurons, inputs), weights).expect("a matrix of that shape"),
            scale: same(1.0),
        },
        bias: same(0.0),
        normalize,
        activation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Buffer;
    use crate::random::{Purpose, Stream};
    use crate::recipe::QuantizeRecipe;
    use burn::tensor::{Device, Tensor};

    /// Two inputs, two hidden neurons, two classes; every number set by hand.
    fn tiny(kind: WeightKind, activations: ActivationKind) -> Vec<Dense> {
        let device = Device::flex();
        let quantize = QuantizeRecipe { weights: kind, activations, weight_threshold: 0.05, dead_zone: 0.05 };
        let mut stream = Stream::new(0, Purpose::Weights, 0);
        let mut layer = |name, hidden| Dense::new(name, [2, 2], hidden, &quantize, 0.1, &mut stream, &device);
        let (mut fc1, mut fc2) = (layer("fc1", true), layer("fc2", false));
        fc1.weight.set(Tensor::from_floats([0.3, -0.04, -0.9, 0.0], &device));
        fc2.weight.set(Tensor::from_floats([-0.05, 0.06, -0.06, 0.05], &device));
        let norm = fc1.norm.as_mut().unwrap();
        norm.gamma.set(Tensor::from_floats([1.0, -2.0], &device));
        norm.beta.set(Tensor::from_floats([0.5, 0.25], &device));
        norm.mean = Buffer::new("fc1.mean".into(), &[1.5, -1.0], &device);
        norm.variance = Buffer::new("fc1.variance".into(), &[4.0, 0.25], &device);
        vec![fc1, fc2]
    }

    #[test]
    fn a_bipolar_model_by_hand() {
        let n = network("tiny", &[2], InputCode::Bipolar, &tiny(WeightKind::Bipolar, ActivationKind::Bipolar)).unwrap();
        // sign(0) = +1 for a latent weight of exactly 0.
        assert_eq!(n.layers[0].weights.values, ndarray::arr2(&[[1, -1], [-1, 1]]));
        assert_eq!(n.layers[1].weights.values, ndarray::arr2(&[[-1, 1], [-1, 1]]));
        // 1 (2 - 1.5) / sqrt(4 + eps) + 0.5, and -2 (0 + 1) / sqrt(0.25 + eps) + 0.25.
        assert_eq!(n.layers[0].value(0, 2), 0.5 / (4.0f64 + 1e-5).sqrt() + 0.5);
        assert_eq!(n.layers[0].value(1, 0), -2.0 / (0.25f64 + 1e-5).sqrt() + 0.25);
        assert_eq!(n.layers[0].activation, Activation::Bipolar { threshold: vec![0.0; 2] });
        assert_eq!(n.layers[1].value(1, -7), -7.0);
    }

    #[test]
    fn a_ternary_model_by_hand() {
        let n = network("tiny", &[2], InputCode::Bipolar, &tiny(WeightKind::Ternary, ActivationKind::Ternary)).unwrap();
        assert_eq!(n.layers[0].weights.values, ndarray::arr2(&[[1, 0], [-1, 0]]));
        // +-0.05 itself is 0.
        assert_eq!(n.layers[1].weights.values, ndarray::arr2(&[[0, 1], [-1, 0]]));
        let Activation::Ternary { above, below } = &n.layers[0].activation else { panic!("ternary") };
        assert!(above.strict && below.strict);
        assert_eq!((above.at[0], below.at[1]), (0.05, -0.05));
    }
}
