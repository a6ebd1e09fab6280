//! The sources of a build directory, module by module.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{ProveError, io};
use crate::synth::Sources;

/// The build's files by the module each holds: one module a file, of the same name.
pub struct Library {
    list: PathBuf,
    files: BTreeMap<String, (PathBuf, String)>,
}

impl Library {
    pub fn read(sources: &Sources) -> Result<Self, ProveError> {
        let mut files = BTreeMap::new();
        for name in &sources.files {
            let path = sources.build.join(name);
            let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
            let module = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            files.insert(module, (path, text));
        }
        Ok(Self { list: sources.build.join(crate::synth::FILE_LIST), files })
    }

    /// The file of a module and of all modules it names, and theirs.
    pub fn closure(&self, module: &str) -> Result<BTreeMap<&str, &(PathBuf, String)>, ProveError> {
        let mut found = BTreeMap::new();
        let mut open = vec![module];
        while let Some(name) = open.pop() {
            let Some((name, file)) = self.files.get_key_value(name) else {
                return Err(ProveError::NoSource { module: name.to_owned(), list: self.list.clone() });
            };
            if found.insert(name.as_str(), file).is_none() {
                let words = file.1.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                open.extend(words.filter(|word| word.starts_with("hf_") && self.files.contains_key(*word)));
            }
        }
        Ok(found)
    }
}
