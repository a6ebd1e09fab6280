//! The studies, and what each is made of.

use super::{Picture, Piece, Scale, Study, Training, Work};
use crate::Error;
use crate::checkpoint::Mapping;
use crate::errors::ErrorKind;

/// Largest resolution of partial sums.
const BITS: u32 = 6;

pub const STUDIES: [Study; 7] = [
    Study {
        name: "mnist_splitting",
        what: "input-splitting, figure 6: MLP on MNIST, by array size and resolution of partial sums",
        takes: &["arrays"],
        pieces: |scale| mlp().pieces(scale),
        x: "bits of a partial sum",
        picture: Picture::Lines,
        panel: "inputs an array",
    },
    Study {
        name: "cifar10_splitting",
        what: "input-splitting, figure 7, at a quarter of the width: CNN on CIFAR-10",
        takes: &["arrays"],
        pieces: |scale| cnn("width=32", [128, 64, 32]).pieces(scale),
        x: "bits of a partial sum",
        picture: Picture::Lines,
        panel: "inputs an array",
    },
    Study {
        name: "cifar10_splitting_full",
        what: "input-splitting, figure 7, at the paper's width; a matter of days without a GPU",
        takes: &["arrays"],
        pieces: |scale| cnn("width=128", [512, 256, 128]).pieces(scale),
        x: "bits of a partial sum",
        picture: Picture::Lines,
        panel: "inputs an array",
    },
    Study {
        name: "vgg_sizes",
        what: "ternary-pcsa, figure 7: ternary and binary VGG on CIFAR-10, by N",
        takes: &["sizes", "runs"],
        pieces: vgg_sizes,
        x: "N",
        picture: Picture::Lines,
        panel: "",
    },
    Study {
        name: "vgg_errors",
        what: "ternary-pcsa, figure 8: accuracy against bit error rate, errors at inference only",
        takes: &["sizes", "rates", "runs"],
        pieces: |scale| vgg_errors(scale, false),
        x: "bit error rate",
        picture: Picture::LogLines,
        panel: "",
    },
    Study {
        name: "vgg_errors_in_training",
        what: "ternary-pcsa, figure 8 as in the authors' code: errors in training, too",
        takes: &["sizes", "rates", "runs"],
        pieces: |scale| vgg_errors(scale, true),
        x: "bit error rate",
        picture: Picture::LogLines,
        panel: "",
    },
    Study {
        name: "batmann_table",
        what: "BATMANN, table I: learned in full precision, by XNOR-Net's scheme and by RBNN's",
        takes: &[],
        pieces: |_| batmann_table(),
        x: "row",
        picture: Picture::Bars,
        panel: "",
    },
];

impl Study {
    /// Its pieces; an option that it does not take is an error.
    pub(super) fn pieces(&self, scale: &Scale) -> Result<Vec<Piece>, Error> {
        let given = [
            ("arrays", scale.arrays.is_empty()),
            ("sizes", scale.sizes.is_empty()),
            ("rates", scale.rates.is_empty()),
            ("runs", scale.runs.is_none()),
        ];
        let bad = |reason: String| Err(Error::Study { study: self.name, reason });
        if let Some((option, _)) = given.iter().find(|(option, absent)| !absent && !self.takes.contains(option)) {
            let takes: Vec<String> = self.takes.iter().map(|o| format!("--{o}")).collect();
            return bad(format!("has no --{option}; it takes {}", [&["--set".into()][..], &takes].concat().join(", ")));
        }
        if scale.arrays.contains(&0) || scale.sizes.contains(&0) || scale.runs == Some(0) {
            return bad("--arrays, --sizes and --runs take numbers above 0".into());
        }
        let twice = |numbers: &mut Vec<f64>| {
            numbers.sort_by(f64::total_cmp);
            numbers.windows(2).any(|w| w[0] == w[1])
        };
        let whole = |numbers: &[usize]| numbers.iter().map(|n| *n as f64).collect::<Vec<_>>();
        if [whole(&scale.arrays), whole(&scale.sizes), scale.rates.clone()].iter_mut().any(twice) {
            return bad("a number of --arrays, --sizes or --rates is given twice".into());
        }
        if let Some(rate) = scale.rates.iter().find(|r| !(**r > 0.0 && **r <= 0.5)) {
            return bad(format!("--rates: {rate} is none; they are shares above 0, up to 0.5"));
        }
        Ok((self.pieces)(scale))
    }
}

/// What was chosen, or the study's own.
fn or<T: Clone>(chosen: &[T], own: &[T]) -> Vec<T> {
    if chosen.is_empty() { own.to_vec() } else { chosen.to_vec() }
}

/// A network, whole and split.
struct Splitting {
    recipe: &'static str,
    fixed: Vec<String>,
    /// Of what starts from the whole network.
    retraining: &'static [&'static str],
    /// Accuracies of retrained networks by the inputs of an array, and of the whole one.
    paper: [(usize, f64); 3],
    paper_whole: f64,
    /// There are some, which may stand in every block, as the authors have them, or behind the votes.
    pools: bool,
}

fn mlp() -> Splitting {
    Splitting {
        recipe: "mnist_mlp",
        fixed: Vec::new(),
        retraining: &["train.epochs=8", "train.learning_rate=0.002"],
        paper: [(512, 98.8), (256, 98.7), (128, 98.7)],
        paper_whole: 98.8,
        pools: false,
    }
}

