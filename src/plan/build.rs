//! From a network and its hardware to a plan.

use ndarray::Array2;
use sha2::{Digest, Sha256};

use super::cycles::{self, StreamIn, predict};
use super::fold::{self, Reach};
use super::{
    AdcPlan, AffineScores, Encoding, FORMAT, InputMap, InputPlan, LayerPlan, MapPlan, OutputPlan, Plan, PlanError,
    PoolPlace, PoolPlan, ReadoutPlan, SaPlan, ScoresPlan, SensePlan, Source, StageKind, Values, WindowPlan, adc,
    geometry, signed_width, stages,
};
use crate::device;
use crate::hardware::{Columns, Hardware, LayerHardware, NegativeInputs, Neurons, Readout};
use crate::network::{
    Activation, Domain, InputCode, InputValues, Layer, Network, Normalize, Op, PoolOrder, Shape, WeightKind,
};

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
    let shapes = network.shapes();
    for index in 0..network.layers.len() {
        let values = layers.last().map_or(input.values, |l: &LayerPlan| l.output.values());
        layers.push(layer(network, hardware, index, &shapes[index..][..2], values)?);
    }
    let last = network.layers.last().expect("a network has layers");
    let end = &layers[layers.len() - 1];
    let unit = if let ReadoutPlan::Adc(a) = &end.readout { a.transfer.unit } else { 1.0 };
    let scores = scores(last, unit, end.largest_sum, end.sum_width)?;
    let classes = last.neurons();
    let read = sense.precharge_cycles + sense.window_cycles + 1;
    let mut timing: Vec<cycles::Stage> =
        stages::stages(&layers).iter().map(|s| stage(&layers[s.layer], s.kind, read)).collect();
    timing.push(cycles::Stage::Sequential { latency: classes as u64 + 2 });
    let beats_out = (32 * (classes + 1)).div_ceil(base.stream.bits);
    let stream = StreamIn { beats: (input.beats / input.vectors) as u64, vectors: input.vectors as u64 };
    let cycles = predict(stream, &timing, beats_out as u64);
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
        ("adc.columns_per_adc", hardware.adc.columns_per_adc),
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
    let code_bits = code.bits();
    let vectors = match network.layers[0].op {
        Op::Dense => 1,
        Op::Conv(_) => Shape::of_input(&network.input.shape).positions(),
    };
    let beats = vectors * (count / vectors).div_ceil(stream_bits / code_bits);
    InputPlan { count, vectors, code_bits, signed, map, values: values(code.domain()), beats }
}

fn values(domain: Domain) -> Values {
    match domain {
        Domain::Bipolar => Values::Bipolar,
        Domain::Trit => Values::Trit,
        Domain::Integer { min, max } => {
            let largest = i64::from(min).abs().max(i64::from(max).abs());
            Values::Integer { width: signed_width(largest).max(2), min, max }
        }
    }
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
        // Votes of blocks come from amplifiers, wherever the layer stands.
        _ if !network.layers[index].blocks.is_empty() => Readout::Sa,
        Readout::Digital => Readout::Digital,
        _ if integers || int8 => Readout::Digital,
        Readout::Sa | Readout::Adc if end => Readout::Pcsa,
        other => other,
    }
}

