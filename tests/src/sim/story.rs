//! A team in which everything goes wrong at once: what its people do, by chance.

use anyhow::Context;
use serde_json::{Value, json};
use staffetta_protocol::member::e2ee::Channel;
use staffetta_protocol::member::store::{RoomRow, RoomStatus};
use staffetta_protocol::wire::ids::RoomId;

use super::device::Link;
use super::end::Day;
use super::hostile::Lie;
use super::team::As;
use super::world::{CALM, Weather, World};

/// The weather of a bad day.
pub const ROUGH: Weather = Weather { latency_ms: 900, crash_once_in: 120, cut_once_in: 100 };

/// A person or a bot.
#[derive(Clone)]
struct Person {
    name: String,
    devices: Vec<usize>,
    /// Rooms that it does not leave, so that each has somebody.
    keeps: Vec<&'static str>,
    bot: bool,
}

/// A team and its day.
pub struct Story {
    /// The world.
    pub world: World,
    people: Vec<Person>,
    calls: Vec<(usize, u64)>,
    written: u64,
    pub(super) revoked: u64,
}

/// The code of the control room's kind.
const CONTROL: u8 = 2;

const LEA: usize = 0;
const KARIM: usize = 1;
const SOFIA: usize = 2;
const PAUL: usize = 3;

impl Story {
    /// Twelve devices: two admins, five other people, a bot, four further devices; six rooms.
    pub fn of_twelve(seed: u64) -> anyhow::Result<Self> {
        let mut story = Self::of(seed, &["Sofia", "Paul", "Nora", "Amir", "Zoe"])?;
        for person in [LEA, KARIM, SOFIA, PAUL] {
            let by = story.people[person].devices[0];
            let name = story.people[person].name.clone();
            let new = story.world.let_in(by, &name, As::Own)?;
            story.world.devices[new].name = format!("{name}'s second");
            story.people[person].devices.push(new);
        }
        story.create(LEA, "press", &["Karim", "Sofia", "Nora", "planning"])?;
        story.create(LEA, "field", &["Paul", "Amir", "Zoe"])?;
        story.create(KARIM, "legal", &["Lea", "Sofia", "Zoe"])?;
        story.create(PAUL, "night", &["Amir", "Nora"])?;
        story.say_to(SOFIA, "@Karim")?;
        story.world.pass(30_000)?;
        Ok(story)
    }

    /// A few devices, for many short days.
    pub fn of_five(seed: u64) -> anyhow::Result<Self> {
        let mut story = Self::of(seed, &["Sofia", "Paul"])?;
        story.create(LEA, "press", &["Karim", "Sofia"])?;
        story.create(KARIM, "legal", &["Lea", "Paul"])?;
        story.world.pass(30_000)?;
        Ok(story)
    }

    fn of(seed: u64, members: &[&str]) -> anyhow::Result<Self> {
        let world = World::new(seed);
        let mut story =
            Self { world, people: Vec::new(), calls: Vec::new(), written: 0, revoked: 0 };
        let founder = story.world.found("Lea")?;
        story.come("Lea", founder, false);
        let karim = story.world.let_in(founder, "Karim", As::Verified("admin"))?;
        story.come("Karim", karim, false);
        for name in members {
            let at = story.world.let_in(founder, name, As::Unverified("member"))?;
            story.come(name, at, false);
        }
        let bot = story.world.let_in(founder, "planning", As::Unverified("bot"))?;
        story.come("planning", bot, true);
        story.world.pass(15_000)?;
        Ok(story)
    }

    /// The same morning with another fate.
    pub fn copy(&self, seed: u64) -> anyhow::Result<Self> {
        Ok(Self {
            world: self.world.copy(seed)?,
            people: self.people.clone(),
            calls: Vec::new(),
            written: self.written,
            revoked: 0,
        })
    }

    fn come(&mut self, name: &str, at: usize, bot: bool) {
        let (name, devices, keeps) = (name.to_owned(), vec![at], Vec::new());
        self.people.push(Person { name, devices, keeps, bot });
    }

    fn create(&mut self, by: usize, room: &'static str, members: &[&str]) -> anyhow::Result<()> {
        let at = self.people[by].devices[0];
        self.people[by].keeps.push(room);
        self.world.ok(at, "room.create", json!({"name": room}))?;
        // A person's own further devices are people's to add as well.
        for member in members.iter().chain([&self.people[by].name.clone().as_str()]) {
            let call = self.world.begin(at, "room.add", json!({"room": room, "member": member}))?;
            let answered = |world: &mut World| world.devices[at].answers.contains_key(&call);
            self.world.until("room.add", 60_000, answered)?;
        }
        Ok(())
    }

    /// A day of so many steps in such weather, and what it came to.
    ///
    /// # Errors
    /// What was found to be wrong.
    pub fn day(mut self, weather: Weather, steps: u64) -> anyhow::Result<Day> {
        self.world.weather = weather;
        for number in 0..steps {
            self.step().with_context(|| format!("step {number}"))?;
        }
        self.settle()
    }

