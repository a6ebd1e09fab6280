//! What each operator does to the value on the data path.

use super::layers::after_class;
use super::{Pending, Value, Walk};
use crate::network::Activation;
use crate::network::import::attributes::Attributes;
use crate::network::import::constant::{Constant, advice};
use crate::network::import::graph::is_standard;
use crate::network::import::layout::{Channels, Layout};
use crate::network::import::multithreshold::MultiThreshold;
use crate::network::import::proto::{NodeProto, data_type};
use crate::network::import::quant::{Quantizer, Step, per_channel};
use crate::network::import::sum::{BatchNorm, Change, Levels};
use crate::network::import::tensor::{Tensor, axis, broadcast, count};
use crate::network::import::{is_custom, is_quantizer, shape};

impl Walk<'_> {
    /// Applies a node to the flowing value; gives its new shape.
    pub(super) fn apply(&mut self, node: &NodeProto, place: usize, shape: Vec<usize>) -> Result<Vec<usize>, String> {
        let op = node.op_type.as_str();
        match &self.pending {
            _ if matches!(op, "Identity" | "Dropout" | "Cast") => {}
            Some(Pending::Pad { .. }) if !matches!(op, "Conv" | "Im2Col") => {
                return Err(
                    "a Pad stands before it, which only a convolution can take; pad directly before a Conv".into()
                );
            }
            Some(Pending::Patches { .. }) if op != "MatMul" => {
                return Err("an Im2Col stands before it, which only a MatMul with the kernel can take".into());
            }
            _ => {}
        }
        if is_quantizer(node) || (node.op_type == "MultiThreshold" && is_custom(&node.domain)) {
            if place != 0 {
                return Err("one of its parameters is computed from the image".into());
            }
            self.quantize(node, &shape)?;
            return Ok(shape);
        }
        if !is_standard(&node.domain) {
            return match op {
                "Im2Col" if is_custom(&node.domain) => self.patches(node, &shape),
                "MaxPoolNHWC" if is_custom(&node.domain) => self.max_pool(node, &shape, true),
                _ => Err(advice(op)),
            };
        }
        if place != 0 && !matches!(op, "Add" | "Sub" | "Mul" | "Div" | "Pow") {
            return Err(match op {
                "MatMul" | "Gemm" | "Conv" => "its weights stand on the left; write the layer as x W".into(),
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
                self.transpose(&shape, &perm)?;
                Ok(perm.iter().map(|p| shape[*p]).collect())
            }
            "Add" | "Sub" | "Mul" | "Div" | "Pow" => {
                Attributes::of(node, &[])?;
                let constant =
                    self.inputs(node).get(1 - place).copied().flatten().ok_or("it lacks an input")?.tensor.clone();
                self.arithmetic(op, &constant, place == 1, &shape)?;
                // Checked to be one value, or one a channel: only leading axes can be added.
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
                    Value::Levels(levels) => levels.change(&Change::From(vec![0.0; levels.channels()]))?,
                    Value::Class => return Err(after_class()),
                }
                Ok(shape)
            }
            "BatchNormalization" => self.batch_norm(node, &shape).map(|()| shape),
            "MatMul" | "Gemm" => self.product(node, &shape),
            "Conv" => self.conv(node, &shape),
            "Pad" => self.pad(node, &shape),
            "MaxPool" | "GlobalMaxPool" => self.max_pool(node, &shape, false),
            "AveragePool" | "GlobalAveragePool" => self.average_pool(node, &shape),
            "TopK" | "ArgMax" => self.class(node, &shape).map(|()| vec![1, 1]),
            _ => Err(advice(op)),
        }
    }

    /// A new shape must leave channels, rows and columns whole, once there are any.
    fn keeps_order(&self, to: &[usize]) -> Result<(), String> {
        match self.layout {
            Some(layout) if !layout.fits(to) && !matches!(self.value, Value::Class) => {
                let what = match layout.map.positions() {
                    1 => format!("{} neurons", layout.map.channels),
                    _ => format!("map of {} (channels, rows, columns)", layout.map),
                };
                Err(format!("it gives shape {to:?}, which breaks up the {what}"))
            }
            _ => Ok(()),
        }
    }

    /// `Transpose`: moves the channels of a map behind its positions, or back.
    fn transpose(&mut self, shape: &[usize], perm: &[usize]) -> Result<(), String> {
        let long: Vec<usize> = perm.iter().copied().filter(|p| shape[*p] != 1).collect();
        if long.is_sorted() || matches!(self.value, Value::Class) {
            return Ok(());
        }
        // An image moved from one order to the other is in the first of them now.
        let layout = match (self.layout, perm) {
            (Some(layout), _) => Some(layout),
            (None, [0, 2, 3, 1]) => Layout::of(shape, false),
            (None, [0, 3, 1, 2]) => Layout::of(shape, true),
            _ => None,
        };
        let to = layout.and_then(|l| l.transposed(shape, perm)).ok_or(
            "it reorders the data in another way than from image, channel, row, column to image, row, column, channel or back; \
             export the model without it",
        )?;
        self.layout = Some(to);
        Ok(())
    }

    /// The channels that constants of an operator are lined up with.
    fn channels(&self, shape: &[usize]) -> Result<Channels, String> {
        self.layout.map(|l| l.channels(shape)).ok_or_else(|| "no layer stands before it".into())
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

    fn quantize(&mut self, node: &NodeProto, shape: &[usize]) -> Result<(), String> {
        let inputs = self.inputs(node);
        let step: Step = if node.op_type == "MultiThreshold" {
            let thresholds = MultiThreshold::parse(node, &inputs)?;
            match &mut self.value {
                Value::Pixels(pixels) => return pixels.quantize(|v| thresholds.table(v)),
                Value::Sum(_) => thresholds.step(self.channels(shape)?, shape.len())?,
                Value::Levels(_) => {
                    return Err("it quantizes an activation a second time; remove one of the two".into());
                }
                Value::Class => return Err(after_class()),
            }
        } else {
            let quantizer = Quantizer::parse(node, &inputs)?;
            match &mut self.value {
                Value::Pixels(pixels) => return pixels.quantize(|v| quantizer.table(v)),
                Value::Sum(_) => quantizer.step(self.channels(shape)?)?,
                Value::Levels(levels) => {
                    let values = levels.values();
                    let channels = self.channels(shape)?;
                    for values in values {
                        if !quantizer.keeps(&values, channels)? {
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

    fn arithmetic(&mut self, op: &str, constant: &Tensor, constant_first: bool, shape: &[usize]) -> Result<(), String> {
        if let Value::Pixels(pixels) = &mut self.value {
            return pixels.arithmetic(op, constant, constant_first);
        }
        if matches!(self.value, Value::Class) {
            return Err(after_class());
        }
        let c = per_channel(constant, self.channels(shape)?).map_err(|e| format!("its constant {e}"))?;
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
                let layout = self.layout.ok_or("no layer stands before it")?;
                if shape.get(1) != Some(&neurons) || (neurons > 1 && layout.channel_axis(shape) != Some(1)) {
                    return Err(format!(
                        "it normalizes along axis 1 of {shape:?}, which is not that of the {neurons} neurons; put it where the \
                         data are image, channel, row, column, or [batch, neurons]"
                    ));
                }
                if let Some(odd) = parameters.iter().find(|p| p.shape != [neurons]) {
                    return Err(format!("a parameter has shape {:?}; its input has {neurons} channels", odd.shape));
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
        let along_classes = |at: usize| {
            self.layout
                .is_some_and(|l| l.map.positions() == 1 && (l.map.channels == 1 || l.channel_axis(shape) == Some(at)))
        };
        if matches!(self.value, Value::Sum(_)) && !along_classes(axis(along, shape.len())?) {
            return Err(format!(
                "it works along axis {along} of {shape:?}; the classes have an axis of their own, and one position"
            ));
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
