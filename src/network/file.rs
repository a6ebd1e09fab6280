//! Reading and writing `.safetensors` networks.

use std::{collections::HashMap, path::Path};

use ndarray::Array2;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::topology::{
    self, ActivationTopology, BlockTopology, CodeTopology, CutTopology, FORMAT, InputTopology, LayerTopology,
    NormalizeTopology, OpTopology, PoolTopology, Reals, Topology, ValuesTopology, WeightsTopology,
};
use super::validate::LARGEST_SIDE;
use super::{
    Activation, Block, Conv, Cut, Input, InputCode, InputValues, Layer, Network, NetworkError, Normalize, Op, Pool,
    WeightKind, Weights,
};

/// Key of the topology in the metadata.
const KEY: &str = "hafnia";

/// Reads a network; every error names the file and the place in it.
pub fn load(path: &Path) -> Result<Network, NetworkError> {
    let io = |action| move |source| NetworkError::Io { path: path.into(), action, source };
    let bytes = std::fs::read(path).map_err(io("read the network"))?;
    let container =
        |e: safetensors::SafeTensorError| NetworkError::Container { path: path.into(), reason: e.to_string() };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(container)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(container)?;
    let text =
        header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or(NetworkError::NoTopology { path: path.into() })?;
    let topology = topology::parse(text).map_err(|reason| NetworkError::Topology { path: path.into(), reason })?;
    let reader = Reader { path, tensors: &tensors };
    let input = read_input(path, topology.input)?;
    let layers = topology.layers.into_iter().map(|l| reader.layer(l)).collect::<Result<_, _>>()?;
    Network::new(topology.name, input, layers)
        .map_err(|source| NetworkError::In { path: path.into(), source: Box::new(source) })
}

fn read_input(path: &Path, input: InputTopology) -> Result<Input, NetworkError> {
    if input.code == CodeTopology::Bipolar && input.values.is_some() {
        let reason = "input: `values` has no meaning for `bipolar` codes, where 1 is +1 and 0 is -1; leave it out";
        return Err(NetworkError::Topology { path: path.into(), reason: reason.into() });
    }
    let values = match input.values {
        None => InputValues::Affine { gain: 1, offset: 0 },
        Some(ValuesTopology::Affine([gain, offset])) => InputValues::Affine { gain, offset },
        Some(ValuesTopology::Threshold(at)) => InputValues::Threshold { at },
        Some(ValuesTopology::Table(table)) if table.len() == 256 => InputValues::Table(table),
        Some(ValuesTopology::Table(table)) => {
            let reason = format!("input: table has {} entries; one for each byte makes 256", table.len());
            return Err(NetworkError::Topology { path: path.into(), reason });
        }
    };
    let code = match input.code {
        CodeTopology::U8 => InputCode::U8(values),
        CodeTopology::I8 => InputCode::I8(values),
        CodeTopology::Bipolar => InputCode::Bipolar,
    };
    Ok(Input { shape: input.shape, code })
}

struct Reader<'a> {
    path: &'a Path,
    tensors: &'a SafeTensors<'a>,
}

