//! Putting a bot together, and running it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::backend::Backend;
use super::context::Context;
use super::double::World;
use super::environment;
use super::error::Result;
use super::event::{Command, Event, Message};
use super::middleware::{Answer, Middleware};
use super::run;

/// What marks a command, unless the bot says otherwise.
const PREFIX: &str = "!";
/// Un-acknowledged events at a time, unless the bot says otherwise.
const WINDOW: u32 = 32;

/// Handles one kind of thing.
pub(super) type Handler<T> = Arc<dyn Fn(T) -> Answer + Send + Sync>;

/// A bot that holds its profile and is connected, or trying to be. Await it to run it.
pub struct Bot {
    pub(super) context: Context,
    pub(super) parts: Parts,
    pub(super) stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What a bot is made of.
pub(super) struct Parts {
    pub(super) on_message: Option<Handler<Message>>,
    pub(super) on_command: Vec<(String, Handler<Command>)>,
    pub(super) on_event: Option<Handler<Event>>,
    pub(super) every: Vec<(Duration, Handler<Context>)>,
    pub(super) middleware: Vec<Arc<dyn Middleware>>,
    pub(super) prefix: String,
    pub(super) window: u32,
    pub(super) give_up_after: Option<u32>,
}

fn handler<T: 'static, F>(handle: impl Fn(T) -> F + Send + Sync + 'static) -> Handler<T>
where
    F: Future<Output = Result> + Send + 'static,
{
    Arc::new(move |it| Box::pin(handle(it)))
}

impl Bot {
    /// Opens the profile that the environment names, and enrols it first if it is new:
    /// `STAFFETTA_PROFILE` is its directory, `STAFFETTA_PASSPHRASE_FILE` a file with its passphrase,
    /// and `STAFFETTA_INVITE_FILE`, for the first start, a file with a code that `staffetta invite
    /// NAME --role bot` printed.
    ///
    /// # Errors
    /// A missing variable or file, a wrong passphrase, a code that is not accepted.
    pub async fn from_env() -> Result<Self> {
        let profile = environment::profile().await?;
        Ok(Self::new(Backend::Profile(Arc::new(profile))))
    }

    /// A world without a relay, for tests: see [`World`].
    pub fn test() -> World {
        World::default()
    }

    pub(super) fn new(backend: Backend) -> Self {
        let parts = Parts {
            on_message: None,
            on_command: Vec::new(),
            on_event: None,
            every: Vec::new(),
            middleware: Vec::new(),
            prefix: PREFIX.to_owned(),
            window: WINDOW,
            give_up_after: None,
        };
        Self { context: Context { backend }, parts, stop: None }
    }

    /// What the bot can do by itself, for work beside the handlers.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Hands every text to `handler`, one after the other, each until it has returned `Ok`. Texts
    /// that a command's handler takes do not come here.
    #[must_use = "a bot runs when it is awaited"]
    pub fn on_message<F>(mut self, handle: impl Fn(Message) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result> + Send + 'static,
    {
        self.parts.on_message = Some(handler(handle));
        self
    }

    /// Hands texts that begin with the prefix (`!`) and `name` to `handler`.
    #[must_use = "a bot runs when it is awaited"]
    pub fn on_command<F>(
        mut self,
        name: &str,
        handle: impl Fn(Command) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result> + Send + 'static,
    {
        self.parts.on_command.push((name.to_owned(), handler(handle)));
        self
    }

    /// Hands everything else that happens to `handler`: files, edits, reactions, rooms.
    #[must_use = "a bot runs when it is awaited"]
    pub fn on_event<F>(mut self, handle: impl Fn(Event) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result> + Send + 'static,
    {
        self.parts.on_event = Some(handler(handle));
        self
    }

    /// Calls `handler` at once and then every `period`, as long as the bot runs. A time that passes
    /// while it still works is left out; an error is logged.
    #[must_use = "a bot runs when it is awaited"]
    pub fn every<F>(
        mut self,
        period: Duration,
        handle: impl Fn(Context) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result> + Send + 'static,
    {
        self.parts.every.push((period, handler(handle)));
        self
    }

    /// Puts something between messages and their handlers; the first one added sees them first.
    #[must_use = "a bot runs when it is awaited"]
    pub fn with(mut self, middleware: impl Middleware) -> Self {
        self.parts.middleware.push(Arc::new(middleware));
        self
    }

    /// Marks commands with another prefix than `!`.
    #[must_use = "a bot runs when it is awaited"]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.parts.prefix);
        self
    }

    /// Takes on so many events before the first of them is done (1 to 1,024; 32 unless said).
    #[must_use = "a bot runs when it is awaited"]
    pub fn window(mut self, events: u32) -> Self {
        self.parts.window = events.clamp(1, 1_024);
        self
    }

    /// Gives a message up, and logs it, when its handler has failed so many times. Without this it
    /// is tried every 5 s for ever, and those behind it wait.
    #[must_use = "a bot runs when it is awaited"]
    pub fn give_up_after(mut self, tries: u32) -> Self {
        self.parts.give_up_after = Some(tries.max(1));
        self
    }

    /// Stops when `stop` is through, instead of on SIGTERM or Ctrl-C. What is being handled is
    /// finished and acknowledged first, and what was said goes out.
    #[must_use = "a bot runs when it is awaited"]
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }
}

impl IntoFuture for Bot {
    type Output = Result;
    type IntoFuture = Pin<Box<dyn Future<Output = Result> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run::run(self))
    }
}
