//! The roster: a hash chain of signed entries that says who is in the team, with which devices
//! and which rights. Names exist only here.
//!
//! This module owns the entries' format, the rights and the folded state. It must never know a
//! clock, a database, MLS or the relay: the same entries in the same order give the same roster
//! on every device.

mod action;
pub(crate) mod cbor;
mod chain;
mod entry;
mod error;
pub(crate) mod nearest;
mod next;
mod queries;
mod rewind;
mod rules;
mod vouch;

#[cfg(test)]
pub(crate) mod tests;

pub use action::{Action, AddDevice, Author, MAX_POLICY_BYTES, MAX_REWOUND, MAX_VOUCHED};
pub use chain::{
    Applied, Checked, Device, MAX_DEVICES, MAX_ENTRIES, MAX_POLICIES, Member, Relay, Roster,
};
pub use entry::{Entry, MAX_ENTRY_BYTES, MAX_SIGNED_BYTES, SignedEntry};
pub use error::{EntryError, RosterError};
pub use next::{MAX_AFTER_S, MIN_AFTER_S, NextRelay};
pub use rules::{Name, NameError};

pub use crate::invite_code::{Language, Role, RosterHead};
