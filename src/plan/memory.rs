//! A few-shot memory behind the network (batmann, figure 2): geometry of the key memory, widths, cycles of its commands.

use serde::Serialize;

use super::build::largest_value;
use super::timing::cycles;
use super::{AdcPlan, Encoding, PcsaPlan, PlanError, adc, geometry, signed_width};
use crate::hardware::{
    ClassScore, Columns, LayerHardware, Memory, NegativeInputs, Neurons, Readout, Sharpening, WhenFull,
};

/// Most keys and classes: the stream's head has 16 bits for either.
const MOST: usize = 65_535;

/// A few-shot memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemoryPlan {
    /// Keys that it holds.
    pub slots: usize,
    /// Labels are below this.
    pub classes: usize,
    /// Values of a key.
    pub features: usize,
    /// Similarities count by their magnitude.
    pub absolute: bool,
    /// Classes are compared by the mean of their shots, not the sum.
    pub mean: bool,
    /// A full memory overwrites its oldest key instead of refusing.
    pub overwrite: bool,
    pub keys: KeysPlan,
    /// Bits of a signed similarity.
    pub dot_width: usize,
    /// Bits of a signed class sum; holds `slots` of the largest similarities.
    pub sum_width: usize,
    pub program: ProgramPlan,
    /// Cycles of a PCSA read.
    pub read_cycles: usize,
}

/// Arrays of the key memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysPlan {
    /// A key is a word line. Slot s lies in step `s / lane_rows`, lane `s % lane_rows`.
    Pcsa(PcsaPlan),
    /// A key is a column, or a pair of them.
    Adc(AdcPlan),
}

/// Pulses of the program sequencer, in clock cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramPlan {
    pub set_cycles: usize,
    pub reset_cycles: usize,
    pub verify_cycles: usize,
    pub attempts: usize,
    /// Reference of a verify, as a code.
    pub trim: usize,
}

/// What a command makes the memory do; it decides how long it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing is read or written: refused, or a query of an empty memory.
    None,
    /// A query while all valid slots lie below `used`.
    Query { used: usize },
    /// A key is written, in so many attempts at all its word lines together: `key_lines` where none was repeated.
    Write { attempts: usize },
}

impl MemoryPlan {
    /// Cycles from the cycle that takes the features to the one that offers the result.
    pub fn latency(&self, action: Action) -> u64 {
        let cycles = match action {
            Action::None => 2,
            Action::Query { used } => self.last_dot(used) + self.classes + 4,
            Action::Write { attempts } => self.write(attempts) + 2,
        };
        cycles as u64
    }

    /// Similarities that the key memory gives when all valid slots lie below `used`: whole steps.
    pub fn dots(&self, used: usize) -> usize {
        let lanes = self.lanes();
        used.div_ceil(lanes) * lanes
    }

    fn lanes(&self) -> usize {
        match &self.keys {
            KeysPlan::Pcsa(p) => p.lane_rows,
            KeysPlan::Adc(a) => a.lane_tiles * a.adcs,
        }
    }

    /// Cycles from the start of a query to the last similarity (hf_keys_pcsa, hf_keys_adc).
    fn last_dot(&self, used: usize) -> usize {
        let (steps, lanes) = (used.div_ceil(self.lanes()), self.lanes());
        match &self.keys {
            KeysPlan::Pcsa(p) => {
                let reads = p.column_groups() * p.columns_per_amplifier;
                let step = reads * self.read_cycles;
                if lanes > 3 * reads { steps * (step + lanes + 2) } else { steps * step + lanes + 2 }
            }
            KeysPlan::Adc(a) => {
                let step = a.block_sizes.len().div_ceil(a.lane_blocks) * a.encoding.phases() * a.conversion_cycles;
                step + 2 + (steps - 1) * step.max(lanes) + lanes
            }
        }
    }

    /// Cycles from the start of a write to its end, with so many attempts at all word lines together (hf_program).
    fn write(&self, attempts: usize) -> usize {
        let p = &self.program;
        match &self.keys {
            KeysPlan::Pcsa(keys) => attempts * p.attempt(2 * keys.slice()),
            KeysPlan::Adc(keys) => {
                let cells = if keys.single_column { 1 } else { 2 };
                attempts * p.attempt(cells) + self.key_lines() - 1
            }
        }
    }

