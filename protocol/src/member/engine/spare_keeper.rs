//! Who looks after a spare relay: one admin's device at a time. The others hold what that takes, and
//! one of them goes on when it is gone.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use zeroize::Zeroize;

use super::Cx;
use super::fault::Fault;
use super::next::Found;
use super::spare_rows::Spare;
use crate::invite_code::{MAX_ADDRESSES, Role};
use crate::member::identity::SigningSecret;
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, LogId};
use crate::wire::limits::MAX_ADDRESS;

/// Seconds without word of a spare relay after which another device looks after it.
const LATE_S: u64 = 3 * 24 * 3_600;
/// Seconds that each further admin's device leaves to the one before: if the keeper was revoked, and
/// if it is only silent.
const TURN_S: u64 = 3_600;
const LATE_TURN_S: u64 = 24 * 3_600;

/// What admins' devices share of a spare relay; its rows are those of the note.
#[derive(Serialize, Deserialize)]
pub(super) struct SharedSpare {
    authority: ByteArray<32>,
    at: Found,
    log: ByteArray<16>,
    version: u64,
    previous: ByteArray<32>,
    answered: u64,
}

impl Drop for SharedSpare {
    fn drop(&mut self) {
        self.authority.as_mut_slice().zeroize();
    }
}

const _: () = assert!(std::mem::needs_drop::<SharedSpare>());

impl Cx<'_> {
    /// What the others are told of the spare relay that this device looks after, once it has the
    /// same rows as the team's.
    pub(super) fn shared_spare(&self) -> Result<Option<SharedSpare>, Fault> {
        let me = ByteArray::new(self.memory.me()?.0);
        let Some(spare) = self.spare()?.filter(|spare| spare.keeper == me) else {
            return Ok(None);
        };
        let (Some(log), Some(authority)) = (spare.log, self.tx.spare_authority()?) else {
            return Ok(None);
        };
        if spare.under_way.is_some() || !self.has_all_rows(&spare)? {
            return Ok(None);
        }
        let authority = ByteArray::new(*authority.secret().expose());
        let Spare { at, version, previous, answered, .. } = spare;
        Ok(Some(SharedSpare { authority, at, log, version, previous, answered }))
    }

    /// Another admin's device looks after a spare relay with these rows.
    pub(super) fn take_spare(
        &mut self,
        shared: &SharedSpare,
        keeper: DeviceId,
        told: Vec<(ByteArray<32>, bool)>,
    ) -> Result<(), Fault> {
        let SharedSpare { authority, at, log, version, previous, answered } = shared;
        let id = LogId(log.into_array());
        let named = self.memory.roster()?.next_relay().is_some_and(|next| next.log == id);
        let short = |address: &String| address.len() <= MAX_ADDRESS;
        if !named || at.addresses.len() > MAX_ADDRESSES || !at.addresses.iter().all(short) {
            return Ok(());
        }
        let own = self.spare()?.filter(|own| own.is(&id));
        let answered = (*answered).min(self.now.unix_s());
        if own.is_some_and(|own| (own.version, own.answered) >= (*version, answered)) {
            return Ok(());
        }
        let authority = Secret::copy(authority.as_slice()).ok_or(Fault::Bug("authority"))?;
        self.tx.set_spare_authority(&SigningSecret::from_secret(&authority))?;
        self.put_spare(&Spare {
            at: at.clone(),
            log: Some(*log),
            version: *version,
            previous: *previous,
            told,
            under_way: None,
            answered,
            keeper: ByteArray::new(keeper.0),
        })
    }

    /// Whether it is for this device to look after a spare relay: if it does already, or if the
    /// device that did is revoked, or silent for days, and it is this one's turn.
    pub(super) fn keeps(&self, spare: &Spare) -> Result<bool, Fault> {
        let (me, keeper) = (self.memory.me()?, DeviceId(spare.keeper.into_array()));
        if keeper == me {
            return Ok(true);
        }
        let roster = self.memory.roster()?;
        let before = |id: &DeviceId| *id < me && *id != keeper;
        let turn = roster.active_admins().filter(|device| before(&device.id)).count() as u64;
        let there = roster.is_active(&keeper) && roster.role_of(&keeper) == Some(Role::Admin);
        let patience = if there { LATE_S + turn * LATE_TURN_S } else { turn * TURN_S };
        Ok(self.is_admin()? && spare.answered + patience <= self.now.unix_s())
    }

    /// This device has brought a spare relay its rows, and looks after it from here on.
    pub(super) fn has_kept(&mut self, spare: &mut Spare) -> Result<(), Fault> {
        spare.keeper = ByteArray::new(self.memory.me()?.0);
        spare.answered = self.now.unix_s();
        self.admin_news()
    }
}
