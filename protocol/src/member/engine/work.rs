//! What is due at the end of every step: intents become commits, texts are sealed, cells leave.

use super::Cx;
use super::fault::Fault;
use super::members::kind_code;
use crate::member::e2ee::{Change, CommitError, Group, MAX_ADDS, Place, RoomKind};
use crate::member::store::{ChannelKind, Intent, IntentKind, NewIntent, RoomRow, RoomStatus};
use crate::random::bytes;
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, RoomId};

/// The longest random wait before a commit that somebody else may make as well.
const SPREAD_MS: u64 = 10_000;
/// Milliseconds before a wish that could not be carried out is tried again.
const AGAIN_MS: u64 = 2_000;

impl Cx<'_> {
    /// Ends a step: does what is due now and can be done.
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        self.link.due = None;
        if self.memory.profile.stopped.is_some() {
            return self.wait_at_strange();
        }
        if self.carry()? || self.carry_apart()? {
            return self.set_timer();
        }
        if self.keeps_quiet() {
            return self.work_on_rows();
        }
        self.work_on_blobs()?;
        if !self.memory.profile.is_inside() {
            return Ok(());
        }
        self.ask_where()?;
        if self.caught_up() {
            self.tell_where()?;
            self.work_on_resyncs()?;
            self.work_on_rooms()?;
            self.seal_texts()?;
            self.post_packages()?;
            self.approve_for_absent()?;
            self.run_errands()?;
            self.share_with_admins()?;
            self.work_on_beacons()?;
            self.announce_move()?;
            self.say_where_we_are()?;
        }
        self.begin_tasks()?;
        self.work_on_rows()?;
        self.work_on_invites()?;
        self.pump()?;
        self.set_timer()
    }

    /// Notes when a wish, a refused request or a delayed fetch is due. What is past its time and
    /// could not be done in this step waits for what unblocks it: the place of a commit, the end of
    /// reading, an answer. Each of these is a step, and ends here again.
    fn set_timer(&mut self) -> Result<(), Fault> {
        let (unix, mono) = (self.now.unix_ms, self.now.mono_ms);
        let intents = self.tx.intents()?;
        let to_come = intents.iter().filter(|intent| intent.not_before_ms > unix);
        let wishes = to_come.map(|intent| mono + (intent.not_before_ms - unix));
        let dues = [self.errands_due()?, self.beacons_due(), self.resyncs_due(), self.behind_due()];
        let errand = dues
            .into_iter()
            .flatten()
            .min()
            .map(|at| mono + (at * 1_000).saturating_sub(unix).max(1));
        let retry = Some(self.link.retry_at).filter(|at| *at > mono);
        let fetches = self.link.fetches.iter().filter_map(super::blobs::Fetch::due);
        let fetches = fetches.filter(|at| *at > mono);
        let texts = self.link.texts_at.map(|at| mono + at.saturating_sub(unix).max(1));
        if self.link.connected {
            self.link.due = wishes.chain(retry).chain(errand).chain(fetches).chain(texts).min();
        }
        Ok(())
    }

    /// A time 0 to 10 s from now, in unix milliseconds.
    pub(super) fn spread(&mut self) -> u64 {
        let wait = u64::from(u32::from_be_bytes(bytes(self.random))) % SPREAD_MS;
        self.now.unix_ms + wait
    }

    /// Wishes for a change of a room; it is made when its time has come.
    pub(super) fn intend(
        &mut self,
        room: RoomId,
        kind: IntentKind,
        not_before_ms: u64,
    ) -> Result<(), Fault> {
        self.intend_as(room, kind, not_before_ms).map(|_| ())
    }

    /// As [`Cx::intend`], and returns the wish's number.
    pub(super) fn intend_as(
        &mut self,
        room: RoomId,
        kind: IntentKind,
        not_before_ms: u64,
    ) -> Result<i64, Fault> {
        Ok(self.tx.insert_intent(&NewIntent { room, kind, not_before_ms })?)
    }

    /// Intents that hold on the present epoch are done.
    pub(super) fn forget_done_intents(&mut self, room: &RoomId) -> Result<(), Fault> {
        let devices = self.devices_in(room)?;
        for intent in self.tx.intents()?.into_iter().filter(|intent| intent.room == *room) {
            if self.is_done(&intent, &devices)? || self.is_pointless(&intent) {
                self.tx.remove_intent(intent.id)?;
            }
        }
        Ok(())
    }

    /// Whether a wish holds already.
    fn is_done(&mut self, intent: &Intent, devices: &[DeviceId]) -> Result<bool, Fault> {
        Ok(match intent.kind {
            IntentKind::Add(device) => devices.contains(&device),
            IntentKind::Remove(device) => !devices.contains(&device),
            IntentKind::Set => self.wanted_state(&intent.room)?.is_none(),
            IntentKind::Resync(device) => self.is_resynced(&intent.room, &device)?,
            IntentKind::Update | IntentKind::Leave => false,
        })
    }

    /// Adding a device that is revoked meanwhile helps nobody.
    fn is_pointless(&self, intent: &Intent) -> bool {
        match (intent.kind, &self.memory.roster) {
            (IntentKind::Add(device) | IntentKind::Resync(device), Some(roster)) => {
                !roster.is_active(&device)
            }
            _ => false,
        }
    }

    /// One commit for each room that wants one and has none under way.
    fn work_on_rooms(&mut self) -> Result<(), Fault> {
        let mut due: Vec<RoomRow> = self
            .memory
            .rooms
            .values()
            .filter(|row| row.status == RoomStatus::Active && self.is_settled(&row.id))
            .cloned()
            .collect();
        // A newcomer brings few KeyPackages: the rooms without which it is not inside take first.
        let needed = [self.memory.profile.control(), self.memory.profile.general()];
        due.sort_by_key(|row| !needed.contains(&Some(row.id)));
        let intents = self.tx.intents()?;
        for row in due {
            let now = self.now.unix_ms;
            let of_room = |intent: &&Intent| intent.room == row.id && intent.not_before_ms <= now;
            let wanted: Vec<&Intent> = intents.iter().filter(of_room).collect();
            if wanted.is_empty() || self.tx.pending_commit(&row.id)?.is_some() {
                continue;
            }
            let resync = wanted.iter().find_map(|intent| match intent.kind {
                IntentKind::Resync(device) => Some((*intent, device)),
                _ => None,
            });
            match resync {
                Some((intent, device)) => self.commit_resync(&row, intent, device)?,
                None => self.try_commit(&row, &wanted)?,
            }
        }
        Ok(())
    }

    fn try_commit(&mut self, row: &RoomRow, wanted: &[&Intent]) -> Result<(), Fault> {
        let provider = self.provider();
        let devices = self.devices_in(&row.id)?;
        let (mut add, mut added, mut remove, mut update) =
            (Vec::new(), Vec::new(), Vec::new(), false);
        let mut state = None;
        for intent in wanted {
            if self.is_done(intent, &devices)? || self.is_pointless(intent) {
                self.tx.remove_intent(intent.id)?;
                continue;
            }
            match intent.kind {
                IntentKind::Remove(device) => remove.push(device),
                IntentKind::Update => update = true,
                IntentKind::Set => state = self.wanted_state(&row.id)?,
                IntentKind::Leave => remove.extend(self.go_on_leaving(row, intent)?),
                IntentKind::Add(_) if add.len() >= MAX_ADDS => {}
                IntentKind::Resync(_) => {}
                IntentKind::Add(device) => {
                    if let Some(package) = self.package_for(&device, intent)? {
                        add.push(package);
                        added.push(device);
                    }
                }
            }
        }
        if add.is_empty() && remove.is_empty() && !update && state.is_none() {
            return Ok(());
        }
        let required = self.required(&row.id, row.epoch)?;
        if required.contains(&self.memory.me()?) {
            // Nobody commits its own removal, and nothing else may be committed before it.
            return Ok(());
        }
        let place = Place { roster_floor: row.roster_floor, required_removals: &required };
        let secrets = self.welcome_secrets(row)?;
        let state = state.as_ref();
        let change = Change { add: &add, remove: &remove, update, state, resync: None };
        let Some((group, roster, keys)) = self.memory.group(&provider, &row.id)? else {
            return Ok(());
        };
        if !group.is_active() {
            return Ok(());
        }
        let epoch = group.epoch();
        match group.commit(&provider, &keys.leaf, &change, &secrets.given(), &roster, &place) {
            Ok(built) => {
                if update {
                    self.have_patience(&row.id)?;
                }
                self.post_commit(row.id, epoch, built, added)
            }
            // A rule forbids it, now and later: the wish is dropped and said.
            Err(CommitError::Refused(reason)) => {
                tracing::warn!(%reason, "a wish for a room cannot be carried out");
                for intent in wanted {
                    self.tx.remove_intent(intent.id)?;
                }
                Ok(())
            }
            Err(CommitError::Package(reason)) => {
                // That package is gone; the next one may do.
                tracing::warn!(%reason, "a KeyPackage is unusable");
                self.retry_all(wanted)
            }
            Err(CommitError::Pending | CommitError::Nothing) => Ok(()),
            Err(CommitError::Other(error)) => Err(error.into()),
        }
    }

    fn retry_all(&mut self, wanted: &[&Intent]) -> Result<(), Fault> {
        for intent in wanted {
            self.tx.retry_intent(intent.id, self.now.unix_ms + AGAIN_MS)?;
        }
        Ok(())
    }

    /// After the roster changed: every room of this device must lose its revoked leaves. **The
    /// revoker commits the removal at once; the others wait a random 0-10 s.**
    pub(super) fn remove_revoked(&mut self, device: &DeviceId, mine: bool) -> Result<(), Fault> {
        let rooms: Vec<RoomRow> = self
            .memory
            .rooms
            .values()
            .filter(|row| row.status == RoomStatus::Active)
            .cloned()
            .collect();
        for row in rooms {
            let may = row.kind != kind_code(RoomKind::Control) || self.is_admin()?;
            if may && self.devices_in(&row.id)?.contains(device) {
                let when = if mine { self.now.unix_ms } else { self.spread() };
                self.intend(row.id, IntentKind::Remove(*device), when)?;
            }
        }
        Ok(())
    }

    /// Founds a room with this device alone.
    pub(super) fn found_room(
        &mut self,
        room: RoomId,
        state: &crate::member::e2ee::RoomState,
    ) -> Result<(), Fault> {
        let provider = self.provider();
        let certificate = self.memory.certificate()?;
        let group = Group::create(&provider, self.memory.keys()?, &certificate, room, state)?;
        let opened = self.memory.head();
        let row = super::members::new_row(room, state, group.epoch(), opened);
        self.memory.groups.insert(room, group);
        self.tx.put_room(&row)?;
        self.memory.rooms.insert(room, row);
        self.leaf_is_new(&room)?;
        self.open_channel(&room, opened)?;
        self.renew_check_key(&room, opened)
    }

    pub(super) fn is_admin(&self) -> Result<bool, Fault> {
        let me = self.memory.me()?;
        Ok(self.memory.roster()?.role_of(&me) == Some(crate::member::roster::Role::Admin))
    }

    /// Keeps the direct channel to every other active device.
    pub(super) fn open_direct(&mut self, device: &DeviceId) -> Result<(), Fault> {
        if *device == self.memory.me()? || self.memory.direct_channel(device).is_some() {
            return Ok(());
        }
        let Some(peer) = self.memory.roster()?.device(device).map(|d| d.keys.direct) else {
            return Ok(());
        };
        let own = &self.memory.keys()?.direct;
        let Some(secret): Option<Secret<32>> = crate::cell::direct::direct_secret(own, &peer)
        else {
            return Ok(());
        };
        self.insert_channel(crate::member::store::NewChannel {
            kind: ChannelKind::Direct,
            room: None,
            peer: Some(*device),
            invite: None,
            epoch: 0,
            secret,
            opened: 0,
        })
    }
}
