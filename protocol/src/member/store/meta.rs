//! Values of which there is one: plain ones under a closed set of keys, the cursor, and the
//! device's own secret keys.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sql::{secret, size_error};
use super::{StoreError, Tx, View};
use crate::member::identity::{DeviceKeys, SigningSecret};
use crate::noise::keys::{AccessSecret, StaticSecret};
use crate::secret::Secret;
use crate::wire::ids::{Digest, LogId, Seq};

/// What may be kept as a single CBOR value. Never a secret: those have methods of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaKey {
    /// Who this profile is: team, member, device.
    Profile,
    /// The relay's key and addresses.
    Relay,
    /// Where an interrupted join stands.
    Join,
    /// The hash of one's own last-resort key package and when it was made.
    LastResort,
    /// The serial number of one's own leaf certificate.
    LeafSerial,
    /// The version and hash of the last document of rows given to the relay.
    Rows,
    /// Alarms that people have not dismissed.
    Alarms,
    /// When periodic work was last done.
    Schedule,
    /// What the person chose.
    Settings,
    /// Whether the other admins' devices are to be told something.
    AdminNews,
    /// How many cells this device has sealed.
    OwnCells,
    /// A spare relay that this admin's device looks after.
    Spare,
    /// The last drill that this admin's device has made.
    Drill,
    /// What the screen keeps: drafts, the room that was open, how it looks.
    Screen,
}

const CURSOR: i64 = 1;
const DEVICE_KEYS: i64 = 2;
const RELAY_AUTHORITY: i64 = 3;
const ROOT: i64 = 4;
const THROWAWAY: i64 = 5;
const NEXT_AUTHORITY: i64 = 6;
const SPARE_AUTHORITY: i64 = 7;

impl MetaKey {
    fn code(self) -> i64 {
        match self {
            Self::Profile => 16,
            Self::Relay => 17,
            Self::Join => 18,
            Self::LastResort => 19,
            Self::LeafSerial => 20,
            Self::Rows => 21,
            Self::Alarms => 22,
            Self::Schedule => 23,
            Self::Settings => 24,
            Self::AdminNews => 25,
            Self::OwnCells => 26,
            Self::Screen => 27,
            Self::Spare => 28,
            Self::Drill => 29,
        }
    }
}

/// How far this device has read the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The log.
    pub log: LogId,
    /// The last cell that is taken care of; 0 before the first.
    pub seq: Seq,
    /// The running hash at `seq`.
    pub hash: Digest,
}

const KEYS_VERSION: u8 = 1;
const KEYS_LEN: usize = 1 + 5 * 32;

impl View<'_> {
    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: MetaKey) -> Result<Option<T>, StoreError> {
        let bytes = self.row("SELECT value FROM meta WHERE key = ?1", [key.code()], |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
        bytes
            .map(|bytes| ciborium::from_reader(bytes.as_slice()).map_err(|_| StoreError::Damaged))
            .transpose()
    }

    /// How far this device has read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let bytes = self.row("SELECT value FROM meta WHERE key = ?1", [CURSOR], |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
        bytes.map(|bytes| Cursor::decode(&bytes).ok_or(StoreError::Damaged)).transpose()
    }

    /// This device's own keys.
    ///
    /// # Errors
    /// Those of the database.
    pub fn device_keys(&self) -> Result<Option<DeviceKeys>, StoreError> {
        self.row("SELECT value FROM meta WHERE key = ?1", [DEVICE_KEYS], |row| {
            let blob = row.get_ref(0)?.as_blob()?;
            decode_keys(blob).ok_or_else(|| size_error(0, KEYS_LEN, blob.len()))
        })
    }

    /// The key with which admins sign documents for the relay; only admins' devices have it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn relay_authority(&self) -> Result<Option<SigningSecret>, StoreError> {
        self.signing_secret(RELAY_AUTHORITY)
    }

    /// The relay authority that replaces the present one, until the relay has confirmed it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn next_authority(&self) -> Result<Option<SigningSecret>, StoreError> {
        self.signing_secret(NEXT_AUTHORITY)
    }

    /// The relay authority of the spare relay that this device looks after.
    ///
    /// # Errors
    /// Those of the database.
    pub fn spare_authority(&self) -> Result<Option<SigningSecret>, StoreError> {
        self.signing_secret(SPARE_AUTHORITY)
    }

    /// The team root key, between founding and the moment its words were shown.
    ///
    /// # Errors
    /// Those of the database.
    pub fn team_root(&self) -> Result<Option<SigningSecret>, StoreError> {
        self.signing_secret(ROOT)
    }

    /// The throwaway key with which this newcomer redeems its invite.
    ///
    /// # Errors
    /// Those of the database.
    pub fn throwaway(&self) -> Result<Option<StaticSecret>, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        let key = self.row(sql, [THROWAWAY], |row| secret::<32>(row, 0))?;
        Ok(key.map(StaticSecret::from_secret))
    }

    fn signing_secret(&self, key: i64) -> Result<Option<SigningSecret>, StoreError> {
        let seed =
            self.row("SELECT value FROM meta WHERE key = ?1", [key], |row| secret::<32>(row, 0))?;
        Ok(seed.map(|seed| SigningSecret::from_secret(&seed)))
    }
}

