//! One layer: quantized weights, pool, batch norm and quantized activation, whole or split into blocks.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use hafnia::network::{Activation, Normalize, Op, Pool, PoolOrder, Shape, WeightKind};

use crate::columns::Columns;
use crate::export;
use crate::inference::{self, Outputs, Step};
use crate::norm::{self, BatchNorm};
use crate::param::{Buffer, Param, values};
use crate::pooled::max_pool;
use crate::product;
use crate::quantize::{self, Quantizer, mean_magnitude};
use crate::random::Stream;
use crate::recipe::{ActivationKind, InitKind};
use crate::rotated::Rotated;
use crate::votes::{Ballot, Hard, Poll, Votes};

pub struct Layer {
    pub name: String,
    pub op: Op,
    /// What it takes.
    pub input: Shape,
    /// What it gives.
    pub output: Shape,
    columns: Arc<Columns>,
    pub pool: Option<Pool>,
    /// None: real weights, which no network of hafnia has.
    pub kind: Option<WeightKind>,
    /// `[neurons, inputs]`
    pub weight: Param,
    /// RBNN's part, where the scheme is that.
    pub rotated: Option<Rotated>,
    /// None: the last layer, which gives scores.
    pub activation: Option<ActivationKind>,
    pub dead_zone: f64,
    /// One that takes all inputs, or those that the layer is split into.
    pub blocks: Vec<Block>,
    vote_window: f64,
}

pub struct Block {
    /// First of its inputs.
    pub start: usize,
    pub inputs: usize,
    pub norm: Option<BatchNorm>,
}

/// What a layer is made from.
pub struct Plan {
    pub name: String,
    pub op: Op,
    pub neurons: usize,
    pub pool: Option<Pool>,
    pub kind: Option<WeightKind>,
    pub quantizer: Quantizer,
    pub rotated: bool,
    pub clip: bool,
    pub activation: Option<ActivationKind>,
    pub dead_zone: f64,
    pub norm: bool,
    /// Inputs of each block; they add up to those of a neuron.
    pub blocks: Vec<usize>,
    /// See [`crate::recipe::SplitRecipe`].
    pub vote_window: f64,
    pub init: InitKind,
}

impl Layer {
    /// The reason is for a person who wrote the recipe.
    pub fn new(plan: Plan, input: Shape, stream: &mut Stream, device: &Device) -> Result<Self, String> {
        let inputs = match &plan.op {
            Op::Dense => input.len(),
            Op::Conv(conv) => conv.inputs(input.channels),
        };
        let map = sums_map(&plan.op, input, plan.neurons)?;
        let output = plan.pool.map_or(Ok(map), |pool| pool.output(map))?;
        let latent: Vec<f32> = (0..plan.neurons * inputs).map(|_| stream.weight(plan.init)).collect();
        let sides = [plan.neurons, inputs];
        let rotated = plan.rotated.then(|| Rotated::new(&plan.name, &latent, plan.neurons, stream, device));
        let weight = Param::new(format!("{}.weight", plan.name), &sides, plan.quantizer, plan.clip, latent, device);
        let mut start = 0;
        let blocks = plan.blocks.iter().enumerate().map(|(k, inputs)| {
            let place = if plan.blocks.len() > 1 { format!("{}.block{k}", plan.name) } else { plan.name.clone() };
            let norm = plan.norm.then(|| BatchNorm::new(&place, plan.neurons, device));
            start += inputs;
            Block { start: start - inputs, inputs: *inputs, norm }
        });
        let blocks: Vec<Block> = blocks.collect();
        assert_eq!(start, inputs, "{}: blocks make up the inputs", plan.name);
        let Plan { name, op, pool, kind, activation, dead_zone, vote_window, .. } = plan;
        let parts: Vec<(usize, usize)> = blocks.iter().map(|b| (b.start, b.inputs)).collect();
        let columns = Arc::new(Columns::new(&op, input, map, parts));
        Ok(Self {
            name,
            op,
            input,
            output,
            columns,
            pool,
            kind,
            weight,
            rotated,
            activation,
            dead_zone,
            blocks,
            vote_window,
        })
    }

    pub fn neurons(&self) -> usize {
        self.weight.shape[0]
    }

    pub fn inputs(&self) -> usize {
        self.weight.shape[1]
    }

    pub fn is_split(&self) -> bool {
        self.blocks.len() > 1
    }

