//! A layer's weights: integers and one scale a neuron, out of the constant that the graph multiplies by.

use ndarray::Array2;

use super::constant::Constant;
use super::tensor::Tensor;
use crate::network::{WeightKind, Weights};

/// Factors a constant of shape `[neurons, inputs]`.
pub fn factor(constant: &Constant) -> Result<Weights, String> {
    let &[neurons, inputs] = constant.tensor.shape.as_slice() else {
        return Err(format!("its weights have shape {:?}; a dense layer has two axes", constant.tensor.shape));
    };
    if neurons == 0 || inputs == 0 {
        return Err(format!("its weights have shape {:?}", constant.tensor.shape));
    }
    let (kind, codes, scale) = match &constant.quantized {
        Some(q) => (q.kind, q.codes.f64s(), row_scales(&q.scale, inputs)?),
        None => plain(&constant.tensor, inputs)?,
    };
    let whole = |v: &f64| v.fract() == 0.0 && (-128.0..=127.0).contains(v);
    if let Some(v) = codes.iter().find(|v| !whole(v)) {
        return Err(format!("a weight has the code {v}; weights take whole numbers from -128 to 127"));
    }
    let codes = codes.into_iter().map(|v| v as i8).collect();
    let values = Array2::from_shape_vec((neurons, inputs), codes).map_err(|e| e.to_string())?;
    Ok(Weights { kind, values, scale })
}

fn row_scales(scale: &Tensor, inputs: usize) -> Result<Vec<f64>, String> {
    let row = |row: &[f64]| match row.iter().all(|s| *s == row[0]) {
        true => Ok(row[0]),
        false => Err("its weight scale differs from input to input; use one for the tensor, or one for each output"),
    };
    Ok(scale.f64s().chunks_exact(inputs).map(row).collect::<Result<_, _>>()?)
}

/// Weights without a quantizer on them: `-a, 0, +a` in every row, or whole numbers.
fn plain(tensor: &Tensor, inputs: usize) -> Result<(WeightKind, Vec<f64>, Vec<f64>), String> {
    let v = tensor.f64s();
    let magnitude = |row: &[f64]| {
        let a = row.iter().map(|w| w.abs()).find(|w| *w != 0.0).unwrap_or(1.0);
        row.iter().all(|w| *w == 0.0 || w.abs() == a).then_some(a)
    };
    if let Some(scale) = v.chunks_exact(inputs).map(magnitude).collect::<Option<Vec<f64>>>() {
        let kind = if v.contains(&0.0) { WeightKind::Ternary } else { WeightKind::Bipolar };
        let sign = |w: f64| if w == 0.0 { 0.0 } else { w.signum() };
        return Ok((kind, v.into_iter().map(sign).collect(), scale));
    }
    if v.iter().all(|w| w.fract() == 0.0 && (-128.0..=127.0).contains(w)) {
        let scale = vec![1.0; v.len() / inputs];
        return Ok((WeightKind::Int8, v, scale));
    }
    let row = v.chunks_exact(inputs).position(|r| magnitude(r).is_none()).unwrap_or(0);
    Err(format!(
        "its weights are real numbers (output {row} has several magnitudes); quantize them with BipolarQuant, or Quant of 2 bits (signed, narrow) or 8 bits"
    ))
}
