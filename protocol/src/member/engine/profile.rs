//! Who this profile is, and how far it has come.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::apart::{Apart, Came};
use super::moving::Moved;
use super::next::{Found, Unsaid};
use crate::wire::ids::{DeviceId, InviteId, MemberId, RoomId, Seq};

/// What a profile knows of itself beside its keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Profile {
    /// The member's name.
    pub name: String,
    /// The device's label.
    pub label: String,
    /// The team's name; empty until the bundle is opened.
    pub team: String,
    /// The relay's static key, 32 bytes; empty until the bundle is opened.
    #[serde(with = "serde_bytes")]
    pub(super) relay: Vec<u8>,
    /// The relay's addresses, `HOST:PORT`.
    pub(super) addresses: Vec<String>,
    /// The address over which the relay was last reached.
    #[serde(default)]
    pub(super) reached: Option<String>,
    /// How far joining has come.
    pub(super) stage: Stage,
    /// The member, once a device of the team.
    #[serde(with = "opt_id")]
    pub(super) member: Option<[u8; 16]>,
    /// The control room.
    #[serde(with = "opt_id")]
    pub(super) control: Option<[u8; 16]>,
    /// The admins' room, on admins' devices.
    #[serde(with = "opt_id", default)]
    pub(super) admins: Option<[u8; 16]>,
    /// The room `general`.
    #[serde(with = "opt_id")]
    pub(super) general: Option<[u8; 16]>,
    /// Whether the device is a bot's.
    pub(super) is_bot: bool,
    /// Whether the device fell behind what the relay keeps, and how it finds back.
    #[serde(default)]
    pub(super) behind: Option<Behind>,
    /// The team has moved, and the new log may lack something that the old one had.
    #[serde(default)]
    pub(super) moved: Option<Moved>,
    /// The device went to the next relay by itself; no entry in the new log says so yet.
    #[serde(default)]
    pub(super) unsaid: Option<Unsaid>,
    /// A relay that somebody's spare code led to, until an admin's word is read there.
    #[serde(default)]
    pub(super) found: Option<Found>,
    /// How this device came to the present log, if by itself.
    #[serde(default)]
    pub(super) came: Option<Came>,
    /// What it read elsewhere that is not in this log yet.
    #[serde(default)]
    pub(super) apart: Option<Apart>,
    /// Why the device has stopped, if it has.
    pub(super) stopped: Option<Stopped>,
}

/// How far joining has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// A profile that has not redeemed a code yet.
    #[default]
    New,
    /// A newcomer with this invite, waiting for an admin.
    Asking {
        /// The invite.
        #[serde(with = "serde_bytes")]
        invite: [u8; 16],
        /// The seq of the first cell of the request, once it is acknowledged; 0 before.
        from: Seq,
    },
    /// Enrolled at the relay; reading the log from `from` on for the answer.
    Enrolled {
        /// The invite.
        #[serde(with = "serde_bytes")]
        invite: [u8; 16],
        /// Where to read from.
        from: Seq,
    },
    /// The founder, before the relay has confirmed the claim.
    Founding {
        /// The invite.
        #[serde(with = "serde_bytes")]
        invite: [u8; 16],
    },
    /// On the roster; waiting for the Welcomes of its first rooms.
    Admitted,
    /// A device of the team.
    Inside,
}

/// Why a device sends nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stopped {
    /// It was revoked.
    Revoked,
    /// The relay showed a log that ends before what it had shown.
    OtherLog,
    /// The relay shows a log that no admin has named; the device only looks for that.
    Strange,
    /// The relay's running hash does not fit the cells: it has shown two different pasts.
    Forked,
    /// It is a copy: the device has gone on elsewhere since.
    Restored,
}

/// How a device that fell behind finds back into the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Behind {
    /// From where it reads without believing anything.
    pub(super) from: Seq,
    /// When the next device is to be asked, in unix seconds.
    pub(super) due: u64,
    /// Who was asked.
    pub(super) asked: Vec<ByteArray<16>>,
}

impl Behind {
    pub(super) fn asked(&self) -> Vec<DeviceId> {
        self.asked.iter().map(|id| DeviceId(id.into_array())).collect()
    }

    pub(super) fn note(&mut self, device: DeviceId) {
        self.asked.push(ByteArray::new(device.0));
    }

    pub(super) fn forget(&mut self, device: &DeviceId) {
        self.asked.retain(|id| id.into_array() != device.0);
    }
}

impl Stopped {
    /// What a person is told.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Revoked => "This device was revoked.",
            Self::OtherLog => {
                "The relay shows another log than before, or one that ends earlier. Nothing more is sent."
            }
            Self::Strange => {
                "The relay shows another log than before. Nothing is sent until an admin says that the team goes on in it."
            }
            Self::Forked => "The relay showed us two different pasts. Nothing more is sent.",
            Self::Restored => {
                "This profile is a copy of an older state: the device has sent messages since. Nothing more is sent from here."
            }
        }
    }
}

impl Profile {
    pub(super) fn member(&self) -> Option<MemberId> {
        self.member.map(MemberId)
    }

    pub(super) fn control(&self) -> Option<RoomId> {
        self.control.map(RoomId)
    }

    pub(super) fn admins(&self) -> Option<RoomId> {
        self.admins.map(RoomId)
    }

    pub(super) fn general(&self) -> Option<RoomId> {
        self.general.map(RoomId)
    }

    /// Whether this is a device of the team.
    pub fn is_inside(&self) -> bool {
        self.stage == Stage::Inside
    }

    /// The invite being redeemed.
    pub(super) fn invite(&self) -> Option<InviteId> {
        match self.stage {
            Stage::Asking { invite, .. }
            | Stage::Enrolled { invite, .. }
            | Stage::Founding { invite } => Some(InviteId(invite)),
            Stage::New | Stage::Admitted | Stage::Inside => None,
        }
    }
}

mod opt_id {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_bytes::ByteArray;

    pub(super) fn serialize<S: Serializer>(
        id: &Option<[u8; 16]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        id.map(ByteArray::new).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 16]>, D::Error> {
        Ok(Option::<ByteArray<16>>::deserialize(deserializer)?.map(ByteArray::into_array))
    }
}