fn layer(
    network: &Network,
    hardware: &Hardware,
    index: usize,
    shapes: &[Shape],
    values_in: Values,
) -> Result<LayerPlan, PlanError> {
    let layer = &network.layers[index];
    let own = hardware.layer(&layer.name);
    let readout = readout(network, hardware, index);
    let source = source(layer, index == 0, shapes[0], values_in);
    // Padding with 0 turns bipolar values into trits.
    let input = match values_in {
        Values::Integer { .. } => values(network.seen_domain(index)),
        _ if matches!(&source, Source::Window(w) if w.gates()) => Values::Trit,
        other => other,
    };
    check_readout(layer, readout, input)?;
    let bad = |reason: &str| Err(PlanError::layer(&layer.name, reason));
    let (inputs, neurons) = (layer.inputs(), layer.neurons());
    // A cell pair may be misread as any trit, so arrays count with every weight at +-1.
    let largest_sum = match readout {
        Readout::Digital => largest_sum(&layer.weights.values, input.largest()),
        _ => inputs as i64,
    };
    if signed_width(largest_sum + 1) > 31 {
        return bad("its sums may exceed 31 bits; narrow the inputs or the weights");
    }
    // What follows the sums, block by block, with the number of the block's first input.
    let mut start = 0;
    let parts: Vec<(Layer, usize)> = match layer.blocks.len() {
        0 => vec![(layer.clone(), 0)],
        n => (0..n)
            .map(|k| {
                start += layer.blocks[k].inputs;
                (layer.block(k), start - layer.blocks[k].inputs)
            })
            .collect(),
    };
    let part_largest = |part: &Layer| if layer.blocks.is_empty() { largest_sum } else { part.inputs() as i64 };
    let flips =
        |part: &Layer, j: usize| layer.activation != Activation::Scores && fold::falls(part, j, part_largest(part));
    let flipped: Vec<bool> = parts.iter().flat_map(|(p, _)| (0..neurons).map(move |j| flips(p, j))).collect();
    let mut weights = layer.weights.values.clone();
    for (k, (part, start)) in parts.iter().enumerate() {
        for j in (0..neurons).filter(|j| flipped[k * neurons + j]) {
            for i in *start..start + part.inputs() {
                let Some(flip) = weights[[j, i]].checked_neg() else {
                    return bad(&format!(
                        "weight [{j}, {i}] is -128 in a neuron of negative gain; its flip, 128, is no 8-bit weight"
                    ));
                };
                weights[[j, i]] = flip;
            }
        }
    }
    // Sums of the weights as they lie on the arrays: what a unipolar sum lacks.
    let offsets = |part: usize| -> Vec<f64> {
        let (layer, start) = &parts[part];
        let sum = |j: usize| (*start..start + layer.inputs()).map(|i| f64::from(weights[[j, i]])).sum();
        (0..neurons).map(sum).collect()
    };
    let adc = match readout {
        Readout::Adc => Some(adc_plan(layer, own, &source, input)?),
        _ => None,
    };
    let (largest_sum, outputs) = match &adc {
        Some(adc) => {
            let largest = largest_value(adc);
            let (unit, offset) = match adc.encoding {
                Encoding::Unipolar => (2.0 * adc.transfer.unit, offsets(0)),
                _ => (adc.transfer.unit, vec![0.0; neurons]),
            };
            let sum = |j: usize, v: i64| unit * v as f64 - offset[j];
            (largest, vec![output(layer, &flipped, largest, &sum)])
        }
        None => {
            let of = |(k, (part, _)): (usize, &(Layer, usize))| {
                output(part, &flipped[k * neurons..][..neurons], part_largest(part), &|_, s| s as f64)
            };
            (largest_sum, parts.iter().enumerate().map(of).collect::<Vec<_>>())
        }
    };
    if signed_width(largest_sum + 1) > 31 {
        return bad("its sums may exceed 31 bits; narrow the inputs, the weights or the ADC's values");
    }
    let output = if layer.blocks.is_empty() { outputs[0].clone() } else { of_votes(&outputs[0]) };
    let mut exact = true;
    let mut readout = match readout {
        Readout::Pcsa => ReadoutPlan::Pcsa(geometry::pcsa(inputs, neurons, own)?),
        Readout::Digital => ReadoutPlan::Digital(geometry::digital(inputs, neurons, own)),
        Readout::Sa if layer.blocks.is_empty() => {
            let plan = sa(layer, own, &output, &flipped)?;
            exact = plan.block_sizes.len() == 1;
            ReadoutPlan::Sa(plan)
        }
        Readout::Sa => ReadoutPlan::Sa(trained_split(layer, own, &outputs)?),
        Readout::Adc => {
            let plan = adc.expect("made above");
            exact = plan.transfer.exact;
            ReadoutPlan::Adc(plan)
        }
    };
    if let ReadoutPlan::Sa(sa) = &mut readout
        && own.array.neurons == Neurons::Unipolar
    {
        unipolar(layer, &source, input, &weights, sa)?;
    }
    let blocks = if let ReadoutPlan::Sa(sa) = &readout { sa.block_sizes.len() } else { 1 };
    let pool = pool(layer, &parts, shapes[0], blocks)?;
    let bytes: Vec<u8> = weights.iter().map(|w| *w as u8).collect();
    let input_width = if let Values::Integer { width, .. } = input { width } else { 2 };
    Ok(LayerPlan {
        name: layer.name.clone(),
        inputs,
        neurons,
        source,
        input,
        weight_kind: layer.weights.kind,
        weights,
        weights_sha256: format!("{:x}", Sha256::digest(&bytes)),
        flipped,
        output,
        largest_sum,
        sum_width: signed_width(largest_sum + 1).max(input_width),
        readout,
        pool,
        map: shapes[1].into(),
        exact,
    })
}

