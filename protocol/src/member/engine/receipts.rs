//! Receipts and the policy that turns them on.
//!
//! **Receipts are off by default.** If on, a receipt is a field of one's next message and never a
//! message of its own: with cells that answer what was read, a live relay would see within an hour who
//! shares a room.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, failed};
use crate::member::agent::core::CallId;
use crate::member::content::{Content, sanitize_line};
use crate::member::roster::{Action, Author};
use crate::member::store::MessageRow;
use crate::wire::ids::{DeviceId, MemberId, RoomId, Seq};

/// The policy's name in the roster; 1 is on.
pub(super) const RECEIPTS: &str = "receipts";

/// `team.policy`
#[derive(Deserialize)]
pub(super) struct PolicyParams {
    receipts: Option<bool>,
}

impl Cx<'_> {
    /// Whether the team has turned receipts on.
    pub(super) fn receipts_on(&self) -> bool {
        let roster = self.memory.roster.as_ref();
        roster.and_then(|roster| roster.policy(RECEIPTS)) == Some(1)
    }

    /// `team.policy`: what the team has decided; admins change it.
    pub(super) fn policy(
        &mut self,
        call: CallId,
        params: &PolicyParams,
    ) -> Result<Option<Value>, Fault> {
        let Some(on) = params.receipts.filter(|on| *on != self.receipts_on()) else {
            return Ok(Some(json!({"receipts": self.receipts_on()})));
        };
        if !self.is_admin()? {
            let hint = Some("Ask an admin of your team.");
            return Err(failed(77, "Only admins change the team's policies.", hint).into());
        }
        self.post_action(Action::Policy { name: RECEIPTS.to_owned(), value: on.into() })?;
        self.wait_posted(call, json!({"receipts": on}));
        Ok(None)
    }

    /// A policy has another value. Receipts tell others what somebody does, so everybody is told.
    pub(super) fn policy_changed(&mut self, name: &str, author: &Author) -> Result<(), Fault> {
        if name != RECEIPTS {
            return Ok(());
        }
        let on = self.receipts_on();
        self.event(json!({"v": 1, "type": "policy", "receipts": on}));
        if !on {
            return Ok(());
        }
        let by = match author {
            Author::Root => None,
            Author::Device(device) => self.member_name(device),
        };
        let (by, number) = (by.unwrap_or_default(), self.memory.roster()?.head().number);
        self.alarm(Alarm::Team, &format!(
            "{by} turned receipts on: what you write tells its readers what you have read (change {number})."
        ))
    }

    /// What is written next says how far its writer has read, if that is news.
    pub(super) fn add_receipt(
        &mut self,
        room: &RoomId,
        content: &mut Content,
    ) -> Result<(), Fault> {
        let me = self.memory.profile.member();
        let (Some(me), true, false) = (me, self.receipts_on(), self.memory.profile.is_bot) else {
            return Ok(());
        };
        if let Some(seq) = self.tx.read_to(room)?
            && self.tx.note_receipt(room, &me, seq)?.is_some()
        {
            content.read_to = Some(seq);
        }
        Ok(())
    }

    /// Somebody's message says how far he has read. Nobody has read what comes after his message.
    pub(super) fn take_receipt(
        &mut self,
        room: &RoomId,
        sender: &DeviceId,
        member: &MemberId,
        read_to: Option<Seq>,
        place: Seq,
    ) -> Result<(), Fault> {
        let own = self.memory.profile.member() == Some(*member);
        let Some(seq) = read_to.filter(|seq| *seq < place && !own && self.receipts_on()) else {
            return Ok(());
        };
        let Some(before) = self.tx.note_receipt(room, member, seq)? else { return Ok(()) };
        let Some(id) = self.tx.newest_own(room, before, seq)? else { return Ok(()) };
        let name = self.name_of(member).map(|name| sanitize_line(&name));
        self.event(json!({"v": 1, "type": "receipt", "room": sanitize_line(&self.room_name(room)),
            "room_id": room.to_hex(), "from": name, "device": sender.to_hex(), "id": id.to_hex(),
            "seq": seq}));
        Ok(())
    }

    /// Who has said that he read an own message; `null` for others' and while receipts are off.
    pub(super) fn seen_by(&self, row: &MessageRow) -> Result<Value, Fault> {
        let Some(seq) = row.seq.filter(|_| row.own && self.receipts_on()) else {
            return Ok(Value::Null);
        };
        let me = self.memory.profile.member();
        let receipts = self.tx.receipts(&row.room)?;
        let read = receipts.iter().filter(|(member, to)| *to >= seq && Some(*member) != me);
        Ok(read.filter_map(|(member, _)| self.name_of(member)).collect())
    }
}
