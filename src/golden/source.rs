//! Input vectors of a layer: windows and flattened maps. A map lies position by position, all channels of each together.

use super::{Bits, LayerTrace};
use crate::plan::{Source, WindowPlan};

/// Where each value of a layer's input vectors lies in the map before.
pub(super) struct Gather {
    vectors: usize,
    /// `[vector][input]` in one list: index into the map, or `PADDING`. Empty where vectors are taken as they are.
    places: Vec<u32>,
    pad_value: i32,
    /// Bipolar values and padding of 0.
    gates: bool,
}

const PADDING: u32 = u32::MAX;

impl Gather {
    /// For a layer of `inputs` inputs.
    pub fn new(source: &Source, inputs: usize) -> Self {
        let (vectors, places, pad_value, gates) = match source {
            Source::Vector => (1, Vec::new(), 0, false),
            Source::Flatten { positions } => {
                let channels = inputs / positions;
                let place = |i: usize| (i % positions * channels + i / positions) as u32;
                (1, (0..inputs).map(place).collect(), 0, false)
            }
            Source::Window(w) => (w.windows.positions(), windows(w), w.pad_value, w.gates()),
        };
        Self { vectors, places, pad_value, gates }
    }

    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// Calls `f` with every input vector, in order.
    pub fn each(&self, map: &LayerTrace, mut f: impl FnMut(&LayerTrace)) {
        if self.places.is_empty() {
            return f(map);
        }
        let inputs = self.places.len() / self.vectors;
        self.places.chunks_exact(inputs).for_each(|places| f(&self.vector(map, places)));
    }

    fn vector(&self, map: &LayerTrace, places: &[u32]) -> LayerTrace {
        let plane = |bits: &Bits, pad: bool| {
            let words = bits.words();
            let bit = |place: u32| match place {
                PADDING => pad,
                at => words[at as usize / 64] >> (at % 64) & 1 == 1,
            };
            Bits::from_fn(places.len(), |i| bit(places[i]))
        };
        match map {
            LayerTrace::Bipolar(bits) if self.gates => {
                let nonzero = Bits::from_fn(places.len(), |i| places[i] != PADDING);
                LayerTrace::Trit { nonzero, positive: plane(bits, false) }
            }
            LayerTrace::Bipolar(bits) => LayerTrace::Bipolar(plane(bits, self.pad_value > 0)),
            LayerTrace::Trit { nonzero, positive } => LayerTrace::Trit {
                nonzero: plane(nonzero, self.pad_value != 0),
                positive: plane(positive, self.pad_value > 0),
            },
            LayerTrace::Sums(values) => {
                let value = |place: &u32| if *place == PADDING { self.pad_value } else { values[*place as usize] };
                LayerTrace::Sums(places.iter().map(value).collect())
            }
        }
    }
}

fn windows(w: &WindowPlan) -> Vec<u32> {
    let ([above, left, ..], [kernel_rows, kernel_columns]) = (w.pad, w.kernel);
    let mut places = Vec::with_capacity(w.windows.positions() * w.channels * kernel_rows * kernel_columns);
    for top in (0..w.windows.rows).map(|r| r * w.stride[0]) {
        for start in (0..w.windows.columns).map(|c| c * w.stride[1]) {
            for channel in 0..w.channels {
                for row in top..top + kernel_rows {
                    for column in start..start + kernel_columns {
                        let inside = (above..above + w.map.rows).contains(&row)
                            && (left..left + w.map.columns).contains(&column);
                        let place = || (((row - above) * w.map.columns + column - left) * w.channels + channel) as u32;
                        places.push(if inside { place() } else { PADDING });
                    }
                }
            }
        }
    }
    places
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
        let gather = Gather::new(&Source::Window(window), 8);
        let mut got = Vec::new();
        gather.each(&LayerTrace::Sums(vec![1, 10, 2, 20, 3, 30, 4, 40]), |v| got.push(v.values().collect::<Vec<_>>()));
        assert_eq!(got, [[7, 7, 1, 2, 7, 7, 10, 20], [1, 2, 3, 4, 10, 20, 30, 40]]);
    }

    #[test]
    fn a_flattened_map_runs_channel_by_channel() {
        let gather = Gather::new(&Source::Flatten { positions: 3 }, 6);
        let mut got = Vec::new();
        gather.each(&LayerTrace::Sums(vec![1, 10, 2, 20, 3, 30]), |v| got.extend(v.values()));
        assert_eq!(got, [1, 2, 3, 10, 20, 30]);
    }
}
