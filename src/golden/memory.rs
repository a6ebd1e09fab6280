//! The few-shot memory: what it holds, and what each command gives.

use super::cells::FaultyCells;
use super::{Bits, LayerTrace};
use crate::fault_map::Fault;
use crate::plan::{Action, Encoding, KeysPlan, MemoryPlan};

/// What comes with an image's features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// All slots become invalid first.
    pub erase: bool,
    /// Store the features under the label; otherwise ask for their class.
    pub learn: bool,
    pub label: u16,
}

impl Command {
    /// `{erase, learn, label}`, as it stands on the stream.
    pub fn bits(self) -> u32 {
        u32::from(self.erase) << 17 | u32::from(self.learn) << 16 | u32::from(self.label)
    }
}

/// How a command ended; the number is that of the result's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Done = 0,
    Empty = 1,
    Full = 2,
    BadLabel = 3,
    /// Cells of the slot could not be written.
    Failed = 4,
}

/// What a command gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub command: Command,
    pub status: Status,
    /// Class of a query, slot of a learn.
    pub index: Option<usize>,
    /// Similarity with the key of each slot that is read, in order; absent where the slot is not valid.
    pub dots: Vec<Option<i32>>,
    /// Class sums of a query; zeros otherwise.
    pub sums: Vec<i64>,
    pub action: Action,
}

impl Answer {
    /// Word 0 of the result.
    pub fn head(&self) -> u32 {
        let index = self.index.map_or(0xffff, |i| i as u32);
        u32::from(self.command.learn) << 24 | (self.status as u32) << 16 | index
    }
}

struct Entry {
    label: usize,
    key: Bits,
}

/// A memory and what has been stored in it since its last reset, on arrays with a chip's faults.
pub struct Memory<'a> {
    plan: &'a MemoryPlan,
    faulty: FaultyCells,
    slots: Vec<Option<Entry>>,
    /// Slot of the next learn; the number of slots stands for full.
    next: usize,
    /// All valid slots lie below.
    used: usize,
}

impl<'a> Memory<'a> {
    /// On arrays that have never been written, with the faults of the key memory among these.
    pub fn new(plan: &'a MemoryPlan, faults: &[Fault]) -> Self {
        let slots = (0..plan.slots).map(|_| None).collect();
        Self { plan, faulty: FaultyCells::new(plan, faults), slots, next: 0, used: 0 }
    }

    /// All slots become invalid; the cells stay as they are.
    pub fn erase(&mut self) {
        self.slots.fill_with(|| None);
        (self.next, self.used) = (0, 0);
    }

    /// Does what the command says with the features that a controller's last layer gave.
    pub fn step(&mut self, command: Command, features: &LayerTrace) -> Answer {
        let LayerTrace::Bipolar(features) = features else { panic!("features are bipolar") };
        if command.erase {
            self.erase();
        }
        if command.learn { self.learn(command, features) } else { self.query(command, features) }
    }

    fn answer(&self, command: Command, status: Status) -> Answer {
        let sums = vec![0; self.plan.classes];
        Answer { command, status, index: None, dots: Vec::new(), sums, action: Action::None }
    }

    fn learn(&mut self, command: Command, features: &Bits) -> Answer {
        let label = usize::from(command.label);
        if label >= self.plan.classes {
            return self.answer(command, Status::BadLabel);
        }
        if self.next == self.plan.slots {
            if !self.plan.overwrite {
                return self.answer(command, Status::Full);
            }
            self.next = 0;
        }
        let slot = self.next;
        let (attempts, good) = self.faulty.write(slot, features);
        self.slots[slot] = good.then(|| Entry { label, key: features.clone() });
        self.next += 1;
        if good {
            self.used = self.used.max(slot + 1);
        }
        let status = if good { Status::Done } else { Status::Failed };
        Answer { index: Some(slot), action: Action::Write { attempts }, ..self.answer(command, status) }
    }

    fn query(&self, command: Command, features: &Bits) -> Answer {
        if self.slots.iter().all(Option::is_none) {
            return self.answer(command, Status::Empty);
        }
        let similarity = |entry: &Entry| similarity(&self.plan.keys, &entry.key, features);
        let read = self.plan.dots(self.used);
        let dots: Vec<Option<i32>> =
            (0..read).map(|s| self.slots.get(s).and_then(Option::as_ref).map(similarity)).collect();
        let mut sums = vec![0i64; self.plan.classes];
        let mut shots = vec![0i64; self.plan.classes];
        for (entry, dot) in self.slots.iter().zip(&dots) {
            if let (Some(entry), Some(dot)) = (entry, dot) {
                sums[entry.label] += i64::from(if self.plan.absolute { dot.abs() } else { *dot });
                shots[entry.label] += 1;
            }
        }
        // The first of the best classes that have keys; means are compared without a division.
        let better = |a: usize, b: usize| match self.plan.mean {
            true => sums[a] * shots[b] > sums[b] * shots[a],
            false => sums[a] > sums[b],
        };
        let class = (0..self.plan.classes).filter(|c| shots[*c] > 0).reduce(|best, c| match better(c, best) {
            true => c,
            false => best,
        });
        let action = Action::Query { used: self.used };
        Answer { command, status: Status::Done, index: class, dots, sums, action }
    }
}

