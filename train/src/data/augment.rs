//! Training images changed a little, drawn anew every epoch.

use crate::random::Stream;

/// The image moved by up to `reach` pixels in each direction; what comes in from outside is code 0.
pub fn shifted(image: &[u8], shape: [usize; 3], reach: usize, stream: &mut Stream) -> Vec<u8> {
    if reach == 0 {
        return image.to_vec();
    }
    let mut draw = || stream.below(2 * reach + 1) as isize - reach as isize;
    let (down, right) = (draw(), draw());
    moved(image, shape, down, right)
}

fn moved(image: &[u8], [channels, rows, columns]: [usize; 3], down: isize, right: isize) -> Vec<u8> {
    let mut out = vec![0; image.len()];
    for c in 0..channels {
        for row in 0..rows {
            for column in 0..columns {
                let from = (row.checked_add_signed(-down), column.checked_add_signed(-right));
                if let (Some(r), Some(k)) = from
                    && r < rows
                    && k < columns
                {
                    out[(c * rows + row) * columns + column] = image[(c * rows + r) * columns + k];
                }
            }
        }
    }
    out
}

/// Adds to each code a whole number drawn uniformly from +-`reach`; codes stay within 0 to `largest`.
pub fn jittered(image: &mut [u8], largest: u8, reach: usize, stream: &mut Stream) {
    if reach > 0 {
        for q in image {
            let moved = i32::from(*q) + stream.below(2 * reach + 1) as i32 - reach as i32;
            *q = moved.clamp(0, largest.into()) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_by_hand() {
        let image = [1, 2, 3, 4, 5, 6];
        assert_eq!(moved(&image, [1, 2, 3], 0, 0), image);
        assert_eq!(moved(&image, [1, 2, 3], 1, 0), [0, 0, 0, 1, 2, 3]);
        assert_eq!(moved(&image, [1, 2, 3], 0, -1), [2, 3, 0, 5, 6, 0]);
        assert_eq!(moved(&image, [2, 1, 3], 0, 1), [0, 1, 2, 0, 4, 5]);
    }

    #[test]
    fn jitter_stays_within_reach_and_range() {
        let mut stream = Stream::new(1, crate::random::Purpose::Augment, 0);
        let image = [0, 1, 8, 16];
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut codes = image;
            jittered(&mut codes, 16, 2, &mut stream);
            assert!(codes.iter().zip(image).all(|(q, from)| q.abs_diff(from) <= 2 && *q <= 16));
            seen.insert(codes[2]);
        }
        assert_eq!(Vec::from_iter(seen), [6, 7, 8, 9, 10]);
    }
}
