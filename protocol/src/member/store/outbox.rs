//! What is to be sent: messages with the exact bytes of their cells, until all came back.

use super::sql::{closed_debug, size_error, sql_enum};
use super::{StoreError, Tx, View};
use crate::wire::ids::{CellId, ContentId, RoomId, Seq};
use crate::wire::limits::CELL;
use rusqlite::Row;

/// Tag and nonce: what names a cell that was altered behind them.
const HEAD_LEN: usize = 40;

sql_enum! {
    /// What a message in the outbox is.
    OutKind {
        /// A message that a person or bot wrote.
        Text = 0,
        /// An MLS commit.
        Commit = 1,
        /// An MLS proposal.
        Proposal = 2,
        /// A direct message between devices: a Welcome, a notice.
        Direct = 3,
        /// A roster entry in the control room.
        Control = 4,
        /// A join request or its answer.
        Invite = 5,
        /// A key package.
        Package = 6,
        /// What admins' devices tell each other.
        Admin = 7,
        /// A beacon.
        Beacon = 8,
    }
}

/// A message to be queued.
#[derive(Clone)]
pub struct NewOut {
    /// What it is.
    pub kind: OutKind,
    /// The room, if it goes to one.
    pub room: Option<RoomId>,
    /// The epoch its cells are encrypted in; 0 where there is none.
    pub epoch: u64,
    /// The content's id, of a text.
    pub content: Option<ContentId>,
    /// What is to be encrypted again if the epoch ends first.
    pub plain: Vec<u8>,
    /// Unix seconds.
    pub queued_at: u64,
}

/// A message in the outbox.
#[derive(Clone)]
pub struct OutRow {
    /// Its number; numbers rise in the order of queueing and are never used again.
    pub id: i64,
    /// What it holds.
    pub message: NewOut,
}

/// A cell of the outbox that still has to reach the log.
#[derive(Clone)]
pub struct OutgoingCell {
    /// The message's number.
    pub message: i64,
    /// The cell's index within the message.
    pub index: u16,
    /// The cell's id.
    pub id: CellId,
    /// The exact bytes, the same at every attempt.
    pub bytes: Box<[u8; CELL]>,
}

/// A cell of the outbox and where it stands.
#[derive(Clone)]
pub struct OutCell {
    /// The message's number.
    pub message: i64,
    /// The cell's index within the message.
    pub index: u16,
    /// How many cells the message has.
    pub count: u16,
    /// The cell's id.
    pub id: CellId,
    /// The exact bytes.
    pub bytes: Box<[u8; CELL]>,
    /// Its place, once it was seen in the log: a second occurrence is no longer ours.
    pub seq: Option<Seq>,
}

/// Whose a cell from the log is, as far as the outbox can tell.
pub enum OwnCell {
    /// Not one of the outbox.
    No,
    /// All 1024 bytes are those of a cell of the outbox.
    Exact(OutCell),
    /// Tag and nonce are those of a cell of the outbox and the rest is not: somebody on the way
    /// has altered it.
    Altered(OutCell),
}

const OUT_CELL: &str = "SELECT c.message, c.place,
    (SELECT count(*) FROM out_cell AS n WHERE n.message = c.message), c.cell_id, c.bytes, c.seq
    FROM out_cell AS c";

closed_debug!(NewOut, OutRow, OutgoingCell, OutCell, OwnCell);

impl View<'_> {
    /// Compares a cell from the log with the outbox, all 1024 bytes.
    ///
    /// # Errors
    /// Those of the database.
    pub fn own_cell(&self, cell: &[u8; CELL]) -> Result<OwnCell, StoreError> {
        let (head, _) = cell.split_at(HEAD_LEN);
        let sql = format!("{OUT_CELL} WHERE substr(c.bytes, 1, 40) = ?1");
        let found = self.rows(&sql, [head], out_cell)?;
        let mut altered = None;
        for own in found {
            if *own.bytes == *cell {
                return Ok(OwnCell::Exact(own));
            }
            altered = Some(own);
        }
        Ok(altered.map_or(OwnCell::No, OwnCell::Altered))
    }

    /// The cell of the outbox that was given the id `cell`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn cell(&self, cell: &CellId) -> Result<Option<OutCell>, StoreError> {
        self.row(&format!("{OUT_CELL} WHERE c.cell_id = ?1"), [cell], out_cell)
    }

    /// The place of a message's last cell, once all its cells were seen in the log; `None` while
    /// one is missing, or if there is no such message.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_complete(&self, message: i64) -> Result<Option<Seq>, StoreError> {
        let place = self.row(
            "SELECT CASE WHEN count(*) = count(seq) THEN max(seq) END
             FROM out_cell WHERE message = ?1",
            [message],
            |row| row.get(0),
        )?;
        Ok(place.flatten())
    }

    /// Up to `limit` cells that were not seen in the log yet, in the order of sending, after the
    /// cell `(message, index)`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unplaced(
        &self,
        after: Option<(i64, u16)>,
        limit: u32,
    ) -> Result<Vec<OutgoingCell>, StoreError> {
        let (message, index) = after.unwrap_or((0, 0));
        let sql = "SELECT message, place, cell_id, bytes FROM out_cell
                   WHERE seq IS NULL AND (message, place) > (?1, ?2)
                   ORDER BY message, place LIMIT ?3";
        self.rows(sql, (message, index, limit), outgoing)
    }

    /// As [`View::unplaced`] from the first on, of messages of one kind.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unplaced_of(&self, kind: OutKind, limit: u32) -> Result<Vec<OutgoingCell>, StoreError> {
        let sql = "SELECT message, place, cell_id, bytes FROM out_cell
                   WHERE seq IS NULL AND message IN (SELECT id FROM outbox WHERE kind = ?1)
                   ORDER BY message, place LIMIT ?2";
        self.rows(sql, (kind, limit), outgoing)
    }

    /// A message of the outbox.
    ///
    /// # Errors
    /// Those of the database.
    pub fn out(&self, message: i64) -> Result<Option<OutRow>, StoreError> {
        let sql = "SELECT id, kind, room, epoch, content, plain, queued_at
                   FROM outbox WHERE id = ?1";
        self.row(sql, [message], out_row)
    }

    /// Texts that have no cells: they wait to be encrypted, in the order of queueing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unsealed_texts(&self) -> Result<Vec<OutRow>, StoreError> {
        let sql = "SELECT id, kind, room, epoch, content, plain, queued_at FROM outbox
                   WHERE sealed = 0 AND kind = ?1 ORDER BY id";
        self.rows(sql, [OutKind::Text], out_row)
    }

    /// All messages of the outbox, in the order of queueing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn pending_messages(&self) -> Result<Vec<OutRow>, StoreError> {
        let sql = "SELECT id, kind, room, epoch, content, plain, queued_at
                   FROM outbox ORDER BY id";
        self.rows(sql, [], out_row)
    }

    /// How many messages that people or bots wrote wait in the outbox.
    ///
    /// # Errors
    /// Those of the database.
    pub fn queued_count(&self) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM outbox WHERE kind = ?1", [OutKind::Text])
    }
}

