//! systemd, if it started us: readiness, the watchdog and sockets it holds for us.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use crate::hub::Hub;
use crate::stream::Listener;

/// Tells systemd `state` (sd_notify(3)); nothing without `NOTIFY_SOCKET`.
///
/// # Errors
/// What the system says of the socket. A relay serves all the same.
pub(crate) fn notify(state: &str) -> io::Result<()> {
    let Some(place) = env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    send(place.as_encoded_bytes(), state)
}

fn send(place: &[u8], state: &str) -> io::Result<()> {
    let address = match place.split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(std::path::Path::new(
            std::str::from_utf8(place).map_err(io::Error::other)?,
        ))?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

/// The time within which systemd wants to hear from us, if it does.
fn watchdog() -> Option<Duration> {
    let ours = match env::var("WATCHDOG_PID") {
        Ok(pid) => pid == std::process::id().to_string(),
        Err(_) => true,
    };
    let period = env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    ours.then(|| Duration::from_micros(period))
}

/// Feeds the watchdog for as long as the relay does its work: the reactor turns, a thread that may
/// block is to be had, and the log answers.
pub(crate) async fn watch(hub: Arc<Hub>) {
    let Some(period) = watchdog() else { return };
    loop {
        let hub = hub.clone();
        if tokio::task::spawn_blocking(move || hub.log.head()).await.is_ok() {
            // A watchdog that cannot be told ends us, which is its task.
            let _ = notify("WATCHDOG=1");
        }
        tokio::time::sleep(period / 3).await;
    }
}

/// The socket that systemd opened for us, if it did.
pub(crate) fn listener() -> io::Result<Option<Listener>> {
    let mut sockets = listenfd::ListenFd::from_env();
    if sockets.len() == 0 {
        return Ok(None);
    }
    // A socket of the other kind is left in its place.
    if let Ok(Some(listener)) = sockets.take_unix_listener(0) {
        listener.set_nonblocking(true)?;
        return Ok(Some(Listener::Unix(tokio::net::UnixListener::from_std(listener)?)));
    }
    let Some(listener) = sockets.take_tcp_listener(0)? else { return Ok(None) };
    listener.set_nonblocking(true)?;
    Ok(Some(Listener::Tcp(tokio::net::TcpListener::from_std(listener)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notify_reaches_a_socket_with_a_path_and_one_without() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str().as_encoded_bytes(), "READY=1").unwrap();
        let mut heard = [0; 64];
        let length = socket.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"READY=1");
        let name = format!("staffetta-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        send(format!("@{name}").as_bytes(), "STOPPING=1").unwrap();
        let length = socket.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"STOPPING=1");
    }
}
