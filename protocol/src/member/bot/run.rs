//! A bot's life: one event after the other, each until its handler has returned `Ok`.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::super::agent::ApiError;
use super::backend::Stream;
use super::builder::{Bot, Handler, Parts};
use super::context::Context;
use super::error::{Error, Result};
use super::event::{Event, Message, text_of};
use super::middleware::Next;

/// How long a message waits whose handler failed.
const RETRY: Duration = Duration::from_secs(5);
/// Acknowledged ids that are remembered, so that what came twice is done once: the widest window.
const REMEMBERED: usize = 1_024;
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

/// How the handling of an event ended.
enum Handled {
    Done,
    /// The bot was told to stop before it had worked.
    Stopped,
    /// Whoever held the profile is gone: the event comes again.
    Orphaned,
}

struct Life {
    context: Context,
    parts: Parts,
    stopped: watch::Receiver<bool>,
}

impl Life {
    /// One holder of the profile after the other.
    async fn live(&self) -> Result {
        loop {
            let standing = self.context.backend.standing();
            if let ControlFlow::Break(ended) = self.live_with_one().await {
                return ended;
            }
            let replaced = tokio::select! {
                () = self.stop() => return Ok(()),
                replaced = standing.replace() => replaced?,
            };
            if !replaced {
                return Err(Error::new("The bot's profile was taken from it."));
            }
            tracing::warn!("the process that held the bot's profile has ended; it goes on");
        }
    }

    /// Handles events until the bot is to end, or whoever holds its profile has gone.
    async fn live_with_one(&self) -> ControlFlow<Result> {
        let mut events = match self.subscribe().await {
            Ok(events) => events,
            Err(error) if error.is_stopped() => return ControlFlow::Continue(()),
            Err(error) => return ControlFlow::Break(Err(error.into())),
        };
        // What a holder sent twice, because it took long, is done once.
        let mut done = VecDeque::new();
        loop {
            let event = tokio::select! {
                biased;
                () = self.stop() => return ControlFlow::Break(Ok(())),
                event = events.next() => event,
            };
            let Some(event) = event else { return ControlFlow::Continue(()) };
            let id = text_of(&event, "id");
            if done.contains(&id) {
                continue;
            }
            match self.handle(&event).await {
                Handled::Done => {}
                Handled::Stopped => return ControlFlow::Break(Ok(())),
                Handled::Orphaned => return ControlFlow::Continue(()),
            }
            if ACKNOWLEDGED.contains(&text_of(&event, "type").as_str()) {
                match self.context.backend.call("ack", json!({"id": id})).await {
                    Ok(_) => {}
                    Err(error) if error.is_stopped() => return ControlFlow::Continue(()),
                    Err(error) => return ControlFlow::Break(Err(error.into())),
                }
                done.push_back(id);
                if done.len() > REMEMBERED {
                    done.pop_front();
                }
            }
        }
    }

    async fn subscribe(&self) -> std::result::Result<Stream, ApiError> {
        self.context.backend.subscribe(json!({"window": self.parts.window})).await
    }

    async fn stop(&self) {
        let mut stopped = self.stopped.clone();
        // The sender lives as long as this does.
        let _stopped = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Handles one event until that has worked, or cannot work any more.
    async fn handle(&self, event: &Value) -> Handled {
        let mut tries = 0;
        while let Err(error) = self.dispatch(event.clone()).await {
            if self.context.backend.is_gone() {
                return Handled::Orphaned;
            }
            tries += 1;
            if self.parts.give_up_after.is_some_and(|most| tries >= most) {
                tracing::error!(%error, tries, "a handler failed; the event is given up");
                break;
            }
            tracing::warn!(%error, tries, "a handler failed; the event is tried again");
            tokio::select! {
                () = self.stop() => return Handled::Stopped,
                () = sleep(RETRY) => {}
            }
        }
        Handled::Done
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
