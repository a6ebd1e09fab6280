use super::*;

/// `start()`, then one node from `s` to `q`, then the head.
fn with(op: &str, inputs: &str) -> Model {
    start().floats("c", &[], &[2.0]).floats("zero", &[], &[0.0]).floats("per", &[2], &[1.0, 2.0]).node("q", op, inputs)
}

#[track_caller]
pub fn refuses(m: Model, parts: &[&str]) {
    let text = m.refusal();
    assert!(text.starts_with("models/mlp.onnx: "), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn operators_on_the_data_path_by_their_nodes() {
    refuses(with("ConvTranspose", "s c").head("q"), &["node \"ConvTranspose_q\" (op \"ConvTranspose\", index 1)"]);
    refuses(with("MaxPool", "s").head("q"), &["MaxPool_q", "four axes"]);
    refuses(with("Relu", "s").head("q"), &["BipolarQuant"]);
    refuses(with("Sign", "s").head("q"), &["sign(0)"]);
    refuses(start().node("y", "Softmax", "s"), &["export the model without it"]);
    refuses(with("Frobnicate", "s").head("q"), &["docs/import.md"]);
    refuses(with("Div", "c s").head("q"), &["straight line"]);
    refuses(with("Div", "s zero").head("q"), &["divides by zero"]);
    refuses(with("Pow", "s c").head("q"), &["straight line"]);
    refuses(with("Sqrt", "s").head("q"), &["only constants"]);
    refuses(with("Add", "s s").head("q"), &["branches"]);
    let signs = start().floats("a", &[], &[1.0]).node("b", "BipolarQuant", "s a");
    refuses(signs.node("q", "Transpose", "b").head("q"), &["flatten them first"]);
    refuses(with("Identity", "s").head("q"), &["no quantizer stands between"]);
    refuses(start().node("y", "Identity", "s").int("mystery", 1), &["\"mystery\" is not known"]);
    let mut m = with("Quant", "s c zero c").head("q");
    m.graph().node[1].domain = "my.domain".into();
    refuses(m, &["domain \"my.domain\""]);
}

#[test]
fn quantizers_that_have_no_hardware() {
    let quant = |q: Q| start().quant("q", "s", q).head("q");
    refuses(quant(Q { narrow: false, ..TERNARY }), &["4 levels", "bipolar or ternary"]);
    refuses(quant(Q { bits: 8.0, ..TERNARY }), &["255 levels"]);
    refuses(quant(Q { bits: 1.5, ..TERNARY }), &["bit width is 1.5"]);
    refuses(quant(Q { bits: 33.0, ..TERNARY }), &["bit width is 33", "from 1 to 32"]);
    refuses(quant(Q { bits: 32.0, ..TERNARY }), &["4294967295 levels"]);
    refuses(quant(Q { bits: 1.0, signed: false, ..TERNARY }), &["single level"]);
    refuses(quant(Q { scale: 0.0, ..TERNARY }), &["positive"]);
    refuses(quant(Q { mode: "DICE", ..TERNARY }), &["\"DICE\" is not known"]);
    refuses(with("BipolarQuant", "s per").head("q"), &["BipolarQuant_q", "neuron to neuron"]);
    refuses(with("Quant", "s c zero").head("q"), &["\"signed\" is missing"]);
    let scaled = start().floats("a", &[], &[1.0]).floats("p", &[2], &[1.0, 2.0]).node("b", "BipolarQuant", "s a");
    refuses(scaled.clone().node("q", "Mul", "b p").head("q"), &["Mul_q", "real-valued weights"]);
    refuses(scaled.clone().node("q", "Neg", "b").head("q"), &["must stay positive"]);
    refuses(scaled.quant("q", "b", TERNARY).head("q"), &["second time"]);
    let threshold = |dims: &[i64], t: &[f32]| start().floats("t", dims, t).node("q", "MultiThreshold", "s t");
    refuses(threshold(&[1, 3], &[0., 1., 2.]).head("q"), &["4 levels"]);
    refuses(threshold(&[3, 1], &[0., 1., 2.]).head("q"), &["3 channels"]);
    refuses(threshold(&[1], &[0.]).head("q"), &["[channels, thresholds]"]);
    refuses(threshold(&[1, 1], &[0.]).text("out_dtype", "BIPOLAR").head("q"), &["do not give -1 and +1"]);
    refuses(threshold(&[1, 1], &[0.]).float("out_scale", -2.0).head("q"), &["out_scale"]);
    refuses(threshold(&[1, 1], &[f32::INFINITY]).head("q"), &["must be finite"]);
}

#[test]
fn weights_that_are_real_or_broken() {
    let weights = |w: &[f32]| Model::new(&[1, 2]).floats("w", &[2, 1], w).node("y", "MatMul", "x w");
    refuses(weights(&[0.3, 0.7]), &["MatMul_y", "output 0", "quantize them"]);
    refuses(weights(&[f32::NAN, 1.0]), &["NaN", "must be finite"]);
    refuses(weights(&[1.0]), &["has 2 values but the file holds 1"]);
    let by_input = Model::new(&[1, 2]).floats("w", &[2, 1], &[1.0, 1.0]).floats("a", &[2, 1], &[1.0, 2.0]);
    refuses(by_input.node("q", "BipolarQuant", "w a").node("y", "MatMul", "x q"), &["input to input"]);
    let flat = Model::new(&[1, 2]).floats("w", &[2], &[1.0, 1.0]);
    refuses(flat.node("y", "MatMul", "x w"), &["two axes"]);
    let left = Model::new(&[2, 1]).floats("w", &[1, 2], &[1.0, 1.0]);
    refuses(left.node("y", "MatMul", "w x"), &["x W"]);
    let mut external = weights(&[1.0, 1.0]);
    external.graph().initializer[0].data_location = 1;
    refuses(external, &["another file"]);
    let mut huge = weights(&[1.0, 1.0]);
    huge.graph().initializer[0].dims = vec![1 << 40, 1 << 40];
    refuses(huge, &["larger than"]);
    let mut half = weights(&[1.0, 1.0]);
    half.graph().initializer[0].data_type = 10;
    refuses(half, &["float16"]);
}

#[test]
fn endings() {
    refuses(start().floats("a", &[], &[1.0]).node("y", "BipolarQuant", "s a"), &["ends in a quantizer"]);
    refuses(Model::new(&[1, 2]).node("y", "Identity", "x"), &["no layer (MatMul, Gemm or Conv)"]);
    refuses(start().ints("k", &[1], &[2]).node("v y", "TopK", "s k"), &["only k = 1"]);
    refuses(start().node("y", "ArgMax", "s"), &["axis 0"]);
    refuses(start().node("y", "ArgMax", "s").int("axis", -1).int("select_last_index", 1), &["ties"]);
    refuses(
        start().floats("c", &[], &[1.0]).node("a", "ArgMax", "s").int("axis", 1).node("y", "Add", "a c"),
        &["class"],
    );
    let mut two = start().node("y", "Identity", "s");
    two.graph().output.push(ValueInfo { name: "s".into(), r#type: None });
    refuses(two, &["\"s\" is not the end"]);
    let constant = start().floats("c", &[1], &[1.0]).node("y", "Identity", "c");
    refuses(constant, &["\"y\" is not the end"]);
}

#[test]
fn batch_norms() {
    let norm = |n: i64, v: f32| {
        let v = vec![v; n as usize];
        start().floats("p", &[n], &v).node("y", "BatchNormalization", "s p p p p")
    };
    refuses(norm(3, 1.0), &["parameter has shape [3]"]);
    refuses(norm(2, -1.0), &["variance is -1"]);
    refuses(norm(2, 1.0).int("training_mode", 1), &["model.eval()"]);
}

#[test]
fn graphs_that_are_no_chain() {
    let branch = start().floats("a", &[], &[1.0]).node("p", "BipolarQuant", "s a").node("r", "BipolarQuant", "s a");
    refuses(branch.node("y", "Add", "p r"), &["BipolarQuant_r", "also read by \"BipolarQuant_p\""]);
    let cycle = Model::new(&[1, 2]).node("a", "Add", "x b").node("b", "Identity", "a").node("y", "Identity", "b");
    refuses(cycle, &["depends on its own output"]);
    refuses(Model::new(&[1, 2]).node("y", "Add", "x ghost"), &["\"ghost\", which nothing computes"]);
    refuses(Model::new(&[1, 2]), &["nothing computes the graph's output"]);
    refuses(start().node("s", "Identity", "x").node("y", "Identity", "s"), &["already has a value"]);
    let mut two = start().node("y", "Identity", "s");
    two.graph().input.push(ValueInfo { name: "other".into(), r#type: None });
    refuses(two.clone(), &["2 inputs [\"x\", \"other\"]"]);
    two.graph().input.clear();
    refuses(two, &["0 inputs"]);
    let mut old = start();
    old.0.opset_import[0].version = 6;
    refuses(old, &["opset version 6"]);
    let mut none = start();
    none.0.graph = None;
    refuses(none, &["no graph"]);
    let by_position = Model::new(&[1, 2]).floats("c", &[2], &[1., 2.]).node("a", "Mul", "x c").head("a");
    refuses(by_position, &["position to position"]);
    let black = Model::new(&[1, 2]).floats("c", &[], &[0.]).node("a", "Mul", "x c").head("a");
    refuses(black, &["every pixel becomes 0", "--input-scale"]);
    assert!(
        start().node("y", "Identity", "s").import_with(Some(-1.0)).unwrap_err().to_string().contains("input scale")
    );
}

#[test]
fn names_from_the_file_are_quoted_and_cut() {
    let mut m = with("Relu", "s").head("q");
    m.graph().node[1].name = format!("a\nb\u{1b}[31m{}", "z".repeat(500));
    let text = m.refusal();
    assert!(text.contains("a\\nb\\u{1b}[31m") && text.len() < 400, "{text}");
}

#[test]
fn file_names_become_network_names() {
    for (file, name) in [
        ("TFC_1W1A.onnx", "TFC_1W1A"),
        ("a b--c_.onnx", "a_b_c"),
        ("1st net.onnx", "n1st_net"),
        ("é.onnx", "network"),
        ("_x.onnx", "x"),
        ("small.onnx", "small_net"),
        ("_table-.onnx", "table_net"),
        ("Small.onnx", "Small"),
    ] {
        assert_eq!(super::super::name_of(Path::new(file)), name);
    }
    assert!(crate::network::is_name(&super::super::name_of(Path::new(&"ab_".repeat(40)))));
}

#[test]
fn folded_constants_are_checked_too() {
    let folded = |m: Model| m.node("y", "MatMul", "x w");
    let two = || Model::new(&[1, 2]).floats("a", &[2, 1], &[1., 0.]).floats("b", &[2, 1], &[0., 0.]);
    refuses(folded(two().node("w", "Div", "a b")), &["node \"Div_w\"", "must be finite"]);
    refuses(folded(two().node("w", "Relu", "a")), &["Relu_w"]);
    refuses(folded(two().ints("i", &[], &[5]).node("w", "Gather", "a i")), &["index 5 is outside"]);
    refuses(folded(two().node("w", "Transpose", "a").list("perm", &[0, 0])), &["no order"]);
    refuses(folded(two().ints("i", &[1], &[3]).node("w", "Reshape", "a i")), &["another number of values"]);
    let long = Model::new(&[1, 2]).floats("a", &[8192, 1], &[1.; 8192]).floats("b", &[1, 16384], &[1.; 16384]);
    refuses(folded(long.node("w", "Add", "a b")), &["larger than"]);
}
