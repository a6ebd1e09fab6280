//! Two evaluations that share the images and the definition of a layer's last steps: the trainer's own tensors, and
//! `hafnia::reference` on the exported network, which is what `hafnia eval` runs. Where they differ, the first neuron
//! that does says where.

use burn::tensor::Device;
use hafnia::network::{InputCode, Network};
use hafnia::reference;

use crate::{batch, data::Images, episodes, inference::Outputs, model::Model};

/// Images that go through the tensors at once.
const AT_ONCE: usize = 250;

/// Index of the first largest value.
pub fn first_maximum<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

pub fn right(predicted: &[usize], labels: &[usize]) -> usize {
    predicted.iter().zip(labels).filter(|(p, l)| p == l).count()
}

pub fn accuracy(predicted: &[usize], labels: &[usize]) -> f64 {
    right(predicted, labels) as f64 / labels.len() as f64
}

/// Classes only, with the trainer's tensors in evaluation mode.
pub fn predictions(model: &Model, images: &Images, code: &InputCode, device: &Device) -> Vec<usize> {
    batches(model, images, code, device).flat_map(|(_, layers)| classes(&layers)).collect()
}

/// Bipolar features: signs of the scores.
pub fn features(model: &Model, images: &Images, code: &InputCode, device: &Device) -> Vec<episodes::Feature> {
    batches(model, images, code, device).flat_map(|(_, layers)| features_of(&layers)).collect()
}

/// Classes and features.
pub fn both_outputs(
    model: &Model,
    images: &Images,
    code: &InputCode,
    device: &Device,
) -> (Vec<usize>, Vec<episodes::Feature>) {
    let all = batches(model, images, code, device).map(|(_, layers)| (classes(&layers), features_of(&layers)));
    let (classes, features): (Vec<_>, Vec<_>) = all.unzip();
    (classes.concat(), features.concat())
}

fn features_of(layers: &[Outputs]) -> Vec<episodes::Feature> {
    layers.last().expect("at least one layer").rows().map(episodes::feature).collect()
}

fn classes(layers: &[Outputs]) -> Vec<usize> {
    layers.last().expect("at least one layer").rows().map(first_maximum).collect()
}

/// For each batch of images its place, and what every layer gives.
fn batches<'a>(
    model: &'a Model,
    images: &'a Images,
    code: &'a InputCode,
    device: &'a Device,
) -> impl Iterator<Item = (std::ops::Range<usize>, Vec<Outputs>)> + 'a {
    (0..images.len()).step_by(AT_ONCE).map(move |from| {
        let chosen = from..images.len().min(from + AT_ONCE);
        let x = batch::inputs(chosen.clone().map(|i| images.image(i).into()), images.values(), code, device);
        (chosen, model.eval(x))
    })
}

/// Classes by plain integers, from the network's definition alone.
pub fn integers(network: &Network, images: &Images) -> Vec<usize> {
    reference::evaluate_all(network, &images.all(), |_| ()).into_iter().map(|e| e.class).collect()
}

/// Bipolar features by plain integers.
pub fn integer_features(network: &Network, images: &Images) -> Vec<episodes::Feature> {
    reference::evaluate_all(network, &images.all(), |_| ()).iter().map(|e| episodes::feature(&e.scores)).collect()
}

/// What both ways of evaluation say.
pub struct Both {
    pub trainer: Vec<usize>,
    pub integer: Vec<usize>,
    /// Signs of the scores, which are a few-shot controller's features.
    pub trainer_features: Vec<episodes::Feature>,
    pub integer_features: Vec<episodes::Feature>,
    /// Every image with any differing output of any layer.
    pub differences: Vec<Difference>,
}

/// An image on which the two evaluations part, and the first neuron where they do.
#[derive(Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Place in the data set.
    pub image: usize,
    pub layer: String,
    /// In a feature map, the place in the order channel, row, column.
    pub neuron: usize,
    pub trainer: f64,
    pub integer: f64,
    /// Whether the predicted classes differ, too.
    pub class_differs: bool,
}

/// Evaluates twice and compares every neuron; `progress` hears how many images are done.
pub fn both(
    model: &Model,
    network: &Network,
    images: &Images,
    device: &Device,
    mut progress: impl FnMut(usize),
) -> Both {
    let mut both = Both {
        trainer: Vec::new(),
        integer: Vec::new(),
        trainer_features: Vec::new(),
        integer_features: Vec::new(),
        differences: Vec::new(),
    };
    for (chosen, layers) in batches(model, images, &network.input.code, device) {
        let trainer = classes(&layers);
        let pictures: Vec<&[u8]> = chosen.clone().map(|i| images.image(i)).collect();
        let integer = reference::evaluate_all(network, &pictures, |_| ());
        for (row, e) in integer.iter().enumerate() {
            let found = layers.iter().enumerate().find_map(|(l, outputs)| {
                let own = &outputs.values[row * outputs.width..(row + 1) * outputs.width];
                let other = |j: usize| e.activations.get(l).map_or_else(|| e.scores[j], |a| f64::from(a[j]));
                own.iter().enumerate().find(|(j, y)| **y != other(*j)).map(|(j, y)| (l, j, *y, other(j)))
            });
            if let Some((layer, neuron, own, other)) = found {
                both.differences.push(Difference {
                    image: images.indices[chosen.start + row],
                    layer: network.layers[layer].name.clone(),
                    neuron,
                    trainer: own,
                    integer: other,
                    class_differs: trainer[row] != e.class,
                });
            }
            both.integer.push(e.class);
            both.integer_features.push(episodes::feature(&e.scores));
        }
        both.trainer_features.extend(features_of(&layers));
        both.trainer.extend(trainer);
        progress(both.trainer.len());
    }
    both
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
        let held_out = crate::data::load(&recipe.data, 1, None).unwrap().held_out;
        let device = Device::flex();
        let mut model = Model::new(&recipe, &held_out.shape, &device).unwrap();
        let network = crate::export::network("tiny", &held_out.shape, recipe.input.code(), &model.layers).unwrap();
        assert_eq!(both(&model, &network, &held_out, &device, |_| ()).differences, []);
        // A shift of one neuron that the exported network does not have.
        let norm = model.layers[0].blocks[0].norm.as_mut().unwrap();
        norm.beta.set(&[0.0, 0.0, 0.0, 1e6, 0.0]);
        let differences = both(&model, &network, &held_out, &device, |_| ()).differences;
        assert!(!differences.is_empty());
        for d in differences {
            assert_eq!((d.layer.as_str(), d.neuron, d.trainer, d.integer), ("fc1", 3, 1.0, -1.0));
            assert_eq!(d.image % 3, 2);
        }
    }
}
