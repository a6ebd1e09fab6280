//! How long each stage takes, in clock cycles: what the cycles are counted of.

use serde::Serialize;

use super::cycles::{self, Cycles, Stage, Start, StreamIn, predict};
use super::{
    Action, InputPlan, LayerPlan, Plan, PlanError, PoolPlan, ReadoutPlan, Source, StageKind, WindowPlan, stages,
};
use crate::device;
use crate::hardware::LayerHardware;

/// Timing of PCSA reads, in clock cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SensePlan {
    pub precharge_cycles: usize,
    pub window_cycles: usize,
    /// Cycles in which an ideal LRS/HRS pair resolves.
    pub sign_cycles: usize,
    /// Cycles in which an ideal HRS/HRS pair resolves.
    pub zero_cycles: usize,
}

impl SensePlan {
    /// Of a read: precharge, window, capture.
    pub fn read_cycles(&self) -> usize {
        self.precharge_cycles + self.window_cycles + 1
    }
}

/// Bits of the sense sequencer's cycle counters.
const COUNT_WIDTH: u32 = 12;

/// How long each stage of the layers takes; `read` cycles for a read of a PCSA array.
pub(super) fn timings(layers: &[LayerPlan], read: usize) -> Vec<cycles::Stage> {
    stages::stages(layers).iter().map(|s| stage(&layers[s.layer], s.kind, read)).collect()
}

pub(super) fn stream_in(input: &InputPlan) -> StreamIn {
    StreamIn { beats: (input.beats / input.vectors) as u64, vectors: input.vectors as u64 }
}

/// Beats of a result: a head and a score of each class, 32 bits each.
pub(super) fn beats_out(classes: usize, stream_bits: usize) -> u64 {
    (32 * (classes + 1)).div_ceil(stream_bits) as u64
}

pub(super) fn command_cycles(plan: &Plan, actions: &[Action], start: Start) -> Vec<u64> {
    let Some(memory) = &plan.memory else { return Vec::new() };
    let mut timing = timings(&plan.layers, memory.read_cycles);
    timing.push(cycles::Stage::Listed(actions.iter().map(|a| memory.latency(*a)).collect()));
    cycles::list(stream_in(&plan.input), &timing, beats_out(memory.classes, plan.stream_bits), actions.len(), start)
}

/// Cycles of a design; a few-shot memory answers queries when it is full.
pub(super) fn all(plan: &Plan, start: Start) -> Cycles {
    let mut timing = timings(&plan.layers, plan.sense.read_cycles());
    timing.push(match &plan.memory {
        None => scores_stage(plan.classes()),
        Some(memory) => Stage::Sequential { latency: memory.latency(Action::Query { used: memory.slots }) },
    });
    predict(stream_in(&plan.input), &timing, beats_out(plan.classes(), plan.stream_bits), start)
}

/// Argmax over the scores, one class after the other.
pub(super) fn scores_stage(classes: usize) -> Stage {
    Stage::Sequential { latency: classes as u64 + 2 }
}

/// A stage as the cycles see it; `pcsa_read` cycles for a read of a PCSA array.
fn stage(layer: &LayerPlan, kind: StageKind, pcsa_read: usize) -> Stage {
    match (kind, &layer.source, &layer.readout) {
        (StageKind::Slice, ..) => Stage::Slice,
        (StageKind::Window, Source::Window(window), _) => Stage::Window(slots(window)),
        (StageKind::Flatten, Source::Flatten { positions }, _) => Stage::Collect(*positions as u64),
        (StageKind::Read, _, ReadoutPlan::Pcsa(p)) => {
            Stage::Sequential { latency: (p.reads * (pcsa_read + p.planes - 1) + 3) as u64 }
        }
        (StageKind::Read, _, ReadoutPlan::Digital(d)) => Stage::Pipelined { reads: d.reads as u64, delay: 3 },
        (StageKind::Read, _, ReadoutPlan::Adc(a)) => {
            Stage::Pipelined { reads: (a.reads * a.conversion_cycles) as u64, delay: 3 }
        }
        (StageKind::Read, _, ReadoutPlan::Sa(s)) => {
            Stage::Pipelined { reads: (s.reads * s.read_cycles) as u64, delay: 1 }
        }
        (StageKind::Aggregate, ..) => Stage::Register,
        (StageKind::PoolVotes | StageKind::PoolOutputs, ..) => {
            Stage::Pool(pool_gives(layer.pool.as_ref().expect("a pool's stage")))
        }
        _ => unreachable!("a stage of another source"),
    }
}

