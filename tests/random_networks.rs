//! Small random networks on random hardware through the whole flow: RTL in Icarus Verilog equals the golden model, and
//! both equal the hardware-free evaluation where the plan is exact.
//!
//! `HAFNIA_CASES=1000 cargo test --release --test random_networks` runs more; `HAFNIA_SEED=17` runs one case again. The
//! network, hardware and images of a case that fails are kept in the test's temporary folder, whose path is printed.

mod common;

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::hafnia;
use hafnia::network::{
    self, Activation, Block, Conv, Cut, Domain, Input, InputCode, InputValues, Layer, Network, Normalize, Op, Pool,
    PoolOrder, Shape, WeightKind, Weights,
};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

/// Cases of a default run.
const CASES: u64 = 40;

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0.next_u32() as usize % n
    }

    fn range(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// In -1..=1, often a multiple of 1/4, so that sums fall on thresholds.
    fn real(&mut self) -> f64 {
        if self.one_in(2) {
            self.range(0, 8) as f64 / 4.0 - 1.0
        } else {
            self.below(1 << 20) as f64 / (1 << 19) as f64 - 1.0
        }
    }

    fn reals(&mut self, n: usize, factor: f64) -> Vec<f64> {
        (0..n).map(|_| factor * self.real()).collect()
    }
}

fn input(r: &mut Random) -> Input {
    let shape = match r.below(5) {
        0 => vec![r.range(1, 70)],
        1 => vec![r.range(1, 4), r.range(1, 17)],
        _ => vec![r.range(1, 3), r.range(1, 7), r.range(1, 7)],
    };
    let values = match r.below(5) {
        0 => InputValues::Affine { gain: 2, offset: -255 },
        1 => InputValues::Affine { gain: r.range(0, 6) as i32 - 3, offset: r.range(0, 600) as i32 - 300 },
        2 => InputValues::Threshold { at: r.range(0, 256) as i32 },
        3 => InputValues::Table((0..256).map(|_| r.range(0, 2) as i32 - 1).collect()),
        _ => InputValues::Table((0..256).map(|_| r.range(0, 510) as i32 - 255).collect()),
    };
    let code = match r.below(4) {
        0 => InputCode::Bipolar,
        1 => InputCode::I8(values),
        _ => InputCode::U8(values),
    };
    Input { shape, code }
}

/// A kernel that fits a map, or none.
fn op(r: &mut Random, shape: Shape, domain: Domain, last: bool) -> Op {
    if last || shape.positions() == 1 || r.one_in(4) {
        return Op::Dense;
    }
    let side = |r: &mut Random, side: usize| r.range(1, side.min(3));
    let kernel = [side(r, shape.rows), side(r, shape.columns)];
    let pads = !r.one_in(2);
    let mut pad = |k: usize| if pads { r.below(kernel[k]) } else { 0 };
    let pad = [pad(0), pad(1), pad(0), pad(1)];
    let conv = Conv {
        kernel,
        stride: [r.pick(&[1, 1, 2, 3]), r.pick(&[1, 1, 2])],
        pad,
        pad_value: match domain {
            _ if r.one_in(2) => 0,
            Domain::Integer { .. } => r.range(0, 40) as i32 - 20,
            _ => r.pick(&[-1, 1]),
        },
    };
    Op::Conv(conv)
}

fn pool(r: &mut Random, shape: Shape) -> Option<Pool> {
    if r.one_in(2) {
        return None;
    }
    let size = [r.range(1, shape.rows.min(3)), r.range(1, shape.columns.min(3))];
    let stride = size.map(|s| s + r.pick(&[0, 0, 0, 1]));
    Some(Pool { size, stride, order: r.pick(&[PoolOrder::BeforeNormalize, PoolOrder::AfterActivation]) })
}

