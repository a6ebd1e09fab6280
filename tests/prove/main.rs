//! Proofs of the block library, and proofs that the proofs can fail.

mod faults;
#[path = "../tiny_build/mod.rs"]
mod tiny_build;

use std::fs;

use faults::{FAULTS, Fault};
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
    assert!(proofs.held);
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
hf_spare_address #(.Lines(7), .Spares(3)) address ();
hf_spare_address #(.Lines(1), .Spares(1)) address1 ();
hf_spare_columns #(.Arrays(3), .Columns(6), .Spares(2), .Width(4)) columns ();
hf_spare_columns #(.Columns(1), .Spares(4)) columns1 ();
hf_spare_lines #(.Blocks(3), .LargeBlocks(2), .BlockLines(7), .Spares(3)) lines ();
hf_spare_lines #(.BlockLines(1)) lines1 ();
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
        assert!(!proofs.held && proofs.failed == 1, "{what}");
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
    assert!(proofs.unproven >= 1 && proofs.failed == 0 && !proofs.held);
}

#[test]
fn what_is_too_large_is_proven_at_reduced_size_and_reported_so() {
    let build = instances("hf_multiply_accumulate #(.Neurons(256), .Inputs(8), .SumWidth(16)) i ();");
    let proofs = run(&build);
    all_hold(&proofs);
    assert_eq!((proofs.proven, proofs.proven_at_reduced_size), (0, 1));
    let Status::ProvenAtReducedSize { reduced } = &proofs.blocks[0].status else { panic!("{proofs:#?}") };
    assert_eq!(reduced, "Neurons 1 of 256 and Neurons 3 of 256, Inputs 4 of 8");
    // A fault is found at that size, too.
    edit(&build.path().join("rtl/hf_multiply_accumulate.sv"), "first_i ? '0 :", "!first_i ? '0 :");
    assert_eq!(run(&build).failed, 1);
}

/// Blocks beyond what is proven at full size, each with a neuron, array, block or slice that takes what is another's.
#[test]
fn a_wrong_index_is_found_at_reduced_size() {
    const MAC: &str = "hf_multiply_accumulate #(.Neurons(256), .Inputs(8), .SumWidth(16))";
    const VOTES: &str = "hf_vote_aggregate #(.Blocks(16), .Neurons(2048), .Ternary(1))";
    const THRESHOLD: &str = "hf_threshold #(.Neurons(2048), .SumWidth(9))";
    const COLUMNS: &str = "hf_spare_columns #(.Arrays(64), .Columns(64), .Spares(2))";
    const LINES: &str = "hf_spare_lines #(.Blocks(9), .LargeBlocks(3), .BlockLines(128), .Spares(2))";
    const PROGRAM: &str = "hf_program #(.Arrays(64), .Cells(64))";
    const WINDOW: &str = "hf_window #(.Channels(64), .Kind(2), .Width(9), .Rows(34), .Columns(34))";
    let faults = [
        (MAC, "w_i[n*Inputs*WeightWidth+:", "w_i[0+:"),
        (VOTES, "high_i[v*Neurons+First+:Size]", "high_i[v*Neurons+:Size]"),
        (VOTES, "low_i[(v-Blocks)*Neurons+First+:Size]", "low_i[(v-Blocks)*Neurons+:Size]"),
        (COLUMNS, "places[(a*Spares+s)*PlaceWidth", "places[s*PlaceWidth"),
        (LINES, "LargeBlocks + b * (BlockLines - 1)", "b * (BlockLines - 1)"),
        (PROGRAM, "<= use_i[a*Cells+32'(cell_q)]", "<= use_i[32'(cell_q)]"),
    ];
    // As they are, they hold.
    let sound = [MAC, VOTES, THRESHOLD, COLUMNS, LINES, PROGRAM, WINDOW];
    let text: Vec<String> = sound.iter().enumerate().map(|(k, block)| format!("{block} i{k} ();\n")).collect();
    let proofs = run(&instances(&text.concat()));
    all_hold(&proofs);
    assert_eq!(proofs.proven_at_reduced_size, sound.len(), "{proofs:#?}");
    faults.par_iter().for_each(|(block, from, to)| {
        let name = block.split(' ').next().unwrap();
        let build = instances(&format!("{block} i ();"));
        edit(&build.path().join(format!("rtl/{name}.sv")), from, to);
        let proofs = run(&build);
        assert_eq!((proofs.failed, proofs.held), (1, false), "{name}: `{to}` for `{from}`: {proofs:#?}");
    });
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
