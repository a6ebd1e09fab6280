//! The training loop.

use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use hafnia::data::{Episode, EpisodeShape};
use hafnia::network::WeightKind;

use crate::adam::Rates;
use crate::checkpoint::State;
use crate::data::{Images, Split};
use crate::episodes;
use crate::param::{Param, values};
use crate::random::{Purpose, Stream};
use crate::recipe::{EpisodeRecipe, Keep, Recipe};
use crate::{Error, batch, checkpoint, curve::Row, errors, evaluate, export, loss, model::Model, schedule};

/// Whole numbers up to here are exact in f32.
const EXACT: usize = 1 << 24;

/// How a run goes on disk; nothing here but `from` changes what comes out.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// File and number of epochs from one checkpoint to the next.
    pub checkpoint: Option<(&'a Path, usize)>,
    /// Goes on from the checkpoint.
    pub resume: bool,
    /// Starts from the network in another run's checkpoint.
    pub from: Option<&'a Path>,
    /// Ends after this epoch, as an interruption would.
    pub stop_after: Option<usize>,
}

/// What a run tells while it goes.
pub enum Event<'a> {
    Batch { epoch: usize, batch: usize, batches: usize, loss: f64 },
    Epoch(&'a Row),
}

pub struct Fitted {
    /// Recipe of the network that it started from.
    pub from: Option<Recipe>,
    pub model: Model,
    pub curve: Vec<Row>,
    /// Epoch of the network, from 1.
    pub epoch: usize,
}

/// Trains; `report` gets the row of every epoch done, those before a resumption, too.
pub fn fit(
    recipe: &Recipe,
    split: &Split,
    device: &Device,
    options: Options,
    mut report: impl FnMut(Event),
) -> Result<Fitted, Error> {
    let bad = |reason: String| Error::Recipe { place: recipe.name.clone(), reason };
    let mut state = State::new(Model::new(recipe, &split.train.shape, device).map_err(bad)?);
    check(recipe, split, &state.model)?;
    match (options.checkpoint, options.from) {
        (Some((path, _)), _) if options.resume => checkpoint::restore(path, recipe, &mut state)?,
        (_, Some(from)) => {
            let mapping = checkpoint::Mapping::Shift;
            state.from = Some(checkpoint::start_from(from, recipe.split.inputs, &mut state.model, mapping)?);
        }
        _ => {}
    }
    state.curve.iter().for_each(|row| report(Event::Epoch(row)));
    while state.curve.len() < recipe.train.epochs && !is_over(recipe, &state.curve) {
        let row = one_epoch(recipe, split, device, &mut state, &mut report)?;
        report(Event::Epoch(&row));
        let before = best(&state.curve).map(|(_, accuracy)| accuracy);
        if recipe.train.keep == Keep::Best && before.is_none_or(|b| row.validation_accuracy > Some(b)) {
            state.best = Some(state.snapshot());
        }
        state.curve.push(row);
        let epochs = state.curve.len();
        if let Some((path, every)) = options.checkpoint
            && (epochs.is_multiple_of(every) || epochs == recipe.train.epochs || is_over(recipe, &state.curve))
        {
            checkpoint::save(path, recipe, &state)?;
        }
        if options.stop_after == Some(epochs) {
            break;
        }
    }
    let mut epoch = state.curve.len();
    if let Some(snapshot) = state.best.take() {
        state.put_back(&snapshot);
        epoch = best(&state.curve).map_or(epoch, |(epoch, _)| epoch);
    }
    Ok(Fitted { from: state.from, model: state.model, curve: state.curve, epoch })
}

