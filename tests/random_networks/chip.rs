//! Spares of the arrays, and cells of a chip that are faulty, as far as its spares suffice.

use hafnia::fault_map::{Fault, FaultKind};
use hafnia::hardware::Hardware;
use hafnia::network::Network;
use hafnia::plan::{self, Arrays, Plan};
use toml::{Table, Value};

use super::random::Random;

/// Faulty cells of a layer at most.
const MOST: usize = 6;

/// Gives arrays spares in every table that has sizes of them; a spare column stands for all that share what reads it.
pub fn spares(r: &mut Random, hardware: &mut Table) {
    if r.one_in(2) {
        return;
    }
    let layers = match hardware.get_mut("layer") {
        Some(Value::Table(layers)) => layers.iter_mut().filter_map(|(_, t)| t.as_table_mut()).collect(),
        _ => Vec::new(),
    };
    for table in layers {
        of_table(r, table);
    }
    of_table(r, hardware);
}

fn of_table(r: &mut Random, table: &mut Table) {
    let shared = |table: &Table, key: &str, inner: &str| {
        let value = table.get(key).and_then(|t| t.get(inner)).and_then(Value::as_integer);
        value.unwrap_or(1)
    };
    let all = shared(table, "fold", "columns_per_amplifier") * shared(table, "adc", "columns_per_adc");
    if let Some(Value::Table(array)) = table.get_mut("array") {
        array.insert("spare_word_lines".into(), Value::Integer(r.pick(&[0, 1, 1, 2])));
        array.insert("spare_columns".into(), Value::Integer(all * r.pick(&[0, 1, 1, 2])));
    }
}

/// Faulty cells of a chip, those that its spares can do without.
pub fn faults(r: &mut Random, network: &Network, hardware: &Table) -> Vec<Fault> {
    let Some(plan) = planned(network, hardware, Vec::new()) else { return Vec::new() };
    let mut faults = Vec::new();
    for layer in plan.layers.iter().filter(|l| l.spares.is_some()) {
        let arrays = Arrays::of(layer).expect("spares of arrays");
        // On a few word lines, so that some hold more than one.
        let few = r.range(1, 3);
        for _ in 0..r.range(1, MOST) {
            let (split, tile) = (r.below(arrays.splits().min(2)), r.below(arrays.tiles()));
            let kind = r.pick(&[FaultKind::StuckHrs, FaultKind::StuckLrs, FaultKind::StuckLrs]);
            let line = r.below(arrays.lines(split).min(few * arrays.lines_each()));
            faults.push(Fault { layer: layer.name.clone(), split, tile, line, cell: r.below(arrays.cells()), kind });
        }
    }
    possible(network, hardware, &faults)
}

/// Those of the faults that the plan can do without, one after the other.
pub fn possible(network: &Network, hardware: &Table, faults: &[Fault]) -> Vec<Fault> {
    let mut kept: Vec<Fault> = Vec::new();
    for fault in faults {
        let more = [&kept[..], std::slice::from_ref(fault)].concat();
        if planned(network, hardware, more.clone()).is_some() {
            kept = more;
        }
    }
    kept
}

/// None where the hardware is refused.
fn planned(network: &Network, hardware: &Table, faults: Vec<Fault>) -> Option<Plan> {
    plan::plan_with_faults(network, &Hardware::parse(&hardware.to_string()).ok()?, faults).ok()
}
