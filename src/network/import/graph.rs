//! The graph of a model: names resolved, dead nodes dropped, nodes in an order that computes each before its use.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::attributes::short;
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfo};

/// Opset versions of the standard operators that the importer's reading of them covers.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=25;

pub struct Graph {
    pub nodes: Vec<NodeProto>,
    /// Live nodes in order of computation.
    pub order: Vec<usize>,
    pub initializers: HashMap<String, TensorProto>,
    pub input: GraphInput,
    pub outputs: Vec<String>,
}

/// The one input that is not an initializer.
pub struct GraphInput {
    pub name: String,
    /// `TensorProto.DataType`, where the file says.
    pub data_type: Option<i32>,
    /// Sides, `None` where unknown; absent where the file has no shape.
    pub shape: Option<Vec<Option<usize>>>,
    /// Data type that FINN notes.
    pub finn_type: Option<String>,
}

/// A node in messages: name, operator, domain, index; all from the file, so quoted and cut.
pub fn label(index: usize, node: &NodeProto) -> String {
    let domain = match node.domain.as_str() {
        "" => String::new(),
        d => format!(", domain {:?}", short(d)),
    };
    format!("{:?} (op {:?}{domain}, index {index})", short(&node.name), short(&node.op_type))
}

/// Whether the domain is that of the standard operators.
pub fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

impl Graph {
    pub fn new(model: ModelProto) -> Result<Self, String> {
        for opset in &model.opset_import {
            if is_standard(&opset.domain) && !OPSETS.contains(&opset.version) {
                return Err(format!(
                    "opset version {} is outside {} to {}; export again with `opset_version=13`",
                    opset.version,
                    OPSETS.start(),
                    OPSETS.end()
                ));
            }
        }
        let graph = model.graph.ok_or("it holds no graph; is this an ONNX file?")?;
        if !graph.sparse_initializer.is_empty() {
            return Err("it has sparse initializers; store them dense".into());
        }
        let input = graph_input(&graph)?;
        let GraphProto { node: nodes, initializer, output, .. } = graph;
        let outputs: Vec<String> = output.into_iter().map(|o| o.name).collect();

        let mut initializers = HashMap::new();
        for tensor in initializer {
            if let Some(twin) = initializers.insert(tensor.name.clone(), tensor) {
                return Err(format!("two initializers are called {:?}", short(&twin.name)));
            }
        }
        let producers = producers(&nodes, &initializers, &input.name)?;
        let live = live(&nodes, &producers, &initializers, &input.name, &outputs)?;
        let order = order(&nodes, &producers, &live)?;
        Ok(Self { nodes, order, initializers, input, outputs })
    }
}

fn graph_input(graph: &GraphProto) -> Result<GraphInput, String> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let free: Vec<&ValueInfo> = graph.input.iter().filter(|i| !constants.contains(i.name.as_str())).collect();
    let &[input] = free.as_slice() else {
        let names: Vec<&str> = free.iter().take(4).map(|i| short(&i.name)).collect();
        let n = free.len();
        return Err(format!("the graph has {n} inputs {names:?}; exactly one (the image) can be imported"));
    };
    if input.name.is_empty() {
        return Err("the graph's input has no name".into());
    }
    let kind = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let side = |v: Option<i64>| v.and_then(|v| usize::try_from(v).ok()).filter(|v| *v > 0);
    let shape = kind.and_then(|t| t.shape.as_ref()).map(|s| s.dim.iter().map(|d| side(d.dim_value)).collect());
    let note = graph.quantization_annotation.iter().find(|a| a.tensor_name == input.name);
    let finn_type = note
        .and_then(|a| a.quant_parameter_tensor_names.iter().find(|e| e.key == "finn_datatype"))
        .map(|e| e.value.clone());
    let data_type = kind.map(|t| t.elem_type).filter(|t| *t != 0);
    Ok(GraphInput { name: input.name.clone(), data_type, shape, finn_type })
}

/// Which node computes each tensor; every name has one origin.
fn producers(
    nodes: &[NodeProto],
    initializers: &HashMap<String, TensorProto>,
    input: &str,
) -> Result<HashMap<String, usize>, String> {
    let mut producers = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            let taken = initializers.contains_key(output) || output == input;
            if taken || producers.insert(output.clone(), index).is_some() {
                let name = short(output);
                return Err(format!("node {} computes {name:?}, which already has a value", label(index, node)));
            }
        }
    }
    Ok(producers)
}

/// The nodes that an output needs; every tensor they read must exist.
fn live(
    nodes: &[NodeProto],
    producers: &HashMap<String, usize>,
    initializers: &HashMap<String, TensorProto>,
    input: &str,
    outputs: &[String],
) -> Result<BTreeSet<usize>, String> {
    if outputs.is_empty() {
        return Err("the graph has no output".into());
    }
    let known = |name: &str| initializers.contains_key(name) || name == input;
    let mut live = BTreeSet::new();
    let mut work = Vec::new();
    for output in outputs {
        match producers.get(output) {
            Some(index) => work.push(*index),
            None if known(output) => {}
            None => return Err(format!("nothing computes the graph's output {:?}", short(output))),
        }
    }
    while let Some(index) = work.pop() {
        if !live.insert(index) {
            continue;
        }
        for name in nodes[index].input.iter().filter(|n| !n.is_empty()) {
            match producers.get(name) {
                Some(from) => work.push(*from),
                None if known(name) => {}
                None => {
                    let node = label(index, &nodes[index]);
                    return Err(format!("node {node} reads {:?}, which nothing computes", short(name)));
                }
            }
        }
    }
    Ok(live)
}

/// Lowest index first among the nodes whose inputs are ready.
fn order(
    nodes: &[NodeProto],
    producers: &HashMap<String, usize>,
    live: &BTreeSet<usize>,
) -> Result<Vec<usize>, String> {
    let mut waits: HashMap<usize, usize> = HashMap::new();
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut ready = BTreeSet::new();
    for index in live {
        let from: HashSet<usize> = nodes[*index].input.iter().filter_map(|n| producers.get(n).copied()).collect();
        if from.is_empty() {
            ready.insert(*index);
        }
        waits.insert(*index, from.len());
        from.into_iter().for_each(|f| readers.entry(f).or_default().push(*index));
    }
    let mut order = Vec::with_capacity(live.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for reader in readers.get(&index).into_iter().flatten() {
            let left = waits.get_mut(reader).expect("every live node waits");
            *left -= 1;
            if *left == 0 {
                ready.insert(*reader);
            }
        }
    }
    if order.len() < live.len() {
        let stuck = live.iter().find(|i| waits[i] > 0).expect("some node still waits");
        return Err(format!("node {} depends on its own output", label(*stuck, &nodes[*stuck])));
    }
    Ok(order)
}
