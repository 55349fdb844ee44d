//! Invite codes and the sealed bundle behind them: what a founder's or a newcomer's device needs
//! before it knows anybody, and what the relay's `init` makes.
//!
//! This module knows the text of a code, the keys that derive from its secret, and the bundle's
//! layout. It must never know rosters, MLS or the newcomer's keys; it reads no clock and opens no
//! connection.

mod bundle;
mod code;
mod host;
pub(crate) mod reader;
mod symbols;

#[cfg(test)]
mod tests;

pub use bundle::{
    Bundle, BundleError, Invitation, Language, MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_BUNDLE_BYTES,
    MAX_NAME_BYTES, MAX_NAME_CHARS, NO_EXPIRY, Role, RosterHead, TeamRoot, is_plain,
};
pub use code::{BundleKey, CodeError, DEFAULT_PORT, GROUPS, InviteCode, InviteKeys, JoinKey};
pub use host::{Host, HostError};