impl Tx<'_> {
    /// Puts `value` under `key`.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] if `value` has no CBOR form, else those of the database.
    pub fn set<T: Serialize>(&self, key: MetaKey, value: &T) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).map_err(|_| StoreError::OutOfRange)?;
        self.put(key.code(), &bytes)
    }

    /// Removes what is under `key`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete(&self, key: MetaKey) -> Result<(), StoreError> {
        self.remove(key.code())
    }

    /// Moves the cursor.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_cursor(&self, cursor: &Cursor) -> Result<(), StoreError> {
        self.put(CURSOR, &cursor.encode())
    }

    /// Keeps this device's own keys. No other place writes them anywhere.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_device_keys(&self, keys: &DeviceKeys) -> Result<(), StoreError> {
        self.put(DEVICE_KEYS, encode_keys(keys).expose())
    }

    /// Keeps the key with which admins sign documents for the relay.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_relay_authority(&self, key: &SigningSecret) -> Result<(), StoreError> {
        self.put(RELAY_AUTHORITY, key.secret().expose())
    }

    /// Keeps the relay authority of a spare relay.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_spare_authority(&self, key: &SigningSecret) -> Result<(), StoreError> {
        self.put(SPARE_AUTHORITY, key.secret().expose())
    }

    /// Keeps the key that is to replace the relay authority.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_next_authority(&self, key: &SigningSecret) -> Result<(), StoreError> {
        self.put(NEXT_AUTHORITY, key.secret().expose())
    }

    /// Forgets the key that was to replace the relay authority.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_next_authority(&self) -> Result<(), StoreError> {
        self.remove(NEXT_AUTHORITY)
    }

    /// Forgets the relay authority key, when it was replaced and this device has no right to the
    /// new one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_relay_authority(&self) -> Result<(), StoreError> {
        self.remove(RELAY_AUTHORITY)
    }

    /// Keeps the team root key of an interrupted founding. It must not stay: see
    /// [`Tx::delete_team_root`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_team_root(&self, key: &SigningSecret) -> Result<(), StoreError> {
        self.put(ROOT, key.secret().expose())
    }

    /// Forgets the team root key, once its words were shown.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_team_root(&self) -> Result<(), StoreError> {
        self.remove(ROOT)
    }

    /// Keeps the throwaway key of a newcomer: the invite binds to it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_throwaway(&self, key: &StaticSecret) -> Result<(), StoreError> {
        self.put(THROWAWAY, key.secret().expose())
    }

    /// Forgets the throwaway key, once the newcomer is a device.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_throwaway(&self) -> Result<(), StoreError> {
        self.remove(THROWAWAY)
    }

    fn put(&self, key: i64, value: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO meta (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )?;
        Ok(())
    }

    fn remove(&self, key: i64) -> Result<(), StoreError> {
        self.execute("DELETE FROM meta WHERE key = ?1", [key])?;
        Ok(())
    }
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        [self.log.0.as_slice(), &self.seq.to_be_bytes(), &self.hash.0].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (log, rest) = bytes.split_first_chunk()?;
        let (seq, hash) = rest.split_first_chunk()?;
        Some(Self {
            log: LogId(*log),
            seq: u64::from_be_bytes(*seq),
            hash: Digest::from_slice(hash)?,
        })
    }
}

/// The one encoder of secret keys: version 1 | identity | leaf | direct | transport | access.
fn encode_keys(keys: &DeviceKeys) -> Secret<KEYS_LEN> {
    let (identity, leaf) = (keys.identity.secret(), keys.leaf.secret());
    let parts = [
        identity.expose(),
        leaf.expose(),
        keys.direct.secret().expose(),
        keys.transport.secret().expose(),
        keys.access.secret().expose(),
    ];
    Secret::filled(|out: &mut [u8; KEYS_LEN]| {
        let (version, rest) = out.split_at_mut(1);
        version.fill(KEYS_VERSION);
        for (place, part) in rest.chunks_exact_mut(32).zip(parts) {
            place.copy_from_slice(part);
        }
    })
}

fn decode_keys(blob: &[u8]) -> Option<DeviceKeys> {
    let (version, rest) = blob.split_first()?;
    if *version != KEYS_VERSION || blob.len() != KEYS_LEN {
        return None;
    }
    let mut parts = rest.chunks_exact(32).map(Secret::<32>::copy);
    let mut next = || parts.next().flatten();
    Some(DeviceKeys {
        identity: SigningSecret::from_secret(&next()?),
        leaf: SigningSecret::from_secret(&next()?),
        direct: StaticSecret::from_secret(next()?),
        transport: StaticSecret::from_secret(next()?),
        access: AccessSecret::from_secret(next()?),
    })
}
