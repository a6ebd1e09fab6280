//! Proofs of the block library, and proofs that the proofs can fail.

mod tiny_build;

use std::fs;

use hafnia::check::prove::{Options, Proofs, Status, prove};
use rayon::prelude::*;
use tempfile::TempDir;
use tiny_build::{edit, image, instances, repository, tiny};

fn options() -> Options {
    Options { cache: None, progress: false, ..Options::default() }
}

fn run(build: &TempDir) -> Proofs {
    prove(build.path(), &options()).unwrap()
}

#[track_caller]
fn all_hold(proofs: &Proofs) {
    for block in &proofs.blocks {
        assert!(block.status.holds(), "{block:#?}");
    }
    assert!(proofs.held());
    assert_eq!(proofs.failed + proofs.unproven, 0);
}

#[test]
fn every_block_of_a_design_is_found_and_proven() {
    let build = tiny();
    let proofs = run(&build);
    all_hold(&proofs);
    let mut names: Vec<_> = proofs.blocks.iter().map(|block| block.block.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "hf_accumulator",
            "hf_class_scores",
            "hf_counter",
            "hf_gxnor_popcount",
            "hf_registers",
            "hf_rom",
            "hf_sense_sequencer",
            "hf_slice",
            "hf_stream_in",
            "hf_stream_out",
            "hf_ternary_detect",
            "hf_threshold",
            "hf_vote_aggregate",
            "hf_xnor_popcount",
        ]
    );
    // Two arrays of 8 and one of 6 columns: two parameter sets.
    assert_eq!(proofs.blocks.iter().filter(|block| block.block == "hf_ternary_detect").count(), 2);
    assert!(proofs.not_proven_here.iter().any(|name| name.starts_with("hf_layer_pcsa (covered by co-simulation)")));
    assert!(proofs.not_proven_here.iter().any(|name| name.starts_with("hf_array_sa (black box)")));
    assert_eq!(proofs.proven, proofs.blocks.len());
}

/// Parameter sets that the tiny design does not have.
const OTHERS: &str = r#"
hf_multiply_accumulate #(.WeightWidth(1)) mac1 ();
hf_multiply_accumulate #(.WeightWidth(2), .Neurons(3), .Inputs(4)) mac2 ();
hf_multiply_accumulate #(.WeightWidth(8), .SumWidth(20)) mac8 ();
hf_input_table #(.Width(8), .InitFile("in_table.mem")) tab ();
hf_threshold #(.Neurons(5), .SumWidth(7), .Ternary(1)) threshold ();
hf_vote_aggregate #(.Blocks(5), .Neurons(4), .Ternary(1)) votes5 ();
hf_vote_aggregate #(.Blocks(1), .Neurons(1)) votes1 ();
hf_vote_aggregate #(.Blocks(3), .Neurons(70), .Ternary(1)) votes70 ();
hf_accumulator #(.Lanes(3), .LaneWidth(5), .SumWidth(9)) accumulator ();
hf_slice #(.Slices(3), .Stride(2), .Offset(1), .Parts(2), .Width(4)) slice ();
hf_counter #(.Steps(5)) counter ();
hf_stream_in #(.Values(10), .StreamBits(24), .CodeSigned(1), .OutKind(0), .Map(0), .Threshold(-5)) sign ();
hf_stream_in #(.Values(10), .StreamBits(16), .OutKind(1), .Map(1), .Gain(-2), .Offset(9), .OutWidth(11)) trit ();
hf_stream_in #(.Values(3), .StreamBits(64), .OutKind(2), .Map(2), .OutWidth(8), .Name("in_")) by_table ();
hf_stream_in #(.Values(20), .StreamBits(8), .CodeBits(1), .OutKind(0)) bits ();
hf_stream_in #(.Values(3), .Vectors(16), .StreamBits(64), .OutKind(1), .OutWidth(9)) positions ();
hf_stream_in #(.Values(10), .Vectors(5), .StreamBits(24), .OutKind(2), .OutWidth(9)) long_positions ();
hf_stream_out #(.Classes(10), .ScoreWidth(17), .StreamBits(32)) out32 ();
hf_stream_out #(.Classes(1), .ScoreWidth(32), .StreamBits(128)) out128 ();
hf_stream_out #(.Classes(3), .ScoreWidth(9), .StreamBits(64), .HeadWidth(32)) head ();
hf_class_scores #(.Classes(1), .SumWidth(4), .ScoreWidth(4)) one_class ();
hf_class_scores #(.Classes(5), .SumWidth(6), .ScoreWidth(8)) five_classes ();
hf_registers #(.CountWidth(32), .PrechargeCycles(3), .WindowCycles(9)) registers ();
hf_sense_sequencer #(.CountWidth(16)) sequencer ();
hf_rom #(.Depth(11), .Width(9), .InitFile("words.mem")) words ();
hf_gxnor_popcount #(.Width(1), .SumWidth(2)) one_lane ();
hf_register_slice #(.Width(40)) slice_of_40 ();
hf_code_value #(.CodeBits(6), .ValueWidth(7)) steps ();
hf_code_value #(.CodeBits(4), .ValueWidth(8), .Uniform(0), .InitFile("levels.mem")) levels ();
hf_read_select #(.Blocks(5), .Tiles(3), .LaneBlocks(2), .LaneTiles(2), .BlockGroups(3), .TileGroups(2), .Adcs(3),
                 .Block(1), .Tile(1), .Adc(2)) select ();
