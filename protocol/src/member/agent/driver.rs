//! The way in to the engine's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::super::store::{Passphrase, ProfileLock};
use super::clock::Clock;
use super::connection::Role;
use super::core::{ApiError, Core, Dial};
use super::events::Events;
use super::link::{Control, Dialer, Gone, LinkEvent, Target};
use super::lock::{Vault, passphrase_in, pong};
use super::thread::Engine;

/// Jobs that wait for the engine. Small: a local call waits behind at most so many frames.
const JOBS: usize = 16;

pub(super) type Answer = Result<Value, ApiError>;

/// Something for the engine to do.
pub(super) enum Job {
    Link(LinkEvent),
    Dial(oneshot::Sender<Option<Dial>>),
    Call {
        method: String,
        params: Value,
        answer: oneshot::Sender<Answer>,
    },
    Subscribe {
        params: Value,
        answer: oneshot::Sender<Result<Events, ApiError>>,
    },
    Unlock {
        passphrase: Passphrase,
        answer: oneshot::Sender<Answer>,
    },
    /// A client's wish that the holder ends, as after a `wipe`.
    End {
        answer: oneshot::Sender<Answer>,
    },
    Stop,
}

impl From<LinkEvent> for Job {
    fn from(event: LinkEvent) -> Self {
        Self::Link(event)
    }
}

/// The way in to the engine; as many as are wanted.
#[derive(Clone)]
pub(super) struct Driver {
    jobs: mpsc::Sender<Job>,
    control: Arc<Control>,
    locked: Arc<AtomicBool>,
}

impl Driver {
    /// Starts the thread, which holds the profile's lock as long as it has the core. The receiver
    /// ends when both have been dropped.
    pub(super) fn start(
        core: Box<dyn Core>,
        lock: ProfileLock,
        clock: Clock,
        control: Arc<Control>,
        vault: Box<dyn Vault>,
    ) -> std::io::Result<(Self, oneshot::Receiver<()>)> {
        let (jobs, queue) = mpsc::channel(JOBS);
        let (ended, has_ended) = oneshot::channel::<()>();
        let timer = Builder::new_current_thread().enable_time().build()?;
        let mut engine = Engine::new(core, clock, Arc::clone(&control), vault);
        let locked = Arc::clone(&engine.locked);
        std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            engine.run(&timer, queue, &lock);
            drop(engine);
            drop(lock);
            drop(ended);
        })?;
        Ok((Self { jobs, control, locked }, has_ended))
    }

    /// A link's way in.
    pub(super) fn jobs(&self) -> mpsc::Sender<Job> {
        self.jobs.clone()
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Answer {
        match method {
            "ping" => return Ok(pong(self.is_locked())),
            "unlock" => return self.unlock(passphrase_in(params)?).await,
            "end" => return self.ask(|answer| Job::End { answer }).await,
            _ => self.poke(method),
        }
        let method = method.to_owned();
        self.ask(|answer| Job::Call { method, params, answer }).await
    }

    /// Unlocks the profile; of one that is not locked it only checks the passphrase.
    pub(super) async fn unlock(&self, passphrase: Passphrase) -> Answer {
        self.ask(|answer| Job::Unlock { passphrase, answer }).await
    }

    pub(super) fn is_locked(&self) -> bool {
        self.locked.load(Ordering::Relaxed)
    }

    async fn ask(&self, job: impl FnOnce(oneshot::Sender<Answer>) -> Job) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| ApiError::stopped())?;
        answered.await.map_err(|_| ApiError::stopped())?
    }

    pub(super) async fn subscribe(&self, params: Value) -> Result<Events, ApiError> {
        self.poke("subscribe");
        let (answer, answered) = oneshot::channel();
        let job = Job::Subscribe { params, answer };
        self.jobs.send(job).await.map_err(|_| ApiError::stopped())?;
        answered.await.map_err(|_| ApiError::stopped())?
    }

    /// Asks the engine to stop after what it was asked before.
    pub(super) async fn stop(&self) {
        // If it is gone already, all the better.
        let _gone = self.jobs.send(Job::Stop).await;
    }

    /// Waits until the engine is gone.
    pub(super) async fn ended(&self) {
        self.jobs.closed().await;
    }

    /// A local command retries at once; what needs no relay changes nothing.
    fn poke(&self, method: &str) {
        if !matches!(method, "status" | "ack" | "lock" | "lock.after") {
            self.control.poke.notify_one();
        }
    }
}

/// Asks the core before every attempt, so that no key outlives its use.
pub(super) struct CoreDialer(pub(super) mpsc::Sender<Job>);

impl Dialer for CoreDialer {
    async fn dial(&mut self) -> Result<Option<Arc<Target>>, Gone> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Job::Dial(answer)).await.map_err(|_| Gone)?;
        let dial = answered.await.map_err(|_| Gone)?;
        Ok(dial.map(|Dial { addresses, relay, transport, access, resume }| {
            let role = Role::Device { relay, transport, access, resume };
            Arc::new(Target { addresses, role })
        }))
    }
}
