//! `hardware.toml`: the arrays, their readout, the clock and how the periphery is folded.
//!
//! Every key has a default; unknown keys are errors. A table `[layer.NAME]` holds any of the other keys for one layer.

mod defaults;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
pub enum HardwareError {
    #[error("{}: cannot read the hardware description: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: {reason}", path.display())]
    Toml { path: PathBuf, reason: String },
    #[error("hardware: {key} = {value}: {reason}")]
    Value { key: String, value: String, reason: String },
}

/// Hardware for a network: defaults, and what single layers have instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hardware {
    pub base: LayerHardware,
    /// Merged settings of the layers that have a table of their own, and whether it names a readout.
    pub layers: BTreeMap<String, (LayerHardware, bool)>,
    /// A few-shot memory behind the network, and the settings of its arrays.
    pub memory: Option<(Memory, LayerHardware)>,
    /// The cells of the layers' arrays can be written and read back over the register bus; absent: they are what they are made
    /// with.
    pub program: Option<Program>,
}

/// All keys, as they hold for one layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LayerHardware {
    pub readout: Readout,
    pub array: Array,
    pub clock: Clock,
    pub pcsa: Pcsa,
    pub sa: Sa,
    pub adc: Adc,
    pub digital: Digital,
    pub fold: Fold,
    pub stream: Stream,
}

/// A key-value memory for few-shot learning behind the network, whose last layer then gives features: the signs of its
/// scores. The table also takes `readout` (`pcsa` or `adc`), `array`, `pcsa`, `adc` and `fold` for the key memory's arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Keys that it holds.
    pub keys: usize,
    /// Labels are below this.
    pub classes: usize,
    pub sharpening: Sharpening,
    pub score: ClassScore,
    pub when_full: WhenFull,
    pub program: Program,
}

/// What a similarity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharpening {
    /// Its magnitude.
    Absolute,
    /// Itself.
    Plain,
}

/// How the similarities of a class's shots make its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassScore {
    Sum,
    /// For classes of unequal shots.
    Mean,
}

/// What a full memory does with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    Refuse,
    /// Puts it in the place of the oldest.
    Overwrite,
}

