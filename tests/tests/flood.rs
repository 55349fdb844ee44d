//! A small flood from all sides, and an enrolled device beside it; the `flood` binary does the
//! large one and prints.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use staffetta_tests::binaries;
use staffetta_tests::load::flood::{self, Plan};
use staffetta_tests::load::work::Setup;

/// Resident bytes that a flooded relay may take.
const MEMORY: u64 = 256 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolled_sender_gets_every_ack_while_strangers_flood_and_the_relay_comes_to_rest() {
    let (binary, place) = (binaries::relay(), tempfile::tempdir().unwrap());
    let time = Duration::from_millis(700);
    let plan =
        Plan { half_open: 700, loris: 50, wrong_tokens: 300, bad_noise: 50, bad_frames: 50, time };
    let setup = Setup { binary: &binary, place: place.path(), time };
    let figures = flood::run(&setup, plan).await.unwrap();
    for phase in &figures.phases {
        assert_eq!(phase.cells.0, phase.cells.1, "{}", phase.name);
        assert!(phase.cells.0 > 0 && phase.memory <= MEMORY, "{}", phase.name);
    }
    for (_, after) in &figures.after {
        let before = figures.before.1;
        assert!(after * 10 <= before * 11, "{before} descriptors before, {after} after");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_cost_no_memory() {
    let (binary, place) = (binaries::relay(), tempfile::tempdir().unwrap());
    let setup = Setup { binary: &binary, place: place.path(), time: Duration::ZERO };
    let slow = flood::slow_readers(&setup, 50, 12_000).await.unwrap();
    assert!(slow.peak <= MEMORY, "{} bytes", slow.peak);
}
