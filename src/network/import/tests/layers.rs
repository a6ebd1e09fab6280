use super::*;
use crate::network::{Activation, Cut, Normalize, WeightKind};

/// Code of neuron 0 of the first layer at `y`.
fn code(network: &Network, y: f64) -> i8 {
    network.layers[0].activation.apply(0, y).unwrap()
}

#[test]
fn bipolar_quant_takes_zero_as_one_and_moves_its_scale_on() {
    let n = start().floats("a", &[1], &[0.25]).node("q", "BipolarQuant", "s a").head("q").import().unwrap();
    assert_eq!(n.name, "mlp");
    assert_eq!(n.layers[0].activation, Activation::Bipolar { threshold: vec![0.0; 2] });
    assert_eq!(n.layers[1].weights.scale, [0.25; 2]);
    assert_eq!(n.layers[1].name, "fc1");
    // x = (3, 5): s = (8, -2), q = (.25, -.25), y = (q0 + q1, q1 - q0)
    assert_eq!(scores(&n, &[3, 5]), [0.0, -0.5]);
    assert_eq!(scores(&n, &[5, 5]), [0.5, 0.0]);
}

#[test]
fn ternary_quant_honours_every_rounding_mode_at_its_boundaries() {
    // scale 0.5: t = y / 0.5
    let expected: [(&str, [(f64, i8); 8]); 8] = [
        ("ROUND", [(-0.75, -1), (-0.5, -1), (-0.26, -1), (-0.25, 0), (0.25, 0), (0.26, 1), (0.5, 1), (9.0, 1)]),
        ("HALF_EVEN", [(-0.75, -1), (-0.5, -1), (-0.26, -1), (-0.25, 0), (0.25, 0), (0.26, 1), (0.5, 1), (9.0, 1)]),
        ("CEIL", [(-9.0, -1), (-0.5, -1), (-0.49, 0), (-0.25, 0), (0.0, 0), (0.01, 1), (0.25, 1), (0.5, 1)]),
        ("FLOOR", [(-9.0, -1), (-0.5, -1), (-0.01, -1), (0.0, 0), (0.25, 0), (0.49, 0), (0.5, 1), (9.0, 1)]),
        ("UP", [(-9.0, -1), (-0.5, -1), (-0.01, -1), (0.0, 0), (0.01, 1), (0.25, 1), (0.5, 1), (9.0, 1)]),
        ("ROUND_TO_ZERO", [(-9.0, -1), (-0.5, -1), (-0.49, 0), (0.0, 0), (0.25, 0), (0.49, 0), (0.5, 1), (9.0, 1)]),
        ("HALF_UP", [(-9.0, -1), (-0.25, -1), (-0.24, 0), (0.0, 0), (0.24, 0), (0.25, 1), (0.5, 1), (9.0, 1)]),
        ("HALF_DOWN", [(-9.0, -1), (-0.26, -1), (-0.25, 0), (0.0, 0), (0.25, 0), (0.26, 1), (0.5, 1), (9.0, 1)]),
    ];
    for (mode, points) in expected {
        let n = start().quant("q", "s", Q { mode, ..TERNARY }).head("q").import().unwrap();
        for (y, q) in points {
            assert_eq!(code(&n, y), q, "{mode} at {y}");
        }
        assert_eq!(n.layers[1].weights.scale, [0.5; 2]);
    }
}

#[test]
fn one_bit_quant_is_bipolar_when_signed_and_a_step_when_not() {
    let signed = Q { bits: 1.0, zero: 0.0, ..TERNARY };
    let n = start().quant("q", "s", signed).head("q").import().unwrap();
    assert_eq!(n.layers[0].activation, Activation::Bipolar { threshold: vec![0.0; 2] });
    assert_eq!(n.layers[1].weights.scale, [0.5; 2]);

    // {0, 1} * 0.5: 0.25 rounds to 0 (even), the next number up to 1. As -1/+1: 0.25 c + 0.25.
    let unsigned = Q { signed: false, narrow: false, ..signed };
    let n = start().quant("q", "s", unsigned).head("q").import().unwrap();
    assert_eq!((code(&n, 0.25), code(&n, 0.25f64.next_up())), (-1, 1));
    assert_eq!(n.layers[1].weights.scale, [0.25; 2]);
    assert_eq!(n.layers[1].bias, [0.5, 0.0]);
    assert_eq!(scores(&n, &[3, 5]), [0.5, -0.5]); // q = (.5, 0)
}

