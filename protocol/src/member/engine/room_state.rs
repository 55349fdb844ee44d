//! A room's own state (name, topic, lifetime, who may add) and going out of a room.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Cx;
use super::fault::{Fault, bad_params, failed, refused};
use super::members::{is_visible, kind_code};
use super::waits::What;
use crate::member::agent::core::CallId;
use crate::member::e2ee::{MAX_TOPIC, Outcome, RoomKind, RoomState, WhoMayAdd};
use crate::member::roster::{Name, Role};
use crate::member::store::{Intent, IntentKind, OutKind, RoomRow, RoomStatus};
use crate::wire::ids::{DeviceId, RoomId};

/// Milliseconds that a change of a room waits for its win.
pub(super) const CHANGE_WAIT_MS: u64 = 15_000;
/// Milliseconds that leaving waits: somebody else has to commit it, after up to 10 s.
const LEAVE_WAIT_MS: u64 = 30_000;
/// Milliseconds before leaving is looked at again.
const AGAIN_MS: u64 = 2_000;

/// What `room.set` asks for.
#[derive(Deserialize)]
pub(super) struct SetParams {
    room: String,
    #[serde(flatten)]
    change: StateChange,
}

/// What shall be changed of a room; it is kept and made again on the next epoch if another commit
/// wins.
#[derive(Clone, Default, Serialize, Deserialize)]
struct StateChange {
    name: Option<String>,
    topic: Option<String>,
    lifetime_s: Option<u32>,
    who_may_add: Option<String>,
}

impl StateChange {
    fn apply(&self, state: &RoomState) -> RoomState {
        let mut new = state.clone();
        if let Some(name) = &self.name {
            new.name.clone_from(name);
        }
        if let Some(topic) = &self.topic {
            new.topic.clone_from(topic);
        }
        new.lifetime_s = self.lifetime_s.unwrap_or(new.lifetime_s);
        new.who_may_add = self.who_may_add.as_deref().and_then(who).unwrap_or(new.who_may_add);
        new
    }

    /// What was asked later counts.
    fn over(self, earlier: Self) -> Self {
        Self {
            name: self.name.or(earlier.name),
            topic: self.topic.or(earlier.topic),
            lifetime_s: self.lifetime_s.or(earlier.lifetime_s),
            who_may_add: self.who_may_add.or(earlier.who_may_add),
        }
    }
}

fn who(word: &str) -> Option<WhoMayAdd> {
    match word {
        "members" => Some(WhoMayAdd::Members),
        "admins" => Some(WhoMayAdd::Admins),
        _ => None,
    }
}

/// The word for who may add.
pub(super) fn who_word(who: WhoMayAdd) -> &'static str {
    match who {
        WhoMayAdd::Members => "members",
        WhoMayAdd::Admins => "admins",
    }
}

