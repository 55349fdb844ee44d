//! What the programs of this module are told.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use super::work::Setup;

/// `[NAME]... [--seconds N] [--relay BINARY] [--dir DIR]`: which works to do, for how long, with
/// which relay and where its data may stand. The relay beside the program and 5 seconds, unless
/// told otherwise.
pub struct Arguments {
    names: Vec<String>,
    time: Duration,
    binary: PathBuf,
    place: PathBuf,
}

impl Arguments {
    /// Reads the program's arguments; `known` are the names it has works for.
    ///
    /// # Errors
    /// An argument that means nothing, or a value that is missing or is none.
    pub fn read(known: &[&str]) -> anyhow::Result<Self> {
        let own = std::env::current_exe()?;
        let place = own.parent().context("a directory")?.to_owned();
        let binary = place.join("staffetta-relay");
        let mut read = Self { names: Vec::new(), time: Duration::from_secs(5), binary, place };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().context("a value is missing");
            match argument.as_str() {
                "--seconds" => read.time = Duration::from_secs(value()?.parse()?),
                "--relay" => read.binary = PathBuf::from(value()?),
                "--dir" => read.place = PathBuf::from(value()?),
                name if known.contains(&name) => read.names.push(argument),
                other => bail!("unknown argument {other}; works are {}", known.join(" ")),
            }
        }
        Ok(read)
    }

    /// Whether a work was asked for; without names all are.
    pub fn wanted(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }

    /// What a work needs.
    pub fn setup(&self) -> Setup<'_> {
        Setup { binary: &self.binary, place: &self.place, time: self.time }
    }
}
