//! The walk along the data path: from the image, operator by operator, to the layers of a network.

mod layers;
mod operators;

use std::collections::{HashMap, HashSet};

use super::ImportOptions;
use super::attributes::short;
use super::constant::{Constant, fold};
use super::graph::{Graph, is_standard, label};
use super::input::Pixels;
use super::layout::Layout;
use super::proto::NodeProto;
use super::shape;
use super::sum::{Levels, Sum};
use super::tensor::{Tensor, count};
use super::window::Window;
use crate::network::{Activation, Input, Layer};

/// Memory that all constants held at one time may take.
const MAX_CONSTANT_BYTES: usize = 1 << 30;

/// Why an import stops; at which node, where it is one's fault.
pub struct Refusal {
    pub node: Option<usize>,
    pub reason: String,
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self { node: None, reason }
    }
}

/// What flows on the data path.
enum Value {
    /// The image, before the first layer.
    Pixels(Pixels),
    /// Sums of a layer that still lacks its activation.
    Sum(Box<Sum>),
    /// Output of an activation.
    Levels(Levels),
    /// Index of the largest score: nothing is computed from it.
    Class,
}

/// What a node before a convolution says of it.
enum Pending {
    /// Padded positions above, left, below, right, and what they hold.
    Pad { pad: [usize; 4], value: f64 },
    /// Windows whose weights follow; padded positions hold `value`.
    Patches { window: Window, value: f64 },
}

pub struct Walk<'a> {
    graph: &'a Graph,
    options: &'a ImportOptions,
    constants: HashMap<&'a str, Constant>,
    constant_bytes: usize,
    /// How many reads of each tensor are still to come.
    reads: HashMap<&'a str, usize>,
    /// Shape of every tensor on the data path; an unknown batch counts as 1.
    shapes: HashMap<&'a str, Vec<usize>>,
    /// Names of the tensor that flows now.
    current: Vec<&'a str>,
    /// Node that read each tensor of the data path.
    readers: HashMap<&'a str, usize>,
    value: Value,
    /// How the value lies in the tensor that flows; of an image not before its order matters.
    layout: Option<Layout>,
    pending: Option<Pending>,
    input: Option<Input>,
    layers: Vec<Layer>,
}

impl<'a> Walk<'a> {
    pub fn new(graph: &'a Graph, options: &'a ImportOptions) -> Self {
        let mut reads = HashMap::new();
        for name in graph.order.iter().flat_map(|i| &graph.nodes[*i].input) {
            *reads.entry(name.as_str()).or_default() += 1;
        }
        Self {
            graph,
            options,
            constants: HashMap::new(),
            constant_bytes: 0,
            reads,
            shapes: HashMap::new(),
            current: vec![&graph.input.name],
            readers: HashMap::new(),
            value: Value::Class,
            layout: None,
            pending: None,
            input: None,
            layers: Vec::new(),
        }
    }

    pub fn run(mut self) -> Result<(Input, Vec<Layer>), Refusal> {
        let graph = self.graph;
        let mut depends: HashSet<&str> = HashSet::from([graph.input.name.as_str()]);
        let mut path = Vec::new();
        let at = |index| move |reason| Refusal { node: Some(index), reason };
        for index in &graph.order {
            let node = &graph.nodes[*index];
            if node.input.iter().any(|i| depends.contains(i.as_str())) {
                depends.extend(node.output.iter().map(String::as_str));
                path.push(*index);
            } else {
                self.fold(node).map_err(at(*index))?;
            }
        }
        self.value = Value::Pixels(Pixels::new(&graph.input, self.options)?);
        let start = self.start_shape(&path)?;
        self.shapes.insert(&graph.input.name, start);
        for index in path {
            self.step(index).map_err(at(index))?;
        }
        self.end()
    }

    /// Shape of the image with its batch axis, as far as the file has one; the first dense layer tells the rest.
    fn start_shape(&mut self, path: &[usize]) -> Result<Vec<usize>, String> {
        let graph = self.graph;
        let mut sides = graph.input.shape.clone().filter(|s| !s.is_empty()).unwrap_or_else(|| vec![Some(1), None]);
        if sides.len() > 1 {
            sides[0] = sides[0].or(Some(1));
        }
        if sides.contains(&None) {
            let width =
                self.first_width(path)?.ok_or("the graph has no dense layer (MatMul or Gemm with constant weights)")?;
            let known =
                sides.iter().skip(usize::from(sides.len() > 1)).flatten().try_fold(1usize, |n, s| n.checked_mul(*s));
            let rest = known.filter(|n| width.is_multiple_of(*n)).map(|n| width / n);
            if sides.iter().filter(|s| s.is_none()).count() > 1 || rest.is_none() {
                return Err("the graph's input has several unknown sides; export with a fixed input shape".into());
            }
            sides.iter_mut().for_each(|s| *s = s.or(rest));
        }
        let shape: Vec<usize> = sides.into_iter().flatten().collect();
        count(&shape)?;
        Ok(shape)
    }

