//! The campaigns of `staffetta-tests`, short: a relay that is killed, loses power, or runs out of
//! disk keeps what it acknowledged.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[allow(dead_code, unreachable_pub, reason = "each story uses its part")]
#[path = "../../tests/src/durability/mod.rs"]
mod durability;
#[allow(dead_code, unreachable_pub, reason = "only its link is used here")]
#[path = "../../tests/src/load/mod.rs"]
mod load;

use std::path::{Path, PathBuf};

use std::time::{Duration, Instant};

use durability::full::{self, End};
use durability::site::Site;
use durability::team::{ONLY_SEND, found, put};
use durability::{kill, power};
use staffetta_protocol::wire::frame::ToRelay;
use staffetta_protocol::wire::ids::Lane;

const RELAY: &str = env!("CARGO_BIN_EXE_staffetta-relay");

/// Where the relays of a story live: a disk that a relay may use as its own.
fn place() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

#[tokio::test]
async fn kill_9_anywhere_loses_nothing_repeats_nothing_and_reorders_nothing() {
    let figures = kill::run(Path::new(RELAY), &place(), 20, 1, |_, _| {}).await.unwrap();
    assert_eq!(figures.rounds, 20);
    assert!(figures.acked > 500 && figures.found >= figures.acked);
}

async fn cuts(without_syncs: bool) -> anyhow::Result<power::Figures> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/preload/recorder.c");
    let dir = tempfile::tempdir().unwrap();
    let setup = power::Setup {
        binary: Path::new(RELAY),
        recorder: &power::build_recorder(&source, dir.path())?,
        place: &place(),
        scratch: dir.path(),
        seed: 3,
        without_syncs,
    };
    power::run(&setup, 1, 6, |_| {}).await
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_acknowledged_and_the_relay_opens() {
    let figures = cuts(false).await.unwrap();
    assert_eq!(figures.cuts, 6);
    assert!(figures.required > 1_000);
}

#[tokio::test]
async fn without_the_syncs_a_power_cut_is_noticed() {
    assert!(cuts(true).await.is_err(), "the replay proves nothing");
}

#[tokio::test]
async fn a_full_disk_is_said_before_and_survived_after() {
    for end in [End::LowWater, End::NoSpace] {
        if full::run(Path::new(RELAY), &place(), end).await.unwrap().is_none() {
            println!("skipped: mounting is not allowed here");
        }
    }
}

#[tokio::test]
async fn a_segment_goes_as_soon_as_every_row_has_seen_its_end() {
    /// A little more than a segment holds.
    const CELLS: u64 = 16_500;
    const PATIENCE: Duration = Duration::from_secs(20);
    let dir = tempfile::tempdir_in(place()).unwrap();
    let (site, code) = Site::init(Path::new(RELAY), &dir.path().join("relay")).unwrap();
    let process = site.serve().unwrap();
    let devices = found(&site, &process, &code, 2).await.unwrap();
    let (mut one, _) = devices[0].link(process.address, ONLY_SEND).await.unwrap();
    let (mut other, _) = devices[1].link(process.address, ONLY_SEND).await.unwrap();
    for first in (0..CELLS).step_by(60) {
        let numbers: Vec<u64> = (first..first + 60).collect();
        put(&mut one, &numbers, &mut false).await.unwrap();
    }
    let seen = ToRelay::Seen { lane: Lane(0), seq: CELLS };
    one.send(&seen).unwrap();
    // Its answer comes after the SEEN was heard.
    put(&mut one, &[1 << 30], &mut false).await.unwrap();
    let (_, welcome) = devices[0].link(process.address, ONLY_SEND).await.unwrap();
    assert_eq!(welcome.oldest, 1, "the other has not seen it");
    other.send(&seen).unwrap();
    put(&mut other, &[1 << 31], &mut false).await.unwrap();
    let until = Instant::now() + PATIENCE;
    let log = site.data.join("store/log");
    let is_there = |name: &str| {
        let mut entries = std::fs::read_dir(&log).unwrap();
        entries.any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(name))
    };
    while is_there("seg-00000001-") || is_there("dead-") {
        assert!(Instant::now() < until, "nothing was forgotten");
        tokio::task::yield_now().await;
    }
    let (_, welcome) = devices[0].link(process.address, ONLY_SEND).await.unwrap();
    assert!(welcome.oldest > 16_000 && welcome.head == CELLS + 2);
}
