//! Files that Verilog sources include: what is made from the sources depends on them, too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that `sources`, and what they include, name in `` `include "..." ``, as seen from the folder in which a tool runs and from
/// that of the file itself. A name that leads nowhere is left to the tool, which says so.
pub(crate) fn included(sources: &[&Path], run_in: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open: Vec<PathBuf> = sources.iter().map(|path| path.to_path_buf()).collect();
    while let Some(file) = open.pop() {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let places = [Some(run_in), file.parent()];
        for name in text.split("`include").skip(1).filter_map(quoted) {
            for path in places.iter().flatten().map(|folder| folder.join(name)).filter(|path| path.is_file()) {
                if found.insert(path.clone()) {
                    open.push(path);
                }
            }
        }
    }
    found
}

/// What stands in the quotes that follow.
fn quoted(rest: &str) -> Option<&str> {
    rest.trim_start().strip_prefix('"')?.split_once('"').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        let top = write(
            "rtl/top.sv",
            "`include \"macro.vh\"\nmodule top; `include \"beside.vh\" endmodule\n`include MACRO\n",
        );
        let beside = write("rtl/beside.vh", "`include \"absent.vh\"\n`include \"top.sv\"\n");
        let outer = write("macro.vh", "");
        let found = included(&[&top], folder.path());
        assert_eq!(found, BTreeSet::from([outer, beside, top.clone()]));
        assert!(included(&[&folder.path().join("none.sv")], folder.path()).is_empty());
    }
}
