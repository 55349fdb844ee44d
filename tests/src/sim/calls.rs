//! Calls of the local API, as a person's program makes them.

use anyhow::bail;
use serde_json::Value;
use staffetta_protocol::member::agent::core::{ApiError, Core as _};

use super::world::World;

impl World {
    /// Begins a call; answered now or later.
    pub fn begin(&mut self, at: usize, method: &str, params: Value) -> anyhow::Result<u64> {
        self.calls += 1;
        let id = self.calls;
        self.drive(at, |engine, now| engine.call(now, id, method, params))?;
        Ok(id)
    }

    /// Takes a call's answer.
    pub fn answer(&mut self, at: usize, call: u64) -> Option<Result<Value, ApiError>> {
        self.devices[at].answers.remove(&call)
    }

    /// Makes a call in calm weather and runs the world until it is answered.
    pub fn ok(&mut self, at: usize, method: &str, params: Value) -> anyhow::Result<Value> {
        const LONGEST_MS: u64 = 120_000;
        let call = self.begin(at, method, params)?;
        let answered = |world: &mut Self| world.devices[at].answers.contains_key(&call);
        self.until(method, LONGEST_MS, answered)?;
        match self.answer(at, call) {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => bail!("{}: {method}: {}", self.devices[at].name, error.message),
            None => bail!("{method} was never answered"),
        }
    }
}
