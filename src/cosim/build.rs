//! A build directory, read back.

use std::path::{Path, PathBuf};

use super::{CosimError, io};
use crate::emit::{FAULTS, Manifest};
use crate::fault_map;
use crate::hardware::Hardware;
use crate::network::{self, Network};
use crate::plan::{self, Plan};

/// A build directory with the network and the plan that it was made from.
pub struct Build {
    pub path: PathBuf,
    pub manifest: Manifest,
    pub network: Network,
    pub plan: Plan,
    /// Files that differ from the manifest: edited by hand. They are verified as they stand.
    pub differences: Vec<String>,
}

impl Build {
    /// Reads the network, the hardware and the fault map, plans again and compares with `plan.json`.
    pub fn open(path: &Path) -> Result<Self, CosimError> {
        let manifest = Manifest::load(path)?;
        let network = network::load(&path.join("network.safetensors"))?;
        let hardware = Hardware::load(&path.join("hardware.toml"))?;
        let map = path.join(FAULTS);
        let faults = if map.is_file() {
            let text = std::fs::read_to_string(&map).map_err(io(&map, "read the fault map"))?;
            fault_map::read(&text).map_err(|source| CosimError::FaultMap { path: map, source })?
        } else {
            Vec::new()
        };
        let plan = plan::plan_with_faults(&network, &hardware, faults)?;
        let file = path.join("plan.json");
        let written = std::fs::read_to_string(&file).map_err(io(&file, "read the plan"))?;
        if written != plan.to_json() {
            return Err(CosimError::StalePlan { path: file });
        }
        let differences = manifest.differences(path);
        Ok(Self { path: path.into(), manifest, network, plan, differences })
    }
}
