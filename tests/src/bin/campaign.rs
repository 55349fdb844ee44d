//! Campaigns against a relay's memory; prints figures and fails at the first cell that is lost,
//! doubled, changed or out of order.
//!
//! `campaign kill|power|full|cold... [--rounds N] [--seed N] [--relay BINARY] [--dir DIR]
//! [--scratch DIR]`; `--rounds` is the number of kills, cuts, full disks or cells.

#[path = "../durability/mod.rs"]
mod durability;
#[allow(dead_code, reason = "only its link is used here")]
#[path = "../load/mod.rs"]
mod load;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use durability::full::End;
use durability::{cold, full, kill, power};

struct Arguments {
    names: Vec<String>,
    rounds: Option<u64>,
    seed: u64,
    binary: PathBuf,
    place: PathBuf,
    scratch: PathBuf,
}

fn arguments() -> anyhow::Result<Arguments> {
    let own = std::env::current_exe()?;
    let built = own.parent().context("a directory")?.to_owned();
    let mut out = Arguments {
        names: vec![],
        rounds: None,
        seed: 1,
        binary: built.join("staffetta-relay"),
        place: built,
        scratch: std::env::temp_dir(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a value is missing");
        match argument.as_str() {
            "--rounds" => out.rounds = Some(value()?.parse()?),
            "--seed" => out.seed = value()?.parse()?,
            "--relay" => out.binary = PathBuf::from(value()?),
            "--dir" => out.place = PathBuf::from(value()?),
            "--scratch" => out.scratch = PathBuf::from(value()?),
            "kill" | "power" | "full" | "cold" => out.names.push(argument),
            other => bail!("unknown argument {other}"),
        }
    }
    Ok(out)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    for name in &arguments.names {
        match name.as_str() {
            "kill" => kills(&arguments).await?,
            "power" => cuts(&arguments).await?,
            "full" => full_disks(&arguments).await?,
            _ => cold_starts(&arguments).await?,
        }
    }
    Ok(())
}

async fn kills(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { rounds, seed, binary, place, .. } = arguments;
    let start = Instant::now();
    let tell = |round, acked| {
        if round % 100 == 0 {
            println!("{round} kills, {acked} cells acknowledged");
        }
    };
    let figures = kill::run(binary, place, rounds.unwrap_or(1_000), *seed, tell).await?;
    println!(
        "kill -9: {} kills, {} cells acknowledged, {} found; 0 lost, 0 duplicated, 0 reordered; \
         slowest start {:?} ({:.0?})",
        figures.rounds,
        figures.acked,
        figures.found,
        figures.slowest,
        start.elapsed()
    );
    Ok(())
}

async fn cuts(arguments: &Arguments) -> anyhow::Result<()> {
    const CUTS: u64 = 20;
    let start = Instant::now();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("preload/recorder.c");
    let dir = tempfile::tempdir()?;
    let scratch = tempfile::tempdir_in(&arguments.scratch)?;
    let setup = power::Setup {
        binary: &arguments.binary,
        recorder: &power::build_recorder(&source, dir.path())?,
        place: &arguments.place,
        scratch: scratch.path(),
        seed: arguments.seed,
        without_syncs: false,
    };
    let traces = arguments.rounds.unwrap_or(200).div_ceil(CUTS);
    let tell = |so_far: &power::Figures| {
        println!("{} cuts, {} MiB recorded", so_far.cuts, so_far.recorded >> 20);
    };
    let figures = power::run(&setup, traces, CUTS, tell).await?;
    println!(
        "power cuts: {} replays of {traces} recordings, {} acknowledged cells required of them; \
         all open, 0 lost ({:.0?})",
        figures.cuts,
        figures.required,
        start.elapsed()
    );
    Ok(())
}

async fn full_disks(arguments: &Arguments) -> anyhow::Result<()> {
    let rounds = arguments.rounds.unwrap_or(50);
    for (end, name) in [(End::LowWater, "low-water mark"), (End::NoSpace, "ENOSPC")] {
        let mut slowest = Duration::ZERO;
        for round in 0..rounds {
            match full::run(&arguments.binary, &arguments.place, end).await {
                Ok(Some(took)) => slowest = slowest.max(took),
                Ok(None) => {
                    println!("full disks: skipped, mounting is not allowed here");
                    return Ok(());
                }
                Err(error) => return Err(error.context(format!("{name}, round {round}"))),
            }
        }
        println!(
            "full disks, {name}: {rounds} of {rounds} refused, nothing lost, went on by themselves \
             at most {slowest:?} after there was room"
        );
    }
    Ok(())
}

async fn cold_starts(arguments: &Arguments) -> anyhow::Result<()> {
    let cells = arguments.rounds.unwrap_or(1_000_000);
    for start in cold::run(&arguments.binary, &arguments.place, cells, 5).await? {
        println!(
            "start with {} cells: ready after {:.0?}, {:.1} MB",
            start.cells,
            start.took,
            start.memory as f64 / 1e6
        );
    }
    Ok(())
}
