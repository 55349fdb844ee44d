//! What an entry does, and how it is written.

use ciborium::Value;

use super::cbor::{Fields, as_array, as_u64, bytes, optional, text, uint};
use super::error::EntryError;
use super::next::NextRelay;
use super::rules::Name;
use crate::invite_code::{Language, MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_NAME_BYTES, Role};
use crate::member::identity::{DevicePublic, SigningPublic};
use crate::noise::keys::StaticPublic;
use crate::wire::ids::{DeviceId, Digest, InviteId, LogId, MemberId, RoomId, Seq};

/// Most entries one `rewind` names.
pub const MAX_REWOUND: usize = 128;
/// Most devices that one `vouch` names.
pub const MAX_VOUCHED: usize = 16;
/// Longest name of a policy in bytes.
pub const MAX_POLICY_BYTES: usize = 40;

/// Who signs an entry or vouches for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The team root.
    Root,
    /// A device of the roster, with its identity key.
    Device(DeviceId),
}

/// What an entry does. Times are unix seconds.
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// Entry 0: begins the team.
    Found {
        /// The team root, which signs this entry.
        root: SigningPublic,
        /// The team's name.
        team: Name,
        /// The language of the team's words.
        language: Language,
    },
    /// Takes a device in.
    AddDevice(Box<AddDevice>),
    /// Puts a device out, for good.
    Revoke {
        /// The device.
        device: DeviceId,
    },
    /// Gives a member another role.
    Role {
        /// The member.
        member: MemberId,
        /// The role from here on.
        role: Role,
    },
    /// Says which relay the team uses and where it is.
    RelayAddresses {
        /// Its static key.
        relay: StaticPublic,
        /// `HOST:PORT` each, best first, one to four.
        addresses: Vec<String>,
    },
    /// Accepts a restored or replaced log.
    LogChange {
        /// The log that ended.
        old: LogId,
        /// Its last seq that counts.
        seq: Seq,
        /// Its running hash there.
        hash: Digest,
        /// The log that continues it.
        new: LogId,
    },
    /// Begins a room anew without the device whose commit broke it.
    RoomRestart {
        /// The room.
        room: RoomId,
        /// The device left out.
        without: DeviceId,
    },
    /// Sets a policy of the team; unknown names are kept.
    Policy {
        /// 1 to 40 bytes of printable ASCII.
        name: String,
        /// Its value; what it means is the policy's.
        value: u64,
    },
    /// Says that the author's person compared safety words with these devices' person.
    Vouch {
        /// The devices, one to sixteen, ascending.
        devices: Vec<DeviceId>,
    },
    /// Names the relay to which the team goes on if the present one is gone.
    NextRelay(NextRelay),
    /// Undoes the effects of entries from here on; the root's only.
    Rewind {
        /// Their numbers, ascending.
        numbers: Vec<u32>,
    },
}

// Addresses and names stay out of logs.
impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Action({})", self.kind())
    }
}

/// A device that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddDevice {
    /// Whose it is; a new id makes a new member.
    pub member: MemberId,
    /// The member's name, unique in the team.
    pub name: Name,
    /// What the member calls the device.
    pub label: Name,
    /// The member's role.
    pub role: Role,
    /// The device's public keys; its id derives from them.
    pub keys: DevicePublic,
    /// Who says that these keys are the member's.
    pub vouched_by: Author,
    /// Whether the five words were compared.
    pub words_compared: bool,
    /// The invite it came by.
    pub invite: Option<InviteId>,
    /// When an admin is to revoke it; acts only through that revocation.
    pub expires: Option<u64>,
}

impl Author {
    pub(super) fn to_value(self) -> Value {
        optional(match self {
            Self::Root => None,
            Self::Device(id) => Some(bytes(&id.0)),
        })
    }

    pub(super) fn read(from: &mut Fields) -> Option<Self> {
        let device = from.optional(as_array)?;
        Some(device.map_or(Self::Root, |id| Self::Device(DeviceId(id))))
    }
}

