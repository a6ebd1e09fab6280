//! Simulation models, built once for the same sources, flags and tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{Arrays, Build, CosimError, io};
use crate::tool::{self, CXX, IVERILOG, Tool, VERILATOR};

/// Flags of every Verilator model. Registers start with values that a reset has to clear: random in the run with
/// resets. Loops of any size stay loops: the C++ compiler unrolls those that are worth it, and has less to read. The count
/// has no say in that, but generate loops may have sixteen times as many steps.
const VERILATOR_FLAGS: [&str; 13] = [
    "--cc",
    "-O3",
    "--unroll-count",
    "1024",
    "--unroll-stmts",
    "30",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "-Wno-fatal",
    "--top-module",
    "hafnia_sim",
];
const TRACE_FLAGS: [&str; 4] = ["--trace", "--trace-underscore", "--trace-max-width", "65536"];
const CXX_FLAGS: [&str; 4] = ["-std=c++17", "-fno-strict-aliasing", "-faligned-new", "-w"];

/// Sources are compiled together up to so many bytes: of a small one, reading Verilator's headers takes most of the time.
const UNIT_BYTES: u64 = 1 << 19;

/// Flags of the C++ compiler on this machine. A model with a waveform runs once, up to the image of a mismatch: mostly the
/// first, and compiling is what takes long. Elsewhere votes and partial sums are counts of bits, for which most processors
/// have an instruction; it makes no difference but in speed.
fn cxx_flags(trace: bool) -> Vec<&'static str> {
    let mut flags = CXX_FLAGS.to_vec();
    flags.push(if trace { "-O0" } else { "-O3" });
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("popcnt") {
        flags.push("-mpopcnt");
    }
    flags
}

/// A model and whether it had to be built.
pub(super) struct Model {
    pub program: PathBuf,
    pub fresh: bool,
}

/// The Verilator model of a build directory as it stands.
pub(super) fn verilator(build: &Build, arrays: Arrays, trace: bool) -> Result<Model, CosimError> {
    let mut flags: Vec<&str> = VERILATOR_FLAGS.to_vec();
    if trace {
        flags.extend(TRACE_FLAGS);
    }
    let versions = [VERILATOR.banner()?, CXX.banner()?];
    let extra = ["sim/taps.h", "sim/harness.cpp"];
    let key = key(build, arrays, &extra, &[&flags[..], &cxx_flags(trace)].concat(), &versions)?;
    let folder = crate::cache::folder().join("models").join(key);
    let program = folder.join("sim");
    if program.is_file() {
        return Ok(Model { program, fresh: false });
    }
    let aside = aside(&folder)?;
    let path = build.path.canonicalize().map_err(io(&build.path, "find the build directory"))?;
    let mut args: Vec<String> = flags.iter().map(|f| f.to_string()).collect();
    args.extend(["--prefix", "Vsim", "-Mdir"].map(String::from));
    args.push(aside.path().display().to_string());
    args.extend(["-f", arrays.files()].map(String::from));
    let built = tool::run(&VERILATOR, &args, &path, &aside.path().join("verilator.log"))
        .map_err(CosimError::from)
        .and_then(|_| compile(&path, aside.path(), trace, &versions));
    finish(built, aside, &folder)?;
    Ok(Model { program, fresh: true })
}

/// Keeps a folder under its name, or, where the build failed, as it is: the error names its logs.
fn finish(built: Result<(), CosimError>, aside: tempfile::TempDir, folder: &Path) -> Result<(), CosimError> {
    match built {
        Ok(()) => keep(aside, folder),
        Err(error) => {
            // It stays on purpose.
            let _ = aside.keep();
            Err(error)
        }
    }
}

/// Compiles what Verilator wrote, the harness, and Verilator's own library, which is kept for all models.
fn compile(build: &Path, folder: &Path, trace: bool, versions: &[String; 2]) -> Result<(), CosimError> {
    let include = verilator_include()?;
    let mut library = vec!["verilated.cpp", "verilated_threads.cpp"];
    if trace {
        library.push("verilated_vcd_c.cpp");
    }
    let define = |on: bool| if on { "1" } else { "0" };
    let mut flags: Vec<String> = cxx_flags(trace).iter().map(|f| f.to_string()).collect();
    flags.push(format!("-I{}", include.display()));
    flags.push(format!("-I{}", include.join("vltstd").display()));
    flags.push(format!("-DVM_TRACE={}", define(trace)));
    flags.push(format!("-DVM_TRACE_VCD={}", define(trace)));
    flags.extend(["-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE_FST=0"].map(String::from));

    let hash = Sha256::digest(format!("{versions:?} {flags:?} {library:?}").as_bytes());
    let shared = crate::cache::folder().join("verilated").join(format!("{hash:x}"));
    if !shared.is_dir() {
        let aside = aside(&shared)?;
        let built = library.par_iter().try_for_each(|name| object(&include.join(name), aside.path(), &[], &flags));
        finish(built, aside, &shared)?;
    }
    let units = units(build, folder)?;
    let local = [format!("-I{}", folder.display()), format!("-I{}", build.join("sim").display())];
    units.par_iter().try_for_each(|unit| object(unit, folder, &local, &flags))?;
    let mut link: Vec<PathBuf> = units.iter().map(|unit| object_path(unit, folder)).collect();
    link.extend(library.iter().map(|name| object_path(Path::new(name), &shared)));
    let mut args: Vec<std::ffi::OsString> = link.into_iter().map(Into::into).collect();
    args.extend(["-o".into(), folder.join("sim").into(), "-lpthread".into()]);
    tool::run(&CXX, args, folder, &folder.join("link.log"))?;
    Ok(())
}

