use super::*;

/// Refused, whichever tensor comes last.
#[track_caller]
fn refuses(mut m: Model, parts: &[&str]) {
    let last = m.graph().node.last().unwrap().output[0].clone();
    m.graph().output[0].name = last;
    super::refusals::refuses(m, parts);
}

/// A map of 2 channels, 4 x 4, as the input; then one `Conv` to 2 channels of 3 x 3, `s`.
fn conv() -> Model {
    let kernel: Vec<f32> = (0..16).map(|i| if i % 3 == 0 { -1.0 } else { 1.0 }).collect();
    Model::new(&[1, 2, 4, 4])
        .floats("k", &[2, 2, 2, 2], &kernel)
        .floats("one", &[], &[1.0])
        .floats("per", &[1, 2, 1, 1], &[1.0, 2.0])
        .floats("row", &[3], &[1.0, 2.0, 3.0])
        .node("s", "Conv", "x k")
}

/// The same with signs, `q`.
fn signs() -> Model {
    conv().node("q", "BipolarQuant", "s one")
}

fn ends(m: Model, from: &str) -> Model {
    m.node("f", "Flatten", from).floats("w", &[18, 1], &[1.0; 18]).node("y", "MatMul", "f w")
}

#[test]
fn convolutions() {
    let conv = |f: &dyn Fn(Model) -> Model| ends(f(conv()).node("q", "BipolarQuant", "s one"), "q");
    assert!(conv(&|m| m).import().is_ok());
    refuses(conv(&|m| m.int("group", 2)), &["Conv_s", "2 groups", "groups=1"]);
    refuses(conv(&|m| m.list("dilations", &[2, 2])), &["Conv_s", "dilations are [2, 2]", "train with 1"]);
    refuses(conv(&|m| m.list("kernel_shape", &[3, 3])), &["kernel_shape is [3, 3]", "[2, 2]"]);
    refuses(conv(&|m| m.list("strides", &[0, 1])), &["stride [0, 1] is 0"]);
    refuses(conv(&|m| m.list("pads", &[-1, 0, 0, 0])), &["holds -1"]);
    refuses(conv(&|m| m.list("pads", &[1, 1])), &["2 numbers instead of 4"]);
    refuses(conv(&|m| m.list("pads", &[2, 0, 0, 0])), &["Conv_s", "nothing but padding"]);
    refuses(conv(&|m| m.list("pads", &[1 << 40; 4])), &["0 to 65536"]);
    refuses(conv(&|m| m.text("auto_pad", "SAME")), &["auto_pad \"SAME\" is not known"]);
    refuses(conv(&|m| m.text("auto_pad", "SAME_UPPER").list("pads", &[1; 4])), &["both pads and auto_pad"]);
    let weights = |dims: &[i64]| {
        let mut m = conv(&|m| m);
        let n = dims.iter().product::<i64>() as usize;
        let k = &mut m.graph().initializer[0];
        (k.dims, k.float_data) = (dims.to_vec(), vec![1.0; n]);
        m
    };
    refuses(weights(&[2, 2, 2]), &["[2, 2, 2]", "convolutions of two axes", "one row"]);
    refuses(weights(&[2, 2, 2, 2, 2]), &["convolutions of two axes"]);
    refuses(weights(&[2, 3, 2, 2]), &["take 3 channels, its input has 2"]);
    refuses(weights(&[2, 2, 5, 2]), &["does not fit"]);
    refuses(weights(&[0, 2, 2, 2]), &["weights have shape"]);
    let mut flat = ends(signs(), "q");
    flat.graph().node[0].input[0] = "z".into();
    flat.graph().node.insert(0, Model::new(&[]).node("z", "Flatten", "x").graph().node.remove(0));
    refuses(flat, &["Conv_s", "four axes: image, channel, row, column"]);
    let mut nhwc = ends(signs(), "q");
    nhwc.graph().node[0].input[0] = "z".into();
    let transpose = Model::new(&[]).node("z", "Transpose", "x").list("perm", &[0, 2, 3, 1]).graph().node.remove(0);
    nhwc.graph().node.insert(0, transpose);
    refuses(nhwc, &["Conv_s", "put a Transpose before it"]);
    refuses(ends(super::map_refusals::conv().node("q", "Conv", "s k"), "q"), &["Conv_q", "no quantizer stands"]);
    let mut unknown = ends(signs(), "q");
    unknown.graph().input[0].r#type = None;
    refuses(unknown, &["unknown sides", "fixed input shape"]);
    refuses(signs().node("y", "Conv", "q k"), &["the last layer gives 2x2x2", "end in a dense layer"]);
    refuses(ends(signs().node("y2", "Conv", "k q"), "y2"), &["x W"]);
}

