//! Spare word lines and columns: which of them take the place of faulty ones.
//!
//! A stuck cell that is to be in that state anyway needs no spare, nor does a slow one. A column of an array is left out for the
//! rest first, since every array has spares of its own; where an array has too few, a word line, and with it those of the arrays
//! that are read at once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::arrays::{Arrays, LeftOut, Place};
use super::{LayerPlan, MemoryPlan, PlanError, ReadoutPlan};
use crate::fault_map::Fault;
use crate::hardware::LayerHardware;

/// Most spare word lines, and spare columns, of an array.
pub(super) const MOST: usize = 64;

/// Word lines of which an error names the cells.
const NAMED: usize = 8;

/// Sets of word lines that are tried before spares are said not to suffice.
const MOST_TRIED: usize = 20_000;

/// What the arrays of a layer have beyond what they need, and what it is used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SparesPlan {
    /// Of an array; under `sa` a pair, those of an input.
    pub word_lines: usize,
    /// Amplifiers or ADCs of an array, each with all columns that share it.
    pub amplifiers: usize,
    /// Cells of the layer that are stuck, and those of them that need no spare: they are in the state that they are to be in.
    pub stuck: usize,
    pub harmless: usize,
    /// Arrays with word lines or columns that a spare replaces.
    pub repairs: Vec<Repair>,
}

/// What a faulty array leaves out; the others move up, into the spares at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repair {
    pub split: usize,
    pub tile: usize,
    pub word_lines: Vec<usize>,
    pub amplifiers: Vec<usize>,
}

/// Spares of a layer's arrays, none of them in use.
pub(super) fn spares(own: &LayerHardware, readout: &ReadoutPlan) -> Result<Option<SparesPlan>, PlanError> {
    let (lines, columns) = (own.array.spare_word_lines, own.array.spare_columns);
    let (shared, key) = match readout {
        ReadoutPlan::Digital(_) => return Ok(None),
        ReadoutPlan::Pcsa(p) => (p.columns_per_amplifier, "fold.columns_per_amplifier"),
        ReadoutPlan::Sa(s) => (s.columns_per_amplifier, "fold.columns_per_amplifier"),
        ReadoutPlan::Adc(a) => (a.columns_per_adc, "adc.columns_per_adc"),
    };
    if !columns.is_multiple_of(shared) {
        let reason =
            format!("must be a multiple of {key} = {shared}: a spare takes the place of all columns that share one");
        return Err(PlanError::hardware("array.spare_columns", columns, reason));
    }
    let spares =
        SparesPlan { word_lines: lines, amplifiers: columns / shared, stuck: 0, harmless: 0, repairs: Vec::new() };
    Ok((lines + columns > 0).then_some(spares))
}

/// The stuck cells of one array, and whether they are LRS.
type Stuck = BTreeMap<Place, bool>;

/// Every fault must name a cell that there is, and no cell has two.
pub fn check_faults(layers: &[LayerPlan], memory: Option<&MemoryPlan>, faults: &[Fault]) -> Result<(), PlanError> {
    let with_arrays = || Arrays::all(layers, memory);
    let mut seen = std::collections::BTreeSet::new();
    for (at, fault) in faults.iter().enumerate() {
        let bad = |reason: String| Err(PlanError::Faults { at, reason });
        let Some((_, arrays)) = with_arrays().find(|(name, _)| *name == fault.layer) else {
            let names: Vec<&str> = with_arrays().map(|(name, _)| name).collect();
            return bad(format!("layer \"{}\" has no arrays; those that have are {}", fault.layer, names.join(", ")));
        };
        let lines = if fault.split < arrays.splits() { arrays.lines(fault.split) } else { 0 };
        let places = [
            ("split", fault.split, arrays.splits()),
            ("tile", fault.tile, arrays.tiles()),
            ("line", fault.line, lines),
            ("cell", fault.cell, arrays.cells()),
        ];
        if let Some((what, value, most)) = places.into_iter().find(|(_, value, most)| value >= most) {
            return bad(format!("{what} {value} does not exist: layer \"{}\" has {most} there", fault.layer));
        }
        if !seen.insert((&fault.layer, fault.split, fault.tile, fault.line, fault.cell)) {
            return bad("the cell is listed twice".into());
        }
    }
    Ok(())
}

