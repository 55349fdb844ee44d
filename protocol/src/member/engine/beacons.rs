//! Beacons: who sends them when, and what a difference means.
//!
//! Two sides of a fork are noise to each other, in a room as in the log. A beacon is what both can
//! read: under the room's check key, signed, hourly, from one of those who agree. Whoever reads one
//! that differs raises the alarm, by name.

use std::collections::BTreeSet;

use super::Cx;
use super::alarms::Alarm;
use super::beacon::Beacon;
use super::checks::check_channel;
use super::evidence::Evidence;
use super::fault::Fault;
use super::outbound::SealedCells;
use crate::cell::chain::Whole;
use crate::member::store::{BeaconClock, EPOCHS_KEPT, EpochRow, OutKind, RoomRow, RoomStatus};
use crate::random::bytes;
use crate::wire::ids::{DeviceId, RoomId, Seq};

/// The kind of a check channel's fragments.
pub(super) const CHECK_BEACON: u8 = 1;

/// Seconds between two beacons of those who agree.
pub(super) const HOUR_S: u64 = 3_600;
/// The longest random wait beyond the hour, in seconds, so that one of many sends it.
const SPREAD_S: u64 = 300;
/// The longest random wait after somebody was let in again, in seconds.
const SOON_S: u64 = 10;
/// The shortest: whoever was let in has the Welcome by then, and hears the word.
const WELCOMED_S: u64 = 2;

