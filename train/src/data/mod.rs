//! Images as the data set stores them: one byte a value, with a label.

mod augment;
mod digits;

pub use augment::{jittered, shifted};

use crate::{Error, recipe::SetName};

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
    /// Place of each image in the whole set, for reports.
    pub indices: Vec<usize>,
}

/// A set, split into what may be learned from and what is held out.
pub struct Split {
    pub classes: usize,
    pub train: Images,
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

    fn subset(&self, keep: impl Fn(usize) -> bool) -> Self {
        let chosen: Vec<usize> = (0..self.len()).filter(|i| keep(*i)).collect();
        Self {
            shape: self.shape,
            largest: self.largest,
            codes: chosen.iter().flat_map(|i| self.image(*i)).copied().collect(),
            labels: chosen.iter().map(|i| self.labels[*i]).collect(),
            indices: chosen.iter().map(|i| self.indices[*i]).collect(),
        }
    }
}

/// Loads a set by its name.
pub fn load(set: SetName) -> Result<Split, Error> {
    match set {
        SetName::Digits => digits::load(),
    }
}