/// Puts spares in the place of what is faulty in a layer's arrays.
pub(super) fn repair(layer: &mut LayerPlan, faults: &[Fault]) -> Result<(), PlanError> {
    let Some(arrays) = Arrays::of(layer) else { return Ok(()) };
    let mut stuck: BTreeMap<(usize, usize), Stuck> = BTreeMap::new();
    for fault in faults.iter().filter(|f| f.layer == layer.name) {
        if let Some(lrs) = fault.kind.stuck_at_lrs() {
            let place = Place { line: fault.line, cell: fault.cell };
            stuck.entry((fault.split, fault.tile)).or_default().insert(place, lrs);
        }
    }
    let none = Stuck::new();
    let (mut repairs, mut harmless) = (Vec::new(), 0);
    for group in arrays.groups() {
        let cells: Vec<&Stuck> = group.iter().map(|at| stuck.get(at).unwrap_or(&none)).collect();
        let mut search = Search { arrays: &arrays, group: &group, cells: &cells, tried: 0 };
        let mut lines = Vec::new();
        let Some(amplifiers) = search.solve(&mut lines) else { return Err(search.too_few(&layer.name)) };
        lines.sort_unstable();
        for ((at, stuck), amplifiers) in group.iter().zip(&cells).zip(amplifiers) {
            let left_out = arrays.left_out(at.0, &lines, &amplifiers);
            harmless += stuck.keys().filter(|p| arrays.lrs(at.0, at.1, **p, &left_out).is_some()).count();
            if !lines.is_empty() || !amplifiers.is_empty() {
                repairs.push(Repair { split: at.0, tile: at.1, word_lines: lines.clone(), amplifiers });
            }
        }
    }
    repairs.sort_unstable_by_key(|r| (r.split, r.tile));
    if let Some(spares) = &mut layer.spares {
        spares.stuck = stuck.values().map(Stuck::len).sum();
        (spares.harmless, spares.repairs) = (harmless, repairs);
    }
    Ok(())
}

/// The search for word lines to leave out in a group of arrays that are read at once.
struct Search<'a> {
    arrays: &'a Arrays<'a>,
    group: &'a [(usize, usize)],
    /// Of each array of the group.
    cells: &'a [&'a Stuck],
    tried: usize,
}

