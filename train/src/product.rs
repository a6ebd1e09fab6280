//! Sums of all blocks of a layer.
//!
//! A convolution's columns hold every input nine times over for a 3x3 kernel, too many for a cache, so on a CPU they
//! are never all in memory: tiles of a few images are unfolded, multiplied and forgotten, and unfolded again on the way back.

use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use crate::columns::Columns;
use crate::fused;

/// Values of a tile's columns, about what a core's cache holds.
const TILE: usize = 1 << 18;

/// Groups of images whose gradients of weights are added up apart, whatever the number of threads, so that it does not
/// change what comes out.
const GROUPS: usize = 16;

/// `x`: `[image, value]`, values in the order channel, row, column; `weights`: `[neuron, input]`. Gives
/// `[block, neuron, image and position]`.
pub fn sums(x: Tensor<2>, weights: Tensor<2>, columns: &Arc<Columns>) -> Tensor<3> {
    if columns.positions() == 1 || !fused::is_available(&x) {
        return composed(x, weights, columns);
    }
    let (blocks, neurons) = (columns.blocks().len(), weights.dims()[0]);
    let sums = fused::sums(x, weights, columns.clone());
    let across = sums.dims()[1];
    sums.reshape([blocks, neurons, across])
}

/// With the framework's own operations.
fn composed(x: Tensor<2>, weights: Tensor<2>, columns: &Columns) -> Tensor<3> {
    let largest = columns.largest();
    let block = |&(start, size): &(usize, usize)| {
        let own = weights.clone().narrow(1, start, size);
        if size == largest { own } else { own.pad([(0, 0), (0, largest - size)], PadMode::Constant(0.0)) }
    };
    let own: Tensor<3> = Tensor::stack(columns.blocks().iter().map(block).collect(), 0);
    own.matmul(columns.of(x))
}

/// Images whose columns make up a tile.
fn images_of_tile(columns: &Columns) -> usize {
    (TILE / (columns.largest() * columns.positions())).max(1)
}

fn block_view(weights: ArrayView2<f32>, (start, size): (usize, usize)) -> ArrayView2<f32> {
    weights.slice_move(s![.., start..start + size])
}

/// On the host: `[block and neuron, image and position]`.
pub fn forward(columns: &Columns, x: &[f32], weights: ArrayView2<f32>) -> Vec<f32> {
    let (positions, inputs, neurons) = (columns.positions(), columns.inputs(), weights.nrows());
    let mut out = Array2::zeros([columns.blocks().len() * neurons, x.len() / inputs * positions]);
    let images = images_of_tile(columns);
    let tiles = out.axis_chunks_iter_mut(Axis(1), images * positions).zip(x.chunks(images * inputs));
    let tiles: Vec<(ArrayViewMut2<f32>, &[f32])> = tiles.collect();
    tiles.into_par_iter().for_each_init(Vec::new, |buffer, (mut out, x)| {
        for (b, block) in columns.blocks().iter().enumerate() {
            columns.unfold(b, x, buffer);
            let own = ArrayView2::from_shape([block.1, out.ncols()], buffer).expect("unfolded");
            let mut sums = out.slice_mut(s![b * neurons..(b + 1) * neurons, ..]);
            general_mat_mul(1.0, &block_view(weights, *block), &own, 0.0, &mut sums);
        }
    });
    out.into_raw_vec_and_offset().0
}

/// On the host: gradients of the weights, and of `x` where asked for, from that of the sums.
pub fn backward(
    columns: &Columns,
    x: &[f32],
    weights: ArrayView2<f32>,
    gradient: ArrayView2<f32>,
    of_x: bool,
) -> (Vec<f32>, Option<Vec<f32>>) {
    let (positions, inputs, neurons) = (columns.positions(), columns.inputs(), weights.nrows());
    let tile = images_of_tile(columns);
    let group = (x.len() / inputs).div_ceil(GROUPS).next_multiple_of(tile);
    let mut to_x = vec![0.0; x.len()];
    let of_group = |(g, (x, to_x)): (usize, (&[f32], &mut [f32]))| {
        let (mut to_weights, mut buffer) = (Array2::zeros(weights.raw_dim()), Vec::new());
        let tiles = x.chunks(tile * inputs).zip(to_x.chunks_mut(tile * inputs));
        for (t, (x, to_x)) in tiles.enumerate() {
            let (first, across) = ((g * group + t * tile) * positions, x.len() / inputs * positions);
            for (b, block) in columns.blocks().iter().enumerate() {
                let own = gradient.slice(s![b * neurons..(b + 1) * neurons, first..first + across]);
                columns.unfold(b, x, &mut buffer);
                let mut unfolded = ArrayViewMut2::from_shape([block.1, across], &mut buffer).expect("unfolded");
                let mut to_weights = to_weights.slice_mut(s![.., block.0..block.0 + block.1]);
                general_mat_mul(1.0, &own, &unfolded.t(), 1.0, &mut to_weights);
                if of_x {
                    general_mat_mul(1.0, &block_view(weights, *block).t(), &own, 0.0, &mut unfolded);
                    columns.fold(b, &buffer, to_x);
                }
            }
        }
        to_weights
    };
    let groups = x.par_chunks(group * inputs).zip(to_x.par_chunks_mut(group * inputs)).enumerate();
    let parts: Vec<Array2<f32>> = groups.map(of_group).collect();
    let to_weights = parts.into_iter().reduce(|sum, part| sum + part).expect("at least one image");
    (to_weights.into_raw_vec_and_offset().0, of_x.then_some(to_x))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use hafnia::network::{Conv, Op, Shape};

    use super::*;
    use crate::param::values;

    #[test]
    fn both_ways_agree_with_strides_pads_and_uneven_blocks() {
        let input = Shape { channels: 3, rows: 7, columns: 6 };
        for (stride, pad) in [([1, 1], [1; 4]), ([2, 3], [0, 2, 1, 1]), ([3, 1], [2, 0, 0, 2])] {
            for blocks in [vec![(0, 27)], vec![(0, 10), (10, 9), (19, 8)]] {
                let conv = Conv { stride, pad, ..Conv::new([3, 3]) };
                let output = conv.output(input, 1).unwrap();
                let columns = Arc::new(Columns::new(&Op::Conv(conv), input, output, blocks));
                let device = Device::flex();
                // Whole numbers, so that the order of additions does not show.
                let tensor = |sides: [usize; 2], step: usize| {
                    let data = (0..sides[0] * sides[1]).map(|i| (i * step % 101) as f32 - 50.0).collect::<Vec<f32>>();
                    Tensor::<2>::from_data(TensorData::new(data, sides), &device).autodiff().require_grad()
                };
                // More images than groups.
                let all = |sums: fn(Tensor<2>, Tensor<2>, &Arc<Columns>) -> Tensor<3>| {
                    let (x, weights) = (tensor([37, input.len()], 37), tensor([4, 27], 29));
                    let y = sums(x.clone(), weights.clone(), &columns);
                    let pull = tensor([1, y.dims().iter().product()], 13).reshape(y.dims());
                    let grads = (y.clone() * pull).sum().backward();
                    let gradients = [x, weights].map(|t| values(t.grad(&grads).unwrap()));
                    (y.dims(), values(y.without_autodiff()), gradients)
                };
                assert_eq!(all(sums), all(|x, weights, columns| composed(x, weights, columns)));
            }
        }
    }
}
