//! What took long and is kept from run to run: models, proofs, netlists, each by a key of everything that it depends on.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// `HAFNIA_CACHE`, else `hafnia` in the user's cache folder.
pub(crate) fn folder() -> PathBuf {
    let under =
        |key: &str, rest: &str| std::env::var_os(key).filter(|v| !v.is_empty()).map(|v| Path::new(&v).join(rest));
    let folder = under("HAFNIA_CACHE", "")
        .or_else(|| under("XDG_CACHE_HOME", "hafnia"))
        .or_else(|| under("HOME", ".cache/hafnia"))
        .unwrap_or_else(|| std::env::temp_dir().join("hafnia-cache"));
    // Tools run in other folders than this process. Only an empty path cannot be made absolute.
    std::path::absolute(&folder).unwrap_or(folder)
}

/// A key from texts in a fixed order.
pub(crate) fn key<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
