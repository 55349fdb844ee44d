//! A flood against a relay, and an enrolled sender beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use staffetta_protocol::wire::frame::ToDevice;
use staffetta_protocol::wire::limits::MAX_CELLS;
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use super::attack::{self, Tally};
use super::relay::{Device, Relay, Target, Usage};
use super::work::{Maker, Setup, percentile};

/// A resume so far ahead that nothing is pushed.
const ONLY_SEND: u64 = 1 << 60;
/// Between two cells of the sender.
const BEAT: Duration = Duration::from_millis(10);
/// How long the sender waits for an ACK, and the relay may take to get rid of a flood.
const PATIENCE: Duration = Duration::from_secs(20);
/// Devices whose secrets strangers have stolen.
const STOLEN: usize = 50;
/// Cells that each of these stores before the flood: together so many segments that a relay has in
/// memory what it keeps of them.
const WARM_CELLS: usize = 4_500;
/// How often everything comes at once.
const FLOODS: usize = 3;

/// How much of each attack.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Connections that say nothing.
    pub half_open: usize,
    /// Connections that say their head slowly.
    pub loris: usize,
    /// Wrong tokens a second.
    pub wrong_tokens: u32,
    /// Bad first messages of Noise a second.
    pub bad_noise: u32,
    /// Hostile frames a second.
    pub bad_frames: u32,
    /// How long each attack goes on.
    pub time: Duration,
}

/// What the sender saw while one thing went on.
pub struct Phase {
    /// What went on.
    pub name: &'static str,
    /// Attempts of the attack, and how many the relay ended as it should.
    pub tally: (u64, u64),
    /// Cells sent and acknowledged.
    pub cells: (u64, u64),
    /// How often the device came in anew, and in how many tries.
    pub came: (u64, u64),
    /// Nanoseconds until each ACK, sorted.
    pub delays: Vec<u64>,
    /// The most memory that the relay took, in bytes.
    pub memory: u64,
    /// The most descriptors that it had open.
    pub descriptors: usize,
    /// Its processor time, of all cores.
    pub load: f64,
}

impl Phase {
    /// A part of the delays, in milliseconds.
    pub fn percentile(&self, part: f64) -> f64 {
        percentile(&self.delays, part)
    }
}

/// What a flood came to.
pub struct Figures {
    /// The idle relay first, then each attack, then all together.
    pub phases: Vec<Phase>,
    /// Memory and descriptors before the flood.
    pub before: (Usage, usize),
    /// And after each flood: all attacks one by one and together, then twice more together. What
    /// grows with every flood would show here.
    pub after: Vec<(Usage, usize)>,
    /// A relay that stored as many cells and was left alone: what memory the cells themselves take.
    pub control: Usage,
}

/// An enrolled device that sends a cell every [`BEAT`], on a thread of its own.
struct Sender {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<anyhow::Result<Vec<u64>>>,
    comer: JoinHandle<anyhow::Result<(u64, u64)>>,
}

/// Between two connections that the same device opens anew.
const COMING: Duration = Duration::from_millis(250);

/// Comes in again and again; returns how often, and in how many tries.
async fn come_and_go(
    target: Target,
    device: Arc<Device>,
    done: Arc<AtomicBool>,
) -> anyhow::Result<(u64, u64)> {
    let (mut came, mut tried) = (0, 0);
    while !done.load(Ordering::Relaxed) {
        let (_, tries) = attack::link(&target, &device).await?;
        (came, tried) = (came + 1, tried + tries);
        sleep(COMING).await;
    }
    Ok((came, tried))
}

impl Sender {
    fn start(target: Target, device: Arc<Device>) -> anyhow::Result<Self> {
        let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (done, counted) = (over.clone(), sent.clone());
        let runtime = || Builder::new_current_thread().enable_all().build();
        let coming = come_and_go(target, device.clone(), over.clone());
        let own = runtime()?;
        let comer = std::thread::spawn(move || own.block_on(coming));
        let runtime = runtime()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let mut link = device.link(&target, ONLY_SEND).await?;
                let mut maker = Maker::new(Instant::now());
                let (mut delays, mut beat) = (Vec::new(), tokio::time::interval(BEAT));
                while !done.load(Ordering::Relaxed) {
                    beat.tick().await;
                    let start = Instant::now();
                    link.send(&maker.put(0, 1))?;
                    counted.fetch_add(1, Ordering::Relaxed);
                    link.flush().await?;
                    loop {
                        match timeout(PATIENCE, link.next()).await.context("no ACK")?? {
                            ToDevice::Ack { .. } => break,
                            ToDevice::Fail { code, .. } => bail!("refused: {code:?}"),
                            _ => {}
                        }
                    }
                    delays.push(u64::try_from(start.elapsed().as_nanos())?);
                }
                Ok(delays)
            })
        });
        Ok(Self { over, sent, thread, comer })
    }

    async fn stop(self) -> anyhow::Result<Sent> {
        self.over.store(true, Ordering::Relaxed);
        let (delays, came) =
            tokio::task::block_in_place(|| (self.thread.join(), self.comer.join()));
        let mut delays = delays.ok().context("the sender's thread")??;
        let came = came.ok().context("the comer's thread")??;
        delays.sort_unstable();
        Ok(Sent { cells: self.sent.load(Ordering::Relaxed), delays, came })
    }
}

