//! Access to the arrays' cells over the register bus (hf_array_access): banks, pulses, cycles of loading all weights.

use serde::Serialize;

use super::timing::cycles;
use super::{Arrays, KEYS, LayerPlan, MemoryPlan, PlanError, ProgramPlan};
use crate::hardware::Program;

/// Most cells of a word line: the register that gives their number has 16 bits.
const MOST_CELLS: usize = 65_535;

/// References at which the models' cells verify as what they are.
const TRIMS: std::ops::RangeInclusive<usize> = 11..=175;

/// Cells that can be written and read back over the register bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessPlan {
    pub program: ProgramPlan,
    pub form_cycles: usize,
    /// In the order of the layers that have arrays; then that of a key memory.
    pub banks: Vec<BankPlan>,
    /// Cycles in which commands are carried out while all weights are loaded and every cell is right at the first attempt.
    pub load_cycles: u64,
}

/// All arrays of a layer, or of the key memory. An array has a split along inputs and a tile along neurons, or keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BankPlan {
    pub layer: String,
    pub tiles: usize,
    /// Word lines of the arrays of each split, the most first.
    pub lines: Vec<usize>,
    /// Of them, those that an array leaves out because it has spare ones.
    #[serde(skip_serializing_if = "is_zero")]
    pub spare_lines: usize,
    /// Cells of a word line.
    pub cells: usize,
    /// Reference of a verify after a reset, as a code.
    pub trim: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl BankPlan {
    pub fn arrays(&self) -> usize {
        self.lines.len() * self.tiles
    }

    /// Word lines of all arrays.
    pub fn all_lines(&self) -> usize {
        self.tiles * self.lines.iter().sum::<usize>()
    }

    /// Word lines that hold weights.
    pub fn lines_in_use(&self) -> usize {
        self.all_lines() - self.arrays() * self.spare_lines
    }
}

impl AccessPlan {
    /// The most cells of a word line.
    pub fn cells(&self) -> usize {
        self.banks.iter().map(|b| b.cells).max().unwrap_or(0)
    }

    /// Banks that hold weights.
    pub fn weights(&self) -> impl Iterator<Item = &BankPlan> {
        self.banks.iter().filter(|b| b.layer != KEYS)
    }

    /// Cycles in which a PROGRAM of a word line of `cells` cells is carried out, with so many attempts (hf_array_access).
    pub fn program_cycles(&self, cells: usize, attempts: usize) -> u64 {
        (1 + attempts * self.program.attempt(cells)) as u64
    }

    /// Cycles in which a READ is carried out.
    pub fn read_cycles(&self, cells: usize) -> u64 {
        (1 + 1 + cells * self.program.verify_cycles + 1) as u64
    }
}

impl ProgramPlan {
    pub(super) fn new(key: &str, program: &Program, mhz: f64) -> Result<Self, PlanError> {
        if !(1..=64).contains(&program.attempts) {
            return Err(PlanError::hardware(&format!("{key}.attempts"), program.attempts, "must be 1 to 64"));
        }
        if !TRIMS.contains(&program.trim) {
            let reason = format!(
                "must be {} to {}: at 2 kOhm a step, between the models' LRS of 20 and HRS of 350 kOhm",
                TRIMS.start(),
                TRIMS.end()
            );
            return Err(PlanError::hardware(&format!("{key}.trim"), program.trim, reason));
        }
        Ok(Self {
            set_cycles: cycles(&format!("{key}.set_ns"), program.set_ns, mhz)?,
            reset_cycles: cycles(&format!("{key}.reset_ns"), program.reset_ns, mhz)?,
            // The cell answers from the second cycle on.
            verify_cycles: cycles(&format!("{key}.verify_ns"), program.verify_ns, mhz)?.max(2),
            attempts: program.attempts,
            trim: program.trim,
        })
    }

    /// Cycles of an attempt at a word line of so many cells (hf_program).
    pub fn attempt(&self, cells: usize) -> usize {
        self.reset_cycles + self.set_cycles + cells * self.verify_cycles + 4
    }
}

pub(super) fn access(
    program: &Program,
    layers: &[LayerPlan],
    memory: Option<&MemoryPlan>,
    mhz: f64,
) -> Result<AccessPlan, PlanError> {
    let trim = |name| if name == KEYS { memory.map_or(0, |m| m.program.trim) } else { program.trim };
    let all = Arrays::all(layers, memory);
    let banks: Vec<BankPlan> = all.map(|(name, arrays)| bank(name, &arrays, trim(name))).collect();
    if banks.is_empty() {
        let reason = "no layer has arrays, so there is nothing to program; leave the table out";
        return Err(PlanError::hardware("[program]", "present", reason));
    }
    let largest = |b: &BankPlan| [b.cells, b.lines[0], b.tiles, b.lines.len()].into_iter().max();
    if let Some(bank) = banks.iter().find(|b| largest(b) > Some(MOST_CELLS)) {
        let reason = format!(
            "at most {MOST_CELLS} word lines, cells of one, and arrays along a side can be programmed over the bus; use arrays of another size"
        );
        return Err(PlanError::layer(&bank.layer, reason));
    }
    let form_cycles = cycles("program.form_ns", program.form_ns, mhz)?;
    let program = ProgramPlan::new("program", program, mhz)?;
    let mut plan = AccessPlan { program, form_cycles, banks, load_cycles: 0 };
    plan.load_cycles = plan.weights().map(|b| b.lines_in_use() as u64 * plan.program_cycles(b.cells, 1)).sum();
    Ok(plan)
}

fn bank(name: &str, arrays: &Arrays, trim: usize) -> BankPlan {
    BankPlan {
        layer: name.to_owned(),
        tiles: arrays.tiles(),
        lines: (0..arrays.splits()).map(|s| arrays.lines(s)).collect(),
        spare_lines: arrays.lines_each() * arrays.spare_lines(),
        cells: arrays.cells(),
        trim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pulses of 10 cycles, 2 a verify: 256 cells take 10 + 10 + 512 + 4, and a cycle for the command.
    #[test]
    fn cycles_by_hand() {
        let program = ProgramPlan::new("program", &Program::default(), 100.0).unwrap();
        assert_eq!((program.set_cycles, program.reset_cycles, program.verify_cycles), (10, 10, 2));
        let plan = AccessPlan { program, form_cycles: 100, banks: Vec::new(), load_cycles: 0 };
        assert_eq!(plan.program_cycles(256, 1), 537);
        assert_eq!(plan.program_cycles(256, 3), 1 + 3 * 536);
        assert_eq!(plan.read_cycles(256), 515);
        let error = ProgramPlan::new("program", &Program { attempts: 0, ..Program::default() }, 100.0).unwrap_err();
        assert!(error.to_string().contains("program.attempts"), "{error}");
    }
}
