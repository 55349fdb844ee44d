//! The workloads W1 to W5.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use staffetta_protocol::random::{OsRandom, Random};
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{CellId, Lane};
use staffetta_protocol::wire::limits::{CELL, MAX_CELLS};
use tokio::task::JoinSet;

use super::link::Link;
use super::relay::{Device, Relay, Usage};

/// A resume so far ahead that nothing is pushed: for devices that only send.
const ONLY_SEND: u64 = 1 << 60;
/// Where the binary and the data are, and how long a workload runs.
pub struct Setup<'a> {
    /// The relay's binary.
    pub binary: &'a Path,
    /// A directory on the disk to measure.
    pub place: &'a Path,
    /// How long each workload runs.
    pub time: Duration,
}

/// Takes as many file descriptors as the system lets this process have.
pub fn raise_descriptors() -> anyhow::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Makes cells that differ and carry a time in nanoseconds.
pub(super) struct Maker {
    prefix: [u8; 8],
    next: u64,
    since: Instant,
}

impl Maker {
    pub(super) fn new(since: Instant) -> Self {
        let mut prefix = [0; 8];
        OsRandom.fill(&mut prefix);
        Self { prefix, next: 0, since }
    }

    pub(super) fn put(&mut self, request: u32, count: usize) -> ToRelay {
        let mut cells = Vec::with_capacity(count);
        for _ in 0..count {
            let (mut id, mut cell) = ([0; 16], [0x5A; CELL]);
            id[..8].copy_from_slice(&self.prefix);
            id[8..].copy_from_slice(&self.next.to_be_bytes());
            let nanos = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            cell[..8].copy_from_slice(&nanos.to_be_bytes());
            self.next += 1;
            cells.push((CellId(id), cell));
        }
        let cells = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
        ToRelay::Put { lane: Lane(0), request, cells }
    }
}

