//! Images of another size, in integers: `docs/data.md` states the rule.

use rayon::prelude::*;

use super::Dataset;

impl Dataset {
    /// Every image as `side` x `side` pixels, each the mean of the area it covers, rounded, halves up. The last two
    /// numbers of the shape are rows and columns; what stands before them stays.
    ///
    /// # Panics
    /// Where `side` is 0 or an image has no rows and columns.
    pub fn resized(self, side: usize) -> Self {
        assert!(side > 0, "an image has pixels");
        let [.., rows, columns] = self.shape[..] else { panic!("{}: its images have no rows and columns", self.name) };
        let (down, across) = (Cover::all(rows, side), Cover::all(columns, side));
        let images = self.images.par_chunks_exact(rows * columns).flat_map_iter(|plane| resize(plane, &down, &across));
        let mut shape = self.shape.clone();
        let last = shape.len() - 2;
        shape[last..].fill(side);
        Self { images: images.collect(), shape, ..self }
    }
}

/// What one new pixel covers along one side: old pixels from `first` on, each by so much. A new pixel has the length of all
/// `from` old ones, an old pixel that of all new ones, so that every length is a whole number.
struct Cover {
    first: usize,
    lengths: Vec<u64>,
}

impl Cover {
    /// For each of `to` new pixels in place of `from` old ones.
    fn all(from: usize, to: usize) -> Vec<Self> {
        let one = |k: usize| {
            let (low, high) = (k * from, (k + 1) * from);
            let (first, end) = (low / to, high.div_ceil(to));
            let length = |i: usize| (high.min((i + 1) * to) - low.max(i * to)) as u64;
            Self { first, lengths: (first..end).map(length).collect() }
        };
        (0..to).map(one).collect()
    }

    fn sum(&self, value: impl Fn(usize) -> u64) -> u64 {
        self.lengths.iter().zip(self.first..).map(|(length, i)| length * value(i)).sum()
    }

    fn total(&self) -> u64 {
        self.lengths.iter().sum()
    }
}

/// Along rows, then along columns; one division, at the end.
fn resize(plane: &[u8], down: &[Cover], across: &[Cover]) -> Vec<u8> {
    let columns = plane.len() / down[0].total() as usize;
    let narrow: Vec<u64> =
        plane.chunks_exact(columns).flat_map(|row| across.iter().map(|c| c.sum(|k| row[k].into()))).collect();
    let area = down[0].total() * across[0].total();
    let mean = |sum: u64| ((2 * sum + area) / (2 * area)) as u8;
    down.iter().flat_map(|d| (0..across.len()).map(|k| mean(d.sum(|r| narrow[r * across.len() + k])))).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Split, *};

    fn resized(shape: &[usize], images: &[u8], side: usize) -> Dataset {
        let set = Dataset {
            name: "x".into(),
            split: Split::Test,
            shape: shape.into(),
            images: images.into(),
            labels: Some(vec![7]),
        };
        set.resized(side)
    }

    #[test]
    fn means_of_areas_by_hand() {
        let image = [0, 30, 60, 90, 120, 150, 180, 210, 240];
        // A pixel covers 1.5 x 1.5: (0 + 30/2 + 90/2 + 120/4) / 2.25 = 40.
        let small = resized(&[3, 3], &image, 2);
        assert_eq!((&small.images[..], &small.shape[..]), (&[40, 80, 160, 200][..], &[2, 2][..]));
        assert_eq!(resized(&[3, 3], &image, 3).images, image);
        assert_eq!(resized(&[3, 3], &image, 1).images, [120]);
        assert_eq!(small.labels, Some(vec![7]));
    }

    #[test]
    fn halves_go_up_and_sides_may_differ() {
        assert_eq!(resized(&[2, 2], &[0, 1, 1, 0], 1).images, [1], "2/4");
        assert_eq!(resized(&[2, 2], &[0, 0, 1, 0], 1).images, [0], "1/4");
        // Two channels of one row and three columns; each of two rows is the same one.
        let both = resized(&[2, 1, 3], &[0, 30, 90, 255, 255, 255], 2);
        assert_eq!((&both.images[..], &both.shape[..]), (&[10, 70, 10, 70, 255, 255, 255, 255][..], &[2, 2, 2][..]));
    }

    #[test]
    fn every_old_pixel_is_covered_once() {
        for (from, to) in [(105, 32), (105, 28), (105, 105), (28, 32), (7, 3)] {
            let mut seen = vec![0; from];
            for cover in Cover::all(from, to) {
                assert_eq!(cover.total(), from as u64);
                cover.lengths.iter().zip(cover.first..).for_each(|(length, i)| seen[i] += length);
            }
            assert!(seen.iter().all(|s| *s == to as u64), "{from} to {to}");
        }
    }
}
