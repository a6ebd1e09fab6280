//! A case as data: what is built, what it is shown, and how that ends.

use std::path::Path;

use hafnia::fault_map;
use hafnia::network::{self, Network};
use ndarray::Array2;
use serde_json::Value;

use super::common::{Ended, command, ended};

const GENERATE: &str = "generate network.safetensors --hardware hardware.toml --faults faults.json -o build";

/// Resets of the run with stalls.
const RESETS: usize = 2;

/// Everything that a run of hafnia depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub network: Network,
    /// `hardware.toml`.
    pub hardware: toml::Table,
    /// Cells of the chip that are faulty.
    pub faulty: Vec<fault_map::Fault>,
    /// One a row.
    pub images: Array2<u8>,
    /// Seed of the second run, with stalls and resets; without one, there is no such run.
    pub stalls: Option<u64>,
    pub simulator: &'static str,
    /// A fault planted in the build directory.
    pub fault: Option<Fault>,
}

/// `from` becomes `to` in a file of the build directory, once a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub file: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// Simulation and golden model are equal, and the hardware-free evaluation where the plan is exact.
    Held,
    /// Hardware that cannot do it, and says so.
    Refused,
    Failed(Failure),
}

#[derive(Clone, Debug)]
pub struct Failure {
    /// What went wrong, without what changes with the size of the network.
    pub kind: String,
    /// All that was said.
    pub text: String,
}

/// Failures of one kind have one cause, as far as one can tell from outside.
impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// What hardware cannot do for a network, and says.
const REFUSALS: [&str; 8] = [
    "divides the sigma of a batch norm, and it has none",
    "do not fit 32 bits",
    "exceed 31 bits",
    "a single column's cell holds no 0",
    "does not know padding from -1",
    "has no word line state for three values",
    "shifts every score",
    "which one cell pair cannot hold",
];

impl Case {
    /// Its files in a folder, the last with the commands that run it.
    pub const FILES: [&str; 5] = ["network.safetensors", "hardware.toml", "faults.json", "images.npy", "reproduce.sh"];

    pub fn write(&self, folder: &Path) {
        let [network, hardware, faults, images, script] = Self::FILES.map(|f| folder.join(f));
        network::save(&self.network, &network).unwrap();
        std::fs::write(hardware, toml::to_string(&self.hardware).unwrap()).unwrap();
        std::fs::write(faults, fault_map::write(&self.faulty)).unwrap();
        ndarray_npy::write_npy(images, &self.images).unwrap();
        std::fs::write(script, self.script()).unwrap();
    }

    /// Writes it into an empty folder and runs it there.
    pub fn run(&self, folder: &Path) -> Outcome {
        self.write(folder);
        let hafnia = |line: &str| ended(command(line.split(' ')).current_dir(folder));
        let made = hafnia(GENERATE);
        match made.code {
            0 => {}
            2 if REFUSALS.iter().any(|r| made.stderr.contains(r)) => return Outcome::Refused,
            _ => return Outcome::Failed(Failure::said("generate", &made)),
        }
        if let Some(fault) = self.fault {
            fault.plant(&folder.join("build"));
        }
        let verified = hafnia(&(self.verify() + " --json"));
        if !(0..=1).contains(&verified.code) {
            return Outcome::Failed(Failure::said("verify", &verified));
        }
        let verdict = verified.json();
        let broken = broken(&verdict).or_else(|| self.left_out(&verdict));
        match (verified.code, broken) {
            (0, None) => Outcome::Held,
            (code, broken) => {
                let kind = format!("verify ends with {code}: {}", broken.unwrap_or("nothing that is known"));
                Outcome::Failed(Failure { kind, text: format!("{verdict:#}") })
            }
        }
    }

    fn verify(&self) -> String {
        let stalled = match self.stalls {
            Some(seed) => format!("{} --resets {RESETS} --seed {seed}", self.images.nrows()),
            None => "0".into(),
        };
        format!("verify build --dataset images.npy --simulator {} --stalled {stalled}", self.simulator)
    }

