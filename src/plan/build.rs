//! From a network and its hardware to a plan.

use ndarray::Array2;
use sha2::{Digest, Sha256};

use super::cycles::{Stage, predict};
use super::fold::{self, Reach};
use super::{
    AffineScores, DigitalPlan, FORMAT, InputMap, InputPlan, LayerPlan, OutputPlan, Plan, PlanError, ReadoutPlan,
    SaPlan, ScoresPlan, SensePlan, Values, geometry, signed_width,
};
use crate::device;
use crate::hardware::{Hardware, LayerHardware, Neurons, Readout};
use crate::network::{Activation, Domain, InputCode, InputValues, Layer, Network, Normalize, WeightKind};

/// Bits of the sense sequencer's cycle counters.
const COUNT_WIDTH: u32 = 12;
/// Largest side of an array that the tool will plan for.
const LARGEST_ARRAY: usize = 1 << 14;

/// Lays `network` on `hardware`.
pub fn plan(network: &Network, hardware: &Hardware) -> Result<Plan, PlanError> {
    check_names(network, hardware)?;
    check(&hardware.base, "")?;
    for (name, (layer, _)) in &hardware.layers {
        check(layer, &format!("layer.{name}."))?;
    }
    let base = &hardware.base;
    let input = input(network, base.stream.bits);
    let uses_pcsa = (0..network.layers.len()).any(|i| readout(network, hardware, i) == Readout::Pcsa);
    let trits = network.layers.iter().any(|l| l.weights.kind == WeightKind::Ternary);
    let sense = sense(base, uses_pcsa, trits)?;
    let mut layers = Vec::new();
    for index in 0..network.layers.len() {
        let values = layers.last().map_or(input.values, |l: &LayerPlan| l.output.values());
        layers.push(layer(network, hardware, index, values)?);
    }
    let last = network.layers.last().expect("a network has layers");
    let scores = scores(last, layers[layers.len() - 1].largest_sum, layers[layers.len() - 1].sum_width)?;
    let classes = last.neurons();
    let read = sense.precharge_cycles + sense.window_cycles + 1;
    let mut stages: Vec<Stage> = layers.iter().map(|l| stage(l, read)).collect();
    stages.push(Stage::Sequential { latency: classes as u64 + 2 });
    let beats_out = (32 * (classes + 1)).div_ceil(base.stream.bits);
    let cycles = predict(input.beats as u64, &stages, beats_out as u64);
    Ok(Plan {
        format: FORMAT,
        name: network.name.clone(),
        clock_mhz: base.clock.mhz,
        stream_bits: base.stream.bits,
        sense,
        input,
        layers,
        scores,
        cycles,
    })
}

fn check_names(network: &Network, hardware: &Hardware) -> Result<(), PlanError> {
    let known = || network.layers.iter().map(|l| l.name.as_str());
    match hardware.layers.keys().find(|name| !known().any(|k| k == *name)) {
        None => Ok(()),
        Some(name) => {
            let near = crate::suggest::nearest(name, known());
            let reason = format!("the network has no layer of that name{near} (`hafnia info` lists them)");
            Err(PlanError::hardware("[layer]", name, reason))
        }
    }
}

