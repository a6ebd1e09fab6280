//! Synthesis of a build directory with Yosys.
//!
//! The hierarchy is kept, so that area is reported by block; arrays stay black boxes and are counted. The design is elaborated
//! once; then every module is synthesized by itself, as many at a time as there are cores, and what comes of it is kept: a run
//! that is interrupted goes on where it was. Memory images are read from the build directory, where Yosys runs; nothing is
//! written there.
//!
//! ```text
//! build dir ─► elaborate ─► module by module ─► netlist, area
//!                            └──── kept ────┘
//! ```

mod area;
mod module;
mod rtlil;
mod sources;

use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

pub use area::{Area, BlockArea, Counts, Variant};
pub use sources::{FILE_LIST, Sources, SourcesError};

use crate::tool::{self, ToolError};
use module::{Netlist, Synthesis};
use rtlil::Design;

#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    #[error(transparent)]
    Sources(#[from] SourcesError),

    #[error(transparent)]
    Tool(#[from] ToolError),

    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },

    #[error("Yosys' netlist is not as expected: {reason}")]
    Netlist { reason: String },

    #[error("{block}: {count} latches ({kind}); a register is missing an assignment on some path")]
    Latches { block: String, kind: String, count: u64 },

    #[error("{block}: {count} cells of type {kind} were not mapped to {target}")]
    Unmapped { block: String, kind: String, count: u64, target: Target },

    #[error("{}: lies in the build directory, whose contents are hashed; name another folder", out.display())]
    InsideBuild { out: PathBuf },
}

impl SynthError {
    /// Whether an external tool is missing or broke, rather than the input being bad.
    pub fn is_tool(&self) -> bool {
        matches!(self, Self::Tool(_))
    }
}

/// What to map to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Gates of one and two inputs and multiplexers, without a technology.
    Generic,
    /// Look-up tables of four inputs.
    Lut4,
    /// Look-up tables of six inputs.
    Lut6,
}

impl Target {
    pub const ALL: [Self; 3] = [Self::Generic, Self::Lut4, Self::Lut6];

    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Lut4 => "lut4",
            Self::Lut6 => "lut6",
        }
    }

    fn commands(self) -> &'static str {
        match self {
            Self::Generic => "synth -auto-top -noabc\nabc -g simple\nopt_clean\n",
            Self::Lut4 => "synth -auto-top -lut 4\n",
            Self::Lut6 => "synth -auto-top -lut 6\n",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|target| target.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name);
            format!("`{name}` is no target; there are {}{}", known.join(", "), crate::suggest::nearest(name, known))
        })
    }
}

/// Where netlists of modules are kept from run to run.
pub fn kept() -> PathBuf {
    crate::cache::folder().join("netlists")
}

/// Synthesizes `build`. The netlist (Verilog and JSON) and the log of the elaboration go to a folder named after the
/// target in `out`, by default `BUILD-synth` beside the build directory. `kept` is a folder for the netlists of modules.
pub fn synth(build: &Path, target: Target, out: Option<&Path>, kept: Option<&Path>) -> Result<Area, SynthError> {
    let start = Instant::now();
    let sources = Sources::read(build)?;
    let out = match out {
        Some(out) => std::path::absolute(out).map_err(io(out, "find"))?,
        None => {
            let mut name = sources.build.file_name().unwrap_or_default().to_owned();
            name.push("-synth");
            sources.build.with_file_name(name)
        }
    };
    if out.starts_with(&sources.build) {
        return Err(SynthError::InsideBuild { out });
    }
    let folder = out.join(target.name());
    fs::create_dir_all(&folder).map_err(io(&folder, "make"))?;
    // Written aside: a run that breaks off leaves the last good netlist as it was.
    let aside = tempfile::Builder::new().prefix(".run-").tempdir_in(&folder).map_err(io(&folder, "write in"))?;

    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("{bar:24} {pos}/{len} modules  {elapsed}  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message("elaborates");
    let text = elaborate(&sources, aside.path(), &folder.join("yosys.log"))?;
    let design = Design::parse(&text)?;
    let mut names = design.below(&sources.top);
    // The largest first: cores end together.
    names.sort_by_key(|name| (std::cmp::Reverse(design.modules[name].len()), *name));
    bar.set_length(names.len() as u64);
    bar.set_message("");
    let synthesis =
        Synthesis { design: &design, target, build: &sources.build, aside: aside.path(), logs: &folder, kept };
    let mut netlists = names
        .into_iter()
        .enumerate()
        .par_bridge()
        .map(|(index, name)| {
            let netlist = synthesis.module(index, name);
            bar.inc(1);
            bar.set_message(area::base(name).to_owned());
            netlist
        })
        .collect::<Result<Vec<_>, _>>()?;
    bar.finish_and_clear();
    netlists.sort_by(|a, b| a.name.cmp(&b.name));

    let mut area = Area::new(&netlists, &sources.top, target)?;
    join(&netlists, aside.path())?;
    for name in ["netlist.v", "netlist.json"] {
        let path = folder.join(name);
        fs::rename(aside.path().join(name), &path).map_err(io(&path, "write"))?;
    }
    area.netlist = folder.join("netlist.v");
    area.yosys = tool::YOSYS.version()?;
    area.seconds = Duration::as_secs_f64(&start.elapsed());
    Ok(area)
}

/// The design with all parameters bound, as text.
fn elaborate(sources: &Sources, aside: &Path, log: &Path) -> Result<String, SynthError> {
    let path = aside.join("elaborated.il");
    let script = format!(
        "{}\nhierarchy -check -top {}\nwrite_rtlil \"{}\"\n",
        sources.read_command(),
        sources.top,
        path.display()
    );
    let script_path = aside.join("elaborate.ys");
    fs::write(&script_path, script).map_err(io(&script_path, "write"))?;
    tool::run(&tool::YOSYS, ["-s".as_ref(), script_path.as_os_str()], &sources.build, log)?;
    fs::read_to_string(&path).map_err(io(&path, "read"))
}

/// Joins the netlists of all modules, in Verilog and in JSON.
fn join(netlists: &[Netlist], aside: &Path) -> Result<(), SynthError> {
    let path = aside.join("netlist.v");
    let write = |path: &Path, parts: &mut dyn Iterator<Item = &[u8]>| -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for part in parts {
            file.write_all(part)?;
        }
        file.flush()
    };
    write(&path, &mut netlists.iter().map(|n| n.verilog.as_bytes())).map_err(io(&path, "write"))?;

    let path = aside.join("netlist.json");
    let mut parts = vec!["{\n  \"modules\": {\n".to_owned()];
    for (index, (name, text)) in module::modules(netlists)?.iter().enumerate() {
        let name = serde_json::to_string(name).expect("a text");
        parts.push(format!("{}    {name}: {}", if index > 0 { ",\n" } else { "" }, text.get()));
    }
    parts.push("\n  }\n}\n".to_owned());
    write(&path, &mut parts.iter().map(String::as_bytes)).map_err(io(&path, "write"))
}

fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> SynthError + use<> {
    let path = path.to_owned();
    move |source| SynthError::Io { path, action, source }
}
