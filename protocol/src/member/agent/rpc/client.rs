//! The side of a command that does not hold the profile.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::super::core::ApiError;
use super::super::events::{BACKLOG, Events};
use super::lines::{Line, Lines, write_lines};
use super::message::{self, FromServer};
use super::{MAX_ANSWER, WRITE_QUEUE, socket};
use crate::member::store::Passphrase;

/// Calls that wait for an answer; `None` once the connection is gone.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Result<Value, ApiError>>>>>>;

/// A connection to the holder of a profile. Dropping it disconnects.
pub(in super::super) struct Client {
    dir: PathBuf,
    lines: mpsc::Sender<Zeroizing<Vec<u8>>>,
    waiting: Waiting,
    last_id: AtomicU64,
    tasks: JoinSet<()>,
}

impl Client {
    /// Connects to the holder of the profile in `dir`, in tasks of the current tokio runtime.
    pub(in super::super) async fn connect(dir: &Path) -> io::Result<Self> {
        // Nobody subscribes on this connection.
        let (events, _) = mpsc::channel(1);
        Self::connect_with(dir, events).await
    }

    async fn connect_with(dir: &Path, events: mpsc::Sender<Value>) -> io::Result<Self> {
        let (reader, writer) = socket::connect(dir).await?.into_split();
        let (lines, queue) = mpsc::channel(WRITE_QUEUE);
        let waiting = Waiting::new(Mutex::new(Some(HashMap::new())));
        let mut tasks = JoinSet::new();
        tasks.spawn(write_lines(writer, queue));
        tasks.spawn(read(reader, Arc::clone(&waiting), events));
        let last_id = AtomicU64::new(0);
        Ok(Self { dir: dir.to_owned(), lines, waiting, last_id, tasks })
    }

    pub(in super::super) async fn call(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<Value, ApiError> {
        self.ask(|id| message::request(id, method, params)).await
    }

    pub(in super::super) async fn unlock(
        &self,
        passphrase: &Passphrase,
    ) -> Result<Value, ApiError> {
        self.ask(|id| message::unlock_request(id, passphrase)).await
    }

    async fn ask(&self, line: impl FnOnce(u64) -> Zeroizing<Vec<u8>>) -> Result<Value, ApiError> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        match lock(&self.waiting).as_mut() {
            Some(waiting) => drop(waiting.insert(id, answer)),
            None => return Err(ApiError::stopped()),
        }
        self.lines.send(line(id)).await.map_err(|_| ApiError::stopped())?;
        answered.await.map_err(|_| ApiError::stopped())?
    }

    pub(in super::super) fn is_gone(&self) -> bool {
        lock(&self.waiting).is_none()
    }

    /// Waits until the holder is gone.
    pub(in super::super) async fn ended(&mut self) {
        // Of the two tasks, the reader ends when the holder hangs up.
        let _either = self.tasks.join_next().await;
    }

    /// Subscribes on a connection of its own, so that unread events hold up no answers.
    pub(in super::super) async fn subscribe(&self, params: &Value) -> Result<Events, ApiError> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let connection = Self::connect_with(&self.dir, sender).await;
        let connection = connection.map_err(|_| ApiError::stopped())?;
        connection.call("subscribe", params).await?;
        Ok(Events::new(receiver, Some(connection)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds this lock can leave the map half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(reader: OwnedReadHalf, waiting: Waiting, events: mpsc::Sender<Value>) {
    let mut lines = Lines::new(reader, MAX_ANSWER);
    while let Ok(Some(line)) = lines.next().await {
        // Which call an answer over the bound belongs to cannot be known.
        let Line::Whole(line) = line else { break };
        match message::read_from_server(&line) {
            FromServer::Answer(id, result) => {
                let answer = lock(&waiting).as_mut().and_then(|waiting| waiting.remove(&id));
                if let Some(answer) = answer {
                    // A caller that went away will not miss it.
                    drop(answer.send(result));
                }
            }
            FromServer::Event(event) => {
                if events.send(event).await.is_err() {
                    continue;
                }
            }
            FromServer::Unknown => {}
        }
    }
    *lock(&waiting) = None;
}
