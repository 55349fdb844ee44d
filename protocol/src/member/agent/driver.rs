//! The way in to the engine's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};

use super::super::store::{Passphrase, ProfileLock};
use super::Stay;
use super::address::Proxy;
use super::clock::Clock;
use super::connection::Role;
use super::core::{ApiError, CodeHolder, Core, Dial};
use super::deliveries::{Consumer, Deliveries};
use super::events::Events;
use super::knock;
use super::link::{Control, Dialer, Gone, LinkEvent, Target};
use super::lock::{Vault, passphrase_in, pong};
use super::thread::Engine;

/// Jobs that wait for the engine. Small: a local call waits behind at most so many frames.
pub(super) const JOBS: usize = 16;

pub(super) type Answer = Result<Value, ApiError>;
/// What a subscriber is told, and its stream.
pub(super) type Subscribed = Result<(Value, Events), ApiError>;

/// A call that waits for the engine.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) params: Value,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// Something for the engine to do.
pub(super) enum Job {
    Link(LinkEvent),
    Dial(oneshot::Sender<Option<Dial>>),
    Call(Call),
    Subscribe {
        params: Value,
        answer: oneshot::Sender<Subscribed>,
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
    /// What `ping` says of the holder.
    stay: Stay,
    /// The way to any address that is not the link's.
    proxy: Option<Proxy>,
    /// Changes when consumers should look for deliveries.
    pulse: watch::Receiver<()>,
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
        let (pulse, pulses) = watch::channel(());
        let mut engine = Engine::new(core, clock, Arc::clone(&control), vault, pulse);
        let locked = Arc::clone(&engine.locked);
        std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            engine.run(&timer, queue, &lock);
            drop(engine);
            drop(lock);
            drop(ended);
        })?;
        let stay = Stay::Lasting;
        Ok((Self { jobs, control, locked, stay, proxy: None, pulse: pulses }, has_ended))
    }

    /// The same, for a holder that means to stay so long, through a proxy.
    pub(super) fn serving(self, stay: Stay, proxy: Option<Proxy>) -> Self {
        Self { stay, proxy, ..self }
    }

    /// A link's way in.
    pub(super) fn jobs(&self) -> mpsc::Sender<Job> {
        self.jobs.clone()
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Answer {
        self.begin(method, params).await?.await.map_err(|_| ApiError::stopped())?
    }

    /// Hands a call over and returns where its answer comes: what was handed over first is carried
    /// out first.
    pub(super) async fn begin(
        &self,
        method: &str,
        params: Value,
    ) -> Result<oneshot::Receiver<Answer>, ApiError> {
        let (answer, answered) = oneshot::channel();
        let job = match method {
            "ping" => {
                // It says that the holder is there, however busy the engine is.
                let _gone = answer.send(Ok(pong(self.is_locked(), self.stay)));
                return Ok(answered);
            }
            "unlock" => Job::Unlock { passphrase: passphrase_in(params)?, answer },
            "end" => Job::End { answer },
            _ => {
                self.poke(method);
                let answer = if method == "doctor" { self.then_knock(answer) } else { answer };
                Job::Call(Call { method: method.to_owned(), params, answer })
            }
        };
        self.jobs.send(job).await.map_err(|_| ApiError::stopped())?;
        Ok(answered)
    }

    /// Where the engine's answer to `doctor` goes, to be completed.
    fn then_knock(&self, answer: oneshot::Sender<Answer>) -> oneshot::Sender<Answer> {
        let (said, says) = oneshot::channel::<Answer>();
        let proxy = self.proxy.clone();
        tokio::spawn(async move {
            let said = says.await.unwrap_or_else(|_| Err(ApiError::stopped()));
            let whole = match said {
                Ok(facts) => Ok(knock::complete(facts, proxy.as_ref()).await),
                Err(error) => Err(error),
            };
            // Whoever asked may be gone.
            let _gone = answer.send(whole);
        });
        said
    }

    /// Unlocks the profile; of one that is not locked it only checks the passphrase.
    pub(super) async fn unlock(&self, passphrase: Passphrase) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job::Unlock { passphrase, answer };
        self.jobs.send(job).await.map_err(|_| ApiError::stopped())?;
        answered.await.map_err(|_| ApiError::stopped())?
    }

    pub(super) fn is_locked(&self) -> bool {
        self.locked.load(Ordering::Relaxed)
    }

    /// Subscribes: what the core says, and the stream that goes with it.
    pub(super) async fn subscribe(&self, params: Value) -> Subscribed {
        self.poke("subscribe");
        let (answer, answered) = oneshot::channel();
        let job = Job::Subscribe { params, answer };
        self.jobs.send(job).await.map_err(|_| ApiError::stopped())?;
        let (said, events) = answered.await.map_err(|_| ApiError::stopped())??;
        let Some(consumer) = Consumer::of(&said) else { return Ok((said, events)) };
        let live = events.into_live().ok_or_else(ApiError::stopped)?;
        let deliveries = Deliveries::new(self.clone(), consumer, live, self.pulse.clone());
        Ok((said, Events::durable(deliveries)))
    }

    /// Asks the engine to stop after what it was asked before.
    pub(super) async fn stop(&self) {
        // If it is gone already, all the better.
        let _gone = self.jobs.send(Job::Stop).await;
    }

    pub(super) fn is_gone(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Waits until the engine is gone.
    pub(super) async fn ended(&self) {
        self.jobs.closed().await;
    }

    /// A local command retries at once; what needs no relay changes nothing.
    fn poke(&self, method: &str) {
        const LOCAL: [&str; 10] = [
            "status",
            "lock",
            "lock.after",
            "ack",
            "deliveries",
            "kv.get",
            "kv.set",
            "kv.delete",
            "rooms",
            "members",
        ];
        if !LOCAL.contains(&method) {
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
        Ok(dial.map(|Dial { addresses, relay, transport, access, resume, holder }| {
            let role = match holder {
                Some(CodeHolder { gate, psk, throwaway }) => {
                    Role::Newcomer { gate, psk, throwaway }
                }
                None => Role::Device { relay, transport, access, resume },
            };
            Arc::new(Target { addresses, role })
        }))
    }
}