impl Search<'_> {
    /// Amplifiers that each array leaves out, with word lines that are added to `lines`. Where some word lines and columns hold all
    /// stuck cells, these or others are found: a cell in the wrong state lies in one or the other, and of one cell more than an
    /// array has spare columns, each in a column of its own, one lies in such a word line.
    fn solve(&mut self, lines: &mut Vec<usize>) -> Option<Vec<Vec<usize>>> {
        self.tried += 1;
        let mut amplifiers = Vec::new();
        for number in 0..self.group.len() {
            match self.columns(number, lines) {
                Ok(columns) => amplifiers.push(columns),
                Err(wrong) => return self.more_lines(&wrong, lines),
            }
        }
        Some(amplifiers)
    }

    /// One of the word lines of these cells has to be left out.
    fn more_lines(&mut self, wrong: &[Place], lines: &mut Vec<usize>) -> Option<Vec<Vec<usize>>> {
        if lines.len() == self.arrays.spare_lines() {
            return None;
        }
        let mut choices: Vec<usize> = wrong.iter().map(|p| self.arrays.line_and_amplifier(*p).0).collect();
        choices.sort_unstable();
        choices.dedup();
        for line in choices {
            if self.tried == MOST_TRIED {
                return None;
            }
            lines.push(line);
            let found = self.solve(lines);
            if found.is_some() {
                return found;
            }
            lines.pop();
        }
        None
    }

    /// Amplifiers that an array leaves out, beside these word lines; or one wrong cell more than it has spare ones.
    fn columns(&self, number: usize, lines: &[usize]) -> Result<Vec<usize>, Vec<Place>> {
        let (mut amplifiers, mut wrong) = (Vec::new(), Vec::new());
        loop {
            let Some(at) = self.wrong(number, lines, &amplifiers).next() else {
                amplifiers.sort_unstable();
                return Ok(amplifiers);
            };
            wrong.push(at);
            if amplifiers.len() == self.arrays.spare_amplifiers() {
                return Err(wrong);
            }
            amplifiers.push(self.arrays.line_and_amplifier(at).1);
        }
    }

    /// Cells of an array that are stuck in the wrong state, where it leaves these out.
    fn wrong(&self, number: usize, lines: &[usize], amplifiers: &[usize]) -> impl Iterator<Item = Place> {
        let (split, tile) = self.group[number];
        let left_out = self.arrays.left_out(split, lines, amplifiers);
        let differs = move |(at, lrs): &(&Place, &bool)| {
            self.arrays.lrs(split, tile, **at, &left_out).is_some_and(|want| want != **lrs)
        };
        self.cells[number].iter().filter(differs).map(|(at, _)| *at)
    }

    /// Says which cells need spares, and how many there are.
    fn too_few(&self, layer: &str) -> PlanError {
        let mut lines: BTreeMap<(usize, usize, usize), Vec<usize>> = BTreeMap::new();
        for (number, (split, tile)) in self.group.iter().enumerate() {
            for at in self.wrong(number, &[], &[]) {
                lines.entry((*split, *tile, at.line)).or_default().push(at.cell);
            }
        }
        let named: Vec<String> = lines
            .iter()
            .take(NAMED)
            .map(|((split, tile, line), cells)| {
                let cells: Vec<String> = cells.iter().map(usize::to_string).collect();
                format!("split {split} tile {tile} line {line} cells {}", cells.join(", "))
            })
            .collect();
        let more =
            if lines.len() > NAMED { format!("; and {} more lines", lines.len() - NAMED) } else { String::new() };
        let reason = format!(
            "too few spares for {} cells that are stuck in the wrong state: {}{more}. Arrays that share their word lines: {}; spare \
             columns of each: {}; spare word lines of all together: {}. Raise array.spare_columns or array.spare_word_lines",
            lines.values().map(Vec::len).sum::<usize>(),
            named.join("; "),
            self.group.len(),
            self.arrays.spare_amplifiers() * self.arrays.amplifiers().1,
            self.arrays.spare_lines(),
        );
        PlanError::layer(layer, reason)
    }
}

