//! Tap payloads against the golden trace, value for value.

use std::path::PathBuf;

use serde::Serialize;

use super::records::Payload;
use crate::golden::{Bits, LayerTrace, Trace};
use crate::plan::{LayerPlan, Plan};

/// The first difference between the design and the golden model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Which run found it: `free-running` or `stalls and resets`.
    pub run: &'static str,
    pub image: usize,
    /// Layer, `scores`, or `output`.
    pub layer: String,
    pub neuron: usize,
    /// Row and column in the layer's map; absent where it gives one vector.
    pub position: Option<[usize; 2]>,
    /// Split whose array first differs; absent where the arrays agree and the fault lies behind them.
    pub split: Option<usize>,
    /// The array that first differs, or those that hold the neuron.
    pub array: String,
    /// Cycle in which the layer's output was taken, or in which the array's result first differed.
    pub cycle: u64,
    pub expected: String,
    pub got: String,
    /// What was found out about the place.
    pub note: String,
    /// Waveform around the cycle.
    pub waveform: Option<PathBuf>,
}

/// Outcome of one payload.
pub(super) struct Compared {
    pub values: usize,
    pub wrong: usize,
    /// Index of the first wrong value with what was expected and got.
    pub first: Option<(usize, String, String)>,
}

/// Compares the output of a layer; its `firing`-th of this image, that is, position.
pub(super) fn layer_at(plan: &LayerPlan, firing: usize, data: &Payload, whole: &LayerTrace) -> Compared {
    if plan.map.positions() == 1 {
        return layer(plan.sum_width, data, whole);
    }
    layer(plan.sum_width, data, &whole.position(firing, plan.neurons))
}

/// Compares {class, scores}, or {head, class sums}, of `bits` bits with the scores and then the class.
pub(super) fn result(plan: &Plan, bits: usize, data: &Payload, expected: &[i64]) -> Compared {
    let (classes, width) = (plan.classes(), plan.scores.width);
    let result = Bits::from_le_bytes(&data.bytes, bits);
    let mut got: Vec<i64> = (0..classes).map(|c| signed(&result, c * width, width)).collect();
    got.push(unsigned(&result, classes * width, bits - classes * width));
    numbers(expected, &got, data)
}

/// Compares a result as it leaves on the stream: 32-bit words, the class or head and then the scores.
pub(super) fn output(data: &Payload, expected: &[i64]) -> Compared {
    let words = data.bytes.chunks_exact(4).map(|b| i64::from(i32::from_le_bytes(b.try_into().expect("4 bytes"))));
    let mut got: Vec<i64> = words.take(expected.len()).collect();
    if !got.is_empty() {
        got.rotate_left(1);
    }
    numbers(expected, &got, data)
}

/// What a tap of one number shows; the text where it holds X.
pub(super) type Number = Result<i64, String>;

pub(super) fn number(data: &Payload, bits: usize) -> Number {
    match &data.unknown {
        Some(text) => Err(format!("X ({text})")),
        None => Ok(signed(&Bits::from_le_bytes(&data.bytes, bits), 0, bits)),
    }
}

/// Compares the similarities of a query, slot by slot. A slot that is not valid may show anything.
pub(super) fn similarities(got: &[(u64, Number)], expected: &[Option<i32>]) -> Compared {
    let differs = |k: &usize| match (got.get(*k), expected.get(*k)) {
        (Some(_), Some(None)) => false,
        (Some((_, got)), Some(Some(want))) => *got != Ok(i64::from(*want)),
        _ => true,
    };
    let show = |k: usize| {
        let want = match expected.get(k) {
            Some(Some(want)) => want.to_string(),
            Some(None) => "a similarity".into(),
            None => "nothing".into(),
        };
        let got = match got.get(k) {
            Some((_, Ok(got))) => got.to_string(),
            Some((_, Err(text))) => text.clone(),
            None => "nothing".into(),
        };
        (k, want, got)
    };
    let wrong = (0..expected.len().max(got.len())).filter(differs).count();
    let first = (0..expected.len().max(got.len())).find(differs).map(show);
    Compared { values: expected.iter().flatten().count(), wrong, first }
}

pub(super) fn scores_and_class(trace: &Trace) -> Vec<i64> {
    trace.scores.iter().map(|s| i64::from(*s)).chain([trace.class as i64]).collect()
}

