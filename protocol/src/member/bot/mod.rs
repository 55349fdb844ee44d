//! Bots: members of the team that are programs.
//!
//! ```no_run
//! use staffetta_protocol::bot::{Bot, Message, Result};
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     Bot::from_env().await?
//!         .on_message(|msg: Message| async move { msg.reply(format!("echo: {}", msg.text)).await })
//!         .await
//! }
//! ```
//!
//! A message is handed over **at least once**: it is repeated, also after a crash of the bot, until
//! its handler has returned `Ok`. [`Message::reply`] is sent once however often that happens.
//!
//! The bot holds its own profile, an ordinary device of the team with the bot flag. It needs
//! `STAFFETTA_PROFILE` (a directory), `STAFFETTA_PASSPHRASE_FILE` and, for its first start,
//! `STAFFETTA_INVITE_FILE` with a code made by `staffetta invite NAME --role bot`.

use std::env;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::agent::{self, ApiError, Handle, JoinEvent, JoinOptions, OpenOptions};
use super::engine::BOT_NAME;
use super::store::{Passphrase, has_key};
use crate::invite_code::InviteCode;

/// How long a message waits whose handler failed.
const RETRY: Duration = Duration::from_secs(5);
/// The longest passphrase or code that is read, in bytes.
const MAX_SECRET_FILE: u64 = 4_096;

/// What most of a bot returns.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why a bot stopped or a message was not sent: one sentence and, if there is one, the next step.
#[derive(Clone, PartialEq)]
pub struct Error {
    message: String,
    hint: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "{} {hint}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

// `main` prints a returned error with Debug.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self { message: error.message, hint: error.hint }
    }
}

impl Error {
    fn new(message: String) -> Self {
        Self { message, hint: None }
    }
}

/// A bot that holds its profile and is connected, or trying to be.
pub struct Bot {
    handle: Arc<Handle>,
}

/// A text that somebody else wrote in one of the bot's rooms, sanitised.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The message's id, 32 hexadecimal digits, equal on all devices.
    pub id: String,
    /// The room's name.
    pub room: String,
    /// Who wrote it.
    pub from: String,
    /// Whether the writing device was verified by words.
    pub verified: bool,
    /// The text.
    pub text: String,
    handle: Arc<Handle>,
}

impl Message {
    /// Answers in the same room, and returns when the answer came back in the log or is queued.
    /// However often the message is repeated, one answer is sent.
    ///
    /// # Errors
    /// If the text is empty or longer than 24,000 bytes, or the bot is no longer in the room.
    pub async fn reply(&self, text: impl Into<String>) -> Result {
        let key = format!("reply {}", self.id);
        let params = json!({"to": self.id, "text": text.into(), "key": key, "wait_ms": 0});
        self.handle.call("reply", params).await?;
        Ok(())
    }

    fn read(event: &Value, handle: &Arc<Handle>) -> Option<Self> {
        let text = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: text("id")?,
            room: text("room")?,
            from: text("from").unwrap_or_default(),
            verified: event.get("verified").and_then(Value::as_bool).unwrap_or_default(),
            text: text("text")?,
            handle: Arc::clone(handle),
        })
    }
}

impl Bot {
    /// Opens the profile that the environment names, and enrols it first if it is new.
    ///
    /// # Errors
    /// A missing variable or file, a wrong passphrase, a code that is not accepted.
    pub async fn from_env() -> Result<Self> {
        let dir = PathBuf::from(variable("STAFFETTA_PROFILE")?);
        let passphrase = read_secret("STAFFETTA_PASSPHRASE_FILE")?;
        let handle = match env::var_os("STAFFETTA_INVITE_FILE") {
            Some(_) if !is_member(&dir, &passphrase).await? => enrol(dir, passphrase).await?,
            _ => open(dir, passphrase).await?,
        };
        Ok(Self { handle: Arc::new(handle) })
    }

    /// Hands every message to `handler`, one after the other, each until it has returned `Ok`.
    pub fn on_message<H, F>(self, handler: H) -> Running<H>
    where
        H: Fn(Message) -> F + Send + Sync + 'static,
        F: Future<Output = Result> + Send + 'static,
    {
        Running { handle: self.handle, handler }
    }
}

