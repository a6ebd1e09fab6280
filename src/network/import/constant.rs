//! Folding: what a node gives when all its inputs are constants.

use super::attributes::{Attributes, short};
use super::graph::is_standard;
use super::proto::{NodeProto, data_type};
use super::quant::Quantizer;
use super::tensor::{Data, Tensor, axis, broadcast, count};
use super::{is_quantizer, shape};
use crate::network::WeightKind;

/// A constant of the graph.
#[derive(Clone, Debug)]
pub struct Constant {
    pub tensor: Tensor,
    /// Where it is the output of a quantizer: the whole numbers that it is made of.
    pub quantized: Option<Quantized>,
}

/// `codes * scale`, both of the tensor's shape.
#[derive(Clone, Debug)]
pub struct Quantized {
    pub codes: Tensor,
    pub scale: Tensor,
    pub kind: WeightKind,
}

impl From<Tensor> for Constant {
    fn from(tensor: Tensor) -> Self {
        Self { tensor, quantized: None }
    }
}

impl Constant {
    pub fn bytes(&self) -> usize {
        let quantized = self.quantized.as_ref().map_or(0, |q| q.codes.bytes() + q.scale.bytes());
        self.tensor.bytes() + quantized
    }

    /// Moves values about without changing them, the quantizer's record alike.
    pub fn rearranged(&self, f: impl Fn(&Tensor) -> Result<Tensor, String>) -> Result<Self, String> {
        let quantized = match &self.quantized {
            None => None,
            Some(q) => Some(Quantized { codes: f(&q.codes)?, scale: f(&q.scale)?, kind: q.kind }),
        };
        Ok(Self { tensor: f(&self.tensor)?, quantized })
    }
}

/// The node's first output.
pub fn fold(node: &NodeProto, inputs: &[Option<&Constant>]) -> Result<Constant, String> {
    if is_quantizer(node) {
        return Quantizer::parse(node, inputs)?.fold(&need(inputs, 0)?.tensor);
    }
    if !is_standard(&node.domain) {
        return Err(advice(&node.op_type));
    }
    let result = match node.op_type.as_str() {
        "Constant" => constant(node)?.into(),
        "Identity" => {
            Attributes::of(node, &[])?;
            need(inputs, 0)?.clone()
        }
        "Cast" => cast(node, need(inputs, 0)?)?,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" => {
            Attributes::of(node, &[])?;
            binary(&node.op_type, &need(inputs, 0)?.tensor, &need(inputs, 1)?.tensor)?.into()
        }
        "Neg" | "Sqrt" => {
            Attributes::of(node, &[])?;
            unary(&node.op_type, &need(inputs, 0)?.tensor)?.into()
        }
        "Transpose" => {
            let c = need(inputs, 0)?;
            let perm = shape::permutation(node, c.tensor.shape.len())?;
            c.rearranged(|t| t.transpose(&perm))?
        }
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
            let c = need(inputs, 0)?;
            let to = shape::changed(node, &c.tensor.shape, inputs.get(1).copied().flatten())?;
            c.rearranged(|t| t.reshape(to.clone()))?
        }
        "Shape" => shape::of(node, &need(inputs, 0)?.tensor.shape)?.into(),
        "Gather" => gather(node, need(inputs, 0)?, need(inputs, 1)?)?,
        "Concat" => {
            let attributes = Attributes::of(node, &["axis"])?;
            let parts = (0..inputs.len()).map(|i| Ok(&need(inputs, i)?.tensor)).collect::<Result<Vec<_>, String>>()?;
            let rank = parts.first().map_or(0, |p| p.shape.len());
            Tensor::concat(&parts, axis(attributes.int("axis", 0)?, rank)?)?.into()
        }
        "Slice" => slice(node, inputs)?,
        op => return Err(advice(op)),
    };
    result.tensor.finite()?;
    Ok(result)
}

fn need<'a>(inputs: &[Option<&'a Constant>], at: usize) -> Result<&'a Constant, String> {
    inputs.get(at).copied().flatten().ok_or_else(|| format!("its input {at} is missing"))
}

fn constant(node: &NodeProto) -> Result<Tensor, String> {
    let a = Attributes::of(node, &["value", "value_float", "value_floats", "value_int", "value_ints"])?;
    if let Some(t) = a.tensor("value")? {
        return Tensor::from_proto(t);
    }
    if let Some(v) = a.floats("value_floats")? {
        return Tensor::new(vec![v.len()], Data::F32(v.to_vec()));
    }
    if let Some(v) = a.ints("value_ints")? {
        return Ok(Tensor::vector(v.to_vec()));
    }
    if a.has("value_float") {
        return Tensor::new(vec![], Data::F32(vec![a.float("value_float", 0.0)?]));
    }
    if a.has("value_int") {
        return Tensor::new(vec![], Data::Int(vec![a.int("value_int", 0)?]));
    }
    Err("it has no value".into())
}

