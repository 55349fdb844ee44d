//! The engine's thread: hands jobs to the core one by one and carries out what it wants done.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot, watch};

use super::super::store::{Passphrase, ProfileLock};
use super::clock::Clock;
use super::connection::{Outbox, Overflow};
use super::core::{ApiError, CallId, Core, Now, Out};
use super::driver::{Answer, Call, JOBS, Job, Subscribed};
use super::events::{Events, Subscribers};
use super::link::{Control, LinkEvent};
use super::lock::{Idle, Vault, locked_status};
use crate::wire::frame::ToDevice;

/// Calls that were not answered yet.
const MAX_PENDING: usize = 256;
/// Cells that are taken over in one step: more would keep local calls waiting.
const STEP_CELLS: usize = 240;
/// How often the thread looks whether its profile still exists, in milliseconds.
const LOOK_MS: u64 = 2_000;

/// How many cells a frame brings.
fn cells_in(frame: &ToDevice) -> usize {
    match frame {
        ToDevice::Push { cells, .. } => cells.len(),
        _ => 0,
    }
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

/// The core, or none while the profile is locked, and everybody who waits for it.
pub(super) struct Engine {
    /// `None` while locked.
    core: Option<Box<dyn Core>>,
    vault: Box<dyn Vault>,
    /// Whether there is no core, for those who do not wait for this thread.
    pub(super) locked: Arc<AtomicBool>,
    idle: Idle,
    clock: Clock,
    control: Arc<Control>,
    outbox: Option<Outbox>,
    subscribers: Subscribers,
    pending: HashMap<CallId, Pending>,
    /// Tells consumers to look for deliveries.
    pulse: watch::Sender<()>,
    last_id: CallId,
}

impl Engine {
    pub(super) fn new(
        core: Box<dyn Core>,
        clock: Clock,
        control: Arc<Control>,
        vault: Box<dyn Vault>,
        pulse: watch::Sender<()>,
    ) -> Self {
        Self {
            core: Some(core),
            vault,
            locked: Arc::default(),
            idle: Idle::default(),
            clock,
            control,
            outbox: None,
            subscribers: Subscribers::default(),
            pending: HashMap::new(),
            pulse,
            last_id: 0,
        }
    }

    /// Hands jobs over until it is told to stop, or the profile is gone.
    pub(super) fn run(
        &mut self,
        timer: &Runtime,
        mut queue: mpsc::Receiver<Job>,
        lock: &ProfileLock,
    ) {
        let (mut look_at, mut in_hand) = (0, None);
        loop {
            self.drain();
            let now = self.clock.now();
            if now.mono_ms >= look_at {
                look_at = now.mono_ms + LOOK_MS;
                // Whoever goes on in a profile that was removed goes on in nothing.
                if !lock.is_there() {
                    return;
                }
            }
            self.lock_if_idle(now.mono_ms);
            let due = self.core.as_ref().and_then(|core| core.deadline());
            let idle = self.idle.due().filter(|_| self.core.is_some());
            let next = due.into_iter().chain(idle).fold(look_at, u64::min);
            if let Some(core) = self.core.as_mut().filter(|_| due.is_some_and(|d| d <= now.mono_ms))
            {
                core.tick(now);
                self.drain();
            }
            // Even a deadline that stays in the past lets jobs through and burns no core.
            let wait = Duration::from_millis(next.saturating_sub(now.mono_ms).max(1));
            let job = match in_hand.take() {
                Some(job) => Ok(Some(job)),
                None => timer.block_on(async { tokio::time::timeout(wait, queue.recv()).await }),
            };
            match job {
                Err(_) => {}
                Ok(None | Some(Job::Stop)) => return,
                Ok(Some(Job::End { answer })) => {
                    drop(answer.send(Ok(json!({}))));
                    return;
                }
                Ok(Some(job)) => in_hand = self.carry_out_all(job, &mut queue),
            }
        }
    }

    /// Carries out a job together with the frames and calls that wait behind it; returns what came
    /// after them. Frames keep their order and so do calls; between the two there is none.
    fn carry_out_all(&mut self, first: Job, queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
        let (mut frames, mut calls, mut cells) = (Vec::new(), Vec::new(), 0);
        let mut waiting = Some(first);
        while let Some(job) = waiting.take() {
            match job {
                Job::Link(LinkEvent::Frame(frame)) => {
                    cells += cells_in(&frame);
                    frames.push(frame);
                }
                Job::Call(call) => calls.push(call),
                // What came before it is carried out before it.
                other => {
                    waiting = Some(other);
                    break;
                }
            }
            if frames.len() + calls.len() < JOBS && cells < STEP_CELLS {
                waiting = queue.try_recv().ok();
            }
        }
        if frames.is_empty() && calls.is_empty() {
            waiting.take().into_iter().for_each(|job| self.carry_out(job));
        }
        self.carry_out_together(frames, calls);
        waiting
    }

    fn carry_out_together(&mut self, mut frames: Vec<ToDevice>, all: Vec<Call>) {
        let now = self.clock.now();
        let mut calls = Vec::new();
        for Call { method, params, answer } in all {
            self.idle.note(&method, now.mono_ms);
            if self.core.is_none() || matches!(method.as_str(), "lock" | "lock.after") {
                // What came before it is carried out before it.
                self.hand_over(now, std::mem::take(&mut frames), std::mem::take(&mut calls));
                self.answer_here(now, &method, &params, answer);
            } else if let Some(id) = self.next_id() {
                self.pending.insert(id, Pending::Call(answer));
                calls.push((id, method, params));
            } else {
                drop(answer.send(Err(ApiError::busy())));
            }
        }
        self.hand_over(now, frames, calls);
    }

    fn hand_over(&mut self, now: Now, frames: Vec<ToDevice>, calls: Vec<(CallId, String, Value)>) {
        let any = !frames.is_empty() || !calls.is_empty();
        // What a connection of before still says means nothing to a locked profile.
        if let Some(core) = self.core.as_mut().filter(|_| any) {
            core.together(now, frames, calls);
            self.drain();
        }
    }

    /// Drops the core, closes the database and hangs up; whoever waits for an answer is told.
    fn lock(&mut self) {
        if self.core.take().is_none() {
            return;
        }
        self.locked.store(true, Ordering::Relaxed);
        self.outbox = None;
        self.control.redial.notify_one();
        for (_, pending) in self.pending.drain() {
            match pending {
                Pending::Call(answer) => drop(answer.send(Err(ApiError::locked()))),
                Pending::Subscribe(_, answer) => drop(answer.send(Err(ApiError::locked()))),
            }
        }
        self.subscribers.publish(&json!({ "v": 1, "type": "locked" }));
    }

    fn unlock(&mut self, passphrase: &Passphrase) -> Answer {
        if self.core.is_some() {
            self.vault.check(passphrase)?;
        } else {
            self.core = Some(self.vault.open(passphrase)?);
            self.locked.store(false, Ordering::Relaxed);
            self.control.poke.notify_one();
            self.subscribers.publish(&json!({ "v": 1, "type": "unlocked" }));
        }
        self.idle.note("unlock", self.clock.ms());
        Ok(json!({}))
    }

    /// Locks when nobody has asked for anything in the time set, and nobody waits for an answer.
    fn lock_if_idle(&mut self, now_ms: u64) {
        if self.core.is_none() || self.idle.due().is_none_or(|due| now_ms < due) {
            return;
        }
        if self.pending.values().all(Pending::is_abandoned) {
            self.lock();
        } else {
            self.idle.note("", now_ms);
        }
    }

    fn carry_out(&mut self, job: Job) {
        let now = self.clock.now();
        match job {
            Job::Link(event) => {
                // What a connection of before still says means nothing to a locked profile.
                let Some(core) = self.core.as_mut() else { return };
                match event {
                    LinkEvent::Up { address, welcome, outbox, relay } => {
                        self.outbox = Some(outbox);
                        core.reached(now, &address, relay);
                        core.frame(now, welcome);
                    }
                    // Taken out by `carry_out_all`.
                    LinkEvent::Frame(_) => {}
                    LinkEvent::Down(why) => {
                        self.outbox = None;
                        core.down(now, why);
                    }
                }
            }
            Job::Dial(answer) => {
                // A link that went away meanwhile will not miss it.
                let _gone = answer.send(self.core.as_ref().and_then(|core| core.dial()));
            }
            Job::Subscribe { params, answer } => {
                self.idle.note("subscribe", now.mono_ms);
                let id = self.next_id().ok_or_else(ApiError::busy);
                let core = self.core.as_mut().ok_or_else(ApiError::locked);
                let added = core.and_then(|core| {
                    let id = id?;
                    Ok((core, id, self.subscribers.add(id, &params)?))
                });
                match added {
                    Ok((core, id, events)) => {
                        self.pending.insert(id, Pending::Subscribe(events, answer));
                        core.call(now, id, "subscribe", params);
                    }
                    Err(error) => drop(answer.send(Err(error))),
                }
            }
            Job::Unlock { passphrase, answer } => drop(answer.send(self.unlock(&passphrase))),
            // Taken out by `run` and `carry_out_all`.
            Job::Call(_) | Job::End { .. } | Job::Stop => {}
        }
    }

    /// Answers a call that the core has nothing to do with, or cannot have.
    fn answer_here(
        &mut self,
        now: Now,
        method: &str,
        params: &Value,
        answer: oneshot::Sender<Answer>,
    ) {
        let here = match method {
            "lock" => {
                self.lock();
                Ok(json!({}))
            }
            "lock.after" => self.idle.set(params, now.mono_ms),
            "status" => Ok(locked_status()),
            _ => Err(ApiError::locked()),
        };
        // A caller that went away will not miss its answer.
        drop(answer.send(here));
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
        while let Some(out) = self.core.as_mut().and_then(|core| core.poll()) {
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
