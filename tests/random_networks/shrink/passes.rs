//! What may go from a case, or be simpler in it: each pass lists smaller cases, those that leave least first.

use hafnia::hardware::Hardware;
use hafnia::network::{
    Activation, Conv, Cut, Domain, Input, InputCode, InputValues, Layer, Network, Normalize, Op, Pool, PoolOrder,
    WeightKind,
};
use hafnia::plan::{self, ReadoutPlan};
use hafnia::reference;
use ndarray::{Array2, Axis};
use toml::{Table, Value};

use crate::case::Case;
use crate::edit::{Edit, simplest_scores, with_network};

pub const PASSES: [fn(&Case) -> Vec<Case>; 9] =
    [run, faulty, layers, neurons, maps, kernels, hardware, follow_ups, values];

/// No stalls, one image.
fn run(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    if case.stalls.is_some() {
        smaller.push(Case { stalls: None, ..case.clone() });
    }
    if case.images.nrows() > 1 {
        let one = |n| Case { images: case.images.select(Axis(0), &[n]), ..case.clone() };
        smaller.extend((0..case.images.nrows()).map(one));
    }
    smaller
}

/// Fewer faulty cells, the spares being what they are.
fn faulty(case: &Case) -> Vec<Case> {
    let less = |part: std::ops::Range<usize>| {
        let mut less = case.clone();
        less.faulty.drain(part);
        less
    };
    parts(case.faulty.len()).into_iter().map(less).collect()
}

/// The case with every layer's readout written down, so that it stays when other layers go.
pub fn pinned(case: &Case) -> Option<Case> {
    let text = toml::to_string(&case.hardware).unwrap();
    let plan = plan::plan(&case.network, &Hardware::parse(&text).ok()?).ok()?;
    let mut pinned = case.clone();
    let tables = pinned.hardware.entry("layer").or_insert_with(|| Table::new().into());
    for layer in &plan.layers {
        let own = tables.as_table_mut().unwrap().entry(&layer.name).or_insert_with(|| Table::new().into());
        let readout = match &layer.readout {
            ReadoutPlan::Pcsa(_) => "pcsa",
            ReadoutPlan::Sa(_) => "sa",
            ReadoutPlan::Adc(_) => "adc",
            ReadoutPlan::Digital(_) => "digital",
        };
        own.as_table_mut().unwrap().insert("readout".into(), readout.into());
    }
    Some(pinned)
}

/// Fewer layers: those from one on, those up to one, or all but one.
fn layers(case: &Case) -> Vec<Case> {
    let layers = &case.network.layers;
    let mut smaller = Vec::new();
    for first in (1..layers.len()).rev() {
        smaller.extend(from(case, first));
    }
    for end in 1..layers.len() {
        smaller.extend(up_to(case, end));
        let mut edit = Edit::of(case);
        edit.layers.remove(end - 1);
        smaller.extend(edit.build());
    }
    smaller
}

/// The layers from `first` on, with what they were given as images.
fn from(case: &Case, first: usize) -> Option<Case> {
    let network = &case.network;
    let shape = network.shapes()[first];
    let code = match network.input_domain(first) {
        Domain::Bipolar => InputCode::Bipolar,
        _ => InputCode::U8(InputValues::Table((0..256).map(|byte| byte % 3 - 1).collect())),
    };
    let sides =
        if shape.positions() == 1 { vec![shape.channels] } else { vec![shape.channels, shape.rows, shape.columns] };
    let mut images = Array2::zeros((case.images.nrows(), shape.len()));
    for (mut image, given) in images.rows_mut().into_iter().zip(case.images.rows()) {
        let activations = &reference::evaluate(network, &given.to_vec()).activations[first - 1];
        let byte = |v: &i8| if code == InputCode::Bipolar { (v + 1) / 2 } else { v + 1 } as u8;
        image.iter_mut().zip(activations).for_each(|(to, v)| *to = byte(v));
    }
    let layers = network.layers[first..].to_vec();
    with_network(case, Network { name: network.name.clone(), input: Input { shape: sides, code }, layers }, images)
}

