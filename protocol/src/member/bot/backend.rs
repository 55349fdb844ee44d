//! What stands behind a bot: a profile, or the world of a test.

use std::sync::Arc;

use serde_json::Value;

use super::super::agent::{ApiError, Events, Handle};
use super::double::{Double, Told};

/// Where a bot's calls go.
#[derive(Clone)]
pub(super) enum Backend {
    Profile(Arc<Handle>),
    Double(Arc<Double>),
}

/// A stream of events, repeated until they are acknowledged.
pub(super) enum Stream {
    Profile(Events),
    Double(Told),
}

impl Stream {
    /// The next event; `None` when what stands behind the bot is gone. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Value> {
        match self {
            Self::Profile(events) => events.next().await,
            Self::Double(told) => told.next().await,
        }
    }
}

impl Backend {
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        match self {
            Self::Profile(handle) => handle.call(method, params).await,
            Self::Double(double) => double.call(method, &params),
        }
    }

    pub(super) async fn subscribe(&self, params: Value) -> Result<Stream, ApiError> {
        match self {
            Self::Profile(handle) => handle.subscribe(params).await.map(Stream::Profile),
            Self::Double(double) => Ok(Stream::Double(double.subscribe(&params))),
        }
    }

    /// Lets go of the profile and sends what is queued, if nobody else uses it.
    pub(super) async fn close(self) {
        if let Self::Profile(handle) = self
            && let Some(handle) = Arc::into_inner(handle)
        {
            handle.close().await;
        }
    }
}