fn check(hardware: &LayerHardware, place: &str) -> Result<(), PlanError> {
    let sides = [("array.inputs", hardware.array.inputs), ("array.outputs", hardware.array.outputs)];
    for (key, value) in sides {
        if !(1..=LARGEST_ARRAY).contains(&value) {
            return Err(PlanError::hardware(&format!("{place}{key}"), value, format!("must be 1 to {LARGEST_ARRAY}")));
        }
    }
    let counts = [
        ("fold.columns_per_amplifier", hardware.fold.columns_per_amplifier),
        ("fold.sensed_at_once", hardware.fold.sensed_at_once.of(usize::MAX)),
        ("digital.inputs_at_once", hardware.digital.inputs_at_once),
        ("digital.neurons_at_once", hardware.digital.neurons_at_once.of(usize::MAX)),
    ];
    for (key, value) in counts {
        if value == 0 {
            return Err(PlanError::hardware(&format!("{place}{key}"), value, "must be at least 1"));
        }
    }
    let bits = hardware.stream.bits;
    if !(8..=1024).contains(&bits) || !bits.is_power_of_two() {
        return Err(PlanError::hardware("stream.bits", bits, "must be a power of two, 8 to 1024"));
    }
    let mhz = hardware.clock.mhz;
    if !(mhz.is_finite() && (0.001..=10_000.0).contains(&mhz)) {
        return Err(PlanError::hardware("clock.mhz", mhz, "must be 0.001 to 10000"));
    }
    if hardware.array.neurons == Neurons::Unipolar {
        let reason = "is not available yet; use \"bipolar\" (input-splitting, figure 2b)";
        return Err(PlanError::hardware(&format!("{place}array.neurons"), "unipolar", reason));
    }
    if hardware.readout == Readout::Adc {
        let reason = "is not available yet; use \"pcsa\", \"sa\" or \"digital\"";
        return Err(PlanError::hardware(&format!("{place}readout"), "adc", reason));
    }
    Ok(())
}

/// Whole cycles that hold `ns`; exact products such as 70 ns at 100 MHz stay whole.
fn cycles(key: &str, ns: f64, mhz: f64) -> Result<usize, PlanError> {
    let exact = ns * mhz / 1000.0;
    let cycles = if (exact - exact.round()).abs() < 1e-9 { exact.round() } else { exact.ceil() };
    let most = (1u64 << COUNT_WIDTH) - 1;
    if !(ns.is_finite() && ns > 0.0) {
        return Err(PlanError::hardware(key, ns, "must be a positive time in ns"));
    }
    if cycles > most as f64 {
        let reason =
            format!("is {cycles} cycles at {mhz} MHz; the sequencer counts to {most}: lower the clock or the time");
        return Err(PlanError::hardware(key, ns, reason));
    }
    Ok((cycles as usize).max(1))
}

fn sense(hardware: &LayerHardware, used: bool, trits: bool) -> Result<SensePlan, PlanError> {
    let (pcsa, mhz) = (&hardware.pcsa, hardware.clock.mhz);
    let sign_ns = device::switching_time_ns(pcsa.supply_v, device::LRS_KOHM, device::HRS_KOHM)?;
    let zero_ns = device::switching_time_ns(pcsa.supply_v, device::HRS_BL_KOHM, device::HRS_KOHM)?;
    let plan = SensePlan {
        precharge_cycles: cycles("pcsa.precharge_ns", pcsa.precharge_ns, mhz)?,
        window_cycles: cycles("pcsa.window_ns", pcsa.window_ns, mhz)?,
        sign_cycles: cycles("switching time of LRS/HRS", sign_ns, mhz)?,
        zero_cycles: cycles("switching time of HRS/HRS", zero_ns, mhz)?,
    };
    if used && plan.window_cycles < plan.sign_cycles {
        let reason = format!(
            "is {} cycles, but a nominal LRS/HRS pair takes {sign_ns:.1} ns, {} cycles at {mhz} MHz, so no sign would be read; lengthen the window",
            plan.window_cycles, plan.sign_cycles
        );
        return Err(PlanError::hardware("pcsa.window_ns", pcsa.window_ns, reason));
    }
    if used && trits && plan.window_cycles >= plan.zero_cycles {
        let reason = format!(
            "is {} cycles, but a nominal HRS/HRS pair resolves after {zero_ns:.1} ns, {} cycles at {mhz} MHz, so zeros would be read as signs; shorten the window",
            plan.window_cycles, plan.zero_cycles
        );
        return Err(PlanError::hardware("pcsa.window_ns", pcsa.window_ns, reason));
    }
    Ok(plan)
}

