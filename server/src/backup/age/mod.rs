//! The file format `age-encryption.org/v1` with X25519 recipients (C2SP `age.md`).
//!
//! Only what backups need: one recipient, no passphrases, no armour. The primitives are those the
//! relay links anyway; nothing here is secret but file keys and identities.

mod header;
mod keys;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use self::keys::{Identity, Recipient};
pub(crate) use self::stream::{Opener, Sealer};
