//! Feature maps: what becomes of convolutions, paddings, pools and orders, and that the outcome computes the same.

use super::steps::{Draw, Step, agree, finn, sides};
use super::*;
use crate::network::{Activation, Conv as Kernel, InputCode, InputValues, Normalize, Op, Pool as Pooling, PoolOrder};
use crate::reference::evaluate;
use Step::{Add, Conv, Mul, Pool, Sign, Zone};

/// The convolution that a layer is.
fn kernel(network: &Network, layer: usize) -> Kernel {
    match network.layers[layer].op {
        Op::Conv(conv) => conv,
        Op::Dense => panic!("layer {layer} is dense"),
    }
}

fn weights(network: &Network, layer: usize) -> Vec<i8> {
    network.layers[layer].weights.values.iter().copied().collect()
}

fn order(network: &Network, layer: usize) -> Option<PoolOrder> {
    network.layers[layer].pool.map(|p| p.order)
}

#[test]
fn the_topology_of_cnv() {
    let mut d = Draw(1);
    let widths = [3, 4, 4, 6, 6, 8, 8];
    let mut steps = Vec::new();
    for k in 0..6 {
        steps.push(d.conv(widths[k], widths[k + 1], 3, 0));
        steps.push(d.norm(widths[k + 1], if k == 0 { 30 } else { 4 }));
        steps.push(Sign);
        if k == 1 || k == 3 {
            steps.push(Pool([2, 2]));
        }
    }
    for (inputs, out) in [(8, 16), (16, 16)] {
        steps.extend([d.dense(inputs, out), d.norm(out, 2), Sign]);
    }
    steps.push(d.dense(16, 10));
    let n = agree(&steps, [3, 32, 32]);
    let names: Vec<&str> = n.layers.iter().map(|l| l.name.as_str()).collect();
    // The last kernel covers its whole map of 3 x 3.
    assert_eq!(names, ["conv0", "conv1", "conv2", "conv3", "conv4", "fc5", "fc6", "fc7", "fc8"]);
    assert_eq!([0, 1, 2, 3].map(|k| order(&n, k)), [None, Some(PoolOrder::AfterActivation)].repeat(2)[..]);
    assert_eq!(n.layers[0].op, Op::Conv(Kernel::new([3, 3])));
}

#[test]
fn padded_bipolar_and_ternary_maps_flatten_in_both_orders() {
    let mut d = Draw(2);
    for (activation, stride) in [(Sign, [1, 1]), (Zone, [2, 1])] {
        let mut first = d.conv(2, 5, 3, 1);
        if let Conv { stride: s, pad, .. } = &mut first {
            (*s, *pad) = (stride, [1, 0, 2, 1]);
        }
        let second = d.conv(5, 3, 3, 1);
        let [_, rows, columns] = sides(&[first.clone(), second.clone()], [2, 6, 5])[2];
        let steps = [
            first,
            d.norm(5, 20),
            activation.clone(),
            second,
            d.norm(3, 3),
            activation,
            d.dense(3 * rows * columns, 4),
            d.norm(4, 2),
        ];
        let n = agree(&steps, [2, 6, 5]);
        assert_eq!(n.layers.len(), 3);
        let hidden = kernel(&n, 1);
        assert_eq!((hidden.pad, hidden.pad_value), ([1; 4], 0));
    }
}

