//! What a recipe must keep to.

use super::{ActivationKind, InputRecipe, Keep, Loss, OpName, Recipe, SetName, WeightName};
use crate::errors::ErrorKind;

/// What a network may have in a layer.
const MOST_NEURONS: usize = 65_536;

impl Recipe {
    /// Some of its weights can have errors of a kind.
    pub(crate) fn takes_errors(&self, kind: ErrorKind) -> Result<(), String> {
        let fits = |weights: WeightName| match kind {
            ErrorKind::Sign => weights == WeightName::Bipolar || weights == WeightName::Ternary,
            ErrorKind::Zero => weights == WeightName::Ternary,
        };
        if !self.layers.iter().any(|l| fits(l.weights.unwrap_or(self.quantize.weights))) || self.quantize.rotated {
            return Err("errors: kind = \"sign\" goes with bipolar and ternary weights, \"zero\" with ternary ones, neither with quantize.rotated".into());
        }
        Ok(())
    }

    /// Ranges, and what must hold of a model that no network file can hold, too. What else a network demands is left to it: `fit`
    /// builds one before it trains.
    pub(super) fn check(&self) -> Result<(), String> {
        let positive = |key: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(format!("{key} is {value}; give a positive number")),
        };
        if self.layers.is_empty() {
            return Err("has no [[layers]]; the last one gives the scores, one neuron a class".into());
        }
        if let Some(layer) = self.layers.iter().find(|l| (l.neurons == 0) == (l.widths == 0)) {
            return Err(format!("layer {:?}: give either `neurons` or `widths`, a number above 0", layer.name));
        }
        if let Some((k, layer)) =
            (1..).zip(&self.layers[1..]).find(|(k, l)| self.layers[..*k].iter().any(|m| m.name == l.name))
        {
            return Err(format!(
                "layers.{k}: another layer is called {:?}, too; give each a name of its own",
                layer.name
            ));
        }
        if let Some(layer) = self.layers.iter().find(|l| l.neurons(self.width) > MOST_NEURONS) {
            return Err(format!(
                "layer {:?}: {} neurons; use at most {MOST_NEURONS}",
                layer.name,
                layer.neurons(self.width)
            ));
        }
        if self.width == 0 {
            return Err("width is 0; it is the number of neurons that `widths` counts".into());
        }
        if let Some(layer) = self.layers.iter().find(|l| l.op == OpName::Conv && (l.kernel == 0 || l.stride == 0)) {
            return Err(format!("layer {:?}: kernel and stride must be at least 1", layer.name));
        }
        if (self.quantize.scaled || self.quantize.rotated) && self.quantize.weights != WeightName::Bipolar {
            return Err("quantize.scaled is XNOR-Net's, quantize.rotated RBNN's; both go with bipolar weights".into());
        }
        if self.quantize.scaled && self.quantize.rotated {
            return Err("quantize.scaled and quantize.rotated are two schemes; give one".into());
        }
        if self.quantize.rotated && self.split.inputs > 0 {
            return Err("quantize.rotated rotates whole layers; leave out split.inputs".into());
        }
        if self.quantize.activations == ActivationKind::Relu && self.split.inputs > 0 {
            return Err("split.inputs has blocks vote, which real activations cannot; leave it out, or take bipolar or ternary ones".into());
        }
        if !(self.split.vote_window >= 0.0 && self.split.vote_window.is_finite()) {
            return Err(format!("split.vote_window is {}; give a number from 0 on", self.split.vote_window));
        }
        if !(0.0..=0.5).contains(&self.errors.rate) {
            return Err(format!("errors.rate is {}; it is a share, 0 to 0.5", self.errors.rate));
        }
        if self.errors.rate > 0.0 {
            self.takes_errors(self.errors.kind)?;
        }
        if let InputRecipe::Affine([gain, offset]) = self.input
            && gain.unsigned_abs().max(offset.unsigned_abs()) > 1 << 15
        {
            return Err(format!("input.affine is [{gain}, {offset}]; keep both within +-32768"));
        }
        if let InputRecipe::Trits([low, high]) = self.input
            && low >= high
        {
            return Err(format!("input.trits is [{low}, {high}]; the low end must lie below the high one"));
        }
        if let Some(e) = &self.episodes {
            let numbers = [e.way, e.shots, e.queries, e.interval, e.judged_queries, e.test_episodes];
            if numbers.contains(&0) || e.way < 2 {
                return Err("episodes: way must be at least 2; shots, queries, judged_queries, interval and test_episodes at least 1".into());
            }
            if (e.validation_episodes > 0) != (self.data.validation > 0) {
                return Err(
                    "episodes.validation_episodes needs data.validation, characters set aside, and the reverse".into(),
                );
            }
            if !(0.0..=1.0).contains(&e.threshold) {
                return Err(format!(
                    "episodes.threshold is {}; it is a share of queries, 0 to 1 (1: never stops)",
                    e.threshold
                ));
            }
            if e.learned_way == 1 {
                return Err("episodes.learned_way is 1, and of one class there is nothing to learn; give 2 or more, or 0 for episodes.way".into());
            }
            if e.shots + e.queries.max(e.judged_queries) > 20 {
                return Err("episodes: a character has 20 drawings; shots and queries together must not be more".into());
            }
        }
        if self.data.images == 1 {
            return Err("data.images is 1; learn from two at least (batch norm needs two), or from all with 0".into());
        }
        if self.data.jitter > 255 {
            return Err(format!("data.jitter is {}; codes are 0 to 255", self.data.jitter));
        }
        if self.episodes.is_some() && self.data.images > 0 {
            return Err("data.images counts images and episodes draw characters; leave it out".into());
        }
        if self.episodes.is_some() && self.train.loss != Loss::CrossEntropy {
            return Err("episodes are learned from by cross entropy: give train.loss = \"cross_entropy\"".into());
        }
        if self.episodes.is_some() != (self.data.set == SetName::Omniglot) {
            return Err("data.set = \"omniglot\" and [episodes] go together".into());
        }
        if self.data.turns && self.data.set != SetName::Omniglot {
            return Err("data.turns makes characters of turned drawings and goes with Omniglot; leave it out".into());
        }
        positive("train.learning_rate", self.train.learning_rate)?;
        positive("train.temperature", self.train.temperature)?;
        positive("train.init", self.train.init)?;
        positive("train.momentum", self.train.momentum)?;
        if self.train.cycles.is_empty() {
            return Err("train.cycles is empty; [1] is one cycle".into());
        }
        for cycle in &self.train.cycles {
            positive("train.cycles", *cycle)?;
        }
        if !(self.train.weight_decay >= 0.0 && self.train.weight_decay.is_finite()) {
            return Err(format!("train.weight_decay is {}; give 0 or more", self.train.weight_decay));
        }
        if !(0.0..=180.0).contains(&self.data.rotate) {
            return Err(format!("data.rotate is {}; give degrees, 0 to 180", self.data.rotate));
        }
        if self.data.validation == 0 && (self.train.patience > 0 || self.train.keep == Keep::Best) {
            return Err(
                "train.patience and keep = \"best\" judge by images set aside: give data.validation, too".into()
            );
        }
        if self.train.momentum > 1.0 {
            return Err(format!("train.momentum is {}; it is a share, at most 1", self.train.momentum));
        }
        for (key, value) in
            [("weight_threshold", self.quantize.weight_threshold), ("dead_zone", self.quantize.dead_zone)]
        {
            if !(0.0..1.0).contains(&value) {
                return Err(format!("quantize.{key} is {value}; use 0 or more, below 1"));
            }
        }
        if self.train.epochs == 0 || self.train.batch < 2 {
            return Err("train.epochs must be at least 1 and train.batch at least 2 (batch norm needs two)".into());
        }
        Ok(())
    }
}
