use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::{Answer, Outcome};
use crate::check::prove::{self, Options, Proofs, Status};
use crate::text::table;

/// Prove every block, at every parameter set that a build directory uses, equal to a plain reference.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Build directory.
    build: PathBuf,
    /// Seconds that one check may take.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Checks at a time; 0: one a core.
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Where proofs are kept for the same sources and tools; absent: the user's cache folder.
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Prove everything anew.
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
    /// Keep scripts and logs here.
    #[arg(long)]
    work: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let mut options =
        Options { limit: Duration::from_secs(args.limit), jobs: args.jobs, work: args.work, ..Options::default() };
    if args.no_cache {
        options.cache = None;
    } else if args.cache.is_some() {
        options.cache = args.cache;
    }
    let proofs = prove::prove(&args.build, &options)?;
    let outcome = if proofs.held { Outcome::Held } else { Outcome::Failed };
    Ok(Answer { text: text(&proofs), json: serde_json::to_value(&proofs)?, outcome })
}

fn text(proofs: &Proofs) -> String {
    let mut rows = vec![["block", "seconds", "verdict and method", "parameters"].map(String::from)];
    let mut failures = String::new();
    for b in &proofs.blocks {
        let verdict = match &b.status {
            Status::Proven => "proven".to_string(),
            Status::ProvenByComposition => "proven by composition".into(),
            Status::ProvenAtReducedSize { reduced } => format!("proven at reduced size ({reduced})"),
            Status::Failed { check, counterexample, note } => {
                let note = note.as_ref().map_or(String::new(), |n| format!(": {n}"));
                failures += &format!("{} fails {check}{note}\n", b.block);
                for a in counterexample {
                    failures += &format!("  cycle {}: {} = {}\n", a.cycle, a.signal, a.value);
                }
                "FAILED".into()
            }
            Status::Unproven { reason } => format!("no verdict: {reason}"),
        };
        let kept = if b.from_cache { " (kept)" } else { "" };
        rows.push([
            b.block.clone(),
            format!("{:.1}{kept}", b.seconds),
            format!("{verdict}, {}", b.methods.join(", ")),
            prove::written(&b.parameters),
        ]);
    }
    format!(
        "{}{failures}proven {}, by composition {}, at reduced size {}, failed {}, no verdict {}; not proven here: {}\n{}\n",
        table(&rows),
        proofs.proven,
        proofs.proven_by_composition,
        proofs.proven_at_reduced_size,
        proofs.failed,
        proofs.unproven,
        proofs.not_proven_here.join(", "),
        match (proofs.held, proofs.failed) {
            (true, _) => "HELD",
            (false, 0) => "NOT HELD: a block has no verdict in time; a longer --limit may give one",
            (false, _) => "FAILED",
        }
    )
}
