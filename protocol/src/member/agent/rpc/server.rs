//! The holder's side.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::debug;
use zeroize::Zeroizing;

use super::super::core::ApiError;
use super::super::driver::Driver;
use super::super::faults::REQUEST;
use super::super::mark_agent;
use super::lines::{Lines, write_lines};
use super::message::{self, Malformed, Request};
use super::socket::{SocketFile, is_own};
use super::{MAX_CALLS, MAX_CONNECTIONS, MAX_REQUEST, WRITE_QUEUE};

/// How long a stopping holder waits for the calls of its clients.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a stopping holder waits for the first call, beside `ping`, of a client that has just
/// connected. Long enough for a client that waits for a processor.
const FIRST_CALL: Duration = Duration::from_secs(2);
/// How long a client that sends no more may take to read its answers.
const LINGER: Duration = Duration::from_secs(60);
/// The wait after the system gave no connection, for example for want of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves the socket until it is stopped.
pub(in super::super) struct Server {
    file: Option<SocketFile>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Makes the socket and serves it, in tasks of the current tokio runtime. Only the holder of
    /// the profile's lock may call it.
    pub(in super::super) fn start(dir: &Path, driver: Driver) -> io::Result<Self> {
        let (file, listener) = SocketFile::bind(dir)?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, driver, stopped));
        Ok(Self { file: Some(file), stop, accepting })
    }

    /// Removes the socket, answers the calls that came in, at most 10 s, and disconnects.
    pub(in super::super) async fn stop(&mut self) {
        self.file = None;
        // Without a receiver the task has ended already.
        let _ended = self.stop.send(true);
        let _panicked = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: UnixListener, driver: Driver, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let place = Arc::clone(&places).try_acquire_owned();
        match (is_own(&stream), place) {
            (Ok(true), Ok(place)) => {
                let connection = Connection::new(stream, driver.clone());
                connections.spawn(connection.serve(stopped.clone(), place));
            }
            _ => debug!("a local connection was turned away"),
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Whoever is not through by then is cut off.
    let _late = timeout(DRAIN, all).await;
}

struct Connection {
    reader: Lines<OwnedReadHalf>,
    lines: mpsc::Sender<Zeroizing<Vec<u8>>>,
    driver: Driver,
    free: Arc<Semaphore>,
    calls: JoinSet<()>,
    /// Ends when the call before was handed over: calls are carried out in the order they came.
    turn: Option<oneshot::Receiver<()>>,
    events: JoinSet<()>,
    writing: JoinSet<()>,
    /// Whether a call came that tells more than that the client is there.
    used: bool,
}

impl Connection {
    fn new(stream: UnixStream, driver: Driver) -> Self {
        let (reader, writer) = stream.into_split();
        let (lines, queue) = mpsc::channel(WRITE_QUEUE);
        let mut writing = JoinSet::new();
        writing.spawn(write_lines(writer, queue));
        Self {
            reader: Lines::new(reader, MAX_REQUEST),
            lines,
            driver,
            free: Arc::new(Semaphore::new(MAX_CALLS)),
            calls: JoinSet::new(),
            turn: None,
            events: JoinSet::new(),
            writing,
            used: false,
        }
    }

    async fn serve(mut self, mut stopped: watch::Receiver<bool>, _place: OwnedSemaphorePermit) {
        let open = tokio::select! {
            () = self.take_calls() => false,
            _ = stopped.wait_for(|stopped| *stopped) => true,
        };
        if open && !self.used {
            // A client that found the socket a moment ago is served before the holder goes. It may
            // still ask whether the holder is there and whether it is locked.
            let first = async { while !self.used && self.take_one().await.is_some() {} };
            let _late = timeout(FIRST_CALL, first).await;
        }
        let last_answers = async {
            while self.calls.join_next().await.is_some() {}
            self.events.shutdown().await;
            drop(self.lines);
            while self.writing.join_next().await.is_some() {}
        };
        // A client that reads no answers must not keep its place.
        let _late = timeout(LINGER, last_answers).await;
    }

    async fn take_calls(&mut self) {
        while self.take_one().await.is_some() {}
    }

    /// Takes one request; `None` at the end of the connection. Cancel safe: a request that was
    /// read is carried out.
    async fn take_one(&mut self) -> Option<()> {
        // Reading waits for a free place, so a client can queue no more than the socket holds.
        let free = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let line = tokio::select! {
            line = self.reader.next() => line.ok()??,
            () = self.lines.closed() => return None,
        };
        while self.calls.try_join_next().is_some() {}
        match message::read(line) {
            Ok(request) => self.carry_out(request, free),
            Err(Malformed(id, error)) => self.reply(Some(id), Err(*error), free),
        }
        Some(())
    }

    fn carry_out(&mut self, request: Request, free: OwnedSemaphorePermit) {
        let Request { id, method, params } = request;
        self.used |= method != "ping";
        let driver = self.driver.clone();
        if method == "subscribe" {
            return self.subscribe(id, params, free);
        }
        let lines = self.lines.clone();
        let (turn, handed_over) = self.take_turn();
        self.calls.spawn(async move {
            wait(turn).await;
            let begun = driver.begin(&method, params).await;
            drop(handed_over);
            let mut result = match begun {
                Ok(answer) => answer.await.unwrap_or_else(|_| Err(ApiError::stopped())),
                Err(error) => Err(error),
            };
            mark_agent(&method, &mut result, true);
            if let Some(id) = id {
                let _gone = lines.send(message::answer(id, result)).await;
            }
            drop(free);
        });
    }

    fn subscribe(&mut self, id: Option<Value>, params: Value, free: OwnedSemaphorePermit) {
        while self.events.try_join_next().is_some() {}
        if !self.events.is_empty() {
            let error = ApiError::malformed(REQUEST, "this connection has a subscription already");
            return self.reply(id, Err(error), free);
        }
        let (driver, lines) = (self.driver.clone(), self.lines.clone());
        let (turn, handed_over) = self.take_turn();
        self.events.spawn(async move {
            wait(turn).await;
            let subscribed = driver.subscribe(params).await;
            drop(handed_over);
            let (result, events) = match subscribed {
                Ok((said, events)) => (Ok(said), Some(events)),
                Err(error) => (Err(error), None),
            };
            if let Some(id) = id {
                let _gone = lines.send(message::answer(id, result)).await;
            }
            drop(free);
            let Some(mut events) = events else { return };
            while let Some(event) = events.next().await {
                if lines.send(message::event(event)).await.is_err() {
                    return;
                }
            }
        });
    }

    /// The end of the call before, and what ends this one's turn when it is dropped.
    fn take_turn(&mut self) -> (Option<oneshot::Receiver<()>>, oneshot::Sender<()>) {
        let (handed_over, next) = oneshot::channel();
        (self.turn.replace(next), handed_over)
    }

    fn reply(
        &mut self,
        id: Option<Value>,
        result: Result<Value, ApiError>,
        free: OwnedSemaphorePermit,
    ) {
        let Some(id) = id else { return };
        let lines = self.lines.clone();
        self.calls.spawn(async move {
            let _gone = lines.send(message::answer(id, result)).await;
            drop(free);
        });
    }
}

async fn wait(turn: Option<oneshot::Receiver<()>>) {
    if let Some(turn) = turn {
        // It is dropped, never sent.
        let _over = turn.await;
    }
}
