//! Simulated power cuts: what a relay asked of its disk is recorded, and replayed up to a moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::Dice;
use super::disk::{Disk, agrees, split};
use super::oracle::Oracle;
use super::senders::{Acked, Mark, Senders};
use super::site::Site;
use super::team::{Device, found};

const SENDERS: usize = 6;
/// PUTs of one recording at least, and how long it lasts at least: so long that a segment is full
/// and older ones are forgotten.
const PUTS: u64 = 500;
const LASTS: Duration = Duration::from_millis(1_300);

/// What a campaign came to.
#[derive(Default)]
pub struct Figures {
    /// Cuts that were replayed.
    pub cuts: u64,
    /// Bytes of all recordings.
    pub recorded: u64,
    /// Cells that were acknowledged before a cut, counted for each.
    pub required: u64,
}

/// A campaign's means.
pub struct Setup<'a> {
    /// The relay's program.
    pub binary: &'a Path,
    /// The recorder, built.
    pub recorder: &'a Path,
    /// Where the relay that is recorded lives.
    pub place: &'a Path,
    /// Where what a cut leaves is put; syncs may be cheap there.
    pub scratch: &'a Path,
    /// Repeats a campaign, as far as a relay repeats itself.
    pub seed: u64,
    /// Replays as if no sync of a file had ever got through: a campaign must notice.
    pub without_syncs: bool,
}

/// Builds the recorder from `source` in `dir`.
pub fn build_recorder(source: &Path, dir: &Path) -> anyhow::Result<PathBuf> {
    let built = dir.join("recorder.so");
    let status = std::process::Command::new("gcc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&built)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status()?;
    anyhow::ensure!(status.success(), "gcc failed");
    Ok(built)
}

/// Records a relay `traces` times and cuts its power `cuts` times in each; fails at the first that
/// does not open or lost what was acknowledged.
pub async fn run(
    setup: &Setup<'_>,
    traces: u64,
    cuts: u64,
    mut progress: impl FnMut(&Figures),
) -> anyhow::Result<Figures> {
    let dir = tempfile::tempdir_in(setup.place)?;
    let (mut site, code) = Site::init(setup.binary, &dir.path().join("relay"))?;
    let first = site.serve()?;
    let devices = found(&site, &first, &code, SENDERS).await?;
    drop(first);
    let reader = devices.first().context("a device")?.clone();
    let mut senders = Senders::new(&devices, 60, setup.seed);
    let (mut oracle, mut figures) = (Oracle::default(), Figures::default());
    let mut dice = Dice::new(setup.seed);
    for number in 0..traces {
        let base = Disk::of(&site.data)?;
        let trace = dir.path().join(format!("trace-{number}"));
        let text = |path: &Path| path.display().to_string();
        site.env = vec![
            ("LD_PRELOAD".into(), text(setup.recorder)),
            ("RECORDER_TRACE".into(), text(&trace)),
            ("RECORDER_ROOT".into(), text(&site.data)),
        ];
        let mut process = site.serve()?;
        let (watched, start) = (trace.clone(), Instant::now());
        let mark: Mark =
            Arc::new(move || std::fs::metadata(&watched).map(|meta| meta.len()).unwrap_or(0));
        // In order, so that the recorder sees everything to the end.
        let over = |acks| acks >= PUTS && start.elapsed() > LASTS;
        let acks = senders.run(&mut process, "-TERM", true, &mark, over).await?;
        drop(process);

        let bytes = std::fs::read(&trace)?;
        figures.recorded += bytes.len() as u64;
        let places = places(&bytes, &acks, cuts, &mut dice);
        let replay = Replay { setup, site: &site, oracle: &oracle, reader: &reader };
        let disk = replay.all(base, &bytes, &places, &acks, &mut dice, &mut figures).await?;
        let left = setup.scratch.join("staffetta-whole");
        agrees(&disk, &site.data, &left).context("the recorder missed something")?;
        std::fs::remove_dir_all(&left)?;
        std::fs::remove_file(&trace)?;

        for acked in &acks {
            oracle.acked(&acked.numbers, &acked.seqs)?;
        }
        site.env.clear();
        let process = site.serve()?;
        oracle.check(&process, &reader).await.context("after a kill")?;
        progress(&figures);
    }
    Ok(figures)
}

/// Places in a trace to cut at: just after ACKs, just after renames, and anywhere.
fn places(trace: &[u8], acks: &[Acked], cuts: u64, dice: &mut Dice) -> Vec<u64> {
    let mut renames = Vec::new();
    let mut rest = trace;
    while let Some((record, after)) = split(rest) {
        if record.is_entry() {
            renames.push((trace.len() - after.len()) as u64);
        }
        rest = after;
    }
    let pick = |from: &[u64], dice: &mut Dice| {
        from.get(dice.below(from.len().max(1) as u64) as usize).copied().unwrap_or(0)
    };
    let marks: Vec<u64> = acks.iter().map(|acked| acked.mark).collect();
    let mut places: Vec<u64> = (0..cuts)
        .map(|n| match n % 4 {
            0 | 1 => pick(&marks, dice),
            2 => pick(&renames, dice) + dice.below(20_000),
            _ => dice.below(trace.len() as u64),
        })
        .collect();
    places.sort_unstable();
    places
}

struct Replay<'a> {
    setup: &'a Setup<'a>,
    site: &'a Site,
    oracle: &'a Oracle,
    reader: &'a Arc<Device>,
}

impl Replay<'_> {
    async fn all(
        &self,
        mut disk: Disk,
        trace: &[u8],
        places: &[u64],
        acks: &[Acked],
        dice: &mut Dice,
        figures: &mut Figures,
    ) -> anyhow::Result<Disk> {
        let (mut rest, mut places) = (trace, places.iter().peekable());
        loop {
            let next = split(rest);
            let end = next.as_ref().map(|(_, after)| (trace.len() - after.len()) as u64);
            while let Some(place) = places.next_if(|place| end.is_none_or(|end| **place < end)) {
                let percent = [0, 10, 50, 90, 100].get(dice.below(5) as usize).copied();
                self.one(&disk, *place, percent.unwrap_or(50), acks, dice, figures).await?;
            }
            let Some((record, after)) = next else { return Ok(disk) };
            if !(self.setup.without_syncs && record.is_sync()) {
                disk.apply(&record)?;
            }
            rest = after;
        }
    }

    async fn one(
        &self,
        disk: &Disk,
        place: u64,
        percent: u64,
        acks: &[Acked],
        dice: &mut Dice,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let left = self.setup.scratch.join("staffetta-cut");
        disk.cut(&left, dice, percent)?;
        let mut oracle = self.oracle.clone();
        for acked in acks.iter().filter(|acked| acked.mark <= place) {
            oracle.acked(&acked.numbers, &acked.seqs)?;
        }
        figures.required += oracle.total() - self.oracle.total();
        let site = self.site.moved(&left);
        let said = || format!("cut at {place}, {percent} % of the unsynced kept; {left:?} is left");
        let process = site.serve().with_context(said)?;
        oracle.check(&process, self.reader).await.with_context(said)?;
        drop(process);
        std::fs::remove_dir_all(&left)?;
        figures.cuts += 1;
        Ok(())
    }
}
