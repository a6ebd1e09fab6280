//! Arguments that several verbs share, and what they load.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::hardware::Hardware;
use crate::network::{self, InputCode, Network};
use crate::plan::{self, Plan};

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

pub(super) fn plan(network: &Network, hardware: &Hardware, path: Option<&Path>) -> Result<Plan> {
    let place = path.map_or("default hardware".into(), |p| p.display().to_string());
    plan::plan(network, hardware).with_context(|| format!("{place}: {} does not fit", network.name))
}

/// A data set.
#[derive(clap::Args)]
pub(super) struct DataArgs {
    /// digits, mnist, cifar10, omniglot, or FILE.npy.
    #[arg(long, default_value = "digits")]
    pub dataset: String,
    /// Folder of the data set, or one that holds mnist/, cifar10/, omniglot/; absent: HAFNIA_DATA.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Start at this image.
    #[arg(long, default_value_t = 0)]
    pub first: usize,
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
        Ok(set.slice(self.first, self.images)?)
    }
}
