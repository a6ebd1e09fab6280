//! Images per second of the golden model on 784-1024-1024-1024-10, one thread, beside matrix-vector products of
//! ndarray over the same weights and image: `i32`, an exact peer, and `f32`, as an inference library would.
//!
//! `cargo bench --bench golden`; the last lines give the ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hafnia::golden::Golden;
use hafnia::hardware::Hardware;
use hafnia::network::{Activation, Input, InputCode, InputValues, Layer, Network, Normalize, Op, WeightKind, Weights};
use hafnia::plan::{OutputPlan, Plan, plan};
use ndarray::{Array1, Array2, LinalgScalar};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

const SIZES: [usize; 5] = [784, 1024, 1024, 1024, 10];

/// A random network on `hardware`: bipolar or ternary throughout.
fn random(code: InputCode, kind: WeightKind, hardware: &str) -> Plan {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut layers = Vec::new();
    for (k, size) in SIZES.windows(2).enumerate() {
        let (inputs, neurons) = (size[0], size[1]);
        let values = Array2::from_shape_simple_fn((neurons, inputs), || match kind {
            WeightKind::Ternary => (random.next_u32() % 3) as i8 - 1,
            _ => 2 * (random.next_u32() % 2) as i8 - 1,
        });
        let cut = |at| hafnia::network::Cut { at: vec![at; neurons], strict: true };
        layers.push(Layer {
            name: format!("fc{k}"),
            op: Op::Dense,
            pool: None,
            blocks: Vec::new(),
            weights: Weights { kind, values, scale: vec![1.0; neurons] },
            bias: vec![0.0; neurons],
            normalize: Normalize::None,
            activation: match (k, kind) {
                (3, _) => Activation::Scores,
                (_, WeightKind::Ternary) => Activation::Ternary { above: cut(9.0), below: cut(-9.0) },
                _ => Activation::Bipolar { threshold: vec![0.0; neurons] },
            },
        });
    }
    let network = Network::new("random", Input { shape: vec![SIZES[0]], code }, layers).expect("a valid network");
    plan(&network, &Hardware::parse(hardware).expect("valid hardware")).expect("a plan")
}

fn image() -> Vec<u8> {
    let mut image = vec![0; SIZES[0]];
    ChaCha8Rng::seed_from_u64(2).fill_bytes(&mut image);
    image
}

/// The plan of a bipolar network as matrices of `T`: dense products and thresholds, nothing packed.
struct Peer<T> {
    table: Vec<T>,
    layers: Vec<(Array2<T>, Option<Array1<T>>)>,
}

impl<T: LinalgScalar + PartialOrd + std::ops::Neg<Output = T>> Peer<T> {
    fn new(plan: &Plan, of: impl Fn(i32) -> T) -> Self {
        let table = (0..=255).map(|byte| of(plan.input.map.value(plan.input.signed, byte))).collect();
        let high = |output: &OutputPlan| match output {
            OutputPlan::Bipolar { high } => Some(high.iter().map(|h| of(*h)).collect()),
            _ => None,
        };
        let layers = plan.layers.iter().map(|l| (l.weights.mapv(|w| of(w.into())), high(&l.output))).collect();
        Self { table, layers }
    }

    fn run(&self, image: &[u8]) -> Array1<T> {
        let mut x: Array1<T> = image.iter().map(|byte| self.table[usize::from(*byte)]).collect();
        for (weights, high) in &self.layers {
            let sums = weights.dot(&x);
            x = match high {
                Some(high) => sums.iter().zip(high).map(|(s, h)| if s >= h { T::one() } else { -T::one() }).collect(),
                None => sums,
            };
        }
        x
    }
}

/// Seconds of a call, the best of several rounds.
fn seconds(mut call: impl FnMut()) -> f64 {
    let round = || {
        let (start, mut calls) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(100) {
            call();
            calls += 1;
        }
        start.elapsed().as_secs_f64() / f64::from(calls)
    };
    std::iter::repeat_with(round).take(10).fold(f64::INFINITY, f64::min)
}

fn compare(criterion: &mut Criterion) {
    let image = image();
    let threshold = || InputCode::U8(InputValues::Threshold { at: 128 });
    let bytes = || InputCode::U8(InputValues::Affine { gain: 2, offset: -255 });
    let bipolar = random(threshold(), WeightKind::Bipolar, "readout = 'pcsa'");
    let plans = [
        ("bipolar, pcsa", &bipolar),
        ("bipolar, digital 8-bit first layer", &random(bytes(), WeightKind::Bipolar, "readout = 'pcsa'")),
        ("bipolar, sa in blocks of 128", &random(threshold(), WeightKind::Bipolar, "readout = 'sa'")),
        ("ternary, pcsa", &random(threshold(), WeightKind::Ternary, "readout = 'pcsa'")),
    ];
    let (exact, float) = (Peer::new(&bipolar, |v| v), Peer::new(&bipolar, |v| v as f32));
    let scores = Golden::new(&bipolar).run(&image).scores;
    assert_eq!(exact.run(&image).to_vec(), scores);
    assert!(float.run(&image).iter().zip(&scores).all(|(f, s)| *f == *s as f32));

    let mut group = criterion.benchmark_group("784-1024-1024-1024-10");
    for (name, plan) in plans {
        let golden = Golden::new(plan);
        group.bench_function(name, |b| b.iter(|| golden.run(black_box(&image))));
    }
    group.bench_function("bipolar, ndarray i32", |b| b.iter(|| exact.run(black_box(&image))));
    group.bench_function("bipolar, ndarray f32", |b| b.iter(|| float.run(black_box(&image))));
    group.finish();

    let golden = Golden::new(&bipolar);
    let ours = seconds(|| drop(black_box(golden.run(black_box(&image)))));
    println!("golden: {:.0} images/s (bipolar, pcsa, one thread)", 1.0 / ours);
    let peers = [
        ("i32", seconds(|| drop(black_box(exact.run(black_box(&image)))))),
        ("f32", seconds(|| drop(black_box(float.run(black_box(&image)))))),
    ];
    for (name, theirs) in peers {
        println!("ndarray {name}: {:.0} images/s; golden is {:.1} times as fast", 1.0 / theirs, theirs / ours);
    }
}

criterion_group!(benches, compare);
criterion_main!(benches);
