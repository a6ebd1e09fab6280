//! Directed tests of the register bus in Icarus Verilog: refusals, single pulses, resets in the middle of a write, restored labels.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{generate, tiny};
use hafnia::network;

fn build(folder: &Path, more: &str) -> PathBuf {
    let net = folder.join("tiny.safetensors");
    network::save(&tiny::network(), &net).unwrap();
    generate(folder, &net, &format!("[array]\ninputs = 4\noutputs = 4\n{more}"))
}

/// Runs a test bench of `tests/bus/` on a build; the last line says how many checks there were, and how many failed.
fn run(build: &Path, bench: &str) -> String {
    run_with(build, bench, &[])
}

fn run_with(build: &Path, bench: &str, more: &[&str]) -> String {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bus");
    let model = build.join("bench.vvp");
    let mut compile = Command::new("iverilog");
    compile.args(["-g2012", "-s", bench, "-I"]).arg(&benches);
    if !matches!(bench, "access_tb" | "waiting_tb") {
        compile.arg("-DMEMORY");
    }
    if !matches!(bench, "memory_tb" | "faults_tb") {
        compile.arg("-DACCESS");
    }
    compile.args(["-f", "sim/files.f", "-o"]).arg(&model).arg(benches.join(format!("{bench}.sv"))).current_dir(build);
    let compiled = compile.output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new("vvp").arg("-n").arg(&model).args(more).current_dir(build).output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

/// Puts a fault into a block of a build; the bench has to notice.
fn notices(build: &Path, bench: &str, block: &str, from: &str, to: &str) {
    let path = build.join("rtl").join(block);
    let good = std::fs::read_to_string(&path).unwrap();
    assert!(good.contains(from), "{block}: `{from}` is not there any more; bring the test up to date");
    std::fs::write(&path, good.replace(from, to)).unwrap();
    let output = run(build, bench);
    assert!(!output.ends_with(" 0 errors\n"), "{block}: `{to}` was not noticed: {output}");
    std::fs::write(&path, good).unwrap();
}

/// Faults of a word line: {slow BLb, slow BL, stuck BLb, stuck BL}, three cells each.
#[test]
fn keys_on_faulty_cells_are_written_again_or_reported() {
    let folder = tempfile::tempdir().unwrap();
    let build = build(folder.path(), &format!("[memory]\nkeys = 4\nclasses = 3\n[memory.program]\n{PULSES}"));
    let faults = build.join("faults");
    std::fs::create_dir(&faults).unwrap();
    std::fs::write(faults.join("keys_r0_c0_faults.mem"), "009\n240\n000\n000\n").unwrap();
    let output = run_with(&build, "faults_tb", &["+hafnia_faults=faults"]);
    assert!(output.ends_with("23 checks, 0 errors\n"), "{output}");
    // The bench notices good cells.
    let output = run(&build, "faults_tb");
    assert!(!output.ends_with(" 0 errors\n"), "{output}");
}

const PULSES: &str = "set_ns = 30\nreset_ns = 20\nverify_ns = 20\n";

#[test]
fn cells_over_the_bus() {
    let folder = tempfile::tempdir().unwrap();
    let build = build(folder.path(), &format!("[program]\n{PULSES}"));
    let output = run(&build, "access_tb");
    assert!(output.ends_with("221 checks, 0 errors\n"), "{output}");
    notices(&build, "access_tb", "hf_array_access.sv", "werror_o = busy;", "werror_o = 1'b0;");
    notices(&build, "access_tb", "hf_array_access.sv", "if (used_i || !usable", "if (!usable");
    notices(&build, "access_tb", "hf_array_access.sv", "assign hold_o = busy || !usable;", "assign hold_o = !usable;");
    notices(&build, "access_tb", "hf_array_access.sv", "assign hold_o = busy || !usable;", "assign hold_o = busy;");
    notices(&build, "access_tb", "hf_array_access.sv", "!usable || !exists", "!exists");
    notices(&build, "access_tb", "hf_program.sv", "!supply_i && !done_o) begin", "1'b0) begin");
}

#[test]
fn votes_and_codes_that_are_lost_while_they_wait_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    for (readout, block, waits) in
        [("sa", "hf_layer_sa.sv", "|| votes_valid_q;"), ("adc", "hf_sums_adc.sv", "|| add_q;")]
    {
        let build = build(folder.path(), &format!("[program]\n{PULSES}[layer.fc2]\nreadout = \"{readout}\"\n"));
        let output = run(&build, "waiting_tb");
        assert!(output.ends_with(" 0 errors\n"), "{readout}: {output}");
        notices(&build, "waiting_tb", block, waits, ";");
    }
}

#[test]
fn a_key_whose_supply_fails_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    for readout in ["pcsa", "adc"] {
        let memory = format!("[memory]\nkeys = 4\nclasses = 3\nreadout = \"{readout}\"\n[memory.program]\n{PULSES}");
        let build = build(folder.path(), &format!("[program]\n{PULSES}{memory}"));
        let output = run(&build, "supply_tb");
        assert!(output.ends_with("13 checks, 0 errors\n"), "{readout}: {output}");
        let keys = format!("hf_keys_{readout}.sv");
        notices(&build, "supply_tb", &keys, ".supply_i(supply_ready_o)", ".supply_i(1'b1)");
    }
}

#[test]
fn labels_and_protocol_faults_of_a_few_shot_memory() {
    let folder = tempfile::tempdir().unwrap();
    let build = build(folder.path(), &format!("[memory]\nkeys = 4\nclasses = 3\n[memory.program]\n{PULSES}"));
    let output = run(&build, "memory_tb");
    assert!(output.ends_with("142 checks, 0 errors\n"), "{output}");
    notices(&build, "memory_tb", "hf_memory_registers.sv", "werror_o = busy_i;", "werror_o = 1'b0;");
    notices(&build, "memory_tb", "hf_memory_registers.sv", "valid_o = wdata_i[31]", "valid_o = 1'b0");
}
