//! The training loop.

use std::path::Path;

use burn::tensor::Device;

use crate::data::{Images, Split};
use crate::param::values;
use crate::random::{Purpose, Stream};
use crate::{
    Error, adam::Adam, batch, checkpoint, curve::Row, evaluate, export, loss, model::Model, recipe::Recipe, schedule,
};

/// Whole numbers up to here are exact in f32.
const EXACT: usize = 1 << 24;

/// How a run goes on disk; nothing here changes what comes out.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// File and number of epochs from one checkpoint to the next.
    pub checkpoint: Option<(&'a Path, usize)>,
    /// Starts from the checkpoint.
    pub resume: bool,
    /// Ends after this epoch, as an interruption would.
    pub stop_after: Option<usize>,
}

pub struct Fitted {
    pub model: Model,
    pub curve: Vec<Row>,
}

/// Trains; `report` gets the row of every epoch done, those before a resumption, too.
pub fn fit(
    recipe: &Recipe,
    split: &Split,
    device: &Device,
    options: Options,
    mut report: impl FnMut(&Row),
) -> Result<Fitted, Error> {
    let mut model = Model::new(recipe, split.train.values(), device);
    check(recipe, split, &model)?;
    let mut adam = Adam::new(&model.params());
    let mut curve = match options.checkpoint {
        Some((path, _)) if options.resume => checkpoint::restore(path, recipe, &mut model, &mut adam, device)?,
        _ => Vec::new(),
    };
    curve.iter().for_each(&mut report);
    for epoch in curve.len()..recipe.train.epochs {
        let row = one_epoch(recipe, split, device, epoch, &mut model, &mut adam)?;
        report(&row);
        curve.push(row);
        if let Some((path, every)) = options.checkpoint
            && (epoch + 1) % every == 0
        {
            checkpoint::save(path, recipe, &model, &adam, &curve)?;
        }
        if options.stop_after == Some(epoch + 1) {
            break;
        }
    }
    Ok(Fitted { model, curve })
}

/// Finds before training what would stop the export after it.
fn check(recipe: &Recipe, split: &Split, model: &Model) -> Result<(), Error> {
    let bad = |reason: String| Err(Error::Recipe { place: recipe.name.clone(), reason });
    let last = recipe.layers.len() - 1;
    if recipe.layers[last].neurons != split.classes {
        return bad(format!(
            "layers.{last}.neurons is {}, but the data set has {} classes; the last layer gives one score a class",
            recipe.layers[last].neurons, split.classes
        ));
    }
    let network = export::network(&recipe.name, &split.train.shape, recipe.input.code(), &model.layers)?;
    let largest = (0..=split.train.largest).map(|q| network.input.code.value(q).unsigned_abs()).max().unwrap_or(0);
    if largest as usize * network.input_len() > EXACT {
        return bad(format!(
            "input: values up to {largest} times {} inputs can pass 2^24, beyond which f32 sums are not exact; use smaller values",
            network.input_len()
        ));
    }
    Ok(())
}

fn one_epoch(
    recipe: &Recipe,
    split: &Split,
    device: &Device,
    epoch: usize,
    model: &mut Model,
    adam: &mut Adam,
) -> Result<Row, Error> {
    let code = recipe.input.code();
    let train = &recipe.train;
    let learning_rate = train.learning_rate * schedule::share(train.schedule, epoch, train.epochs);
    let mut order: Vec<usize> = (0..split.train.len()).collect();
    Stream::new(recipe.seed, Purpose::Order, epoch).shuffle(&mut order);
    let mut augment = Stream::new(recipe.seed, Purpose::Augment, epoch);
    let (mut loss_sum, mut right) = (0.0, 0);
    for chosen in batch::cut(&order, train.batch) {
        let x = batch::training(&split.train, chosen, &code, &recipe.data, &mut augment, device);
        let scores = model.train(x.autodiff(), train.momentum);
        right += count_right(&values(scores.clone()), &split.train, chosen, split.classes);
        let targets = batch::targets(&split.train, chosen, split.classes, device);
        let loss = loss::loss(train.loss, scores / train.temperature, targets);
        let value = f64::from(values(loss.clone())[0]);
        if !value.is_finite() {
            return Err(Error::Diverged { epoch: epoch + 1, loss: value });
        }
        loss_sum += value * chosen.len() as f64;
        adam.step(model.params_mut(), &loss.backward(), learning_rate);
    }
    let images = split.train.len() as f64;
    let predicted = evaluate::predictions(model, &split.held_out, &code, device);
    Ok(Row {
        epoch: epoch + 1,
        learning_rate,
        train_loss: loss_sum / images,
        train_accuracy: right as f64 / images,
        held_out_accuracy: evaluate::accuracy(&predicted, &split.held_out.labels),
    })
}

