//! Inner loops. Each is written once in safe Rust and compiled for the CPU features below; the best that the running
//! CPU has is taken per call, that is, once a layer.
//!
//! Shapes: `x` holds one row's words, `w` holds `out.len()` rows of as many words, row-major. Bits beyond a row's
//! length are 0 in both.

/// Defines a function that runs its body compiled for AVX2, else for `popcnt`, else for the target's baseline.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) $body:block) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $kind),*) {
            #[inline(always)]
            fn plain($($arg: $kind),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,popcnt")]
                fn avx2($($arg: $kind),*) {
                    plain($($arg),*)
                }

                #[target_feature(enable = "popcnt")]
                fn popcnt($($arg: $kind),*) {
                    plain($($arg),*)
                }

                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                    // SAFETY: the body is safe code; the CPU has the features it was compiled for.
                    return unsafe { avx2($($arg),*) };
                }
                if is_x86_feature_detected!("popcnt") {
                    // SAFETY: as above.
                    return unsafe { popcnt($($arg),*) };
                }
            }
            plain($($arg),*)
        }
    };
}

dispatched! {
    /// Bits in which `x` and each row differ.
    differing(x: &[u64], w: &[u64], out: &mut [i32]) {
        for (row, out) in w.chunks_exact(x.len()).zip(out) {
            *out = row.iter().zip(x).map(|(w, x)| u64::from((w ^ x).count_ones())).sum::<u64>() as i32;
        }
    }
}

dispatched! {
    /// Bits under `mask` in which `x` and each row differ.
    differing_under(mask: &[u64], x: &[u64], w: &[u64], out: &mut [i32]) {
        let mask = &mask[..x.len()];
        for (row, out) in w.chunks_exact(x.len()).zip(out) {
            let words = row.iter().zip(x).zip(mask);
            *out = words.map(|((w, x), m)| u64::from(((w ^ x) & m).count_ones())).sum::<u64>() as i32;
        }
    }
}

dispatched! {
    /// Bits under each row's own mask in which `x` and the row differ.
    differing_under_rows(x: &[u64], masks: &[u64], w: &[u64], out: &mut [i32]) {
        for ((row, masks), out) in w.chunks_exact(x.len()).zip(masks.chunks_exact(x.len())).zip(out) {
            let words = row.iter().zip(x).zip(masks);
            *out = words.map(|((w, x), m)| u64::from(((w ^ x) & m).count_ones())).sum::<u64>() as i32;
        }
    }
}

dispatched! {
    /// Under both masks: bits in which `x` and each row agree, less those in which they differ.
    agreeing_less_differing(mask: &[u64], x: &[u64], masks: &[u64], w: &[u64], out: &mut [i32]) {
        let mask = &mask[..x.len()];
        for ((row, masks), out) in w.chunks_exact(x.len()).zip(masks.chunks_exact(x.len())).zip(out) {
            let (mut both, mut differing) = (0u64, 0u64);
            for (((w, x), m), mask) in row.iter().zip(x).zip(masks).zip(mask) {
                both += u64::from((m & mask).count_ones());
                differing += u64::from((m & mask & (w ^ x)).count_ones());
            }
            *out = both as i32 - 2 * differing as i32;
        }
    }
}

dispatched! {
    /// Dot product of `x` and each row; the caller sees to it that sums fit.
    dot_i16(x: &[i16], w: &[i8], out: &mut [i32]) {
        for (row, out) in w.chunks_exact(x.len()).zip(out) {
            *out = row.iter().zip(x).map(|(w, x)| i32::from(*w) * i32::from(*x)).sum();
        }
    }
}

dispatched! {
    /// Dot product of `x` and each row; the caller sees to it that sums fit.
    dot_i32(x: &[i32], w: &[i8], out: &mut [i32]) {
        for (row, out) in w.chunks_exact(x.len()).zip(out) {
            *out = row.iter().zip(x).map(|(w, x)| i32::from(*w) * x).sum();
        }
    }
}
