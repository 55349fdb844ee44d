//! The relay's end of a session.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Closed, DEAD_MS, HANDSHAKE_MS};
use crate::noise::channel::Channel;
use crate::noise::handshake::Handshake;
use crate::noise::keys::{AccessSecret, HopPsk, StaticPublic, StaticSecret, TransportHash};
use crate::wire::Cells;
use crate::wire::frame::{ToDevice, ToRelay, encode_push};
use crate::wire::ids::{Digest, Lane, Seq};
use crate::wire::limits::{MAX_VERSION, MIN_VERSION};

/// What happens to a session.
pub enum Input<'a> {
    /// A WebSocket binary message came.
    Message(&'a [u8]),
    /// The relay wants to send a frame.
    Send(&'a ToDevice),
    /// The relay wants to send cells that lie in several runs.
    Push {
        /// The lane.
        lane: Lane,
        /// The seq of the first cell.
        first: Seq,
        /// The running hash at the last cell.
        hash: Digest,
        /// 1 to 60 cells together.
        runs: &'a [Cells],
    },
    /// The time of [`RelaySession::deadline`] has come.
    Tick,
}

/// What a session wants done.
pub enum Output {
    /// Send one WebSocket binary message.
    Transmit(Bytes),
    /// The handshake is through and the peer said HELLO. Answer with WELCOME or INVITE-WELCOME.
    Hello {
        /// Who is there.
        peer: Peer,
        /// The minor version to use.
        version: u16,
        /// The lane to follow.
        lane: Lane,
        /// The first seq wanted.
        resume: Seq,
    },
    /// A frame that this peer may send; never HELLO.
    Frame(ToRelay),
    /// The session is over; close the connection once what was to be sent is sent.
    Close(Closed),
}

/// Who is at the other end, as the handshake proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The enrolled device of the row whose handle was used.
    Device,
    /// A newcomer with this throwaway key.
    Newcomer(StaticPublic),
}

/// Whom the gate let through.
enum Expected {
    Device { access: AccessSecret, transport: TransportHash },
    Newcomer,
}

enum State {
    /// Expecting message 1 or 3.
    Handshake { handshake: Box<Handshake>, expected: Expected },
    /// Expecting HELLO.
    Hello { channel: Channel, peer: Peer },
    /// Open.
    Open { channel: Channel, peer: Peer },
    /// Over.
    Closed,
}

/// The relay's end of one connection.
pub struct RelaySession {
    state: State,
    out: VecDeque<Output>,
    started_ms: u64,
    heard_ms: u64,
}

impl RelaySession {
    /// Awaits the device whose row this is. After message 3 its static key must hash to
    /// `transport` under `access`.
    ///
    /// # Errors
    /// [`Closed::Misuse`] if a key is unusable.
    pub fn device(
        now_ms: u64,
        relay: &StaticSecret,
        access: AccessSecret,
        transport: TransportHash,
    ) -> Result<Self, Closed> {
        let handshake = Handshake::relay_for_device(relay, &access.psk())?;
        Ok(Self::start(now_ms, handshake, Expected::Device { access, transport }))
    }

    /// Awaits a newcomer who holds an open invite.
    ///
    /// # Errors
    /// [`Closed::Misuse`] if a key is unusable.
    pub fn newcomer(now_ms: u64, relay: &StaticSecret, psk: &HopPsk) -> Result<Self, Closed> {
        let handshake = Handshake::relay_for_newcomer(relay, psk)?;
        Ok(Self::start(now_ms, handshake, Expected::Newcomer))
    }

    fn start(now_ms: u64, handshake: Handshake, expected: Expected) -> Self {
        Self {
            state: State::Handshake { handshake: Box::new(handshake), expected },
            out: VecDeque::new(),
            started_ms: now_ms,
            heard_ms: now_ms,
        }
    }