fn input(network: &Network, stream_bits: usize) -> InputPlan {
    let count = network.input_len();
    let code = &network.input.code;
    let (signed, map) = match code {
        InputCode::Bipolar => (false, InputMap::Bit),
        InputCode::U8(values) => (false, map(values)),
        InputCode::I8(values) => (true, map(values)),
    };
    let values = match code.domain() {
        Domain::Bipolar => Values::Bipolar,
        Domain::Trit => Values::Trit,
        Domain::Integer { min, max } => {
            let largest = i64::from(min).abs().max(i64::from(max).abs());
            Values::Integer { width: signed_width(largest).max(2), min, max }
        }
    };
    let code_bits = code.bits();
    let beats = count.div_ceil(stream_bits / code_bits);
    InputPlan { count, code_bits, signed, map, values, beats }
}

fn map(values: &InputValues) -> InputMap {
    match values {
        InputValues::Affine { gain, offset } => InputMap::Affine { gain: *gain, offset: *offset },
        InputValues::Threshold { at } => InputMap::Threshold(*at),
        InputValues::Table(table) => InputMap::Table(table.clone()),
    }
}

/// The readout of layer `index`: its own, or the default where that can read it. Under `sa` and `adc` the first and the
/// last layer stay whole: their inputs are bipolar or trits, so PCSAs read them, or they are integers.
fn readout(network: &Network, hardware: &Hardware, index: usize) -> Readout {
    if let Some(own) = hardware.own_readout(&network.layers[index].name) {
        return own;
    }
    let end = index == 0 || index + 1 == network.layers.len();
    let integers = matches!(network.input_domain(index), Domain::Integer { .. });
    let int8 = network.layers[index].weights.kind == WeightKind::Int8;
    match hardware.base.readout {
        Readout::Digital => Readout::Digital,
        _ if integers || int8 => Readout::Digital,
        Readout::Sa | Readout::Adc if end => Readout::Pcsa,
        other => other,
    }
}

fn layer(network: &Network, hardware: &Hardware, index: usize, input: Values) -> Result<LayerPlan, PlanError> {
    let layer = &network.layers[index];
    let own = hardware.layer(&layer.name);
    let bad = |reason: &str| Err(PlanError::layer(&layer.name, reason));
    let readout = readout(network, hardware, index);
    let integers = matches!(input, Values::Integer { .. });
    match readout {
        Readout::Pcsa if integers => {
            return bad("readout = \"pcsa\" reads bipolar values and trits, but its inputs are 8-bit; use \"digital\"");
        }
        Readout::Sa if integers => {
            return bad("readout = \"sa\" takes bipolar values and trits, but its inputs are 8-bit; use \"digital\"");
        }
        Readout::Sa if layer.activation == Activation::Scores => {
            return bad(
                "readout = \"sa\" gives 1-bit votes, no scores; use \"pcsa\" or \"digital\" for the last layer",
            );
        }
        Readout::Pcsa | Readout::Sa if layer.weights.kind == WeightKind::Int8 => {
            return bad("its weights are 8-bit, which one cell pair cannot hold; use readout = \"digital\"");
        }
        _ => {}
    }
    let (inputs, neurons) = (layer.inputs(), layer.neurons());
    // A cell pair may be misread as any trit, so arrays count with every weight at +-1.
    let largest_sum = match readout {
        Readout::Digital => largest_sum(&layer.weights.values, input.largest()),
        _ => inputs as i64,
    };
    if signed_width(largest_sum + 1) > 31 {
        return bad("its sums may exceed 31 bits; narrow the inputs or the weights");
    }
    let flipped: Vec<bool> = match layer.activation {
        Activation::Scores => vec![false; neurons],
        _ => (0..neurons).map(|j| fold::falls(layer, j, largest_sum)).collect(),
    };
    let weights = Array2::from_shape_fn((neurons, inputs), |(j, i)| {
        if flipped[j] { -layer.weights.values[[j, i]] } else { layer.weights.values[[j, i]] }
    });
    if layer.weights.kind == WeightKind::Int8
        && let Some((j, i)) = (0..neurons)
            .filter(|j| flipped[*j])
            .flat_map(|j| (0..inputs).map(move |i| (j, i)))
            .find(|at| layer.weights.values[*at] == i8::MIN)
    {
        return bad(&format!(
            "weight [{j}, {i}] is -128 in a neuron of negative gain; its flip, 128, is no 8-bit weight"
        ));
    }
    let output = output(layer, &flipped, largest_sum);
    let readout = match readout {
        Readout::Pcsa => ReadoutPlan::Pcsa(geometry::pcsa(inputs, neurons, own)?),
        Readout::Digital => ReadoutPlan::Digital(geometry::digital(inputs, neurons, own)),
        Readout::Sa => ReadoutPlan::Sa(sa(layer, own, &output, &flipped)?),
        Readout::Adc => unreachable!("refused in check"),
    };
    let bytes: Vec<u8> = weights.iter().map(|w| *w as u8).collect();
    let input_width = if let Values::Integer { width, .. } = input { width } else { 2 };
    Ok(LayerPlan {
        name: layer.name.clone(),
        inputs,
        neurons,
        input,
        weight_kind: layer.weights.kind,
        weights,
        weights_sha256: format!("{:x}", Sha256::digest(&bytes)),
        flipped,
        output,
        largest_sum,
        sum_width: signed_width(largest_sum + 1).max(input_width),
        readout,
    })
}

