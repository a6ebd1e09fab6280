//! Damaged files give an error or a network, never a panic.

use super::*;

/// A model with the shape of a trained one: folded Reshape, quantized input and weights, batch norm, affine end.
fn specimen() -> Vec<u8> {
    let signs: Vec<f32> = (0..32).map(|i| if (i * 7) % 5 < 2 { 0.5 } else { -0.25 }).collect();
    Model::new(&[1, 1, 2, 4])
        .ints("zero", &[], &[0])
        .ints("rest", &[1], &[-1])
        .node("sh", "Shape", "x")
        .node("b", "Gather", "sh zero")
        .int("axis", 0)
        .node("u", "Unsqueeze", "b")
        .list("axes", &[0])
        .node("to", "Concat", "u rest")
        .int("axis", 0)
        .node("flat", "Reshape", "x to")
        .floats("two", &[], &[2.0])
        .floats("one", &[1], &[1.0])
        .node("d", "Mul", "flat two")
        .node("e", "Sub", "d one")
        .node("f", "BipolarQuant", "e one")
        .floats("w0", &[4, 8], &signs)
        .node("w0q", "BipolarQuant", "w0 one")
        .node("w0t", "Transpose", "w0q")
        .list("perm", &[1, 0])
        .node("s", "MatMul", "f w0t")
        .floats("p", &[4], &[1.5, -0.5, 2.0, 1.0])
        .floats("v", &[4], &[1.5, 0.5, 2.0, 1.0])
        .node("n", "BatchNormalization", "s p p p v")
        .float("epsilon", 1e-5)
        .quant("q", "n", TERNARY)
        .floats("w1", &[2, 4], &[1., -1., 1., 1., -1., -1., 1., -1.])
        .node("g", "Gemm", "q w1")
        .int("transB", 1)
        .node("y", "Div", "g two")
        .bytes()
}

/// The same of a convolutional one: padding, pool, both orders of a map.
fn maps() -> Vec<u8> {
    Model::new(&[1, 1, 4, 4])
        .floats("one", &[], &[1.0])
        .ints("pads", &[8], &[0, 0, 1, 0, 0, 0, 0, 1])
        .node("i", "Pad", "x pads")
        .floats("w0", &[2, 1, 2, 2], &[1., -1., 1., 1., -1., -1., 1., -1.])
        .node("c", "Conv", "i w0")
        .list("pads", &[0, 0, 0, 0])
        .node("m", "MaxPool", "c")
        .list("kernel_shape", &[2, 2])
        .list("strides", &[2, 2])
        .node("q", "BipolarQuant", "m one")
        .node("t", "Transpose", "q")
        .list("perm", &[0, 2, 3, 1])
        .node("p", "Im2Col", "t")
        .list("kernel_size", &[1, 2])
        .list("stride", &[1, 1])
        .floats("w1", &[4, 2], &[1., -1., 1., 1., -1., -1., 1., -1.])
        .node("s", "MatMul", "p w1")
        .node("r", "BipolarQuant", "s one")
        .node("f", "Flatten", "r")
        .floats("w2", &[4, 2], &[1., -1., 1., 1., -1., -1., 1., -1.])
        .node("y", "MatMul", "f w2")
        .bytes()
}

fn import(bytes: &[u8]) -> Result<Network, NetworkError> {
    from_bytes(Path::new("specimen.onnx"), bytes, &ImportOptions::default())
}

#[test]
fn cut_short_anywhere() {
    for bytes in [specimen(), maps()] {
        import(&bytes).unwrap();
        for end in 0..bytes.len() {
            let _ = import(&bytes[..end]);
        }
        // A cut inside the graph cannot go unnoticed; the opset list after it can.
        assert!(import(&bytes[..bytes.len() / 2]).is_err());
    }
    assert!(import(&[]).is_err());
    assert!(import(b"not an ONNX file at all").is_err());
}

#[test]
fn every_byte_changed() {
    for bytes in [specimen(), maps()] {
        for at in 0..bytes.len() {
            for change in [0x01, 0x08, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                let _ = import(&damaged);
            }
        }
    }
}

#[test]
fn deep_chains_do_not_recurse() {
    let mut m = start();
    let mut last = "s".to_string();
    for i in 0..20_000 {
        let next = format!("n{i}");
        m = m.node(&next, "Identity", &last);
        last = next;
    }
    assert!(m.node("y", "Identity", &last).import().is_ok());
}

#[test]
fn a_missing_file_is_named() {
    let error = super::super::qonnx(Path::new("no/such.onnx"), &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("no/such.onnx: cannot read the model"), "{error}");
}