/// Table II's array sizes, those that cut this width into as many blocks. Split networks learn at the whole one's rate, as the
/// paper's keep all its conditions.
fn cnn(width: &str, [a, b, c]: [usize; 3]) -> Splitting {
    Splitting {
        recipe: "cifar10_cnn",
        fixed: vec![width.into()],
        retraining: &["train.epochs=8"],
        paper: [(a, 88.4), (b, 88.0), (c, 87.5)],
        paper_whole: 88.6,
        pools: true,
    }
}

impl Splitting {
    fn whole(&self) -> Training {
        Training { fixed: self.fixed.clone(), ..Training::new(self.recipe, self.recipe) }
    }

    /// The whole network, trained on as itself or as what `own` makes of it.
    fn trained_on(&self, suffix: &str, own: &[String]) -> Training {
        Training {
            set: self.retraining.iter().map(|s| s.to_string()).collect(),
            fixed: [&self.fixed, own].concat(),
            from: Some(Box::new(self.whole())),
            ..Training::new(&format!("{}_{suffix}", self.recipe), self.recipe)
        }
    }

    fn pieces(&self, scale: &Scale) -> Vec<Piece> {
        let piece = |series: String, x: f64, paper: Option<f64>, work| Piece { series, x, run: 1, paper, work };
        let train = |network| Work::Train { network };
        let split = |inputs: usize| format!("split.inputs={inputs}");
        let mut pieces = vec![piece("whole".into(), 0.0, Some(self.paper_whole), train(self.whole()))];
        let arrays = or(&scale.arrays, &self.paper.map(|(inputs, _)| inputs));
        for &inputs in &arrays {
            for (what, mapping) in [("shift", Mapping::Shift), ("literal", Mapping::Literal)] {
                let work = Work::Map { network: self.whole(), inputs, mapping };
                pieces.push(piece(format!("{inputs}: mapped, {what}"), 1.0, None, work));
            }
            let network = self.trained_on(&inputs.to_string(), &[split(inputs)]);
            let paper = self.paper.iter().find(|(size, _)| *size == inputs).map(|(_, accuracy)| *accuracy);
            pieces.push(piece(format!("{inputs}: retrained"), 1.0, paper, train(network)));
            for (what, lloyd_max) in [("linear", false), ("Lloyd-Max", true)] {
                for bits in 1..=BITS {
                    let work = Work::Quantize { network: self.whole(), inputs, lloyd_max, bits };
                    pieces.push(piece(format!("{inputs}: {what}"), bits.into(), None, work));
                }
            }
        }
        // What as many more epochs do for the network that is not split.
        pieces.push(piece("whole, trained on".into(), 0.0, None, train(self.trained_on("on", &[]))));
        for &inputs in arrays.iter().filter(|_| self.pools) {
            let behind = "pool_order=after_activation".to_string();
            let network = self.trained_on(&format!("{inputs}_pooled_votes"), &[split(inputs), behind]);
            pieces.push(piece(format!("{inputs}: retrained, pooled votes"), 1.0, None, train(network)));
        }
        pieces
    }
}

fn runs(scale: &Scale) -> std::ops::RangeInclusive<u64> {
    1..=scale.runs.unwrap_or(3)
}

fn vgg(recipe: &'static str, n: usize, run: u64, errors: Option<(ErrorKind, f64)>) -> Training {
    let mut name = format!("{recipe}_{n}_run{run}");
    let mut fixed = vec![format!("width={n}"), format!("seed={run}")];
    if let Some((kind, rate)) = errors {
        let kind = if kind == ErrorKind::Sign { "sign" } else { "zero" };
        name += &format!("_{kind}_{rate}").replace(['.', '-'], "_");
        fixed.extend([format!("errors.kind={kind}"), format!("errors.rate={rate}")]);
    }
    Training { fixed, ..Training::new(&name, recipe) }
}

fn vgg_sizes(scale: &Scale) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let sizes = or(&scale.sizes, &[4, 8, 16]);
    for (run, n) in runs(scale).flat_map(|run| sizes.iter().map(move |n| (run, *n))) {
        for (series, recipe) in [("ternary", "vgg_ternary"), ("binary", "vgg_binary")] {
            let network = vgg(recipe, n, run, None);
            let (series, work) = (series.into(), Work::Train { network });
            pieces.push(Piece { series, x: n as f64, run, paper: None, work });
        }
    }
    pieces
}

fn vgg_errors(scale: &Scale, in_training: bool) -> Vec<Piece> {
    const LINES: [(&str, &str, ErrorKind); 3] = [
        ("ternary, type 1", "vgg_ternary", ErrorKind::Sign),
        ("ternary, type 2", "vgg_ternary", ErrorKind::Zero),
        ("binary, type 1", "vgg_binary", ErrorKind::Sign),
    ];
    let rates = or(&scale.rates, if in_training { &[1e-3, 1e-2, 1e-1] } else { &RATES });
    let mut pieces = Vec::new();
    for n in or(&scale.sizes, &[16]) {
        for (run, (line, recipe, kind)) in runs(scale).flat_map(|run| LINES.map(|line| (run, line))) {
            for &rate in &rates {
                let network = vgg(recipe, n, run, in_training.then_some((kind, rate)));
                let work = Work::Errors { network, kind, rate };
                pieces.push(Piece { series: format!("N = {n}, {line}"), x: rate, run, paper: None, work });
            }
        }
    }
    pieces
}

const RATES: [f64; 8] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 2e-1];

fn batmann_table() -> Vec<Piece> {
    let row = |x: f64, name: &str, set: &[&str], paper: f64| {
        let set = set.iter().map(|s| s.to_string()).collect();
        let network = Training { set, ..Training::new(name, "batmann") };
        Piece { series: name.into(), x, run: 1, paper: Some(paper), work: Work::Train { network } }
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
