//! The arrays of a layer, or of a key memory, as they are made, spares included: what each cell holds.
//!
//! A word line of a layer here is what one input or neuron takes: under `sa` a pair of word lines of the array.

use ndarray::Array2;

use super::{AdcPlan, KeysPlan, LayerPlan, MemoryPlan, PcsaPlan, ReadoutPlan, SaPlan, SparesPlan};
use crate::network::WeightKind;

/// A cell of an array: its word line, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub cell: usize,
}

/// What an array with spares leaves out: as many word lines and amplifiers as it has spare ones, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    pub lines: Vec<usize>,
    /// Amplifiers or ADCs, each with all columns that share it.
    pub amplifiers: Vec<usize>,
}

impl LeftOut {
    /// The word line of an array that holds the layer's `line`-th.
    pub fn line(&self, line: usize) -> usize {
        behind(line, &self.lines)
    }
}

/// The `number`-th place that is not left out.
fn behind(number: usize, left_out: &[usize]) -> usize {
    left_out.iter().fold(number, |place, at| place + usize::from(place >= *at))
}

/// The number of `place` among those that are not left out.
fn among(place: usize, left_out: &[usize]) -> Option<usize> {
    let lower = left_out.partition_point(|at| *at < place);
    (left_out.get(lower) != Some(&place)).then_some(place - lower)
}

/// Name of a key memory's arrays among those of layers; no layer may have it.
pub const KEYS: &str = "keys";

/// The arrays of a layer, or of a key memory.
pub struct Arrays<'a> {
    pub kind: ArrayKind<'a>,
    /// None for keys, which are written later.
    weights: Option<&'a Array2<i8>>,
    /// Word lines and amplifiers of an array that are spare.
    spare_lines: usize,
    spare_amplifiers: usize,
}