    /// Rows of `[image, value]`, a map's values in the order channel, row, column. There is a graph where `x` has one.
    pub fn train(&mut self, x: Tensor<2>, momentum: f64) -> Tensor<2> {
        let images = x.dims()[0];
        let (weights, scale) = match &self.rotated {
            None => (self.weight.beside(&x), self.scale().map(|s| scale_row(s, &x.device()))),
            Some(r) => (r.weights(self.weight.beside(&x)), Some(r.gain.beside::<1, 2>(&x).abs().reshape([1, -1, 1]))),
        };
        let mut s = self.sums(&x, &weights);
        if let Some(scale) = scale {
            s = s * scale;
        }
        let [blocks, neurons, across] = s.dims();
        self.activated(s.reshape([blocks * neurons, across]), images, momentum)
    }

    /// Rows of `s` are neurons of one block after the other. `[image, neuron and position]`.
    fn activated(&mut self, s: Tensor<2>, images: usize, momentum: f64) -> Tensor<2> {
        let ballot = Ballot::new(self.blocks.len(), self.vote_window);
        let map = self.map();
        let pool = self.pool_after().map(|pool| (pool, [map.rows, map.columns]));
        let poll = Poll { ballot, images, pool };
        let mut norms: Vec<&mut BatchNorm> = self.blocks.iter_mut().filter_map(|b| b.norm.as_mut()).collect();
        let to = match (self.activation, &self.rotated) {
            (Some(ActivationKind::Bipolar), None) => Some(Hard::Bipolar),
            (Some(ActivationKind::Ternary), _) => Some(Hard::Ternary { zone: self.dead_zone as f32 }),
            _ => None,
        };
        if let (Some(to), false) = (to, norms.is_empty()) {
            return norm::train_votes(&mut norms, s, momentum, Votes { to, poll });
        }
        let y = if norms.is_empty() { s } else { norm::train(&mut norms, s, momentum) };
        let activation = |y| match self.activation {
            Some(ActivationKind::Bipolar) => match &self.rotated {
                None => quantize::bipolar(y),
                Some(r) => quantize::approximated(y, r.slope),
            },
            Some(ActivationKind::Relu) => burn::tensor::activation::relu(y),
            Some(ActivationKind::Ternary) => quantize::ternary(y, self.dead_zone),
            None => y,
        };
        norm::activated(y, activation, self.activation == Some(ActivationKind::Ternary), poll)
    }

    /// `x`: rows of `[image, value]`. Gives -1, 0 and +1, or scores.
    pub fn eval(&self, x: Tensor<2>) -> Outputs {
        let (images, device) = (x.dims()[0], x.device());
        let norms: Vec<Option<&BatchNorm>> = self.blocks.iter().map(|b| b.norm.as_ref()).collect();
        self.finish(images, &norms, &values(self.sums(&x, &self.plain_weights())), &device)
    }

    /// As the sums see them, without a graph.
    fn plain_weights(&self) -> Tensor<2> {
        let weights = self.weight.plain::<2>();
        self.rotated.as_ref().map_or_else(|| weights.clone(), |r| r.weights(weights.clone()))
    }

    /// As a network has them.
    pub fn quantized(&self) -> Vec<f32> {
        values(self.plain_weights())
    }

    /// Sums of every block, `[block, neuron, image and position]`, before any pool.
    pub fn partial_sums(&self, x: &Tensor<2>) -> Vec<f32> {
        values(product::sums(x.clone(), self.plain_weights(), &self.columns, None))
    }

    /// What follows whole sums of any real value, `[neuron, image and position]`, given before a pool.
    pub fn follow(&self, images: usize, sums: Vec<f32>, device: &Device) -> Outputs {
        let sums = match self.pool_before() {
            Some(pool) => pooled(sums, self.sums_map(), pool, device),
            None => sums,
        };
        self.finish(images, &[self.blocks[0].norm.as_ref()], &sums, device)
    }

    /// What follows the sums of blocks, `[block, neuron, image and position]`, each with the batch norm of its block.
    fn finish(&self, images: usize, norms: &[Option<&BatchNorm>], sums: &[f32], device: &Device) -> Outputs {
        let (scale, bias) = (self.scale_f64(), vec![0.0; self.neurons()]);
        let activation = self.exported_activation();
        let relu = self.activation == Some(ActivationKind::Relu);
        let steps: Vec<Step> = norms
            .iter()
            .map(|norm| {
                let normalize = norm.map_or(Normalize::None, BatchNorm::running);
                Step { rule: export::rule(&self.name, &scale, &bias, normalize, activation.clone()), relu }
            })
            .collect();
        let mut outputs = inference::outputs(sums, &steps, images);
        if steps.len() > 1 {
            inference::elect(&mut outputs, self.activation == Some(ActivationKind::Ternary));
        }
        if let Some(pool) = self.pool_after() {
            let data = outputs.iter().map(|v| *v as f32).collect();
            outputs = pooled(data, self.map(), pool, device).into_iter().map(f64::from).collect();
        }
        Outputs { width: outputs.len() / images, values: outputs }
    }

