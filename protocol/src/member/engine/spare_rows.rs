//! The rows of a spare relay, which the device that made it the team's keeps up to date.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::Cx;
use super::alarms::Alarm;
use super::fault::{Fault, refused};
use super::link::Asked;
use super::next::Found;
use super::scout::{Errand, Goal, Scout};
use crate::member::agent::core::Out;
use crate::member::store::{AccessRow, MetaKey};
use crate::noise::keys::TransportHash;
use crate::wire::frame::ToRelay;
use crate::wire::ids::{Digest, LogId};
use crate::wire::limits::MAX_ROWS;
use crate::wire::rows::{Claim, Row, RowsDocument, RowsSigner, SignedRows};

/// Seconds after which the device that looks after a spare relay calls it in any case.
const LOOK_S: u64 = 24 * 3_600;
/// A spare relay as this admin's device last had it confirmed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Spare {
    pub(super) at: Found,
    pub(super) log: Option<ByteArray<16>>,
    pub(super) version: u64,
    pub(super) previous: ByteArray<32>,
    /// Its rows: transport hash, and whether an admin's.
    pub(super) told: Vec<(ByteArray<32>, bool)>,
    /// What `told` will be when the document under way is confirmed.
    pub(super) under_way: Option<Vec<(ByteArray<32>, bool)>>,
    /// When it last answered, in unix seconds.
    pub(super) answered: u64,
    /// The device that looks after it.
    pub(super) keeper: ByteArray<16>,
}

