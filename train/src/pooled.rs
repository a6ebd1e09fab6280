//! Maximum over windows of positions.

use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use hafnia::network::Pool;
use multiversion::multiversion;
use rayon::prelude::*;

use crate::fused;

/// Of every plane of `[plane, row, column]`. Positions that fill no whole window are left out; the gradient goes to the first
/// maximum of a window.
pub fn max_pool(x: Tensor<3>, pool: Pool) -> Tensor<3> {
    if fused::is_available(&x) {
        return fused::max_pool(x, pool);
    }
    composed(x, pool)
}

/// With the framework's own operation.
fn composed(x: Tensor<3>, pool: Pool) -> Tensor<3> {
    let [planes, rows, columns] = x.dims();
    let options = MaxPoolOptions { stride: pool.stride, ..MaxPoolOptions::new(pool.size) };
    let y = max_pool2d(x.reshape([planes, 1, rows, columns]), options);
    let [_, _, rows, columns] = y.dims();
    y.reshape([planes, rows, columns])
}

/// Rows and columns of what comes out.
pub fn sides(pool: Pool, [rows, columns]: [usize; 2]) -> [usize; 2] {
    [(rows - pool.size[0]) / pool.stride[0] + 1, (columns - pool.size[1]) / pool.stride[1] + 1]
}

/// On the host: maxima, and which value of its window each is, row by row.
pub fn maxima(x: &[f32], pool: Pool, from: [usize; 2]) -> (Vec<f32>, Vec<u32>) {
    let ([rows, columns], area) = (sides(pool, from), from[0] * from[1]);
    let count = x.len() / area * rows * columns;
    let (mut out, mut places) = (vec![0.0; count], vec![0; count]);
    let planes = out.par_chunks_exact_mut(rows * columns).zip(places.par_chunks_exact_mut(rows * columns));
    planes
        .zip(x.par_chunks_exact(area))
        .for_each(|((out, places), x)| plane_of_maxima(x, pool, from[1], columns, out, places));
    (out, places)
}

#[multiversion(targets("x86_64+avx2"))]
fn plane_of_maxima(x: &[f32], pool: Pool, width: usize, columns: usize, out: &mut [f32], places: &mut [u32]) {
    let lines = out.chunks_exact_mut(columns).zip(places.chunks_exact_mut(columns));
    for (row, (out, places)) in lines.enumerate() {
        let x = &x[row * pool.stride[0] * width..];
        match (pool.size, pool.stride) {
            ([2, 2], [2, 2]) => line_of_pairs(x, &x[width..], out, places),
            (size, [_, stride]) => line_of_maxima(x, size, stride, width, out, places),
        }
    }
}

/// The usual size, in a form that suits vector units.
#[inline(always)]
fn line_of_pairs(above: &[f32], below: &[f32], out: &mut [f32], places: &mut [u32]) {
    let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
    for ((out, kept), (above, below)) in out.iter_mut().zip(places).zip(pairs) {
        let (mut best, mut place) = (above[0], 0);
        for (x, at) in [(above[1], 1), (below[0], 2), (below[1], 3)] {
            let larger = x > best;
            place = if larger { at } else { place };
            best = if larger { x } else { best };
        }
        (*out, *kept) = (best, place);
    }
}

/// `x` starts at the first window of the line; rows of the map are `width` apart.
fn line_of_maxima(x: &[f32], size: [usize; 2], stride: usize, width: usize, out: &mut [f32], places: &mut [u32]) {
    for (c, (out, kept)) in out.iter_mut().zip(places).enumerate() {
        let (mut best, mut place) = (f32::NEG_INFINITY, 0);
        for row in 0..size[0] {
            let own = &x[row * width + c * stride..][..size[1]];
            for (column, x) in own.iter().enumerate() {
                let larger = *x > best;
                place = if larger { (row * size[1] + column) as u32 } else { place };
                best = if larger { *x } else { best };
            }
        }
        (*out, *kept) = (best, place);
    }
}

/// On the host: gradients of the maxima to where these came from.
pub fn spread(gradient: &[f32], places: &[u32], pool: Pool, from: [usize; 2]) -> Vec<f32> {
    let ([rows, columns], area) = (sides(pool, from), from[0] * from[1]);
    let across = rows * columns;
    let mut out = vec![0.0; gradient.len() / across * area];
    let planes = gradient.par_chunks_exact(across).zip(places.par_chunks_exact(across));
    out.par_chunks_exact_mut(area).zip(planes).for_each(|(out, (gradient, places))| {
        for (i, (g, place)) in gradient.iter().zip(places).enumerate() {
            let (place, [r, c]) = (*place as usize, [i / columns, i % columns]);
            let row = r * pool.stride[0] + place / pool.size[1];
            out[row * from[1] + c * pool.stride[1] + place % pool.size[1]] += g;
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use hafnia::network::PoolOrder;

    use super::*;
    use crate::param::values;

    fn pool(size: [usize; 2], stride: [usize; 2]) -> Pool {
        Pool { size, stride, order: PoolOrder::BeforeNormalize }
    }

    #[test]
    fn maxima_by_hand() {
        // The last column fills no window; of the equal ones in the first window, the first counts.
        let x = [3.0, 3.0, -1.0, -2.0, 9.0, 0.0, 3.0, -1.0, -5.0, 9.0];
        let (y, places) = maxima(&x, pool([2, 2], [2, 2]), [2, 5]);
        assert_eq!((y, places.clone()), (vec![3.0, -1.0], vec![0, 0]));
        let back = spread(&[1.0, 2.0], &places, pool([2, 2], [2, 2]), [2, 5]);
        assert_eq!(back, [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn both_ways_agree() {
        let device = Device::flex();
        for pool in [pool([2, 2], [2, 2]), pool([3, 2], [1, 2]), pool([2, 3], [3, 1])] {
            let data: Vec<f32> = (0..3 * 7 * 6).map(|i| (i * 37 % 101) as f32 - 50.0).collect();
            let x =
                || Tensor::<3>::from_data(TensorData::new(data.clone(), [3, 7, 6]), &device).autodiff().require_grad();
            let (first, second) = (x(), x());
            let (a, b) = (max_pool(first.clone(), pool), composed(second.clone(), pool));
            assert_eq!(values(a.clone().without_autodiff()), values(b.clone().without_autodiff()));
            let weights: Vec<f32> = (0..a.dims().iter().product()).map(|i| (i % 13) as f32 - 6.0).collect();
            let weights = Tensor::<3>::from_data(TensorData::new(weights, a.dims()), &device).autodiff();
            let gradient =
                |y: Tensor<3>, x: Tensor<3>| values(x.grad(&(y * weights.clone()).sum().backward()).unwrap());
            assert_eq!(gradient(a, first), gradient(b, second));
        }
    }
}