impl Reader<'_> {
    fn layer(&self, layer: LayerTopology) -> Result<Layer, NetworkError> {
        let name = layer.name;
        let kernel = match &layer.op {
            OpTopology::Dense => None,
            OpTopology::Conv { kernel, .. } => Some(*kernel),
        };
        let values = self.weights(&name, &layer.weights, kernel)?;
        let neurons = values.nrows();
        let reals = |r: Reals| self.reals(&name, neurons, r);
        let or = |r: Option<Reals>, absent| r.map_or_else(|| Ok(vec![absent; neurons]), reals);
        let scale = or(layer.weights.scale, 1.0)?;
        let bias = or(layer.bias, 0.0)?;
        let normalize = self.normalize(&name, neurons, layer.normalize)?;
        let blocks = layer.blocks.into_iter().map(|b| self.block(&name, neurons, b)).collect::<Result<Vec<_>, _>>()?;
        let activation = match (layer.activation, blocks.first()) {
            (Some(activation), _) => self.activation(&name, neurons, activation)?,
            (None, Some(block)) => block.activation.of_votes(neurons),
            (None, None) => {
                let reason = format!("layer `{name}` has no `activation`; only one with `blocks` may leave it out");
                return Err(NetworkError::Topology { path: self.path.into(), reason });
            }
        };
        let op = match layer.op {
            OpTopology::Dense => Op::Dense,
            OpTopology::Conv { kernel, stride, pad, pad_value } => Op::Conv(Conv { kernel, stride, pad, pad_value }),
        };
        let pool = layer.pool.map(|p| Pool { size: p.size, stride: p.stride.unwrap_or(p.size), order: p.order });
        let weights = Weights { kind: layer.weights.kind, values, scale };
        Ok(Layer { name, op, weights, bias, normalize, activation, pool, blocks })
    }

    fn block(&self, layer: &str, neurons: usize, block: BlockTopology) -> Result<Block, NetworkError> {
        let bias = block.bias.map_or_else(|| Ok(vec![0.0; neurons]), |r| self.reals(layer, neurons, r))?;
        let normalize = self.normalize(layer, neurons, block.normalize)?;
        let activation = self.activation(layer, neurons, block.activation)?;
        Ok(Block { inputs: block.inputs, bias, normalize, activation })
    }

    fn normalize(
        &self,
        layer: &str,
        neurons: usize,
        normalize: Option<NormalizeTopology>,
    ) -> Result<Normalize, NetworkError> {
        let reals = |r: Reals| self.reals(layer, neurons, r);
        Ok(match normalize {
            None => Normalize::None,
            Some(NormalizeTopology::BatchNorm { gamma, beta, mean, variance, epsilon }) => Normalize::BatchNorm {
                gamma: reals(gamma)?,
                beta: reals(beta)?,
                mean: reals(mean)?,
                variance: reals(variance)?,
                epsilon,
            },
            Some(NormalizeTopology::Affine { gain, shift }) => {
                Normalize::Affine { gain: reals(gain)?, shift: reals(shift)? }
            }
        })
    }

    fn activation(
        &self,
        layer: &str,
        neurons: usize,
        activation: ActivationTopology,
    ) -> Result<Activation, NetworkError> {
        let reals = |r: Reals| self.reals(layer, neurons, r);
        let cut = |c: CutTopology| Ok::<_, NetworkError>(Cut { at: reals(c.at)?, strict: c.strict });
        Ok(match activation {
            ActivationTopology::Bipolar { threshold } => Activation::Bipolar { threshold: reals(threshold)? },
            ActivationTopology::Ternary { above, below } => {
                Activation::Ternary { above: cut(above)?, below: cut(below)? }
            }
            ActivationTopology::DeadZone { delta } => Activation::Ternary {
                above: Cut { at: vec![delta; neurons], strict: true },
                below: Cut { at: vec![-delta; neurons], strict: true },
            },
            ActivationTopology::Scores {} => Activation::Scores,
        })
    }

    fn error(&self, layer: &str, tensor: &str, reason: impl Into<String>) -> NetworkError {
        NetworkError::Tensor {
            path: self.path.into(),
            layer: layer.into(),
            tensor: tensor.into(),
            reason: reason.into(),
        }
    }

    fn tensor(&self, layer: &str, name: &str) -> Result<TensorView<'_>, NetworkError> {
        self.tensors.tensor(name).map_err(|_| {
            let names = self.tensors.names();
            let near = crate::suggest::nearest(name, names.iter().copied());
            self.error(layer, name, format!("is not in the file{near}"))
        })
    }

    fn weights(
        &self,
        layer: &str,
        w: &WeightsTopology,
        kernel: Option<[usize; 2]>,
    ) -> Result<Array2<i8>, NetworkError> {
        let view = self.tensor(layer, &w.tensor)?;
        let bad = |reason: String| self.error(layer, &w.tensor, reason);
        if let Some(inputs) = w.packed {
            return unpack(&view, w.kind, inputs).map_err(bad);
        }
        let (rows, columns) = match *view.shape() {
            [rows, columns] => (rows, columns),
            // A convolution's: channel, kernel row, kernel column, which is the order of a neuron's inputs.
            [rows, channels, kernel_rows, kernel_columns] => {
                if let Some([r, c]) = kernel.filter(|k| *k != [kernel_rows, kernel_columns]) {
                    let shape = view.shape();
                    return Err(bad(format!(
                        "has shape {shape:?}, but a {r} x {c} kernel has [neurons, channels, {r}, {c}] (channels last? transpose it)"
                    )));
                }
                let columns = channels.checked_mul(kernel_rows).and_then(|n| n.checked_mul(kernel_columns));
                (rows, columns.unwrap_or(usize::MAX))
            }
            _ => {
                let kinds =
                    "dense weights are [neurons, inputs], those of a convolution [neurons, channels, rows, columns]";
                return Err(bad(format!("has shape {:?}; {kinds}", view.shape())));
            }
        };
        check_sides(rows, columns).map_err(bad)?;
        let values: Vec<i8> = match view.dtype() {
            Dtype::I8 => view.data().iter().map(|b| *b as i8).collect(),
            Dtype::F32 | Dtype::F64 => {
                let reals = numbers(&view).map_err(bad)?;
                let whole = |v: &f64| v.fract() == 0.0 && (-128.0..=127.0).contains(v);
                if let Some(at) = reals.iter().position(|v| !whole(v)) {
                    let place = format!("[{}, {}]", at / columns, at % columns);
                    return Err(bad(format!(
                        "value {place} is {}; weights are whole numbers, -1 to 1 or 8-bit (put a common factor into `scale`)",
                        reals[at]
                    )));
                }
                reals.into_iter().map(|v| v as i8).collect()
            }
            other => return Err(bad(format!("has type {other:?}; weights are I8, F32 or F64 (U8 with `packed`)"))),
        };
        Array2::from_shape_vec((rows, columns), values).map_err(|e| bad(e.to_string()))
    }

    fn reals(&self, layer: &str, neurons: usize, reals: Reals) -> Result<Vec<f64>, NetworkError> {
        let name = match reals {
            Reals::Same(value) => return Ok(vec![value; neurons]),
            Reals::Tensor(name) => name,
        };
        let view = self.tensor(layer, &name)?;
        let values = numbers(&view).map_err(|reason| self.error(layer, &name, reason))?;
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(self.error(
                layer,
                &name,
                format!("value [{at}] is {}; every value must be finite", values[at]),
            ));
        }
        match values.len() {
            1 => Ok(vec![values[0]; neurons]),
            n if n == neurons => Ok(values),
            n => Err(self.error(
                layer,
                &name,
                format!(
                    "has {n} values for {neurons} neurons (weights are [neurons, inputs]); give one, or one for each"
                ),
            )),
        }
    }
}

