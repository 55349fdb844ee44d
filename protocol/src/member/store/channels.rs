//! The keys with which cells are tagged and sealed.

use super::sql::{closed_debug, secret, sql_enum};
use super::{StoreError, Tx, View};
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, InviteId, RoomId, Seq};

/// How many epochs of the control room stay readable.
pub const CONTROL_EPOCHS_KEPT: u32 = 64;

sql_enum! {
    /// What a channel is for.
    ChannelKind {
        /// Messages of one epoch of a room.
        Room = 0,
        /// Roster entries, under one epoch of the control room.
        Control = 1,
        /// One-way messages between two devices.
        Direct = 2,
        /// A join request and its answer.
        Invite = 3,
        /// A room's beacons.
        Check = 4,
    }
}

/// A channel to be opened.
pub struct NewChannel {
    /// What it is for.
    pub kind: ChannelKind,
    /// The room, of a room, control or check channel.
    pub room: Option<RoomId>,
    /// The other device, of a direct channel.
    pub peer: Option<DeviceId>,
    /// The invite, of an invite channel.
    pub invite: Option<InviteId>,
    /// The room's epoch; 0 where there is none.
    pub epoch: u64,
    /// The key.
    pub secret: Secret<32>,
    /// Cells count only after this place.
    pub opened: Seq,
}

/// A channel as it is kept. It holds a secret, so it can be neither copied nor printed.
pub struct ChannelRow {
    /// Its number on this device.
    pub id: i64,
    /// What it is for.
    pub kind: ChannelKind,
    /// The room, of a room, control or check channel.
    pub room: Option<RoomId>,
    /// The other device, of a direct channel.
    pub peer: Option<DeviceId>,
    /// The invite, of an invite channel.
    pub invite: Option<InviteId>,
    /// The room's epoch; 0 where there is none.
    pub epoch: u64,
    /// The key.
    pub secret: Secret<32>,
    /// Cells count only after this place.
    pub opened: Seq,
    /// The place at which the epoch ended.
    pub closed: Option<Seq>,
}

closed_debug!(NewChannel, ChannelRow);

impl View<'_> {
    /// All channels, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn channels(&self) -> Result<Vec<ChannelRow>, StoreError> {
        let sql = "SELECT id, kind, room, peer, invite, epoch, secret, opened, closed
                   FROM channel ORDER BY id";
        self.rows(sql, [], |row| {
            Ok(ChannelRow {
                id: row.get(0)?,
                kind: row.get(1)?,
                room: row.get(2)?,
                peer: row.get(3)?,
                invite: row.get(4)?,
                epoch: row.get(5)?,
                secret: secret(row, 6)?,
                opened: row.get(7)?,
                closed: row.get(8)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Opens a channel and returns its number, which no other channel ever had.
    ///
    /// # Errors
    /// Those of the database.
    pub fn insert_channel(&self, channel: &NewChannel) -> Result<i64, StoreError> {
        self.insert(
            "INSERT INTO channel (kind, room, peer, invite, epoch, secret, opened)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                channel.kind,
                channel.room,
                channel.peer,
                channel.invite,
                channel.epoch,
                channel.secret.expose(),
                channel.opened,
            ),
        )
    }

    /// Marks a room's channels of `epoch` (not its check channels) as ended at the place `at`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn close_channel(&self, room: &RoomId, epoch: u64, at: Seq) -> Result<(), StoreError> {
        self.execute(
            "UPDATE channel SET closed = ?3
             WHERE room = ?1 AND epoch = ?2 AND kind <> ?4 AND closed IS NULL",
            (room, epoch, at, ChannelKind::Check),
        )?;
        Ok(())
    }

    /// Forgets a channel and its unfinished fragments.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_channel(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM channel WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Forgets all but the newest [`CONTROL_EPOCHS_KEPT`] control channels, and returns the
    /// numbers of those forgotten.
    ///
    /// # Errors
    /// Those of the database.
    pub fn trim_control_channels(&self) -> Result<Vec<i64>, StoreError> {
        self.rows(
            "DELETE FROM channel WHERE kind = ?1 AND id NOT IN
             (SELECT id FROM channel WHERE kind = ?1 ORDER BY epoch DESC, id DESC LIMIT ?2)
             RETURNING id",
            (ChannelKind::Control, CONTROL_EPOCHS_KEPT),
            |row| row.get(0),
        )
    }
}