pub enum ArrayKind<'a> {
    Pcsa(&'a PcsaPlan),
    /// Columns of a neuron.
    Sa(&'a SaPlan, usize),
    Adc(&'a AdcPlan, usize),
}

impl<'a> Arrays<'a> {
    /// None for a layer without arrays.
    pub fn of(layer: &'a LayerPlan) -> Option<Self> {
        let kind = match &layer.readout {
            ReadoutPlan::Digital(_) => return None,
            ReadoutPlan::Pcsa(p) => ArrayKind::Pcsa(p),
            ReadoutPlan::Sa(s) => ArrayKind::Sa(s, if layer.weight_kind == WeightKind::Ternary { 2 } else { 1 }),
            ReadoutPlan::Adc(a) => ArrayKind::Adc(a, if a.single_column { 1 } else { 2 }),
        };
        let spares = layer.spares.as_ref();
        Some(Self {
            kind,
            weights: Some(&layer.weights),
            spare_lines: spares.map_or(0, |s| s.word_lines),
            spare_amplifiers: spares.map_or(0, |s| s.amplifiers),
        })
    }

    /// Those of a key memory. None of their cells has been written.
    pub fn of_keys(memory: &'a MemoryPlan) -> Self {
        let kind = match &memory.keys {
            KeysPlan::Pcsa(p) => ArrayKind::Pcsa(p),
            KeysPlan::Adc(a) => ArrayKind::Adc(a, if a.single_column { 1 } else { 2 }),
        };
        Self { kind, weights: None, spare_lines: 0, spare_amplifiers: 0 }
    }

    /// All that a plan has, by name.
    pub fn all(layers: &'a [LayerPlan], memory: Option<&'a MemoryPlan>) -> impl Iterator<Item = (&'a str, Self)> {
        let of_layers = layers.iter().filter_map(|l| Some((l.name.as_str(), Self::of(l)?)));
        of_layers.chain(memory.map(|m| (KEYS, Self::of_keys(m))))
    }

    pub fn splits(&self) -> usize {
        match &self.kind {
            ArrayKind::Pcsa(p) => p.column_tiles,
            ArrayKind::Sa(s, _) => s.block_sizes.len(),
            ArrayKind::Adc(a, _) => a.block_sizes.len(),
        }
    }

    pub fn tiles(&self) -> usize {
        match &self.kind {
            ArrayKind::Pcsa(p) => p.row_tiles,
            ArrayKind::Sa(s, _) => s.tiles,
            ArrayKind::Adc(a, _) => a.tiles,
        }
    }

    /// Every array: split, tile.
    pub fn each(&self) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let tiles = self.tiles();
        (0..self.splits()).flat_map(move |s| (0..tiles).map(move |t| (s, t)))
    }

    /// Arrays that leave out the same word lines: those that are read at once under `pcsa`, those of a block else.
    pub fn groups(&self) -> Vec<Vec<(usize, usize)>> {
        match &self.kind {
            ArrayKind::Pcsa(p) => {
                let of = |group: (usize, usize)| {
                    self.each().filter(|(s, t)| (t / p.lane_rows, s / p.lane_columns) == group).collect()
                };
                let columns = p.column_groups();
                (0..p.row_groups()).flat_map(|r| (0..columns).map(move |c| (r, c))).map(of).collect()
            }
            _ => (0..self.splits()).map(|s| (0..self.tiles()).map(|t| (s, t)).collect()).collect(),
        }
    }

    /// Word lines of the layer that an array has beyond those in use.
    pub fn spare_lines(&self) -> usize {
        self.spare_lines
    }

    pub fn spare_amplifiers(&self) -> usize {
        self.spare_amplifiers
    }

    /// Word lines of the array for each of the layer's.
    pub fn lines_each(&self) -> usize {
        if matches!(self.kind, ArrayKind::Sa(..)) { 2 } else { 1 }
    }

    /// The layer's word lines in an array of a split, without spares.
    fn lines_in_use(&self, split: usize) -> usize {
        match &self.kind {
            ArrayKind::Pcsa(p) => p.rows,
            ArrayKind::Sa(s, _) => s.block_sizes[split],
            ArrayKind::Adc(a, _) => a.block_sizes[split],
        }
    }

    /// The layer's word lines in an array of a split, the spare ones among them.
    pub fn all_lines(&self, split: usize) -> usize {
        self.lines_in_use(split) + self.spare_lines
    }

    /// Word lines of an array of a split.
    pub fn lines(&self, split: usize) -> usize {
        self.lines_each() * self.all_lines(split)
    }

    /// Amplifiers or ADCs of an array, the spare ones among them, and the columns that share one.
    pub fn amplifiers(&self) -> (usize, usize) {
        let (used, shared) = self.amplifiers_in_use();
        (used + self.spare_amplifiers, shared)
    }

    fn amplifiers_in_use(&self) -> (usize, usize) {
        match &self.kind {
            ArrayKind::Pcsa(p) => (p.amplifiers, p.columns_per_amplifier),
            ArrayKind::Sa(s, _) => (s.amplifiers, s.columns_per_amplifier),
            ArrayKind::Adc(a, _) => (a.adcs, a.columns_per_adc),
        }
    }

    /// Columns of an array: pairs under `pcsa`, the first ones of all neurons else.
    pub fn columns(&self) -> usize {
        let (amplifiers, shared) = self.amplifiers();
        amplifiers * shared
    }

    /// Cells of a word line.
    pub fn cells(&self) -> usize {
        self.columns()
            * match &self.kind {
                ArrayKind::Pcsa(_) => 2,
                ArrayKind::Sa(_, columns) | ArrayKind::Adc(_, columns) => *columns,
            }
    }

    /// First input of a split.
    fn first_input(&self, split: usize) -> usize {
        match &self.kind {
            ArrayKind::Pcsa(p) => split * p.slice(),
            ArrayKind::Sa(s, _) => s.block_sizes[..split].iter().sum(),
            ArrayKind::Adc(a, _) => a.block_sizes[..split].iter().sum(),
        }
    }

    /// The word line of the layer and the amplifier that a cell belongs to.
    pub fn line_and_amplifier(&self, at: Place) -> (usize, usize) {
        (at.line / self.lines_each(), at.cell % self.columns() % self.amplifiers().0)
    }

    /// The layer's number of a column of an array that leaves these out; none where it is left out.
    pub fn column(&self, column: usize, left_out: &LeftOut) -> Option<usize> {
        let all = self.amplifiers().0;
        Some(column / all * self.amplifiers_in_use().0 + among(column % all, &left_out.amplifiers)?)
    }

    /// The column of an array that leaves these out for the layer's `column`-th.
    pub fn column_behind(&self, column: usize, left_out: &LeftOut) -> usize {
        let used = self.amplifiers_in_use().0;
        column / used * self.amplifiers().0 + behind(column % used, &left_out.amplifiers)
    }

    /// Whether a cell is to be LRS, in an array that leaves these out; none where the cell is left out with them. Cells that hold no
    /// weight are HRS.
    pub fn lrs(&self, split: usize, tile: usize, at: Place, left_out: &LeftOut) -> Option<bool> {
        let line = among(at.line / self.lines_each(), &left_out.lines)?;
        let column = self.column(at.cell % self.columns(), left_out)?;
        let (used, shared) = self.amplifiers_in_use();
        let second = at.cell / self.columns();
        let (row, input, differ) = match &self.kind {
            // +1 is LRS/HRS, -1 HRS/LRS, 0 HRS/HRS.
            ArrayKind::Pcsa(_) => (tile * self.lines_in_use(split) + line, column, second),
            // The first column has LRS where the signs of word line and weight agree, the second where they differ.
            ArrayKind::Sa(..) => (tile * used * shared + column, line, at.line % 2 + second),
            ArrayKind::Adc(..) => (tile * used * shared + column, line, second),
        };
        let sign = if differ.is_multiple_of(2) { 1 } else { -1 };
        Some(self.weights.is_some_and(|w| w.get([row, self.first_input(split) + input]) == Some(&sign)))
    }

    /// What an array of a split leaves out, if these are faulty: they, and the last of the others.
    pub fn left_out(&self, split: usize, lines: &[usize], amplifiers: &[usize]) -> LeftOut {
        let all = |faulty: &[usize], count: usize, spare: usize| {
            let rest = (0..count).rev().filter(|at| !faulty.contains(at));
            let mut all: Vec<usize> = faulty.iter().copied().chain(rest.take(spare - faulty.len())).collect();
            all.sort_unstable();
            all
        };
        LeftOut {
            lines: all(lines, self.all_lines(split), self.spare_lines),
            amplifiers: all(amplifiers, self.amplifiers().0, self.spare_amplifiers),
        }
    }

    /// What an array leaves out by the plan.
    pub fn planned(&self, spares: Option<&SparesPlan>, split: usize, tile: usize) -> LeftOut {
        let repair = spares.and_then(|s| s.repairs.iter().find(|r| (r.split, r.tile) == (split, tile)));
        match repair {
            None => self.left_out(split, &[], &[]),
            Some(r) => self.left_out(split, &r.word_lines, &r.amplifiers),
        }
    }
}