    /// Takes one input. Afterwards drain [`RelaySession::poll`].
    pub fn handle(&mut self, now_ms: u64, input: Input<'_>) {
        let result = match input {
            Input::Message(message) => {
                self.heard_ms = now_ms;
                self.message(now_ms, message)
            }
            Input::Send(frame) => self.seal(now_ms, || frame.encode()),
            Input::Push { lane, first, hash, runs } => {
                self.seal(now_ms, || encode_push(lane, first, &hash, runs))
            }
            Input::Tick => self.tick(now_ms),
        };
        if let Err(closed) = result {
            self.state = State::Closed;
            self.out.push_back(Output::Close(closed));
        }
    }

    /// The next thing to do, or `None` when there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to hand in [`Input::Tick`]; `None` when closed.
    pub fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Handshake { .. } | State::Hello { .. } => Some(self.started_ms + HANDSHAKE_MS),
            State::Open { .. } => Some(self.heard_ms + DEAD_MS),
            State::Closed => None,
        }
    }

    fn message(&mut self, now_ms: u64, message: &[u8]) -> Result<(), Closed> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Handshake { mut handshake, expected } => {
                handshake.read(message)?;
                if !handshake.is_finished() {
                    self.out.push_back(Output::Transmit(handshake.write()?.into()));
                    self.state = State::Handshake { handshake, expected };
                    return Ok(());
                }
                let key = handshake.remote_static().ok_or(Closed::NotAuthentic)?;
                let peer = match expected {
                    Expected::Device { access, transport } if access.bind(&key) == transport => {
                        Peer::Device
                    }
                    Expected::Device { .. } => return Err(Closed::WrongRow),
                    Expected::Newcomer => Peer::Newcomer(key),
                };
                self.state = State::Hello { channel: handshake.into_channel(now_ms)?, peer };
            }
            State::Hello { mut channel, peer } => {
                let ToRelay::Hello { min, max, lane, resume } =
                    ToRelay::decode(channel.open(message)?)?
                else {
                    return Err(Closed::Misbehaved);
                };
                if min > max || min > MAX_VERSION || max < MIN_VERSION {
                    let no = ToDevice::NoVersion { min: MIN_VERSION, max: MAX_VERSION };
                    let sealed = channel.seal(now_ms, no.encode()?)?;
                    self.out.push_back(Output::Transmit(sealed));
                    return Err(Closed::NoVersion { min, max });
                }
                let version = max.min(MAX_VERSION);
                self.out.push_back(Output::Hello { peer, version, lane, resume });
                self.state = State::Open { channel, peer };
            }
            State::Open { mut channel, peer } => {
                let frame = ToRelay::decode(channel.open(message)?)?;
                let in_place = match (&frame, peer) {
                    (ToRelay::Hello { .. }, _) => false,
                    (ToRelay::Ping, _) => true,
                    // The founder claims the relay with the first ROWS document.
                    (ToRelay::Join { .. } | ToRelay::Rows { .. }, Peer::Newcomer(_)) => true,
                    (ToRelay::Join { .. }, Peer::Device) => false,
                    (_, Peer::Device) => true,
                    (_, Peer::Newcomer(_)) => false,
                };
                if !in_place {
                    return Err(Closed::Misbehaved);
                }
                self.out.push_back(Output::Frame(frame));
                self.state = State::Open { channel, peer };
            }
            State::Closed => {}
        }
        Ok(())
    }

    fn seal(
        &mut self,
        now_ms: u64,
        plaintext: impl FnOnce() -> Result<Vec<u8>, crate::wire::WireError>,
    ) -> Result<(), Closed> {
        let State::Open { channel, .. } = &mut self.state else { return Err(Closed::Misuse) };
        // A frame over a limit is our caller's fault, not the device's.
        let plaintext = plaintext().map_err(|_| Closed::Misuse)?;
        self.out.push_back(Output::Transmit(channel.seal(now_ms, plaintext)?));
        Ok(())
    }

    fn tick(&self, now_ms: u64) -> Result<(), Closed> {
        match self.deadline() {
            Some(deadline) if now_ms >= deadline => Err(Closed::TimedOut),
            _ => Ok(()),
        }
    }
}