/// Limits of an integer type.
fn limits(code: i32) -> Option<(i64, i64)> {
    Some(match code {
        data_type::UINT8 => (0, u8::MAX.into()),
        data_type::INT8 => (i8::MIN.into(), i8::MAX.into()),
        data_type::UINT16 => (0, u16::MAX.into()),
        data_type::INT16 => (i16::MIN.into(), i16::MAX.into()),
        data_type::INT32 => (i32::MIN.into(), i32::MAX.into()),
        data_type::INT64 => (i64::MIN, i64::MAX),
        _ => return None,
    })
}

fn cast(node: &NodeProto, c: &Constant) -> Result<Constant, String> {
    let to = Attributes::of(node, &["to", "saturate"])?.int("to", 0)?;
    let to = i32::try_from(to).unwrap_or(0);
    let t = &c.tensor;
    let data = match (&t.data, to) {
        (Data::F32(_), data_type::FLOAT) | (Data::F64(_), data_type::DOUBLE) => return Ok(c.clone()),
        (Data::F64(v), data_type::FLOAT) => Data::F32(v.iter().map(|v| *v as f32).collect()),
        (Data::Int(v), data_type::FLOAT) => Data::F32(v.iter().map(|v| *v as f32).collect()),
        (_, data_type::DOUBLE) => Data::F64(t.f64s()),
        (_, data_type::BOOL) => Data::Int(t.f64s().iter().map(|v| i64::from(*v != 0.0)).collect()),
        (data, to) => {
            let (lo, hi) =
                limits(to).ok_or_else(|| format!("it casts to {}, which is not handled", data_type::name(to)))?;
            let whole = match data {
                Data::Int(v) => v.clone(),
                _ => t.f64s().iter().map(|v| v.trunc() as i64).collect(),
            };
            match whole.iter().find(|v| !(lo..=hi).contains(*v)) {
                Some(v) => return Err(format!("it casts {v} to {}, which cannot hold it", data_type::name(to))),
                None => Data::Int(whole),
            }
        }
    };
    Ok(Tensor::new(t.shape.clone(), data)?.into())
}

/// `x op y` in f32, as a runtime computes it. Powers go through f64, so that every machine gives the same.
pub fn arithmetic(op: &str, x: f32, y: f32) -> f32 {
    match op {
        "Add" => x + y,
        "Sub" => x - y,
        "Mul" => x * y,
        "Div" => x / y,
        _ => power(x.into(), y.into()) as f32,
    }
}

fn power(x: f64, y: f64) -> f64 {
    match y {
        0.5 => x.sqrt(),
        1.0 => x,
        2.0 => x * x,
        _ => x.powf(y),
    }
}