/// The values of a tensor as f64; refuses integers that f64 cannot hold.
fn numbers(view: &TensorView) -> Result<Vec<f64>, String> {
    fn each<const N: usize>(data: &[u8], f: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        data.chunks_exact(N).map(|c| f(c.try_into().expect("chunk of N"))).collect()
    }
    let data = view.data();
    Ok(match view.dtype() {
        Dtype::F64 => each(data, f64::from_le_bytes),
        Dtype::F32 => each(data, |b| f32::from_le_bytes(b).into()),
        Dtype::I8 => each(data, |b| i8::from_le_bytes(b).into()),
        Dtype::U8 => each(data, |b| u8::from_le_bytes(b).into()),
        Dtype::I16 => each(data, |b| i16::from_le_bytes(b).into()),
        Dtype::I32 => each(data, |b| i32::from_le_bytes(b).into()),
        Dtype::I64 => {
            let values = each(data, |b| i64::from_le_bytes(b) as f64);
            if values.iter().any(|v| v.abs() > 2f64.powi(53)) {
                return Err("holds integers beyond +-2^53".into());
            }
            values
        }
        other => return Err(format!("has type {other:?}; use F64, F32 or I8 to I64")),
    })
}

/// Before anything is made as large as a header says.
fn check_sides(neurons: usize, inputs: usize) -> Result<(), String> {
    match [neurons, inputs].iter().all(|side| (1..=LARGEST_SIDE).contains(side)) {
        true => Ok(()),
        false => Err(format!("makes {neurons} neurons of {inputs} inputs; each must be 1 to {LARGEST_SIDE}")),
    }
}

