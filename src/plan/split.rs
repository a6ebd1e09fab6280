//! Thresholds of the blocks of an `sa` layer: shared out, as they were trained, and for unipolar neurons.

use ndarray::Array2;

use super::fold::{self, Reach};
use super::timing::cycles;
use super::{OutputPlan, PlanError, SaPlan, Source, Values, geometry, signed_width};
use crate::hardware::{LayerHardware, Mapping};
use crate::network::{Activation, Layer, Normalize};

/// Refuses unipolar neurons where they have no meaning.
pub(super) fn check_unipolar(layer: &Layer, source: &Source, input: Values) -> Result<(), PlanError> {
    let padded = matches!(source, Source::Window(w) if w.gates());
    let reason = match input {
        Values::Bipolar => return Ok(()),
        _ if padded => {
            "array.neurons = \"unipolar\" does not know padding from -1, so that thresholds would depend on the position; use \"bipolar\""
        }
        Values::Trit => "array.neurons = \"unipolar\" has no word line state for three values; use \"bipolar\"",
        Values::Integer { .. } => return Ok(()),
    };
    Err(PlanError::layer(&layer.name, reason))
}

/// Thresholds on `(sum + sum of weights) / 2`, block by block (input-splitting, figure 2a): the sum over inputs of {0, 1}.
pub(super) fn unipolar(
    layer: &Layer,
    source: &Source,
    input: Values,
    weights: &Array2<i8>,
    sa: &mut SaPlan,
) -> Result<(), PlanError> {
    check_unipolar(layer, source, input)?;
    let mut start = 0;
    for (k, size) in sa.block_sizes.iter().enumerate() {
        let offset = |j: usize| (start..start + size).map(|i| i32::from(weights[[j, i]])).sum::<i32>();
        for side in [&mut sa.high, &mut sa.low] {
            let Some(thresholds) = side.get_mut(k) else { continue };
            // Rounded up.
            thresholds.iter_mut().enumerate().for_each(|(j, t)| *t = (*t + offset(j) + 1).div_euclid(2));
        }
        start += size;
    }
    sa.unipolar = true;
    Ok(())
}

/// The aggregated output of a layer trained split: the sign of its votes' sum.
pub(super) fn of_votes(block: &OutputPlan) -> OutputPlan {
    let neurons = match block {
        OutputPlan::Bipolar { high } | OutputPlan::Trit { high, .. } => high.len(),
        OutputPlan::Sums => unreachable!("validated: votes are no scores"),
    };
    match block {
        OutputPlan::Trit { .. } => OutputPlan::Trit { high: vec![1; neurons], low: vec![0; neurons] },
        _ => OutputPlan::Bipolar { high: vec![0; neurons] },
    }
}

/// Blocks as they were trained.
pub(super) fn trained_split(layer: &Layer, own: &LayerHardware, outputs: &[OutputPlan]) -> Result<SaPlan, PlanError> {
    let references = if matches!(outputs[0], OutputPlan::Trit { .. }) { 2 } else { 1 };
    let read_cycles = cycles("sa.read_ns", own.sa.read_ns, own.clock.mhz)?;
    let sizes: Vec<usize> = layer.blocks.iter().map(|b| b.inputs).collect();
    let bad = |reason: String| Err(PlanError::layer(&layer.name, reason));
    if sizes != geometry::block_sizes(layer.inputs(), sizes.len()) {
        return bad(format!(
            "it was trained in blocks of {sizes:?} inputs; arrays side by side take blocks that differ by one at most, the larger ones first"
        ));
    }
    if sizes[0] > own.array.inputs {
        let inputs = own.array.inputs;
        return bad(format!("it was trained in blocks of {} inputs, but array.inputs = {inputs}", sizes[0]));
    }
    let mut plan = geometry::sa(layer.inputs(), layer.neurons(), references, own, read_cycles, sizes)?;
    for output in outputs {
        match output {
            OutputPlan::Bipolar { high } => plan.high.push(high.clone()),
            OutputPlan::Trit { high, low } => {
                plan.high.push(high.clone());
                plan.low.push(low.clone());
            }
            OutputPlan::Sums => unreachable!("validated: votes are no scores"),
        }
    }
    plan.threshold_width = signed_width(plan.block_sizes[0] as i64 + 1);
    Ok(plan)
}

