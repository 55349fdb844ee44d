//! Runs seeded worlds for a time and reports how many, and how many virtual hours.
//!
//! `sim [--seconds N] [--seed FIRST] [--seeds N] [--steps N] [--twelve]`. A seed that fails is
//! printed with the command that runs it alone.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use staffetta_tests::sim::{self, Day, Seeds, Story};

struct Arguments {
    seconds: u64,
    first: u64,
    seeds: u64,
    steps: u64,
    twelve: bool,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut out = Arguments { seconds: 60, first: 1, seeds: u64::MAX, steps: 60, twelve: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().context("a value is missing")?.parse().context("a number");
        match argument.as_str() {
            "--seconds" => out.seconds = value()?,
            "--seed" => out.first = value()?,
            "--seeds" => out.seeds = value()?,
            "--steps" => out.steps = value()?,
            "--twelve" => out.twelve = true,
            other => bail!("unknown argument {other}"),
        }
    }
    Ok(out)
}

fn main() -> anyhow::Result<()> {
    let Arguments { seconds, first, seeds, steps, twelve } = arguments()?;
    let start = Instant::now();
    let morning = if twelve { Story::of_twelve(0)? } else { Story::of_five(0)? };
    let before = morning.world.now.mono_ms;
    println!("the team is there after {:.1?}", start.elapsed());
    let size = if twelve { " --twelve" } else { "" };
    let seeds = Seeds { first, count: seeds, steps, time: Duration::from_secs(seconds) };
    let lived = sim::run(morning, seeds, |seed, day| {
        if let Err(error) = day {
            println!("seed {seed}: {error:#}");
            println!("  again: sim --seed {seed} --seeds 1 --steps {steps}{size}");
        }
    });
    let days: Vec<&Day> = lived.iter().filter_map(|(_, day)| day.as_ref().ok()).collect();
    let failed = lived.len() - days.len();
    let sum = |of: fn(&Day) -> u64| days.iter().copied().map(of).sum::<u64>();
    println!(
        "{} seeds of {steps} steps, {failed} failed, in {:.0?}: {:.1} virtual hours, {} transactions, \
         {} cells, {} processes killed, {} connections cut, {} PUTs in part, {} rules broken by relays and members \
         ({} commits that nobody allows), {} devices revoked, {} messages placed, {} times opened, \
         {} not for a KeyPackage drawn twice, {} epochs agreed on",
        lived.len(),
        start.elapsed(),
        (sum(|day| day.virtual_ms) - before * days.len() as u64) as f64 / 3.6e6,
        sum(|day| day.steps),
        sum(|day| day.cells),
        sum(|day| day.crashes),
        sum(|day| day.cuts),
        sum(|day| day.partly),
        sum(|day| day.hostile),
        sum(|day| day.usurped),
        sum(|day| day.revoked),
        sum(|day| day.found.placed as u64),
        sum(|day| day.found.opened as u64),
        sum(|day| day.found.drawn as u64),
        sum(|day| day.found.epochs as u64),
    );
    if failed > 0 {
        bail!("{failed} seeds failed");
    }
    Ok(())
}
