//! A stream that is repeated until it is acknowledged, at most a window ahead.
//!
//! What is to be delivered stands on disk; this asks the engine for it, and keeps no more of it than
//! the window holds.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::driver::Driver;
use super::faults::{BUSY, LOCKED};

/// The wait after the engine had too much to do.
const AGAIN: Duration = Duration::from_millis(50);

/// How often a stream looks whether something that it handed out before the last look is still not
/// acknowledged: that comes again, so after one to two times this.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(30);

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
    /// When what was handed out up to a number is looked for again.
    look: Option<(Instant, i64)>,
    /// The number up to which the last look found everything acknowledged.
    quiet_upto: i64,
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
        let (ready, look) = (VecDeque::new(), None);
        Self { driver, consumer, live, pulse, after: 0, ready, look, quiet_upto: 0, stale: true }
    }

    /// The next event; `None` when the engine is gone. Cancel safe: what was asked for and not taken
    /// over is asked for again.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            // All up to `after` was handed out.
            if self.look.is_none() && self.after > self.quiet_upto {
                self.look = Some((Instant::now() + AGAIN_AFTER, self.after));
            }
            if let Some((at, upto)) = self.look
                && at <= Instant::now()
            {
                self.look_again(upto).await?;
                continue;
            }
            if self.stale {
                self.ask().await?;
                continue;
            }
            let look_at = self.look.map(|(at, _)| at);
            tokio::select! {
                () = sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => {}
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
        // Before the question, so that what changes meanwhile is asked for again.
        self.pulse.mark_unchanged();
        let params = json!({ "consumer": self.consumer.name, "after": self.after,
            "window": self.consumer.window });
        match self.deliveries(params).await? {
            Asked::Told(answer) => {
                let after = answer.get("after").and_then(Value::as_i64).unwrap_or(self.after);
                // Some may have been taken back, and left room for others.
                self.stale = after != self.after;
                self.after = after;
                self.take(answer);
            }
            Asked::Busy => {}
            Asked::Locked => self.stale = false,
        }
        Some(())
    }

    /// What was handed out up to a number and is not acknowledged comes once more.
    async fn look_again(&mut self, upto: i64) -> Option<()> {
        let params = json!({ "consumer": self.consumer.name, "again": upto,
            "window": self.consumer.window });
        match self.deliveries(params).await? {
            Asked::Told(answer) => {
                self.look = None;
                if self.take(answer) == 0 {
                    self.quiet_upto = upto;
                }
            }
            Asked::Busy => {}
            Asked::Locked => self.look = Some((Instant::now() + AGAIN_AFTER, upto)),
        }
        Some(())
    }

    /// Takes an answer's events over; how many there are.
    fn take(&mut self, mut answer: Value) -> usize {
        let events = match answer.get_mut("events").map(Value::take) {
            Some(Value::Array(events)) => events,
            _ => Vec::new(),
        };
        let count = events.len();
        self.ready.extend(events);
        count
    }

    /// Asks the engine; `None` if it is gone.
    async fn deliveries(&self, params: Value) -> Option<Asked> {
        match self.driver.call("deliveries", params).await {
            Ok(answer) => Some(Asked::Told(answer)),
            Err(error) if error.code == BUSY => {
                sleep(AGAIN).await;
                Some(Asked::Busy)
            }
            // What is delivered stays on disk until the profile is unlocked.
            Err(error) if error.code == LOCKED => Some(Asked::Locked),
            Err(_) => None,
        }
    }
}

/// What the engine answered.
enum Asked {
    Told(Value),
    Busy,
    Locked,
}

fn is_live(event: &Value) -> bool {
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    !NOT_LIVE.contains(&kind)
}
