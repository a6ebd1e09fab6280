/// Why a network does not fit the hardware; every message names the key or layer and what to change.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("hardware: {key} = {value}: {reason}")]
    Hardware { key: String, value: String, reason: String },
    #[error("layer `{layer}`: {reason}")]
    Layer { layer: String, reason: String },
    #[error("fault {at} of the list: {reason}")]
    Faults { at: usize, reason: String },
}

impl PlanError {
    pub(crate) fn hardware(key: &str, value: impl std::fmt::Display, reason: impl Into<String>) -> Self {
        Self::Hardware { key: key.into(), value: value.to_string(), reason: reason.into() }
    }

    pub(crate) fn layer(layer: &str, reason: impl Into<String>) -> Self {
        Self::Layer { layer: layer.into(), reason: reason.into() }
    }
}