/// The layers before `end`, and the simplest scores.
fn up_to(case: &Case, end: usize) -> Option<Case> {
    let mut network = case.network.clone();
    let inputs = network.shapes()[end].len();
    let last = network.layers.last()?.name.clone();
    network.layers.truncate(end);
    network.layers.push(simplest_scores(&last, inputs));
    with_network(case, network, case.images.clone())
}

/// Fewer neurons of a layer, fewer channels of the input.
fn neurons(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    for layer in 0..case.network.layers.len() {
        for left in fewer(case.network.layers[layer].neurons()) {
            let mut edit = Edit::of(case);
            edit.layers[layer].neurons = left;
            smaller.extend(edit.build());
        }
    }
    for left in fewer(Edit::of(case).channels.len()) {
        let mut edit = Edit::of(case);
        edit.channels = left;
        smaller.extend(edit.build());
    }
    smaller
}

/// What is left of `count` things without some that stand together: without half of them, a quarter, and so on.
fn fewer(count: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut part = count / 2;
    while part > 0 {
        for start in (0..count).step_by(part) {
            all.push((0..count).filter(|i| !(start..start + part).contains(i)).collect());
        }
        part /= 2;
    }
    all
}

/// Smaller inputs.
fn maps(case: &Case) -> Vec<Case> {
    let whole = Edit::of(case);
    let mut smaller = Vec::new();
    for side in 0..2 {
        for left in [1, whole.sides[side] / 2, whole.sides[side] - 1] {
            let mut edit = whole.clone();
            edit.sides[side] = left;
            if left > 0 && left < whole.sides[side] {
                smaller.extend(edit.build());
            }
        }
    }
    smaller
}

/// Plainer kernels, pools and blocks.
fn kernels(case: &Case) -> Vec<Case> {
    let whole = Edit::of(case);
    let mut smaller = Vec::new();
    for (index, kept) in whole.layers.iter().enumerate() {
        let mut put = |change: &dyn Fn(&mut crate::edit::Kept)| {
            let mut edit = whole.clone();
            change(&mut edit.layers[index]);
            smaller.extend(edit.build());
        };
        put(&|k| k.blocks = 0);
        if kept.blocks > 1 {
            put(&|k| k.blocks = k.blocks.div_ceil(2));
            put(&|k| k.blocks -= 1);
        }
        if let Some(pool) = kept.pool {
            put(&|k| k.pool = None);
            put(&|k| k.pool = Some(Pool { stride: pool.size, ..pool }));
            put(&|k| k.pool = Some(Pool { order: PoolOrder::AfterActivation, ..pool }));
            for side in (0..2).filter(|side| pool.size[*side] > 1) {
                let mut less = pool;
                less.size[side] -= 1;
                put(&|k| k.pool = Some(less));
            }
        }
        if let Op::Conv(conv) = kept.op {
            put(&|k| k.op = Op::Dense);
            put(&|k| k.op = Op::Conv(Conv::new([1, 1])));
            put(&|k| k.op = Op::Conv(Conv::new(conv.kernel)));
            put(&|k| k.op = Op::Conv(Conv { stride: [1, 1], ..conv }));
            put(&|k| k.op = Op::Conv(Conv { pad_value: 0, ..conv }));
            for side in 0..4 {
                let mut less = conv;
                less.pad[side] = 0;
                put(&|k| k.op = Op::Conv(less));
            }
            for side in (0..2).filter(|side| conv.kernel[*side] > 1) {
                let mut less = conv;
                less.kernel[side] -= 1;
                less.pad.iter_mut().skip(side).step_by(2).for_each(|pad| *pad = (*pad).min(less.kernel[side] - 1));
                put(&|k| k.op = Op::Conv(less));
            }
        }
    }
    smaller
}

/// Keys with their defaults: all, those of a table, one.
fn hardware(case: &Case) -> Vec<Case> {
    let mut smaller = vec![Table::new()];
    without(&case.hardware, &mut |table| smaller.push(table));
    smaller.into_iter().map(|hardware| Case { hardware, ..case.clone() }).collect()
}