#[test]
fn a_pool_takes_the_order_that_says_the_same() {
    use PoolOrder::{AfterActivation, BeforeNormalize};
    // As many +1 as -1 a neuron, so that sums lie around 0 and their maxima around 14.
    let weights: Vec<f32> = [0b0101_1010u8, 0b0110_0011, 0b1101_0001]
        .iter()
        .flat_map(|b| (0..8).map(move |i| f32::from(b >> i & 1) * 2.0 - 1.0))
        .collect();
    let conv = || Conv { out: 3, kernel: [2; 2], stride: [1; 2], pad: [0; 4], weights: weights.clone() };
    let pool = || Pool([2, 3]);
    let norm = |gamma: [f32; 3], beta: [f32; 3], mean: [f32; 3], variance: [f32; 3]| {
        Step::Norm([gamma, beta, mean, variance].map(|v| v.to_vec()))
    };
    let on_sums = || norm([-1.0, 0.5, 1.0], [0.5, -1.0, 0.0], [-14.0, 14.0, 10.0], [1.0, 0.25, 4.0]);
    let on_maxima = |mean| norm([-1.0, 0.5, 1.0], [0.5, -1.0, 0.0], mean, [1.0, 0.25, 4.0]);
    let small = || norm([-1.0, 1.0, 0.5], [0.0, 0.5, -0.5], [1.0, -1.0, 0.0], [1.0, 1.0, 4.0]);
    let mul = |v: [f32; 3]| Mul(v.to_vec());
    let add = |v: [f32; 3]| Add(v.to_vec());
    let falls = || mul([-0.5, 2.0, -1.0]);
    let cases: Vec<(Vec<Step>, PoolOrder)> = vec![
        (vec![pool(), on_maxima([14.0, 12.0, 16.0]), Sign], BeforeNormalize),
        (vec![pool(), add([-14.0, -12.0, -16.0]), Sign], BeforeNormalize),
        // A chain of either sign belongs to scale and bias.
        (vec![falls(), add([0.5, -8.0, 20.0]), pool(), on_maxima([7.5, 20.0, 34.0]), Sign], BeforeNormalize),
        (vec![falls(), pool(), add([-7.0, -28.0, -14.0]), Zone], BeforeNormalize),
        (vec![on_sums(), pool(), Sign], AfterActivation),
        (vec![on_sums(), pool(), mul([0.5, 2.0, 1.0]), add([0.5, -1.0, 1.0]), Sign], AfterActivation),
        (vec![on_sums(), pool(), falls(), Sign], BeforeNormalize),
        (vec![on_sums(), pool(), small(), Zone], BeforeNormalize),
        (vec![on_sums(), Sign, pool()], AfterActivation),
        (vec![on_sums(), Zone, pool()], AfterActivation),
    ];
    for (k, (middle, expected)) in cases.into_iter().enumerate() {
        // 7 x 7 sums, so 3 x 2 maxima; a row and a column are left out.
        let steps = [vec![conv()], middle, vec![Draw(3).dense(3 * 3 * 2, 5)]].concat();
        let n = agree(&steps, [2, 8, 8]);
        assert_eq!(n.layers[0].pool, Some(Pooling { size: [2, 3], stride: [2, 3], order: expected }), "case {k}");
        if let 0 | 4 = k {
            assert!(matches!(n.layers[0].normalize, Normalize::BatchNorm { .. }), "case {k}");
        }
    }
}

#[test]
fn thresholds_of_each_channel_in_either_order() {
    let conv = || {
        Model::new(&[1, 1, 3, 3])
            .floats("k", &[2, 1, 2, 2], &[1., 1., -1., -1., 1., -1., 1., -1.])
            .node("s", "Conv", "x k")
    };
    let first = conv().floats("t", &[2, 1], &[-5.0, 2.0]).node("q", "MultiThreshold", "s t").float("out_scale", 2.0);
    let first = end(first.float("out_bias", -1.0), "q", 8).import().unwrap();
    assert_eq!(first.layers[0].activation, Activation::Bipolar { threshold: vec![-5.0, 2.0] });
    // Sums 3-4, 5-5 / 4-13, 5-16 and 5-2, 2-8 / 10-7, 7-14.
    assert_eq!(evaluate(&first, &[1, 2, 3, 4, 0, 5, 6, 7, 9]).activations[0], [1, 1, -1, -1, 1, -1, 1, -1]);
    let last = conv()
        .node("l", "Transpose", "s")
        .list("perm", &[0, 2, 3, 1])
        .floats("t", &[2, 1], &[-5.0, 2.0])
        .node("p", "MultiThreshold", "l t")
        .float("out_scale", 2.0)
        .float("out_bias", -1.0)
        .text("data_layout", "NHWC")
        .node("q", "Transpose", "p")
        .list("perm", &[0, 3, 1, 2]);
    assert_eq!(end(last, "q", 8).import().unwrap(), first);
}

