//! Windows of a map as columns of a matrix (im2col).
//!
//! Rows are inputs of a neuron, channel by channel and row by row within a kernel; columns are positions, image by
//! image.

use std::ops::Range;

use burn::tensor::ops::PadMode;
use burn::tensor::{Int, Tensor, TensorData, s};
use hafnia::network::{Conv, Op, Shape};
use multiversion::multiversion;

/// How a layer's inputs become columns.
#[derive(Debug)]
pub struct Columns {
    input: Shape,
    conv: Conv,
    /// Rows and columns of the map of sums.
    output: [usize; 2],
    /// First input and number of inputs of each block that a neuron is split into.
    blocks: Vec<(usize, usize)>,
}

impl Columns {
    /// `blocks`: start and size of each. A dense layer is a kernel of one position over a map of one.
    pub fn new(op: &Op, input: Shape, output: Shape, blocks: Vec<(usize, usize)>) -> Self {
        let (input, conv) = match op {
            Op::Dense => (Shape { channels: input.len(), rows: 1, columns: 1 }, Conv::new([1, 1])),
            Op::Conv(conv) => (input, *conv),
        };
        Self { input, conv, output: [output.rows, output.columns], blocks }
    }

    /// Values of an image.
    pub fn inputs(&self) -> usize {
        self.input.len()
    }

    /// Rows and columns of the map of sums.
    pub fn map(&self) -> [usize; 2] {
        self.output
    }

    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub fn blocks(&self) -> &[(usize, usize)] {
        &self.blocks
    }

    /// Inputs of the largest block.
    pub fn largest(&self) -> usize {
        self.blocks.iter().map(|(_, size)| *size).max().unwrap_or(0)
    }

    /// From `[image, value]`, values in the order channel, row, column, to `[block, row, image and position]`; blocks are filled up
    /// with zeros to the largest.
    pub fn of(&self, x: Tensor<2>) -> Tensor<3> {
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
        let (blocks, largest, across) = (self.blocks.len(), self.largest(), images * or * oc);
        if blocks == 1 {
            return all.reshape([1, largest, across]);
        }
        let zeros = Tensor::<2>::zeros([1, across], &device);
        let rows = |(start, size): &(usize, usize)| {
            let (start, size) = (*start, *size);
            (0..largest).map(move |i| if i < size { start + i } else { channels * kr * kc } as i64)
        };
        let chosen: Vec<i64> = self.blocks.iter().flat_map(rows).collect();
        let chosen = Tensor::<1, Int>::from_data(TensorData::from(chosen.as_slice()), &device);
        Tensor::cat(vec![all, zeros], 0).select(0, chosen).reshape([blocks, largest, across])
    }

    /// On the host, one block of some images: `out` becomes `[row, image and position]`.
    pub fn unfold(&self, block: usize, x: &[f32], out: &mut Vec<f32>) {
        let (positions, (start, size)) = (self.positions(), self.blocks[block]);
        let across = x.len() / self.inputs() * positions;
        out.resize(size * across, 0.0);
        for (input, out) in (start..start + size).zip(out.chunks_exact_mut(across)) {
            let images = x.chunks_exact(self.inputs()).zip(out.chunks_exact_mut(positions));
            match self.moved(input) {
                Some(moved) => images.for_each(|(x, out)| moved.unfold(x, out)),
                None => images.for_each(|(x, out)| {
                    out.fill(0.0);
                    self.lines(input, |from, to, stride, count| {
                        let from = x[from..].iter().step_by(stride);
                        out[to..to + count].iter_mut().zip(from).for_each(|(o, x)| *o = *x);
                    });
                }),
            }
        }
    }

    /// What `unfold` passes back, added to `x`: each input's sum over all places that it went to. What `columns` has for
    /// padding may be lost.
    pub fn fold(&self, block: usize, columns: &mut [f32], x: &mut [f32]) {
        let (positions, (start, size)) = (self.positions(), self.blocks[block]);
        let across = columns.len() / size;
        for (input, columns) in (start..start + size).zip(columns.chunks_exact_mut(across)) {
            let images = x.chunks_exact_mut(self.inputs()).zip(columns.chunks_exact_mut(positions));
            match self.moved(input) {
                Some(moved) => images.for_each(|(x, own)| moved.fold(own, x)),
                None => images.for_each(|(x, own)| {
                    self.lines(input, |to, from, stride, count| {
                        let to = x[to..].iter_mut().step_by(stride);
                        to.zip(&own[from..from + count]).for_each(|(x, o)| *x += *o);
                    });
                }),
            }
        }
    }

