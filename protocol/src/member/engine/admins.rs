//! What admins' devices share, in a hidden room of their own: the relay's authority, the current
//! rows and the open invites, so that any admin who is online can let people in and put them out.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use zeroize::{Zeroize, Zeroizing};

use super::Cx;
use super::alarms::Alarm;
use super::fault::Fault;
use super::invites::{self, state};
use super::rooms::ROOM_MESSAGE;
use super::spare_keeper::SharedSpare;
use crate::invite_code::Bundle;
use crate::member::e2ee;
use crate::member::identity::SigningSecret;
use crate::member::store::{AccessRow, InviteRow, MetaKey, OutKind, OutRow, RoomStatus};
use crate::noise::keys::{AccessSecret, TransportHash};
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, Digest, InviteId, MemberId, RoomId};
use crate::wire::limits::{MAX_OPEN_INVITES, MAX_ROWS};

const VERSION: u8 = 1;

/// What one admin's device tells the others.
#[derive(Serialize, Deserialize)]
struct Note {
    v: u8,
    authority: ByteArray<32>,
    /// The registry's version and the hash of its last document.
    version: u64,
    previous: ByteArray<32>,
    rows: Vec<SharedRow>,
    invites: Vec<SharedInvite>,
    /// The spare relay that the sender looks after, with the same rows.
    #[serde(default)]
    spare: Option<SharedSpare>,
}

/// Device, access secret, transport hash, admin's; without names, so that 400 rows fit a message.
#[derive(Serialize, Deserialize)]
struct SharedRow(ByteArray<16>, ByteArray<32>, ByteArray<32>, bool);

#[derive(Serialize, Deserialize)]
struct SharedInvite {
    id: ByteArray<16>,
    secret: ByteArray<16>,
    /// The bundle's plaintext.
    bundle: ByteBuf,
    role: u8,
    name: Option<String>,
    auto_approve: bool,
    created_at: u64,
    expires_at: u64,
    state: u8,
    used_at: Option<u64>,
    by: ByteArray<16>,
    /// Whose further device it brings in.
    member: Option<ByteArray<16>>,
    /// When the membership ends.
    membership: Option<u64>,
}

impl Drop for Note {
    fn drop(&mut self) {
        self.authority.as_mut_slice().zeroize();
        self.rows.iter_mut().for_each(|row| row.1.as_mut_slice().zeroize());
        self.invites.iter_mut().for_each(|invite| invite.secret.as_mut_slice().zeroize());
    }
}

const _: () = assert!(std::mem::needs_drop::<Note>());

