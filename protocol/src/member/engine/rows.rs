//! The relay's registry: signed documents that add and remove rows, one at a time.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::Cx;
use super::alarms::Alarm;
use super::fault::Fault;
use super::link::Asked;
use crate::member::agent::core::Out;
use crate::member::identity::SigningSecret;
use crate::member::store::{AccessRow, MetaKey};
use crate::noise::keys::TransportHash;
use crate::wire::frame::{FailCode, ToRelay};
use crate::wire::ids::{DeviceId, Digest};
use crate::wire::limits::MAX_ROWS;
use crate::wire::rows::{Claim, Row, RowsDocument, RowsSigner, SignedRows};

/// Milliseconds to wait after the relay refused a document.
const RETRY_MS: u64 = 1_000;

/// The registry as this admin's device last had it confirmed, and what is still to be changed.
#[derive(Default, Serialize, Deserialize)]
struct RowsState {
    version: u64,
    previous: ByteArray<32>,
    adding: Vec<ByteArray<16>>,
    removing: Vec<ByteArray<32>>,
    /// How many of `adding` and `removing` are in the document under way. It is sent again with
    /// the same bytes until the relay confirms it.
    under_way: Option<(usize, usize)>,
    /// Whether the document under way replaces the relay authority.
    rotating: bool,
    /// Whether the relay is to be told the addresses, for which no row changes.
    #[serde(default)]
    addressing: bool,
    /// The addresses of the document under way.
    #[serde(default)]
    addresses: Vec<String>,
}

