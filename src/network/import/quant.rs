//! `Quant` and `BipolarQuant` as QONNX defines them: on constants, on single values, and as an activation's cuts.

use super::attributes::Attributes;
use super::constant::{Constant, Quantized};
use super::layout::Channels;
use super::proto::NodeProto;
use super::tensor::{Data, Tensor, broadcast};
use crate::network::{Activation, Cut, WeightKind};

/// How a real number becomes a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    HalfEven,
    Ceil,
    Floor,
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
    /// Nearest, halves away from zero.
    HalfUp,
    /// Nearest, halves toward zero.
    HalfDown,
}

impl Rounding {
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "ROUND" | "HALF_EVEN" => Self::HalfEven,
            "CEIL" => Self::Ceil,
            "FLOOR" => Self::Floor,
            "UP" => Self::Up,
            "DOWN" | "ROUND_TO_ZERO" => Self::Down,
            "HALF_UP" => Self::HalfUp,
            "HALF_DOWN" => Self::HalfDown,
            _ => {
                let name = super::attributes::short(name);
                return Err(format!(
                    "rounding mode {name:?} is not known; use ROUND, CEIL, FLOOR, UP, DOWN, ROUND_TO_ZERO, HALF_UP or HALF_DOWN"
                ));
            }
        })
    }

    fn round(self, t: f32) -> f32 {
        let sign = if t < 0.0 { -1.0 } else { 1.0 };
        match self {
            Self::HalfEven => t.round_ties_even(),
            Self::Ceil => t.ceil(),
            Self::Floor => t.floor(),
            Self::Up => sign * t.abs().ceil(),
            Self::Down => t.trunc(),
            Self::HalfUp => sign * (t.abs() + 0.5).floor(),
            Self::HalfDown => sign * (t.abs() - 0.5).ceil(),
        }
    }

    /// `(c, strict)` such that a real `t` rounds to `m` or more exactly where `t > c` (strict) or `t >= c`.
    fn reaches(self, m: i64) -> (f64, bool) {
        let (at, positive) = (m as f64, m > 0);
        match self {
            Self::HalfEven => (at - 0.5, m % 2 != 0),
            Self::Ceil => (at - 1.0, true),
            Self::Floor => (at, false),
            Self::Up if positive => (at - 1.0, true),
            Self::Up => (at, false),
            Self::Down if positive => (at, false),
            Self::Down => (at - 1.0, true),
            Self::HalfUp => (at - 0.5, !positive),
            Self::HalfDown => (at - 0.5, positive),
        }
    }
}

/// A parsed quantizer: `t = x / scale + zero point`, a whole number `q`, then `(q - zero point) scale`.
pub struct Quantizer {
    scale: Tensor,
    zero_point: Tensor,
    levels: Levels,
}

enum Levels {
    /// +1 where x >= 0, else -1: `BipolarQuant`.
    Bipolar,
    /// +1 where t >= 0, else -1: `Quant` with one signed bit.
    Sign,
    Range {
        lo: i64,
        hi: i64,
        rounding: Rounding,
    },
}

/// An activation and what its integer code `c` stands for: `scale c + offset`.
pub struct Step {
    pub activation: Activation,
    pub scale: f64,
    pub offset: Vec<f64>,
}

impl Quantizer {
    pub fn parse(node: &NodeProto, inputs: &[Option<&Constant>]) -> Result<Self, String> {
        let constant = |at: usize, what: &str| {
            let found = inputs.get(at).copied().flatten();
            found.map(|c| &c.tensor).ok_or_else(|| format!("its {what} (input {at}) is not a constant"))
        };
        let scale = constant(1, "scale")?.clone();
        if scale.f32s()?.iter().any(|s| *s <= 0.0) {
            return Err("its scale must be positive everywhere".into());
        }
        if node.op_type == "BipolarQuant" {
            Attributes::of(node, &[])?;
            let zero_point = Tensor::new(vec![], Data::F32(vec![0.0]))?;
            return Ok(Self { scale, zero_point, levels: Levels::Bipolar });
        }
        let attributes = Attributes::of(node, &["signed", "narrow", "rounding_mode"])?;
        if let Some(absent) = ["signed", "narrow"].into_iter().find(|a| !attributes.has(a)) {
            return Err(format!("its attribute {absent:?} is missing; QONNX demands it"));
        }
        let (signed, narrow) = (attributes.flag("signed", true)?, attributes.flag("narrow", false)?);
        let rounding = Rounding::parse(attributes.string("rounding_mode", "ROUND")?)?;
        let zero_point = constant(2, "zero point")?.clone();
        zero_point.f32s()?;
        let bits = constant(3, "bit width")?;
        let bits = bits.scalar().ok_or("its bit width must be one number")?;
        if bits.fract() != 0.0 || !(1.0..=32.0).contains(&bits) {
            return Err(format!("its bit width is {bits}; whole numbers from 1 to 32 can be imported"));
        }
        let bits = bits as u32;
        let half = 1i64 << (bits - 1);
        let levels = match (signed, narrow) {
            (true, _) if bits == 1 => Levels::Sign,
            (true, narrow) => Levels::Range { lo: i64::from(narrow) - half, hi: half - 1, rounding },
            (false, narrow) => Levels::Range { lo: 0, hi: 2 * half - 1 - i64::from(narrow), rounding },
        };
        if let Levels::Range { lo, hi, .. } = levels
            && lo >= hi
        {
            return Err("it has a single level; widen its bit width".into());
        }
        Ok(Self { scale, zero_point, levels })
    }

