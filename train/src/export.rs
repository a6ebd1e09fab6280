//! A trained model as a [`Network`].
//!
//! Weights are the quantized ones and batch norm goes over as it is: f32 values are exact in f64.

use hafnia::network::{
    Activation, Block, Cut, Input, InputCode, Layer as Exported, Network, NetworkError, Normalize, Op, WeightKind,
    Weights,
};
use ndarray::Array2;

use crate::layer::Layer;
use crate::norm::BatchNorm;
use crate::recipe::ActivationKind;

pub fn network(name: &str, shape: &[usize], code: InputCode, layers: &[Layer]) -> Result<Network, NetworkError> {
    let layers = layers.iter().map(layer).collect();
    Network::new(name, Input { shape: shape.into(), code }, layers)
}

fn layer(layer: &Layer) -> Exported {
    let neurons = layer.neurons();
    let values: Vec<i8> = layer.quantized().into_iter().map(|w| w as i8).collect();
    let weights = Weights {
        kind: layer.kind.expect("a network of real weights is not exported"),
        values: Array2::from_shape_vec((neurons, layer.inputs()), values).expect("a matrix of that shape"),
        scale: layer.scale_f64(),
    };
    let activation = layer.exported_activation();
    let normalize = |norm: &Option<BatchNorm>| norm.as_ref().map_or(Normalize::None, BatchNorm::running);
    let zeros = || vec![0.0; neurons];
    let whole = |normalize, activation| {
        Exported::new(layer.name.clone(), layer.op.clone(), weights.clone(), zeros(), normalize, activation)
    };
    let mut exported = if layer.is_split() {
        whole(Normalize::None, activation.of_votes(neurons))
    } else {
        whole(normalize(&layer.blocks[0].norm), activation.clone())
    };
    if layer.is_split() {
        let block = |b: &crate::layer::Block| Block {
            inputs: b.inputs,
            bias: zeros(),
            normalize: normalize(&b.norm),
            activation: activation.clone(),
        };
        exported.blocks = layer.blocks.iter().map(block).collect();
    }
    exported.pool = layer.pool;
    exported
}

pub fn activation(kind: Option<ActivationKind>, dead_zone: f64, neurons: usize) -> Activation {
    let same = |value: f64| vec![value; neurons];
    match kind {
        None | Some(ActivationKind::Relu) => Activation::Scores,
        Some(ActivationKind::Bipolar) => Activation::Bipolar { threshold: same(0.0) },
        Some(ActivationKind::Ternary) => Activation::Ternary {
            above: Cut { at: same(dead_zone), strict: true },
            below: Cut { at: same(-dead_zone), strict: true },
        },
    }
}

/// What follows sums, for [`Exported::scaled`] and [`Exported::normalized`]: the expression that defines a network, so
/// that the trainer's evaluation rounds nowhere else.
pub fn rule(name: &str, scale: &[f64], bias: &[f64], normalize: Normalize, activation: Activation) -> Exported {
    let weights = Weights { kind: WeightKind::Int8, values: Array2::zeros((scale.len(), 1)), scale: scale.into() };
    Exported::new(name, Op::Dense, weights, bias.into(), normalize, activation)
}
