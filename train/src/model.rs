//! A chain of layers, built from a recipe.

use burn::tensor::{Device, Tensor};
use hafnia::network::{Conv, Op, Pool, Shape};
use hafnia::plan::{block_sizes, blocks};

use crate::inference::Outputs;
use crate::layer::{Layer, Plan};
use crate::param::{Buffer, Param};
use crate::random::{Purpose, Stream};
use crate::recipe::{ActivationKind, OpName, Recipe, WeightName};

pub struct Model {
    pub layers: Vec<Layer>,
}

impl Model {
    /// `shape` of one image; the reason names the layer.
    pub fn new(recipe: &Recipe, shape: &[usize], device: &Device) -> Result<Self, String> {
        let mut input = Shape::of_input(shape);
        let last = recipe.layers.len() - 1;
        let mut layers: Vec<Layer> = Vec::new();
        for (i, layer) in recipe.layers.iter().enumerate() {
            let op = match layer.op {
                OpName::Dense => Op::Dense,
                OpName::Conv => {
                    Op::Conv(Conv { stride: [layer.stride; 2], pad: [layer.pad; 4], ..Conv::new([layer.kernel; 2]) })
                }
            };
            let inputs = match &op {
                Op::Dense => input.len(),
                Op::Conv(conv) => conv.inputs(input.channels),
            };
            let whole = i == 0 || i == last || recipe.split.inputs == 0;
            let weights = layer.weights.unwrap_or(recipe.quantize.weights);
            let quantizer = recipe.quantize.quantizer(weights);
            let plan = Plan {
                name: layer.name.clone(),
                op,
                neurons: layer.neurons(recipe.width),
                pool: (layer.pool > 0).then_some(Pool {
                    size: [layer.pool; 2],
                    stride: [layer.pool; 2],
                    order: recipe.pool_order,
                }),
                kind: weights.kind(),
                quantizer,
                rotated: recipe.quantize.rotated && weights == WeightName::Bipolar,
                clip: recipe.train.clip && quantizer.is_weight(),
                activation: (i != last).then_some(recipe.quantize.activations),
                dead_zone: recipe.quantize.dead_zone,
                norm: i != last || recipe.scores_norm,
                blocks: match whole {
                    true => vec![inputs],
                    false => block_sizes(inputs, blocks(inputs, recipe.split.inputs)),
                },
                vote_window: recipe.split.vote_window,
                init: recipe.train.init_kind(),
            };
            let mut stream = Stream::new(recipe.seed, Purpose::Weights, i);
            let layer = Layer::new(plan, input, &mut stream, device)
                .map_err(|reason| format!("layer `{}`: {reason}", layer.name))?;
            input = layer.output;
            layers.push(layer);
        }
        Ok(Self { layers })
    }

    /// Whether hafnia has networks of this kind.
    pub fn is_exportable(&self) -> bool {
        self.layers.iter().all(|l| l.kind.is_some() && l.activation != Some(ActivationKind::Relu))
    }

    /// Before an epoch; `done`, of 0 to 1, says how much of the training is.
    pub fn begin_epoch(&mut self, done: f64) {
        for layer in &mut self.layers {
            if let Some(rotated) = &mut layer.rotated {
                rotated.update(layer.weight.latent(), done);
            }
        }
    }

    /// Scores in training; running statistics move.
    pub fn train(&mut self, x: Tensor<2>, momentum: f64) -> Tensor<2> {
        self.layers.iter_mut().fold(x, |x, layer| layer.train(x, momentum))
    }

    /// What every layer gives in evaluation; the scores come last.
    pub fn eval(&self, x: Tensor<2>) -> Vec<Outputs> {
        let device = x.device();
        let mut outputs: Vec<Outputs> = Vec::new();
        for layer in &self.layers {
            let x = outputs.last().map_or_else(|| x.clone(), |y| y.tensor(&device));
            outputs.push(layer.eval(x));
        }
        outputs
    }

    pub fn params(&self) -> Vec<&Param> {
        self.layers.iter().flat_map(Layer::params).collect()
    }

    pub fn params_mut(&mut self) -> Vec<&mut Param> {
        self.layers.iter_mut().flat_map(Layer::params_mut).collect()
    }

    pub fn buffers(&self) -> Vec<&Buffer> {
        self.layers.iter().flat_map(Layer::buffers).collect()
    }

    pub fn buffers_mut(&mut self) -> Vec<&mut Buffer> {
        self.layers.iter_mut().flat_map(Layer::buffers_mut).collect()
    }
}
