//! Prints the relay's figures for the workloads W1 to W5, with everything on: Noise, sled and
//! fdatasync before the ACK.
//!
//! `load [W1|W2|W3|W4|W5]... [--seconds N] [--relay BINARY] [--dir DIR]`; both binaries must be
//! release builds. Without names all workloads run.

use staffetta_tests::load::arguments::Arguments;
use staffetta_tests::load::work;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read(&["W1", "W2", "W3", "W4", "W5"])?;
    let setup = arguments.setup();
    println!("load average at the start: {}", work::load_average());
    if arguments.wanted("W1") {
        for (batch, depth) in [(1, 6), (4, 6), (8, 6), (60, 4)] {
            work::w1_saturated(&setup, 50, batch, depth).await?;
        }
        work::w1_paced(&setup, 50, 200).await?;
    }
    if arguments.wanted("W2") {
        work::w2(&setup, 64).await?;
        work::w2(&setup, 256).await?;
    }
    if arguments.wanted("W3") {
        work::w3(&setup, 40_000).await?;
    }
    if arguments.wanted("W4") {
        work::raise_descriptors()?;
        work::w4(&setup, 10_000).await?;
    }
    if arguments.wanted("W5") {
        work::w5(&setup).await?;
    }
    Ok(())
}
