//! Room state: what a room's members agree on, in the group context and so in every key.

use openmls::prelude::{
    CredentialType, Extension, ExtensionType, Extensions, GroupContext, InvalidExtensionError,
    RequiredCapabilitiesExtension, UnknownExtension,
};

use super::cbor;

/// The GroupContext extension that holds the room state (RFC 9420 section 17.3, private use).
pub(super) const ROOM_STATE: u16 = 0xF5A1;

/// The longest room name in bytes of UTF-8.
pub const MAX_NAME: usize = 128;
/// The longest topic in bytes of UTF-8.
pub const MAX_TOPIC: usize = 512;
/// The longest encoding in bytes.
const MAX_STATE: usize = MAX_NAME + MAX_TOPIC + 32;
const VERSION: u8 = 1;

/// What a group is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomKind {
    /// A named room.
    Room,
    /// Two members with all their devices.
    Direct,
    /// The hidden room of all devices: roster entries and KeyPackages.
    Control,
    /// The admins' own hidden room.
    Admins,
}

/// Who may add members to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhoMayAdd {
    /// Every person in the room.
    Members,
    /// Admins of the team.
    Admins,
}

/// A room's state, equal for all its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// The name, at most [`MAX_NAME`] bytes; empty for direct and hidden rooms.
    pub name: String,
    /// What the room is about, at most [`MAX_TOPIC`] bytes.
    pub topic: String,
    /// What it is for; fixed at creation.
    pub kind: RoomKind,
    /// Who may add.
    pub who_may_add: WhoMayAdd,
    /// How long devices keep its messages, in seconds.
    pub lifetime_s: u32,
}

impl RoomState {
    /// The deterministic CBOR array `[1, name, topic, kind, who, lifetime]`; `None` if a text is
    /// too long.
    pub fn encode(&self) -> Option<Vec<u8>> {
        if self.name.len() > MAX_NAME || self.topic.len() > MAX_TOPIC {
            return None;
        }
        let kind: u8 = match self.kind {
            RoomKind::Room => 0,
            RoomKind::Direct => 1,
            RoomKind::Control => 2,
            RoomKind::Admins => 3,
        };
        let who: u8 = match self.who_may_add {
            WhoMayAdd::Members => 0,
            WhoMayAdd::Admins => 1,
        };
        Some(cbor::encode(&(VERSION, &self.name, &self.topic, kind, who, self.lifetime_s)))
    }

    /// Reads what [`RoomState::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, name, topic, kind, who, lifetime_s) =
            cbor::decode::<(u8, String, String, u8, u8, u32)>(bytes, MAX_STATE)?;
        let kind = match kind {
            0 => RoomKind::Room,
            1 => RoomKind::Direct,
            2 => RoomKind::Control,
            3 => RoomKind::Admins,
            _ => return None,
        };
        let who_may_add = match who {
            0 => WhoMayAdd::Members,
            1 => WhoMayAdd::Admins,
            _ => return None,
        };
        let fits = version == VERSION && name.len() <= MAX_NAME && topic.len() <= MAX_TOPIC;
        fits.then_some(Self { name, topic, kind, who_may_add, lifetime_s })
    }
}

/// What every leaf of a room must be able to do.
fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(ROOM_STATE)],
        &[],
        &[CredentialType::Basic],
    )
}

/// The two extensions of a room's group context.
pub(super) fn context(encoded: Vec<u8>) -> Result<Extensions<GroupContext>, InvalidExtensionError> {
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required()),
        Extension::Unknown(ROOM_STATE, UnknownExtension(encoded)),
    ])
}

/// The room state of a group context that holds exactly our two extensions: anything more, such as
/// external senders, would let strangers in.
pub(super) fn of_context(extensions: &Extensions<GroupContext>) -> Option<RoomState> {
    if extensions.iter().count() != 2 || extensions.required_capabilities() != Some(&required()) {
        return None;
    }
    RoomState::decode(&extensions.unknown(ROOM_STATE)?.0)
}
