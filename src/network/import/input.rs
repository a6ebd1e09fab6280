//! The input before its first layer: a table of the value that each of the 256 pixel codes has there.
//!
//! Values are computed in f32, operation by operation, as a runtime would. [`Pixels::encode`] then finds the integers
//! that stand for them.

use super::ImportOptions;
use super::constant::arithmetic;
use super::graph::GraphInput;
use super::proto::data_type;
use super::sum::code_of;
use super::tensor::Tensor;
use crate::network::{InputCode, InputValues};

/// Largest integer that a table or an affine map may use.
const LARGEST: i64 = 1 << 15;

pub struct Pixels {
    /// Value of each code.
    values: Vec<f32>,
    /// Whole numbers behind the values, once a quantizer has made some.
    codes: Option<Codes>,
    /// Whether the graph still holds bytes, which a `Cast` to float has to precede.
    bytes: bool,
}

/// `value = scale * whole + offset`
struct Codes {
    whole: Vec<i64>,
    scale: f64,
    offset: f64,
}

/// The integers of an input, and the real numbers they stand for: `scale * integer + offset`.
pub struct Encoded {
    pub code: InputCode,
    pub scale: f64,
    pub offset: f64,
}

impl Encoded {
    /// The integer that stands for `value`, to pad with.
    pub fn code_of(&self, value: f64) -> Result<i32, String> {
        code_of(value, self.scale, self.offset).filter(|c| self.code.domain().takes(*c)).ok_or_else(|| {
            let (scale, offset) = (self.scale, self.offset);
            format!(
                "it pads with {value}, but the image's integers q stand for {scale} q + {offset}, which is {value} for none of them; \
                 quantize the input so that {value} is one of its steps, or do not pad"
            )
        })
    }
}

impl Pixels {
    pub fn new(input: &GraphInput, options: &ImportOptions) -> Result<Self, String> {
        if let Some(s) = options.input_scale
            && !(s.is_finite() && s > 0.0)
        {
            return Err(format!("the input scale is {s}; it must be positive and finite"));
        }
        let bytes = match input.data_type {
            None | Some(data_type::FLOAT) => false,
            Some(data_type::UINT8) => true,
            Some(other) => {
                let name = data_type::name(other);
                return Err(format!("the graph's input has type {name}; export it with a float32 or uint8 input"));
            }
        };
        let whole_pixels = bytes || input.finn_type.as_deref() == Some("UINT8");
        if let Some(noted) = input.finn_type.as_deref()
            && !whole_pixels
            && noted != "FLOAT32"
            && options.input_scale.is_none()
        {
            return Err(format!(
                "the graph's input is noted as {noted}, and images are bytes from 0 to 255; say by --input-scale what a byte stands for"
            ));
        }
        let each = |p: u8| {
            let p = f32::from(p);
            match options.input_scale {
                None if whole_pixels => p,
                // A scale of 1/255 means the division that data loaders do; p * (1/255) rounds otherwise.
                Some(s) if s != 1.0 / 255.0 => p * s,
                _ => p / 255.0,
            }
        };
        if bytes && options.input_scale.is_some_and(|s| s != 1.0) {
            return Err("the graph's input is uint8, so pixels go in as they are; leave out the input scale".into());
        }
        Ok(Self { values: (0..=255).map(each).collect(), codes: None, bytes })
    }

    pub fn cast(&mut self) {
        self.bytes = false;
    }

    fn is_float(&self) -> Result<(), String> {
        match self.bytes {
            true => Err("it works on bytes; cast the input to float first".into()),
            false => Ok(()),
        }
    }

    /// `value op constant`, or `constant op value`.
    pub fn arithmetic(&mut self, op: &str, constant: &Tensor, constant_first: bool) -> Result<(), String> {
        self.is_float()?;
        let &[c] = constant.f32s()? else {
            return Err(format!(
                "its constant of shape {:?} differs from input position to position; the input takes one number for all",
                constant.shape
            ));
        };
        let each = |v: f32| if constant_first { arithmetic(op, c, v) } else { arithmetic(op, v, c) };
        self.values.iter_mut().for_each(|v| *v = each(*v));
        let c = f64::from(c);
        self.codes = self.codes.take().and_then(|k| match (op, constant_first) {
            ("Add", _) => Some(Codes { offset: k.offset + c, ..k }),
            ("Sub", false) => Some(Codes { offset: k.offset - c, ..k }),
            ("Mul", _) if c > 0.0 => Some(Codes { scale: k.scale * c, offset: k.offset * c, ..k }),
            ("Div", false) if c > 0.0 => Some(Codes { scale: k.scale / c, offset: k.offset / c, ..k }),
            _ => None,
        });
        self.finite()
    }

    pub fn unary(&mut self, op: &str) -> Result<(), String> {
        self.is_float()?;
        self.values.iter_mut().for_each(|v| *v = if op == "Neg" { -*v } else { v.sqrt() });
        self.codes = None;
        self.finite()
    }

