//! What everybody would say to a change, asked before it is made.

use super::authority::{Authority, actor, may_remove};
use super::group::Group;
use super::state::RoomState;
use crate::wire::ids::DeviceId;

impl Group {
    /// Whether `by` may add `device` here, as the roster stands.
    pub fn may_add(&self, authority: &dyn Authority, by: &DeviceId, device: &DeviceId) -> bool {
        match (actor(authority, by), actor(authority, device)) {
            (Some(by), Some(device)) => self.state.may_commit(by) && self.state.may_add(by, device),
            _ => false,
        }
    }

    /// Whether `by` may remove `device` here, as the roster stands.
    pub fn may_remove(&self, authority: &dyn Authority, by: &DeviceId, device: &DeviceId) -> bool {
        actor(authority, by)
            .is_some_and(|by| self.state.may_commit(by) && may_remove(by, actor(authority, device)))
    }

    /// Whether `by` may give the room this state, as the roster stands.
    pub fn may_become(&self, authority: &dyn Authority, by: &DeviceId, new: &RoomState) -> bool {
        actor(authority, by).is_some_and(|by| self.state.may_become(new, by))
    }
}
