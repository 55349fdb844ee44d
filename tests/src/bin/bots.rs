//! Campaigns against `bot run`; prints figures and fails at the first message that is lost or
//! answered twice.
//!
//! `bots kills [ROUNDS] [MESSAGES] [SEED]`: kill -9 of program, supervisor, agent and relay.
//! `bots echo [SECONDS] [PER-SECOND]`: how long an answer takes.
//! `bots take [SECONDS] [PER-SECOND]`: how many messages a program acknowledges that answers none.
//! `bots stall [SECONDS] [PER-SECOND]`: a program that reads nothing, memory, and another beside it.
//! `bots flood [SECONDS] [PER-SECOND]`: as `echo` with the relay's limits raised, and memory.

use std::time::Instant;

use anyhow::{Context, bail};
use staffetta_tests::bots::{Lab, is_answering, is_holding, memory};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: u64| match arguments.get(at) {
        Some(text) => text.parse().with_context(|| format!("{text} is no number")),
        None => Ok(usual),
    };
    let program = std::env::current_exe()?.with_file_name("stdio_bot");
    if !program.exists() {
        bail!("build it first: cargo build -p staffetta-tests --bin stdio_bot");
    }
    let mut lab = Lab::new(&program);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let start = Instant::now();
    match arguments.first().map(String::as_str) {
        Some("kills") => {
            lab.raise_limits();
            let (rounds, messages) = (number(1, 200)?, usize::try_from(number(2, 5_000)?)?);
            let seen = lab.kills(rounds, messages, number(3, 1)?);
            let [program, supervisor, agent, relay] = seen.killed;
            println!(
                "kill -9: program {program}, supervisor {supervisor}, agent {agent}, relay {relay}; \
                 {} messages, {} answered once each, {} acknowledgements noted, none twice",
                messages, seen.answered, seen.noted
            );
        }
        Some("echo") => {
            let supervisor = lab.run();
            is_answering(&lab);
            let rate = number(2, 50)?;
            let (count, before) = (number(1, 20)? * rate, lab.processor(&supervisor));
            let times = lab.stream(usize::try_from(count)?, rate as f64);
            say_processor(before, lab.processor(&supervisor), count);
            println!(
                "echo at {rate} a second: p50 {:.1} ms, p99 {:.1} ms, slowest {:.1} ms",
                times.share(0.5),
                times.share(0.99),
                times.share(1.0)
            );
        }
        Some("flood") => {
            lab.raise_limits();
            let supervisor = lab.run();
            is_answering(&lab);
            let (seconds, rate) = (number(1, 20)?, number(2, 1_000)?);
            let mut held = vec![memory(supervisor.id())];
            let before = lab.processor(&supervisor);
            // The same again and again, so that growth shows.
            for _ in 0..4 {
                let begun = Instant::now();
                let count = usize::try_from(seconds * rate / 4)?;
                let times = lab.stream(count, rate as f64);
                held.push(memory(supervisor.id()));
                println!(
                    "{count} messages offered at {rate} a second took {:.1} s: {:.0} answers a \
                     second; p50 {:.0} ms, p99 {:.0} ms",
                    begun.elapsed().as_secs_f64(),
                    count as f64 / begun.elapsed().as_secs_f64(),
                    times.share(0.5),
                    times.share(0.99)
                );
            }
            say_processor(before, lab.processor(&supervisor), seconds * rate / 4 * 4);
            let held: Vec<String> =
                held.iter().map(|bytes| format!("{:.1}", *bytes as f64 / 1e6)).collect();
            println!(
                "memory of the supervisor, which holds the profile, in MB: {}",
                held.join(", ")
            );
        }
        Some("take") => {
            lab.raise_limits();
            let supervisor = lab.run_as("take");
            let (seconds, rate) = (number(1, 20)?, number(2, 1_000)?);
            let (mut held, before) = (Vec::new(), lab.processor(&supervisor));
            for _ in 0..4 {
                let count = usize::try_from(seconds * rate / 4)?;
                let taken = lab.taken(count, rate as f64);
                held.push(format!("{:.1}", memory(supervisor.id()) as f64 / 1e6));
                println!("{count} messages offered at {rate} a second: {taken:.0} a second taken");
            }
            say_processor(before, lab.processor(&supervisor), seconds * rate / 4 * 4);
            println!("memory of the supervisor, in MB: {}", held.join(", "));
        }
        Some("stall") => {
            lab.raise_limits();
            let mut supervisor = lab.run_as("deaf");
            is_holding(&lab);
            let (seconds, rate) = (number(1, 20)?, number(2, 200)?);
            let mut held = vec![format!("{:.1}", memory(supervisor.id()) as f64 / 1e6)];
            for _ in 0..4 {
                let count = usize::try_from(seconds * rate / 4)?;
                let times = lab.beside(count, rate as f64);
                held.push(format!("{:.1}", memory(supervisor.id()) as f64 / 1e6));
                println!(
                    "{count} messages at {rate} a second, none of them read by the program: another one \
                     on the same profile had each after p50 {:.1} ms, p99 {:.1} ms",
                    times.share(0.5),
                    times.share(0.99)
                );
            }
            println!("memory of the supervisor, in MB: {}", held.join(", "));
            // In order: a program that reads nothing does not notice that its supervisor is gone.
            supervisor.terminate();
        }
        other => bail!("unknown campaign {other:?}"),
    }
    println!("load {} ({:.0?})", load.trim(), start.elapsed());
    Ok(())
}

/// What a message costs each process: a figure that stands still while the machine's load moves.
fn say_processor(before: [u64; 3], after: [u64; 3], messages: u64) {
    let each = |at: usize| {
        let used = after.get(at).zip(before.get(at)).map_or(0, |(after, before)| after - before);
        used as f64 / messages.max(1) as f64
    };
    println!(
        "processor time per message: bot's holder {:.2} ms, writer's holder {:.2} ms, relay {:.2} ms",
        each(0),
        each(1),
        each(2)
    );
}
