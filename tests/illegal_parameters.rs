//! Parameters outside the ranges in a block's header stop elaboration, in every tool, with a message that names the block
//! and the parameter.

use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;

/// Block, parameters, and what follows `hf_error_` in the message.
const ILLEGAL: [(&str, &str, &str); 118] = [
    ("hf_accumulator", ".Lanes(0)", "accumulator_lanes_must_be_at_least_1"),
    ("hf_accumulator", ".LaneWidth(0)", "accumulator_lane_width_must_be_at_least_1"),
    ("hf_accumulator", ".LaneWidth(13)", "accumulator_sum_width_below_lane_width"),
    ("hf_class_scores", ".Classes(0)", "class_scores_classes_must_be_at_least_1"),
    ("hf_class_scores", ".GainWidth(0)", "class_scores_gain_width_must_be_at_least_1"),
    ("hf_class_scores", ".Affine(1), .GainWidth(0)", "class_scores_gain_width_must_be_at_least_1"),
    ("hf_class_scores", ".ScoreWidth(7)", "class_scores_score_width_below_sum_width"),
    ("hf_counter", ".Steps(0)", "counter_steps_must_be_at_least_1"),
    ("hf_drain", ".Lanes(0)", "drain_lanes_and_width_must_be_at_least_1"),
    ("hf_gxnor_popcount", ".Slices(0)", "gxnor_popcount_slices_must_be_at_least_1"),
    ("hf_gxnor_popcount", ".Width(0)", "gxnor_popcount_width_must_be_at_least_1"),
    ("hf_gxnor_popcount", ".Width(8), .SumWidth(4)", "gxnor_popcount_sum_width_too_small"),
    ("hf_in_flight", ".Most(0)", "in_flight_most_must_be_at_least_1"),
    ("hf_input_table", ".Width(1)", "input_table_width_must_be_2_to_32"),
    ("hf_input_table", ".Width(33)", "input_table_width_must_be_2_to_32"),
    ("hf_layer_digital", ".WeightWidth(3)", "layer_digital_weight_width_must_be_1_2_or_8"),
    ("hf_layer_digital", ".Output(3)", "layer_digital_kind_must_be_0_to_2"),
    ("hf_layer_digital", ".SumWidth(1)", "layer_digital_sum_width_too_small"),
    ("hf_layer_pcsa", ".Neurons(5)", "layer_pcsa_row_tiles_do_not_hold_the_neurons"),
    ("hf_layer_sa", ".Inputs(9)", "layer_sa_blocks_do_not_make_up_the_inputs"),
    ("hf_layer_sa", ".Neurons(5)", "layer_sa_tiles_do_not_hold_the_neurons"),
    ("hf_layer_sa", ".LaneTiles(2)", "layer_sa_more_lanes_than_arrays"),
    ("hf_layer_sa", ".SpareLines(-1)", "layer_sa_spares_must_not_be_negative"),
    ("hf_layer_sa", ".ReadCycles(0)", "layer_sa_read_cycles_must_be_at_least_1"),
    ("hf_multiply_accumulate", ".Neurons(0)", "multiply_accumulate_neurons_must_be_at_least_1"),
    ("hf_multiply_accumulate", ".Inputs(0)", "multiply_accumulate_inputs_must_be_at_least_1"),
    ("hf_multiply_accumulate", ".WeightWidth(3)", "multiply_accumulate_weight_width_must_be_1_2_or_8"),
    ("hf_multiply_accumulate", ".SumWidth(8)", "multiply_accumulate_sum_or_input_width_too_small"),
    ("hf_registers", ".CountWidth(33)", "registers_count_width_must_be_2_to_32"),
    ("hf_registers", ".WindowCycles(0)", "registers_cycles_must_be_at_least_1"),
    ("hf_rom", ".Depth(0)", "rom_depth_must_be_at_least_1"),
    ("hf_rom", ".Width(0)", "rom_width_must_be_at_least_1"),
    ("hf_sense_sequencer", ".CountWidth(1)", "sense_sequencer_count_width_must_be_at_least_2"),
    ("hf_slice", ".Slices(0)", "slice_slices_stride_parts_and_width_must_be_at_least_1"),
    ("hf_slice", ".Stride(0)", "slice_slices_stride_parts_and_width_must_be_at_least_1"),
    ("hf_slice", ".Parts(0)", "slice_slices_stride_parts_and_width_must_be_at_least_1"),
    ("hf_slice", ".Width(0)", "slice_slices_stride_parts_and_width_must_be_at_least_1"),
    ("hf_slice", ".Stride(2), .Offset(2)", "slice_offset_out_of_range"),
    ("hf_spare_address", ".Spares(0)", "spare_address_lines_and_spares_must_be_at_least_1"),
    ("hf_spare_columns", ".Spares(0)", "spare_columns_arrays_columns_spares_and_width_must_be_at_least_1"),
    ("hf_spare_lines", ".Spares(0)", "spare_lines_spares_must_be_at_least_1"),
    ("hf_spare_lines", ".LargeBlocks(0)", "spare_lines_blocks_must_have_1_line_or_more_and_some_be_large"),
    ("hf_spare_lines", ".LargeBlocks(2)", "spare_lines_blocks_must_have_1_line_or_more_and_some_be_large"),
    ("hf_stream_in", ".StreamBits(0)", "stream_in_stream_bits_must_be_a_multiple_of_8"),
    ("hf_stream_in", ".StreamBits(12)", "stream_in_stream_bits_must_be_a_multiple_of_8"),
    ("hf_stream_in", ".CodeBits(4)", "stream_in_code_bits_must_be_1_or_8"),
    ("hf_stream_out", ".Classes(0)", "stream_out_classes_must_be_at_least_1"),
    ("hf_stream_out", ".StreamBits(0)", "stream_out_stream_bits_must_be_a_multiple_of_8"),
    ("hf_stream_out", ".StreamBits(12)", "stream_out_stream_bits_must_be_a_multiple_of_8"),
    ("hf_stream_out", ".ScoreWidth(33)", "stream_out_score_width_must_be_at_most_32"),
    ("hf_stream_out", ".HeadWidth(0)", "stream_out_head_width_must_be_1_to_32"),
    ("hf_stream_out", ".HeadWidth(33)", "stream_out_head_width_must_be_1_to_32"),
    ("hf_sums_pcsa", ".Inputs(9)", "sums_pcsa_column_tiles_do_not_hold_the_inputs"),
    ("hf_sums_pcsa", ".LaneRows(2)", "sums_pcsa_more_lanes_than_arrays"),
    ("hf_sums_pcsa", ".LaneColumns(2)", "sums_pcsa_more_lanes_than_arrays"),
    ("hf_sums_pcsa", ".SumWidth(2)", "sums_pcsa_sum_width_too_small"),
    ("hf_sums_pcsa", ".Planes(0)", "sums_pcsa_planes_must_be_at_least_1_and_1_with_trits"),
    ("hf_sums_pcsa", ".InputTrits(1), .Planes(2)", "sums_pcsa_planes_must_be_at_least_1_and_1_with_trits"),
    ("hf_sums_pcsa", ".SpareLines(-1)", "sums_pcsa_spares_must_not_be_negative"),
    ("hf_sums_adc", ".SpareLines(-1)", "sums_adc_spares_must_not_be_negative"),
    ("hf_layer_pcsa", ".Inputs(9)", "sums_pcsa_column_tiles_do_not_hold_the_inputs"),
    ("hf_keys_pcsa", ".Slots(5)", "keys_pcsa_row_tiles_do_not_hold_the_slots"),
    ("hf_keys_pcsa", ".RowTiles(3), .LaneRows(2)", "keys_pcsa_lane_rows_must_be_a_power_of_two_that_divides_row_tiles"),
    ("hf_keys_pcsa", ".RowTiles(3), .LaneRows(3)", "keys_pcsa_lane_rows_must_be_a_power_of_two_that_divides_row_tiles"),
    ("hf_keys_pcsa", ".VerifyCycles(1)", "keys_pcsa_pulses_and_attempts_are_1_to_4095_and_a_verify_takes_2_or_more"),
    ("hf_keys_pcsa", ".PulseSet(0)", "keys_pcsa_pulses_and_attempts_are_1_to_4095_and_a_verify_takes_2_or_more"),
    ("hf_commands", ".Width(0)", "commands_width_and_depth_must_be_at_least_1"),
    ("hf_commands", ".Depth(0)", "commands_width_and_depth_must_be_at_least_1"),
    ("hf_few_shot", ".Features(0)", "few_shot_sizes_out_of_range"),
    ("hf_few_shot", ".Classes(65536)", "few_shot_sizes_out_of_range"),
    ("hf_memory_registers", ".Slots(65536)", "memory_registers_sizes_out_of_range"),
    ("hf_memory_registers", ".SumWidth(33)", "memory_registers_sizes_out_of_range"),
    ("hf_program", ".Arrays(0)", "program_arrays_and_cells_must_be_at_least_1"),
    ("hf_program", ".Cells(0)", "program_arrays_and_cells_must_be_at_least_1"),
    ("hf_program", ".CountWidth(1)", "program_count_width_must_be_2_to_32"),
    ("hf_program", ".CountWidth(33)", "program_count_width_must_be_2_to_32"),
    ("hf_array_access", ".Cells(0)", "array_access_banks_and_cells_must_be_at_least_1"),
    ("hf_array_access", ".CountWidth(1)", "array_access_count_width_must_be_2_to_16"),
    ("hf_array_access", ".CountWidth(17)", "array_access_count_width_must_be_2_to_16"),
    ("hf_array_access", ".VerifyCycles(1)", "array_access_pulses_and_attempts_are_1_or_more_and_a_verify_takes_2"),
    ("hf_array_access", ".Attempts(0)", "array_access_pulses_and_attempts_are_1_or_more_and_a_verify_takes_2"),
    ("hf_value_memory", ".Slots(0)", "value_memory_slots_and_classes_must_be_at_least_1"),
    ("hf_value_memory", ".Classes(0)", "value_memory_slots_and_classes_must_be_at_least_1"),
    ("hf_value_memory", ".SumWidth(5)", "value_memory_sum_width_below_dot_width"),
    ("hf_ternary_detect", ".Width(0)", "ternary_detect_width_must_be_at_least_1"),
    ("hf_threshold", ".Neurons(0)", "threshold_neurons_must_be_at_least_1"),
    ("hf_threshold", ".SumWidth(1)", "threshold_sum_width_must_be_at_least_2"),
    ("hf_vote_aggregate", ".Blocks(0)", "vote_aggregate_blocks_must_be_at_least_1"),
    ("hf_vote_aggregate", ".Neurons(0)", "vote_aggregate_neurons_must_be_at_least_1"),
    ("hf_xnor_popcount", ".Slices(0)", "xnor_popcount_slices_must_be_at_least_1"),
    ("hf_xnor_popcount", ".Width(0)", "xnor_popcount_width_must_be_at_least_1"),
    ("hf_xnor_popcount", ".Width(8), .SumWidth(4)", "xnor_popcount_sum_width_too_small"),
    ("hf_code_value", ".CodeBits(13), .ValueWidth(14)", "code_value_widths_out_of_range"),
    ("hf_code_value", ".ValueWidth(4)", "code_value_widths_out_of_range"),
    ("hf_flatten", ".Positions(0)", "flatten_channels_and_positions_must_be_at_least_1"),
    ("hf_layer_adc", ".Output(3)", "layer_adc_output_out_of_range"),
    ("hf_keys_adc", ".Slots(5)", "keys_adc_tiles_do_not_hold_the_slots"),
    ("hf_keys_adc", ".PulseReset(4096)", "keys_adc_pulses_and_attempts_are_1_to_4095_and_a_verify_takes_2_or_more"),
    ("hf_keys_adc", ".Attempts(0)", "keys_adc_pulses_and_attempts_are_1_to_4095_and_a_verify_takes_2_or_more"),
    ("hf_keys_adc", ".Adcs(3), .ColumnsPerAdc(2)", "keys_adc_lanes_must_be_a_power_of_two_that_divides_the_tiles"),
    ("hf_layer_adc", ".Inputs(9)", "sums_adc_blocks_do_not_make_up_the_inputs"),
    ("hf_layer_adc", ".Neurons(5)", "layer_adc_tiles_do_not_hold_the_neurons"),
    ("hf_layer_adc", ".LaneTiles(2)", "sums_adc_more_lanes_than_arrays"),
    ("hf_layer_adc", ".ConversionCycles(0)", "sums_adc_conversion_out_of_range"),
    ("hf_layer_adc", ".Encoding(3)", "sums_adc_kind_or_encoding_out_of_range"),
    ("hf_layer_adc", ".InputKind(1), .Encoding(2)", "sums_adc_kind_or_encoding_out_of_range"),
    ("hf_layer_adc", ".WeightTrits(1), .SingleColumn(1)", "sums_adc_a_single_column_holds_no_zero"),
    ("hf_layer_adc", ".SumWidth(4)", "sums_adc_sum_width_too_small"),
    ("hf_layer_sa", ".Unipolar(1), .InputTrits(1)", "layer_sa_unipolar_inputs_have_two_values"),
    ("hf_pool", ".Planes(3)", "pool_values_or_planes_out_of_range"),
    ("hf_pool", ".SizeRows(5), .StrideRows(5)", "pool_window_does_not_fit_the_map"),
    ("hf_pool", ".StrideColumns(1)", "pool_windows_must_not_overlap"),
    ("hf_read_select", ".Block(1)", "read_select_lane_out_of_range"),
    ("hf_register_slice", ".Width(0)", "register_slice_width_must_be_at_least_1"),
    ("hf_stream_in", ".Vectors(0)", "stream_in_values_and_vectors_must_be_at_least_1"),
    ("hf_window", ".Kind(3)", "window_map_or_kind_out_of_range"),
    ("hf_window", ".KernelRows(5)", "window_kernel_or_stride_does_not_fit_the_map"),
    ("hf_window", ".PadLeft(-1)", "window_padding_must_not_be_negative"),
];

