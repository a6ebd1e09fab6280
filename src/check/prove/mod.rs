//! Proves every block of a build directory, at every parameter set the build uses, equal to a plain reference.
//!
//! ```text
//! build dir ─► elaborate ─► (block, parameters) ─► obligations ─► engine ─► verdict
//!                                     └─────────── cache ───────────────────┘
//! ```
//!
//! The blocks are read from the build directory as they stand; the references, `rtl/formal/`, come with this program.
//! Verdicts are reported apart: proven as is, proven by composition (several checks that together make the proof), proven
//! at reduced size. A check that fails comes with the inputs that make it fail.

mod block;
mod cache;
mod elaborate;
mod engine;
mod library;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use include_dir::{Dir, include_dir};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

pub use elaborate::{Parameters, Value};
pub use engine::Assignment;

use crate::synth::{Sources, SourcesError};
use crate::tool::{self, ToolError};
use block::Obligation;
use engine::{Job, Outcome};
use library::Library;

static FORMAL: Dir = include_dir!("$CARGO_MANIFEST_DIR/rtl/formal");
#[cfg(test)]
static LIBRARY: Dir = include_dir!("$CARGO_MANIFEST_DIR/rtl");

#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error(transparent)]
    Sources(#[from] SourcesError),

    #[error(transparent)]
    Tool(#[from] ToolError),

    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },

    #[error("{}: {reason}", path.display())]
    Yosys { path: PathBuf, reason: String },

    #[error("`{module}` stands in no file of {}", list.display())]
    NoSource { module: String, list: PathBuf },

    #[error("{}: a path with quotes or line breaks cannot stand in a Yosys script", path.display())]
    Path { path: PathBuf },

    #[error("{module} ({parameters}): {source}")]
    In { module: String, parameters: String, source: Box<ProveError> },
}

impl ProveError {
    /// Whether an external tool is missing or broke, rather than the input being bad.
    pub fn is_tool(&self) -> bool {
        match self {
            Self::Tool(_) | Self::Yosys { .. } => true,
            Self::In { source, .. } => source.is_tool(),
            _ => false,
        }
    }
}

/// How to prove.
#[derive(Debug, Clone)]
pub struct Options {
    /// For one check at one parameter set.
    pub limit: Duration,
    /// Checks at a time; 0 for one a core.
    pub jobs: usize,
    /// Where proofs are kept; `None` for nowhere.
    pub cache: Option<PathBuf>,
    /// Where scripts and logs stay; `None` for a temporary folder that is removed.
    pub work: Option<PathBuf>,
    /// References in place of the ones that come with this program, for tests of the checks themselves.
    pub formal: Option<PathBuf>,
    pub progress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(300),
            jobs: 0,
            cache: Some(crate::cache::folder().join("proofs")),
            work: None,
            formal: None,
            progress: true,
        }
    }
}

/// What is known about a block at one parameter set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Status {
    Proven,
    /// Several checks that make the proof together.
    ProvenByComposition,
    /// A smaller block of the same kind was proven; `reduced` says which.
    ProvenAtReducedSize {
        reduced: String,
    },
    Failed {
        /// The check that fails.
        check: String,
        counterexample: Vec<Assignment>,
        note: Option<String>,
    },
    /// No verdict in the time given.
    Unproven {
        reason: String,
    },
}

impl Status {
    pub fn holds(&self) -> bool {
        matches!(self, Self::Proven | Self::ProvenByComposition | Self::ProvenAtReducedSize { .. })
    }
}

/// A block's verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockProof {
    pub block: String,
    pub parameters: Parameters,
    #[serde(flatten)]
    pub status: Status,
    /// One word group a check: `decision diagram`, `SAT sweeping`, `induction (SAT)`.
    pub methods: Vec<String>,
    /// Cycles of an interval or steps of an induction, the most that any check took.
    pub depth: usize,
    pub seconds: f64,
    pub from_cache: bool,
}

/// The verdicts of a build.
#[derive(Debug, Clone, Serialize)]
pub struct Proofs {
    pub blocks: Vec<BlockProof>,
    pub proven: usize,
    pub proven_by_composition: usize,
    pub proven_at_reduced_size: usize,
    pub failed: usize,
    pub unproven: usize,
    /// Whether every block holds: none failed, and none is without a verdict.
    pub held: bool,
    pub from_cache: usize,
    /// Modules that have no check here: compositions, banks and the top are compared in co-simulation, arrays are black boxes.
    pub not_proven_here: Vec<String>,
    pub yosys: String,
    pub seconds: f64,
}

