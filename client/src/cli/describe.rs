//! `completions`, `man`, `bot describe`: what this program says of itself.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::api;
use crate::commands::Cli;
use crate::errors::Failure;
use crate::output::Out;
use crate::text;

/// The program's name.
const NAME: &str = "staffetta";

/// `completions`
pub(super) fn completions(shell: Shell, out: &mut Out) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end())
}

/// `man`
pub(super) fn man(dir: &Path) -> Result<(), Failure> {
    let write = || {
        std::fs::create_dir_all(dir)?;
        clap_mangen::generate_to(Cli::command(), dir)
    };
    write().map_err(|error| {
        let why = text::man_not_written(&text::words::kind(error.kind()));
        Failure::refused(why, text::man_elsewhere())
    })
}

/// `bot describe`
pub(super) fn api(out: &mut Out) -> Result<(), Failure> {
    let description = api::description(env!("CARGO_PKG_VERSION"));
    out.line(&format!("{description:#}"))
}