fn rtl() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rtl")
}

/// The library's sources below `rtl/`.
fn sources(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(rtl().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "sv")).collect()
}

/// Each tool elaborating `top` from `file`.
fn commands(file: &Path) -> [Command; 3] {
    let mut icarus = Command::new("iverilog");
    icarus.args(["-g2012", "-t", "null", "-s", "top", "-Y", ".sv", "-y"]).arg(rtl());
    icarus.arg("-y").arg(rtl().join("array")).arg(file);
    let mut verilator = Command::new("verilator");
    verilator.args(["--lint-only", "-Wno-fatal", "--top-module", "top", "-y"]).arg(rtl());
    verilator.arg("-y").arg(rtl().join("array")).arg(file);
    let mut yosys = Command::new("yosys");
    let all = [sources(""), sources("stub"), vec![file.to_path_buf()]].concat();
    let names: Vec<String> = all.iter().map(|path| path.display().to_string()).collect();
    let script = format!("read_verilog -sv -defer -DSYNTHESIS {}; hierarchy -check -top top; proc", names.join(" "));
    yosys.args(["-p", &script]);
    [icarus, verilator, yosys]
}

/// Whether each tool elaborates an instance of the block, and all that it prints.
fn elaborate(block: &str, parameters: &str) -> Vec<(String, bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("top.sv");
    std::fs::write(&file, format!("module top;\n  {block} #({parameters}) i ();\nendmodule\n")).unwrap();
    let run = |mut command: Command| {
        let tool = command.get_program().to_string_lossy().into_owned();
        let output = command.output().unwrap_or_else(|e| panic!("{tool}: {e}"));
        let text = [output.stdout, output.stderr].concat();
        (tool, output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    commands(&file).map(run).into()
}

#[test]
fn illegal_parameters_stop_every_tool() {
    let wrong: Vec<String> = ILLEGAL
        .par_iter()
        .flat_map(|(block, parameters, error)| {
            let name = format!("hf_error_{error}");
            let wrong = elaborate(block, parameters).into_iter().filter(|(_, ok, text)| *ok || !text.contains(&name));
            wrong
                .map(|(tool, _, text)| format!("{tool}: {block} #({parameters}): no {name}:\n{text}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), 3 * ILLEGAL.len(), wrong.join("\n"));
}

/// The same instances with their defaults pass, so it is the parameters that stop them.
#[test]
fn defaults_pass_in_every_tool() {
    let mut blocks: Vec<&str> = ILLEGAL.iter().map(|(block, ..)| *block).collect();
    blocks.dedup();
    blocks.par_iter().for_each(|block| {
        for (tool, ok, text) in elaborate(block, "") {
            assert!(ok, "{tool}: {block}: {text}");
        }
    });
}

/// No check of the library is left out above.
#[test]
fn every_check_is_listed() {
    for path in sources("") {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("hf_error_") {
            let name = text[at..].split_whitespace().next().unwrap().trim_start_matches("hf_error_");
            assert!(ILLEGAL.iter().any(|(.., error)| *error == name), "{}: {name} has no test", path.display());
        }
    }
}
