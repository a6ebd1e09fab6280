//! A paper's table or figure, from recipes to numbers beside the paper's own. A study is a list of pieces; each leaves its
//! result in the work folder, so that a study that was stopped goes on where it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::checkpoint::{self, Mapping};
use crate::data;
use crate::errors::{self, ErrorKind};
use crate::fit::Event;
use crate::partial::{self, Levels};
use crate::recipe::{ActivationKind, LayerRecipe, Recipe};
use crate::{Error, evaluate};
use claim::Claim;
use hafnia::network::WeightKind;
pub use table::Row;
use table::Table;
use training::Training;

mod claim;
mod pieces;
mod table;
mod training;

pub use pieces::STUDIES;

/// Images of the training set on which partial sums are sampled.
const SAMPLED: usize = 1000;

/// Until pieces that other processes are on are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub struct Study {
    pub name: &'static str,
    pub what: &'static str,
    /// Fields of [`Scale`] that it reads.
    takes: &'static [&'static str],
    pieces: fn(&Scale) -> Vec<Piece>,
    x: &'static str,
    picture: Picture,
    /// What the number before a colon in a line's name is: such lines have a panel of their own.
    panel: &'static str,
}

/// How a study's rows are drawn.
#[derive(Clone, Copy, PartialEq)]
enum Picture {
    /// Lines over x.
    Lines,
    /// The same, x as its logarithm.
    LogLines,
    /// A row for each line's name.
    Bars,
}

/// One number of a study.
struct Piece {
    /// Its line in the chart.
    series: String,
    x: f64,
    /// From 1; runs of one line and x differ in their seed.
    run: u64,
    /// In percent, where the paper's text or code says.
    paper: Option<f64>,
    work: Work,
}

enum Work {
    /// Trains, and judges on the held-out images.
    Train { network: Training },
    /// A trained network mapped onto arrays.
    Map { network: Training, inputs: usize, mapping: Mapping },
    /// A trained network with its partial sums quantized.
    Quantize { network: Training, inputs: usize, lloyd_max: bool, bits: u32 },
    /// A trained network with errors in its weights.
    Errors { network: Training, kind: ErrorKind, rate: f64 },
}

/// What of a study can be chosen; empty or absent: the study's own.
#[derive(Default)]
pub struct Scale {
    /// Inputs of an array.
    pub arrays: Vec<usize>,
    /// N of a VGG.
    pub sizes: Vec<usize>,
    /// Bit error rates.
    pub rates: Vec<f64>,
    pub runs: Option<u64>,
}

pub struct Options {
    pub folder: PathBuf,
    pub data: Option<PathBuf>,
    /// Laid over every recipe, or over one: `NETWORK:KEY=VALUE`.
    pub set: Vec<String>,
    /// Judges on so many held-out images; 0: all.
    pub images: usize,
    pub scale: Scale,
}

/// What a study tells while it goes.
pub enum News<'a> {
    /// Begun; `place` counts from 1.
    Piece {
        place: usize,
        of: usize,
        key: &'a str,
    },
    Training(&'a Recipe, Event<'a>),
    /// In percent.
    Found {
        key: &'a str,
        accuracy: f64,
    },
    /// What does not need its network goes on.
    Failed {
        key: &'a str,
        error: &'a Error,
    },
    /// All that is left is with other processes.
    Waiting {
        pieces: usize,
    },
}

fn read_text(path: &Path, action: &'static str) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.into(), action, source })
}

/// `NETWORK:KEY=VALUE` is for one network of a study.
fn addressee(text: &str) -> Option<(&str, &str)> {
    let (key, _) = text.split_once('=')?;
    let (name, _) = key.split_once(':')?;
    Some((name, &text[name.len() + 1..]))
}