fn binary(op: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, String> {
    let shape = broadcast(&a.shape, &b.shape)?;
    count(&shape)?;
    let (a, b) = (a.broadcast_to(&shape)?, b.broadcast_to(&shape)?);
    let data = match (&a.data, &b.data) {
        (Data::F32(x), Data::F32(y)) => Data::F32(x.iter().zip(y).map(|(x, y)| arithmetic(op, *x, *y)).collect()),
        (Data::F32(x), _) if op == "Pow" => {
            Data::F32(x.iter().zip(b.f64s()).map(|(x, y)| power((*x).into(), y) as f32).collect())
        }
        (Data::F64(x), Data::F64(y)) => {
            let each = |x: f64, y: f64| match op {
                "Add" => x + y,
                "Sub" => x - y,
                "Mul" => x * y,
                "Div" => x / y,
                _ => power(x, y),
            };
            Data::F64(x.iter().zip(y).map(|(x, y)| each(*x, *y)).collect())
        }
        (Data::Int(x), Data::Int(y)) => {
            let each = |x: i64, y: i64| match op {
                "Add" => x.checked_add(y),
                "Sub" => x.checked_sub(y),
                "Mul" => x.checked_mul(y),
                "Div" => x.checked_div(y),
                _ => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
            };
            let all: Option<Vec<i64>> = x.iter().zip(y).map(|(x, y)| each(*x, *y)).collect();
            Data::Int(all.ok_or("whole numbers overflow, or are divided by zero")?)
        }
        _ => return Err("it mixes constants of different types".into()),
    };
    Tensor::new(shape, data)
}

fn unary(op: &str, t: &Tensor) -> Result<Tensor, String> {
    let negate = op == "Neg";
    let data = match &t.data {
        Data::F32(v) => Data::F32(v.iter().map(|v| if negate { -v } else { v.sqrt() }).collect()),
        Data::F64(v) => Data::F64(v.iter().map(|v| if negate { -v } else { v.sqrt() }).collect()),
        Data::Int(v) if negate => {
            let all: Option<Vec<i64>> = v.iter().map(|v| v.checked_neg()).collect();
            Data::Int(all.ok_or("whole numbers overflow")?)
        }
        Data::Int(_) => return Err("it takes the root of whole numbers".into()),
    };
    Tensor::new(t.shape.clone(), data)
}

fn gather(node: &NodeProto, data: &Constant, indices: &Constant) -> Result<Constant, String> {
    let attributes = Attributes::of(node, &["axis"])?;
    let along = axis(attributes.int("axis", 0)?, data.tensor.shape.len())?;
    let side = data.tensor.shape[along];
    let places = indices.tensor.ints()?.iter().map(|i| {
        let wide = if *i < 0 { i.checked_add(side as i64) } else { Some(*i) };
        let place = wide.and_then(|i| usize::try_from(i).ok()).filter(|i| *i < side);
        place.ok_or_else(|| format!("index {i} is outside an axis of {side}"))
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    data.rearranged(|t| t.gather(along, &places, &indices.tensor.shape))
}

fn slice(node: &NodeProto, inputs: &[Option<&Constant>]) -> Result<Constant, String> {
    let data = need(inputs, 0)?;
    let rank = data.tensor.shape.len();
    let attributes = Attributes::of(node, &["starts", "ends", "axes"])?;
    let given = |at: usize, name: &str| -> Result<Option<Vec<i64>>, String> {
        match (attributes.ints(name)?, inputs.get(at).copied().flatten()) {
            (Some(v), _) => Ok(Some(v.to_vec())),
            (None, Some(c)) => Ok(Some(c.tensor.ints()?.to_vec())),
            (None, None) => Ok(None),
        }
    };
    let starts = given(1, "starts")?.ok_or("its starts are missing")?;
    let ends = given(2, "ends")?.ok_or("its ends are missing")?;
    let axes = given(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = given(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] || starts.len() > rank {
        return Err("its starts, ends, axes and steps differ in number".into());
    }
    if steps.iter().any(|s| *s != 1) {
        return Err("it slices in steps; only steps of 1 are folded".into());
    }
    let mut result = data.clone();
    for ((start, end), along) in starts.iter().zip(&ends).zip(&axes) {
        let along = axis(*along, rank)?;
        let side = result.tensor.shape[along] as i64;
        let place = |v: i64| (if v < 0 { v.saturating_add(side) } else { v }).clamp(0, side) as usize;
        let places: Vec<usize> = (place(*start)..place(*end)).collect();
        result = result.rearranged(|t| t.gather(along, &places, &[places.len()]))?;
    }
    Ok(result)
}

/// What a refusal says of an operator that works on the data.
pub fn advice(op: &str) -> String {
    let op = short(op);
    match op {
        "AveragePool" | "GlobalAveragePool" | "ReduceMean" | "QuantAvgPool2d" | "GlobalAccPool" => {
            "averages of bipolar or ternary values are neither; use MaxPool or a convolution with a stride in its place, or \
             flatten the map into the dense layer"
                .into()
        }
        "ConvTranspose" | "Resize" | "Upsample" | "DepthToSpace" | "SpaceToDepth" => {
            format!("{op} is not imported: maps keep their size or shrink, by convolutions and MaxPool")
        }
        "Softmax" | "LogSoftmax" | "Sigmoid" | "Tanh" | "Softplus" => {
            "it does not change which class is largest; export the model without it".into()
        }
        "Relu" | "LeakyRelu" | "PRelu" | "Clip" | "HardTanh" | "Elu" | "Gelu" | "Selu" => {
            "real-valued activations cannot be mapped; use BipolarQuant, or Quant with 2 bits (signed, narrow), in its place".into()
        }
        "Sign" => "sign(0) would be 0; use BipolarQuant, whose sign(0) is +1".into(),
        "Trunc" => {
            "it cuts bits off an average, which is neither bipolar nor ternary; use MaxPool or a convolution with a stride in \
             place of the average pool"
                .into()
        }
        "FloatQuant" => "this quantizer is not imported; use Quant or BipolarQuant".into(),
        _ => "this operator is not imported; rewrite the model without it (docs/import.md lists what is)".into(),
    }
}
