//! One connection to the relay: TCP, proxy, upgrade, Noise session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role as WsRole, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::address::{Address, Proxy};
use super::clock::Clock;
use super::core::Down;
use super::{socks, upgrade};
use crate::gate::Gate;
use crate::noise::keys::{AccessSecret, GateKey, HopPsk, StaticPublic, StaticSecret};
use crate::random::OsRandom;
use crate::session::device::{DeviceSession, Input, Output};
use crate::session::{Closed, HANDSHAKE_MS};
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::Seq;
use crate::wire::limits::{CELL_RECORD, MAX_WIRE_MESSAGE};

/// Time for TCP to one address.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for name, TCP, proxy and upgrade of one address.
const REACH: Duration = Duration::from_secs(8);
/// The most IP addresses of one name that are tried.
const MAX_IPS: usize = 4;
/// Time without progress after which a blocked write ends the connection.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// Time for the last bytes and the close frame.
const FAREWELL: Duration = Duration::from_secs(1);
/// Sealed messages between the session and the socket.
const WRITE_QUEUE: usize = 32;
/// Bytes of each of the socket's buffers.
const BUFFER: usize = 32 * 1024;
/// Frames waiting for the socket, in units of [`CELL_RECORD`]: 16 MiB.
const OUTBOX: usize = 16 * 1024 * 1024 / CELL_RECORD;

type Ws = WebSocketStream<TcpStream>;

/// As whom to connect.
pub(super) enum Role {
    /// An enrolled device.
    Device { relay: StaticPublic, transport: StaticSecret, access: AccessSecret, resume: Seq },
    /// Somebody who holds an invite.
    Newcomer { gate: GateKey, psk: HopPsk, throwaway: StaticSecret },
}

const _: () = assert!(std::mem::needs_drop::<Role>());

/// The way in for frames to the relay, of one connection.
pub(super) struct Outbox {
    frames: mpsc::UnboundedSender<Outgoing>,
    room: Arc<Semaphore>,
}

/// The way out of an [`Outbox`].
pub(super) struct Outgoing {
    frame: ToRelay,
    _room: OwnedSemaphorePermit,
}

/// An outbox is full, or its connection is gone.
#[derive(Debug)]
pub(super) struct Overflow;

impl Outbox {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        // Unbounded by number, but every frame holds its share of `room`.
        let (frames, receiver) = mpsc::unbounded_channel();
        (Self { frames, room: Arc::new(Semaphore::new(OUTBOX)) }, receiver)
    }

    /// Queues a frame without waiting: the engine must never wait for a relay that does not read.
    pub(super) fn send(&self, frame: ToRelay) -> Result<(), Overflow> {
        let units = match &frame {
            ToRelay::Put { cells, .. } | ToRelay::Join { cells, .. } => cells.len().max(1),
            ToRelay::Hello { .. } | ToRelay::Seen { .. } | ToRelay::Ping | ToRelay::Base { .. } => {
                1
            }
            _ => MAX_WIRE_MESSAGE / CELL_RECORD,
        };
        let units = u32::try_from(units).map_err(|_| Overflow)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(units).map_err(|_| Overflow)?;
        self.frames.send(Outgoing { frame, _room: room }).map_err(|_| Overflow)
    }
}

/// Why an open connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The relay or the network ended it, or our side hung up after its last frame.
    Lost,
    /// Our side wants another connection.
    Redialled,
}

/// A connection whose session is open.
pub(super) struct Connection {
    clock: Clock,
    ws: Ws,
    session: DeviceSession,
    /// The relay's static key, on an invite connection.
    pub(super) relay: Option<StaticPublic>,
}

impl Connection {
    /// Connects and waits for WELCOME or INVITE-WELCOME, which it returns.
    pub(super) async fn open(
        clock: Clock,
        address: &Address,
        proxy: Option<&Proxy>,
        role: &Role,
    ) -> Result<(Self, ToDevice), Down> {
        let reached = timeout(REACH, reach(clock, address, proxy, role)).await;
        let mut ws = reached.map_err(|_| Down::Unreachable)??;
        let now = clock.ms();
        let session = match role {
            Role::Device { relay, transport, access, resume } => {
                DeviceSession::device(now, relay, transport, &access.psk(), *resume)
            }
            Role::Newcomer { psk, throwaway, .. } => DeviceSession::newcomer(now, throwaway, psk),
        };
        let mut session = session.map_err(|_| Down::Unreachable)?;
        let greeting = greet(clock, &mut ws, &mut session);
        let (relay, welcome) = timeout(Duration::from_millis(HANDSHAKE_MS), greeting)
            .await
            .map_err(|_| Down::Unreachable)??;
        Ok((Self { clock, ws, session, relay }, welcome))
    }