#[test]
fn a_zero_point_moves_the_cuts_and_becomes_the_next_bias() {
    // q = clip(round(y / .5 + 1)), value (q - 1) * .5 in {-1, -.5, 0}
    let n = start().quant("q", "s", Q { zero: 1.0, ..TERNARY }).head("q").import().unwrap();
    assert_eq!([-1.0, -0.75, -0.74, -0.5, -0.25, -0.24, 0.0].map(|y| code(&n, y)), [-1, 0, 0, 0, 0, 1, 1]);
    assert_eq!(n.layers[1].bias, [-1.0, 0.0]);
    assert_eq!(scores(&n, &[3, 5]), [-1.0, -1.0]); // q = (0, -1)
}

#[test]
fn multithreshold_of_one_and_two_thresholds() {
    let bipolar = start()
        .floats("t", &[2, 1], &[3.0, -1.0])
        .node("q", "MultiThreshold", "s t")
        .float("out_scale", 2.0)
        .float("out_bias", -1.0)
        .text("out_dtype", "BIPOLAR");
    let n = bipolar.head("q").import().unwrap();
    assert_eq!(n.layers[0].activation, Activation::Bipolar { threshold: vec![3.0, -1.0] });
    assert_eq!((n.layers[1].weights.scale[0], n.layers[1].bias[0]), (1.0, 0.0));

    // One row for all channels, out of order: 2 and -1 count the same.
    let ternary = start().floats("t", &[1, 2], &[2.0, -1.0]).node("q", "MultiThreshold", "s t").float("out_bias", -1.0);
    let n = ternary.head("q").import().unwrap();
    let above = Cut { at: vec![2.0; 2], strict: false };
    assert_eq!(n.layers[0].activation, Activation::Ternary { above, below: Cut { at: vec![-1.0; 2], strict: true } });
    assert_eq!([-1.5, -1.0, 1.9, 2.0].map(|y| code(&n, y)), [-1, 0, 0, 1]);
    assert_eq!((n.layers[1].weights.scale[0], n.layers[1].bias[0]), (1.0, 0.0));
}

#[test]
fn weights_come_from_quantizers_with_their_scales() {
    // BipolarQuant on [out, in] then Transpose; scale by output.
    let n = Model::new(&[1, 2])
        .floats("w", &[2, 2], &[0.3, 0.0, -0.1, 0.2])
        .floats("ws", &[2, 1], &[0.5, 2.0])
        .node("wq", "BipolarQuant", "w ws")
        .node("wt", "Transpose", "wq")
        .list("perm", &[1, 0])
        .node("y", "MatMul", "x wt")
        .import()
        .unwrap();
    let w = &n.layers[0].weights;
    assert_eq!((w.kind, w.scale.as_slice()), (WeightKind::Bipolar, [0.5, 2.0].as_slice()));
    assert_eq!(w.values, ndarray::arr2(&[[1, 1], [-1, 1]]));

    // Ternary, no zero among the values: the kind is the quantizer's. 0.25 / 0.5 rounds to 0.
    let ternary = |a: f32| {
        let m = Model::new(&[1, 2]).floats("w", &[2, 1], &[0.3, a]).quant("wq", "w", TERNARY);
        m.node("y", "MatMul", "x wq").import().unwrap().layers.remove(0).weights
    };
    let w = ternary(-0.9);
    assert_eq!((w.kind, w.scale[0], w.values), (WeightKind::Ternary, 0.5, ndarray::arr2(&[[1, -1]])));
    assert_eq!(ternary(0.25).values, ndarray::arr2(&[[1, 0]]));

    // 8 bits: codes, not rounded products. 0.7 / 0.1 = 7, -12.8 / 0.1 = -128.
    let eight = Q { scale: 0.1, bits: 8.0, narrow: false, ..TERNARY };
    let m = Model::new(&[1, 2]).floats("w", &[2, 1], &[0.7, -13.0]).quant("wq", "w", eight);
    let w = &m.node("y", "MatMul", "x wq").import().unwrap().layers[0].weights;
    assert_eq!((w.kind, w.scale[0]), (WeightKind::Int8, f64::from(0.1f32)));
    assert_eq!(w.values, ndarray::arr2(&[[7, -128]]));
}

