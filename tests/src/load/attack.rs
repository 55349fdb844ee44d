//! What strangers and a misbehaving device do to a relay; each attack is bounded in time and count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use staffetta_protocol::gate::Gate;
use staffetta_protocol::noise::keys::{AccessSecret, GateKey};
use staffetta_protocol::random::{OsRandom, Random};
use staffetta_protocol::wire::frame::{FailCode, NoticeKind, ToDevice, ToRelay};
use staffetta_protocol::wire::limits::MAX_CELLS;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::frames;
use super::link::Link;
use super::relay::{Device, Target};
use super::work::Maker;

/// Connections that one attack has open at once, where their number is not the attack.
const AT_ONCE: usize = 1_000;
/// How long an attacker waits for anything.
const PATIENCE: Duration = Duration::from_secs(5);
/// A resume so far ahead that nothing is pushed.
const ONLY_SEND: u64 = 1 << 60;
/// How soon a device that found no place tries again.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What an attack came to.
#[derive(Default)]
pub struct Tally {
    /// Attempts.
    pub tried: AtomicU64,
    /// Of these, those that the relay ended as it should.
    pub ended: AtomicU64,
}

impl Tally {
    fn count(&self, ended: bool) {
        self.tried.fetch_add(1, Ordering::Relaxed);
        self.ended.fetch_add(u64::from(ended), Ordering::Relaxed);
    }

    /// Attempts and proper ends.
    pub fn read(&self) -> (u64, u64) {
        (self.tried.load(Ordering::Relaxed), self.ended.load(Ordering::Relaxed))
    }
}

/// A request for an upgrade, with the token of `key`.
pub fn upgrade(target: &Target, key: &GateKey) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let token = Gate::of(&target.key).token(key, now, &mut OsRandom).to_text();
    format!(
        "GET / HTTP/1.1\r\nHost: relay.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// Opens `count` connections that say nothing, and returns those that could be opened.
pub async fn half_open(target: &Target, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        // Out of descriptors or ports: what there is has to do.
        let Ok(Ok(stream)) = timeout(PATIENCE, TcpStream::connect(target.address)).await else {
            break;
        };
        open.push(stream);
    }
    open
}

/// `count` connections send their head byte by byte, ten a second each, and begin again when they
/// are cut off.
pub async fn slow_loris(target: Target, count: usize, time: Duration, tally: Arc<Tally>) {
    let until = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let tally = tally.clone();
        tasks.spawn(async move {
            while Instant::now() < until {
                let head = b"GET / HTTP/1.1\r\nHost: relay.example\r\nX-A: ";
                let Ok(mut stream) = TcpStream::connect(target.address).await else { continue };
                let mut beat = interval(Duration::from_millis(100));
                let mut ended = false;
                for byte in head.iter().chain(std::iter::repeat(&b'a')) {
                    beat.tick().await;
                    if Instant::now() >= until {
                        break;
                    }
                    if stream.write_all(&[*byte]).await.is_err() {
                        ended = true;
                        break;
                    }
                }
                tally.count(ended);
            }
        });
    }
    tasks.join_all().await;
}

/// Runs `attempt` `rate` times a second and counts those that return true.
async fn at_rate<F, T>(rate: u32, time: Duration, tally: Arc<Tally>, mut attempt: F)
where
    F: FnMut() -> T,
    T: Future<Output = bool> + Send + 'static,
{
    const BEAT: Duration = Duration::from_millis(10);
    let (start, places) = (Instant::now(), Arc::new(Semaphore::new(AT_ONCE)));
    let mut beat = interval(BEAT);
    let mut tasks = JoinSet::new();
    let mut begun = 0.0;
    while start.elapsed() < time {
        beat.tick().await;
        let due = f64::from(rate) * start.elapsed().as_secs_f64();
        while begun < due {
            begun += 1.0;
            // A machine that cannot send more sends less.
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let (tally, attempt) = (tally.clone(), attempt());
            tasks.spawn(async move {
                let ended = timeout(PATIENCE, attempt).await.unwrap_or(false);
                tally.count(ended);
                drop(place);
            });
        }
        while tasks.try_join_next().is_some() {}
    }
    tasks.join_all().await;
}

/// Connects, sends `bytes` and reads to the end; true if that starts with `expected`.
async fn knock(target: Target, bytes: Vec<u8>, expected: &'static [u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect(target.address).await else { return false };
    let mut answer = Vec::new();
    stream.write_all(&bytes).await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && answer.starts_with(expected)
}

