//! ROWS documents: the signed changes of a relay's registry.
//!
//! A relay can refuse a document; it cannot make one, and so cannot enlarge the team.

use blake2::{Blake2s256, Digest as _};
use bytes::Bytes;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::codec::{Reader, WireError, Writer};
use super::ids::{Digest, TeamId};
use super::limits::{MAX_ADDRESS, MAX_ADDRESSES, MAX_ROWS};
use crate::noise::keys::{AccessSecret, TransportHash};
use crate::secret::Secret;

const LABEL: &[u8] = b"staffetta 1 rows\0";
const LAYOUT: u8 = 1;

/// A row to add: what the relay knows of one device.
pub struct Row {
    /// The device's access secret.
    pub access: AccessSecret,
    /// The device's transport key, hashed under the access secret.
    pub transport: TransportHash,
    /// Whether the device is an admin's, and so may send ROWS and INVITE.
    pub admin: bool,
}

/// Who signed a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsSigner {
    /// The relay authority named by the document before.
    Authority,
    /// The team root, which outranks the authority.
    Root,
}

/// The first document of a registry also claims the relay for a team.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The team's id; the running hash starts from it.
    pub team: TeamId,
    /// The team root's Ed25519 public key.
    pub root: [u8; 32],
}

/// One version of a registry, as a change of the version before.
pub struct RowsDocument {
    /// Counts from 1; the next document has the next number.
    pub version: u64,
    /// BLAKE2s-256 of the signed document before; zeros in version 1.
    pub previous: Digest,
    /// Present in version 1 and in no other.
    pub claim: Option<Claim>,
    /// The relay authority's Ed25519 public key from this version on.
    pub authority: [u8; 32],
    /// Rows to add.
    pub added: Vec<Row>,
    /// Rows to remove, by their transport hash.
    pub removed: Vec<TransportHash>,
    /// The relay's addresses that the team uses.
    pub addresses: Vec<String>,
}

/// A signed document as it travels in ROWS and stands in the registry.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRows(pub Bytes);

impl RowsDocument {
    /// Encodes and signs the document.
    ///
    /// # Errors
    /// [`WireError::Limit`] if there are more rows or addresses than [`MAX_ROWS`] and
    /// [`MAX_ADDRESSES`].
    pub fn sign(&self, signer: RowsSigner, key: &Secret<32>) -> Result<SignedRows, WireError> {
        let mut out = Writer::default();
        out.u8(LAYOUT).u8(match signer {
            RowsSigner::Authority => 0,
            RowsSigner::Root => 1,
        });
        out.u64(self.version).put(&self.previous.0);
        match &self.claim {
            None => out.u8(0),
            Some(claim) => out.u8(1).put(&claim.team.0).put(&claim.root),
        };
        out.put(&self.authority);
        out.count16(self.added.len(), MAX_ROWS)?;
        for row in &self.added {
            out.put(row.access.secret().expose()).put(&row.transport.0.0).u8(row.admin.into());
        }
        out.count16(self.removed.len(), MAX_ROWS)?;
        for transport in &self.removed {
            out.put(&transport.0.0);
        }
        out.count16(self.addresses.len(), MAX_ADDRESSES)?;
        for address in &self.addresses {
            out.bytes16(address.as_bytes(), MAX_ADDRESS)?;
        }
        let mut document = out.finish();
        let signature = SigningKey::from_bytes(key.expose()).sign(&[LABEL, &document].concat());
        document.extend_from_slice(&signature.to_bytes());
        Ok(SignedRows(document.into()))
    }
}

impl SignedRows {
    /// The hash that the next document names.
    pub fn hash(&self) -> Digest {
        Digest(Blake2s256::digest(&self.0).into())
    }

    /// Reads the document and checks its signature with the key that `key` returns for its
    /// signer and what it says; `None` from `key` refuses.
    ///
    /// # Errors
    /// A [`WireError`]; [`WireError::Value`] also stands for a wrong signature.
    pub fn verify(
        &self,
        key: impl FnOnce(RowsSigner, &RowsDocument) -> Option<[u8; 32]>,
    ) -> Result<RowsDocument, WireError> {
        let split = self.0.len().checked_sub(64).ok_or(WireError::Truncated)?;
        let (body, signature) = (self.0.slice(..split), self.0.slice(split..));
        let (signer, document) = Self::decode(body.clone())?;
        let key = key(signer, &document).ok_or(WireError::Value)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| WireError::Value)?;
        let signature = Signature::from_slice(&signature).map_err(|_| WireError::Value)?;
        key.verify_strict(&[LABEL, &body].concat(), &signature).map_err(|_| WireError::Value)?;
        Ok(document)
    }

    fn decode(body: Bytes) -> Result<(RowsSigner, RowsDocument), WireError> {
        let mut read = Reader::new(body);
        if read.u8()? != LAYOUT {
            return Err(WireError::Value);
        }
        let signer = match read.u8()? {
            0 => RowsSigner::Authority,
            1 => RowsSigner::Root,
            _ => return Err(WireError::Value),
        };
        let version = read.u64()?;
        let previous = Digest(read.array()?);
        let claim = match read.u8()? {
            0 => None,
            1 => Some(Claim { team: TeamId(read.array()?), root: read.array()? }),
            _ => return Err(WireError::Value),
        };
        let authority = read.array()?;
        let mut added = Vec::new();
        for _ in 0..read.count16(MAX_ROWS)? {
            added.push(Row {
                access: AccessSecret::from_secret(Secret::take(&mut read.array()?)),
                transport: TransportHash(Digest(read.array()?)),
                admin: match read.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(WireError::Value),
                },
            });
        }
        let mut removed = Vec::new();
        for _ in 0..read.count16(MAX_ROWS)? {
            removed.push(TransportHash(Digest(read.array()?)));
        }
        let mut addresses = Vec::new();
        for _ in 0..read.count16(MAX_ADDRESSES)? {
            addresses.push(read.text16(MAX_ADDRESS)?);
        }
        read.finish()?;
        Ok((
            signer,
            RowsDocument { version, previous, claim, authority, added, removed, addresses },
        ))
    }
}
