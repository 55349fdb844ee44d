//! The team most stories are about, and how it comes together.

use serde_json::json;

use super::world::World;
use crate::member::agent::core::Core as _;

/// Its devices, in the order in which they join.
pub(super) const LEA: usize = 0;
pub(super) const KARIM: usize = 1;
pub(super) const SOFIA: usize = 2;
pub(super) const PAUL: usize = 3;

impl World {
    /// Lea's team, and the members she lets in.
    pub(super) fn with(members: &[&str]) -> Self {
        let mut world = Self::founded();
        for name in members {
            world.join(LEA, name, "member", true);
        }
        world
    }

    /// A room of `by` with these members.
    pub(super) fn room(&mut self, by: usize, name: &str, members: &[&str]) {
        self.ok(by, "room.create", json!({"name": name}));
        for member in members {
            self.ok(by, "room.add", json!({"room": name, "member": member}));
        }
        self.run();
    }

    /// Lets time go by as devices live it: what there is to read is read at once, and each is woken
    /// when it asked to be.
    pub(super) fn settle(&mut self, ms: u64) {
        self.run();
        let end = self.now.mono_ms + ms;
        while self.now.mono_ms < end {
            self.pass(self.until_due(end - self.now.mono_ms));
        }
    }

    /// Milliseconds until the next device wants to be woken, `longest` at the most.
    pub(super) fn until_due(&self, longest: u64) -> u64 {
        let dues = self.devices.iter().filter_map(|device| device.engine.deadline());
        let waits = dues.map(|due| due.saturating_sub(self.now.mono_ms).max(1));
        waits.min().map_or(longest, |wait| wait.min(longest))
    }
}
