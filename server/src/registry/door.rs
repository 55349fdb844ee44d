//! What rows and invites have in common: tokens that were used, connections that are open, and the
//! means to cut them.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use staffetta_protocol::gate::{MAX_SKEW_S, Nonce};
use tokio::sync::Notify;

/// Tokens of one row that are remembered. A row that used more within the time a token is good for
/// is refused: this is its budget of handshakes too.
pub(crate) const MAX_NONCES: usize = 2_048;

/// Connections of one row between the gate and HELLO; at the limit the oldest of them yields. They
/// cannot push out one that proved itself.
pub(crate) const MAX_ENTERING: usize = 8;

/// Counts connections from 1; says nothing about whose they are.
pub(crate) type Ordinal = u64;

/// Why a connection must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A newer connection of the same row takes its place.
    Yields,
    /// The row or invite is gone.
    Revoked,
}

/// Tells one connection that it must end.
#[derive(Default)]
struct Signal {
    cut: AtomicU8,
    told: Notify,
}

const YIELDS: u8 = 1;
const REVOKED: u8 = 2;

impl Signal {
    fn give(&self, cut: Cut) {
        let cut = match cut {
            Cut::Yields => YIELDS,
            Cut::Revoked => REVOKED,
        };
        self.cut.fetch_max(cut, Ordering::AcqRel);
        self.told.notify_one();
    }

    fn get(&self) -> Option<Cut> {
        match self.cut.load(Ordering::Acquire) {
            YIELDS => Some(Cut::Yields),
            REVOKED => Some(Cut::Revoked),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Inside {
    entering: VecDeque<(Ordinal, Arc<Signal>)>,
    open: VecDeque<(Ordinal, Arc<Signal>)>,
    is_shut: bool,
}

#[derive(Default)]
struct Nonces {
    known: HashSet<Nonce>,
    /// With the unix second after which the token is stale in any case.
    order: VecDeque<(u64, Nonce)>,
}

/// The door of one row or invite.
#[derive(Default)]
pub(crate) struct Door {
    nonces: Mutex<Nonces>,
    inside: Mutex<Inside>,
}

impl Door {
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

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes in, to prove itself.
    pub(crate) fn enter(self: &Arc<Self>, ordinal: Ordinal) -> Pass {
        let signal = Arc::new(Signal::default());
        let mut inside = self.inside();
        if inside.is_shut {
            signal.give(Cut::Revoked);
        }
        push(&mut inside.entering, MAX_ENTERING, ordinal, &signal);
        Pass { door: self.clone(), signal, ordinal }
    }

    /// How many are inside.
    pub(crate) fn open_count(&self) -> usize {
        self.inside().open.len()
    }

    /// Cuts everybody, for good.
    pub(crate) fn shut(&self) {
        let mut inside = self.inside();
        inside.is_shut = true;
        let Inside { entering, open, .. } = &*inside;
        entering.iter().chain(open).for_each(|(_, signal)| signal.give(Cut::Revoked));
    }
}

/// Adds a connection; at `max` the oldest yields.
fn push(
    to: &mut VecDeque<(Ordinal, Arc<Signal>)>,
    max: usize,
    ordinal: Ordinal,
    signal: &Arc<Signal>,
) {
    while to.len() >= max {
        let Some((_, oldest)) = to.pop_front() else { break };
        oldest.give(Cut::Yields);
    }
    to.push_back((ordinal, signal.clone()));
}

/// The right of one connection to be there.
pub(crate) struct Pass {
    door: Arc<Door>,
    signal: Arc<Signal>,
    ordinal: Ordinal,
}

impl Pass {
    /// Returns when the connection must end.
    pub(crate) async fn cut(&self) -> Cut {
        loop {
            if let Some(cut) = self.signal.get() {
                return cut;
            }
            self.signal.told.notified().await;
        }
    }

    /// Returns when the row or invite is gone.
    pub(crate) async fn revoked(&self) {
        while self.signal.get() != Some(Cut::Revoked) {
            self.signal.told.notified().await;
        }
    }

    /// It proved itself; at `max` such connections the oldest yields.
    pub(crate) fn settle(&self, max: usize) {
        let mut inside = self.door.inside();
        inside.entering.retain(|(ordinal, _)| *ordinal != self.ordinal);
        push(&mut inside.open, max, self.ordinal, &self.signal);
    }

    /// The connection's number.
    pub(crate) fn ordinal(&self) -> Ordinal {
        self.ordinal
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.door.inside();
        inside.entering.retain(|(ordinal, _)| *ordinal != self.ordinal);
        inside.open.retain(|(ordinal, _)| *ordinal != self.ordinal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_once_and_memory_is_bounded() {
        let door = Door::default();
        assert!(door.is_fresh(Nonce([1; 16]), 1_000, 1_000));
        assert!(!door.is_fresh(Nonce([1; 16]), 1_000, 1_000 + MAX_SKEW_S));
        for n in 1..MAX_NONCES as u128 {
            assert!(door.is_fresh(Nonce((n << 64).to_be_bytes()), 1_000, 1_000));
        }
        assert!(!door.is_fresh(Nonce([2; 16]), 1_000, 1_000));
        // Once the tokens are stale by their time, they need not be remembered.
        assert!(door.is_fresh(Nonce([2; 16]), 1_700, 1_001 + MAX_SKEW_S));
    }

    fn is_cut(pass: &Pass) -> Option<Cut> {
        pass.signal.get()
    }

    #[test]
    fn the_oldest_connection_of_a_device_yields() {
        let door = Arc::new(Door::default());
        let passes: Vec<_> = (1..=3).map(|ordinal| door.enter(ordinal)).collect();
        passes.iter().for_each(|pass| pass.settle(2));
        let cuts: Vec<_> = passes.iter().map(is_cut).collect();
        assert_eq!(cuts, [Some(Cut::Yields), None, None]);
        drop(passes);
        assert!(door.inside().open.is_empty());
    }

    #[test]
    fn who_did_not_prove_itself_pushes_out_nobody_who_did() {
        let door = Arc::new(Door::default());
        let proven = door.enter(1);
        proven.settle(1);
        let entering: Vec<_> = (2..100).map(|ordinal| door.enter(ordinal)).collect();
        assert_eq!(is_cut(&proven), None);
        assert_eq!(entering.iter().filter(|p| is_cut(p).is_none()).count(), MAX_ENTERING);
    }

    #[tokio::test]
    async fn revoking_cuts_all_connections_and_those_on_their_way_in() {
        let door = Arc::new(Door::default());
        let (proven, entering) = (door.enter(1), door.enter(2));
        proven.settle(1);
        door.shut();
        let late = door.enter(3);
        for pass in [&proven, &entering, &late] {
            assert_eq!(pass.cut().await, Cut::Revoked);
        }
    }
}
