//! Weights over the register bus: the accesses that program every word line, and what came of them.

use serde::Serialize;

use super::CosimError;
use super::bus::{BusAnswer, BusKind, Script};
use super::faults::{ArrayFaults, Faults};
use crate::emit::registers;
use crate::fault_map::FaultKind;
use crate::plan::{Arrays, Place, Plan, left_out};

/// A word line whose cells could not be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedLine {
    pub layer: String,
    pub split: usize,
    pub tile: usize,
    pub line: usize,
    pub cells: Vec<usize>,
}

/// What loading the weights over the register bus took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoadRun {
    pub arrays: usize,
    pub lines: usize,
    /// Attempts beyond a word line's first.
    pub retries: usize,
    /// Word lines that took, or reported, another number of attempts than predicted.
    pub attempts_differ: usize,
    /// Cycles in which commands were carried out.
    pub cycles_predicted: u64,
    pub cycles_counted: u64,
    /// All cycles, those of the bus included.
    pub bus_cycles: u64,
    pub failed: Vec<FailedLine>,
}

impl LoadRun {
    pub fn held(&self) -> bool {
        self.failed.is_empty() && self.attempts_differ == 0 && self.cycles_predicted == self.cycles_counted
    }
}

/// The steps that load all weights.
pub(super) struct Load {
    pub script: Script,
    /// The word line that each step works on.
    lines: Vec<LineOf>,
    arrays: usize,
    predicted: u64,
}

struct LineOf {
    layer: String,
    split: usize,
    tile: usize,
    line: usize,
    /// Its PROGRAM's last step, which waits for it.
    wait: usize,
    /// As predicted.
    attempts: usize,
}

impl Load {
    pub fn new(plan: &Plan, faults: &Faults) -> Self {
        let access = plan.access.as_ref().expect("checked by the caller");
        let mut load = Self { script: Script::default(), lines: Vec::new(), arrays: 0, predicted: 0 };
        let layers = plan.layers.iter().filter_map(|l| Some((left_out(l), Arrays::of(l)?)));
        // Columns that are left out are neither pulsed nor verified; without spare ones MASK stays as it is after a reset.
        let masked = plan.layers.iter().any(|l| l.spares.as_ref().is_some_and(|s| s.amplifiers > 0));
        for (number, ((left_out, arrays), bank)) in layers.zip(&access.banks).enumerate() {
            let words = bank.cells.div_ceil(32);
            load.script.write(registers::BANK, number as u32);
            for (split, tile) in arrays.each() {
                load.arrays += 1;
                load.script.write(registers::ARRAY, (tile as u32) << 16 | split as u32);
                let (array, left_out) = (faults.array(&bank.layer, split, tile), &left_out[split][tile]);
                let used = |cell| cell < bank.cells && arrays.column(cell % arrays.columns(), left_out).is_some();
                let word_of = |bit: &dyn Fn(usize) -> bool, word: usize| -> u32 {
                    (0..32).map(|b| u32::from(bit(32 * word + b)) << b).sum()
                };
                if masked {
                    load.script.write(registers::WORD, 0);
                    for word in 0..words {
                        load.script.write(registers::MASK, word_of(&used, word));
                    }
                }
                for line in 0..bank.lines[split] {
                    if left_out.lines.contains(&(line / arrays.lines_each())) {
                        continue;
                    }
                    load.script.write(registers::LINE, line as u32);
                    load.script.write(registers::WORD, 0);
                    let lrs = |cell| {
                        cell < bank.cells && arrays.lrs(split, tile, Place { line, cell }, left_out) == Some(true)
                    };
                    for word in 0..words {
                        load.script.write(registers::DATA, word_of(&lrs, word));
                    }
                    load.script.write(registers::COMMAND, registers::PROGRAM);
                    let wait = load.script.step(BusKind::Wait, registers::STATE, registers::BUSY);
                    // Which cells, where it failed.
                    load.script.step(BusKind::SkipUnless, registers::FAILED_BIT, 2 * words as u32);
                    for word in 0..words {
                        load.script.write(registers::WORD, word as u32);
                        load.script.step(BusKind::Read, registers::WRONG, 0);
                    }
                    let cells = (0..bank.cells).filter(|c| used(*c));
                    let attempts = attempts(&array, line, cells, access.program.attempts, lrs);
                    load.lines.push(LineOf { layer: bank.layer.clone(), split, tile, line, wait, attempts });
                    load.predicted += access.program_cycles(bank.cells, attempts);
                }
            }
        }
        load
    }

    /// What the bench's answers say.
    pub fn judge(&self, answers: &[BusAnswer]) -> Result<LoadRun, CosimError> {
        let mut run = LoadRun {
            arrays: self.arrays,
            lines: self.lines.len(),
            cycles_predicted: self.predicted,
            ..LoadRun::default()
        };
        if let Some(last) = answers.last() {
            (run.bus_cycles, run.cycles_counted) = (last.cycles, last.busy);
        }
        self.script.check(answers)?;
        let mut answers = answers.iter().peekable();
        for line in &self.lines {
            let state = answers.next().filter(|a| a.step == line.wait);
            let state = state.ok_or_else(|| CosimError::Bus { reason: format!("no end of access {}", line.wait) })?;
            let attempts = (state.value >> 16) as usize;
            run.retries += attempts.saturating_sub(1);
            run.attempts_differ += usize::from(attempts != line.attempts);
            let mut cells = Vec::new();
            let mut word = 0;
            // Words of WRONG follow where it failed.
            while let Some(wrong) = answers.next_if(|a| self.script.steps[a.step].address == registers::WRONG) {
                cells.extend((0..32).filter(|b| wrong.value >> b & 1 == 1).map(|b| 32 * word + b));
                word += 1;
            }
            if state.value >> registers::FAILED_BIT & 1 == 1 {
                let (layer, split, tile, line) = (line.layer.clone(), line.split, line.tile, line.line);
                run.failed.push(FailedLine { layer, split, tile, line, cells });
            }
        }
        Ok(run)
    }
}

/// Attempts that a word line of new cells takes. A cell that is to stay HRS needs none of its pulses; a slow one that is to be LRS
/// switches with the second; a stuck one is tried in vain.
fn attempts(
    faults: &ArrayFaults,
    line: usize,
    cells: impl Iterator<Item = usize>,
    most: usize,
    lrs: impl Fn(usize) -> bool,
) -> usize {
    let of = |cell| match (faults.get(Place { line, cell }), lrs(cell)) {
        (Some(FaultKind::StuckHrs), true) | (Some(FaultKind::StuckLrs), false) => most,
        (Some(FaultKind::Slow), true) => most.min(2),
        _ => 1,
    };
    cells.map(of).max().unwrap_or(1)
}