    /// One thing happens.
    pub fn step(&mut self) -> anyhow::Result<()> {
        let at = self.device();
        match self.world.choices.below(100) {
            0..=33 => self.say(at),
            34..=37 => self.add(),
            38..=41 => self.remove(),
            42 => self.leave(),
            43 => self.set(at),
            44 => self.change_role(),
            45..=47 => {
                self.world.kill(at);
                Ok(())
            }
            48..=50 => self.world.cut(at, true),
            51..=53 => self.world.cut(at, false),
            54..=58 => {
                self.call_back(at);
                Ok(())
            }
            59 => {
                self.world.relay.full = !self.world.relay.full;
                Ok(())
            }
            60 if self.revoked < 8 && self.world.choices.once_in(2) => self.revoke(),
            61..=66 => self.break_a_rule(at),
            67..=94 => {
                let ms = self.world.choices.below(500);
                self.world.pass(ms)
            }
            _ => {
                let ms = self.world.choices.below(15_000);
                self.world.pass(ms)
            }
        }
    }

    fn device(&mut self) -> usize {
        let alive: Vec<usize> =
            self.people.iter().flat_map(|person| person.devices.iter().copied()).collect();
        self.world.choices.one(&alive).unwrap_or(0)
    }

    /// The relay lies to somebody, or a member does what no member may.
    fn break_a_rule(&mut self, at: usize) -> anyhow::Result<()> {
        match self.world.choices.below(5) {
            0 => self.world.lie(at, Lie::Skip),
            1 => self.world.lie(at, Lie::Again),
            2 => {
                self.world.replay();
                Ok(())
            }
            3 => {
                let mut rooms = self.world.devices[at].rooms()?;
                rooms.retain(|row| row.status == RoomStatus::Active);
                rooms.sort_by_key(|row| row.id.0);
                let Some(row) = self.world.choices.one(&rooms) else { return Ok(()) };
                let channel = match (row.kind, self.world.choices.once_in(3)) {
                    (CONTROL, _) => Channel::Control,
                    (_, true) => Channel::Check,
                    (_, false) => Channel::Room,
                };
                self.world.babble(at, &row, channel)
            }
            _ => self.usurp(),
        }
    }

    /// Who is no admin and no bot's owner removes somebody else.
    fn usurp(&mut self) -> anyhow::Result<()> {
        let powerless: Vec<usize> = (0..self.people.len())
            .filter(|person| *person == SOFIA || self.people[*person].bot)
            .collect();
        let by = self.world.choices.one(&powerless).context("a bot")?;
        let others = self.people.iter().enumerate().filter(|(person, _)| *person != by);
        let others: Vec<usize> = others.flat_map(|(_, it)| it.devices.clone()).collect();
        let at = self.world.choices.one(&self.people[by].devices).context("a device")?;
        let target = self.world.choices.one(&others).context("somebody")?;
        let target = self.world.devices[target].id.context("a device's id")?;
        let rooms = self.rooms_of(at)?;
        let Some(row) = self.world.choices.one(&rooms) else { return Ok(()) };
        self.world.usurp(at, &row, target)
    }

    /// Whoever is off the net comes back.
    pub(super) fn call_back(&mut self, at: usize) {
        let now = self.world.now.mono_ms;
        let device = &mut self.world.devices[at];
        if device.engine.is_none() {
            device.starts_at = Some(now);
        } else if let Link::Down(again) = &mut device.link {
            *again = Some(now);
        }
    }

