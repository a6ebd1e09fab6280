//! A march test of all arrays over the register bus: which cells do not do what they are told.
//!
//! Elements, word line by word line of an array: up (w0), up (r0, w1), down (r1, w0), up (r0, w1), up (r1). A write verifies; a
//! word line that fails it is written once more. Beside a stuck cell, a slow one gets two pulses in one of the writes, so that it takes
//! a third write to show.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bus::{BusAnswer, BusKind, Script};
use super::run::{RunOptions, run};
use super::stimulus::Stimulus;
use super::tally::Tally;
use super::{Build, Chip, CosimError, Options, Simulator, model};
use crate::emit::registers;
use crate::fault_map::{Fault, FaultKind};
use crate::plan::{BankPlan, Plan};

/// What a march test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarchRun {
    pub arrays: usize,
    pub lines: usize,
    pub cells: usize,
    /// All cycles, those of the bus included.
    pub bus_cycles: u64,
    /// In the order of layer, split, tile, word line and cell.
    pub faults: Vec<Fault>,
}

/// Runs the march test on new arrays, with the faults of `options`.
pub fn march(build: &Build, options: &Options) -> Result<MarchRun, CosimError> {
    let options = &Options { load: true, ..options.clone() };
    let chip = Chip::new(build, options)?.expect("new cells");
    let march = March::new(&build.plan);
    let model = match options.simulator {
        Simulator::Verilator => model::verilator(build, options.arrays, false)?,
        Simulator::Icarus => model::icarus(build, options.arrays)?,
    };
    let taps = crate::emit::taps(&build.plan);
    let mut tally = Tally::new(build, &taps, &[], &[], &[], "march");
    let run_options =
        RunOptions { limit: 1 << 30, bus: march.script.steps.clone(), ..chip.run_options(RunOptions::default()) };
    let nothing = Stimulus::new(&build.plan, std::iter::empty(), &[]);
    run(build, options.simulator, &model.program, &nothing, &run_options, |record| tally.take(record))?;
    march.judge(&build.plan, &tally.bus)
}

struct March {
    script: Script,
    /// What a word that is read says, by its step.
    words: BTreeMap<usize, Word>,
}

struct Word {
    bank: usize,
    split: usize,
    tile: usize,
    line: usize,
    /// First cell.
    cell: usize,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// Cells that are not as they were written: at the first attempt, at the second.
    First,
    Second(bool),
    /// Cells that are LRS, where this is what was written.
    Read(bool),
}

impl March {
    fn new(plan: &Plan) -> Self {
        let mut march = Self { script: Script::default(), words: BTreeMap::new() };
        // A second attempt is a command of its own, so that the first one's failures are seen.
        march.script.write(registers::ATTEMPTS, 1);
        let banks = plan.access.iter().flat_map(|a| &a.banks);
        for (number, bank) in banks.enumerate() {
            march.script.write(registers::BANK, number as u32);
            for (split, tile) in (0..bank.lines.len()).flat_map(|s| (0..bank.tiles).map(move |t| (s, t))) {
                march.script.write(registers::ARRAY, (tile as u32) << 16 | split as u32);
                march.array(number, bank, split, tile);
            }
        }
        march
    }

    fn array(&mut self, number: usize, bank: &BankPlan, split: usize, tile: usize) {
        let lines = bank.lines[split];
        let words = bank.cells.div_ceil(32);
        let at = |line, word, what| Word { bank: number, split, tile, line, cell: 32 * word, what };
        for line in 0..lines {
            self.write_line(line, words, false, |word, what| at(line, word, what));
        }
        for line in 0..lines {
            self.read_line(line, words, |word| at(line, word, What::Read(false)));
            self.write_line(line, words, true, |word, what| at(line, word, what));
        }
        for line in (0..lines).rev() {
            self.read_line(line, words, |word| at(line, word, What::Read(true)));
            self.write_line(line, words, false, |word, what| at(line, word, what));
        }
        for line in 0..lines {
            self.read_line(line, words, |word| at(line, word, What::Read(false)));
            self.write_line(line, words, true, |word, what| at(line, word, what));
        }
        for line in 0..lines {
            self.read_line(line, words, |word| at(line, word, What::Read(true)));
        }
    }

