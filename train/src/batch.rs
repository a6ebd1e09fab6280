//! Images to tensors of the integers that the first layer multiplies.

use burn::tensor::{Device, Tensor, TensorData};
use hafnia::network::InputCode;

use crate::data::{Images, augmented};
use crate::random::Stream;
use crate::recipe::DataRecipe;

/// Rows of `[image, value]`. Every integer of the input code is exact in f32 (they lie within +-2^24).
pub fn inputs<'a>(
    images: impl Iterator<Item = std::borrow::Cow<'a, [u8]>>,
    values: usize,
    code: &InputCode,
    device: &Device,
) -> Tensor<2> {
    let table: Vec<f32> = (0..=255).map(|byte| code.value(byte) as f32).collect();
    let data: Vec<f32> = images.flat_map(|i| i.iter().map(|q| table[usize::from(*q)]).collect::<Vec<_>>()).collect();
    let rows = data.len() / values;
    Tensor::from_data(TensorData::new(data, [rows, values]), device)
}

/// The chosen images, each augmented as the recipe says.
pub fn training(
    images: &Images,
    chosen: &[usize],
    code: &InputCode,
    augment: &DataRecipe,
    stream: &mut Stream,
    device: &Device,
) -> Tensor<2> {
    let augmented = chosen.iter().map(|i| augmented(images, *i, augment, stream).into());
    inputs(augmented, images.values(), code, device)
}

/// One row an image: 1 at its class, else 0.
pub fn targets(images: &Images, chosen: &[usize], classes: usize, device: &Device) -> Tensor<2> {
    let mut data = vec![0.0f32; chosen.len() * classes];
    for (row, i) in chosen.iter().enumerate() {
        data[row * classes + images.labels[*i]] = 1.0;
    }
    Tensor::from_data(TensorData::new(data, [chosen.len(), classes]), device)
}

/// Cuts an order of two or more into batches whose sizes differ by at most one, none smaller than the two that batch norm needs.
pub fn cut(order: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let count = order.len().div_ceil(size).min(order.len() / 2);
    (0..count).map(move |k| &order[k * order.len() / count..(k + 1) * order.len() / count])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_even_and_cover_everything() {
        let order: Vec<usize> = (0..10).collect();
        let batches: Vec<_> = cut(&order, 4).collect();
        assert_eq!(batches.iter().map(|b| b.len()).collect::<Vec<_>>(), [3, 3, 4]);
        assert_eq!(batches.concat(), order);
        assert_eq!(cut(&order[..5], 2).collect::<Vec<_>>(), [&[0, 1][..], &[2, 3, 4]]);
    }
}