/// Zero padding of word lines and lanes shows at sizes that no power of two divides.
fn layer(r: &mut Random, index: usize, shape: Shape, domain: Domain, last: bool) -> Layer {
    let op = op(r, shape, domain, last);
    let inputs = match &op {
        Op::Dense => shape.len(),
        Op::Conv(conv) => conv.inputs(shape.channels),
    };
    let neurons = if last {
        r.range(1, 12)
    } else if op == Op::Dense {
        r.range(1, 70)
    } else {
        r.range(1, 9)
    };
    let kind = match r.below(7) {
        0 => WeightKind::Int8,
        1..=3 => WeightKind::Bipolar,
        _ => WeightKind::Ternary,
    };
    let values = Array2::from_shape_fn((neurons, inputs), |_| match kind {
        WeightKind::Bipolar => [-1, 1][r.below(2)],
        WeightKind::Ternary => [-1, 0, 1][r.below(3)],
        WeightKind::Int8 => (r.range(0, 254) as i16 - 127) as i8,
    });
    // A typical sum, so that thresholds lie among the sums.
    let step = if let Domain::Integer { min, max } = domain { f64::from(max.max(-min).max(1)) } else { 1.0 };
    let weight = if kind == WeightKind::Int8 { 64.0 } else { 1.0 };
    let spread = (inputs as f64).sqrt() * step * weight;
    let scale: Vec<f64> = (0..neurons).map(|_| r.pick(&[1.0, 0.5, 0.125, -1.0, 0.75])).collect();
    let normalize = normalize(r, neurons, spread);
    let activation = if last { Activation::Scores } else { activation(r, neurons, spread) };
    let bias = if r.one_in(2) { vec![0.0; neurons] } else { r.reals(neurons, spread / 4.0) };
    let weights = Weights { kind, values, scale };
    let mut layer = Layer::new(format!("l{index}"), op, weights, bias, normalize, activation);
    if !last {
        layer.pool = pool(r, layer.sum_shape(shape).unwrap());
        if kind != WeightKind::Int8 && !matches!(domain, Domain::Integer { .. }) && inputs <= 60 && r.one_in(4) {
            split(r, &mut layer, spread);
        }
    }
    layer
}

/// Makes a layer one that was trained split.
fn split(r: &mut Random, layer: &mut Layer, spread: f64) {
    let (inputs, neurons) = (layer.inputs(), layer.neurons());
    let blocks = r.range(1, inputs.min(4));
    let ternary = matches!(layer.activation, Activation::Ternary { .. });
    layer.blocks = hafnia::plan::block_sizes(inputs, blocks)
        .into_iter()
        .map(|inputs| {
            let activation = loop {
                let one = activation(r, neurons, spread);
                if matches!(one, Activation::Ternary { .. }) == ternary {
                    break one;
                }
            };
            Block { inputs, bias: r.reals(neurons, spread / 4.0), normalize: normalize(r, neurons, spread), activation }
        })
        .collect();
    layer.bias = vec![0.0; neurons];
    layer.normalize = Normalize::None;
    layer.activation = layer.blocks[0].activation.of_votes(neurons);
}

fn normalize(r: &mut Random, neurons: usize, spread: f64) -> Normalize {
    match r.below(3) {
        0 => Normalize::None,
        1 => Normalize::BatchNorm {
            // Both signs, and none: a constant.
            gamma: (0..neurons).map(|_| if r.one_in(8) { 0.0 } else { r.real() }).collect(),
            beta: r.reals(neurons, 1.0),
            mean: r.reals(neurons, spread),
            variance: (0..neurons).map(|_| 0.25 + r.real().abs() * spread).collect(),
            epsilon: 1e-5,
        },
        _ => Normalize::Affine { gain: r.reals(neurons, 2.0), shift: r.reals(neurons, spread) },
    }
}

