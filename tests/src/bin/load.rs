//! Prints the relay's figures for the workloads W1 to W5, with everything on: Noise, sled and
//! fdatasync before the ACK.
//!
//! `load [W1|W2|W3|W4|W5]... [--seconds N] [--relay BINARY] [--dir DIR]`; both binaries must be
//! release builds. Without names all workloads run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use staffetta_tests::load::work::{self, Setup};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let own = std::env::current_exe()?;
    let built = own.parent().context("a directory")?;
    let (mut binary, mut place) = (built.join("staffetta-relay"), built.to_owned());
    let (mut seconds, mut names) = (5, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a value is missing");
        match argument.as_str() {
            "--seconds" => seconds = value()?.parse()?,
            "--relay" => binary = PathBuf::from(value()?),
            "--dir" => place = PathBuf::from(value()?),
            "W1" | "W2" | "W3" | "W4" | "W5" => names.push(argument),
            other => bail!("unknown argument {other}"),
        }
    }
    let setup = Setup { binary: &binary, place: &place, time: Duration::from_secs(seconds) };
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    println!("load average at the start: {}", work::load_average());
    if wanted("W1") {
        for (batch, depth) in [(1, 6), (4, 6), (8, 6), (60, 4)] {
            work::w1_saturated(&setup, 50, batch, depth).await?;
        }
        work::w1_paced(&setup, 50, 200).await?;
    }
    if wanted("W2") {
        work::w2(&setup, 64).await?;
        work::w2(&setup, 256).await?;
    }
    if wanted("W3") {
        work::w3(&setup, 40_000).await?;
    }
    if wanted("W4") {
        work::raise_descriptors()?;
        work::w4(&setup, 10_000).await?;
    }
    if wanted("W5") {
        work::w5(&setup).await?;
    }
    Ok(())
}
