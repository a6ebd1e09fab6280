//! Everything that a run needs to go on as if it had never stopped, in one `.safetensors` file: parameters, running
//! statistics and Adam's moments as tensors; recipe, epochs done and learning curve as JSON in the metadata.

use std::{collections::HashMap, path::Path};

use burn::tensor::{Device, Tensor};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{Error, adam::Adam, curve::Row, model::Model, param::values, recipe::Recipe, whole};

const KEY: &str = "hafnia-train";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    recipe: Recipe,
    adam_step: usize,
    /// One row for each epoch done.
    curve: Vec<Row>,
}

/// All tensors of a run under the names they have in the file.
fn state(model: &Model, adam: &Adam) -> Vec<(String, Vec<f32>)> {
    let mut state: Vec<(String, Vec<f32>)> = Vec::new();
    for (param, [first, second]) in model.params().into_iter().zip(&adam.moments) {
        state.push((param.name.clone(), param.values()));
        state.push((format!("{}.moment1", param.name), values(first.clone())));
        state.push((format!("{}.moment2", param.name), values(second.clone())));
    }
    state.extend(model.buffers().into_iter().map(|b| (b.name.clone(), values(b.value.clone()))));
    state
}

pub fn save(path: &Path, recipe: &Recipe, model: &Model, adam: &Adam, curve: &[Row]) -> Result<(), Error> {
    let header = Header { format: FORMAT, recipe: recipe.clone(), adam_step: adam.step, curve: curve.to_vec() };
    let text = serde_json::to_string(&header).expect("a header is plain data");
    let tensors: Vec<(String, usize, Vec<u8>)> = state(model, adam)
        .into_iter()
        .map(|(name, v)| (name, v.len(), v.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let views = tensors.iter().map(|(name, len, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, vec![*len], bytes).expect("length and bytes agree"))
    });
    let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), text)]))).expect("views are valid");
    whole::write(path, &bytes, "write the checkpoint")
}

/// Puts the state of a checkpoint into a fresh run of the same recipe; gives the curve so far.
pub fn restore(
    path: &Path,
    recipe: &Recipe,
    model: &mut Model,
    adam: &mut Adam,
    device: &Device,
) -> Result<Vec<Row>, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: path.into(),
        action: "read the checkpoint (leave out --resume to start anew)",
        source,
    })?;
    let bad = |reason: String| Error::Checkpoint { path: path.into(), reason };
    let damaged = |e: String| bad(format!("is no usable checkpoint: {e}; leave out --resume to start anew"));
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let text = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
    let text = text.ok_or_else(|| damaged(format!("no `{KEY}` entry in its metadata")))?;
    let header: Header = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
    if header.format != FORMAT {
        return Err(damaged(format!("format {}, this version reads {FORMAT}", header.format)));
    }
    if header.recipe != *recipe {
        let key = difference(&header.recipe, recipe);
        return Err(bad(format!("comes from another recipe ({key}); use that one, or leave out --resume")));
    }
    let read = |name: &str, len: usize| -> Result<Tensor<1>, Error> {
        let view = tensors.tensor(name).map_err(|e| damaged(e.to_string()))?;
        if view.dtype() != Dtype::F32 || view.shape() != [len] {
            return Err(damaged(format!(
                "tensor {name} is {:?} {:?}, expected F32 [{len}]",
                view.dtype(),
                view.shape()
            )));
        }
        let values: Vec<f32> =
            view.data().chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().expect("four bytes"))).collect();
        Ok(Tensor::from_floats(values.as_slice(), device))
    };
    for (param, moments) in model.params_mut().into_iter().zip(&mut adam.moments) {
        let (name, len) = (param.name.clone(), param.flat().dims()[0]);
        param.set(read(&name, len)?);
        *moments = [read(&format!("{name}.moment1"), len)?, read(&format!("{name}.moment2"), len)?];
    }
    for buffer in model.buffers_mut() {
        buffer.value = read(&buffer.name, buffer.value.dims()[0])?;
    }
    adam.step = header.adam_step;
    Ok(header.curve)
}

/// The first key in which two recipes differ.
fn difference(then: &Recipe, now: &Recipe) -> String {
    fn walk(then: &serde_json::Value, now: &serde_json::Value, path: &str) -> Option<String> {
        if then == now {
            return None;
        }
        let inner = then
            .as_object()
            .zip(now.as_object())
            .and_then(|(a, b)| a.iter().find_map(|(key, value)| walk(value, b.get(key)?, &format!("{path}.{key}"))));
        inner.or_else(|| Some(format!("{}: then {then}, now {now}", path.trim_start_matches('.'))))
    }
    let json = |r: &Recipe| serde_json::to_value(r).expect("a recipe is plain data");
    walk(&json(then), &json(now), "").unwrap_or_default()
}
