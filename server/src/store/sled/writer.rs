//! The one thread that writes the log.
//!
//! It takes whatever has queued, up to [`COMMIT_BYTES`], makes one durable commit of it, moves the
//! durable head, and only then answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::Seq;
use staffetta_protocol::wire::limits::CELL_RECORD;

use super::segment::{Header, Segment, encode_identity};
use super::segments::Segments;
use super::shared::{CLOCK_KEY, Command, Shared};
use crate::logsafe::safe;
use crate::store::recent::{Draft, Recent};
use crate::store::{Change, Commit, Done, Head, LogIdentity, MAX_QUEUED, StoreError};

/// Bytes of records in one commit, more or less.
pub(super) const COMMIT_BYTES: usize = 1024 * 1024;
/// How long the writer waits before it tries once more to open a failed store; the first time it
/// does not wait.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
/// Appends in the last commit from which on the writer waits for more.
const MIN_GATHERED: usize = 8;
/// How long it waits at most.
const MAX_GATHER: Duration = Duration::from_micros(500);
/// The state key of a head that was durable once, so that a log which lost its end is recognised.
pub(super) const HEAD_KEY: &[u8] = b"head";
/// The state key of the log's identity.
pub(super) const IDENTITY_KEY: &[u8] = b"log";
/// What the store notes in the state for itself.
pub(super) const OWN_KEYS: [&[u8]; 3] = [HEAD_KEY, IDENTITY_KEY, CLOCK_KEY];

const _: () = assert!(COMMIT_BYTES < MAX_QUEUED);

/// The log as its writer holds it.
pub(super) struct Log {
    identity: LogIdentity,
    active: Arc<Segment>,
    /// Goes with the first commit of the active segment.
    header: Option<Header>,
    /// Bytes and first second of the active segment.
    filled: usize,
    started: u64,
    recent: Recent,
}

impl Log {
    /// Opens the log `identity` whose segments are `segments`.
    pub(super) fn open(identity: LogIdentity, segments: &Segments) -> Result<Self, StoreError> {
        let (active, recent) = segments.recover(&identity)?;
        let (first, started) = segments.starts().pop().unwrap_or((1, 0));
        let header = match active.header()? {
            Some(_) => None,
            None => Some(Header { identity, first, before: recent.hash() }),
        };
        let filled = usize::try_from(recent.seq() + 1 - first).unwrap_or(0) * CELL_RECORD;
        Ok(Self { identity, active, header, filled, started, recent })
    }

    /// The last cell, durable or not.
    pub(super) fn head(&self) -> Head {
        Head { seq: self.recent.seq(), hash: self.recent.hash() }
    }

    fn roll(&mut self, shared: &Shared, end: Head, now: u64) -> Result<(), StoreError> {
        mark(shared, end)?;
        self.active = shared.segments().begin(end.seq, now)?;
        let (identity, first, before) = (self.identity, end.seq + 1, end.hash);
        self.header = Some(Header { identity, first, before });
        (self.filled, self.started) = (0, now);
        Ok(())
    }

    fn write(&mut self, shared: &Shared, before: Head, commit: &Commit) -> Result<(), StoreError> {
        let now = shared.now();
        let old = now >= self.started.saturating_add(shared.options.segment_seconds);
        if self.filled > 0 && (old || self.filled >= shared.options.segment_bytes) {
            self.roll(shared, before, now)?;
        }
        self.active.append(self.header.as_ref(), before.hash, commit)?;
        self.header = None;
        self.filled += commit.cells.records().len();
        Ok(())
    }
}

/// The last commit, by which the writer judges whether more is about to come.
struct Pace {
    count: usize,
    ended: Instant,
    took: Duration,
}

impl Pace {
    /// How many appends to wait for, and how long: for as many as were just answered, since those
    /// who wait for their answers before they go on come back together. One sender alone, or one
    /// that comes after a pause, never waits.
    fn gathers(&self, now: Instant) -> Option<(usize, Duration)> {
        let time = self.took.min(MAX_GATHER);
        let is_busy = self.count >= MIN_GATHERED && now.duration_since(self.ended) < time;
        is_busy.then(|| (self.count.saturating_sub(1), time))
    }
}

/// Notes a durable head in the state.
fn mark(shared: &Shared, head: Head) -> Result<(), StoreError> {
    let value = [head.seq.to_be_bytes().as_slice(), &head.hash.0].concat();
    shared.set(vec![Change { key: HEAD_KEY.to_vec(), value: Some(value) }])
}

