//! Accepting connections and taking each through the gate.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use staffetta_protocol::session::relay::RelaySession;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::admission::{HEAD_TIME, Knock, NOT_FOUND, Place, read_head, switching};
use crate::connection::{self, Admitted};
use crate::hub::Hub;
use crate::registry::Caller;

/// How long a refused connection may take to read its 404, and how much it may still say.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
const REFUSAL_BYTES: u64 = 16 * 1024;
/// The pause after the system refused to accept, which is when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Held by every connection, so that the relay knows when the last is gone.
pub(crate) type Alive = mpsc::Sender<()>;

/// Accepts connections until the task is dropped.
pub(crate) async fn accept(listener: TcpListener, hub: Arc<Hub>, alive: Alive) {
    loop {
        match listener.accept().await {
            Ok((socket, source)) => {
                let place = hub.half_open.enter(source.ip());
                tokio::spawn(serve(hub.clone(), socket, place, alive.clone()));
            }
            Err(error) => {
                tracing::warn!(kind = %error.kind(), "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(hub: Arc<Hub>, mut socket: TcpStream, place: Place, _alive: Alive) {
    let knocked = tokio::select! {
        () = place.yields() => return,
        knocked = timeout(HEAD_TIME, read_head(&mut socket)) => knocked.ok().flatten(),
    };
    let admitted = knocked.and_then(|knock| {
        let caller = hub.registry.admit(&knock.token)?;
        let session = session(&hub, &caller)?;
        Some((knock, caller, session))
    });
    match admitted {
        Some((knock, caller, session)) => {
            if welcome(&mut socket, &knock).await.is_ok() {
                let admitted = Admitted { caller, session, place };
                connection::run(hub, socket, admitted).await;
            }
        }
        None => {
            // Errors are the stranger's.
            let _ = timeout(REFUSAL_TIME, refuse(&mut socket)).await;
        }
    }
}

fn session(hub: &Hub, caller: &Caller) -> Option<RelaySession> {
    let now = hub.now_ms();
    match caller {
        Caller::Device(row) => RelaySession::device(now, &hub.key, row.access(), row.transport),
        Caller::Newcomer(invite) => RelaySession::newcomer(now, &hub.key, &invite.psk),
    }
    .ok()
}

async fn welcome(socket: &mut TcpStream, knock: &Knock) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.write_all(switching(knock).as_bytes()).await
}

/// Sends the 404 and hears the stranger out a little, so that a reset does not swallow it.
async fn refuse(socket: &mut TcpStream) -> io::Result<()> {
    socket.write_all(NOT_FOUND).await?;
    socket.shutdown().await?;
    tokio::io::copy(&mut socket.take(REFUSAL_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}
