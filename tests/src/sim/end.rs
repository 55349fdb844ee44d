//! How a day ends: everybody comes back, and everything is compared.

use anyhow::{Context, ensure};
use serde_json::json;

use super::story::Story;
use super::truth::Found;
use super::world::CALM;

/// What a day came to.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// What was checked.
    pub found: Found,
    /// Steps of engines, each a transaction.
    pub steps: u64,
    /// Processes that died.
    pub crashes: u64,
    /// Connections that broke.
    pub cuts: u64,
    /// How often a relay or a member broke the rules, all of it noticed or without effect.
    pub hostile: u64,
    /// How many of these were commits that nobody allows.
    pub usurped: u64,
    /// PUTs of which only some cells arrived.
    pub partly: u64,
    /// Devices that were revoked and replaced.
    pub revoked: u64,
    /// Cells in the log.
    pub cells: u64,
    /// Milliseconds that passed in the world.
    pub virtual_ms: u64,
}

impl Story {
    /// Everybody comes back; then nobody disagrees about anything.
    pub fn settle(&mut self) -> anyhow::Result<Day> {
        self.world.weather = CALM;
        self.world.relay.full = false;
        for at in 0..self.world.devices.len() {
            self.call_back(at);
        }
        self.world.pass(150_000)?;
        let rooms: Vec<_> = self.world.truth.rooms().into_iter().collect();
        for (room, (newest, epoch)) in rooms {
            for (at, device) in self.world.devices.iter().enumerate().filter(|(_, d)| !d.gone) {
                let Some(id) = device.id else { continue };
                let (own, inside) =
                    (self.world.truth.latest(at, &room), epoch.members.contains_key(&id));
                let expected = inside.then_some(newest);
                ensure!(own == expected, "{}: in epoch {own:?}, not {expected:?}", device.name);
            }
        }
        for at in 0..self.world.devices.len() {
            if !self.world.devices[at].gone {
                self.check(at)?;
            }
        }
        let devices: Vec<_> = self.world.devices.iter().map(|d| (d.id, d.gone)).collect();
        Ok(Day {
            found: self.world.truth.judge(&devices)?,
            steps: self.world.steps,
            crashes: self.world.crashes,
            cuts: self.world.cuts,
            hostile: self.world.broken.count,
            usurped: self.world.broken.usurped,
            partly: self.world.partly,
            revoked: self.revoked,
            cells: self.world.relay.head(),
            virtual_ms: self.world.now.mono_ms,
        })
    }

    /// A device has nothing left to send, sees no fault of the relay's, and shows what it opened.
    fn check(&mut self, at: usize) -> anyhow::Result<()> {
        const FAULTS: [&str; 6] =
            ["relay", "stands still", "another past", "another list", "altered", "could not"];
        let status = self.world.ok(at, "status", json!({}))?;
        let name = self.world.devices[at].name.clone();
        let id = self.world.devices[at].id.context("a device's id")?;
        let waiting = self.world.truth.unplaced(&id);
        ensure!(status["queued"] == 0, "{name}: {} are queued: {waiting:?}", status["queued"]);
        let alarms = status["alarms"].as_array().context("alarms")?;
        let alarms: Vec<&str> = alarms.iter().filter_map(|alarm| alarm.as_str()).collect();
        let caught = |text: &str| self.world.broken.caught.contains(&(at, text.to_owned()));
        let fault = alarms
            .iter()
            .find(|text| FAULTS.iter().any(|fault| text.contains(fault)) && !caught(text));
        ensure!(fault.is_none(), "{name}: {fault:?}");
        // What the relay was caught at is not forgotten when a process dies.
        let mut known = self.world.broken.caught.iter().filter(|(whose, _)| *whose == at);
        let lost = known.find(|(_, text)| !alarms.contains(&text.as_str()));
        ensure!(lost.is_none(), "{name} has forgotten: {lost:?}");
        Ok(())
    }
}
