//! One connection: a task that drives a session between a socket and the hub.
//!
//! There is no queue of cells. The connection has a cursor into the log and takes the next cells
//! only when its socket can take more, so that a device that does not read costs only itself. It
//! must never know what a frame means beyond what the session tells.

mod socket;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use staffetta_protocol::noise::keys::StaticPublic;
use staffetta_protocol::session::Closed;
use staffetta_protocol::session::relay::{Input, Output, Peer, RelaySession};
use staffetta_protocol::wire::frame::{JoinState, NoticeKind, ToDevice};
use staffetta_protocol::wire::ids::{Lane, Seq};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use self::socket::{Io, Socket};
use crate::admission::Place;
use crate::hub::{Answer, Hub, LOW_DISK_RETRY_MS};
use crate::log::{Next, Pulse};
use crate::registry::{Caller, Pass, Sender, Standing};
use crate::store::{Span, StoreError};

/// Requests of one connection that may wait for their answers; then it is not read.
const MAX_PENDING: usize = 8;
/// Sealed messages of one connection that may wait for its socket; then it is not read.
const MAX_WAITING: usize = 16;
/// How long a connection that ends may take for what was already said.
const FAREWELL: Duration = Duration::from_secs(2);
/// When a device is asked to come back after the relay drained.
const DRAIN_RETRY_MS: u32 = 1_000;

/// What passed the gate.
pub(crate) struct Admitted {
    /// The row or invite.
    pub(crate) caller: Caller,
    /// Its session, at the beginning.
    pub(crate) session: RelaySession,
    /// Its place among the half-open, given back after HELLO.
    pub(crate) place: Place,
}

/// Runs a connection to its end.
pub(crate) async fn run(hub: Arc<Hub>, socket: TcpStream, admitted: Admitted) {
    let Admitted { caller, session, place } = admitted;
    let ordinal = hub.ordinal();
    let max = hub.config.limits.connections_per_device;
    let pass = match &caller {
        Caller::Device(row) => row.enter(ordinal, max),
        Caller::Newcomer(invite) => invite.enter(ordinal, max),
    };
    let deadline = session.deadline().unwrap_or(0).saturating_sub(hub.now_ms());
    let connection = Connection {
        pulse: hub.log.pulse(),
        hub,
        socket: Socket::new(socket).await,
        session,
        caller,
        sender: None,
        place: Some(place),
        out: VecDeque::new(),
        pending: VecDeque::new(),
        cursor: None,
        announced: 0,
        told_low_disk: false,
        reading: None,
        standing: None,
        ending: false,
        timer: Box::pin(sleep(Duration::from_millis(deadline))),
    };
    tracing::debug!(connection = ordinal, "through the gate");
    connection.run(pass).await;
    tracing::debug!(connection = ordinal, "gone");
}

/// The state of an invite as its connection follows it.
struct Following {
    key: StaticPublic,
    told: JoinState,
    changes: watch::Receiver<Standing>,
}

struct Connection {
    hub: Arc<Hub>,
    socket: Socket,
    session: RelaySession,
    caller: Caller,
    /// Known after HELLO.
    sender: Option<Sender>,
    place: Option<Place>,
    /// Sealed, in order; each goes out before anything else is sealed for the log.
    out: VecDeque<Bytes>,
    pending: VecDeque<oneshot::Receiver<ToDevice>>,
    pulse: watch::Receiver<Pulse>,
    /// The next seq to push; only devices have one.
    cursor: Option<Seq>,
    announced: u64,
    told_low_disk: bool,
    reading: Option<JoinHandle<Result<Span, StoreError>>>,
    standing: Option<Following>,
    /// Nothing more is done than to send what was sealed.
    ending: bool,
    timer: Pin<Box<Sleep>>,
}