/// The first epoch, from 1, with the best validation accuracy.
fn best(curve: &[Row]) -> Option<(usize, f64)> {
    let judged = curve.iter().filter_map(|r| r.validation_accuracy.map(|a| (r.epoch, a)));
    judged.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Whether early stopping ends the run here.
fn is_over(recipe: &Recipe, curve: &[Row]) -> bool {
    let patience = recipe.train.patience;
    let stale = patience > 0 && best(curve).is_some_and(|(epoch, _)| curve.len() >= epoch + patience);
    let threshold = recipe.episodes.as_ref().map_or(1.0, |e| e.threshold);
    stale || best(curve).is_some_and(|(_, accuracy)| accuracy > threshold)
}

/// Finds before training what would stop the export after it.
fn check(recipe: &Recipe, split: &Split, model: &Model) -> Result<(), Error> {
    let bad = |reason: String| Err(Error::Recipe { place: recipe.name.clone(), reason });
    let last = recipe.layers.len() - 1;
    let scores = recipe.layers[last].neurons(recipe.width);
    if scores != split.classes && recipe.episodes.is_none() {
        return bad(format!(
            "layers.{last}.neurons is {scores}, but the data set has {} classes; the last layer gives one score a class",
            split.classes
        ));
    }
    if let Some(e) = &recipe.episodes {
        let parts = [
            ("training", "queries", &split.train, if e.learned_way > 0 { e.learned_way } else { e.way }, e.queries),
            (
                "validation",
                "judged_queries",
                &split.validation,
                if e.validation_episodes > 0 { e.way } else { 0 },
                e.judged_queries,
            ),
            ("held-out", "judged_queries", &split.held_out, e.way, e.judged_queries),
        ];
        for (what, asks, images, way, queries) in parts {
            let characters = episodes::classes(&images.labels);
            if characters.len() < way {
                return bad(format!(
                    "episodes: {way} ways do not fit {} {what} characters; lower episodes.way and learned_way, or change data.validation",
                    characters.len()
                ));
            }
            let drawings = characters.iter().map(Vec::len).min().unwrap_or(0);
            if way > 0 && drawings < e.shots + queries {
                return bad(format!(
                    "episodes: {} shots and {queries} queries do not fit a {what} character of {drawings} drawings; complete the set, or lower episodes.shots or episodes.{asks}",
                    e.shots
                ));
            }
        }
    }
    let positions = model.layers[last].output.positions();
    if positions > 1 {
        return bad(format!(
            "layers.{last} gives {positions} positions; the last layer gives one score a class: make it dense, or its kernel as large as its input"
        ));
    }
    if !model.is_exportable() {
        return Ok(());
    }
    let network = export::network(&recipe.name, &split.train.shape, recipe.input.code(), &model.layers)?;
    let largest = (0..=split.train.largest).map(|q| network.input.code.value(q).unsigned_abs()).max().unwrap_or(0);
    let first = &model.layers[0];
    let weight = if first.kind == Some(WeightKind::Int8) { 127 } else { 1 };
    if largest as usize * weight * first.inputs() > EXACT {
        return bad(format!(
            "input: values up to {largest} times weights up to {weight} times {} inputs can pass 2^24, beyond which f32 sums are not exact; use smaller values",
            first.inputs()
        ));
    }
    Ok(())
}

/// What one step learns from.
enum Task<'a> {
    Images(Vec<usize>),
    Episode(&'a EpisodeRecipe, Episode),
}

impl Task<'_> {
    fn images(&self) -> Vec<usize> {
        match self {
            Self::Images(chosen) => chosen.clone(),
            Self::Episode(_, episode) => episode.images(),
        }
    }
}

