//! Prints how a relay stands a flood, what slow readers and refusals cost it.
//!
//! `flood [FLOOD|SLOW|REFUSAL]... [--seconds N] [--relay BINARY] [--dir DIR]`; both binaries must
//! be release builds. Without names all run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use staffetta_tests::load::flood::{self, Plan};
use staffetta_tests::load::refusal;
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
            "FLOOD" | "SLOW" | "REFUSAL" => names.push(argument),
            other => bail!("unknown argument {other}"),
        }
    }
    let time = Duration::from_secs(seconds);
    let setup = Setup { binary: &binary, place: &place, time };
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let descriptors = work::raise_descriptors()?;
    println!("load average {}, {descriptors} descriptors", work::load_average());
    if wanted("REFUSAL") {
        print_refusals()?;
    }
    if wanted("SLOW") {
        let slow = flood::slow_readers(&setup, 50, 200_000).await?;
        println!(
            "50 devices that never read while 200,000 cells go by: {} MB before, {} MB at most; \
             without them {} MB",
            slow.before.memory >> 20,
            slow.peak >> 20,
            flood::slow_readers(&setup, 0, 200_000).await?.peak >> 20,
        );
    }
    if wanted("FLOOD") {
        let plan = Plan {
            half_open: 10_000,
            loris: 1_000,
            wrong_tokens: 10_000,
            bad_noise: 1_000,
            bad_frames: 200,
            time,
        };
        print_flood(&flood::run(&setup, plan).await?);
    }
    Ok(())
}

fn print_refusals() -> anyhow::Result<()> {
    let cost = refusal::measure(2_000)?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "a refusal at the gate: {:.2} us (no such handle), {:.2} us (wrong MAC); in Noise: {:.0} us \
         (wrong psk, {:.0}x a wrong MAC), {:.0} us (not the row's key, {:.0}x)",
        micros(cost.handle),
        micros(cost.mac),
        micros(cost.psk),
        micros(cost.psk) / micros(cost.mac),
        micros(cost.row),
        micros(cost.row) / micros(cost.mac),
    );
    Ok(())
}

fn print_flood(figures: &flood::Figures) {
    let idle = figures.phases.first().map_or(0.0, |phase| phase.percentile(0.99));
    for phase in &figures.phases {
        let (p50, p99) = (phase.percentile(0.5), phase.percentile(0.99));
        println!(
            "{:22} {:6} tried, {:6} ended; {}/{} ACKs, p50 {p50:.2} ms, p99 {p99:.2} ms \
             ({:.1}x idle); came in {} times in {} tries; {} MB, {} descriptors, {:.2} cores (load {})",
            phase.name,
            phase.tally.0,
            phase.tally.1,
            phase.cells.1,
            phase.cells.0,
            p99 / idle,
            phase.came.0,
            phase.came.1,
            phase.memory >> 20,
            phase.descriptors,
            phase.load,
            work::load_average(),
        );
    }
    println!(
        "before {:.1} MB and {} descriptors, after {:.1} MB and {}",
        figures.before.0.memory as f64 / 1e6,
        figures.before.1,
        figures.after.0.memory as f64 / 1e6,
        figures.after.1,
    );
}
