//! The blocks that are proven, and how: which check of `rtl/formal/` shows what.

use super::elaborate::{Parameters, Value};

/// How a check is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Whatever state the block is in: `fail_o` stays low in the cycle that lies this many after the inputs. With 0 the
    /// block is combinational.
    Interval { cycles: usize },
    /// From reset on, by induction over cycles.
    Induction,
}

/// One check at one parameter set.
#[derive(Debug, Clone, PartialEq)]
pub struct Obligation {
    /// Module and file in `rtl/formal/`.
    pub check: &'static str,
    pub parameters: Parameters,
    pub method: Method,
    /// Sums of many bits: decision diagrams before SAT.
    pub diagrams_first: bool,
    /// A memory of the block that the check reads, by the same name.
    pub memory: Option<&'static str>,
}

impl Obligation {
    fn new(check: &'static str, parameters: &Parameters, method: Method) -> Self {
        Self { check, parameters: parameters.clone(), method, diagrams_first: false, memory: None }
    }
}

/// Up to this many lanes a popcount is compared with the dot product as a whole.
const LANES_AS_A_WHOLE: i64 = 32;

/// Modules that are put together from arrays and blocks: layers, the sums of their word lines, keys. They are compared
/// with the golden model in co-simulation.
pub fn is_composition(module: &str) -> bool {
    ["hf_layer_", "hf_sums_", "hf_keys_"].iter().any(|kind| module.starts_with(kind))
}

/// Arrays: black boxes to synthesis and proofs.
pub fn is_array(module: &str) -> bool {
    module.starts_with("hf_array_")
}

/// Grids of arrays: instances and multiplexers around black boxes, compared in co-simulation.
pub fn is_bank(module: &str) -> bool {
    module.starts_with("hf_bank_")
}

/// What has to hold for a block to be proven; `None` for a module that has no check.
pub fn obligations(module: &str, parameters: &Parameters) -> Option<Vec<Obligation>> {
    let number = |name: &str| match parameters.get(name) {
        Some(Value::Number(number)) => *number,
        _ => 0,
    };
    let one = |check, method| vec![Obligation::new(check, parameters, method)];
    let reads = |check, memory| {
        vec![Obligation { memory: Some(memory), ..Obligation::new(check, parameters, Method::Induction) }]
    };
    let next = Method::Interval { cycles: 1 };
    let same = Method::Interval { cycles: 0 };
    let popcount = |slices, whole, counts| {
        let mut list = Vec::new();
        let mut one = parameters.clone();
        if one.remove("Slices").is_some_and(|slices| slices != Value::Number(1)) {
            list.push(Obligation::new(slices, parameters, next));
        }
        if number("Width") <= LANES_AS_A_WHOLE {
            list.push(Obligation { diagrams_first: true, ..Obligation::new(whole, &one, next) });
            return list;
        }
        let width = Parameters::from([("SumWidth".to_owned(), Value::Number(number("SumWidth")))]);
        list.push(Obligation::new(counts, &one, next));
        list.push(Obligation::new("hf_popcount_lanes_check", &width, Method::Induction));
        list
    };
    Some(match module {
        "hf_ternary_detect" => one("hf_ternary_detect_check", next),
        "hf_gxnor_popcount" => {
            popcount("hf_gxnor_popcount_slices_check", "hf_gxnor_popcount_check", "hf_gxnor_popcount_counts_check")
        }
        "hf_xnor_popcount" => {
            popcount("hf_xnor_popcount_slices_check", "hf_xnor_popcount_check", "hf_xnor_popcount_counts_check")
        }
        "hf_accumulator" => one("hf_accumulator_check", next),
        "hf_threshold" => one("hf_threshold_check", same),
        "hf_vote_aggregate" => {
            let mut votes = one("hf_vote_aggregate_check", next);
            votes[0].diagrams_first = true;
            votes
        }
        "hf_counter" => one("hf_counter_check", next),
        "hf_in_flight" => one("hf_in_flight_check", next),
        "hf_slice" => one("hf_slice_check", same),
        "hf_spare_address" => one("hf_spare_address_check", same),
        "hf_spare_columns" => one("hf_spare_columns_check", same),
        "hf_spare_lines" => one("hf_spare_lines_check", same),
        "hf_multiply_accumulate" => one("hf_multiply_accumulate_check", next),
        "hf_rom" => one("hf_rom_check", next),
        "hf_input_table" => one("hf_input_table_check", same),
        "hf_class_scores" => {
            let cycles = usize::try_from(number("Classes")).unwrap_or(0) + 2;
            one("hf_class_scores_check", Method::Interval { cycles })
        }
        "hf_sense_sequencer" => one("hf_sense_sequencer_check", Method::Induction),
        "hf_stream_in" if number("Vectors") > 1 => one("hf_stream_in_vectors_check", Method::Induction),
        "hf_stream_in" => one("hf_stream_in_check", Method::Induction),
        "hf_stream_out" => one("hf_stream_out_check", Method::Induction),
        "hf_registers" => one("hf_registers_check", Method::Induction),
        "hf_drain" => one("hf_drain_check", Method::Induction),
        "hf_commands" => reads("hf_commands_check", "queue_q"),
        "hf_program" => one("hf_program_check", Method::Induction),
        "hf_array_access" => one("hf_array_access_check", Method::Induction),
        "hf_value_memory" => reads("hf_value_memory_check", "labels_q"),
        "hf_memory_registers" => one("hf_memory_registers_check", Method::Induction),
        "hf_few_shot" => one("hf_few_shot_check", Method::Induction),
        "hf_register_slice" => one("hf_register_slice_check", Method::Induction),
        "hf_code_value" => one("hf_code_value_check", same),
        "hf_read_select" => one("hf_read_select_check", same),
        "hf_flatten" => one("hf_flatten_check", Method::Induction),
        "hf_pool" => reads("hf_pool_check", "rows_q"),
        "hf_window" => reads("hf_window_check", "gen_rows.lines"),
        _ => return None,
    })
}

