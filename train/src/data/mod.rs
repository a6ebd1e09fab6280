//! Images as the data set stores them: one byte a value, with a label.

mod augment;

use std::path::Path;

pub use augment::augmented;
use hafnia::data::{Dataset, Split as Part, check_parts, open_for, open_split};

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
            Self::Arrays => "arrays",
        }
    }
}

/// One part of a set, in the order and the bytes of `docs/data.md`; `side` as in [`DataRecipe`].
pub fn part(set: SetName, folder: Option<&Path>, part: Part, side: usize) -> Result<Images, Error> {
    let mut data = open_split(set.name(), folder, part)?;
    if side > 0 {
        if data.shape.len() == 1 {
            return Err(vectors("data.side"));
        }
        data = data.resized(side);
    }
    images(set, part, data)
}

/// The part that judges, in the size that a network of this input shape takes.
pub fn fitting(set: SetName, folder: Option<&Path>, shape: &[usize]) -> Result<Images, Error> {
    let data = open_for(set.name(), folder, shape)?;
    data.check_fits(shape)?;
    images(set, Part::Test, data)
}

fn images(set: SetName, part: Part, data: Dataset) -> Result<Images, Error> {
    let shape = match *data.shape.as_slice() {
        [channels, rows, columns] => [channels, rows, columns],
        [rows, columns] => [1, rows, columns],
        [values] => [values, 1, 1],
        ref other => {
            let reason = format!(
                "its images have shape {other:?}; save them as [values], [rows, columns] or [channels, rows, columns]"
            );
            return Err(Error::Data { set: set.name(), reason });
        }
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

fn vectors(key: &str) -> Error {
    let reason = format!("its images are vectors, without rows and columns; leave out {key}");
    Error::Data { set: SetName::Arrays.name(), reason }
}

/// Loads a set as a recipe wants it. Validation images are drawn with `seed`.
pub fn load(recipe: &DataRecipe, seed: u64, folder: Option<&Path>) -> Result<Split, Error> {
    let sized = |which: Part| part(recipe.set, folder, which, recipe.side);
    let all = sized(Part::Train)?;
    if recipe.set == SetName::Omniglot {
        return characters(all, sized(Part::Test)?, recipe, seed);
    }
    let held_out = sized(Part::Test)?;
    let classes = match recipe.set {
        SetName::Arrays => own_classes(&all, &held_out, recipe)?,
        _ => 10,
    };
    let bad = |reason: String| Error::Data { set: recipe.set.name(), reason };
    let mut order: Vec<usize> = (0..all.len()).collect();
    if recipe.validation + 2 > all.len() {
        return Err(bad(format!(
            "data.validation is {}, of {} training images; leave two at least to learn from",
            recipe.validation,
            all.len()
        )));
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
    Ok(Split { classes, validation: all.chosen(validation), train: all.chosen(train), held_out })
}

/// Classes of a set of one's own: labels up to the largest of either part.
fn own_classes(train: &Images, held_out: &Images, recipe: &DataRecipe) -> Result<usize, Error> {
    check_parts(recipe.set.name(), &train.shape, &held_out.shape)?;
    if train.shape[1..] == [1, 1] && (recipe.shift > 0 || recipe.flip || recipe.rotate > 0.0) {
        return Err(vectors("data.shift, data.flip and data.rotate"));
    }
    Ok(train.labels.iter().chain(&held_out.labels).max().map_or(0, |l| l + 1))
}

/// Omniglot: validation takes whole characters; those to learn from are numbered anew, without gaps.
fn characters(all: Images, held_out: Images, recipe: &DataRecipe, seed: u64) -> Result<Split, Error> {
    let classes = all.labels.iter().max().map_or(0, |l| l + 1);
    if recipe.validation >= classes {
        let reason =
            format!("data.validation is {}, of {classes} characters; leave some to learn from", recipe.validation);
        return Err(Error::Data { set: "omniglot", reason });
    }
    let aside = Stream::new(seed, Purpose::Validation, 0).distinct(classes, recipe.validation);
    let (out, kept): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|i| aside.contains(&all.labels[*i]));
    let mut train = all.chosen(&kept);
    let left: Vec<usize> = (0..classes).filter(|c| !aside.contains(c)).collect();
    train.labels.iter_mut().for_each(|l| *l = left.binary_search(l).expect("a character that was kept"));
    if recipe.turns {
        train = with_turns(&train, left.len());
    }
    let classes = train.labels.iter().max().map_or(0, |l| l + 1);
    Ok(Split { classes, validation: all.chosen(&out), train, held_out })
}

/// The images, then all of them a quarter turn further, three times, as further classes.
fn with_turns(images: &Images, classes: usize) -> Images {
    let [channels, side, _] = images.shape;
    let mut all = images.clone();
    let mut turned = images.codes.clone();
    for turn in 1..4 {
        let planes = turned.chunks_exact(side * side);
        let at = |plane: &[u8], p: usize| plane[p % side * side + side - 1 - p / side];
        turned = planes.flat_map(|plane| (0..side * side).map(|p| at(plane, p)).collect::<Vec<_>>()).collect();
        all.codes.extend(&turned);
        all.labels.extend(images.labels.iter().map(|l| l + turn * classes));
        all.indices.extend(&images.indices);
    }
    debug_assert_eq!(all.codes.len(), all.len() * channels * side * side);
    all
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

    #[test]
    fn turned_drawings_are_characters_of_their_own() {
        let images =
            Images { shape: [1, 2, 2], largest: 9, codes: vec![1, 2, 3, 4], labels: vec![0], indices: vec![5] };
        let all = with_turns(&images, 1);
        assert_eq!(all.codes, [1, 2, 3, 4, 2, 4, 1, 3, 4, 3, 2, 1, 3, 1, 4, 2]);
        assert_eq!((all.labels, all.indices), (vec![0, 1, 2, 3], vec![5; 4]));
    }
}
