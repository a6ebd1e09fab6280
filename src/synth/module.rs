//! Synthesis of one module.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::rtlil::Design;
use super::{SynthError, Target, area, io};
use crate::{cache, tool};

/// Raised when the way of synthesizing changes, so that old netlists are not taken for new ones.
const REVISION: u32 = 2;

/// A module's netlist. Others in it are black boxes.
pub(super) struct Netlist {
    pub name: String,
    pub verilog: String,
    json: String,
}

#[derive(Deserialize)]
struct Modules<'a> {
    #[serde(borrow)]
    modules: BTreeMap<String, &'a RawValue>,
}

impl Netlist {
    /// The module and the black boxes in it, as Yosys' JSON has them.
    fn modules(&self) -> Result<BTreeMap<String, &RawValue>, SynthError> {
        let modules: Result<Modules, _> = serde_json::from_str(&self.json);
        Ok(modules.map_err(|error| SynthError::Netlist { reason: error.to_string() })?.modules)
    }
}

/// The modules of all netlists as Yosys' JSON has them: each itself, not as a black box that stands for it in another.
pub(super) fn modules(netlists: &[Netlist]) -> Result<BTreeMap<String, &RawValue>, SynthError> {
    let mut all = BTreeMap::new();
    for netlist in netlists {
        for (name, text) in netlist.modules()? {
            if name == netlist.name {
                all.insert(name, text);
            } else {
                all.entry(name).or_insert(text);
            }
        }
    }
    Ok(all)
}

/// What all modules of a run share.
pub(super) struct Synthesis<'a> {
    pub design: &'a Design<'a>,
    pub target: Target,
    pub build: &'a Path,
    /// For scripts and results.
    pub aside: &'a Path,
    /// For the log of a run that fails.
    pub logs: &'a Path,
    pub kept: Option<&'a Path>,
}

impl Synthesis<'_> {
    /// Takes the netlist that is kept, or makes it.
    pub fn module(&self, index: usize, name: &str) -> Result<Netlist, SynthError> {
        let text = self.design.alone(name);
        let versions = [tool::YOSYS.banner()?, tool::YOSYS_ABC.banner()?];
        let revision = REVISION.to_le_bytes();
        let parts = [&revision, self.target.commands().as_bytes(), versions[0].as_bytes(), versions[1].as_bytes()];
        let key = cache::key(parts.into_iter().chain([name.as_bytes(), text.as_bytes()]));
        let kept = self.kept.map(|folder| folder.join(key));
        if let Some(folder) = &kept
            && let Ok(verilog) = fs::read_to_string(folder.join("netlist.v"))
            && let Ok(json) = fs::read_to_string(folder.join("netlist.json"))
        {
            return Ok(Netlist { name: name.to_owned(), verilog, json });
        }
        let made = self.make(index, name, &text)?;
        if let Some(folder) = &kept {
            keep(folder, &made).map_err(io(folder, "keep a netlist in"))?;
        }
        Ok(made)
    }

    fn make(&self, index: usize, name: &str, text: &str) -> Result<Netlist, SynthError> {
        let path = |extension: &str| self.aside.join(format!("{index}.{extension}"));
        let write = |extension: &str, text: &str| {
            let path = path(extension);
            fs::write(&path, text).map_err(io(&path, "write"))
        };
        write("il", text)?;
        let script = format!(
            "read_rtlil \"{}\"\n{}check -assert\nwrite_verilog -noattr \"{}\"\nwrite_json \"{}\"\n",
            path("il").display(),
            self.target.commands(),
            path("v").display(),
            path("json").display()
        );
        write("ys", &script)?;
        let log = self.logs.join(format!("{index:03}_{}.log", area::base(name)));
        tool::run(&tool::YOSYS, ["-s".as_ref(), path("ys").as_os_str()], self.build, &log)?;
        let read = |extension: &str| fs::read_to_string(path(extension)).map_err(io(&path(extension), "read"));
        let netlist = Netlist { name: name.to_owned(), verilog: read("v")?, json: read("json")? };
        for extension in ["il", "ys", "v", "json"] {
            let _ = fs::remove_file(path(extension));
        }
        let _ = fs::remove_file(&log);
        Ok(netlist)
    }
}

/// Writes aside and renames; another run may have been faster, which is as good.
fn keep(folder: &Path, netlist: &Netlist) -> std::io::Result<()> {
    let parent = folder.parent().expect("below the folder of all");
    fs::create_dir_all(parent)?;
    let aside = tempfile::Builder::new().prefix(".new-").tempdir_in(parent)?;
    fs::write(aside.path().join("netlist.v"), &netlist.verilog)?;
    fs::write(aside.path().join("netlist.json"), &netlist.json)?;
    let aside = aside.keep();
    match fs::rename(&aside, folder) {
        Err(_) if folder.is_dir() => fs::remove_dir_all(&aside),
        other => other,
    }
}