fn activation(r: &mut Random, neurons: usize, spread: f64) -> Activation {
    if r.one_in(2) {
        return Activation::Bipolar { threshold: r.reals(neurons, 1.0) };
    }
    let delta: Vec<f64> = (0..neurons).map(|_| 0.05 + spread * r.real().abs() / 2.0).collect();
    let centre = r.reals(neurons, 0.5);
    let at = |sign: f64| centre.iter().zip(&delta).map(|(c, d)| c + sign * d).collect();
    Activation::Ternary {
        above: Cut { at: at(1.0), strict: r.one_in(2) },
        below: Cut { at: at(-1.0), strict: r.one_in(2) },
    }
}

fn network(r: &mut Random) -> Network {
    let input = input(r);
    let layers = r.range(1, 4);
    let mut network = Network { name: "random".into(), input, layers: Vec::new() };
    let mut shape = Shape::of_input(&network.input.shape);
    for index in 0..layers {
        let domain = if index == 0 { network.input.code.domain() } else { network.input_domain(index) };
        let next = layer(r, index, shape, domain, index + 1 == layers);
        shape = next.output_shape(shape).unwrap();
        network.layers.push(next);
    }
    Network::new("random", network.input, network.layers).unwrap()
}

/// `split`: arrays take the blocks of layers that were trained split.
fn hardware(r: &mut Random, layers: usize, split: bool, first_integer: bool) -> String {
    let mut text = String::new();
    let shared = r.pick(&[1, 1, 2, 3, 4]);
    writeln!(text, "readout = \"{}\"", r.pick(&["pcsa", "pcsa", "sa", "sa", "adc", "adc", "digital"])).unwrap();
    let most = if split { 60 } else { 12 };
    let (inputs, outputs) = (shared * r.range(if split { 60 } else { 1 }, most), shared * r.range(1, 12));
    writeln!(text, "[array]\ninputs = {inputs}\noutputs = {outputs}").unwrap();
    writeln!(text, "columns = \"{}\"", if r.one_in(2) { "double" } else { "single" }).unwrap();
    writeln!(text, "neurons = \"{}\"", if r.one_in(4) { "unipolar" } else { "bipolar" }).unwrap();
    writeln!(text, "[clock]\nmhz = {}", r.pick(&[33.0, 100.0, 250.0])).unwrap();
    writeln!(text, "[sa]\nread_ns = {}", r.pick(&[1, 10, 35])).unwrap();
    writeln!(text, "[adc]\nbits = {}\ncolumns_per_adc = {shared}", r.range(1, 7)).unwrap();
    writeln!(text, "conversion_ns = {}", r.pick(&[1, 10, 35])).unwrap();
    writeln!(text, "negative_inputs = \"{}\"", r.pick(&["two_phases", "negative_voltage"])).unwrap();
    if r.one_in(3) {
        writeln!(text, "full_scale = {}", r.range(1, 20)).unwrap();
    }
    let some = r.range(1, 5).to_string();
    let all = "\"all\"".to_string();
    writeln!(text, "[fold]\nsensed_at_once = {}\ncolumns_per_amplifier = {shared}", r.pick(&[all.clone(), some]))
        .unwrap();
    let some = r.range(1, 9).to_string();
    writeln!(text, "[digital]\ninputs_at_once = {}\nneurons_at_once = {}", r.range(1, 12), r.pick(&[all, some]))
        .unwrap();
    writeln!(text, "[stream]\nbits = {}", r.pick(&[8, 16, 32, 64, 128, 512])).unwrap();
    if first_integer && r.one_in(2) {
        // Bit by bit through the arrays.
        writeln!(text, "[layer.l0]\nreadout = \"adc\"").unwrap();
    }
    if r.one_in(3) {
        writeln!(text, "[layer.l{}.fold]\nsensed_at_once = 1", r.below(layers)).unwrap();
    }
    text
}

/// What hardware cannot do for a network, and says.
const REFUSALS: [&str; 7] = [
    "do not fit 32 bits",
    "exceed 31 bits",
    "a single column's cell holds no 0",
    "does not know padding from -1",
    "has no word line state for three values",
    "shifts every score",
    "which one cell pair cannot hold",
];

enum Case {
    Held {
        exact: bool,
    },
    /// The plan refuses it, with a reason.
    Refused,
}

