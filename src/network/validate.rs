//! Rules that every network obeys, whatever it was read from.

use ndarray::ArrayView1;

use super::reserved::is_reserved;
use super::{
    Activation, Domain, InputCode, InputValues, Layer, Network, NetworkError, Normalize, Op, Shape, WeightKind,
};

/// Largest number of inputs of one neuron, and of neurons in a layer.
pub(super) const LARGEST_SIDE: usize = 1 << 16;

/// Largest number of positions of a feature map.
const LARGEST_MAP: usize = 1 << 20;

/// Names of the pipeline's own stages, which reports use beside those of layers. `output`, another one, is a word that
/// Verilog reserves.
const RESERVED: [&str; 3] = ["image", "keys", "scores"];

/// Whether `name` can stand as it is in Verilog, in a file name and in TOML: a letter, then letters, digits and
/// single underscores, at most 48 in all, and no word that Verilog or SystemVerilog keeps for itself.
pub fn is_name(name: &str) -> bool {
    name.len() <= 48
        && !is_reserved(name)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.ends_with('_')
        && !name.contains("__")
}

pub(super) fn network(network: &Network) -> Result<(), NetworkError> {
    check_name("network", &network.name)?;
    input(network)?;
    if network.layers.is_empty() {
        return Err(NetworkError::invalid("network", "has no layers; it needs at least one, ending in scores"));
    }
    let mut shape = Shape::of_input(&network.input.shape);
    for (index, layer) in network.layers.iter().enumerate() {
        let place = format!("layer `{}`", layer.name);
        check_name(&place, &layer.name)?;
        if RESERVED.contains(&layer.name.as_str()) {
            let reason = format!("`{}` names another stage of every design; call the layer something else", layer.name);
            return Err(NetworkError::invalid(place, reason));
        }
        if let Some(twin) = network.layers[..index].iter().find(|l| l.name.eq_ignore_ascii_case(&layer.name)) {
            let reason = format!("its name is that of layer `{}` (letter case aside); give each its own", twin.name);
            return Err(NetworkError::invalid(place, reason));
        }
        let before = match index {
            0 => "the input".to_string(),
            _ => format!("layer `{}`", network.layers[index - 1].name),
        };
        check_inputs(&place, layer, shape, &before)?;
        check_layer(&place, layer)?;
        check_blocks(&place, layer)?;
        if let Op::Conv(conv) = &layer.op
            && conv.is_padded()
            && (!network.input_domain(index).takes(conv.pad_value) || conv.pad_value.unsigned_abs() > 1 << 15)
        {
            let reason = format!("pad_value {} is no value that its inputs may take; 0 always is", conv.pad_value);
            return Err(NetworkError::invalid(place, reason));
        }
        check_reach(&place, layer, network.seen_domain(index))?;
        let last = index + 1 == network.layers.len();
        if last != matches!(layer.activation, Activation::Scores) {
            let reason =
                if last { "the last layer must end in `scores`" } else { "only the last layer may end in `scores`" };
            return Err(NetworkError::invalid(place, reason));
        }
        shape = layer.output_shape(shape).map_err(|reason| NetworkError::invalid(&place, reason))?;
        if last && (shape.positions() > 1 || layer.pool.is_some()) {
            let reason = format!("the last layer gives {shape}; scores are one a class: end in a dense layer");
            return Err(NetworkError::invalid(place, reason));
        }
        if shape.positions() > LARGEST_MAP {
            return Err(NetworkError::invalid(
                place,
                format!("gives {shape}; at most {LARGEST_MAP} positions are taken"),
            ));
        }
    }
    Ok(())
}

fn check_name(place: &str, name: &str) -> Result<(), NetworkError> {
    if is_name(name) {
        return Ok(());
    }
    if is_reserved(name) {
        let reason = format!("the name `{name}` is a reserved word of SystemVerilog; use another, such as `{name}_1`");
        return Err(NetworkError::invalid(place, reason));
    }
    let reason = format!(
        "the name {name:?} cannot stand in Verilog and file names; use a letter, then letters, digits and single underscores, at most 48"
    );
    Err(NetworkError::invalid(place, reason))
}

