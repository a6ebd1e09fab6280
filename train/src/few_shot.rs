//! A network file judged on few-shot episodes, in integers.

use std::path::Path;

use hafnia::data::Episode;
use hafnia::network::Network;
use rayon::prelude::*;
use serde::Serialize;

use crate::data::Images;
use crate::episodes;
use crate::recipe::EpisodeRecipe;
use crate::{Error, evaluate, whole};

/// What it found.
#[derive(Debug, Serialize)]
pub struct Judged {
    pub right: usize,
    pub asked: usize,
    pub episodes: usize,
    pub accuracy: f64,
    /// The list, where it was asked for: `episode,right,support,queries`.
    #[serde(skip)]
    pub csv: String,
}

/// Which episodes: their seed, their number, and from how many of the first characters (0: all).
#[derive(Clone, Copy)]
pub struct Draw {
    pub seed: u64,
    pub episodes: usize,
    pub characters: usize,
}

/// Episodes of `recipe`'s way, shots and judged queries, those that a run with this seed would judge.
pub fn judge(network: &Network, images: &Images, recipe: &EpisodeRecipe, draw: Draw) -> Result<Judged, Error> {
    let bad = |reason: String| Error::Data { set: "omniglot", reason };
    if [recipe.way, recipe.shots, recipe.judged_queries, draw.episodes].contains(&0) {
        return Err(bad("--way, --shots, --queries and --episodes take numbers above 0".into()));
    }
    let mut classes = episodes::classes(&images.labels);
    if draw.characters > 0 {
        classes.truncate(draw.characters);
    }
    let each = classes.iter().map(Vec::len).min().unwrap_or(0);
    if recipe.way > classes.len() || recipe.shots + recipe.judged_queries > each {
        return Err(bad(format!(
            "has {} characters of {each} drawings; {} ways of {} shots and {} queries do not fit; lower --way, --shots or --queries, or raise --characters",
            classes.len(),
            recipe.way,
            recipe.shots,
            recipe.judged_queries
        )));
    }
    let used: Vec<usize> = classes.concat();
    let features = evaluate::integer_features(network, &images.chosen(&used));
    let mut all = vec![episodes::Feature::new(); images.len()];
    used.iter().zip(features).for_each(|(i, f)| all[*i] = f);
    let one = |k: usize| {
        let episode = episodes::judged(&classes, recipe, draw.seed, k);
        (episodes::right(&all, network.classes(), &episode), episode)
    };
    let judged: Vec<(usize, Episode)> = (0..draw.episodes).into_par_iter().map(one).collect();
    let right = judged.iter().map(|(right, _)| right).sum();
    let asked = draw.episodes * recipe.way * recipe.judged_queries;
    let places = |sets: &[Vec<usize>]| sets.concat().iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    let line = |(k, (right, e)): (usize, &(usize, Episode))| {
        format!("{k},{right},{},{}\n", places(&e.support), places(&e.queries))
    };
    let csv = "episode,right,support,queries\n".to_string() + &judged.iter().enumerate().map(line).collect::<String>();
    Ok(Judged { right, asked, episodes: draw.episodes, accuracy: right as f64 / asked as f64, csv })
}

/// Writes the list.
pub fn write(judged: &Judged, path: &Path) -> Result<(), Error> {
    whole::write(path, judged.csv.as_bytes(), "write the episodes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    #[test]
    fn episodes_are_judged_and_listed() {
        let recipe = crate::recipe::Recipe::load("digits_binary", &["layers.2.neurons=64".into()]).unwrap();
        let images = crate::data::load(&recipe.data, 1, None).unwrap().held_out;
        let model = Model::new(&recipe, &images.shape, &crate::device()).unwrap();
        let network = crate::export::network("tiny", &images.shape, recipe.input.code(), &model.layers).unwrap();
        let episodes = EpisodeRecipe { way: 3, shots: 2, judged_queries: 4, ..EpisodeRecipe::default() };
        let judged = |characters| judge(&network, &images, &episodes, Draw { seed: 1, episodes: 5, characters });
        let all = judged(0).unwrap();
        assert_eq!((all.asked, all.csv.lines().count()), (60, 6));
        assert!(all.accuracy > 0.5, "untrained features tell digits apart: {}", all.accuracy);
        let rows: Vec<Vec<&str>> = all.csv.lines().skip(1).map(|l| l.split(',').collect()).collect();
        assert_eq!(rows.iter().map(|r| r[1].parse::<usize>().unwrap()).sum::<usize>(), all.right);
        let places = |text: &str| text.split(' ').map(|i| i.parse::<usize>().unwrap()).collect::<Vec<_>>();
        assert!(rows.iter().all(|r| (places(r[2]).len(), places(r[3]).len()) == (6, 12)));
        let few = judged(3).unwrap();
        assert!(
            few.csv.lines().skip(1).flat_map(|l| places(l.split(',').nth(2).unwrap())).all(|i| images.labels[i] < 3)
        );
        assert!(judged(2).unwrap_err().to_string().contains("2 characters"));
        let none = judge(&network, &images, &episodes, Draw { seed: 1, episodes: 0, characters: 0 });
        assert!(none.unwrap_err().to_string().contains("take numbers above 0"));
    }
}
