//! Splits, tiles and lanes: how a layer is cut into arrays and which of them are read together.

use super::{AdcPlan, DigitalPlan, Encoding, PcsaPlan, PlanError, SaPlan, Transfer};
use crate::hardware::LayerHardware;

/// Number of blocks that `inputs` are split into for arrays of `array_inputs` (input-splitting, section III-A):
/// `ceil(inputs / array_inputs)`, raised until it divides `inputs`, unless that more than doubles it.
pub fn blocks(inputs: usize, array_inputs: usize) -> usize {
    let least = inputs.div_ceil(array_inputs);
    (least..=2 * least).find(|n| inputs.is_multiple_of(*n)).unwrap_or(least)
}

/// Sizes of `n` blocks of `inputs`: they differ by at most one, larger ones first.
pub fn block_sizes(inputs: usize, n: usize) -> Vec<usize> {
    (0..n).map(|k| inputs / n + usize::from(k < inputs % n)).collect()
}

/// Arrays read at once, `(along inputs, along neurons)`, where at most `budget` may be.
fn lanes(budget: usize, along_inputs: usize, along_neurons: usize) -> (usize, usize) {
    if budget < along_inputs { (budget, 1) } else { (along_inputs, (budget / along_inputs).min(along_neurons)) }
}

/// The smallest tile side for `count` things in tiles of at most `most`: `(tiles, per tile)`.
fn tiles(count: usize, most: usize) -> (usize, usize) {
    let tiles = count.div_ceil(most);
    (tiles, count.div_ceil(tiles))
}

pub(super) fn pcsa(
    inputs: usize,
    neurons: usize,
    planes: usize,
    hardware: &LayerHardware,
) -> Result<PcsaPlan, PlanError> {
    let shared = hardware.fold.columns_per_amplifier;
    share(hardware, hardware.array.inputs, "array.inputs")?;
    let (column_tiles, slice) = tiles(inputs, hardware.array.inputs);
    let (row_tiles, rows) = tiles(neurons, hardware.array.outputs);
    let amplifiers = slice.div_ceil(shared);
    // A slice rounded up to whole amplifiers may leave the last tile empty.
    let column_tiles = inputs.div_ceil(amplifiers * shared).min(column_tiles);
    let row_tiles = neurons.div_ceil(rows).min(row_tiles);
    let budget = hardware.fold.sensed_at_once.of(column_tiles * row_tiles);
    let (lane_columns, lane_rows) = lanes(budget, column_tiles, row_tiles);
    let reads = row_tiles.div_ceil(lane_rows) * rows * column_tiles.div_ceil(lane_columns) * shared;
    Ok(PcsaPlan {
        column_tiles,
        row_tiles,
        rows,
        amplifiers,
        columns_per_amplifier: shared,
        lane_columns,
        lane_rows,
        reads,
        planes,
    })
}

/// Geometry of a split layer; thresholds and their width are filled in by the caller.
pub(super) fn sa(
    inputs: usize,
    neurons: usize,
    references: usize,
    hardware: &LayerHardware,
    read_cycles: usize,
    block_sizes: Vec<usize>,
) -> Result<SaPlan, PlanError> {
    let shared = hardware.fold.columns_per_amplifier;
    share(hardware, hardware.array.outputs, "array.outputs")?;
    debug_assert_eq!(block_sizes.iter().sum::<usize>(), inputs);
    let (tiles, per_tile) = tiles(neurons, hardware.array.outputs);
    let amplifiers = per_tile.div_ceil(shared);
    let tiles = neurons.div_ceil(amplifiers * shared).min(tiles);
    let budget = hardware.fold.sensed_at_once.of(block_sizes.len() * tiles);
    let (lane_blocks, lane_tiles) = lanes(budget, block_sizes.len(), tiles);
    let reads = references * shared * tiles.div_ceil(lane_tiles) * block_sizes.len().div_ceil(lane_blocks);
    Ok(SaPlan {
        block_sizes,
        high: Vec::new(),
        low: Vec::new(),
        tiles,
        amplifiers,
        columns_per_amplifier: shared,
        lane_blocks,
        lane_tiles,
        reads,
        read_cycles,
        threshold_width: 0,
        unipolar: false,
    })
}

