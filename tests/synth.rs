//! Synthesis of the block library.

mod tiny_build;

use std::fs;

use hafnia::synth::{Area, BlockArea, SynthError, Target, synth};
use tempfile::TempDir;
use tiny_build::{edit, instances, tiny};

fn run(build: &TempDir, target: Target) -> (Area, TempDir) {
    let out = tempfile::tempdir().unwrap();
    (synth(build.path(), target, Some(out.path()), None).unwrap(), out)
}

fn block<'a>(area: &'a Area, name: &str) -> &'a BlockArea {
    area.blocks.iter().find(|block| block.block == name).unwrap_or_else(|| panic!("{name}: {area:#?}"))
}

#[test]
fn flip_flops_are_what_the_blocks_hold() {
    let build = tiny();
    let (area, out) = run(&build, Target::Generic);
    // Answers of the write channel: valid, and one bit of the code (the other is constant); of the read channel: valid,
    // code and 32 bits of data; 32 bits of images, the frame error, two counts of 6 bits. Of the 32 data bits all
    // differ from constants, since the image count fills them.
    let registers = block(&area, "hf_registers");
    assert_eq!(registers.total.flip_flops, 2 + 2 + 32 + 32 + 1 + 12, "{registers:#?}");
    // State of 2 bits, two counts of 6 bits, SEN.
    assert_eq!(block(&area, "hf_sense_sequencer").variants[0].each.flip_flops, 2 + 6 + 6 + 1);
    // Trits of 8 and of 6 amplifiers; the layer of bipolar weights needs no nonzero plane, but the block has it.
    let detect = block(&area, "hf_ternary_detect");
    assert_eq!((detect.instances, detect.total.flip_flops), (2, 2 * 8 + 2 * 6));
    // Two arrays of fc1, two blocks of fc2, one array of fc3.
    assert_eq!(area.arrays["hf_array_pcsa"], 3);
    assert_eq!(area.arrays["hf_array_sa"], 2);
    // Rows add up.
    let sum: u64 = area.blocks.iter().map(|block| block.total.cells).sum();
    assert_eq!(area.total.cells, sum);
    assert_eq!(area.total.luts, 0);
    let netlist = fs::read_to_string(out.path().join("generic/netlist.v")).unwrap();
    assert!(netlist.contains("module tiny("));
    let left: Vec<_> = fs::read_dir(out.path().join("generic")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn look_up_tables_are_counted_and_larger_ones_are_fewer() {
    let build = tiny();
    let (four, _out4) = run(&build, Target::Lut4);
    let (six, _out6) = run(&build, Target::Lut6);
    assert!(four.total.luts > six.total.luts && six.total.luts > 0);
    assert_eq!(four.total.cells, four.total.luts + four.total.flip_flops);
}

#[test]
fn two_runs_give_the_same_bytes() {
    let build = tiny();
    let (_, one) = run(&build, Target::Lut6);
    let (_, two) = run(&build, Target::Lut6);
    for name in ["netlist.v", "netlist.json"] {
        let read = |out: &TempDir| fs::read(out.path().join("lut6").join(name)).unwrap();
        assert!(read(&one) == read(&two), "{name}");
    }
}

#[test]
fn kept_netlists_give_the_same_bytes_and_area() {
    let build = tiny();
    let (whole, fresh) = run(&build, Target::Lut4);
    let (kept, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let again = || synth(build.path(), Target::Lut4, Some(out.path()), Some(kept.path())).unwrap();
    let entries = || fs::read_dir(kept.path()).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(again().blocks, whole.blocks);
    let modules = entries();
    assert!(modules.len() > 20, "{modules:?}");
    // As after an interruption: some are there, some are not.
    for folder in &modules[..modules.len() / 2] {
        fs::remove_dir_all(folder).unwrap();
    }
    assert_eq!(again().total, whole.total);
    assert_eq!(entries().len(), modules.len());
    for name in ["netlist.v", "netlist.json"] {
        let read = |out: &TempDir| fs::read(out.path().join("lut4").join(name)).unwrap();
        assert!(read(&fresh) == read(&out), "{name}");
    }
    // An edited block is another one.
    edit(&build.path().join("rtl/hf_counter.sv"), "count_q + 1'b1", "count_q + 2'd2");
    again();
    assert!(entries().len() > modules.len());
}

#[test]
fn a_missing_module_is_an_error() {
    let build = instances("hf_nowhere i ();");
    let out = tempfile::tempdir().unwrap();
    let error = synth(build.path(), Target::Generic, Some(out.path()), None).unwrap_err().to_string();
    assert!(error.contains("hf_nowhere"), "{error}");
}

#[test]
fn illegal_parameters_stop_synthesis_with_their_name() {
    let build = instances("hf_counter #(.Steps(0)) i ();");
    let out = tempfile::tempdir().unwrap();
    let error = synth(build.path(), Target::Generic, Some(out.path()), None).unwrap_err().to_string();
    assert!(error.contains("hf_error_counter_steps_must_be_at_least_1"), "{error}");
}

#[test]
fn a_missing_image_is_an_error() {
    let build = tiny();
    fs::remove_file(build.path().join("mem/fc3_affine.mem")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let error = synth(build.path(), Target::Generic, Some(out.path()), None).unwrap_err().to_string();
    assert!(error.contains("fc3_affine.mem"), "{error}");
}

#[test]
fn a_latch_is_an_error() {
    let build = tiny();
    edit(&build.path().join("rtl/hf_sense_sequencer.sv"), "    window_d = window_q;\n", "");
    let out = tempfile::tempdir().unwrap();
    // Yosys itself refuses one in always_comb; the count of cells finds those of any other making.
    let error = synth(build.path(), Target::Generic, Some(out.path()), None).unwrap_err().to_string();
    assert!(error.contains("ERROR: Latch inferred for signal") && error.contains("window_d"), "{error}");
    assert!(!out.path().join("generic/netlist.v").exists());
}

#[test]
fn nothing_is_written_in_the_build_directory() {
    let build = tiny();
    let error = synth(build.path(), Target::Generic, Some(&build.path().join("synth")), None).unwrap_err();
    assert!(matches!(error, SynthError::InsideBuild { .. }), "{error}");
}

#[test]
fn targets_have_names() {
    assert_eq!("lut6".parse::<Target>().unwrap(), Target::Lut6);
    assert!("lut5".parse::<Target>().unwrap_err().contains("did you mean"));
}