/// Bit-packed weights, see [`WeightsTopology::packed`].
fn unpack(view: &TensorView, kind: WeightKind, inputs: usize) -> Result<Array2<i8>, String> {
    let bytes = inputs.div_ceil(8);
    let (planes, neurons) = match (kind, view.shape()) {
        (WeightKind::Bipolar, &[n, b]) if b == bytes => (1, n),
        (WeightKind::Ternary, &[2, n, b]) if b == bytes => (2, n),
        (kind, shape) => {
            return Err(format!(
                "packed {kind:?} weights of {inputs} inputs have shape {shape:?}; expected [neurons, {bytes}] for bipolar, [2, neurons, {bytes}] for ternary"
            ));
        }
    };
    check_sides(neurons, inputs)?;
    if view.dtype() != Dtype::U8 {
        return Err(format!("packed weights have type {:?}; use U8", view.dtype()));
    }
    let data = view.data();
    let bit = |plane: usize, j: usize, i: usize| (data[(plane * neurons + j) * bytes + i / 8] >> (i % 8)) & 1 == 1;
    let sign = |b: bool| if b { 1 } else { -1 };
    if planes == 2 {
        let all = (0..neurons).flat_map(|j| (0..inputs).map(move |i| (j, i)));
        if let Some((j, i)) = all.into_iter().find(|&(j, i)| bit(1, j, i) && !bit(0, j, i)) {
            return Err(format!("weight [{j}, {i}] is positive in plane 1 but 0 in plane 0, which says nonzero"));
        }
    }
    Ok(Array2::from_shape_fn((neurons, inputs), |(j, i)| match planes {
        1 => sign(bit(0, j, i)),
        _ if bit(0, j, i) => sign(bit(1, j, i)),
        _ => 0,
    }))
}

/// Writes a network, weights bit-packed; the file appears whole or not at all, and equal networks give equal bytes.
pub fn save(network: &Network, path: &Path) -> Result<(), NetworkError> {
    let mut writer = Writer::default();
    let layers = network.layers.iter().map(|l| writer.layer(l)).collect();
    let (code, values) = match &network.input.code {
        InputCode::U8(v) => (CodeTopology::U8, Some(v)),
        InputCode::I8(v) => (CodeTopology::I8, Some(v)),
        InputCode::Bipolar => (CodeTopology::Bipolar, None),
    };
    let values = values.map(|v| match v {
        InputValues::Affine { gain, offset } => ValuesTopology::Affine([*gain, *offset]),
        InputValues::Threshold { at } => ValuesTopology::Threshold(*at),
        InputValues::Table(table) => ValuesTopology::Table(table.clone()),
    });
    let input = InputTopology { shape: network.input.shape.clone(), code, values };
    let topology = Topology { format: FORMAT, name: network.name.clone(), input, layers };
    let text = serde_json::to_string(&topology).expect("a topology is plain data");
    let views = writer
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), TensorView::new(t.dtype, t.shape.clone(), &t.data).expect("shape and data agree")));
    let metadata = HashMap::from([(KEY.to_string(), text)]);
    let bytes = safetensors::serialize(views, Some(metadata)).expect("views are valid");
    crate::whole_file::write(path, &bytes).map_err(|source| NetworkError::Io {
        path: path.into(),
        action: "write the network",
        source,
    })
}

struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

#[derive(Default)]
struct Writer {
    tensors: Vec<Tensor>,
}

impl Writer {
    fn layer(&mut self, layer: &Layer) -> LayerTopology {
        let name = &layer.name;
        let op = match &layer.op {
            Op::Dense => OpTopology::Dense,
            Op::Conv(Conv { kernel, stride, pad, pad_value }) => {
                OpTopology::Conv { kernel: *kernel, stride: *stride, pad: *pad, pad_value: *pad_value }
            }
        };
        let blocks = layer.blocks.iter().enumerate().map(|(k, b)| {
            let part = |part: &str| format!("blocks.{k}.{part}");
            BlockTopology {
                inputs: b.inputs,
                bias: self.bias(name, &part("bias"), &b.bias),
                normalize: self.normalize(name, &part(""), &b.normalize),
                activation: self.activation(name, &part(""), &b.activation),
            }
        });
        LayerTopology {
            name: name.clone(),
            op,
            blocks: blocks.collect(),
            weights: self.weights(name, &layer.weights),
            bias: self.bias(name, "bias", &layer.bias),
            normalize: self.normalize(name, "", &layer.normalize),
            activation: Some(self.activation(name, "", &layer.activation)),
            pool: layer.pool.as_ref().map(|p| PoolTopology { size: p.size, stride: Some(p.stride), order: p.order }),
        }
    }

