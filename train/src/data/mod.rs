//! Images as the data set stores them: one byte a value, with a label.

mod augment;

use std::path::Path;

pub use augment::augmented;
use hafnia::data::{Split as Part, open_split};

use crate::random::{Purpose, Stream};
use crate::{Error, recipe::DataRecipe, recipe::SetName};

/// Some images of one shape.
#[derive(Clone, Debug)]
pub struct Images {
    /// Channel, row, column.
    pub shape: [usize; 3],
    /// Largest code there can be.
    pub largest: u8,
    /// Image after image, row-major.
    pub codes: Vec<u8>,
    pub labels: Vec<usize>,
    /// Place of each image in its part of the set, for reports; the digits have one part.
    pub indices: Vec<usize>,
}

/// A set, split into what may be learned from and what is held out.
pub struct Split {
    pub classes: usize,
    pub train: Images,
    /// Judges epochs while training; may be empty.
    pub validation: Images,
    pub held_out: Images,
}

impl Images {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values in one image.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn image(&self, i: usize) -> &[u8] {
        let n = self.values();
        &self.codes[i * n..(i + 1) * n]
    }

    pub fn all(&self) -> Vec<&[u8]> {
        (0..self.len()).map(|i| self.image(i)).collect()
    }

    pub fn chosen(&self, chosen: &[usize]) -> Self {
        Self {
            shape: self.shape,
            largest: self.largest,
            codes: chosen.iter().flat_map(|i| self.image(*i)).copied().collect(),
            labels: chosen.iter().map(|i| self.labels[*i]).collect(),
            indices: chosen.iter().map(|i| self.indices[*i]).collect(),
        }
    }
}

impl SetName {
    pub fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Mnist => "mnist",
            Self::Cifar10 => "cifar10",
            Self::Omniglot => "omniglot",
        }
    }
}

/// One part of a set, in the order and the bytes of `docs/data.md`; `side` as in [`DataRecipe`].
pub fn part(set: SetName, folder: Option<&Path>, part: Part, side: usize) -> Result<Images, Error> {
    let set_name = set.name();
    let mut data = open_split(set_name, folder, part)?;
    if side > 0 {
        data = data.resized(side);
    }
    let shape = match *data.shape.as_slice() {
        [channels, rows, columns] => [channels, rows, columns],
        [rows, columns] => [1, rows, columns],
        ref other => unreachable!("{set_name} has images of {other:?}"),
    };
    let labels = data.labels.expect("a named set has labels");
    // The digits' parts are every third image and the others.
    let index = |i: usize| match (set, part) {
        (SetName::Digits, Part::Test) => 3 * i + 2,
        (SetName::Digits, Part::Train) => i + i / 2,
        _ => i,
    };
    let indices = (0..labels.len()).map(index).collect();
    let largest = if set == SetName::Digits { 16 } else { 255 };
    Ok(Images { shape, largest, codes: data.images, labels, indices })
}

/// Loads a set as a recipe wants it. Validation images are drawn with `seed`.
pub fn load(recipe: &DataRecipe, seed: u64, folder: Option<&Path>) -> Result<Split, Error> {
    let sized = |which: Part| part(recipe.set, folder, which, recipe.side);
    let all = sized(Part::Train)?;
    if recipe.set == SetName::Omniglot {
        return characters(all, sized(Part::Test)?, recipe.validation, seed);
    }
    let bad = |reason: String| Error::Data { set: recipe.set.name(), reason };
    let mut order: Vec<usize> = (0..all.len()).collect();
    if recipe.validation + 2 > all.len() {
        return Err(bad(format!("data.validation is {}, of {} training images", recipe.validation, all.len())));
    }
    if recipe.validation > 0 || recipe.images > 0 {
        Stream::new(seed, Purpose::Validation, 0).shuffle(&mut order);
    }
    let (validation, train) = order.split_at_mut(recipe.validation);
    let train = match recipe.images {
        0 => train,
        n => &mut train[..n.min(all.len() - recipe.validation)],
    };
    validation.sort_unstable();
    train.sort_unstable();
    Ok(Split {
        classes: 10,
        validation: all.chosen(validation),
        train: all.chosen(train),
        held_out: sized(Part::Test)?,
    })
}

/// Omniglot: validation takes whole characters.
fn characters(all: Images, held_out: Images, validation: usize, seed: u64) -> Result<Split, Error> {
    let classes = all.labels.iter().max().map_or(0, |l| l + 1);
    if validation >= classes {
        let reason = format!("data.validation is {validation}, of {classes} characters");
        return Err(Error::Data { set: "omniglot", reason });
    }
    let aside = Stream::new(seed, Purpose::Validation, 0).distinct(classes, validation);
    let (out, kept): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|i| aside.contains(&all.labels[*i]));
    Ok(Split { classes, validation: all.chosen(&out), train: all.chosen(&kept), held_out })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(validation: usize) -> Split {
        let recipe = crate::recipe::Recipe::load("digits_binary", &[format!("data.validation={validation}")]).unwrap();
        load(&recipe.data, 1, None).unwrap()
    }

    #[test]
    fn the_digits_hold_out_every_third_image() {
        let split = digits(0);
        assert_eq!((split.train.len(), split.held_out.len()), (1198, 599));
        assert_eq!(split.held_out.indices[..3], [2, 5, 8]);
        assert_eq!(split.train.indices[..4], [0, 1, 3, 4]);
        // The set begins 0, 1, 2, ..., 9; row 0 of the first image is 0 0 5 13 9 1 0 0.
        assert_eq!(split.held_out.labels[..3], [2, 5, 8]);
        assert_eq!(split.train.image(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
    }

    #[test]
    fn validation_images_are_drawn_from_those_to_learn_from() {
        let split = digits(100);
        assert_eq!((split.train.len(), split.validation.len(), split.held_out.len()), (1098, 100, 599));
        let mut all = [split.train.indices, split.validation.indices].concat();
        all.sort_unstable();
        assert_eq!(all, digits(0).train.indices);
    }
}
