//! Instances of a few-shot memory's blocks, and the nets between them.

use super::access;
use super::blocks::{Instance, Pair, adc_arrays, flag, pair, pcsa_arrays, prefix};
use super::stages::most_in_flight;
use super::views::index_width;
use crate::plan::{AdcPlan, Encoding, KEYS, KeysPlan, MemoryPlan, PcsaPlan, Plan};

/// A net that belongs to no stage.
pub(super) struct Net {
    pub name: &'static str,
    pub bits: usize,
}

/// Bits of a slot or of a count of slots.
fn slot_bits(m: &MemoryPlan) -> usize {
    index_width(m.slots + 1)
}

pub(super) fn nets(m: &MemoryPlan) -> Vec<Net> {
    let (slot, class) = (slot_bits(m), index_width(m.classes));
    let net = |name, bits| Net { name, bits };
    vec![
        net("command", 18),
        net("keys_x", m.features),
        net("keys_query", 1),
        net("keys_used", slot),
        net("keys_dot_valid", 1),
        net("keys_dot_last", 1),
        net("keys_dot", m.dot_width),
        net("keys_write", 1),
        net("keys_slot", slot),
        net("keys_done", 1),
        net("keys_failed", 1),
        net("memory_busy", 1),
        net("memory_werror", 1),
        net("memory_rdata", 32),
        net("memory_rerror", 1),
        net("bus_erase", 1),
        net("bus_restore", 1),
        net("bus_slot", slot),
        net("bus_valid", 1),
        net("bus_label", class),
        net("bus_set_next", 1),
        net("bus_next", slot),
        net("slot_valid", 1),
        net("slot_label", class),
        net("memory_count", slot),
        net("memory_next", slot),
        net("memory_full", 1),
        net("memory_sums", m.classes * m.sum_width),
        net("memory_counts", m.classes * slot),
    ]
}

/// Ports of the same name as their nets, but for a prefix.
pub(super) fn ports(list: &[(&str, &str)]) -> Vec<Pair> {
    list.iter().map(|(port, net)| pair(port, net)).collect()
}

pub(super) fn instances(plan: &Plan, m: &MemoryPlan, from: &str) -> Vec<Instance> {
    let keys = match &m.keys {
        KeysPlan::Pcsa(keys) => keys_pcsa(plan, m, keys),
        KeysPlan::Adc(keys) => keys_adc(plan, m, keys),
    };
    vec![commands(plan, from), few_shot(plan, m, from), keys, registers(m)]
}

fn commands(plan: &Plan, from: &str) -> Instance {
    let leave = format!("{from}_valid && {from}_ready");
    Instance {
        module: "hf_commands",
        name: "i_commands".into(),
        parameters: vec![pair("Width", 18), pair("Depth", most_in_flight(plan))],
        ports: ports(&[
            ("first_i", "image_first"),
            ("command_i", "s_axis_tuser_i"),
            ("enter_i", "image_start"),
            ("leave_i", &leave),
            ("command_o", "command"),
        ]),
    }
}

fn few_shot(plan: &Plan, m: &MemoryPlan, from: &str) -> Instance {
    let mut all = ports(&[
        ("in_valid_i", &format!("{from}_valid")),
        ("in_ready_o", &format!("{from}_ready")),
        ("in_data_i", &format!("{from}_data")),
        ("hold_i", access::hold(plan)),
        ("command_i", "command"),
        ("out_valid_o", "scores_valid"),
        ("out_ready_i", "scores_ready"),
        ("out_data_o", "scores_data"),
        ("x_o", "keys_x"),
        ("query_o", "keys_query"),
        ("used_o", "keys_used"),
        ("dot_valid_i", "keys_dot_valid"),
        ("dot_last_i", "keys_dot_last"),
        ("dot_i", "keys_dot"),
        ("write_o", "keys_write"),
        ("slot_o", "keys_slot"),
        ("done_i", "keys_done"),
        ("failed_i", "keys_failed"),
        ("busy_o", "memory_busy"),
        ("bus_erase_i", "bus_erase"),
        ("bus_restore_i", "bus_restore"),
        ("bus_slot_i", "bus_slot"),
        ("bus_valid_i", "bus_valid"),
        ("bus_label_i", "bus_label"),
        ("bus_set_next_i", "bus_set_next"),
        ("bus_next_i", "bus_next"),
    ]);
    all.extend(ports(&[
        ("slot_valid_o", "slot_valid"),
        ("slot_label_o", "slot_label"),
        ("count_o", "memory_count"),
        ("next_o", "memory_next"),
        ("full_o", "memory_full"),
        ("sums_o", "memory_sums"),
        ("counts_o", "memory_counts"),
    ]));
    Instance {
        module: "hf_few_shot",
        name: "i_few_shot".into(),
        parameters: vec![
            pair("Features", m.features),
            pair("Slots", m.slots),
            pair("Classes", m.classes),
            flag("Overwrite", m.overwrite),
            pair("DotWidth", m.dot_width),
            flag("Absolute", m.absolute),
            flag("Mean", m.mean),
            pair("SumWidth", m.sum_width),
        ],
        ports: all,
    }
}

