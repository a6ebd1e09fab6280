//! `hafnia-train`: recipe in, trained network out.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use hafnia_train::data;
use hafnia_train::few_shot::{self, Draw};
use hafnia_train::progress::Progress;
use hafnia_train::recipe::{EpisodeRecipe, Recipe, SHIPPED, SetName};
use hafnia_train::run::{Files, Summary, run};
use hafnia_train::study::{self, News, STUDIES, Scale};

/// Training allocates and frees tensors of many megabytes all the time; this one does not give each back to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match pipeline(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// False where the two evaluations of a network part.
fn pipeline(cli: Cli) -> anyhow::Result<bool> {
    match cli.command {
        Command::Recipes(args) => say(&match args.json {
            true => serde_json::to_string_pretty(&SHIPPED.map(|(name, _)| name))? + "\n",
            false => SHIPPED.map(|(name, _)| format!("{name}\n")).concat(),
        })?,
        Command::Show(args) => {
            let recipe = Recipe::load(&args.choice.recipe, &args.choice.assignments())?;
            let json = || serde_json::to_string_pretty(&recipe).map(|text| text + "\n");
            say(&if args.json { json()? } else { toml::to_string(&recipe)? })?;
        }
        Command::Study(args) => study(args)?,
        Command::FewShot(args) => few_shot(args)?,
        Command::Run(args) => {
            let recipe = Recipe::load(&args.choice.recipe, &args.choice.assignments())?;
            let files = Files {
                data: args.data,
                checkpoint: args.checkpoint.unwrap_or_else(|| args.output.with_extension("checkpoint")),
                network: args.output,
                curve: args.curve,
                checkpoint_every: args.checkpoint_every,
                keep_checkpoint: args.keep_checkpoint,
                resume: args.resume,
                from: args.from,
            };
            let progress = Progress::new(&recipe);
            let summary = run(&recipe, &files, |event| progress.hear(&event))?;
            progress.0.finish_and_clear();
            say(&if args.json { serde_json::to_string_pretty(&summary)? + "\n" } else { describe(&summary) })?;
            return Ok(summary.differences.is_empty());
        }
    }
    Ok(true)
}

fn few_shot(args: cli::FewShot) -> anyhow::Result<()> {
    let network = hafnia::network::load(&args.network)?;
    let images = data::fitting(SetName::Omniglot, args.data.as_deref(), &network.input.shape)?;
    let recipe =
        EpisodeRecipe { way: args.way, shots: args.shots, judged_queries: args.queries, ..EpisodeRecipe::default() };
    let draw = Draw { seed: args.seed, episodes: args.episodes, characters: args.characters };
    let judged = few_shot::judge(&network, &images, &recipe, draw)?;
    if let Some(path) = &args.list {
        few_shot::write(&judged, path)?;
    }
    say(&match args.json {
        true => serde_json::to_string_pretty(&judged)? + "\n",
        false => format!(
            "{}: {}-way {}-shot, {} episodes of seed {}: {}/{} = {:.2}%\n",
            args.network.display(),
            args.way,
            args.shots,
            judged.episodes,
            args.seed,
            judged.right,
            judged.asked,
            100.0 * judged.accuracy
        ),
    })
}

fn study(args: cli::Study) -> anyhow::Result<()> {
    let Some(name) = args.name else {
        let list = || STUDIES.iter().map(|s| serde_json::json!({ "name": s.name, "what": s.what })).collect::<Vec<_>>();
        return say(&match args.json {
            true => serde_json::to_string_pretty(&list())? + "\n",
            false => STUDIES.iter().map(|s| format!("{:<24} {}\n", s.name, s.what)).collect(),
        });
    };
    let Some(study) = STUDIES.iter().find(|s| s.name == name) else {
        let names = || STUDIES.iter().map(|s| s.name);
        let near = hafnia::suggest::nearest(&name, names());
        anyhow::bail!("no study `{name}`{near}; there are {}", names().collect::<Vec<_>>().join(", "));
    };
    std::fs::create_dir_all(&args.output)
        .map_err(|e| anyhow::anyhow!("{}: cannot make the work folder: {e}", args.output.display()))?;
    let scale = Scale { arrays: args.arrays, sizes: args.sizes, rates: args.rates, runs: args.runs };
    let options = study::Options { folder: args.output, data: args.data, set: args.set, images: args.images, scale };
    let mut progress: Option<Progress> = None;
    let rows = study::run(study, &options, |news| match news {
        News::Piece { place, of, key } => eprintln!("{place}/{of} {key}"),
        News::Failed { key, error } => {
            close(&mut progress);
            eprintln!("    {key} failed: {error}");
        }
        News::Waiting { pieces } => eprintln!("other processes are on {pieces} pieces; waiting"),
        News::Training(recipe, event) => {
            // A piece may train the network that its own starts from.
            if progress.as_ref().is_some_and(|p| p.0.prefix() != recipe.name) {
                close(&mut progress);
            }
            progress.get_or_insert_with(|| Progress::new(recipe)).hear(&event);
        }
        News::Found { key, accuracy } => {
            close(&mut progress);
            eprintln!("    {key} {accuracy:.2}%");
        }
    })?;
    say(&match args.json {
        true => serde_json::to_string_pretty(&rows)? + "\n",
        false => std::fs::read_to_string(options.folder.join(study.name).with_extension("csv"))?,
    })
}

fn close(progress: &mut Option<Progress>) {
    if let Some(progress) = progress.take() {
        progress.0.finish_and_clear();
    }
}

/// Writes to standard output; a reader that has gone, such as `head`, is no error.
fn say(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn describe(s: &Summary) -> String {
    let line = |what: &str, right: Option<usize>, accuracy: f64| {
        let share = right.map(|right| format!("{right}/{} = ", s.held_out_images)).unwrap_or_default();
        format!("  held out, {what:<32} {share}{:.2}%", 100.0 * accuracy)
    };
    let mut lines = vec![
        format!(
            "{}: epoch {} of {}, trained in {:.1} s on {} images",
            s.network.as_deref().unwrap_or("no file"),
            s.epoch,
            s.epochs,
            s.seconds,
            s.train_images
        ),
        line("trainer's tensors", s.held_out_right, s.held_out_accuracy),
    ];
    let (Some(accuracy), Some(sha256)) = (s.held_out_accuracy_integer, &s.sha256) else {
        return lines.join("\n") + "\n  full precision: judged only, no network file has it\n";
    };
    lines.extend([
        line("integers on the exported network", s.held_out_right_integer, accuracy),
        format!("  sha256 {sha256}"),
        match s.differences.len() {
            0 => "  the two evaluations agree in every neuron of every held-out image".into(),
            n => format!(
                "  the two evaluations part on {n} images, though sums are exact and both round alike: a fault, please report it:"
            ),
        },
    ]);
    lines.extend(s.differences.iter().map(|d| format!("    {d}")));
    lines.join("\n") + "\n"
}