impl Cx<'_> {
    /// Something that the other admins' devices must know has changed.
    pub(super) fn admin_news(&mut self) -> Result<(), Fault> {
        Ok(self.tx.set(MetaKey::AdminNews, &true)?)
    }

    /// Tells the other admins' devices, if there is news and nothing of it under way.
    pub(super) fn share_with_admins(&mut self) -> Result<(), Fault> {
        if self.tx.get::<bool>(MetaKey::AdminNews)? != Some(true) {
            return Ok(());
        }
        let Some(room) = self.memory.profile.admins() else { return Ok(()) };
        let active = self.memory.rooms.get(&room).map(|row| row.status);
        let devices = self.devices_in(&room)?;
        let alone = devices.len() < 2 || !self.is_settled(&room);
        // Who is an admin no more is told nothing more, even before the removal has won.
        if !devices.iter().all(|device| self.is_admin_device(device).unwrap_or(false)) {
            return Ok(());
        }
        if active != Some(RoomStatus::Active) || alone || !self.rows_settled()? {
            return Ok(());
        }
        let Some(note) = self.admin_note()? else { return Ok(()) };
        let mut plain = Zeroizing::new(Vec::with_capacity(e2ee::MAX_PLAINTEXT));
        ciborium::into_writer(&note, &mut *plain).map_err(|_| Fault::Bug("encode a note"))?;
        if plain.len() > e2ee::MAX_PLAINTEXT {
            self.tx.set(MetaKey::AdminNews, &false)?;
            return self.alarm(
                Alarm::Unable,
                "The team is too large for its admins to share the relay's rows.",
            );
        }
        let provider = self.provider();
        let Some((group, roster, keys)) = self.memory.group(&provider, &room)? else {
            return Ok(());
        };
        let epoch = group.epoch();
        let message = match group.encrypt(&provider, &keys.leaf, &roster, &plain, b"") {
            Ok(message) => message,
            Err(e2ee::Error::RevokedLeaf) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let cells = self.seal_in_room(&room, ROOM_MESSAGE, &message)?;
        self.enqueue(OutKind::Admin, Some(room), epoch, Vec::new(), &cells)?;
        Ok(self.tx.set(MetaKey::AdminNews, &false)?)
    }

    /// A note of this device came back; one that missed its epoch is made anew.
    pub(super) fn own_note(&mut self, out: &OutRow, void: bool) -> Result<(), Fault> {
        self.tx.remove_out(out.id)?;
        if void { self.admin_news() } else { Ok(()) }
    }

    fn admin_note(&self) -> Result<Option<Note>, Fault> {
        let Some(authority) = self.tx.relay_authority()? else { return Ok(None) };
        let (version, previous) = self.rows_version()?;
        let rows = self.tx.access_rows()?.into_iter().map(|row| {
            SharedRow(
                ByteArray::new(row.device.0),
                ByteArray::new(*row.access.secret().expose()),
                ByteArray::new(row.transport.0.0),
                row.admin,
            )
        });
        let invites = self.tx.invites()?.into_iter().filter(is_shared).map(|row| SharedInvite {
            id: ByteArray::new(row.id.0),
            secret: ByteArray::new(*row.secret.expose()),
            bundle: ByteBuf::from(row.bundle),
            role: row.role,
            name: row.name,
            auto_approve: row.auto_approve,
            created_at: row.created_at,
            expires_at: row.expires_at,
            state: row.state,
            used_at: row.used_at,
            by: ByteArray::new(row.by.0),
            member: row.member.map(|id| ByteArray::new(id.0)),
            membership: row.membership,
        });
        Ok(Some(Note {
            v: VERSION,
            authority: ByteArray::new(*authority.secret().expose()),
            version,
            previous: ByteArray::new(previous.0),
            rows: rows.take(MAX_ROWS).collect(),
            invites: invites.take(MAX_OPEN_INVITES).collect(),
            spare: self.shared_spare()?,
        }))
    }

    /// A message in the admins' room, somebody else's.
    pub(super) fn admins_message(&mut self, room: RoomId, message: &[u8]) -> Result<(), Fault> {
        let Some(opened) = self.open_message(&room, message)? else { return Ok(()) };
        let plain = Zeroizing::new(opened.plaintext);
        let role = self.memory.roster()?.role_of(&opened.sender);
        let Ok(note) = ciborium::from_reader::<Note, _>(plain.as_slice()) else { return Ok(()) };
        let bounded = note.rows.len() <= MAX_ROWS && note.invites.len() <= MAX_OPEN_INVITES;
        if note.v != VERSION || !bounded || role != Some(crate::invite_code::Role::Admin) {
            return Ok(());
        }
        self.take_rows(&note)?;
        if let Some(spare) = &note.spare {
            let told = note.rows.iter().map(|row| (row.2, row.3)).collect();
            self.take_spare(spare, opened.sender, told)?;
        }
        let mut new = false;
        for shared in &note.invites {
            new |= self.take_invite(shared)?;
        }
        // A request may have come before its invite.
        if new { self.rescan(0) } else { Ok(()) }
    }

    fn take_rows(&mut self, note: &Note) -> Result<(), Fault> {
        let held = self.tx.relay_authority()?.is_some();
        if held && note.version <= self.rows_version()?.0 {
            return Ok(());
        }
        let authority = Secret::copy(note.authority.as_slice()).ok_or(Fault::Bug("authority"))?;
        self.tx.set_relay_authority(&SigningSecret::from_secret(&authority))?;
        // Rows of newcomers this device is letting in are not known to anybody else yet.
        let roster = self.memory.roster()?;
        let mut old = self.tx.access_rows()?;
        old.retain(|row| roster.device(&row.device).is_some());
        let adding = self.rows_being_added()?;
        for row in old.iter().filter(|row| !adding.contains(&row.device)) {
            self.tx.remove_access_row(&row.device)?;
        }
        let mut rows = Vec::with_capacity(note.rows.len());
        for SharedRow(device, access, transport, admin) in &note.rows {
            let access = Secret::copy(access.as_slice()).ok_or(Fault::Bug("access"))?;
            let row = AccessRow {
                device: DeviceId(device.into_array()),
                access: AccessSecret::from_secret(access),
                transport: TransportHash(Digest(transport.into_array())),
                admin: *admin,
            };
            self.tx.put_access_row(&row)?;
            rows.push(row);
        }
        self.rebase_rows(note.version, note.previous.into_array(), &rows)
    }

    /// Takes over another admin's invite; true if it was not known.
    fn take_invite(&mut self, shared: &SharedInvite) -> Result<bool, Fault> {
        let id = InviteId(shared.id.into_array());
        if let Some(mut row) = self.tx.invite(&id)? {
            // Another admin was quicker; this device's own endings stay its own.
            if shared.state == state::USED && matches!(row.state, state::OPEN | state::ASKING) {
                row.state = state::USED;
                row.used_at = shared.used_at;
                self.tx.put_invite(&row)?;
                self.drop_invite_channel(&id)?;
            }
            return Ok(false);
        }
        let is_open = matches!(shared.state, state::OPEN | state::ASKING);
        if !is_open || Bundle::decode(&shared.bundle).is_err() {
            return Ok(false);
        }
        let row = InviteRow {
            id,
            secret: Secret::copy(shared.secret.as_slice()).ok_or(Fault::Bug("secret"))?,
            bundle: shared.bundle.to_vec(),
            role: shared.role,
            name: shared.name.clone(),
            auto_approve: shared.auto_approve,
            created_at: shared.created_at,
            expires_at: shared.expires_at,
            state: state::OPEN,
            used_at: None,
            request: None,
            by: DeviceId(shared.by.into_array()),
            member: shared.member.map(|id| MemberId(id.into_array())),
            vouch: None,
            membership: shared.membership,
        };
        let code = self.code_of(&row)?;
        if code.keys().id != id {
            return Ok(false);
        }
        self.tx.put_invite(&row)?;
        self.open_invite_channel(&code, 0)?;
        Ok(true)
    }

    /// An invite that approves by itself is carried out by another admin's device if the inviter's
    /// does not answer.
    pub(super) fn approve_for_absent(&mut self) -> Result<(), Fault> {
        const PATIENCE_S: u64 = 15;
        let (me, now) = (self.memory.me()?, self.now.unix_s());
        for row in self.tx.invites_in([state::ASKING])? {
            let due = row.used_at.unwrap_or(row.created_at) + PATIENCE_S <= now;
            if row.auto_approve
                && row.by != me
                && due
                && let Some(opened) = invites::request_of(&row)
            {
                self.approve_by_itself(row, &opened)?;
            }
        }
        Ok(())
    }
}

/// Whether the others need to know of an invite.
fn is_shared(row: &InviteRow) -> bool {
    matches!(row.state, state::OPEN | state::ASKING | state::USED)
}
