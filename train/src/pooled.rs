//! Maximum over windows of positions.

use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use hafnia::network::Pool;
use multiversion::multiversion;
use ndarray::{ArrayView2, ArrayViewMut2, Dim};
use rayon::prelude::*;

/// Of every plane of `[plane, row, column]`. Positions that fill no whole window are left out; the gradient goes to the first
/// maximum of a window.
pub fn max_pool(x: Tensor<3>, pool: Pool) -> Tensor<3> {
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

/// Positions of a plane that comes out.
pub fn area(pool: Pool, from: [usize; 2]) -> usize {
    sides(pool, from).iter().product()
}

/// On the host, of rows of planes: maxima, and how far behind the first value of its window each is in its plane.
pub fn maxima(
    x: ArrayView2<f32>,
    pool: Pool,
    from: [usize; 2],
    mut out: ArrayViewMut2<f32>,
    mut places: ArrayViewMut2<u32>,
) {
    let plane = |size| Dim([1, size]);
    let (kept, whole) = (plane(area(pool, from)), plane(from[0] * from[1]));
    let planes = out.exact_chunks_mut(kept).into_iter().zip(places.exact_chunks_mut(kept));
    for ((mut out, mut places), x) in planes.zip(x.exact_chunks(whole)) {
        let (out, places) = (out.as_slice_mut().expect(LINE), places.as_slice_mut().expect(LINE));
        maxima_of_plane(x.as_slice().expect(LINE), pool, from, out, places);
    }
}

/// Why a plane within a row is a slice.
const LINE: &str = "values of a row lie side by side";

#[multiversion(targets("x86_64+avx2"))]
fn maxima_of_plane(x: &[f32], pool: Pool, from: [usize; 2], out: &mut [f32], places: &mut [u32]) {
    let (width, columns) = (from[1], sides(pool, from)[1]);
    let lines = out.chunks_exact_mut(columns).zip(places.chunks_exact_mut(columns));
    for (row, (out, places)) in lines.enumerate() {
        let x = &x[row * pool.stride[0] * width..];
        match (pool.size, pool.stride) {
            ([2, 2], [2, 2]) => line_of_pairs(x, width, out, places),
            (size, [_, stride]) => line_of_maxima(x, size, stride, width, out, places),
        }
    }
}

/// The usual size, in a form that suits vector units.
#[inline(always)]
fn line_of_pairs(x: &[f32], width: usize, out: &mut [f32], places: &mut [u32]) {
    let pairs = x.chunks_exact(2).zip(x[width..].chunks_exact(2));
    let next = width as u32;
    for ((out, kept), (above, below)) in out.iter_mut().zip(places).zip(pairs) {
        let (mut best, mut place) = (above[0], 0);
        for (x, at) in [(above[1], 1), (below[0], next), (below[1], next + 1)] {
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
                place = if larger { (row * width + column) as u32 } else { place };
                best = if larger { *x } else { best };
            }
        }
        (*out, *kept) = (best, place);
    }
}

/// On the host, of rows of planes: gradients of the maxima added to `out` where these came from.
pub fn spread(
    gradient: ArrayView2<f32>,
    places: ArrayView2<u32>,
    pool: Pool,
    from: [usize; 2],
    mut out: ArrayViewMut2<f32>,
) {
    let plane = |size| Dim([1, size]);
    let (kept, whole) = (plane(area(pool, from)), plane(from[0] * from[1]));
    let planes = gradient.exact_chunks(kept).into_iter().zip(places.exact_chunks(kept));
    for ((gradient, places), mut out) in planes.zip(out.exact_chunks_mut(whole)) {
        let (gradient, places) = (gradient.to_slice().expect(LINE), places.to_slice().expect(LINE));
        spread_plane(gradient, places, pool, from, out.as_slice_mut().expect(LINE));
    }
}

fn spread_plane(gradient: &[f32], places: &[u32], pool: Pool, from: [usize; 2], out: &mut [f32]) {
    let columns = sides(pool, from)[1];
    let lines = gradient.chunks_exact(columns).zip(places.chunks_exact(columns));
    for (row, (gradient, places)) in lines.enumerate() {
        let out = &mut out[row * pool.stride[0] * from[1]..];
        for (column, (g, place)) in gradient.iter().zip(places).enumerate() {
            out[column * pool.stride[1] + *place as usize] += g;
        }
    }
}

/// Of planes of `from` that lie side by side: maxima, and how far behind the first value of its window each is in its plane.
pub fn maxima_of_planes(x: &[f32], (pool, from): (Pool, [usize; 2])) -> (Vec<f32>, Vec<u32>) {
    let (kept, whole) = (area(pool, from), from[0] * from[1]);
    let planes = x.len() / whole;
    let (mut out, mut places) = (vec![0.0; planes * kept], vec![0; planes * kept]);
    let pairs = out.par_chunks_exact_mut(kept).zip(places.par_chunks_exact_mut(kept));
    pairs.zip(x.par_chunks_exact(whole)).for_each(|((out, places), x)| maxima_of_plane(x, pool, from, out, places));
    (out, places)
}

/// Gradients of maxima where these came from, 0 elsewhere.
pub fn spread_planes(gradient: &[f32], places: &[u32], (pool, from): (Pool, [usize; 2])) -> Vec<f32> {
    let (kept, whole) = (area(pool, from), from[0] * from[1]);
    let mut out = vec![0.0; gradient.len() / kept * whole];
    let pairs = gradient.par_chunks_exact(kept).zip(places.par_chunks_exact(kept));
    out.par_chunks_exact_mut(whole).zip(pairs).for_each(|(out, (g, places))| spread_plane(g, places, pool, from, out));
    out
}

#[cfg(test)]
mod tests {
    use hafnia::network::PoolOrder;

    use super::*;

    #[test]
    fn maxima_by_hand() {
        // The last column fills no window; of the equal ones in the first window, the first counts.
        let x = [3.0, 3.0, -1.0, -2.0, 9.0, 0.0, 3.0, -1.0, -5.0, 9.0];
        let pool = Pool { size: [2, 2], stride: [2, 2], order: PoolOrder::BeforeNormalize };
        let (mut y, mut places, mut back) = ([0.0; 2], [9; 2], [0.0; 10]);
        maxima_of_plane(&x, pool, [2, 5], &mut y, &mut places);
        assert_eq!((y, places), ([3.0, -1.0], [0, 0]));
        spread_plane(&[1.0, 2.0], &places, pool, [2, 5], &mut back);
        assert_eq!(back, [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        // Windows that overlap: 7, on the second line, is the maximum of the first two.
        let x = [3.0, 3.0, -1.0, -2.0, 9.0, 0.0, 3.0, 7.0, -5.0, 9.0];
        let pool = Pool { size: [2, 3], stride: [1, 1], ..pool };
        let (mut y, mut places, mut back) = ([0.0; 3], [9; 3], [0.0; 10]);
        maxima_of_plane(&x, pool, [2, 5], &mut y, &mut places);
        assert_eq!((y, places), ([7.0, 7.0, 9.0], [7, 6, 2]));
        spread_plane(&[1.0, 2.0, 4.0], &places, pool, [2, 5], &mut back);
        assert_eq!(back, [0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
    }
}
