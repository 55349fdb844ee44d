//! What the writer thread and its callers share.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::BytesMut;
use staffetta_protocol::wire::ids::{Digest, Seq};
use staffetta_protocol::wire::limits::CELL_RECORD;
use staffetta_protocol::wire::{Cells, running_hash};

use super::SledOptions;
use super::ballast::Ballast;
use super::segment::decode_identity;
use super::segments::Segments;
use super::state::State;
use super::writer::{HEAD_KEY, IDENTITY_KEY, Log};
use crate::logsafe::safe;
use crate::store::steady::{Mark, Steady};
use crate::store::{
    Change, Commit, Done, Head, Health, Listener, LogIdentity, MAX_QUEUED, Span, StoreError,
};

/// The state key of the last moment that was noted by both clocks.
pub(super) const CLOCK_KEY: &[u8] = b"clock";

/// What the writer is asked.
pub(super) enum Command {
    /// Append, and answer.
    Append(Cells, Done),
    /// Create the log, after the place of another if there is one.
    Create(LogIdentity, Option<Head>, SyncSender<Result<(), StoreError>>),
    /// Forget up to a seq.
    Trim(Seq, SyncSender<Result<(), StoreError>>),
    /// Look whether the store failed.
    Heal,
    /// Return.
    Stop,
}

#[derive(Default)]
struct Queue {
    commands: VecDeque<Command>,
    bytes: usize,
    /// How many commands the writer waits for, if it gathers.
    wanted: usize,
    stopping: bool,
}

/// What readers may know.
#[derive(Clone, Copy)]
struct Durable {
    identity: Option<LogIdentity>,
    head: Head,
    oldest: Seq,
}

/// The store's shared half.
pub(super) struct Shared {
    pub(super) options: SledOptions,
    pub(super) state: State,
    pub(super) failed: AtomicBool,
    is_low: AtomicBool,
    ballast: Ballast,
    steady: Steady,
    dir: PathBuf,
    segments: RwLock<Arc<Segments>>,
    durable: RwLock<Durable>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    listener: Mutex<Option<Listener>>,
}

impl Shared {
    /// Opens what is in `dir`.
    pub(super) fn open(
        dir: PathBuf,
        options: SledOptions,
    ) -> Result<(Self, Option<Log>), StoreError> {
        let state = State::open(&dir)?;
        let segments = Arc::new(Segments::list(dir.join("log"))?);
        let durable =
            Durable { identity: None, head: Head { seq: 0, hash: Digest([0; 32]) }, oldest: 1 };
        let saved = state.get(CLOCK_KEY)?.and_then(|saved| Mark::decode(&saved));
        let steady = Steady::resume(options.clock.clone(), options.monotonic.clone(), saved);
        let ballast = Ballast::new(&dir, options.ballast);
        let shared = Self {
            options,
            state,
            failed: AtomicBool::new(false),
            is_low: AtomicBool::new(false),
            ballast,
            steady,
            dir,
            segments: RwLock::new(segments),
            durable: RwLock::new(durable),
            queue: Mutex::default(),
            arrived: Condvar::new(),
            listener: Mutex::default(),
        };
        let log = shared.open_log()?;
        shared.disk_is_low();
        Ok((shared, log))
    }

    fn open_log(&self) -> Result<Option<Log>, StoreError> {
        let Some(value) = self.state.get(IDENTITY_KEY)? else {
            self.segments().discard_unclaimed()?;
            return Ok(None);
        };
        let what = "the log's identity";
        let identity = decode_identity(&value)
            .ok_or_else(|| StoreError::Damaged { segment: "state".into(), what })?;
        let log = Log::open(identity, &self.segments())?;
        self.check_end(log.head())?;
        self.set_identity(identity);
        self.publish(log.head(), None);
        self.publish_oldest();
        Ok(Some(log))
    }

    /// Refuses a log that is shorter than it durably was: sled takes damage at the end of its file
    /// for a write that a crash cut off.
    fn check_end(&self, head: Head) -> Result<(), StoreError> {
        let Some(marked) = self.state.get(HEAD_KEY)? else { return Ok(()) };
        let seq = marked.first_chunk().map(|seq| Seq::from_be_bytes(*seq));
        if seq.is_some_and(|seq| head.seq >= seq) {
            return Ok(());
        }
        Err(self.segments().newest_damaged("it lost cells that were durable"))
    }

