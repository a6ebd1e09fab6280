//! The data sets, as stored bytes in a stated order. `docs/data.md` is the contract: which files are looked for,
//! the order of the images, how a pixel becomes a byte, and what a label counts.

mod arrays;
mod cifar10;
mod digits;
mod episodes;
mod error;
mod file;
mod idx;
mod mnist;
mod npy;
mod omniglot;
mod resize;
mod tree;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

pub use episodes::{Episode, EpisodeShape, below, distinct, episodes};
pub use error::DataError;
pub use npy::{write_predictions, write_scores};

/// Names that [`open`] knows; anything else must end in `.npy`.
pub const SETS: [&str; 5] = ["digits", "mnist", "cifar10", "omniglot", "arrays"];

/// Images of one shape, and what they show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// `digits`, `mnist`, ..., or the name of an array's file.
    pub name: String,
    pub split: Split,
    /// Shape of one image.
    pub shape: Vec<usize>,
    /// All images one after the other, each row-major, one byte a value.
    pub images: Vec<u8>,
    /// Class of each image.
    pub labels: Option<Vec<usize>>,
}

/// Which part of a set. An array in a `.npy` file has no parts and is always whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    Train,
    /// What a network is judged on: the images held out of training.
    #[default]
    Test,
    /// `Train`, then `Test`; the digits in their own order.
    All,
}

impl FromStr for Split {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        match text {
            "train" => Ok(Self::Train),
            "test" => Ok(Self::Test),
            "all" => Ok(Self::All),
            other => Err(DataError::Split { split: other.into() }),
        }
    }
}

impl Dataset {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.len() / self.values()
    }

    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Values in one image.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// The stored bytes of image `i`.
    ///
    /// # Panics
    /// Where there is no image `i`.
    pub fn image(&self, i: usize) -> &[u8] {
        &self.images[i * self.values()..][..self.values()]
    }

    /// `count` images, all there are where absent: `first`, `first + every`, and so on. `every` is 1 or more.
    pub fn chosen(mut self, first: usize, every: usize, count: Option<usize>) -> Result<Self, DataError> {
        let len = self.len();
        let there = len.saturating_sub(first).div_ceil(every);
        let count = count.unwrap_or(there);
        if count == 0 || count > there {
            return Err(DataError::Range { name: self.name, first, every, count, len });
        }
        let places = || (first..).step_by(every).take(count);
        self.images = places().flat_map(|i| self.image(i)).copied().collect();
        self.labels = self.labels.map(|l| places().map(|i| l[i]).collect());
        Ok(self)
    }

    /// Refuses images whose values are not as many as a network of this input shape takes.
    pub fn check_fits(&self, shape: &[usize]) -> Result<(), DataError> {
        if self.values() == shape.iter().product::<usize>() {
            return Ok(());
        }
        Err(DataError::Shape { name: self.name.clone(), got: self.shape.clone(), want: shape.to_vec() })
    }

    /// Refuses images that a network with bipolar input cannot take: every byte must be 0 or 1.
    pub fn check_bits(&self) -> Result<(), DataError> {
        match self.images.iter().position(|byte| *byte > 1) {
            None => Ok(()),
            Some(at) => {
                let (image, value) = (at / self.values(), at % self.values());
                Err(DataError::Bits { name: self.name.clone(), image, value, byte: self.images[at] })
            }
        }
    }

    /// Joins training images and the test images that follow.
    fn then(mut self, mut next: Self) -> Result<Self, DataError> {
        check_parts(&self.name, &self.shape, &next.shape)?;
        self.images.append(&mut next.images);
        self.labels = self.labels.zip(next.labels).map(|(mut a, mut b)| {
            a.append(&mut b);
            a
        });
        Ok(Self { split: Split::All, ..self })
    }
}

/// Opens the part of a set that networks are judged on ([`Split::Test`]), or an array.
///
/// `spec` is one of [`SETS`], or the path of a `.npy` file. `dir` is the folder of the set, or one that holds it
/// under the set's name; without it the environment variable `HAFNIA_DATA` says.
pub fn open(spec: &str, dir: Option<&Path>) -> Result<Dataset, DataError> {
    open_split(spec, dir, Split::Test)
}

