//! What one sees of a device.

use serde_json::json;

use super::world::World;
use crate::member::agent::core::{Core, Out};

impl World {
    /// The texts a device has of a room, in order.
    pub(super) fn texts(&mut self, at: usize, room: &str) -> Vec<String> {
        let read = self.ok(at, "read", json!({"room": room, "limit": 10_000}));
        read.as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn alarms(&mut self, at: usize) -> Vec<String> {
        let status = self.ok(at, "status", json!({}));
        serde_json::from_value(status["alarms"].clone()).unwrap()
    }

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
