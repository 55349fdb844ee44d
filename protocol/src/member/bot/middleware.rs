//! What stands between a message and its handler.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::super::agent::Clock;
use super::error::Result;
use super::event::Message;

/// The senders whose rate is remembered; beyond, the one seen longest ago is forgotten.
const MAX_SENDERS: usize = 1_024;

/// What a handler returns, boxed.
pub type Answer = Pin<Box<dyn Future<Output = Result> + Send>>;

/// Sees every message before its handler does, and decides whether it gets there.
///
/// ```
/// use staffetta_protocol::bot::{Answer, Message, Middleware, Next};
///
/// /// Only people whose devices were verified by words are heard.
/// struct VerifiedOnly;
///
/// impl Middleware for VerifiedOnly {
///     fn handle(&self, message: Message, next: Next) -> Answer {
///         Box::pin(async move { if message.verified { next.run(message).await } else { Ok(()) } })
///     }
/// }
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// Passes the message on with [`Next::run`], or not. `Ok` without having done so means that the
    /// message is done with; an error means that it is tried again.
    fn handle(&self, message: Message, next: Next) -> Answer;
}

/// The rest of a message's way.
pub struct Next {
    pub(super) rest: Vec<Arc<dyn Middleware>>,
    pub(super) last: Arc<dyn Fn(Message) -> Answer + Send + Sync>,
}

impl Next {
    /// Passes the message on.
    pub fn run(mut self, message: Message) -> Answer {
        match self.rest.pop() {
            Some(middleware) => middleware.handle(message, self),
            None => (self.last)(message),
        }
    }
}

/// Hears each sender at most so often; what is beyond is dropped and counted in the log.
pub struct RateLimit {
    messages: u32,
    period_ms: u64,
    clock: Clock,
    /// When each sender's period began, in milliseconds, and how many came in it.
    senders: Mutex<HashMap<String, (u64, u32)>>,
}

impl RateLimit {
    /// At most `messages` of each sender in each `period`.
    pub fn per_sender(messages: u32, period: Duration) -> Self {
        let period_ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        Self { messages, period_ms, clock: Clock::start(), senders: Mutex::default() }
    }

    /// Whether one more message of `sender` is heard at `now`, in milliseconds.
    fn admits(&self, sender: &str, now: u64) -> bool {
        // Nothing that holds this lock can leave the table half changed.
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() >= MAX_SENDERS && !senders.contains_key(sender) {
            let oldest = senders.iter().min_by_key(|(_, (since, _))| *since);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                senders.remove(&oldest);
            }
        }
        let (since, count) = senders.entry(sender.to_owned()).or_insert((now, 0));
        if now.saturating_sub(*since) >= self.period_ms {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= self.messages
    }
}

impl Middleware for RateLimit {
    fn handle(&self, message: Message, next: Next) -> Answer {
        // A retry of the same message would count twice; the handler's failures are rare.
        if self.admits(&message.from, self.clock.now().mono_ms) {
            return next.run(message);
        }
        tracing::warn!("a sender writes more often than the bot answers; a message was dropped");
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Logs that messages were handled and how long it took: never who wrote, where or what.
pub struct Log;

impl Middleware for Log {
    fn handle(&self, message: Message, next: Next) -> Answer {
        let clock = Clock::start();
        let handled = next.run(message);
        Box::pin(async move {
            let result = handled.await;
            let ms = clock.now().mono_ms;
            match &result {
                Ok(()) => tracing::info!(ms, "a message was handled"),
                Err(_) => tracing::info!(ms, "a message's handler failed"),
            }
            result
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_each_senders_own_and_starts_anew_with_each_period() {
        let limit = RateLimit::per_sender(2, Duration::from_secs(1));
        let now = 7;
        assert!(limit.admits("Lea", now) && limit.admits("Lea", now));
        assert!(!limit.admits("Lea", now) && limit.admits("Karim", now));
        assert!(limit.admits("Lea", now + 1_000));
    }

    #[test]
    fn the_senders_remembered_are_bounded() {
        let limit = RateLimit::per_sender(1, Duration::from_secs(1));
        for n in 0..MAX_SENDERS * 2 {
            assert!(limit.admits(&n.to_string(), 7));
        }
        assert_eq!(limit.senders.lock().unwrap().len(), MAX_SENDERS);
    }
}
