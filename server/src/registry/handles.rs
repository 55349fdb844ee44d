//! The gate's table: which row or invite a handle stands for, computed ahead per window.

use std::collections::HashMap;

use staffetta_protocol::gate::{HANDLES, Handle, window};
use staffetta_protocol::noise::keys::GateKey;

/// Windows in which a handle may lie when clocks differ by up to ten minutes: the one before, the
/// present one, the next.
const WINDOWS: u64 = 3;

/// Handles of the windows around now.
pub(crate) struct Handles<T> {
    first: u64,
    table: HashMap<Handle, T>,
}

impl<T: Clone> Handles<T> {
    /// An empty table around `now`.
    pub(crate) fn new(now: u64) -> Self {
        Self { first: window(now).saturating_sub(1), table: HashMap::new() }
    }

    /// Whether `now` has left the window in the middle, so that [`Handles::refill`] is due.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        window(now).saturating_sub(1) != self.first
    }

    /// Starts over around `now` with all keys.
    pub(crate) fn refill<'a>(&mut self, now: u64, all: impl Iterator<Item = (&'a GateKey, T)>) {
        *self = Self::new(now);
        for (key, value) in all {
            self.add(key, &value);
        }
    }

    /// Adds a key's handles.
    pub(crate) fn add(&mut self, key: &GateKey, value: &T) {
        for handle in handles(key, self.first) {
            self.table.insert(handle, value.clone());
        }
    }

    /// Removes a key's handles.
    pub(crate) fn remove(&mut self, key: &GateKey) {
        for handle in handles(key, self.first) {
            self.table.remove(&handle);
        }
    }

    /// What a handle stands for.
    pub(crate) fn get(&self, handle: &Handle) -> Option<&T> {
        self.table.get(handle)
    }
}

fn handles(key: &GateKey, first: u64) -> impl Iterator<Item = Handle> {
    (first..first + WINDOWS)
        .flat_map(move |window| (0..HANDLES).map(move |k| key.handle(window, k)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use staffetta_protocol::gate::WINDOW_S;
    use staffetta_protocol::noise::keys::AccessSecret;
    use staffetta_protocol::random::OsRandom;

    #[test]
    fn the_handle_is_looked_up_in_a_table_the_relay_precomputes_per_window() {
        let now = 1_800_000_000;
        let key = AccessSecret::generate(&mut OsRandom).gate_key();
        let mut table = Handles::new(now);
        table.add(&key, &7);
        for at in [now - WINDOW_S, now, now + WINDOW_S] {
            assert_eq!(table.get(&key.handle(window(at), 3)), Some(&7));
        }
        assert_eq!(table.get(&key.handle(window(now) + 2, 3)), None);
        assert!(!table.is_due(now) && table.is_due(now + WINDOW_S));
        table.refill(now + WINDOW_S, std::iter::once((&key, 8)));
        assert_eq!(table.get(&key.handle(window(now) + 2, 3)), Some(&8));
        table.remove(&key);
        assert_eq!(table.get(&key.handle(window(now), 3)), None);
    }
}