#[test]
fn a_kernel_over_the_whole_map_is_a_dense_layer_and_one_of_a_single_position_a_product() {
    let mut d = Draw(4);
    let steps = [d.conv(2, 6, 1, 0), d.norm(6, 8), Sign, d.conv(6, 4, 3, 0), Mul(vec![0.5, -0.5, 1.0, 2.0])];
    let n = agree(&steps, [2, 3, 3]);
    assert_eq!(n.layers[0].op, Op::Conv(Kernel::new([1, 1])));
    assert_eq!((n.layers[1].name.as_str(), &n.layers[1].op), ("fc1", &Op::Dense));

    // FINN leaves out the Im2Col of a kernel of one position.
    let mut m = finn(&steps, [2, 3, 3]);
    m.graph().node.retain(|node| node.output[0] != "q0");
    m.graph().node.iter_mut().find(|n| n.op_type == "MatMul").unwrap().input[0] = "nhwc".into();
    assert_eq!(m.import().unwrap().layers, finn(&steps, [2, 3, 3]).import().unwrap().layers);
}

/// `Conv` of `x` with the kernel [1 1 / -1 -1] to `s`, without attributes.
fn conv(shape: &[i64]) -> Model {
    Model::new(shape).floats("k", &[1, 1, 2, 2], &[1., 1., -1., -1.]).node("s", "Conv", "x k")
}

/// Ends in the sum of all values of `from` that lie flat: `n` of them.
fn end(m: Model, from: &str, n: i64) -> Model {
    m.node("flat", "Flatten", from).floats("w", &[n, 1], &vec![1.0; n as usize]).node("y", "MatMul", "flat w")
}

/// Network, and the activations of its first layer on 1 2 3 / 4 0 5 / 6 7 9.
fn first(m: Model) -> (Network, Vec<i8>) {
    let n = m.import().unwrap();
    let activations = evaluate(&n, &[1, 2, 3, 4, 0, 5, 6, 7, 9]).activations[0].clone();
    (n, activations)
}

/// Padded above and left, windows at (0, 0), (0, 2), (2, 0), (2, 2): 0-1, 0-2-3, 4-6, 0+5-7-9; a bias of 2 makes that
/// 1, -3, 0, -9.
#[test]
fn pads_strides_and_a_bias_by_hand() {
    let signs =
        |m: Model| end(m.floats("b", &[1], &[2.0]).floats("a", &[], &[1.0]).node("q", "BipolarQuant", "s a"), "q", 4);
    let mut m = signs(conv(&[1, 1, 3, 3]).list("strides", &[2, 2]).list("pads", &[1, 1, 0, 0]));
    m.graph().node[0].input.push("b".into());
    let (n, activations) = first(m.clone());
    assert_eq!(activations, [1, -1, 1, -1]);
    assert_eq!(n.layers[0].bias, [2.0]);
    let op = Op::Conv(Kernel { pad: [1, 1, 0, 0], stride: [2, 2], ..Kernel::new([2, 2]) });
    assert_eq!(n.layers[0].op, op);
    // The same by name.
    let mut lower = signs(conv(&[1, 1, 3, 3]).list("strides", &[2, 2]).text("auto_pad", "SAME_LOWER"));
    lower.graph().node[0].input.push("b".into());
    assert_eq!(lower.import().unwrap(), n);
    // By a Pad before it, whose axes are those of rows and columns only.
    let mut padded = signs(
        Model::new(&[1, 1, 3, 3])
            .ints("p", &[4], &[1, 1, 0, 0])
            .floats("z", &[], &[0.0])
            .ints("axes", &[2], &[-2, 3])
            .node("padded", "Pad", "x p z axes")
            .floats("k", &[1, 1, 2, 2], &[1., 1., -1., -1.])
            .node("s", "Conv", "padded k b")
            .list("strides", &[2, 2]),
    );
    assert_eq!(padded.import().unwrap(), n);
    padded.graph().node[1].attribute.clear();
    padded.graph().initializer.iter_mut().find(|t| t.name == "w").unwrap().dims = vec![9, 1];
    padded.graph().initializer.iter_mut().find(|t| t.name == "w").unwrap().float_data = vec![1.0; 9];
    let hidden = kernel(&padded.import().unwrap(), 0);
    assert_eq!((hidden.pad, hidden.stride), ([1, 1, 0, 0], [1, 1]));
}

