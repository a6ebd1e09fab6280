//! Images of another size.

use super::Images;

/// Squares of `side` pixels, each the mean of the area it covers, rounded.
pub fn resized(images: &Images, side: usize) -> Images {
    let [channels, rows, columns] = images.shape;
    let (down, across) = (shares(rows, side), shares(columns, side));
    let mut codes = Vec::with_capacity(images.len() * channels * side * side);
    for i in 0..images.len() {
        for channel in images.image(i).chunks_exact(rows * columns) {
            // Columns first, then rows.
            let narrow: Vec<f64> = channel
                .chunks_exact(columns)
                .flat_map(|row| across.iter().map(|s| mean(s, |k| row[k].into())))
                .collect();
            for s in &down {
                codes.extend((0..side).map(|column| mean(s, |k| narrow[k * side + column]).round() as u8));
            }
        }
    }
    Images { shape: [channels, side, side], codes, ..images.clone() }
}

fn mean(shares: &[(usize, f64)], value: impl Fn(usize) -> f64) -> f64 {
    shares.iter().map(|(k, share)| share * value(*k)).sum()
}

/// For each of `to` pixels, which of `from` it covers and by what share of itself.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let size = from as f64 / to as f64;
    let pixel = |k: usize| {
        let (low, high) = (k as f64 * size, (k + 1) as f64 * size);
        let part = |i: usize| (i, ((i + 1) as f64).min(high) - (i as f64).max(low));
        let covered = (low.floor() as usize..from.min(high.ceil() as usize)).map(part);
        covered.filter(|(_, length)| *length > 1e-9).map(|(i, length)| (i, length / size)).collect()
    };
    (0..to).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_areas_by_hand() {
        let images = Images {
            shape: [1, 3, 3],
            largest: 255,
            codes: vec![0, 30, 60, 90, 120, 150, 180, 210, 240],
            labels: vec![0],
            indices: vec![0],
        };
        // A pixel covers 1.5 x 1.5: (0 + 30/2 + 90/2 + 120/4) / 2.25 = 40.
        assert_eq!(resized(&images, 2).codes, [40, 80, 160, 200]);
        assert_eq!(resized(&images, 3).codes, images.codes);
    }
}
