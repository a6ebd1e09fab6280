//! One layer: quantized weights, pool, batch norm and quantized activation, whole or split into blocks.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use hafnia::network::{Activation, Normalize, Op, Pool, PoolOrder, Shape, WeightKind};
use rayon::prelude::*;

use crate::columns::Columns;
use crate::export;
use crate::norm::{self, BatchNorm};
use crate::param::{Buffer, Param, values};
use crate::pooled::max_pool;
use crate::product;
use crate::quantize::{self, Quantizer, mean_magnitude};
use crate::random::Stream;
use crate::recipe::{ActivationKind, InitKind};
use crate::rotated::Rotated;
use crate::votes::{Hard, Votes};

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
        let Plan { name, op, pool, kind, activation, dead_zone, .. } = plan;
        let parts: Vec<(usize, usize)> = blocks.iter().map(|b| (b.start, b.inputs)).collect();
        let columns = Arc::new(Columns::new(&op, input, map, parts));
        Ok(Self { name, op, input, output, columns, pool, kind, weight, rotated, activation, dead_zone, blocks })
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
            Some(r) => (r.weights(self.weight.tracked::<2>()), Some(r.gain.tracked::<1>().reshape([1, -1, 1]))),
        };
        let mut s = self.sums(&x, &weights);
        if let Some(scale) = scale {
            s = s * scale;
        }
        let [blocks, neurons, across] = s.dims();
        let y = self.activated(s.reshape([blocks * neurons, across]), images, momentum);
        let Some(pool) = self.pool_after() else { return y };
        let map = self.map();
        let y = max_pool(y.reshape([images * map.channels, map.rows, map.columns]), pool);
        y.reshape([images, self.output.len()])
    }

    /// Rows of `s` are neurons of one block after the other. `[image, neuron and position]`.
    fn activated(&mut self, s: Tensor<2>, images: usize, momentum: f64) -> Tensor<2> {
        let blocks = self.blocks.len();
        let mut norms: Vec<&mut BatchNorm> = self.blocks.iter_mut().filter_map(|b| b.norm.as_mut()).collect();
        let to = match (self.activation, &self.rotated) {
            (Some(ActivationKind::Bipolar), None) => Some(Hard::Bipolar),
            (Some(ActivationKind::Ternary), _) => Some(Hard::Ternary { zone: self.dead_zone as f32 }),
            _ => None,
        };
        if let (Some(to), false) = (to, norms.is_empty()) {
            return norm::train_votes(&mut norms, s, momentum, Votes { to, blocks, images });
        }
        let y = if norms.is_empty() { s } else { norm::train(&mut norms, s, momentum) };
        let y = match self.activation {
            Some(ActivationKind::Bipolar) => match &self.rotated {
                None => quantize::bipolar(y),
                Some(r) => quantize::approximated(y, r.slope),
            },
            Some(ActivationKind::Relu) => burn::tensor::activation::relu(y),
            Some(ActivationKind::Ternary) => quantize::ternary(y, self.dead_zone),
            None => y,
        };
        quantize::voted(y, blocks, images, self.activation == Some(ActivationKind::Ternary))
    }

    /// Running statistics normalize, in f64 and in the order that the network's definition has; sums are integers that
    /// f32 holds exactly. `[image][value]`: -1, 0 and +1, or scores.
    pub fn eval(&self, x: Tensor<2>) -> Outputs {
        let images = x.dims()[0];
        let device = x.device();
        let sums = self.block_sums(x);
        let norms = self.blocks.iter().map(|b| b.norm.as_ref());
        let parts: Vec<_> = norms.zip(sums.iter().map(Vec::as_slice)).collect();
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
        let images = x.dims()[0];
        self.each_block(self.sums(&x, &self.plain_weights()), images)
    }

    /// Sums of every block at every position, before any pool.
    pub fn partial_sums(&self, x: &Tensor<2>) -> Vec<Vec<f32>> {
        self.each_block(product::sums(x.clone(), self.plain_weights(), &self.columns), x.dims()[0])
    }

    fn each_block(&self, sums: Tensor<3>, images: usize) -> Vec<Vec<f32>> {
        let [blocks, neurons, across] = sums.dims();
        let block = |k: usize| {
            let own = sums.clone().narrow(0, k, 1).reshape([neurons, images, across / images]);
            values(own.swap_dims(0, 1))
        };
        (0..blocks).map(block).collect()
    }

    /// What follows whole sums of any real value, given at every position before a pool: pool, batch norm, activation.
    pub fn follow(&self, images: usize, sums: Vec<f32>, norm: Option<&BatchNorm>, device: &Device) -> Outputs {
        let sums = match self.pool.filter(|p| p.order == PoolOrder::BeforeNormalize) {
            Some(pool) => pooled(sums, images, self.sums_map(), pool, device),
            None => sums,
        };
        self.finish(images, &[(norm, &sums)], device)
    }

    /// What follows the sums of blocks, `[image, neuron, position]`, each with the batch norm of its block.
    pub fn finish(&self, images: usize, parts: &[(Option<&BatchNorm>, &[f32])], device: &Device) -> Outputs {
        let neurons = self.neurons();
        let (scale, bias) = (self.scale_f64(), vec![0.0; neurons]);
        let relu = self.activation == Some(ActivationKind::Relu);
        let mut votes: Vec<f64> = Vec::new();
        for (norm, sums) in parts {
            let normalize = norm.map_or(Normalize::None, BatchNorm::running);
            let activation = self.exported_activation();
            let rule = export::rule(&self.name, &scale, &bias, normalize, activation.clone());
            let own = of_each(sums, neurons, sums.len() / (images * neurons), |j, s| {
                let y = rule.normalized(j, rule.scaled(j, f64::from(s)));
                activation.apply(j, y).map_or(if relu { y.max(0.0) } else { y }, f64::from)
            });
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

    /// Sums of every block, `[block, neuron, image and position]`, pooled where the pool comes before the normalisation.
    fn sums(&self, x: &Tensor<2>, weights: &Tensor<2>) -> Tensor<3> {
        let s = product::sums(x.clone(), weights.clone(), &self.columns);
        match self.pool.filter(|p| p.order == PoolOrder::BeforeNormalize) {
            Some(pool) => {
                let ([blocks, neurons, _], images, map) = (s.dims(), x.dims()[0], self.sums_map());
                let s = max_pool(s.reshape([blocks * neurons * images, map.rows, map.columns]), pool);
                let across = images * s.dims()[1] * s.dims()[2];
                s.reshape([blocks, neurons, across])
            }
            None => s,
        }
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

    /// XNOR-Net's or RBNN's scale of every neuron.
    fn scale(&self) -> Option<Vec<f32>> {
        if let Some(r) = &self.rotated {
            return Some(r.gain.latent().to_vec());
        }
        let scaled = self.weight.quantizer == Quantizer::Bipolar { scaled: true };
        scaled.then(|| self.weight.latent().chunks(self.inputs()).map(mean_magnitude).collect())
    }

    fn scale_row(&self, scale: Vec<f32>) -> Tensor<3> {
        let sides = [1, scale.len(), 1];
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

fn sums_map(op: &Op, input: Shape, neurons: usize) -> Result<Shape, String> {
    match op {
        Op::Dense => Ok(Shape { channels: neurons, rows: 1, columns: 1 }),
        Op::Conv(conv) => conv.output(input, neurons),
    }
}

/// `f(neuron, sum)` for all of `[image, neuron, position]`. Of whole numbers, which repeat, it is asked once for each that a
/// neuron can have.
fn of_each(sums: &[f32], neurons: usize, positions: usize, f: impl Fn(usize, f32) -> f64 + Sync) -> Vec<f64> {
    let size = |s: &f32| if *s as i32 as f32 == *s { s.abs() } else { f32::INFINITY };
    let reach = sums.par_iter().map(size).reduce(|| 0.0, f32::max);
    let values = 2 * reach.min(1e6) as usize + 1;
    let table: Option<Vec<f64>> = (reach < 1e6 && neurons * values < sums.len())
        .then(|| (0..neurons * values).into_par_iter().map(|i| f(i / values, (i % values) as f32 - reach)).collect());
    let mut out = vec![0.0; sums.len()];
    let fill = |(i, (sums, out)): (usize, (&[f32], &mut [f64]))| {
        let j = i % neurons;
        let pairs = sums.iter().zip(out);
        match &table {
            Some(table) => {
                let own = &table[j * values..][..values];
                pairs.for_each(|(s, y)| *y = own[(s + reach) as usize]);
            }
            None => pairs.for_each(|(s, y)| *y = f(j, *s)),
        }
    };
    sums.par_chunks_exact(positions).zip(out.par_chunks_exact_mut(positions)).enumerate().for_each(fill);
    out
}

fn pooled(data: Vec<f32>, images: usize, map: Shape, pool: Pool, device: &Device) -> Vec<f32> {
    let sides = [images * map.channels, map.rows, map.columns];
    values(max_pool(Tensor::from_data(TensorData::new(data, sides), device), pool))
}
