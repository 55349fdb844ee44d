//! What connections share, and what each operation does.
//!
//! The hub turns one frame into one answer, now or later. It must never know sockets or sessions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use staffetta_protocol::noise::keys::StaticSecret;
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{FailCode, Request, ToDevice, ToRelay};
use staffetta_protocol::wire::ids::Lane;
use tokio::sync::{Notify, oneshot};

use crate::admin::Control;
use crate::admission::HalfOpen;
use crate::blobs::{Blobs, Chunk};
use crate::config::Config;
use crate::log::Log;
use crate::log::forget::forgettable;
use crate::logsafe::safe;
use crate::registry::{NewInvite, OverQuota, Refused, Registry, Row, Sender};
use crate::store::{Clock, Health, LogStore, StoreError};

/// How soon a device is asked to try again when the store cannot take more just now.
const RETRY_MS: u32 = 1_000;
/// How soon when the disk is low: somebody must make room.
pub(crate) const LOW_DISK_RETRY_MS: u32 = 30_000;
/// How often the relay forgets, saves cursors and measures its disk.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How long SEENs are gathered before what all have seen is forgotten.
const SEEN_GATHERED: Duration = Duration::from_secs(1);

/// Strangers get at most one in so many of the process's file descriptors.
const STRANGERS_SHARE: u64 = 4;

/// What answers a frame.
pub(crate) enum Answer {
    /// Nothing.
    None,
    /// This.
    Now(ToDevice),
    /// What comes of work that blocks.
    Later(oneshot::Receiver<ToDevice>),
    /// The frame has no place here; the connection ends.
    Misbehaved,
}

/// A relay.
pub(crate) struct Hub {
    /// The relay's static key.
    pub(crate) key: StaticSecret,
    /// The log.
    pub(crate) log: Log,
    /// Who may come in.
    pub(crate) registry: Arc<Registry>,
    /// Blobs.
    pub(crate) blobs: Arc<Blobs>,
    /// Connections that did not pass the gate yet.
    pub(crate) half_open: Arc<HalfOpen>,
    /// The configuration.
    pub(crate) config: Config,
    /// Wall clock: for what is agreed with others.
    pub(crate) clock: Clock,
    /// Seconds that never jump: for ages.
    pub(crate) steady: Clock,
    /// The operator's hand on it, and what is counted.
    pub(crate) control: Control,
    store: Arc<dyn LogStore>,
    started: Instant,
    ordinals: AtomicU64,
    is_full: AtomicBool,
    seen: Notify,
}

/// How many strangers the process's descriptors allow for; the other places are for devices.
fn strangers() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors / STRANGERS_SHARE).unwrap_or(usize::MAX)
}

/// Wall clock in unix seconds.
pub(crate) fn system_clock() -> Clock {
    Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Seconds since now, which no hand can turn.
pub(crate) fn monotonic_clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || start.elapsed().as_secs())
}

impl Hub {
    /// A relay with this key on this store.
    pub(crate) fn new(
        key: StaticSecret,
        store: Arc<dyn LogStore>,
        config: Config,
        clock: Clock,
        data: &Path,
    ) -> Result<Self, StoreError> {
        let registry =
            Registry::open(store.clone(), &key.public(), config.limits.clone(), clock.clone())?;
        let blobs = Blobs::open(store.clone())?;
        let log = Log::new(store.clone());
        log.beat(|pulse| pulse.announced = blobs.last());
        Ok(Self {
            half_open: Arc::new(HalfOpen::new(&config.limits, strangers())),
            key,
            log,
            registry: Arc::new(registry),
            blobs: Arc::new(blobs),
            config,
            clock,
            steady: store.steady(),
            control: Control::new(data),
            store,
            started: Instant::now(),
            ordinals: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            seen: Notify::new(),
        })
    }

    /// Milliseconds since the start, for sessions.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What is kept.
    pub(crate) fn store(&self) -> &Arc<dyn LogStore> {
        &self.store
    }

    /// Whether devices are served and what they send is stored.
    pub(crate) fn is_ready(&self) -> bool {
        let is_full = self.is_full.load(Ordering::Relaxed);
        let draining = self.log.pulse().borrow().draining;
        !draining && !is_full && self.store.health() == Health::Ready
    }