hf_flatten #(.Channels(5), .Positions(9), .Trits(1)) trit_map ();
hf_flatten #(.Channels(1), .Positions(1)) one_position ();
hf_pool #(.Values(3), .Planes(2), .Trits(1), .Rows(7), .Columns(8), .SizeRows(3), .SizeColumns(2), .StrideRows(3),
          .StrideColumns(3), .All(3'b010)) trit_pool ();
hf_pool #(.Values(2), .Planes(2), .Rows(5), .Columns(4), .All(2'b10)) vote_pool ();
hf_pool #(.Values(40), .Rows(2), .Columns(2), .All(40'hf0f0f0f0f1)) wide_pool ();
hf_commands #(.Width(5), .Depth(3)) commands ();
hf_commands #(.Depth(1)) one_command ();
hf_program #(.Arrays(2), .Cells(3)) program ();
hf_program #(.Cells(1), .CountWidth(4)) one_cell ();
hf_array_access #(.Banks(3), .Sizes(192'h0028_0004_0001_0002_0009_0100_0003_0001_0001_0001_0001_0001), .Cells(40)) access ();
hf_array_access #(.CountWidth(5), .Cells(1), .Sizes(64'h0001_0002_0002_0002), .Attempts(7)) one_cell_access ();
hf_value_memory #(.Slots(5), .Classes(3), .SumWidth(9)) sums ();
hf_value_memory #(.Slots(7), .Classes(3), .Absolute(0), .Mean(1)) means ();
hf_value_memory #(.Slots(1), .Classes(1)) one_slot ();
hf_memory_registers #(.Slots(100), .Classes(3), .SumWidth(18)) memory ();
hf_memory_registers #(.Slots(1), .Classes(1), .SumWidth(32)) one_slot_memory ();
hf_few_shot #(.Slots(5), .Classes(3)) refuses ();
hf_few_shot #(.Slots(4), .Overwrite(1), .Mean(1)) overwrites ();
hf_window #(.Channels(2), .Kind(1), .PadAbove(1), .PadLeft(1), .PadBelow(1), .PadRight(1)) trit_window ();
hf_window #(.Channels(2), .PadAbove(1), .PadLeft(1), .PadBelow(1), .PadRight(1)) gated_window ();
hf_window #(.Channels(2), .Kind(2), .Width(5), .Rows(6), .Columns(7), .KernelColumns(2), .StrideRows(2), .StrideColumns(3),
            .PadAbove(1), .PadLeft(2), .PadValue(-3)) integer_window ();
hf_window #(.Channels(3), .Rows(5), .Columns(1), .KernelRows(2), .KernelColumns(1)) one_column ();
hf_window #(.KernelRows(1), .KernelColumns(1)) one_by_one ();
hf_xnor_popcount #(.Width(13), .SumWidth(9)) thirteen_lanes ();
hf_xnor_popcount #(.Slices(3), .Width(5), .SumWidth(4)) three_slices ();
hf_gxnor_popcount #(.Slices(2), .Width(40), .SumWidth(7)) two_wide_slices ();
"#;

