//! Episodes, or a list of commands, for a few-shot memory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use crate::cosim::Asked;
use crate::data::{self, Dataset, Episode, EpisodeShape};
use crate::golden::Command;
use crate::whole_file;

#[derive(clap::Args)]
pub(super) struct EpisodeArgs {
    /// Few-shot episodes: a support set is learned, then queries are asked; the memory is erased in between.
    #[arg(long)]
    episodes: Option<usize>,
    /// Classes of an episode; absent: 5.
    #[arg(long)]
    way: Option<usize>,
    /// Support images of a class; absent: 1.
    #[arg(long)]
    shots: Option<usize>,
    /// Queries of a class; absent: 5.
    #[arg(long)]
    queries: Option<usize>,
    /// Seed of the episodes; absent: 1.
    #[arg(long)]
    episode_seed: Option<u64>,
    /// Write the episodes as JSON, for other tools: classes, and images by their places in the set.
    #[arg(long)]
    episodes_out: Option<PathBuf>,
    /// Commands in place of episodes: a JSON list of {"image": N, "learn": bool, "label": N, "erase": bool, "class": N}; only
    /// `image` is needed. `class` is what a query should get.
    #[arg(long, conflicts_with_all = ["episodes", "way", "shots", "queries", "episode_seed", "episodes_out"])]
    commands: Option<PathBuf>,
}

/// Episodes where none are asked for.
const DEFAULT_EPISODES: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    image: usize,
    #[serde(default)]
    learn: bool,
    #[serde(default)]
    label: u16,
    #[serde(default)]
    erase: bool,
    class: Option<usize>,
}

impl EpisodeArgs {
    /// Whether episodes or commands were asked for.
    pub fn given(&self) -> bool {
        let numbers = [self.episodes, self.way, self.shots, self.queries];
        numbers.iter().any(Option::is_some)
            || self.episode_seed.is_some()
            || self.episodes_out.is_some()
            || self.commands.is_some()
    }

    /// The commands in order. `keys` and `classes` are what the memory holds.
    pub fn asked(&self, set: &Dataset, keys: usize, classes: usize) -> Result<Vec<Asked>> {
        if let Some(path) = &self.commands {
            return read(path);
        }
        let shape = EpisodeShape {
            way: self.way.unwrap_or(5),
            shots: self.shots.unwrap_or(1),
            queries: self.queries.unwrap_or(5),
        };
        if shape.way > classes || shape.way * shape.shots > keys {
            bail!(
                "{} ways and {} shots do not fit a memory of {keys} keys and {classes} classes; choose --way and --shots, or memory.keys and memory.classes in hardware.toml",
                shape.way,
                shape.shots
            );
        }
        let (count, seed) = (self.episodes.unwrap_or(DEFAULT_EPISODES), self.episode_seed.unwrap_or(1));
        let drawn = data::episodes(set, shape, count, seed)?;
        if let Some(path) = &self.episodes_out {
            write(path, set, shape, seed, &drawn)?;
        }
        Ok(drawn.iter().flat_map(commands).collect())
    }
}

/// Learns shot by shot, all classes each time, as examples would come; then asks.
fn commands(episode: &Episode) -> Vec<Asked> {
    let shots = episode.support.first().map_or(0, Vec::len);
    let queries = episode.queries.first().map_or(0, Vec::len);
    let ways = || 0..episode.classes.len();
    let learn = |(shot, way): (usize, usize)| Asked {
        image: episode.support[way][shot],
        command: Command { erase: (shot, way) == (0, 0), learn: true, label: way as u16 },
        class: None,
    };
    let ask = |(query, way): (usize, usize)| Asked {
        image: episode.queries[way][query],
        command: Command { erase: false, learn: false, label: 0 },
        class: Some(way),
    };
    let learns = (0..shots).flat_map(|shot| ways().map(move |way| (shot, way))).map(learn);
    let asks = (0..queries).flat_map(|query| ways().map(move |way| (query, way))).map(ask);
    learns.chain(asks).collect()
}

/// Commands before the memory is erased again: the first episode.
pub(super) fn first_episode(asked: &[Asked]) -> usize {
    asked.iter().skip(1).position(|a| a.command.erase).map_or(asked.len(), |next| next + 1)
}

fn read(path: &Path) -> Result<Vec<Asked>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot read", path.display()))?;
    let lines: Vec<Line> =
        serde_json::from_str(&text).with_context(|| format!("{}: not a list of commands", path.display()))?;
    if lines.is_empty() {
        bail!("{}: has no commands", path.display());
    }
    let asked = |l: &Line| Asked {
        image: l.image,
        command: Command { erase: l.erase, learn: l.learn, label: l.label },
        class: l.class,
    };
    Ok(lines.iter().map(asked).collect())
}

fn write(path: &Path, set: &Dataset, shape: EpisodeShape, seed: u64, episodes: &[Episode]) -> Result<()> {
    let all = json!({ "dataset": set.name, "seed": seed, "shape": shape, "episodes": episodes });
    let text = serde_json::to_string(&all)? + "\n";
    whole_file::write(path, text.as_bytes()).with_context(|| format!("{}: cannot write", path.display()))
}
