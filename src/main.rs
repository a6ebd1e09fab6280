//! The `hafnia` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    hafnia::cli::main()
}