    /// Carries frames both ways until the connection ends.
    pub(super) async fn run<T>(
        self,
        mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
        redial: &Notify,
        incoming: &mpsc::Sender<T>,
        wrap: impl Fn(ToDevice) -> T,
    ) -> Ended {
        let Self { clock, ws, mut session, .. } = self;
        let (sink, mut stream) = ws.split();
        let (writer, queue) = mpsc::channel(WRITE_QUEUE);
        let mut writing = tokio::spawn(write(sink, queue));
        let mut sealed: VecDeque<Bytes> = VecDeque::new();
        let mut frames: VecDeque<ToDevice> = VecDeque::new();
        let ended = 'open: loop {
            while let Some(output) = session.poll() {
                match output {
                    Output::Transmit(message) => sealed.push_back(message),
                    Output::Frame(frame) => frames.push_back(frame),
                    Output::RelayKey(_) => {}
                    Output::Close(_) => break 'open Ended::Lost,
                }
            }
            let due = session.deadline().unwrap_or_default().saturating_sub(clock.ms());
            tokio::select! {
                () = redial.notified() => break Ended::Redialled,
                () = writer.closed() => break Ended::Lost,
                room = incoming.reserve(), if !frames.is_empty() => match (room, frames.pop_front()) {
                    (Ok(room), Some(frame)) => room.send(wrap(frame)),
                    // The engine has stopped; what it wanted sent last still goes out.
                    _ => frames.clear(),
                },
                room = writer.reserve(), if !sealed.is_empty() => match (room, sealed.pop_front()) {
                    (Ok(room), Some(message)) => room.send(message),
                    _ => break Ended::Lost,
                },
                // Nothing more is read while the engine is behind: the socket's buffers fill, and
                // the relay waits.
                message = next(&mut stream), if frames.is_empty() => match message {
                    Some(message) => session.handle(clock.ms(), Input::Message(&message)),
                    None => break Ended::Lost,
                },
                next = outgoing.recv(), if sealed.is_empty() => match next {
                    Some(next) => session.handle(clock.ms(), Input::Send(&next.frame)),
                    None => break Ended::Lost,
                },
                () = sleep(Duration::from_millis(due)), if frames.is_empty() => {
                    session.handle(clock.ms(), Input::Tick);
                }
            }
        };
        drop(writer);
        if timeout(FAREWELL, &mut writing).await.is_err() {
            writing.abort();
        }
        ended
    }
}

async fn reach(
    clock: Clock,
    address: &Address,
    proxy: Option<&Proxy>,
    role: &Role,
) -> Result<Ws, Down> {
    let mut tcp = reach_tcp(address, proxy).await?;
    let now_s = clock.now().unix_s();
    let token = match role {
        Role::Device { relay, access, .. } => {
            Gate::of(relay).token(&access.gate_key(), now_s, &mut OsRandom)
        }
        Role::Newcomer { gate, .. } => Gate::of_invites().token(gate, now_s, &mut OsRandom),
    };
    let rest = upgrade::upgrade(&mut tcp, address, &token, &mut OsRandom).await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_WIRE_MESSAGE))
        .max_frame_size(Some(MAX_WIRE_MESSAGE));
    Ok(Ws::from_partially_read(tcp, rest, WsRole::Client, Some(config)).await)
}

/// TCP to an address, through the proxy if there is one.
pub(super) async fn reach_tcp(address: &Address, proxy: Option<&Proxy>) -> Result<TcpStream, Down> {
    let next_hop = match proxy {
        Some(Proxy(proxy)) => proxy,
        None if address.is_onion() => return Err(Down::Unreachable),
        None => address,
    };
    let mut tcp = call(next_hop).await.ok_or(Down::Unreachable)?;
    // Frames are whole and flushed together: waiting for more would only delay them.
    tcp.set_nodelay(true).map_err(|_| Down::Unreachable)?;
    if proxy.is_some() {
        socks::connect(&mut tcp, address).await.map_err(|_| Down::Unreachable)?;
    }
    Ok(tcp)
}

/// Connects to the first of a name's IP addresses that answers. One that swallows packets costs
/// no more than its share of the time.
async fn call(address: &Address) -> Option<TcpStream> {
    let found = lookup_host((address.host(), address.port())).await.ok()?;
    let found: Vec<_> = found.take(MAX_IPS).collect();
    let share = CONNECT / u32::try_from(found.len().max(1)).ok()?;
    for ip in found {
        if let Ok(Ok(tcp)) = timeout(share, TcpStream::connect(ip)).await {
            return Some(tcp);
        }
    }
    None
}

/// Runs the handshake up to the relay's first frame.
async fn greet(
    clock: Clock,
    ws: &mut Ws,
    session: &mut DeviceSession,
) -> Result<(Option<StaticPublic>, ToDevice), Down> {
    let mut key = None;
    // Before the relay has proved its key in message 2, a close says nothing about our row.
    let mut proved = false;
    loop {
        let closed = if proved { Down::Refused } else { Down::Unreachable };
        while let Some(output) = session.poll() {
            match output {
                Output::Transmit(message) => {
                    ws.feed(Message::Binary(message)).await.map_err(|_| closed)?;
                }
                Output::RelayKey(relay) => key = Some(relay),
                Output::Frame(welcome) => return Ok((key, welcome)),
                Output::Close(Closed::NoVersion { .. }) => return Err(Down::NoVersion),
                Output::Close(_) => return Err(Down::Unreachable),
            }
        }
        ws.flush().await.map_err(|_| closed)?;
        let message = next(ws).await.ok_or(closed)?;
        session.handle(clock.ms(), Input::Message(&message));
        proved = true;
    }
}

/// The next binary message; `None` when there will be none.
async fn next(
    stream: &mut (impl StreamExt<Item = Result<Message, WsError>> + Unpin),
) -> Option<Bytes> {
    loop {
        match stream.next().await? {
            Ok(Message::Binary(message)) => return Some(message),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            _ => return None,
        }
    }
}

/// Writes sealed messages: all that are ready, then one flush.
async fn write(mut sink: SplitSink<Ws, Message>, mut queue: mpsc::Receiver<Bytes>) {
    while let Some(first) = queue.recv().await {
        let mut ready = Some(first);
        while let Some(message) = ready {
            let fed = timeout(WRITE_STALL, sink.feed(Message::Binary(message))).await;
            if !matches!(fed, Ok(Ok(()))) {
                return;
            }
            ready = queue.try_recv().ok();
        }
        if !matches!(timeout(WRITE_STALL, sink.flush()).await, Ok(Ok(()))) {
            return;
        }
    }
    // The relay may be gone already.
    let _gone = timeout(FAREWELL, sink.close()).await;
}