/// Similarity of a key and a query as the arrays give it: the dot product, or the values of its splits' codes.
fn similarity(keys: &KeysPlan, key: &Bits, query: &Bits) -> i32 {
    let sign = |bits: &Bits, i: usize| if bits.get(i) { 1 } else { -1 };
    let KeysPlan::Adc(adc) = keys else {
        return (0..query.len()).map(|i| sign(key, i) * sign(query, i)).sum();
    };
    let (mut total, mut start) = (0, 0);
    for size in &adc.block_sizes {
        let block = start..start + size;
        start += size;
        total += match adc.encoding {
            // Inputs of +1 drive first, then those of -1.
            Encoding::TwoPhases => [true, false]
                .map(|phase| {
                    let driven = block.clone().filter(|i| query.get(*i) == phase);
                    let value = adc.transfer.value(driven.map(|i| sign(key, i)).sum());
                    if phase { value } else { -value }
                })
                .iter()
                .sum(),
            _ => adc.transfer.value(block.map(|i| sign(key, i) * sign(query, i)).sum()),
        };
    }
    total
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::plan::{AdcPlan, PcsaPlan, ProgramPlan, Transfer};

    /// Keys of four features, on word lines.
    pub fn pcsa_plan(slots: usize, classes: usize) -> MemoryPlan {
        let arrays = PcsaPlan {
            column_tiles: 1,
            row_tiles: 1,
            rows: slots,
            amplifiers: 4,
            columns_per_amplifier: 1,
            lane_columns: 1,
            lane_rows: 1,
            reads: slots,
            planes: 1,
        };
        MemoryPlan {
            slots,
            classes,
            features: 4,
            absolute: true,
            mean: false,
            overwrite: false,
            keys: KeysPlan::Pcsa(arrays),
            dot_width: 4,
            sum_width: 8,
            program: ProgramPlan { set_cycles: 1, reset_cycles: 1, verify_cycles: 2, attempts: 1, trim: 64 },
            read_cycles: 9,
        }
    }

    /// The same as pairs of columns, two splits of two features, all sums told apart.
    pub fn adc_plan(slots: usize, classes: usize) -> MemoryPlan {
        MemoryPlan { keys: KeysPlan::Adc(columns(every_sum())), ..pcsa_plan(slots, classes) }
    }

    fn every_sum() -> Transfer {
        let (levels, values) = (vec![-1, 0, 1, 2, 3, 3, 3], vec![-2, -1, 0, 1, 2, 2, 2, 2]);
        Transfer { bits: 3, levels, values, uniform: false, unit: 1.0, exact: true }
    }

    fn sign_alone() -> Transfer {
        Transfer { bits: 1, levels: vec![0], values: vec![-1, 1], uniform: false, unit: 1.0, exact: false }
    }

    fn columns(transfer: Transfer) -> AdcPlan {
        AdcPlan {
            block_sizes: vec![2, 2],
            tiles: 1,
            adcs: 2,
            columns_per_adc: 1,
            lane_blocks: 2,
            lane_tiles: 1,
            reads: 2,
            conversion_cycles: 1,
            encoding: Encoding::TwoPhases,
            single_column: false,
            transfer,
        }
    }

    fn features(bits: [u8; 4]) -> LayerTrace {
        LayerTrace::Bipolar(Bits::from_fn(4, |i| bits[i] == 1))
    }

    fn learn(label: u16) -> Command {
        Command { erase: false, learn: true, label }
    }

    const ASK: Command = Command { erase: false, learn: false, label: 0 };

    /// Keys ++++ of class 2, ++-- of class 0, ---- of class 0; query ++++: dots 4, 0, -4.
    #[test]
    fn similarities_and_class_sums_by_hand() {
        let keys = [(2, [1, 1, 1, 1]), (0, [1, 1, 0, 0]), (0, [0, 0, 0, 0])];
        let ask = |plan: MemoryPlan| {
            let mut memory = Memory::new(&plan, &[]);
            for (k, (label, key)) in keys.iter().enumerate() {
                let answer = memory.step(learn(*label), &features(*key));
                assert_eq!((answer.status, answer.index), (Status::Done, Some(k)));
            }
            memory.step(ASK, &features([1, 1, 1, 1]))
        };
        // |4| against |0| + |-4|: a tie, which the lower class wins.
        let a = ask(pcsa_plan(4, 3));
        assert_eq!((a.index, &a.sums[..]), (Some(0), &[4, 0, 4][..]));
        assert_eq!(a.dots, [Some(4), Some(0), Some(-4)]);
        // 4 against 0 - 4; class 1 is empty and does not win with its 0.
        let a = ask(MemoryPlan { absolute: false, ..pcsa_plan(4, 3) });
        assert_eq!((a.index, &a.sums[..]), (Some(2), &[-4, 0, 4][..]));
        // 4 / 1 against 4 / 2.
        let a = ask(MemoryPlan { mean: true, ..pcsa_plan(4, 3) });
        assert_eq!(a.index, Some(2));
        assert_eq!(a.head(), 2);
    }

    /// Key ++-- against query +-+-, splits of two: +1 drives inputs 0 and 2, where the key holds + and -; sums 1 and -1,
    /// and for -1, inputs 1 and 3: 1 and -1. Against ++-- one phase of each split drives nothing: sum 0. A 1-bit code is
    /// +-1, +1 from sum 0 up.
    #[test]
    fn columns_in_two_phases_by_hand() {
        for (transfer, query, want) in [
            (every_sum(), [1, 0, 1, 0], 0),
            (every_sum(), [1, 1, 0, 0], 4),
            (sign_alone(), [1, 0, 1, 0], 0),
            (sign_alone(), [1, 1, 0, 0], 2),
        ] {
            let bits = transfer.bits;
            let plan = MemoryPlan { keys: KeysPlan::Adc(columns(transfer)), ..pcsa_plan(2, 2) };
            let mut memory = Memory::new(&plan, &[]);
            memory.step(learn(1), &features([1, 1, 0, 0]));
            assert_eq!(memory.step(ASK, &features(query)).dots[0], Some(want), "{bits} bits, {query:?}");
        }
    }

    /// Slot 0 cannot hold -1 as its first feature: BL is stuck at LRS. The next learn takes slot 1.
    #[test]
    fn a_key_that_cannot_be_written_is_not_stored() {
        let plan = pcsa_plan(3, 3);
        let kind = crate::fault_map::FaultKind::StuckLrs;
        let mut memory =
            Memory::new(&plan, &[Fault { layer: "keys".into(), split: 0, tile: 0, line: 0, cell: 0, kind }]);
        let failed = memory.step(learn(1), &features([0, 1, 1, 1]));
        assert_eq!((failed.head(), failed.action), (0x0104_0000, Action::Write { attempts: 1 }));
        assert_eq!(memory.step(ASK, &features([1; 4])).status, Status::Empty);
        assert_eq!(memory.step(learn(2), &features([0, 1, 1, 1])).head(), 0x0100_0001);
        assert_eq!(memory.step(ASK, &features([1; 4])).dots, [None, Some(2)]);
        memory.erase();
        assert_eq!(memory.step(learn(1), &features([1, 1, 1, 1])).head(), 0x0100_0000);
    }

    #[test]
    fn refusals_and_overwriting() {
        let refusing = pcsa_plan(2, 3);
        let mut memory = Memory::new(&refusing, &[]);
        let key = features([1, 0, 1, 0]);
        assert_eq!(memory.step(ASK, &key).head(), 0x0001_ffff);
        assert_eq!(memory.step(learn(3), &key).head(), 0x0103_ffff);
        assert_eq!(memory.step(learn(0), &key).head(), 0x0100_0000);
        assert_eq!(memory.step(learn(1), &key).head(), 0x0100_0001);
        assert_eq!(memory.step(learn(1), &key).head(), 0x0102_ffff);
        let erase = Command { erase: true, learn: true, label: 2 };
        assert_eq!(memory.step(erase, &key).head(), 0x0100_0000);
        assert_eq!(memory.step(ASK, &key).sums, [0, 0, 4]);

        let overwriting = MemoryPlan { overwrite: true, ..pcsa_plan(2, 3) };
        let mut memory = Memory::new(&overwriting, &[]);
        let slots: Vec<_> = (0..3).map(|label| memory.step(learn(label), &key).index.unwrap()).collect();
        assert_eq!(slots, [0, 1, 0]);
        assert_eq!(memory.step(ASK, &key).sums, [0, 4, 4]);
    }
}