/// Writing cells: pulses, verification and retries. `[memory.program]` takes what it does not say from `[program]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Program {
    pub set_ns: f64,
    pub reset_ns: f64,
    /// A new cell's first pulse, over the register bus; in `[program]` only.
    pub form_ns: f64,
    /// Comparison of a single cell with the reference; 2 cycles at least.
    pub verify_ns: f64,
    /// Times that a word line is written before its failure is reported.
    pub attempts: usize,
    /// Code of the reference that a verify compares with; what it stands for is the macro's, 2 kOhm a step in the models.
    pub trim: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readout {
    #[default]
    Pcsa,
    Sa,
    Adc,
    Digital,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Array {
    /// Inputs of one array.
    pub inputs: usize,
    /// Neurons of one array.
    pub outputs: usize,
    /// Encoding of neurons on word lines (input-splitting, figure 2).
    pub neurons: Neurons,
    /// Columns a weight takes under `adc`.
    pub columns: Columns,
    /// Word lines of one array beyond those that it needs; under `sa` and `adc` those of so many inputs.
    pub spare_word_lines: usize,
    /// Columns of one array beyond those that it needs: pairs under `pcsa`, those of so many neurons under `sa` and `adc`.
    pub spare_columns: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Neurons {
    Bipolar,
    Unipolar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    Double,
    Single,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    pub mhz: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pcsa {
    /// Supply of the sense amplifiers: 0.6 or 1.2.
    pub supply_v: f64,
    pub precharge_ns: f64,
    pub window_ns: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sa {
    /// Word lines settle and the amplifiers latch.
    pub read_ns: f64,
    /// How thresholds of a layer trained whole are mapped onto its blocks.
    pub mapping: Mapping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// A block takes its share of the threshold.
    Shift,
    /// The paper's sentence to the letter: sigma is divided, too.
    Literal,
}

/// ADCs on the columns. A code is the number of levels that the column's sum reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adc {
    /// Bits of a code.
    pub bits: usize,
    /// Sums from minus to plus this are covered in equal steps; absent: exactly where the bits suffice, else all that can occur.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_scale: Option<f64>,
    /// Levels on the sum that are not in equal steps, 2^bits - 1 of them, ascending; with `values`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<i32>,
    /// Integer value of each of the 2^bits codes; with `levels`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<i32>,
    /// Sum that a value of 1 stands for; with `values`.
    pub unit: f64,
    pub conversion_ns: f64,
    /// Columns that share an ADC.
    pub columns_per_adc: usize,
    /// How inputs of -1 meet single columns.
    pub negative_inputs: NegativeInputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NegativeInputs {
    /// Inputs of +1 are driven first, then those of -1; the values are subtracted.
    TwoPhases,
    /// A negative voltage on the word line, in one read.
    NegativeVoltage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Digital {
    /// Inputs multiplied in one cycle.
    pub inputs_at_once: usize,
    /// Neurons served in one cycle.
    pub neurons_at_once: Count,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fold {
    /// Arrays of a layer read in the same cycle.
    pub sensed_at_once: Count,
    /// Columns that share a sense amplifier through a multiplexer.
    pub columns_per_amplifier: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stream {
    /// Bits of a beat of the AXI4-Streams.
    pub bits: usize,
}

/// `"all"` or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Count {
    All(All),
    Number(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum All {
    All,
}

impl Count {
    pub const ALL: Self = Self::All(All::All);

    /// The number, where there are `of` in all.
    pub fn of(self, of: usize) -> usize {
        match self {
            Self::All(_) => of,
            Self::Number(n) => n.min(of),
        }
    }
}

/// Keys that only make sense for the whole design; `pcsa`, since all sense amplifiers hang on one sequence of the sense registers.
const GLOBAL: [&str; 4] = ["clock", "pcsa", "program", "stream"];

impl Hardware {
    /// Reads `hardware.toml`; the error names the file, the line or table, and the nearest known key.
    pub fn load(path: &Path) -> Result<Self, HardwareError> {
        let text = std::fs::read_to_string(path).map_err(|source| HardwareError::Io { path: path.into(), source })?;
        Self::parse(&text).map_err(|reason| HardwareError::Toml { path: path.into(), reason })
    }

    /// Parses the text of a `hardware.toml`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        let layers = table.remove("layer");
        let memory = table.remove("memory");
        let program = table.remove("program");
        let base = read(&table).map_err(|e| locate(text, &e))?;
        let mut merged = BTreeMap::new();
        if let Some(layers) = layers {
            let toml::Value::Table(layers) = layers else {
                return Err("`layer` must be tables: [layer.NAME]".into());
            };
            for (name, own) in layers {
                let toml::Value::Table(own) = own else {
                    return Err(format!("`layer.{name}` must be a table: [layer.{name}]"));
                };
                refuse_global(&format!("layer.{name}"), &own, GLOBAL.iter())?;
                let names_readout = own.contains_key("readout");
                let mut all = table.clone();
                merge(&mut all, own);
                let layer = read(&all).map_err(|e| format!("[layer.{name}]: {e}"))?;
                merged.insert(name, (layer, names_readout));
            }
        }
        let memory = match memory {
            None => None,
            Some(toml::Value::Table(own)) => Some(self::memory(&table, program.as_ref(), own)?),
            Some(_) => return Err("`memory` must be a table: [memory]".into()),
        };
        let program = match program {
            None => None,
            Some(toml::Value::Table(own)) => {
                let read = own.try_into();
                Some(read.map_err(|e: toml::de::Error| format!("[program]: {}", with_suggestion(e.message())))?)
            }
            Some(_) => return Err("`program` must be a table: [program]".into()),
        };
        Ok(Self { base, layers: merged, memory, program })
    }

    /// What holds for layer `name`.
    pub fn layer(&self, name: &str) -> &LayerHardware {
        self.layers.get(name).map_or(&self.base, |(h, _)| h)
    }

    /// The readout that the layer's own table asks for.
    pub fn own_readout(&self, name: &str) -> Option<Readout> {
        self.layers.get(name).filter(|(_, named)| *named).map(|(h, _)| h.readout)
    }
}

fn refuse_global<'a>(
    place: &str,
    own: &toml::Table,
    mut keys: impl Iterator<Item = &'a &'static str>,
) -> Result<(), String> {
    match keys.find(|key| own.contains_key(**key)) {
        Some(key) => Err(format!("[{place}]: `{key}` holds for the whole design; set it in [{key}]")),
        None => Ok(()),
    }
}

/// Keys of `[memory]` that are settings of its arrays.
const OF_ARRAYS: [&str; 4] = ["readout", "array", "adc", "fold"];

/// Keys of `[array]` that hold for layers only.
const SPARES: [&str; 2] = ["spare_word_lines", "spare_columns"];

fn memory(
    table: &toml::Table,
    program: Option<&toml::Value>,
    own: toml::Table,
) -> Result<(Memory, LayerHardware), String> {
    let (of_arrays, mut own): (toml::Table, toml::Table) =
        own.into_iter().partition(|(key, _)| OF_ARRAYS.contains(&key.as_str()));
    // Pulses of its own it may have.
    refuse_global("memory", &own, GLOBAL.iter().filter(|key| **key != "program"))?;
    if own.get("program").is_some_and(|p| p.get("form_ns").is_some()) {
        return Err("[memory.program]: cells are formed over the register bus; set `form_ns` in [program]".into());
    }
    if let Some(toml::Value::Table(program)) = program {
        let mut all = toml::Table::from_iter([("program".to_string(), toml::Value::Table(program.clone()))]);
        merge(&mut all, own);
        own = all;
    }
    let memory = own.try_into().map_err(|e: toml::de::Error| format!("[memory]: {}", with_suggestion(e.message())))?;
    let mut all = table.clone();
    // Only a readout of the memory's own decides: that of the layers may be one that gives no similarities.
    all.insert("readout".into(), "pcsa".into());
    if let Some(key) = SPARES.iter().find(|k| of_arrays.get("array").is_some_and(|a| a.get(**k).is_some())) {
        return Err(format!("[memory.array]: the key memory's arrays have no spares; leave `{key}` out"));
    }
    if let Some(toml::Value::Table(array)) = all.get_mut("array") {
        array.retain(|key, _| !SPARES.contains(&key));
    }
    merge(&mut all, of_arrays);
    Ok((memory, read(&all).map_err(|e| format!("[memory]: {e}"))?))
}

fn read(table: &toml::Table) -> Result<LayerHardware, String> {
    if table.contains_key("device") {
        return Err("[device]: device models are not available yet; leave the table out for ideal cells".into());
    }
    table.clone().try_into().map_err(|e: toml::de::Error| with_suggestion(e.message()))
}

/// Adds the nearest known key to serde's "unknown field `x`, expected one of `a`, `b`".
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(unknown) if message.starts_with("unknown") => {
            format!("{message}{}", crate::suggest::nearest(unknown, quoted))
        }
        _ => message.to_string(),
    }
}

/// Puts the number of the first line that holds the unknown key in front.
fn locate(text: &str, message: &str) -> String {
    let key = message.split('`').nth(1).unwrap_or_default();
    let holds = |line: &str| {
        let line = line.trim_start().trim_start_matches('[');
        !key.is_empty() && line.starts_with(key)
    };
    match text.lines().position(holds) {
        Some(line) if message.starts_with("unknown") => format!("line {}: {message}", line + 1),
        _ => message.to_string(),
    }
}

fn merge(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(own)) => merge(base, own),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_default() {
        assert_eq!(Hardware::parse("").unwrap(), Hardware::default());
    }

    #[test]
    fn layers_override_single_keys() {
        let h =
            Hardware::parse("readout = 'sa'\n[array]\ninputs = 256\noutputs = 64\n[layer.fc1.array]\ninputs = 32\n")
                .unwrap();
        assert_eq!((h.layer("fc1").array.inputs, h.layer("fc1").array.outputs), (32, 64));
        assert_eq!(h.layer("fc1").readout, Readout::Sa);
        assert_eq!(h.own_readout("fc1"), None);
        assert_eq!(h.layer("fc2").array.inputs, 256);
    }

    #[test]
    fn counts_are_all_or_a_number() {
        let h = Hardware::parse("[fold]\nsensed_at_once = 3").unwrap();
        assert_eq!(h.base.fold.sensed_at_once.of(8), 3);
        let h = Hardware::parse("[fold]\nsensed_at_once = 'all'").unwrap();
        assert_eq!(h.base.fold.sensed_at_once.of(8), 8);
    }

    #[test]
    fn unknown_keys_come_with_line_and_suggestion() {
        let e = Hardware::parse("readout = 'pcsa'\n[array]\ninptus = 1").unwrap_err();
        assert!(e.contains("line 3") && e.contains("did you mean `inputs`?"), "{e}");
        let e = Hardware::parse("readout = 'pcas'").unwrap_err();
        assert!(e.contains("did you mean `pcsa`?"), "{e}");
        let e = Hardware::parse("[layer.fc1]\nfolt = 1").unwrap_err();
        assert!(e.contains("[layer.fc1]") && e.contains("did you mean `fold`?"), "{e}");
    }

    #[test]
    fn a_memory_has_keys_of_its_own_and_settings_of_its_arrays() {
        let text = "readout = 'sa'\n[array]\ninputs = 256\n[memory]\nkeys = 7\n[memory.array]\noutputs = 64\n";
        let (memory, arrays) = Hardware::parse(text).unwrap().memory.unwrap();
        assert_eq!((memory.keys, memory.classes, memory.when_full), (7, 20, WhenFull::Refuse));
        assert_eq!((arrays.readout, arrays.array.inputs, arrays.array.outputs), (Readout::Pcsa, 256, 64));
        let e = Hardware::parse("[memory]\nclases = 3").unwrap_err();
        assert!(e.contains("[memory]") && e.contains("did you mean `classes`?"), "{e}");
        assert_eq!(Hardware::parse("").unwrap().memory, None);
    }

    #[test]
    fn global_keys_are_refused_in_layers() {
        for text in [
            "[layer.fc1.clock]\nmhz = 1",
            "[layer.fc1.pcsa]\nwindow_ns = 60",
            "[memory.pcsa]\nsupply_v = 1.2",
            "[memory.stream]\nbits = 32",
        ] {
            let e = Hardware::parse(text).unwrap_err();
            assert!(e.contains("whole design"), "{e}");
        }
    }
}