    /// Word lines that hold a key in an array, written one after the other.
    pub fn key_lines(&self) -> usize {
        match &self.keys {
            KeysPlan::Pcsa(_) => 1,
            KeysPlan::Adc(keys) => keys.block_sizes[0],
        }
    }

    /// Arrays of the key memory.
    pub fn arrays(&self) -> usize {
        match &self.keys {
            KeysPlan::Pcsa(p) => p.column_tiles * p.row_tiles,
            KeysPlan::Adc(a) => a.block_sizes.len() * a.tiles,
        }
    }
}

/// `features`: values of a key; `read_cycles`: of a PCSA read.
pub(super) fn memory(
    memory: &Memory,
    hardware: &LayerHardware,
    features: usize,
    read_cycles: usize,
) -> Result<MemoryPlan, PlanError> {
    for (key, value) in [("memory.keys", memory.keys), ("memory.classes", memory.classes)] {
        if !(1..=MOST).contains(&value) {
            return Err(PlanError::hardware(key, value, format!("must be 1 to {MOST}")));
        }
    }
    let program = ProgramPlan::new("memory.program", &memory.program, hardware.clock.mhz)?;
    let keys = match hardware.readout {
        Readout::Pcsa => {
            let mut keys = geometry::pcsa(features, memory.keys, 1, hardware)?;
            // A power of two that divides the row tiles, so that a slot's place is a matter of bits.
            let most = keys.lane_rows;
            keys.lane_rows =
                (0..16).map(|b| 1 << b).filter(|n| *n <= most && keys.row_tiles.is_multiple_of(*n)).max().unwrap_or(1);
            keys.reads = keys.row_groups() * keys.rows * keys.column_groups() * keys.columns_per_amplifier;
            KeysPlan::Pcsa(keys)
        }
        Readout::Adc => KeysPlan::Adc(adc_keys(memory.keys, hardware, features)?),
        other => {
            let name = format!("{other:?}").to_lowercase();
            return Err(PlanError::hardware("memory.readout", name, "a key memory is read by \"pcsa\" or \"adc\""));
        }
    };
    let largest = match &keys {
        KeysPlan::Pcsa(_) => features as i64,
        KeysPlan::Adc(a) => largest_value(a),
    };
    let sum_width = signed_width(memory.keys as i64 * (largest + 1));
    if sum_width > 32 {
        let reason =
            format!("makes class sums of {sum_width} bits with {features} features; at most 32 fit the stream");
        return Err(PlanError::hardware("memory.keys", memory.keys, reason));
    }
    Ok(MemoryPlan {
        slots: memory.keys,
        classes: memory.classes,
        features,
        absolute: memory.sharpening == Sharpening::Absolute,
        mean: memory.score == ClassScore::Mean,
        overwrite: memory.when_full == WhenFull::Overwrite,
        keys,
        dot_width: signed_width(largest + 1).max(2),
        sum_width,
        program,
        read_cycles,
    })
}