    /// Inputs that the first dense layer takes.
    fn first_width(&mut self, path: &[usize]) -> Result<Option<usize>, String> {
        for index in path {
            let node = &self.graph.nodes[*index];
            let transposed = match node.op_type.as_str() {
                "Conv" | "Im2Col" | "MaxPool" | "Pad" => {
                    return Err(
                        "the graph's input has unknown sides, and a convolution takes any; export with a fixed input \
                                shape"
                            .into(),
                    );
                }
                "MatMul" => false,
                "Gemm" => node.attribute.iter().any(|a| a.name == "transB" && a.i != 0),
                _ => continue,
            };
            let Some(name) = node.input.get(1) else { continue };
            self.load(name)?;
            if let Some(&[rows, columns]) = self.constants.get(name.as_str()).map(|c| c.tensor.shape.as_slice()) {
                return Ok(Some(if transposed { columns } else { rows }));
            }
        }
        Ok(None)
    }

    /// Reads an initializer, the first time it is asked for.
    fn load(&mut self, name: &str) -> Result<(), String> {
        let graph = self.graph;
        if let Some((name, proto)) = graph.initializers.get_key_value(name)
            && !self.constants.contains_key(name.as_str())
        {
            let tensor = Tensor::from_proto(proto).map_err(|e| format!("its input {:?}: {e}", short(name)))?;
            self.keep(name, tensor.into())?;
        }
        Ok(())
    }

    fn keep(&mut self, name: &'a str, constant: Constant) -> Result<(), String> {
        self.constant_bytes += constant.bytes();
        if self.constant_bytes > MAX_CONSTANT_BYTES {
            return Err(format!("the constants up to here take more than {MAX_CONSTANT_BYTES} bytes"));
        }
        self.constants.insert(name, constant);
        Ok(())
    }

    /// Drops the constants that no later node reads.
    fn release(&mut self, node: &'a NodeProto) {
        for name in &node.input {
            if let Some(left) = self.reads.get_mut(name.as_str()) {
                *left -= 1;
                if *left == 0
                    && let Some(gone) = self.constants.remove(name.as_str())
                {
                    self.constant_bytes -= gone.bytes();
                }
            }
        }
    }

    /// The constants among a node's inputs, by position.
    fn inputs(&self, node: &NodeProto) -> Vec<Option<&Constant>> {
        node.input.iter().map(|name| self.constants.get(name.as_str())).collect()
    }

    /// A node whose inputs are all constants.
    fn fold(&mut self, node: &'a NodeProto) -> Result<(), String> {
        let name = node.output.first().filter(|o| !o.is_empty()).ok_or("it has no output")?;
        node.input.iter().try_for_each(|i| self.load(i))?;
        let absent = |i: &&String| !i.is_empty() && !self.constants.contains_key(i.as_str());
        if let Some(input) = node.input.iter().find(absent) {
            return Err(format!("it reads {:?}, an output that is not imported", short(input)));
        }
        let result = fold(node, &self.inputs(node))?;
        self.release(node);
        self.keep(name, result)
    }

    /// A node behind the graph's input: on the data path, or a shape computed from it.
    fn step(&mut self, index: usize) -> Result<(), String> {
        let node = &self.graph.nodes[index];
        let places: Vec<usize> =
            (0..node.input.len()).filter(|i| self.shapes.contains_key(node.input[*i].as_str())).collect();
        let place = match places.as_slice() {
            [] => return self.fold(node),
            [place] => *place,
            _ => return Err("it joins two branches of the data path; only chains can be imported".into()),
        };
        let (name, shape) = self.shapes.get_key_value(node.input[place].as_str()).expect("found above");
        let (name, shape) = (*name, shape.clone());
        let output = node.output.first().filter(|o| !o.is_empty()).ok_or("it has no output")?;
        if node.op_type == "Shape" && is_standard(&node.domain) {
            let sides = shape::of(node, &shape)?;
            return self.keep(output, sides.into());
        }
        if let Some(other) = self.readers.get(name) {
            let other = label(*other, &self.graph.nodes[*other]);
            return Err(format!("{:?} is also read by {other}; only chains can be imported, no branches", short(name)));
        }
        if !self.current.contains(&name) {
            return Err(format!("it reads {:?}, which lies beside the data path", short(name)));
        }
        for name in &self.current {
            self.readers.insert(name, index);
        }
        for (i, name) in node.input.iter().enumerate() {
            if i != place && !name.is_empty() {
                self.load(name)?;
                if !self.constants.contains_key(name.as_str()) {
                    return Err(format!("it reads {:?}, an output that is not imported", short(name)));
                }
            }
        }
        let shape = self.apply(node, place, shape)?;
        self.release(node);
        let outputs = if node.op_type == "TopK" { node.output.len() } else { 1 };
        self.current = node.output[..outputs].iter().map(String::as_str).filter(|o| !o.is_empty()).collect();
        for name in &self.current {
            self.shapes.insert(name, shape.clone());
        }
        Ok(())
    }

    fn end(mut self) -> Result<(Input, Vec<Layer>), Refusal> {
        for output in &self.graph.outputs {
            if !self.current.contains(&output.as_str()) {
                let name = short(output);
                return Err(format!(
                    "its output {name:?} is not the end of the data path; keep the scores as the only output"
                )
                .into());
            }
        }
        match self.value {
            Value::Sum(_) => self.finish(Activation::Scores),
            Value::Class => {}
            Value::Levels(_) => {
                return Err("it ends in a quantizer; export it so that it ends in the last layer's scores"
                    .to_string()
                    .into());
            }
            Value::Pixels(_) => return Err("it has no layer (MatMul, Gemm or Conv)".to_string().into()),
        }
        match self.input {
            Some(input) => Ok((input, self.layers)),
            None => Err("it has no layer (MatMul, Gemm or Conv)".to_string().into()),
        }
    }
}