fn count_right(scores: &[f32], images: &Images, chosen: &[usize], classes: usize) -> usize {
    let rows = scores.chunks_exact(classes).zip(chosen);
    rows.filter(|(row, i)| evaluate::first_maximum(row) == images.labels[**i]).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data, recipe::SHIPPED};

    fn tiny(recipe: &str, more: &[&str]) -> Recipe {
        let set = ["train.epochs=4", "layers.0.neurons=9", "layers.1.neurons=12", "train.batch=400"];
        let set: Vec<String> = set.iter().chain(more).map(|s| s.to_string()).collect();
        Recipe::parse("tiny", SHIPPED.iter().find(|(n, _)| *n == recipe).unwrap().1, &set).unwrap()
    }

    /// Bytes of the exported network, and the curve.
    fn trained(recipe: &Recipe, options: Options) -> Result<(Vec<u8>, Vec<Row>), Error> {
        let split = data::load(recipe.data.set)?;
        let fitted = fit(recipe, &split, &Device::flex(), options, |_| ())?;
        let network = export::network("tiny", &split.train.shape, recipe.input.code(), &fitted.model.layers)?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.safetensors");
        hafnia::network::save(&network, &path)?;
        Ok((std::fs::read(path).unwrap(), fitted.curve))
    }

    #[test]
    fn an_interrupted_run_resumes_to_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        for name in ["digits_binary", "digits_ternary"] {
            let recipe = tiny(name, &[]);
            let whole = trained(&recipe, Options::default()).unwrap();
            assert_eq!(whole, trained(&recipe, Options::default()).unwrap(), "{name}: a run repeats");
            // Interrupted after epoch 3, one after the last checkpoint: epoch 3 runs again.
            let options = Options { checkpoint: Some((&path, 2)), ..Options::default() };
            let cut = trained(&recipe, Options { stop_after: Some(3), ..options }).unwrap();
            assert_ne!(cut.0, whole.0);
            assert_eq!(trained(&recipe, Options { resume: true, ..options }).unwrap(), whole, "{name}: resumed");
        }
    }

    #[test]
    fn resuming_another_recipe_is_refused_by_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        let options = Options { checkpoint: Some((&path, 1)), ..Options::default() };
        let first = Options { stop_after: Some(1), ..options };
        trained(&tiny("digits_binary", &[]), first).unwrap();
        let other = tiny("digits_binary", &["train.learning_rate=0.25"]);
        let message = trained(&other, Options { resume: true, ..options }).unwrap_err().to_string();
        assert!(message.contains("train.learning_rate: then 0.005, now 0.25"), "{message}");
    }

    #[test]
    fn what_would_stop_the_export_is_found_before_training() {
        let refused = |set: &str, expected: &str| {
            let message = trained(&tiny("digits_binary", &[set]), Options::default()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        refused("layers.2.neurons=7", "layers.2.neurons is 7, but the data set has 10 classes");
        refused("layers.1.name=FC1", "its name is that of layer `fc1`");
        refused("name=a-b", "cannot stand in Verilog");
        refused("input.affine=[20000, 0]", "can pass 2^24");
    }
}
