//! From a network and its hardware to a plan.

use ndarray::Array2;
use sha2::{Digest, Sha256};

use super::access::access;
use super::cycles::{Cycles, Start};
use super::fold;
use super::memory::memory;
use super::scores::scores;
use super::spares::{self, check_faults, repair, spares};
use super::split::{check_unipolar, of_votes, sa, trained_split, unipolar};
use super::timing::{cycles, sense};
use super::{
    AdcPlan, Encoding, FORMAT, InputMap, InputPlan, LayerPlan, MapPlan, OutputPlan, Plan, PlanError, PoolPlace,
    PoolPlan, ReadoutPlan, ScoresPlan, Source, Values, WindowPlan, adc, geometry, signed_width,
};
use crate::fault_map::Fault;
use crate::hardware::{Columns, Hardware, LayerHardware, NegativeInputs, Neurons, Readout};
use crate::network::{
    Activation, Domain, InputCode, InputValues, Layer, Network, Normalize, Op, PoolOrder, Shape, WeightKind,
};

/// Largest side of an array that the tool will plan for.
const LARGEST_ARRAY: usize = 1 << 14;

/// Lays `network` on `hardware` without faults.
pub fn plan(network: &Network, hardware: &Hardware) -> Result<Plan, PlanError> {
    plan_with_faults(network, hardware, Vec::new())
}

/// Lays `network` on `hardware` of which these cells are faulty.
pub fn plan_with_faults(network: &Network, hardware: &Hardware, mut faults: Vec<Fault>) -> Result<Plan, PlanError> {
    check_names(network, hardware)?;
    let controller;
    let network = match hardware.memory {
        Some(_) => {
            controller = network.features();
            &controller
        }
        None => network,
    };
    check(&hardware.base, "")?;
    for (name, (layer, _)) in &hardware.layers {
        check(layer, &format!("layer.{name}."))?;
    }
    if let Some((_, arrays)) = &hardware.memory {
        check(arrays, "memory.")?;
    }
    let base = &hardware.base;
    let input = input(network, base.stream.bits);
    let keys_use_pcsa = hardware.memory.as_ref().is_some_and(|(_, arrays)| arrays.readout == Readout::Pcsa);
    let uses_pcsa = keys_use_pcsa || (0..network.layers.len()).any(|i| readout(network, hardware, i) == Readout::Pcsa);
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
    let read = sense.read_cycles();
    let (scores, memory) = match &hardware.memory {
        None => {
            let unit = if let ReadoutPlan::Adc(a) = &end.readout { a.transfer.unit } else { 1.0 };
            (scores(last, unit, end.largest_sum, end.sum_width)?, None)
        }
        Some((own, arrays)) => {
            let memory = memory(own, arrays, last.neurons(), read)?;
            (ScoresPlan { affine: None, width: memory.sum_width }, Some(memory))
        }
    };
    check_faults(&layers, memory.as_ref(), &faults)?;
    faults.sort_unstable();
    for layer in &mut layers {
        repair(layer, &faults)?;
    }
    let access = match &hardware.program {
        None => None,
        Some(program) => Some(access(program, &layers, memory.as_ref(), base.clock.mhz)?),
    };
    let mut plan = Plan {
        format: FORMAT,
        name: network.name.clone(),
        clock_mhz: base.clock.mhz,
        stream_bits: base.stream.bits,
        sense,
        input,
        layers,
        scores,
        memory,
        access,
        cycles: Cycles::default(),
        faults,
    };
    plan.cycles = plan.cycles_from(Start::After(0));
    Ok(plan)
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
    let spares = [
        ("array.spare_word_lines", hardware.array.spare_word_lines),
        ("array.spare_columns", hardware.array.spare_columns),
    ];
    for (key, value) in spares {
        if value > spares::MOST {
            let reason = format!("must be 0 to {}", spares::MOST);
            return Err(PlanError::hardware(&format!("{place}{key}"), value, reason));
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
        Readout::Pcsa => inputs as i64 * input.largest(),
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
        Readout::Pcsa => {
            let planes = if let Values::Integer { width, .. } = input { width } else { 1 };
            ReadoutPlan::Pcsa(geometry::pcsa(inputs, neurons, planes, own)?)
        }
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
    let spares = spares(own, &readout)?;
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
        spares,
        pool,
        map: shapes[1].into(),
        exact,
    })
}

/// Refuses what a readout cannot do.
fn check_readout(layer: &Layer, readout: Readout, input: Values) -> Result<(), PlanError> {
    let integers = matches!(input, Values::Integer { .. });
    let reason = match readout {
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
pub(super) fn largest_value(plan: &AdcPlan) -> i64 {
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
