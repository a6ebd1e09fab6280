//! Convolutional networks as steps: their plain arithmetic, and their models in the styles of Brevitas and FINN.

use super::*;
use crate::reference::{Evaluation, evaluate};
use Step::*;

/// A feature map, row-major: channel, row, column.
#[derive(Clone, Debug)]
struct Map {
    sides: [usize; 3],
    values: Vec<f64>,
}

impl Map {
    fn at(&self, channel: usize, row: isize, column: isize) -> Option<f64> {
        let [_, rows, columns] = self.sides;
        let (row, column) = (usize::try_from(row).ok()?, usize::try_from(column).ok()?);
        (row < rows && column < columns).then(|| self.values[(channel * rows + row) * columns + column])
    }

    fn each(&self, f: impl Fn(usize, f64) -> f64) -> Self {
        let positions = self.sides[1] * self.sides[2];
        let values = self.values.iter().enumerate().map(|(i, v)| f(i / positions, *v)).collect();
        Self { values, ..self.clone() }
    }

    /// One value for each channel and window.
    fn windows(
        &self,
        channels: usize,
        size: [usize; 2],
        stride: [usize; 2],
        pad: [usize; 4],
        f: impl Fn(usize, isize, isize) -> f64,
    ) -> Self {
        let [above, left, below, right] = pad;
        let rows = (self.sides[1] + above + below - size[0]) / stride[0] + 1;
        let columns = (self.sides[2] + left + right - size[1]) / stride[1] + 1;
        let mut values = Vec::new();
        for c in 0..channels {
            for r in 0..rows {
                for k in 0..columns {
                    values.push(f(
                        c,
                        (r * stride[0]) as isize - above as isize,
                        (k * stride[1]) as isize - left as isize,
                    ));
                }
            }
        }
        Self { sides: [channels, rows, columns], values }
    }
}

/// What a network does, one after the other. Numbers are small fractions of two, so that no sum rounds.
#[derive(Clone)]
pub enum Step {
    /// Weights `[out, channels, rows, columns]`.
    Conv {
        out: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        pad: [usize; 4],
        weights: Vec<f32>,
    },
    /// gamma, beta, mean, variance
    Norm([Vec<f32>; 4]),
    Mul(Vec<f32>),
    Add(Vec<f32>),
    Sign,
    /// Ternary, in steps of 0.5.
    Zone,
    Pool([usize; 2]),
    /// Weights `[out, channels, rows, columns]`; the map is flattened before.
    Dense {
        out: usize,
        weights: Vec<f32>,
    },
}
fn zone(v: f64) -> f64 {
    (v / 0.5).round_ties_even().clamp(-1.0, 1.0) * 0.5
}

