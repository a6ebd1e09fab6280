//! Area by block, counted in the netlist that Yosys writes as JSON.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::module::Netlist;
use super::{SynthError, Target};

/// Cells of a netlist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Counts {
    /// Everything that is no black box: gates or look-up tables, and flip-flops.
    pub cells: u64,
    pub luts: u64,
    pub flip_flops: u64,
}

impl Counts {
    fn times(self, count: u64) -> Self {
        Self { cells: self.cells * count, luts: self.luts * count, flip_flops: self.flip_flops * count }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.cells += other.cells;
        self.luts += other.luts;
        self.flip_flops += other.flip_flops;
    }
}

/// A block at one parameter set, without the blocks in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variant {
    pub instances: u64,
    pub each: Counts,
}

/// A block of the library, or the top, without the blocks in it: rows add up to the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockArea {
    pub block: String,
    pub instances: u64,
    pub total: Counts,
    /// Its parameter sets, the largest first.
    pub variants: Vec<Variant>,
}

/// The area of a design.
#[derive(Debug, Clone, Serialize)]
pub struct Area {
    pub target: &'static str,
    pub top: String,
    pub total: Counts,
    /// Sorted by name.
    pub blocks: Vec<BlockArea>,
    /// Instances of every black box.
    pub arrays: BTreeMap<String, u64>,
    pub netlist: PathBuf,
    pub yosys: String,
    pub seconds: f64,
}

#[derive(Deserialize)]
struct JsonModule {
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    cells: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(rename = "type")]
    kind: String,
}

/// How many cells of each type a module has; `None` for a black box.
type Module<'a> = Option<BTreeMap<&'a str, u64>>;

impl Area {
    pub(super) fn new(netlists: &[Netlist], top: &str, target: Target) -> Result<Self, SynthError> {
        let bad = |error: serde_json::Error| SynthError::Netlist { reason: error.to_string() };
        let modules = super::module::modules(netlists)?.into_iter();
        let parsed = modules.map(|(name, text)| Ok((name, serde_json::from_str(text.get()).map_err(bad)?)));
        let parsed: BTreeMap<String, JsonModule> = parsed.collect::<Result<_, SynthError>>()?;
        Self::of(&parsed, top, target)
    }

    fn of(parsed: &BTreeMap<String, JsonModule>, top: &str, target: Target) -> Result<Self, SynthError> {
        let modules: BTreeMap<&str, Module> = parsed
            .iter()
            .map(|(name, module)| {
                let mut kinds = BTreeMap::new();
                for cell in module.cells.values() {
                    *kinds.entry(cell.kind.as_str()).or_default() += 1;
                }
                (name.as_str(), (!module.attributes.contains_key("blackbox")).then_some(kinds))
            })
            .collect();
        let mut instances: BTreeMap<&str, u64> = BTreeMap::new();
        let mut arrays: BTreeMap<String, u64> = BTreeMap::new();
        count_instances(&modules, top, 1, &mut instances, &mut arrays)?;

        let mut blocks: BTreeMap<&str, BlockArea> = BTreeMap::new();
        let mut total = Counts::default();
        for (&name, &count) in &instances {
            let block = base(name);
            let kinds = modules[name].as_ref().expect("black boxes are counted apart");
            let each = own(kinds, block, target)?;
            let entry = blocks.entry(block).or_insert_with(|| BlockArea {
                block: block.to_owned(),
                instances: 0,
                total: Counts::default(),
                variants: Vec::new(),
            });
            entry.instances += count;
            entry.total += each.times(count);
            entry.variants.push(Variant { instances: count, each });
            total += each.times(count);
        }
        let mut blocks: Vec<BlockArea> = blocks.into_values().collect();
        for block in &mut blocks {
            block.variants.sort_by_key(|variant| std::cmp::Reverse((variant.each, variant.instances)));
        }
        Ok(Self {
            target: target.name(),
            top: top.to_owned(),
            total,
            blocks,
            arrays,
            netlist: PathBuf::new(),
            yosys: String::new(),
            seconds: 0.0,
        })
    }
}

fn count_instances<'a>(
    modules: &BTreeMap<&'a str, Module<'a>>,
    name: &'a str,
    count: u64,
    instances: &mut BTreeMap<&'a str, u64>,
    arrays: &mut BTreeMap<String, u64>,
) -> Result<(), SynthError> {
    match modules.get(name) {
        None => return Err(SynthError::Netlist { reason: format!("there is no module `{name}`") }),
        Some(None) => *arrays.entry(base(name).to_owned()).or_default() += count,
        Some(Some(kinds)) => {
            *instances.entry(name).or_default() += count;
            for (kind, number) in kinds.iter().filter(|(kind, _)| !is_primitive(kind)) {
                count_instances(modules, kind, count * number, instances, arrays)?;
            }
        }
    }
    Ok(())
}