    /// Sums of every block, `[block, neuron, image and position]`, pooled where the pool comes before the normalisation.
    fn sums(&self, x: &Tensor<2>, weights: &Tensor<2>) -> Tensor<3> {
        product::sums(x.clone(), weights.clone(), &self.columns, self.pool_before())
    }

    fn pool_before(&self) -> Option<Pool> {
        self.pool.filter(|p| p.order == PoolOrder::BeforeNormalize)
    }

    fn pool_after(&self) -> Option<Pool> {
        self.pool.filter(|p| p.order == PoolOrder::AfterActivation)
    }

    /// Shape of the activations before a pool that follows them.
    fn map(&self) -> Shape {
        if self.pool_after().is_some() { self.sums_map() } else { self.output }
    }

    /// Shape of the sums before any pool.
    fn sums_map(&self) -> Shape {
        sums_map(&self.op, self.input, self.neurons()).expect("checked when it was made")
    }

    /// XNOR-Net's or RBNN's scale of every neuron, never negative, so that a pool may come before it.
    fn scale(&self) -> Option<Vec<f32>> {
        if let Some(r) = &self.rotated {
            return Some(r.gain.latent().iter().map(|gain| gain.abs()).collect());
        }
        let scaled = self.weight.quantizer == Quantizer::Bipolar { scaled: true };
        scaled.then(|| self.weight.latent().chunks(self.inputs()).map(mean_magnitude).collect())
    }

    /// As the network has it.
    pub fn scale_f64(&self) -> Vec<f64> {
        self.scale().map_or_else(|| vec![1.0; self.neurons()], |s| s.into_iter().map(f64::from).collect())
    }

    /// Of each block, or of the whole layer.
    pub fn exported_activation(&self) -> Activation {
        export::activation(self.activation, self.dead_zone, self.neurons())
    }

    pub fn params(&self) -> Vec<&Param> {
        let norms = self.blocks.iter().flat_map(|b| &b.norm).flat_map(|n| [&n.gamma, &n.beta]);
        let rotated = self.rotated.iter().flat_map(|r| [&r.angle, &r.gain]);
        std::iter::once(&self.weight).chain(rotated).chain(norms).collect()
    }

    pub fn params_mut(&mut self) -> Vec<&mut Param> {
        let norms = self.blocks.iter_mut().flat_map(|b| &mut b.norm).flat_map(|n| [&mut n.gamma, &mut n.beta]);
        let rotated = self.rotated.iter_mut().flat_map(|r| [&mut r.angle, &mut r.gain]);
        std::iter::once(&mut self.weight).chain(rotated).chain(norms).collect()
    }

    pub fn buffers(&self) -> Vec<&Buffer> {
        let rotated = self.rotated.iter().flat_map(|r| [&r.first, &r.second]);
        rotated.chain(self.blocks.iter().flat_map(|b| &b.norm).flat_map(|n| [&n.mean, &n.variance])).collect()
    }

    pub fn buffers_mut(&mut self) -> Vec<&mut Buffer> {
        let rotated = self.rotated.iter_mut().flat_map(|r| [&mut r.first, &mut r.second]);
        let norms = self.blocks.iter_mut().flat_map(|b| &mut b.norm);
        rotated.chain(norms.flat_map(|n| [&mut n.mean, &mut n.variance])).collect()
    }
}

fn sums_map(op: &Op, input: Shape, neurons: usize) -> Result<Shape, String> {
    match op {
        Op::Dense => Ok(Shape { channels: neurons, rows: 1, columns: 1 }),
        Op::Conv(conv) => conv.output(input, neurons),
    }
}

/// Of planes of `map`, one after the other.
fn pooled(data: Vec<f32>, map: Shape, pool: Pool, device: &Device) -> Vec<f32> {
    let sides = [data.len() / (map.rows * map.columns), map.rows, map.columns];
    values(max_pool(Tensor::from_data(TensorData::new(data, sides), device), pool))
}

fn scale_row(scale: Vec<f32>, device: &Device) -> Tensor<3> {
    let sides = [1, scale.len(), 1];
    Tensor::from_data(TensorData::new(scale, sides), device)
}
