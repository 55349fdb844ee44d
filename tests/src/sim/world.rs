//! The world: a clock by hand, links on which frames take their time, processes that die. Nothing
//! happens but by the next event, so that a seed decides everything that is ours to decide.

use std::collections::VecDeque;

use anyhow::{Context, ensure};
use staffetta_protocol::member::agent::core::{Core, Down, Now, Out};
use staffetta_protocol::member::engine::Engine;
use staffetta_protocol::member::store::RoomStatus;
use staffetta_protocol::noise::keys::TransportHash;
use staffetta_protocol::wire::frame::ToRelay;

use super::choices::Choices;
use super::device::{Connection, Device, Link};
use super::hostile::Broken;
use super::relay::Relay;
use super::seeds::own_step;
use super::truth::Truth;

/// What a world is like.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The longest time that a frame is under way, in milliseconds.
    pub latency_ms: u64,
    /// Once in so many steps a process dies right after the step's transaction; 0: never.
    pub crash_once_in: u64,
    /// Once in so many frames the connection breaks with what is under way on it; 0: never.
    pub cut_once_in: u64,
}

/// Nothing goes wrong.
pub const CALM: Weather = Weather { latency_ms: 40, crash_once_in: 0, cut_once_in: 0 };

/// A relay, devices, and what is known of both.
pub struct World {
    /// The time.
    pub now: Now,
    /// The relay.
    pub relay: Relay,
    /// The devices; one that was revoked keeps its place.
    pub devices: Vec<Device>,
    /// What has been decided by chance.
    pub choices: Choices,
    /// What must be true.
    pub truth: Truth,
    /// What it is like at present.
    pub weather: Weather,
    /// How many steps engines made.
    pub steps: u64,
    /// How many processes died.
    pub crashes: u64,
    /// How many connections broke.
    pub cuts: u64,
    /// What was done against the rules.
    pub broken: Broken,
    /// The step after which a process dies in any case, from 1 on.
    pub dies_at: u64,
    /// How often only some cells of a PUT arrived.
    pub partly: u64,
    pub(super) random: Choices,
    pub(super) calls: u64,
}

/// What a device is given to do in one step.
type Work<'a> = Box<dyn FnOnce(&mut Engine, Now) + 'a>;

#[derive(Clone, Copy)]
enum Event {
    Start,
    Dial,
    ToRelay,
    ToDevice,
    Push,
    Tick,
}

impl World {
    /// A relay that nobody has claimed.
    pub fn new(seed: u64) -> Self {
        let mut choices = Choices::of(seed);
        Self {
            now: Now { unix_ms: 1_800_000_000_000, mono_ms: 1_000 },
            relay: Relay::default(),
            devices: Vec::new(),
            truth: Truth::default(),
            weather: CALM,
            steps: 0,
            crashes: 0,
            cuts: 0,
            broken: Broken::default(),
            dies_at: 0,
            partly: 0,
            random: choices.branch(),
            choices,
            calls: 0,
        }
    }

    /// The same team in a world of its own, with another fate.
    pub fn copy(&self, seed: u64) -> anyhow::Result<Self> {
        let mut copy = Self::new(seed);
        (copy.now, copy.dies_at) = (self.now, own_step(seed));
        (copy.relay, copy.truth) = (self.relay.clone(), self.truth.clone());
        for device in &self.devices {
            let mut device = device.copy()?;
            device.start(&mut copy.random)?;
            device.link = Link::Down(Some(copy.now.mono_ms));
            copy.devices.push(device);
        }
        Ok(copy)
    }

    /// A profile without a team.
    pub fn blank(&mut self, name: &str) -> anyhow::Result<usize> {
        self.devices.push(Device::blank(name, &mut self.random)?);
        Ok(self.devices.len() - 1)
    }

    /// Lets time pass, with everything that happens meanwhile.
    pub fn pass(&mut self, ms: u64) -> anyhow::Result<()> {
        let until = self.now.mono_ms + ms;
        while self.next(until)? {}
        Ok(())
    }

