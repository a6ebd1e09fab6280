//! Which blocks a build uses, and with which parameters: asked of Yosys, which elaborates the design.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ProveError;
use crate::synth::Sources;
use crate::tool;

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Number(i64),
    /// Text, or binary digits with their width in front (`40'b01...`) where a number has more than 32.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl Value {
    /// As a constant for `hierarchy -chparam`, which knows no strings; `None` for the empty one, which is the default
    /// wherever the library has a string.
    pub fn constant(&self) -> Option<String> {
        match self {
            // Verilog's `int` and `bit` both take their own width from these bits.
            Self::Number(number) => Some(format!("32'b{:032b}", *number as i32)),
            Self::Text(text) if text.is_empty() => None,
            Self::Text(text) if wide(text) => Some(text.clone()),
            Self::Text(text) => {
                let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
                Some(format!("{}'b{bits}", bits.len()))
            }
        }
    }
}

/// Whether a text is a number of many bits: no name of the library has an apostrophe.
fn wide(text: &str) -> bool {
    text.contains("'b")
}

pub type Parameters = BTreeMap<String, Value>;

/// A block at one set of parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub module: String,
    pub parameters: Parameters,
}

#[derive(Deserialize)]
struct Design {
    modules: BTreeMap<String, Module>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    parameter_default_values: BTreeMap<String, String>,
}

/// Every module of the elaborated design, each parameter set once; the top is left out.
pub fn uses(sources: &Sources, work: &Path) -> Result<BTreeSet<Use>, ProveError> {
    let json = work.join("elaborated.json");
    let script = work.join("elaborate.ys");
    // JSON has no processes, and only modules and parameters are of interest here.
    let text = format!(
        "{}\nhierarchy -check -top {}\ndelete */p:*\nwrite_json {}\n",
        sources.read_command(),
        sources.top,
        super::quoted(&json)?
    );
    super::write(&script, &text)?;
    tool::run(
        &tool::YOSYS,
        ["-q".as_ref(), "-s".as_ref(), script.as_os_str()],
        &sources.build,
        &work.join("elaborate.log"),
    )?;
    let text = std::fs::read_to_string(&json).map_err(super::io(&json, "read"))?;
    let design: Design = serde_json::from_str(&text)
        .map_err(|error| ProveError::Yosys { path: json.clone(), reason: error.to_string() })?;
    let mut uses = BTreeSet::new();
    for (name, module) in &design.modules {
        if name.starts_with("$abstract") {
            continue;
        }
        let base = match module.attributes.get("hdlname").and_then(|name| name.as_str()) {
            Some(name) => name.trim_start_matches('\\'),
            None => name,
        };
        if base == sources.top {
            continue;
        }
        let parameters =
            module.parameter_default_values.iter().map(|(name, value)| (name.clone(), decode(value))).collect();
        uses.insert(Use { module: base.to_owned(), parameters });
    }
    Ok(uses)
}

/// Yosys writes numbers as bits and strings as they are; a string that looks like bits has a space behind it.
fn decode(value: &str) -> Value {
    let is_bits = !value.is_empty() && value.bytes().all(|byte| byte == b'0' || byte == b'1');
    if !is_bits {
        let text = value.strip_suffix(' ').filter(|text| text.bytes().all(|b| b"01xz ".contains(&b)));
        return Value::Text(text.unwrap_or(value).to_owned());
    }
    if value.len() > 32 {
        return Value::Text(format!("{}'b{value}", value.len()));
    }
    let number = value.bytes().fold(0_i64, |number, bit| (number << 1) | i64::from(bit - b'0'));
    // 32 bits are an `int`; a `bit` has one.
    Value::Number(if value.len() == 32 { i64::from(number as u32 as i32) } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_yosys() {
        assert_eq!(decode("00000000000000000000000000000101"), Value::Number(5));
        assert_eq!(decode("11111111111111111111111111111011"), Value::Number(-5));
        assert_eq!(decode("1"), Value::Number(1));
        assert_eq!(decode("fc1_"), Value::Text("fc1_".into()));
        assert_eq!(decode("101 "), Value::Text("101".into()));
        assert_eq!(decode(" "), Value::Text(String::new()));
        let wide = decode(&"01".repeat(20));
        assert_eq!(wide.constant().unwrap(), format!("40'b{}", "01".repeat(20)));
        assert_eq!(Value::Number(-1).constant().unwrap(), format!("32'b{}", "1".repeat(32)));
        assert_eq!(Value::Text("ab".into()).constant().unwrap(), "16'b0110000101100010");
    }
}
