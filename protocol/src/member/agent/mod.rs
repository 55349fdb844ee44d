//! The agent: holds a profile, keeps the link to the relay, serves the local socket.
//!
//! It owns sockets, threads and the clock, and drives a [`core::Core`]. It must never know what a
//! cell holds.
//!
//! One process holds a profile; every other one is its client. [`open`] finds out which of the
//! two this process is, and its [`Handle`] answers the same calls either way.

mod address;
mod clock;
mod connection;
pub mod core;
mod deliveries;
mod driver;
mod events;
mod faults;
mod harden;
mod join;
mod knock;
mod link;
mod lock;
mod newcomer;
mod preview;
mod profile;
mod rpc;
mod socks;
mod thread;
mod upgrade;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

pub use address::Proxy;
pub use clock::Clock;
pub use core::{ApiError, Core, Dial, Down, Now, Out};
pub use events::Events;
pub use faults::LOCKED;
pub use harden::harden;
pub use join::{JoinEvent, JoinOptions, join};
pub use newcomer::{Newcomer, NewcomerEvent, NewcomerOptions, NotConnected};
pub use preview::{Preview, preview};
pub use profile::{change_passphrase, has_profile, unlock, wipe};
#[cfg(fuzzing)]
pub use rpc::read_line_for_fuzzing;
pub use rpc::{MAX_CONNECTIONS, MAX_REQUEST, connect};

pub use super::store::Passphrase;
use super::store::{LockError, ProfileLock};
use crate::random::OsRandom;
use driver::{CoreDialer, Driver, Job};
use link::{Control, Link};
use lock::{InDir, Vault};

/// How long a command waits for the lock or for the holder's socket (UX.md section 2).
pub const WAIT_LOCK: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);
/// How long a holder may take to say that it is there when the time is up.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// How long a stopping holder waits for the link's last frames.
const LAST_FRAMES: Duration = Duration::from_secs(3);

/// How long a process means to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Until it has done one thing.
    Brief,
    /// Until somebody ends it: it does not become the client of a holder that is brief, whose end
    /// would be its own.
    Lasting,
}

/// How to open a profile.
pub struct OpenOptions {
    /// The profile's directory.
    pub dir: PathBuf,
    /// Connect to the relay through this.
    pub proxy: Option<Proxy>,
    /// How long to wait for the lock or the holder's socket; [`WAIT_LOCK`] for commands.
    pub wait_lock: Duration,
    /// Whether a holder connects to the relay at all.
    pub connect: bool,
    /// How long this process means to be there.
    pub stay: Stay,
}

impl OpenOptions {
    /// The options of a process that stays.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let (wait_lock, stay) = (WAIT_LOCK, Stay::Lasting);
        Self { dir: dir.into(), proxy: None, wait_lock, connect: true, stay }
    }
}

/// An open profile: held by this process, or by another one whose client this is.
pub struct Handle(Inner);

enum Inner {
    Holder(Holder),
    Client(rpc::Client),
}

/// What a holder keeps going. The engine's thread has the profile's lock.
struct Holder {
    server: rpc::Server,
    driver: Driver,
    core_dropped: oneshot::Receiver<()>,
    link: Option<JoinHandle<()>>,
}

impl Drop for Holder {
    fn drop(&mut self) {
        // The link has a way in to the engine, which ends when there is none left.
        if let Some(link) = &self.link {
            link.abort();
        }
    }
}

/// Opens the profile: takes its lock and becomes its holder, or becomes the holder's client. Who
/// stays first waits for the end of a holder that is brief. `make_core` is called by a holder only,
/// and may ask for the passphrase.
///
/// # Errors
/// No profile (exit 1), a holder that does not answer in time (75), or what `make_core` says.
pub async fn open<E: From<ApiError>>(
    options: OpenOptions,
    make_core: impl FnOnce(&Path) -> Result<Box<dyn Core>, E>,
) -> Result<Handle, E> {
    let give_up = Instant::now() + options.wait_lock;
    loop {
        match ProfileLock::try_acquire(&options.dir) {
            Ok(lock) => {
                let core = make_core(&options.dir)?;
                return Ok(hold(options, lock, core).await?);
            }
            Err(LockError::Held) => {}
            Err(LockError::NoProfile) => return Err(ApiError::no_profile().into()),
            Err(LockError::Io(error)) => {
                return Err(ApiError::io("the profile's lock cannot be taken", &error).into());
            }
        }
        let late = Instant::now() >= give_up;
        match reach_holder(&options.dir, give_up).await {
            Some((client, whose))
                if options.stay == Stay::Brief || whose == Stay::Lasting || late =>
            {
                return Ok(Handle(Inner::Client(client)));
            }
            None if late => return Err(ApiError::held().into()),
            _ => {}
        }
        // A holder that is just starting or ending tells nobody when it is through.
        sleep(LOOK).await;
    }
}

/// The holder of the profile in `dir`, if some other process is that.
pub async fn holder_of(dir: &Path) -> Option<Handle> {
    let (client, _) = reach_holder(dir, Instant::now() + WAIT_LOCK).await?;
    Some(Handle(Inner::Client(client)))
}

/// Connects to a holder that answers, and says how long that one means to be there.
async fn reach_holder(dir: &Path, give_up: Instant) -> Option<(rpc::Client, Stay)> {
    let client = rpc::Client::connect(dir).await.ok()?;
    let (left, none) = (give_up.saturating_duration_since(Instant::now()), json!({}));
    let pong = timeout(left.max(LAST_LOOK), client.call("ping", &none)).await.ok()?.ok()?;
    let brief = pong.get("brief").and_then(Value::as_bool).unwrap_or_default();
    Some((client, if brief { Stay::Brief } else { Stay::Lasting }))
}