#[test]
fn other_parameter_sets_are_proven() {
    let build = instances(OTHERS);
    image(&build.path().join("mem/in_table.mem"), 256, 2);
    image(&build.path().join("mem/words.mem"), 11, 2);
    image(&build.path().join("mem/levels.mem"), 16, 2);
    let proofs = run(&build);
    all_hold(&proofs);
    assert_eq!(proofs.blocks.iter().filter(|block| block.block == "hf_stream_in").count(), 6);
}

#[test]
fn wide_popcounts_are_proven_by_composition() {
    let build = instances(
        "hf_gxnor_popcount #(.Width(48), .SumWidth(7)) a (); hf_xnor_popcount #(.Width(48), .SumWidth(7)) b ();",
    );
    let proofs = run(&build);
    all_hold(&proofs);
    assert_eq!(proofs.proven_by_composition, 2);
    assert_eq!(proofs.blocks[0].methods.len(), 2);
}

/// A fault in a block: file, what stands there, what stands there instead.
struct Fault {
    block: &'static str,
    instance: &'static str,
    from: &'static str,
    to: &'static str,
}

const FAULTS: &[Fault] = &[
    // Off by one.
    Fault { block: "hf_threshold", instance: "", from: "sum >= high", to: "sum > high" },
    Fault { block: "hf_threshold", instance: ".Ternary(1)", from: "sum < low", to: "sum <= low" },
    Fault { block: "hf_counter", instance: ".Steps(6)", from: "Steps - 1", to: "Steps - 2" },
    Fault {
        block: "hf_sense_sequencer",
        instance: "",
        from: "'0 : window_cycles_i - 1'b1",
        to: "'0 : window_cycles_i",
    },
    // A cycle late, a cycle early, or changed when it should be held.
    Fault {
        block: "hf_ternary_detect",
        instance: "",
        from: "if (latch_i) begin",
        to: "late <= latch_i; if (late) begin",
    },
    Fault { block: "hf_class_scores", instance: "", from: "if (last) state_d = Drain", to: "if (last) state_d = Done" },
    Fault { block: "hf_class_scores", instance: "", from: "Drain: state_d = Done", to: "Drain: state_d = Idle" },
    Fault { block: "hf_xnor_popcount", instance: "", from: "if (valid_i) begin", to: "if (1'b1) begin" },
    Fault { block: "hf_accumulator", instance: "", from: "if (valid_i) sum_o", to: "if (valid_i && !first_i) sum_o" },
    // A carry or a sign lost.
    Fault { block: "hf_vote_aggregate", instance: ".Blocks(3)", from: "carry = plane & carry", to: "carry = '0" },
    Fault { block: "hf_accumulator", instance: "", from: "SumWidth'($signed(", to: "SumWidth'($unsigned(" },
    // A slice that takes its neighbour's lanes.
    Fault { block: "hf_xnor_popcount", instance: ".Slices(3)", from: "w_i[k*Width+:Width]", to: "w_i[0+:Width]" },
    Fault { block: "hf_gxnor_popcount", instance: "", from: "<< 1", to: "<< 0" },
    Fault {
        block: "hf_gxnor_popcount",
        instance: ".Width(40), .SumWidth(7)",
        from: "(x_positive ^ w_positive)",
        to: "~(x_positive ^ w_positive)",
    },
    Fault { block: "hf_multiply_accumulate", instance: "", from: "first_i ? '0 :", to: "!first_i ? '0 :" },
    Fault {
        block: "hf_multiply_accumulate",
        instance: ".WeightWidth(2)",
        from: "if (w[i*WeightWidth+WeightWidth-1])",
        to: "if (1'b1)",
    },
    // Ties the other way.
    Fault { block: "hf_vote_aggregate", instance: "", from: "(Blocks + 1) / 2", to: "Blocks / 2 + 1" },
    Fault { block: "hf_class_scores", instance: "", from: "score > best_score_q", to: "score >= best_score_q" },
    // The wrong slice.
    Fault {
        block: "hf_slice",
        instance: ".Slices(2), .Stride(2), .Offset(1)",
        from: "(s*Stride+Offset)",
        to: "(s+Offset*Slices)",
    },
    // Handshakes: a beat lost, an image kept that should be dropped, a full image overwritten.
    Fault { block: "hf_stream_out", instance: "", from: "else if (tvalid_o && tready_i)", to: "else if (tvalid_o)" },
    Fault { block: "hf_stream_out", instance: "", from: "tlast_o = beat_last", to: "tlast_o = tready_i && beat_last" },
    Fault { block: "hf_stream_in", instance: ".StreamBits(16)", from: "!rst_ni || early", to: "!rst_ni" },
    Fault { block: "hf_stream_in", instance: "", from: "(Vectors > 1 && out_ready_i)", to: "out_ready_i" },
    // A broken image that is not completed, one that is completed by too few vectors, each vector a start.
    Fault { block: "hf_stream_in", instance: ".Vectors(3)", from: "if (Vectors > 1 &&", to: "if (Vectors > 3 &&" },
    Fault {
        block: "hf_stream_in",
        instance: ".Vectors(3)",
        from: "!(fill_q && take && taken_last)",
        to: "!(fill_q && take)",
    },
    Fault { block: "hf_stream_in", instance: ".Vectors(3)", from: "take && taken == '0", to: "take" },
    Fault { block: "hf_stream_in", instance: "", from: "Gain * number + Offset", to: "Gain * number - Offset + 1" },
    // Registers: a count of 0 stored, an error lost when it comes with the clear, an answer taken back.
    Fault { block: "hf_registers", instance: "", from: "&& wdata_i != '0", to: "" },
    Fault {
        block: "hf_registers",
        instance: "",
        from: "if (frame_error_i) frame_error_q <= 1'b1;\n      else if (write",
        to: "if (frame_error_i) frame_error_q <= 1'b1;\n      if (write",
    },
    Fault { block: "hf_registers", instance: "", from: "end else if (rready_i) begin", to: "end else begin" },
    // An access of others that is theirs no more, and one that never was.
    Fault {
        block: "hf_registers",
        instance: "",
        from: "araddr_i >= Extension && !ext_rerror_i ? Okay",
        to: "!ext_rerror_i ? Okay",
    },
    Fault {
        block: "hf_registers",
        instance: "",
        from: "write && (&wstrb_i) && awaddr_i >= Ext",
        to: "write && awaddr_i >= Ext",
    },
    // Each vector the first of an image.
    Fault { block: "hf_stream_in", instance: ".Vectors(3)", from: "beat == '0 && vector == '0", to: "beat == '0" },
    // The command of the image that follows.
    Fault { block: "hf_commands", instance: "", from: "<= command_q", to: "<= command_i" },
    // Cells pulsed again that were good, cells verified that are not in use.
    Fault { block: "hf_program", instance: "", from: "pending_q <= wrong_q", to: "pending_q <= use_i" },
    Fault { block: "hf_program", instance: "", from: "<= use_i[a*Cells+32'(cell_q)]", to: "<= 1'b1" },
    Fault { block: "hf_program", instance: "", from: "attempt_q != attempts_i", to: "attempt_q < attempts_i - 1" },
    // A SET without its verify, cells behind the last one verified.
    Fault {
        block: "hf_program",
        instance: "",
        from: "after_set = phases_i[3] ? Verify",
        to: "after_set = phases_i[1] ? Verify",
    },
    Fault { block: "hf_program", instance: "", from: "cell_q == last_cell_i", to: "cell_q == CellWidth'(Cells - 1)" },
    // A command for an array that there is not, a read that looks for DATA, a count that does not fit, a WORD that stays.
    Fault { block: "hf_array_access", instance: "", from: "tile_q < tiles &&", to: "tile_q <= tiles &&" },
    Fault { block: "hf_array_access", instance: "", from: "read_q ? '0 : data_q", to: "data_q" },
    Fault { block: "hf_array_access", instance: "", from: "!count_fits || wdata_i == 32'd1", to: "!count_fits" },
    Fault {
        block: "hf_array_access",
        instance: ".Cells(40), .Sizes(64'h0028_0004_0001_0001)",
        from: "== Words - 1 ? '0",
        to: "== 0 ? '0",
    },
    Fault { block: "hf_array_access", instance: "", from: "if (used_i || !exists", to: "if (!exists" },
    // Invalid slots that count, the last of equal classes, a mean of another class's keys, a slot counted twice.
    Fault { block: "hf_value_memory", instance: "", from: "dot_valid_i && valid_o", to: "dot_valid_i" },
    Fault { block: "hf_value_memory", instance: "", from: "sum > best_q", to: "sum >= best_q" },
    Fault {
        block: "hf_value_memory",
        instance: ".Mean(1)",
        from: "* $signed(Wide'(number))",
        to: "* $signed(Wide'(best_number_q))",
    },
    Fault { block: "hf_value_memory", instance: "", from: "valid_i && !was_valid", to: "valid_i" },
    // Full is a next slot as well; a label with bits that it has not.
    Fault { block: "hf_memory_registers", instance: "", from: "wdata_i > Slots", to: "wdata_i >= Slots" },
    Fault { block: "hf_memory_registers", instance: "", from: "&& wdata_i[30:16] == '0", to: "" },
    // A slot that is valid while it is written, the last slot never compared.
    Fault { block: "hf_few_shot", instance: "", from: "own ? stored", to: "own ? learn || stored" },
    Fault { block: "hf_few_shot", instance: "", from: "stored && slot >= used_q", to: "stored && slot > used_q" },
    Fault { block: "hf_rom", instance: ".Depth(5), .InitFile(\"w.mem\")", from: "if (read_i) data_o", to: "data_o" },
    Fault { block: "hf_input_table", instance: ".Width(8), .InitFile(\"w.mem\")", from: "$signed(", to: "$unsigned(" },
    // A vector lost, one given twice.
    Fault { block: "hf_register_slice", instance: "", from: "second_valid_q ? second_q : in_data_i", to: "in_data_i" },
    Fault { block: "hf_register_slice", instance: "", from: "!give && (accept ||", to: "(accept ||" },
    Fault { block: "hf_code_value", instance: "", from: "{1'b1, {CodeBits", to: "{1'b0, {CodeBits" },
    Fault {
        block: "hf_code_value",
        instance: ".ValueWidth(8), .Uniform(0), .InitFile(\"w.mem\")",
        from: "words[code_i]",
        to: "words[~code_i]",
    },
    // An array that there is not.
    Fault {
        block: "hf_read_select",
        instance: ".Blocks(3), .Tiles(3), .LaneBlocks(2), .LaneTiles(2), .BlockGroups(2), .TileGroups(2), .Block(1)",
        from: "g * LaneBlocks + Block < Blocks",
        to: "g * LaneBlocks < Blocks",
    },
    // Planes for channels, a map before it is whole.
    Fault {
        block: "hf_flatten",
        instance: ".Trits(1)",
        from: "vector_q[c*Positions+32'(position)]",
        to: "vector_q[32'(position)*Bits+c]",
    },
    Fault { block: "hf_flatten", instance: "", from: "accept && last", to: "accept" },
    // A window that begins with what the last one left, trits of the wrong order, a result overwritten.
    Fault {
        block: "hf_pool",
        instance: "",
        from: "row_phase_q == '0 ? across",
        to: "!row_phase_q && !window_q ? across",
    },
    Fault { block: "hf_pool", instance: ".Planes(2), .Trits(1)", from: "] | in_data_i", to: "] & in_data_i" },
    Fault { block: "hf_pool", instance: "", from: "!valid_q || out_ready_i;", to: "1'b1;" },
    // Another column's rows, a row of windows too early, padding one column late.
    Fault { block: "hf_window", instance: ".PadLeft(1)", from: "lines[column_next];", to: "lines[column];" },
    Fault {
        block: "hf_window",
        instance: ".StrideRows(2)",
        from: "(row_next) < KernelRows",
        to: "(row_next) + 1 < KernelRows",
    },
    Fault {
        block: "hf_window",
        instance: ".PadLeft(1)",
        from: "(column_next) + 1 > PadLeft",
        to: "(column_next) > PadLeft",
    },
];

