//! Faulty cells of a key memory: what a learn makes of them. All others are as they should be after its first attempt.

use std::collections::BTreeMap;

use crate::fault_map::{Fault, FaultKind};
use crate::golden::Bits;
use crate::plan::{KEYS, KeysPlan, MemoryPlan};

/// The faulty cells of each slot.
pub(super) struct FaultyCells {
    slots: BTreeMap<usize, Vec<FaultyCell>>,
    /// Word lines that hold a key, written one after the other, and attempts at each.
    lines: usize,
    attempts: usize,
}

struct FaultyCell {
    /// Among the word lines of the key.
    line: usize,
    feature: usize,
    /// LRS for a feature of +1; the other cell of a pair is LRS for -1.
    positive: bool,
    kind: FaultKind,
    lrs: bool,
    /// A slow cell has had the first of two pulses.
    tried: bool,
}

impl FaultyCell {
    fn pulse(&mut self, lrs: bool) {
        if self.kind == FaultKind::Slow {
            if self.tried {
                self.lrs = lrs;
            }
            self.tried = !self.tried;
        }
    }
}

impl FaultyCells {
    /// Of new arrays with the faults of the key memory among these.
    pub fn new(plan: &MemoryPlan, faults: &[Fault]) -> Self {
        let mut slots: BTreeMap<usize, Vec<FaultyCell>> = BTreeMap::new();
        for fault in faults.iter().filter(|f| f.layer == KEYS) {
            if let Some((slot, line, feature, positive)) = place(plan, fault) {
                let lrs = fault.kind == FaultKind::StuckLrs;
                let cell = FaultyCell { line, feature, positive, kind: fault.kind, lrs, tried: false };
                slots.entry(slot).or_default().push(cell);
            }
        }
        Self { slots, lines: plan.key_lines(), attempts: plan.program.attempts }
    }

    /// Writes a key: the attempts that all its word lines took together, and whether every cell could be written.
    pub fn write(&mut self, slot: usize, key: &Bits) -> (usize, bool) {
        let Some(cells) = self.slots.get_mut(&slot) else { return (self.lines, true) };
        let (mut attempts, mut good) = (0, true);
        for line in 0..self.lines {
            // Every cell is pulsed once, then those that are still wrong.
            let mut pending: Vec<&mut FaultyCell> = cells.iter_mut().filter(|c| c.line == line).collect();
            let mut attempt = 0;
            while attempt == 0 || (!pending.is_empty() && attempt < self.attempts) {
                attempt += 1;
                pending.retain_mut(|cell| {
                    let target = key.get(cell.feature) == cell.positive;
                    cell.pulse(target);
                    cell.lrs != target
                });
            }
            attempts += attempt;
            good &= pending.is_empty();
        }
        (attempts, good)
    }
}

/// Slot, word line of the key, feature, and whether the cell stands for +1; none where a cell holds no feature of a slot.
fn place(plan: &MemoryPlan, fault: &Fault) -> Option<(usize, usize, usize, bool)> {
    let Fault { split, tile, line, cell, .. } = *fault;
    let (slot, line, feature, second) = match &plan.keys {
        // A key is a word line.
        KeysPlan::Pcsa(p) => {
            let slot = (tile / p.lane_rows * p.rows + line) * p.lane_rows + tile % p.lane_rows;
            (slot, 0, split * p.slice() + cell % p.slice(), cell / p.slice())
        }
        // A key is a column, or a pair.
        KeysPlan::Adc(a) => {
            let columns = a.adcs * a.columns_per_adc;
            let (column, second) = (cell % columns, cell / columns);
            let step = tile / a.lane_tiles * a.columns_per_adc + column / a.adcs;
            let slot = (step * a.lane_tiles + tile % a.lane_tiles) * a.adcs + column % a.adcs;
            (slot, line, a.block_sizes[..split].iter().sum::<usize>() + line, second)
        }
    };
    (slot < plan.slots && feature < plan.features).then_some((slot, line, feature, second == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::memory::tests::{adc_plan, pcsa_plan};
    use crate::plan::ProgramPlan;

    fn fault(split: usize, tile: usize, line: usize, cell: usize, kind: FaultKind) -> Fault {
        Fault { layer: KEYS.into(), split, tile, line, cell, kind }
    }

    fn key(bits: [u8; 4]) -> Bits {
        Bits::from_fn(4, |i| bits[i] == 1)
    }

    fn three_attempts(plan: MemoryPlan) -> MemoryPlan {
        MemoryPlan { program: ProgramPlan { attempts: 3, ..plan.program }, ..plan }
    }

    /// Feature 2 of slot 1: BL is cell 2, BLb cell 6.
    #[test]
    fn a_stuck_cell_of_a_pair() {
        let plan = three_attempts(pcsa_plan(3, 2));
        for (cell, kind, good) in [
            (2, FaultKind::StuckHrs, [0, 1]),
            (2, FaultKind::StuckLrs, [1, 0]),
            (6, FaultKind::StuckHrs, [1, 0]),
            (6, FaultKind::StuckLrs, [0, 1]),
        ] {
            let mut cells = FaultyCells::new(&plan, &[fault(0, 0, 1, cell, kind)]);
            assert_eq!(cells.write(0, &key([1, 1, good[1], 1])), (1, true));
            assert_eq!(cells.write(1, &key([1, 0, good[0], 0])), (1, true), "{cell} {kind:?}");
            assert_eq!(cells.write(1, &key([1, 0, good[1], 0])), (3, false), "{cell} {kind:?}");
        }
    }

    /// HRS at first. +1: the second pulse switches it. +1 again: one pulse of no effect, which leaves it armed; -1: the next
    /// one switches it.
    #[test]
    fn a_slow_cell_switches_with_every_second_pulse() {
        let plan = three_attempts(pcsa_plan(1, 2));
        let mut cells = FaultyCells::new(&plan, &[fault(0, 0, 0, 0, FaultKind::Slow)]);
        let wrote: Vec<_> = [1, 1, 0, 1].into_iter().map(|x| cells.write(0, &key([x, 0, 0, 0]))).collect();
        assert_eq!(wrote, [(2, true), (1, true), (1, true), (2, true)]);
    }

    /// Two splits of two word lines, pairs of columns (cells 0 and 2 are slot 0's): features 2 and 3 lie in split 1. A word
    /// line's attempts are those of the worst split.
    #[test]
    fn columns_are_written_word_line_by_word_line() {
        let plan = three_attempts(adc_plan(2, 2));
        let faults = [fault(1, 0, 1, 2, FaultKind::StuckLrs), fault(0, 0, 1, 0, FaultKind::Slow)];
        let mut cells = FaultyCells::new(&plan, &faults);
        assert_eq!(cells.write(1, &key([1, 1, 1, 1])), (2, true));
        assert_eq!(cells.write(0, &key([0, 1, 0, 0])), (1 + 2, true));
        assert_eq!(cells.write(0, &key([0, 1, 0, 1])), (1 + 3, false));
    }

    #[test]
    fn cells_that_hold_nothing_do_not_matter() {
        let plan = three_attempts(pcsa_plan(2, 2));
        let mut cells = FaultyCells::new(&plan, &[fault(0, 0, 2, 0, FaultKind::StuckHrs)]);
        assert_eq!((0..2).map(|s| cells.write(s, &key([1; 4]))).collect::<Vec<_>>(), [(1, true); 2]);
    }
}
