//! The one door to the agent: everything else in the client knows only [`Calls`], [`Api`],
//! [`join`] and their types, never `staffetta_protocol::member::agent`.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use staffetta_protocol::member::agent::{self, JoinEvent, JoinOptions, OpenOptions, Proxy};

use tokio::net::UnixStream;
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::errors::Failure;
use crate::passphrase::{self, Source};
use crate::text;

mod invitation;

#[cfg(test)]
pub(crate) use invitation::tests::code;
pub(crate) use invitation::{
    CodeCheck, check_code, check_name, find_code, propose_passphrase, read_code,
};

pub(crate) use agent::LOCKED;
pub(crate) use agent::{ApiError, Passphrase, Preview as Invitation, Stay};
pub(crate) use agent::{change_passphrase, harden, has_profile, wipe};
pub(crate) use staffetta_protocol::invite_code::InviteCode;
pub(crate) use staffetta_protocol::member::content::{MAX_TEXT, sanitize_block, sanitize_line};

/// How long a process waits for another one before it says so.
const A_MOMENT: Duration = Duration::from_secs(1);

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

/// Which profile, and how to open it.
#[derive(Clone)]
pub(crate) struct Profile {
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// A SOCKS5 proxy for the link to the relay.
    pub(crate) proxy: Option<String>,
    /// Where the passphrase comes from, if one is needed.
    pub(crate) passphrase: Source,
}

/// An open profile.
pub(crate) struct Api(agent::Handle);

impl Api {
    /// Opens a profile: as its holder if it is free, else as a client of its holder, which is
    /// unlocked if it is locked. The passphrase is asked for only when something has to be
    /// unlocked.
    ///
    /// # Errors
    /// No profile (1), no way to get the passphrase (2), lock held for 10 s (75), wrong
    /// passphrase (77).
    pub(crate) async fn open(profile: &Profile, stay: Stay) -> Result<Self, Failure> {
        let options = OpenOptions { stay, ..options(profile)? };
        let api = open(options, || profile.passphrase.existing()).await?;
        if api.0.is_locked().await? {
            api.unlock(profile.passphrase.existing()?).await?;
        }
        Ok(api)
    }

    /// As [`Api::open`], but a locked holder stays locked, and a holder stays off the network.
    ///
    /// # Errors
    /// As [`Api::open`].
    pub(crate) async fn open_as_it_is(profile: &Profile) -> Result<Self, Failure> {
        let options = OpenOptions { connect: false, stay: Stay::Brief, ..options(profile)? };
        open(options, || profile.passphrase.existing()).await
    }

    /// As [`Api::open`]; a holder is given the passphrase as well, to go on with joining.
    ///
    /// # Errors
    /// As [`Api::open`].
    pub(crate) async fn open_keeping(
        profile: &Profile,
    ) -> Result<(Self, Option<Zeroizing<String>>), Failure> {
        let mut kept = None;
        let ask = || {
            let passphrase = profile.passphrase.existing()?;
            kept = Some(passphrase.copy());
            Ok(passphrase)
        };
        let api = open(options(profile)?, ask).await?;
        Ok((api, kept))
    }

    /// As [`Api::open`], but without asking anybody for anything: `None` if nobody holds the
    /// profile and no passphrase file opens it.
    pub(crate) async fn open_quietly(profile: &Profile) -> Option<Self> {
        let options = OpenOptions { stay: Stay::Brief, ..options(profile).ok()? };
        let unlock = |dir: &Path| unlock(dir, profile.passphrase.unasked()?);
        let api = agent::open(options, unlock).await.ok().map(Self)?;
        if let (Ok(true), Ok(passphrase)) = (api.0.is_locked().await, profile.passphrase.unasked())
        {
            // What stays locked can still be told to end.
            let _locked = api.unlock(passphrase).await;
        }
        Some(api)
    }

    /// The process that holds the profile, if some other one does.
    pub(crate) async fn holder(profile: &Profile) -> Option<Self> {
        agent::holder_of(&profile.dir).await.map(Self)
    }

    /// Unlocks the profile; of one that is not locked it only checks the passphrase.
    ///
    /// # Errors
    /// Wrong passphrase (77).
    pub(crate) async fn unlock(&self, passphrase: passphrase::Passphrase) -> Result<(), ApiError> {
        self.0.unlock(passphrase.into_inner()).await
    }

    /// Ends the holder of the profile, this process or another.
    pub(crate) async fn end(self) {
        self.0.end().await;
    }

    /// Starts a live stream of the events that `params` select.
    ///
    /// # Errors
    /// As [`Calls::call`].
    pub(crate) async fn events(&self, mut params: Value) -> Result<Events<'_>, ApiError> {
        if let Some(fields) = params.as_object_mut() {
            // A bot's profile would wait for acknowledgements.
            fields.insert("live".to_owned(), true.into());
        }
        let stream = self.0.subscribe(params.clone()).await?;
        Ok(Events { stream, agent: &self.0, params, behind: false })
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

/// A stream of events that goes on when this side fell behind: an event of type `gap` says so.
pub(crate) struct Events<'a> {
    stream: agent::Events,
    agent: &'a agent::Handle,
    params: Value,
    /// Whether the newest event was a `gap`.
    behind: bool,
}