fn keys_pcsa(plan: &Plan, m: &MemoryPlan, p: &PcsaPlan) -> Instance {
    let trims = [("precharge_cycles_i", "precharge_cycles"), ("window_cycles_i", "window_cycles")];
    keys("hf_keys_pcsa", plan, m, pcsa_arrays(plan, p, m.dot_width), ports(&trims))
}

fn keys_adc(plan: &Plan, m: &MemoryPlan, a: &AdcPlan) -> Instance {
    let encoding = if a.encoding == Encoding::TwoPhases { 1 } else { 0 };
    let mut arrays = vec![pair("Encoding", encoding), flag("SingleColumn", a.single_column)];
    arrays.extend(adc_arrays(a, m.dot_width));
    keys("hf_keys_adc", plan, m, arrays, Vec::new())
}

fn keys(module: &'static str, plan: &Plan, m: &MemoryPlan, arrays: Vec<Pair>, more_ports: Vec<Pair>) -> Instance {
    let mut parameters = vec![pair("Features", m.features), pair("Slots", m.slots)];
    parameters.extend(arrays);
    parameters.extend(programming(m));
    parameters.push(prefix("Name", KEYS));
    let mut ports = key_ports();
    ports.extend(more_ports);
    ports.extend(access::key_ports(plan, m));
    Instance { module, name: "i_keys".into(), parameters, ports }
}

/// Pulses; the nominal cell switches within a nominal one.
fn programming(m: &MemoryPlan) -> Vec<Pair> {
    let p = &m.program;
    vec![
        pair("SetCycles", p.set_cycles),
        pair("ResetCycles", p.reset_cycles),
        pair("PulseSet", p.set_cycles),
        pair("PulseReset", p.reset_cycles),
        pair("VerifyCycles", p.verify_cycles),
        pair("Attempts", p.attempts),
    ]
}

fn key_ports() -> Vec<Pair> {
    ports(&[
        ("x_i", "keys_x"),
        ("query_i", "keys_query"),
        ("used_i", "keys_used"),
        ("dot_valid_o", "keys_dot_valid"),
        ("dot_last_o", "keys_dot_last"),
        ("dot_o", "keys_dot"),
        ("write_i", "keys_write"),
        ("slot_i", "keys_slot"),
        ("done_o", "keys_done"),
        ("failed_o", "keys_failed"),
    ])
}

fn registers(m: &MemoryPlan) -> Instance {
    let mut all = ports(&[
        ("write_i", "ext_write"),
        ("waddr_i", "ext_waddr"),
        ("wdata_i", "ext_wdata"),
        ("werror_o", "memory_werror"),
        ("raddr_i", "ext_raddr"),
        ("rdata_o", "memory_rdata"),
        ("rerror_o", "memory_rerror"),
        ("busy_i", "memory_busy"),
        ("erase_o", "bus_erase"),
        ("restore_o", "bus_restore"),
        ("slot_o", "bus_slot"),
        ("valid_o", "bus_valid"),
        ("label_o", "bus_label"),
        ("set_next_o", "bus_set_next"),
        ("next_o", "bus_next"),
        ("slot_valid_i", "slot_valid"),
        ("slot_label_i", "slot_label"),
        ("count_i", "memory_count"),
        ("next_i", "memory_next"),
        ("full_i", "memory_full"),
        ("sums_i", "memory_sums"),
        ("counts_i", "memory_counts"),
        ("result_i", "scores_valid && scores_ready"),
    ]);
    let head = m.classes * m.sum_width;
    all.push(pair("head_i", format!("scores_data[{}:{head}]", head + 31)));
    Instance {
        module: "hf_memory_registers",
        name: "i_memory_registers".into(),
        parameters: vec![pair("Slots", m.slots), pair("Classes", m.classes), pair("SumWidth", m.sum_width)],
        ports: all,
    }
}