impl Cx<'_> {
    /// `room.set`
    pub(super) fn set_room(&mut self, call: CallId, params: SetParams) -> Result<(), Fault> {
        let SetParams { room, mut change } = params;
        let row = self.find_room(&room)?;
        if change.who_may_add.as_deref().is_some_and(|word| who(word).is_none()) {
            return Err(bad_params("who_may_add: members or admins").into());
        }
        if change.topic.as_ref().is_some_and(|topic| topic.len() > MAX_TOPIC) {
            return Err(refused("The topic is too long.", None).into());
        }
        if let Some(typed) = change.name.take() {
            let name = Name::parse(&typed)
                .map_err(|error| refused(&format!("The room's name: {error}."), None))?;
            if self.memory.profile.general() == Some(row.id) {
                return Err(refused("The team's room keeps its name.", None).into());
            }
            self.check_room_name(&name, Some(&row.id))?;
            change.name = Some(name.as_str().to_owned());
        }
        let (provider, me) = (self.provider(), self.memory.me()?);
        let allowed = match self.memory.group(&provider, &row.id)? {
            Some((group, roster, _)) => {
                let new = change.apply(group.state());
                new == *group.state() || group.may_become(&roster, &me, &new)
            }
            None => false,
        };
        if !allowed {
            return Err(failed(77, "You may not change this here.", Some(ASK_AN_ADMIN)).into());
        }
        let change = match self.room_change(&row.id)? {
            Some(earlier) => change.over(earlier),
            None => change,
        };
        let mut bytes = Vec::new();
        ciborium::into_writer(&change, &mut bytes).map_err(|_| Fault::Bug("encode a change"))?;
        self.tx.put_room_change(&row.id, &bytes)?;
        let wish = self.intend_as(row.id, IntentKind::Set, self.now.unix_ms)?;
        self.wait_at_most(call, What::Intents(vec![wish]), CHANGE_WAIT_MS);
        Ok(())
    }

    /// Refuses the name of another room that this device knows.
    pub(super) fn check_room_name(&self, name: &Name, of: Option<&RoomId>) -> Result<(), Fault> {
        let rows = self.memory.rooms.values();
        let mut others =
            rows.filter(|row| is_visible(row) && row.status != RoomStatus::Left).map(|row| row.id);
        let folded = name.as_str().to_lowercase();
        if !others.any(|id| Some(&id) != of && self.room_name(&id).to_lowercase() == folded) {
            return Ok(());
        }
        let text = format!("There is already a room called {}.", name.as_str());
        Err(refused(&text, Some("Choose another name.")).into())
    }

    /// Refuses what everybody in the room would refuse.
    pub(super) fn check_change(
        &mut self,
        room: &RoomRow,
        devices: &[DeviceId],
        adding: bool,
    ) -> Result<(), Fault> {
        let (provider, me) = (self.provider(), self.memory.me()?);
        let Some((group, roster, _)) = self.memory.group(&provider, &room.id)? else {
            return Err(Fault::Bug("no group"));
        };
        let may = |device: &DeviceId| match adding {
            true => group.may_add(&roster, &me, device),
            false => group.may_remove(&roster, &me, device),
        };
        if devices.iter().all(may) {
            return Ok(());
        }
        let text =
            if adding { "You may not add anybody here." } else { "You may not remove others." };
        Err(failed(77, text, Some(ASK_AN_ADMIN)).into())
    }

    fn room_change(&self, room: &RoomId) -> Result<Option<StateChange>, Fault> {
        let Some(bytes) = self.tx.room_change(room)? else { return Ok(None) };
        ciborium::from_reader(bytes.as_slice()).map_err(|_| Fault::Bug("a stored change"))
    }

    /// The state that this device wants the room to have, if it is another one; else the wish is
    /// done with.
    pub(super) fn wanted_state(&mut self, room: &RoomId) -> Result<Option<RoomState>, Fault> {
        let Some(change) = self.room_change(room)? else { return Ok(None) };
        let provider = self.provider();
        let Some((group, _, _)) = self.memory.group(&provider, room)? else { return Ok(None) };
        let new = Some(change.apply(group.state())).filter(|new| new != group.state());
        if new.is_none() {
            self.tx.delete_room_change(room)?;
        }
        Ok(new)
    }

    /// After a commit: the row says what the group says.
    pub(super) fn adopt_state(
        &mut self,
        row: &mut RoomRow,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        let provider = self.provider();
        let Some((group, _, _)) = self.memory.group(&provider, &row.id)? else { return Ok(()) };
        let state = group.state().clone();
        let shown = (&row.name, &row.topic, row.lifetime_s);
        if shown == (&state.name, &state.topic, state.lifetime_s) {
            return Ok(());
        }
        let before = self.room_name(&row.id);
        (row.name, row.topic, row.lifetime_s) = (state.name, state.topic, state.lifetime_s);
        self.memory.rooms.insert(row.id, row.clone());
        if is_visible(row) {
            let by = self.member_name(&outcome.committer);
            self.event(json!({"v": 1, "type": "room", "room": self.room_name(&row.id),
                "room_id": row.id.to_hex(), "state": "changed", "before": before, "by": by,
                "topic": row.topic, "lifetime_s": row.lifetime_s}));
        }
        Ok(())
    }

    /// `room.leave`: with all devices of this member. The call is answered when somebody has
    /// committed it.
    pub(super) fn leave_room(&mut self, call: CallId, typed: &str) -> Result<(), Fault> {
        let row = self.find_room(typed)?;
        if self.memory.profile.general() == Some(row.id) {
            return Err(refused("The team's room holds everybody.", None).into());
        }
        let me = self.memory.me()?;
        if self.memory.roster()?.role_of(&me) == Some(Role::Bot) {
            let hint = Some("Whoever may remove it does: staffetta room remove");
            return Err(failed(77, "Bots do not leave by themselves.", hint).into());
        }
        if row.status != RoomStatus::Active {
            return Err(refused("The room stands still.", Some("See `staffetta status`.")).into());
        }
        let wish = self.intend_as(row.id, IntentKind::Leave, self.now.unix_ms)?;
        self.wait_at_most(call, What::Intents(vec![wish]), LEAVE_WAIT_MS);
        Ok(())
    }

    /// Nobody commits its own removal: this device proposes it, on every epoch anew until somebody
    /// has committed it. Returns what this device itself must remove, if nobody else is there.
    pub(super) fn go_on_leaving(
        &mut self,
        row: &RoomRow,
        wish: &Intent,
    ) -> Result<Vec<DeviceId>, Fault> {
        let me = self.memory.me()?;
        let devices = self.devices_in(&row.id)?;
        let roster = self.memory.roster()?;
        let member = roster.device(&me).map(|device| device.member);
        let is_mine = |id: &&DeviceId| roster.device(id).map(|device| device.member) == member;
        let mine: Vec<_> =
            devices.iter().filter(is_mine).copied().filter(|device| *device != me).collect();
        if devices.len() == 1 {
            self.leave(row.clone(), None)?;
            return Ok(Vec::new());
        }
        if devices.len() == mine.len() + 1 {
            return Ok(mine);
        }
        self.tx.retry_intent(wish.id, self.now.unix_ms + AGAIN_MS)?;
        let asked = self.required(&row.id, row.epoch)?;
        let of_room = |kind: OutKind, room| kind == OutKind::Proposal && room == Some(row.id);
        let mut under_way = self.tx.pending_messages()?.into_iter();
        if asked.contains(&me) || under_way.any(|out| of_room(out.message.kind, out.message.room)) {
            return Ok(Vec::new());
        }
        for device in mine.iter().chain([&me]).filter(|device| !asked.contains(device)) {
            self.ask_removal(&row.id, device)?;
        }
        Ok(Vec::new())
    }

    /// Who may add people to a room, as a word.
    pub(super) fn who_may_add(&self, row: &RoomRow) -> Result<&'static str, Fault> {
        if row.kind != kind_code(RoomKind::Room) {
            return Ok(who_word(WhoMayAdd::Members));
        }
        let group = match self.memory.groups.get(&row.id) {
            Some(group) => return Ok(who_word(group.state().who_may_add)),
            None => crate::member::e2ee::Group::load(&self.provider(), row.id)?,
        };
        Ok(group.map_or(who_word(WhoMayAdd::Admins), |g| who_word(g.state().who_may_add)))
    }
}

const ASK_AN_ADMIN: &str = "Ask an admin of your team.";