    /// Batch norm of a single channel, in the order of its definition.
    pub fn batch_norm(&mut self, [scale, bias, mean, variance]: [&Tensor; 4], epsilon: f32) -> Result<(), String> {
        self.is_float()?;
        let one = |t: &Tensor| match t.f32s()? {
            [v] => Ok(*v),
            _ => Err("it normalizes the input by channel; the input takes one map for all positions".to_string()),
        };
        let (scale, bias, mean, variance) = (one(scale)?, one(bias)?, one(mean)?, one(variance)?);
        let deviation = (variance + epsilon).sqrt();
        self.values.iter_mut().for_each(|v| *v = scale * (*v - mean) / deviation + bias);
        self.codes = None;
        self.finite()
    }

    /// Applies a quantizer: from values to codes, their scale and offset, and the new values.
    pub fn quantize(
        &mut self,
        table: impl Fn(&[f32]) -> Result<(Vec<i64>, f64, f64, Vec<f32>), String>,
    ) -> Result<(), String> {
        self.is_float()?;
        let (whole, scale, offset, values) = table(&self.values)?;
        (self.values, self.codes) = (values, Some(Codes { whole, scale, offset }));
        self.finite()
    }

    fn finite(&self) -> Result<(), String> {
        match self.values.iter().position(|v| !v.is_finite()) {
            Some(p) => Err(format!("it turns pixel {p} into {}", self.values[p])),
            None => Ok(()),
        }
    }

    /// The integers for the hardware.
    pub fn encode(&self) -> Result<Encoded, String> {
        self.is_float()?;
        let values = &self.values;
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        if low == high {
            return Err(format!(
                "every pixel becomes {low} before this layer; does the input scale fit? (`--input-scale`)"
            ));
        }
        let encoded = |values, scale, offset| Encoded { code: InputCode::U8(values), scale, offset };
        if values.iter().all(|v| *v == low || *v == high) {
            let (l, h) = (f64::from(low), f64::from(high));
            let signs: Vec<i64> = values.iter().map(|v| if *v == high { 1 } else { -1 }).collect();
            let code = match signs.is_sorted() {
                true => InputValues::Threshold { at: signs.iter().position(|s| *s == 1).expect("both occur") as i32 },
                false => whole(&signs)?,
            };
            return Ok(encoded(code, (h - l) / 2.0, (h + l) / 2.0));
        }
        if let Some(codes) = &self.codes {
            return Ok(encoded(whole(&codes.whole)?, codes.scale, codes.offset));
        }
        let (code, scale) = fit(values).ok_or(
            "the input before this layer is neither a straight line in the pixel nor made of whole numbers; quantize it \
             (Quant with 8 bits) before the first layer",
        )?;
        Ok(encoded(code, scale, 0.0))
    }
}

/// Whole numbers as an affine map of the code where they are one, else as a table.
fn whole(v: &[i64]) -> Result<InputValues, String> {
    if let Some(p) = v.iter().position(|v| v.abs() > LARGEST) {
        return Err(format!("pixel {p} becomes the integer {}; the first layer takes up to +-{LARGEST}", v[p]));
    }
    let (gain, offset) = (v[1] - v[0], v[0]);
    let affine = v.iter().enumerate().all(|(p, v)| *v == gain * p as i64 + offset) && gain.abs() <= LARGEST;
    Ok(match affine {
        true => InputValues::Affine { gain: gain as i32, offset: offset as i32 },
        false => InputValues::Table(v.iter().map(|v| *v as i32).collect()),
    })
}

/// Integers and one scale for real values, within the rounding of f32: a line with a small gain, or a table.
fn fit(values: &[f32]) -> Option<(InputValues, f64)> {
    let v: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
    let largest = v.iter().fold(0f64, |m, v| m.max(v.abs()));
    // Two or three operations round by half a unit in the last place each; four units are allowed.
    let near = largest * 2f64.powi(-22);
    let slope = (v[255] - v[0]) / 255.0;
    if slope != 0.0 {
        for gain in 1..=256i64 {
            let scale = slope.abs() / gain as f64;
            let gain = if slope < 0.0 { -gain } else { gain };
            let offset = (v[0] / scale).round();
            let fits = |(p, v): (usize, &f64)| ((gain as f64 * p as f64 + offset) * scale - v).abs() <= near;
            if offset.abs() <= LARGEST as f64 && v.iter().enumerate().all(fits) {
                return Some((InputValues::Affine { gain: gain as i32, offset: offset as i32 }, scale));
            }
        }
    }
    let smallest = v.iter().filter(|v| **v != 0.0).fold(f64::MAX, |m, v| m.min(v.abs()));
    for parts in 1..=256 {
        let scale = smallest / f64::from(parts);
        let codes: Vec<f64> = v.iter().map(|v| (v / scale).round()).collect();
        let fits = codes.iter().zip(&v).all(|(c, v)| c.abs() <= LARGEST as f64 && (c * scale - v).abs() <= near);
        if fits {
            return Some((InputValues::Table(codes.iter().map(|c| *c as i32).collect()), scale));
        }
    }
    None
}