/// Largest magnitude that any partial sum of any neuron can take: the sum of all magnitudes.
fn largest_sum(weights: &Array2<i8>, largest_input: i64) -> i64 {
    let row = |r: ndarray::ArrayView1<i8>| r.iter().map(|w| i64::from(w.unsigned_abs())).sum::<i64>();
    weights.rows().into_iter().map(row).max().unwrap_or(0) * largest_input
}

fn output(layer: &Layer, flipped: &[bool], largest: i64) -> OutputPlan {
    let each = |f: &dyn Fn(usize) -> i32| (0..layer.neurons()).map(f).collect();
    match &layer.activation {
        Activation::Bipolar { threshold } => OutputPlan::Bipolar {
            high: each(&|j| fold::threshold(layer, j, largest, flipped[j], |y| y >= threshold[j])),
        },
        Activation::Ternary { above, below } => {
            // A flipped neuron still gives +1 where y is high, and y is high where the flipped sum is.
            OutputPlan::Trit {
                high: each(&|j| fold::threshold(layer, j, largest, flipped[j], |y| above.above(j, y))),
                low: each(&|j| fold::low_threshold(layer, j, largest, flipped[j], |y| below.below(j, y))),
            }
        }
        Activation::Scores => OutputPlan::Sums,
    }
}