fn layer(sum_width: usize, data: &Payload, expected: &LayerTrace) -> Compared {
    let neurons = expected.len();
    match expected {
        LayerTrace::Bipolar(bits) => {
            if data.unknown.is_none() && data.bytes == bits.to_le_bytes() {
                return all_right(neurons);
            }
            let got = Bits::from_le_bytes(&data.bytes, neurons);
            numbers(&values(expected), &(0..neurons).map(|j| 2 * i64::from(got.get(j)) - 1).collect::<Vec<_>>(), data)
        }
        LayerTrace::Trit { .. } => {
            let got = Bits::from_le_bytes(&data.bytes, 2 * neurons);
            // {nonzero, positive}; 01 never leaves a block, so it is shown as 2.
            let trit = |j: usize| match (got.get(neurons + j), got.get(j)) {
                (false, false) => 0,
                (true, positive) => 2 * i64::from(positive) - 1,
                (false, true) => 2,
            };
            numbers(&values(expected), &(0..neurons).map(trit).collect::<Vec<_>>(), data)
        }
        LayerTrace::Sums(_) => {
            let got = Bits::from_le_bytes(&data.bytes, neurons * sum_width);
            let sums: Vec<i64> = (0..neurons).map(|j| signed(&got, j * sum_width, sum_width)).collect();
            numbers(&values(expected), &sums, data)
        }
    }
}

fn values(trace: &LayerTrace) -> Vec<i64> {
    trace.values().map(i64::from).collect()
}

fn all_right(values: usize) -> Compared {
    Compared { values, wrong: 0, first: None }
}

/// Compares numbers; a payload with X or Z is wrong in every value, since nothing says which bits to trust.
fn numbers(expected: &[i64], got: &[i64], data: &Payload) -> Compared {
    if let Some(text) = &data.unknown {
        let first = Some((0, expected[0].to_string(), format!("X ({text})")));
        return Compared { values: expected.len(), wrong: expected.len(), first };
    }
    let at = |v: &[i64], i: usize| v.get(i).map_or("nothing".to_string(), i64::to_string);
    let wrong = |i: &usize| got.get(*i) != expected.get(*i);
    let count = (0..expected.len().max(got.len())).filter(wrong).count();
    let first = (0..expected.len().max(got.len())).find(wrong).map(|i| (i, at(expected, i), at(got, i)));
    Compared { values: expected.len(), wrong: count, first }
}

pub(super) fn unsigned(bits: &Bits, start: usize, width: usize) -> i64 {
    (0..width).fold(0, |v, b| v | i64::from(bits.get(start + b)) << b)
}

pub(super) fn signed(bits: &Bits, start: usize, width: usize) -> i64 {
    let value = unsigned(bits, start, width);
    if bits.get(start + width - 1) { value - (1 << width) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(bytes: &[u8]) -> Payload {
        Payload { bytes: bytes.to_vec(), unknown: None }
    }

    #[test]
    fn bipolar_bits() {
        let expected = LayerTrace::Bipolar(Bits::from_fn(10, |j| j % 2 == 0));
        assert_eq!(layer(4, &payload(&[0x55, 0x01]), &expected).wrong, 0);
        let c = layer(4, &payload(&[0x51, 0x03]), &expected);
        assert_eq!((c.values, c.wrong), (10, 2));
        assert_eq!(c.first, Some((2, "1".into(), "-1".into())));
    }

    /// Positive plane low, nonzero plane high: 2 neurons, -1 and +1 -> positive 10, nonzero 11 -> 0b1110.
    #[test]
    fn trits() {
        let expected = LayerTrace::Trit { nonzero: Bits::from_fn(2, |_| true), positive: Bits::from_fn(2, |j| j == 1) };
        assert_eq!(layer(4, &payload(&[0b1110]), &expected).wrong, 0);
        assert_eq!(layer(4, &payload(&[0b1011]), &expected).first, Some((0, "-1".into(), "2".into())));
    }

    /// 5-bit sums -3 (11101) and 7 (00111): 00111_11101 = 0x0fd.
    #[test]
    fn sums() {
        let expected = LayerTrace::Sums(vec![-3, 7]);
        assert_eq!(layer(5, &payload(&[0xfd, 0x00]), &expected).wrong, 0);
        assert_eq!(layer(5, &payload(&[0xfc, 0x00]), &expected).first, Some((0, "-3".into(), "-4".into())));
    }

    /// Slot 0 shows what it should, slot 1 is not valid, slot 2 differs, slot 3 is missing.
    #[test]
    fn similarities_of_valid_slots() {
        let got = [(5, Ok(4)), (6, Ok(99)), (7, Ok(-2))];
        let c = similarities(&got, &[Some(4), None, Some(2), Some(0)]);
        assert_eq!((c.values, c.wrong, c.first), (3, 2, Some((2, "2".into(), "-2".into()))));
        assert_eq!(similarities(&got[..2], &[Some(4), None]).wrong, 0);
        assert_eq!(similarities(&got, &[Some(4), None]).first, Some((2, "nothing".into(), "-2".into())));
    }

    #[test]
    fn results_are_the_class_and_the_scores() {
        let trace = scores_and_class(&Trace { layers: vec![], scores: vec![-1, 5], class: 1 });
        let right = payload(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 5, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(output(&right, &trace).wrong, 0);
        let short = payload(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        assert!(output(&short, &trace).wrong > 0);
        let unknown = Payload { bytes: vec![0; 12], unknown: Some("xx".into()) };
        assert_eq!(output(&unknown, &trace).wrong, 3);
    }
}
