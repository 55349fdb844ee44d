//! The relay that the team goes on with if the present one is gone, named before anything happens.

use ciborium::Value;

use super::action::read_places;
use super::cbor::{Fields, bytes, text, uint};
use super::chain::Roster;
use super::error::RosterError;
use crate::noise::keys::StaticPublic;
use crate::wire::ids::LogId;

/// The shortest time without the present relay, in seconds, after which devices go to the next.
pub const MIN_AFTER_S: u32 = 5;
/// The longest: seven days.
pub const MAX_AFTER_S: u32 = 7 * 24 * 3_600;

/// Which relay is the next, how to know it, and when to go there.
#[derive(Clone, PartialEq, Eq)]
pub struct NextRelay {
    /// Its static key.
    pub relay: StaticPublic,
    /// `HOST:PORT` each, best first, up to four; none takes back what an earlier entry named.
    pub addresses: Vec<String>,
    /// The id of its log, which is not begun.
    pub log: LogId,
    /// Seconds without the present relay after which a device goes there.
    pub after_s: u32,
}

// Addresses stay out of logs.
impl std::fmt::Debug for NextRelay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NextRelay(..)")
    }
}

impl NextRelay {
    pub(super) fn to_values(&self) -> Vec<Value> {
        let addresses = self.addresses.iter().map(|address| text(address)).collect();
        vec![bytes(&self.relay.0), Value::Array(addresses), bytes(&self.log.0), uint(self.after_s)]
    }

    pub(super) fn read(from: &mut Fields) -> Option<Self> {
        let relay = StaticPublic(from.array()?);
        let addresses = read_places(from)?;
        let next = Self { relay, addresses, log: LogId(from.array()?), after_s: from.u32()? };
        (MIN_AFTER_S..=MAX_AFTER_S).contains(&next.after_s).then_some(next)
    }
}

impl Roster {
    /// The relay that the team goes on with if the present one is gone, if an admin named one.
    pub fn next_relay(&self) -> Option<&NextRelay> {
        let is_one =
            |next: &&NextRelay| !next.addresses.is_empty() && self.permit_next(next).is_ok();
        self.next.as_ref().filter(is_one)
    }

    /// A log that the team has had is no next one.
    pub(super) fn permit_next(&self, next: &NextRelay) -> Result<(), RosterError> {
        let known = self.log() == Some(&next.log) || self.has_left(&next.log);
        if known { Err(RosterError::NotAllowed) } else { Ok(()) }
    }
}
