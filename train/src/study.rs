//! A paper's table or figure, from recipes to numbers beside the paper's own. A study is a list of pieces; each leaves its
//! result in the work folder, so that a study that was stopped goes on where it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hafnia::data::Split as Part;
use serde::{Deserialize, Serialize};

use crate::chart::{self, Chart, Series};
use crate::checkpoint::{self, Mapping};
use crate::data::{self, Images};
use crate::errors::{self, ErrorKind};
use crate::fit::Event;
use crate::partial::{self, Levels};
use crate::recipe::Recipe;
use crate::run::{self, Files};
use crate::{Error, evaluate, whole};

/// Images of the training set on which partial sums are sampled.
const SAMPLED: usize = 1000;

/// Largest resolution of partial sums.
const BITS: u32 = 6;

pub struct Study {
    pub name: &'static str,
    pub what: &'static str,
    pieces: fn() -> Vec<Piece>,
    x: &'static str,
    log_x: bool,
}

pub const STUDIES: [Study; 5] = [
    Study {
        name: "mnist_splitting",
        what: "input-splitting, figure 6: MLP on MNIST, by array size and resolution of partial sums",
        pieces: || splitting("mnist_mlp", [512, 256, 128], [98.8, 98.8, 98.7, 98.7]),
        x: "bits of a partial sum",
        log_x: false,
    },
    Study {
        name: "cifar10_splitting",
        what: "input-splitting, figure 7, at a quarter of the width: CNN on CIFAR-10",
        pieces: || splitting("cifar10_cnn", [128, 64, 32], [88.6, 88.4, 88.0, 87.5]),
        x: "bits of a partial sum",
        log_x: false,
    },
    Study {
        name: "vgg_sizes",
        what: "ternary-pcsa, figure 7: ternary and binary VGG on CIFAR-10, by N",
        pieces: vgg_sizes,
        x: "N",
        log_x: false,
    },
    Study {
        name: "vgg_errors",
        what: "ternary-pcsa, figure 8: accuracy against bit error rate, at N = 16",
        pieces: vgg_errors,
        x: "bit error rate",
        log_x: true,
    },
    Study {
        name: "batmann_table",
        what: "BATMANN, table I: learned in full precision, by XNOR-Net's scheme and by RBNN's",
        pieces: batmann_table,
        x: "row",
        log_x: false,
    },
];

/// One number of a study.
struct Piece {
    /// Its line in the chart.
    series: String,
    x: f64,
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

#[derive(Clone)]
struct Training {
    /// File name, and network name.
    name: String,
    recipe: &'static str,
    set: Vec<String>,
    /// Another training to start from.
    from: Option<Box<Training>>,
}

impl Training {
    fn new(name: &str, recipe: &'static str, set: &[String]) -> Self {
        let set = set.iter().cloned().chain([format!("name={name}")]).collect();
        Self { name: name.into(), recipe, set, from: None }
    }
}

fn splitting(recipe: &'static str, arrays: [usize; 3], paper: [f64; 4]) -> Vec<Piece> {
    let baseline = Training::new(recipe, recipe, &[]);
    let piece = |series: String, x: f64, paper: Option<f64>, work| Piece { series, x, paper, work };
    let mut pieces = vec![piece("whole".into(), 0.0, Some(paper[0]), Work::Train { network: baseline.clone() })];
    for (inputs, paper) in arrays.into_iter().zip(&paper[1..]) {
        for (what, mapping) in [("shift", Mapping::Shift), ("literal", Mapping::Literal)] {
            let work = Work::Map { network: baseline.clone(), inputs, mapping };
            pieces.push(piece(format!("{inputs}: mapped, {what}"), 1.0, None, work));
        }
        let set = [format!("split.inputs={inputs}"), "train.epochs=8".into(), "train.learning_rate=0.002".into()];
        let network = Training {
            from: Some(Box::new(baseline.clone())),
            ..Training::new(&format!("{recipe}_{inputs}"), recipe, &set)
        };
        pieces.push(piece(format!("{inputs}: retrained"), 1.0, Some(*paper), Work::Train { network }));
        for (what, lloyd_max) in [("linear", false), ("Lloyd-Max", true)] {
            for bits in 1..=BITS {
                let work = Work::Quantize { network: baseline.clone(), inputs, lloyd_max, bits };
                pieces.push(piece(format!("{inputs}: {what}"), bits.into(), None, work));
            }
        }
    }
    pieces
}

fn vgg(kind: &'static str, n: usize) -> Training {
    Training::new(&format!("{kind}_{n}"), kind, &[format!("width={n}")])
}

fn vgg_sizes() -> Vec<Piece> {
    let mut pieces = Vec::new();
    for n in [4, 8, 16] {
        for (series, kind) in [("ternary", "vgg_ternary"), ("binary", "vgg_binary")] {
            let work = Work::Train { network: vgg(kind, n) };
            pieces.push(Piece { series: series.into(), x: n as f64, paper: None, work });
        }
    }
    pieces
}

fn vgg_errors() -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (series, recipe, kind) in [
        ("ternary, type 1", "vgg_ternary", ErrorKind::Sign),
        ("ternary, type 2", "vgg_ternary", ErrorKind::Zero),
        ("binary, type 1", "vgg_binary", ErrorKind::Sign),
    ] {
        for rate in [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 2e-1] {
            let work = Work::Errors { network: vgg(recipe, 16), kind, rate };
            pieces.push(Piece { series: series.into(), x: rate, paper: None, work });
        }
    }
    pieces
}

