//! MLS groups (RFC 9420): the only module that names OpenMLS.
//!
//! It owns what happens inside one room: its group, its commits and their verdicts, its messages,
//! KeyPackages and Welcomes. It must never know cells, seqs, channels other than the exporter's
//! labels, the relay, the roster's entries (it asks an [`Authority`]), a clock or a screen.
//!
//! Everything is synchronous and works on one [`Provider`], built for one step over one SQL
//! transaction. **After a rollback, a [`Verdict::Retry`] or a [`Verdict::Broken`] the [`Group`] in
//! memory may be ahead of the disk: drop it and [`Group::load`] it again.**
//!
//! OpenMLS draws its randomness from `RustCrypto`, seeded by the operating system: its traits leave
//! no room for the generator that is handed in elsewhere.

mod authority;
mod cbor;
mod commit;
mod error;
mod group;
mod leaf;
mod message;
mod note;
mod packages;
mod peek;
mod proposal;
mod provider;
mod resync;
mod rights;
mod rules;
mod state;
mod storage;
mod verdict;
mod welcome;

#[cfg(test)]
pub(in crate::member) mod tests;

use openmls::prelude::Ciphersuite;

pub use authority::{Authority, Role, Standing};
pub use commit::{Built, Change};
pub use error::{Broken, CommitError, Error, Invalid, LeafFault, Refused, WelcomeFault};
pub use group::{Authenticator, Channel, Group, Member};
pub use message::Opened;
pub use note::{
    CommitNote, EpochSecret, MAX_CHECK_SECRETS, MAX_CONTROL_SECRETS, WelcomeNote, WelcomeSecrets,
};
pub use packages::{
    PackageInfo, PackageRef, UsedPackage, check_package, check_package_of, forget_package,
    new_package, package_ref,
};
pub use peek::{Kind, Peek, peek};
pub use proposal::RemovalAsked;
pub use provider::{MigrateError, Provider, migrate};
pub use resync::{REQUEST_BYTES, Resync, ResyncRequest, leaf_of_package};
pub use state::{MAX_NAME, MAX_TOPIC, RoomKind, RoomState, WhoMayAdd};
pub use storage::Deferred;
pub use verdict::{Outcome, Place, Verdict};
pub use welcome::{Invitation, Rejoin, open_welcome, open_welcome_from};

/// The one suite: X25519 with ML-KEM-768, AES-256-GCM, SHA-384, Ed25519.
const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// The most Adds one commit may carry.
pub const MAX_ADDS: usize = 16;
/// The longest leaf credential in bytes.
pub const MAX_CREDENTIAL: usize = 160;
/// The longest serialised leaf in bytes; ours take about 1,500. A longer one would make every
/// later Welcome heavier for everybody.
pub const MAX_LEAF: usize = 2_048;
/// The longest KeyPackage in bytes; ours take 2,728.
pub const MAX_PACKAGE: usize = 4_096;
/// The longest handshake message in bytes: a remove from a cold tree of 300 devices takes 400 kB.
pub const MAX_HANDSHAKE: usize = 512 * 1024;
/// The longest plaintext of an application message in bytes; rooms send 32 cells at most.
pub const MAX_PLAINTEXT: usize = 48 * 1024;
/// The longest application message in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The longest Welcome in bytes: 300 devices take 800 kB.
pub const MAX_WELCOME: usize = 1024 * 1024;
/// The longest additional data of an application message in bytes.
pub const MAX_AAD: usize = 1_024;

/// How far out of order a sender's messages may come; the log's order makes more than a few rare.
const OUT_OF_ORDER: u32 = 32;
/// How many of a sender's messages may be missing before one: bounds the key derivations that one
/// hostile message can cause.
const MAX_FORWARD: u32 = 1_000;
