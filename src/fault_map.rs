//! Faulty cells of a chip's arrays: a list as JSON, as `hafnia march --map` writes it.

use serde::{Deserialize, Serialize};

/// A cell that does not do what it is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub layer: String,
    /// Array along inputs, and along neurons.
    pub split: usize,
    pub tile: usize,
    /// Word line.
    pub line: usize,
    /// Place on the word line.
    pub cell: usize,
    pub kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Never leaves HRS.
    StuckHrs,
    /// Never leaves LRS.
    StuckLrs,
    /// Switches with every second pulse only.
    Slow,
}

impl FaultKind {
    /// Whether the cell is LRS for good, or HRS.
    pub fn stuck_at_lrs(self) -> Option<bool> {
        match self {
            Self::StuckHrs => Some(false),
            Self::StuckLrs => Some(true),
            Self::Slow => None,
        }
    }
}

/// A list of faults as JSON.
pub fn read(text: &str) -> Result<Vec<Fault>, serde_json::Error> {
    serde_json::from_str(text)
}

/// The text of a list, which [`read`] reads.
pub fn write(faults: &[Fault]) -> String {
    serde_json::to_string_pretty(faults).expect("faults are plain data") + "\n"
}
