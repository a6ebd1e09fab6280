//! Small models built by hand, imported from their bytes.

mod damage;
mod input;
mod layers;
mod map_refusals;
mod maps;
mod mnist;
mod refusals;
mod steps;

use std::path::Path;

use prost::Message;

use super::proto::*;
use super::{ImportOptions, from_bytes};
use crate::network::{Network, NetworkError};

/// A model under construction. Its input is `x`, its output `y`.
#[derive(Clone, Default)]
struct Model(ModelProto);

impl Model {
    /// A float input of this shape.
    fn new(shape: &[i64]) -> Self {
        let dim = shape.iter().map(|v| Dimension { dim_value: (*v > 0).then_some(*v) }).collect();
        let tensor_type = Some(TensorType { elem_type: 1, shape: Some(TensorShape { dim }) });
        Self::bare(Some(TypeProto { tensor_type }))
    }

    fn bare(r#type: Option<TypeProto>) -> Self {
        let graph = GraphProto {
            input: vec![ValueInfo { name: "x".into(), r#type }],
            output: vec![ValueInfo { name: "y".into(), r#type: None }],
            ..Default::default()
        };
        let opset_import = vec![OperatorSetId { domain: String::new(), version: 13 }];
        Self(ModelProto { graph: Some(graph), opset_import })
    }

    fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let tensor = TensorProto {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: data_type::FLOAT,
            float_data: values.to_vec(),
            ..Default::default()
        };
        self.graph().initializer.push(tensor);
        self
    }

    fn ints(mut self, name: &str, dims: &[i64], values: &[i64]) -> Self {
        let tensor = TensorProto {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: data_type::INT64,
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..Default::default()
        };
        self.graph().initializer.push(tensor);
        self
    }

    /// `output = op(inputs)`, all names separated by spaces; quantizers get a QONNX domain.
    fn node(mut self, output: &str, op: &str, inputs: &str) -> Self {
        let custom =
            matches!(op, "Quant" | "IntQuant" | "BipolarQuant" | "MultiThreshold" | "Trunc" | "Im2Col" | "MaxPoolNHWC");
        let node = NodeProto {
            name: format!("{op}_{output}"),
            op_type: op.into(),
            domain: if custom { "qonnx.custom_op.general".into() } else { String::new() },
            input: inputs.split_whitespace().map(Into::into).collect(),
            output: output.split_whitespace().map(Into::into).collect(),
            attribute: Vec::new(),
        };
        self.graph().node.push(node);
        self
    }

    fn attribute(mut self, attribute: AttributeProto) -> Self {
        self.graph().node.last_mut().unwrap().attribute.push(attribute);
        self
    }

    fn int(self, name: &str, i: i64) -> Self {
        self.attribute(AttributeProto { name: name.into(), i, r#type: attribute_type::INT, ..Default::default() })
    }

    fn float(self, name: &str, f: f32) -> Self {
        self.attribute(AttributeProto { name: name.into(), f, r#type: attribute_type::FLOAT, ..Default::default() })
    }

    fn list(self, name: &str, ints: &[i64]) -> Self {
        let ints = ints.to_vec();
        self.attribute(AttributeProto { name: name.into(), ints, r#type: attribute_type::INTS, ..Default::default() })
    }

    fn text(self, name: &str, s: &str) -> Self {
        let s = s.as_bytes().to_vec();
        self.attribute(AttributeProto { name: name.into(), s, r#type: attribute_type::STRING, ..Default::default() })
    }

    /// `Quant` with constants of its own, named after the output.
    fn quant(self, output: &str, input: &str, q: Q) -> Self {
        let names = ["s", "z", "b"].map(|p| format!("{output}_{p}"));
        self.floats(&names[0], &[], &[q.scale])
            .floats(&names[1], &[], &[q.zero])
            .floats(&names[2], &[], &[q.bits])
            .node(output, "Quant", &format!("{input} {}", names.join(" ")))
            .int("signed", q.signed.into())
            .int("narrow", q.narrow.into())
            .text("rounding_mode", q.mode)
    }

    /// The last layer: two scores from the two values of `input`.
    fn head(self, input: &str) -> Self {
        self.floats("head", &[2, 2], &[1., -1., 1., 1.]).node("y", "MatMul", &format!("{input} head"))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// Imports with pixels as they are.
    fn import(&self) -> Result<Network, NetworkError> {
        self.import_with(Some(1.0))
    }

    fn import_with(&self, input_scale: Option<f32>) -> Result<Network, NetworkError> {
        from_bytes(Path::new("models/mlp.onnx"), &self.bytes(), &ImportOptions { input_scale, name: None })
    }

    fn refusal(&self) -> String {
        self.import().expect_err("must be refused").to_string()
    }
}

#[derive(Clone, Copy)]
struct Q {
    scale: f32,
    zero: f32,
    bits: f32,
    signed: bool,
    narrow: bool,
    mode: &'static str,
}

/// Ternary: 2 bits, signed, narrow.
const TERNARY: Q = Q { scale: 0.5, zero: 0.0, bits: 2.0, signed: true, narrow: true, mode: "ROUND" };

/// Two inputs, then `MatMul` to `s = [x0 + x1, x0 - x1]`.
fn start() -> Model {
    Model::new(&[1, 2]).floats("w", &[2, 2], &[1., 1., 1., -1.]).node("s", "MatMul", "x w")
}

/// Scores of a network, the plain way.
fn scores(network: &Network, image: &[u8]) -> Vec<f64> {
    let mut x: Vec<i64> = image.iter().map(|b| network.input.code.value(*b).into()).collect();
    for layer in &network.layers {
        let sums = layer.weights.values.outer_iter().map(|w| w.iter().zip(&x).map(|(w, x)| i64::from(*w) * x).sum());
        let y: Vec<f64> = sums.enumerate().map(|(j, s)| layer.value(j, s)).collect();
        let next = y.iter().enumerate().map(|(j, y)| layer.activation.apply(j, *y).map(i64::from));
        match next.collect::<Option<Vec<i64>>>() {
            Some(next) => x = next,
            None => return y,
        }
    }
    unreachable!("a network ends in scores")
}
