//! The agent's side of the screen: calls out, answers and events in. Nothing here waits on the
//! thread that draws.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};
use zeroize::Zeroizing;

use super::state::{Ask, Event, Lane, Refusal};
use super::untrusted::Untrusted;
use crate::api::{Api, ApiError, Calls, Events};
use crate::passphrase::Passphrase;

/// The most calls that wait in a lane; beyond it the screen says so, and nothing is lost.
const WAITING: usize = 256;

/// How long what was entered last may take when the screen is left.
const LAST: Duration = Duration::from_secs(10);

/// Something to ask the agent.
pub(super) enum Call {
    Method { ask: Ask, method: &'static str, params: Value },
    Unlock(Zeroizing<String>),
}

/// The ways to the agent: in each, one call after the other.
pub(super) struct Lanes {
    quick: Sender<Call>,
    slow: Sender<Call>,
    files: Sender<Call>,
}

/// The other ends.
pub(super) struct Work {
    quick: Receiver<Call>,
    slow: Receiver<Call>,
    files: Receiver<Call>,
}

impl Lanes {
    pub(super) fn new() -> (Self, Work) {
        let (quick, quick_work) = mpsc::channel(WAITING);
        let (slow, slow_work) = mpsc::channel(WAITING);
        let (files, files_work) = mpsc::channel(WAITING);
        (
            Self { quick, slow, files },
            Work { quick: quick_work, slow: slow_work, files: files_work },
        )
    }

    /// Hands a call over; what it was for comes back if too much waits.
    pub(super) fn put(&self, lane: Lane, call: Call) -> Option<Ask> {
        let lane = match lane {
            Lane::Quick => &self.quick,
            Lane::Slow => &self.slow,
            Lane::Files => &self.files,
        };
        match lane.try_send(call).err()?.into_inner() {
            Call::Method { ask, .. } => Some(ask),
            Call::Unlock(_) => Some(Ask::Unlock),
        }
    }
}

/// Does all calls until the screen ends: those that are answered at once, and the others. The first
/// goes on to its end when the lanes are dropped, so that what was entered last is done.
pub(super) fn serve(
    api: &Api,
    work: Work,
    happened: &Sender<Event>,
) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
    let Work { quick, slow, files } = work;
    let others = async move {
        tokio::join!(one_by_one(api, slow, happened), one_by_one(api, files, happened));
    };
    (one_by_one(api, quick, happened), others)
}

/// Does what was entered last, though nobody looks any more. The lanes were open until now, so `quick`
/// has not ended.
pub(super) async fn finish(lanes: Lanes, quick: impl Future<Output = ()>) {
    drop(lanes);
    let _late = tokio::time::timeout(LAST, quick).await;
}

async fn one_by_one(api: &Api, mut work: Receiver<Call>, happened: &Sender<Event>) {
    while let Some(call) = work.recv().await {
        let (ask, answer) = match call {
            Call::Method { ask, method, params } => (ask, api.call(method, params).await),
            Call::Unlock(typed) => (Ask::Unlock, unlock(api, typed).await),
        };
        // Nobody listens after the last key; the calls before it are done all the same.
        let _ = happened.send(Event::Answer(ask, answer.map_err(refusal))).await;
    }
}

async fn unlock(api: &Api, typed: Zeroizing<String>) -> Result<Value, ApiError> {
    api.unlock(Passphrase::typed(typed)).await.map(|()| Value::Null)
}

fn refusal(error: ApiError) -> Refusal {
    let hint = error.hint.as_deref().unwrap_or_default();
    Refusal { message: Untrusted::from(error.message.as_str()), hint: Untrusted::from(hint) }
}

/// Hands on what the agent tells, until its holder is gone.
pub(super) async fn listen(mut events: Events<'_>, happened: &Sender<Event>) {
    while let Some(event) = events.next().await {
        if happened.send(Event::Agent(event)).await.is_err() {
            return;
        }
    }
}
