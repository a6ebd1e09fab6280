//! Everything that a run needs to go on as if it had never stopped, in one `.safetensors` file: parameters, running
//! statistics, Adam's moments and the best network so far as tensors; recipe, epochs done and learning curve as JSON in
//! the metadata.

use std::{collections::HashMap, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::recipe::{ActivationKind, Recipe};
use crate::{Error, adam::Adam, curve::Row, model::Model, whole};

const KEY: &str = "hafnia-train";
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    recipe: Recipe,
    /// Recipe of the network that the run started from.
    #[serde(default)]
    from: Option<Recipe>,
    adam_step: usize,
    /// One row for each epoch done.
    curve: Vec<Row>,
}

/// Where a run stands.
pub struct State {
    /// Recipe of the network that it started from.
    pub from: Option<Recipe>,
    pub model: Model,
    pub adam: Adam,
    /// One row for each epoch done.
    pub curve: Vec<Row>,
    /// Latent values and running statistics of the best epoch, where the recipe keeps that.
    pub best: Option<Vec<Vec<f32>>>,
}

impl State {
    pub fn new(model: Model) -> Self {
        let adam = Adam::new(&model.params());
        Self { from: None, model, adam, curve: Vec::new(), best: None }
    }

    /// What makes the network, in the order of `names`.
    pub fn snapshot(&self) -> Vec<Vec<f32>> {
        let params = self.model.params().into_iter().map(|p| p.latent().to_vec());
        params.chain(self.model.buffers().into_iter().map(|b| b.values())).collect()
    }

    pub fn put_back(&mut self, snapshot: &[Vec<f32>]) {
        let (params, buffers) = snapshot.split_at(self.adam.moments.len());
        self.model.params_mut().into_iter().zip(params).for_each(|(p, v)| p.set(v));
        self.model.buffers_mut().into_iter().zip(buffers).for_each(|(b, v)| b.set(v));
    }

    fn names(&self) -> Vec<String> {
        let params = self.model.params().into_iter().map(|p| p.name.clone());
        params.chain(self.model.buffers().into_iter().map(|b| b.name.clone())).collect()
    }
}

pub fn save(path: &Path, recipe: &Recipe, state: &State) -> Result<(), Error> {
    let header = Header {
        format: FORMAT,
        recipe: recipe.clone(),
        from: state.from.clone(),
        adam_step: state.adam.step,
        curve: state.curve.clone(),
    };
    let text = serde_json::to_string(&header).expect("a header is plain data");
    let names = state.names();
    let mut tensors: Vec<(String, Vec<f32>)> = names.iter().cloned().zip(state.snapshot()).collect();
    for (name, moments) in names.iter().zip(&state.adam.moments) {
        tensors.extend((1..).zip(moments).map(|(n, m)| (format!("{name}.moment{n}"), m.clone())));
    }
    if let Some(best) = &state.best {
        tensors.extend(names.iter().zip(best).map(|(name, v)| (format!("best.{name}"), v.clone())));
    }
    let tensors: Vec<(String, usize, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, v)| (name, v.len(), v.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let views = tensors.iter().map(|(name, len, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, vec![*len], bytes).expect("length and bytes agree"))
    });
    let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), text)]))).expect("views are valid");
    whole::write(path, &bytes, "write the checkpoint")
}

/// A checkpoint's bytes, taken apart.
struct Opened<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
    header: Header,
}

fn damaged(path: &Path, e: impl std::fmt::Display) -> Error {
    let reason =
        format!("is no usable checkpoint: {e}; to start anew, leave out --resume or --from, or remove the file");
    Error::Checkpoint { path: path.into(), reason }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let action = "read the checkpoint (to start anew, leave out --resume or --from)";
    std::fs::read(path).map_err(|source| Error::Io { path: path.into(), action, source })
}