/// Geometry of a layer read by ADCs; its transfer is filled in by the caller. Blocks are ceil(inputs / array inputs).
pub(super) fn adc(
    inputs: usize,
    neurons: usize,
    encoding: Encoding,
    hardware: &LayerHardware,
    conversion_cycles: usize,
) -> Result<AdcPlan, PlanError> {
    let shared = hardware.adc.columns_per_adc;
    if !hardware.array.outputs.is_multiple_of(shared) {
        let reason =
            format!("must divide array.outputs = {}, so that every ADC has as many columns", hardware.array.outputs);
        return Err(PlanError::hardware("adc.columns_per_adc", shared, reason));
    }
    let block_sizes = block_sizes(inputs, inputs.div_ceil(hardware.array.inputs));
    let (tiles, per_tile) = tiles(neurons, hardware.array.outputs);
    let adcs = per_tile.div_ceil(shared);
    let tiles = neurons.div_ceil(adcs * shared).min(tiles);
    let budget = hardware.fold.sensed_at_once.of(block_sizes.len() * tiles);
    let (lane_blocks, lane_tiles) = lanes(budget, block_sizes.len(), tiles);
    let groups = tiles.div_ceil(lane_tiles) * block_sizes.len().div_ceil(lane_blocks);
    Ok(AdcPlan {
        block_sizes,
        tiles,
        adcs,
        columns_per_adc: shared,
        lane_blocks,
        lane_tiles,
        reads: groups * shared * encoding.phases(),
        conversion_cycles,
        encoding,
        single_column: false,
        transfer: Transfer { bits: 0, levels: vec![], values: vec![0], uniform: false, unit: 1.0, exact: false },
    })
}

pub(super) fn digital(inputs: usize, neurons: usize, hardware: &LayerHardware) -> DigitalPlan {
    let lane_inputs = hardware.digital.inputs_at_once.min(inputs);
    let lane_neurons = hardware.digital.neurons_at_once.of(neurons);
    DigitalPlan { lane_inputs, lane_neurons, reads: inputs.div_ceil(lane_inputs) * neurons.div_ceil(lane_neurons) }
}

fn share(hardware: &LayerHardware, side: usize, key: &str) -> Result<(), PlanError> {
    let shared = hardware.fold.columns_per_amplifier;
    if !side.is_multiple_of(shared) {
        let reason = format!("must divide {key} = {side}, so that every amplifier has as many columns");
        return Err(PlanError::hardware("fold.columns_per_amplifier", shared, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables I and II of input-splitting, every row: inputs of a neuron, then blocks at 512, 256 and 128.
    #[test]
    fn block_counts_are_those_of_tables_1_and_2() {
        let rows = [
            (2048, [4, 8, 16]),         // table I, layers 2 and 3
            (3 * 3 * 128, [3, 6, 9]),   // table II, layers 2 and 3
            (3 * 3 * 256, [6, 9, 18]),  // layers 4 and 5
            (3 * 3 * 512, [9, 18, 36]), // layer 6
            (8192, [16, 32, 64]),       // layer 7
            (1024, [2, 4, 8]),          // layer 8
        ];
        for (inputs, counts) in rows {
            for (array, count) in [512, 256, 128].into_iter().zip(counts) {
                assert_eq!(blocks(inputs, array), count, "{inputs} inputs on arrays of {array}");
            }
        }
    }

    /// 131 is prime: no count up to 2 * 2 divides it, so 2 blocks of 66 and 65.
    #[test]
    fn blocks_that_cannot_be_equal_differ_by_one() {
        assert_eq!(blocks(131, 100), 2);
        assert_eq!(block_sizes(131, 2), [66, 65]);
        assert_eq!(block_sizes(10, 4), [3, 3, 2, 2]);
    }

    #[test]
    fn lanes_fill_inputs_first() {
        assert_eq!(lanes(100, 8, 4), (8, 4));
        assert_eq!(lanes(17, 8, 4), (8, 2));
        assert_eq!(lanes(5, 8, 4), (5, 1));
    }

    /// 784 inputs on arrays of 128: 7 slices of 112, not 6 of 128 and one of 16.
    #[test]
    fn slices_are_even() {
        let plan = pcsa(784, 64, 1, &LayerHardware::default()).unwrap();
        assert_eq!((plan.column_tiles, plan.amplifiers, plan.row_tiles, plan.rows, plan.reads), (7, 112, 1, 64, 64));
    }

    #[test]
    fn folding_multiplies_reads() {
        let mut hardware = LayerHardware::default();
        hardware.fold.columns_per_amplifier = 4;
        hardware.fold.sensed_at_once = crate::hardware::Count::Number(3);
        // 1024 x 1024 on 128 x 128: 8 x 8 arrays, 3 of a row's 8 at once: 8 row tiles, 128 rows, 3 groups, 4 columns.
        let plan = pcsa(1024, 1024, 1, &hardware).unwrap();
        assert_eq!((plan.lane_columns, plan.lane_rows, plan.amplifiers, plan.reads), (3, 1, 32, 8 * 128 * 3 * 4));
        let plan = sa(1024, 1024, 1, &hardware, 1, block_sizes(1024, 8)).unwrap();
        assert_eq!((plan.lane_blocks, plan.lane_tiles, plan.amplifiers, plan.reads), (3, 1, 32, 4 * 8 * 3));
    }
}