fn sent_at(cell: &[u8; CELL]) -> u64 {
    cell.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

pub(super) fn percentile(sorted: &[u64], part: f64) -> f64 {
    let place = ((sorted.len() as f64 - 1.0) * part).round() as usize;
    sorted.get(place).map_or(0.0, |nanos| *nanos as f64 / 1e6)
}

fn used(before: Usage, after: Usage, operations: u64) -> f64 {
    (after.cpu - before.cpu).as_secs_f64() * 1e6 / operations.max(1) as f64
}

/// The machine's load average over the last minute.
pub fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

struct Receivers {
    tasks: JoinSet<anyhow::Result<Vec<u64>>>,
    cells: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

async fn receive(
    relay: &Relay,
    devices: &[Arc<Device>],
    since: Instant,
) -> anyhow::Result<Receivers> {
    let (cells, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for device in devices {
        let mut link = device.link(&relay.target(), 1).await?;
        let (cells, over) = (cells.clone(), over.clone());
        tasks.spawn(async move {
            let (mut delays, mut next) = (Vec::new(), 1);
            while !over.load(Ordering::Relaxed) {
                let ToDevice::Push { first, cells: pushed, .. } = link.next().await? else {
                    continue;
                };
                ensure!(first == next, "a gap");
                next += pushed.len() as u64;
                cells.fetch_add(pushed.len() as u64, Ordering::Relaxed);
                let now = u64::try_from(since.elapsed().as_nanos())?;
                delays.extend(pushed.iter().map(|(_, cell)| now.saturating_sub(sent_at(cell))));
            }
            Ok(delays)
        });
    }
    Ok(Receivers { tasks, cells, over })
}

impl Receivers {
    async fn finish(mut self) -> anyhow::Result<Vec<u64>> {
        self.over.store(true, Ordering::Relaxed);
        let mut delays = Vec::new();
        while let Ok(Some(done)) =
            tokio::time::timeout(Duration::from_secs(1), self.tasks.join_next()).await
        {
            delays.extend(done??);
        }
        delays.sort_unstable();
        Ok(delays)
    }
}

/// W1, saturated: one sender, `receivers` devices online, PUTs of `batch` cells, `depth` on the way.
pub async fn w1_saturated(
    setup: &Setup<'_>,
    receivers: usize,
    batch: usize,
    depth: u32,
) -> anyhow::Result<()> {
    let relay = Relay::start(setup.binary, setup.place)?;
    let devices = relay.found(receivers + 1).await?;
    let (sender, others) = devices.split_first().context("a sender")?;
    let since = Instant::now();
    let reading = receive(&relay, others, since).await?;
    let mut link = sender.link(&relay.target(), ONLY_SEND).await?;
    let mut maker = Maker::new(since);
    let before = relay.usage()?;
    let start = Instant::now();
    let (mut request, mut acks) = (0, 0_u32);
    while start.elapsed() < setup.time {
        while request - acks < depth {
            link.send(&maker.put(request, batch))?;
            request += 1;
        }
        link.flush().await?;
        match link.next().await? {
            ToDevice::Ack { .. } => acks += 1,
            ToDevice::Fail { code, .. } => bail!("refused: {code:?}"),
            _ => {}
        }
    }
    let (delivered, elapsed) = (reading.cells.load(Ordering::Relaxed), start.elapsed());
    let after = relay.usage()?;
    reading.finish().await?;
    let totals = relay.stop()?;
    println!(
        "W1 saturated, {batch} cells a PUT, {depth} deep: {:.0} deliveries/s to {receivers}, \
         {:.2} us relay CPU each, {:.0} cells/s in, {:.1} cells per fdatasync, {} MB (load {})",
        delivered as f64 / elapsed.as_secs_f64(),
        used(before, after, delivered),
        f64::from(acks) * batch as f64 / elapsed.as_secs_f64(),
        totals.cells as f64 / totals.commits.max(1) as f64,
        after.memory >> 20,
        load_average(),
    );
    Ok(())
}

/// W1 at a fixed rate of `rate` messages a second: the delays.
pub async fn w1_paced(setup: &Setup<'_>, receivers: usize, rate: u32) -> anyhow::Result<()> {
    let relay = Relay::start(setup.binary, setup.place)?;
    let devices = relay.found(receivers + 1).await?;
    let (sender, others) = devices.split_first().context("a sender")?;
    let since = Instant::now();
    let reading = receive(&relay, others, since).await?;
    let mut link = sender.link(&relay.target(), ONLY_SEND).await?;
    let mut maker = Maker::new(since);
    let before = relay.usage()?;
    let start = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut request = 0;
    while start.elapsed() < setup.time {
        tokio::select! {
            _ = beat.tick() => {
                link.send(&maker.put(request, 1))?;
                link.flush().await?;
                request += 1;
            }
            frame = link.next() => drop(frame?),
        }
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after = relay.usage()?;
    let delivered = reading.cells.load(Ordering::Relaxed);
    // One more cell, so that every receiver wakes and sees that it is over.
    reading.over.store(true, Ordering::Relaxed);
    link.send(&maker.put(request, 1))?;
    link.flush().await?;
    let delays = reading.finish().await?;
    println!(
        "W1 at {rate} msg/s to {receivers}: p50 {:.2} ms, p99 {:.2} ms, {:.2} us relay CPU per \
         delivery (load {})",
        percentile(&delays, 0.5),
        percentile(&delays, 0.99),
        used(before, after, delivered),
        load_average(),
    );
    Ok(())
}

/// W2: `senders` devices, each waits for the ACK of its cell before it sends the next.
pub async fn w2(setup: &Setup<'_>, senders: usize) -> anyhow::Result<()> {
    let relay = Relay::start(setup.binary, setup.place)?;
    let devices = relay.found(senders).await?;
    let over = Arc::new(AtomicBool::new(false));
    let mut links = Vec::new();
    for device in &devices {
        links.push(device.link(&relay.target(), ONLY_SEND).await?);
    }
    let before = relay.usage()?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut link in links {
        let over = over.clone();
        tasks.spawn(async move {
            let (mut maker, mut delays) = (Maker::new(start), Vec::new());
            while !over.load(Ordering::Relaxed) {
                let sent = Instant::now();
                one(&mut link, &mut maker, 1).await?;
                delays.push(u64::try_from(sent.elapsed().as_nanos())?);
            }
            anyhow::Ok(delays)
        });
    }
    tokio::time::sleep(setup.time).await;
    over.store(true, Ordering::Relaxed);
    let mut delays = Vec::new();
    while let Some(done) = tasks.join_next().await {
        delays.extend(done??);
    }
    let (elapsed, after) = (start.elapsed(), relay.usage()?);
    delays.sort_unstable();
    let acks = delays.len() as u64;
    let totals = relay.stop()?;
    println!(
        "W2 {senders} senders: {:.0} durable ACKs/s, p50 {:.2} ms, p99 {:.2} ms, {:.1} us relay \
         CPU each, {:.1} ACKs per fdatasync (load {})",
        acks as f64 / elapsed.as_secs_f64(),
        percentile(&delays, 0.5),
        percentile(&delays, 0.99),
        used(before, after, acks),
        totals.cells as f64 / totals.commits.max(1) as f64,
        load_average(),
    );
    Ok(())
}

async fn one(link: &mut Link, maker: &mut Maker, cells: usize) -> anyhow::Result<()> {
    link.send(&maker.put(0, cells))?;
    link.flush().await?;
    match link.next().await? {
        ToDevice::Ack { .. } => Ok(()),
        ToDevice::Fail { code, .. } => bail!("refused: {code:?}"),
        _ => bail!("no answer"),
    }
}

/// W3: one device reads `count` stored cells.
pub async fn w3(setup: &Setup<'_>, count: usize) -> anyhow::Result<()> {
    let relay = Relay::start(setup.binary, setup.place)?;
    let devices = relay.found(1).await?;
    let device = devices.first().context("a device")?;
    let mut link = device.link(&relay.target(), ONLY_SEND).await?;
    let mut maker = Maker::new(Instant::now());
    for first in (0..count).step_by(MAX_CELLS) {
        one(&mut link, &mut maker, MAX_CELLS.min(count - first)).await?;
    }
    let before = relay.usage()?;
    let mut link = device.link(&relay.target(), 1).await?;
    let start = Instant::now();
    let mut read = 0;
    while read < count {
        if let ToDevice::Push { cells, .. } = link.next().await? {
            read += cells.len();
        }
    }
    let (elapsed, after) = (start.elapsed(), relay.usage()?);
    println!(
        "W3 drain of {count}: {:.0} cells/s, {:.2} us relay CPU each, {} MB (load {})",
        count as f64 / elapsed.as_secs_f64(),
        used(before, after, count as u64),
        after.memory >> 20,
        load_average(),
    );
    Ok(())
}

/// W4: memory per idle connection, with `count` connected.
pub async fn w4(setup: &Setup<'_>, count: usize) -> anyhow::Result<()> {
    const PER_DEVICE: usize = 10;
    let limits = [("CONNECTIONS_PER_DEVICE", "10")];
    let relay = Relay::start_with(setup.binary, setup.place, &limits)?;
    let devices = relay.found(count.div_ceil(PER_DEVICE)).await?;
    let before = relay.usage()?;
    let mut links = Vec::new();
    for device in devices.iter().cycle().take(count) {
        links.push(device.link(&relay.target(), 1).await?);
    }
    let after = relay.usage()?;
    println!(
        "W4 {count} idle connections: {:.1} kB each, {} MB in all, {} descriptors (load {})",
        after.memory.saturating_sub(before.memory) as f64 / 1e3 / count as f64,
        after.memory >> 20,
        relay.descriptors()?,
        load_average(),
    );
    drop(links);
    Ok(())
}

/// W5: cold start of an empty relay.
pub async fn w5(setup: &Setup<'_>) -> anyhow::Result<()> {
    let relay = Relay::start(setup.binary, setup.place)?;
    println!(
        "W5 cold start, empty: {} ms, {:.1} MB resident (load {})",
        relay.started_in.as_millis(),
        relay.usage()?.memory as f64 / 1e6,
        load_average(),
    );
    Ok(())
}
