//! Admission: a newcomer reads the log for its answer, and believes nothing before it.

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, failed};
use super::memory::Key;
use super::profile::Stage;
use crate::cell::chain::{Accepted, Chains};
use crate::invite_code::Bundle;
use crate::member::invite::{Answer, MessageKind, SignedAnswer};
use crate::member::store::{Cursor, InviteRow, RING_CELLS};
use crate::wire::Cells;
use crate::wire::ids::{InviteId, Seq};
use crate::wire::running_hash;

impl Cx<'_> {
    /// Reads the log for the answer; keeps what comes, in memory, until it is there.
    pub(super) fn push_while_joining(&mut self, first: Seq, cells: &Cells) -> Result<(), Fault> {
        let expected = self.memory.unread.last().map_or(first, |(seq, _, _)| seq + 1);
        let room = (RING_CELLS as usize).saturating_sub(self.memory.unread.len());
        if first != expected || cells.len() > room {
            return Err(failed(1, "The relay sent the log out of order.", None).into());
        }
        for (seq, (id, cell)) in (first..).zip(cells.iter()) {
            self.memory.unread.push((seq, id, Box::new(*cell)));
        }
        self.retry_admission()
    }

    /// Looks for the answer, and for what it needs, in what was read so far.
    pub(super) fn retry_admission(&mut self) -> Result<(), Fault> {
        let Stage::Enrolled { invite, .. } = self.memory.profile.stage else { return Ok(()) };
        let invite = InviteId(invite);
        let Some(row) = self.tx.invite(&invite)? else { return Ok(()) };
        match self.find_answer(&row) {
            Some(answer) => self.admitted(&row, &answer),
            None => Ok(()),
        }
    }

    /// The answer among the cells read so far.
    fn find_answer(&self, row: &InviteRow) -> Option<SignedAnswer> {
        let live = self.memory.channels.iter().find(|c| c.invite == Some(row.id))?;
        let Key::Sealed(key) = &live.key else { return None };
        let request = row.request.as_deref()?;
        let mut chains = Chains::default();
        for (seq, _, cell) in self.memory.unread.iter().filter(|(_, _, cell)| key.matches(cell)) {
            let Ok(fragment) = key.open(cell) else { continue };
            if let Accepted::Whole(whole, _) = chains.accept(*seq, fragment)
                && MessageKind::of(&whole.content) == Some(MessageKind::Answer)
                && let Ok(answer) = Answer::open(request, &whole.content)
            {
                return Some(answer);
            }
        }
        None
    }

    /// The answer is an admin's, of the chain under the bundle's root: the team is ours.
    fn admitted(&mut self, row: &InviteRow, signed: &SignedAnswer) -> Result<(), Fault> {
        let bundle = Bundle::decode(&row.bundle).map_err(|_| Fault::Bug("a stored bundle"))?;
        let opened = super::invites::request_of(row).ok_or(Fault::Bug("no request"))?;
        let Some(fetched) = self.fetched(signed)? else { return Ok(()) };
        let admitted = match signed.admit(fetched.as_deref(), &bundle, &opened.request) {
            Ok(admitted) => admitted,
            Err(reason) => {
                tracing::warn!(%reason, "an answer is refused");
                return self.alarm(
                    Alarm::Trespass,
                    "The answer to the invitation does not come from an admin of the team that was promised.",
                );
            }
        };
        let answer = signed.unproven();
        let (log, seq, hash) = (answer.log, answer.seq, answer.hash);
        let entries = admitted.snapshot.entries.iter();
        for (number, entry) in (0..).zip(entries) {
            self.tx.append_entry(number, entry.bytes(), entry.signature(), seq)?;
        }
        let me = self.memory.me()?;
        let own = admitted.roster.device(&me).ok_or(Fault::Bug("not on the roster"))?;
        self.memory.profile.member = Some(own.member.0);
        if let Some(member) = admitted.roster.member(&own.member) {
            self.memory.profile.name = member.name.as_str().to_owned();
        }
        self.memory.profile.team = admitted.roster.name().as_str().to_owned();
        let others: Vec<_> = admitted.roster.active_devices().map(|d| d.id).collect();
        self.memory.roster = Some(admitted.roster);
        for other in &others {
            self.open_direct(other)?;
        }
        for (device, package) in &admitted.snapshot.packages {
            self.keep_package(device, package)?;
        }
        self.drop_invite_channel(&row.id)?;
        self.tx.delete_invite(&row.id)?;
        for out in self.tx.pending_messages()? {
            self.tx.remove_out(out.id)?;
        }
        self.memory.profile.stage = Stage::Admitted;
        self.save_profile()?;
        self.set_cursor(Cursor { log, seq, hash })?;
        self.read_unread(Cursor { log, seq, hash })
    }

    /// Reads what came since the approver's place, as everything after it will be read.
    pub(super) fn read_unread(&mut self, mut cursor: Cursor) -> Result<(), Fault> {
        for (seq, id, cell) in std::mem::take(&mut self.memory.unread) {
            if seq <= cursor.seq {
                continue;
            }
            if seq != cursor.seq + 1 {
                return Err(Fault::Bug("the log begins after the answer"));
            }
            self.cell(seq, &id, &cell)?;
            let hash = running_hash::next(&cursor.hash, &id, &cell);
            cursor = Cursor { log: cursor.log, seq, hash };
        }
        self.set_cursor(cursor)
    }
}