#[test]
fn pools() {
    let pool = |m: Model, from: &str| m.node("p", "MaxPool", from).list("kernel_shape", &[2, 2]);
    refuses(pool(Model::new(&[1, 2, 4, 4]), "x"), &["MaxPool_p", "pools the image"]);
    refuses(pool(signs(), "q").list("pads", &[1, 0, 0, 0]), &["MaxPool_p", "pads the map", "without padding"]);
    refuses(pool(signs(), "q").text("auto_pad", "SAME_UPPER"), &["pads the map by [0, 0, 1, 1]"]);
    refuses(pool(signs(), "q").list("strides", &[2, 2]).int("ceil_mode", 1), &["ceil_mode=False"]);
    refuses(pool(signs(), "q").list("dilations", &[2, 1]), &["dilations"]);
    refuses(signs().node("p", "MaxPool", "q"), &["\"kernel_shape\" is missing"]);
    refuses(signs().node("p", "MaxPool", "q").list("kernel_shape", &[4, 1]), &["does not fit"]);
    refuses(signs().node("p", "MaxPool", "q").list("kernel_shape", &[3]), &["1 numbers instead of 2", "one row"]);
    for m in [pool(signs(), "q"), pool(conv(), "s")] {
        refuses(m.node("y", "MaxPool", "p").list("kernel_shape", &[2, 2]), &["MaxPool_y", "has a MaxPool already"]);
    }
    let m =
        pool(conv(), "s").node("r", "BipolarQuant", "p one").node("y", "MaxPool", "r").list("kernel_shape", &[2, 2]);
    refuses(m, &["MaxPool_y", "has a MaxPool already"]);
    refuses(signs().node("p", "GlobalAveragePool", "q"), &["GlobalAveragePool_p", "use MaxPool or a convolution"]);
    refuses(signs().node("p", "AveragePool", "q").list("kernel_shape", &[2, 2]), &["AveragePool_p", "flatten"]);
    refuses(signs().node("p", "Trunc", "q one"), &["Trunc_p", "average"]);
    refuses(signs().node("p", "Resize", "q"), &["Resize_p", "keep their size or shrink"]);
    // ceil_mode changes nothing where all windows are full.
    let full = pool(signs(), "q").list("strides", &[1, 1]).int("ceil_mode", 1);
    assert!(full.node("f", "Flatten", "p").floats("w", &[8, 1], &[1.0; 8]).node("y", "MatMul", "f w").import().is_ok());
}

#[test]
fn paddings() {
    let pad = |m: Model, from: &str, pads: &[i64]| {
        m.ints("pads", &[pads.len() as i64], pads).node("p", "Pad", &format!("{from} pads"))
    };
    let rows = [0, 0, 1, 0, 0, 0, 0, 0];
    refuses(pad(conv(), "s", &rows), &["Pad_p", "pads sums"]);
    refuses(pad(signs(), "q", &[0, 1, 0, 0, 0, 0, 0, 0]), &["other axes than the rows and columns"]);
    refuses(pad(signs(), "q", &[0, 0, -1, 0, 0, 0, 0, 0]), &["pads by -1"]);
    refuses(pad(signs(), "q", &[1, 1]), &["2 pads for 4 axes"]);
    refuses(pad(signs(), "q", &rows).text("mode", "reflect"), &["mode \"constant\""]);
    refuses(pad(signs(), "q", &rows).node("y", "Neg", "p"), &["Neg_y", "directly before a Conv"]);
    refuses(ends(pad(signs(), "q", &rows), "p"), &["Flatten_f", "directly before a Conv"]);
    let filled = |value: f32| signs().ints("pads", &[8], &rows).floats("v", &[], &[value]).node("p", "Pad", "q pads v");
    refuses(filled(0.5).node("y", "Conv", "p k"), &["Conv_y", "it pads with 0.5"]);
    refuses(filled(1.0).node("y", "Conv", "p k").list("pads", &[0, 0, 0, 1]), &["Pad has padded with 1"]);
    // No padding is none.
    assert!(ends(pad(signs(), "q", &[0; 8]), "p").import().is_ok());
}