#[test]
fn every_planted_fault_is_found() {
    let check = |fault: &Fault| {
        let what = format!("{}: `{}` for `{}`", fault.block, fault.to, fault.from);
        let build = instances(&format!("{} #({}) i ();", fault.block, fault.instance));
        image(
            &build.path().join("mem/w.mem"),
            match fault.block {
                "hf_rom" => 5,
                "hf_code_value" => 16,
                _ => 256,
            },
            2,
        );
        let file = build.path().join(format!("rtl/{}.sv", fault.block));
        edit(&file, fault.from, fault.to);
        if fault.to.contains("late") {
            edit(&file, "  always_ff", "  logic late;\n  always_ff");
        }
        let proofs = prove(build.path(), &options()).unwrap_or_else(|error| panic!("{what}: {error}"));
        let block = proofs.blocks.iter().find(|block| block.block == fault.block).unwrap();
        let Status::Failed { counterexample, .. } = &block.status else { panic!("{what}: {block:#?}") };
        assert!(!counterexample.is_empty(), "{what}: no counterexample");
        assert!(counterexample.iter().any(|value| value.signal == "fail_o" && value.value == "1"), "{what}");
        assert!(!proofs.held() && proofs.failed == 1, "{what}");
    };
    FAULTS.par_iter().for_each(check);
}

