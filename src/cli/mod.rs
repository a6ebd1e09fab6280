//! The command line: one file a verb; arguments in, one library call, result out.

mod demo;
mod doctor;
mod episodes;
mod eval;
mod generate;
mod import;
mod info;
mod load;
mod march;
mod plan;
mod prove;
mod synth;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::check::prove::ProveError;
use crate::cosim::CosimError;
use crate::synth::SynthError;

/// Turns trained binary and ternary neural networks into verified RTL around RRAM arrays.
///
/// Exit codes: 0 held, 1 a check failed, 2 wrong use or bad input, 3 a tool is missing or broke.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Args),
    Import(import::Args),
    Info(info::Args),
    Eval(eval::Args),
    Plan(plan::Args),
    Generate(generate::Args),
    Verify(verify::Args),
    March(march::Args),
    Prove(prove::Args),
    Synth(synth::Args),
    Doctor(doctor::Args),
}

/// How a command ended.
pub(crate) enum Outcome {
    Held,
    Failed,
}

/// What a command prints: text for a person, or its JSON object.
pub(crate) struct Answer {
    pub text: String,
    pub json: serde_json::Value,
    pub outcome: Outcome,
}

impl Answer {
    fn held(text: String, json: serde_json::Value) -> Self {
        Self { text, json, outcome: Outcome::Held }
    }
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let answer = match cli.verb {
        Verb::Demo(args) => demo::run(args),
        Verb::Import(args) => import::run(args),
        Verb::Info(args) => info::run(args),
        Verb::Eval(args) => eval::run(args),
        Verb::Plan(args) => plan::run(args),
        Verb::Generate(args) => generate::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::March(args) => march::run(args),
        Verb::Prove(args) => prove::run(args),
        Verb::Synth(args) => synth::run(args),
        Verb::Doctor(args) => doctor::run(args),
    };
    match answer {
        Ok(answer) => {
            if cli.json {
                println!("{}", answer.json);
            } else {
                print!("{}", answer.text);
            }
            match answer.outcome {
                Outcome::Held => ExitCode::SUCCESS,
                Outcome::Failed => ExitCode::from(1),
            }
        }
        Err(error) => {
            eprintln!("hafnia: {}", message(&error));
            let code = match error.downcast_ref() {
                Some(CosimError::Bus { .. }) => 1,
                _ if is_tool(&error) => 3,
                _ => 2,
            };
            ExitCode::from(code)
        }
    }
}

/// An error and its causes; most messages hold their cause already, which is not said again.
fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Whether an external tool is missing or broke, rather than the input being bad.
fn is_tool(error: &anyhow::Error) -> bool {
    let cosim = matches!(error.downcast_ref(), Some(CosimError::Tool(_) | CosimError::Simulation { .. }));
    let prove = error.downcast_ref::<ProveError>().is_some_and(ProveError::is_tool);
    let synth = error.downcast_ref::<SynthError>().is_some_and(SynthError::is_tool);
    cosim || prove || synth
}
