//! `/metrics`, `/livez` and `/readyz` on an address that the public cannot reach.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Snapshot, text};
use crate::hub::Hub;

/// Requests answered at a time; more wait.
const MAX_REQUESTS: usize = 4;
/// The largest request head, in bytes.
const MAX_HEAD: usize = 4 * 1024;
/// How long one request may take, from its connection to its answer.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// The pause after the system refused to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, hub: Arc<Hub>) {
    let places = Arc::new(Semaphore::new(MAX_REQUESTS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((socket, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let hub = hub.clone();
        tokio::spawn(async move {
            let _place = place;
            // A monitor that hangs up has seen what it wanted.
            let _ = timeout(REQUEST_TIME, answer(socket, hub)).await;
        });
    }
}

async fn answer(mut socket: TcpStream, hub: Arc<Hub>) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(512);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let room = MAX_HEAD.saturating_sub(head.len());
        if room == 0 || (&mut socket).take(room as u64).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let page = tokio::task::spawn_blocking({
        let line = line.to_vec();
        move || page(&line, &hub)
    });
    let (status, body) = page.await?;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await?;
    socket.shutdown().await
}

fn page(line: &[u8], hub: &Hub) -> (&'static str, String) {
    match line {
        b"GET /metrics HTTP/1.1" | b"GET /metrics HTTP/1.0" => {
            ("200 OK", text::render(&Snapshot::take(hub)))
        }
        b"GET /livez HTTP/1.1" | b"GET /livez HTTP/1.0" => ("200 OK", "alive\n".to_owned()),
        b"GET /readyz HTTP/1.1" | b"GET /readyz HTTP/1.0" => match hub.is_ready() {
            true => ("200 OK", "ready\n".to_owned()),
            false => ("503 Service Unavailable", "not ready\n".to_owned()),
        },
        _ => ("404 Not Found", "not found\n".to_owned()),
    }
}
