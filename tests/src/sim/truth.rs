//! What must be true of a team, whatever happens: who was in which epoch, what was said, what each
//! device has opened.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::Value;
use staffetta_protocol::member::store::RoomRow;
use staffetta_protocol::wire::ids::{DeviceId, Digest, RoomId, Seq};

use super::device::Epoch;

/// What is known, from what devices told and from what is on their disks.
#[derive(Clone, Default)]
pub struct Truth {
    epochs: BTreeMap<(RoomId, u64), Epoch>,
    /// The epoch that a device is in.
    latest: BTreeMap<(usize, RoomId), u64>,
    /// The leaves that a device has had the keys of.
    held: BTreeSet<(DeviceId, RoomId, Digest)>,
    said: BTreeMap<String, Said>,
    /// The place of each message, and the room it was shown in.
    placed: BTreeMap<String, (RoomId, Seq)>,
    /// What each device has opened.
    opened: BTreeMap<usize, BTreeSet<String>>,
    /// Alarms by device, in the order in which they came.
    pub alarms: Vec<(usize, String)>,
}

/// A message that somebody wrote.
#[derive(Clone)]
struct Said {
    by: DeviceId,
    room: RoomId,
    text: String,
    /// The epoch its author was in when it was written.
    epoch: u64,
}

/// What a check found, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Epochs in which all agreed.
    pub epochs: usize,
    /// Messages with a place.
    pub placed: usize,
    /// Messages opened, counted by device.
    pub opened: usize,
    /// Messages whose author left the room before they had a place.
    pub void: usize,
    /// Messages that a device could not open because two adders had drawn one KeyPackage and it
    /// had not been let in again yet, counted by device.
    pub drawn: usize,
}

fn text_of<'a>(event: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    event[field].as_str().with_context(|| format!("{field} of {event}"))
}

impl Truth {
    /// Somebody wrote something.
    pub fn said(&mut self, id: &str, by: DeviceId, room: RoomId, text: &str, epoch: u64) {
        self.said.insert(id.to_owned(), Said { by, room, text: text.to_owned(), epoch });
    }

