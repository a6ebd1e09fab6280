//! The access to the arrays' cells over the register bus: its instance, its nets, and the ports of the layers.

use super::blocks::{Instance, Pair, flag, pair};
use super::memory::{Net, ports};
use super::views::index_width;
use super::{COUNT_WIDTH, cells};
use crate::network::WeightKind;
use crate::plan::{AccessPlan, ArrayKind, Arrays, LayerPlan, MemoryPlan, Plan};

/// Layers that have arrays, and a key memory.
pub(super) fn banks(plan: &Plan) -> usize {
    cells::Cells::all(plan).count()
}

pub(super) fn nets(access: &AccessPlan) -> Vec<Net> {
    let net = |name, bits| Net { name, bits };
    vec![
        net("access_hold", 1),
        net("access_program", 3 * access.banks.len()),
        net("access_split", 16),
        net("access_tile", 16),
        net("access_line", 16),
        net("access_mask", access.cells()),
        net("access_cell", index_width(access.cells())),
        net("access_trim", 8 * access.banks.len()),
        net("access_werror", 1),
        net("access_rdata", 32),
        net("access_rerror", 1),
    ]
}

pub(super) fn instance(access: &AccessPlan) -> Instance {
    // {cells, word lines, tiles, splits} of the last bank first.
    let sizes = access
        .banks
        .iter()
        .rev()
        .map(|b| format!("{:04x}{:04x}{:04x}{:04x}", b.cells, b.lines[0], b.tiles, b.lines.len()));
    let sizes: Vec<String> = sizes.collect();
    // Of the last bank first.
    let trims: Vec<String> = access.banks.iter().rev().map(|b| format!("{:02x}", b.trim)).collect();
    Instance {
        module: "hf_array_access",
        name: "i_array_access".into(),
        parameters: vec![
            pair("Banks", access.banks.len()),
            pair("Sizes", format!("{}'h{}", 64 * sizes.len(), sizes.join("_"))),
            pair("Cells", access.cells()),
            pair("CountWidth", COUNT_WIDTH),
            pair("FormCycles", access.form_cycles),
            pair("ResetCycles", access.program.reset_cycles),
            pair("SetCycles", access.program.set_cycles),
            pair("VerifyCycles", access.program.verify_cycles),
            pair("Attempts", access.program.attempts),
            pair("Trims", format!("{}'h{}", 8 * trims.len(), trims.concat())),
        ],
        ports: ports(&[
            ("write_i", "ext_write"),
            ("waddr_i", "ext_waddr"),
            ("wdata_i", "ext_wdata"),
            ("werror_o", "access_werror"),
            ("raddr_i", "ext_raddr"),
            ("rdata_o", "access_rdata"),
            ("rerror_o", "access_rerror"),
            ("used_i", "busy || |array_reading"),
            ("reading_i", "|array_reading"),
            ("hold_o", "access_hold"),
            ("program_o", "access_program"),
            ("split_o", "access_split"),
            ("tile_o", "access_tile"),
            ("line_o", "access_line"),
            ("mask_o", "access_mask"),
            ("cell_o", "access_cell"),
            ("trim_o", "access_trim"),
            ("verify_i", "array_verify"),
            ("supply_ready_i", "array_supply"),
            ("array_busy_i", "array_busy"),
        ]),
    }
}

/// Parameters of a layer's arrays; nothing where their cells cannot be written.
pub(super) fn parameters(plan: &Plan) -> Vec<Pair> {
    let Some(access) = &plan.access else { return Vec::new() };
    // The nominal cell switches within a nominal pulse.
    vec![
        flag("Programmable", true),
        pair("SetCycles", access.program.set_cycles),
        pair("ResetCycles", access.program.reset_cycles),
    ]
}

/// Ports of a layer with arrays.
pub(super) fn layer_ports(plan: &Plan, layer: &LayerPlan) -> Vec<Pair> {
    let before = plan.layers.iter().take_while(|l| l.name != layer.name);
    let bank = before.filter(|l| cells::Cells::of(l).is_some()).count();
    let Some(arrays) = Arrays::of(layer) else { return Vec::new() };
    let cells = match &arrays.kind {
        // Double columns that cannot be programmed have one port a weight where the second follows from the first.
        ArrayKind::Adc(..) if plan.access.is_none() && layer.weight_kind != WeightKind::Ternary => arrays.columns(),
        _ => arrays.cells(),
    };
    let mut all = vec![pair("hold_i", hold(plan)), pair("reading_o", format!("array_reading[{bank}]"))];
    all.extend(bank_ports(plan, bank, &arrays, cells, 0));
    all
}