impl<'a> Opened<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self, Error> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(path, e))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(path, e))?;
        let text = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let text = text.ok_or_else(|| damaged(path, format!("no `{KEY}` entry in its metadata")))?;
        let header: Header = serde_json::from_str(text).map_err(|e| damaged(path, e))?;
        if header.format != FORMAT {
            return Err(damaged(path, format!("format {}, this version reads {FORMAT}", header.format)));
        }
        Ok(Self { path, tensors, header })
    }

    fn values(&self, name: &str, len: usize) -> Result<Vec<f32>, Error> {
        let view = self.tensors.tensor(name).map_err(|e| damaged(self.path, e))?;
        if view.dtype() != Dtype::F32 || view.shape() != [len] {
            let found = format!("tensor {name} is {:?} {:?}, expected F32 [{len}]", view.dtype(), view.shape());
            return Err(damaged(self.path, found));
        }
        let value = |c: &[u8]| f32::from_le_bytes(c.try_into().expect("four bytes"));
        Ok(view.data().chunks_exact(4).map(value).collect())
    }
}

/// Puts the state of a checkpoint into a fresh run of the same recipe.
pub fn restore(path: &Path, recipe: &Recipe, state: &mut State) -> Result<(), Error> {
    let bytes = read(path)?;
    let file = Opened::new(path, &bytes)?;
    if file.header.recipe != *recipe {
        let key = difference(&file.header.recipe, recipe);
        let reason = format!("comes from another recipe ({key}); use that one, or remove the file to start anew");
        return Err(Error::Checkpoint { path: path.into(), reason });
    }
    let (names, fresh) = (state.names(), state.snapshot());
    let all = |prefix: &str| -> Result<Vec<Vec<f32>>, Error> {
        names.iter().zip(&fresh).map(|(name, v)| file.values(&format!("{prefix}{name}"), v.len())).collect()
    };
    state.put_back(&all("")?);
    if file.tensors.tensor(&format!("best.{}", names[0])).is_ok() {
        state.best = Some(all("best.")?);
    }
    for (name, moments) in names.iter().zip(&mut state.adam.moments) {
        for (n, moment) in (1..).zip(moments) {
            *moment = file.values(&format!("{name}.moment{n}"), moment.len())?;
        }
    }
    state.adam.step = file.header.adam_step;
    state.curve = file.header.curve;
    state.from = file.header.from;
    Ok(())
}

/// How a whole layer's batch norm goes to the blocks of a split one (input-splitting, section III-B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// The shift is shared out and the scale kept, as the paper's "same scaling factor" says.
    Shift,
    /// b, mu, sigma and beta are all scaled by 1 / n, as the paper's sentence says.
    Literal,
}

/// The recipe that a checkpoint's run had.
pub fn recipe(path: &Path) -> Result<Recipe, Error> {
    Ok(Opened::new(path, &read(path)?)?.header.recipe)
}

/// The recipe of the network that a checkpoint's run started from.
pub fn origin(path: &Path) -> Result<Option<Recipe>, Error> {
    Ok(Opened::new(path, &read(path)?)?.header.from)
}

/// Puts the network that another run has reached into a model: weights as they are;
/// batch norm too, and in a layer that is split here, for arrays of `array_inputs`, and was whole there each block gets its share. Returns that run's recipe.
pub fn start_from(path: &Path, array_inputs: usize, model: &mut Model, mapping: Mapping) -> Result<Recipe, Error> {
    let bytes = read(path)?;
    let file = Opened::new(path, &bytes)?;
    let then = file.header.recipe.split.inputs;
    if then != 0 && then != array_inputs {
        let reason = format!(
            "has blocks of its own for split.inputs = {then}, not for {array_inputs}; start from a network with the same split.inputs, or from a whole one"
        );
        return Err(Error::Checkpoint { path: path.into(), reason });
    }
    let prefix = if file.header.recipe.train.keep == crate::recipe::Keep::Best { "best." } else { "" };
    for layer in &mut model.layers {
        let name = layer.name.clone();
        let of = |what: &str, len: usize| file.values(&format!("{prefix}{name}.{what}"), len);
        let weights = of("weight", layer.weight.latent().len())?;
        layer.weight.set(&weights);
        let (inputs, neurons) = (layer.inputs(), layer.neurons());
        if let Some(r) = &mut layer.rotated {
            for (param, what) in [(&mut r.angle, "angle"), (&mut r.gain, "gain")] {
                param.set(&of(what, neurons)?);
            }
            for (matrix, what) in [(&mut r.first, "rotation1"), (&mut r.second, "rotation2")] {
                matrix.set(&of(what, matrix.values().len())?);
            }
        }
        for (k, block) in layer.blocks.iter_mut().enumerate() {
            let Some(norm) = &mut block.norm else { continue };
            let (place, share) = match of(&format!("block{k}.gamma"), neurons) {
                Ok(_) => (format!("block{k}."), 1.0),
                Err(_) => (String::new(), block.inputs as f32 / inputs as f32),
            };
            let read = |what: &str, share: f32| -> Result<Vec<f32>, Error> {
                Ok(of(&format!("{place}{what}"), neurons)?.into_iter().map(|x| x * share).collect())
            };
            let spread = if mapping == Mapping::Literal { share * share } else { 1.0 };
            // A dead zone is shared, too: where a block's gamma is as many times larger, beta and the zone stay as they are.
            let (steeper, shift) = match layer.activation {
                Some(ActivationKind::Ternary) => (1.0 / share, 1.0),
                _ => (1.0, share),
            };
            norm.gamma.set(&read("gamma", steeper)?);
            norm.beta.set(&read("beta", shift)?);
            norm.mean.set(&read("mean", share)?);
            norm.variance.set(&read("variance", spread)?);
        }
    }
    Ok(file.header.recipe)
}

