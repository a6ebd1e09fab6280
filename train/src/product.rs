//! Sums of all blocks of a layer, pooled where that comes next.
//!
//! A convolution's columns hold every input nine times over for a 3x3 kernel, too many for a cache, so on a CPU they
//! are never all in memory: tiles of a few images are unfolded, multiplied and forgotten, and unfolded again on the way back. A pool takes the sums while they are in the cache.

use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use hafnia::network::Pool;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, s};
use rayon::prelude::*;

use crate::columns::Columns;
use crate::fused;
use crate::matrix::{multiply, multiply_add};
use crate::pooled::{self, max_pool};

/// Values of a tile's columns, about what a core's cache holds.
const TILE: usize = 1 << 18;

/// Groups of images whose gradients of weights are added up apart, whatever the number of threads, so that it does not
/// change what comes out.
const GROUPS: usize = 16;

/// `x`: `[image, value]`, values in the order channel, row, column; `weights`: `[neuron, input]`. Gives
/// `[block, neuron, image and position]`, positions those that a pool leaves.
pub fn sums(x: Tensor<2>, weights: Tensor<2>, columns: &Arc<Columns>, pool: Option<Pool>) -> Tensor<3> {
    if columns.positions() == 1 || !fused::is_available(&x) {
        return composed(x, weights, columns, pool);
    }
    let (blocks, neurons) = (columns.blocks().len(), weights.dims()[0]);
    let sums = match pool {
        None => fused::sums(x, weights, columns.clone()),
        Some(pool) => fused::pooled_sums(x, weights, columns.clone(), pool),
    };
    let across = sums.dims()[1];
    sums.reshape([blocks, neurons, across])
}

/// With the framework's own operations.
fn composed(x: Tensor<2>, weights: Tensor<2>, columns: &Columns, pool: Option<Pool>) -> Tensor<3> {
    let images = x.dims()[0];
    let largest = columns.largest();
    let block = |&(start, size): &(usize, usize)| {
        let own = weights.clone().narrow(1, start, size);
        if size == largest { own } else { own.pad([(0, 0), (0, largest - size)], PadMode::Constant(0.0)) }
    };
    let own: Tensor<3> = Tensor::stack(columns.blocks().iter().map(block).collect(), 0);
    let sums = own.matmul(columns.of(x));
    let Some(pool) = pool else { return sums };
    let ([blocks, neurons, _], [rows, across]) = (sums.dims(), columns.map());
    let pooled = max_pool(sums.reshape([blocks * neurons * images, rows, across]), pool);
    let [_, rows, across] = pooled.dims();
    pooled.reshape([blocks, neurons, images * rows * across])
}

/// Images whose columns make up a tile.
fn images_of_tile(columns: &Columns) -> usize {
    (TILE / (columns.largest() * columns.positions())).max(1)
}

fn block_view(weights: ArrayView2<f32>, (start, size): (usize, usize)) -> ArrayView2<f32> {
    weights.slice_move(s![.., start..start + size])
}

/// Of one block and a tile of images to `out`.
fn block_sums(
    columns: &Columns,
    b: usize,
    x: &[f32],
    weights: ArrayView2<f32>,
    buffer: &mut Vec<f32>,
    out: ArrayViewMut2<f32>,
) {
    let block = columns.blocks()[b];
    columns.unfold(b, x, buffer);
    let own = ArrayView2::from_shape([block.1, out.ncols()], buffer).expect("unfolded");
    multiply(block_view(weights, block), own, out);
}

/// On the host: `[block and neuron, image and position]`.
pub fn forward(columns: &Columns, x: &[f32], weights: ArrayView2<f32>) -> Vec<f32> {
    let (positions, inputs, neurons) = (columns.positions(), columns.inputs(), weights.nrows());
    let mut out = Array2::zeros([columns.blocks().len() * neurons, x.len() / inputs * positions]);
    let images = images_of_tile(columns);
    let tiles = out.axis_chunks_iter_mut(Axis(1), images * positions).zip(x.chunks(images * inputs));
    let tiles: Vec<(ArrayViewMut2<f32>, &[f32])> = tiles.collect();
    tiles.into_par_iter().for_each_init(Vec::new, |buffer, (mut out, x)| {
        for (b, mut out) in out.axis_chunks_iter_mut(Axis(0), neurons).enumerate() {
            block_sums(columns, b, x, weights, buffer, out.view_mut());
        }
    });
    out.into_raw_vec_and_offset().0
}

/// On the host: maxima of the sums, and how far behind the first value of its window each is in its plane.
pub fn pooled_forward(columns: &Columns, x: &[f32], weights: ArrayView2<f32>, pool: Pool) -> (Vec<f32>, Array2<u32>) {
    let (positions, inputs, neurons) = (columns.positions(), columns.inputs(), weights.nrows());
    let kept = pooled::area(pool, columns.map());
    let sides = [columns.blocks().len() * neurons, x.len() / inputs * kept];
    let (mut out, mut places) = (Array2::zeros(sides), Array2::zeros(sides));
    let images = images_of_tile(columns);
    let outs = out.axis_chunks_iter_mut(Axis(1), images * kept);
    let tiles = outs.zip(places.axis_chunks_iter_mut(Axis(1), images * kept)).zip(x.chunks(images * inputs));
    type Tile<'a> = ((ArrayViewMut2<'a, f32>, ArrayViewMut2<'a, u32>), &'a [f32]);
    let tiles: Vec<Tile> = tiles.collect();
    let fill = |(buffer, sums): &mut (Vec<f32>, Vec<f32>), ((mut out, mut places), x): Tile| {
        let across = x.len() / inputs * positions;
        sums.resize(neurons * across, 0.0);
        let blocks = out.axis_chunks_iter_mut(Axis(0), neurons).zip(places.axis_chunks_iter_mut(Axis(0), neurons));
        for (b, (out, places)) in blocks.enumerate() {
            let mut sums = ArrayViewMut2::from_shape([neurons, across], sums).expect("resized");
            block_sums(columns, b, x, weights, buffer, sums.view_mut());
            pooled::maxima(sums.view(), pool, columns.map(), out, places);
        }
    };
    tiles.into_par_iter().for_each_init(Default::default, fill);
    (out.into_raw_vec_and_offset().0, places)
}