#[test]
fn paddings_by_name() {
    let pad = |name: &str, stride: i64, n: i64| {
        let m = conv(&[1, 1, 3, 4]).text("auto_pad", name).list("strides", &[stride, stride]).floats("a", &[], &[1.0]);
        kernel(&end(m.node("q", "BipolarQuant", "s a"), "q", n).import().unwrap(), 0).pad
    };
    assert_eq!(pad("SAME_UPPER", 1, 12), [0, 0, 1, 1]);
    assert_eq!(pad("SAME_LOWER", 1, 12), [1, 1, 0, 0]);
    // 3 rows in steps of 2: 2 windows of 2 need 4; 4 columns fit.
    assert_eq!(pad("SAME_UPPER", 2, 4), [0, 0, 1, 0]);
    assert_eq!(pad("VALID", 1, 6), [0; 4]);
    assert_eq!(pad("NOTSET", 2, 2), [0; 4]);
}

/// A hidden layer of the values that `Quant` q gives, padded by one on all sides.
fn padded_hidden(m: impl FnOnce(Model) -> Model) -> Model {
    let m = m(conv(&[1, 1, 3, 3])).node("t", "Conv", "q k").list("pads", &[1; 4]);
    end(m.floats("two", &[], &[1.0]).node("r", "BipolarQuant", "t two"), "r", 9)
}

/// Sums 1+2-4-0 = -1, 2+3-0-5 = 0, 4+0-6-7 = -9, 0+5-7-9 = -11. As {0, 1} with a step of 2: a threshold at 0 gives
/// 0 2 / 0 0; padded with real zeros, the windows of the second kernel give 0 -2 -2 / 0 2 2 / 0 0 0.
#[test]
fn a_real_zero_is_padded_whatever_stands_for_it() {
    let m =
        padded_hidden(|m| m.floats("t0", &[1, 1], &[0.0]).node("q", "MultiThreshold", "s t0").float("out_scale", 2.0));
    let n = m.import().unwrap();
    let hidden = kernel(&n, 1);
    assert_eq!((hidden.pad, hidden.pad_value), ([1; 4], -1));
    let activations = evaluate(&n, &[1, 2, 3, 4, 0, 5, 6, 7, 9]).activations;
    assert_eq!(activations[0], [-1, 1, -1, -1]);
    assert_eq!(activations[1], [1, -1, -1, 1, 1, 1, 1, 1, 1]);

    // Levels -2, -1 and 0.
    let m = padded_hidden(|m| {
        m.floats("t0", &[1, 2], &[-10.0, 0.0]).node("q", "MultiThreshold", "s t0").float("out_bias", -2.0)
    });
    let hidden = kernel(&m.import().unwrap(), 1);
    assert_eq!(hidden.pad_value, 1);

    // Levels 0.25 and 1.25: nothing stands for 0, but a Pad may take a level.
    let odd = |m: Model| m.floats("t0", &[1, 1], &[0.0]).node("q", "MultiThreshold", "s t0").float("out_bias", 0.25);
    let text = padded_hidden(odd).refusal();
    assert!(
        text.contains("Conv_t")
            && text.contains("it pads with 0")
            && text.contains("0.25")
            && text.contains("levels around zero"),
        "{text}"
    );
    let m = odd(conv(&[1, 1, 3, 3]))
        .ints("p", &[8], &[0, 0, 1, 1, 0, 0, 1, 1])
        .floats("v", &[1], &[1.25])
        .node("padded", "Pad", "q p v")
        .text("mode", "constant")
        .node("t", "Conv", "padded k")
        .floats("two", &[], &[1.0])
        .node("r", "BipolarQuant", "t two");
    let n = end(m, "r", 9).import().unwrap();
    let hidden = kernel(&n, 1);
    assert_eq!((hidden.pad, hidden.pad_value), ([1; 4], 1));
}

