//! Proofs that were found before, by a key of everything they depend on.

use std::fs;
use std::path::Path;

use super::{BlockProof, ProveError, io, write};

/// Raised when the way of proving changes, so that old results are not taken for new ones.
const REVISION: u32 = 2;

/// A key from texts in a fixed order.
pub fn key<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let parts: Vec<&[u8]> = parts.into_iter().collect();
    crate::cache::key([&REVISION.to_le_bytes()[..]].into_iter().chain(parts))
}

/// A proof from the cache; one that cannot be read is none.
pub fn load(folder: &Path, key: &str) -> Option<BlockProof> {
    let text = fs::read_to_string(folder.join(format!("{key}.json"))).ok()?;
    let proof: BlockProof = serde_json::from_str(&text).ok()?;
    proof.status.holds().then_some(BlockProof { from_cache: true, ..proof })
}

/// Keeps a proof. Only what holds is kept: a failure is worth finding again, and a limit of time may be raised.
pub fn store(folder: &Path, key: &str, proof: &BlockProof) -> Result<(), ProveError> {
    if !proof.status.holds() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(io(folder, "make"))?;
    let text = serde_json::to_string_pretty(proof).expect("a proof is plain data");
    let aside = folder.join(format!("{key}.{}.part", std::process::id()));
    write(&aside, &text)?;
    let path = folder.join(format!("{key}.json"));
    fs::rename(&aside, &path).map_err(io(&path, "write"))
}