/// Runs until [`Command::Stop`].
pub(super) fn run(shared: &Shared, mut log: Option<Log>) {
    let mut pace = Pace { count: 0, ended: Instant::now(), took: Duration::ZERO };
    loop {
        if shared.failed.load(Ordering::Acquire) {
            drop(log);
            match heal(shared) {
                Some(healed) => log = healed,
                None => return,
            }
        }
        match shared.next() {
            Command::Append(cells, done) => {
                if let Some((wanted, time)) = pace.gathers(Instant::now()) {
                    shared.gather(wanted, time);
                }
                let mut batches = vec![(cells, done)];
                shared.take_appends(&mut batches, COMMIT_BYTES);
                let (count, began) = (batches.len(), Instant::now());
                commit(shared, log.as_mut(), batches);
                pace = Pace { count, ended: Instant::now(), took: began.elapsed() };
            }
            Command::Create(identity, base, answer) => {
                let _ = answer.send(create(shared, &mut log, identity, base));
            }
            Command::Trim(end, answer) => {
                let _ = answer.send(trim(shared, log.as_mut(), end));
            }
            Command::Heal => {}
            Command::Stop => {
                // Failing to mark loses nothing but a check.
                let _ = log.map(|log| mark(shared, log.head()));
                return;
            }
        }
    }
}

/// Makes room and opens a failed store until it opens; `None` if it is time to stop.
fn heal(shared: &Shared) -> Option<Option<Log>> {
    shared.make_room();
    let mut pause = Duration::ZERO;
    loop {
        if shared.pause(pause) {
            return None;
        }
        match shared.reopen() {
            Ok(log) => {
                shared.failed.store(false, Ordering::Release);
                tracing::warn!("the store is open again");
                return Some(log);
            }
            Err(error) => tracing::warn!(error = safe(&error), "the store does not open again yet"),
        }
        pause = REOPEN_PAUSE;
    }
}

fn commit(shared: &Shared, log: Option<&mut Log>, batches: Vec<(Cells, Done)>) {
    let Some(log) = log else {
        return batches.into_iter().for_each(|(_, done)| done(Err(StoreError::NoLog)));
    };
    if shared.disk_is_low() {
        return batches.into_iter().for_each(|(_, done)| done(Err(StoreError::LowDisk)));
    }
    let before = log.head();
    let mut draft = Draft::new(&log.recent);
    let mut answers = Vec::with_capacity(batches.len());
    for (cells, done) in batches {
        answers.push((done, draft.admit(&mut log.recent, &cells)));
    }
    if let Some(commit) = draft.finish() {
        if let Err(error) = log.write(shared, before, &commit) {
            shared.fail(&error);
            return answers.into_iter().for_each(|(done, _)| done(Err(StoreError::Stopped)));
        }
        let hash = commit.hashes.last().copied().unwrap_or(before.hash);
        shared.publish(Head { seq: log.recent.seq(), hash }, Some(Arc::new(commit)));
    }
    for (done, answer) in answers {
        done(answer);
    }
}

fn create(
    shared: &Shared,
    log: &mut Option<Log>,
    identity: LogIdentity,
    base: Option<Head>,
) -> Result<(), StoreError> {
    if log.is_some() {
        return Err(StoreError::NoLog);
    }
    let segments = shared.segments();
    segments.discard_unclaimed()?;
    // The segment first: an identity without segments is a log that lost them.
    let start = base.unwrap_or(Head { seq: 0, hash: identity.start() });
    let segment = segments.begin(start.seq, shared.now())?;
    if base.is_some() {
        segment.begin(&Header { identity, first: start.seq + 1, before: start.hash })?;
    }
    drop(segment);
    let value = Some(encode_identity(&identity));
    shared.state.set(vec![Change { key: IDENTITY_KEY.to_vec(), value }])?;
    *log = Some(Log::open(identity, &segments)?);
    shared.set_identity(identity);
    shared.publish(start, None);
    shared.publish_oldest();
    Ok(())
}

fn trim(shared: &Shared, log: Option<&mut Log>, end: Seq) -> Result<(), StoreError> {
    let log = log.ok_or(StoreError::NoLog)?;
    if log.filled > 0 && end >= log.recent.seq() {
        // The newest goes too, once there is another that knows where the log stands.
        let head = log.head();
        if let Err(error) = log.roll(shared, head, shared.now()) {
            shared.fail(&error);
            return Err(StoreError::Stopped);
        }
        if let Some(header) = log.header.take()
            && let Err(error) = log.active.begin(&header)
        {
            shared.fail(&error);
            return Err(StoreError::Stopped);
        }
    }
    let result = shared.segments().drop_through(end.min(log.recent.seq()));
    shared.publish_oldest();
    if let Err(error) = &result {
        shared.fail(error);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_come_back_together_are_waited_for() {
        let ended = Instant::now();
        let pace = |count, micros| Pace { count, ended, took: Duration::from_micros(micros) };
        let soon = ended + Duration::from_micros(100);
        assert_eq!(pace(20, 300).gathers(soon), Some((19, Duration::from_micros(300))));
        assert_eq!(pace(20, 9_000).gathers(soon), Some((19, MAX_GATHER)));
        assert_eq!(pace(1, 300).gathers(soon), None, "one sender alone");
        assert_eq!(pace(20, 300).gathers(ended + MAX_GATHER), None, "after a pause");
        assert_eq!(pace(0, 0).gathers(ended), None, "before the first");
    }
}