/// A fault in a reference is found as well: neither side is taken on trust.
#[test]
fn a_wrong_reference_is_found() {
    let formal = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository().join("rtl/formal")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, formal.path().join(path.file_name().unwrap())).unwrap();
    }
    edit(&formal.path().join("hf_threshold_check.sv"), "!above_high[SumWidth]}", "above_high[SumWidth]}");
    // The lemma of the proofs by composition.
    edit(&formal.path().join("hf_popcount_lanes_check.sv"), "3'b100, 3'b111", "3'b100, 3'b110");
    edit(&formal.path().join("hf_popcount_lanes_check.sv"), "3'b101, 3'b110:", "3'b101, 3'b111:");
    let build = instances("hf_threshold a (); hf_xnor_popcount #(.Width(40), .SumWidth(7)) b ();");
    let proofs = prove(build.path(), &Options { formal: Some(formal.path().to_owned()), ..options() }).unwrap();
    assert_eq!(proofs.failed, 2, "{proofs:#?}");
}

#[test]
fn a_register_without_a_driver_is_no_proof() {
    // A reference that names a register which the block no longer has.
    let build = instances("hf_sense_sequencer i ();");
    edit(&build.path().join("rtl/hf_sense_sequencer.sv"), "left_", "rest_");
    let error = prove(build.path(), &options()).unwrap_err().to_string();
    assert!(error.contains("hf_sense_sequencer") && error.contains("check -assert"), "{error}");
}

