//! One run of a model: stimulus in, records out while it runs.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::bus::BusStep;
use super::records::{Record, read_binary, read_text};
use super::stimulus::Stimulus;
use super::{Build, CosimError, Simulator, io, model};
use crate::emit;

/// What a run is told.
#[derive(Clone, Debug, Default)]
pub(super) struct RunOptions {
    pub images: usize,
    /// 0: no stalls.
    pub seed: u64,
    pub resets: usize,
    /// Image whose details are reported.
    pub detail: Option<usize>,
    /// Cycles without a result after which the run gives up.
    pub limit: u64,
    /// Other counts for the sense registers.
    pub precharge: Option<usize>,
    pub window: Option<usize>,
    /// Steps on the register bus before the first image.
    pub bus: Vec<BusStep>,
    /// Memory images, if not those of the build directory; faults of the cells.
    pub images_at: Option<PathBuf>,
    pub faults_at: Option<PathBuf>,
    /// Waveform: file, first and last cycle.
    pub trace: Option<(PathBuf, u64, u64)>,
}

/// Runs a model and hands every record to `take`. What the simulator said is kept where it broke.
pub(super) fn run(
    build: &Build,
    simulator: Simulator,
    program: &Path,
    stimulus: &Stimulus,
    options: &RunOptions,
    take: impl FnMut(Record),
) -> Result<(), CosimError> {
    let folder = tempfile::tempdir().map_err(io(&std::env::temp_dir(), "make a folder"))?;
    match run_in(folder.path(), build, simulator, program, stimulus, options, take) {
        Err(CosimError::Simulation { reason, log }) => Err(CosimError::Simulation { reason, log: keep(&log)? }),
        other => other,
    }
}

/// Copies a log from a run's own folder into the cache, under a name that no other run has.
fn keep(log: &Path) -> Result<PathBuf, CosimError> {
    let logs = crate::cache::folder().join("logs");
    std::fs::create_dir_all(&logs).map_err(io(&logs, "create the folder"))?;
    let mut name = tempfile::Builder::new();
    let kept = name.prefix("simulation-").suffix(".log").tempfile_in(&logs).map_err(io(&logs, "write into"))?;
    std::fs::copy(log, kept.path()).map_err(io(&logs, "copy the log to"))?;
    let (_, path) = kept.keep().map_err(|e| io(&logs, "keep the log in")(e.error))?;
    Ok(path)
}

/// [`run`] with all its files in `folder`; an error of the simulation names the log there.
fn run_in(
    folder: &Path,
    build: &Build,
    simulator: Simulator,
    program: &Path,
    stimulus: &Stimulus,
    options: &RunOptions,
    mut take: impl FnMut(Record),
) -> Result<(), CosimError> {
    let log = folder.join("log");
    let messages = File::create(&log).map_err(io(&log, "create the log"))?;
    let (file, commands, bus) = (folder.join("stimulus"), folder.join("commands"), folder.join("bus"));
    let write = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).map_err(io(path, "write the stimulus"));
    let line = |s: &BusStep| format!("{} {} {}\n", s.kind as u8, s.address, s.data);
    write(&bus, options.bus.iter().map(line).collect::<String>().as_bytes())?;
    match simulator {
        Simulator::Verilator => {
            write(&file, &stimulus.beats)?;
            write(&commands, &stimulus.commands)?;
        }
        Simulator::Icarus => {
            let (beats, words) = stimulus.hex(&build.plan);
            write(&file, beats.as_bytes())?;
            write(&commands, words.as_bytes())?;
        }
    }

    let plus = if simulator == Simulator::Icarus { "+" } else { "" };
    let mut command = match simulator {
        Simulator::Verilator => Command::new(program),
        Simulator::Icarus => {
            let mut command = model::VVP.command()?;
            command.arg("-N").arg(program);
            command
        }
    };
    let mut set = |key: &str, value: &dyn std::fmt::Display| {
        command.arg(format!("{plus}{key}={value}"));
    };
    set("stimulus", &file.display());
    set("commands", &commands.display());
    set("images", &options.images);
    set("seed", &options.seed);
    set("resets", &options.resets);
    set("limit", &options.limit);
    if !options.bus.is_empty() {
        set("bus", &bus.display());
    }
    if let Some(image) = options.detail {
        set("detail", &image);
    }
    if let Some(cycles) = options.precharge {
        set("precharge", &cycles);
    }
    if let Some(cycles) = options.window {
        set("window", &cycles);
    }
    if let Some((path, from, to)) = &options.trace {
        set("trace", &path.display());
        set("from", from);
        set("to", to);
    }
    let out = folder.join("out.txt");
    if simulator == Simulator::Icarus {
        set("out", &out.display());
    }
    let mem = options.images_at.clone().unwrap_or_else(|| build.path.join("mem"));
    let mem = mem.canonicalize().map_err(io(&build.path, "find mem/ in"))?;
    command.arg(format!("+hafnia_mem={}", mem.display()));
    if let Some(faults) = &options.faults_at {
        command.arg(format!("+hafnia_faults={}", faults.display()));
    }
    if simulator == Simulator::Verilator && options.seed != 0 {
        // What a reset does not clear starts at random.
        command.args(["+verilator+rand+reset+2".to_string(), format!("+verilator+seed+{}", options.seed)]);
    }
    // Icarus has a file for its records, so what it prints are messages.
    let stdout = match simulator {
        Simulator::Verilator => Stdio::piped(),
        Simulator::Icarus => messages.try_clone().map_err(io(&log, "create the log"))?.into(),
    };
    command.stdin(Stdio::null()).stdout(stdout).stderr(messages);
    let mut child = command.spawn().map_err(io(program, "start the simulation"))?;

    let (mut ended, mut bus_stuck) = (false, false);
    let mut take = |record: Record| {
        ended |= matches!(record, Record::End { .. });
        bus_stuck |= record == Record::BusStuck;
        take(record);
    };
    let broken = |e: std::io::Error| CosimError::Simulation { reason: e.to_string(), log: log.clone() };
    if let Some(stdout) = child.stdout.take() {
        let sizes: Vec<usize> = emit::taps(&build.plan).iter().map(|t| t.bits.div_ceil(8)).collect();
        let mut input = BufReader::with_capacity(1 << 20, stdout);
        let result = drain(&mut input, &sizes, &mut take);
        if result.is_err() {
            // The rest of its output cannot be understood; it need not go on.
            let _ = child.kill();
        }
        let status = child.wait().map_err(io(program, "wait for the simulation"))?;
        result.map_err(broken)?;
        if !status.success() {
            return Err(CosimError::Simulation { reason: status.to_string(), log });
        }
    } else {
        let status = child.wait().map_err(io(program, "wait for the simulation"))?;
        if !status.success() {
            return Err(CosimError::Simulation { reason: status.to_string(), log });
        }
        let mut input = BufReader::new(File::open(&out).map_err(io(&out, "read the records"))?);
        while let Some(record) = read_text(&mut input).map_err(broken)? {
            take(record);
        }
    }
    if bus_stuck {
        let reason = format!("a command did not end within {} cycles", options.limit);
        return Err(CosimError::Bus { reason });
    }
    if ended { Ok(()) } else { Err(CosimError::Simulation { reason: "no end record".into(), log }) }
}

fn drain(input: &mut impl Read, sizes: &[usize], take: &mut impl FnMut(Record)) -> std::io::Result<()> {
    while let Some(record) = read_binary(input, sizes)? {
        take(record);
    }
    Ok(())
}