#[test]
fn finn_graph_with_plain_integer_weights() {
    let mut m = Model::new(&[1, 3])
        .floats("t0", &[1, 1], &[127.5])
        .node("i", "MultiThreshold", "x t0")
        .float("out_scale", 2.0)
        .float("out_bias", -1.0)
        .text("out_dtype", "BIPOLAR")
        .floats("w0", &[3, 2], &[1., -1., 0., 1., 1., 1.])
        .node("s", "MatMul", "i w0")
        .floats("t1", &[2, 1], &[0.5, -0.5])
        .node("q", "MultiThreshold", "s t1")
        .float("out_scale", 2.0)
        .float("out_bias", -1.0)
        .text("out_dtype", "BIPOLAR")
        .floats("w1", &[2, 2], &[3., 0., -3., 3.])
        .node("m", "MatMul", "q w1")
        .ints("k", &[1], &[1])
        .node("v y", "TopK", "m k")
        .int("axis", -1);
    m.0.opset_import.clear();
    m.0.graph.as_mut().unwrap().node.iter_mut().filter(|n| !n.domain.is_empty()).for_each(|n| {
        n.domain = "finn.custom_op.general".into();
    });
    let n = m.import().unwrap();
    use crate::network::{InputCode, InputValues};
    assert_eq!(n.input.code, InputCode::U8(InputValues::Threshold { at: 128 }));
    assert_eq!(n.layers[0].weights.kind, WeightKind::Ternary);
    assert_eq!((n.layers[1].weights.kind, n.layers[1].weights.scale[0]), (WeightKind::Ternary, 3.0));
    // i = (1, -1, 1): s = (2, -1), q = (1, -1), m = (6, -3)
    assert_eq!(scores(&n, &[255, 0, 128]), [6.0, -3.0]);
}

#[test]
fn gemm_with_transposed_weights_alpha_beta_and_bias() {
    let n = Model::new(&[1, 2])
        .floats("w", &[3, 2], &[1., -1., 1., 1., -1., -1.])
        .floats("c", &[3], &[1., 2., 3.])
        .node("y", "Gemm", "x w c")
        .int("transB", 1)
        .float("alpha", 0.5)
        .float("beta", 2.0)
        .import()
        .unwrap();
    assert_eq!(n.layers[0].bias, [2., 4., 6.]);
    assert_eq!(n.layers[0].normalize, Normalize::None);
    assert_eq!(scores(&n, &[4, 2]), [0.5 * 2. + 2., 0.5 * 6. + 4., -0.5 * 6. + 6.]);
}

fn norm(m: Model, input: &str, output: &str) -> Model {
    m.floats("g", &[2], &[-2.0, 0.0])
        .floats("b", &[2], &[1.0, -3.0])
        .floats("m", &[2], &[0.5, 0.25])
        .floats("v", &[2], &[4.0, 1.0])
        .node(output, "BatchNormalization", &format!("{input} g b m v"))
        .float("epsilon", 0.0)
        .float("momentum", 0.9)
}

