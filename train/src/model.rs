//! A chain of layers, built from a recipe.

use burn::tensor::{Device, Tensor};

use crate::layer::Dense;
use crate::param::{Buffer, Param};
use crate::random::{Purpose, Stream};
use crate::recipe::Recipe;

pub struct Model {
    pub layers: Vec<Dense>,
}

impl Model {
    /// `inputs`: values in one image.
    pub fn new(recipe: &Recipe, inputs: usize, device: &Device) -> Self {
        let mut width = inputs;
        let last = recipe.layers.len() - 1;
        let layers = recipe.layers.iter().enumerate().map(|(i, layer)| {
            let sides = [layer.neurons, std::mem::replace(&mut width, layer.neurons)];
            let mut stream = Stream::new(recipe.seed, Purpose::Weights, i);
            Dense::new(&layer.name, sides, i != last, &recipe.quantize, recipe.train.init, &mut stream, device)
        });
        Self { layers: layers.collect() }
    }

    /// Scores in training; running statistics move.
    pub fn train(&mut self, x: Tensor<2>, momentum: f64) -> Tensor<2> {
        self.layers.iter_mut().fold(x, |x, layer| layer.train(x, momentum))
    }

    /// What every layer gives in evaluation; the scores come last.
    pub fn eval(&self, x: Tensor<2>) -> Vec<Tensor<2>> {
        let mut outputs: Vec<Tensor<2>> = Vec::new();
        for layer in &self.layers {
            outputs.push(layer.eval(outputs.last().unwrap_or(&x).clone()));
        }
        outputs
    }

    pub fn params(&self) -> Vec<&Param> {
        self.layers.iter().flat_map(Dense::params).collect()
    }

    pub fn params_mut(&mut self) -> Vec<&mut Param> {
        self.layers.iter_mut().flat_map(Dense::params_mut).collect()
    }

    pub fn buffers(&self) -> Vec<&Buffer> {
        self.layers.iter().flat_map(Dense::buffers).collect()
    }

    pub fn buffers_mut(&mut self) -> Vec<&mut Buffer> {
        self.layers.iter_mut().flat_map(Dense::buffers_mut).collect()
    }
}
