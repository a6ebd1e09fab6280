//! What single arrays give, to explain a mismatch.

use std::fmt;
use std::ops::Range;

use super::layer::{Layer, Scratch, driven_planes};
use super::matrix::Planes;
use super::{Bits, LayerTrace};
use crate::plan::{AdcPlan, LayerPlan, PcsaPlan, ReadoutPlan, SaPlan};

/// Array reads of a layer for one of its input vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerDetail {
    Pcsa(Reads),
    /// One a block.
    Sa(Vec<BlockVotes>),
    /// Codes of an `adc` layer, phase by phase, neuron `j` of block `b` at `b * neurons + j`.
    Adc(Vec<Vec<usize>>),
    /// No arrays.
    Digital,
}

/// Partial sums of a `pcsa` layer, read by read in schedule order: for each row group, each word line, each column
/// group, each column of an amplifier, each bit plane of the inputs, one of `lane_rows x lane_columns` arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads {
    lanes: usize,
    sums: Vec<Option<i32>>,
}

impl Reads {
    /// The plan's `reads` times its `planes`.
    pub fn len(&self) -> usize {
        self.sums.len() / self.lanes
    }

    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Partial sums of one read. Lane `p * lane_columns + l` is the array in row `p` and column `l` of the group; `None`
    /// where no such array or no such neuron exists, so that nothing is stored there.
    pub fn read(&self, index: usize) -> &[Option<i32>] {
        &self.sums[index * self.lanes..][..self.lanes]
    }

    pub fn iter(&self) -> impl Iterator<Item = &[Option<i32>]> {
        self.sums.chunks_exact(self.lanes)
    }
}

/// What the amplifiers of an `sa` layer's block give, one bit a neuron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockVotes {
    /// 1 where the block's sum >= its high threshold.
    pub high: Bits,
    /// 1 where the block's sum >= its low threshold, that is, where the block does not vote -1; only where the output is
    /// a trit, which takes a second read.
    pub low: Option<Bits>,
}

impl Layer {
    pub fn detail(&self, x: &LayerTrace, scratch: &mut Scratch) -> LayerDetail {
        match self.readout() {
            ReadoutPlan::Pcsa(pcsa) => LayerDetail::Pcsa(self.reads(pcsa, x)),
            ReadoutPlan::Sa(sa) => LayerDetail::Sa(self.block_votes(sa, x, scratch)),
            ReadoutPlan::Adc(adc) => LayerDetail::Adc(self.codes(adc, x, scratch)),
            ReadoutPlan::Digital(_) => LayerDetail::Digital,
        }
    }

    fn reads(&self, plan: &PcsaPlan, x: &LayerTrace) -> Reads {
        let matrix = &self.matrices()[0];
        let lanes = plan.lane_rows * plan.lane_columns;
        let driven: Vec<LayerTrace> = driven_planes(plan.planes, x).map(|(x, _)| x).collect();
        let mut sums = Vec::with_capacity(plan.reads * plan.planes * lanes);
        for (step, x) in steps(plan).flat_map(|step| driven.iter().map(move |x| (step, x))) {
            let planes = Planes::of(x).expect("planes of bits are trits");
            for lane in 0..lanes {
                let row_tile = step.row_group * plan.lane_rows + lane / plan.lane_columns;
                let column_tile = step.column_group * plan.lane_columns + lane % plan.lane_columns;
                let neuron = row_tile * plan.rows + step.word_line;
                let exists = row_tile < plan.row_tiles && column_tile < plan.column_tiles && neuron < self.neurons();
                let start = (column_tile * plan.columns_per_amplifier + step.phase) * plan.amplifiers;
                sums.push(exists.then(|| matrix.partial_sum(neuron, start..start + plan.amplifiers, planes)));
            }
        }
        Reads { lanes, sums }
    }

    fn codes(&self, adc: &AdcPlan, x: &LayerTrace, scratch: &mut Scratch) -> Vec<Vec<usize>> {
        let mut codes = vec![Vec::new(); adc.encoding.phases()];
        self.each_column(adc, x, scratch, |phase, _, sums| {
            codes[phase].extend(sums.iter().map(|sum| adc.transfer.code(*sum)));
        });
        codes
    }

    fn block_votes(&self, plan: &SaPlan, x: &LayerTrace, scratch: &mut Scratch) -> Vec<BlockVotes> {
        let cuts = self.cuts(x, scratch);
        let neurons = self.neurons();
        let block = |bits: &Bits, k: usize| Bits::from_fn(neurons, |j| bits.get(k * neurons + j));
        let votes = |k: usize| BlockVotes { high: block(&cuts.high, k), low: cuts.low.as_ref().map(|l| block(l, k)) };
        (0..plan.block_sizes.len()).map(votes).collect()
    }
}