impl Tx<'_> {
    /// Queues a message with its cells, in their order, and returns its number. A message that
    /// cannot be encrypted yet has no cells: see [`Tx::replace_cells`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn enqueue(
        &self,
        message: &NewOut,
        cells: &[(CellId, [u8; CELL])],
    ) -> Result<i64, StoreError> {
        let id = self.insert(
            "INSERT INTO outbox (kind, room, epoch, content, plain, queued_at, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                message.kind,
                message.room,
                message.epoch,
                message.content,
                &message.plain,
                message.queued_at,
                !cells.is_empty(),
            ),
        )?;
        self.insert_cells(id, cells)?;
        Ok(id)
    }

    /// Notes that a cell was seen in the log at `seq`; false if it has a place already or is not
    /// of the outbox. Only the first occurrence counts.
    ///
    /// # Errors
    /// Those of the database.
    pub fn placed_cell(&self, cell: &CellId, seq: Seq) -> Result<bool, StoreError> {
        let sql = "UPDATE out_cell SET seq = ?2 WHERE cell_id = ?1 AND seq IS NULL";
        Ok(self.execute(sql, (cell, seq))? > 0)
    }

    /// Replaces a message's cells by those of its encryption in `epoch`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRow`], else those of the database.
    pub fn replace_cells(
        &self,
        message: i64,
        epoch: u64,
        cells: &[(CellId, [u8; CELL])],
    ) -> Result<(), StoreError> {
        let changed = self.execute(
            "UPDATE outbox SET epoch = ?2, sealed = ?3 WHERE id = ?1",
            (message, epoch, !cells.is_empty()),
        )?;
        if changed == 0 {
            return Err(StoreError::NoSuchRow);
        }
        self.remove_cells(message)?;
        self.insert_cells(message, cells)
    }

    /// Forgets a message and its cells.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_out(&self, message: i64) -> Result<(), StoreError> {
        self.remove_cells(message)?;
        self.execute("DELETE FROM outbox WHERE id = ?1", [message])?;
        Ok(())
    }

    /// A row at a time, and not by a foreign key: a statement that may have to take back several
    /// rows costs SQLite a file in memory.
    fn remove_cells(&self, message: i64) -> Result<(), StoreError> {
        let sql = "SELECT rowid FROM out_cell WHERE message = ?1";
        let cells: Vec<i64> = self.rows(sql, [message], |row| row.get(0))?;
        for cell in cells {
            self.execute("DELETE FROM out_cell WHERE rowid = ?1", [cell])?;
        }
        Ok(())
    }

    fn insert_cells(&self, message: i64, cells: &[(CellId, [u8; CELL])]) -> Result<(), StoreError> {
        for (index, (id, bytes)) in (0_u16..).zip(cells) {
            self.execute(
                "INSERT INTO out_cell (message, place, cell_id, bytes) VALUES (?1, ?2, ?3, ?4)",
                (message, index, id, bytes),
            )?;
        }
        Ok(())
    }
}

fn out_row(row: &Row<'_>) -> rusqlite::Result<OutRow> {
    Ok(OutRow {
        id: row.get(0)?,
        message: NewOut {
            kind: row.get(1)?,
            room: row.get(2)?,
            epoch: row.get(3)?,
            content: row.get(4)?,
            plain: row.get(5)?,
            queued_at: row.get(6)?,
        },
    })
}

fn outgoing(row: &Row<'_>) -> rusqlite::Result<OutgoingCell> {
    Ok(OutgoingCell {
        message: row.get(0)?,
        index: row.get(1)?,
        id: row.get(2)?,
        bytes: cell_bytes(row, 3)?,
    })
}

fn out_cell(row: &Row<'_>) -> rusqlite::Result<OutCell> {
    Ok(OutCell {
        message: row.get(0)?,
        index: row.get(1)?,
        count: row.get(2)?,
        id: row.get(3)?,
        bytes: cell_bytes(row, 4)?,
        seq: row.get(5)?,
    })
}

/// Reads a cell straight from the row's memory.
pub(super) fn cell_bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Box<[u8; CELL]>> {
    let blob = row.get_ref(column)?.as_blob()?;
    let bytes: Result<Box<[u8; CELL]>, _> = Box::<[u8]>::from(blob).try_into();
    bytes.map_err(|_| size_error(column, CELL, blob.len()))
}
