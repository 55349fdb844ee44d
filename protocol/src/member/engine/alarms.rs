//! What a person must not miss: told at once, under a name that programs can rely on, and kept until
//! somebody dismisses it.

use serde_json::json;

use super::Cx;
use super::evidence::Evidence;
use super::fault::Fault;
use crate::member::store::MetaKey;

/// The most texts kept, the newest.
const KEPT: usize = 32;

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// The relay did what no honest one does.
    Relay(Evidence),
    /// Another device has another list of the team, or a longer one.
    OtherTeam,
    /// Another device holds another state of a room.
    OtherRoom,
    /// A room stands still, or nobody lets this device back into it.
    RoomStands,
    /// A room was begun again, or somebody wanted to and may not.
    RoomRestart,
    /// This device fell behind what the relay keeps.
    Behind,
    /// This device stopped for good.
    Stopped,
    /// The team's admins, roles or rights have changed.
    Team,
    /// The relay's address was changed, or it refuses what admins say.
    Address,
    /// This member has a new device.
    NewDevice,
    /// An invitation was used twice, or cannot be carried out.
    Invite,
    /// A change was overtaken by another and is to be repeated.
    Overtaken,
    /// Somebody did what nobody may, or was not able to do what he tried.
    Trespass,
    /// A message was not sent.
    NotSent,
    /// Something is too large or too new for this version.
    Unable,
}

impl Alarm {
    /// The name that programs are told.
    fn name(self) -> &'static str {
        match self {
            Self::Relay(what) => what.name(),
            Self::OtherTeam => "other-team",
            Self::OtherRoom => "other-room",
            Self::RoomStands => "room-stands",
            Self::RoomRestart => "room-restart",
            Self::Behind => "behind",
            Self::Stopped => "stopped",
            Self::Team => "team",
            Self::Address => "address",
            Self::NewDevice => "new-device",
            Self::Invite => "invite",
            Self::Overtaken => "overtaken",
            Self::Trespass => "trespass",
            Self::NotSent => "not-sent",
            Self::Unable => "unable",
        }
    }
}

impl Cx<'_> {
    /// Says something that a person must not miss, and keeps it.
    pub(super) fn alarm(&mut self, about: Alarm, text: &str) -> Result<(), Fault> {
        let mut alarms: Vec<String> = self.tx.get(MetaKey::Alarms)?.unwrap_or_default();
        if !alarms.iter().any(|known| known == text) {
            alarms.push(text.to_owned());
            let surplus = alarms.len().saturating_sub(KEPT);
            alarms.drain(..surplus);
            self.tx.set(MetaKey::Alarms, &alarms)?;
        }
        self.event(json!({"v": 1, "type": "alarm", "kind": about.name(), "text": text}));
        Ok(())
    }

    /// The relay did what no honest one does.
    pub(super) fn caught(&mut self, at: Evidence) -> Result<(), Fault> {
        self.alarm(Alarm::Relay(at), at.text())
    }

    /// As [`Cx::caught`], unless it was said already and nobody has dismissed it.
    pub(super) fn caught_once(&mut self, at: Evidence) -> Result<(), Fault> {
        let alarms: Vec<String> = self.tx.get(MetaKey::Alarms)?.unwrap_or_default();
        if alarms.iter().any(|known| known == at.text()) { Ok(()) } else { self.caught(at) }
    }
}
