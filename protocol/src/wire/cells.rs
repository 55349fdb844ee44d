//! A run of cells with their ids, shared and contiguous, exactly as it stands on the wire.

use bytes::Bytes;

use super::codec::WireError;
use super::ids::CellId;
use super::limits::{CELL, CELL_RECORD};

/// Consecutive cells as records of `cell id 16 | cell 1024`, in one shared buffer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cells(Bytes);

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cells({})", self.len())
    }
}

impl Cells {
    /// Takes over records; their length must be a multiple of [`CELL_RECORD`].
    pub fn from_records(records: Bytes) -> Result<Self, WireError> {
        if records.len().is_multiple_of(CELL_RECORD) {
            Ok(Self(records))
        } else {
            Err(WireError::Truncated)
        }
    }

    /// Copies cells into one run.
    pub fn collect<'a>(cells: impl IntoIterator<Item = (CellId, &'a [u8; CELL])>) -> Self {
        let mut records = Vec::new();
        for (id, cell) in cells {
            records.extend_from_slice(&id.0);
            records.extend_from_slice(cell);
        }
        Self(records.into())
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.0.len() / CELL_RECORD
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The records.
    pub fn records(&self) -> &Bytes {
        &self.0
    }

    /// The cells from the `from`th (counting from 0) up to but not including the `to`th, sharing
    /// this run's memory. Bounds beyond the end are brought back to the end.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        Self(self.0.slice(from * CELL_RECORD..to * CELL_RECORD))
    }

    /// Each cell with its id, in order.
    pub fn iter(&self) -> impl Iterator<Item = (CellId, &[u8; CELL])> {
        self.0.chunks_exact(CELL_RECORD).filter_map(|record| {
            let (id, cell) = record.split_at_checked(CellId::LEN)?;
            Some((CellId::from_slice(id)?, cell.try_into().ok()?))
        })
    }
}