    /// See [`Moved`]; of maps that are as wide as their inputs.
    fn moved(&self, input: usize) -> Option<Moved> {
        let ([kr, kc], [above, left, _, _]) = (self.conv.kernel, self.conv.pad);
        let Shape { rows, columns: width, .. } = self.input;
        if self.conv.stride != [1, 1] || self.output[1] != width {
            return None;
        }
        let (channel, r, c) = (input / (kr * kc), input / kc % kr, input % kc);
        let (before, behind) = (above * width + left, r * width + c);
        let (to, from) = (before.saturating_sub(behind), behind.saturating_sub(before));
        let count = self.positions().saturating_sub(to).min((rows * width).saturating_sub(from));
        let outside = if c < left { 0..width.min(left - c) } else { width.saturating_sub(c - left)..width };
        Some(Moved { from: channel * rows * width + from, to, count, width, outside })
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

/// What an input of a neuron takes over all positions, where these lie one by one and the map keeps its width: a plane of the
/// image as it lies in memory, moved by the input's place in the kernel. Padding is the rest: positions before and behind
/// what is moved, and columns at one side.
struct Moved {
    /// First value, in the image.
    from: usize,
    /// Position that takes it.
    to: usize,
    /// Values that follow one another.
    count: usize,
    /// Columns of the map.
    width: usize,
    /// Those whose input is padding.
    outside: Range<usize>,
}

impl Moved {
    fn unfold(&self, x: &[f32], out: &mut [f32]) {
        if self.count == 0 {
            return out.fill(0.0);
        }
        let end = self.to + self.count;
        out[..self.to].fill(0.0);
        out[self.to..end].copy_from_slice(&x[self.from..self.from + self.count]);
        out[end..].fill(0.0);
        self.clear_outside(out);
    }

    fn fold(&self, own: &mut [f32], x: &mut [f32]) {
        self.clear_outside(own);
        if self.count > 0 {
            add(&mut x[self.from..self.from + self.count], &own[self.to..self.to + self.count]);
        }
    }

    fn clear_outside(&self, map: &mut [f32]) {
        for column in self.outside.clone() {
            map.iter_mut().skip(column).step_by(self.width).for_each(|value| *value = 0.0);
        }
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn add(x: &mut [f32], own: &[f32]) {
    x.iter_mut().zip(own).for_each(|(x, o)| *x += *o);
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::param::values;

    #[test]
    fn windows_by_hand() {
        // One channel, 2 x 3, kernel 2 x 2 padded on the left: positions are (0, -1), (0, 0), (0, 1).
        let input = Shape { channels: 1, rows: 2, columns: 3 };
        let conv = Conv { pad: [0, 1, 0, 0], ..Conv::new([2, 2]) };
        let output = conv.output(input, 1).unwrap();
        let columns = Columns::new(&Op::Conv(conv), input, output, vec![(0, 1), (1, 3)]);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (mut first, mut second) = (vec![], vec![9.0]);
        columns.unfold(0, &x, &mut first);
        columns.unfold(1, &x, &mut second);
        assert_eq!(first, [0.0, 1.0, 2.0]); // the upper left input of each window
        let upper_right_then_lower = [[1.0, 2.0, 3.0], [0.0, 4.0, 5.0], [4.0, 5.0, 6.0]];
        assert_eq!(second, upper_right_then_lower.concat());
        let filled_up = [[0.0, 1.0, 2.0], [0.0; 3], [0.0; 3]];
        let all = columns.of(Tensor::from_floats([x], &Device::flex()));
        assert_eq!(values(all), [filled_up.concat(), upper_right_then_lower.concat()].concat());
        // Back, each input gets 1 for every window that it lies in.
        let mut back = [0.0; 6];
        columns.fold(0, &mut [1.0; 3], &mut back);
        columns.fold(1, &mut [1.0; 9], &mut back);
        assert_eq!(back, [2.0, 2.0, 1.0, 2.0, 2.0, 1.0]);
    }

    #[test]
    fn a_dense_layer_is_turned() {
        let input = Shape { channels: 3, rows: 1, columns: 1 };
        let columns = Columns::new(&Op::Dense, input, Shape { channels: 1, ..input }, vec![(0, 2), (2, 1)]);
        let x = Tensor::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::flex());
        assert_eq!(values(columns.of(x)), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0, 0.0, 0.0]);
    }
}
