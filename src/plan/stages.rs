//! The pipeline's stages in order: what `emit` wires and what the cycles are counted of.

use super::{LayerPlan, Plan, PoolPlace, ReadoutPlan, Source};

/// A stage of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Index of the layer.
    pub layer: usize,
    pub kind: StageKind,
}

/// What a stage does with the vectors that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageKind {
    /// Two registers that end the path of ready.
    Slice,
    /// Positions of a map to windows.
    Window,
    /// Positions of a map to one vector.
    Flatten,
    /// The arrays, or the digital layer: vectors to outputs, or to votes under `sa`.
    Read,
    /// Votes of all positions of a pool to one set.
    PoolVotes,
    /// Votes to outputs.
    Aggregate,
    /// Outputs of all positions of a pool to one.
    PoolOutputs,
}

impl Plan {
    /// All stages between the input stream and the class scores.
    pub fn stages(&self) -> Vec<Stage> {
        stages(&self.layers)
    }
}

pub(super) fn stages(layers: &[LayerPlan]) -> Vec<Stage> {
    let of = |(layer, plan): (usize, &LayerPlan)| kinds(plan).into_iter().map(move |kind| Stage { layer, kind });
    layers.iter().enumerate().flat_map(of).collect()
}

fn kinds(layer: &LayerPlan) -> Vec<StageKind> {
    let mut kinds = match layer.source {
        Source::Vector => vec![],
        Source::Flatten { .. } => vec![StageKind::Flatten],
        Source::Window(_) => vec![StageKind::Slice, StageKind::Window],
    };
    kinds.push(StageKind::Read);
    let pools = |place| layer.pool.as_ref().is_some_and(|p| p.place == place);
    if matches!(layer.readout, ReadoutPlan::Sa(_)) {
        if pools(PoolPlace::Votes) {
            kinds.push(StageKind::PoolVotes);
        }
        kinds.push(StageKind::Aggregate);
    }
    if pools(PoolPlace::Outputs) {
        kinds.push(StageKind::PoolOutputs);
    }
    kinds
}
