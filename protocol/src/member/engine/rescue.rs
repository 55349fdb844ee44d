//! Letting a device into a room again that fell out of it and asks for it.

use super::Cx;
use super::direct::DIRECT_LEAF;
use super::fault::Fault;
use super::memory::Standings;
use super::resync::{DAY_S, MAX_A_DAY};
use crate::invite_code::Role;
use crate::member::e2ee::{
    Change, CommitError, MAX_PACKAGE, Place, REQUEST_BYTES, Resync, ResyncRequest, check_package_of,
};
use crate::member::store::{HelpRow, Intent, IntentKind, RoomRow, RoomStatus};
use crate::wire::ids::{DeviceId, RoomId, Seq};

impl Cx<'_> {
    /// A device asks to be let into a room again: `request 168 | KeyPackage`. What is wrong with it
    /// is only logged: it came from the log.
    pub(super) fn resync_asked(&mut self, peer: DeviceId, message: &[u8]) -> Result<(), Fault> {
        let Some((request, package)) = message.split_at_checked(REQUEST_BYTES) else {
            return Ok(());
        };
        let Some(read) = ResyncRequest::decode(request).filter(|read| read.device == peer) else {
            return Ok(());
        };
        if package.len() > MAX_PACKAGE || !self.can_help(&read, package)? {
            tracing::debug!("a request for a resync is not answered here");
            return Ok(());
        }
        let (provider, room) = (self.provider(), read.room);
        let group = self.memory.group(&provider, &room)?;
        let leaf = group.and_then(|(group, _, _)| group.leaf_hash(&peer));
        let epoch = self.memory.rooms.get(&room).map_or(0, |row| row.epoch);
        let removals = self.required(&room, epoch)?;
        match leaf {
            Some(leaf) if leaf != read.leaf => self.tell_leaf(&peer, &room),
            Some(_) if !removals.contains(&peer) => {
                let now = self.now.unix_s();
                self.tx.note_resync(&room, &peer, now, now.saturating_sub(DAY_S))?;
                let help = HelpRow { request: request.to_vec(), package: package.to_vec() };
                self.tx.put_help(&room, &peer, &help)?;
                self.intend(room, IntentKind::Resync(peer), self.now.unix_ms)
            }
            _ => Ok(()),
        }
    }

    /// The cheap checks first.
    fn can_help(&mut self, request: &ResyncRequest, package: &[u8]) -> Result<bool, Fault> {
        let row = self.memory.rooms.get(&request.room);
        let goes_on = row.is_some_and(|row| row.status == RoomStatus::Active);
        let roster = self.memory.roster()?;
        let me = self.memory.me()?;
        let sender = roster.device(&request.device).filter(|d| d.revoked.is_none());
        let signed = sender.is_some_and(|d| request.is_signed_by(&d.keys.identity));
        if !goes_on || !signed || !request.names(package) || roster.role_of(&me) == Some(Role::Bot)
        {
            return Ok(false);
        }
        let since = self.now.unix_s().saturating_sub(DAY_S);
        let often = self.tx.resyncs_since(&request.room, &request.device, since)? >= MAX_A_DAY;
        if often || !self.is_settled(&request.room) {
            return Ok(false);
        }
        let checked = check_package_of(&self.provider(), package, &Standings(roster));
        Ok(checked.is_ok_and(|info| info.device == request.device))
    }

    /// A Welcome of this device's could not be opened: its receiver is told which leaf it has, so
    /// that it can ask for another.
    pub(super) fn welcome_unopened(&mut self, peer: DeviceId, place: &[u8]) -> Result<(), Fault> {
        let Ok(place) = <[u8; 8]>::try_from(place) else { return Ok(()) };
        let rooms = self.tx.opened_at(Seq::from_be_bytes(place))?;
        for room in rooms {
            self.tell_leaf(&peer, &room)?;
        }
        Ok(())
    }

    fn tell_leaf(&mut self, peer: &DeviceId, room: &RoomId) -> Result<(), Fault> {
        let provider = self.provider();
        let Some((group, _, _)) = self.memory.group(&provider, room)? else { return Ok(()) };
        let (epoch, leaf) = (group.epoch().to_be_bytes(), group.leaf_hash(peer));
        let Some(leaf) = leaf else { return Ok(()) };
        let message = [room.0.as_slice(), &epoch, &leaf.0].concat();
        self.send_direct(peer, DIRECT_LEAF, &message)
    }

    /// Whether a device that asked has another leaf by now, by whose help ever.
    pub(super) fn is_resynced(&mut self, room: &RoomId, device: &DeviceId) -> Result<bool, Fault> {
        let help = self.tx.help(room, device)?;
        let asked = help.and_then(|help| ResyncRequest::decode(&help.request));
        let provider = self.provider();
        let group = self.memory.group(&provider, room)?;
        let leaf = group.and_then(|(group, _, _)| group.leaf_hash(device));
        Ok(asked.is_none_or(|asked| leaf != Some(asked.leaf)))
    }

    /// Removes a device and adds it again, in one commit.
    pub(super) fn commit_resync(
        &mut self,
        row: &RoomRow,
        intent: &Intent,
        device: DeviceId,
    ) -> Result<(), Fault> {
        let help = self.tx.help(&row.id, &device)?;
        let request = help.as_ref().and_then(|help| ResyncRequest::decode(&help.request));
        let (Some(help), Some(request)) = (help, request) else {
            return Ok(self.tx.remove_intent(intent.id)?);
        };
        if self.is_resynced(&row.id, &device)? {
            return self.drop_help(row, intent, &device);
        }
        let required = self.required(&row.id, row.epoch)?;
        let place = Place { roster_floor: row.roster_floor, required_removals: &required };
        let secrets = self.welcome_secrets(row)?;
        let resync = Some(Resync { request: &request, package: &help.package });
        let change = Change { resync, ..Change::default() };
        let provider = self.provider();
        let Some((group, roster, keys)) = self.memory.group(&provider, &row.id)? else {
            return Ok(());
        };
        let epoch = group.epoch();
        let built = group.commit(&provider, &keys.leaf, &change, &secrets.given(), &roster, &place);
        match built {
            Ok(built) => self.post_commit(row.id, epoch, built, vec![device]),
            Err(CommitError::Pending | CommitError::Nothing) => Ok(()),
            Err(CommitError::Refused(_) | CommitError::Package(_)) => {
                tracing::warn!("a resync cannot be carried out");
                self.drop_help(row, intent, &device)
            }
            Err(CommitError::Other(error)) => Err(error.into()),
        }
    }

    fn drop_help(
        &mut self,
        row: &RoomRow,
        intent: &Intent,
        device: &DeviceId,
    ) -> Result<(), Fault> {
        self.tx.remove_help(&row.id, device)?;
        Ok(self.tx.remove_intent(intent.id)?)
    }
}