impl Cx<'_> {
    pub(super) fn spare(&self) -> Result<Option<Spare>, Fault> {
        Ok(self.tx.get(MetaKey::Spare)?)
    }

    pub(super) fn put_spare(&mut self, spare: &Spare) -> Result<(), Fault> {
        Ok(self.tx.set(MetaKey::Spare, spare)?)
    }

    /// Sends what the relay lacks of the rows.
    pub(super) fn send_rows_of(&mut self, mut spare: Spare) -> Result<(), Fault> {
        let rows = self.tx.access_rows()?;
        if rows.len() > MAX_ROWS {
            let text = "The team is too large for a spare relay.";
            self.give_up_scouting(refused(text, None));
            return Ok(());
        }
        if spare.under_way.is_none() {
            spare.under_way = Some(rows.iter().map(told).collect());
            self.put_spare(&spare)?;
        }
        let document = self.rows_of(&spare, rows)?;
        let request = self.link.ask(Asked::SpareRows);
        self.effects.push(Out::Send(ToRelay::Rows { request, document }));
        Ok(())
    }

    fn rows_of(&self, spare: &Spare, rows: Vec<AccessRow>) -> Result<SignedRows, Fault> {
        let authority = self.tx.spare_authority()?.ok_or(Fault::Bug("no spare authority"))?;
        let wanted = spare.under_way.clone().unwrap_or_default();
        let new = |row: &AccessRow| wanted.contains(&told(row)) && !spare.told.contains(&told(row));
        let added = rows.into_iter().filter(new);
        let added = added.map(|AccessRow { access, transport, admin, .. }| Row {
            access,
            transport,
            admin,
        });
        let gone = spare.told.iter().filter(|(old, _)| !wanted.iter().any(|(new, _)| new == old));
        let roster = self.memory.roster()?;
        let is_first = spare.previous.into_array() == [0; 32];
        let claim = is_first.then(|| Claim { team: roster.team(), root: roster.root().0 });
        let document = RowsDocument {
            version: spare.version + 1,
            previous: Digest(spare.previous.into_array()),
            claim,
            authority: authority.public().0,
            added: added.collect(),
            removed: gone.map(|(hash, _)| TransportHash(Digest(hash.into_array()))).collect(),
            addresses: spare.at.addresses.clone(),
        };
        let signed = document.sign(RowsSigner::Authority, &authority.secret());
        signed.map_err(|_| Fault::Bug("a document of rows is too large"))
    }

    /// The spare relay has the rows.
    pub(super) fn spare_rows_done(&mut self) -> Result<(), Fault> {
        let Some(mut spare) = self.spare()? else { return Ok(()) };
        if spare.under_way.is_some() {
            let document = self.rows_of(&spare, self.tx.access_rows()?)?;
            spare.version += 1;
            spare.previous = ByteArray::new(document.hash().0);
            spare.told = spare.under_way.take().unwrap_or_default();
        }
        self.has_kept(&mut spare)?;
        self.put_spare(&spare)?;
        match self.scout.as_ref().map(|scout| &scout.goal) {
            Some(Goal::Claim(..)) => self.meet(&spare),
            _ => {
                *self.scout = None;
                self.hang_up();
                Ok(())
            }
        }
    }

    /// The spare relay does not take them.
    pub(super) fn spare_rows_failed(&mut self) -> Result<(), Fault> {
        self.hang_up();
        let silent = self.scout.as_ref().is_some_and(|scout| scout.call.is_none());
        let text = "The spare relay refuses this device's list of the team.";
        let hint = "Set up another spare relay, and add that.";
        self.give_up_scouting(refused(text, Some(hint)));
        if silent { self.alarm(Alarm::Address, text) } else { Ok(()) }
    }

    /// The team's log is this one now: its relay may lack files, and if this device looked after the relay as a spare, it goes on
    /// with its rows from there.
    pub(super) fn arrive_with_rows(&mut self, log: &LogId) -> Result<(), Fault> {
        self.bring_files()?;
        let Some(spare) = self.spare()?.filter(|spare| spare.is(log)) else { return Ok(()) };
        if !self.keeps(&spare)? {
            return Ok(());
        }
        let authority = self.tx.spare_authority()?.ok_or(Fault::Bug("no spare authority"))?;
        if let (None, Some(old)) = (self.tx.next_authority()?, self.tx.relay_authority()?) {
            self.tx.set_next_authority(&old)?;
        }
        self.tx.set_relay_authority(&authority)?;
        self.tx.delete(MetaKey::Spare)?;
        self.continue_rows(
            spare.version,
            spare.previous.into_array(),
            |row| spare.told.contains(&told(row)),
            &spare.told.iter().map(|(hash, _)| hash.into_array()).collect::<Vec<_>>(),
        )
    }

    /// Brings the spare relay the rows that changed since, when there is nothing else to do.
    pub(super) fn look_after_spare(&mut self) -> Result<(), Fault> {
        let Some(spare) = self.spare()? else { return Ok(()) };
        if let Some(log) = self.memory.cursor.map(|cursor| cursor.log).filter(|log| spare.is(log)) {
            // The team is there already: whoever kept it has handed its rows on, or is gone.
            return match self.rows_version()?.0 >= spare.version {
                true => Ok(self.tx.delete(MetaKey::Spare)?),
                false => self.arrive_with_rows(&log),
            };
        }
        let next = self.memory.roster()?.next_relay().map(|next| next.log);
        let named = next.is_some_and(|log| spare.is(&log));
        if !named || self.scout.is_some() || !self.caught_up() || !self.rows_settled()? {
            return Ok(());
        }
        let fresh = spare.answered + LOOK_S > self.now.unix_s();
        let settled = self.has_all_rows(&spare)? && fresh && spare.under_way.is_none();
        if settled || !self.keeps(&spare)? {
            return Ok(());
        }
        let (goal, errand) = (Goal::Renew(spare.at), Errand::Silent);
        *self.scout = Some(Scout { goal, errand, call: None, doubtful: false, found: None });
        self.hang_up();
        Ok(())
    }

    /// Whether a spare relay has the rows that the team's relay has.
    pub(super) fn has_all_rows(&self, spare: &Spare) -> Result<bool, Fault> {
        let now: Vec<_> = self.tx.access_rows()?.iter().map(told).collect();
        Ok(now.len() == spare.told.len() && now.iter().all(|it| spare.told.contains(it)))
    }

    /// WELCOME of the spare relay to the device that looks after it.
    pub(super) fn bring_rows(&mut self) -> Result<(), Fault> {
        match self.spare()? {
            Some(spare) => self.send_rows_of(spare),
            None => {
                *self.scout = None;
                self.hang_up();
                Ok(())
            }
        }
    }
}

impl Spare {
    pub(super) fn is(&self, log: &LogId) -> bool {
        self.log.is_some_and(|own| own.into_array() == log.0)
    }
}

fn told(row: &AccessRow) -> (ByteArray<32>, bool) {
    (ByteArray::new(row.transport.0.0), row.admin)
}