/// Arrays of the key memory, the last bank. Its reads are those of an image in flight.
pub(super) fn key_ports(plan: &Plan, memory: &MemoryPlan) -> Vec<Pair> {
    let arrays = Arrays::of_keys(memory);
    bank_ports(plan, banks(plan) - 1, &arrays, arrays.cells(), memory.program.trim)
}

/// Whether images have to wait.
pub(super) fn hold(plan: &Plan) -> &'static str {
    if plan.access.is_some() { "access_hold" } else { "1'b0" }
}

/// `trim`: what stands for the register where there is none.
fn bank_ports(plan: &Plan, bank: usize, arrays: &Arrays, cells: usize, trim: usize) -> Vec<Pair> {
    let (splits, tiles, lines) = (arrays.splits(), arrays.tiles(), arrays.lines(0));
    // Without access the ports are tied to 0. Of a net of one bit there are no parts.
    let part = |net: &str, bits: usize, of: usize| match &plan.access {
        Some(_) if of == 1 => net.to_string(),
        Some(_) => format!("{net}[{}:0]", bits - 1),
        None => format!("{bits}'d0"),
    };
    let most = plan.access.as_ref().map_or(cells, |access| access.cells());
    let (operation, trim) = match &plan.access {
        Some(_) => (
            format!("access_program[{}:{}]", 3 * bank + 2, 3 * bank),
            format!("access_trim[{}:{}]", 8 * bank + 7, 8 * bank),
        ),
        None => ("3'd0".to_string(), format!("8'd{trim}")),
    };
    vec![
        pair("program_i", operation),
        pair("program_split_i", part("access_split", index_width(splits), 16)),
        pair("program_tile_i", part("access_tile", index_width(tiles), 16)),
        pair("program_line_i", part("access_line", index_width(lines), 16)),
        pair("program_mask_i", part("access_mask", cells, most)),
        pair("program_cell_i", part("access_cell", index_width(cells), index_width(most))),
        pair("program_trim_i", trim),
        pair("isolate_i", if plan.access.is_some() { "isolate_i" } else { "1'b0" }),
        pair("scan_bypass_i", if plan.access.is_some() { "scan_bypass_i" } else { "1'b0" }),
        pair("program_verify_o", format!("array_verify[{bank}]")),
        pair("supply_ready_o", format!("array_supply[{bank}]")),
        pair("array_busy_o", format!("array_busy[{bank}]")),
    ]
}

/// How the blocks behind the registers answer: addresses from 0x80 on are those of the arrays.
pub(super) fn answers(plan: &Plan) -> Vec<String> {
    let one = |block: &str| {
        vec![
            format!("assign ext_werror = {block}_werror;"),
            format!("assign ext_rdata = {block}_rdata;"),
            format!("assign ext_rerror = {block}_rerror;"),
        ]
    };
    let mut lines = match (&plan.memory, &plan.access) {
        (None, None) => vec![
            "// No block has registers from 0x40 on, and images come without commands.".into(),
            "assign ext_werror = 1'b1;".into(),
            "assign ext_rdata = '0;".into(),
            "assign ext_rerror = 1'b1;".into(),
            "logic unused_ext;".into(),
            "assign unused_ext = ^{ext_write, ext_waddr, ext_wdata, ext_raddr, image_first};".into(),
        ],
        (Some(_), None) => one("memory"),
        (None, Some(_)) => one("access"),
        (Some(_), Some(_)) => vec![
            "// Registers of the arrays lie from 0x80 on, those of the few-shot memory below.".into(),
            "assign ext_werror = ext_waddr[7] ? access_werror : memory_werror;".into(),
            "assign ext_rdata = ext_raddr[7] ? access_rdata : memory_rdata;".into(),
            "assign ext_rerror = ext_raddr[7] ? access_rerror : memory_rerror;".into(),
        ],
    };
    if plan.memory.is_none() && plan.access.is_some() {
        lines.push("logic unused_first;  // images come without commands".into());
        lines.push("assign unused_first = image_first;".into());
    }
    if plan.memory.is_some() {
        lines.push(format!("assign array_reading[{}] = memory_busy;", banks(plan) - 1));
    }
    match &plan.access {
        None if banks(plan) > 0 => {
            lines.push("logic unused_arrays;  // cells are what they are made with".into());
            lines.push("assign unused_arrays = ^{array_reading, array_verify, array_supply, array_busy};".into());
        }
        Some(_) => {
            lines.push("logic unused_access;  // banks take as many bits as they have lines and cells".into());
            lines.push(
                "assign unused_access = ^{access_split, access_tile, access_line, access_mask, access_cell};".into(),
            );
        }
        None => {}
    }
    lines
}
