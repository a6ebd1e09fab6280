//! What each operator does to the value on the data path.

use super::{Value, Walk};
use crate::network::import::attributes::Attributes;
use crate::network::import::constant::{Constant, advice};
use crate::network::import::graph::is_standard;
use crate::network::import::multithreshold::MultiThreshold;
use crate::network::import::proto::{NodeProto, data_type};
use crate::network::import::quant::{Quantizer, Step, per_neuron};
use crate::network::import::sum::{BatchNorm, Change, Levels};
use crate::network::import::tensor::{Tensor, axis, broadcast, count};
use crate::network::import::{is_custom, is_quantizer, shape, weights};
use crate::network::{Activation, Input};

impl Walk<'_> {
    /// Applies a node to the flowing value; gives its new shape.
    pub(super) fn apply(&mut self, node: &NodeProto, place: usize, shape: Vec<usize>) -> Result<Vec<usize>, String> {
        if is_quantizer(node) || (node.op_type == "MultiThreshold" && is_custom(&node.domain)) {
            if place != 0 {
                return Err("one of its parameters is computed from the image".into());
            }
            self.quantize(node)?;
            return Ok(shape);
        }
        if !is_standard(&node.domain) {
            return Err(advice(&node.op_type));
        }
        let op = node.op_type.as_str();
        if place != 0 && !matches!(op, "Add" | "Sub" | "Mul" | "Div" | "Pow") {
            return Err(match op {
                "MatMul" | "Gemm" => "its weights stand on the left; write the layer as x W".into(),
                _ => "one of its parameters is computed from the image".into(),
            });
        }
        match op {
            "Identity" => {
                Attributes::of(node, &[])?;
                Ok(shape)
            }
            "Dropout" => {
                Attributes::of(node, &["ratio", "seed"])?;
                let training =
                    self.inputs(node).get(2).copied().flatten().is_some_and(|c| c.tensor.scalar() != Some(0.0));
                if training {
                    return Err("it is in training mode; export the model after `model.eval()`".into());
                }
                Ok(shape)
            }
            "Cast" => self.cast(node).map(|()| shape),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                let to = shape::changed(node, &shape, self.inputs(node).get(1).copied().flatten())?;
                self.keeps_order(&to)?;
                Ok(to)
            }
            "Transpose" => {
                let perm = shape::permutation(node, shape.len())?;
                let long: Vec<usize> = perm.iter().copied().filter(|p| shape[*p] != 1).collect();
                if !long.is_sorted() {
                    return Err("it reorders the data; only weights can be transposed".into());
                }
                let to: Vec<usize> = perm.iter().map(|p| shape[*p]).collect();
                self.keeps_order(&to)?;
                Ok(to)
            }
            "Add" | "Sub" | "Mul" | "Div" | "Pow" => {
                Attributes::of(node, &[])?;
                let constant =
                    self.inputs(node).get(1 - place).copied().flatten().ok_or("it lacks an input")?.tensor.clone();
                self.arithmetic(op, &constant, place == 1)?;
                // Checked to be one value, or one a neuron: only leading axes can be added.
                let to = broadcast(&shape, &constant.shape)?;
                count(&to)?;
                Ok(to)
            }
            "Neg" | "Sqrt" => {
                Attributes::of(node, &[])?;
                match &mut self.value {
                    Value::Pixels(pixels) => pixels.unary(op)?,
                    _ if op == "Sqrt" => {
                        return Err("a root of the data is no straight line; only constants take it".into());
                    }
                    Value::Sum(sum) => sum.change(&Change::From(vec![0.0; sum.neurons()])),
                    Value::Levels(levels) => levels.change(&Change::From(vec![0.0; levels.len()]))?,
                    Value::Class => return Err(after_class()),
                }
                Ok(shape)
            }
            "BatchNormalization" => self.batch_norm(node, &shape).map(|()| shape),
            "MatMul" | "Gemm" => self.product(node, &shape),
            "TopK" | "ArgMax" => self.class(node, &shape).map(|()| vec![1, 1]),
            _ => Err(advice(op)),
        }
    }

    /// A new shape must leave one row of neurons as the last axis, once there are neurons.
    fn keeps_order(&self, to: &[usize]) -> Result<(), String> {
        let neurons = match &self.value {
            Value::Pixels(_) | Value::Class => return Ok(()),
            Value::Sum(sum) => sum.neurons(),
            Value::Levels(levels) => levels.len(),
        };
        match to.last() == Some(&neurons) {
            true => Ok(()),
            false => Err(format!("it gives shape {to:?}, which breaks up the {neurons} neurons of the last axis")),
        }
    }

    fn cast(&mut self, node: &NodeProto) -> Result<(), String> {
        let to = Attributes::of(node, &["to", "saturate"])?.int("to", 0)?;
        let to = i32::try_from(to).unwrap_or(0);
        match (&mut self.value, to) {
            (Value::Class, _) | (Value::Sum(_) | Value::Levels(_), data_type::FLOAT | data_type::DOUBLE) => Ok(()),
            (Value::Pixels(pixels), data_type::FLOAT) => {
                pixels.cast();
                Ok(())
            }
            _ => Err(format!("it casts the data to {}; only float32 can be imported", data_type::name(to))),
        }
    }

    fn quantize(&mut self, node: &NodeProto) -> Result<(), String> {
        let inputs = self.inputs(node);
        let step: Step = if node.op_type == "MultiThreshold" {
            let thresholds = MultiThreshold::parse(node, &inputs)?;
            match &mut self.value {
                Value::Pixels(pixels) => return pixels.quantize(|v| thresholds.table(v)),
                Value::Sum(sum) => thresholds.step(sum.neurons())?,
                Value::Levels(_) => {
                    return Err("it quantizes an activation a second time; remove one of the two".into());
                }
                Value::Class => return Err(after_class()),
            }
        } else {
            let quantizer = Quantizer::parse(node, &inputs)?;
            match &mut self.value {
                Value::Pixels(pixels) => return pixels.quantize(|v| quantizer.table(v)),
                Value::Sum(sum) => quantizer.step(sum.neurons())?,
                Value::Levels(levels) => {
                    for values in levels.values() {
                        if !quantizer.keeps(&values)? {
                            return Err(
                                "it quantizes an activation a second time, to other values; remove one of the two"
                                    .into(),
                            );
                        }
                    }
                    return Ok(());
                }
                Value::Class => return Err(after_class()),
            }
        };
        let levels = Levels::new(&step);
        self.finish(step.activation);
        self.value = Value::Levels(levels);
        Ok(())
    }

    /// Ends the layer whose sums flow now.
    pub(super) fn finish(&mut self, activation: Activation) {
        if let Value::Sum(sum) = std::mem::replace(&mut self.value, Value::Class) {
            self.layers.push(sum.finish(self.layers.len(), activation));
        }
    }

    fn arithmetic(&mut self, op: &str, constant: &Tensor, constant_first: bool) -> Result<(), String> {
        if let Value::Pixels(pixels) = &mut self.value {
            return pixels.arithmetic(op, constant, constant_first);
        }
        let neurons = match &self.value {
            Value::Sum(sum) => sum.neurons(),
            Value::Levels(levels) => levels.len(),
            _ => return Err(after_class()),
        };
        let c = per_neuron(constant, neurons).map_err(|e| format!("its constant {e}"))?;
        let change = match (op, constant_first) {
            ("Add", _) => Change::Add(c),
            ("Sub", false) => Change::Add(c.into_iter().map(|c| -c).collect()),
            ("Sub", true) => Change::From(c),
            ("Mul", _) => Change::Mul(c),
            ("Div", false) if c.contains(&0.0) => return Err("it divides by zero".into()),
            ("Div", false) => Change::Div(c),
            ("Pow", false) if c.iter().all(|c| *c == 1.0) => return Ok(()),
            _ => {
                return Err(
                    "it is no straight line in the data; only x + c, x - c, c - x, x c and x / c can be imported"
                        .into(),
                );
            }
        };
        match &mut self.value {
            Value::Sum(sum) => sum.change(&change),
            Value::Levels(levels) => levels.change(&change)?,
            _ => {}
        }
        Ok(())
    }

    fn batch_norm(&mut self, node: &NodeProto, shape: &[usize]) -> Result<(), String> {
        let attributes = Attributes::of(node, &["epsilon", "momentum", "spatial", "training_mode"])?;
        if attributes.flag("training_mode", false)? {
            return Err("it is in training mode; export the model after `model.eval()`".into());
        }
        if !attributes.flag("spatial", true)? {
            return Err("its `spatial` is 0; export again with a newer opset".into());
        }
        let epsilon = attributes.float("epsilon", 1e-5)?;
        let inputs: Vec<Option<Constant>> = self.inputs(node).into_iter().map(|c| c.cloned()).collect();
        let input = |at: usize| match inputs.get(at) {
            Some(Some(c)) => Ok(&c.tensor),
            _ => Err(format!("its input {at} is not a constant")),
        };
        let parameters = [input(1)?, input(2)?, input(3)?, input(4)?];
        match &mut self.value {
            Value::Pixels(pixels) => pixels.batch_norm(parameters, epsilon),
            Value::Sum(sum) => {
                let neurons = sum.neurons();
                if shape.len() != 2 || shape[1] != neurons {
                    return Err(format!("its input has shape {shape:?}; flatten it to [batch, neurons] first"));
                }
                if let Some(odd) = parameters.iter().find(|p| p.shape != [neurons]) {
                    return Err(format!("a parameter has shape {:?}; its input has {neurons} neurons", odd.shape));
                }
                let [gamma, beta, mean, variance] = parameters.map(|p| p.f64s());
                let epsilon = f64::from(epsilon);
                if let Some(v) = variance.iter().find(|v| **v < 0.0 || **v + epsilon <= 0.0) {
                    return Err(format!("a variance is {v}; variance + epsilon must be positive"));
                }
                sum.batch_norm(BatchNorm { gamma, beta, mean, variance, epsilon });
                Ok(())
            }
            Value::Levels(_) => {
                Err("it normalizes the output of a quantizer, each neuron by its own scale; put it between \
                                     the matrix product and the quantizer"
                    .into())
            }
            Value::Class => Err(after_class()),
        }
    }

    /// `MatMul` and `Gemm`: a new layer begins.
    fn product(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, String> {
        let gemm = node.op_type == "Gemm";
        let attributes = Attributes::of(node, if gemm { &["alpha", "beta", "transA", "transB"] } else { &[] })?;
        if attributes.flag("transA", false)? {
            return Err("it transposes the data (transA); export it without".into());
        }
        let inputs = self.inputs(node);
        let constant = inputs.get(1).copied().flatten().ok_or("its weights (input 1) are not a constant")?;
        if constant.tensor.shape.len() != 2 {
            return Err(format!("its weights have shape {:?}; a dense layer has two axes", constant.tensor.shape));
        }
        let mut weights = match attributes.flag("transB", false)? {
            true => weights::factor(constant)?,
            false => weights::factor(&constant.rearranged(|t| t.transpose(&[1, 0]))?)?,
        };
        let (neurons, width) = weights.values.dim();
        if shape.last() != Some(&width) {
            return Err(format!("its weights take {width} inputs, the data have shape {shape:?}; flatten them first"));
        }
        if gemm && shape.len() != 2 {
            return Err(format!("its input has shape {shape:?}; Gemm takes two axes, so flatten first"));
        }
        let alpha = f64::from(attributes.float("alpha", 1.0)?);
        if alpha == 0.0 {
            return Err("its alpha is 0, so the data do not count".into());
        }
        weights.scale.iter_mut().for_each(|s| *s *= alpha);
        let beta = f64::from(attributes.float("beta", 1.0)?);
        let bias = match inputs.get(2).copied().flatten() {
            None => vec![0.0; neurons],
            Some(c) => {
                let c = per_neuron(&c.tensor, neurons).map_err(|e| format!("its bias {e}"))?;
                c.into_iter().map(|c| beta * c).collect()
            }
        };
        let sum = match &self.value {
            Value::Pixels(pixels) => {
                let encoded = pixels.encode()?;
                let shape = self.image_shape(shape, width)?;
                self.input = Some(Input { shape, code: encoded.code });
                Levels::of_input(encoded.scale, encoded.offset, width).sum(weights, bias)
            }
            Value::Levels(levels) => levels.sum(weights, bias),
            Value::Sum(_) => {
                return Err("no quantizer stands between it and the layer before; put a BipolarQuant, or a Quant of 2 bits (signed, narrow), there".into());
            }
            Value::Class => return Err(after_class()),
        };
        self.value = Value::Sum(Box::new(sum));
        let mut to = shape.to_vec();
        *to.last_mut().expect("compared above") = neurons;
        count(&to)?;
        Ok(to)
    }

    /// Shape of one image, from that of the graph's input and that before the first layer.
    fn image_shape(&self, shape: &[usize], width: usize) -> Result<Vec<usize>, String> {
        let start = &self.shapes[self.graph.input.name.as_str()];
        let images = shape.iter().product::<usize>() / width;
        match (images, start.as_slice()) {
            (1, [1, rest @ ..]) if !rest.is_empty() => Ok(rest.to_vec()),
            (1, all) => Ok(all.to_vec()),
            (n, [batch, rest @ ..]) if n == *batch && !rest.is_empty() => Ok(rest.to_vec()),
            _ => Err(format!(
                "its weights take {width} inputs, so the input {start:?} would be {images} images; flatten it before the first layer"
            )),
        }
    }

    /// `TopK` with k = 1 and `ArgMax`: the class, which a network gives anyway.
    fn class(&mut self, node: &NodeProto, shape: &[usize]) -> Result<(), String> {
        let (attributes, along) = if node.op_type == "TopK" {
            let attributes = Attributes::of(node, &["axis", "k", "largest", "sorted"])?;
            let k = match self.inputs(node).get(1).copied().flatten() {
                Some(c) => c.tensor.scalar(),
                None => Some(attributes.int("k", 0)? as f64),
            };
            if k != Some(1.0) {
                return Err("it picks more than one class; only k = 1 can be imported".into());
            }
            if !attributes.flag("largest", true)? {
                return Err("it picks the smallest score; the class is the largest".into());
            }
            let along = attributes.int("axis", -1)?;
            (attributes, along)
        } else {
            let attributes = Attributes::of(node, &["axis", "keepdims", "select_last_index"])?;
            let along = attributes.int("axis", 0)?;
            (attributes, along)
        };
        if attributes.has("select_last_index") && attributes.flag("select_last_index", false)? {
            return Err("it picks the last of equal scores; here ties go to the first (select_last_index=0)".into());
        }
        if axis(along, shape.len())? + 1 != shape.len() {
            return Err(format!("it works along axis {along} of {shape:?}; the classes are the last axis"));
        }
        match self.value {
            Value::Sum(_) => {
                self.finish(Activation::Scores);
                Ok(())
            }
            Value::Class => Err(after_class()),
            _ => {
                Err("it picks a class where there are no scores; end the network in a dense layer without quantizer"
                    .into())
            }
        }
    }
}

fn after_class() -> String {
    "it computes on the class index; end the network there".into()
}
