//! Check keys: under which a room's beacons are sealed.
//!
//! A fork of a room is silent, because its two sides have different channels. So the key of beacons
//! is not the epoch's: it is the MLS exporter `check` of the epoch opened by the room's last removing
//! commit, else of its first. **It is never in room state**, which the device just removed can read.

use super::Cx;
use super::fault::Fault;
use super::members::kind_code;
use super::memory::Live;
use crate::member::e2ee::{
    Channel, EpochSecret, MAX_CHECK_SECRETS, MAX_CONTROL_SECRETS, Outcome, RoomKind, WelcomeSecrets,
};
use crate::member::store::{ChannelKind, CheckKeyRow, NewChannel, RoomRow};
use crate::secret::Secret;
use crate::wire::ids::{RoomId, Seq};

/// Seconds for which a check key is kept after another took its place: 14 days.
const KEPT_S: u64 = 14 * 24 * 3_600;
/// Seconds for which beacons are sent under the key of before as well.
const OVERLAP_S: u64 = 24 * 3_600;

impl Cx<'_> {
    /// The present epoch gives the room's check key from here on.
    pub(super) fn renew_check_key(&mut self, room: &RoomId, opened: Seq) -> Result<(), Fault> {
        let provider = self.provider();
        let Some((group, _, _)) = self.memory.group(&provider, room)? else { return Ok(()) };
        let epoch = group.epoch();
        let secret = group.channel_secret(&provider, Channel::Check)?;
        self.insert_check_key(room, epoch, secret, opened)
    }

    /// What a commit that has won means for check keys and beacons.
    pub(super) fn check_outcome(
        &mut self,
        room: &RoomId,
        place: Seq,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        if !outcome.removed.is_empty() {
            self.renew_check_key(room, place)?;
        }
        let helper = outcome.committer;
        match outcome.resynced {
            Some(_) if helper != self.memory.me()? => self.beacon_soon(room, helper),
            _ => Ok(()),
        }
    }

    fn insert_check_key(
        &mut self,
        room: &RoomId,
        epoch: u64,
        secret: Secret<32>,
        opened: Seq,
    ) -> Result<(), Fault> {
        if check_channel(&self.memory.channels, room, epoch).is_some() {
            return Ok(());
        }
        self.tx.put_check_key(room, &CheckKeyRow { epoch, since: self.now.unix_s() })?;
        let (kind, room_id, peer, invite) = (ChannelKind::Check, Some(*room), None, None);
        let new = NewChannel { kind, room: room_id, peer, invite, epoch, secret, opened };
        self.insert_channel(new)?;
        self.trim_check_keys(room)
    }

    /// Takes over the check keys that a Welcome brings; if its commit removes, the epoch it opened
    /// gives a further one.
    pub(super) fn take_check_keys(
        &mut self,
        room: &RoomId,
        brought: Vec<EpochSecret>,
        removes: bool,
        place: Seq,
    ) -> Result<(), Fault> {
        for EpochSecret { epoch, secret } in brought {
            self.insert_check_key(room, epoch, secret, place)?;
        }
        if removes { self.renew_check_key(room, place) } else { Ok(()) }
    }

    /// The epochs of the check keys under which a beacon goes out now: the present one and, for 24
    /// hours, the one before.
    pub(super) fn beacon_keys(&self, room: &RoomId) -> Result<Vec<u64>, Fault> {
        let keys = self.tx.check_keys(room)?;
        let changed = keys.last().map_or(0, |key| key.since);
        let both = self.now.unix_s().saturating_sub(changed) < OVERLAP_S;
        Ok(keys.iter().rev().take(if both { 2 } else { 1 }).map(|key| key.epoch).collect())
    }

    /// Periodically, what no beacon can come under any more is forgotten.
    pub(super) fn trim_checks(&mut self) -> Result<(), Fault> {
        let rooms: Vec<RoomId> = self.memory.rooms.keys().copied().collect();
        rooms.iter().try_for_each(|room| self.trim_check_keys(room))
    }

    /// Forgets the check keys that nobody can use any more, and the oldest beyond the bound.
    fn trim_check_keys(&mut self, room: &RoomId) -> Result<(), Fault> {
        let keys = self.tx.check_keys(room)?;
        let now = self.now.unix_s();
        let surplus = keys.len().saturating_sub(MAX_CHECK_SECRETS);
        let ended = keys.iter().skip(1).map(|next| now.saturating_sub(next.since) >= KEPT_S);
        let over: Vec<u64> = keys
            .iter()
            .zip(ended)
            .enumerate()
            .filter(|(index, (_, ended))| *ended || *index < surplus)
            .map(|(_, (key, _))| key.epoch)
            .collect();
        for epoch in &over {
            self.tx.remove_check_key(room, *epoch)?;
        }
        self.drop_check_channels(room, |epoch| over.contains(&epoch))
    }

    /// Forgets where the room stood: this device is out of it, or it begins anew.
    pub(super) fn forget_checks(&mut self, room: &RoomId) -> Result<(), Fault> {
        self.tx.forget_epochs(room)?;
        self.memory.beacons.remove(room);
        self.drop_check_channels(room, |_| true)
    }

    fn drop_check_channels(
        &mut self,
        room: &RoomId,
        gone: impl Fn(u64) -> bool,
    ) -> Result<(), Fault> {
        let goes = |c: &Live| is_check(c, room) && gone(c.epoch);
        for live in self.memory.channels.iter().filter(|live| goes(live)) {
            self.tx.delete_channel(live.id)?;
        }
        self.memory.channels.retain(|live| !goes(live));
        Ok(())
    }
}

/// The channel of one of the room's check keys.
pub(super) fn check_channel<'a>(
    channels: &'a [Live],
    room: &RoomId,
    epoch: u64,
) -> Option<&'a Live> {
    channels.iter().find(|live| is_check(live, room) && live.epoch == epoch)
}

fn is_check(live: &Live, room: &RoomId) -> bool {
    live.kind == ChannelKind::Check && live.room.as_ref() == Some(room)
}

/// What a Welcome brings its joiners.
pub(super) struct Brought {
    control: Vec<EpochSecret>,
    check: Vec<EpochSecret>,
}

impl Brought {
    pub(super) fn given(&self) -> WelcomeSecrets<'_> {
        WelcomeSecrets { control: &self.control, check: &self.check }
    }
}

impl Cx<'_> {
    /// The check keys, and in the control room the keys of its last epochs, so that the newcomer
    /// reads the roster entries placed since its snapshot.
    pub(super) fn welcome_secrets(&self, row: &RoomRow) -> Result<Brought, Fault> {
        let check = self.secrets_of(ChannelKind::Check, &row.id, MAX_CHECK_SECRETS)?;
        let control = match row.kind == kind_code(RoomKind::Control) {
            true => self.secrets_of(ChannelKind::Control, &row.id, MAX_CONTROL_SECRETS)?,
            false => Vec::new(),
        };
        Ok(Brought { control, check })
    }

    /// The newest channels of a kind, oldest first.
    fn secrets_of(
        &self,
        kind: ChannelKind,
        room: &RoomId,
        most: usize,
    ) -> Result<Vec<EpochSecret>, Fault> {
        let mut channels = self.tx.channels()?;
        channels.retain(|channel| channel.kind == kind && channel.room.as_ref() == Some(room));
        channels.sort_by_key(|channel| channel.epoch);
        let surplus = channels.len().saturating_sub(most);
        let newest = channels.into_iter().skip(surplus);
        Ok(newest.map(|c| EpochSecret { epoch: c.epoch, secret: c.secret }).collect())
    }
}
