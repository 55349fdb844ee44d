//! One connection: a task that drives a session between a socket and the hub.
//!
//! There is no queue of cells. The connection has a cursor into the log and takes the next cells
//! only when its socket can take more, so that a device that does not read costs only itself. It
//! must never know what a frame means beyond what the session tells.

mod handshake;
mod pace;
mod socket;
mod waits;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use staffetta_protocol::session::Closed;
use staffetta_protocol::session::relay::{Input, Output, Peer, RelaySession};
use staffetta_protocol::wire::frame::{JoinState, NoticeKind, ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{Lane, Seq};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use self::handshake::{Proven, shake_hands};
use self::pace::Pace;
use self::socket::{Io, Socket};
use self::waits::{Following, Pending, changed, first, joined};
use crate::hub::{Answer, Hub, LOW_DISK_RETRY_MS};
use crate::log::{Next, Pulse};
use crate::logsafe::safe;
use crate::registry::{Caller, Cut, Pass, Sender};
use crate::store::{Span, StoreError};
use crate::stream::Stream;

/// Requests of one connection that may wait for their answers; then it is not read.
const MAX_PENDING: usize = 8;
/// Of these, requests for blob chunks, whose answers are large.
const MAX_PENDING_BLOBS: usize = 2;
/// Sealed bytes of one connection that may wait for its socket; then it is not read, and nothing
/// more is sealed for it.
const MAX_WAITING: usize = 128 * 1024;
/// How long a connection that ends may take for what was already said.
const FAREWELL: Duration = Duration::from_secs(2);
/// When a device is asked to come back after the relay drained.
const DRAIN_RETRY_MS: u32 = 1_000;
/// When a connection that yielded to a newer one of its device should come back.
const YIELD_RETRY_MS: u32 = 30_000;

/// What passed the gate.
pub(crate) struct Admitted {
    /// The row or invite.
    pub(crate) caller: Caller,
    /// Its right to be here.
    pub(crate) pass: Pass,
    /// Its session, at the beginning.
    pub(crate) session: RelaySession,
}

/// Runs a connection to its end; public-key work is done on `porch`.
pub(crate) async fn run(hub: Arc<Hub>, porch: Handle, stream: Stream, admitted: Admitted) {
    let Admitted { caller, pass, session } = admitted;
    let counted = hub.clone();
    let _open = counted.control.counters.admitted();
    tracing::debug!(connection = safe(pass.ordinal()), "through the gate");
    let mut socket = Socket::new(stream).await;
    let mut pulse = hub.log.pulse();
    let proven = shake_hands(&hub, &porch, &mut socket, session, &pass, &mut pulse).await;
    drop(porch);
    if let Some(Proven { session, peer, version, lane, resume }) = proven
        && let Some(sender) = sender(&caller, peer)
    {
        drop(caller);
        pass.settle(hub.config.limits.connections_per_device);
        socket.proven();
        let deadline = session.deadline().unwrap_or(0).saturating_sub(hub.now_ms());
        let mut connection = Connection {
            pace: Pace::new(hub.now_ms()),
            pulse,
            hub,
            socket,
            session,
            sender,
            out: VecDeque::new(),
            pending: VecDeque::new(),
            cursor: None,
            announced: 0,
            reused: 0,
            told_low_disk: false,
            reading: None,
            standing: None,
            ending: false,
            timer: Box::pin(sleep(Duration::from_millis(deadline))),
        };
        connection.hello(version, lane, resume);
        connection.run(&pass).await;
    }
    tracing::debug!(connection = safe(pass.ordinal()), "gone");
}

/// Who sends the frames of a connection that the gate let in as `caller`.
fn sender(caller: &Caller, peer: Peer) -> Option<Sender> {
    match (caller, peer) {
        (Caller::Device(row), Peer::Device) => Some(Sender::Device(row.clone())),
        (Caller::Newcomer(invite), Peer::Newcomer(key)) => {
            Some(Sender::Newcomer(invite.clone(), key))
        }
        _ => None,
    }
}

struct Connection {
    hub: Arc<Hub>,
    socket: Socket,
    session: RelaySession,
    sender: Sender,
    pace: Pace,
    /// Sealed, in order; each goes out before anything else is sealed for the log.
    out: VecDeque<Bytes>,
    pending: VecDeque<Pending>,
    pulse: watch::Receiver<Pulse>,
    /// The next seq to push; only devices have one.
    cursor: Option<Seq>,
    announced: u64,
    /// How many second uses of invites an admin's device was told.
    reused: u64,
    told_low_disk: bool,
    reading: Option<JoinHandle<Result<Span, StoreError>>>,
    standing: Option<Following>,
    /// Nothing more is done than to send what was sealed.
    ending: bool,
    timer: Pin<Box<Sleep>>,
}

impl Connection {
    async fn run(&mut self, pass: &Pass) {
        while !self.ending {
            self.tell_changes();
            if self.ending {
                break;
            }
            let has_more = self.has_more();
            let is_clogged = self.out.iter().map(Bytes::len).sum::<usize>() >= MAX_WAITING;
            let blobs = self.pending.iter().filter(|pending| pending.is_blob).count();
            let may_read = !is_clogged
                && self.pending.len() < MAX_PENDING
                && blobs < MAX_PENDING_BLOBS
                && self.pace.is_open();
            tokio::select! {
                biased;
                cut = pass.cut() => match cut {
                    // At once, without a farewell.
                    Cut::Revoked => return,
                    Cut::Yields => self.yields(),
                },
                frame = first(&mut self.pending), if !self.pending.is_empty() && !is_clogged => {
                    self.pending.pop_front();
                    match frame {
                        Some(frame) => self.send(&frame),
                        // The work was dropped: the relay is ending.
                        None => return,
                    }
                }
                span = joined(&mut self.reading), if self.reading.is_some() => {
                    self.reading = None;
                    if !self.push_span(span) {
                        return;
                    }
                }
                io = self.socket.next(&mut self.out, has_more || is_clogged, may_read) => match io {
                    Io::Message(message) => {
                        let now = self.hub.now_ms();
                        self.session.handle(now, Input::Message(&message));
                        self.drain();
                    }
                    Io::Writable if has_more => self.push(),
                    Io::Writable => {}
                    Io::Lost => return,
                },
                () = self.pace.resume(), if !self.pace.is_open() => {}
                changed = self.pulse.changed(), if !has_more => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = changed(self.standing.as_mut()), if self.standing.is_some() => {}
                () = self.timer.as_mut() => self.tick(),
            }
        }
        tokio::select! {
            () = pass.revoked() => {}
            _ = timeout(FAREWELL, self.socket.finish(&mut self.out)) => {}
        }
    }

    /// A newer connection of the same device takes the place of this one.
    fn yields(&mut self) {
        let kind = NoticeKind::OverQuota;
        self.send(&ToDevice::Notice { kind, retry_ms: YIELD_RETRY_MS });
        self.end();
    }

    /// Whether there may be cells to push that do not wait for the store.
    fn has_more(&self) -> bool {
        let head = self.pulse.borrow().head;
        self.reading.is_none() && self.cursor.is_some_and(|cursor| cursor <= head)
    }

    /// Hands what the session wants done to the socket and the hub.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Transmit(message) => self.out.push_back(message),
                // It came, once, before there was a connection.
                Output::Hello { .. } => return self.end(),
                Output::Frame(frame) => self.frame(frame),
                Output::Close(closed) => {
                    if !matches!(closed, Closed::TimedOut) {
                        tracing::debug!(closed = safe(&closed), "a session ended");
                    }
                    return self.end();
                }
            }
        }
    }

    fn frame(&mut self, frame: ToRelay) {
        self.pace.heard(&frame, self.hub.now_ms());
        let is_blob = matches!(frame, ToRelay::BlobGet { .. });
        match self.hub.frame(&self.sender, frame) {
            Answer::None => {}
            Answer::Now(frame) => self.send(&frame),
            Answer::Later(answered) => self.pending.push_back(Pending { answered, is_blob }),
            Answer::Misbehaved => self.end(),
        }
    }

    fn end(&mut self) {
        self.ending = true;
    }

    fn send(&mut self, frame: &ToDevice) {
        if self.ending {
            return;
        }
        if let ToDevice::Fail { code, .. } = frame {
            self.hub.control.counters.failed(*code);
        }
        let now = self.hub.now_ms();
        self.session.handle(now, Input::Send(frame));
        if let Some(notice) = self.pace.said(frame, now) {
            self.session.handle(now, Input::Send(&notice));
        }
        self.drain();
    }

    fn hello(&mut self, version: u16, lane: Lane, resume: Seq) {
        match &self.sender {
            Sender::Device(row) => {
                let Some((identity, head, oldest)) =
                    self.hub.standing().filter(|(id, ..)| id.lane == lane)
                else {
                    return self.end();
                };
                // What it wants next follows on what it committed.
                row.saw(resume.saturating_sub(1).min(head.seq), (self.hub.steady)());
                let admin = row.is_admin;
                self.cursor = Some(resume.max(1));
                self.send(&ToDevice::Welcome {
                    version,
                    lane,
                    log: identity.log,
                    oldest,
                    head: head.seq,
                    hash: head.hash,
                    admin,
                    blob_quota: self.hub.config.limits.blob_bytes_per_day,
                });
            }
            Sender::Newcomer(invite, key) => {
                let changes = invite.standing();
                let state = changes.borrow().told_to(key);
                if matches!(state, JoinState::Used(_)) {
                    tracing::warn!("an invite was used a second time, by another key");
                    let reused = self.hub.registry.note_reuse(invite);
                    self.hub.log.beat(|pulse| pulse.reused = reused.max(pulse.reused));
                }
                let bundle = invite.bundle.clone();
                self.standing = Some(Following { key: *key, told: state, changes });
                self.send(&ToDevice::InviteWelcome { version, bundle, state });
            }
        }
    }

    /// Says what changed since this connection was last told: the invite, blobs, draining.
    fn tell_changes(&mut self) {
        let pulse = *self.pulse.borrow_and_update();
        let is_device = matches!(self.sender, Sender::Device(_));
        // After the answers that are due, so that a founder hears DONE before `enrolled`.
        if let Some(following) = &mut self.standing
            && self.pending.is_empty()
        {
            let state = following.changes.borrow_and_update().told_to(&following.key);
            if state != following.told {
                following.told = state;
                self.send(&ToDevice::Join { state });
            }
        }
        while is_device && self.announced < pulse.announced && !self.ending {
            let (blobs, last) = self.hub.blobs.announced_after(self.announced);
            self.announced = last.max(self.announced + 1);
            if !blobs.is_empty() {
                self.send(&ToDevice::Announce { lane: Lane(0), blobs });
            }
        }
        let is_admin = matches!(&self.sender, Sender::Device(row) if row.is_admin);
        if is_admin && self.reused < pulse.reused {
            for (id, at) in self.hub.registry.reused_after(self.reused) {
                self.reused += 1;
                self.send(&ToDevice::InviteReused { id, at });
            }
        }
        if is_device && pulse.low_disk != self.told_low_disk {
            self.told_low_disk = pulse.low_disk;
            if pulse.low_disk {
                let (kind, retry_ms) = (NoticeKind::LowDisk, LOW_DISK_RETRY_MS);
                self.send(&ToDevice::Notice { kind, retry_ms });
            }
        }
        if pulse.draining {
            self.send(&ToDevice::Notice { kind: NoticeKind::Draining, retry_ms: DRAIN_RETRY_MS });
            self.end();
        }
    }

    /// Seals the next cells; called only when the socket can take them.
    fn push(&mut self) {
        let Some(cursor) = self.cursor else { return };
        match self.hub.log.next(cursor) {
            Next::Cells { runs, count, hash } => {
                let push = Input::Push { lane: Lane(0), first: cursor, hash, runs: &runs };
                self.session.handle(self.hub.now_ms(), push);
                self.cursor = Some(cursor + count);
                self.hub.control.counters.pushed(count);
                self.drain();
            }
            Next::Older => {
                let hub = self.hub.clone();
                self.reading = Some(tokio::task::spawn_blocking(move || hub.log.read(cursor)));
            }
            Next::Gap(oldest) => {
                self.cursor = Some(oldest);
                self.send(&ToDevice::Gap { lane: Lane(0), oldest });
            }
            Next::Nothing => {}
        }
    }

    /// Seals what the store read; false if the connection cannot go on.
    fn push_span(&mut self, span: Option<Result<Span, StoreError>>) -> bool {
        let span = match span {
            Some(Ok(span)) => span,
            Some(Err(error)) => {
                tracing::warn!(error = safe(&error), "cannot read the log");
                return false;
            }
            None => return false,
        };
        let Some(cursor) = self.cursor else { return false };
        // There was something; a store that is being opened again cannot find it.
        if span.cells.is_empty() {
            return false;
        }
        // Forgotten while it was read: the next turn says GAP.
        if span.first == cursor {
            let runs = [span.cells];
            let [run] = &runs;
            self.cursor = Some(cursor + run.len() as u64);
            self.hub.control.counters.pushed(run.len() as u64);
            let push = Input::Push { lane: Lane(0), first: cursor, hash: span.hash, runs: &runs };
            self.session.handle(self.hub.now_ms(), push);
            self.drain();
        }
        true
    }

    fn tick(&mut self) {
        let now = self.hub.now_ms();
        self.session.handle(now, Input::Tick);
        self.drain();
        // Deadlines only move on; the timer looks again when the last one it knew has come.
        let left = self.session.deadline().unwrap_or(now).saturating_sub(now).max(1);
        self.timer.as_mut().reset(Instant::now() + Duration::from_millis(left));
    }
}