#[test]
fn a_limit_of_time_leaves_a_block_unproven_or_proves_a_smaller_one() {
    let build = instances("hf_class_scores #(.Classes(30), .SumWidth(12), .ScoreWidth(16)) i ();");
    let limit = std::time::Duration::from_millis(30);
    let proofs = prove(build.path(), &Options { limit, ..options() }).unwrap();
    let block = proofs.blocks.iter().find(|block| block.block == "hf_class_scores").unwrap();
    assert!(matches!(block.status, Status::Unproven { .. }), "{block:#?}");
    assert!(proofs.unproven >= 1 && proofs.held());
}

#[test]
fn what_is_too_large_is_proven_at_reduced_size_and_reported_so() {
    let build = instances("hf_multiply_accumulate #(.Neurons(256), .Inputs(8), .SumWidth(16)) i ();");
    let proofs = run(&build);
    all_hold(&proofs);
    assert_eq!((proofs.proven, proofs.proven_at_reduced_size), (0, 1));
    let Status::ProvenAtReducedSize { reduced } = &proofs.blocks[0].status else { panic!("{proofs:#?}") };
    assert_eq!(reduced, "Neurons 1 of 256");
    // A fault is found at that size, too.
    edit(&build.path().join("rtl/hf_multiply_accumulate.sv"), "first_i ? '0 :", "!first_i ? '0 :");
    assert_eq!(run(&build).failed, 1);
}

#[test]
fn proofs_are_kept_and_found_again_until_something_changes() {
    let cache = tempfile::tempdir().unwrap();
    let cached = Options { cache: Some(cache.path().to_owned()), ..options() };
    let build = instances("hf_rom #(.Depth(5), .InitFile(\"w.mem\")) i (); hf_counter #(.Steps(3)) c ();");
    image(&build.path().join("mem/w.mem"), 5, 2);
    let first = prove(build.path(), &cached).unwrap();
    assert_eq!((first.proven, first.from_cache), (2, 0));
    let second = prove(build.path(), &cached).unwrap();
    assert_eq!((second.proven, second.from_cache), (2, 2));
    // Another image concerns the ROM only, another block itself only.
    fs::write(build.path().join("mem/w.mem"), "00\n01\n02\n03\n04\n").unwrap();
    assert_eq!(prove(build.path(), &cached).unwrap().from_cache, 1);
    edit(&build.path().join("rtl/hf_counter.sv"), "clear_i) count_q", "clear_i && 1'b1) count_q");
    assert_eq!(prove(build.path(), &cached).unwrap().from_cache, 1);
    // A failure is never kept.
    edit(&build.path().join("rtl/hf_counter.sv"), "Steps - 1", "Steps - 2");
    assert_eq!(prove(build.path(), &cached).unwrap().failed, 1);
    let again = prove(build.path(), &cached).unwrap();
    assert_eq!((again.failed, again.from_cache), (1, 1));
}

