//! From the gate to HELLO: the handshake, whose public-key work is done on the porch.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use staffetta_protocol::session::relay::{Input, Output, Peer, RelaySession};
use staffetta_protocol::wire::ids::{Lane, Seq};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::FAREWELL;
use super::socket::{Io, Socket};
use crate::hub::Hub;
use crate::log::Pulse;
use crate::logsafe::safe;
use crate::registry::Pass;

/// A session whose other end proved who it is and said HELLO.
pub(super) struct Proven {
    pub(super) session: RelaySession,
    pub(super) peer: Peer,
    pub(super) version: u16,
    pub(super) lane: Lane,
    pub(super) resume: Seq,
}

/// Takes a session up to HELLO; `None` if it ended before.
pub(super) async fn shake_hands(
    hub: &Hub,
    porch: &Handle,
    socket: &mut Socket,
    mut session: RelaySession,
    pass: &Pass,
    pulse: &mut watch::Receiver<Pulse>,
) -> Option<Proven> {
    let left = session.deadline()?.saturating_sub(hub.now_ms());
    let mut too_late = std::pin::pin!(sleep(Duration::from_millis(left)));
    let mut out: VecDeque<Bytes> = VecDeque::new();
    loop {
        let message = tokio::select! {
            biased;
            _ = pass.cut() => return None,
            () = &mut too_late => return None,
            _ = pulse.wait_for(|pulse| pulse.draining) => return None,
            io = socket.next(&mut out, false, true) => match io {
                Io::Message(message) => message,
                Io::Writable | Io::Lost => return None,
            },
        };
        let now = hub.now_ms();
        let work = porch.spawn(async move {
            session.handle(now, Input::Message(&message));
            session
        });
        session = work.await.ok()?;
        while let Some(output) = session.poll() {
            match output {
                Output::Transmit(message) => out.push_back(message),
                Output::Hello { peer, version, lane, resume } => {
                    return Some(Proven { session, peer, version, lane, resume });
                }
                // The session lets no frame pass before HELLO.
                Output::Frame(_) => return None,
                Output::Close(closed) => {
                    tracing::debug!(closed = safe(&closed), "a handshake ended");
                    // What it was told, such as that no version is common.
                    let _ = timeout(FAREWELL, socket.finish(&mut out)).await;
                    return None;
                }
            }
        }
    }
}