/// A module's own cells.
fn own(kinds: &BTreeMap<&str, u64>, block: &str, target: Target) -> Result<Counts, SynthError> {
    let mut counts = Counts::default();
    for (&kind, &count) in kinds.iter().filter(|(kind, _)| is_primitive(kind)) {
        let (block, name) = (block.to_owned(), kind.to_owned());
        if kind.contains("LATCH") || kind.contains("latch") || kind.starts_with("$_SR_") || kind == "$sr" {
            return Err(SynthError::Latches { block, kind: name, count });
        }
        counts.cells += count;
        if kind == "$lut" {
            counts.luts += count;
        } else if kind.starts_with("$_") && kind.contains("DFF") {
            counts.flip_flops += count;
        } else if !kind.starts_with("$_") || target != Target::Generic {
            return Err(SynthError::Unmapped { block, kind: name, count, target });
        }
    }
    Ok(counts)
}

pub(super) fn is_primitive(kind: &str) -> bool {
    kind.starts_with('$') && !kind.starts_with("$paramod")
}

/// `hf_x` of `hf_x`, of `$paramod\hf_x\A=1` and of `$paramod$hash\hf_x`.
pub(super) fn base(name: &str) -> &str {
    match name.starts_with("$paramod") {
        true => name.split('\\').nth(1).unwrap_or(name),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_parameters() {
        assert_eq!(base("hf_rom"), "hf_rom");
        assert_eq!(base("$paramod\\hf_counter\\Steps=s32'0101"), "hf_counter");
        assert_eq!(base("$paramod$0a1c\\hf_rom"), "hf_rom");
    }

    const NETLIST: &str = r#"{ "modules": {
        "top": { "cells": { "u1": { "type": "$paramod\\a\\N=1" }, "u2": { "type": "$paramod\\a\\N=1" },
                            "u3": { "type": "$paramod\\a\\N=2" }, "g": { "type": "$_AND_" } } },
        "$paramod\\a\\N=1": { "cells": { "r": { "type": "$_DFFE_PN_" }, "x": { "type": "$_XOR_" },
                                        "m1": { "type": "ram" }, "m2": { "type": "ram" } } },
        "$paramod\\a\\N=2": { "cells": { "r": { "type": "$_SDFF_PN0_" }, "m": { "type": "$paramod$00\\ram" } } },
        "ram": { "attributes": { "blackbox": "1" } },
        "$paramod$00\\ram": { "attributes": { "blackbox": "1" } },
        "unused": { "cells": { "g": { "type": "$_AND_" } } } } }"#;

    fn area(text: &str, target: Target) -> Result<Area, SynthError> {
        #[derive(Deserialize)]
        struct Modules {
            modules: BTreeMap<String, JsonModule>,
        }
        let parsed: Modules = serde_json::from_str(text).unwrap();
        Area::of(&parsed.modules, "top", target)
    }

    #[test]
    fn instances_multiply_down_the_hierarchy() {
        let area = area(NETLIST, Target::Generic).unwrap();
        assert_eq!(area.total, Counts { cells: 1 + 2 * 2 + 1, luts: 0, flip_flops: 3 });
        assert_eq!(area.arrays, BTreeMap::from([("ram".to_owned(), 5)]));
        assert_eq!(area.blocks.len(), 2);
        let a = &area.blocks[0];
        assert_eq!((a.block.as_str(), a.instances, a.total.flip_flops), ("a", 3, 3));
        assert_eq!(a.variants[0], Variant { instances: 2, each: Counts { cells: 2, luts: 0, flip_flops: 1 } });
    }

    #[test]
    fn latches_and_unmapped_cells_are_errors() {
        let latch = NETLIST.replace("$_XOR_", "$_DLATCH_P_");
        let error = area(&latch, Target::Generic).unwrap_err();
        assert!(matches!(error, SynthError::Latches { block, .. } if block == "a"));
        let word = NETLIST.replace("$_XOR_", "$mem_v2");
        let error = area(&word, Target::Generic).unwrap_err();
        assert!(matches!(error, SynthError::Unmapped { kind, .. } if kind == "$mem_v2"));
        // Gates have no place in a netlist of look-up tables.
        assert!(area(NETLIST, Target::Lut4).is_err());
    }
}