#[test]
fn an_image_is_padded_with_what_stands_for_zero() {
    let pad = |before: &dyn Fn(Model) -> Model| {
        let m = before(Model::new(&[1, 1, 3, 3]).floats("k", &[1, 1, 2, 2], &[1., 1., -1., -1.]).floats(
            "one",
            &[],
            &[1.0],
        ));
        let m = m.node("s", "Conv", "i k").list("pads", &[0, 0, 1, 1]).node("q", "BipolarQuant", "s one");
        end(m, "q", 9).import_with(None)
    };
    let value = |n: &Network| kernel(n, 0).pad_value;
    let n = pad(&|m| m.floats("two", &[], &[2.0]).node("d", "Mul", "x two").node("i", "Sub", "d one")).unwrap();
    assert_eq!(n.input.code, InputCode::U8(InputValues::Affine { gain: 2, offset: -255 }));
    assert_eq!(value(&n), 0);
    // 0 and 1 as a threshold: 0 is its -1.
    let bits = |bias: f32| {
        move |m: Model| m.floats("t", &[1, 1], &[0.5]).node("i", "MultiThreshold", "x t").float("out_bias", bias)
    };
    assert_eq!(value(&pad(&bits(0.0)).unwrap()), -1);
    assert_eq!(value(&pad(&bits(-0.5)).unwrap()), 0);
    let text = pad(&bits(0.125)).unwrap_err().to_string();
    assert!(text.contains("Conv_s") && text.contains("quantize the input so that 0 is one of its steps"), "{text}");
    // Codes 0 to 3 at an offset of two steps and a half, and of three.
    let codes = |bias: f32| {
        move |m: Model| {
            m.floats("t", &[1, 3], &[0.25, 0.5, 0.75]).node("i", "MultiThreshold", "x t").float("out_bias", bias)
        }
    };
    assert!(pad(&codes(-2.5)).unwrap_err().to_string().contains("it pads with 0"));
    assert_eq!(value(&pad(&codes(-3.0)).unwrap()), 0);
}

#[test]
fn images_in_other_shapes() {
    // Flat, then a map.
    let m = Model::new(&[1, 9]).ints("to", &[4], &[1, 1, 3, 3]).node("i", "Reshape", "x to");
    let m = m.floats("k", &[1, 1, 2, 2], &[1., 1., -1., -1.]).node("s", "Conv", "i k").floats("a", &[], &[1.0]);
    let n = end(m.node("q", "BipolarQuant", "s a"), "q", 4).import().unwrap();
    assert_eq!(n.input.shape, [1, 3, 3]);
    // Row, column, channel in the graph; the network takes channel, row, column.
    let m = Model::new(&[1, 3, 3, 2]).node("i", "Transpose", "x").list("perm", &[0, 3, 1, 2]);
    let m = m.floats("k", &[1, 2, 2, 2], &[1., 1., -1., -1., 1., -1., 1., -1.]).node("s", "Conv", "i k");
    let n = end(m.floats("a", &[], &[1.0]).node("q", "BipolarQuant", "s a"), "q", 4).import().unwrap();
    assert_eq!(n.input.shape, [2, 3, 3]);
    // A dense layer on it, flattened in the other order: inputs (row, column, channel) 00, 01, 10, 11 are 1, 2, 3, 4.
    let m = Model::new(&[1, 2, 1, 2]).node("i", "Transpose", "x").list("perm", &[0, 2, 3, 1]).node("f", "Flatten", "i");
    let n = m.floats("w", &[4, 1], &[1., 2., 3., 4.]).node("y", "MatMul", "f w").import().unwrap();
    assert_eq!(n.input.shape, [2, 1, 2]);
    assert_eq!(weights(&n, 0), [1, 3, 2, 4]);
    // A batch in the file, and none that is known.
    for batch in [0, 5] {
        let m = conv(&[batch, 1, 3, 3]).floats("a", &[], &[1.0]).node("q", "BipolarQuant", "s a");
        assert_eq!(end(m, "q", 4).import().unwrap().input.shape, [1, 3, 3]);
    }
}

#[test]
fn a_map_of_one_position_is_a_vector() {
    let m = Model::new(&[1, 2, 2, 2])
        .floats("k", &[3, 2, 2, 2], &Draw(5).signs(24))
        .floats("one", &[], &[1.0])
        .node("s", "Conv", "x k")
        .node("q", "BipolarQuant", "s one")
        .node("p", "GlobalMaxPool", "q")
        .node("g", "GlobalAveragePool", "p")
        .node("t", "Transpose", "g")
        .list("perm", &[0, 2, 3, 1])
        .node("z", "Squeeze", "t")
        .list("axes", &[1, 2])
        .floats("w", &[3, 2], &[1., -1., 1., 1., -1., 1.])
        .node("m", "MatMul", "z w")
        .ints("to", &[4], &[1, 2, 1, 1])
        .node("r", "Reshape", "m to")
        .node("y", "ArgMax", "r")
        .int("axis", 1);
    let n = m.import().unwrap();
    assert_eq!(n.layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["fc0", "fc1"]);
    assert_eq!(weights(&n, 1), [1, 1, -1, -1, 1, 1]);
}
