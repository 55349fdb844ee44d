//! What stands behind a bot: a profile, or the world of a test.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::super::agent::{ApiError, Events, Handle};
use super::double::{Double, Told};
use super::environment;
use super::error::Error;

/// The wait before the profile is opened again, after its holder has gone.
const AGAIN: Duration = Duration::from_millis(500);
/// The exit code of what may work later.
const TRY_AGAIN: u8 = 75;

/// Where a bot's calls go.
#[derive(Clone)]
pub(super) enum Backend {
    Profile(Arc<Profile>),
    Double(Arc<Double>),
}

/// The profile that the environment names, held by this process or by another one.
pub(super) struct Profile {
    dir: PathBuf,
    /// The handle of the moment; another one after its holder has gone.
    handle: Mutex<Arc<Handle>>,
    /// One at a time opens the profile.
    opening: tokio::sync::Mutex<()>,
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

impl Profile {
    pub(super) fn new(dir: PathBuf, handle: Handle) -> Self {
        let opening = tokio::sync::Mutex::default();
        Self { dir, handle: Mutex::new(Arc::new(handle)), opening }
    }

    fn handle(&self) -> Arc<Handle> {
        Arc::clone(&self.place())
    }

    fn place(&self) -> MutexGuard<'_, Arc<Handle>> {
        // Nothing that holds this lock can leave the place half changed.
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the profile again when another process held it and has gone; true if there is a
    /// handle that may work.
    async fn renew(&self, gone: &Arc<Handle>) -> Result<bool, Error> {
        // Whoever ended the holder that this process is meant the bot as well.
        if gone.is_holder() {
            return Ok(false);
        }
        let _one = self.opening.lock().await;
        while Arc::ptr_eq(gone, &self.handle()) {
            match environment::open(self.dir.clone()).await {
                Ok(handle) => *self.place() = Arc::new(handle),
                Err(error) if error.exit() == Some(TRY_AGAIN) => sleep(AGAIN).await,
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl Backend {
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        match self {
            Self::Profile(profile) => profile.handle().call(method, params).await,
            Self::Double(double) => double.call(method, &params),
        }
    }

    pub(super) async fn subscribe(&self, params: Value) -> Result<Stream, ApiError> {
        match self {
            Self::Profile(profile) => profile.handle().subscribe(params).await.map(Stream::Profile),
            Self::Double(double) => Ok(Stream::Double(double.subscribe(&params))),
        }
    }

    /// Whether the process that held the profile has gone.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Self::Profile(profile) => profile.handle().is_gone(),
            Self::Double(_) => false,
        }
    }

    /// What may be gone later.
    pub(super) fn standing(&self) -> Standing {
        match self {
            Self::Profile(profile) => Standing(Some((Arc::clone(profile), profile.handle()))),
            Self::Double(_) => Standing(None),
        }
    }

    /// Lets go of the profile and sends what is queued, if nobody else uses it.
    pub(super) async fn close(self) {
        if let Self::Profile(profile) = self
            && let Some(profile) = Arc::into_inner(profile)
            && let Some(handle) =
                Arc::into_inner(profile.handle.into_inner().unwrap_or_else(PoisonError::into_inner))
        {
            handle.close().await;
        }
    }
}

/// What stood behind a bot at some moment.
pub(super) struct Standing(Option<(Arc<Profile>, Arc<Handle>)>);

impl Standing {
    /// It has gone: puts another one in its place, and waits until it can; false if there will be
    /// none.
    ///
    /// # Errors
    /// What opening the profile says, if it is nothing that passes.
    pub(super) async fn replace(self) -> Result<bool, Error> {
        match self.0 {
            Some((profile, gone)) => profile.renew(&gone).await,
            None => Ok(false),
        }
    }
}
