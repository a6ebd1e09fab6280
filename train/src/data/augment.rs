//! Training images changed a little, drawn anew every epoch.

use super::Images;
use crate::random::Stream;
use crate::recipe::DataRecipe;

/// Image `i`, changed as the recipe says.
pub fn augmented(images: &Images, i: usize, recipe: &DataRecipe, stream: &mut Stream) -> Vec<u8> {
    let mut image = images.image(i).to_vec();
    if recipe.flip && stream.coin() {
        flip(&mut image, images.shape[2]);
    }
    let turns = recipe.rotate > 0.0 && (recipe.shift == 0 || stream.coin());
    if turns {
        let degrees = (2.0 * stream.unit() - 1.0) * recipe.rotate;
        image = turned(&image, images.shape, degrees, recipe.fill);
    } else if recipe.shift > 0 {
        let mut draw = || stream.below(2 * recipe.shift + 1) as isize - recipe.shift as isize;
        let (down, right) = (draw(), draw());
        image = moved(&image, images.shape, down, right, recipe.fill);
    }
    jittered(&mut image, images.largest, recipe.jitter, stream);
    image
}

/// Mirrors every row.
fn flip(image: &mut [u8], columns: usize) {
    image.chunks_exact_mut(columns).for_each(<[u8]>::reverse);
}

fn moved(image: &[u8], [channels, rows, columns]: [usize; 3], down: isize, right: isize, fill: u8) -> Vec<u8> {
    let mut out = vec![fill; image.len()];
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

/// The image turned about its middle, between the pixels linearly, rounded.
fn turned(image: &[u8], [channels, rows, columns]: [usize; 3], degrees: f64, fill: u8) -> Vec<u8> {
    let (sin, cos) = (libm::sin(degrees.to_radians()), libm::cos(degrees.to_radians()));
    let (middle_row, middle_column) = ((rows as f64 - 1.0) / 2.0, (columns as f64 - 1.0) / 2.0);
    let mut out = vec![fill; image.len()];
    for row in 0..rows {
        for column in 0..columns {
            let (y, x) = (row as f64 - middle_row, column as f64 - middle_column);
            let (r, k) = (cos * y - sin * x + middle_row, sin * y + cos * x + middle_column);
            let (top, left) = (r.floor(), k.floor());
            let (down, right) = (r - top, k - left);
            for c in 0..channels {
                let at = |row: f64, column: f64| {
                    let inside = (0.0..rows as f64).contains(&row) && (0.0..columns as f64).contains(&column);
                    let place = || (c * rows + row as usize) * columns + column as usize;
                    f64::from(if inside { image[place()] } else { fill })
                };
                let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
                let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
                out[(c * rows + row) * columns + column] = (upper * (1.0 - down) + lower * down).round() as u8;
            }
        }
    }
    out
}

/// Adds to each code a whole number drawn uniformly from +-`reach`; codes stay within 0 to `largest`.
fn jittered(image: &mut [u8], largest: u8, reach: usize, stream: &mut Stream) {
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
        assert_eq!(moved(&image, [1, 2, 3], 0, 0, 9), image);
        assert_eq!(moved(&image, [1, 2, 3], 1, 0, 9), [9, 9, 9, 1, 2, 3]);
        assert_eq!(moved(&image, [1, 2, 3], 0, -1, 0), [2, 3, 0, 5, 6, 0]);
        assert_eq!(moved(&image, [2, 1, 3], 0, 1, 0), [0, 1, 2, 0, 4, 5]);
    }

    #[test]
    fn turns_and_mirrors_by_hand() {
        let image = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(turned(&image, [1, 3, 3], 0.0, 0), image);
        let quarter = turned(&image, [1, 3, 3], 90.0, 0);
        assert!(
            [[3, 6, 9, 2, 5, 8, 1, 4, 7], [7, 4, 1, 8, 5, 2, 9, 6, 3]].contains(&quarter.clone().try_into().unwrap())
        );
        let mut row = image;
        flip(&mut row, 3);
        assert_eq!(row, [3, 2, 1, 6, 5, 4, 9, 8, 7]);
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