impl Action {
    /// The action's number on the wire.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Found { .. } => 0,
            Self::AddDevice(_) => 1,
            Self::Revoke { .. } => 2,
            Self::Role { .. } => 3,
            Self::RelayAddresses { .. } => 4,
            Self::LogChange { .. } => 5,
            Self::RoomRestart { .. } => 6,
            Self::Policy { .. } => 7,
            Self::Rewind { .. } => 8,
            Self::Vouch { .. } => 9,
            Self::NextRelay(_) => 10,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        Value::Array(match self {
            Self::Found { root, team, language } => {
                vec![bytes(&root.0), text(team.as_str()), uint(language.code())]
            }
            Self::AddDevice(add) => add.to_values(),
            Self::Revoke { device } => vec![bytes(&device.0)],
            Self::Role { member, role } => vec![bytes(&member.0), uint(role.code())],
            Self::RelayAddresses { relay, addresses } => {
                let addresses = addresses.iter().map(|address| text(address)).collect();
                vec![bytes(&relay.0), Value::Array(addresses)]
            }
            Self::LogChange { old, seq, hash, new } => {
                vec![bytes(&old.0), uint(*seq), bytes(&hash.0), bytes(&new.0)]
            }
            Self::RoomRestart { room, without } => vec![bytes(&room.0), bytes(&without.0)],
            Self::Policy { name, value } => vec![text(name), uint(*value)],
            Self::Vouch { devices } => {
                vec![Value::Array(devices.iter().map(|device| bytes(&device.0)).collect())]
            }
            Self::Rewind { numbers } => {
                vec![Value::Array(numbers.iter().map(|&number| uint(number)).collect())]
            }
            Self::NextRelay(next) => next.to_values(),
        })
    }

    /// Reads the body of an action; every bound is checked here.
    pub(super) fn read(kind: u64, body: Value) -> Result<Self, EntryError> {
        let mut from = Fields::of(body).ok_or(EntryError::Malformed)?;
        let action = match kind {
            0 => read_found(&mut from),
            1 => AddDevice::read(&mut from).map(|add| Self::AddDevice(Box::new(add))),
            2 => from.array().map(|device| Self::Revoke { device: DeviceId(device) }),
            3 => read_role(&mut from),
            4 => read_addresses(&mut from),
            5 => read_log_change(&mut from),
            6 => read_room_restart(&mut from),
            7 => read_policy(&mut from),
            8 => read_rewind(&mut from),
            9 => read_vouch(&mut from),
            10 => NextRelay::read(&mut from).map(Self::NextRelay),
            unknown => return Err(EntryError::Action(unknown)),
        };
        action.and_then(|action| from.end(action)).ok_or(EntryError::Malformed)
    }
}

impl AddDevice {
    fn to_values(&self) -> Vec<Value> {
        vec![
            bytes(&self.member.0),
            text(self.name.as_str()),
            text(self.label.as_str()),
            uint(self.role.code()),
            bytes(&self.keys.identity.0),
            bytes(&self.keys.direct.0),
            self.vouched_by.to_value(),
            Value::Bool(self.words_compared),
            optional(self.invite.map(|invite| bytes(&invite.0))),
            optional(self.expires.map(uint)),
        ]
    }

    fn read(from: &mut Fields) -> Option<Self> {
        Some(Self {
            member: MemberId(from.array()?),
            name: read_name(from)?,
            label: read_name(from)?,
            role: Role::from_code(from.u8()?)?,
            keys: DevicePublic {
                identity: SigningPublic(from.array()?),
                direct: StaticPublic(from.array()?),
            },
            vouched_by: Author::read(from)?,
            words_compared: from.bool()?,
            invite: from.optional(as_array)?.map(InviteId),
            expires: from.optional(as_u64)?,
        })
    }
}

pub(crate) fn read_name(from: &mut Fields) -> Option<Name> {
    Name::canonical(&from.text(MAX_NAME_BYTES)?)
}

fn read_found(from: &mut Fields) -> Option<Action> {
    Some(Action::Found {
        root: SigningPublic(from.array()?),
        team: read_name(from)?,
        language: Language::from_code(from.u8()?)?,
    })
}

fn read_role(from: &mut Fields) -> Option<Action> {
    Some(Action::Role { member: MemberId(from.array()?), role: Role::from_code(from.u8()?)? })
}

fn read_addresses(from: &mut Fields) -> Option<Action> {
    let relay = StaticPublic(from.array()?);
    let addresses = read_places(from)?;
    (!addresses.is_empty()).then_some(Action::RelayAddresses { relay, addresses })
}

/// Addresses of a relay, none included.
pub(super) fn read_places(from: &mut Fields) -> Option<Vec<String>> {
    let mut list = from.list(MAX_ADDRESSES)?;
    let addresses =
        (0..list.left()).map(|_| list.text(MAX_ADDRESS_BYTES)).collect::<Option<Vec<_>>>()?;
    addresses.iter().all(|address| is_graphic(address)).then_some(addresses)
}

fn read_log_change(from: &mut Fields) -> Option<Action> {
    Some(Action::LogChange {
        old: LogId(from.array()?),
        seq: from.u64()?,
        hash: Digest(from.array()?),
        new: LogId(from.array()?),
    })
}

fn read_room_restart(from: &mut Fields) -> Option<Action> {
    Some(Action::RoomRestart { room: RoomId(from.array()?), without: DeviceId(from.array()?) })
}

fn read_policy(from: &mut Fields) -> Option<Action> {
    let name = from.text(MAX_POLICY_BYTES)?;
    let value = from.u64()?;
    is_graphic(&name).then_some(Action::Policy { name, value })
}

fn read_rewind(from: &mut Fields) -> Option<Action> {
    let mut list = from.list(MAX_REWOUND)?;
    let numbers = (0..list.left()).map(|_| list.u32()).collect::<Option<Vec<_>>>()?;
    let ascend = numbers.iter().zip(numbers.iter().skip(1)).all(|(a, b)| a < b);
    (ascend && !numbers.is_empty()).then_some(Action::Rewind { numbers })
}

fn read_vouch(from: &mut Fields) -> Option<Action> {
    let mut list = from.list(MAX_VOUCHED)?;
    let devices =
        (0..list.left()).map(|_| list.array().map(DeviceId)).collect::<Option<Vec<_>>>()?;
    let ascend = devices.iter().zip(devices.iter().skip(1)).all(|(a, b)| a < b);
    (ascend && !devices.is_empty()).then_some(Action::Vouch { devices })
}

fn is_graphic(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
