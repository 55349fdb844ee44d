//! The device's end of a session.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Closed, DEAD_MS, HANDSHAKE_MS, PING_MS};
use crate::noise::channel::Channel;
use crate::noise::handshake::Handshake;
use crate::noise::keys::{HopPsk, StaticPublic, StaticSecret};
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::{Lane, Seq};
use crate::wire::limits::{MAX_VERSION, MIN_VERSION};

/// What happens to a session.
pub enum Input<'a> {
    /// A WebSocket binary message came.
    Message(&'a [u8]),
    /// Our side wants to send a frame.
    Send(&'a ToRelay),
    /// The time of [`DeviceSession::deadline`] has come.
    Tick,
}

/// What a session wants done.
pub enum Output {
    /// Send one WebSocket binary message.
    Transmit(Bytes),
    /// A newcomer's handshake showed this relay key: compare it with the bundle before anything
    /// is sent.
    RelayKey(StaticPublic),
    /// The relay sent a frame. The first is WELCOME or INVITE-WELCOME.
    Frame(ToDevice),
    /// The session is over; close the connection.
    Close(Closed),
}

enum State {
    /// Message 1 is sent; expecting message 2.
    Handshake { handshake: Box<Handshake>, newcomer: bool },
    /// HELLO is sent; expecting the answer.
    Hello(Channel),
    /// Open.
    Open(Channel),
    /// Over.
    Closed,
}

/// The device's end of one connection.
pub struct DeviceSession {
    state: State,
    hello: ToRelay,
    out: VecDeque<Output>,
    started_ms: u64,
    heard_ms: u64,
    spoke_ms: u64,
}

impl DeviceSession {
    /// Starts an enrolled device's session that wants the log from `resume` on.
    ///
    /// # Errors
    /// [`Closed::Misuse`] if a key is unusable.
    pub fn device(
        now_ms: u64,
        relay: &StaticPublic,
        transport: &StaticSecret,
        psk: &HopPsk,
        resume: Seq,
    ) -> Result<Self, Closed> {
        Self::start(now_ms, Handshake::device(relay, transport, psk)?, false, resume)
    }

    /// Starts a newcomer's session with a throwaway key.
    ///
    /// # Errors
    /// [`Closed::Misuse`] if a key is unusable.
    pub fn newcomer(now_ms: u64, throwaway: &StaticSecret, psk: &HopPsk) -> Result<Self, Closed> {
        Self::start(now_ms, Handshake::newcomer(throwaway, psk)?, true, 0)
    }

    fn start(
        now_ms: u64,
        mut handshake: Handshake,
        newcomer: bool,
        resume: Seq,
    ) -> Result<Self, Closed> {
        let first = handshake.write()?;
        Ok(Self {
            state: State::Handshake { handshake: Box::new(handshake), newcomer },
            hello: ToRelay::Hello { min: MIN_VERSION, max: MAX_VERSION, lane: Lane(0), resume },
            out: VecDeque::from([Output::Transmit(first.into())]),
            started_ms: now_ms,
            heard_ms: now_ms,
            spoke_ms: now_ms,
        })
    }

    /// Takes one input. Afterwards drain [`DeviceSession::poll`].
    pub fn handle(&mut self, now_ms: u64, input: Input<'_>) {
        let result = match input {
            Input::Message(message) => {
                self.heard_ms = now_ms;
                self.message(now_ms, message)
            }
            Input::Send(frame) => self.send(now_ms, frame),
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
            State::Handshake { .. } | State::Hello(_) => Some(self.started_ms + HANDSHAKE_MS),
            State::Open(_) => Some((self.spoke_ms + PING_MS).min(self.heard_ms + DEAD_MS)),
            State::Closed => None,
        }
    }

    /// Whether frames other than HELLO may be sent.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Pretends to speak other versions.
    #[cfg(test)]
    pub(super) fn speak_only_for_tests(&mut self, oldest: u16, newest: u16) {
        if let ToRelay::Hello { min, max, .. } = &mut self.hello {
            (*min, *max) = (oldest, newest);
        }
    }

    fn message(&mut self, now_ms: u64, message: &[u8]) -> Result<(), Closed> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Handshake { mut handshake, newcomer } => {
                handshake.read(message)?;
                if newcomer {
                    let key = handshake.remote_static().ok_or(Closed::NotAuthentic)?;
                    self.out.push_back(Output::RelayKey(key));
                }
                self.out.push_back(Output::Transmit(handshake.write()?.into()));
                let mut channel = handshake.into_channel(now_ms)?;
                let hello = channel.seal(now_ms, self.hello.encode()?)?;
                self.out.push_back(Output::Transmit(hello));
                self.spoke_ms = now_ms;
                self.state = State::Hello(channel);
            }
            State::Hello(mut channel) => {
                let frame = ToDevice::decode(channel.open(message)?)?;
                match frame {
                    ToDevice::NoVersion { min, max } => {
                        return Err(Closed::NoVersion { min, max });
                    }
                    ToDevice::Welcome { version, .. } | ToDevice::InviteWelcome { version, .. }
                        if (MIN_VERSION..=MAX_VERSION).contains(&version) => {}
                    _ => return Err(Closed::Misbehaved),
                }
                self.out.push_back(Output::Frame(frame));
                self.state = State::Open(channel);
            }
            State::Open(mut channel) => {
                let frame = ToDevice::decode(channel.open(message)?)?;
                self.out.push_back(Output::Frame(frame));
                self.state = State::Open(channel);
            }
            State::Closed => {}
        }
        Ok(())
    }

    fn send(&mut self, now_ms: u64, frame: &ToRelay) -> Result<(), Closed> {
        let State::Open(channel) = &mut self.state else { return Err(Closed::Misuse) };
        // A frame over a limit is our caller's fault, not the relay's.
        let plaintext = frame.encode().map_err(|_| Closed::Misuse)?;
        self.out.push_back(Output::Transmit(channel.seal(now_ms, plaintext)?));
        self.spoke_ms = now_ms;
        Ok(())
    }

    fn tick(&mut self, now_ms: u64) -> Result<(), Closed> {
        match self.state {
            State::Handshake { .. } | State::Hello(_)
                if now_ms >= self.started_ms + HANDSHAKE_MS =>
            {
                Err(Closed::TimedOut)
            }
            State::Open(_) if now_ms >= self.heard_ms + DEAD_MS => Err(Closed::TimedOut),
            State::Open(_) if now_ms >= self.spoke_ms + PING_MS => {
                self.send(now_ms, &ToRelay::Ping)
            }
            _ => Ok(()),
        }
    }
}