/// A key is a column of each split. Both signs of an input meet one word line: as +-V, or one after the other.
fn adc_keys(slots: usize, hardware: &LayerHardware, features: usize) -> Result<AdcPlan, PlanError> {
    if hardware.array.neurons == Neurons::Unipolar {
        let reason = "makes nothing of -1, but features are -1 and +1; use \"bipolar\" under [memory.array]";
        return Err(PlanError::hardware("memory.array.neurons", "unipolar", reason));
    }
    let encoding = match hardware.adc.negative_inputs {
        NegativeInputs::TwoPhases => Encoding::TwoPhases,
        NegativeInputs::NegativeVoltage => Encoding::Signed,
    };
    let conversion = cycles("adc.conversion_ns", hardware.adc.conversion_ns, hardware.clock.mhz)?;
    let mut keys = geometry::adc(features, slots, encoding, hardware, conversion)?;
    // Powers of two, so that a slot's place is a matter of bits: as few ADCs as hold the tile's columns.
    let power = |most: usize| (0..16).map(|b| 1usize << b).take_while(move |n| *n <= most);
    let most = hardware.array.outputs / keys.columns_per_adc;
    let enough = |n: &usize| n * keys.columns_per_adc * keys.tiles >= slots;
    keys.adcs = power(most).find(enough).or_else(|| power(most).last()).unwrap_or(1);
    keys.tiles = slots.div_ceil(keys.adcs * keys.columns_per_adc);
    keys.lane_tiles =
        power(keys.lane_tiles.min(keys.tiles)).filter(|n| keys.tiles.is_multiple_of(*n)).last().unwrap_or(1);
    let groups = keys.tiles / keys.lane_tiles * keys.block_sizes.len().div_ceil(keys.lane_blocks);
    keys.reads = groups * keys.columns_per_adc * encoding.phases();
    keys.single_column = hardware.array.columns == Columns::Single;
    keys.transfer = adc::transfer(&hardware.adc, keys.block_sizes[0], adc::step(encoding, false, &keys.block_sizes))?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 keys of 512 features on arrays of 128 x 128: 4 arrays side by side, 100 word lines. A read takes 1 + 7 + 1 cycles, so
    /// the last of 100 similarities comes 100 * 9 + 1 + 2 cycles after the start; 20 classes and 4 cycles follow.
    /// Pulses of 10 and 10 cycles, 256 cells of 2 cycles each, 4 between them, 2 around: 538.
    #[test]
    fn cycles_by_hand() {
        let plan = memory(&Memory::default(), &LayerHardware::default(), 512, 9).unwrap();
        assert_eq!((plan.arrays(), plan.dot_width, plan.sum_width), (4, 11, 17));
        assert_eq!(plan.latency(Action::Query { used: 100 }), 903 + 24);
        assert_eq!(plan.latency(Action::Query { used: 5 }), 48 + 24);
        assert_eq!(plan.latency(Action::Write { attempts: 1 }), 538);
        assert_eq!(plan.latency(Action::Write { attempts: 2 }), 2 * 536 + 2);
        assert_eq!(plan.latency(Action::None), 2);
    }

    /// 1,000 keys: 8 arrays below each other, all read at once: more lanes than a step's read has least cycles, so that
    /// each of 125 steps takes 9 + 8 + 2.
    #[test]
    fn a_step_waits_for_its_similarities() {
        let own = Memory { keys: 1000, ..Memory::default() };
        let plan = memory(&own, &LayerHardware::default(), 512, 9).unwrap();
        assert_eq!((plan.arrays(), plan.lanes()), (32, 8));
        assert_eq!(plan.latency(Action::Query { used: 1000 }), 125 * 19 + 24);
        assert_eq!(plan.dots(17), 24);
    }

    /// 100 keys of 512 features as columns of 4 arrays of 128 word lines; 128 columns share 16 ADCs, 8 each. A step is two
    /// conversions, for +1 and -1, of a cycle each, and then 16 similarities leave: 7 steps hold 100 keys. Pulses of 10 and 10
    /// cycles and two cells of 2 cycles for each of 128 word lines.
    #[test]
    fn columns_by_hand() {
        let mut arrays = LayerHardware { readout: Readout::Adc, ..LayerHardware::default() };
        arrays.adc.columns_per_adc = 8;
        arrays.adc.bits = 9;
        let plan = memory(&Memory::default(), &arrays, 512, 9).unwrap();
        let KeysPlan::Adc(keys) = &plan.keys else { panic!() };
        assert_eq!((keys.adcs, keys.tiles, plan.arrays(), keys.transfer.exact), (16, 1, 4, true));
        assert_eq!(plan.latency(Action::Query { used: 100 }), 2 + 2 + 6 * 16 + 16 + 24);
        assert_eq!(plan.latency(Action::Write { attempts: 128 }), 128 * 29 - 1 + 2);
        assert_eq!(plan.latency(Action::Write { attempts: 129 }), 128 * 29 - 1 + 2 + 28);
        arrays.array.neurons = Neurons::Unipolar;
        assert!(memory(&Memory::default(), &arrays, 512, 9).unwrap_err().to_string().contains("bipolar"));
    }
}