impl Cx<'_> {
    fn within(&mut self, seconds: u64) -> u64 {
        u64::from(u32::from_be_bytes(bytes(self.random))) % seconds
    }

    fn set_beacon_clock(&mut self, room: &RoomId, clock: BeaconClock) -> Result<(), Fault> {
        self.tx.put_beacon_clock(room, &clock)?;
        self.memory.beacons.insert(*room, clock);
        Ok(())
    }

    /// The next beacon of a room is due in an hour: this device sends one, or came into the room.
    fn beacon_in_an_hour(&mut self, room: &RoomId) -> Result<(), Fault> {
        let own = self.now.unix_s();
        let due = own + HOUR_S + self.within(SPREAD_S);
        self.set_beacon_clock(room, BeaconClock { due, not_by: None, own })
    }

    /// One that says the same came from somebody else: so is this device's due in an hour.
    fn beacon_put_off(&mut self, room: &RoomId) -> Result<(), Fault> {
        let (now, own) = (self.now.unix_s(), self.own_beacon_at(room));
        let due = now + HOUR_S + self.within(SPREAD_S);
        self.set_beacon_clock(room, BeaconClock { due, not_by: None, own })
    }

    /// The room is in another epoch: what put this device's beacon off said something else.
    fn beacon_of_new_epoch(&mut self, room: &RoomId, clock: BeaconClock) -> Result<(), Fault> {
        let due = self.now.unix_s().max(clock.own + HOUR_S) + self.within(SPREAD_S);
        if due >= clock.due {
            return Ok(());
        }
        self.set_beacon_clock(room, BeaconClock { due, ..clock })
    }

    fn own_beacon_at(&self, room: &RoomId) -> u64 {
        self.memory.beacons.get(room).map_or(self.now.unix_s(), |clock| clock.own)
    }

    /// Somebody was let into the room again by `helper`, and waits for the word of a second.
    pub(super) fn beacon_soon(&mut self, room: &RoomId, helper: DeviceId) -> Result<(), Fault> {
        let due = self.now.unix_s() + WELCOMED_S + self.within(SOON_S - WELCOMED_S);
        let own = self.own_beacon_at(room);
        self.set_beacon_clock(room, BeaconClock { due, not_by: Some(helper), own })
    }

    /// This device is back and waits for a second's word. Who has it speaks first; where all others
    /// wait as well, they speak to each other.
    pub(super) fn beacon_of_returned(
        &mut self,
        room: &RoomId,
        helper: DeviceId,
    ) -> Result<(), Fault> {
        let due = self.now.unix_s() + 3 * SOON_S + self.within(SOON_S);
        let own = self.own_beacon_at(room);
        self.set_beacon_clock(room, BeaconClock { due, not_by: Some(helper), own })
    }

    /// Keeps where the room stands since the commit at `opened`.
    pub(super) fn note_epoch(&mut self, room: &RoomId, opened: Seq) -> Result<(), Fault> {
        let provider = self.provider();
        let Some((group, _, _)) = self.memory.group(&provider, room)? else { return Ok(()) };
        let (epoch, authenticator) = (group.epoch(), group.authenticator()?.0);
        self.tx.put_epoch(room, &EpochRow { epoch, opened, authenticator })?;
        match self.memory.beacons.get(room).copied() {
            Some(clock) => self.beacon_of_new_epoch(room, clock)?,
            None => self.beacon_in_an_hour(room)?,
        }
        // What was said of this epoch before this device came to it.
        for bytes in self.tx.beacons(room, epoch)? {
            if let Some((beacon, _)) = Beacon::read(&bytes) {
                self.compare_epoch(&beacon)?;
            }
        }
        Ok(())
    }

    /// When the next beacon will be due, in unix seconds; one that is due already goes out with
    /// the next step that can send it.
    pub(super) fn beacons_due(&self) -> Option<u64> {
        let now = self.now.unix_s();
        let sends = |row: &&RoomRow| self.sends_beacons(row);
        let rooms = self.memory.rooms.values().filter(sends);
        rooms
            .filter_map(|row| self.memory.beacons.get(&row.id))
            .map(|clock| clock.due)
            .filter(|due| *due > now)
            .min()
    }

    fn sends_beacons(&self, row: &RoomRow) -> bool {
        // Of two that came back through the same helper, each may be the other's second.
        let waits = self.memory.resyncs.get(&row.id).is_none_or(|resync| resync.helper.is_some());
        row.status == RoomStatus::Active && row.members > 0 && waits
    }

    /// Sends the beacons that are due.
    pub(super) fn work_on_beacons(&mut self) -> Result<(), Fault> {
        let now = self.now.unix_s();
        let is_due = |row: &&RoomRow| {
            self.sends_beacons(row)
                && self.memory.beacons.get(&row.id).is_some_and(|clock| clock.due <= now)
        };
        let due: Vec<RoomRow> = self.memory.rooms.values().filter(is_due).cloned().collect();
        for row in due {
            self.beacon_in_an_hour(&row.id)?;
            if self.devices_in(&row.id)?.len() > 1 {
                self.send_beacon(&row)?;
            }
        }
        Ok(())
    }

    fn send_beacon(&mut self, row: &RoomRow) -> Result<(), Fault> {
        let Some(beacon) = self.own_beacon(row)? else { return Ok(()) };
        let message = beacon.sign(&self.memory.keys()?.identity);
        for key in self.beacon_keys(&row.id)? {
            if let Some(cells) = self.seal_beacon(&row.id, key, &message)? {
                self.enqueue(OutKind::Beacon, Some(row.id), row.epoch, Vec::new(), &cells)?;
            }
        }
        Ok(())
    }

    /// Where this device stands in a room; `None` while it reads no log.
    pub(super) fn own_beacon(&mut self, row: &RoomRow) -> Result<Option<Beacon>, Fault> {
        let Some(cursor) = self.memory.cursor else { return Ok(None) };
        let Some(epoch) = self.tx.epoch(&row.id, row.epoch)? else { return Ok(None) };
        let head = self.memory.roster()?.head();
        Ok(Some(Beacon {
            device: self.memory.me()?,
            room: row.id,
            log: cursor.log,
            seq: cursor.seq,
            hash: cursor.hash,
            number: head.number,
            entry: head.hash,
            epoch: row.epoch,
            opened: epoch.opened,
            authenticator: epoch.authenticator,
        }))
    }

    /// A beacon's cells under one of the room's check keys; `None` if that key is not here.
    pub(super) fn seal_beacon(
        &mut self,
        room: &RoomId,
        key: u64,
        message: &[u8],
    ) -> Result<Option<SealedCells>, Fault> {
        self.marked(|memory, random| {
            let channel = check_channel(&memory.channels, room, key);
            channel.map(|channel| channel.seal(random, CHECK_BEACON, message)).transpose()
        })
    }

    /// Somebody else's beacon.
    pub(super) fn beacon(&mut self, room: RoomId, whole: &Whole) -> Result<(), Fault> {
        let read = Beacon::read(&whole.content).filter(|(beacon, _)| beacon.room == room);
        let Some((beacon, signature)) = read else { return Ok(()) };
        let roster = self.memory.roster()?;
        let sender = roster.device(&beacon.device).filter(|device| device.revoked.is_none());
        let signed = sender.is_some_and(|d| beacon.is_signed_by(&d.keys.identity, &signature));
        let stranger = beacon.device == self.memory.me()? || whole.kind != CHECK_BEACON;
        // Who was removed may hold a key of before; what it says of the room is nobody's business.
        if !signed || stranger || !self.devices_in(&room)?.contains(&beacon.device) {
            return Ok(());
        }
        self.note_seen(&beacon.device)?;
        if self.is_of_before(&beacon.log) {
            return Ok(());
        }
        let Some(row) = self.memory.rooms.get(&room).cloned() else { return Ok(()) };
        if beacon.epoch.abs_diff(row.epoch) <= EPOCHS_KEPT {
            self.tx.put_beacon(&room, beacon.epoch, &beacon.device, &whole.content)?;
        }
        let differs = self.compare_log(&beacon, whole.place)?;
        if self.compare_epoch(&beacon)? || differs {
            return Ok(());
        }
        if !self.stood_there(&row, &beacon)? {
            return Ok(());
        }
        self.confirmed_by(&room, &beacon.device)?;
        if self.is_of_now(&row, &beacon)? && self.enough_agree(&row, &beacon)? {
            self.beacon_put_off(&room)?;
        }
        Ok(())
    }

    /// Whether this device has stood where somebody stood. What it knew before it fell out of the
    /// room is forgotten: since it is back, an epoch that another commit has ended meanwhile is as
    /// good a word as the present one.
    fn stood_there(&self, row: &RoomRow, beacon: &Beacon) -> Result<bool, Fault> {
        let own = self.tx.epoch(&row.id, beacon.epoch)?;
        Ok(row.status == RoomStatus::Active
            && self.memory.cursor.is_some_and(|cursor| cursor.log == beacon.log)
            && own.is_some_and(|own| own.authenticator == beacon.authenticator))
    }

    /// The log and the roster, as far as both are known here; true if there is a difference.
    fn compare_log(&mut self, beacon: &Beacon, place: Seq) -> Result<bool, Fault> {
        let who = self.member_name(&beacon.device).unwrap_or_default();
        let Some(cursor) = self.memory.cursor else { return Ok(false) };
        let mut said = Vec::new();
        if beacon.log != cursor.log {
            let text = format!("The relay shows {who} another log than this device.");
            said.push((Alarm::Relay(Evidence::OtherLog), text));
        } else if beacon.seq >= place {
            let text = format!("The relay showed {who} messages that it did not show this device.");
            said.push((Alarm::Relay(Evidence::Fork), text));
        } else if self.has_other_hash(beacon.seq, &super::heads::short(&beacon.hash)) {
            said.push((Alarm::Relay(Evidence::Fork), super::heads::other_past(&who)));
        }
        let head = self.memory.roster()?.head().number;
        let own = self.entry_hash(beacon.number)?;
        if beacon.number > head {
            let text = format!("{who}'s device knows changes of the team that this one does not.");
            said.push((Alarm::OtherTeam, text));
        } else if own.is_some_and(|own| own != beacon.entry) {
            said.push((Alarm::OtherTeam, super::heads::other_roster(&who)));
        }
        for (about, text) in &said {
            self.alarm(*about, text)?;
        }
        Ok(!said.is_empty())
    }

    /// The room, as far as this device knows that epoch; true if there is a difference.
    fn compare_epoch(&mut self, beacon: &Beacon) -> Result<bool, Fault> {
        let room = beacon.room;
        let active = self.memory.rooms.get(&room).filter(|row| row.status == RoomStatus::Active);
        let Some(row) = active.cloned() else { return Ok(false) };
        let differs = match self.tx.epoch(&room, beacon.epoch)? {
            Some(own) if own.authenticator != beacon.authenticator => true,
            Some(own) if own.opened != beacon.opened => true,
            // A later one that it has come to by a place that this device has read, or an earlier
            // one than the log says for that place.
            None if beacon.epoch > row.epoch => true,
            _ => {
                self.tx.epoch_at(&room, beacon.seq)?.is_some_and(|there| there.epoch > beacon.epoch)
            }
        };
        if differs && !self.room_parted(&row, beacon)? {
            let who = self.member_name(&beacon.device).unwrap_or_default();
            let name = self.room_name(&room);
            self.alarm(
                Alarm::OtherRoom,
                &format!("{who}'s device and this one hold different states of room {name}."),
            )?;
            self.misled(&row)?;
        }
        Ok(differs)
    }

    /// Whether a place where this device has stood too is where it stands now.
    fn is_of_now(&self, row: &RoomRow, beacon: &Beacon) -> Result<bool, Fault> {
        let head = self.memory.roster()?.head();
        Ok(beacon.epoch == row.epoch && (beacon.number, beacon.entry) == (head.number, head.hash))
    }

    /// Whether others have said it in this device's place. After somebody came back, or came from
    /// elsewhere, that takes three members: then each has heard one who is not itself nor the one
    /// that let it in.
    fn enough_agree(&mut self, row: &RoomRow, beacon: &Beacon) -> Result<bool, Fault> {
        const THREE: usize = 3;
        let waited_for =
            self.memory.beacons.get(&row.id).is_some_and(|clock| clock.not_by.is_some());
        if !waited_for && !self.has_come_lately() {
            return Ok(true);
        }
        let member = self.memory.roster()?.device(&beacon.device).map(|device| device.member);
        let heard = self.memory.agreed.entry(row.id).or_default();
        if heard.0 != row.epoch {
            *heard = (row.epoch, BTreeSet::new());
        }
        heard.1.extend(member);
        Ok(heard.1.len() >= THREE)
    }
}
