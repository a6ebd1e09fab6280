//! Where the cells of arrays lie in their memory images.
//!
//! The image of a programmable array has every cell, in the order in which a read takes them; the register bus sees the same
//! cells word line by word line. Where cells cannot be programmed, the images of `sa` and `adc` have a part of them.

use super::images::{Image, Word, image};
use crate::plan::{ArrayKind, Arrays, LayerPlan, Place, Plan};

/// The arrays of a layer.
pub struct Cells<'a> {
    /// Prefix of the images.
    name: &'a str,
    pub arrays: Arrays<'a>,
}

impl<'a> Cells<'a> {
    /// None for a layer without arrays.
    pub fn of(layer: &'a LayerPlan) -> Option<Self> {
        Some(Self { name: &layer.name, arrays: Arrays::of(layer)? })
    }

    /// Of all that a plan has, by name.
    pub fn all(plan: &'a Plan) -> impl Iterator<Item = Self> {
        Arrays::all(&plan.layers, plan.memory.as_ref()).map(|(name, arrays)| Self { name, arrays })
    }

    /// Name of the layer, or of the key memory's arrays.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Words of an array's image, and the bits of a word.
    fn shape(&self, split: usize) -> (usize, usize) {
        let (amplifiers, shared) = self.arrays.amplifiers();
        match &self.arrays.kind {
            ArrayKind::Pcsa(p) => ((p.rows + self.arrays.spare_lines()) * shared, 2 * amplifiers),
            ArrayKind::Sa(_, columns) | ArrayKind::Adc(_, columns) => {
                (self.arrays.columns(), columns * self.arrays.lines(split))
            }
        }
    }

    /// The cell that a bit of a word of the image stands for.
    fn place(&self, split: usize, word: usize, bit: usize) -> Place {
        let (amplifiers, shared) = self.arrays.amplifiers();
        let (columns, inputs) = (self.arrays.columns(), self.arrays.all_lines(split));
        match &self.arrays.kind {
            ArrayKind::Pcsa(_) => {
                let column = word % shared * amplifiers + bit % amplifiers;
                let cell = column + if bit < amplifiers { 0 } else { columns };
                Place { line: word / shared, cell }
            }
            ArrayKind::Sa(..) => {
                let (plane, input) = (bit / inputs, bit % inputs);
                Place { line: 2 * input + plane % 2, cell: plane / 2 * columns + word }
            }
            ArrayKind::Adc(..) => Place { line: bit % inputs, cell: bit / inputs * columns + word },
        }
    }

    fn image_name(&self, split: usize, tile: usize) -> String {
        match &self.arrays.kind {
            ArrayKind::Pcsa(_) => format!("{}_r{tile}_c{split}", self.name),
            ArrayKind::Sa(..) | ArrayKind::Adc(..) => format!("{}_b{split}_t{tile}", self.name),
        }
    }

    /// An image of an array whose cells are as `lrs` says.
    pub fn image(&self, split: usize, tile: usize, lrs: impl Fn(Place) -> bool) -> Image {
        self.part(split, tile, self.shape(split).1, lrs)
    }

    /// An image that has the first bits of each word only, as those that cannot be programmed have: the planes of +1 and, with
    /// ternary weights, of -1. Other cells follow from these.
    pub fn part(&self, split: usize, tile: usize, bits: usize, lrs: impl Fn(Place) -> bool) -> Image {
        let (words, _) = self.shape(split);
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
