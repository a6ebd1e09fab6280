//! The 1,797 handwritten digits of 8x8 pixels that come inside a crate: a set that needs no files.

use super::{Dataset, Split};

/// Pixel codes 0 to 16. Every third image (2, 5, 8, ...) is held out of training.
pub(super) fn digits(split: Split) -> Dataset {
    let set = smartcore::dataset::digits::load_dataset();
    let kept = |index: &usize| match split {
        Split::Train => index % 3 != 2,
        Split::Test => index % 3 == 2,
        Split::All => true,
    };
    let chosen = || (0..set.num_samples).filter(kept);
    let image = |i: usize| set.data[i * set.num_features..][..set.num_features].iter();
    Dataset {
        name: "digits".into(),
        split,
        shape: vec![8, 8],
        images: chosen().flat_map(image).map(|pixel| *pixel as u8).collect(),
        labels: Some(chosen().map(|i| set.target[i] as usize).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_image_is_held_out() {
        let [train, test, all] = [Split::Train, Split::Test, Split::All].map(digits);
        assert_eq!([train.len(), test.len(), all.len()], [1198, 599, 1797]);
        for i in 0..all.len() {
            let (part, at) = if i % 3 == 2 { (&test, i / 3) } else { (&train, i / 3 * 2 + i % 3) };
            assert_eq!(part.image(at), all.image(i));
            assert_eq!(part.labels.as_ref().unwrap()[at], all.labels.as_ref().unwrap()[i]);
        }
    }

    #[test]
    fn pixels_and_labels_are_whole_numbers_in_range() {
        let raw = smartcore::dataset::digits::load_dataset();
        assert!(raw.data.iter().all(|p| p.fract() == 0.0 && (0.0..=16.0).contains(p)));
        assert!(raw.target.iter().all(|c| c.fract() == 0.0 && (0.0..=9.0).contains(c)));
        // the first image, a zero, as the set's own documentation prints it
        let all = digits(Split::All);
        assert_eq!(all.image(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
        assert_eq!(all.labels.unwrap()[..3], [0, 1, 2]);
    }
}