fn one_epoch(
    recipe: &Recipe,
    split: &Split,
    device: &Device,
    state: &mut State,
    report: &mut impl FnMut(Event),
) -> Result<Row, Error> {
    let start = Instant::now();
    let (code, train) = (recipe.input.code(), &recipe.train);
    let epoch = state.curve.len();
    let rate = |done: f64| train.learning_rate * schedule::share(train.schedule, &train.cycles, done, train.epochs);
    state.model.begin_epoch(epoch as f64 / train.epochs as f64);
    let mut augment = Stream::new(recipe.seed, Purpose::Augment, epoch);
    let (mut loss_sum, mut right, mut seen) = (0.0, 0, 0);
    let tasks: Vec<Task> = match &recipe.episodes {
        None => {
            let mut order: Vec<usize> = (0..split.train.len()).collect();
            Stream::new(recipe.seed, Purpose::Order, epoch).shuffle(&mut order);
            batch::cut(&order, train.batch).map(|chosen| Task::Images(chosen.to_vec())).collect()
        }
        Some(e) => {
            let classes = episodes::classes(&split.train.labels);
            let way = if e.learned_way > 0 { e.learned_way } else { e.way };
            let stream = |k: usize| Stream::new(recipe.seed, Purpose::Episodes, epoch * e.interval + k);
            let shape = EpisodeShape { way, shots: e.shots, queries: e.queries };
            let draw = |k: usize| Task::Episode(e, Episode::draw(&classes, shape, stream(k).generator()));
            (0..e.interval).map(draw).collect()
        }
    };
    // Inputs of a task, for which the weights get their errors.
    let mut prepare = |model: &mut Model, purpose: Purpose, k: usize, chosen: &[usize]| {
        let x = batch::training(&split.train, chosen, &code, &recipe.data, &mut augment, device);
        if recipe.errors.rate > 0.0 {
            let mut stream = Stream::new(recipe.seed, purpose, epoch * tasks.len() + k);
            errors::disturb(model, recipe.errors.kind, recipe.errors.rate, &mut stream);
        }
        x
    };
    for (k, task) in tasks.iter().enumerate() {
        let chosen = task.images();
        let x = prepare(&mut state.model, Purpose::ErrorsInTraining, k, &chosen);
        let scores = state.model.train(x.autodiff(), train.momentum);
        let (loss, right_here, asked) = match task {
            Task::Images(_) => {
                let right = count_right(&values(scores.clone()), &split.train, &chosen, split.classes);
                let targets = batch::targets(&split.train, &chosen, split.classes, device);
                (loss::loss(train.loss, scores / train.temperature, targets), right, chosen.len())
            }
            Task::Episode(e, episode) => {
                let (loss, right) = episodes::loss(scores, episode, e, train.temperature);
                (loss, right, episode.queries.iter().map(Vec::len).sum())
            }
        };
        let value = f64::from(values(loss.clone())[0]);
        if !value.is_finite() {
            return Err(Error::Diverged { epoch: epoch + 1, loss: value });
        }
        loss_sum += value * asked as f64;
        right += right_here;
        seen += asked;
        let within = if train.per_batch { k as f64 / tasks.len() as f64 } else { 0.0 };
        let rates = Rates { learning_rate: rate(epoch as f64 + within), weight_decay: train.weight_decay };
        state.adam.step(state.model.params_mut(), &loss.backward(), rates);
        report(Event::Batch { epoch: epoch + 1, batch: k + 1, batches: tasks.len(), loss: value });
    }
    // Binary weights flip up to the last step, and running statistics are of the weights before (arXiv:2203.11086);
    // these are means over batches, of the weights that are kept (PreciseBN, arXiv:2105.07576, section 3).
    for (k, task) in tasks.iter().enumerate().take(train.statistics) {
        let x = prepare(&mut state.model, Purpose::ErrorsInStatistics, k, &task.images());
        state.model.train(x, 1.0 / (k + 1) as f64);
    }
    state.model.params_mut().into_iter().for_each(Param::hide);
    let judged = |images: &Images| match &recipe.episodes {
        None => evaluate::accuracy(&evaluate::predictions(&state.model, images, &code, device), &images.labels),
        Some(e) => {
            let features = evaluate::features(&state.model, images, &code, device);
            let width = recipe.layers[recipe.layers.len() - 1].neurons(recipe.width);
            episodes::accuracy(&features, width, &images.labels, e, e.validation_episodes, recipe.seed)
        }
    };
    Ok(Row {
        epoch: epoch + 1,
        learning_rate: rate(epoch as f64),
        train_loss: loss_sum / seen as f64,
        train_accuracy: right as f64 / seen as f64,
        validation_accuracy: (!split.validation.is_empty()).then(|| judged(&split.validation)),
        held_out_accuracy: recipe.episodes.is_none().then(|| judged(&split.held_out)),
        seconds: start.elapsed().as_secs_f64(),
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
        let split = data::load(&recipe.data, recipe.seed, None)?;
        let fitted = fit(recipe, &split, &Device::flex(), options, |_| ())?;
        let network = export::network("tiny", &split.train.shape, recipe.input.code(), &fitted.model.layers)?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.safetensors");
        hafnia::network::save(&network, &path)?;
        let curve = fitted.curve.into_iter().map(|r| Row { seconds: 0.0, ..r }).collect();
        Ok((std::fs::read(path).unwrap(), curve))
    }

    #[test]
    fn an_interrupted_run_resumes_to_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        let best: &[&str] = &["data.validation=200", "train.keep=best", "train.epochs=6"];
        let errors: &[&str] = &["errors.kind=zero", "errors.rate=0.1"];
        let split: &[&str] =
            &["split.inputs=5", "train.weight_decay=0.1", "train.per_batch=true", "train.statistics=2"];
        for (name, more) in
            [("digits_binary", &[][..]), ("digits_ternary", errors), ("digits_binary", best), ("digits_ternary", split)]
        {
            let recipe = tiny(name, more);
            let whole = trained(&recipe, Options::default()).unwrap();
            assert_eq!(whole, trained(&recipe, Options::default()).unwrap(), "{name}: a run repeats");
            // Interrupted after epoch 3, one after the last checkpoint: epoch 3 runs again.
            let options = Options { checkpoint: Some((&path, 2)), ..Options::default() };
            let cut = trained(&recipe, Options { stop_after: Some(3), ..options }).unwrap();
            assert_ne!(cut.0, whole.0);
            assert_eq!(trained(&recipe, Options { resume: true, ..options }).unwrap(), whole, "{name}: resumed");
        }
    }

    /// Batches of one size that make up the set, so that means over batches are those of the set.
    #[test]
    fn statistics_are_those_of_the_weights_that_are_kept() {
        let first_means = |more: &[&str]| {
            let recipe = tiny("digits_binary", &[&["train.batch=599", "data.shift=0", "data.jitter=0"], more].concat());
            let split = data::load(&recipe.data, recipe.seed, None).unwrap();
            let fitted = fit(&recipe, &split, &Device::flex(), Options::default(), |_| ()).unwrap();
            let layer = &fitted.model.layers[0];
            let (weights, inputs) = (layer.weight.quantized(), layer.inputs());
            let code = recipe.input.code();
            let sum = |neuron: usize, image: usize| -> f64 {
                let weights = &weights[neuron * inputs..][..inputs];
                weights
                    .iter()
                    .zip(split.train.image(image))
                    .map(|(w, q)| f64::from(*w) * f64::from(code.value(*q)))
                    .sum()
            };
            let images = split.train.len();
            assert_eq!(images % recipe.train.batch, 0);
            let mean = |neuron| (0..images).map(|image| sum(neuron, image)).sum::<f64>() / images as f64;
            assert_eq!(values(layer.weight.plain::<2>()), weights, "no errors stay");
            let got = layer.blocks[0].norm.as_ref().unwrap().mean.values();
            got.iter().enumerate().map(|(n, got)| (f64::from(*got) - mean(n)).abs()).fold(0.0, f64::max)
        };
        assert!(first_means(&[]) > 0.1);
        assert!(first_means(&["train.statistics=1000"]) < 1e-4);
        // One of the two batches is not the set; errors leave the weights again.
        assert!(first_means(&["train.statistics=1"]) > 0.1);
        first_means(&["train.statistics=1000", "errors.kind=sign", "errors.rate=0.1"]);
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