/// Proves the blocks of `build`.
pub fn prove(build: &Path, options: &Options) -> Result<Proofs, ProveError> {
    let start = Instant::now();
    let sources = Sources::read(build)?;
    let versions = format!("{} {}", tool::YOSYS.version()?, tool::YOSYS_ABC.version()?);
    let tools = format!("{}\n{}", tool::YOSYS.banner()?, tool::YOSYS_ABC.banner()?);
    let temporary;
    let work: &Path = match &options.work {
        Some(work) => {
            fs::create_dir_all(work).map_err(io(work, "make"))?;
            work
        }
        None => {
            temporary = tempfile::tempdir().map_err(io(&std::env::temp_dir(), "make a folder in"))?;
            temporary.path()
        }
    };
    let work = &fs::canonicalize(work).map_err(io(work, "open"))?;

    let library = Library::read(&sources)?;
    let mut blocks = Vec::new();
    let mut not_proven_here = vec![sources.top.clone()];
    for used in elaborate::uses(&sources, work)? {
        match block::obligations(&used.module, &used.parameters) {
            Some(obligations) => blocks.push((used, obligations)),
            None => {
                let what = match &used.module {
                    name if block::is_array(name) => format!("{name} (black box)"),
                    name if block::is_composition(name) || block::is_bank(name) => {
                        format!("{name} (covered by co-simulation)")
                    }
                    name => format!("{name} (no check)"),
                };
                if !not_proven_here.contains(&what) {
                    not_proven_here.push(what);
                }
            }
        }
    }
    not_proven_here[0].push_str(" (covered by co-simulation)");

    let bar = progress(options, blocks.len());
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<BlockProof, ProveError>>>> =
        Mutex::new(std::iter::repeat_with(|| None).take(blocks.len()).collect());
    let jobs = match options.jobs {
        0 => std::thread::available_parallelism().map_or(1, |count| count.get()),
        jobs => jobs,
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(blocks.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((used, obligations)) = blocks.get(index) else { break };
                    bar.set_message(used.module.clone());
                    let prover = Prover {
                        sources: &sources,
                        library: &library,
                        options,
                        tools: &tools,
                        work: work.join(format!("{index:03}_{}", used.module)),
                    };
                    let result =
                        prover.block(&used.module, &used.parameters, obligations).map_err(|source| ProveError::In {
                            module: used.module.clone(),
                            parameters: written(&used.parameters),
                            source: Box::new(source),
                        });
                    results.lock().unwrap_or_else(|p| p.into_inner())[index] = Some(result);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();

    let blocks = results
        .into_inner()
        .unwrap_or_else(|p| p.into_inner())
        .into_iter()
        .map(|result| result.expect("every block was taken"))
        .collect::<Result<Vec<_>, _>>()?;
    let count = |which: fn(&Status) -> bool| blocks.iter().filter(|block| which(&block.status)).count();
    Ok(Proofs {
        proven: count(|status| matches!(status, Status::Proven)),
        proven_by_composition: count(|status| matches!(status, Status::ProvenByComposition)),
        proven_at_reduced_size: count(|status| matches!(status, Status::ProvenAtReducedSize { .. })),
        failed: count(|status| matches!(status, Status::Failed { .. })),
        unproven: count(|status| matches!(status, Status::Unproven { .. })),
        held: blocks.iter().all(|block| block.status.holds()),
        from_cache: blocks.iter().filter(|block| block.from_cache).count(),
        blocks,
        not_proven_here,
        yosys: versions,
        seconds: start.elapsed().as_secs_f64(),
    })
}

struct Prover<'a> {
    sources: &'a Sources,
    library: &'a Library,
    options: &'a Options,
    /// What they say of their versions.
    tools: &'a str,
    work: PathBuf,
}

impl Prover<'_> {
    fn block(
        &self,
        module: &str,
        parameters: &Parameters,
        obligations: &[Obligation],
    ) -> Result<BlockProof, ProveError> {
        let start = Instant::now();
        let files = self.library.closure(module)?;
        let key = self.key(&files, parameters, obligations)?;
        // With more time a block that was too slow for its full size may be proven at it.
        let in_time = format!("{key}-{}s", self.options.limit.as_secs());
        let known = self
            .options
            .cache
            .as_ref()
            .and_then(|folder| [&key, &in_time].into_iter().find_map(|key| cache::load(folder, key)));
        if let Some(proof) = known {
            return Ok(proof);
        }

        let paths: Vec<PathBuf> = files.values().map(|file| file.0.clone()).collect();
        let too_large = block::too_large(module, parameters);
        let mut verdict = match too_large {
            true => {
                Verdict { status: Status::Unproven { reason: "too large".to_owned() }, methods: Vec::new(), depth: 0 }
            }
            false => self.all(obligations, &paths, "")?,
        };
        if matches!(verdict.status, Status::Unproven { .. })
            && let Some((sizes, reduced)) = block::reduced(module, parameters)
        {
            let mut second = Verdict { status: Status::Proven, methods: Vec::new(), depth: 0 };
            for (k, smaller) in sizes.iter().enumerate() {
                let obligations = block::obligations(module, smaller).expect("a block with a check");
                let one = self.all(&obligations, &paths, &format!("reduced{k}_"))?;
                let holds = one.status.holds();
                second.depth = second.depth.max(one.depth);
                second.methods.extend(one.methods);
                second.status = one.status;
                if !holds {
                    break;
                }
            }
            verdict = match second.status {
                Status::Proven | Status::ProvenByComposition => {
                    Verdict { status: Status::ProvenAtReducedSize { reduced }, ..second }
                }
                Status::Failed { .. } => second,
                _ => verdict,
            };
        }
        let proof = BlockProof {
            block: module.to_owned(),
            parameters: parameters.clone(),
            status: verdict.status,
            methods: verdict.methods,
            depth: verdict.depth,
            seconds: start.elapsed().as_secs_f64(),
            from_cache: false,
        };
        if let Some(folder) = &self.options.cache {
            let was_slow = !too_large && matches!(proof.status, Status::ProvenAtReducedSize { .. });
            cache::store(folder, if was_slow { &in_time } else { &key }, &proof)?;
        }
        Ok(proof)
    }

    /// Decides obligations one after the other, up to the first that does not hold.
    fn all(&self, obligations: &[Obligation], files: &[PathBuf], prefix: &str) -> Result<Verdict, ProveError> {
        let status = if obligations.len() > 1 { Status::ProvenByComposition } else { Status::Proven };
        let mut verdict = Verdict { status, methods: Vec::new(), depth: 0 };
        for obligation in obligations {
            let work = self.work.join(format!("{prefix}{}", obligation.check));
            fs::create_dir_all(&work).map_err(io(&work, "make"))?;
            let check = work.join(format!("{}.sv", obligation.check));
            write(&check, &self.check_text(obligation.check)?)?;
            let mut files = files.to_vec();
            files.push(check);
            let job =
                Job { obligation, build: &self.sources.build, files: &files, work: &work, limit: self.options.limit };
            match job.decide()? {
                Outcome::Holds { how, depth } => {
                    verdict.methods.push(how);
                    verdict.depth = verdict.depth.max(depth);
                }
                Outcome::Fails { how, depth, counterexample, note } => {
                    let status = Status::Failed { check: obligation.check.to_owned(), counterexample, note };
                    return Ok(Verdict { status, methods: vec![how], depth });
                }
                Outcome::Open { reason } => {
                    return Ok(Verdict { status: Status::Unproven { reason }, methods: Vec::new(), depth: 0 });
                }
            }
        }
        Ok(verdict)
    }

    fn check_text(&self, check: &str) -> Result<String, ProveError> {
        match &self.options.formal {
            None => check_source(check).map(str::to_owned),
            Some(folder) => {
                let path = folder.join(format!("{check}.sv"));
                fs::read_to_string(&path).map_err(io(&path, "read"))
            }
        }
    }

    /// Everything a verdict depends on: sources, references, parameters, memory images, tools.
    fn key(
        &self,
        files: &BTreeMap<&str, &(PathBuf, String)>,
        parameters: &Parameters,
        obligations: &[Obligation],
    ) -> Result<String, ProveError> {
        let mut parts: Vec<Vec<u8>> = vec![self.tools.into(), written(parameters).into()];
        for (name, (_, text)) in files {
            parts.push((*name).into());
            parts.push(text.clone().into());
        }
        let sources: Vec<&Path> = files.values().map(|file| file.0.as_path()).collect();
        for path in crate::includes::included(&sources, &self.sources.build) {
            parts.push(fs::read(&path).map_err(io(&path, "read"))?);
        }
        for obligation in obligations {
            parts.push(format!("{obligation:?}").into());
            parts.push(self.check_text(obligation.check)?.into());
        }
        for name in ["InitFile", "Name"] {
            let Some(Value::Text(text)) = parameters.get(name) else { continue };
            let images = match name {
                "InitFile" => vec![text.clone()],
                _ => vec![format!("{text}affine.mem"), format!("{text}table.mem")],
            };
            for image in images {
                // Not every block with a name has every image.
                parts.push(fs::read(self.sources.build.join("mem").join(image)).unwrap_or_default());
            }
        }
        Ok(cache::key(parts.iter().map(Vec::as_slice)))
    }
}

struct Verdict {
    status: Status,
    methods: Vec<String>,
    depth: usize,
}

/// The text of a check that comes with this program.
fn check_source(check: &str) -> Result<&'static str, ProveError> {
    let path = format!("{check}.sv");
    FORMAL
        .get_file(&path)
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| ProveError::NoSource { module: check.to_owned(), list: PathBuf::from("rtl/formal") })
}

/// Parameters as a person reads them.
pub fn written(parameters: &Parameters) -> String {
    parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

fn progress(options: &Options, blocks: usize) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} blocks  {elapsed}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(blocks as u64).with_style(style)
}

/// A path as a word of a Yosys script.
fn quoted(path: &Path) -> Result<String, ProveError> {
    match path.to_str() {
        Some(text) if !text.contains(['"', '\n', '\r']) => Ok(format!("\"{text}\"")),
        _ => Err(ProveError::Path { path: path.to_owned() }),
    }
}

fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> ProveError + use<> {
    let path = path.to_owned();
    move |source| ProveError::Io { path, action, source }
}

fn write(path: &Path, text: &str) -> Result<(), ProveError> {
    fs::write(path, text).map_err(io(path, "write"))
}