/// The former's positions, row by row: padding or not, and whether a window ends there.
fn slots(window: &WindowPlan) -> Vec<cycles::Slot> {
    let padded = window.padded();
    let [above, left, ..] = window.pad;
    let inside = |row: usize, column: usize| {
        (above..above + window.map.rows).contains(&row) && (left..left + window.map.columns).contains(&column)
    };
    let ends = |at: usize, side: usize, windows: usize| {
        let first = window.kernel[side] - 1;
        at >= first && (at - first).is_multiple_of(window.stride[side]) && (at - first) / window.stride[side] < windows
    };
    let slot = |row: usize, column: usize| cycles::Slot {
        padding: !inside(row, column),
        gives: ends(row, 0, window.windows.rows) && ends(column, 1, window.windows.columns),
    };
    (0..padded.rows).flat_map(|row| (0..padded.columns).map(move |column| slot(row, column))).collect()
}

/// For each position of the map before a pool, whether a window ends there.
fn pool_gives(pool: &PoolPlan) -> Vec<bool> {
    let ends = |at: usize, side: usize| at % pool.stride[side] == pool.size[side] - 1;
    (0..pool.from.positions()).map(|p| ends(p / pool.from.columns, 0) && ends(p % pool.from.columns, 1)).collect()
}

/// Whole cycles that hold `ns`; exact products such as 70 ns at 100 MHz stay whole.
pub(super) fn cycles(key: &str, ns: f64, mhz: f64) -> Result<usize, PlanError> {
    let exact = ns * mhz / 1000.0;
    let cycles = if (exact - exact.round()).abs() < 1e-9 { exact.round() } else { exact.ceil() };
    let most = (1u64 << COUNT_WIDTH) - 1;
    if !(ns.is_finite() && ns > 0.0) {
        return Err(PlanError::hardware(key, ns, "must be a positive time in ns"));
    }
    if cycles > most as f64 {
        let reason =
            format!("is {cycles} cycles at {mhz} MHz; the sequencer counts to {most}: lower the clock or the time");
        return Err(PlanError::hardware(key, ns, reason));
    }
    Ok((cycles as usize).max(1))
}

pub(super) fn sense(hardware: &LayerHardware, used: bool, trits: bool) -> Result<SensePlan, PlanError> {
    let (pcsa, mhz) = (&hardware.pcsa, hardware.clock.mhz);
    let sign_ns = device::switching_time_ns(pcsa.supply_v, device::LRS_KOHM, device::HRS_KOHM)?;
    let zero_ns = device::switching_time_ns(pcsa.supply_v, device::HRS_BL_KOHM, device::HRS_KOHM)?;
    let plan = SensePlan {
        precharge_cycles: cycles("pcsa.precharge_ns", pcsa.precharge_ns, mhz)?,
        window_cycles: cycles("pcsa.window_ns", pcsa.window_ns, mhz)?,
        sign_cycles: cycles("switching time of LRS/HRS", sign_ns, mhz)?,
        zero_cycles: cycles("switching time of HRS/HRS", zero_ns, mhz)?,
    };
    if used && plan.window_cycles < plan.sign_cycles {
        let reason = format!(
            "is {} cycles, but a nominal LRS/HRS pair takes {sign_ns:.1} ns, {} cycles at {mhz} MHz, so no sign would be read; lengthen the window",
            plan.window_cycles, plan.sign_cycles
        );
        return Err(PlanError::hardware("pcsa.window_ns", pcsa.window_ns, reason));
    }
    if used && trits && plan.window_cycles >= plan.zero_cycles {
        let reason = format!(
            "is {} cycles, but a nominal HRS/HRS pair resolves after {zero_ns:.1} ns, {} cycles at {mhz} MHz, so zeros would be read as signs; shorten the window",
            plan.window_cycles, plan.zero_cycles
        );
        return Err(PlanError::hardware("pcsa.window_ns", pcsa.window_ns, reason));
    }
    Ok(plan)
}