fn input(network: &Network) -> Result<(), NetworkError> {
    let bad = |reason: String| Err(NetworkError::invalid("input", reason));
    let shape = &network.input.shape;
    if shape.is_empty()
        || shape.contains(&0)
        || shape.iter().try_fold(1usize, |a, b| a.checked_mul(*b)).is_none_or(|n| n > 1 << 24)
    {
        return bad(format!("shape {shape:?} must have 1 to 2^24 values and no zero side"));
    }
    match &network.input.code {
        InputCode::U8(values) | InputCode::I8(values) => {
            if let InputValues::Affine { gain, offset } = values
                && (gain.unsigned_abs() > 1 << 15 || offset.unsigned_abs() > 1 << 15)
            {
                return bad(format!("affine {gain} code + {offset}: keep gain and offset within +-32768"));
            }
            if let InputValues::Table(table) = values {
                if table.len() != 256 {
                    return bad(format!("its table has {} entries; one for each byte makes 256", table.len()));
                }
                if let Some(entry) = table.iter().position(|v| v.unsigned_abs() > 1 << 15) {
                    return bad(format!("table entry {entry} is {}; keep entries within +-32768", table[entry]));
                }
            }
        }
        InputCode::Bipolar => {}
    }
    Ok(())
}

fn check_layer(place: &str, layer: &Layer) -> Result<(), NetworkError> {
    let (neurons, inputs) = (layer.neurons(), layer.inputs());
    if neurons == 0 || inputs == 0 || neurons > LARGEST_SIDE || inputs > LARGEST_SIDE {
        let reason = format!("weights of {neurons} x {inputs}; each side must be 1 to {LARGEST_SIDE}");
        return Err(NetworkError::invalid(place, reason));
    }
    let allowed: fn(i8) -> bool = match layer.weights.kind {
        WeightKind::Bipolar => |w| w == 1 || w == -1,
        WeightKind::Ternary => |w| (-1..=1).contains(&w),
        WeightKind::Int8 => |_| true,
    };
    if let Some(((j, i), w)) = layer.weights.values.indexed_iter().find(|(_, w)| !allowed(**w)) {
        let kinds = "bipolar weights are -1 and +1, ternary ones -1, 0 and +1";
        let reason = format!("weight [{j}, {i}] is {w}, which is no {:?} weight; {kinds}", layer.weights.kind);
        return Err(NetworkError::invalid(place, reason));
    }
    reals(place, "weight scale", &layer.weights.scale, neurons)?;
    check_follow_up(place, &layer.bias, &layer.normalize, &layer.activation, neurons)
}

/// What follows the sums of a layer or of a block.
fn check_follow_up(
    place: &str,
    bias: &[f64],
    normalize: &Normalize,
    activation: &Activation,
    neurons: usize,
) -> Result<(), NetworkError> {
    reals(place, "bias", bias, neurons)?;
    match normalize {
        Normalize::None => {}
        Normalize::BatchNorm { gamma, beta, mean, variance, epsilon } => {
            reals(place, "batch norm gamma", gamma, neurons)?;
            reals(place, "batch norm beta", beta, neurons)?;
            reals(place, "batch norm mean", mean, neurons)?;
            reals(place, "batch norm variance", variance, neurons)?;
            if !epsilon.is_finite() {
                return Err(NetworkError::invalid(
                    place,
                    format!("batch norm epsilon is {epsilon}; it must be finite"),
                ));
            }
            if let Some(j) = variance.iter().position(|v| *v < 0.0 || v + epsilon <= 0.0) {
                let reason =
                    format!("batch norm variance[{j}] is {}; variance + epsilon must be positive", variance[j]);
                return Err(NetworkError::invalid(place, reason));
            }
        }
        Normalize::Affine { gain, shift } => {
            reals(place, "gain", gain, neurons)?;
            reals(place, "shift", shift, neurons)?;
        }
    }
    match activation {
        Activation::Bipolar { threshold } => reals(place, "threshold", threshold, neurons),
        Activation::Ternary { above, below } => {
            reals(place, "ternary threshold above", &above.at, neurons)?;
            reals(place, "ternary threshold below", &below.at, neurons)?;
            let overlap = |(a, b): (&f64, &f64)| b > a || (a == b && !above.strict && !below.strict);
            match above.at.iter().zip(&below.at).position(overlap) {
                Some(j) => {
                    let reason = format!(
                        "ternary thresholds of neuron {j} overlap: above {} and below {}",
                        above.at[j], below.at[j]
                    );
                    Err(NetworkError::invalid(place, reason))
                }
                None => Ok(()),
            }
        }
        Activation::Scores => Ok(()),
    }
}