    /// The whole number `q` and the value that come out for `x`, in f32 as a runtime computes them.
    fn apply(&self, x: f32, scale: f32, zero_point: f32) -> (f32, f32) {
        let q = match self.levels {
            Levels::Bipolar => sign(x),
            Levels::Sign => sign(x / scale + zero_point),
            Levels::Range { lo, hi, rounding } => rounding.round((x / scale + zero_point).clamp(lo as f32, hi as f32)),
        };
        (q, (q - zero_point) * scale)
    }

    /// Quantizes a constant and keeps its whole numbers beside the values.
    pub fn fold(&self, x: &Tensor) -> Result<Constant, String> {
        let fits = |p: &Tensor| broadcast(&x.shape, &p.shape).is_ok_and(|s| s == x.shape);
        if !fits(&self.scale) || !fits(&self.zero_point) {
            return Err(format!(
                "its scale {:?} or zero point {:?} does not broadcast to the values {:?}",
                self.scale.shape, self.zero_point.shape, x.shape
            ));
        }
        let scale = self.scale.broadcast_to(&x.shape)?;
        let zero_point = self.zero_point.broadcast_to(&x.shape)?;
        let (scales, zeros) = (scale.f32s()?, zero_point.f32s()?);
        let outcome = x.f32s()?.iter().zip(scales.iter().zip(zeros.iter())).map(|(x, (s, z))| self.apply(*x, *s, *z));
        let (codes, values): (Vec<f32>, Vec<f32>) = outcome.unzip();
        let tensor = Tensor::new(x.shape.clone(), Data::F32(values))?;
        let whole = zeros.iter().all(|z| z.fract() == 0.0);
        let codes = codes.iter().zip(zeros.iter()).map(|(q, z)| q - z).collect();
        let codes = Tensor::new(x.shape.clone(), Data::F32(codes))?;
        let kind = match self.levels {
            Levels::Bipolar | Levels::Sign => WeightKind::Bipolar,
            Levels::Range { lo, hi, .. } if lo >= -1 && hi <= 1 => WeightKind::Ternary,
            Levels::Range { .. } => WeightKind::Int8,
        };
        let kind = if zeros.iter().all(|z| *z == 0.0) { kind } else { WeightKind::Int8 };
        let quantized = whole.then_some(Quantized { codes, scale, kind });
        Ok(Constant { tensor, quantized })
    }

    /// For the input: whole codes (less a whole zero point), scale and offset they stand under, and the values.
    pub fn table(&self, x: &[f32]) -> Result<(Vec<i64>, f64, f64, Vec<f32>), String> {
        let (Some(scale), Some(zero_point)) = (self.scale.scalar(), self.zero_point.scalar()) else {
            return Err("it quantizes the input with a scale or zero point for each position; use one for all".into());
        };
        let (q, values): (Vec<f32>, Vec<f32>) =
            x.iter().map(|x| self.apply(*x, scale as f32, zero_point as f32)).unzip();
        let whole = zero_point.fract() == 0.0;
        let taken = if whole { zero_point } else { 0.0 };
        let codes = q.iter().map(|q| (f64::from(*q) - taken) as i64).collect();
        let offset = if whole { 0.0 } else { -zero_point * scale };
        Ok((codes, scale, offset, values))
    }

    /// Whether every given value, one a channel, comes out as it went in.
    pub fn keeps(&self, values: &[f64], channels: Channels) -> Result<bool, String> {
        let scale = self.parameter(&self.scale, channels, "scale")?;
        let zero = self.parameter(&self.zero_point, channels, "zero point")?;
        Ok((0..values.len()).all(|j| {
            let x = values[j] as f32;
            self.apply(x, scale[j] as f32, zero[j] as f32).1 == x
        }))
    }

