//! The command line: what can be asked for, and the modes that answer.
//!
//! * [`args`] and [`values`]: clap; [`failure`]: how a run can end badly, with its exit code; [`source`]: where the data
//!   comes from; [`looks`]: the user's keys and themes; [`process`]: runtime, log, signals
//! * [`still`]: a moment of a recording without sockets and clocks, for pictures
//! * [`dashboard`], [`headless`], [`snapshot`], [`record`], [`serve`], [`decode`], [`scenario`], [`doctor`],
//!   [`print`]: the modes

pub mod args;
mod dashboard;
mod decode;
mod doctor;
pub mod failure;
mod headless;
mod looks;
mod print;
mod process;
mod record;
mod scenario;
mod serve;
mod snapshot;
mod source;
pub mod still;
mod values;

use std::path::Path;

use args::{Args, Command};
use failure::Failure;

use crate::config;

/// Runs what the arguments ask for, to its end.
///
/// # Errors
/// Whatever kept it from doing so, with the exit code that fits.
pub fn run(args: Args) -> Result<(), Failure> {
    if args.print_keys {
        return print::keys();
    }
    let load = || Ok::<_, Failure>(config::load(&args.flags.to_config()?, &|name| std::env::var(name).ok())?);
    match args.command {
        None => dashboard::run(&load()?, args.flags.to_config()?, source::Wanted::Configured),
        Some(Command::Headless) => headless::run(&load()?, source::Wanted::Configured),
        Some(Command::Snapshot(options)) => snapshot::run(&load()?, &options),
        Some(Command::Record(options)) => record::run(&load()?, &options),
        Some(Command::Replay(options)) => {
            if let Some(path) = &options.screenshot {
                return snapshot::picture(&load()?, &options, path);
            }
            let wanted = source::Wanted::Recording { path: options.file, pace: options.speed.pace() };
            if options.headless {
                headless::run(&load()?, wanted)
            } else {
                dashboard::run(&load()?, args.flags.to_config()?, wanted)
            }
        }
        Some(Command::Serve(options)) => serve::run(&load()?, &options),
        Some(Command::Decode(options)) => decode::run(&options),
        Some(Command::Scenario(options)) => scenario::run(&load()?, &options.command),
        Some(Command::Doctor) => doctor::run(&load()?),
        Some(Command::Config(what)) => print::config(&what, &args.flags.to_config()?, load),
        Some(Command::Themes(what)) => {
            let path = config::path(&args.flags.to_config()?, &|name| std::env::var(name).ok())?;
            print::themes(what.command, &looks::themes(path.parent().unwrap_or(Path::new(".")))?)
        }
        Some(Command::Schema { of }) => print::schema(of),
        Some(Command::Completions { shell }) => print::completions(shell),
        Some(Command::Man) => print::man(),
    }
}
