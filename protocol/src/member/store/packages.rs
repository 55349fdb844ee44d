//! Other devices' key packages, ready for adding them to rooms.

use super::sql::size_error;
use super::{StoreError, Tx, View};
use crate::member::e2ee::PackageRef;
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

    /// How many KeyPackages a device was given since a time, in unix seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn packages_given(&self, to: &DeviceId, since: u64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM own_package WHERE given_to = ?1 AND at >= ?2";
        self.count(sql, (to, since))
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

    /// Takes a package of a device that came at `since` or later, in unix seconds: a single-use one
    /// chosen by `pick`, which is forgotten, else the last-resort one, which stays. The flag says
    /// whether it is the last-resort one. Two adders who do not know of each other choose the same
    /// one rarely if `pick` is random.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_package(
        &self,
        device: &DeviceId,
        pick: u64,
        since: u64,
    ) -> Result<Option<(Vec<u8>, bool)>, StoreError> {
        let count =
            "SELECT count(*) FROM package WHERE device = ?1 AND last_resort = 0 AND at >= ?2";
        let single_use = self.count(count, (device, since))?;
        let sql = "SELECT id, bytes, last_resort FROM package WHERE device = ?1 AND at >= ?3
                   ORDER BY last_resort, id LIMIT 1 OFFSET ?2";
        let offset = pick.checked_rem(single_use).unwrap_or(0);
        let found: Option<(i64, Vec<u8>, bool)> =
            self.row(sql, (device, offset, since), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
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

    /// Notes a KeyPackage of this device, made at `at` in unix seconds: for the pool, or for the one
    /// other device that asked for it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_own_package(
        &self,
        reference: &PackageRef,
        last_resort: bool,
        given_to: Option<&DeviceId>,
        at: u64,
    ) -> Result<(), StoreError> {
        // One that was given away is in no pool that could be replaced.
        self.execute(
            "INSERT OR REPLACE INTO own_package (reference, last_resort, given_to, at, replaced)
             VALUES (?1, ?2, ?3, ?4, CASE WHEN ?3 IS NULL THEN NULL ELSE ?4 END)",
            (reference.0.as_slice(), last_resort, given_to, at),
        )?;
        Ok(())
    }

    /// Notes that a Welcome used a single-use KeyPackage of the own pool at `at`, in unix seconds;
    /// false if it is none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_package_drawn(&self, reference: &PackageRef, at: u64) -> Result<bool, StoreError> {
        let drawn = self.execute(
            "UPDATE own_package SET used = ifnull(used, ?2)
             WHERE reference = ?1 AND last_resort = 0 AND given_to IS NULL",
            (reference.0.as_slice(), at),
        )?;
        Ok(drawn > 0)
    }

    /// The own pool is replaced, with its last-resort KeyPackage or without.
    ///
    /// # Errors
    /// Those of the database.
    pub fn replace_own_packages(&self, last_resort: bool, at: u64) -> Result<(), StoreError> {
        self.execute(
            "UPDATE own_package SET replaced = ?2 WHERE replaced IS NULL AND last_resort <= ?1",
            (last_resort, at),
        )?;
        Ok(())
    }

    /// Takes out the own KeyPackages that were replaced before one time, or used before another, in
    /// unix seconds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn take_own_packages_before(
        &self,
        replaced: u64,
        used: u64,
    ) -> Result<Vec<PackageRef>, StoreError> {
        let sql = "DELETE FROM own_package WHERE replaced < ?1 OR used < ?2 RETURNING reference";
        self.rows(sql, [replaced, used], |row| {
            let reference = row.get_ref(0)?.as_blob()?;
            let whole = <[u8; 48]>::try_from(reference);
            whole.map(PackageRef).map_err(|_| size_error(0, 48, reference.len()))
        })
    }
}