/// What a step does, by its definition.
fn apply(step: &Step, x: &Map) -> Map {
    let [channels, rows, columns] = x.sides;
    match step {
        Conv { out, kernel: [height, width], stride, pad, weights } => {
            x.windows(*out, [*height, *width], *stride, *pad, |j, top, left| {
                let mut sum = 0.0;
                for c in 0..channels {
                    for r in 0..*height {
                        for k in 0..*width {
                            let w = weights[((j * channels + c) * height + r) * width + k];
                            let x = x.at(c, top + r as isize, left + k as isize).unwrap_or(0.0);
                            sum += f64::from(w) * x;
                        }
                    }
                }
                sum
            })
        }
        Norm(p) => {
            let [gamma, beta, mean, variance] =
                p.each_ref().map(|v| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
            x.each(|c, v| gamma[c] * (v - mean[c]) / variance[c].sqrt() + beta[c])
        }
        Mul(m) => x.each(|c, v| v * f64::from(m[c])),
        Add(a) => x.each(|c, v| v + f64::from(a[c])),
        Sign => x.each(|_, v| if v >= 0.0 { 1.0 } else { -1.0 }),
        Zone => x.each(|_, v| zone(v)),
        Pool(size) => x.windows(channels, *size, *size, [0; 4], |c, top, left| {
            let places = (0..size[0]).flat_map(|r| (0..size[1]).map(move |k| (r as isize, k as isize)));
            places.map(|(r, k)| x.at(c, top + r, left + k).unwrap()).fold(f64::MIN, f64::max)
        }),
        Dense { out, weights } => {
            let row = |j: usize| &weights[j * x.values.len()..][..x.values.len()];
            let sum = |j: usize| row(j).iter().zip(&x.values).map(|(w, x)| f64::from(*w) * x).sum();
            assert_eq!(weights.len(), out * channels * rows * columns);
            Map { sides: [*out, 1, 1], values: (0..*out).map(sum).collect() }
        }
    }
}

/// Sides of the map behind each step.
pub fn sides(steps: &[Step], image: [usize; 3]) -> Vec<[usize; 3]> {
    let mut map = Map { sides: image, values: vec![0.0; image.iter().product()] };
    let mut sides = vec![image];
    for step in steps {
        map = apply(step, &map);
        sides.push(map.sides);
    }
    sides
}

fn wide(v: &[usize]) -> Vec<i64> {
    v.iter().map(|v| *v as i64).collect()
}

/// As Brevitas exports it: image, channel, row, column throughout.
fn brevitas(steps: &[Step], image: [usize; 3]) -> Model {
    let sides = sides(steps, image);
    let [channels, rows, columns] = wide(&image)[..] else { unreachable!() };
    let mut m = Model::new(&[1, channels, rows, columns]).floats("one", &[], &[1.0]);
    let (mut last, mut flat) = ("x".to_string(), false);
    for (i, step) in steps.iter().enumerate() {
        let [channels, rows, columns] = wide(&sides[i])[..] else { unreachable!() };
        let out = if i + 1 == steps.len() { "y".to_string() } else { format!("t{i}") };
        let (p, q) = (format!("p{i}"), format!("q{i}"));
        let per_channel = if flat { vec![channels] } else { vec![1, channels, 1, 1] };
        m = match step {
            Conv { out: neurons, kernel, stride, pad, weights } => m
                .floats(&p, &[*neurons as i64, channels, kernel[0] as i64, kernel[1] as i64], weights)
                .node(&q, "BipolarQuant", &format!("{p} one"))
                .node(&out, "Conv", &format!("{last} {q}"))
                .list("kernel_shape", &wide(kernel))
                .list("strides", &wide(stride))
                .list("pads", &wide(pad))
                .list("dilations", &[1, 1])
                .int("group", 1),
            Norm(parameters) => {
                let names: Vec<String> = (0..4).map(|k| format!("p{i}_{k}")).collect();
                let with = names.iter().zip(parameters).fold(m, |m, (n, v)| m.floats(n, &[channels], v));
                with.node(&out, "BatchNormalization", &format!("{last} {}", names.join(" "))).float("epsilon", 0.0)
            }
            Mul(v) => m.floats(&p, &per_channel, v).node(&out, "Mul", &format!("{last} {p}")),
            Add(v) => m.floats(&p, &per_channel, v).node(&out, "Add", &format!("{p} {last}")),
            Sign => m.node(&out, "BipolarQuant", &format!("{last} one")),
            Zone => m.quant(&out, &last, TERNARY),
            Pool(size) => m.node(&out, "MaxPool", &last).list("kernel_shape", &wide(size)).list("strides", &wide(size)),
            Dense { out: neurons, weights } => {
                let from = if flat { last.clone() } else { format!("f{i}") };
                let m = if flat { m } else { m.node(&from, "Flatten", &last).int("axis", 1) };
                flat = true;
                m.floats(&p, &[*neurons as i64, channels * rows * columns], weights)
                    .node(&q, "BipolarQuant", &format!("{p} one"))
                    .node(&format!("{q}_t"), "Transpose", &q)
                    .list("perm", &[1, 0])
                    .node(&out, "MatMul", &format!("{from} {q}_t"))
            }
        };
        last = out;
    }
    m
}

/// As FINN rewrites it: image, row, column, channel; products in place of convolutions, thresholds in place of quantizers.
pub fn finn(steps: &[Step], image: [usize; 3]) -> Model {
    let sides = sides(steps, image);
    let [channels, rows, columns] = wide(&image)[..] else { unreachable!() };
    let mut m = Model::new(&[1, channels, rows, columns])
        .floats("zero", &[1, 1], &[0.0])
        .ints("flat", &[2], &[1, -1])
        .node("nhwc", "Transpose", "x")
        .list("perm", &[0, 2, 3, 1]);
    let (mut last, mut flat) = ("nhwc".to_string(), false);
    for (i, step) in steps.iter().enumerate() {
        let [channels, rows, columns] = sides[i];
        let out = if i + 1 == steps.len() { "y".to_string() } else { format!("t{i}") };
        let (p, q) = (format!("p{i}"), format!("q{i}"));
        let layout = if flat { "NCHW" } else { "NHWC" };
        // [out, channels, rows, columns] as [rows, columns, channels, out]
        let product = |m: Model, weights: &[f32], [c, h, w]: [usize; 3], out: usize| {
            let mut rows = Vec::new();
            for k in 0..h * w {
                for channel in 0..c {
                    rows.extend((0..out).map(|j| weights[(j * c + channel) * h * w + k]));
                }
            }
            m.floats(&p, &[(c * h * w) as i64, out as i64], &rows)
        };
        m = match step {
            Conv { out: neurons, kernel, stride, pad, weights } => {
                let patches = m
                    .node(&q, "Im2Col", &last)
                    .list("stride", &wide(stride))
                    .list("kernel_size", &wide(kernel))
                    .list("pad_amount", &wide(pad))
                    .text("input_shape", &format!("(1, {rows}, {columns}, {channels})"));
                product(patches, weights, [channels, kernel[0], kernel[1]], *neurons).node(
                    &out,
                    "MatMul",
                    &format!("{q} {p}"),
                )
            }
            Norm([gamma, beta, mean, variance]) => {
                let gain: Vec<f32> = gamma.iter().zip(variance).map(|(g, v)| g / v.sqrt()).collect();
                let shift: Vec<f32> = (0..gain.len()).map(|j| beta[j] - gain[j] * mean[j]).collect();
                let c = channels as i64;
                m.floats(&p, &[1, 1, 1, c][if flat { 2 } else { 0 }..], &gain)
                    .floats(&q, &[c], &shift)
                    .node(&format!("{q}_m"), "Mul", &format!("{last} {p}"))
                    .node(&out, "Add", &format!("{q}_m {q}"))
            }
            Mul(v) => m.floats(&p, &[channels as i64], v).node(&out, "Mul", &format!("{last} {p}")),
            Add(v) => m.floats(&p, &[channels as i64], v).node(&out, "Add", &format!("{last} {p}")),
            Sign => m
                .node(&out, "MultiThreshold", &format!("{last} zero"))
                .float("out_scale", 2.0)
                .float("out_bias", -1.0)
                .text("out_dtype", "BIPOLAR")
                .text("data_layout", layout),
            Zone => {
                // +1 above 0.25, -1 below -0.25.
                m.floats(&p, &[1, 2], &[0.25f32.next_up(), -0.25])
                    .node(&out, "MultiThreshold", &format!("{last} {p}"))
                    .float("out_scale", 0.5)
                    .float("out_bias", -0.5)
                    .text("data_layout", layout)
            }
            Pool(size) => m
                .node(&out, "MaxPoolNHWC", &last)
                .list("kernel_shape", &wide(size))
                .list("strides", &wide(size))
                .list("pads", &[0; 4]),
            Dense { out: neurons, weights } => {
                let from = if flat { last.clone() } else { format!("f{i}") };
                let m = if flat { m } else { m.node(&from, "Reshape", &format!("{last} flat")) };
                flat = true;
                product(m, weights, [channels, rows, columns], *neurons).node(&out, "MatMul", &format!("{from} {p}"))
            }
        };
        last = out;
    }
    m
}

/// Numbers from a fixed sequence.
pub struct Draw(pub u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    pub fn signs(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| if self.next(2) == 0 { -1.0 } else { 1.0 }).collect()
    }

    /// Multiples of 1/8 within +-`limit`.
    fn eighths(&mut self, n: usize, limit: u64) -> Vec<f32> {
        (0..n).map(|_| self.next(16 * limit + 1) as f32 / 8.0 - limit as f32).collect()
    }

    pub fn conv(&mut self, channels: usize, out: usize, side: usize, pad: usize) -> Step {
        let weights = self.signs(out * channels * side * side);
        Conv { out, kernel: [side; 2], stride: [1; 2], pad: [pad; 4], weights }
    }

    pub fn dense(&mut self, inputs: usize, out: usize) -> Step {
        Dense { out, weights: self.signs(out * inputs) }
    }

    /// Gains of either sign.
    pub fn norm(&mut self, n: usize, limit: u64) -> Step {
        let gamma = self.signs(n).into_iter().map(|s| s * if self.next(2) == 0 { 0.5 } else { 1.0 }).collect();
        let (beta, mean) = (self.eighths(n, 1), self.eighths(n, limit));
        let variance = (0..n).map(|_| [0.25, 1.0, 4.0][self.next(3) as usize]).collect();
        Norm([gamma, beta, mean, variance])
    }
}

