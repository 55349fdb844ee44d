//! Rooms that this device fell out of and comes back to, and devices that it lets in again.

use rusqlite::Row;

use super::sql::{closed_debug, join_devices, split_devices};
use super::{StoreError, Tx, View};
use crate::wire::ids::{DeviceId, Digest, RoomId, Seq};

/// A room that this device has to be let into again.
#[derive(Clone, PartialEq, Eq)]
pub struct ResyncRow {
    /// The room.
    pub room: RoomId,
    /// Who broke it, or misled this device, and is not asked.
    pub avoid: Option<DeviceId>,
    /// Who alone may let this device in, after a restart of the room, and from which place on.
    pub only: Option<(DeviceId, Seq)>,
    /// Its own leaf in the room's tree, once another device said which it is.
    pub leaf: Option<Digest>,
    /// What it asks for.
    pub request: Option<HelpRow>,
    /// Who was asked in this round.
    pub asked: Vec<DeviceId>,
    /// When something is to be done next, in unix seconds.
    pub due: u64,
    /// How many rounds were in vain.
    pub rounds: u32,
    /// Who said so; the one to ask in a room that this device never came into.
    pub hint: Option<DeviceId>,
    /// Who let it in again; a second is to confirm that it is where the others are.
    pub helper: Option<DeviceId>,
}

/// What a device asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct HelpRow {
    /// Its signed request.
    pub request: Vec<u8>,
    /// The KeyPackage that it names.
    pub package: Vec<u8>,
}

closed_debug!(ResyncRow, HelpRow);

impl ResyncRow {
    /// A room nobody was asked about yet.
    pub fn new(room: RoomId) -> Self {
        Self {
            room,
            avoid: None,
            only: None,
            leaf: None,
            request: None,
            asked: Vec::new(),
            due: 0,
            rounds: 0,
            hint: None,
            helper: None,
        }
    }
}

impl View<'_> {
    /// The rooms that this device comes back to.
    ///
    /// # Errors
    /// Those of the database.
    pub fn resyncs(&self) -> Result<Vec<ResyncRow>, StoreError> {
        let sql = "SELECT room, avoid, only, place, leaf, request, package, asked, due, rounds,
                   hint, helper FROM resync ORDER BY room";
        self.rows(sql, [], resync_row)
    }

    /// How often since `since`, in unix seconds, a device asked to be let into a room again.
    ///
    /// # Errors
    /// Those of the database.
    pub fn resyncs_since(
        &self,
        room: &RoomId,
        device: &DeviceId,
        since: u64,
    ) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM resync_made WHERE room = ?1 AND device = ?2 AND at >= ?3",
            (room, device, since),
        )
    }

    /// What a device asks for in a room.
    ///
    /// # Errors
    /// Those of the database.
    pub fn help(&self, room: &RoomId, device: &DeviceId) -> Result<Option<HelpRow>, StoreError> {
        let sql = "SELECT request, package FROM resync_help WHERE room = ?1 AND device = ?2";
        self.row(sql, (room, device), |row| {
            Ok(HelpRow { request: row.get(0)?, package: row.get(1)? })
        })
    }
}

impl Tx<'_> {
    /// Adds or replaces a room to come back to.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_resync(&self, row: &ResyncRow) -> Result<(), StoreError> {
        let (only, place) = row.only.unzip();
        let (request, package) = row.request.as_ref().map(|r| (&r.request, &r.package)).unzip();
        self.execute(
            "INSERT OR REPLACE INTO resync (room, avoid, only, place, leaf, request, package,
             asked, due, rounds, hint, helper)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            (
                row.room,
                row.avoid,
                only,
                place,
                row.leaf,
                request,
                package,
                join_devices(&row.asked),
                row.due,
                row.rounds,
                row.hint,
                row.helper,
            ),
        )?;
        Ok(())
    }

    /// This device is back in a room, or gave it up.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_resync(&self, room: &RoomId) -> Result<(), StoreError> {
        self.execute("DELETE FROM resync WHERE room = ?1", [room])?;
        Ok(())
    }

    /// A device asks to be let into a room again, at `now` in unix seconds; what is older than
    /// `since` is forgotten.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_resync(
        &self,
        room: &RoomId,
        device: &DeviceId,
        now: u64,
        since: u64,
    ) -> Result<(), StoreError> {
        self.execute("DELETE FROM resync_made WHERE at < ?1", [since])?;
        self.execute(
            "INSERT INTO resync_made (room, device, at) VALUES (?1, ?2, ?3)",
            (room, device, now),
        )?;
        Ok(())
    }

    /// A Welcome of this device could not be opened, at `at` in unix seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_unopened(&self, peer: &DeviceId, at: u64) -> Result<(), StoreError> {
        self.execute("INSERT OR REPLACE INTO unopened (peer, at) VALUES (?1, ?2)", (peer, at))?;
        Ok(())
    }

    /// Whether that was so; it is asked once.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_unopened(&self, peer: &DeviceId) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM unopened WHERE peer = ?1", [peer])? > 0)
    }

    /// Keeps what a device asks for; an earlier request of it is void.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_help(
        &self,
        room: &RoomId,
        device: &DeviceId,
        help: &HelpRow,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO resync_help (room, device, request, package)
             VALUES (?1, ?2, ?3, ?4)",
            (room, device, &help.request, &help.package),
        )?;
        Ok(())
    }

    /// It is done, or can no longer be.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_help(&self, room: &RoomId, device: &DeviceId) -> Result<(), StoreError> {
        let sql = "DELETE FROM resync_help WHERE room = ?1 AND device = ?2";
        self.execute(sql, (room, device))?;
        Ok(())
    }
}

fn resync_row(row: &Row<'_>) -> rusqlite::Result<ResyncRow> {
    let only: Option<DeviceId> = row.get(2)?;
    let (request, package): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(5)?, row.get(6)?);
    let request = request.zip(package).map(|(request, package)| HelpRow { request, package });
    Ok(ResyncRow {
        room: row.get(0)?,
        avoid: row.get(1)?,
        only: only.zip(row.get(3)?),
        leaf: row.get(4)?,
        request,
        asked: split_devices(row, 7)?,
        due: row.get(8)?,
        rounds: row.get(9)?,
        hint: row.get(10)?,
        helper: row.get(11)?,
    })
}
