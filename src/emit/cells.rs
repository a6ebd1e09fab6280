//! Where the cells of arrays lie in their memory images and on their word lines, and what they hold.
//!
//! The image of a programmable array has every cell, in the order in which a read takes them; the register bus sees the same
//! cells word line by word line.

use ndarray::Array2;

use super::images::{Image, Word, image};
use crate::network::WeightKind;
use crate::plan::{AdcPlan, LayerPlan, PcsaPlan, ReadoutPlan, SaPlan};

/// The arrays of a layer.
pub struct Cells<'a> {
    /// Prefix of the images.
    name: &'a str,
    weights: &'a Array2<i8>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Pcsa(&'a PcsaPlan),
    /// Columns of a neuron.
    Sa(&'a SaPlan, usize),
    Adc(&'a AdcPlan, usize),
}

/// A cell of an array: its word line, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub cell: usize,
}

impl<'a> Cells<'a> {
    /// None for a layer without arrays.
    pub fn of(layer: &'a LayerPlan) -> Option<Self> {
        let kind = match &layer.readout {
            ReadoutPlan::Digital(_) => return None,
            ReadoutPlan::Pcsa(p) => Kind::Pcsa(p),
            ReadoutPlan::Sa(s) => Kind::Sa(s, if layer.weight_kind == WeightKind::Ternary { 2 } else { 1 }),
            ReadoutPlan::Adc(a) => Kind::Adc(a, if a.single_column { 1 } else { 2 }),
        };
        Some(Self { name: &layer.name, weights: &layer.weights, kind })
    }

    /// Neurons of an array.
    fn neurons(&self) -> usize {
        match &self.kind {
            Kind::Pcsa(p) => p.rows,
            Kind::Sa(s, _) => s.amplifiers * s.columns_per_amplifier,
            Kind::Adc(a, _) => a.adcs * a.columns_per_adc,
        }
    }

    /// First input of a split, and how many it has.
    fn inputs(&self, split: usize) -> (usize, usize) {
        let of = |sizes: &[usize]| (sizes[..split].iter().sum(), sizes[split]);
        match &self.kind {
            Kind::Pcsa(p) => (split * p.slice(), p.slice()),
            Kind::Sa(s, _) => of(&s.block_sizes),
            Kind::Adc(a, _) => of(&a.block_sizes),
        }
    }

    /// Whether a cell is to be LRS. Cells that hold no weight are HRS.
    pub fn lrs(&self, split: usize, tile: usize, at: Place) -> bool {
        let (start, _) = self.inputs(split);
        let (row, input, sign) = match &self.kind {
            // +1 is LRS/HRS, -1 HRS/LRS, 0 HRS/HRS.
            Kind::Pcsa(p) => (at.line, at.cell % p.slice(), if at.cell < p.slice() { 1 } else { -1 }),
            // The first column has LRS where the signs of word line and weight agree, the second where they differ.
            Kind::Sa(..) => {
                let differ = at.line % 2 + at.cell / self.neurons();
                (at.cell % self.neurons(), at.line / 2, if differ.is_multiple_of(2) { 1 } else { -1 })
            }
            Kind::Adc(..) => (at.cell % self.neurons(), at.line, if at.cell < self.neurons() { 1 } else { -1 }),
        };
        self.weights.get([tile * self.neurons() + row, start + input]) == Some(&sign)
    }

    /// Words of an array's image, and the bits of a word.
    fn shape(&self, split: usize) -> (usize, usize) {
        let (_, inputs) = self.inputs(split);
        match &self.kind {
            Kind::Pcsa(p) => (p.rows * p.columns_per_amplifier, 2 * p.amplifiers),
            Kind::Sa(_, columns) => (self.neurons(), 2 * columns * inputs),
            Kind::Adc(_, columns) => (self.neurons(), columns * inputs),
        }
    }

    /// The cell that a bit of a word of the image stands for.
    fn place(&self, split: usize, word: usize, bit: usize) -> Place {
        let (_, inputs) = self.inputs(split);
        match &self.kind {
            Kind::Pcsa(p) => {
                let column = word % p.columns_per_amplifier * p.amplifiers + bit % p.amplifiers;
                let cell = column + if bit < p.amplifiers { 0 } else { p.slice() };
                Place { line: word / p.columns_per_amplifier, cell }
            }
            Kind::Sa(..) => {
                let (plane, input) = (bit / inputs, bit % inputs);
                Place { line: 2 * input + plane % 2, cell: plane / 2 * self.neurons() + word }
            }
            Kind::Adc(..) => Place { line: bit % inputs, cell: bit / inputs * self.neurons() + word },
        }
    }

    fn image_name(&self, split: usize, tile: usize) -> String {
        match &self.kind {
            Kind::Pcsa(_) => format!("{}_r{tile}_c{split}", self.name),
            Kind::Sa(..) | Kind::Adc(..) => format!("{}_b{split}_t{tile}", self.name),
        }
    }

    /// An image of an array whose cells are as `lrs` says.
    pub fn image(&self, split: usize, tile: usize, lrs: impl Fn(Place) -> bool) -> Image {
        let (words, bits) = self.shape(split);
        let word = |word| Word((0..bits).map(|bit| lrs(self.place(split, word, bit))).collect());
        image(format!("{}.mem", self.image_name(split, tile)), (0..words).map(word))
    }

    /// The faults of an array for its model: words of {slow, stuck} cells.
    pub fn faults(
        &self,
        split: usize,
        tile: usize,
        stuck: impl Fn(Place) -> bool,
        slow: impl Fn(Place) -> bool,
    ) -> Image {
        let (words, bits) = self.shape(split);
        let word = |word| {
            let places = || (0..bits).map(move |bit| self.place(split, word, bit));
            Word(places().map(&stuck).chain(places().map(&slow)).collect())
        };
        image(format!("{}_faults.mem", self.image_name(split, tile)), (0..words).map(word))
    }
}
