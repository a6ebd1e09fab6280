//! Two evaluations that share nothing but the images: the trainer's own tensors in f32, and plain integers on the
//! exported network. Where they differ, the first neuron that does says why.

use burn::tensor::Device;
use hafnia::network::{InputCode, Network};

use crate::{batch, data::Images, model::Model, param::values};

/// Images that go through the tensors at once.
const AT_ONCE: usize = 256;

/// What one way of evaluation gives.
pub struct Evaluation {
    pub predicted: Vec<usize>,
    /// For each image, for each layer, its outputs; the scores come last.
    pub outputs: Vec<Vec<Vec<f64>>>,
}

/// Index of the first largest value.
pub fn first_maximum<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

pub fn accuracy(predicted: &[usize], labels: &[usize]) -> f64 {
    predicted.iter().zip(labels).filter(|(p, l)| p == l).count() as f64 / labels.len() as f64
}

/// Classes only, with the trainer's tensors in evaluation mode.
pub fn predictions(model: &Model, images: &Images, code: &InputCode, device: &Device) -> Vec<usize> {
    let last = forward_batches(model, images, code, device).map(|mut layers| layers.pop().expect("at least one layer"));
    last.flat_map(|(width, scores)| scores.chunks_exact(width).map(first_maximum).collect::<Vec<_>>()).collect()
}

/// Everything, with the trainer's tensors in evaluation mode.
pub fn tensors(model: &Model, images: &Images, code: &InputCode, device: &Device) -> Evaluation {
    let mut outputs = Vec::new();
    for layers in forward_batches(model, images, code, device) {
        let rows = layers[0].1.len() / layers[0].0;
        for row in 0..rows {
            let of_row = |(width, v): &(usize, Vec<f32>)| {
                v[row * width..(row + 1) * width].iter().map(|y| f64::from(*y)).collect()
            };
            outputs.push(layers.iter().map(of_row).collect());
        }
    }
    finish(outputs)
}

/// For each batch of images, for each layer: its width, and its outputs row by row.
fn forward_batches<'a>(
    model: &'a Model,
    images: &'a Images,
    code: &'a InputCode,
    device: &'a Device,
) -> impl Iterator<Item = Vec<(usize, Vec<f32>)>> + 'a {
    (0..images.len()).step_by(AT_ONCE).map(move |from| {
        let chosen = from..images.len().min(from + AT_ONCE);
        let x = batch::inputs(chosen.map(|i| images.image(i).into()), images.values(), code, device);
        model.eval(x).into_iter().map(|y| (y.dims()[1], values(y))).collect()
    })
}

/// With plain integers, from the network's definition alone.
pub fn integers(network: &Network, images: &Images) -> Evaluation {
    finish((0..images.len()).map(|i| forward(network, images.image(i))).collect())
}

fn forward(network: &Network, image: &[u8]) -> Vec<Vec<f64>> {
    let mut x: Vec<i64> = image.iter().map(|q| network.input.code.value(*q).into()).collect();
    let mut outputs = Vec::new();
    for layer in &network.layers {
        let rows = layer.weights.values.rows().into_iter().enumerate();
        let y: Vec<f64> =
            rows.map(|(j, w)| layer.value(j, w.iter().zip(&x).map(|(w, x)| i64::from(*w) * x).sum())).collect();
        let applied: Option<Vec<i8>> = y.iter().enumerate().map(|(j, y)| layer.activation.apply(j, *y)).collect();
        match applied {
            Some(values) => {
                x = values.into_iter().map(i64::from).collect();
                outputs.push(x.iter().map(|v| *v as f64).collect());
            }
            None => outputs.push(y),
        }
    }
    outputs
}

fn finish(outputs: Vec<Vec<Vec<f64>>>) -> Evaluation {
    let predicted = outputs.iter().map(|layers| first_maximum(layers.last().expect("at least one layer"))).collect();
    Evaluation { predicted, outputs }
}

/// An image on which the two evaluations part.
#[derive(Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Place in the whole data set.
    pub image: usize,
    pub layer: String,
    pub neuron: usize,
    pub trainer: f64,
    pub integer: f64,
    /// Whether the predicted classes differ, too.
    pub class_differs: bool,
}

/// Every image with any differing output, and the first neuron where it parts.
pub fn compare(network: &Network, images: &Images, trainer: &Evaluation, integer: &Evaluation) -> Vec<Difference> {
    let mut differences = Vec::new();
    for i in 0..images.len() {
        let layers = network.layers.iter().zip(trainer.outputs[i].iter().zip(&integer.outputs[i]));
        let first = layers.flat_map(|(l, (a, b))| a.iter().zip(b).enumerate().map(move |(j, ab)| (l, j, ab)));
        if let Some((layer, neuron, (a, b))) = first.into_iter().find(|(_, _, (a, b))| a != b) {
            differences.push(Difference {
                image: images.indices[i],
                layer: layer.name.clone(),
                neuron,
                trainer: *a,
                integer: *b,
                class_differs: trainer.predicted[i] != integer.predicted[i],
            });
        }
    }
    differences
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { image, layer, neuron, trainer, integer, class_differs } = self;
        let class = if *class_differs { "class differs" } else { "same class" };
        write!(f, "image {image}: layer `{layer}` neuron {neuron}: trainer {trainer}, integers {integer}; {class}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_lowest_index() {
        assert_eq!(first_maximum(&[1, 3, 2, 3]), 1);
        assert_eq!(first_maximum(&[-0.5]), 0);
        assert_eq!(accuracy(&[1, 2, 3, 4], &[1, 2, 0, 4]), 0.75);
    }

    #[test]
    fn a_parting_neuron_is_named() {
        let recipe = crate::recipe::Recipe::load("digits_binary", &["layers.0.neurons=5".into()]).unwrap();
        let held_out = crate::data::load(recipe.data.set).unwrap().held_out;
        let device = Device::flex();
        let mut model = Model::new(&recipe, held_out.values(), &device);
        let network = crate::export::network("tiny", &[64], recipe.input.code(), &model.layers).unwrap();
        let differences = |model: &Model| {
            let trainer = tensors(model, &held_out, &recipe.input.code(), &device);
            compare(&network, &held_out, &trainer, &integers(&network, &held_out))
        };
        assert_eq!(differences(&model), []);
        // A shift of one neuron that the exported network does not have.
        let norm = model.layers[0].norm.as_mut().unwrap();
        norm.beta.set(burn::tensor::Tensor::from_floats([0.0, 0.0, 0.0, 1e6, 0.0], &device));
        let differences = differences(&model);
        assert!(!differences.is_empty());
        for d in differences {
            assert_eq!((d.layer.as_str(), d.neuron, d.trainer, d.integer), ("fc1", 3, 1.0, -1.0));
            assert_eq!(d.image % 3, 2);
        }
    }
}