impl Connection {
    async fn run(mut self, mut pass: Pass) {
        while !self.ending {
            self.tell_changes();
            let may_read = self.pending.len() < MAX_PENDING && self.out.len() < MAX_WAITING;
            let has_more = self.has_more();
            tokio::select! {
                biased;
                // Cut: at once, without a farewell.
                () = pass.cut() => return,
                () = yields(self.place.as_ref()) => return,
                frame = first(&mut self.pending), if !self.pending.is_empty() => {
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
                io = self.socket.next(&mut self.out, has_more, may_read) => match io {
                    Io::Message(message) => {
                        let now = self.hub.now_ms();
                        self.session.handle(now, Input::Message(&message));
                        self.drain();
                    }
                    Io::Writable => self.push(),
                    Io::Lost => return,
                },
                changed = self.pulse.changed(), if !has_more => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = changed(self.standing.as_mut()), if self.standing.is_some() => {}
                () = self.timer.as_mut() => self.tick(),
            }
        }
        let _ = timeout(FAREWELL, self.socket.finish(&mut self.out)).await;
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
                Output::Hello { peer, version, lane, resume } => {
                    self.place = None;
                    self.hello(peer, version, lane, resume);
                }
                Output::Frame(frame) => {
                    let Some(sender) = &self.sender else { return self.end() };
                    match self.hub.frame(sender, frame) {
                        Answer::None => {}
                        Answer::Now(frame) => self.send(&frame),
                        Answer::Later(answered) => self.pending.push_back(answered),
                        Answer::Misbehaved => return self.end(),
                    }
                }
                Output::Close(closed) => {
                    if !matches!(closed, Closed::TimedOut) {
                        tracing::debug!(%closed, "a session ended");
                    }
                    return self.end();
                }
            }
        }
    }

    fn end(&mut self) {
        self.ending = true;
    }

    fn send(&mut self, frame: &ToDevice) {
        if self.ending {
            return;
        }
        self.session.handle(self.hub.now_ms(), Input::Send(frame));
        self.drain();
    }

    fn hello(&mut self, peer: Peer, version: u16, lane: Lane, resume: Seq) {
        match (peer, self.caller.clone()) {
            (Peer::Device, Caller::Device(row)) => {
                let Some(identity) = self.hub.log.identity().filter(|id| id.lane == lane) else {
                    return self.end();
                };
                let (head, oldest) = (self.hub.log.head(), self.hub.log.oldest());
                // What it wants next follows on what it committed.
                row.saw(resume.saturating_sub(1).min(head.seq), (self.hub.steady)());
                let admin = row.is_admin;
                self.sender = Some(Sender::Device(row));
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
            (Peer::Newcomer(key), Caller::Newcomer(invite)) => {
                let changes = invite.standing();
                let state = changes.borrow().told_to(&key);
                if matches!(state, JoinState::Used(_)) {
                    tracing::warn!("an invite was used a second time, by another key");
                }
                let bundle = invite.bundle.clone();
                self.sender = Some(Sender::Newcomer(invite, key));
                self.standing = Some(Following { key, told: state, changes });
                self.send(&ToDevice::InviteWelcome { version, bundle, state });
            }
            _ => self.end(),
        }
    }

    /// Says what changed since this connection was last told: the invite, blobs, draining.
    fn tell_changes(&mut self) {
        let pulse = *self.pulse.borrow_and_update();
        let is_device = match &self.sender {
            Some(sender) => matches!(sender, Sender::Device(_)),
            None if pulse.draining => return self.end(),
            None => return,
        };
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
                tracing::warn!(%error, "cannot read the log");
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

async fn yields(place: Option<&Place>) {
    match place {
        Some(place) => place.yields().await,
        None => std::future::pending().await,
    }
}

async fn first(pending: &mut VecDeque<oneshot::Receiver<ToDevice>>) -> Option<ToDevice> {
    match pending.front_mut() {
        Some(answered) => answered.await.ok(),
        None => std::future::pending().await,
    }
}

async fn joined<T>(task: &mut Option<JoinHandle<T>>) -> Option<T> {
    match task {
        Some(task) => Pin::new(task).await.ok(),
        None => std::future::pending().await,
    }
}

async fn changed(following: Option<&mut Following>) {
    match following {
        Some(following) => {
            // The other end lives as long as the invite, which the connection's sender holds.
            if following.changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}