    /// Somebody's screen was told something.
    pub fn event(&mut self, at: usize, event: &Value) -> anyhow::Result<()> {
        match event["type"].as_str() {
            Some("message") => self.message(at, event),
            Some("alarm") => {
                self.alarms.push((at, text_of(event, "text")?.to_owned()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// **Nothing wrong is shown as right; one order for all; nothing twice.**
    fn message(&mut self, at: usize, event: &Value) -> anyhow::Result<()> {
        let id = text_of(event, "id")?;
        let said = self.said.get(id).context("shown a message that nobody wrote")?;
        ensure!(text_of(event, "text")? == said.text, "shown with another text");
        ensure!(text_of(event, "device")? == said.by.to_hex(), "shown with another author");
        ensure!(text_of(event, "room_id")? == said.room.to_hex(), "shown in another room");
        let seq = event["seq"].as_u64().context("shown without a place")?;
        let place = *self.placed.entry(id.to_owned()).or_insert((said.room, seq));
        ensure!(place.1 == seq, "two devices have \"{}\" at {} and {seq}", said.text, place.1);
        let new = self.opened.entry(at).or_default().insert(id.to_owned());
        ensure!(new, "\"{}\" was shown twice", said.text);
        Ok(())
    }

    /// Whether a device has moved to another epoch of a room.
    pub fn is_news(&self, at: usize, row: &RoomRow) -> bool {
        self.latest.get(&(at, row.id)) != Some(&row.epoch)
    }

    /// A device has moved to another epoch of a room. **All that are ever in it agree on its
    /// place, its authenticator and its members.**
    pub fn entered(
        &mut self,
        at: usize,
        device: Option<DeviceId>,
        row: &RoomRow,
        epoch: Epoch,
    ) -> anyhow::Result<()> {
        self.latest.insert((at, row.id), row.epoch);
        if let Some((device, leaf)) = device.and_then(|id| epoch.members.get_key_value(&id)) {
            self.held.insert((*device, row.id, *leaf));
        }
        let known = self.epochs.entry((row.id, row.epoch)).or_insert_with(|| epoch.clone());
        ensure!(
            *known == epoch,
            "epoch {} of {}: opened at {} and {}, {} and {} devices, authenticators equal: {}",
            row.epoch,
            row.name,
            known.opened,
            epoch.opened,
            known.members.len(),
            epoch.members.len(),
            known.authenticator == epoch.authenticator
        );
        Ok(())
    }

    /// A device is no longer in a room.
    pub fn left(&mut self, at: usize, room: &RoomId) {
        self.latest.remove(&(at, *room));
    }

    /// The epoch of a room that a device is in.
    pub fn latest(&self, at: usize, room: &RoomId) -> Option<u64> {
        self.latest.get(&(at, *room)).copied()
    }

    /// What a device wrote that has no place.
    pub fn unplaced(&self, by: &DeviceId) -> Vec<&str> {
        let mine =
            self.said.iter().filter(|(id, said)| said.by == *by && !self.placed.contains_key(*id));
        mine.map(|(_, said)| said.text.as_str()).collect()
    }

    /// All rooms that somebody was in, and the newest epoch of each.
    pub fn rooms(&self) -> BTreeMap<RoomId, (u64, &Epoch)> {
        self.epochs.iter().map(|((room, number), epoch)| (*room, (*number, epoch))).collect()
    }

    /// The epoch in which a place stands; `None` if some epoch around it was passed by everybody
    /// between two looks.
    fn epoch_at(&self, room: &RoomId, seq: Seq) -> Option<&Epoch> {
        let of_room = || self.epochs.range((*room, 0)..=(*room, u64::MAX));
        let ((_, number), epoch) = of_room().rev().find(|(_, epoch)| epoch.opened < seq)?;
        let next = of_room().find(|((_, later), _)| later > number);
        next.is_none_or(|((_, next), _)| *next == number + 1).then_some(epoch)
    }

    /// Whether a device's leaf in an epoch is one that it never had the keys of, because they were
    /// used up in another room: the KeyPackage had been drawn by two adders.
    fn is_drawn(&self, room: &RoomId, device: DeviceId, leaf: Digest) -> bool {
        let elsewhere = |((other, _), epoch): (&(RoomId, u64), &Epoch)| {
            other != room && epoch.members.get(&device) == Some(&leaf)
        };
        !self.held.contains(&(device, *room, leaf)) && self.epochs.iter().any(elsewhere)
    }

    fn who_opened(&self, id: &str) -> Vec<usize> {
        self.opened.iter().filter(|(_, all)| all.contains(id)).map(|(at, _)| *at).collect()
    }

    /// **Nobody outside ever opened a cell, and nobody inside missed one.** `devices` are the
    /// devices' ids in their order; those `gone` need not have read to the end.
    pub fn judge(&self, devices: &[(Option<DeviceId>, bool)]) -> anyhow::Result<Found> {
        let mut found =
            Found { epochs: self.epochs.len(), placed: self.placed.len(), ..Found::default() };
        for (id, (room, seq)) in &self.placed {
            let text = self.said.get(id).map_or("", |said| &said.text);
            let Some(epoch) = self.epoch_at(room, *seq) else { continue };
            for (at, (device, gone)) in devices.iter().enumerate() {
                let Some(device) = device else { continue };
                let leaf = epoch.members.get(device);
                let inside = leaf.is_some();
                let opened = self.opened.get(&at).is_some_and(|all| all.contains(id));
                ensure!(inside || !opened, "device {at} opened \"{text}\" from outside");
                if !opened && leaf.is_some_and(|leaf| self.is_drawn(room, *device, *leaf)) {
                    found.drawn += 1;
                    continue;
                }
                ensure!(
                    opened || !inside || *gone,
                    "device {at} never opened \"{text}\" at {seq}, in the epoch of {}; {:?} did",
                    epoch.opened,
                    self.who_opened(id)
                );
                found.opened += usize::from(opened);
            }
        }
        for (id, said) in self.said.iter().filter(|(id, _)| !self.placed.contains_key(*id)) {
            let gone = devices.iter().any(|(device, gone)| *device == Some(said.by) && *gone);
            let stayed = self
                .epochs
                .range((said.room, said.epoch)..=(said.room, u64::MAX))
                .all(|(_, epoch)| epoch.members.contains_key(&said.by));
            ensure!(gone || !stayed, "\"{}\" ({id}) was lost", said.text);
            found.void += 1;
        }
        Ok(found)
    }
}
