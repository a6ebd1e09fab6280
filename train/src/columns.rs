//! Windows of a map as columns of a matrix (im2col), so that the sums of all blocks of a layer are one batched product.
//!
//! Rows are inputs of a neuron, channel by channel and row by row within a kernel; columns are positions, image by
//! image. Blocks lie one below the other, each filled up with zeros to the largest.

use burn::tensor::ops::PadMode;
use burn::tensor::{Int, Tensor, TensorData, s};
use hafnia::network::{Conv, Op, Shape};
use rayon::prelude::*;

use crate::fused;

/// How a layer's inputs become columns.
#[derive(Debug)]
pub struct Columns {
    input: Shape,
    conv: Conv,
    /// Rows and columns of the map of sums.
    output: [usize; 2],
    /// Inputs of a neuron that each row holds; none: zeros.
    rows: Vec<Option<usize>>,
}

impl Columns {
    /// `blocks`: start and size of each. A dense layer is a kernel of one position over a map of one.
    pub fn new(op: &Op, input: Shape, output: Shape, blocks: &[(usize, usize)]) -> Self {
        let (input, conv) = match op {
            Op::Dense => (Shape { channels: input.len(), rows: 1, columns: 1 }, Conv::new([1, 1])),
            Op::Conv(conv) => (input, *conv),
        };
        let largest = blocks.iter().map(|(_, size)| *size).max().unwrap_or(0);
        let block = |&(start, size): &(usize, usize)| (0..largest).map(move |i| (i < size).then_some(start + i));
        let rows = blocks.iter().flat_map(block).collect();
        Self { input, conv, output: [output.rows, output.columns], rows }
    }

    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// From `[image, value]`, values in the order channel, row, column, to `[row, image and position]`.
    pub fn of(self: &std::sync::Arc<Self>, x: Tensor<2>) -> Tensor<2> {
        if fused::is_available(&x) { fused::columns(x, self.clone()) } else { self.composed(x) }
    }

    /// The same with the framework's own operations.
    fn composed(&self, x: Tensor<2>) -> Tensor<2> {
        let ([images, _], device) = (x.dims(), x.device());
        let Shape { channels, rows, columns } = self.input;
        let ([kr, kc], [sr, sc], [or, oc]) = (self.conv.kernel, self.conv.stride, self.output);
        let [above, left, below, right] = self.conv.pad;
        let x = x.reshape([images, channels, rows, columns]);
        let x = x.pad((left, right, above, below), PadMode::Constant(0.0)).swap_dims(0, 1);
        let piece = |k: usize| {
            let (r, c) = (k / kc, k % kc);
            x.clone().slice(s![.., .., r..r + (or - 1) * sr + 1;sr, c..c + (oc - 1) * sc + 1;sc])
        };
        let pieces: Vec<Tensor<4>> = (0..kr * kc).map(piece).collect();
        let all: Tensor<5> = Tensor::stack(pieces, 1);
        let all = all.reshape([channels * kr * kc, images * or * oc]);
        if self.rows.iter().enumerate().all(|(i, row)| *row == Some(i)) {
            return all;
        }
        let zeros = Tensor::<2>::zeros([1, images * or * oc], &device);
        let chosen: Vec<i64> = self.rows.iter().map(|row| row.unwrap_or(channels * kr * kc) as i64).collect();
        let chosen = Tensor::<1, Int>::from_data(TensorData::from(chosen.as_slice()), &device);
        Tensor::cat(vec![all, zeros], 0).select(0, chosen)
    }

    /// On the host: `x` of some images to `[row, image and position]`.
    pub fn unfold(&self, x: &[f32]) -> Vec<f32> {
        let positions = self.positions();
        let images = x.len() / self.input.len();
        let mut out = vec![0.0; self.rows.len() * images * positions];
        let fill = |(row, out): (&Option<usize>, &mut [f32])| {
            let Some(input) = *row else { return };
            for (x, out) in x.chunks_exact(self.input.len()).zip(out.chunks_exact_mut(positions)) {
                self.lines(input, |from, to, stride, count| {
                    let out = &mut out[to..to + count];
                    if stride == 1 {
                        out.copy_from_slice(&x[from..from + count]);
                    } else {
                        out.iter_mut().zip(x[from..].iter().step_by(stride)).for_each(|(o, x)| *o = *x);
                    }
                });
            }
        };
        self.rows.par_iter().zip(out.par_chunks_exact_mut(images * positions)).for_each(fill);
        out
    }

