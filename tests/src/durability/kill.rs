//! kill -9 of a relay that is being written to, again and again.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Dice;
use super::oracle::Oracle;
use super::senders::{Mark, Senders};
use super::site::Site;
use super::team::found;

const SENDERS: usize = 6;
/// Every so many rounds one lasts long enough for the relay to forget what all have seen.
const LONG_EVERY: u64 = 40;
const LONG: Duration = Duration::from_millis(1_150);

/// What a campaign came to.
pub struct Figures {
    /// Kills.
    pub rounds: u64,
    /// Cells that were acknowledged.
    pub acked: u64,
    /// Cells that were found in the log.
    pub found: u64,
    /// The slowest start.
    pub slowest: Duration,
}

/// Kills the relay `rounds` times and fails at the first cell that is lost, doubled or out of
/// order.
pub async fn run(
    binary: &Path,
    place: &Path,
    rounds: u64,
    seed: u64,
    mut progress: impl FnMut(u64, u64),
) -> anyhow::Result<Figures> {
    let dir = tempfile::tempdir_in(place)?;
    let (site, code) = Site::init(binary, &dir.path().join("relay"))?;
    let first = site.serve()?;
    let devices = found(&site, &first, &code, SENDERS).await?;
    drop(first);
    let (reader, mut oracle) = (devices.first().cloned(), Oracle::default());
    let mut senders = Senders::new(&devices, 9, seed);
    let (mut dice, mut slowest) = (Dice::new(seed), Duration::ZERO);
    let mark: Mark = Arc::new(|| 0);
    for round in 1..=rounds + 1 {
        let mut process = site.serve()?;
        slowest = slowest.max(process.started_in);
        if let Some(reader) = &reader {
            oracle.check(&process, reader).await?;
        }
        if round > rounds {
            break;
        }
        let (is_long, target) = (round % LONG_EVERY == 0, 1 + dice.below(120));
        let start = Instant::now();
        let long = LONG + Duration::from_micros(dice.below(100_000));
        let over = |acks| if is_long { start.elapsed() > long } else { acks >= target };
        for acked in senders.run(&mut process, "-KILL", is_long, &mark, over).await? {
            oracle.acked(&acked.numbers, &acked.seqs)?;
        }
        progress(round, oracle.total());
    }
    Ok(Figures { rounds, acked: oracle.total(), found: oracle.checked(), slowest })
}