    fn command(&mut self, command: u32) {
        self.script.write(registers::COMMAND, command);
        self.script.step(BusKind::Wait, registers::STATE, registers::BUSY);
    }

    fn words(&mut self, register: u8, words: usize, at: impl Fn(usize) -> Word) {
        for word in 0..words {
            self.script.write(registers::WORD, word as u32);
            let step = self.script.step(BusKind::Read, register, 0);
            self.words.insert(step, at(word));
        }
    }

    fn write_line(&mut self, line: usize, words: usize, lrs: bool, at: impl Fn(usize, What) -> Word) {
        self.script.write(registers::LINE, line as u32);
        self.script.write(registers::WORD, 0);
        for _ in 0..words {
            self.script.write(registers::DATA, if lrs { u32::MAX } else { 0 });
        }
        self.command(registers::PROGRAM);
        let wrong = 2 * words as u32;
        self.script.step(BusKind::SkipUnless, registers::FAILED_BIT, wrong + 3 + wrong);
        self.words(registers::WRONG, words, |word| at(word, What::First));
        self.command(registers::PROGRAM);
        self.script.step(BusKind::SkipUnless, registers::FAILED_BIT, wrong);
        self.words(registers::WRONG, words, |word| at(word, What::Second(lrs)));
    }

    fn read_line(&mut self, line: usize, words: usize, at: impl Fn(usize) -> Word) {
        self.script.write(registers::LINE, line as u32);
        self.command(registers::READ);
        self.words(registers::DATA, words, at);
    }

    /// A cell that failed once is slow; one that failed twice, or was not as it had been left, is stuck in the other state.
    fn judge(&self, plan: &Plan, answers: &[BusAnswer]) -> Result<MarchRun, CosimError> {
        self.script.check(answers)?;
        let banks = plan.access.as_ref().map_or(&[][..], |a| &a.banks);
        let mut found: BTreeMap<(usize, usize, usize, usize, usize), FaultKind> = BTreeMap::new();
        for answer in answers {
            let Some(word) = self.words.get(&answer.step) else { continue };
            let wrong = match word.what {
                What::First | What::Second(_) => answer.value,
                What::Read(lrs) => answer.value ^ if lrs { u32::MAX } else { 0 },
            };
            let last = banks[word.bank].cells;
            for cell in (0..32).filter(|b| wrong >> b & 1 == 1).map(|b| word.cell + b).filter(|c| *c < last) {
                let stuck = |lrs| if lrs { FaultKind::StuckHrs } else { FaultKind::StuckLrs };
                let place = (word.bank, word.split, word.tile, word.line, cell);
                match word.what {
                    What::First => drop(found.entry(place).or_insert(FaultKind::Slow)),
                    What::Second(lrs) | What::Read(lrs) => drop(found.insert(place, stuck(lrs))),
                }
            }
        }
        let fault =
            |((bank, split, tile, line, cell), kind): (&(usize, usize, usize, usize, usize), &FaultKind)| Fault {
                layer: banks[*bank].layer.clone(),
                split: *split,
                tile: *tile,
                line: *line,
                cell: *cell,
                kind: *kind,
            };
        Ok(MarchRun {
            arrays: banks.iter().map(BankPlan::arrays).sum(),
            lines: banks.iter().map(BankPlan::all_lines).sum(),
            cells: banks.iter().map(|b| b.all_lines() * b.cells).sum(),
            bus_cycles: answers.last().map_or(0, |a| a.cycles),
            faults: found.iter().map(fault).collect(),
        })
    }
}
