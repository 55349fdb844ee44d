//! What a connection waits for beside its socket; each wait is without end if there is nothing.

use std::collections::VecDeque;
use std::pin::Pin;

use staffetta_protocol::noise::keys::StaticPublic;
use staffetta_protocol::wire::frame::{JoinState, ToDevice};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::registry::Standing;

/// The state of an invite as its connection follows it.
pub(super) struct Following {
    pub(super) key: StaticPublic,
    pub(super) told: JoinState,
    pub(super) changes: watch::Receiver<Standing>,
}

/// A request that waits for its answer.
pub(super) struct Pending {
    pub(super) answered: oneshot::Receiver<ToDevice>,
    pub(super) is_blob: bool,
}

pub(super) async fn first(pending: &mut VecDeque<Pending>) -> Option<ToDevice> {
    match pending.front_mut() {
        Some(pending) => (&mut pending.answered).await.ok(),
        None => std::future::pending().await,
    }
}

pub(super) async fn joined<T>(task: &mut Option<JoinHandle<T>>) -> Option<T> {
    match task {
        Some(task) => Pin::new(task).await.ok(),
        None => std::future::pending().await,
    }
}

pub(super) async fn changed(following: Option<&mut Following>) {
    match following {
        Some(following) => {
            // The other end lives as long as the invite, which the connection's sender holds.
            if following.changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}