    fn rooms_of(&self, at: usize) -> anyhow::Result<Vec<RoomRow>> {
        let mut rooms = self.world.devices[at].rooms()?;
        rooms.retain(|row| row.kind <= 1 && row.status == RoomStatus::Active);
        rooms.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rooms)
    }

    fn person_of(&self, at: usize) -> usize {
        self.people.iter().position(|person| person.devices.contains(&at)).unwrap_or(LEA)
    }

    fn say(&mut self, at: usize) -> anyhow::Result<()> {
        let rooms = self.rooms_of(at)?;
        let Some(row) = self.world.choices.one(&rooms) else { return Ok(()) };
        let room = match (row.kind, self.person_of(at)) {
            (0, _) => row.name.clone(),
            (_, SOFIA) => "@Karim".to_owned(),
            _ => "@Sofia".to_owned(),
        };
        self.say_in(at, &room, row.id)
    }

    fn say_to(&mut self, person: usize, room: &str) -> anyhow::Result<()> {
        let at = self.people[person].devices[0];
        self.world.ok(at, "send", json!({"room": room, "text": "first", "wait_ms": 0}))?;
        let rooms = self.rooms_of(at)?;
        let row = rooms.iter().find(|row| row.kind == 1).context("a conversation")?;
        let read = self.world.ok(at, "read", json!({"room": room}))?;
        let id = read[0]["id"].as_str().context("an id")?.to_owned();
        self.note(at, &id, row.id, "first")
    }

    fn say_in(&mut self, at: usize, room: &str, id: RoomId) -> anyhow::Result<()> {
        self.written += 1;
        let text = format!("{} of {}", self.written, self.world.devices[at].name);
        let ask = json!({"room": room, "text": text, "wait_ms": 0});
        let call = self.world.begin(at, "send", ask)?;
        match self.world.answer(at, call) {
            Some(Ok(answer)) => {
                let content = answer["id"].as_str().context("an id")?.to_owned();
                self.note(at, &content, id, &text)
            }
            _ => Ok(()),
        }
    }

    fn note(&mut self, at: usize, id: &str, room: RoomId, text: &str) -> anyhow::Result<()> {
        let by = self.world.devices[at].id.context("a device's id")?;
        let epoch = self.world.truth.latest(at, &room).unwrap_or_default();
        self.world.truth.said(id, by, room, text, epoch);
        Ok(())
    }

    /// Somebody wishes for something and does not wait for it.
    fn wish(&mut self, at: usize, method: &str, ask: Value) -> anyhow::Result<()> {
        let call = self.world.begin(at, method, ask)?;
        self.calls.push((at, call));
        Ok(())
    }

    fn somebody(&mut self) -> usize {
        let count = self.people.len() as u64;
        usize::try_from(self.world.choices.below(count)).unwrap_or(LEA)
    }

    fn a_room_of(&mut self, at: usize) -> anyhow::Result<Option<String>> {
        let rooms = self.rooms_of(at)?;
        let named: Vec<String> = rooms
            .into_iter()
            .filter(|row| row.kind == 0 && row.name != "general")
            .map(|row| row.name)
            .collect();
        Ok(self.world.choices.one(&named))
    }

    /// Two admins may add the same person to two rooms at once, and draw the same KeyPackage.
    fn add(&mut self) -> anyhow::Result<()> {
        let target = self.somebody();
        let by = if self.world.choices.once_in(2) { LEA } else { KARIM };
        let at = self.world.choices.one(&self.people[by].devices).context("a device")?;
        let Some(room) = self.a_room_of(at)? else { return Ok(()) };
        let member = self.people[target].name.clone();
        self.wish(at, "room.add", json!({"room": room, "member": member}))
    }

    fn remove(&mut self) -> anyhow::Result<()> {
        let admin = if self.world.choices.once_in(2) { LEA } else { KARIM };
        let at = self.world.choices.one(&self.people[admin].devices).context("a device")?;
        let target = self.somebody();
        let Some(room) = self.a_room_of(at)? else { return Ok(()) };
        if self.people[target].keeps.contains(&room.as_str()) {
            return Ok(());
        }
        let member = self.people[target].name.clone();
        self.wish(at, "room.remove", json!({"room": room, "member": member}))
    }

    fn leave(&mut self) -> anyhow::Result<()> {
        let who = self.somebody();
        let at = self.people[who].devices[0];
        let Some(room) = self.a_room_of(at)? else { return Ok(()) };
        if self.people[who].keeps.contains(&room.as_str()) {
            return Ok(());
        }
        self.wish(at, "room.leave", json!({"room": room}))
    }

    fn set(&mut self, at: usize) -> anyhow::Result<()> {
        let Some(room) = self.a_room_of(at)? else { return Ok(()) };
        self.written += 1;
        let topic = format!("about {}", self.written);
        self.wish(at, "room.set", json!({"room": room, "topic": topic}))
    }

    fn change_role(&mut self) -> anyhow::Result<()> {
        let role = if self.world.choices.once_in(2) { "admin" } else { "member" };
        let (at, member) = (self.people[LEA].devices[0], &self.people[PAUL].name);
        let ask = json!({"member": member, "role": role});
        self.wish(at, "team.role", ask)
    }

    /// A device is lost: it is revoked, and somebody new comes in its place.
    fn revoke(&mut self) -> anyhow::Result<()> {
        let who = self.somebody();
        let person = &self.people[who];
        let needed = who <= PAUL || !person.keeps.is_empty();
        if person.bot || needed && person.devices.len() < 2 {
            return Ok(());
        }
        let Some(lost) = self.people[who].devices.pop() else { return Ok(()) };
        let rough = std::mem::replace(&mut self.world.weather, CALM);
        self.world.relay.full = false;
        let admin = self.people[LEA].devices[0];
        self.call_back(admin);
        self.world.until("an admin", 60_000, |world| world.devices[admin].is_connected())?;
        let device = self.world.devices[lost].id.context("a device's id")?.to_hex();
        self.world.ok(admin, "revoke", json!({"device": device}))?;
        self.world.devices[lost].gone = true;
        self.call_back(lost);
        self.revoked += 1;
        if self.people[who].devices.is_empty() {
            let name = format!("Guest {}", self.revoked);
            let new = self.world.let_in(admin, &name, As::Unverified("member"))?;
            self.people[who] = Person { name, devices: vec![new], keeps: Vec::new(), bot: false };
        }
        self.world.weather = rough;
        Ok(())
    }
}