fn run(folder: &Path, seed: u64) -> Result<Case, String> {
    let mut r = Random(ChaCha8Rng::seed_from_u64(seed));
    let network = network(&mut r);
    let (net, toml, npy) = (folder.join("n.safetensors"), folder.join("hardware.toml"), folder.join("images.npy"));
    network::save(&network, &net).map_err(|e| e.to_string())?;
    std::fs::write(&toml, {
        let split = network.layers.iter().any(|l| !l.blocks.is_empty());
        let integers = matches!(network.input.code.domain(), Domain::Integer { .. })
            && network.layers[0].weights.kind != WeightKind::Int8;
        hardware(&mut r, network.layers.len(), split, integers)
    })
    .unwrap();
    let largest = if network.input.code == InputCode::Bipolar { 2 } else { 256 };
    let images = Array2::from_shape_fn((3, network.input_len()), |_| r.below(largest) as u8);
    ndarray_npy::write_npy(&npy, &images).unwrap();

    let build = folder.join("build");
    let made = hafnia(args!["generate", net, "--hardware", toml, "-o", build]);
    match made.code {
        0 => {}
        2 if REFUSALS.iter().any(|r| made.stderr.contains(r)) => return Ok(Case::Refused),
        _ => return Err(format!("generate: {made:?}")),
    }
    let stalls = (seed % 1000 + 1).to_string();
    let verify = args!["verify", build, "--dataset", npy, "--simulator", "icarus", "--json"];
    let more = args!["--stalled", "3", "--resets", "2", "--seed", stalls];
    let ended = hafnia(verify.iter().chain(&more));
    if ended.code != 0 {
        return Err(format!("verify: {}\n{}", ended.stdout, ended.stderr));
    }
    let json = ended.json();
    if json["images"] != 3 || json["compared"].as_u64() == Some(0) || json["stalled"]["images"] != 3 {
        return Err(format!("too little was compared: {json}"));
    }
    Ok(Case::Held { exact: json["plan_is_exact"] == true })
}

#[test]
fn random_networks_in_icarus() {
    let number =
        |key: &str| std::env::var(key).ok().map(|v| v.parse::<u64>().unwrap_or_else(|_| panic!("{key}: a number")));
    let seeds = match number("HAFNIA_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HAFNIA_CASES").unwrap_or(CASES),
    };
    let [exact, split, refused] = [const { AtomicUsize::new(0) }; 3];
    let failed: Vec<String> = seeds
        .clone()
        .into_par_iter()
        .filter_map(|seed| {
            let folder = tempfile::tempdir().unwrap();
            match run(folder.path(), seed) {
                Ok(Case::Held { exact: true }) => exact.fetch_add(1, Ordering::Relaxed),
                Ok(Case::Held { exact: false }) => split.fetch_add(1, Ordering::Relaxed),
                Ok(Case::Refused) => refused.fetch_add(1, Ordering::Relaxed),
                Err(why) => {
                    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("random-network-{seed}"));
                    let _ = std::fs::remove_dir_all(&kept);
                    std::fs::create_dir_all(&kept).unwrap();
                    for file in ["n.safetensors", "hardware.toml", "images.npy"] {
                        std::fs::copy(folder.path().join(file), kept.join(file)).unwrap();
                    }
                    return Some(format!("HAFNIA_SEED={seed} (kept in {}): {why}", kept.display()));
                }
            };
            None
        })
        .collect();
    println!("{exact:?} exact, {split:?} split, {refused:?} refused");
    assert!(failed.is_empty(), "{} of {seeds:?} failed:\n{}", failed.len(), failed.join("\n\n"));
    if seeds.end - seeds.start >= CASES {
        let (exact, split, refused) = (exact.into_inner(), split.into_inner(), refused.into_inner());
        assert!(exact >= 10 && split >= 3 && refused <= (exact + split) / 3, "{exact}, {split}, {refused}");
    }
}