/// Tokens under a key that nobody has.
pub async fn wrong_tokens(target: Target, rate: u32, time: Duration, tally: Arc<Tally>) {
    let key = AccessSecret::generate(&mut OsRandom).gate_key();
    at_rate(rate, time, tally, || knock(target, upgrade(&target, &key), b"HTTP/1.1 404")).await;
}

/// Passes the gate as a device, and hands `messages` to the relay one after the other; true if the
/// relay closed.
async fn behind_the_gate(target: Target, device: &Device, bytes: Vec<u8>) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(target.address).await?;
    stream.write_all(&upgrade(&target, &device.access.gate_key())).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        return Ok(head.starts_with(b"HTTP/1.1 404"));
    }
    // The relay may close before it took everything.
    let sent = stream.write_all(&bytes).await;
    let mut rest = Vec::new();
    let closed = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok();
    Ok(sent.is_err() || closed)
}

/// First messages of a handshake that are none, from whoever has stolen these devices' secrets.
pub async fn bad_noise(
    target: Target,
    devices: Vec<Arc<Device>>,
    rate: u32,
    time: Duration,
    tally: Arc<Tally>,
) {
    let mut devices = devices.into_iter().cycle();
    at_rate(rate, time, tally, || {
        let device = devices.next();
        async move {
            let mut message = vec![0; frames::HANDSHAKE];
            OsRandom.fill(&mut message);
            let Some(device) = device else { return false };
            let bytes = frames::binary(&message);
            behind_the_gate(target, &device, bytes).await.unwrap_or(true)
        }
    })
    .await;
}

/// Oversize, endless, fragmented and malformed frames behind the gate.
pub async fn bad_frames(
    target: Target,
    devices: Vec<Arc<Device>>,
    rate: u32,
    time: Duration,
    tally: Arc<Tally>,
) {
    let kinds = frames::hostile();
    let mut next = devices.into_iter().cycle().zip(kinds.into_iter().cycle());
    at_rate(rate, time, tally, || {
        let next = next.next();
        async move {
            let Some((device, bytes)) = next else { return false };
            behind_the_gate(target, &device, bytes).await.unwrap_or(true)
        }
    })
    .await;
}

/// Connects as a device does that finds no place: again, soon. Returns how often it took.
pub async fn link(target: &Target, device: &Device) -> anyhow::Result<(Link, u64)> {
    let start = Instant::now();
    for tries in 1.. {
        match timeout(PATIENCE, device.link(target, ONLY_SEND)).await {
            Ok(Ok(link)) => return Ok((link, tries)),
            _ if start.elapsed() < 4 * PATIENCE => sleep(BACK_OFF).await,
            _ => break,
        }
    }
    bail!("no place for a device")
}

/// An enrolled device sends sealed PINGs as fast as it is read.
pub async fn pings(
    target: Target,
    device: Arc<Device>,
    time: Duration,
    tally: Arc<Tally>,
) -> anyhow::Result<()> {
    let (mut link, _) = link(&target, &device).await?;
    let start = Instant::now();
    while start.elapsed() < time {
        for _ in 0..64 {
            link.send(&ToRelay::Ping)?;
        }
        link.flush().await?;
        for _ in 0..64 {
            let pong = timeout(PATIENCE, link.next()).await??;
            tally.count(matches!(pong, ToDevice::Pong));
        }
    }
    Ok(())
}

/// An enrolled device stores as much as it can and does not mind being told that it is over its
/// quota. It must have been told, by FAIL and by NOTICE.
pub async fn over_quota(
    target: Target,
    device: Arc<Device>,
    time: Duration,
    tally: Arc<Tally>,
) -> anyhow::Result<()> {
    let (mut link, _) = link(&target, &device).await?;
    let (start, mut was_told) = (Instant::now(), false);
    let mut maker = Maker::new(start);
    while start.elapsed() < time {
        for request in 0..4 {
            link.send(&maker.put(request, MAX_CELLS))?;
        }
        link.flush().await?;
        let mut answers = 0;
        while answers < 4 {
            match timeout(PATIENCE, link.next()).await?.context("the device was cut")? {
                ToDevice::Ack { .. } => tally.count(false),
                ToDevice::Fail { code: FailCode::OverQuota, retry_ms, .. } => {
                    ensure!(retry_ms > 0, "no time to come back");
                    tally.count(true);
                }
                ToDevice::Notice { kind, .. } => {
                    was_told |= kind == NoticeKind::OverQuota;
                    continue;
                }
                _ => continue,
            }
            answers += 1;
        }
    }
    ensure!(was_told || tally.read().1 == 0, "no NOTICE");
    Ok(())
}
