//! Matrix products on the host.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Terms of a sum that are added up before they go to the result: few enough for the library not to part them by the sizes of
/// this machine's caches, so that they do not change what comes out.
const STRETCH: usize = 256;

/// `a` times `b` to `out`.
pub fn multiply(a: ArrayView2<f32>, b: ArrayView2<f32>, out: ArrayViewMut2<f32>) {
    accumulate(a, b, out, false);
}

/// `a` times `b` added to `out`.
pub fn multiply_add(a: ArrayView2<f32>, b: ArrayView2<f32>, out: ArrayViewMut2<f32>) {
    accumulate(a, b, out, true);
}

fn accumulate(a: ArrayView2<f32>, b: ArrayView2<f32>, mut out: ArrayViewMut2<f32>, add: bool) {
    let ((m, k), n) = (a.dim(), b.ncols());
    assert!(b.nrows() == k && out.dim() == (m, n), "{:?} times {:?} is no {:?}", a.dim(), b.dim(), out.dim());
    let [out_row, out_column] = [0, 1].map(|axis| out.stride_of(Axis(axis)));
    let stretches = a.axis_chunks_iter(Axis(1), STRETCH).zip(b.axis_chunks_iter(Axis(0), STRETCH));
    for (i, (a, b)) in stretches.enumerate() {
        let [a_row, a_column] = [0, 1].map(|axis| a.stride_of(Axis(axis)));
        let [b_row, b_column] = [0, 1].map(|axis| b.stride_of(Axis(axis)));
        // SAFETY: pointers, sides and strides are those of views that live on, and the sides fit each other.
        unsafe {
            gemm::gemm(
                m,
                n,
                a.ncols(),
                out.as_mut_ptr(),
                out_column,
                out_row,
                add || i > 0,
                a.as_ptr(),
                a_column,
                a_row,
                b.as_ptr(),
                b_column,
                b_row,
                1.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, s};

    use super::*;

    #[test]
    fn products_by_hand() {
        let (a, b) = (array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[1.0, -1.0, 0.0, 2.0], [0.0, 1.0, 3.0, -2.0]]);
        let expected = array![[1.0, 1.0, 6.0, -2.0], [3.0, 1.0, 12.0, -2.0], [5.0, 1.0, 18.0, -2.0]];
        let mut out = Array2::from_elem([3, 4], 7.0);
        multiply(a.view(), b.view(), out.view_mut());
        assert_eq!(out, expected);
        multiply_add(a.view(), b.view(), out.view_mut());
        assert_eq!(out, &expected * 2.0);
        // Turned, and into a part of a larger matrix.
        let mut large = Array2::zeros([6, 5]);
        multiply(b.t(), a.t(), large.slice_mut(s![1..5, 2..]));
        assert_eq!(large.slice(s![1..5, 2..]), expected.t());
        assert_eq!(large.sum(), expected.sum());
    }

    #[test]
    fn more_terms_than_a_stretch() {
        // 1 + 2 + ... + 1100 = 605550; with every other one taken away 550 times 1.
        let a = Array2::from_shape_fn([2, 1100], |(row, k)| if row == 1 && k % 2 == 0 { -1.0 } else { 1.0 });
        let b = Array2::from_shape_fn([1100, 1], |(k, _)| k as f32 + 1.0);
        let mut out = Array2::from_elem([2, 1], 9.0);
        multiply(a.view(), b.view(), out.view_mut());
        assert_eq!(out, array![[605_550.0], [550.0]]);
    }

    #[test]
    #[should_panic(expected = "is no")]
    fn sides_that_do_not_fit() {
        multiply(Array2::zeros([2, 3]).view(), Array2::zeros([2, 3]).view(), Array2::zeros([2, 3]).view_mut());
    }
}
