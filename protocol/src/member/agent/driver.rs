//! The engine's thread: hands jobs to the core one by one and carries out what it wants done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};

use super::super::store::ProfileLock;
use super::clock::Clock;
use super::connection::{Outbox, Overflow, Role};
use super::core::{ApiError, CallId, Core, Dial, Out};
use super::deliveries::{Consumer, Deliveries};
use super::events::{Events, Subscribers};
use super::link::{Control, Dialer, Gone, LinkEvent, Target};

/// Jobs that wait for the engine. Small: a local call waits behind at most so many frames.
const JOBS: usize = 16;
/// Calls that were not answered yet.
const MAX_PENDING: usize = 256;

type Answer = Result<Value, ApiError>;
/// What a subscriber is told, and its stream.
type Subscribed = Result<(Value, Events), ApiError>;

/// Something for the engine to do.
pub(super) enum Job {
    Link(LinkEvent),
    Dial(oneshot::Sender<Option<Dial>>),
    Call(Call),
    Subscribe { params: Value, answer: oneshot::Sender<Subscribed> },
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
    ) -> std::io::Result<(Self, oneshot::Receiver<()>)> {
        let (jobs, queue) = mpsc::channel(JOBS);
        let (ended, has_ended) = oneshot::channel::<()>();
        let timer = Builder::new_current_thread().enable_time().build()?;
        let (pulse, pulses) = watch::channel(());
        let mut engine = Engine::new(core, clock, Arc::clone(&control), pulse);
        std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            engine.run(&timer, queue);
            drop(engine);
            drop(lock);
            drop(ended);
        })?;
        Ok((Self { jobs, control, pulse: pulses }, has_ended))
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
        if method == "ping" {
            // It says that the holder is there, however busy the engine is.
            let _gone = answer.send(Ok(json!({ "v": 1 })));
            return Ok(answered);
        }
        self.poke(method);
        let job = Job::Call(Call { method: method.to_owned(), params, answer });
        self.jobs.send(job).await.map_err(|_| ApiError::stopped())?;
        Ok(answered)
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

    /// Waits until the engine is gone.
    pub(super) async fn ended(&self) {
        self.jobs.closed().await;
    }

    /// A local command retries at once; what needs no relay changes nothing.
    fn poke(&self, method: &str) {
        let local =
            ["status", "ack", "deliveries", "kv.get", "kv.set", "kv.delete", "rooms", "members"];
        if !local.contains(&method) {
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

/// A call that waits for the engine.
pub(super) struct Call {
    method: String,
    params: Value,
    answer: oneshot::Sender<Answer>,
}

enum Pending {
    Call(oneshot::Sender<Answer>),
    Subscribe(Events, oneshot::Sender<Subscribed>),
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
    pulse: watch::Sender<()>,
    last_id: CallId,
}

impl Engine {
    fn new(
        core: Box<dyn Core>,
        clock: Clock,
        control: Arc<Control>,
        pulse: watch::Sender<()>,
    ) -> Self {
        let (subscribers, pending) = (Subscribers::default(), HashMap::new());
        Self { core, clock, control, outbox: None, subscribers, pending, pulse, last_id: 0 }
    }

    fn run(&mut self, timer: &Runtime, mut queue: mpsc::Receiver<Job>) {
        let mut next = None;
        loop {
            self.drain();
            let job = match self.core.deadline() {
                _ if next.is_some() => next.take(),
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
                Some(Job::Call(call)) => next = self.carry_out_calls(call, &mut queue),
                Some(job) => self.carry_out(job),
            }
        }
    }

    /// Carries out a call together with those that wait behind it; returns what came after them.
    fn carry_out_calls(&mut self, first: Call, queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
        let (mut calls, mut waiting, mut after) = (Vec::new(), Some(first), None);
        while let Some(Call { method, params, answer }) = waiting.take() {
            match self.next_id() {
                // A caller that went away will not miss its answer.
                Some(id) => {
                    self.pending.insert(id, Pending::Call(answer));
                    calls.push((id, method, params));
                }
                None => drop(answer.send(Err(ApiError::busy()))),
            }
            if calls.len() < JOBS {
                match queue.try_recv() {
                    Ok(Job::Call(call)) => waiting = Some(call),
                    other => after = other.ok(),
                }
            }
        }
        self.core.calls(self.clock.now(), calls);
        after
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
            // Taken out by `run`.
            Job::Call(_) | Job::Stop => {}
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
                // Nobody listens: nobody misses it.
                Out::Deliveries => drop(self.pulse.send(())),
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
                drop(to.send(answer.map(|said| (said, events))));
            }
            None => {}
        }
    }
}
