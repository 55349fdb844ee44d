//! A bot's life: one event after the other, each until its handler has returned `Ok`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::backend::Stream;
use super::builder::{Bot, Handler, Parts};
use super::context::Context;
use super::error::{Error, Result};
use super::event::{Event, Message, text_of};
use super::middleware::Next;

/// How long a message waits whose handler failed.
const RETRY: Duration = Duration::from_secs(5);
/// The kinds of events that are acknowledged.
const ACKNOWLEDGED: [&str; 5] = ["message", "file", "edit", "delete", "reaction"];

/// Runs a bot until it is told to stop, or what stands behind it is gone.
pub(super) async fn run(bot: Bot) -> Result {
    let Bot { context, mut parts, stop: until } = bot;
    let (stop, stopped) = watch::channel(false);
    let until = until.unwrap_or_else(|| Box::pin(asked_to_end()));
    let mut beside = JoinSet::new();
    beside.spawn(async move {
        until.await;
        stop.send_replace(true);
        // The receivers must not take the sender's end for a stop of another kind.
        stop.closed().await;
    });
    for (period, work) in parts.every.drain(..) {
        beside.spawn(repeat(period, work, context.clone()));
    }
    let life = Life { context, parts, stopped };
    let result = life.live().await;
    beside.shutdown().await;
    // Handlers may have a context of their own; whoever else has one keeps the profile.
    let Life { context, parts, .. } = life;
    drop(parts);
    context.backend.close().await;
    result
}

struct Life {
    context: Context,
    parts: Parts,
    stopped: watch::Receiver<bool>,
}

impl Life {
    async fn live(&self) -> Result {
        let mut events = self.subscribe().await?;
        loop {
            let event = tokio::select! {
                biased;
                () = self.stop() => return Ok(()),
                event = events.next() => event,
            };
            let Some(event) = event else {
                return Err(Error::new("The process that held the bot's profile has ended."));
            };
            if self.handle(&event).await?.is_none() {
                return Ok(());
            }
        }
    }

    async fn subscribe(&self) -> Result<Stream> {
        let params = json!({"window": self.parts.window});
        Ok(self.context.backend.subscribe(params).await?)
    }

    async fn stop(&self) {
        let mut stopped = self.stopped.clone();
        // The sender lives as long as this does.
        let _stopped = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Handles one event until that has worked, then acknowledges it; `None` if the bot was told to
    /// stop before it did.
    async fn handle(&self, event: &Value) -> Result<Option<()>> {
        let mut tries = 0;
        while let Err(error) = self.dispatch(event.clone()).await {
            tries += 1;
            if self.parts.give_up_after.is_some_and(|most| tries >= most) {
                tracing::error!(%error, tries, "a handler failed; the event is given up");
                break;
            }
            tracing::warn!(%error, tries, "a handler failed; the event is tried again");
            tokio::select! {
                () = self.stop() => return Ok(None),
                () = sleep(RETRY) => {}
            }
        }
        if ACKNOWLEDGED.contains(&text_of(event, "type").as_str()) {
            self.context.call("ack", json!({"id": event.get("id")})).await?;
        }
        Ok(Some(()))
    }

    /// Gives an event to whom it concerns. Read anew on each try, so that answers are counted from
    /// the first.
    async fn dispatch(&self, event: Value) -> Result {
        match Event::read(event, &self.context) {
            Event::Message(message) => match self.handler_of(&message) {
                Some(last) => {
                    let rest = self.parts.middleware.iter().rev().cloned().collect();
                    Next { rest, last }.run(message).await
                }
                None => Ok(()),
            },
            event => match &self.parts.on_event {
                Some(handler) => handler(event).await,
                None => Ok(()),
            },
        }
    }

    /// Who takes a message: a command's handler, that of messages, or that of everything.
    fn handler_of(&self, message: &Message) -> Option<Handler<Message>> {
        if let Some(command) = message.command(&self.parts.prefix) {
            let found = self.parts.on_command.iter().find(|(name, _)| *name == command.name);
            if let Some((_, handler)) = found {
                let (handler, prefix) = (Arc::clone(handler), self.parts.prefix.clone());
                return Some(Arc::new(move |message| match message.command(&prefix) {
                    Some(command) => handler(command),
                    None => Box::pin(std::future::ready(Ok(()))),
                }));
            }
        }
        let everything = || {
            let handler = Arc::clone(self.parts.on_event.as_ref()?);
            Some(Arc::new(move |message| handler(Event::Message(message))) as Handler<Message>)
        };
        self.parts.on_message.clone().or_else(everything)
    }
}

async fn repeat(period: Duration, work: Handler<Context>, context: Context) {
    let mut times = interval(period.max(Duration::from_millis(1)));
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        if let Err(error) = work(context.clone()).await {
            tracing::warn!(%error, "scheduled work failed");
        }
    }
}

/// SIGTERM or Ctrl-C.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        },
        // Without handlers the signals end the process as they always did.
        _ => std::future::pending().await,
    }
}