impl Cx<'_> {
    fn rows_state(&self) -> Result<RowsState, Fault> {
        Ok(self.tx.get(MetaKey::Rows)?.unwrap_or_default())
    }

    /// Whether the relay has confirmed every change.
    pub(super) fn rows_settled(&self) -> Result<bool, Fault> {
        let state = self.rows_state()?;
        let idle = state.adding.is_empty() && state.removing.is_empty() && !state.addressing;
        Ok(idle && self.tx.next_authority()?.is_none())
    }

    /// **The relay authority is replaced in the same document that removes an admin.**
    pub(super) fn rotate_authority(&mut self) -> Result<(), Fault> {
        if self.tx.next_authority()?.is_none() {
            self.tx.set_next_authority(&SigningSecret::generate(self.random))?;
        }
        Ok(())
    }

    /// The relay is told the addresses that the roster names now.
    pub(super) fn tell_addresses(&mut self) -> Result<(), Fault> {
        let mut state = self.rows_state()?;
        state.addressing = true;
        Ok(self.tx.set(MetaKey::Rows, &state)?)
    }

    /// The registry's version and the hash of its last document, as this device knows them.
    pub(super) fn rows_version(&self) -> Result<(u64, Digest), Fault> {
        let state = self.rows_state()?;
        Ok((state.version, Digest(state.previous.into_array())))
    }

    /// Devices whose rows the relay has not confirmed yet.
    pub(super) fn rows_being_added(&self) -> Result<Vec<DeviceId>, Fault> {
        let adding = self.rows_state()?.adding;
        Ok(adding.into_iter().map(|id| DeviceId(id.into_array())).collect())
    }

    /// Another admin's device changed the registry first: what this one wanted follows on that.
    pub(super) fn rebase_rows(
        &mut self,
        version: u64,
        previous: [u8; 32],
        rows: &[AccessRow],
    ) -> Result<(), Fault> {
        let mut state = self.rows_state()?;
        (state.version, state.previous) = (version, ByteArray::new(previous));
        (state.under_way, state.rotating) = (None, false);
        state.adding.retain(|new| !rows.iter().any(|row| row.device.0 == new.into_array()));
        state.removing.retain(|old| rows.iter().any(|row| row.transport.0.0 == old.into_array()));
        Ok(self.tx.set(MetaKey::Rows, &state)?)
    }

    /// The registry is another relay's, which stands at this version and has these rows: what
    /// differs from this device's list follows.
    pub(super) fn continue_rows(
        &mut self,
        version: u64,
        previous: [u8; 32],
        has: impl Fn(&AccessRow) -> bool,
        there: &[[u8; 32]],
    ) -> Result<(), Fault> {
        let rows = self.tx.access_rows()?;
        let adding = rows.iter().filter(|row| !has(row)).map(|row| ByteArray::new(row.device.0));
        let gone = |hash: &&[u8; 32]| !rows.iter().any(|row| row.transport.0.0 == **hash);
        let state = RowsState {
            version,
            previous: ByteArray::new(previous),
            adding: adding.collect(),
            removing: there.iter().filter(gone).map(|hash| ByteArray::new(*hash)).collect(),
            addressing: true,
            ..RowsState::default()
        };
        self.tx.set(MetaKey::Rows, &state).map_err(Fault::from)
    }

    /// Wishes for a row; its secrets are in the access table already.
    pub(super) fn add_row(&mut self, device: &DeviceId) -> Result<(), Fault> {
        let mut state = self.rows_state()?;
        state.adding.push(ByteArray::new(device.0));
        Ok(self.tx.set(MetaKey::Rows, &state)?)
    }

    /// Revoking deletes the row: at once, for one device, with no grace.
    pub(super) fn cut_row(&mut self, device: &DeviceId) -> Result<(), Fault> {
        let rows = self.tx.access_rows()?;
        let Some(row) = rows.into_iter().find(|row| row.device == *device) else { return Ok(()) };
        let mut state = self.rows_state()?;
        state.removing.push(ByteArray::new(row.transport.0.0));
        self.tx.set(MetaKey::Rows, &state)?;
        self.tx.remove_access_row(device)?;
        if row.admin { self.rotate_authority() } else { Ok(()) }
    }

    /// Cuts rows of revoked devices that the revoker's device has not cut.
    pub(super) fn cut_leftovers(&mut self) -> Result<(), Fault> {
        if !self.memory.profile.is_inside() || self.tx.relay_authority()?.is_none() {
            return Ok(());
        }
        let mut left = self.tx.access_rows()?;
        let roster = self.memory.roster()?;
        left.retain(|row| roster.device(&row.device).is_some_and(|d| d.revoked.is_some()));
        left.iter().try_for_each(|row| self.cut_row(&row.device))
    }

    /// Sends the next document, or the one under way again on a new connection.
    pub(super) fn work_on_rows(&mut self) -> Result<(), Fault> {
        let waits = self.link.awaits(|asked| *asked == Asked::Rows);
        if !self.link.connected || waits || self.now.mono_ms < self.link.retry_at {
            return Ok(());
        }
        if let Some(document) = self.next_document()? {
            let request = self.link.ask(Asked::Rows);
            self.effects.push(Out::Send(ToRelay::Rows { request, document }));
        }
        Ok(())
    }

    /// The document under way, or the next if anything is to be changed.
    pub(super) fn next_document(&mut self) -> Result<Option<SignedRows>, Fault> {
        let mut state = self.rows_state()?;
        let next = self.tx.next_authority()?.is_some();
        let idle = state.adding.is_empty() && state.removing.is_empty() && !next;
        if idle && !state.addressing {
            return Ok(None);
        }
        if state.under_way.is_none() {
            state.rotating = next;
            state.addresses = self.memory.profile.addresses.clone();
            let (adding, removing) = (state.adding.len(), state.removing.len());
            state.under_way = Some((adding.min(MAX_ROWS), removing.min(MAX_ROWS)));
            self.tx.set(MetaKey::Rows, &state)?;
        }
        self.document(&state)
    }

    fn document(&self, state: &RowsState) -> Result<Option<SignedRows>, Fault> {
        let Some(authority) = self.tx.relay_authority()? else { return Ok(None) };
        let next = self.tx.next_authority()?.filter(|_| state.rotating);
        let (adding, removing) = state.under_way.unwrap_or_default();
        let wanted: Vec<_> = state.adding.iter().take(adding).collect();
        let rows = self.tx.access_rows()?.into_iter();
        let added = rows
            .filter(|row| wanted.iter().any(|id| id.into_array() == row.device.0))
            .map(|AccessRow { access, transport, admin, .. }| Row { access, transport, admin })
            .collect();
        let removed = state.removing.iter().take(removing);
        let removed = removed.map(|hash| TransportHash(Digest(hash.into_array()))).collect();
        let root = if state.version == 0 { self.tx.team_root()? } else { None };
        let claim = match &root {
            Some(root) => Some(Claim { team: self.memory.roster()?.team(), root: root.public().0 }),
            None => None,
        };
        let document = RowsDocument {
            version: state.version + 1,
            previous: Digest(state.previous.into_array()),
            claim,
            authority: next.as_ref().unwrap_or(&authority).public().0,
            added,
            removed,
            addresses: state.addresses.clone(),
        };
        let signed = match &root {
            Some(root) => document.sign(RowsSigner::Root, &root.secret()),
            None => document.sign(RowsSigner::Authority, &authority.secret()),
        };
        signed.map(Some).map_err(|_| Fault::Bug("a document of rows is too large"))
    }

    /// The relay confirmed the document under way.
    pub(super) fn rows_done(&mut self) -> Result<(), Fault> {
        let mut state = self.rows_state()?;
        let Some((adding, removing)) = state.under_way else { return Ok(()) };
        let Some(document) = self.document(&state)? else { return Ok(()) };
        state.version += 1;
        state.previous = ByteArray::new(document.hash().0);
        state.adding.drain(..adding.min(state.adding.len()));
        state.removing.drain(..removing.min(state.removing.len()));
        if let Some(next) = self.tx.next_authority()?.filter(|_| state.rotating) {
            self.tx.set_relay_authority(&next)?;
            self.tx.delete_next_authority()?;
        }
        (state.under_way, state.rotating) = (None, false);
        // They may have changed again since it was signed.
        state.addressing &= state.addresses != self.memory.profile.addresses;
        self.tx.set(MetaKey::Rows, &state)?;
        self.admin_news()
    }

    fn has_fellow_admins(&mut self) -> Result<bool, Fault> {
        match self.memory.profile.admins() {
            Some(room) => Ok(self.devices_in(&room)?.len() > 1),
            None => Ok(false),
        }
    }

    /// The relay refused the document under way.
    pub(super) fn rows_failed(&mut self, code: FailCode, retry_ms: u32) -> Result<(), Fault> {
        self.link.retry_at = self.now.mono_ms + RETRY_MS.max(retry_ms.into());
        match code {
            // Another admin's device was quicker, and may have replaced the authority; its note says
            // on what to follow.
            FailCode::Stale | FailCode::Denied if self.has_fellow_admins()? => Ok(()),
            FailCode::Stale | FailCode::Denied => self.alarm(
                Alarm::Address,
                "The relay refuses this device's changes of the team: its list is not the one expected.",
            ),
            _ => Ok(()),
        }
    }
}
