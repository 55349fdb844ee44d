//! Other devices' key packages, ready for adding them to rooms.

use super::{StoreError, Tx, View};
use crate::wire::ids::{DeviceId, Digest};

/// How many single-use packages of one device are kept; the oldest go first. A device keeps 8 in
/// the control room, so that a fresh pool fits beside an old one.
pub const MAX_PACKAGES_PER_DEVICE: u32 = 16;

/// What there is of one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackageCount {
    /// How many single-use packages.
    pub single_use: u64,
    /// Whether there is a last-resort package.
    pub last_resort: bool,
}

impl View<'_> {
    /// How many packages of a device there are.
    ///
    /// # Errors
    /// Those of the database.
    pub fn package_count(&self, device: &DeviceId) -> Result<PackageCount, StoreError> {
        let sql = "SELECT count(*) FROM package WHERE device = ?1 AND last_resort = ?2";
        Ok(PackageCount {
            single_use: self.count(sql, (device, false))?,
            last_resort: self.count(sql, (device, true))? > 0,
        })
    }

    /// Every device's last-resort package, for a newcomer's snapshot.
    ///
    /// # Errors
    /// Those of the database.
    pub fn last_resorts(&self) -> Result<Vec<(DeviceId, Vec<u8>)>, StoreError> {
        let sql = "SELECT device, bytes FROM package WHERE last_resort = 1 ORDER BY device";
        self.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

impl Tx<'_> {
    /// Keeps a package that was checked; `hash` names it, `at` is in unix seconds. A last-resort
    /// package takes the place of an earlier one. A package known already is not kept twice.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_package(
        &self,
        device: &DeviceId,
        hash: &Digest,
        bytes: &[u8],
        last_resort: bool,
        at: u64,
    ) -> Result<(), StoreError> {
        if last_resort {
            self.execute("DELETE FROM package WHERE device = ?1 AND last_resort = 1", [device])?;
        }
        self.execute(
            "INSERT OR IGNORE INTO package (device, hash, bytes, last_resort, at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (device, hash, bytes, last_resort, at),
        )?;
        self.execute(
            "DELETE FROM package WHERE device = ?1 AND last_resort = 0 AND id NOT IN
             (SELECT id FROM package WHERE device = ?1 AND last_resort = 0
              ORDER BY id DESC LIMIT ?2)",
            (device, MAX_PACKAGES_PER_DEVICE),
        )?;
        Ok(())
    }

    /// Takes a package of a device: a single-use one chosen by `pick`, which is forgotten, else the
    /// last-resort one, which stays. The flag says whether it is the last-resort one. Two adders
    /// who do not know of each other choose the same one rarely if `pick` is random.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_package(
        &self,
        device: &DeviceId,
        pick: u64,
    ) -> Result<Option<(Vec<u8>, bool)>, StoreError> {
        let single_use = self.package_count(device)?.single_use;
        let sql = "SELECT id, bytes, last_resort FROM package WHERE device = ?1
                   ORDER BY last_resort, id LIMIT 1 OFFSET ?2";
        let offset = pick.checked_rem(single_use).unwrap_or(0);
        let found: Option<(i64, Vec<u8>, bool)> =
            self.row(sql, (device, offset), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let Some((id, bytes, last_resort)) = found else { return Ok(None) };
        if !last_resort {
            self.execute("DELETE FROM package WHERE id = ?1", [id])?;
        }
        Ok(Some((bytes, last_resort)))
    }

    /// Forgets a single-use package that somebody else has used.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_package(&self, hash: &Digest) -> Result<(), StoreError> {
        self.execute("DELETE FROM package WHERE hash = ?1 AND last_resort = 0", [hash])?;
        Ok(())
    }

    /// Forgets a device's single-use packages, when it posts a new pool.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_packages_of_pool(&self, device: &DeviceId) -> Result<(), StoreError> {
        self.execute("DELETE FROM package WHERE device = ?1 AND last_resort = 0", [device])?;
        Ok(())
    }

    /// Forgets all packages of a device that is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_packages_of(&self, device: &DeviceId) -> Result<(), StoreError> {
        self.execute("DELETE FROM package WHERE device = ?1", [device])?;
        Ok(())
    }
}
