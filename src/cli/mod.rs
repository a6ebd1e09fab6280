//! The command line: one file a verb; arguments in, one library call, result out.

//EVAL mod eval;
mod generate;
//IMPORT mod import;
mod info;
mod load;
mod plan;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    //IMPORT Import(import::Args),
    Info(info::Args),
    //EVAL Eval(eval::Args),
    Plan(plan::Args),
    Generate(generate::Args),
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
        //IMPORT Verb::Import(args) => import::run(args),
        Verb::Info(args) => info::run(args),
        //EVAL Verb::Eval(args) => eval::run(args),
        Verb::Plan(args) => plan::run(args),
        Verb::Generate(args) => generate::run(args),
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
            eprintln!("hafnia: {error:#}");
            let tool = error.chain().any(|e| e.downcast_ref::<crate::tool::ToolError>().is_some());
            ExitCode::from(if tool { 3 } else { 2 })
        }
    }
}
