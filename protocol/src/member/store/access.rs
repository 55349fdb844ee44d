//! The relay's current rows, which admins' devices keep to refill an empty relay.

use super::sql::{closed_debug, secret};
use super::{StoreError, Tx, View};
use crate::noise::keys::{AccessSecret, TransportHash};
use crate::wire::ids::DeviceId;

/// One device's row at the relay. It holds a secret, so it can be neither copied nor printed.
pub struct AccessRow {
    /// The device, which the relay does not know.
    pub device: DeviceId,
    /// The device's access secret A.
    pub access: AccessSecret,
    /// What binds the device's transport key to A.
    pub transport: TransportHash,
    /// Whether the row may use admins' operations.
    pub admin: bool,
}

closed_debug!(AccessRow);

impl View<'_> {
    /// All rows, by device.
    ///
    /// # Errors
    /// Those of the database.
    pub fn access_rows(&self) -> Result<Vec<AccessRow>, StoreError> {
        let sql = "SELECT device, secret, transport, admin FROM access ORDER BY device";
        self.rows(sql, [], |row| {
            Ok(AccessRow {
                device: row.get(0)?,
                access: AccessSecret::from_secret(secret(row, 1)?),
                transport: TransportHash(row.get(2)?),
                admin: row.get(3)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Adds or replaces a device's row.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_access_row(&self, row: &AccessRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO access (device, secret, transport, admin)
             VALUES (?1, ?2, ?3, ?4)",
            (row.device, row.access.secret().expose(), row.transport.0, row.admin),
        )?;
        Ok(())
    }

    /// Removes a device's row; false if there was none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove_access_row(&self, device: &DeviceId) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM access WHERE device = ?1", [device])? > 0)
    }
}