/// What a sender came to.
struct Sent {
    cells: u64,
    delays: Vec<u64>,
    came: (u64, u64),
}

/// Who stands on the other side.
struct Attackers {
    runtime: Option<Runtime>,
    stolen: Vec<Arc<Device>>,
    plan: Plan,
    target: Target,
}

impl Drop for Attackers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The attacks, in the order of the phases.
const ATTACKS: [&str; 7] = [
    "half-open connections",
    "slow heads",
    "wrong tokens",
    "bad Noise",
    "hostile frames",
    "pings",
    "over quota",
];

impl Attackers {
    async fn one(&self, name: &'static str, tally: Arc<Tally>) -> anyhow::Result<Vec<TcpStream>> {
        let (target, plan, time) = (self.target, self.plan, self.plan.time);
        let stolen = self.stolen.clone();
        let runtime = self.runtime.as_ref().context("a runtime")?;
        let device = |at: usize| stolen.get(at).cloned().context("a device");
        Ok(match name {
            "half-open connections" => {
                let open = runtime.spawn(async move {
                    let start = Instant::now();
                    let open = attack::half_open(&target, plan.half_open).await;
                    sleep(time.saturating_sub(start.elapsed())).await;
                    open
                });
                let open = open.await?;
                tally.tried.fetch_add(open.len() as u64, Ordering::Relaxed);
                return Ok(open);
            }
            "slow heads" => {
                runtime.spawn(attack::slow_loris(target, plan.loris, time, tally)).await?;
                Vec::new()
            }
            "wrong tokens" => {
                let work = attack::wrong_tokens(target, plan.wrong_tokens, time, tally);
                runtime.spawn(work).await?;
                Vec::new()
            }
            "bad Noise" => {
                let work = attack::bad_noise(target, stolen, plan.bad_noise, time, tally);
                runtime.spawn(work).await?;
                Vec::new()
            }
            "hostile frames" => {
                let work = attack::bad_frames(target, stolen, plan.bad_frames, time, tally);
                runtime.spawn(work).await?;
                Vec::new()
            }
            "pings" => {
                runtime.spawn(attack::pings(target, device(0)?, time, tally)).await??;
                Vec::new()
            }
            _ => {
                runtime.spawn(attack::over_quota(target, device(1)?, time, tally)).await??;
                Vec::new()
            }
        })
    }
}

/// The attackers stand for other machines: they get what is left of this one, and hold up nobody
/// on it. Where this is refused they are only more hostile.
fn stand_back() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
}

/// Floods a relay in every way, one after the other and all at once.
pub async fn run(setup: &Setup<'_>, plan: Plan) -> anyhow::Result<Figures> {
    let limits = [("CELLS_BURST", "5000"), ("CELLS_PER_DAY", "4000000000")];
    let relay = Relay::start_with(setup.binary, setup.place, &limits)?;
    let mut devices = relay.found(STOLEN + 1).await?;
    let sender = devices.pop().context("a sender")?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(stand_back)
        .enable_all()
        .build()?;
    let target = relay.target();
    let attackers = Attackers { runtime: Some(runtime), stolen: devices, plan, target };

    // What a relay keeps of the last cells is no trace of the flood: fill it before.
    warm(&relay, &attackers.stolen, WARM_CELLS).await?;
    let mut phases = Vec::new();
    let idle = async {
        sleep(plan.time).await;
        Ok(Vec::new())
    };
    phases.push(phase("idle", &relay, &sender, Arc::default(), idle).await?);
    let before = (relay.usage()?, relay.descriptors()?);
    for name in ATTACKS {
        let tally = Arc::new(Tally::default());
        let work = attackers.one(name, tally.clone());
        phases.push(phase(name, &relay, &sender, tally, work).await?);
    }
    let mut after = Vec::new();
    for _ in 0..FLOODS {
        let tally = Arc::new(Tally::default());
        let all = async {
            let works = ATTACKS.map(|name| attackers.one(name, tally.clone()));
            let open = futures_util::future::join_all(works).await;
            Ok(open.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        phases.push(phase("all at once", &relay, &sender, tally.clone(), all).await?);
        let start = Instant::now();
        // The flood is over when its last half-open connection is.
        while relay.descriptors()? > before.1 && start.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20)).await;
        }
        after.push((relay.usage()?, relay.descriptors()?));
    }
    let control = control(setup, relay.stop()?.cells).await?;
    Ok(Figures { phases, before, after, control })
}