    /// What a verdict that holds did not look at.
    fn left_out(&self, verdict: &Value) -> Option<&'static str> {
        let images = Value::from(self.images.nrows());
        if verdict["images"] != images || verdict["compared"].as_u64() < Some(1) {
            return Some("too little was compared");
        }
        let stalled = &verdict["stalled"]["images"];
        (self.stalls.is_some() && *stalled != images).then_some("too little was compared under stalls")
    }

    /// Its commands, for a shell.
    fn script(&self) -> String {
        let fault = self.fault.map_or(String::new(), |f| f.command() + "\n");
        format!(
            "#!/bin/sh\n# Ends with the exit code of what failed. HAFNIA names the command, where it is not on the PATH.\n\
             set -e\ncd \"$(dirname \"$0\")\"\nhafnia=${{HAFNIA:-hafnia}}\n\
             \"$hafnia\" {GENERATE}\n{fault}\"$hafnia\" {}\n",
            self.verify()
        )
    }
}

/// The first check that broke, or none.
fn broken(verdict: &Value) -> Option<&'static str> {
    let stalled = &verdict["stalled"];
    let wrong = |count: &Value| count.as_u64() != Some(0);
    let checks = [
        ("simulation and golden model differ", wrong(&verdict["mismatches"])),
        ("they differ under stalls", !stalled.is_null() && wrong(&stalled["mismatches"])),
        (
            "golden model and hardware-free evaluation differ",
            verdict["plan_is_exact"] == true && wrong(&verdict["reference_mismatches"]),
        ),
        ("it is stuck", verdict["stuck"] != false),
        ("the stream's protocol is broken", wrong(&verdict["protocol_faults"])),
        ("cycles differ from the plan's", verdict["cycles_equal"] != true),
        ("resets did not fall", stalled["resets"] != stalled["resets_asked"]),
    ];
    checks.iter().find(|(_, broke)| *broke).map(|(check, _)| *check)
}

impl Failure {
    /// A command that ended with an error: of the same kind are those with the same words.
    fn said(verb: &str, ended: &Ended) -> Self {
        let line =
            ended.stderr.lines().find(|l| !l.trim().is_empty() && !l.starts_with("warning:")).unwrap_or_default();
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphabetic() || ",;:".contains(c));
        let words: Vec<&str> = line.split_whitespace().filter(plain).collect();
        let kind = format!("{verb} ends with {}: {}", ended.code, words.join(" "));
        Self { kind, text: format!("{}\n{}", ended.stdout, ended.stderr) }
    }
}

impl Fault {
    fn plant(self, build: &Path) {
        let path = build.join(self.file);
        let old = std::fs::read_to_string(&path).unwrap();
        let new: Vec<String> = old.lines().map(|l| l.replacen(self.from, self.to, 1) + "\n").collect();
        assert_ne!(old, new.concat(), "{}: nothing to edit", self.file);
        std::fs::write(path, new.concat()).unwrap();
    }

    /// The same, for a shell.
    fn command(self) -> String {
        format!("sed -i.bak 's/{}/{}/' build/{}", self.from, self.to, self.file)
    }
}

/// The network layer by layer, then the hardware.
impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { network, images, stalls, .. } = self;
        let stalls = if stalls.is_some() { ", with stalls" } else { "" };
        writeln!(f, "{} images of {:?}{stalls}", images.nrows(), network.input.shape)?;
        for layer in &network.layers {
            let (neurons, inputs) = (layer.neurons(), layer.inputs());
            writeln!(f, "  {}: {:?}, {neurons} x {inputs} {:?} weights", layer.name, layer.op, layer.weights.kind)?;
        }
        self.faulty.iter().try_for_each(|fault| writeln!(f, "  {fault:?}"))?;
        write!(f, "{}", self.hardware)
    }
}