/// What every array of the layer leaves out, `[split][tile]`.
pub fn left_out(layer: &LayerPlan) -> Vec<Vec<LeftOut>> {
    let Some(arrays) = Arrays::of(layer) else { return Vec::new() };
    let of = |split, tile| arrays.planned(layer.spares.as_ref(), split, tile);
    (0..arrays.splits()).map(|s| (0..arrays.tiles()).map(|t| of(s, t)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::fault_map::FaultKind;
    use crate::hardware::Hardware;
    use crate::network::{Activation, Input, InputCode, Layer, Network, Normalize, Op, WeightKind, Weights};

    /// 4 neurons of 6 inputs, all weights +1: BL is LRS, BLb HRS.
    fn network() -> Network {
        let weights = Weights { kind: WeightKind::Bipolar, values: Array2::ones((4, 6)), scale: vec![1.0; 4] };
        let layer = Layer::new("fc", Op::Dense, weights, vec![0.0; 4], Normalize::None, Activation::Scores);
        Network::new("n", Input { shape: vec![6], code: InputCode::Bipolar }, vec![layer]).unwrap()
    }

    fn plan(spares: &str, faults: &[(usize, usize, usize, FaultKind)]) -> Result<SparesPlan, String> {
        let hardware = Hardware::parse(&format!("[array]\ninputs = 3\noutputs = 4\n{spares}")).unwrap();
        let fault = |(split, line, cell, kind): &(usize, usize, usize, FaultKind)| Fault {
            layer: "fc".into(),
            split: *split,
            tile: 0,
            line: *line,
            cell: *cell,
            kind: *kind,
        };
        let faults = faults.iter().map(fault).collect();
        let plan = crate::plan::plan_with_faults(&network(), &hardware, faults).map_err(|e| e.to_string())?;
        Ok(plan.layers[0].spares.clone().unwrap())
    }

    fn repair(split: usize, word_lines: &[usize], amplifiers: &[usize]) -> Repair {
        Repair { split, tile: 0, word_lines: word_lines.into(), amplifiers: amplifiers.into() }
    }

    use FaultKind::{Slow, StuckHrs, StuckLrs};

    #[test]
    fn columns_go_first_and_every_array_has_its_own() {
        // Pairs 0 to 3 of an array, BL then BLb: BL of pair 1 in one array, BLb of pair 2 in the other.
        let found = plan("spare_columns = 1", &[(0, 2, 1, StuckHrs), (1, 0, 4 + 2, StuckLrs)]).unwrap();
        assert_eq!(found.repairs, [repair(0, &[], &[1]), repair(1, &[], &[2])]);
        assert_eq!((found.stuck, found.harmless), (2, 0));
    }

    #[test]
    fn what_is_right_or_slow_needs_no_spare() {
        let found = plan("spare_columns = 1", &[(0, 2, 1, StuckLrs), (0, 1, 0, Slow), (1, 0, 4, StuckHrs)]).unwrap();
        assert_eq!((found.stuck, found.harmless, found.repairs), (2, 2, vec![]));
    }

    /// The spare column itself is stuck, and not needed.
    #[test]
    fn a_faulty_spare_stays_out() {
        let found = plan("spare_columns = 1", &[(0, 2, 3, StuckHrs)]).unwrap();
        assert_eq!((found.stuck, found.harmless, found.repairs), (1, 0, vec![]));
    }

    #[test]
    fn a_word_line_is_left_out_in_all_arrays_that_are_read_at_once() {
        let spares = "spare_columns = 1\nspare_word_lines = 1";
        // Two columns of split 0 on one word line.
        let found = plan(spares, &[(0, 3, 0, StuckHrs), (0, 3, 2, StuckHrs), (1, 1, 1, StuckHrs)]).unwrap();
        assert_eq!(found.repairs, [repair(0, &[3], &[]), repair(1, &[3], &[1])]);
        // Three cells in three columns, two of them on a word line: that word line and the third's column.
        let three = [(0, 0, 0, StuckHrs), (0, 2, 1, StuckHrs), (0, 2, 2, StuckHrs)];
        assert_eq!(plan(spares, &three).unwrap().repairs, [repair(0, &[2], &[0]), repair(1, &[2], &[])]);
    }

    #[test]
    fn too_few_spares_are_refused_with_the_cells() {
        let all: Vec<_> = (0..4).map(|n| (0, n, n % 3, StuckHrs)).collect();
        let error = plan("spare_columns = 1\nspare_word_lines = 1", &all).unwrap_err();
        assert!(error.contains("layer `fc`: too few spares for 4 cells that are stuck in the wrong state"), "{error}");
        assert!(error.contains("split 0 tile 0 line 0 cells 0; split 0 tile 0 line 1 cells 1"), "{error}");
        assert!(plan("spare_word_lines = 2\nspare_columns = 2", &all).is_ok());
    }

    #[test]
    fn cells_that_there_are_not_are_refused() {
        for (faults, want) in [
            (&[(2, 0, 0, Slow)][..], "split 2 does not exist: layer \"fc\" has 2 there"),
            (&[(0, 5, 0, Slow)], "line 5 does not exist: layer \"fc\" has 5 there"),
            (&[(0, 0, 8, Slow)], "cell 8 does not exist: layer \"fc\" has 8 there"),
            (&[(0, 0, 1, Slow), (0, 0, 1, StuckHrs)], "fault 1 of the list: the cell is listed twice"),
        ] {
            let error = plan("spare_columns = 1\nspare_word_lines = 1", faults).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
    }
}