/// Holds the profile whose lock the caller has: starts the engine, the socket and the link.
///
/// # Errors
/// If the socket or the engine's thread cannot be made (exit 1).
pub async fn hold(
    options: OpenOptions,
    lock: ProfileLock,
    core: Box<dyn Core>,
) -> Result<Handle, ApiError> {
    let vault = Box::new(InDir(options.dir.clone()));
    hold_in(options, lock, core, vault).await
}

/// As [`hold`]; `vault` opens the profile again after it was locked.
async fn hold_in(
    options: OpenOptions,
    lock: ProfileLock,
    core: Box<dyn Core>,
    vault: Box<dyn Vault>,
) -> Result<Handle, ApiError> {
    let (clock, control) = (Clock::start(), Arc::new(Control::default()));
    let (driver, core_dropped) = Driver::start(core, lock, clock, Arc::clone(&control), vault)
        .map_err(|error| ApiError::io("the engine cannot be started", &error))?;
    let driver = driver.serving(options.stay, options.proxy.clone());
    let server = rpc::Server::start(&options.dir, driver.clone())
        .map_err(|error| ApiError::io("the profile's socket cannot be made", &error))?;
    let link = options.connect.then(|| {
        let jobs: tokio::sync::mpsc::Sender<Job> = driver.jobs();
        let dialer = CoreDialer(jobs.clone());
        let link = Link { clock, proxy: options.proxy, dialer, control, events: jobs };
        tokio::spawn(link.keep(OsRandom))
    });
    Ok(Handle(Inner::Holder(Holder { server, driver, core_dropped, link })))
}

impl Handle {
    /// Calls a method of the local API.
    ///
    /// # Errors
    /// What the core or the agent answers.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        match &self.0 {
            Inner::Client(client) => client.call(method, &params).await,
            Inner::Holder(holder) => {
                let mut result = holder.driver.call(method, params).await;
                mark_agent(method, &mut result, false);
                result
            }
        }
    }

    /// Starts a stream of events; `params` are those of the method `subscribe`.
    ///
    /// # Errors
    /// What the core answers, for example that there is no such room.
    pub async fn subscribe(&self, params: Value) -> Result<Events, ApiError> {
        match &self.0 {
            Inner::Client(client) => client.subscribe(&params).await,
            Inner::Holder(holder) => Ok(holder.driver.subscribe(params).await?.1),
        }
    }

    /// Whether the profile is locked.
    ///
    /// # Errors
    /// If its holder is gone (75).
    pub async fn is_locked(&self) -> Result<bool, ApiError> {
        let pong = self.call("ping", json!({})).await?;
        Ok(pong.get("locked").and_then(Value::as_bool).unwrap_or_default())
    }

    /// Unlocks the profile. If it is not locked, the passphrase is only checked.
    ///
    /// # Errors
    /// A wrong passphrase (77), or what opening the profile says.
    pub async fn unlock(&self, passphrase: Passphrase) -> Result<(), ApiError> {
        match &self.0 {
            Inner::Client(client) => client.unlock(&passphrase).await?,
            Inner::Holder(holder) => holder.driver.unlock(passphrase).await?,
        };
        Ok(())
    }

    /// Ends the holder, whoever it is, and waits until it is gone, 10 s at most.
    pub async fn end(mut self) {
        if let Inner::Client(client) = &mut self.0 {
            // A holder that is gone already cannot be told.
            let _gone = client.call("end", &json!({})).await;
            let _late = timeout(WAIT_LOCK, client.ended()).await;
        }
        self.close().await;
    }

    /// Whether the engine, or the holder whose client this is, is gone.
    pub fn is_gone(&self) -> bool {
        match &self.0 {
            Inner::Client(client) => client.is_gone(),
            Inner::Holder(holder) => holder.driver.is_gone(),
        }
    }

    /// Whether this process holds the profile.
    pub fn is_holder(&self) -> bool {
        matches!(self.0, Inner::Holder(_))
    }

    /// Holder: answers its clients, stops the engine, sends what is queued for the relay and lets
    /// go of the profile. Client: disconnects. A handle that is dropped instead lets go as well,
    /// but waits for nothing and may leave the last frames unsent.
    pub async fn close(self) {
        let Inner::Holder(mut holder) = self.0 else { return };
        holder.server.stop().await;
        holder.driver.stop().await;
        // An error only says that the thread is gone, which is what is waited for.
        let _ended = (&mut holder.core_dropped).await;
        if let Some(link) = &mut holder.link {
            // One that is late is cut off by the drop.
            let _late = timeout(LAST_FRAMES, link).await;
        }
    }

    /// Waits until the engine, or the holder whose client this is, is gone.
    async fn ended(&mut self) {
        match &mut self.0 {
            Inner::Holder(holder) => holder.driver.ended().await,
            Inner::Client(client) => client.ended().await,
        }
    }
}

/// Completes the answer to `status`, which tells whether another process than the one that asks
/// holds the profile.
fn mark_agent(method: &str, result: &mut Result<Value, ApiError>, other: bool) {
    if let (Ok(Value::Object(status)), "status") = (result, method) {
        status.insert("agent".to_owned(), Value::Bool(other));
    }
}

/// Holds the profile until `stop` is through, then closes it.
///
/// # Errors
/// If the engine stopped by itself (exit 75).
pub async fn serve_forever(
    mut handle: Handle,
    stop: impl Future<Output = ()>,
) -> Result<(), ApiError> {
    let stopped = tokio::select! {
        () = stop => Ok(()),
        () = handle.ended() => Err(ApiError::stopped()),
    };
    handle.close().await;
    stopped
}
