//! Synthesis of a build directory with Yosys.
//!
//! The hierarchy is kept, so that area is reported by block; arrays stay black boxes and are counted. Memory images are
//! read from the build directory, where Yosys runs; nothing is written there.

mod area;
mod sources;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

pub use area::{Area, BlockArea, Counts, Variant};
pub use sources::{FILE_LIST, Sources, SourcesError};

use crate::tool::{self, ToolError};

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

    fn commands(self, top: &str) -> String {
        match self {
            Self::Generic => format!("synth -top {top} -noabc\nabc -g simple\nopt_clean\n"),
            Self::Lut4 => format!("synth -top {top} -lut 4\n"),
            Self::Lut6 => format!("synth -top {top} -lut 6\n"),
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

/// Synthesizes `build`. The netlist (Verilog and JSON) and the log go to a folder named after the
/// target in `out`, by default `BUILD-synth` beside the build directory.
pub fn synth(build: &Path, target: Target, out: Option<&Path>) -> Result<Area, SynthError> {
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
    let aside_path = aside.path();

    let script = format!(
        "{}\nhierarchy -check -top {top}\n{}check -assert\nwrite_verilog -noattr \"{netlist}.v\"\n\
         write_json \"{netlist}.json\"\n",
        sources.read_command(),
        target.commands(&sources.top),
        top = sources.top,
        netlist = aside_path.join("netlist").display(),
    );
    let script_path = aside_path.join("synth.ys");
    fs::write(&script_path, script).map_err(io(&script_path, "write"))?;
    let log = folder.join("yosys.log");
    tool::run(&tool::YOSYS, ["-s".as_ref(), script_path.as_os_str()], &sources.build, &log)?;

    let json = aside_path.join("netlist.json");
    let text = fs::read_to_string(&json).map_err(io(&json, "read"))?;
    let mut area = Area::from_netlist(&text, &sources.top, target)?;
    for name in ["netlist.v", "netlist.json"] {
        let path = folder.join(name);
        fs::rename(aside_path.join(name), &path).map_err(io(&path, "write"))?;
    }
    area.netlist = folder.join("netlist.v");
    area.yosys = tool::YOSYS.version()?;
    area.seconds = Duration::as_secs_f64(&start.elapsed());
    Ok(area)
}

fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> SynthError + use<> {
    let path = path.to_owned();
    move |source| SynthError::Io { path, action, source }
}
