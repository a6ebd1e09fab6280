//! Kernels, strides and paddings, as `Conv`, `MaxPool` and `Im2Col` give them.

use super::attributes::{Attributes, short};
use crate::network::Shape;

/// Largest side that is taken of a kernel, a stride or a padding.
const LARGEST: usize = 1 << 16;

/// Windows that move over a map, `[rows, columns]`; padded above, left, below, right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub pad: [usize; 4],
}

impl Window {
    /// From the attributes that ONNX has for convolutions and pools; `kernel` is that of the weights, where there are.
    pub fn parse(attributes: &Attributes, kernel: Option<[usize; 2]>, map: Shape) -> Result<Self, String> {
        let given = |name: &str| attributes.ints(name)?.map(|v| sides::<2>(v, name)).transpose();
        let kernel = match (kernel, given("kernel_shape")?) {
            (Some(own), Some(other)) if own != other => {
                return Err(format!("its kernel_shape is {other:?}, its weights have a kernel of {own:?}"));
            }
            (Some(kernel), _) | (None, Some(kernel)) => kernel,
            (None, None) => return Err("its attribute \"kernel_shape\" is missing".into()),
        };
        let stride = given("strides")?.unwrap_or([1, 1]);
        if kernel.contains(&0) || stride.contains(&0) {
            return Err(format!("its kernel {kernel:?} or stride {stride:?} is 0"));
        }
        undilated(given("dilations")?)?;
        let pads = attributes.ints("pads")?.map(|v| sides::<4>(v, "pads")).transpose()?;
        let mode = attributes.string("auto_pad", "NOTSET")?;
        if mode != "NOTSET" && pads.is_some_and(|p| p != [0; 4]) {
            return Err(format!("it has both pads and auto_pad {:?}; keep the pads alone", short(mode)));
        }
        let pad = match mode {
            "NOTSET" => pads.unwrap_or([0; 4]),
            "VALID" => [0; 4],
            "SAME_UPPER" | "SAME_LOWER" => {
                let both = |side: usize, at: usize| {
                    let total = ((side.div_ceil(stride[at]) - 1) * stride[at] + kernel[at]).saturating_sub(side);
                    let (less, more) = (total / 2, total - total / 2);
                    if mode == "SAME_UPPER" { [less, more] } else { [more, less] }
                };
                let ([above, below], [left, right]) = (both(map.rows, 0), both(map.columns, 1));
                [above, left, below, right]
            }
            _ => return Err(format!("its auto_pad {:?} is not known; export with pads", short(mode))),
        };
        Ok(Self { kernel, stride, pad })
    }

    /// From the attributes of `Im2Col`.
    pub fn of_patches(attributes: &Attributes) -> Result<Self, String> {
        let given = |name: &str| attributes.ints(name)?.map(|v| sides::<2>(v, name)).transpose();
        let needed = |name: &str| given(name)?.ok_or_else(|| format!("its attribute {name:?} is missing"));
        let (kernel, stride) = (needed("kernel_size")?, needed("stride")?);
        if kernel.contains(&0) || stride.contains(&0) {
            return Err(format!("its kernel {kernel:?} or stride {stride:?} is 0"));
        }
        undilated(given("dilations")?)?;
        let pad = attributes.ints("pad_amount")?.map(|v| sides::<4>(v, "pad_amount")).transpose()?;
        Ok(Self { kernel, stride, pad: pad.unwrap_or([0; 4]) })
    }
}

fn undilated(dilations: Option<[usize; 2]>) -> Result<(), String> {
    match dilations {
        Some(d) if d != [1, 1] => Err(format!(
            "its dilations are {d:?}; train with 1, or write the kernel out with zeros between (ternary weights)"
        )),
        _ => Ok(()),
    }
}

/// Whole numbers, none negative or larger than any map.
fn sides<const N: usize>(values: &[i64], name: &str) -> Result<[usize; N], String> {
    if values.len() != N {
        let n = values.len();
        return Err(format!(
            "its {name} has {n} numbers instead of {N}; only windows of rows and columns can be imported (write 1-D ones with one row)"
        ));
    }
    let mut sides = [0; N];
    for (side, value) in sides.iter_mut().zip(values) {
        *side = usize::try_from(*value).ok().filter(|v| *v <= LARGEST).ok_or_else(|| {
            format!("its {name} {values:?} holds {value}; whole numbers from 0 to {LARGEST} can be imported")
        })?;
    }
    Ok(sides)
}