/// Writes files that include the sources of a model, each once.
fn units(build: &Path, folder: &Path) -> Result<Vec<PathBuf>, CosimError> {
    let mut sources: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(io(folder, "read the folder"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "cpp"))
        .collect();
    sources.push(build.join("sim/harness.cpp"));
    sources.sort();
    let mut texts: Vec<(u64, String)> = Vec::new();
    for source in sources {
        let bytes = source.metadata().map_err(io(&source, "read the source"))?.len();
        let name = source.file_name().expect("a source file").display();
        match texts.last_mut() {
            Some((all, text)) if *all + bytes <= UNIT_BYTES => {
                *all += bytes;
                *text += &format!("#include \"{name}\"\n");
            }
            _ => texts.push((bytes, format!("#include \"{name}\"\n"))),
        }
    }
    let write = |(k, (_, text)): (usize, &(u64, String))| {
        let path = folder.join(format!("unit_{k}.cpp"));
        std::fs::write(&path, text).map_err(io(&path, "write the source"))?;
        Ok(path)
    };
    texts.iter().enumerate().map(write).collect()
}

fn object_path(source: &Path, folder: &Path) -> PathBuf {
    folder.join(source.file_name().expect("a source file")).with_extension("o")
}

fn object(source: &Path, folder: &Path, local: &[String], flags: &[String]) -> Result<(), CosimError> {
    let out = object_path(source, folder);
    let mut args: Vec<std::ffi::OsString> = flags.iter().chain(local).map(Into::into).collect();
    args.extend(["-c".into(), source.into(), "-o".into(), out.clone().into()]);
    tool::run(&CXX, args, folder, &out.with_extension("log"))?;
    Ok(())
}

/// Verilator's include folder.
fn verilator_include() -> Result<PathBuf, CosimError> {
    let mut command: Command = VERILATOR.command()?;
    let output = command.args(["--getenv", "VERILATOR_ROOT"]).output().map_err(io(Path::new("verilator"), "run"))?;
    let root = String::from_utf8_lossy(&output.stdout).trim().to_string();
    Ok(Path::new(&root).join("include"))
}

/// The Icarus model: a file for `vvp`.
pub(super) fn icarus(build: &Build, arrays: Arrays) -> Result<Model, CosimError> {
    let versions = [IVERILOG.banner()?];
    let flags = ["-g2012", "-s", "tb"];
    let key = key(build, arrays, &["sim/tb_icarus.sv"], &flags, &versions)?;
    let folder = crate::cache::folder().join("models").join(key);
    let program = folder.join("sim.vvp");
    if program.is_file() {
        return Ok(Model { program, fresh: false });
    }
    let aside = aside(&folder)?;
    let out = aside.path().join("sim.vvp").display().to_string();
    let args = [&flags[..], &["-o", &out, "-f", arrays.files(), "sim/tb_icarus.sv"]].concat();
    let built = tool::run(&IVERILOG, args, &build.path, &aside.path().join("iverilog.log")).map(drop);
    finish(built.map_err(CosimError::from), aside, &folder)?;
    Ok(Model { program, fresh: true })
}

fn is_verilog(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| ["v", "sv", "vh", "svh"].iter().any(|known| e == *known))
}

/// Hash of all that a model is made from.
fn key(
    build: &Build,
    arrays: Arrays,
    extra: &[&str],
    flags: &[&str],
    versions: &[String],
) -> Result<String, CosimError> {
    let list = build.path.join(arrays.files());
    let text = std::fs::read_to_string(&list).map_err(io(&list, "read the file list"))?;
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    let names = text.lines().map(str::trim).filter(|l| !l.is_empty()).chain(extra.iter().copied());
    let mut sources: Vec<PathBuf> = names.map(|name| build.path.join(name)).collect();
    let listed: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    // Simulators look for modules that no file has in the folder in which they run.
    let beside = std::fs::read_dir(&build.path).map_err(io(&build.path, "read the folder"))?;
    let mut more: Vec<PathBuf> =
        beside.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| is_verilog(p)).collect();
    more.extend(crate::includes::included(&listed, &build.path));
    more.sort();
    sources.extend(more);
    for path in &sources {
        add(path.strip_prefix(&build.path).unwrap_or(path).as_os_str().as_encoded_bytes());
        add(&std::fs::read(path).map_err(io(path, "read the source"))?);
    }
    for flag in flags {
        add(flag.as_bytes());
    }
    for version in versions {
        add(version.as_bytes());
    }
    Ok(format!("{:x}", hash.finalize())[..32].to_string())
}

/// A folder beside `folder` to build in.
fn aside(folder: &Path) -> Result<tempfile::TempDir, CosimError> {
    let parent = folder.parent().expect("below the cache");
    std::fs::create_dir_all(parent).map_err(io(parent, "create the cache"))?;
    tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(io(parent, "write into the cache"))
}

/// Moves a finished folder into place; another process may have been faster, which is as good.
fn keep(aside: tempfile::TempDir, folder: &Path) -> Result<(), CosimError> {
    let path = aside.keep();
    match std::fs::rename(&path, folder) {
        Err(_) if folder.is_dir() => std::fs::remove_dir_all(&path).map_err(io(&path, "clean the cache")),
        other => other.map_err(io(folder, "write into the cache")),
    }
}

/// The tool that runs a model, where it is no program itself.
pub(super) const VVP: &Tool = &tool::VVP;
