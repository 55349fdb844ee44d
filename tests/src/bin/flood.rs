//! Prints how a relay stands a flood, what slow readers and refusals cost it.
//!
//! `flood [FLOOD|SLOW|REFUSAL]... [--seconds N] [--relay BINARY] [--dir DIR]`; both binaries must
//! be release builds. Without names all run.

use std::time::Duration;

use staffetta_tests::load::arguments::Arguments;
use staffetta_tests::load::flood::{self, Plan};
use staffetta_tests::load::relay::Usage;
use staffetta_tests::load::{refusal, work};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read(&["FLOOD", "SLOW", "REFUSAL"])?;
    let setup = arguments.setup();
    let descriptors = work::raise_descriptors()?;
    println!("load average {}, {descriptors} descriptors", work::load_average());
    if arguments.wanted("REFUSAL") {
        print_refusals()?;
    }
    if arguments.wanted("SLOW") {
        let slow = flood::slow_readers(&setup, 50, 200_000).await?;
        println!(
            "50 devices that never read while 200,000 cells go by: {} MB before, {} MB at most; \
             without them {} MB",
            slow.before.memory >> 20,
            slow.peak >> 20,
            flood::slow_readers(&setup, 0, 200_000).await?.peak >> 20,
        );
    }
    if arguments.wanted("FLOOD") {
        let plan = Plan {
            half_open: 10_000,
            loris: 1_000,
            wrong_tokens: 10_000,
            bad_noise: 1_000,
            bad_frames: 200,
            time: setup.time,
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
    let (mib, before) = (|usage: &Usage| usage.memory as f64 / 1048576.0, &figures.before);
    let attacks = || figures.phases.iter().skip(1);
    println!(
        "under every attack: {} of {} PUTs acknowledged, p99 at worst {:.1} x idle",
        attacks().map(|phase| phase.cells.1).sum::<u64>(),
        attacks().map(|phase| phase.cells.0).sum::<u64>(),
        attacks().map(|phase| phase.percentile(0.99) / idle).fold(0.0, f64::max),
    );
    println!("before {:.1} MB and {} descriptors", mib(&before.0), before.1);
    let control = &figures.control;
    println!("as many cells stored in peace: {:.1} MB", mib(control));
    for (memory, descriptors) in &figures.after {
        let over = |than: &Usage| (memory.memory as f64 / than.memory as f64 - 1.0) * 100.0;
        println!(
            "after  {:.1} MB ({:+.1} % of before, {:+.1} % of peace) and {descriptors} descriptors",
            mib(memory),
            over(&before.0),
            over(control),
        );
    }
}