/// Every assignment for one network names one that the study has, and none changes what makes a network what it is.
fn check_assignments(pieces: &[Piece], set: &[String]) -> Result<(), Error> {
    let names: BTreeSet<&str> = pieces.iter().flat_map(|p| p.work.network().line()).map(|t| t.name.as_str()).collect();
    for text in set {
        if let Some((name, _)) = addressee(text).filter(|(name, _)| !names.contains(name)) {
            let near = hafnia::suggest::nearest(name, names.iter().copied());
            let all: Vec<&str> = names.iter().copied().collect();
            let near = if near.is_empty() { format!("; they are {}", all.join(", ")) } else { near };
            let reason = format!("no network of this study is called `{name}`{near}");
            return Err(Error::Assignment { text: text.clone(), reason });
        }
    }
    for network in pieces.iter().flat_map(|p| p.work.network().line()) {
        for text in set {
            let (name, own) = addressee(text).unwrap_or((&network.name, text));
            let key = |text: &str| text.split('=').next().unwrap_or_default().trim().to_string();
            let fixed = network.fixed.iter().map(|f| key(f)).chain(["name".into()]).any(|f| f == key(own));
            if name == network.name && fixed {
                let reason = format!(
                    "the study gives {} its own `{}`; choose with --arrays, --sizes, --rates or --runs where it takes them",
                    network.name,
                    key(own)
                );
                return Err(Error::Assignment { text: text.clone(), reason });
            }
        }
    }
    Ok(())
}

/// What is mapped onto arrays was learned whole, partial sums that are quantized are whole numbers, none larger than its block
/// has inputs, and weights that get errors can have them.
fn check_networks(study: &Study, pieces: &[Piece], options: &Options) -> Result<(), Error> {
    for piece in pieces {
        let recipe = piece.work.network().recipe(options)?;
        let bad =
            |reason: String| Err(Error::Study { study: study.name, reason: format!("{}: {reason}", recipe.name) });
        let quantized = match piece.work {
            Work::Train { .. } => continue,
            Work::Errors { kind, .. } => {
                recipe.takes_errors(kind).or_else(bad)?;
                continue;
            }
            Work::Map { .. } => false,
            Work::Quantize { .. } => true,
        };
        if recipe.split.inputs > 0 {
            return bad("is mapped onto arrays and so must be whole; leave out split.inputs".into());
        }
        let trits = |l: &LayerRecipe| {
            l.weights.unwrap_or(recipe.quantize.weights).kind().is_some_and(|k| k != WeightKind::Int8)
        };
        let inner = recipe.layers.iter().take(recipe.layers.len() - 1).skip(1).find(|l| !trits(l));
        if let (true, Some(layer)) = (quantized, inner) {
            return bad(format!("layer {:?} has no bipolar or ternary weights, as partial sums here need", layer.name));
        }
        if recipe.quantize.activations == ActivationKind::Relu {
            return bad("has real activations; votes and partial sums need bipolar or ternary ones".into());
        }
    }
    Ok(())
}

