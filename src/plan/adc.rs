//! What an ADC makes of a column's sum.

use serde::Serialize;

use super::{Encoding, PlanError};
use crate::hardware::Adc;

/// Largest number of bits.
const MOST_BITS: usize = 12;

/// From a column's sum to an integer: the number of levels that it reaches is the code, and a code has a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transfer {
    pub bits: usize,
    /// 2^bits - 1, ascending.
    pub levels: Vec<i32>,
    /// 2^bits.
    pub values: Vec<i32>,
    /// Whether value = 2 code - (2^bits - 1).
    pub uniform: bool,
    /// Sum that a value of 1 stands for.
    pub unit: f64,
    /// Whether value times unit is the sum, for all that can occur.
    pub exact: bool,
}

impl Transfer {
    /// What an ADC gives for a column's sum.
    pub fn code(&self, sum: i32) -> usize {
        self.levels.partition_point(|level| *level <= sum)
    }

    /// The value that stands for a column's sum.
    pub fn value(&self, sum: i32) -> i32 {
        self.values[self.code(sum)]
    }

    pub fn largest(&self) -> i64 {
        self.values.iter().map(|v| i64::from(*v).abs()).max().unwrap_or(0)
    }
}

/// The transfer of ADCs on columns of up to `inputs` inputs whose sums are `step` apart.
///
/// Without a full scale, sums -N, -N + step, ... N get a code each where 2^bits are enough: exact. Otherwise codes stand
/// for 2^bits equal steps from -F to F, ends included, and change midway: value = 2 code - (2^bits - 1) in units of F / (2^bits - 1).
pub(super) fn transfer(adc: &Adc, inputs: usize, step: i32) -> Result<Transfer, PlanError> {
    let bits = adc.bits;
    if !(1..=MOST_BITS).contains(&bits) {
        return Err(PlanError::hardware("adc.bits", bits, format!("must be 1 to {MOST_BITS}")));
    }
    let codes = 1usize << bits;
    if !adc.levels.is_empty() || !adc.values.is_empty() {
        return table(adc, codes);
    }
    let n = inputs as i32;
    let sums = (2 * n / step + 1) as usize;
    if adc.full_scale.is_none() && codes >= sums {
        let at = |k: usize| -n + step * k.min(sums - 1) as i32;
        // Beyond the largest sum nothing is reached.
        let levels = (1..codes).map(|k| if k < sums { at(k) } else { n + 1 }).collect();
        let values = (0..codes).map(at).collect();
        return Ok(Transfer { bits, levels, values, uniform: false, unit: 1.0, exact: true });
    }
    let full = adc.full_scale.unwrap_or(f64::from(n));
    if !(full.is_finite() && full > 0.0 && full <= 1e6) {
        return Err(PlanError::hardware("adc.full_scale", full, "must be a positive sum, up to 1e6"));
    }
    let steps = (codes - 1) as f64;
    // Code k is reached midway between the sums that k - 1 and k stand for.
    let level = |k: usize| (full * (2.0 * k as f64 - 1.0 - steps) / steps).ceil() as i32;
    let levels: Vec<i32> = (1..codes).map(level).collect();
    let values: Vec<i32> = (0..codes).map(|k| 2 * k as i32 - (codes as i32 - 1)).collect();
    Ok(Transfer { bits, levels, values, uniform: true, unit: full / steps, exact: false })
}

fn table(adc: &Adc, codes: usize) -> Result<Transfer, PlanError> {
    let bad = |key: &str, n: usize, reason: String| Err(PlanError::hardware(key, format!("{n} entries"), reason));
    if adc.levels.len() != codes - 1 {
        let reason = format!("{} bits have {} levels", adc.bits, codes - 1);
        return bad("adc.levels", adc.levels.len(), reason);
    }
    if adc.values.len() != codes {
        return bad("adc.values", adc.values.len(), format!("{} bits have {codes} codes", adc.bits));
    }
    if let Some(k) = adc.levels.windows(2).position(|w| w[0] > w[1]) {
        return bad("adc.levels", codes - 1, format!("must ascend; entry {} is less than the one before", k + 1));
    }
    if adc.values.iter().chain(&adc.levels).any(|v| v.unsigned_abs() > 1 << 20) {
        return bad("adc.values", codes, "levels and values must stay within +-2^20".into());
    }
    if !(adc.unit.is_finite() && adc.unit > 0.0) {
        return Err(PlanError::hardware("adc.unit", adc.unit, "must be positive"));
    }
    let (levels, values) = (adc.levels.clone(), adc.values.clone());
    Ok(Transfer { bits: adc.bits, levels, values, uniform: false, unit: adc.unit, exact: false })
}

/// Distance between sums that can occur next to each other: 2 where all inputs and weights are +-1 and all blocks as large.
pub(super) fn step(encoding: Encoding, zeros: bool, block_sizes: &[usize]) -> i32 {
    let same = block_sizes.iter().all(|s| *s == block_sizes[0]);
    if encoding == Encoding::Signed && !zeros && same { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adc(bits: usize, full_scale: Option<f64>) -> Adc {
        Adc { bits, full_scale, ..Adc::default() }
    }

    /// Three inputs of +-1: sums -3, -1, 1, 3, two bits.
    #[test]
    fn exact_where_bits_suffice() {
        let t = transfer(&adc(2, None), 3, 2).unwrap();
        assert_eq!((t.levels.as_slice(), t.values.as_slice()), (&[-1, 1, 3][..], &[-3, -1, 1, 3][..]));
        assert!(t.exact && t.unit == 1.0);
        assert_eq!([-3, -1, 1, 3].map(|s| t.value(s)), [-3, -1, 1, 3]);
        let t = transfer(&adc(3, None), 3, 2).unwrap();
        assert_eq!([-3, -1, 1, 3].map(|s| t.value(s)), [-3, -1, 1, 3]);
    }

    /// Two bits over -6 to 6: codes stand for -6, -2, 2, 6 and change at -4, 0, 4; values -3, -1, 1, 3 of 2 each.
    #[test]
    fn equal_steps() {
        let t = transfer(&adc(2, Some(6.0)), 100, 2).unwrap();
        assert_eq!((t.levels.as_slice(), t.values.as_slice()), (&[-4, 0, 4][..], &[-3, -1, 1, 3][..]));
        assert_eq!((t.unit, t.uniform, t.exact), (2.0, true, false));
        assert_eq!([-100, -5, -4, -1, 0, 3, 4, 100].map(|s| t.value(s)), [-3, -3, -1, -1, 1, 1, 3, 3]);
    }

    /// One bit is the sign, as a sense amplifier gives it.
    #[test]
    fn one_bit_is_a_sense_amplifier() {
        let t = transfer(&adc(1, None), 128, 2).unwrap();
        assert_eq!((t.levels.as_slice(), t.values.as_slice()), (&[0][..], &[-1, 1][..]));
    }

    #[test]
    fn tables_are_checked() {
        let table = |levels: &[i32], values: &[i32]| {
            transfer(&Adc { bits: 2, levels: levels.into(), values: values.into(), ..Adc::default() }, 9, 2)
        };
        assert!(table(&[-5, 0, 4], &[-8, -2, 2, 8]).is_ok());
        for (levels, values, what) in [
            (&[-5, 0][..], &[-8, -2, 2, 8][..], "3 levels"),
            (&[-5, 0, 4], &[-8, -2, 2], "4 codes"),
            (&[-5, 4, 0], &[-8, -2, 2, 8], "ascend"),
        ] {
            assert!(table(levels, values).unwrap_err().to_string().contains(what), "{what}");
        }
    }
}