#[test]
fn batch_norm_keeps_negative_and_zero_gains_and_takes_a_bias_before_it() {
    let n = norm(start(), "s", "y").import().unwrap();
    let Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } = &n.layers[0].normalize else { panic!() };
    assert_eq!((gamma.as_slice(), beta.as_slice()), ([-2.0, 0.0].as_slice(), [1.0, -3.0].as_slice()));
    assert_eq!((mean[0], variance[0], *epsilon), (0.5, 4.0, 0.0));
    assert_eq!(scores(&n, &[3, 5]), [-2.0 * 7.5 / 2.0 + 1.0, -3.0]);

    let biased = start().floats("c", &[2], &[2.0, 1.0]).node("sb", "Add", "c s");
    let n = norm(biased, "sb", "y").import().unwrap();
    assert_eq!(n.layers[0].bias, [2.0, 1.0]);
    assert!(matches!(n.layers[0].normalize, Normalize::BatchNorm { .. }));

    // Positive gains before it go to the weight scale, negative ones make one affine map.
    let scaled = |c: f32| start().floats("c", &[1], &[c]).node("sc", "Mul", "s c");
    let n = norm(scaled(0.5), "sc", "y").import().unwrap();
    assert_eq!(n.layers[0].weights.scale, [0.5; 2]);
    let n = norm(scaled(-0.5), "sc", "y").import().unwrap();
    assert_eq!(n.layers[0].normalize, Normalize::Affine { gain: vec![0.5, -0.0], shift: vec![1.5, -3.0] });
    assert_eq!(scores(&n, &[3, 5]), [0.5 * 8.0 + 1.5, -3.0]);
}

#[test]
fn what_follows_a_batch_norm_goes_into_it() {
    let m = norm(start(), "s", "bn").floats("c", &[1, 2], &[3.0, -1.0]).node("n", "Mul", "bn c");
    let n = m.node("y", "Neg", "n").import().unwrap();
    let Normalize::BatchNorm { gamma, beta, .. } = &n.layers[0].normalize else { panic!() };
    assert_eq!((gamma.as_slice(), beta.as_slice()), ([6.0, 0.0].as_slice(), [-3.0, -3.0].as_slice()));
    // A second one turns the first into an affine map.
    let twice = norm(start(), "s", "bn").node("y", "BatchNormalization", "bn g b m v").float("epsilon", 0.0);
    let n = twice.import().unwrap();
    assert_eq!(scores(&n, &[3, 5]), [-2.0 * (-6.5 - 0.5) / 2.0 + 1.0, -3.0]);
}

#[test]
fn affine_chains_compose_with_constants_on_either_side() {
    // y = (4 - (s - 1) / sqrt(0.25)) * 3 + c
    let n = start()
        .floats("one", &[], &[1.0])
        .floats("quarter", &[1], &[0.25])
        .floats("half", &[], &[0.5])
        .floats("four", &[1], &[4.0])
        .floats("three", &[1], &[3.0])
        .floats("c", &[2], &[0.0, 10.0])
        .node("a", "Sub", "s one")
        .node("d", "Pow", "quarter half")
        .node("e", "Div", "a d")
        .node("f", "Sub", "four e")
        .node("g", "Mul", "three f")
        .node("y", "Add", "g c")
        .import()
        .unwrap();
    assert_eq!(n.layers[0].normalize, Normalize::Affine { gain: vec![-6.0; 2], shift: vec![18.0, 28.0] });
    assert_eq!(scores(&n, &[3, 5]), [-6.0 * 8.0 + 18.0, -6.0 * -2.0 + 28.0]);
    assert_eq!(n.layers[0].bias, [0.0; 2]);
}

#[test]
fn affine_maps_on_an_activation_go_to_the_next_layer() {
    // BinaryConnect style: {0, 1} * 2 - 1 is bipolar again.
    let n = start()
        .floats("t", &[1, 1], &[0.0])
        .node("b", "MultiThreshold", "s t")
        .floats("two", &[], &[2.0])
        .floats("one", &[], &[1.0])
        .node("d", "Mul", "b two")
        .node("q", "Sub", "d one")
        .head("q")
        .import()
        .unwrap();
    assert_eq!((n.layers[1].weights.scale[0], n.layers[1].bias[0]), (1.0, 0.0));
    // Quantizing it again to the same values changes nothing.
    let m = start().floats("a", &[], &[0.5]).node("p", "BipolarQuant", "s a").node("q", "BipolarQuant", "p a");
    assert_eq!(m.head("q").import().unwrap().layers.len(), 2);
}

#[test]
fn identity_dropout_and_casts_pass_through() {
    let n = start()
        .node("a", "Identity", "s")
        .node("b", "Dropout", "a")
        .node("c", "Cast", "b")
        .int("to", 1)
        .node("y", "ArgMax", "c")
        .int("axis", 1)
        .import()
        .unwrap();
    assert_eq!(n.layers.len(), 1);
}