    /// What `unfold` passes back: each input's sum over all places that it went to.
    pub fn fold(&self, columns: &[f32]) -> Vec<f32> {
        let positions = self.positions();
        let across = columns.len() / self.rows.len();
        let mut out = vec![0.0; across / positions * self.input.len()];
        let fill = |(image, x): (usize, &mut [f32])| {
            for (row, columns) in self.rows.iter().zip(columns.chunks_exact(across)) {
                let Some(input) = *row else { continue };
                let own = &columns[image * positions..][..positions];
                self.lines(input, |to, from, stride, count| {
                    let own = &own[from..from + count];
                    if stride == 1 {
                        x[to..to + count].iter_mut().zip(own).for_each(|(x, o)| *x += *o);
                    } else {
                        x[to..].iter_mut().step_by(stride).zip(own).for_each(|(x, o)| *x += *o);
                    }
                });
            }
        };
        out.par_chunks_exact_mut(self.input.len()).enumerate().for_each(fill);
        out
    }

    /// Calls `visit(from, to, stride, count)` for every row of the map of sums: there, `input` of a neuron takes `count` values of an
    /// image from `from` on, `stride` apart, and they belong to the positions from `to` on; padding is left out.
    fn lines(&self, input: usize, mut visit: impl FnMut(usize, usize, usize, usize)) {
        let ([kr, kc], [sr, sc], [above, left, _, _]) = (self.conv.kernel, self.conv.stride, self.conv.pad);
        let (channel, r, c) = (input / (kr * kc), input / kc % kr, input % kc);
        // Positions whose input lies within the map: left <= position * stride + c < left + columns.
        let first = left.saturating_sub(c).div_ceil(sc);
        let end = (left + self.input.columns).saturating_sub(c).div_ceil(sc).min(self.output[1]);
        for row in 0..self.output[0] {
            let inside = (row * sr + r).checked_sub(above).filter(|y| *y < self.input.rows);
            if let (Some(y), true) = (inside, first < end) {
                let from = (channel * self.input.rows + y) * self.input.columns + first * sc + c - left;
                visit(from, row * self.output[1] + first, sc, end - first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::param::values;

    fn columns(conv: Conv, input: Shape, blocks: &[(usize, usize)]) -> Arc<Columns> {
        let output = conv.output(input, 1).unwrap();
        Arc::new(Columns::new(&Op::Conv(conv), input, output, blocks))
    }

    #[test]
    fn windows_by_hand() {
        // One channel, 2 x 3, kernel 2 x 2 padded on the left: positions are (0, -1), (0, 0), (0, 1).
        let input = Shape { channels: 1, rows: 2, columns: 3 };
        let conv = Conv { pad: [0, 1, 0, 0], ..Conv::new([2, 2]) };
        let columns = columns(conv, input, &[(0, 1), (1, 3)]);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let expected = [
            [0.0, 1.0, 2.0], // the upper left input of each window; the first block, filled up
            [0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0],
            [1.0, 2.0, 3.0], // upper right, lower left, lower right
            [0.0, 4.0, 5.0],
            [4.0, 5.0, 6.0],
        ];
        assert_eq!(columns.unfold(&x), expected.concat());
        // Back, each input gets 1 for every window that it lies in.
        assert_eq!(columns.fold(&[1.0; 18]), [2.0, 2.0, 1.0, 2.0, 2.0, 1.0]);
    }

    #[test]
    fn both_ways_agree_with_strides_pads_and_uneven_blocks() {
        let input = Shape { channels: 3, rows: 7, columns: 6 };
        for (stride, pad) in [([1, 1], [1; 4]), ([2, 3], [0, 2, 1, 1]), ([3, 1], [2, 0, 0, 2])] {
            let conv = Conv { stride, pad, ..Conv::new([3, 3]) };
            let columns = columns(conv, input, &[(0, 10), (10, 9), (19, 8)]);
            let device = Device::flex();
            let count = 2 * input.len();
            let data: Vec<f32> = (0..count).map(|i| (i * 37 % 101) as f32 - 50.0).collect();
            let x = || Tensor::<2>::from_data(TensorData::new(data.clone(), [2, input.len()]), &device).autodiff();
            let (fused, composed) = (x().require_grad(), x().require_grad());
            let (a, b) = (columns.of(fused.clone()), columns.composed(composed.clone()));
            assert_eq!(values(a.clone().without_autodiff()), values(b.clone().without_autodiff()));
            let weights: Vec<f32> = (0..a.dims().iter().product()).map(|i| (i % 13) as f32 - 6.0).collect();
            let weights = Tensor::<2>::from_data(TensorData::new(weights, a.dims()), &device).autodiff();
            let gradient = |y: Tensor<2>, x: Tensor<2>| x.grad(&(y * weights.clone()).sum().backward()).unwrap();
            assert_eq!(values(gradient(a, fused)), values(gradient(b, composed)));
        }
    }

    #[test]
    fn a_dense_layer_is_turned() {
        let input = Shape { channels: 3, rows: 1, columns: 1 };
        let columns = Columns::new(&Op::Dense, input, Shape { channels: 1, ..input }, &[(0, 2), (2, 1)]);
        let expected = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0], [0.0, 0.0]];
        assert_eq!(columns.unfold(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), expected.concat());
    }
}