/// Algorithm 1 from the first episode on, for every row the same.
fn batmann_table() -> Vec<Piece> {
    let row = |x: f64, name: &str, set: &[&str], paper: f64| {
        let common = ["episodes.key_epochs=0", "train.epochs=30", "train.learning_rate=0.002"];
        let set: Vec<String> = common.iter().chain(set).map(|s| s.to_string()).collect();
        let network = Training::new(name, "batmann", &set);
        Piece { series: name.into(), x, paper: Some(paper), work: Work::Train { network } }
    };
    const COSINE: [&str; 2] = ["episodes.similarity=cosine", "episodes.sharpening=softabs"];
    const ROTATED: [&str; 3] = ["quantize.scaled=false", "quantize.rotated=true", "layers.0.weights=float"];
    const FULL: [&str; 6] = [
        "quantize.scaled=false",
        "quantize.weights=float",
        "quantize.activations=relu",
        "layers.0.weights=float",
        "episodes.real_features=true",
        "train.learning_rate=0.001",
    ];
    let eight = "layers.4.weights=int8";
    vec![
        row(1.0, "fp32_cosine", &[&FULL[..], &COSINE].concat(), 95.56),
        row(2.0, "xnor_cosine", &[&COSINE[..], &[eight]].concat(), 95.49),
        row(3.0, "batmann_x", &[], 96.53),
        row(4.0, "rbnn_cosine", &[&ROTATED[..], &COSINE, &[eight]].concat(), 96.30),
        row(5.0, "batmann_r", &ROTATED, 5.0),
    ]
}

/// A line of the results' file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub key: String,
    /// In percent.
    pub accuracy: f64,
}

pub struct Options {
    pub folder: PathBuf,
    pub data: Option<PathBuf>,
    /// Laid over every recipe, or over one: `NETWORK:KEY=VALUE`.
    pub set: Vec<String>,
    /// Judges on so many held-out images; 0: all.
    pub images: usize,
}