fn sa(layer: &Layer, own: &LayerHardware, whole: &OutputPlan, flipped: &[bool]) -> Result<SaPlan, PlanError> {
    let references = if matches!(whole, OutputPlan::Trit { .. }) { 2 } else { 1 };
    let read_cycles = cycles("sa.read_ns", own.sa.read_ns, own.clock.mhz)?;
    let mut plan = geometry::sa(layer.inputs(), layer.neurons(), references, own, read_cycles)?;
    // A layer in one block is exact; several blocks share the real threshold out.
    let split = |cut: &dyn Fn(usize) -> (f64, Reach), exact: &[i32]| -> Vec<Vec<i32>> {
        if plan.block_sizes.len() == 1 {
            return vec![exact.to_vec()];
        }
        let block = |size: usize| {
            let neuron = |j: usize| {
                let (at, reach) = cut(j);
                match fold::real_threshold(layer, j, at) {
                    Some(parts) => {
                        fold::block_threshold(parts, flipped[j], size, layer.inputs(), own.sa.mapping, reach)
                    }
                    // Zero gain: a constant. The whole neuron's threshold is at one end of its range.
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

impl OutputPlan {
    /// What the next layer sees.
    fn values(&self) -> Values {
        match self {
            Self::Bipolar { .. } => Values::Bipolar,
            Self::Trit { .. } => Values::Trit,
            Self::Sums => unreachable!("sums end a network"),
        }
    }
}

fn stage(layer: &LayerPlan, pcsa_read: usize) -> Stage {
    match &layer.readout {
        ReadoutPlan::Pcsa(p) => Stage::Sequential { latency: (p.reads * pcsa_read + 3) as u64 },
        ReadoutPlan::Digital(DigitalPlan { reads, .. }) => Stage::Sequential { latency: *reads as u64 + 3 },
        ReadoutPlan::Sa(s) => Stage::Pipelined { reads: (s.reads * s.read_cycles) as u64 },
    }
}

/// Gain and offset of every class, such that the real score is `gain * sum + offset`.
fn real_affine(layer: &Layer) -> (Vec<f64>, Vec<f64>) {
    let each = |j: usize| {
        let (alpha, bias) = (layer.weights.scale[j], layer.bias[j]);
        let (gain, shift) = match &layer.normalize {
            Normalize::None => (1.0, 0.0),
            Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => {
                let gain = gamma[j] / (variance[j] + epsilon).sqrt();
                (gain, beta[j] - gain * mean[j])
            }
            Normalize::Affine { gain, shift } => (gain[j], shift[j]),
        };
        (gain * alpha, gain * bias + shift)
    };
    (0..layer.neurons()).map(each).unzip()
}

/// Bits that a rounded constant may take.
const CONSTANT_BITS: i32 = 15;

fn scores(layer: &Layer, largest_sum: i64, sum_width: usize) -> Result<ScoresPlan, PlanError> {
    let (gain, offset) = real_affine(layer);
    let same = |v: &[f64]| v.iter().all(|x| *x == v[0]);
    if same(&gain) && same(&offset) && gain[0] > 0.0 {
        return Ok(ScoresPlan { affine: None, width: sum_width });
    }
    let scaled = |v: &[f64], bits: i32| -> Vec<f64> { v.iter().map(|x| x * 2f64.powi(bits)).collect() };
    let whole = |v: &[f64]| v.iter().all(|x| x.fract() == 0.0);
    let largest = |v: &[f64]| v.iter().fold(0f64, |a, x| a.max(x.abs()));
    let exact = (0..=CONSTANT_BITS).find(|bits| whole(&scaled(&gain, *bits)) && whole(&scaled(&offset, *bits)));
    // Otherwise as many fraction bits as the largest gain leaves.
    let bits = exact.unwrap_or_else(|| {
        let exponent = largest(&gain).log2().floor();
        if exponent.is_finite() { (CONSTANT_BITS - 1 - exponent as i32).clamp(0, 40) } else { 0 }
    });
    let too_wide = || PlanError::layer(&layer.name, "its class scores do not fit 32 bits; rescale its batch norm");
    let round = |v: &[f64]| -> Result<Vec<i32>, PlanError> {
        let each = |x: &f64| {
            let x = x.round_ties_even();
            if x.abs() < 2f64.powi(31) { Ok(x as i32) } else { Err(too_wide()) }
        };
        v.iter().map(each).collect()
    };
    let (gain, offset) = (round(&scaled(&gain, bits))?, round(&scaled(&offset, bits))?);
    let most = |v: &[i32]| v.iter().map(|x| i64::from(*x).abs()).max().unwrap_or(0);
    let width = signed_width(most(&gain) * largest_sum + most(&offset)).max(sum_width);
    if width > 32 {
        return Err(too_wide());
    }
    let gain_width = signed_width(most(&gain));
    let affine = AffineScores { gain, offset, gain_width, fraction_bits: bits as u32, exact: exact.is_some() };
    Ok(ScoresPlan { affine: Some(affine), width })
}
