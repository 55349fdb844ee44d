//! The engine's thread: hands jobs to the core one by one and carries out what it wants done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::super::store::ProfileLock;
use super::clock::Clock;
use super::connection::{Outbox, Overflow, Role};
use super::core::{ApiError, CallId, Core, Dial, Out};
use super::events::{Events, Subscribers};
use super::link::{Control, Dialer, Gone, LinkEvent, Target};

/// Jobs that wait for the engine. Small: a local call waits behind at most so many frames.
const JOBS: usize = 16;
/// Calls that were not answered yet.
const MAX_PENDING: usize = 256;

type Answer = Result<Value, ApiError>;

/// Something for the engine to do.
pub(super) enum Job {
    Link(LinkEvent),
    Dial(oneshot::Sender<Option<Dial>>),
    Call { method: String, params: Value, answer: oneshot::Sender<Answer> },
    Subscribe { params: Value, answer: oneshot::Sender<Result<Events, ApiError>> },
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
}

impl Driver {
    /// Starts the thread, which holds the profile's lock as long as it has the core. The receiver
    /// ends when both have been dropped.
    pub(super) fn start(
        core: Box<dyn Core>,
        lock: ProfileLock,
        clock: Clock,
        control: Arc<Control>,
    ) -> std::io::Result<(Self, oneshot::Receiver<()>)> {
        let (jobs, queue) = mpsc::channel(JOBS);
        let (ended, has_ended) = oneshot::channel::<()>();
        let timer = Builder::new_current_thread().enable_time().build()?;
        let mut engine = Engine::new(core, clock, Arc::clone(&control));
        std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            engine.run(&timer, queue);
            drop(engine);
            drop(lock);
            drop(ended);
        })?;
        Ok((Self { jobs, control }, has_ended))
    }

    /// A link's way in.
    pub(super) fn jobs(&self) -> mpsc::Sender<Job> {
        self.jobs.clone()
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Answer {
        if method == "ping" {
            return Ok(json!({ "v": 1 }));
        }
        self.poke(method);
        let (answer, answered) = oneshot::channel();
        let job = Job::Call { method: method.to_owned(), params, answer };
        self.jobs.send(job).await.map_err(|_| ApiError::stopped())?;
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
        if !matches!(method, "status" | "ack") {
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

enum Pending {
    Call(oneshot::Sender<Answer>),
    Subscribe(Events, oneshot::Sender<Result<Events, ApiError>>),
}

impl Pending {
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Call(answer) => answer.is_closed(),
            Self::Subscribe(_, answer) => answer.is_closed(),
        }
    }
}

struct Engine {
    core: Box<dyn Core>,
    clock: Clock,
    control: Arc<Control>,
    outbox: Option<Outbox>,
    subscribers: Subscribers,
    pending: HashMap<CallId, Pending>,
    last_id: CallId,
}

impl Engine {
    fn new(core: Box<dyn Core>, clock: Clock, control: Arc<Control>) -> Self {
        let (subscribers, pending) = (Subscribers::default(), HashMap::new());
        Self { core, clock, control, outbox: None, subscribers, pending, last_id: 0 }
    }

    fn run(&mut self, timer: &Runtime, mut queue: mpsc::Receiver<Job>) {
        loop {
            self.drain();
            let job = match self.core.deadline() {
                None => queue.blocking_recv(),
                Some(deadline) => {
                    let now = self.clock.now();
                    let wait = Duration::from_millis(deadline.saturating_sub(now.mono_ms));
                    if wait.is_zero() {
                        self.core.tick(now);
                        self.drain();
                    }
                    // Even a deadline that stays in the past lets jobs through and burns no core.
                    let wait = wait.max(Duration::from_millis(1));
                    let next = async { tokio::time::timeout(wait, queue.recv()).await };
                    match timer.block_on(next) {
                        Ok(job) => job,
                        Err(_) => continue,
                    }
                }
            };
            match job {
                None | Some(Job::Stop) => return,
                Some(job) => self.carry_out(job),
            }
        }
    }

    fn carry_out(&mut self, job: Job) {
        let now = self.clock.now();
        match job {
            Job::Link(LinkEvent::Up { welcome, outbox, .. }) => {
                self.outbox = Some(outbox);
                self.core.frame(now, welcome);
            }
            Job::Link(LinkEvent::Frame(frame)) => self.core.frame(now, frame),
            Job::Link(LinkEvent::Down(why)) => {
                self.outbox = None;
                self.core.down(now, why);
            }
            Job::Dial(answer) => {
                // A link that went away meanwhile will not miss it.
                let _gone = answer.send(self.core.dial());
            }
            // A caller that went away will not miss its answer.
            Job::Call { method, params, answer } => match self.next_id() {
                Some(id) => {
                    self.pending.insert(id, Pending::Call(answer));
                    self.core.call(now, id, &method, params);
                }
                None => drop(answer.send(Err(ApiError::busy()))),
            },
            Job::Subscribe { params, answer } => {
                let id = self.next_id().ok_or_else(ApiError::busy);
                match id.and_then(|id| Ok((id, self.subscribers.add(id, &params)?))) {
                    Ok((id, events)) => {
                        self.pending.insert(id, Pending::Subscribe(events, answer));
                        self.core.call(now, id, "subscribe", params);
                    }
                    Err(error) => drop(answer.send(Err(error))),
                }
            }
            Job::Stop => {}
        }
    }

    /// An id for a further call; `None` if too many wait for an answer.
    fn next_id(&mut self) -> Option<CallId> {
        if self.pending.len() >= MAX_PENDING {
            self.pending.retain(|_, pending| !pending.is_abandoned());
        }
        if self.pending.len() >= MAX_PENDING {
            return None;
        }
        self.last_id += 1;
        Some(self.last_id)
    }

    /// Carries out what the core wants done.
    fn drain(&mut self) {
        while let Some(out) = self.core.poll() {
            match out {
                Out::Send(frame) => {
                    let sent = self.outbox.as_ref().map(|outbox| outbox.send(frame));
                    // Dropping the outbox hangs up once what is queued has gone out.
                    if matches!(sent, Some(Err(Overflow))) {
                        self.outbox = None;
                    }
                }
                Out::Event(event) => self.subscribers.publish(&event),
                Out::Answer(id, answer) => self.answer(id, answer),
                Out::Redial => self.control.redial.notify_one(),
            }
        }
    }

    fn answer(&mut self, id: CallId, answer: Answer) {
        match self.pending.remove(&id) {
            Some(Pending::Call(to)) => drop(to.send(answer)),
            Some(Pending::Subscribe(events, to)) => {
                self.subscribers.answered(id, &answer);
                drop(to.send(answer.map(|_| events)));
            }
            None => {}
        }
    }
}