/// Bits of arithmetic beyond which Yosys needs gigabytes to lay out a block and its reference.
const BITS_AT_FULL_SIZE: i64 = 16_384;

/// Not worth an attempt at full size: [`reduced`] is proven straight away, and reported as what it is.
pub fn too_large(module: &str, parameters: &Parameters) -> bool {
    let number = |name: &str| match parameters.get(name) {
        Some(Value::Number(number)) => *number,
        _ => 0,
    };
    let product = |names: &[&str]| {
        names.iter().fold(1_i64, |product, name| match parameters.get(*name) {
            Some(Value::Number(number)) => product.saturating_mul((*number).max(1)),
            _ => product,
        })
    };
    let bits = match module {
        "hf_multiply_accumulate" => product(&["Neurons", "Inputs", "SumWidth", "WeightWidth"]),
        "hf_threshold" => product(&["Neurons", "SumWidth"]),
        "hf_vote_aggregate" => product(&["Neurons", "Blocks"]),
        "hf_accumulator" => product(&["Lanes", "SumWidth"]),
        // Where each of them may move to.
        "hf_spare_columns" => 2 * product(&["Arrays", "Columns", "Columns", "Spares", "Width"]),
        "hf_spare_lines" => 2 * product(&["Blocks", "BlockLines", "BlockLines", "Spares"]),
        // A few thousand bits take the solver minutes.
        "hf_flatten" => 4 * (1 + number("Trits")) * product(&["Channels", "Positions"]),
        "hf_pool" => 2 * product(&["Values", "Planes", "Columns"]),
        // Cells of every array, of which the decision to write again takes all.
        "hf_program" => 32 * product(&["Arrays", "Cells"]),
        "hf_array_access" => 128 * product(&["Cells"]),
        "hf_window" => {
            let bits = match number("Kind") {
                2 => 2 * number("Width"),
                kind => 1 + kind,
            };
            4 * bits * product(&["Channels", "Columns", "KernelRows"])
        }
        _ => 0,
    };
    bits > BITS_AT_FULL_SIZE && reduced(module, parameters).is_some()
}

/// Sizes at which a block is proven where its full size takes too long, together, and what was made smaller. What is repeated stays so:
/// of a single one a wrong index would be right. Where few of many bits and many of few bits are quick, and many of many are not,
/// it is one of each.
pub fn reduced(module: &str, parameters: &Parameters) -> Option<(Vec<Parameters>, String)> {
    let sizes = limits(module, parameters).iter().map(|limits| smaller(module, parameters, limits));
    let (sizes, texts): (Vec<_>, Vec<_>) = sizes.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    (!sizes.is_empty()).then(|| (sizes, texts.join(" and ")))
}