/// What a study tells while it goes.
pub enum News<'a> {
    Piece { done: usize, of: usize, key: &'a str },
    Training(&'a Recipe, Event<'a>),
    Found(&'a Found),
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

/// Every assignment for one network names one that the study has.
fn check_addressees(pieces: &[Piece], set: &[String]) -> Result<(), Error> {
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
    Ok(())
}

/// Works off every piece that has no result yet, then writes `NAME.csv` and `NAME.svg`.
pub fn run(study: &Study, options: &Options, mut tell: impl FnMut(News)) -> Result<PathBuf, Error> {
    let folder = &options.folder;
    let ledger = folder.join(format!("{}.jsonl", study.name));
    let text = if ledger.is_file() { read_text(&ledger, "read the results so far")? } else { String::new() };
    let mut found: Vec<Found> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let pieces = (study.pieces)();
    check_addressees(&pieces, &options.set)?;
    for (done, piece) in pieces.iter().enumerate() {
        let key = piece.key();
        if found.iter().any(|f| f.key == key) {
            continue;
        }
        tell(News::Piece { done, of: pieces.len(), key: &key });
        let accuracy = 100.0 * piece.work.run(options, &mut tell)?;
        let one = Found { key, accuracy };
        tell(News::Found(&one));
        found.push(one);
        let lines = found.iter().map(|f| serde_json::to_string(f).expect("plain data") + "\n").collect::<String>();
        whole::write(&ledger, lines.as_bytes(), "write the results so far")?;
    }
    let of = |p: &Piece| found.iter().find(|f| f.key == p.key()).map_or(f64::NAN, |f| f.accuracy);
    let mut csv = format!("series,{},accuracy_percent,paper_percent\n", study.x.replace(' ', "_"));
    for piece in &pieces {
        let paper = piece.paper.map(|p| p.to_string()).unwrap_or_default();
        csv += &format!("\"{}\",{},{:.2},{paper}\n", piece.series, piece.x, of(piece));
    }
    let table = folder.join(study.name).with_extension("csv");
    whole::write(&table, csv.as_bytes(), "write the table")?;
    let picture = folder.join(study.name).with_extension("svg");
    whole::write(&picture, picture_of(study, &pieces, of).as_bytes(), "write the picture")?;
    Ok(table)
}

fn picture_of(study: &Study, pieces: &[Piece], of: impl Fn(&Piece) -> f64) -> String {
    let mut series: Vec<Series> = Vec::new();
    for (piece, dashed) in pieces.iter().map(|p| (p, false)).chain(pieces.iter().map(|p| (p, true))) {
        let (label, y) = match dashed {
            false => (piece.series.clone(), Some(of(piece))),
            true => (format!("{}, paper", piece.series), piece.paper),
        };
        let Some(y) = y else { continue };
        match series.iter_mut().find(|s| s.label == label) {
            Some(s) => s.points.push((piece.x, y)),
            None => series.push(Series { label, points: vec![(piece.x, y)], dashed }),
        }
    }
    // A level stands as a line across.
    let span = pieces.iter().map(|p| p.x).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
    for s in series.iter_mut().filter(|s| s.points.len() == 1) {
        let y = s.points[0].1;
        s.points = vec![(span.0, y), (span.1, y)];
    }
    let (title, x, y) = (study.what.into(), study.x.into(), "accuracy, %".into());
    chart::svg(&Chart { title, x, y, log_x: study.log_x, series })
}

impl Piece {
    fn key(&self) -> String {
        format!("{} @ {}", self.series, self.x)
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

    /// Share of images, or queries, right.
    fn run(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<f64, Error> {
        match self {
            Self::Train { network } => network.run(options, tell),
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

impl Training {
    fn file(&self, options: &Options, extension: &str) -> PathBuf {
        options.folder.join(&self.name).with_extension(extension)
    }

    fn recipe(&self, options: &Options) -> Result<Recipe, Error> {
        let given = options.set.iter().filter_map(|text| match addressee(text) {
            Some((name, assignment)) => (name == self.name).then_some(assignment),
            None => Some(text.as_str()),
        });
        let set: Vec<String> = self.set.iter().map(String::as_str).chain(given).map(str::to_string).collect();
        Recipe::load(self.recipe, &set)
    }

    /// Itself, and what it starts from.
    fn line(&self) -> impl Iterator<Item = &Training> {
        std::iter::successors(Some(self), |t| t.from.as_deref())
    }

    /// Trains where that has not been done, and judges.
    fn run(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<f64, Error> {
        let (network, summary) = (self.file(options, "safetensors"), self.file(options, "json"));
        if summary.is_file() {
            let text = read_text(&summary, "read a summary")?;
            let summary: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            // A full-precision baseline has no network file.
            let whole = summary.filter(|s| s["network"].is_null() || network.is_file());
            if let Some(accuracy) = whole.and_then(|s| s["held_out_accuracy"].as_f64()) {
                return Ok(accuracy);
            }
        }
        if let Some(from) = &self.from {
            from.run(options, tell)?;
        }
        let recipe = self.recipe(options)?;
        let checkpoint = self.file(options, "checkpoint");
        let files = Files {
            data: options.data.clone(),
            resume: checkpoint.is_file(),
            from: self.from.as_ref().filter(|_| !checkpoint.is_file()).map(|f| f.file(options, "checkpoint")),
            network,
            curve: Some(self.file(options, "csv")),
            checkpoint,
            checkpoint_every: 1,
            keep_checkpoint: true,
        };
        let done = run::run(&recipe, &files, |event| tell(News::Training(&recipe, event)))?;
        let text = serde_json::to_string_pretty(&done).expect("a summary is plain data") + "\n";
        whole::write(&summary, text.as_bytes(), "write a summary")?;
        Ok(done.held_out_accuracy)
    }

    /// Checkpoint and recipe of the trained network, and the images to judge on.
    fn trained(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<(PathBuf, Recipe, Images), Error> {
        self.run(options, tell)?;
        let path = self.file(options, "checkpoint");
        let recipe = checkpoint::recipe(&path)?;
        let images = data::part(recipe.data.set, options.data.as_deref(), Part::Test, recipe.data.side)?;
        let count = if options.images == 0 { images.len() } else { options.images.min(images.len()) };
        Ok((path, recipe, images.chosen(&spread(images.len(), count))))
    }
}

/// `count` places spread evenly over `len`: sets that stand class by class give every class its share.
fn spread(len: usize, count: usize) -> Vec<usize> {
    (0..count).map(|k| k * len / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_keys_of_their_own_and_recipes_that_read() {
        let options = Options { folder: ".".into(), data: None, set: Vec::new(), images: 0 };
        for study in &STUDIES {
            let pieces = (study.pieces)();
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
        let set = ["train.epochs=3".into(), "mnist_mlp_512:train.epochs=7".into()].to_vec();
        let options = Options { folder: ".".into(), data: None, set, images: 0 };
        let pieces = (STUDIES[0].pieces)();
        let epochs = |name: &str| {
            let network = pieces.iter().map(|p| p.work.network()).find(|n| n.name == name).unwrap();
            network.recipe(&options).unwrap().train.epochs
        };
        assert_eq!((epochs("mnist_mlp"), epochs("mnist_mlp_512"), epochs("mnist_mlp_256")), (3, 7, 3));
        assert!(check_addressees(&pieces, &options.set).is_ok());
        let error = check_addressees(&pieces, &["mnist_mlp_500:seed=1".into()]).unwrap_err().to_string();
        assert!(
            error.contains("no network of this study is called `mnist_mlp_500`; did you mean `mnist_mlp_512`?"),
            "{error}"
        );
    }

    #[test]
    fn images_are_spread_over_the_set() {
        assert_eq!(spread(10, 10), Vec::from_iter(0..10));
        assert_eq!(spread(100, 4), [0, 25, 50, 75]);
    }
}