/// Imports both styles and compares every activation and score with the steps' own.
#[track_caller]
pub fn agree(steps: &[Step], image: [usize; 3]) -> Network {
    let brevitas = brevitas(steps, image).import().unwrap();
    let finn = finn(steps, image).import().unwrap();
    let mut draw = Draw(7);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..6 {
        let bytes: Vec<u8> = (0..image.iter().product()).map(|_| draw.next(16) as u8).collect();
        let mut map = Map { sides: image, values: bytes.iter().map(|b| f64::from(*b)).collect() };
        let mut activations: Vec<Vec<i8>> = Vec::new();
        let mut ended = false;
        for step in steps {
            map = apply(step, &map);
            let codes = || map.values.iter().map(|v| v.signum() as i8 * i8::from(*v != 0.0)).collect::<Vec<i8>>();
            match step {
                Sign | Zone => activations.push(codes()),
                Pool(_) if ended => *activations.last_mut().unwrap() = codes(),
                _ => {}
            }
            ended = matches!(step, Sign | Zone);
        }
        for network in [&brevitas, &finn] {
            let Evaluation { activations: own, scores, .. } = evaluate(network, &bytes);
            // An activation before its pool is compared behind it.
            for (k, (own, expected)) in own.iter().zip(&activations).enumerate() {
                assert_eq!(own, expected, "layer {k} of {}", network.name);
            }
            assert_eq!(own.len(), activations.len());
            assert_eq!(scores, map.values);
        }
        seen.extend(activations.last().cloned());
    }
    assert!(seen.len() > 1, "the last activation is the same for every image, which shows nothing");
    assert_eq!(brevitas.input.shape, image);
    assert_eq!(finn.input.shape, image);
    brevitas
}