/// Largest sizes, of each block that is proven instead. The neurons, lanes, arrays or channels of these are copies of each other that
/// share no logic.
fn limits(module: &str, parameters: &Parameters) -> &'static [&'static [(&'static str, i64)]] {
    match module {
        "hf_threshold" => &[&[("Neurons", 3)]],
        // Slices are of 64 neurons.
        "hf_vote_aggregate" => &[&[("Neurons", 2)], &[("Neurons", 66), ("Blocks", 3)]],
        "hf_multiply_accumulate" => &[&[("Neurons", 1), ("Inputs", 16)], &[("Neurons", 3), ("Inputs", 4)]],
        "hf_accumulator" => &[&[("Lanes", 4)]],
        "hf_slice" => &[&[("Width", 3)]],
        "hf_spare_columns" => &[&[("Arrays", 3), ("Columns", 16), ("Width", 2)]],
        "hf_spare_lines" => &[&[("Blocks", 3), ("LargeBlocks", 2), ("BlockLines", 16)]],
        // Arrays share the sequence, and whether it is repeated; what is written and verified is each one's own.
        "hf_program" => &[&[("Arrays", 1), ("Cells", 512)], &[("Arrays", 3), ("Cells", 16)]],
        // The registers of a word line are copies of each other.
        "hf_array_access" => &[&[("Cells", 64)]],
        "hf_window" if parameters.get("Kind") == Some(&Value::Number(2)) => &[&[("Channels", 2)]],
        "hf_flatten" | "hf_window" => &[&[("Channels", 4)]],
        // One of each kind, see below.
        "hf_pool" => &[&[("Values", 2)]],
        "hf_ternary_detect" => &[&[("Width", 8)]],
        "hf_gxnor_popcount" | "hf_xnor_popcount" => &[&[("Slices", 2), ("Width", 24)]],
        "hf_stream_out" if parameters.get("Classes").is_some_and(|c| *c > Value::Number(3)) => &[&[("Classes", 3)]],
        _ => &[],
    }
}

fn smaller(module: &str, parameters: &Parameters, limits: &[(&str, i64)]) -> Option<(Parameters, String)> {
    let mut smaller = parameters.clone();
    let mut changes = Vec::new();
    for &(name, limit) in limits {
        if let Some(Value::Number(number)) = smaller.get_mut(name)
            && *number > limit
        {
            changes.push(format!("{name} {limit} of {number}"));
            *number = limit;
        }
    }
    if module == "hf_pool" && !changes.is_empty() {
        smaller.insert("All".to_owned(), Value::Number(0b10));
    }
    (!changes.is_empty()).then(|| (smaller, changes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(list: &[(&str, i64)]) -> Parameters {
        list.iter().map(|&(name, value)| (name.to_owned(), Value::Number(value))).collect()
    }

    #[test]
    fn wide_popcounts_are_composed() {
        let narrow = parameters(&[("Width", 32), ("SumWidth", 7)]);
        assert_eq!(obligations("hf_gxnor_popcount", &narrow).unwrap().len(), 1);
        let wide = parameters(&[("Width", 128), ("SumWidth", 9)]);
        let list = obligations("hf_gxnor_popcount", &wide).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[1].parameters, parameters(&[("SumWidth", 9)]));
        let several = parameters(&[("Slices", 7), ("Width", 128), ("SumWidth", 9)]);
        let list = obligations("hf_gxnor_popcount", &several).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!((&list[0].parameters, &list[1].parameters), (&several, &wide));
    }

    #[test]
    fn a_reduction_says_what_it_reduced() {
        let (smaller, text) = reduced("hf_threshold", &parameters(&[("Neurons", 128), ("SumWidth", 9)])).unwrap();
        assert_eq!(text, "Neurons 3 of 128");
        assert_eq!(smaller[0]["Neurons"], Value::Number(3));
        assert!(reduced("hf_threshold", &parameters(&[("Neurons", 1)])).is_none());
        let (sizes, text) = reduced("hf_vote_aggregate", &parameters(&[("Neurons", 512), ("Blocks", 64)])).unwrap();
        assert_eq!(text, "Neurons 2 of 512 and Neurons 66 of 512, Blocks 3 of 64");
        let sets = [[("Neurons", 2), ("Blocks", 64)], [("Neurons", 66), ("Blocks", 3)]];
        assert_eq!(sizes, sets.map(|set| parameters(&set)));
    }

    #[test]
    fn only_what_can_be_reduced_is_too_large() {
        let mac = |neurons| parameters(&[("Neurons", neurons), ("Inputs", 8), ("SumWidth", 16), ("WeightWidth", 1)]);
        assert!(!too_large("hf_multiply_accumulate", &mac(16)));
        assert!(too_large("hf_multiply_accumulate", &mac(256)));
        assert!(!too_large("hf_rom", &parameters(&[("Depth", 1 << 20), ("Width", 64)])));
    }

    #[test]
    fn a_reduced_pool_has_a_maximum_and_a_minimum() {
        let pool = parameters(&[("Values", 256), ("Planes", 2), ("Columns", 32), ("All", 0)]);
        assert!(too_large("hf_pool", &pool));
        let (smaller, text) = reduced("hf_pool", &pool).unwrap();
        assert_eq!(text, "Values 2 of 256");
        assert_eq!((&smaller[0]["Values"], &smaller[0]["All"]), (&Value::Number(2), &Value::Number(2)));
    }

    /// Every block of the library has a check; compositions and banks are compared in co-simulation.
    #[test]
    fn every_block_has_a_check() {
        for entry in super::super::LIBRARY.files() {
            let name = entry.path().file_stem().unwrap().to_str().unwrap();
            if name.starts_with("hf_") && !is_composition(name) && !is_bank(name) {
                let list = obligations(name, &Parameters::new()).unwrap_or_else(|| panic!("{name} has no check"));
                for obligation in list {
                    super::super::check_source(obligation.check).unwrap();
                }
            }
        }
    }
}