/// One read of the schedule.
#[derive(Clone, Copy)]
struct Step {
    row_group: usize,
    word_line: usize,
    column_group: usize,
    /// Which of an amplifier's columns.
    phase: usize,
}

fn steps(plan: &PcsaPlan) -> impl Iterator<Item = Step> {
    let (rows, groups, phases) = (plan.rows, plan.column_groups(), plan.columns_per_amplifier);
    (0..plan.row_groups() * rows * groups * phases).map(move |read| Step {
        row_group: read / (phases * groups * rows),
        word_line: read / (phases * groups) % rows,
        column_group: read / phases % groups,
        phase: read % phases,
    })
}

/// Where a slice of a neuron lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayPlace {
    /// Which slice of the layer's inputs: the column tile of a `pcsa` layer, the block of an `sa` layer.
    pub split: usize,
    /// The layer's inputs that it covers.
    pub inputs: Range<usize>,
    pub site: Site,
}

/// The cells of a neuron in one array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Array (row_tile, split) of a `pcsa` layer.
    Pcsa {
        row_tile: usize,
        word_line: usize,
        /// Lane in which the array is sensed.
        lane: usize,
        /// Reads in which it is sensed: one for each of an amplifier's columns and bit planes. Indices of [`Reads::read`].
        reads: Range<usize>,
    },
    /// Array (split, tile) of an `sa` layer.
    Sa {
        tile: usize,
        /// Column of the array.
        column: usize,
    },
    /// Array (split, tile) of an `adc` layer.
    Adc {
        tile: usize,
        /// Column of the array, or pair of columns.
        column: usize,
        /// ADC of the layer, counted through the tiles of one block after the other.
        adc: usize,
        /// Reads in which it is converted, one a phase.
        reads: Range<usize>,
    },
}

impl fmt::Display for ArrayPlace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { split, inputs, site } = self;
        match site {
            Site::Pcsa { row_tile, word_line, .. } => {
                write!(f, "split {split}: array ({row_tile}, {split}), word line {word_line}")?;
            }
            Site::Sa { tile, column } | Site::Adc { tile, column, .. } => {
                write!(f, "split {split}: array ({split}, {tile}), column {column}")?
            }
        }
        write!(f, ", inputs {} to {}", inputs.start, inputs.end - 1)
    }
}

/// Arrays that hold a neuron's weights, in the order of their inputs; none for a `digital` layer.
pub fn locate(layer: &LayerPlan, neuron: usize) -> Vec<ArrayPlace> {
    assert!(neuron < layer.neurons, "neuron {neuron} of {}", layer.neurons);
    match &layer.readout {
        ReadoutPlan::Pcsa(plan) => {
            let (row_tile, word_line) = (neuron / plan.rows, neuron % plan.rows);
            let (row_group, lane_row) = (row_tile / plan.lane_rows, row_tile % plan.lane_rows);
            let place = |split: usize| {
                let group = split / plan.lane_columns;
                let read =
                    ((row_group * plan.rows + word_line) * plan.column_groups() + group) * plan.columns_per_amplifier;
                let lane = lane_row * plan.lane_columns + split % plan.lane_columns;
                let reads = read * plan.planes..(read + plan.columns_per_amplifier) * plan.planes;
                let site = Site::Pcsa { row_tile, word_line, lane, reads };
                let start = split * plan.slice();
                ArrayPlace { split, inputs: start..(start + plan.slice()).min(layer.inputs), site }
            };
            (0..plan.column_tiles).map(place).collect()
        }
        ReadoutPlan::Sa(plan) => {
            let per_array = plan.amplifiers * plan.columns_per_amplifier;
            let site = |_| Site::Sa { tile: neuron / per_array, column: neuron % per_array };
            columns(&plan.block_sizes, site)
        }
        ReadoutPlan::Adc(plan) => {
            let per_array = plan.adcs * plan.columns_per_adc;
            let (tile, column) = (neuron / per_array, neuron % per_array);
            let site = |split: usize| {
                let step = tile / plan.lane_tiles * plan.columns_per_adc + column / plan.adcs;
                let groups = plan.block_sizes.len().div_ceil(plan.lane_blocks);
                let read = (step * groups + split / plan.lane_blocks) * plan.encoding.phases();
                let adc = (split * plan.tiles + tile) * plan.adcs + column % plan.adcs;
                Site::Adc { tile, column, adc, reads: read..read + plan.encoding.phases() }
            };
            columns(&plan.block_sizes, site)
        }
        ReadoutPlan::Digital(_) => Vec::new(),
    }
}

/// A neuron's columns, one a block.
fn columns(block_sizes: &[usize], site: impl Fn(usize) -> Site) -> Vec<ArrayPlace> {
    let mut start = 0;
    let place = |(split, size): (usize, &usize)| {
        start += size;
        ArrayPlace { split, inputs: start - size..start, site: site(split) }
    };
    block_sizes.iter().enumerate().map(place).collect()
}