    /// As an activation of a layer with these channels.
    pub fn step(&self, channels: Channels) -> Result<Step, String> {
        let neurons = channels.count;
        let scales = self.parameter(&self.scale, channels, "scale")?;
        let zeros = self.parameter(&self.zero_point, channels, "zero point")?;
        let scale = scales[0];
        if scales.iter().any(|s| *s != scale) {
            return Err("its activation scale differs from neuron to neuron, which would need real-valued weights in \
                        the next layer; train with one scale for the layer"
                .into());
        }
        // Where t = x / scale + zero crosses c.
        let cut = |c: f64| zeros.iter().map(|z| (c - z) * scale).collect::<Vec<f64>>();
        Ok(match self.levels {
            Levels::Bipolar => Step {
                activation: Activation::Bipolar { threshold: vec![0.0; neurons] },
                scale,
                offset: vec![0.0; neurons],
            },
            Levels::Sign => {
                let offset = zeros.iter().map(|z| -z * scale).collect();
                Step { activation: Activation::Bipolar { threshold: cut(0.0) }, scale, offset }
            }
            Levels::Range { lo, hi, rounding } if hi - lo == 1 => {
                let (c, strict) = rounding.reaches(hi);
                let mut threshold = cut(c);
                if strict {
                    // In f64, y > t is y >= the next number above t.
                    threshold.iter_mut().for_each(|t| *t = t.next_up());
                }
                let offset = zeros.iter().map(|z| (lo as f64 + 0.5 - z) * scale).collect();
                Step { activation: Activation::Bipolar { threshold }, scale: scale / 2.0, offset }
            }
            Levels::Range { lo, hi, rounding } if hi - lo == 2 => {
                let (c, strict) = rounding.reaches(hi);
                let above = Cut { at: cut(c), strict };
                let (c, reaches_strictly) = rounding.reaches(lo + 1);
                let below = Cut { at: cut(c), strict: !reaches_strictly };
                let offset = zeros.iter().map(|z| (lo as f64 + 1.0 - z) * scale).collect();
                Step { activation: Activation::Ternary { above, below }, scale, offset }
            }
            Levels::Range { lo, hi, .. } => {
                return Err(format!(
                    "it quantizes an activation to {} levels; between layers values are bipolar or ternary (1 bit, or 2 bits signed and narrow)",
                    hi - lo + 1
                ));
            }
        })
    }

    fn parameter(&self, tensor: &Tensor, channels: Channels, what: &str) -> Result<Vec<f64>, String> {
        per_channel(tensor, channels).map_err(|e| format!("its {what} {e}"))
    }
}

/// One value a channel from a constant that has one value, or one for each channel along their axis.
pub fn per_channel(tensor: &Tensor, channels: Channels) -> Result<Vec<f64>, String> {
    let Channels { count, behind } = channels;
    if let Some(value) = tensor.scalar() {
        return Ok(vec![value; count]);
    }
    let shape = &tensor.shape;
    let leading = shape.iter().take_while(|s| **s == 1).count();
    let fits = |behind: usize| {
        let (own, ones) = (shape.get(leading), shape.get(leading + 1..).unwrap_or_default());
        own == Some(&count) && ones.len() == behind && ones.iter().all(|s| *s == 1)
    };
    match behind {
        Some(behind) if fits(behind) => Ok(tensor.f64s()),
        Some(0) => Err(format!(
            "has shape {shape:?}; a layer of {count} neurons takes one value, or {count} along the last axis"
        )),
        Some(behind) => {
            let expected = [vec![count], vec![1; behind]].concat();
            Err(format!(
                "has shape {shape:?}; a map of {count} channels takes one value, or one a channel: {expected:?}"
            ))
        }
        None => Err(format!(
            "has shape {shape:?}, but the {count} channels have no axis of their own here; put it before the map is flattened"
        )),
    }
}

fn sign(t: f32) -> f32 {
    if t >= 0.0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_agree_with_rounding_at_and_beside_every_boundary() {
        use Rounding::{Ceil, Down, Floor, HalfDown, HalfEven, HalfUp, Up};
        for mode in [HalfEven, Ceil, Floor, Up, Down, HalfUp, HalfDown] {
            for m in -2..=2 {
                let (c, strict) = mode.reaches(m);
                for step in -24..=24 {
                    let t = step as f32 / 8.0;
                    let by_cut = if strict { f64::from(t) > c } else { f64::from(t) >= c };
                    assert_eq!(by_cut, mode.round(t) >= m as f32, "{mode:?}: {t} to {m} or more");
                }
            }
        }
    }

    #[test]
    fn rounds_as_the_qonnx_reference_does() {
        let values = [5.5, 2.5, 1.6, 1.1, 1.0, -1.0, -1.1, -1.6, -2.5, -5.5];
        let expected = [
            ("ROUND", [6, 2, 2, 1, 1, -1, -1, -2, -2, -6]),
            ("ceil", [6, 3, 2, 2, 1, -1, -1, -1, -2, -5]),
            ("FLOOR", [5, 2, 1, 1, 1, -1, -2, -2, -3, -6]),
            ("UP", [6, 3, 2, 2, 1, -1, -2, -2, -3, -6]),
            ("ROUND_TO_ZERO", [5, 2, 1, 1, 1, -1, -1, -1, -2, -5]),
            ("HALF_UP", [6, 3, 2, 1, 1, -1, -1, -2, -3, -6]),
            ("HALF_DOWN", [5, 2, 2, 1, 1, -1, -1, -2, -2, -5]),
        ];
        for (name, whole) in expected {
            let mode = Rounding::parse(name).unwrap();
            assert_eq!(values.map(|v| mode.round(v) as i32), whole, "{name}");
        }
        assert!(Rounding::parse("STOCHASTIC").unwrap_err().contains("FLOOR"));
    }
}
