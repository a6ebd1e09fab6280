//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Trains the networks that hafnia turns into hardware.
#[derive(Parser)]
#[command(name = "hafnia-train", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Train a network from a recipe and write it.
    Run(Run),
    /// Print a recipe with every key and default, as it would run.
    Show(Show),
    /// List the recipes that ship.
    Recipes(Recipes),
    /// Judge a network file on few-shot episodes of Omniglot's evaluation characters, in integers.
    FewShot(FewShot),
    /// Run a paper's table or figure, from recipes to CSV and SVG; goes on where it was stopped.
    Study(Study),
}

#[derive(Args)]
pub struct FewShot {
    /// Network file (.safetensors); the signs of its scores are the features.
    pub network: PathBuf,
    /// Folder of the data set, or one that holds it [default: HAFNIA_DATA].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Characters of an episode.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub way: usize,
    /// Drawings of each that go into the key memory.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub shots: usize,
    /// Drawings of each that are asked.
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub queries: usize,
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub episodes: usize,
    /// Draws from the first characters only; 0: all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub characters: usize,
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Write every episode here: queries right, places of its support and query images in the set, character by character.
    #[arg(long, value_name = "FILE.csv")]
    pub list: Option<PathBuf>,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Study {
    /// Its name; left out, the studies are listed.
    pub name: Option<String>,
    /// Work folder: networks, checkpoints, results.
    #[arg(short, long, value_name = "DIR", default_value = "study")]
    pub output: PathBuf,
    /// Folder of the data sets [default: HAFNIA_DATA].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Set one key of every recipe, or of one network's: train.epochs=10, mnist_mlp_512:train.epochs=4.
    #[arg(long, value_name = "[NETWORK:]KEY=VALUE")]
    pub set: Vec<String>,
    /// Inputs of an array, of the splitting studies, instead of the study's own: 512,256.
    #[arg(long, value_name = "R,...", value_delimiter = ',')]
    pub arrays: Vec<usize>,
    /// N, of the VGG studies, instead of the study's own: 4,8.
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    pub sizes: Vec<usize>,
    /// Bit error rates, of the error studies, instead of the study's own: 0.001,0.01.
    #[arg(long, value_name = "RATE,...", value_delimiter = ',')]
    pub rates: Vec<f64>,
    /// Runs, of the VGG studies, of seeds 1 and up [default: 3].
    #[arg(long, value_name = "N")]
    pub runs: Option<u64>,
    /// Judge mapped, quantized and faulty networks on so many held-out images, spread over the set; 0: all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub images: usize,
    /// Print the table as JSON, the list of studies, too.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Recipes {
    /// Print the list as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    pub choice: Choice,
    /// Print the recipe as JSON, not as TOML.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Choice {
    /// A shipped recipe's name, or a file that ends in .toml.
    pub recipe: String,
    /// Take this seed instead of the recipe's.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Set one key of the recipe, for example train.epochs=20 or layers.0.neurons=128.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    pub choice: Choice,
    /// The network file to write.
    #[arg(short, long, value_name = "NET.safetensors")]
    pub output: PathBuf,
    /// Folder of the data set, or one that holds it [default: HAFNIA_DATA].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Write the learning curve here, and its picture beside it as .svg.
    #[arg(long, value_name = "FILE.csv")]
    pub curve: Option<PathBuf>,
    /// Checkpoint file, removed when the run is complete [default: the output with .checkpoint].
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Keep the checkpoint when the run is complete, for others to start --from.
    #[arg(long)]
    pub keep_checkpoint: bool,
    /// Start from the network in another run's checkpoint; layers that are split here get their shares.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    /// Epochs from one checkpoint to the next; 0 writes none.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub checkpoint_every: usize,
    /// Go on from the checkpoint; the result is that of an uninterrupted run.
    #[arg(long)]
    pub resume: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Choice {
    /// All assignments in order, the seed last.
    pub fn assignments(&self) -> Vec<String> {
        self.set.iter().cloned().chain(self.seed.map(|s| format!("seed={s}"))).collect()
    }
}
