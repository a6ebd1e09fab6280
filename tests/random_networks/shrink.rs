//! Shrinks a case that fails: whatever can go, or be simpler, while it fails in the same way. Greedy, and the same each
//! time.

mod passes;

use std::collections::HashSet;

use super::case::{Case, Failure, Outcome};

/// A case that fails, with nothing left that could go by itself.
pub struct Shrunk {
    pub case: Case,
    pub failure: Failure,
    /// Cases that were run.
    pub attempts: usize,
}

/// Runs up to `most` smaller cases.
pub fn shrink(case: &Case, failure: &Failure, most: usize) -> Shrunk {
    let mut best = Shrunk { case: case.clone(), failure: failure.clone(), attempts: 0 };
    let mut tried = HashSet::from([format!("{case:?}")]);
    // The first of these that was not tried before and fails.
    let mut step = |candidates: Vec<Case>, best: &mut Shrunk| {
        for candidate in candidates {
            if best.attempts == most || !tried.insert(format!("{candidate:?}")) {
                continue;
            }
            best.attempts += 1;
            match candidate.run(tempfile::tempdir().unwrap().path()) {
                Outcome::Failed(same) if same == *failure => {
                    (best.case, best.failure) = (candidate, same);
                    return true;
                }
                _ => {}
            }
        }
        false
    };
    step(passes::pinned(case).into_iter().collect(), &mut best);
    loop {
        let before = best.case.clone();
        for pass in passes::PASSES {
            // What a pass gives depends on what is left, so it begins again with every success.
            while step(pass(&best.case), &mut best) {}
        }
        if best.case == before {
            return best;
        }
    }
}
