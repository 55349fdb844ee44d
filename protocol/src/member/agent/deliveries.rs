//! A stream that is repeated until it is acknowledged, at most a window ahead.
//!
//! What is to be delivered stands on disk; this asks the engine for it, and keeps no more of it than
//! the window holds.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::driver::Driver;
use super::faults::{BUSY, LOCKED};

/// The wait after the engine had too much to do.
const AGAIN: Duration = Duration::from_millis(50);

/// The event after which a locked profile answers again.
const UNLOCKED: &str = "unlocked";
/// What a durable stream leaves to acknowledgement, and what only interactive clients want to know.
const NOT_LIVE: [&str; 7] = ["message", "file", "edit", "delete", "reaction", "sent", "progress"];

/// Whose stream it is, and how far it runs ahead of the acknowledgements.
pub(super) struct Consumer {
    name: String,
    window: u64,
}

impl Consumer {
    /// What the core said to a subscription; `None` if the stream is a live one.
    pub(super) fn of(said: &Value) -> Option<Self> {
        let name = said.get("consumer")?.as_str()?.to_owned();
        Some(Self { name, window: said.get("window")?.as_u64()? })
    }
}

/// What a consumer is to acknowledge, and beside it what happens live.
pub(super) struct Deliveries {
    driver: Driver,
    consumer: Consumer,
    live: mpsc::Receiver<Value>,
    pulse: watch::Receiver<()>,
    /// The number of the last delivery handed out on this stream.
    after: i64,
    ready: VecDeque<Value>,
    /// Whether the engine may have more than it was asked for.
    stale: bool,
}

impl Deliveries {
    pub(super) fn new(
        driver: Driver,
        consumer: Consumer,
        live: mpsc::Receiver<Value>,
        pulse: watch::Receiver<()>,
    ) -> Self {
        Self { driver, consumer, live, pulse, after: 0, ready: VecDeque::new(), stale: true }
    }

    /// The next event; `None` when the engine is gone. Cancel safe: what was asked for and not taken
    /// over is asked for again.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.stale {
                self.ask().await?;
                continue;
            }
            tokio::select! {
                changed = self.pulse.changed() => {
                    changed.ok()?;
                    self.stale = true;
                }
                event = self.live.recv() => match event {
                    Some(event) if is_live(&event) => {
                        self.stale |= event.get("type") == Some(&UNLOCKED.into());
                        return Some(event);
                    }
                    Some(_) => {}
                    // This side fell behind with what needs no acknowledgement; `gap` was said.
                    None => {
                        let (_, again) = self.driver.subscribe(json!({ "live": true })).await.ok()?;
                        self.live = again.into_live()?;
                    }
                },
            }
        }
    }

    async fn ask(&mut self) -> Option<()> {
        let params = json!({ "consumer": self.consumer.name, "after": self.after,
            "window": self.consumer.window });
        // Before the question, so that what changes meanwhile is asked for again.
        self.pulse.mark_unchanged();
        let answer = match self.driver.call("deliveries", params).await {
            Ok(answer) => answer,
            Err(error) if error.code == BUSY => {
                sleep(AGAIN).await;
                return Some(());
            }
            // What is delivered stays on disk until the profile is unlocked.
            Err(error) if error.code == LOCKED => {
                self.stale = false;
                return Some(());
            }
            Err(_) => return None,
        };
        let after = answer.get("after").and_then(Value::as_i64).unwrap_or(self.after);
        // Some may have been taken back, and left room for others.
        self.stale = after != self.after;
        self.after = after;
        if let Some(Value::Array(events)) = answer.get("events") {
            self.ready.extend(events.iter().cloned());
        }
        Some(())
    }
}

fn is_live(event: &Value) -> bool {
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    !NOT_LIVE.contains(&kind)
}