/// [`open`], in the size that a network of this input shape takes: `[side, side]` or `[1, side, side]` resizes Omniglot's
/// drawings. Other images have one size.
pub fn open_for(spec: &str, dir: Option<&Path>, shape: &[usize]) -> Result<Dataset, DataError> {
    let set = open(spec, dir)?;
    Ok(match (spec, shape) {
        ("omniglot", [rows, side] | [1, rows, side]) if rows == side && (1..omniglot::SIDE).contains(side) => {
            set.resized(*side)
        }
        _ => set,
    })
}

/// [`open`] for any part of a set.
pub fn open_split(spec: &str, dir: Option<&Path>, split: Split) -> Result<Dataset, DataError> {
    let given = || {
        dir.map(Path::to_path_buf)
            .or_else(|| std::env::var_os("HAFNIA_DATA").filter(|d| !d.is_empty()).map(PathBuf::from))
            .ok_or_else(|| DataError::NoFolder { set: spec.into() })
    };
    match spec {
        "digits" => Ok(digits::digits(split)),
        "mnist" => mnist::open(&given()?, split),
        "cifar10" => cifar10::open(&given()?, split),
        "omniglot" => omniglot::open(&given()?, split),
        "arrays" => arrays::open(&given()?, split),
        file if Path::new(file).extension().is_some_and(|e| e == "npy") => npy::open(Path::new(file)),
        other => Err(DataError::Unknown { spec: other.into(), near: crate::suggest::nearest(other, SETS) }),
    }
}

/// Train, test, or one after the other, of a set that keeps them apart.
fn parts(split: Split, mut open: impl FnMut(Split) -> Result<Dataset, DataError>) -> Result<Dataset, DataError> {
    match split {
        Split::All => open(Split::Train)?.then(open(Split::Test)?),
        one => open(one),
    }
}

/// Refuses parts of a set whose images differ in shape.
pub fn check_parts(name: &str, train: &[usize], test: &[usize]) -> Result<(), DataError> {
    if train == test {
        return Ok(());
    }
    Err(DataError::Parts { name: name.into(), train: train.into(), test: test.into() })
}

/// Where a set may lie: `DIR/SET`, then `DIR` itself.
fn folders(dir: &Path, set: &str) -> [PathBuf; 2] {
    [dir.join(set), dir.into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_set_gets_a_suggestion() {
        let error = open("minst", None).unwrap_err().to_string();
        assert!(error.contains("did you mean `mnist`?") && error.contains(".npy"), "{error}");
        assert!(open("x.np", None).is_err());
        assert!("tset".parse::<Split>().unwrap_err().to_string().contains("train, test or all"));
    }

    #[test]
    fn bipolar_inputs_take_bits_only() {
        let mut set = open("digits", None).unwrap();
        let error = set.check_bits().unwrap_err().to_string();
        assert!(error.contains("digits: image 0, value 3 is 4") && error.contains("threshold"), "{error}");
        set.images.iter_mut().for_each(|byte| *byte /= 9);
        set.check_bits().unwrap();
    }

    #[test]
    fn images_are_chosen_in_steps() {
        let digits = open("digits", None).unwrap(); // 599 images
        let chosen = digits.clone().chosen(4, 100, None).unwrap();
        let places = [4, 104, 204, 304, 404, 504];
        assert_eq!(chosen.images, places.map(|i| digits.image(i)).concat());
        assert_eq!(chosen.labels.unwrap(), places.map(|i| digits.labels.as_ref().unwrap()[i]));
        assert_eq!(digits.clone().chosen(598, 100, None).unwrap().image(0), digits.image(598));
        assert_eq!(digits.clone().chosen(10, 1, Some(3)).unwrap().images, digits.images[10 * 64..13 * 64]);
        for (first, every, count) in [(599, 1, None), (0, 1, Some(600)), (4, 100, Some(7)), (0, 1, Some(0))] {
            assert!(digits.clone().chosen(first, every, count).unwrap_err().to_string().contains("has 599 images"));
        }
    }

    #[test]
    fn images_must_fit_a_network() {
        let digits = open("digits", None).unwrap();
        digits.check_fits(&[64]).unwrap();
        digits.check_fits(&[1, 8, 8]).unwrap();
        let error = digits.check_fits(&[784]).unwrap_err().to_string();
        assert!(error.contains("[8, 8]") && error.contains("[784]"), "{error}");
    }
}