#[test]
fn verdicts_are_plain_json() {
    let build = instances("hf_counter #(.Steps(3)) i ();");
    let json = serde_json::to_value(run(&build)).unwrap();
    assert_eq!(json["proven"], 1);
    let block = &json["blocks"][0];
    assert_eq!(block["block"], "hf_counter");
    assert_eq!(block["parameters"]["Steps"], 3);
    assert_eq!(block["status"], "proven");
    assert_eq!(block["depth"], 1);
    assert_eq!(block["from_cache"], false);
}

#[test]
fn what_is_no_build_directory_is_said_so() {
    let empty = tempfile::tempdir().unwrap();
    let error = prove(empty.path(), &options()).unwrap_err().to_string();
    assert!(error.contains("manifest.json") && error.contains("hafnia generate"), "{error}");
}

/// Sizes of real layers; minutes on two cores. `cargo test --test prove -- --ignored --nocapture` prints the times.
#[test]
#[ignore = "takes minutes"]
fn blocks_of_real_size() {
    let build = instances(
        r#"
hf_gxnor_popcount #(.Width(128), .SumWidth(9)) g128 ();
hf_xnor_popcount #(.Width(128), .SumWidth(9)) x128 ();
hf_gxnor_popcount #(.Width(256), .SumWidth(10)) g256 ();
hf_xnor_popcount #(.Width(256), .SumWidth(10)) x256 ();
hf_xnor_popcount #(.Width(512), .SumWidth(11)) x512 ();
hf_gxnor_popcount #(.Width(512), .SumWidth(11)) g512 ();
hf_ternary_detect #(.Width(512)) detect ();
hf_accumulator #(.Lanes(9), .LaneWidth(9), .SumWidth(12)) accumulator ();
hf_threshold #(.Neurons(128), .SumWidth(12), .Ternary(1)) threshold ();
hf_vote_aggregate #(.Blocks(7), .Neurons(512)) votes ();
hf_vote_aggregate #(.Blocks(9), .Neurons(128), .Ternary(1)) trits ();
hf_slice #(.Slices(9), .Stride(2), .Offset(1), .Parts(2), .Width(32)) slice ();
hf_multiply_accumulate #(.Neurons(16), .Inputs(8), .SumWidth(20)) mac ();
hf_multiply_accumulate #(.Neurons(4), .Inputs(8), .WeightWidth(8), .SumWidth(24)) mac8 ();
hf_class_scores #(.Classes(10), .SumWidth(12), .ScoreWidth(16)) scores ();
hf_class_scores #(.Classes(10), .SumWidth(12), .Affine(1), .GainWidth(8), .ScoreWidth(24), .Name("fc_")) affine ();
hf_stream_in #(.Values(784)) in784 ();
hf_stream_in #(.Values(3072)) in3072 ();
hf_stream_out #(.Classes(10), .ScoreWidth(24)) out ();
hf_rom #(.Depth(256), .Width(64), .InitFile("w.mem")) words ();
hf_commands #(.Depth(50)) commands ();
hf_program #(.Arrays(4), .Cells(256)) program ();
hf_memory_registers #(.Slots(1000), .Classes(20), .SumWidth(18)) memory ();
hf_value_memory #(.Slots(1000), .Classes(20), .DotWidth(11), .SumWidth(18)) sums ();
hf_few_shot #(.Features(512), .Slots(100), .Classes(20), .DotWidth(11), .SumWidth(18), .Mean(1)) few_shot ();
"#,
    );
    image(&build.path().join("mem/w.mem"), 256, 16);
    image(&build.path().join("mem/fc_affine.mem"), 10, 8);
    let proofs = run(&build);
    for block in &proofs.blocks {
        println!(
            "{:6.1} s  {} {:?}: {:?} {:?}",
            block.seconds, block.block, block.parameters, block.status, block.methods
        );
    }
    assert_eq!(proofs.failed, 0);
}
