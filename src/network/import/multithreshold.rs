//! FINN's `MultiThreshold`: how many thresholds a value reaches, times `out_scale`, plus `out_bias`.

use super::attributes::{Attributes, short};
use super::constant::Constant;
use super::layout::Channels;
use super::proto::NodeProto;
use super::quant::Step;
use crate::network::{Activation, Cut};

pub struct MultiThreshold {
    /// Thresholds of each channel, ascending; one row where all channels share it.
    rows: Vec<Vec<f32>>,
    scale: f64,
    bias: f64,
    /// `data_layout` NHWC: the channels of a map are the last axis.
    channels_last: bool,
}

impl MultiThreshold {
    pub fn parse(node: &NodeProto, inputs: &[Option<&Constant>]) -> Result<Self, String> {
        let attributes = Attributes::of(node, &["out_dtype", "out_scale", "out_bias", "data_layout"])?;
        let thresholds = inputs.get(1).copied().flatten().ok_or("its thresholds (input 1) are not a constant")?;
        let &[channels, count] = thresholds.tensor.shape.as_slice() else {
            return Err(format!(
                "its thresholds have shape {:?}; expected [channels, thresholds]",
                thresholds.tensor.shape
            ));
        };
        if channels == 0 || count == 0 {
            return Err("it has no thresholds".into());
        }
        let mut rows: Vec<Vec<f32>> = thresholds.tensor.f32s()?.chunks_exact(count).map(<[f32]>::to_vec).collect();
        rows.iter_mut().for_each(|r| r.sort_by(f32::total_cmp)); // only their count matters
        if rows.iter().all(|r| *r == rows[0]) {
            rows.truncate(1);
        }
        let scale = f64::from(attributes.float("out_scale", 1.0)?);
        let bias = f64::from(attributes.float("out_bias", 0.0)?);
        if scale <= 0.0 {
            return Err(format!("its out_scale is {scale}; it must be positive"));
        }
        let channels_last = match attributes.string("data_layout", "NCHW")? {
            "NCHW" | "NC" => false,
            "NHWC" => true,
            other => return Err(format!("its data_layout {:?} is not known; use NCHW or NHWC", short(other))),
        };
        let dtype = attributes.string("out_dtype", "")?;
        if dtype == "BIPOLAR" && (count, scale, bias) != (1, 2.0, -1.0) {
            return Err(format!(
                "its out_dtype is {:?}, but {count} thresholds with out_scale {scale} and out_bias {bias} do not give -1 and +1",
                short(dtype)
            ));
        }
        Ok(Self { rows, scale, bias, channels_last })
    }

    /// For the input: codes, the scale and offset they stand under, and the values.
    pub fn table(&self, x: &[f32]) -> Result<(Vec<i64>, f64, f64, Vec<f32>), String> {
        let [row] = self.rows.as_slice() else {
            return Err("it quantizes the input with thresholds for each position; use one set for all".into());
        };
        let codes: Vec<i64> = x.iter().map(|x| row.iter().filter(|t| x >= t).count() as i64).collect();
        let (scale, mut offset) = (self.scale, self.bias);
        let mut shift = 0;
        // A bias of whole steps belongs to the codes: -8 to 7 rather than 0 to 15 and an offset.
        if (offset / scale).fract() == 0.0 && (offset / scale).abs() < 32768.0 {
            shift = (offset / scale) as i64;
            offset = 0.0;
        }
        let codes: Vec<i64> = codes.into_iter().map(|c| c + shift).collect();
        let values = codes.iter().map(|c| (*c as f64 * scale + offset) as f32).collect();
        Ok((codes, scale, offset, values))
    }

    /// As an activation of a layer with these channels, in a tensor of `rank` axes.
    pub fn step(&self, channels: Channels, rank: usize) -> Result<Step, String> {
        let neurons = channels.count;
        if self.rows.len() != 1 {
            let rows = self.rows.len();
            if rows != neurons {
                return Err(format!("it has thresholds for {rows} channels, its input {neurons}"));
            }
            let axis = if rank == 4 && !self.channels_last { 1 } else { rank.saturating_sub(1) };
            if channels.behind.map(|behind| rank - 1 - behind) != Some(axis) {
                return Err(format!(
                    "it takes axis {axis} of {rank} as that of its {rows} channels, which they are not; set data_layout to the \
                     order of the data (NCHW or NHWC), or put it before the map is flattened"
                ));
            }
        }
        let at = |k: usize| -> Vec<f64> {
            (0..neurons).map(|j| f64::from(self.rows[if self.rows.len() == 1 { 0 } else { j }][k])).collect()
        };
        let step = |activation, scale, offset: f64| Step { activation, scale, offset: vec![offset; neurons] };
        match self.rows[0].len() {
            1 => Ok(step(Activation::Bipolar { threshold: at(0) }, self.scale / 2.0, self.scale / 2.0 + self.bias)),
            2 => {
                let above = Cut { at: at(1), strict: false };
                let below = Cut { at: at(0), strict: true };
                Ok(step(Activation::Ternary { above, below }, self.scale, self.scale + self.bias))
            }
            n => Err(format!(
                "it has {n} thresholds, so {} levels; between layers values are bipolar (1 threshold) or ternary (2)",
                n + 1
            )),
        }
    }
}
