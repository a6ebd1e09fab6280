//! The studies, and what each is made of.

use super::{Piece, Study, Training, Work};
use crate::checkpoint::Mapping;
use crate::errors::ErrorKind;

/// Largest resolution of partial sums.
const BITS: u32 = 6;

pub const STUDIES: [Study; 5] = [
    Study {
        name: "mnist_splitting",
        what: "input-splitting, figure 6: MLP on MNIST, by array size and resolution of partial sums",
        pieces: || splitting("mnist_mlp", [512, 256, 128], [98.8, 98.8, 98.7, 98.7]),
        x: "bits of a partial sum",
        log_x: false,
        panel: "inputs an array",
    },
    Study {
        name: "cifar10_splitting",
        what: "input-splitting, figure 7, at a quarter of the width: CNN on CIFAR-10",
        pieces: || splitting("cifar10_cnn", [128, 64, 32], [88.6, 88.4, 88.0, 87.5]),
        x: "bits of a partial sum",
        log_x: false,
        panel: "inputs an array",
    },
    Study {
        name: "vgg_sizes",
        what: "ternary-pcsa, figure 7: ternary and binary VGG on CIFAR-10, by N, three runs",
        pieces: vgg_sizes,
        x: "N",
        log_x: false,
        panel: "",
    },
    Study {
        name: "vgg_errors",
        what: "ternary-pcsa, figure 8: accuracy against bit error rate, at N = 16, three runs",
        pieces: vgg_errors,
        x: "bit error rate",
        log_x: true,
        panel: "",
    },
    Study {
        name: "batmann_table",
        what: "BATMANN, table I: learned in full precision, by XNOR-Net's scheme and by RBNN's",
        pieces: batmann_table,
        x: "row",
        log_x: false,
        panel: "",
    },
];

fn splitting(recipe: &'static str, arrays: [usize; 3], paper: [f64; 4]) -> Vec<Piece> {
    let baseline = Training::new(recipe, recipe, &[]);
    let piece = |series: String, x: f64, paper: Option<f64>, work| Piece { series, x, run: 1, paper, work };
    let trained_on = |name: String, split: Option<usize>| {
        let set = ["train.epochs=8".into(), "train.learning_rate=0.002".into()];
        let set: Vec<String> = split.map(|r| format!("split.inputs={r}")).into_iter().chain(set).collect();
        Training { from: Some(Box::new(baseline.clone())), ..Training::new(&name, recipe, &set) }
    };
    let mut pieces = vec![piece("whole".into(), 0.0, Some(paper[0]), Work::Train { network: baseline.clone() })];
    for (inputs, paper) in arrays.into_iter().zip(&paper[1..]) {
        for (what, mapping) in [("shift", Mapping::Shift), ("literal", Mapping::Literal)] {
            let work = Work::Map { network: baseline.clone(), inputs, mapping };
            pieces.push(piece(format!("{inputs}: mapped, {what}"), 1.0, None, work));
        }
        let network = trained_on(format!("{recipe}_{inputs}"), Some(inputs));
        pieces.push(piece(format!("{inputs}: retrained"), 1.0, Some(*paper), Work::Train { network }));
        for (what, lloyd_max) in [("linear", false), ("Lloyd-Max", true)] {
            for bits in 1..=BITS {
                let work = Work::Quantize { network: baseline.clone(), inputs, lloyd_max, bits };
                pieces.push(piece(format!("{inputs}: {what}"), bits.into(), None, work));
            }
        }
    }
    // What as many more epochs do for the network that is not split.
    let network = trained_on(format!("{recipe}_on"), None);
    pieces.push(piece("whole, trained on".into(), 0.0, None, Work::Train { network }));
    pieces
}

const RUNS: std::ops::RangeInclusive<u64> = 1..=3;

fn vgg(kind: &'static str, n: usize, run: u64) -> Training {
    let set = [format!("width={n}"), format!("seed={run}")];
    Training::new(&format!("{kind}_{n}_run{run}"), kind, &set)
}

fn vgg_sizes() -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (run, n) in RUNS.flat_map(|run| [4, 8, 16].map(|n| (run, n))) {
        for (series, kind) in [("ternary", "vgg_ternary"), ("binary", "vgg_binary")] {
            let network = vgg(kind, n, run);
            let last = Work::Train { network: network.clone() };
            for (series, work) in [(series.into(), last), (format!("{series}, highest"), Work::Highest { network })] {
                pieces.push(Piece { series, x: n as f64, run, paper: None, work });
            }
        }
    }
    pieces
}

fn vgg_errors() -> Vec<Piece> {
    const LINES: [(&str, &str, ErrorKind); 3] = [
        ("ternary, type 1", "vgg_ternary", ErrorKind::Sign),
        ("ternary, type 2", "vgg_ternary", ErrorKind::Zero),
        ("binary, type 1", "vgg_binary", ErrorKind::Sign),
    ];
    let mut pieces = Vec::new();
    for (run, (series, recipe, kind)) in RUNS.flat_map(|run| LINES.map(|line| (run, line))) {
        for rate in [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 2e-1] {
            let work = Work::Errors { network: vgg(recipe, 16, run), kind, rate };
            pieces.push(Piece { series: series.into(), x: rate, run, paper: None, work });
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