/// On the host: gradients of the weights, and of `x` where asked for, from that of the sums, or of their maxima with their pool
/// and places.
pub fn backward(
    columns: &Columns,
    x: &[f32],
    weights: ArrayView2<f32>,
    gradient: ArrayView2<f32>,
    pool: Option<(Pool, ArrayView2<u32>)>,
    of_x: bool,
) -> (Vec<f32>, Option<Vec<f32>>) {
    let (positions, inputs, neurons) = (columns.positions(), columns.inputs(), weights.nrows());
    let kept = gradient.ncols() / (x.len() / inputs);
    let tile = images_of_tile(columns);
    let group = (x.len() / inputs).div_ceil(GROUPS).next_multiple_of(tile);
    let mut to_x = vec![0.0; x.len()];
    let of_group = |(g, (x, to_x)): (usize, (&[f32], &mut [f32]))| {
        // Neurons side by side, so that the product transposes the few gradients and not the many columns.
        let mut to_weights = Array2::zeros(weights.raw_dim().f());
        let (mut buffer, mut spread) = (Vec::new(), Vec::new());
        let tiles = x.chunks(tile * inputs).zip(to_x.chunks_mut(tile * inputs));
        for (t, (x, to_x)) in tiles.enumerate() {
            let images = x.len() / inputs;
            let first = (g * group + t * tile) * kept;
            for (b, block) in columns.blocks().iter().enumerate() {
                let own = s![b * neurons..(b + 1) * neurons, first..first + images * kept];
                let gradient = gradient.slice(own);
                let own = match &pool {
                    None => gradient,
                    Some((pool, places)) => {
                        spread.clear();
                        spread.resize(neurons * images * positions, 0.0);
                        let sides = [neurons, images * positions];
                        let mut whole = ArrayViewMut2::from_shape(sides, &mut spread).expect("resized");
                        pooled::spread(gradient, places.slice(own), *pool, columns.map(), whole.view_mut());
                        ArrayView2::from_shape(sides, &spread).expect("resized")
                    }
                };
                columns.unfold(b, x, &mut buffer);
                let mut unfolded =
                    ArrayViewMut2::from_shape([block.1, images * positions], &mut buffer).expect("unfolded");
                let to_weights = to_weights.slice_mut(s![.., block.0..block.0 + block.1]);
                multiply_add(own, unfolded.t(), to_weights);
                if of_x {
                    multiply(block_view(weights, *block).t(), own, unfolded.view_mut());
                    columns.fold(b, &mut buffer, to_x);
                }
            }
        }
        to_weights
    };
    let groups = x.par_chunks(group * inputs).zip(to_x.par_chunks_mut(group * inputs)).enumerate();
    let parts: Vec<Array2<f32>> = groups.map(of_group).collect();
    let to_weights = parts.into_iter().reduce(|sum, part| sum + part).expect("at least one image");
    (to_weights.iter().copied().collect(), of_x.then_some(to_x))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use hafnia::network::{Conv, Op, PoolOrder, Shape};

    use super::*;
    use crate::param::values;

    #[test]
    fn both_ways_agree_with_strides_pads_and_uneven_blocks() {
        let input = Shape { channels: 3, rows: 7, columns: 6 };
        let maps = [
            ([1, 1], [1; 4]),
            ([1, 1], [0, 2, 1, 0]),
            ([1, 1], [2, 0, 1, 2]),
            ([2, 3], [0, 2, 1, 1]),
            ([3, 1], [2, 0, 0, 2]),
        ];
        for (stride, pad) in maps {
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
                let all = |fused: bool, pool: Option<Pool>| {
                    let (x, weights) = (tensor([37, input.len()], 37), tensor([4, 27], 29));
                    let y = match fused {
                        true => sums(x.clone(), weights.clone(), &columns, pool),
                        false => composed(x.clone(), weights.clone(), &columns, pool),
                    };
                    let pull = tensor([1, y.dims().iter().product()], 13).reshape(y.dims());
                    let grads = (y.clone() * pull).sum().backward();
                    let gradients = [x, weights].map(|t| values(t.grad(&grads).unwrap()));
                    (y.dims(), values(y.without_autodiff()), gradients)
                };
                let order = PoolOrder::BeforeNormalize;
                let pool = |size, stride| Some(Pool { size, stride, order });
                for pool in [None, pool([2, 2], [2, 2]), pool([2, 1], [1, 1]), pool([1, 2], [1, 1])] {
                    let [got, expected] = [true, false].map(|fused| all(fused, pool));
                    assert_eq!(got, expected, "{conv:?} {pool:?}");
                }
            }
        }
    }
}
