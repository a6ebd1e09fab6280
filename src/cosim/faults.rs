//! Faulty cells, checked against the plan, and the files that the arrays' models take.

use std::collections::BTreeMap;
use std::path::Path;

use super::{CosimError, io};
use crate::emit::Cells;
use crate::fault_map::{Fault, FaultKind};
use crate::plan::{self, KEYS, Place, Plan};

/// The faults of one array.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrayFaults(BTreeMap<(usize, usize), FaultKind>);

impl ArrayFaults {
    pub fn get(&self, at: Place) -> Option<FaultKind> {
        self.0.get(&(at.line, at.cell)).copied()
    }

    fn stuck(&self, at: Place) -> bool {
        matches!(self.get(at), Some(FaultKind::StuckHrs | FaultKind::StuckLrs))
    }
}

/// Faults by layer, split and tile.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(BTreeMap<(String, usize, usize), ArrayFaults>);

impl Faults {
    /// Every fault must name a cell that the plan has, and no cell has two.
    pub fn new(plan: &Plan, list: &[Fault]) -> Result<Self, CosimError> {
        plan::check_faults(&plan.layers, plan.memory.as_ref(), list)?;
        let mut out = Self::default();
        for fault in list {
            let array = out.0.entry((fault.layer.clone(), fault.split, fault.tile)).or_default();
            array.0.insert((fault.line, fault.cell), fault.kind);
        }
        Ok(out)
    }

    pub fn array(&self, layer: &str, split: usize, tile: usize) -> ArrayFaults {
        self.0.get(&(layer.to_string(), split, tile)).cloned().unwrap_or_default()
    }
}

/// Memory images of a chip whose key memory, and with `layers` whose weights, were never written: all HRS but what is stuck at LRS.
/// Everything else is a copy.
pub(super) fn write_blank(
    plan: &Plan,
    faults: &Faults,
    layers: bool,
    from: &Path,
    to: &Path,
) -> Result<(), CosimError> {
    std::fs::create_dir_all(to).map_err(io(to, "create the folder"))?;
    for entry in std::fs::read_dir(from).map_err(io(from, "read the folder"))? {
        let path = entry.map_err(io(from, "read the folder"))?.path();
        let copy = to.join(path.file_name().expect("an image"));
        std::fs::copy(&path, &copy).map_err(io(&copy, "copy the image to"))?;
    }
    each(plan, |cells, split, tile| {
        if !layers && cells.name() != KEYS {
            return Ok(());
        }
        let array = faults.array(cells.name(), split, tile);
        let image = cells.image(split, tile, |at| array.get(at) == Some(FaultKind::StuckLrs));
        let path = to.join(&image.name);
        std::fs::write(&path, &image.text).map_err(io(&path, "write the image"))
    })
}

/// Files of faults for the models, one an array.
pub(super) fn write_faults(plan: &Plan, faults: &Faults, to: &Path) -> Result<(), CosimError> {
    std::fs::create_dir_all(to).map_err(io(to, "create the folder"))?;
    each(plan, |cells, split, tile| {
        let array = faults.array(cells.name(), split, tile);
        let slow = |at| array.get(at) == Some(FaultKind::Slow);
        let image = cells.faults(split, tile, |at| array.stuck(at), slow);
        let path = to.join(&image.name);
        std::fs::write(&path, &image.text).map_err(io(&path, "write the faults"))
    })
}

/// Calls `do_it` for every array that can be written: cells, split, tile.
fn each(plan: &Plan, do_it: impl Fn(&Cells, usize, usize) -> Result<(), CosimError>) -> Result<(), CosimError> {
    for cells in Cells::all(plan).filter(|c| plan.access.is_some() || c.name() == KEYS) {
        for (split, tile) in cells.arrays.each() {
            do_it(&cells, split, tile)?;
        }
    }
    Ok(())
}
