//! The program: parses the command line, runs the chosen mode, maps the result to an exit code.

use std::process::ExitCode;

use clap::Parser;
use smart_stream_tui::{
    cli::{self, args::Args, failure::Failure},
    ui::terminal,
};

fn main() -> ExitCode {
    if let Err(error) = terminal::install_panic_hook() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    match cli::run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Signal(signal)) => terminal::die_by(signal),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
