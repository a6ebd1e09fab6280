//! Arguments that several verbs share, and what they load.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fault_map::{self, Fault};
use crate::hardware::Hardware;
use crate::network::{self, InputCode, Network};
use crate::plan::{self, Plan, PlanError};

/// A network file, its bytes and its meaning.
pub(super) struct NetworkFile {
    pub bytes: Vec<u8>,
    pub network: Network,
}

pub(super) fn network(path: &Path) -> Result<NetworkFile> {
    let network = network::load(path)?;
    let bytes = std::fs::read(path).with_context(|| format!("{}: cannot read", path.display()))?;
    Ok(NetworkFile { bytes, network })
}

/// `--hardware H.toml`; absent: every default.
pub(super) fn hardware(path: Option<&Path>) -> Result<(Vec<u8>, Hardware)> {
    match path {
        None => Ok((Vec::new(), Hardware::default())),
        Some(path) => {
            let hardware = Hardware::load(path)?;
            let bytes = std::fs::read(path).with_context(|| format!("{}: cannot read", path.display()))?;
            Ok((bytes, hardware))
        }
    }
}

/// Hardware and the fault map of a chip.
#[derive(clap::Args)]
pub(super) struct HardwareArgs {
    /// Hardware description; absent: every default.
    #[arg(long)]
    pub hardware: Option<PathBuf>,
    /// Faulty cells of the chip, as `march --map` lists them: spares take their place, see docs/programming.md.
    #[arg(long)]
    pub faults: Option<PathBuf>,
}

impl HardwareArgs {
    /// The bytes of the hardware description, and the plan.
    pub fn plan(&self, network: &Network) -> Result<(Vec<u8>, Plan)> {
        let (bytes, hardware) = hardware(self.hardware.as_deref())?;
        let faults = faults(self.faults.as_deref())?;
        let plan = plan::plan_with_faults(network, &hardware, faults).map_err(|error| {
            let place = match (&error, &self.faults) {
                (PlanError::Faults { .. }, Some(map)) => map.display().to_string(),
                _ => format!("{}: {} does not fit", place(self.hardware.as_deref()), network.name),
            };
            anyhow::Error::new(error).context(place)
        })?;
        Ok((bytes, plan))
    }
}

/// The faults of a file; none without one.
pub(super) fn faults(path: Option<&Path>) -> Result<Vec<Fault>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot read", path.display()))?;
    fault_map::read(&text).with_context(|| format!("{}: not a list of faults", path.display()))
}

pub(super) fn plan(network: &Network, hardware: &Hardware, path: Option<&Path>) -> Result<Plan> {
    plan::plan(network, hardware).with_context(|| format!("{}: {} does not fit", place(path), network.name))
}

fn place(path: Option<&Path>) -> String {
    path.map_or("default hardware".into(), |p| p.display().to_string())
}

/// A data set.
#[derive(clap::Args)]
pub(super) struct DataArgs {
    /// digits, mnist, cifar10, omniglot, arrays, or FILE.npy.
    #[arg(long, default_value = "digits")]
    pub dataset: String,
    /// Folder of the data set, or one that holds mnist/, cifar10/, omniglot/, arrays/; absent: HAFNIA_DATA.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Start at this image.
    #[arg(long, default_value_t = 0)]
    pub first: usize,
    /// Take every K-th image from there: CIFAR-10's test images stand class by class, so that the first of them are all alike.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub every: u32,
    /// Take this many images; absent: all.
    #[arg(long)]
    pub images: Option<usize>,
}

impl DataArgs {
    /// The chosen images in the size that the network takes, checked against its input.
    pub fn open(&self, network: &Network) -> Result<crate::data::Dataset> {
        let set = crate::data::open_for(&self.dataset, self.data.as_deref(), &network.input.shape)?;
        set.check_fits(&network.input.shape)?;
        if network.input.code == InputCode::Bipolar {
            set.check_bits()?;
        }
        Ok(set.chosen(self.first, self.every as usize, self.images)?)
    }
}