    fn bias(&mut self, layer: &str, part: &str, bias: &[f64]) -> Option<Reals> {
        bias.iter().any(|b| *b != 0.0).then(|| self.reals(layer, part, bias))
    }

    /// Tensors are called LAYER.PREFIXpart.
    fn normalize(&mut self, layer: &str, prefix: &str, normalize: &Normalize) -> Option<NormalizeTopology> {
        let mut reals = |part: &str, values: &[f64]| self.reals(layer, &format!("{prefix}{part}"), values);
        match normalize {
            Normalize::None => None,
            Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => Some(NormalizeTopology::BatchNorm {
                gamma: reals("gamma", gamma),
                beta: reals("beta", beta),
                mean: reals("mean", mean),
                variance: reals("variance", variance),
                epsilon: *epsilon,
            }),
            Normalize::Affine { gain, shift } => {
                Some(NormalizeTopology::Affine { gain: reals("gain", gain), shift: reals("shift", shift) })
            }
        }
    }

    fn activation(&mut self, layer: &str, prefix: &str, activation: &Activation) -> ActivationTopology {
        let mut reals = |part: &str, values: &[f64]| self.reals(layer, &format!("{prefix}{part}"), values);
        match activation {
            Activation::Bipolar { threshold } => {
                ActivationTopology::Bipolar { threshold: reals("threshold", threshold) }
            }
            Activation::Ternary { above, below } => ActivationTopology::Ternary {
                above: CutTopology { at: reals("above", &above.at), strict: above.strict },
                below: CutTopology { at: reals("below", &below.at), strict: below.strict },
            },
            Activation::Scores => ActivationTopology::Scores {},
        }
    }

    fn push(&mut self, layer: &str, part: &str, dtype: Dtype, shape: Vec<usize>, data: Vec<u8>) -> String {
        let name = format!("{layer}.{part}");
        self.tensors.push(Tensor { name: name.clone(), dtype, shape, data });
        name
    }

    /// One number where all neurons share it, else an F64 tensor.
    fn reals(&mut self, layer: &str, part: &str, values: &[f64]) -> Reals {
        if values.iter().all(|v| v.to_bits() == values[0].to_bits()) {
            return Reals::Same(values[0]);
        }
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Reals::Tensor(self.push(layer, part, Dtype::F64, vec![values.len()], data))
    }

    fn weights(&mut self, layer: &str, weights: &Weights) -> WeightsTopology {
        let values = &weights.values;
        let (neurons, inputs) = values.dim();
        let bytes = inputs.div_ceil(8);
        let plane = |set: fn(i8) -> bool| {
            let mut data = vec![0u8; neurons * bytes];
            for ((j, i), w) in values.indexed_iter() {
                data[j * bytes + i / 8] |= u8::from(set(*w)) << (i % 8);
            }
            data
        };
        let positive = || plane(|w| w > 0);
        let (dtype, shape, data) = match weights.kind {
            WeightKind::Bipolar => (Dtype::U8, vec![neurons, bytes], positive()),
            WeightKind::Ternary => (Dtype::U8, vec![2, neurons, bytes], [plane(|w| w != 0), positive()].concat()),
            WeightKind::Int8 => (Dtype::I8, vec![neurons, inputs], values.iter().map(|w| *w as u8).collect()),
        };
        let tensor = self.push(layer, "weight", dtype, shape, data);
        let packed = (weights.kind != WeightKind::Int8).then_some(inputs);
        let scale = weights.scale.iter().any(|s| *s != 1.0).then(|| self.reals(layer, "scale", &weights.scale));
        WeightsTopology { tensor, kind: weights.kind, scale, packed }
    }
}