    /// Runs until a fact holds.
    pub fn until(
        &mut self,
        what: &str,
        ms: u64,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> anyhow::Result<()> {
        let until = self.now.mono_ms + ms;
        while !holds(self) {
            if !self.next(until)? {
                ensure!(holds(self), "never came: {what}");
            }
        }
        Ok(())
    }

    /// The next event, if it comes before `until`; else the time is `until`.
    fn next(&mut self, until: u64) -> anyhow::Result<bool> {
        let Some((time, at, event)) = self.first_event().filter(|(time, ..)| *time <= until) else {
            self.set_time(until);
            return Ok(false);
        };
        self.set_time(time);
        match event {
            Event::Start => {
                let device = &mut self.devices[at];
                device.start(&mut self.random)?;
                device.link = Link::Down(Some(self.now.mono_ms));
            }
            Event::Dial => self.dial(at)?,
            Event::ToRelay => self.arrive(at),
            Event::ToDevice => self.deliver(at)?,
            Event::Push => self.push(at)?,
            Event::Tick => {
                self.devices[at].ticked_at = self.now.mono_ms;
                self.drive(at, |engine, now| engine.tick(now))?;
            }
        }
        Ok(true)
    }

    fn set_time(&mut self, mono_ms: u64) {
        let passed = mono_ms.saturating_sub(self.now.mono_ms);
        self.now.mono_ms += passed;
        self.now.unix_ms += passed;
    }

    fn first_event(&self) -> Option<(u64, usize, Event)> {
        let mut first: Option<(u64, usize, Event)> = None;
        for (at, device) in self.devices.iter().enumerate() {
            let (mut dial, mut up, mut down, mut push) = (None, None, None, None);
            match &device.link {
                Link::Down(at) => dial = *at,
                Link::Up(connection) => {
                    up = connection.up.front().map(|(at, _)| *at);
                    down = connection.down.front().map(|(at, _)| *at);
                    push = connection.push_at;
                }
            }
            for (time, event) in [
                (device.starts_at, Event::Start),
                (dial.filter(|_| device.engine.is_some()), Event::Dial),
                (up, Event::ToRelay),
                (down, Event::ToDevice),
                (push, Event::Push),
                (device.due(), Event::Tick),
            ] {
                let Some(time) = time else { continue };
                if first.is_none_or(|(known, ..)| time < known) {
                    first = Some((time, at, event));
                }
            }
        }
        first
    }

    /// Whether the relay serves a device. It goes on serving those that were revoked, as a hostile
    /// one would: what they cannot open, the rooms have taken from them.
    fn serves(&self, at: usize, row: &TransportHash) -> bool {
        self.devices[at].gone || self.relay.knows(row)
    }

    fn delay(&mut self) -> u64 {
        self.now.mono_ms + 1 + self.choices.below(self.weather.latency_ms)
    }

    /// Connects a device, if it may and wants to.
    fn dial(&mut self, at: usize) -> anyhow::Result<()> {
        const AGAIN_MS: u64 = 5_000;
        let again = Link::Down(Some(self.now.mono_ms + AGAIN_MS));
        let dial = self.devices[at].engine.as_ref().and_then(Core::dial);
        let Some(dial) = dial else {
            self.devices[at].link = again;
            return Ok(());
        };
        let row = dial.access.bind(&dial.transport.public());
        if !self.serves(at, &row) {
            self.devices[at].link = again;
            return self.drive(at, |engine, now| engine.down(now, Down::Refused));
        }
        let (welcome, push) = (self.delay(), self.delay());
        self.devices[at].link = Link::Up(Connection {
            row,
            up: VecDeque::new(),
            down: VecDeque::from([(welcome, self.relay.welcome())]),
            next: dial.resume,
            push_at: Some(push.max(welcome + 1)),
        });
        Ok(())
    }

    /// A frame reaches the relay.
    fn arrive(&mut self, at: usize) {
        let arrives = self.delay();
        let Link::Up(connection) = &mut self.devices[at].link else { return };
        let Some((_, frame)) = connection.up.pop_front() else { return };
        let answer = self.relay.answer(frame);
        let last = connection.down.back().map_or(0, |(at, _)| *at);
        if let Some(answer) = answer {
            connection.down.push_back((arrives.max(last), answer));
        }
        self.wake();
    }

    /// Everybody connected who has not everything gets a push; who has no row is cut.
    pub(super) fn wake(&mut self) {
        for at in 0..self.devices.len() {
            let push = self.delay();
            let head = self.relay.head();
            let cut = match &self.devices[at].link {
                Link::Up(connection) => !self.serves(at, &connection.row),
                Link::Down(_) => false,
            };
            if let Link::Up(connection) = &mut self.devices[at].link
                && connection.push_at.is_none()
                && (connection.next <= head || cut)
            {
                let after = connection.down.back().map_or(0, |(at, _)| *at);
                connection.push_at = Some(push.max(after));
            }
        }
    }

    fn deliver(&mut self, at: usize) -> anyhow::Result<()> {
        if self.weather.cut_once_in > 0 && self.choices.once_in(self.weather.cut_once_in) {
            return self.cut(at, true);
        }
        let Link::Up(connection) = &mut self.devices[at].link else { return Ok(()) };
        let Some((_, frame)) = connection.down.pop_front() else { return Ok(()) };
        self.drive(at, |engine, now| engine.frame(now, frame))
    }

    fn push(&mut self, at: usize) -> anyhow::Result<()> {
        const MOST: u64 = 60;
        let bound = if self.choices.once_in(3) { MOST } else { 4 };
        let count = 1 + usize::try_from(self.choices.below(bound))?;
        let again = self.delay();
        let Link::Up(connection) = &mut self.devices[at].link else { return Ok(()) };
        let (row, next) = (connection.row, connection.next);
        if !self.serves(at, &row) {
            return self.cut(at, true);
        }
        let pushed = self.relay.push(next, count);
        let Link::Up(connection) = &mut self.devices[at].link else { return Ok(()) };
        let Some((push, count)) = pushed else {
            connection.push_at = None;
            return Ok(());
        };
        connection.next += count as u64;
        connection.push_at = (connection.next <= self.relay.head()).then_some(again);
        self.drive(at, |engine, now| engine.frame(now, push))
    }

    /// Breaks a connection: some of what was under way to the relay still arrives, a commit of
    /// several cells perhaps in part, and no answer does.
    pub fn cut(&mut self, at: usize, comes_back: bool) -> anyhow::Result<()> {
        const LONGEST_MS: u64 = 3_000;
        let back = self.now.mono_ms + 100 + self.choices.below(LONGEST_MS);
        let link = Link::Down(comes_back.then_some(back));
        let Link::Up(connection) = std::mem::replace(&mut self.devices[at].link, link) else {
            return Ok(());
        };
        self.cuts += 1;
        let arrive = usize::try_from(self.choices.below(connection.up.len() as u64 + 1))?;
        let mut frames = connection.up.into_iter().map(|(_, frame)| frame);
        for frame in frames.by_ref().take(arrive) {
            self.relay.answer(frame);
        }
        if let Some(frame) = frames.next() {
            self.partly += u64::from(self.relay.take_part(frame, &mut self.choices));
        }
        self.wake();
        self.drive(at, |engine, now| engine.down(now, Down::Lost))
    }

    /// Kills a process; it is started again after a while.
    pub fn kill(&mut self, at: usize) {
        const LONGEST_MS: u64 = 5_000;
        self.crashes += 1;
        let again = self.now.mono_ms + 1 + self.choices.below(LONGEST_MS);
        if let Link::Up(connection) =
            std::mem::replace(&mut self.devices[at].link, Link::Down(None))
        {
            // What the operating system had taken over goes out.
            for (_, frame) in connection.up {
                self.relay.answer(frame);
            }
            self.wake();
        }
        self.devices[at].kill();
        self.devices[at].starts_at = Some(again);
    }

    /// One step of a device: what it wants leaves, unless its process dies first.
    pub fn drive(&mut self, at: usize, work: impl FnOnce(&mut Engine, Now)) -> anyhow::Result<()> {
        self.take_step(at, Box::new(work))
    }

    fn take_step(&mut self, at: usize, work: Work<'_>) -> anyhow::Result<()> {
        self.steps += 1;
        let often = self.weather.crash_once_in;
        let dies = self.steps == self.dies_at || often > 0 && self.choices.once_in(often);
        let arrives = self.delay();
        let device = &mut self.devices[at];
        let Some(engine) = device.engine.as_mut() else { return Ok(()) };
        work(engine, self.now);
        let mut redial = false;
        while let Some(out) = engine.poll() {
            match out {
                Out::Send(frame) => send(&mut device.link, arrives, frame, dies),
                Out::Event(event) => {
                    self.truth.event(at, &event).with_context(|| device.name.clone())?;
                }
                Out::Answer(id, answer) => {
                    device.answers.insert(id, answer);
                }
                Out::Redial => redial = true,
                Out::Deliveries => {}
            }
        }
        self.observe(at)?;
        if dies {
            self.kill(at);
        } else if redial {
            self.devices[at].link = Link::Down(Some(self.now.mono_ms + 100));
            self.drive(at, |engine, now| engine.down(now, Down::Redialled))?;
        }
        Ok(())
    }

    /// Compares what a device has of its rooms with what the others have.
    fn observe(&mut self, at: usize) -> anyhow::Result<()> {
        let device = &mut self.devices[at];
        for row in device.rooms()? {
            let active = row.status == RoomStatus::Active;
            if active && self.truth.is_news(at, &row) {
                let epoch = device.epoch(&row).with_context(|| device.name.clone())?;
                let entered = self.truth.entered(at, device.id, &row, epoch);
                entered.with_context(|| device.name.clone())?;
            } else if row.status == RoomStatus::Left {
                self.truth.left(at, &row.id);
            }
        }
        Ok(())
    }
}

fn send(link: &mut Link, arrives: u64, frame: ToRelay, dies: bool) {
    if let Link::Up(connection) = link
        && !dies
    {
        let last = connection.up.back().map_or(0, |(at, _)| *at);
        connection.up.push_back((arrives.max(last), frame));
    }
}
