//! The one door to the agent: everything else in the client knows only [`Calls`], [`Api`],
//! [`join`] and their types, never `staffetta_protocol::member::agent`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::errors::Failure;
use crate::passphrase::Passphrase;
use crate::standin as agent;

pub(crate) use agent::ApiError;

/// The methods of the local API, as commands see them; tests put a table of answers here.
pub(crate) trait Calls {
    /// Calls `method`.
    ///
    /// # Errors
    /// What the agent answered: see [`ApiError`].
    async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError>;

    /// Whether this process itself holds the profile, rather than being a client of its holder.
    fn is_holder(&self) -> bool;
}

/// An open profile.
pub(crate) struct Api(agent::Handle);

impl Api {
    /// Opens the profile in `dir`: as its holder if it is free, else as a client of its holder.
    /// `passphrase` is asked for only when this process has to unlock something. With `connect`
    /// unset a holder stays off the network.
    ///
    /// # Errors
    /// No profile (1), no way to get the passphrase (2), lock held for 10 s (75), wrong
    /// passphrase (77).
    pub(crate) async fn open(
        dir: &Path,
        connect: bool,
        passphrase: &mut dyn FnMut() -> Result<Passphrase, Failure>,
    ) -> Result<Self, Failure> {
        agent::open(dir, connect, passphrase).await.map(Self)
    }

    /// Starts a stream of the events that `params` select.
    ///
    /// # Errors
    /// As [`Calls::call`].
    pub(crate) async fn events(&self, params: Value) -> Result<Events, ApiError> {
        self.0.subscribe(params).await.map(Events)
    }

    /// Leaves: a holder flushes and stops, a client disconnects.
    pub(crate) async fn close(self) {
        self.0.close().await;
    }
}

impl Calls for Api {
    async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        self.0.call(method, params).await
    }

    fn is_holder(&self) -> bool {
        self.0.is_holder()
    }
}

/// A stream of events.
pub(crate) struct Events(agent::Events);

impl Events {
    /// The next event, or `None` when the holder of the profile is gone.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        self.0.next().await
    }
}

/// What `join` needs to know.
pub(crate) struct Join {
    pub(crate) dir: PathBuf,
    pub(crate) passphrase: Passphrase,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) device: String,
}

/// What happens while joining.
pub(crate) enum JoinStep {
    /// The team was founded; these 24 words are its root key and exist nowhere else.
    Founded(Vec<String>),
    /// The request is in the log; whoever invited must hear these five words.
    Waiting { words: Vec<String>, inviter: String, team: String },
    /// Inside.
    Joined { member: String, device: String, team: String },
}

/// Redeems a code and tells `on` what happens, until the device is inside or `on` breaks off.
///
/// # Errors
/// Bad, used or expired code, existing profile, refused (1), relay unreachable (69).
pub(crate) async fn join(
    join: Join,
    on: &mut dyn FnMut(JoinStep) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    agent::join(join, on).await
}

/// A call without parameters.
pub(crate) fn none() -> Value {
    json!({})
}

/// Checks what of a code can be checked without the relay, before anything is asked or made.
///
/// # Errors
/// A code that was mistyped, with the group that is wrong (1).
pub(crate) fn check_code(code: &str) -> Result<(), ApiError> {
    agent::check_code(code)
}