/// Shapes of kernel, inputs and pool against what comes before.
fn check_inputs(place: &str, layer: &Layer, shape: Shape, before: &str) -> Result<(), NetworkError> {
    let (takes, what) = match &layer.op {
        Op::Dense => (shape.len(), "weights are [neurons, inputs] (transpose them?)".to_string()),
        Op::Conv(conv) => {
            let [rows, columns] = conv.kernel;
            if rows.max(columns) > LARGEST_SIDE {
                let reason = format!("its kernel is {rows} x {columns}; each side must be at most {LARGEST_SIDE}");
                return Err(NetworkError::invalid(place, reason));
            }
            (
                conv.inputs(shape.channels),
                format!("a neuron of its {rows} x {columns} kernel takes that of all channels"),
            )
        }
    };
    if layer.inputs() != takes {
        let reason = match &layer.op {
            Op::Dense => format!("its weights take {} inputs but {before} gives {takes}; {what}", layer.inputs()),
            Op::Conv(_) => format!(
                "its weights take {} inputs but {before} gives {} channels, so that {takes} are due; {what}",
                layer.inputs(),
                shape.channels
            ),
        };
        return Err(NetworkError::invalid(place, reason));
    }
    layer.output_shape(shape).map(drop).map_err(|reason| NetworkError::invalid(place, reason))
}

/// Blocks of a split layer.
fn check_blocks(place: &str, layer: &Layer) -> Result<(), NetworkError> {
    if layer.blocks.is_empty() {
        return Ok(());
    }
    let bad = |reason: String| Err(NetworkError::invalid(place, reason));
    let sizes: Vec<usize> = layer.blocks.iter().map(|b| b.inputs).collect();
    if sizes.contains(&0) || sizes.iter().try_fold(0usize, |a, b| a.checked_add(*b)) != Some(layer.inputs()) {
        return bad(format!("its blocks of {sizes:?} inputs do not make up its {} inputs", layer.inputs()));
    }
    let neurons = layer.neurons();
    for (k, block) in layer.blocks.iter().enumerate() {
        check_follow_up(&format!("{place}, block {k}"), &block.bias, &block.normalize, &block.activation, neurons)?;
        if std::mem::discriminant(&block.activation) != std::mem::discriminant(&layer.activation) {
            return bad(format!("block {k} votes with another kind of activation than the layer's own"));
        }
    }
    if matches!(layer.activation, Activation::Scores) {
        return bad("it has blocks, but the votes of blocks are no scores; train the last layer whole".into());
    }
    if layer.normalize != Normalize::None || layer.bias.iter().any(|b| *b != 0.0) {
        return bad("it has blocks, so bias and normalize belong to each of them, not to the layer".into());
    }
    if layer.activation != layer.activation.of_votes(neurons) {
        return bad(
            "it has blocks, so its activation is the sign of their votes' sum: leave it out, or give threshold 0"
                .into(),
        );
    }
    Ok(())
}

/// Every sum must fit `i32`, whatever the inputs.
fn check_reach(place: &str, layer: &Layer, inputs: Domain) -> Result<(), NetworkError> {
    let largest = match inputs {
        Domain::Bipolar | Domain::Trit => 1,
        Domain::Integer { min, max } => min.unsigned_abs().max(max.unsigned_abs()).into(),
    };
    let reach = |row: ArrayView1<i8>| largest * row.iter().map(|w| u64::from(w.unsigned_abs())).sum::<u64>();
    match layer.weights.values.rows().into_iter().map(reach).enumerate().find(|(_, reach)| *reach > i32::MAX as u64) {
        None => Ok(()),
        Some((j, reach)) => {
            let reason = format!(
                "the sum of neuron {j} can reach {reach}, beyond 32 bits; use smaller input values and put the factor into the weight scale"
            );
            Err(NetworkError::invalid(place, reason))
        }
    }
}

fn reals(place: &str, what: &str, values: &[f64], neurons: usize) -> Result<(), NetworkError> {
    if values.len() != neurons {
        let reason =
            format!("{what} has {} values for {neurons} neurons; give one, or one for each neuron", values.len());
        return Err(NetworkError::invalid(place, reason));
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(j) => {
            Err(NetworkError::invalid(place, format!("{what}[{j}] is {}; every value must be finite", values[j])))
        }
        None => Ok(()),
    }
}