/// The memory of a relay that stores `cells` cells in peace.
async fn control(setup: &Setup<'_>, cells: u64) -> anyhow::Result<Usage> {
    let limits = [("CELLS_BURST", "4000000000"), ("CELLS_PER_DAY", "4000000000")];
    let relay = Relay::start_with(setup.binary, setup.place, &limits)?;
    let devices = relay.found(STOLEN + 1).await?;
    let (cells, count) = (usize::try_from(cells)?, devices.len());
    warm(&relay, &devices, cells / count).await?;
    relay.usage()
}

/// Each device stores about so many cells.
async fn warm(relay: &Relay, devices: &[Arc<Device>], cells: usize) -> anyhow::Result<()> {
    let mut maker = Maker::new(Instant::now());
    for device in devices {
        let mut link = device.link(&relay.target(), ONLY_SEND).await?;
        for _ in 0..cells.div_ceil(MAX_CELLS) {
            link.send(&maker.put(0, MAX_CELLS))?;
            link.flush().await?;
            ensure!(matches!(link.next().await?, ToDevice::Ack { .. }), "a cell was refused");
        }
    }
    Ok(())
}

async fn phase(
    name: &'static str,
    relay: &Relay,
    device: &Arc<Device>,
    tally: Arc<Tally>,
    work: impl Future<Output = anyhow::Result<Vec<TcpStream>>>,
) -> anyhow::Result<Phase> {
    let sender = Sender::start(relay.target(), device.clone())?;
    let (start, before) = (Instant::now(), relay.usage()?);
    let (mut memory, mut descriptors) = (0, 0);
    let mut work = std::pin::pin!(work);
    let open = loop {
        memory = relay.usage()?.memory.max(memory);
        descriptors = relay.descriptors()?.max(descriptors);
        tokio::select! {
            open = &mut work => break open?,
            () = sleep(Duration::from_millis(50)) => {}
        }
    };
    let (elapsed, after) = (start.elapsed(), relay.usage()?);
    drop(open);
    let Sent { cells, delays, came } = sender.stop().await?;
    Ok(Phase {
        name,
        tally: tally.read(),
        cells: (cells, delays.len() as u64),
        came,
        delays,
        memory,
        descriptors,
        load: (after.cpu - before.cpu).as_secs_f64() / elapsed.as_secs_f64(),
    })
}

/// What slow readers cost.
pub struct Slow {
    /// Before they connected, with as many cells of the log in memory as ever.
    pub before: Usage,
    /// The most while the cells went by.
    pub peak: u64,
}

/// `readers` devices want the whole log and never read while `cells` cells go by.
pub async fn slow_readers(setup: &Setup<'_>, readers: usize, cells: usize) -> anyhow::Result<Slow> {
    let relay = Relay::start(setup.binary, setup.place)?;
    let mut devices = relay.found(readers + 1).await?;
    let sender = devices.pop().context("a sender")?;
    let mut link = sender.link(&relay.target(), ONLY_SEND).await?;
    let mut maker = Maker::new(Instant::now());
    let (mut stuck, mut before, mut peak) = (Vec::new(), None, 0);
    for first in (0..cells).step_by(MAX_CELLS) {
        if before.is_none() && first >= cells / 4 {
            before = Some(relay.usage()?);
            for device in &devices {
                stuck.push(device.link(&relay.target(), 1).await?);
            }
        }
        link.send(&maker.put(0, MAX_CELLS.min(cells - first)))?;
        link.flush().await?;
        ensure!(matches!(link.next().await?, ToDevice::Ack { .. }), "a cell was refused");
        if first % (MAX_CELLS * 50) == 0 {
            peak = relay.usage()?.memory.max(peak);
        }
    }
    peak = relay.usage()?.memory.max(peak);
    Ok(Slow { before: before.context("too few cells")?, peak })
}