/// Refuses what a readout cannot do.
fn check_readout(layer: &Layer, readout: Readout, input: Values) -> Result<(), PlanError> {
    let integers = matches!(input, Values::Integer { .. });
    let reason = match readout {
        Readout::Pcsa if integers => {
            "readout = \"pcsa\" reads bipolar values and trits, but its inputs are 8-bit; use \"digital\""
        }
        Readout::Sa if integers => {
            "readout = \"sa\" takes bipolar values and trits, but its inputs are 8-bit; use \"digital\""
        }
        Readout::Sa if layer.activation == Activation::Scores => {
            "readout = \"sa\" gives 1-bit votes, no scores; use \"pcsa\" or \"digital\" for the last layer"
        }
        Readout::Pcsa | Readout::Sa | Readout::Adc if layer.weights.kind == WeightKind::Int8 => {
            "its weights are 8-bit, which one cell pair cannot hold; use readout = \"digital\""
        }
        Readout::Pcsa | Readout::Adc | Readout::Digital if !layer.blocks.is_empty() => {
            "it was trained split, so each block needs an amplifier of its own; use readout = \"sa\""
        }
        _ => return Ok(()),
    };
    Err(PlanError::layer(&layer.name, reason))
}

/// Refuses unipolar neurons where they have no meaning.
fn check_unipolar(layer: &Layer, source: &Source, input: Values) -> Result<(), PlanError> {
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
fn unipolar(
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

fn adc_plan(layer: &Layer, own: &LayerHardware, source: &Source, input: Values) -> Result<AdcPlan, PlanError> {
    let bad = |reason: &str| Err(PlanError::layer(&layer.name, reason));
    let single = own.array.columns == Columns::Single;
    if single && layer.weights.kind == WeightKind::Ternary {
        return bad("its weights are ternary, but a single column's cell holds no 0; use array.columns = \"double\"");
    }
    let encoding = match input {
        Values::Integer { width, .. } => Encoding::BitSerial(width),
        _ if own.array.neurons == Neurons::Unipolar => {
            check_unipolar(layer, source, input)?;
            if layer.activation == Activation::Scores {
                return bad("array.neurons = \"unipolar\" shifts every score; use \"bipolar\" for the last layer");
            }
            Encoding::Unipolar
        }
        _ if single && own.adc.negative_inputs == NegativeInputs::TwoPhases => Encoding::TwoPhases,
        _ => Encoding::Signed,
    };
    let conversion = cycles("adc.conversion_ns", own.adc.conversion_ns, own.clock.mhz)?;
    let mut plan = geometry::adc(layer.inputs(), layer.neurons(), encoding, own, conversion)?;
    let zeros = input == Values::Trit || layer.weights.values.iter().any(|w| *w == 0);
    plan.transfer = adc::transfer(&own.adc, plan.block_sizes[0], adc::step(encoding, zeros, &plan.block_sizes))?;
    plan.single_column = single;
    Ok(plan)
}

/// Largest magnitude of any partial sum of values.
fn largest_value(plan: &AdcPlan) -> i64 {
    let weight = match plan.encoding {
        Encoding::Signed | Encoding::Unipolar => 1,
        Encoding::TwoPhases => 2,
        Encoding::BitSerial(bits) => (1i64 << bits) - 1,
    };
    plan.transfer.largest() * weight * plan.block_sizes.len() as i64
}

/// How the layer's input vectors are formed from the map before it.
fn source(layer: &Layer, first: bool, before: Shape, values: Values) -> Source {
    match &layer.op {
        // An image that a dense layer takes comes as one vector.
        Op::Dense if first || before.positions() == 1 => Source::Vector,
        Op::Dense => Source::Flatten { positions: before.positions() },
        Op::Conv(conv) => Source::Window(WindowPlan {
            channels: before.channels,
            map: before.into(),
            kernel: conv.kernel,
            stride: conv.stride,
            pad: conv.pad,
            pad_value: conv.pad_value,
            values,
            windows: conv.output(before, 1).expect("validated: the kernel fits").into(),
        }),
    }
}

/// The pool behind a layer's sums.
fn pool(layer: &Layer, parts: &[(Layer, usize)], before: Shape, blocks: usize) -> Result<Option<PoolPlan>, PlanError> {
    let Some(pool) = &layer.pool else { return Ok(None) };
    if (0..2).any(|side| pool.stride[side] < pool.size[side]) {
        let reason = format!(
            "its pool of {:?} moves by {:?}, so that windows overlap; only strides of at least the size can be built",
            pool.size, pool.stride
        );
        return Err(PlanError::layer(&layer.name, reason));
    }
    let from: MapPlan = layer.sum_shape(before).expect("validated: the kernel fits").into();
    let (place, all) = match pool.order {
        PoolOrder::AfterActivation => (PoolPlace::Outputs, vec![false; layer.neurons()]),
        PoolOrder::BeforeNormalize => {
            let falls = |part: &Layer, j: usize| match &part.normalize {
                Normalize::None => false,
                Normalize::BatchNorm { gamma, .. } => gamma[j] < 0.0,
                Normalize::Affine { gain, .. } => gain[j] < 0.0,
            };
            let of = |(part, _): &(Layer, usize)| (0..layer.neurons()).map(|j| falls(part, j)).collect::<Vec<_>>();
            if blocks == 1 {
                (PoolPlace::Outputs, of(&parts[0]))
            } else {
                // Blocks of a layer trained whole share its normalisation.
                (PoolPlace::Votes, (0..blocks).flat_map(|k| of(&parts[k.min(parts.len() - 1)])).collect())
            }
        }
    };
    Ok(Some(PoolPlan { from, size: pool.size, stride: pool.stride, place, all }))
}

/// The aggregated output of a layer trained split: the sign of its votes' sum.
fn of_votes(block: &OutputPlan) -> OutputPlan {
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
fn trained_split(layer: &Layer, own: &LayerHardware, outputs: &[OutputPlan]) -> Result<SaPlan, PlanError> {
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

/// Largest magnitude that any partial sum of any neuron can take: the sum of all magnitudes.
fn largest_sum(weights: &Array2<i8>, largest_input: i64) -> i64 {
    let row = |r: ndarray::ArrayView1<i8>| r.iter().map(|w| i64::from(w.unsigned_abs())).sum::<i64>();
    weights.rows().into_iter().map(row).max().unwrap_or(0) * largest_input
}

/// Thresholds on integers of up to `largest` that stand for sums, `sum(neuron, integer)`.
fn output(layer: &Layer, flipped: &[bool], largest: i64, sum: &dyn Fn(usize, i64) -> f64) -> OutputPlan {
    // A flipped neuron still gives +1 where y is high, and y is high where the flipped sum is.
    let first =
        |j: usize, above: &dyn Fn(f64) -> bool| fold::threshold(layer, j, largest, flipped[j], |v| sum(j, v), above);
    let each = |f: &dyn Fn(usize) -> i32| (0..layer.neurons()).map(f).collect();
    match &layer.activation {
        Activation::Bipolar { threshold } => OutputPlan::Bipolar { high: each(&|j| first(j, &|y| y >= threshold[j])) },
        Activation::Ternary { above, below } => OutputPlan::Trit {
            high: each(&|j| first(j, &|y| above.above(j, y))),
            low: each(&|j| first(j, &|y| !below.below(j, y))),
        },
        Activation::Scores => OutputPlan::Sums,
    }
}

fn sa(layer: &Layer, own: &LayerHardware, whole: &OutputPlan, flipped: &[bool]) -> Result<SaPlan, PlanError> {
    let references = if matches!(whole, OutputPlan::Trit { .. }) { 2 } else { 1 };
    let read_cycles = cycles("sa.read_ns", own.sa.read_ns, own.clock.mhz)?;
    let sizes = geometry::block_sizes(layer.inputs(), geometry::blocks(layer.inputs(), own.array.inputs));
    let mut plan = geometry::sa(layer.inputs(), layer.neurons(), references, own, read_cycles, sizes)?;
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

/// A stage as the cycles see it; `pcsa_read` cycles for a read of a PCSA array.
fn stage(layer: &LayerPlan, kind: StageKind, pcsa_read: usize) -> cycles::Stage {
    use cycles::Stage;
    match (kind, &layer.source, &layer.readout) {
        (StageKind::Slice, ..) => Stage::Slice,
        (StageKind::Window, Source::Window(window), _) => Stage::Window(slots(window)),
        (StageKind::Flatten, Source::Flatten { positions }, _) => Stage::Collect(*positions as u64),
        (StageKind::Read, _, ReadoutPlan::Pcsa(p)) => Stage::Sequential { latency: (p.reads * pcsa_read + 3) as u64 },
        (StageKind::Read, _, ReadoutPlan::Digital(d)) => Stage::Pipelined { reads: d.reads as u64, delay: 3 },
        (StageKind::Read, _, ReadoutPlan::Adc(a)) => {
            Stage::Pipelined { reads: (a.reads * a.conversion_cycles) as u64, delay: 3 }
        }
        (StageKind::Read, _, ReadoutPlan::Sa(s)) => {
            Stage::Pipelined { reads: (s.reads * s.read_cycles) as u64, delay: 1 }
        }
        (StageKind::Aggregate, ..) => Stage::Register,
        (StageKind::PoolVotes | StageKind::PoolOutputs, ..) => {
            Stage::Pool(pool_gives(layer.pool.as_ref().expect("a pool's stage")))
        }
        _ => unreachable!("a stage of another source"),
    }
}

/// The former's positions, row by row: padding or not, and whether a window ends there.
fn slots(window: &WindowPlan) -> Vec<cycles::Slot> {
    let padded = window.padded();
    let [above, left, ..] = window.pad;
    let inside = |row: usize, column: usize| {
        (above..above + window.map.rows).contains(&row) && (left..left + window.map.columns).contains(&column)
    };
    let ends = |at: usize, side: usize, windows: usize| {
        let first = window.kernel[side] - 1;
        at >= first && (at - first).is_multiple_of(window.stride[side]) && (at - first) / window.stride[side] < windows
    };
    let slot = |row: usize, column: usize| cycles::Slot {
        padding: !inside(row, column),
        gives: ends(row, 0, window.windows.rows) && ends(column, 1, window.windows.columns),
    };
    (0..padded.rows).flat_map(|row| (0..padded.columns).map(move |column| slot(row, column))).collect()
}

/// For each position of the map before a pool, whether a window ends there.
fn pool_gives(pool: &PoolPlan) -> Vec<bool> {
    let ends = |at: usize, side: usize| at % pool.stride[side] == pool.size[side] - 1;
    (0..pool.from.positions()).map(|p| ends(p / pool.from.columns, 0) && ends(p % pool.from.columns, 1)).collect()
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

/// `unit`: what one of the last layer's sums stands for.
fn scores(layer: &Layer, unit: f64, largest_sum: i64, sum_width: usize) -> Result<ScoresPlan, PlanError> {
    let (mut gain, offset) = real_affine(layer);
    gain.iter_mut().for_each(|g| *g *= unit);
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