pub(super) fn sa(
    layer: &Layer,
    own: &LayerHardware,
    whole: &OutputPlan,
    flipped: &[bool],
) -> Result<SaPlan, PlanError> {
    let references = if matches!(whole, OutputPlan::Trit { .. }) { 2 } else { 1 };
    let read_cycles = cycles("sa.read_ns", own.sa.read_ns, own.clock.mhz)?;
    let sizes = geometry::block_sizes(layer.inputs(), geometry::blocks(layer.inputs(), own.array.inputs));
    let mut plan = geometry::sa(layer.inputs(), layer.neurons(), references, own, read_cycles, sizes)?;
    let shared = plan.block_sizes.len() > 1;
    if shared && own.sa.mapping == Mapping::Literal && !matches!(layer.normalize, Normalize::BatchNorm { .. }) {
        let reason = "sa.mapping = \"literal\" divides the sigma of a batch norm, and it has none; use \"shift\"";
        return Err(PlanError::layer(&layer.name, reason));
    }
    // A layer in one block is exact; several blocks share the real threshold out.
    let split = |cut: &dyn Fn(usize) -> (f64, Reach), exact: &[i32]| -> Vec<Vec<i32>> {
        if !shared {
            return vec![exact.to_vec()];
        }
        let block = |size: usize| {
            let neuron = |j: usize| {
                let (at, reach) = cut(j);
                match fold::real_threshold(layer, j, at) {
                    Some(parts) => {
                        fold::block_threshold(parts, flipped[j], size, layer.inputs(), own.sa.mapping, reach)
                    }
                    // A constant: the whole neuron's threshold is at one end of its range.
                    None if exact[j] <= 0 => -(size as i32),
                    None => size as i32 + 1,
                }
            };
            (0..layer.neurons()).map(neuron).collect()
        };
        plan.block_sizes.iter().map(|size| block(*size)).collect()
    };
    let reach = |above: bool| if above { Reach::Above } else { Reach::At };
    let (high, low) = match (&layer.activation, whole) {
        (Activation::Bipolar { threshold }, OutputPlan::Bipolar { high }) => {
            (split(&|j| (threshold[j], Reach::At), high), Vec::new())
        }
        (Activation::Ternary { above, below }, OutputPlan::Trit { high, low }) => (
            split(&|j| (above.at[j], reach(above.strict)), high),
            // -1 below `below`: the low vote is set from there on, `at` included where the cut is strict.
            split(&|j| (below.at[j], reach(!below.strict)), low),
        ),
        _ => unreachable!("scores are refused before"),
    };
    let largest = plan.block_sizes[0] as i64 + 1;
    plan.high = high;
    plan.low = low;
    plan.threshold_width = signed_width(largest);
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::Hardware;
    use crate::network::{Cut, Op, WeightKind, Weights};

    fn layer(gamma: f64, activation: Activation) -> Layer {
        let weights = Weights { kind: WeightKind::Bipolar, values: Array2::ones((1, 8)), scale: vec![1.0] };
        let one = |v| vec![v];
        let normalize = Normalize::BatchNorm {
            gamma: one(gamma),
            beta: one(0.5),
            mean: one(0.0),
            variance: one(1.0),
            epsilon: 0.0,
        };
        Layer::new("l", Op::Dense, weights, one(0.0), normalize, activation)
    }

    fn blocks(layer: &Layer, whole: &OutputPlan, mapping: &str) -> Result<SaPlan, PlanError> {
        let text = format!("readout = 'sa'\narray.inputs = 4\nsa.mapping = '{mapping}'");
        sa(layer, &Hardware::parse(&text).unwrap().base, whole, &[false])
    }

    /// y is 0.5 for every sum, whatever the sign of a gain that rounding swallows: all blocks give +1.
    #[test]
    fn a_gain_that_rounding_swallows_is_none() {
        let bipolar = || Activation::Bipolar { threshold: vec![0.0] };
        for gamma in [1e-20, 0.0, -1e-20] {
            let plan = blocks(&layer(gamma, bipolar()), &OutputPlan::Bipolar { high: vec![-8] }, "shift").unwrap();
            assert_eq!(plan.high, [[-4], [-4]], "{gamma}");
            let cut = |at| Cut { at: vec![at], strict: true };
            let trits = Activation::Ternary { above: cut(0.1), below: cut(-0.1) };
            let whole = OutputPlan::Trit { high: vec![-8], low: vec![-8] };
            let plan = blocks(&layer(gamma, trits), &whole, "shift").unwrap();
            assert_eq!((plan.high, plan.low), (vec![vec![-4]; 2], vec![vec![-4]; 2]), "{gamma}");
        }
    }

    #[test]
    fn a_sigma_that_is_not_there_is_not_divided() {
        let mut plain = layer(1.0, Activation::Bipolar { threshold: vec![3.0] });
        plain.normalize = Normalize::None;
        let whole = OutputPlan::Bipolar { high: vec![3] };
        assert_eq!(blocks(&plain, &whole, "shift").unwrap().high, [[2], [2]]);
        let error = blocks(&plain, &whole, "literal").unwrap_err().to_string();
        assert!(error.contains("use \"shift\""), "{error}");
    }
}
