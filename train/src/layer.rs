//! One layer: quantized weights, pool, batch norm and quantized activation, whole or split into blocks.

use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use hafnia::network::{Activation, Conv, Normalize, Op, Pool, PoolOrder, Shape, WeightKind};
use rayon::prelude::*;

use crate::export;
use crate::norm::BatchNorm;
use crate::param::{Buffer, Param, values};
use crate::quantize::{self, Quantizer, mean_magnitude};
use crate::random::Stream;
use crate::recipe::{ActivationKind, InitKind};
use crate::rotated::Rotated;

pub struct Layer {
    pub name: String,
    pub op: Op,
    /// What it takes.
    pub input: Shape,
    /// What it gives.
    pub output: Shape,
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
    pub init: InitKind,
}

impl Layer {
    /// The reason is for a person who wrote the recipe.
    pub fn new(plan: Plan, input: Shape, stream: &mut Stream, device: &Device) -> Result<Self, String> {
        let (inputs, map) = match &plan.op {
            Op::Dense => (input.len(), Shape { channels: plan.neurons, rows: 1, columns: 1 }),
            Op::Conv(conv) => (conv.inputs(input.channels), conv.output(input, plan.neurons)?),
        };
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
        let blocks = blocks.collect();
        assert_eq!(start, inputs, "{}: blocks make up the inputs", plan.name);
        let Plan { name, op, pool, kind, activation, dead_zone, .. } = plan;
        Ok(Self { name, op, input, output, pool, kind, weight, rotated, activation, dead_zone, blocks })
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

    /// Rows of `[image, value]`, a map's values in the order channel, row, column.
    pub fn train(&mut self, x: Tensor<2>, momentum: f64) -> Tensor<2> {
        let images = x.dims()[0];
        let (weights, scale) = match &self.rotated {
            None => (self.weight.tracked::<2>(), self.scale().map(|s| self.scale_row(s))),
            Some(r) => {
                let gain = r.gain.tracked::<1>().reshape([1, self.neurons(), 1, 1]);
                (r.weights(self.weight.tracked::<2>()), Some(gain))
            }
        };
        let mut votes: Option<Tensor<3>> = None;
        for k in 0..self.blocks.len() {
            let mut s = self.sums(&x, &weights, k);
            if let Some(scale) = &scale {
                s = s * scale.clone();
            }
            let [_, neurons, rows, columns] = s.dims();
            let mut y = s.reshape([images, neurons, rows * columns]);
            if let Some(norm) = &mut self.blocks[k].norm {
                y = norm.train(y, momentum);
            }
            let y = match self.activation {
                Some(ActivationKind::Bipolar) => match &self.rotated {
                    None => quantize::bipolar(y),
                    Some(r) => quantize::approximated(y, r.slope),
                },
                Some(ActivationKind::Relu) => burn::tensor::activation::relu(y),
                Some(ActivationKind::Ternary) => quantize::ternary(y, self.dead_zone),
                None => y,
            };
            votes = Some(match votes {
                Some(sum) => sum + y,
                None => y,
            });
        }
        let mut y = votes.expect("a layer has a block");
        if self.is_split() {
            y = quantize::sign_of_votes(y, self.activation == Some(ActivationKind::Ternary));
        }
        if let Some(pool) = self.pool_after() {
            let map = self.map();
            y = max_pool(y.reshape([images, map.channels, map.rows, map.columns]), pool).flatten(2, 3);
        }
        y.flatten(1, 2)
    }

    /// Running statistics normalize, in f64 and in the order that the network's definition has; sums are integers that
    /// f32 holds exactly. `[image][value]`: -1, 0 and +1, or scores.
    pub fn eval(&self, x: Tensor<2>) -> Outputs {
        let images = x.dims()[0];
        let device = x.device();
        let sums = self.block_sums(x);
        let parts = self.blocks.iter().zip(&sums).map(|(block, sums)| (block, sums.as_slice())).collect::<Vec<_>>();
        self.finish(images, &parts, &device)
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

    /// Sums of every block, pooled where the pool comes first: `[image, neuron, position]` each.
    pub fn block_sums(&self, x: Tensor<2>) -> Vec<Vec<f32>> {
        let weights = self.plain_weights();
        (0..self.blocks.len()).map(|k| values(self.sums(&x, &weights, k))).collect()
    }

    /// Sums of every block at every position, before any pool.
    pub fn partial_sums(&self, x: &Tensor<2>) -> Vec<Vec<f32>> {
        let weights = self.plain_weights();
        (0..self.blocks.len()).map(|k| values(self.unpooled(x, &weights, k))).collect()
    }

    /// What follows whole sums of any real value, given at every position before a pool: pool, batch norm, activation.
    pub fn follow(&self, images: usize, sums: Vec<f32>, norm: Option<&BatchNorm>, device: &Device) -> Outputs {
        let neurons = self.neurons();
        let scale = self.scale_f64();
        let normalize = norm.map_or(Normalize::None, BatchNorm::running);
        let activation = self.exported_activation();
        let rule = export::rule(&self.name, &scale, &vec![0.0; neurons], normalize, activation.clone());
        let map = match &self.op {
            Op::Dense => Shape { channels: neurons, rows: 1, columns: 1 },
            Op::Conv(conv) => conv.output(self.input, neurons).expect("checked when it was made"),
        };
        let mut sums = sums;
        if let Some(pool) = self.pool.filter(|p| p.order == PoolOrder::BeforeNormalize) {
            sums = pooled(sums, images, map, pool, device);
        }
        let positions = sums.len() / (images * neurons);
        let one = |(i, s): (usize, &f32)| {
            let j = i / positions % neurons;
            let y = rule.normalized(j, scale[j] * f64::from(*s));
            activation.apply(j, y).map_or(y, f64::from)
        };
        let mut outputs: Vec<f64> = sums.par_iter().enumerate().map(one).collect();
        if let Some(pool) = self.pool_after() {
            let data = outputs.iter().map(|v| *v as f32).collect();
            outputs = pooled(data, images, map, pool, device).into_iter().map(f64::from).collect();
        }
        Outputs { width: outputs.len() / images, values: outputs }
    }

    /// What follows the sums of blocks.
    pub fn finish(&self, images: usize, parts: &[(&Block, &[f32])], device: &Device) -> Outputs {
        let neurons = self.neurons();
        let (scale, bias) = (self.scale_f64(), vec![0.0; neurons]);
        let relu = self.activation == Some(ActivationKind::Relu);
        let mut votes: Vec<f64> = Vec::new();
        for (block, sums) in parts {
            let normalize = block.norm.as_ref().map_or(Normalize::None, BatchNorm::running);
            let activation = self.exported_activation();
            let rule = export::rule(&self.name, &scale, &bias, normalize, activation.clone());
            let positions = sums.len() / (images * neurons);
            let one = |(i, s): (usize, &f32)| {
                let j = i / positions % neurons;
                let y = rule.normalized(j, rule.scaled(j, f64::from(*s)));
                activation.apply(j, y).map_or(if relu { y.max(0.0) } else { y }, f64::from)
            };
            let own: Vec<f64> = sums.par_iter().enumerate().map(one).collect();
            if votes.is_empty() {
                votes = own;
            } else {
                votes.par_iter_mut().zip(own).for_each(|(sum, vote)| *sum += vote);
            }
        }
        if parts.len() > 1 {
            let ternary = self.activation == Some(ActivationKind::Ternary);
            let sign = |v: f64| if v > 0.0 || (v == 0.0 && !ternary) { 1.0 } else { v.signum() * f64::from(v != 0.0) };
            votes.par_iter_mut().for_each(|v| *v = sign(*v));
        }
        if let Some(pool) = self.pool_after() {
            let data = votes.iter().map(|v| *v as f32).collect();
            votes = pooled(data, images, self.map(), pool, device).into_iter().map(f64::from).collect();
        }
        Outputs { width: votes.len() / images, values: votes }
    }

    /// Sums of block `k`, `[image, neuron, row, column]`, pooled where the pool comes before the normalisation.
    fn sums(&self, x: &Tensor<2>, weights: &Tensor<2>, k: usize) -> Tensor<4> {
        let s = self.unpooled(x, weights, k);
        match self.pool.filter(|p| p.order == PoolOrder::BeforeNormalize) {
            Some(pool) => max_pool(s, pool),
            None => s,
        }
    }

    fn unpooled(&self, x: &Tensor<2>, weights: &Tensor<2>, k: usize) -> Tensor<4> {
        let images = x.dims()[0];
        let Block { start, inputs, .. } = self.blocks[k];
        let neurons = self.neurons();
        let whole = inputs == self.inputs();
        match &self.op {
            Op::Dense if whole => x.clone().matmul(weights.clone().transpose()).reshape([images, neurons, 1, 1]),
            Op::Dense => {
                let slice = x.clone().narrow(1, start, inputs);
                let own = weights.clone().narrow(1, start, inputs).transpose();
                slice.matmul(own).reshape([images, neurons, 1, 1])
            }
            Op::Conv(conv) => {
                let Shape { channels, rows, columns } = self.input;
                let x = x.clone().reshape([images, channels, rows, columns]);
                let [kr, kc] = conv.kernel;
                let options = options(conv);
                if whole {
                    conv2d(x, weights.clone().reshape([neurons, channels, kr, kc]), None, options)
                } else {
                    // The channels that the block touches; what lies in them but not in the block is weighted 0.
                    let (first, end) = (start / (kr * kc), (start + inputs).div_ceil(kr * kc));
                    let (from, to) = (first * kr * kc, end * kr * kc);
                    let mut own = weights.clone().narrow(1, from, to - from);
                    if (from, to) != (start, start + inputs) {
                        let inside = |i: usize| f32::from(u8::from((start..start + inputs).contains(&(from + i))));
                        let mask: Vec<f32> = (0..to - from).map(inside).collect();
                        own = own * Tensor::<2>::from_data(TensorData::new(mask, [1, to - from]), &x.device());
                    }
                    let own = own.reshape([neurons, end - first, kr, kc]);
                    conv2d(x.narrow(1, first, end - first), own, None, options)
                }
            }
        }
    }

    fn pool_after(&self) -> Option<Pool> {
        self.pool.filter(|p| p.order == PoolOrder::AfterActivation)
    }

    /// Shape of the activations before a pool that follows them.
    fn map(&self) -> Shape {
        match (&self.op, self.pool_after()) {
            (_, None) => self.output,
            (Op::Dense, _) => Shape { channels: self.neurons(), rows: 1, columns: 1 },
            (Op::Conv(conv), _) => conv.output(self.input, self.neurons()).expect("checked when it was made"),
        }
    }

    /// XNOR-Net's or RBNN's scale of every neuron.
    fn scale(&self) -> Option<Vec<f32>> {
        if let Some(r) = &self.rotated {
            return Some(r.gain.latent().to_vec());
        }
        let scaled = self.weight.quantizer == Quantizer::Bipolar { scaled: true };
        scaled.then(|| self.weight.latent().chunks(self.inputs()).map(mean_magnitude).collect())
    }

    fn scale_row(&self, scale: Vec<f32>) -> Tensor<4> {
        let sides = [1, scale.len(), 1, 1];
        Tensor::from_data(TensorData::new(scale, sides), &self.weight.leaf().device())
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

/// What a layer gives for some images, one after the other.
pub struct Outputs {
    pub width: usize,
    pub values: Vec<f64>,
}

impl Outputs {
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.width)
    }

    pub fn tensor(&self, device: &Device) -> Tensor<2> {
        let data: Vec<f32> = self.values.iter().map(|v| *v as f32).collect();
        let sides = [data.len() / self.width, self.width];
        Tensor::from_data(TensorData::new(data, sides), device)
    }
}

fn options(conv: &Conv) -> ConvOptions<2> {
    let [above, left, below, right] = conv.pad;
    ConvOptions { stride: conv.stride, padding: [(above, below), (left, right)], dilation: [1, 1], groups: 1 }
}

fn max_pool(x: Tensor<4>, pool: Pool) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions { stride: pool.stride, ..MaxPoolOptions::new(pool.size) })
}

fn pooled(data: Vec<f32>, images: usize, map: Shape, pool: Pool, device: &Device) -> Vec<f32> {
    let sides = [images, map.channels, map.rows, map.columns];
    values(max_pool(Tensor::from_data(TensorData::new(data, sides), device), pool))
}
