//! The 1,797 handwritten digits of 8x8 pixels that come inside the crate `smartcore`: the UCI "Optical
//! Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998), test part, as in scikit-learn.
//!
//! A pixel is a whole number 0 to 16, kept as it is; order as in the file. **Held out: every third image,
//! those whose index leaves 2 when divided by 3** (599 images; 1,198 remain to learn from).

use super::{Images, Split};
use crate::Error;

/// Whether the image at `index` of the file is held out.
pub fn held_out(index: usize) -> bool {
    index % 3 == 2
}

pub fn load() -> Result<Split, Error> {
    let set = smartcore::dataset::digits::load_dataset();
    let bad = |reason: String| Error::Data { set: "digits", reason };
    if set.num_samples != 1797 || set.num_features != 64 {
        return Err(bad(format!("the crate holds {} x {}, expected 1797 x 64", set.num_samples, set.num_features)));
    }
    let whole = |v: &f32, largest: u8| {
        let code = *v as u8;
        if f32::from(code) == *v && code <= largest { Ok(code) } else { Err(bad(format!("value {v} is out of range"))) }
    };
    let codes = set.data.iter().map(|v| whole(v, 16)).collect::<Result<_, _>>()?;
    let labels = set.target.iter().map(|v| whole(v, 9).map(usize::from)).collect::<Result<_, _>>()?;
    let all = Images { shape: [1, 8, 8], largest: 16, codes, labels, indices: (0..set.num_samples).collect() };
    Ok(Split { classes: 10, train: all.subset(|i| !held_out(i)), held_out: all.subset(held_out) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_is_every_third_image() {
        let split = load().unwrap();
        assert_eq!((split.train.len(), split.held_out.len()), (1198, 599));
        assert_eq!(split.held_out.indices[..3], [2, 5, 8]);
        assert_eq!(split.train.indices[..4], [0, 1, 3, 4]);
        // The set begins 0, 1, 2, ..., 9; row 0 of the first image is 0 0 5 13 9 1 0 0.
        assert_eq!(split.held_out.labels[..3], [2, 5, 8]);
        assert_eq!(split.train.image(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
    }
}
