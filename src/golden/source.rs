//! Input vectors of a layer: windows and flattened maps. A map lies position by position, all channels of each together.

use super::{Bits, LayerTrace};
use crate::plan::{Source, WindowPlan};

/// How a layer's input vectors come from the map before.
pub(super) enum Gather {
    /// The map as it is.
    Whole,
    /// One vector, channel by channel, of a map of so many positions.
    Flatten {
        positions: usize,
    },
    Windows(Windows),
}

/// Windows of a kernel over a padded map.
pub(super) struct Windows {
    plan: WindowPlan,
    /// Where bipolar values meet padding of 0: for each window, which of its inputs are no padding.
    gates: Vec<Bits>,
}

impl Gather {
    pub fn new(source: &Source) -> Self {
        match source {
            Source::Vector => Self::Whole,
            Source::Flatten { positions } => Self::Flatten { positions: *positions },
            Source::Window(plan) => Self::Windows(Windows::new(plan)),
        }
    }

    pub fn vectors(&self) -> usize {
        match self {
            Self::Whole | Self::Flatten { .. } => 1,
            Self::Windows(windows) => windows.plan.windows.positions(),
        }
    }

    /// Calls `f` with every input vector, in order.
    pub fn each(&self, map: &LayerTrace, mut f: impl FnMut(&LayerTrace)) {
        match self {
            Self::Whole => f(map),
            Self::Flatten { positions } => f(&flattened(map, *positions)),
            Self::Windows(windows) => windows.each(map, f),
        }
    }
}

fn flattened(map: &LayerTrace, positions: usize) -> LayerTrace {
    let channels = map.len() / positions;
    let place = |i: usize| i % positions * channels + i / positions;
    let plane = |bits: &Bits| Bits::from_fn(bits.len(), |i| bits.get(place(i)));
    match map {
        LayerTrace::Bipolar(bits) => LayerTrace::Bipolar(plane(bits)),
        LayerTrace::Trit { nonzero, positive } => {
            LayerTrace::Trit { nonzero: plane(nonzero), positive: plane(positive) }
        }
        LayerTrace::Sums(values) => LayerTrace::Sums((0..values.len()).map(|i| values[place(i)]).collect()),
    }
}

impl Windows {
    fn new(plan: &WindowPlan) -> Self {
        let mut windows = Self { plan: plan.clone(), gates: Vec::new() };
        if plan.gates() {
            let inside = windows.padded(|_| true, false);
            windows.gates = windows.places().map(|at| windows.bits(&inside, at)).collect();
        }
        windows
    }

    fn each(&self, map: &LayerTrace, mut f: impl FnMut(&LayerTrace)) {
        let pad = self.plan.pad_value;
        match map {
            LayerTrace::Bipolar(bits) => {
                let plane = self.padded(|i| bits.get(i), pad > 0);
                for (window, at) in self.places().enumerate() {
                    let positive = self.bits(&plane, at);
                    f(&match self.gates.get(window) {
                        Some(gates) => LayerTrace::Trit { nonzero: gates.clone(), positive },
                        None => LayerTrace::Bipolar(positive),
                    });
                }
            }
            LayerTrace::Trit { nonzero, positive } => {
                let planes = [self.padded(|i| nonzero.get(i), pad != 0), self.padded(|i| positive.get(i), pad > 0)];
                for at in self.places() {
                    let [nonzero, positive] = [0, 1].map(|k| self.bits(&planes[k], at));
                    f(&LayerTrace::Trit { nonzero, positive });
                }
            }
            LayerTrace::Sums(values) => {
                let padded = self.padded(|i| values[i], pad);
                for at in self.places() {
                    f(&LayerTrace::Sums(self.rows(&padded, at).flatten().copied().collect()));
                }
            }
        }
    }

    /// First row and column of each window on the padded map.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let ([rows, columns], stride) = ([self.plan.windows.rows, self.plan.windows.columns], self.plan.stride);
        (0..rows).flat_map(move |r| (0..columns).map(move |c| [r * stride[0], c * stride[1]]))
    }

    /// The map with its padding, channel by channel, so that a row of a kernel lies in one piece.
    fn padded<T: Copy>(&self, value: impl Fn(usize) -> T, pad: T) -> Vec<T> {
        let (WindowPlan { map, channels, pad: [above, left, ..], .. }, whole) = (&self.plan, self.plan.padded());
        let mut padded = vec![pad; channels * whole.positions()];
        for (position, (row, column)) in (0..map.rows).flat_map(|r| (0..map.columns).map(move |c| (r, c))).enumerate() {
            for channel in 0..*channels {
                padded[(channel * whole.rows + row + above) * whole.columns + column + left] =
                    value(position * channels + channel);
            }
        }
        padded
    }

    /// Rows of a window in channel, row, column order.
    fn rows<'a, T>(&'a self, padded: &'a [T], [top, left]: [usize; 2]) -> impl Iterator<Item = &'a [T]> {
        let (whole, [rows, columns]) = (self.plan.padded(), self.plan.kernel);
        (0..self.plan.channels).flat_map(move |channel| {
            (top..top + rows).map(move |row| &padded[(channel * whole.rows + row) * whole.columns + left..][..columns])
        })
    }

    fn bits(&self, plane: &[bool], at: [usize; 2]) -> Bits {
        let [rows, columns] = self.plan.kernel;
        let mut bits = Bits::zeros(self.plan.channels * rows * columns);
        let words = bits.words_mut();
        let mut i = 0;
        for row in self.rows(plane, at) {
            for bit in row {
                words[i / 64] |= u64::from(*bit) << (i % 64);
                i += 1;
            }
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{MapPlan, Values};

    /// Two channels on 2 x 2, position by position: (1 10) (2 20) / (3 30) (4 40). A kernel of 2 x 2 with a row of padding
    /// above takes first: channel 0: p p 1 2, channel 1: p p 10 20.
    #[test]
    fn windows_run_channel_row_column() {
        let map = MapPlan { rows: 2, columns: 2 };
        let window = WindowPlan {
            channels: 2,
            map,
            kernel: [2, 2],
            stride: [1, 1],
            pad: [1, 0, 0, 0],
            pad_value: 7,
            values: Values::Integer { width: 8, min: -100, max: 100 },
            windows: MapPlan { rows: 2, columns: 1 },
        };
        let gather = Gather::new(&Source::Window(window));
        let mut got = Vec::new();
        gather.each(&LayerTrace::Sums(vec![1, 10, 2, 20, 3, 30, 4, 40]), |v| got.push(v.values().collect::<Vec<_>>()));
        assert_eq!(got, [[7, 7, 1, 2, 7, 7, 10, 20], [1, 2, 3, 4, 10, 20, 30, 40]]);
    }

    #[test]
    fn a_flattened_map_runs_channel_by_channel() {
        let gather = Gather::new(&Source::Flatten { positions: 3 });
        let mut got = Vec::new();
        gather.each(&LayerTrace::Sums(vec![1, 10, 2, 20, 3, 30]), |v| got.extend(v.values()));
        assert_eq!(got, [1, 2, 3, 10, 20, 30]);
    }
}
