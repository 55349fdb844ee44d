//! What this device remembers of others: when they were last seen, and which it is asked to revoke.

use super::{StoreError, Tx, View};
use crate::wire::ids::DeviceId;

impl View<'_> {
    /// The day, since 1970, on which each device was last seen to do something.
    ///
    /// # Errors
    /// Those of the database.
    pub fn seen_days(&self) -> Result<Vec<(DeviceId, u64)>, StoreError> {
        self.rows("SELECT device, day FROM seen ORDER BY device", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// Whether this device's person compared words with another.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_marked(&self, device: &DeviceId) -> Result<bool, StoreError> {
        let found = self.row("SELECT 1 FROM marked WHERE device = ?1", [device], |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// The devices that their members asked to be revoked, and when, in unix seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn errands(&self) -> Result<Vec<(DeviceId, u64)>, StoreError> {
        self.rows("SELECT device, at FROM errand ORDER BY device", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }
}

impl Tx<'_> {
    /// A device did something on this day; an earlier day changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_seen(&self, device: &DeviceId, day: u64) -> Result<(), StoreError> {
        self.execute(
            // Said with every message, and written once a day.
            "INSERT INTO seen (device, day) VALUES (?1, ?2)
             ON CONFLICT (device) DO UPDATE SET day = excluded.day WHERE excluded.day > day",
            (device, day),
        )?;
        Ok(())
    }

    /// This device's person compared words with another, in unix seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn mark_verified(&self, device: &DeviceId, at: u64) -> Result<(), StoreError> {
        self.execute("INSERT OR IGNORE INTO marked (device, at) VALUES (?1, ?2)", (device, at))?;
        Ok(())
    }

    /// Remembers to revoke a device; the first time counts.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_errand(&self, device: &DeviceId, at: u64) -> Result<(), StoreError> {
        self.execute("INSERT OR IGNORE INTO errand (device, at) VALUES (?1, ?2)", (device, at))?;
        Ok(())
    }

    /// The device is revoked, or need not be.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_errand(&self, device: &DeviceId) -> Result<(), StoreError> {
        self.execute("DELETE FROM errand WHERE device = ?1", [device])?;
        Ok(())
    }
}
