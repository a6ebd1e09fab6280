//! Arrays with spares: the parameters and the images that say what is left out.

use super::blocks::{Pair, pair};
use super::images::{Image, Word, image};
use super::views::index_width;
use crate::plan::{ArrayKind, Arrays, LayerPlan, left_out};

/// Parameters of a layer's arrays; nothing without spares.
pub(super) fn parameters(layer: &LayerPlan, amplifiers: &str) -> Vec<Pair> {
    let Some(spares) = &layer.spares else { return Vec::new() };
    vec![pair("SpareLines", spares.word_lines), pair(amplifiers, spares.amplifiers)]
}

/// What is left out, by layer: one word each, of places in ascending order.
pub(super) fn images(layer: &LayerPlan, out: &mut Vec<Image>) {
    let (Some(spares), Some(arrays)) = (&layer.spares, Arrays::of(layer)) else { return };
    let left_out = left_out(layer);
    if spares.word_lines > 0 {
        let width = index_width(arrays.all_lines(0));
        let places = arrays.groups().into_iter().flat_map(|g| left_out[g[0].0][g[0].1].lines.clone());
        out.push(one_word(format!("{}_spare_lines.mem", layer.name), places, width));
    }
    if spares.amplifiers > 0 {
        let width = index_width(arrays.amplifiers().0);
        let unused = arrays.left_out(0, &[], &[]).amplifiers;
        let of = |(split, tile): (usize, usize)| {
            let array = left_out.get(split).and_then(|tiles| tiles.get(tile));
            array.map_or(unused.clone(), |a| a.amplifiers.clone())
        };
        let order: Vec<(usize, usize)> = match &arrays.kind {
            // Lanes of each group, those without an array among them.
            ArrayKind::Pcsa(p) => (0..p.row_groups())
                .flat_map(|r| (0..p.column_groups()).map(move |c| (r, c)))
                .flat_map(|(r, c)| (0..p.lane_rows).map(move |row| (r * p.lane_rows + row, c)))
                .flat_map(|(tile, c)| (0..p.lane_columns).map(move |l| (c * p.lane_columns + l, tile)))
                .collect(),
            _ => arrays.each().collect(),
        };
        out.push(one_word(format!("{}_spare_columns.mem", layer.name), order.into_iter().flat_map(of), width));
    }
}

fn one_word(name: String, places: impl Iterator<Item = usize>, width: usize) -> Image {
    let mut word = Word::default();
    for place in places {
        word.number(place as i64, width);
    }
    image(name, [word])
}
