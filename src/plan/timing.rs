//! How long each stage of a layer takes: what the cycles are counted of.

use super::cycles::{self, Stage};
use super::{LayerPlan, PoolPlan, ReadoutPlan, Source, StageKind, WindowPlan};

/// A stage as the cycles see it; `pcsa_read` cycles for a read of a PCSA array.
pub(super) fn stage(layer: &LayerPlan, kind: StageKind, pcsa_read: usize) -> Stage {
    match (kind, &layer.source, &layer.readout) {
        (StageKind::Slice, ..) => Stage::Slice,
        (StageKind::Window, Source::Window(window), _) => Stage::Window(slots(window)),
        (StageKind::Flatten, Source::Flatten { positions }, _) => Stage::Collect(*positions as u64),
        (StageKind::Read, _, ReadoutPlan::Pcsa(p)) => Stage::Sequential { latency: (p.reads * pcsa_read + 3) as u64 },
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
