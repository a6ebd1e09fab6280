use super::*;
use crate::network::{InputCode, InputValues};

/// One output from `inputs` ones, behind `x`.
fn sum_of(m: Model, inputs: i64, from: &str) -> Model {
    m.floats("w", &[inputs, 1], &vec![1.0; inputs as usize]).node("y", "MatMul", &format!("{from} w"))
}

fn values(n: &Network) -> &InputValues {
    match &n.input.code {
        InputCode::U8(values) => values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn plain_pixels_are_the_codes_under_a_scale() {
    let n = sum_of(Model::new(&[1, 3]), 3, "x").import_with(None).unwrap();
    assert_eq!(n.input.shape, [3]);
    assert_eq!(values(&n), &InputValues::Affine { gain: 1, offset: 0 });
    assert_eq!(n.layers[0].weights.scale, [1.0 / 255.0]);
    let n = sum_of(Model::new(&[1, 3]), 3, "x").import_with(Some(0.5)).unwrap();
    assert_eq!(n.layers[0].weights.scale, [0.5]);
}

fn doubled_less_one() -> Model {
    Model::new(&[1, 1, 2, 2])
        .floats("two", &[], &[2.0])
        .floats("one", &[1], &[1.0])
        .node("flat", "Flatten", "x")
        .node("d", "Mul", "flat two")
        .node("c", "Sub", "d one")
}

#[test]
fn doubled_less_one_is_affine_over_255() {
    let n = sum_of(doubled_less_one(), 4, "c").import_with(None).unwrap();
    assert_eq!(n.input.shape, [1, 2, 2]);
    assert_eq!(values(&n), &InputValues::Affine { gain: 2, offset: -255 });
    assert_eq!(n.layers[0].weights.scale, [1.0 / 255.0]);
    assert_eq!(n.layers[0].bias, [0.0]);
}

#[test]
fn a_bipolar_input_is_a_threshold() {
    let m = doubled_less_one().floats("a", &[], &[1.0]).node("q", "BipolarQuant", "c a");
    let n = sum_of(m, 4, "q").import_with(None).unwrap();
    assert_eq!(values(&n), &InputValues::Threshold { at: 128 });
    // Inverted, it is a table of signs.
    let m = doubled_less_one().floats("a", &[], &[0.5]).node("n", "Neg", "c").node("q", "BipolarQuant", "n a");
    let n = sum_of(m, 4, "q").import_with(None).unwrap();
    let table: Vec<i32> = (0..256).map(|p| if p < 128 { 1 } else { -1 }).collect();
    assert_eq!(values(&n), &InputValues::Table(table));
    assert_eq!(n.layers[0].weights.scale, [0.5]);
}

#[test]
fn eight_bit_quantizers_give_their_codes() {
    let eight = Q { scale: 1.0 / 255.0, bits: 8.0, signed: false, narrow: false, ..TERNARY };
    let n = sum_of(Model::new(&[1, 2]).quant("q", "x", eight), 2, "q").import_with(None).unwrap();
    assert_eq!(values(&n), &InputValues::Affine { gain: 1, offset: 0 });
    assert_eq!(n.layers[0].weights.scale, [f64::from(1.0f32 / 255.0)]);

    // round(p / 255 * 128), at most 127: no straight line.
    let signed = Q { scale: 1.0 / 128.0, signed: true, ..eight };
    let n = sum_of(Model::new(&[1, 2]).quant("q", "x", signed), 2, "q").import_with(None).unwrap();
    let InputValues::Table(table) = values(&n) else { panic!() };
    assert_eq!(
        (table[0], table[1], table[2], table[3], table[128], table[254], table[255]),
        (0, 1, 1, 2, 64, 127, 127)
    );
    assert_eq!(n.layers[0].weights.scale, [1.0 / 128.0]);

    // Zero point 128: codes p - 128, values (p - 128) / 2.
    let shifted = Q { scale: 0.5, zero: 128.0, ..eight };
    let m = Model::new(&[1, 2]).floats("h", &[], &[64.0]).node("c", "Sub", "x h").quant("q", "c", shifted);
    let n = sum_of(m, 2, "q").import_with(Some(0.5)).unwrap();
    assert_eq!(values(&n), &InputValues::Affine { gain: 1, offset: -128 });
}

#[test]
fn the_default_divides_rather_than_multiplies() {
    // FLOOR(p / 255 * 255): by division every pixel comes back whole.
    let q = Q { scale: 1.0, bits: 8.0, signed: false, narrow: false, mode: "FLOOR", zero: 0.0 };
    let m = Model::new(&[1, 2]).floats("c", &[], &[255.0]).node("m", "Mul", "x c").quant("q", "m", q);
    for scale in [None, Some(1.0 / 255.0)] {
        let n = sum_of(m.clone(), 2, "q").import_with(scale).unwrap();
        let expected = (0..=255u8).map(|p| ((f32::from(p) / 255.0) * 255.0).floor() as i32);
        assert!((0..=255u8).zip(expected).all(|(p, e)| n.input.code.value(p) == e), "{scale:?}");
    }
}

#[test]
fn a_curve_of_whole_numbers_is_a_table_and_others_are_refused() {
    let curve = |scale| {
        let m = Model::new(&[1, 2]).floats("e", &[], &[2.0]).node("p", "Pow", "x e");
        sum_of(m, 2, "p").import_with(scale)
    };
    // (p / 2)^2 = p^2 / 4: up to 65025 quarters, too large for an entry
    assert!(curve(Some(0.5)).unwrap_err().to_string().contains("quantize it"));
    let m = Model::new(&[1, 2]).floats("e", &[], &[0.5]).node("p", "Pow", "x e");
    assert!(sum_of(m, 2, "p").refusal().contains("Quant with 8 bits"));

    let q = Q { scale: 0.25, bits: 4.0, signed: false, narrow: false, ..TERNARY };
    let m = Model::new(&[1, 2]).node("p", "Sqrt", "x").quant("q", "p", q);
    let n = sum_of(m, 2, "q").import_with(None).unwrap();
    // sqrt(p / 255) * 4: 255 gives 4; 64 gives 2.004
    assert_eq!([0, 4, 64, 255].map(|p| n.input.code.value(p)), [0, 1, 2, 4]);
}

#[test]
fn an_offset_that_is_no_whole_step_becomes_a_bias() {
    let m = Model::new(&[1, 2]).floats("t", &[1, 2], &[10.0, 20.0]).node("q", "MultiThreshold", "x t");
    let n = sum_of(m.float("out_bias", 0.25), 2, "q").import().unwrap();
    assert_eq!([9, 10, 20].map(|p| n.input.code.value(p)), [0, 1, 2]);
    assert_eq!(n.layers[0].bias, [0.5]);
    assert_eq!(scores(&n, &[9, 20]), [2.5]);
}

#[test]
fn shapes_are_folded_inferred_and_checked() {
    // The batch is unknown, and the graph computes its own Reshape target.
    let m = Model::new(&[0, 1, 2, 2])
        .ints("zero", &[], &[0])
        .ints("rest", &[1], &[-1])
        .node("sh", "Shape", "x")
        .node("b", "Gather", "sh zero")
        .int("axis", 0)
        .node("u", "Unsqueeze", "b")
        .list("axes", &[0])
        .node("to", "Concat", "u rest")
        .int("axis", 0)
        .node("flat", "Reshape", "x to");
    let n = sum_of(m.clone(), 4, "flat").import().unwrap();
    assert_eq!(n.input.shape, [1, 2, 2]);
    // No shape at all: the first layer tells.
    let mut bare = sum_of(m, 4, "flat");
    bare.graph().input[0].r#type = None;
    assert_eq!(bare.import().unwrap().input.shape, [4]);
    let mut bare = sum_of(Model::bare(None), 3, "x");
    // Initializers may be listed as inputs, as old files do.
    bare.graph().input.push(ValueInfo { name: "w".into(), r#type: None });
    assert_eq!(bare.import().unwrap().input.shape, [3]);
    // Rows of an image are no images.
    assert!(sum_of(Model::new(&[1, 2, 4]), 4, "x").refusal().contains("flatten"));
    assert!(sum_of(Model::new(&[1, 5]), 4, "x").refusal().contains("take 4 inputs"));
    // A batch in the file is no part of the shape.
    assert_eq!(sum_of(Model::new(&[7, 4]), 4, "x").import().unwrap().input.shape, [4]);
    let m = Model::new(&[1, 2, 2]).ints("s", &[1], &[1]).ints("e", &[1], &[3]).node("sh", "Shape", "x");
    let m = m.node("tail", "Slice", "sh s e").ints("n", &[1], &[-1]).node("sq", "Squeeze", "x").list("axes", &[0]);
    let m = m.node("back", "Reshape", "sq tail").node("flat", "Reshape", "back n");
    assert_eq!(sum_of(m, 4, "flat").import().unwrap().input.shape, [2, 2]);
}

#[test]
fn byte_inputs_and_finn_notes_take_pixels_as_they_are() {
    let mut m = sum_of(Model::new(&[1, 3]).node("f", "Cast", "x").int("to", 1), 3, "f");
    m.graph().input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().elem_type = data_type::UINT8;
    assert_eq!(m.import_with(None).unwrap().layers[0].weights.scale, [1.0]);
    assert!(m.import_with(Some(0.5)).unwrap_err().to_string().contains("leave out the input scale"));
    m.graph().node.remove(0);
    m.graph().node[0].input[0] = "x".into();
    assert!(m.refusal().contains("cast the input"));

    let mut m = sum_of(Model::new(&[1, 3]), 3, "x");
    let entry = StringEntry { key: "finn_datatype".into(), value: "UINT8".into() };
    m.graph().quantization_annotation =
        vec![TensorAnnotation { tensor_name: "x".into(), quant_parameter_tensor_names: vec![entry] }];
    assert_eq!(m.import_with(None).unwrap().layers[0].weights.scale, [1.0]);
    m.graph().quantization_annotation[0].quant_parameter_tensor_names[0].value = "BIPOLAR".into();
    let refusal = m.import_with(None).unwrap_err().to_string();
    assert!(refusal.contains("noted as BIPOLAR, and images are bytes from 0 to 255; say by --input-scale"));
    assert_eq!(m.import_with(Some(0.5)).unwrap().layers[0].weights.scale, [0.5]);
}