impl Events<'_> {
    /// The next event, or `None` when the holder of the profile is gone.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.stream.next().await {
                self.behind = event.get("type").and_then(Value::as_str) == Some("gap");
                return Some(event);
            }
            if !std::mem::take(&mut self.behind) {
                return None;
            }
            self.stream = self.agent.subscribe(self.params.clone()).await.ok()?;
        }
    }
}

/// Opens a profile; a holder asks for the passphrase. Whoever sits at a terminal is told what takes
/// so long if another process does.
async fn open(
    options: OpenOptions,
    ask: impl FnOnce() -> Result<passphrase::Passphrase, Failure>,
) -> Result<Api, Failure> {
    // Whoever is asked for the passphrase may take any time.
    let waits = Cell::new(true);
    let opening = agent::open(options, |dir: &Path| {
        waits.set(false);
        unlock(dir, ask()?)
    });
    tokio::pin!(opening);
    tokio::select! {
        biased;
        handle = &mut opening => return handle.map(Api),
        () = sleep(A_MOMENT) => {}
    }
    if waits.get() && io::stderr().is_terminal() {
        // That nobody reads it is no failure.
        let _unread = writeln!(io::stderr(), "{}", text::waiting_for_other());
    }
    opening.await.map(Api)
}

fn unlock(dir: &Path, passphrase: passphrase::Passphrase) -> Result<Box<dyn agent::Core>, Failure> {
    Ok(agent::unlock(dir, &passphrase.into_inner())?)
}

/// Which profile, and the way to its relay.
fn options(profile: &Profile) -> Result<OpenOptions, Failure> {
    Ok(OpenOptions { proxy: proxy(profile)?, ..OpenOptions::new(&profile.dir) })
}

/// The proxy that `--proxy` names. A name that is none must not lead to a direct connection.
fn proxy(profile: &Profile) -> Result<Option<Proxy>, Failure> {
    let Some(named) = &profile.proxy else { return Ok(None) };
    match Proxy::parse(named) {
        Some(proxy) => Ok(Some(proxy)),
        None => Err(Failure::usage(text::no_proxy(), text::how_proxy())),
    }
}

/// What `join` needs to know.
pub(crate) struct Join {
    /// `None` goes on with the one whose request waits.
    pub(crate) code: Option<InviteCode>,
    pub(crate) name: String,
    pub(crate) device: String,
}

/// What happens while joining.
pub(crate) enum JoinStep {
    /// The team was founded; these 24 words are its root key and exist nowhere else.
    Founded(Zeroizing<String>),
    /// The request is in the log; whoever invited must hear these five words, unless the invite
    /// approves by itself.
    Waiting { words: Option<Vec<String>>, inviter: String, team: String },
    /// Inside.
    Joined { member: String, device: String, team: String },
}

/// Redeems a code and tells `on` what happens, until the device is inside, which gives the open profile,
/// or `on` breaks off.
///
/// # Errors
/// Bad, used or expired code, existing profile, refused (1), relay unreachable (69).
pub(crate) async fn join(
    profile: &Profile,
    passphrase: passphrase::Passphrase,
    join: Join,
    on: &mut dyn FnMut(JoinStep) -> Result<ControlFlow<()>, Failure>,
) -> Result<Option<Api>, Failure> {
    let Join { code, name, device } = join;
    let options = JoinOptions {
        dir: profile.dir.clone(),
        passphrase: passphrase.into_inner(),
        code,
        name,
        label: device,
        proxy: proxy(profile)?,
    };
    let text = |status: &Value, field: &str| {
        status.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let inside = agent::join(options, &mut |event| {
        on(match event {
            JoinEvent::Founded(words) => JoinStep::Founded(words),
            JoinEvent::Waiting { team, inviter, words } => {
                JoinStep::Waiting { words, inviter, team }
            }
            JoinEvent::Joined(status) => JoinStep::Joined {
                member: text(&status, "member"),
                device: text(&status, "device"),
                team: text(&status, "team"),
            },
        })
    })
    .await?;
    Ok(inside.map(Api))
}

/// Connects to the profile's socket as any program could.
///
/// # Errors
/// If nobody holds the profile, or somebody else does.
pub(crate) async fn connect(profile: &Profile) -> std::io::Result<UnixStream> {
    agent::connect(&profile.dir).await
}

/// Every method and event of the local API that programs use, as an OpenRPC document.
pub(crate) fn description(version: &str) -> Value {
    staffetta_protocol::bot::openrpc(version)
}

/// A call without parameters.
pub(crate) fn none() -> Value {
    json!({})
}

/// Reads what an invitation says, without a profile and without asking for anything.
///
/// # Errors
/// A mistyped, used or expired code (1), relay unreachable (69).
pub(crate) async fn look(profile: &Profile, code: &str) -> Result<Invitation, Failure> {
    let code = read_code(code)?;
    Ok(agent::preview(&code, proxy(profile)?).await?)
}
