//! Keeps one connection to the relay: tries the addresses in order, waits longer after each
//! failure, and tells what happens in order.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::address::{Address, Proxy};
use super::clock::Clock;
use super::connection::{Connection, Ended, Outbox, Role};
use super::core::Down;
use crate::noise::keys::StaticPublic;
use crate::random::{Random, bytes};
use crate::wire::frame::ToDevice;
use crate::wire::limits::MAX_ADDRESSES;

/// The shortest wait after a failure, also when somebody is waiting.
const BACK_OFF_LEAST: Duration = Duration::from_millis(100);
/// The longest wait, and the wait after a refusal.
const BACK_OFF_LAST: Duration = Duration::from_secs(5);

/// A connection that held so long was none that the relay only opened to have it given up.
const STEADY: Duration = Duration::from_secs(30);

/// Whom to call.
pub(super) struct Target {
    pub(super) addresses: Vec<String>,
    pub(super) role: Role,
}

/// Who knows whom to call.
pub(super) trait Dialer: Send {
    /// Asked before every attempt; `Ok(None)` while there is nobody to call.
    fn dial(&mut self) -> impl Future<Output = Result<Option<Arc<Target>>, Gone>> + Send;
}

/// Nobody wants a link any more.
pub(super) struct Gone;

/// What the link tells, in the order in which it happened.
pub(super) enum LinkEvent {
    /// A connection is open, over this address. Frames for it go into `outbox`.
    Up { address: String, relay: Option<StaticPublic>, welcome: ToDevice, outbox: Outbox },
    /// The relay sent a frame.
    Frame(ToDevice),
    /// The connection is gone, or an attempt failed.
    Down(Down),
}

/// What others tell the link.
#[derive(Default)]
pub(super) struct Control {
    /// Somebody is waiting: try again at once.
    pub(super) poke: Notify,
    /// Give up this connection and open another one.
    pub(super) redial: Notify,
}

/// A link to be.
pub(super) struct Link<D, T> {
    pub(super) clock: Clock,
    pub(super) proxy: Option<Proxy>,
    pub(super) dialer: D,
    pub(super) control: Arc<Control>,
    /// Bounded: a full channel stops the reading of the socket.
    pub(super) events: mpsc::Sender<T>,
}

impl<D: Dialer, T: From<LinkEvent> + Send> Link<D, T> {
    /// Keeps the link until nobody takes its events.
    pub(super) async fn keep(mut self, mut random: impl Random + Send) {
        let mut failures = 0;
        // Connections that this device gave up one after the other: a relay that leaves out
        // messages would otherwise be called as fast as it answers.
        let mut given_up = 0;
        let mut last_good: Option<String> = None;
        loop {
            // Whatever was asked before is answered by the attempt that starts now.
            let _stale = self.control.redial.notified().now_or_never();
            let target = tokio::select! {
                target = self.dialer.dial() => target,
                () = self.events.closed() => return,
            };
            let Ok(target) = target else { return };
            let Some(target) = target else {
                tokio::select! {
                    () = self.control.redial.notified() => {}
                    () = self.control.poke.notified() => {}
                    () = self.events.closed() => return,
                }
                continue;
            };
            let attempt = tokio::select! {
                attempt = self.attempt(&target, last_good.as_deref()) => attempt,
                () = self.control.redial.notified() => continue,
                () = self.events.closed() => return,
            };
            // The session has its own keys now.
            drop(target);
            let why = match attempt {
                Ok((address, connection, welcome)) => {
                    failures = 0;
                    last_good = Some(address.clone());
                    let opened = Instant::now();
                    let ended = self.carry(address, connection, welcome).await;
                    if opened.elapsed() >= STEADY {
                        given_up = 0;
                    }
                    match ended {
                        Some(Ended::Lost) => Down::Lost,
                        Some(Ended::Redialled) => {
                            // The core knows what it led to, and which is to be tried first.
                            last_good = None;
                            Down::Redialled
                        }
                        None => return,
                    }
                }
                Err(why) => why,
            };
            debug!(?why, "link down");
            if self.events.send(LinkEvent::Down(why).into()).await.is_err() {
                return;
            }
            if why == Down::Redialled {
                given_up += 1_u32;
                if given_up > 1 {
                    self.wait(back_off(given_up - 2, &mut random)).await;
                }
                continue;
            }
            let wait = match why {
                Down::Refused | Down::NoVersion => BACK_OFF_LAST,
                _ => back_off(failures, &mut random),
            };
            failures = failures.saturating_add(1);
            self.wait(wait).await;
        }
    }

    /// Tries all addresses, the one that worked last first.
    async fn attempt(
        &self,
        target: &Target,
        last_good: Option<&str>,
    ) -> Result<(String, Connection, ToDevice), Down> {
        let mut addresses: Vec<&String> = target.addresses.iter().take(MAX_ADDRESSES).collect();
        addresses.sort_by_key(|address| last_good != Some(address.as_str()));
        let mut why = Down::Unreachable;
        for text in addresses {
            let Some(address) = Address::parse(text) else { continue };
            let proxy = self.proxy.as_ref();
            match Connection::open(self.clock, &address, proxy, &target.role).await {
                Ok((connection, welcome)) => return Ok((text.clone(), connection, welcome)),
                // A refusal says more than silence at another address.
                Err(Down::Unreachable) => {}
                Err(said) => why = said,
            }
        }
        Err(why)
    }

    /// Carries frames until the connection ends; `None` if nobody takes them.
    async fn carry(
        &self,
        address: String,
        connection: Connection,
        welcome: ToDevice,
    ) -> Option<Ended> {
        let (outbox, outgoing) = Outbox::new();
        let up = LinkEvent::Up { address, relay: connection.relay, welcome, outbox };
        self.events.send(up.into()).await.ok()?;
        debug!("link up");
        let wrap = |frame| LinkEvent::Frame(frame).into();
        Some(connection.run(outgoing, &self.control.redial, &self.events, wrap).await)
    }

    async fn wait(&self, wait: Duration) {
        let start = Instant::now();
        tokio::select! {
            () = sleep_until(start + wait) => {}
            () = self.control.redial.notified() => {}
            () = self.events.closed() => {}
            // Local calls could otherwise drive the attempts as fast as they come.
            () = self.control.poke.notified() => {
                sleep_until(start + wait.min(BACK_OFF_LEAST)).await;
            }
        }
    }
}

/// Half of the doubled wait is fixed, half is chance, so that devices cut off together do not
/// come back together.
fn back_off(failures: u32, random: &mut impl Random) -> Duration {
    let doublings = 2_u32.checked_shl(failures).filter(|n| *n != 0).unwrap_or(u32::MAX);
    let most = BACK_OFF_LEAST.saturating_mul(doublings).min(BACK_OFF_LAST);
    let share = u32::from(u16::from_le_bytes(bytes(random)));
    most / 2 + (most / 2).saturating_mul(share) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn waits_grow_from_a_tenth_of_a_second_to_five_seconds_with_jitter() {
        for failures in 0..80 {
            let wait = back_off(failures, &mut OsRandom);
            let most = Duration::from_millis(200 << failures.min(6)).min(BACK_OFF_LAST);
            assert!(wait >= most / 2 && wait <= most, "{failures}: {wait:?}");
        }
    }
}