/// A bot with its handler; await it to run it.
pub struct Running<H> {
    handle: Arc<Handle>,
    handler: H,
}

impl<H, F> IntoFuture for Running<H>
where
    H: Fn(Message) -> F + Send + Sync + 'static,
    F: Future<Output = Result> + Send + 'static,
{
    type Output = Result;
    type IntoFuture = Pin<Box<dyn Future<Output = Result> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<H, F> Running<H>
where
    H: Fn(Message) -> F,
    F: Future<Output = Result>,
{
    async fn run(self) -> Result {
        let mut events = self.handle.subscribe(json!({})).await?;
        loop {
            if self.hand_over().await? {
                continue;
            }
            // Any event may be a new message; the durable list says which are not done.
            if events.next().await.is_none() {
                events = self.handle.subscribe(json!({})).await?;
            }
        }
    }

    /// Hands over what is not done yet; whether there was anything.
    async fn hand_over(&self) -> Result<bool> {
        let waiting = self.handle.call("unacked", json!({})).await?;
        let waiting = waiting.as_array().cloned().unwrap_or_default();
        for event in &waiting {
            if let Some(message) = Message::read(event, &self.handle) {
                while let Err(error) = (self.handler)(message.clone()).await {
                    tracing::warn!(%error, "a message's handler failed; it is tried again");
                    tokio::time::sleep(RETRY).await;
                }
            }
            let id = event.get("id").cloned().unwrap_or_default();
            self.handle.call("ack", json!({"id": id})).await?;
        }
        Ok(!waiting.is_empty())
    }
}

fn variable(name: &str) -> Result<std::ffi::OsString> {
    env::var_os(name).ok_or_else(|| Error::new(format!("{name} is not set.")))
}

/// The secret in the file that a variable names, less its final newline.
fn read_secret(name: &str) -> Result<Zeroizing<String>> {
    use std::io::Read;
    let unreadable = |error| Error::new(format!("The file of {name} cannot be read: {error}."));
    let file = std::fs::File::open(variable(name)?).map_err(unreadable)?;
    let mut text = Zeroizing::new(String::with_capacity(MAX_SECRET_FILE as usize));
    file.take(MAX_SECRET_FILE).read_to_string(&mut text).map_err(unreadable)?;
    let kept = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(kept);
    Ok(text)
}

/// Whether the profile is a member's already, so that the invite is done with.
async fn is_member(dir: &std::path::Path, passphrase: &Zeroizing<String>) -> Result<bool> {
    if !has_key(dir) {
        return Ok(false);
    }
    let options = OpenOptions { connect: false, ..OpenOptions::new(dir) };
    let passphrase = Passphrase::new(passphrase.clone());
    let handle = agent::open(options, |dir| agent::unlock(dir, &passphrase)).await?;
    let status = handle.call("status", json!({})).await;
    handle.close().await;
    Ok(status?.get("inside") == Some(&Value::Bool(true)))
}

async fn open(dir: PathBuf, passphrase: Zeroizing<String>) -> Result<Handle> {
    let passphrase = Passphrase::new(passphrase);
    let unlock = |dir: &std::path::Path| agent::unlock(dir, &passphrase);
    Ok(agent::open(OpenOptions::new(dir), unlock).await?)
}

async fn enrol(dir: PathBuf, passphrase: Zeroizing<String>) -> Result<Handle> {
    let text = read_secret("STAFFETTA_INVITE_FILE")?;
    let code = InviteCode::parse(&text)
        .map_err(|error| Error::new(format!("The code in STAFFETTA_INVITE_FILE: {error}.")))?;
    let options = JoinOptions {
        dir,
        passphrase: Passphrase::new(passphrase),
        code: Some(code),
        name: BOT_NAME.to_owned(),
        label: BOT_NAME.to_owned(),
        proxy: None,
    };
    let mut on = |_: JoinEvent| Ok::<_, Error>(ControlFlow::Continue(()));
    let handle = agent::join(options, &mut on).await?;
    handle.ok_or_else(|| Error::new("The enrolment was interrupted.".to_owned()))
}