#[test]
fn constants_that_differ_from_position_to_position() {
    refuses(ends(conv().node("m", "Mul", "s row").node("q", "BipolarQuant", "m one"), "q"), &["Mul_m", "[2, 1, 1]"]);
    let flat = conv().node("v", "Flatten", "s").floats("c", &[18], &[1.0; 18]).node("m", "Add", "v c");
    refuses(flat, &["Add_m", "no axis of their own", "before the map is flattened"]);
    refuses(ends(signs().node("m", "Mul", "q per"), "m"), &["Mul_m", "real-valued weights"]);
    refuses(conv().node("q", "BipolarQuant", "s per"), &["neuron to neuron"]);
    let norm = |from: &str, m: Model| {
        m.floats("p", &[2], &[1.0; 2]).node("n", "BatchNormalization", &format!("{from} p p p p"))
    };
    refuses(norm("v", conv().node("v", "Flatten", "s")), &["along axis 1 of [1, 18]"]);
    let last = conv().node("t", "Transpose", "s").list("perm", &[0, 2, 3, 1]);
    refuses(norm("t", last.clone()), &["along axis 1 of [1, 3, 3, 2]"]);
    let thresholds = last.floats("t0", &[2, 1], &[1.0, 2.0]).node("q", "MultiThreshold", "t t0");
    refuses(thresholds.clone(), &["axis 1 of 4", "data_layout"]);
    refuses(thresholds.clone().text("data_layout", "NWC"), &["\"NWC\" is not known"]);
    refuses(thresholds.text("data_layout", "NHWC"), &["ends in a quantizer"]);
}

#[test]
fn orders_that_are_none() {
    refuses(conv().node("t", "Transpose", "s").list("perm", &[0, 1, 3, 2]), &["Transpose_t", "reorders the data"]);
    refuses(Model::new(&[1, 2, 4, 4]).node("t", "Transpose", "x").list("perm", &[0, 1, 3, 2]), &["reorders the data"]);
    refuses(
        conv()
            .ints("to", &[3], &[1, 6, 3])
            .node("r", "Reshape", "s to")
            .node("u", "Neg", "r")
            .ints("half", &[2], &[9, 2])
            .node("y", "Reshape", "u half"),
        &["Reshape_y", "breaks up the map of 2x3x3"],
    );
    let columns = signs().floats("w", &[3, 2], &[1.0; 6]).node("y", "MatMul", "q w");
    refuses(columns, &["MatMul_y", "neither a flattened map", "flatten the map first"]);
}

#[test]
fn patches() {
    let last = || signs().node("t", "Transpose", "q").list("perm", &[0, 2, 3, 1]);
    let patches =
        |m: Model, from: &str| m.node("p", "Im2Col", from).list("kernel_size", &[2, 2]).list("stride", &[1, 1]);
    refuses(patches(signs(), "q"), &["Im2Col_p", "put a Transpose before it"]);
    refuses(patches(last(), "t").int("depthwise", 1), &["depthwise"]);
    refuses(patches(last(), "t").list("dilations", &[1, 2]), &["dilations"]);
    refuses(last().node("p", "Im2Col", "t"), &["\"kernel_size\" is missing"]);
    refuses(patches(last(), "t").node("y", "Neg", "p"), &["Neg_y", "only a MatMul"]);
    refuses(last().node("p", "Im2Col", "t").list("kernel_size", &[5, 5]).list("stride", &[1, 1]), &["does not fit"]);
    let m = patches(last(), "t").floats("w", &[4, 1], &[1.0; 4]).node("y", "MatMul", "p w");
    refuses(m, &["take 4 inputs"]);
}
