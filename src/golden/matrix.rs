//! Weights of -1, 0 and +1 as bit planes.

use std::ops::Range;

use ndarray::ArrayView2;

use super::{Bits, LayerTrace, kernels};

/// A vector of bipolar values or trits: a plane of signs (1 = +1) and, unless no value is 0, one of nonzero values.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    pub nonzero: Option<&'a [u64]>,
    pub positive: &'a [u64],
}

impl<'a> Planes<'a> {
    /// `None` for integers.
    pub fn of(vector: &'a LayerTrace) -> Option<Self> {
        match vector {
            LayerTrace::Bipolar(bits) => Some(Self { nonzero: None, positive: bits.words() }),
            LayerTrace::Trit { nonzero, positive } => {
                Some(Self { nonzero: Some(nonzero.words()), positive: positive.words() })
            }
            LayerTrace::Sums(_) => None,
        }
    }

    /// Values `start .. start + len`, moved to bit 0 of `space`.
    pub fn slice<'s>(self, start: usize, len: usize, space: &'s mut [Vec<u64>; 2]) -> Planes<'s> {
        let [nonzero, positive] = space;
        copy_bits(self.positive, start, len, positive);
        let nonzero = self.nonzero.map(|plane| {
            copy_bits(plane, start, len, nonzero);
            nonzero.as_slice()
        });
        Planes { nonzero, positive }
    }
}

/// `to` becomes bits `start .. start + len` of `from`, moved to bit 0; bits beyond are 0.
fn copy_bits(from: &[u64], start: usize, len: usize, to: &mut Vec<u64>) {
    let (first, shift) = (start / 64, start % 64);
    let word = |k: usize| from.get(first + k).copied().unwrap_or(0);
    to.clear();
    to.extend((0..len.div_ceil(64)).map(|k| match shift {
        0 => word(k),
        _ => word(k) >> shift | word(k + 1) << (64 - shift),
    }));
    if let Some(last) = to.last_mut().filter(|_| !len.is_multiple_of(64)) {
        *last &= (1 << (len % 64)) - 1;
    }
}

/// Weights `[neurons, inputs]`, a row of whole words a neuron.
pub(super) struct Matrix {
    inputs: usize,
    /// Words of a row.
    words: usize,
    positive: Vec<u64>,
    /// Absent where no weight is 0.
    nonzero: Option<Nonzero>,
}

struct Nonzero {
    plane: Vec<u64>,
    /// Nonzero weights of every neuron.
    counts: Vec<i32>,
}

impl Matrix {
    /// Packs weights of -1, 0 and +1.
    pub fn new(weights: ArrayView2<i8>) -> Self {
        let plane = |f: &dyn Fn(i8) -> bool| -> Vec<u64> {
            let row = |row: ndarray::ArrayView1<i8>| Bits::from_fn(row.len(), |i| f(row[i])).words().to_vec();
            weights.rows().into_iter().flat_map(row).collect()
        };
        let counts = || weights.rows().into_iter().map(|r| r.iter().filter(|w| **w != 0).count() as i32).collect();
        let nonzero = weights.iter().any(|w| *w == 0).then(|| Nonzero { plane: plane(&|w| w != 0), counts: counts() });
        let inputs = weights.ncols();
        Self { inputs, words: inputs.div_ceil(64), positive: plane(&|w| w > 0), nonzero }
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// `out[j] = sum_i w_ji x_i`.
    pub fn sums(&self, x: Planes, out: &mut [i32]) {
        debug_assert_eq!(x.positive.len(), self.words);
        match (x.nonzero, &self.nonzero) {
            (None, None) => {
                kernels::differing(x.positive, &self.positive, out);
                out.iter_mut().for_each(|d| *d = self.inputs as i32 - 2 * *d);
            }
            (Some(mask), None) => {
                kernels::differing_under(mask, x.positive, &self.positive, out);
                let count = mask.iter().map(|w| w.count_ones() as i32).sum::<i32>();
                out.iter_mut().for_each(|d| *d = count - 2 * *d);
            }
            (None, Some(Nonzero { plane, counts })) => {
                kernels::differing_under_rows(x.positive, plane, &self.positive, out);
                out.iter_mut().zip(counts).for_each(|(d, count)| *d = count - 2 * *d);
            }
            (Some(mask), Some(Nonzero { plane, .. })) => {
                kernels::agreeing_less_differing(mask, x.positive, plane, &self.positive, out);
            }
        }
    }

    /// `sum_i w_ji x_i` over `inputs`; those beyond the matrix give 0.
    pub fn partial_sum(&self, j: usize, inputs: Range<usize>, x: Planes) -> i32 {
        let end = inputs.end.min(self.inputs);
        let mut sum = 0;
        for k in inputs.start / 64..end.div_ceil(64) {
            let mut mask = u64::MAX;
            if k == inputs.start / 64 {
                mask &= u64::MAX << (inputs.start % 64);
            }
            if 64 * (k + 1) > end {
                mask &= u64::MAX >> (64 * (k + 1) - end);
            }
            let at = j * self.words + k;
            let both = mask & x.nonzero.map_or(u64::MAX, |p| p[k]);
            let both = both & self.nonzero.as_ref().map_or(u64::MAX, |p| p.plane[at]);
            let differing = both & (self.positive[at] ^ x.positive[k]);
            sum += both.count_ones() as i32 - 2 * differing.count_ones() as i32;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::copy_bits;

    #[test]
    fn bits_are_copied_across_words() {
        let from = [0xf000_0000_0000_0000, 0x0000_0000_0000_00a5, 1];
        let mut to = vec![7; 9];
        copy_bits(&from, 60, 12, &mut to);
        assert_eq!(to, [0xa5f]);
        copy_bits(&from, 64, 64, &mut to);
        assert_eq!(to, [0xa5]);
        copy_bits(&from, 60, 69, &mut to);
        assert_eq!(to, [0xa5f, 0x10]);
        copy_bits(&from, 0, 63, &mut to);
        assert_eq!(to, [0x7000_0000_0000_0000]);
    }
}
