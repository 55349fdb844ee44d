//! Unfinished fragments: messages of several cells whose last has not come yet.

use super::sql::closed_debug;
use super::{StoreError, Tx, View};
use crate::wire::ids::Seq;

/// A chain begun by a first fragment.
#[derive(Clone)]
pub struct NewChain {
    /// The channel's number.
    pub channel: i64,
    /// The place of the first fragment.
    pub first: Seq,
    /// The kind in the fragments' headers.
    pub kind: u8,
    /// How many fragments there are.
    pub count: u16,
    /// The index of the fragment to come.
    pub next_index: u16,
    /// The hash that the fragment to come must have.
    pub expects: [u8; 16],
    /// The content so far.
    pub content: Vec<u8>,
}

/// An unfinished chain as it is kept.
#[derive(Clone)]
pub struct ChainRow {
    /// Its number on this device.
    pub id: i64,
    /// What it holds.
    pub chain: NewChain,
}

closed_debug!(NewChain, ChainRow);

impl View<'_> {
    /// The unfinished chains of a channel, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn chains(&self, channel: i64) -> Result<Vec<ChainRow>, StoreError> {
        let sql = "SELECT id, channel, first, kind, count, next_index, expects, content
                   FROM chain WHERE channel = ?1 ORDER BY id";
        self.rows(sql, [channel], |row| {
            Ok(ChainRow {
                id: row.get(0)?,
                chain: NewChain {
                    channel: row.get(1)?,
                    first: row.get(2)?,
                    kind: row.get(3)?,
                    count: row.get(4)?,
                    next_index: row.get(5)?,
                    expects: row.get(6)?,
                    content: row.get(7)?,
                },
            })
        })
    }

    /// How many unfinished chains a channel has.
    ///
    /// # Errors
    /// Those of the database.
    pub fn chain_count(&self, channel: i64) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM chain WHERE channel = ?1", [channel])
    }
}

impl Tx<'_> {
    /// Keeps a chain and returns its number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn insert_chain(&self, chain: &NewChain) -> Result<i64, StoreError> {
        self.insert(
            "INSERT INTO chain (channel, first, kind, count, next_index, expects, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                chain.channel,
                chain.first,
                chain.kind,
                chain.count,
                chain.next_index,
                chain.expects,
                &chain.content,
            ),
        )
    }

    /// Keeps what a chain has become by one more fragment: its next index, expected hash and
    /// content.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRow`], else those of the database.
    pub fn advance_chain(&self, row: &ChainRow) -> Result<(), StoreError> {
        let changed = self.execute(
            "UPDATE chain SET next_index = ?2, expects = ?3, content = ?4 WHERE id = ?1",
            (row.id, row.chain.next_index, row.chain.expects, &row.chain.content),
        )?;
        if changed == 0 { Err(StoreError::NoSuchRow) } else { Ok(()) }
    }

    /// Forgets a chain, when it is complete.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_chain(&self, id: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM chain WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Forgets every chain whose first fragment came before `seq`, and says how many.
    ///
    /// # Errors
    /// Those of the database.
    pub fn void_chains_before(&self, seq: Seq) -> Result<usize, StoreError> {
        self.execute("DELETE FROM chain WHERE first < ?1", [seq])
    }
}
