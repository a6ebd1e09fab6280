//! A paper's table or figure, from recipes to numbers beside the paper's own. A study is a list of pieces; each leaves its
//! result in the work folder, so that a study that was stopped goes on where it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hafnia::data::Split as Part;
use serde::{Deserialize, Serialize};

use crate::chart::{self, Chart, Panel, Point, Series};
use crate::checkpoint::{self, Mapping};
use crate::data::{self, Images};
use crate::errors::{self, ErrorKind};
use crate::fit::Event;
use crate::partial::{self, Levels};
use crate::recipe::Recipe;
use crate::run::{self, Files};
use crate::{Error, evaluate, whole};

mod pieces;

pub use pieces::STUDIES;

/// Images of the training set on which partial sums are sampled.
const SAMPLED: usize = 1000;

pub struct Study {
    pub name: &'static str,
    pub what: &'static str,
    pieces: fn() -> Vec<Piece>,
    x: &'static str,
    log_x: bool,
    /// What the number before a colon in a line's name is: such lines have a panel of their own.
    panel: &'static str,
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
    /// The same, but the highest share right after any epoch, as ternary-pcsa's figure 7 has it.
    Highest { network: Training },
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

/// Works off every piece that has no result yet; before, and after each one, writes `NAME.csv` and `NAME.svg` of
/// what is there.
pub fn run(study: &Study, options: &Options, mut tell: impl FnMut(News)) -> Result<PathBuf, Error> {
    let folder = &options.folder;
    let ledger = folder.join(format!("{}.jsonl", study.name));
    let text = if ledger.is_file() { read_text(&ledger, "read the results so far")? } else { String::new() };
    let mut found: Vec<Found> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let pieces = (study.pieces)();
    check_addressees(&pieces, &options.set)?;
    write_both(study, &pieces, &found, folder)?;
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
        write_both(study, &pieces, &found, folder)?;
    }
    write_both(study, &pieces, &found, folder)
}

/// Table and picture of the pieces that have a result; returns the table's place.
fn write_both(study: &Study, pieces: &[Piece], found: &[Found], folder: &Path) -> Result<PathBuf, Error> {
    let of = |p: &Piece| found.iter().find(|f| f.key == p.key()).map(|f| f.accuracy);
    let mut csv = format!("series,{},run,accuracy_percent,paper_percent\n", study.x.replace(' ', "_"));
    for piece in pieces {
        let [accuracy, paper] = [of(piece).map(|a| format!("{a:.2}")), piece.paper.map(|p| p.to_string())];
        let [accuracy, paper] = [accuracy, paper].map(Option::unwrap_or_default);
        csv += &format!("\"{}\",{},{},{accuracy},{paper}\n", piece.series, piece.x, piece.run);
    }
    let table = folder.join(study.name).with_extension("csv");
    whole::write(&table, csv.as_bytes(), "write the table")?;
    let picture = folder.join(study.name).with_extension("svg");
    whole::write(&picture, picture_of(study, pieces, of).as_bytes(), "write the picture")?;
    Ok(table)
}

fn picture_of(study: &Study, pieces: &[Piece], of: impl Fn(&Piece) -> Option<f64>) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for panel in pieces.iter().filter_map(|p| p.place().0) {
        if titles.last() != Some(&panel) {
            titles.push(panel);
        }
    }
    let span = pieces.iter().map(|p| p.x).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
    let panel = |title: Option<&str>| {
        let own = || pieces.iter().filter(|p| p.place().0.is_none_or(|panel| Some(panel) == title));
        let ours = own().filter_map(|p| of(p).map(|y| (p, y)));
        let papers = own().filter_map(|p| p.paper.map(|y| (p, y)));
        let series = series(ours, false, span).into_iter().chain(series(papers, true, span)).collect();
        Panel { title: title.map(|t| format!("{t} {}", study.panel)).unwrap_or_default(), series }
    };
    let panels = if titles.is_empty() { vec![panel(None)] } else { titles.iter().map(|t| panel(Some(t))).collect() };
    let (title, x, y) = (study.what.into(), study.x.into(), "accuracy, %".into());
    chart::svg(&Chart { title, x, y, log_x: study.log_x, panels })
}

/// The lines of a panel from its points; a line of a single one is a level across.
fn series<'a>(points: impl Iterator<Item = (&'a Piece, f64)>, paper: bool, span: (f64, f64)) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (piece, y) in points {
        let label = piece.place().1;
        let known = series.iter().position(|s| s.label == label);
        let place = known.unwrap_or_else(|| {
            series.push(Series { label: label.into(), points: Vec::new(), paper });
            series.len() - 1
        });
        match series[place].points.iter_mut().find(|p| p.x == piece.x) {
            Some(point) => point.ys.push(y),
            None => series[place].points.push(Point { x: piece.x, ys: vec![y] }),
        }
    }
    for s in series.iter_mut().filter(|s| s.points.len() == 1) {
        let ys = s.points[0].ys.clone();
        s.points = [span.0, span.1].map(|x| Point { x, ys: ys.clone() }).into();
    }
    series
}

impl Piece {
    /// Its panel, where it has one of its own, and its line in it.
    fn place(&self) -> (Option<&str>, &str) {
        self.series.split_once(": ").map_or((None, &self.series), |(panel, line)| (Some(panel), line))
    }

    fn key(&self) -> String {
        let run = if self.run > 1 { format!(", run {}", self.run) } else { String::new() };
        format!("{} @ {}{run}", self.series, self.x)
    }
}

impl Work {
    fn network(&self) -> &Training {
        match self {
            Self::Train { network }
            | Self::Highest { network }
            | Self::Map { network, .. }
            | Self::Quantize { network, .. }
            | Self::Errors { network, .. } => network,
        }
    }

    /// Share of images, or queries, right.
    fn run(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<f64, Error> {
        match self {
            Self::Train { network } => Ok(network.run(options, tell)?.held_out_accuracy),
            Self::Highest { network } => {
                let judged = network.run(options, tell)?;
                Ok(judged.highest_held_out_accuracy.unwrap_or(judged.held_out_accuracy))
            }
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

/// What a study reads of a run's summary.
#[derive(Deserialize)]
struct Judged {
    network: Option<PathBuf>,
    held_out_accuracy: f64,
    highest_held_out_accuracy: Option<f64>,
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
    fn run(&self, options: &Options, tell: &mut impl FnMut(News)) -> Result<Judged, Error> {
        let (network, summary) = (self.file(options, "safetensors"), self.file(options, "json"));
        if summary.is_file() {
            let judged: Option<Judged> = serde_json::from_str(&read_text(&summary, "read a summary")?).ok();
            // A full-precision baseline has no network file.
            if let Some(judged) = judged.filter(|j| j.network.is_none() || network.is_file()) {
                return Ok(judged);
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
        Ok(serde_json::from_str(&text).expect("just written"))
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
