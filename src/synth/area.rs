//! Area by block, from the statistics that Yosys prints.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
struct Statistics {
    modules: BTreeMap<String, Module>,
}

#[derive(Deserialize)]
struct Module {
    num_cells_by_type: BTreeMap<String, u64>,
}

impl Area {
    pub(super) fn from_statistics(text: &str, top: &str, target: Target) -> Result<Self, SynthError> {
        let statistics: Statistics =
            serde_json::from_str(text).map_err(|error| SynthError::Statistics { reason: error.to_string() })?;
        // Names stand there as Yosys has them inside: `\name`, or `$paramod...` for one with parameters.
        let modules: BTreeMap<&str, &Module> =
            statistics.modules.iter().map(|(name, module)| (plain(name), module)).collect();
        let mut instances: BTreeMap<&str, u64> = BTreeMap::new();
        let mut arrays: BTreeMap<String, u64> = BTreeMap::new();
        count_instances(&modules, top, 1, &mut instances, &mut arrays)?;

        let mut blocks: BTreeMap<&str, BlockArea> = BTreeMap::new();
        let mut total = Counts::default();
        for (&name, &count) in &instances {
            let block = base(name);
            let each = own(&modules[name].num_cells_by_type, block, target)?;
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
            block.variants.sort_by(|a, b| (b.each, b.instances).cmp(&(a.each, a.instances)));
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
    modules: &BTreeMap<&'a str, &'a Module>,
    name: &'a str,
    count: u64,
    instances: &mut BTreeMap<&'a str, u64>,
    arrays: &mut BTreeMap<String, u64>,
) -> Result<(), SynthError> {
    let module =
        modules.get(name).ok_or_else(|| SynthError::Statistics { reason: format!("there is no module `{name}`") })?;
    *instances.entry(name).or_default() += count;
    for (kind, number) in &module.num_cells_by_type {
        let kind = plain(kind);
        if modules.contains_key(kind) {
            count_instances(modules, kind, count * number, instances, arrays)?;
        } else if !is_primitive(kind) {
            *arrays.entry(base(kind).to_owned()).or_default() += count * number;
        }
    }
    Ok(())
}

/// A module's own cells.
fn own(kinds: &BTreeMap<String, u64>, block: &str, target: Target) -> Result<Counts, SynthError> {
    let mut counts = Counts::default();
    for (kind, &count) in kinds {
        let (block, kind) = (block.to_owned(), plain(kind).to_owned());
        if !is_primitive(&kind) {
            continue;
        }
        if kind.contains("LATCH") || kind.contains("latch") || kind.starts_with("$_SR_") || kind == "$sr" {
            return Err(SynthError::Latches { block, kind, count });
        }
        counts.cells += count;
        if kind == "$lut" {
            counts.luts += count;
        } else if kind.starts_with("$_") && kind.contains("DFF") {
            counts.flip_flops += count;
        } else if !kind.starts_with("$_") || target != Target::Generic {
            return Err(SynthError::Unmapped { block, kind, count, target });
        }
    }
    Ok(counts)
}

fn is_primitive(kind: &str) -> bool {
    kind.starts_with('$') && !kind.starts_with("$paramod")
}

fn plain(name: &str) -> &str {
    name.strip_prefix('\\').unwrap_or(name)
}

/// `hf_x` of `hf_x`, of `$paramod\hf_x\A=1` and of `$paramod$hash\hf_x`.
fn base(name: &str) -> &str {
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

    const STATISTICS: &str = r#"{ "modules": {
        "\\top": { "num_cells_by_type": { "$paramod\\a\\N=1": 2, "$paramod\\a\\N=2": 1, "$_AND_": 3 } },
        "$paramod\\a\\N=1": { "num_cells_by_type": { "$_DFFE_PN_": 4, "$_XOR_": 1, "ram": 2 } },
        "$paramod\\a\\N=2": { "num_cells_by_type": { "$_SDFF_PN0_": 8, "$paramod$00\\ram": 1 } },
        "unused": { "num_cells_by_type": { "$_AND_": 100 } } } }"#;

    #[test]
    fn instances_multiply_down_the_hierarchy() {
        let area = Area::from_statistics(STATISTICS, "top", Target::Generic).unwrap();
        assert_eq!(area.total, Counts { cells: 3 + 2 * 5 + 8, luts: 0, flip_flops: 16 });
        assert_eq!(area.arrays, BTreeMap::from([("ram".to_owned(), 5)]));
        assert_eq!(area.blocks.len(), 2);
        let a = &area.blocks[0];
        assert_eq!((a.block.as_str(), a.instances, a.total.flip_flops), ("a", 3, 16));
        assert_eq!(a.variants[0].each, Counts { cells: 8, luts: 0, flip_flops: 8 });
    }

    #[test]
    fn latches_and_unmapped_cells_are_errors() {
        let latch = STATISTICS.replace("$_XOR_", "$_DLATCH_P_");
        let error = Area::from_statistics(&latch, "top", Target::Generic).unwrap_err();
        assert!(matches!(error, SynthError::Latches { block, .. } if block == "a"));
        let word = STATISTICS.replace("$_XOR_", "$mem_v2");
        let error = Area::from_statistics(&word, "top", Target::Generic).unwrap_err();
        assert!(matches!(error, SynthError::Unmapped { kind, .. } if kind == "$mem_v2"));
        // Gates have no place in a netlist of look-up tables.
        assert!(Area::from_statistics(STATISTICS, "top", Target::Lut4).is_err());
    }
}
