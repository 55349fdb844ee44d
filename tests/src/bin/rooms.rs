//! Times and bytes of rooms with many devices, as a table beside what was measured before.
//!
//! `rooms [DEVICES...]`; 12, 50 and 100 if none is named.

use std::time::Duration;

use staffetta_tests::rooms::{Taken, measure, read_foreign};

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn of(change: &Taken) -> String {
    format!("{} cells, {} / {}", change.cells, ms(change.made), ms(change.followed))
}

fn main() -> anyhow::Result<()> {
    let mut sizes = std::env::args().skip(1).map(|n| n.parse()).collect::<Result<Vec<_>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![12, 50, 100];
    }
    println!("cells, author's time / another device's time; every step synced to disk");
    println!(
        "| devices | add | update, cold | update, warm | remove, cold | remove, warm | Welcome | message: size, encrypt / process |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for devices in sizes {
        let figures = measure(devices)?;
        let (size, sealing, opening) = figures.message;
        println!(
            "| {} | {} | {} | {} | {} | {} | {} B | {size} B, {} / {} |",
            figures.devices,
            of(&figures.add),
            of(&figures.update[0]),
            of(&figures.update[1]),
            of(&figures.remove[0]),
            of(&figures.remove[1]),
            figures.welcome,
            ms(sealing),
            ms(opening)
        );
    }
    let foreign = read_foreign(20_000, 160)?;
    println!(
        "{} foreign cells against {} channels: {:.2} s (2 s at most are wanted for 20,000 against 160)",
        foreign.cells,
        foreign.channels,
        foreign.took.as_secs_f64()
    );
    Ok(())
}
