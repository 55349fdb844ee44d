//! Accepting connections and taking each through the gate, on the porch.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use staffetta_protocol::session::relay::RelaySession;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::admission::{
    HEAD_TIME, IN_MAINTENANCE, Knock, NOT_FOUND, Place, Source, read_head, switching,
};
use crate::connection::{self, Admitted};
use crate::hub::Hub;
use crate::logsafe::{AskedSource, safe};
use crate::registry::{Caller, Pass};
use crate::stream::{Listener, Stream};

/// How long a refused connection may take to read its 404, and how much it may still say.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
const REFUSAL_BYTES: u64 = 16 * 1024;
/// The pause after the system refused to accept, which is when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Held by every connection, so that the relay knows when the last is gone.
pub(crate) type Alive = mpsc::Sender<()>;

/// Takes connections to the gate, and through it to the others.
#[derive(Clone)]
pub(crate) struct Doorman {
    hub: Arc<Hub>,
    /// Where enrolled devices are served.
    house: Handle,
    alive: Alive,
}

/// What the gate let in.
struct Guest {
    knock: Knock,
    caller: Caller,
    pass: Pass,
    session: RelaySession,
}

impl Doorman {
    /// A doorman who brings those who pass to the present runtime.
    pub(crate) fn new(hub: &Arc<Hub>, alive: Alive) -> Self {
        Self { hub: hub.clone(), house: Handle::current(), alive }
    }

    /// Accepts connections until the task is dropped.
    pub(crate) async fn accept(self, listener: Listener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(source) = AskedSource::new(&self.hub.config.privacy, peer) {
                        tracing::info!(source = safe(source), "a connection came");
                    }
                    let source = Source::of(peer, &self.hub.config.limits.trusted_proxy);
                    if let Some(place) = self.hub.half_open.enter(source, self.hub.now_ms()) {
                        tokio::spawn(self.clone().serve(stream, peer, place));
                    } else {
                        self.hub.control.counters.refused();
                    }
                }
                Err(error) => {
                    tracing::warn!(kind = safe(error.kind()), "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn serve(self, mut stream: Stream, peer: Option<IpAddr>, mut place: Place) {
        let proxies = &self.hub.config.limits.trusted_proxy;
        let is_proxied = proxies.iter().any(|proxy| proxy.is(peer));
        let head = tokio::select! {
            // A head that is there counts, even if the place has to be given up.
            biased;
            head = timeout(HEAD_TIME, read_head(&mut stream, proxies, is_proxied)) => head,
            () = place.yields() => return,
        };
        let head = head.ok().flatten();
        if let Some(source) = head.as_ref().and_then(|head| head.source) {
            let Some(other) = place.of(Source::new(source), self.hub.now_ms()) else { return };
            place = other;
        }
        match head.and_then(|head| self.admit(head.knock?)) {
            // Only who may come in learns that this is a relay which is being worked on.
            Some(_) if self.hub.control.in_maintenance() => {
                let _ = timeout(REFUSAL_TIME, refuse(&mut stream, IN_MAINTENANCE)).await;
            }
            Some(guest) => {
                // From here on the row's own bounds hold, and no stranger can push it out.
                drop(place);
                self.usher(stream, guest);
            }
            None => {
                self.hub.control.counters.refused();
                // Errors are the stranger's.
                tokio::select! {
                    () = place.yields() => {}
                    _ = timeout(REFUSAL_TIME, refuse(&mut stream, NOT_FOUND)) => {}
                }
            }
        }
    }

    /// The gate. No public-key work for anybody whom it refuses.
    fn admit(&self, knock: Knock) -> Option<Guest> {
        let caller = self.hub.registry.admit(&knock.token)?;
        let ordinal = self.hub.ordinal();
        let (pass, session) = match &caller {
            Caller::Device(row) => {
                let access = row.access();
                let session =
                    RelaySession::device(self.hub.now_ms(), &self.hub.key, access, row.transport);
                (row.enter(ordinal), session)
            }
            Caller::Newcomer(invite) => {
                let session = RelaySession::newcomer(self.hub.now_ms(), &self.hub.key, &invite.psk);
                (invite.enter(ordinal), session)
            }
        };
        Some(Guest { knock, caller, pass, session: session.ok()? })
    }

    fn usher(self, stream: Stream, guest: Guest) {
        let Self { hub, house, alive } = self;
        let porch = Handle::current();
        let Ok(moving) = stream.detach() else { return };
        house.spawn(async move {
            let Guest { knock, caller, pass, session } = guest;
            if let Ok(mut stream) = moving.attach()
                && welcome(&mut stream, &knock).await.is_ok()
            {
                connection::run(hub, porch, stream, Admitted { caller, pass, session }).await;
            }
            drop(alive);
        });
    }
}

async fn welcome(stream: &mut Stream, knock: &Knock) -> io::Result<()> {
    stream.set_nodelay()?;
    stream.write_all(switching(knock).as_bytes()).await
}

/// Sends the answer and hears the stranger out a little, so that a reset does not swallow it.
async fn refuse(stream: &mut Stream, with: &[u8]) -> io::Result<()> {
    stream.write_all(with).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(REFUSAL_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}
