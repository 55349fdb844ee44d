//! What relays and members do that keep no rule, among everything else that goes wrong.
//!
//! A relay is caught by name, and a member achieves nothing: every other invariant holds as if
//! nothing had been tried.

use std::collections::BTreeSet;

use anyhow::{anyhow, ensure};
use staffetta_protocol::cell::channel_key::ChannelKey;
use staffetta_protocol::cell::fragment::split;
use staffetta_protocol::member::agent::core::Core as _;
use staffetta_protocol::member::e2ee::{
    Authority, Change, Channel, Place, Role, Standing, WelcomeSecrets,
};
use staffetta_protocol::member::identity::SigningPublic;
use staffetta_protocol::member::store::RoomRow;
use staffetta_protocol::random::Random as _;
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::ids::{CellId, DeviceId, MemberId};
use staffetta_protocol::wire::limits::CELL;

use super::device::Link;
use super::world::World;

/// The kind of a fragment that is a commit.
const COMMIT: u8 = 1;

/// The roster of somebody who finds that everything is allowed.
struct Anything {
    number: u32,
    identity: SigningPublic,
}

impl Authority for Anything {
    fn number(&self) -> u32 {
        self.number
    }

    fn device(&self, device: &DeviceId) -> Standing {
        // Distinct devices are distinct people here, and all are admins.
        let (identity, member) = (self.identity, MemberId(device.0));
        Standing::Active { identity, member, role: Role::Admin }
    }
}

/// What was done against the rules, all of it noticed or without effect.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// How often.
    pub count: u64,
    /// How many of these were commits that nobody allows.
    pub usurped: u64,
    /// What the relay was caught at, by device.
    pub caught: BTreeSet<(usize, String)>,
}

/// What a relay tells one device that is not so, and what the person is told of it.
#[derive(Clone, Copy, Debug)]
pub enum Lie {
    /// Later cells than the next.
    Skip,
    /// Cells it has shown already.
    Again,
}

impl Lie {
    /// What a person reads.
    pub fn noticed_as(self) -> &'static str {
        match self {
            Self::Skip => "The relay left out messages.",
            Self::Again => "The relay showed messages twice.",
        }
    }
}

impl World {
    /// The relay lies to one device, if there is something to lie about. **It is caught at once, by
    /// name.**
    pub fn lie(&mut self, at: usize, lie: Lie) -> anyhow::Result<()> {
        let Link::Up(connection) = &self.devices[at].link else { return Ok(()) };
        let next = connection.next;
        let first = match lie {
            Lie::Skip => next + 1 + self.choices.below(3),
            Lie::Again => next.saturating_sub(1 + self.choices.below(3)),
        };
        let told = connection.down.is_empty() && self.reads_from(at) == Some(next);
        let Some((push, _)) = self.relay.push(first, 2).filter(|_| told) else { return Ok(()) };
        self.drive(at, |engine, now| engine.frame(now, push))?;
        let alarm = (at, lie.noticed_as().to_owned());
        ensure!(self.truth.alarms.contains(&alarm), "{lie:?} to {at} went unnoticed");
        self.broken.caught.insert(alarm);
        self.broken.count += 1;
        Ok(())
    }

    /// The seq that a device reads next, if it is a device like all others.
    fn reads_from(&self, at: usize) -> Option<u64> {
        Some(self.devices[at].engine.as_ref()?.dial()?.resume)
    }

    /// Anybody can put cells into the log that were there before, under other ids.
    pub fn replay(&mut self) {
        let head = self.relay.head();
        let first = 1 + self.choices.below(head);
        let count = 1 + self.choices.below(4);
        let cells = (first..(first + count).min(head + 1)).filter_map(|seq| self.relay.cell(seq));
        let cells: Vec<_> = cells.collect();
        self.append(&cells);
    }

    fn append(&mut self, cells: &[[u8; CELL]]) {
        let named: Vec<_> =
            cells.iter().map(|cell| (CellId::random(&mut self.random), *cell)).collect();
        // It fits into no PUT that is full already.
        let _ = self.relay.put(&Cells::collect(named.iter().map(|(id, cell)| (*id, cell))));
        self.broken.count += 1;
        self.wake();
    }

    /// A member seals what is no message into one of its rooms: whole, or fragments that nothing
    /// ever follows.
    pub fn babble(&mut self, at: usize, row: &RoomRow, channel: Channel) -> anyhow::Result<()> {
        let secret = self.devices[at]
            .forge(row, |provider, group, _| group.channel_secret(provider, channel).ok())?;
        let Some(secret) = secret else { return Ok(()) };
        let key = ChannelKey::derive(&secret);
        let mut bytes = vec![0; 1 + usize::try_from(self.choices.below(3_000))?];
        self.random.fill(&mut bytes);
        let kind = u8::try_from(self.choices.below(6))?;
        let mut fragments = split(kind, &bytes).map_err(|_| anyhow!("too long"))?;
        if self.choices.once_in(2) {
            fragments.truncate(1);
        }
        let cells: Vec<_> = fragments.iter().map(|it| key.seal(&mut self.random, it)).collect();
        self.append(&cells);
        Ok(())
    }

    /// A member that may remove nobody commits somebody's removal all the same.
    pub fn usurp(&mut self, at: usize, row: &RoomRow, target: DeviceId) -> anyhow::Result<()> {
        let forged = self.devices[at].forge(row, |provider, group, keys| {
            let anything = Anything { number: row.roster_floor, identity: keys.identity.public() };
            let change = Change { remove: &[target], update: true, ..Change::default() };
            let place = Place { roster_floor: row.roster_floor, required_removals: &[] };
            let secrets = WelcomeSecrets::default();
            // It says no if a commit of its own is pending, or if the target is not there.
            let built =
                group.commit(provider, &keys.leaf, &change, &secrets, &anything, &place).ok()?;
            let secret = group.channel_secret(provider, Channel::Room).ok()?;
            Some((built.commit, secret))
        })?;
        let Some((commit, secret)) = forged else { return Ok(()) };
        let key = ChannelKey::derive(&secret);
        let fragments = split(COMMIT, &commit).map_err(|_| anyhow!("too long"))?;
        let cells: Vec<_> = fragments.iter().map(|it| key.seal(&mut self.random, it)).collect();
        self.append(&cells);
        self.broken.usurped += 1;
        Ok(())
    }
}