    /// Opens the log again after an error, and tells of what turned out to be durable.
    pub(super) fn reopen(&self) -> Result<Option<Log>, StoreError> {
        let before = self.head();
        let segments = Arc::new(Segments::list(self.dir.join("log"))?);
        *self.segments.write().unwrap_or_else(PoisonError::into_inner) = segments;
        let log = self.open_log()?;
        self.tell_missed(before)?;
        Ok(log)
    }

    fn tell_missed(&self, mut from: Head) -> Result<(), StoreError> {
        while from.seq < self.head().seq {
            let span = self.read(from.seq + 1, 1024)?;
            let mut hashes = Vec::new();
            let mut hash = from.hash;
            for (id, cell) in span.cells.iter() {
                hash = running_hash::next(&hash, &id, cell);
                hashes.push(hash);
            }
            if hashes.is_empty() {
                break;
            }
            from = Head { seq: from.seq + hashes.len() as u64, hash };
            self.tell(&Arc::new(Commit { first: span.first, cells: span.cells, hashes }));
        }
        Ok(())
    }

    pub(super) fn segments(&self) -> Arc<Segments> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn durable(&self) -> Durable {
        *self.durable.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn identity(&self) -> Option<LogIdentity> {
        self.durable().identity
    }

    pub(super) fn head(&self) -> Head {
        self.durable().head
    }

    pub(super) fn oldest(&self) -> Seq {
        self.durable().oldest
    }

    pub(super) fn set_identity(&self, identity: LogIdentity) {
        self.durable.write().unwrap_or_else(PoisonError::into_inner).identity = Some(identity);
    }

    /// Moves the durable head, then tells of the commit that moved it.
    pub(super) fn publish(&self, head: Head, commit: Option<Arc<Commit>>) {
        self.durable.write().unwrap_or_else(PoisonError::into_inner).head = head;
        if let Some(commit) = commit {
            self.tell(&commit);
        }
    }

    pub(super) fn publish_oldest(&self) {
        let first = self.segments().starts().first().map_or(1, |(first, _)| *first);
        self.durable.write().unwrap_or_else(PoisonError::into_inner).oldest = first;
    }

    fn tell(&self, commit: &Arc<Commit>) {
        let listener =
            self.listener.lock().unwrap_or_else(PoisonError::into_inner).as_ref().cloned();
        if let Some(listener) = listener {
            listener(commit);
        }
    }

    pub(super) fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Now, in steady seconds.
    pub(super) fn now(&self) -> u64 {
        self.steady.now()
    }

    /// Makes all changes or none, and notes the time with them.
    pub(super) fn set(&self, mut changes: Vec<Change>) -> Result<(), StoreError> {
        let value = Some(self.steady.mark().encode());
        changes.push(Change { key: CLOCK_KEY.to_vec(), value });
        let result = self.state.set(changes);
        if let Err(error) = &result {
            self.fail(error);
        }
        result
    }

    /// Stops acknowledging; the writer opens the store again.
    pub(super) fn fail(&self, error: &StoreError) {
        tracing::error!(error = safe(&error), "the store failed; opening it again");
        self.failed.store(true, Ordering::Release);
        self.order(Command::Heal);
    }

    pub(super) fn health(&self) -> Health {
        if self.failed.load(Ordering::Acquire) {
            Health::Failed
        } else if self.disk_is_low() {
            Health::LowDisk
        } else {
            Health::Ready
        }
    }

    /// Whether nothing may be taken in. What cannot be measured is not low.
    pub(super) fn disk_is_low(&self) -> bool {
        let Ok(disk) = rustix::fs::statvfs(&self.dir) else { return false };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let is_low = self.ballast.is_low(free, self.options.low_disk);
        if is_low != self.is_low.swap(is_low, Ordering::Relaxed) {
            match is_low {
                true => tracing::warn!("the disk is nearly full; nothing more is accepted"),
                false => tracing::info!("there is room on the disk again"),
            }
        }
        is_low
    }

    /// Gives up the ballast, so that there is room to open the store again.
    pub(super) fn make_room(&self) {
        self.ballast.release();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an append, or gives it back with the reason.
    pub(super) fn append(&self, batch: Cells, done: Done) -> Result<(), (Done, StoreError)> {
        if self.failed.load(Ordering::Acquire) {
            return Err((done, StoreError::Stopped));
        }
        let mut queue = self.queue();
        let bytes = queue.bytes + batch.records().len();
        if bytes > MAX_QUEUED || queue.stopping {
            return Err((done, StoreError::Busy));
        }
        queue.bytes = bytes;
        queue.commands.push_back(Command::Append(batch, done));
        let is_awaited = queue.commands.len() >= queue.wanted;
        drop(queue);
        if is_awaited {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Queues what is no append.
    pub(super) fn order(&self, command: Command) {
        let mut queue = self.queue();
        queue.stopping |= matches!(command, Command::Stop);
        queue.commands.push_back(command);
        drop(queue);
        self.arrived.notify_one();
    }

    /// Waits for the next command.
    pub(super) fn next(&self) -> Command {
        let mut queue = self.queue();
        loop {
            match queue.commands.pop_front() {
                Some(command) => {
                    if let Command::Append(cells, _) = &command {
                        queue.bytes -= cells.records().len();
                    }
                    return command;
                }
                None => {
                    queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits until `wanted` commands have queued, or one that is no append, or `time` is over.
    pub(super) fn gather(&self, wanted: usize, time: Duration) {
        let mut queue = self.queue();
        queue.wanted = wanted;
        let is_short = |queue: &mut Queue| {
            queue.commands.len() < wanted
                && matches!(queue.commands.back(), None | Some(Command::Append(..)))
        };
        let waited = self.arrived.wait_timeout_while(queue, time, is_short);
        waited.unwrap_or_else(PoisonError::into_inner).0.wanted = 0;
    }

    /// Takes the appends that are next in the queue, until there are `limit` bytes.
    pub(super) fn take_appends(&self, batches: &mut Vec<(Cells, Done)>, limit: usize) {
        let mut bytes: usize = batches.iter().map(|(cells, _)| cells.records().len()).sum();
        let mut queue = self.queue();
        while bytes < limit && matches!(queue.commands.front(), Some(Command::Append(..))) {
            let Some(Command::Append(cells, done)) = queue.commands.pop_front() else { return };
            bytes += cells.records().len();
            queue.bytes -= cells.records().len();
            batches.push((cells, done));
        }
    }

    /// Refuses what has queued and waits; true if it is time to stop.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let commands = {
            let mut queue = self.queue();
            queue.bytes = 0;
            std::mem::take(&mut queue.commands)
        };
        for command in commands {
            match command {
                Command::Append(_, done) => done(Err(StoreError::Stopped)),
                Command::Create(_, _, answer) | Command::Trim(_, answer) => {
                    let _ = answer.send(Err(StoreError::Stopped));
                }
                Command::Heal => {}
                Command::Stop => return true,
            }
        }
        let queue = self.queue();
        let waited = self.arrived.wait_timeout_while(queue, time, |queue| !queue.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }

    /// Reads cells up to the durable head.
    pub(super) fn read(&self, from: Seq, max: usize) -> Result<Span, StoreError> {
        let Durable { identity, head, oldest } = self.durable();
        let first = from.max(oldest);
        let mut out = BytesMut::new();
        let mut hash = head.hash;
        if let Some(identity) = identity {
            let (mut next, mut left) = (first, max);
            while left > 0 && next <= head.seq {
                let segments = self.segments();
                let Some((segment, end)) = segments.holding(next, &identity)? else { break };
                let at = out.len();
                let read = segment.read(next, end.min(head.seq), left, &mut out);
                if let Err(error) = &read
                    && segments.close(next)
                {
                    self.fail(error);
                }
                let Some(after) = read? else { break };
                let count = (out.len() - at) / CELL_RECORD;
                (next, left, hash) = (next + count as u64, left - count, after);
            }
        }
        let cells = Cells::from_records(out.freeze())
            .map_err(|_| StoreError::Database("a read of no cells".into()))?;
        Ok(Span { first, cells, hash })
    }
}