/// The network of a checkpoint, whole or split as its recipe says.
pub fn model(path: &Path, shape: &[usize], device: &burn::tensor::Device) -> Result<(Recipe, Model), Error> {
    let recipe = recipe(path)?;
    let model = mapped(path, &recipe, shape, recipe.split.inputs, Mapping::Shift, device)?;
    Ok((recipe, model))
}

/// The network of a checkpoint, split for arrays by parameter mapping alone.
pub fn mapped(
    path: &Path,
    recipe: &Recipe,
    shape: &[usize],
    array_inputs: usize,
    mapping: Mapping,
    device: &burn::tensor::Device,
) -> Result<Model, Error> {
    let mut recipe = recipe.clone();
    recipe.split.inputs = array_inputs;
    let bad = |reason: String| Error::Checkpoint { path: path.into(), reason };
    let mut model = Model::new(&recipe, shape, device).map_err(bad)?;
    start_from(path, array_inputs, &mut model, mapping)?;
    Ok(model)
}

/// The first key in which two recipes differ.
pub fn difference(then: &Recipe, now: &Recipe) -> String {
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn shares_of_blocks_by_hand() {
        let set = ["layers.0.neurons=12", "layers.1.neurons=2"].map(String::from);
        let recipe = Recipe::load("digits_binary", &set).unwrap();
        let (device, shape) = (Device::flex(), [1, 8, 8]);
        let mut state = State::new(Model::new(&recipe, &shape, &device).unwrap());
        let norm = state.model.layers[1].blocks[0].norm.as_mut().unwrap();
        norm.gamma.set(&[2.0, -1.0]);
        norm.beta.set(&[0.75, 6.0]);
        norm.mean.set(&[3.0, -9.0]);
        norm.variance.set(&[9.0, 36.0]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whole.checkpoint");
        save(&path, &recipe, &state).unwrap();
        // 12 inputs on arrays of 4: three blocks, each with a third of beta and mu, in the literal reading of sigma, too.
        for (mapping, variances) in [(Mapping::Shift, [9.0, 36.0]), (Mapping::Literal, [1.0, 4.0])] {
            let model = mapped(&path, &recipe, &shape, 4, mapping, &device).unwrap();
            let layer = &model.layers[1];
            assert_eq!(layer.blocks.iter().map(|b| (b.start, b.inputs)).collect::<Vec<_>>(), [(0, 4), (4, 4), (8, 4)]);
            assert_eq!(layer.weight.latent(), state.model.layers[1].weight.latent());
            for norm in layer.blocks.iter().map(|b| b.norm.as_ref().unwrap()) {
                assert_eq!((norm.gamma.latent(), norm.beta.latent()), (&[2.0, -1.0][..], &[0.25, 2.0][..]));
                let near =
                    |got: Vec<f32>, expected: [f32; 2]| got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(
                    near(norm.mean.values(), [1.0, -3.0]) && near(norm.variance.values(), variances),
                    "{mapping:?}"
                );
            }
        }
    }
}