    /// The next connection's number.
    pub(crate) fn ordinal(&self) -> u64 {
        self.ordinals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Carries out one frame.
    pub(crate) fn frame(self: &Arc<Self>, sender: &Sender, frame: ToRelay) -> Answer {
        if let Some(request) = of_another_lane(&frame) {
            return Answer::Now(fail(request, FailCode::Unknown, 0));
        }
        match (frame, sender) {
            (ToRelay::Ping, _) => Answer::Now(ToDevice::Pong),
            (ToRelay::Put { request, cells, .. }, Sender::Device(row)) => {
                self.put(request, cells, row)
            }
            (ToRelay::Seen { lane, seq }, Sender::Device(row)) => {
                // Nobody has seen what is not there.
                if lane == Lane(0) {
                    row.saw(seq.min(self.log.head().seq), (self.steady)());
                    self.seen.notify_one();
                }
                Answer::None
            }
            (
                ToRelay::BlobPut { request, secret, index, count, chunk, .. },
                Sender::Device(row),
            ) => {
                let bytes = chunk.len() as u64;
                let limits = self.registry.limits();
                if let Err(over) = row.spend(|budget| budget.blob(bytes, limits, self.unix_ms())) {
                    return over_quota(request, over);
                }
                let chunk = Chunk { secret, index, count, bytes: chunk };
                self.blocking(request, move |hub| {
                    if hub.is_full.load(Ordering::Relaxed) {
                        return Err(StoreError::LowDisk.into());
                    }
                    if let Some(number) = hub.blobs.put(&chunk, (hub.steady)())? {
                        hub.log.beat(|pulse| pulse.announced = number.max(pulse.announced));
                    }
                    Ok(ToDevice::Done { request })
                })
            }
            (ToRelay::BlobGet { request, id, index, .. }, Sender::Device(_)) => {
                self.blocking(request, move |hub| {
                    let (count, chunk) = hub.blobs.get(&id, index)?;
                    Ok(ToDevice::Blob { request, count, chunk })
                })
            }
            (ToRelay::BlobDelete { request, secret, .. }, Sender::Device(_)) => {
                self.blocking(request, move |hub| {
                    hub.blobs.delete(&secret)?;
                    Ok(ToDevice::Done { request })
                })
            }
            (ToRelay::Rows { request, document }, sender) => {
                let sender = sender.clone();
                self.blocking(request, move |hub| {
                    hub.registry.apply(&sender, &document)?;
                    Ok(ToDevice::Done { request })
                })
            }
            (ToRelay::Invite { request, id, gate, psk, expires, bundle }, sender) => {
                let sender = sender.clone();
                self.blocking(request, move |hub| {
                    hub.registry.invite(&sender, NewInvite { id, gate, psk, expires, bundle })?;
                    Ok(ToDevice::Done { request })
                })
            }
            (ToRelay::InviteEnd { request, id, end }, sender) => {
                let sender = sender.clone();
                self.blocking(request, move |hub| {
                    hub.registry.end_invite(&sender, &id, end)?;
                    Ok(ToDevice::Done { request })
                })
            }
            (ToRelay::Base { request, seq, hash, .. }, Sender::Device(_)) => self
                .blocking(request, move |hub| {
                    hub.begin_after(seq, hash).map(|()| ToDevice::Done { request })
                }),
            (ToRelay::Join { request, cells }, Sender::Newcomer(invite, key)) => {
                let (invite, key) = (invite.clone(), *key);
                let (answer, answered) = oneshot::channel();
                let hub = self.clone();
                tokio::task::spawn_blocking(move || match hub.registry.join(&invite, &key) {
                    Ok(()) => hub.append(request, cells, answer),
                    Err(refused) => {
                        let _ = answer.send(refusal(request, &refused));
                    }
                });
                Answer::Later(answered)
            }
            _ => Answer::Misbehaved,
        }
    }

    fn put(&self, request: Request, cells: Cells, row: &Row) -> Answer {
        let limits = self.registry.limits();
        let count = cells.len() as u64;
        if let Err(over) = row.spend(|budget| budget.cells(count, limits, self.unix_ms())) {
            return over_quota(request, over);
        }
        let (answer, answered) = oneshot::channel();
        self.append(request, cells, answer);
        Answer::Later(answered)
    }

    fn append(&self, request: Request, cells: Cells, answer: oneshot::Sender<ToDevice>) {
        if self.is_full.load(Ordering::Relaxed) {
            self.log.tell_low_disk(true);
            let _ = answer.send(refusal(request, &StoreError::LowDisk.into()));
            return;
        }
        let done = move |result: Result<Vec<_>, StoreError>| {
            // A closed receiver is a connection that went away; its cells are stored all the same.
            let _ = answer.send(match result {
                Ok(seqs) => ToDevice::Ack { request, seqs },
                Err(error) => refusal(request, &error.into()),
            });
        };
        self.log.append(cells, Box::new(done));
    }

    fn blocking(
        self: &Arc<Self>,
        request: Request,
        work: impl FnOnce(&Self) -> Result<ToDevice, Refused> + Send + 'static,
    ) -> Answer {
        let (answer, answered) = oneshot::channel();
        let hub = self.clone();
        tokio::task::spawn_blocking(move || {
            let frame = work(&hub).unwrap_or_else(|refused| refusal(request, &refused));
            let _ = answer.send(frame);
        });
        Answer::Later(answered)
    }

    fn unix_ms(&self) -> u64 {
        (self.clock)().saturating_mul(1_000)
    }

    /// Forgets, saves cursors and measures the disk, until the relay ends.
    pub(crate) async fn keep_house(self: Arc<Self>) {
        let mut due = tokio::time::Instant::now() + HOUSEKEEPING;
        loop {
            let was_seen = tokio::select! {
                () = tokio::time::sleep_until(due) => false,
                () = self.seen.notified() => true,
            };
            let hub = self.clone();
            let work = if was_seen {
                tokio::time::sleep(SEEN_GATHERED).await;
                tokio::task::spawn_blocking(move || hub.forget_log())
            } else {
                due = tokio::time::Instant::now() + HOUSEKEEPING;
                tokio::task::spawn_blocking(move || hub.forget())
            };
            if let Ok(Err(error)) = work.await {
                tracing::warn!(error = safe(&error), "housekeeping failed");
            }
        }
    }

    /// Measures the relay's directory.
    pub(crate) fn measure(&self) -> u64 {
        let used = bytes_under(self.control.data());
        self.control.measured(used);
        used
    }

    /// Forgets what everybody has seen and what is too old.
    fn forget_log(&self) -> Result<(), StoreError> {
        // Not while a backup is made: then next time.
        let Some(_may) = self.control.may_trim().filter(|_| self.registry.is_claimed()) else {
            return Ok(());
        };
        let rows = self.registry.rows();
        let readers = rows.iter().map(|row| row.reader());
        let (now, keep) = ((self.steady)(), self.config.storage.keep);
        match forgettable(&self.store.cuts(), readers, now, keep) {
            Some(end) if end >= self.store.oldest() => self.store.trim(end),
            _ => Ok(()),
        }
    }

    fn forget(&self) -> Result<(), StoreError> {
        if self.registry.is_claimed() {
            self.registry.save_readers()?;
        }
        self.forget_log()?;
        self.blobs.forget((self.steady)().saturating_sub(self.config.storage.keep))?;
        self.registry.forget_invites()?;
        let is_full = self.measure() > self.config.storage.max_disk;
        if is_full && !self.is_full.swap(is_full, Ordering::Relaxed) {
            tracing::warn!("the store reached max_disk; nothing more is accepted");
        }
        self.is_full.store(is_full, Ordering::Relaxed);
        self.log.tell_low_disk(is_full || self.log.health() == Health::LowDisk);
        Ok(())
    }

    /// Saves what is only in memory, before the relay ends.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        if self.registry.is_claimed() { self.registry.save_readers() } else { Ok(()) }
    }
}

