//! Draws hardware for a network: small arrays, every readout where a layer can be read so, every folding.

use std::ops::Range;

use hafnia::network::{Domain, Layer, Network, Normalize, WeightKind};
use toml::{Table, Value};

use super::random::Random;

pub fn hardware(r: &mut Random, network: &Network) -> Table {
    let layers = 0..network.layers.len();
    let mut table = settings(r, network, layers.clone());
    put(&mut table, "readout", r.pick(&["pcsa", "sa", "sa", "adc", "adc", "digital"]));
    // Reads of few cycles: simulating a cycle is what takes long.
    let (supply, window, mhz) = r.pick(&[(0.6, 60, 33.0), (0.6, 60, 100.0), (1.2, 12, 100.0), (1.2, 25, 250.0)]);
    put(&mut table, "clock.mhz", mhz);
    put(&mut table, "pcsa.supply_v", supply);
    put(&mut table, "pcsa.window_ns", int(window));
    put(&mut table, "pcsa.precharge_ns", int(r.pick(&[1, 10, 20])));
    put(&mut table, "stream.bits", r.pick(&[8, 16, 32, 64, 128, 256, 512, 1024]));
    for index in layers {
        if r.one_in(2) {
            continue;
        }
        let mut own = if r.one_in(3) { Table::new() } else { settings(r, network, index..index + 1) };
        put(&mut own, "readout", readout(r, network, index));
        put(&mut table, &format!("layer.{}", network.layers[index].name), own);
    }
    table
}

/// A readout that the layer can be read by.
fn readout(r: &mut Random, network: &Network, index: usize) -> &'static str {
    let layer = &network.layers[index];
    let integers = matches!(network.input_domain(index), Domain::Integer { .. });
    if !layer.blocks.is_empty() {
        "sa"
    } else if layer.weights.kind == WeightKind::Int8 {
        "digital"
    } else if integers {
        // Bit by bit through the arrays.
        r.pick(&["digital", "adc", "pcsa"])
    } else if index + 1 == network.layers.len() {
        r.pick(&["pcsa", "adc", "adc", "digital"])
    } else {
        r.pick(&["pcsa", "sa", "adc", "digital"])
    }
}

/// Settings that these layers may have; what some of them are refused with is rare.
fn settings(r: &mut Random, network: &Network, layers: Range<usize>) -> Table {
    let mut table = Table::new();
    let mut set = |key: &str, value: Value| put(&mut table, key, value);
    let scores = layers == (network.layers.len() - 1..network.layers.len());
    let bipolar = layers.clone().all(|i| network.seen_domain(i) == Domain::Bipolar) && !scores;
    let layers = &network.layers[layers];
    let (amplifier, adc) = (r.pick(&[1, 1, 2, 3, 4]), r.pick(&[1, 1, 2, 3]));
    // An array holds the largest block of a layer that was trained split; and there are not too many arrays of a layer.
    let block = |l: &Layer| l.blocks.first().map_or(l.inputs().div_ceil(9), |b| b.inputs);
    let most = |of: &dyn Fn(&Layer) -> usize| layers.iter().map(of).max().unwrap_or(1);
    let (inputs, outputs) =
        (most(&block).div_ceil(amplifier), most(&|l| l.neurons().div_ceil(9)).div_ceil(amplifier * adc));
    set("array.inputs", int(amplifier * r.range(inputs, inputs + 6)));
    set("array.outputs", int(amplifier * adc * r.range(outputs, outputs + 6)));
    let ternary = layers.iter().any(|l| l.weights.kind == WeightKind::Ternary);
    let single = r.one_in(if ternary { 20 } else { 2 });
    set("array.columns", text(if single { "single" } else { "double" }));
    let unipolar = r.one_in(if bipolar { 2 } else { 20 });
    set("array.neurons", text(if unipolar { "unipolar" } else { "bipolar" }));
    set("sa.read_ns", int(r.pick(&[1, 10, 20])));
    // The letter divides the sigma of a batch norm.
    let normed = layers.iter().all(|l| matches!(l.normalize, Normalize::BatchNorm { .. }));
    let literal = r.one_in(if normed { 2 } else { 20 });
    set("sa.mapping", text(if literal { "literal" } else { "shift" }));
    set("adc.columns_per_adc", int(adc));
    set("adc.conversion_ns", int(r.pick(&[1, 10, 20])));
    set("adc.negative_inputs", text(r.pick(&["two_phases", "negative_voltage"])));
    // Enough bits make a layer exact.
    let bits = r.range(1, 7);
    set("adc.bits", int(bits));
    let way = r.below(6);
    if way < 2 {
        set("adc.full_scale", int(r.range(1, 20)));
    }
    // Steps that are not equal; a layer's own table takes those of all layers away.
    let codes = if way == 2 && bits <= 4 { 1 << bits } else { 0 };
    let mut levels: Vec<i32> = (1..codes).map(|_| r.integer(-12, 12)).collect();
    levels.sort_unstable();
    set("adc.levels", levels.into());
    set("adc.values", (0..codes).map(|_| r.integer(-20, 20)).collect::<Vec<_>>().into());
    set("adc.unit", r.pick(&[0.25, 0.7, 1.0, 3.0]).into());
    let some = r.range(1, 5);
    set("fold.sensed_at_once", r.pick(&[text("all"), int(some)]));
    set("fold.columns_per_amplifier", int(amplifier));
    set("digital.inputs_at_once", int(r.range(1, 12)));
    let some = r.range(1, 9);
    set("digital.neurons_at_once", r.pick(&[text("all"), int(some)]));
    table
}

fn int(n: usize) -> Value {
    Value::Integer(n as i64)
}

fn text(value: &str) -> Value {
    value.into()
}

/// Sets `a.b.c` in nested tables.
fn put(table: &mut Table, key: &str, value: impl Into<Value>) {
    match key.split_once('.') {
        None => drop(table.insert(key.into(), value.into())),
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Table::new().into());
            put(inner.as_table_mut().expect("a table"), rest, value);
        }
    }
}
