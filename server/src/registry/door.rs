//! What rows and invites have in common: tokens that were used, connections that are open, and the
//! means to cut them.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use staffetta_protocol::gate::{MAX_SKEW_S, Nonce};
use tokio::sync::watch;

/// Tokens of one row that are remembered. A row that used more within the time a token is good for
/// is refused: this is its budget of handshakes too.
pub(crate) const MAX_NONCES: usize = 2_048;

/// Counts connections from 1; says nothing about whose they are.
pub(crate) type Ordinal = u64;

#[derive(Default)]
struct Nonces {
    known: HashSet<Nonce>,
    /// With the unix second after which the token is stale in any case.
    order: VecDeque<(u64, Nonce)>,
}

/// The door of one row or invite.
pub(crate) struct Door {
    nonces: Mutex<Nonces>,
    open: Mutex<VecDeque<Ordinal>>,
    /// Connections up to this one must end.
    cut: watch::Sender<Ordinal>,
}

impl Door {
    /// A door through which nobody went.
    pub(crate) fn new() -> Self {
        Self { nonces: Mutex::default(), open: Mutex::default(), cut: watch::channel(0).0 }
    }

    /// Whether this token, whose MAC is right, was not used before; remembers it.
    pub(crate) fn is_fresh(&self, nonce: Nonce, time: u64, now: u64) -> bool {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        // Tokens come in any order of their times, so a stale one may wait behind a later one.
        while nonces.order.front().is_some_and(|(until, _)| *until < now) {
            if let Some((_, gone)) = nonces.order.pop_front() {
                nonces.known.remove(&gone);
            }
        }
        if nonces.order.len() >= MAX_NONCES || !nonces.known.insert(nonce) {
            return false;
        }
        nonces.order.push_back((time.saturating_add(MAX_SKEW_S), nonce));
        true
    }

    /// Goes in; at `max` connections the oldest is cut.
    pub(crate) fn enter(self: &Arc<Self>, ordinal: Ordinal, max: usize) -> Pass {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while open.len() >= max {
            let Some(oldest) = open.pop_front() else { break };
            self.cut.send_if_modified(|cut| {
                let more = oldest > *cut;
                *cut = oldest.max(*cut);
                more
            });
        }
        open.push_back(ordinal);
        Pass { door: self.clone(), cut: self.cut.subscribe(), ordinal }
    }

    /// Cuts everybody, for good.
    pub(crate) fn shut(&self) {
        self.cut.send_replace(Ordinal::MAX);
    }
}

/// The right of one connection to be there.
pub(crate) struct Pass {
    door: Arc<Door>,
    cut: watch::Receiver<Ordinal>,
    ordinal: Ordinal,
}

impl Pass {
    /// Returns when the connection must end at once.
    pub(crate) async fn cut(&mut self) {
        let ordinal = self.ordinal;
        // An error means that the door is gone, which is the same.
        let _ = self.cut.wait_for(|cut| *cut >= ordinal).await;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut open = self.door.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|ordinal| *ordinal != self.ordinal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_once_and_memory_is_bounded() {
        let door = Door::new();
        assert!(door.is_fresh(Nonce([1; 16]), 1_000, 1_000));
        assert!(!door.is_fresh(Nonce([1; 16]), 1_000, 1_000 + MAX_SKEW_S));
        for n in 1..MAX_NONCES as u128 {
            assert!(door.is_fresh(Nonce((n << 64).to_be_bytes()), 1_000, 1_000));
        }
        assert!(!door.is_fresh(Nonce([2; 16]), 1_000, 1_000));
        // Once the tokens are stale by their time, they need not be remembered.
        assert!(door.is_fresh(Nonce([2; 16]), 1_700, 1_001 + MAX_SKEW_S));
    }

    #[tokio::test]
    async fn the_oldest_connection_of_a_device_yields() {
        let door = Arc::new(Door::new());
        let mut first = door.enter(1, 2);
        let mut second = door.enter(2, 2);
        let _third = door.enter(3, 2);
        first.cut().await;
        let waiting = tokio::time::timeout(std::time::Duration::ZERO, second.cut());
        assert!(waiting.await.is_err());
        door.shut();
        second.cut().await;
    }
}