/// Works off every piece that has no result yet, together with other processes in the same folder; before, and after each
/// piece, writes `NAME.csv` and `NAME.svg` of what is there. Returns the rows that are done.
pub fn run(study: &Study, options: &Options, mut tell: impl FnMut(News)) -> Result<Vec<Row>, Error> {
    let pieces = study.pieces(&options.scale)?;
    check_assignments(&pieces, &options.set)?;
    check_networks(study, &pieces, options)?;
    let settings = pieces.iter().map(|p| p.work.settings(options)).collect();
    let mut table = Table::open(study, &pieces, settings, &options.folder)?;
    table.write_again()?;
    let mut waited_for = 0;
    // What needs a network that failed is left out; the rest goes on.
    let mut failed: Vec<(String, Error)> = Vec::new();
    loop {
        let (mut busy, mut done) = (0, 0);
        for (place, piece) in pieces.iter().enumerate() {
            if table.is_done(place) {
                continue;
            }
            let network = piece.work.network();
            if network.line().any(|t| failed.iter().any(|(name, _)| *name == t.name)) {
                continue;
            }
            match attempt(study, piece, place, &mut table, options, &mut tell) {
                Ok(Attempt::Done) => done += 1,
                Ok(Attempt::Busy) => busy += 1,
                Ok(Attempt::Known) => (),
                // No piece's fault: the file was written by hand, or by a process with other settings.
                Err(error @ Error::Table { .. }) => return Err(error),
                Err(error) => {
                    tell(News::Failed { key: &piece.key(), error: &error });
                    failed.push((network.name.clone(), error));
                }
            }
        }
        table.read()?;
        if busy == 0 {
            return match failed.into_iter().next() {
                Some((_, error)) => Err(error),
                None => Ok(table.done()),
            };
        }
        if done > 0 {
            continue; // others may have finished what this needs
        }
        if busy != waited_for {
            tell(News::Waiting { pieces: busy });
            waited_for = busy;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

enum Attempt {
    Done,
    /// Another process is on it, or on what it needs.
    Busy,
    /// Another process has done it.
    Known,
}

/// Works a piece off, if no other process is on it.
fn attempt(
    study: &Study,
    piece: &Piece,
    place: usize,
    table: &mut Table,
    options: &Options,
    tell: &mut impl FnMut(News),
) -> Result<Attempt, Error> {
    let key = piece.key();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
    let own = format!("{}-{}", study.name, key.chars().map(plain).collect::<String>());
    let mut names = vec![own.as_str()];
    for network in piece.work.network().line() {
        if network.judged(options)?.is_none() {
            names.push(&network.name);
        }
    }
    let Some(_claim) = Claim::take(&options.folder, names)? else {
        return Ok(Attempt::Busy);
    };
    table.read()?;
    if table.is_done(place) {
        return Ok(Attempt::Known);
    }
    tell(News::Piece { place: place + 1, of: table.len(), key: &key });
    let accuracy = 100.0 * piece.work.run(options, tell)?;
    tell(News::Found { key: &key, accuracy });
    table.put(place, accuracy)?;
    Ok(Attempt::Done)
}

impl Piece {
    fn key(&self) -> String {
        let run = if self.run > 1 { format!(", run {}", self.run) } else { String::new() };
        format!("{} @ {}{run}", self.series, self.x)
    }
}

impl Work {
    fn network(&self) -> &Training {
        match self {
            Self::Train { network }
            | Self::Map { network, .. }
            | Self::Quantize { network, .. }
            | Self::Errors { network, .. } => network,
        }
    }

    /// The options that change what comes out, in words.
    fn settings(&self, options: &Options) -> String {
        let names: Vec<&str> = self.network().line().map(|t| t.name.as_str()).collect();
        let concerns = |text: &&String| addressee(text).is_none_or(|(name, _)| names.contains(&name));
        let set = options.set.iter().filter(concerns).cloned();
        let judged = !matches!(self, Self::Train { .. }) && options.images > 0;
        set.chain(judged.then(|| format!("{} images", options.images))).collect::<Vec<_>>().join(" ")
    }

    /// Share of images, or queries, right.
    fn run(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<f64, Error> {
        match self {
            Self::Train { network } => Ok(network.run(options, tell)?.held_out_accuracy),
            Self::Map { network, inputs, mapping } => {
                let (path, recipe, images) = network.trained(options, tell)?;
                let device = crate::device();
                let model = checkpoint::mapped(&path, &recipe, &images.shape, *inputs, *mapping, &device)?;
                let predicted = evaluate::predictions(&model, &images, &recipe.input.code(), &device);
                Ok(evaluate::accuracy(&predicted, &images.labels))
            }
            Self::Quantize { network, inputs, lloyd_max, bits } => {
                let (path, recipe, images) = network.trained(options, tell)?;
                let (device, code) = (crate::device(), recipe.input.code());
                let (_, whole) = checkpoint::model(&path, &images.shape, &device)?;
                let split = checkpoint::mapped(&path, &recipe, &images.shape, *inputs, Mapping::Shift, &device)?;
                let train = data::load(&recipe.data, recipe.seed, options.data.as_deref())?.train;
                let step = (train.len() / SAMPLED).max(1);
                let sample = train.chosen(&(0..train.len()).step_by(step).collect::<Vec<_>>());
                let histograms = partial::histograms(&whole, &split, &sample, &code, &device, |_| ());
                let levels = |h: &partial::Histogram| match lloyd_max {
                    true => Levels::lloyd_max(h, *bits),
                    false => Levels::linear(h, *bits),
                };
                let levels: Vec<Option<Levels>> = histograms.iter().map(|h| h.as_ref().map(levels)).collect();
                let predicted = partial::predictions(&whole, &split, &levels, &images, &code, &device, |_| ());
                Ok(evaluate::accuracy(&predicted, &images.labels))
            }
            Self::Errors { network, kind, rate } => {
                let (path, recipe, images) = network.trained(options, tell)?;
                let (device, code) = (crate::device(), recipe.input.code());
                let (_, mut model) = checkpoint::model(&path, &images.shape, &device)?;
                let (place, errors) = ((&code, &device), (*kind, *rate));
                let predicted =
                    errors::predictions(&mut model, &images, place, errors, recipe.train.batch, recipe.seed);
                Ok(evaluate::accuracy(&predicted, &images.labels))
            }
        }
    }
}

/// `count` places spread evenly over `len`: sets that stand class by class give every class its share.
fn spread(len: usize, count: usize) -> Vec<usize> {
    (0..count).map(|k| k * len / count).collect()
}

#[cfg(test)]
mod tests {
    use hafnia::network::PoolOrder;

    use super::*;

    fn with(set: &[&str]) -> Options {
        let set = set.iter().map(|s| s.to_string()).collect();
        Options { folder: ".".into(), data: None, set, images: 0, scale: Scale::default() }
    }

    #[test]
    fn pieces_have_keys_of_their_own_and_recipes_that_read() {
        let options = with(&[]);
        for study in &STUDIES {
            let pieces = study.pieces(&options.scale).unwrap();
            let mut keys: Vec<String> = pieces.iter().map(Piece::key).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), pieces.len(), "{}", study.name);
            for piece in &pieces {
                let network = piece.work.network();
                assert_eq!(network.recipe(&options).unwrap().name, network.name);
            }
        }
    }

    #[test]
    fn an_assignment_may_be_for_one_network() {
        let options = with(&["train.epochs=3", "mnist_mlp_512:train.epochs=7"]);
        let pieces = STUDIES[0].pieces(&options.scale).unwrap();
        let epochs = |name: &str| {
            let network = pieces.iter().map(|p| p.work.network()).find(|n| n.name == name).unwrap();
            network.recipe(&options).unwrap().train.epochs
        };
        assert_eq!((epochs("mnist_mlp"), epochs("mnist_mlp_512"), epochs("mnist_mlp_256")), (3, 7, 3));
        assert!(check_assignments(&pieces, &options.set).is_ok());
        let settings = |key: &str| pieces.iter().find(|p| p.key() == key).unwrap().work.settings(&options);
        assert_eq!(settings("256: retrained @ 1"), "train.epochs=3");
        assert_eq!(settings("512: retrained @ 1"), "train.epochs=3 mnist_mlp_512:train.epochs=7");
        let error = check_assignments(&pieces, &["mnist_mlp_500:seed=1".into()]).unwrap_err().to_string();
        assert!(
            error.contains("no network of this study is called `mnist_mlp_500`; did you mean `mnist_mlp_512`?"),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_be_mapped_is_refused_before_it_is_trained() {
        let pieces = STUDIES[0].pieces(&Scale::default()).unwrap();
        let refused = |set: &str| check_networks(&STUDIES[0], &pieces, &with(&[set])).unwrap_err().to_string();
        assert!(refused("layers.1.weights=int8").contains("layer \"fc2\" has no bipolar or ternary weights"));
        assert!(refused("quantize.activations=relu").contains("mnist_mlp: has real activations"));
        assert!(refused("mnist_mlp:split.inputs=128").contains("leave out split.inputs"));
        check_networks(&STUDIES[0], &pieces, &with(&["layers.0.weights=int8", "mnist_mlp_512:train.epochs=4"]))
            .unwrap();
        let errors = STUDIES.iter().find(|s| s.name == "vgg_errors").unwrap();
        let pieces = errors.pieces(&Scale::default()).unwrap();
        let refused = |set: &str| check_networks(errors, &pieces, &with(&[set])).unwrap_err().to_string();
        assert!(
            refused("vgg_binary_16_run1:quantize.rotated=true")
                .contains("vgg_binary_16_run1: errors: kind = \"sign\" goes")
        );
        assert!(refused("quantize.weights=int8").contains("vgg_ternary_16_run1: errors: kind = \"sign\" goes"));
        check_networks(errors, &pieces, &with(&[])).unwrap();
    }

    #[test]
    fn a_study_is_scaled_by_its_options_and_nothing_else() {
        let study = |name: &str| STUDIES.iter().find(|s| s.name == name).unwrap();
        let scale = Scale { sizes: vec![4, 32], rates: vec![0.01], runs: Some(2), ..Scale::default() };
        let keys: Vec<String> = study("vgg_errors").pieces(&scale).unwrap().iter().map(Piece::key).collect();
        assert_eq!((keys.len(), keys[0].as_str()), (12, "N = 4, ternary, type 1 @ 0.01"));
        let trained = study("vgg_errors_in_training").pieces(&scale).unwrap();
        let recipe = trained[7].work.network().recipe(&with(&[])).unwrap();
        assert_eq!((recipe.width, recipe.seed, recipe.errors.rate), (32, 1, 0.01));
        assert_eq!(recipe.errors.kind, ErrorKind::Zero);
        assert_eq!(recipe.name, "vgg_ternary_32_run1_zero_0_01");
        let error = study("mnist_splitting").pieces(&scale).err().unwrap().to_string();
        assert_eq!(error, "study mnist_splitting: has no --sizes; it takes --set, --arrays");
        let pieces = study("mnist_splitting").pieces(&Scale { arrays: vec![300], ..Scale::default() }).unwrap();
        let retrained = pieces.iter().find(|p| p.series == "300: retrained").unwrap();
        assert_eq!(retrained.paper, None, "the paper has no arrays of 300 inputs");
        let recipe = |key: &str| {
            let pieces = study("cifar10_splitting").pieces(&Scale::default()).unwrap();
            pieces.iter().find(|p| p.key() == key).unwrap().work.network().recipe(&with(&[])).unwrap()
        };
        let [whole, blocks, votes] = ["whole @ 0", "64: retrained @ 1", "64: retrained, pooled votes @ 1"].map(recipe);
        assert_eq!([&blocks, &votes].map(|r| r.split.inputs), [64; 2]);
        assert_eq!((blocks.pool_order, votes.pool_order), (PoolOrder::BeforeNormalize, PoolOrder::AfterActivation));
        assert_eq!([&blocks, &votes].map(|r| r.train.learning_rate), [whole.train.learning_rate; 2]);
        assert_eq!(votes.name, "cifar10_cnn_64_pooled_votes");
        let error = |set: &str, pieces: &[Piece]| check_assignments(pieces, &[set.into()]).unwrap_err().to_string();
        assert!(error("seed=4", &trained).contains("gives vgg_ternary_4_run1_sign_0_01 its own `seed`"));
        assert!(error("mnist_mlp_300:split.inputs=4", &pieces).contains("its own `split.inputs`"));
        assert!(error("name=x", &pieces).contains("its own `name`"));
    }

    #[test]
    fn images_are_spread_over_the_set() {
        assert_eq!(spread(10, 10), Vec::from_iter(0..10));
        assert_eq!(spread(100, 4), [0, 25, 50, 75]);
    }
}
