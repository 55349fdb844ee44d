//! Founding a team, letting people and their further devices in.

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::json;
use staffetta_protocol::invite_code::{
    Bundle, Host, Invitation, InviteCode, Language, NO_EXPIRY, Role,
};
use staffetta_protocol::member::agent::core::ApiError;
use staffetta_protocol::member::engine::{Joined, Step};
use staffetta_protocol::noise::keys::StaticPublic;
use staffetta_protocol::wire::frame::{InviteEnd, ToDevice};
use staffetta_protocol::wire::ids::DeviceId;

use super::device::Link;
use super::world::World;

const RELAY_KEY: StaticPublic = StaticPublic([9; 32]);

fn said(error: ApiError) -> anyhow::Error {
    anyhow!(error.message)
}

/// How somebody comes in.
#[derive(Clone, Copy)]
pub enum As<'a> {
    /// A person or bot, without words.
    Unverified(&'a str),
    /// A person, by words.
    Verified(&'a str),
    /// A further device of the inviter.
    Own,
}

impl World {
    /// A founder claims the relay; returns its device.
    pub fn found(&mut self, name: &str) -> anyhow::Result<usize> {
        let at = self.blank(name)?;
        let code = InviteCode::generate(
            Host::parse("relay.example").map_err(|_| anyhow!("a host"))?,
            None,
            &mut self.random,
        );
        let bundle = Bundle {
            invitation: Invitation::Founder,
            team: "Campaign".into(),
            language: Language::English,
            relay: RELAY_KEY,
            addresses: vec!["relay.example:7443".into()],
            role: Role::Admin,
            expires: NO_EXPIRY,
            auto_approve: false,
        };
        let keys = code.keys();
        let sealed = bundle.seal(&keys.id, &keys.bundle, &mut self.random);
        let sealed = sealed.map_err(|_| anyhow!("a bundle"))?;
        let now = self.now;
        let engine = self.devices[at].engine.as_mut().context("a process")?;
        engine.begin_join(now, &code, name, "laptop").map_err(said)?;
        let step = engine.bundle(now, &code, &RELAY_KEY, &sealed).map_err(said)?;
        let Step::Found { document, .. } = step else { bail!("a founder's bundle") };
        let done = self.relay.change_rows(0, &document);
        ensure!(matches!(done, ToDevice::Done { .. }), "the claim was refused");
        self.devices[at].engine.as_mut().context("a process")?.enrolled(now).map_err(said)?;
        self.enter(at)?;
        Ok(at)
    }

    /// Somebody is let in by the device `by`; returns the new device.
    pub fn let_in(&mut self, by: usize, name: &str, how: As<'_>) -> anyhow::Result<usize> {
        const LONGEST_MS: u64 = 120_000;
        let invite = match how {
            As::Own => self.ok(by, "device.add", json!({}))?,
            As::Unverified(role) => {
                let ask = json!({"name": name, "role": role, "auto_approve": true});
                self.ok(by, "invite.create", ask)?
            }
            As::Verified(role) => {
                self.ok(by, "invite.create", json!({"name": name, "role": role}))?
            }
        };
        let code = InviteCode::parse(invite["code"].as_str().context("a code")?)
            .map_err(|_| anyhow!("a code that cannot be read"))?;
        let invite_id = code.keys().id;
        let sealed = self.relay.bundles.get(&invite_id).context("a bundle")?.clone();
        let new = self.blank(name)?;
        let now = self.now;
        let engine = self.devices[new].engine.as_mut().context("a process")?;
        engine.begin_join(now, &code, name, "computer").map_err(said)?;
        let step = engine.bundle(now, &code, &RELAY_KEY, &sealed).map_err(said)?;
        let Step::Ask { words, cells, .. } = step else { bail!("a member's bundle") };
        let seqs = self.relay.put(&cells).context("a request")?;
        let (first, last) = seqs.first().zip(seqs.last()).context("a request")?;
        let (first, last) = (*first, *last);
        self.wake();
        self.devices[new].engine.as_mut().context("a process")?.asked(now, first).map_err(said)?;
        if let Some(words) = words {
            self.until("a request", LONGEST_MS, |world| world.has_read(by, last))?;
            let ask = json!({"id": invite["id"], "words": words});
            self.ok(by, "invite.approve", ask)?;
        }
        let ended = |world: &mut Self| world.relay.ended.contains_key(&invite_id);
        self.until("an answer", LONGEST_MS, ended)?;
        ensure!(self.relay.ended[&invite_id] == InviteEnd::Enrolled, "{name} was refused");
        let now = self.now;
        self.devices[new].engine.as_mut().context("a process")?.enrolled(now).map_err(said)?;
        self.enter(new)?;
        Ok(new)
    }

    fn has_read(&self, at: usize, seq: u64) -> bool {
        match &self.devices[at].link {
            Link::Up(connection) => connection.next > seq,
            Link::Down(_) => false,
        }
    }

    fn enter(&mut self, at: usize) -> anyhow::Result<()> {
        const LONGEST_MS: u64 = 120_000;
        self.devices[at].link = Link::Down(Some(self.now.mono_ms));
        let inside = |world: &mut Self| {
            let engine = world.devices[at].engine.as_ref();
            engine.is_some_and(|engine| engine.joined() == Joined::Inside)
        };
        self.until("the first rooms", LONGEST_MS, inside)?;
        let status = self.ok(at, "status", json!({}))?;
        let id = status["device"].as_str().and_then(DeviceId::from_hex);
        self.devices[at].id = Some(id.context("a device's id")?);
        Ok(())
    }
}