/// The table without each of its keys, tables before single ones.
fn without(table: &Table, give: &mut dyn FnMut(Table)) {
    for key in table.keys() {
        let mut less = table.clone();
        less.remove(key);
        give(less);
    }
    for (key, value) in table {
        let Value::Table(inner) = value else { continue };
        without(inner, &mut |inner| {
            let mut less = table.clone();
            less.insert(key.clone(), inner.into());
            give(less);
        });
    }
}

/// Plainer inputs, and a plainer way from sums to outputs.
fn follow_ups(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    let mut put = |change: &dyn Fn(&mut Network)| {
        let mut network = case.network.clone();
        change(&mut network);
        let images = match network.input.code {
            InputCode::Bipolar => case.images.mapv(|v| v & 1),
            _ => case.images.clone(),
        };
        smaller.extend(with_network(case, network, images));
    };
    put(&|n| n.input.code = InputCode::Bipolar);
    for values in [InputValues::Threshold { at: 128 }, InputValues::Affine { gain: 1, offset: 0 }] {
        put(&|n| n.input.code = InputCode::U8(values.clone()));
    }
    for index in 0..case.network.layers.len() {
        let mut put = |change: &dyn Fn(&mut Layer)| put(&|n| change(&mut n.layers[index]));
        put(&|l| l.normalize = Normalize::None);
        put(&|l| l.bias.fill(0.0));
        put(&|l| l.weights.scale.fill(1.0));
        put(&|l| {
            if let Activation::Ternary { above, .. } = &l.activation {
                l.activation = Activation::Bipolar { threshold: above.at.clone() };
                l.blocks.iter_mut().for_each(|b| {
                    if let Activation::Ternary { above, .. } = &b.activation {
                        b.activation = Activation::Bipolar { threshold: above.at.clone() };
                    }
                });
            }
        });
        put(&|l| l.activation = simplest(&l.activation));
        put(&|l| l.blocks.iter_mut().for_each(|b| b.activation = simplest(&b.activation)));
        put(&|l| l.blocks.iter_mut().for_each(|b| b.normalize = Normalize::None));
        put(&|l| l.blocks.iter_mut().for_each(|b| b.bias.fill(0.0)));
    }
    smaller
}

/// An activation of the same kind with whole thresholds near 0.
fn simplest(activation: &Activation) -> Activation {
    let cut = |c: &Cut, at: f64| Cut { at: vec![at; c.at.len()], strict: false };
    match activation {
        Activation::Bipolar { threshold } => Activation::Bipolar { threshold: vec![0.0; threshold.len()] },
        Activation::Ternary { above, below } => Activation::Ternary { above: cut(above, 1.0), below: cut(below, -1.0) },
        Activation::Scores => Activation::Scores,
    }
}

/// Weights of 1, pixels of 0, in ever smaller parts.
fn values(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    for (index, layer) in case.network.layers.iter().enumerate() {
        let mut put = |change: &dyn Fn(&mut Layer)| {
            let mut network = case.network.clone();
            change(&mut network.layers[index]);
            smaller.extend(with_network(case, network, case.images.clone()));
        };
        put(&|l| l.weights.kind = WeightKind::Bipolar);
        put(&|l| l.weights.kind = WeightKind::Ternary);
        for part in parts(layer.weights.values.len()) {
            put(&|l| l.weights.values.iter_mut().skip(part.start).take(part.len()).for_each(|w| *w = 1));
        }
    }
    for part in parts(case.images.len()) {
        let mut less = case.clone();
        less.images.iter_mut().skip(part.start).take(part.len()).for_each(|v| *v = 0);
        smaller.push(less);
    }
    smaller
}

/// All of `count` things, halves, quarters and so on, down to single ones where there are few.
fn parts(count: usize) -> Vec<std::ops::Range<usize>> {
    let mut all = Vec::new();
    let mut size = count;
    while size > 0 && count / size <= 16 {
        all.extend((0..count).step_by(size).map(|start| start..(start + size).min(count)));
        size /= 2;
    }
    all
}
