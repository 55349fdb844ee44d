//! One frame at a time.

use super::world::World;
use crate::member::agent::core::{Core, Out};

impl World {
    /// Takes the next frame that a device wants out, and gives it the answer.
    pub(super) fn answer_one(&mut self, at: usize) {
        while let Some(out) = self.devices[at].engine.poll() {
            if let Out::Send(frame) = out {
                let reply = self.relay.answer(frame).unwrap();
                return self.devices[at].engine.frame(self.now, reply);
            }
        }
    }
}
