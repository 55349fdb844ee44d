//! The link of somebody who holds an invite: reads the bundle, asks to come in, waits.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::address::Proxy;
use super::clock::Clock;
use super::connection::{Outbox, Role};
use super::core::Down;
use super::link::{Control, Dialer, Gone, Link, LinkEvent, Target};
use crate::noise::keys::{GateKey, HopPsk, StaticPublic, StaticSecret};
use crate::random::OsRandom;
use crate::wire::frame::{JoinState, ToDevice, ToRelay};

/// Events that wait to be read; a full channel stops the reading of the socket.
const EVENTS: usize = 16;

/// What an invite connection needs.
pub struct NewcomerOptions {
    /// Where the code leads, `HOST[:PORT]`.
    pub address: String,
    /// Opens the gate; derived from the code.
    pub gate: GateKey,
    /// The psk of the hop; derived from the code.
    pub psk: HopPsk,
    /// The key the invite binds to; all connections use the same.
    pub throwaway: StaticSecret,
    /// Connect through this.
    pub proxy: Option<Proxy>,
}

/// What happens on an invite connection.
pub enum NewcomerEvent {
    /// Connected, or connected again. Compare `relay` with the bundle before anything is sent.
    Welcome {
        /// The static key that the relay proved to have.
        relay: StaticPublic,
        /// The sealed bundle.
        bundle: Bytes,
        /// Where the invite stands.
        state: JoinState,
    },
    /// Where the request stands now.
    State(JoinState),
    /// Any other frame: ACK, DONE, FAIL, NOTICE, PONG.
    Frame(ToDevice),
    /// A 404: the code is used, expired or ended, was never issued, or our clock is off. It is
    /// tried again every 5 s; give up by dropping the [`Newcomer`].
    NotOpen,
    /// Not connected for another reason; never [`Down::Refused`]. It is tried again.
    Down(Down),
}

/// A newcomer's frame has no connection to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not connected")]
pub struct NotConnected;

/// An invite connection that is kept up. Dropping it ends it.
pub struct Newcomer {
    events: mpsc::Receiver<LinkEvent>,
    outbox: Option<Outbox>,
    control: Arc<Control>,
    link: JoinHandle<()>,
}

impl Newcomer {
    /// Starts connecting, in a task of the current tokio runtime.
    pub fn connect(options: NewcomerOptions, clock: Clock) -> Self {
        let NewcomerOptions { address, gate, psk, throwaway, proxy } = options;
        let role = Role::Newcomer { gate, psk, throwaway };
        let target = Arc::new(Target { addresses: vec![address], role });
        let control = Arc::new(Control::default());
        let (sender, events) = mpsc::channel(EVENTS);
        let link = Link {
            clock,
            proxy,
            dialer: Fixed(target),
            control: Arc::clone(&control),
            events: sender,
        };
        let link = tokio::spawn(link.keep(OsRandom));
        Self { events, outbox: None, control, link }
    }

    /// What happens next; waits for it. Cancel safe. `None` only if the runtime is shutting down.
    pub async fn next(&mut self) -> Option<NewcomerEvent> {
        loop {
            return Some(match self.events.recv().await? {
                LinkEvent::Up { relay: Some(relay), welcome, outbox, .. } => {
                    self.outbox = Some(outbox);
                    let ToDevice::InviteWelcome { bundle, state, .. } = welcome else {
                        // A WELCOME for a device has no place here.
                        self.outbox = None;
                        continue;
                    };
                    NewcomerEvent::Welcome { relay, bundle, state }
                }
                // The handshake of a newcomer always shows the relay's key.
                LinkEvent::Up { relay: None, .. } => continue,
                LinkEvent::Frame(ToDevice::Join { state }) => NewcomerEvent::State(state),
                LinkEvent::Frame(frame) => NewcomerEvent::Frame(frame),
                LinkEvent::Down(why) => {
                    self.outbox = None;
                    match why {
                        Down::Refused => NewcomerEvent::NotOpen,
                        why => NewcomerEvent::Down(why),
                    }
                }
            });
        }
    }

    /// Sends a JOIN or ROWS frame over the connection of the last [`NewcomerEvent::Welcome`].
    ///
    /// # Errors
    /// [`NotConnected`]: send it again after the next welcome.
    pub fn send(&mut self, frame: ToRelay) -> Result<(), NotConnected> {
        let sent = self.outbox.as_ref().ok_or(NotConnected)?.send(frame);
        sent.map_err(|_| {
            self.outbox = None;
            NotConnected
        })
    }

    /// Tries again at once if it is waiting.
    pub fn poke(&self) {
        self.control.poke.notify_one();
    }

    /// Sends what is queued and hangs up.
    pub async fn close(mut self) {
        self.outbox = None;
        self.events.close();
        // A link that ended badly is closed as well.
        let _ended = (&mut self.link).await;
    }
}

struct Fixed(Arc<Target>);

impl Dialer for Fixed {
    async fn dial(&mut self) -> Result<Option<Arc<Target>>, Gone> {
        Ok(Some(Arc::clone(&self.0)))
    }
}