/// The request of a frame that names a lane which does not exist.
fn of_another_lane(frame: &ToRelay) -> Option<Request> {
    match frame {
        ToRelay::Put { lane, request, .. }
        | ToRelay::BlobPut { lane, request, .. }
        | ToRelay::BlobGet { lane, request, .. }
        | ToRelay::BlobDelete { lane, request, .. }
        | ToRelay::Base { lane, request, .. } => (*lane != Lane(0)).then_some(*request),
        _ => None,
    }
}

fn bytes_under(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_under(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

fn fail(request: Request, code: FailCode, retry_ms: u32) -> ToDevice {
    ToDevice::Fail { request, code, retry_ms }
}

fn over_quota(request: Request, over: OverQuota) -> Answer {
    Answer::Now(fail(request, FailCode::OverQuota, over.retry_ms))
}

/// What a peer is told: a code, never a cause.
fn refusal(request: Request, refused: &Refused) -> ToDevice {
    let (code, retry_ms) = match refused {
        Refused::Peer(code) => (*code, 0),
        Refused::Store(StoreError::Conflict) => (FailCode::Conflict, 0),
        Refused::Store(StoreError::TooLarge) => (FailCode::TooLarge, 0),
        Refused::Store(StoreError::LowDisk) => (FailCode::LowDisk, LOW_DISK_RETRY_MS),
        Refused::Store(error) => {
            if !matches!(error, StoreError::Busy | StoreError::Stopped) {
                tracing::warn!(error = safe(&error), "an operation failed");
            }
            (FailCode::Unavailable, RETRY_MS)
        }
    };
    fail(request, code, retry_ms)
}
