//! The side bar, and going from room to room.

use serde_json::Value;

use super::super::untrusted::Untrusted;
use super::timeline::Timeline;
use super::{About, At, Compose, Effect, State};
use crate::output::is_set;

/// The messages kept in memory of a room that is not open, and the most rooms of which any are.
const KEPT_ASIDE: usize = 200;
const ROOMS_KEPT: usize = 16;

/// A person or bot of the team.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Person {
    pub(in crate::tui) name: Untrusted,
    pub(in crate::tui) bot: bool,
    pub(in crate::tui) admin: bool,
    /// Whether words were compared with all its devices.
    pub(in crate::tui) verified: bool,
    /// Whether the name looks like somebody else's.
    pub(in crate::tui) alike: bool,
    pub(in crate::tui) me: bool,
}

/// Where in the side bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tui) enum Section {
    Rooms,
    People,
    Bots,
}

/// A line of the side bar: a room, or a person to write to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Entry {
    /// The room's id; `@` and the name of a person to whom nothing was written yet.
    pub(in crate::tui) key: String,
    /// As the agent knows it.
    pub(in crate::tui) name: Untrusted,
    pub(in crate::tui) section: Section,
    pub(in crate::tui) verified: bool,
    pub(in crate::tui) members: u64,
    pub(in crate::tui) bots: Vec<Untrusted>,
    pub(in crate::tui) unread: u64,
    pub(in crate::tui) mentions: u64,
    pub(in crate::tui) lifetime_s: u64,
    pub(in crate::tui) topic: Untrusted,
    pub(in crate::tui) frozen: bool,
    /// Whether there is a room yet.
    pub(in crate::tui) begun: bool,
}

impl Entry {
    /// The name without the `@` of a conversation.
    pub(in crate::tui) fn title(&self) -> Untrusted {
        self.name.person().unwrap_or_else(|| self.name.clone())
    }
}

fn number(object: &Value, field: &str) -> u64 {
    object.get(field).and_then(Value::as_u64).unwrap_or_default()
}

fn is_text(object: &Value, field: &str, text: &str) -> bool {
    object.get(field).and_then(Value::as_str) == Some(text)
}

impl State {
    pub(in crate::tui) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(super) fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }

    /// The open room as the agent knows it.
    pub(super) fn here(&self) -> Option<&Untrusted> {
        self.entry(&self.current).map(|entry| &entry.name)
    }

    /// The entry of a room as an event names it.
    pub(super) fn key_of(&self, event: &Value) -> Option<String> {
        let id = event.get("room_id").and_then(Value::as_str)?;
        self.entry(id).map(|entry| entry.key.clone())
    }

    /// The answer of `team`: a line a device.
    pub(super) fn on_team(&mut self, team: &Value) -> Vec<Effect> {
        let mut people: Vec<Person> = Vec::new();
        for device in team.as_array().into_iter().flatten() {
            if !is_text(device, "state", "active") {
                continue;
            }
            let name = Untrusted::of(device, "member");
            let (verified, me) = (is_set(device, "verified"), is_set(device, "own"));
            match people.iter_mut().find(|person| person.name == name) {
                Some(person) => {
                    person.verified &= verified;
                    person.me |= me;
                }
                None => people.push(Person {
                    bot: is_text(device, "role", "bot"),
                    admin: is_text(device, "role", "admin"),
                    alike: false,
                    name,
                    verified,
                    me,
                }),
            }
        }
        let looks: Vec<String> = people.iter().map(|person| look_of(&person.name)).collect();
        for (person, look) in people.iter_mut().zip(&looks) {
            person.alike = looks.iter().filter(|other| *other == look).count() > 1;
        }
        people.sort_by_key(|person| person.name.line().to_lowercase());
        self.people = people;
        self.arrange(None)
    }

    /// The answer of `room.list`.
    pub(super) fn on_rooms(&mut self, rooms: &Value) -> Vec<Effect> {
        let read = |room: &Value| {
            let direct = is_text(room, "kind", "direct");
            Entry {
                key: room.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
                name: Untrusted::of(room, "name"),
                section: if direct { Section::People } else { Section::Rooms },
                verified: true,
                members: number(room, "members"),
                bots: Untrusted::list(room, "bots"),
                unread: number(room, "unread"),
                mentions: number(room, "mentions"),
                lifetime_s: number(room, "lifetime_s"),
                topic: Untrusted::of(room, "topic"),
                frozen: is_set(room, "frozen"),
                begun: true,
            }
        };
        let rooms = rooms.as_array().into_iter().flatten().map(read).collect();
        self.arrange(Some(rooms))
    }

    /// Puts rooms and people in order. What was written to somebody before there was a room goes
    /// with the room.
    fn arrange(&mut self, rooms: Option<Vec<Entry>>) -> Vec<Effect> {
        let mut entries = match rooms {
            Some(rooms) => rooms,
            None => std::mem::take(&mut self.entries).into_iter().filter(|it| it.begun).collect(),
        };
        for person in self.people.iter().filter(|person| !person.me) {
            let name = person.name.conversation();
            let section = if person.bot { Section::Bots } else { Section::People };
            let verified = person.verified && !person.alike;
            match entries.iter_mut().find(|entry| entry.name.names(&name)) {
                Some(entry) => (entry.section, entry.verified) = (section, verified),
                None => entries.push(Entry {
                    key: name.line(),
                    name,
                    section,
                    verified,
                    members: 0,
                    bots: Vec::new(),
                    unread: 0,
                    mentions: 0,
                    lifetime_s: 0,
                    topic: Untrusted::default(),
                    frozen: false,
                    begun: false,
                }),
            }
        }
        entries.sort_by_key(|entry| (entry.section, entry.name.line().to_lowercase()));
        for entry in entries.iter().filter(|entry| entry.begun) {
            let before = entry.name.line();
            if let Some(draft) = self.drafts.remove(&before) {
                self.drafts.entry(entry.key.clone()).or_insert(draft);
            }
            if let Some(timeline) = self.timelines.remove(&before) {
                self.timelines.entry(entry.key.clone()).or_insert(timeline);
            }
            if self.current == before {
                self.current.clone_from(&entry.key);
            }
        }
        self.entries = entries;
        self.settle()
    }

    /// Opens a room if none is open that still exists.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        if !self.restored || self.entry(&self.current).is_some() {
            return Vec::new();
        }
        let last = self.kept.get("room").and_then(Value::as_str).unwrap_or_default();
        let rooms = || self.entries.iter().filter(|entry| entry.begun);
        let found = rooms().find(|entry| entry.key == last).or_else(|| rooms().next());
        match found.map(|entry| entry.key.clone()) {
            Some(key) => self.open(&key),
            None => Vec::new(),
        }
    }

    /// Opens a room where people stopped reading it.
    pub(super) fn open(&mut self, key: &str) -> Vec<Effect> {
        self.leave();
        self.openings += 1;
        key.clone_into(&mut self.current);
        let begun = self.entry(key).is_some_and(|entry| entry.begun);
        let timeline = self.timelines.entry(key.to_owned()).or_default();
        timeline.opened = self.openings;
        timeline.new_from = timeline.messages.iter().find(|it| it.unread).map(|it| it.id.clone());
        let known = timeline.at_end || !begun;
        timeline.at_end |= !begun;
        if let Some(draft) = self.drafts.remove(key) {
            self.compose = Compose { line: super::Line::with(draft), about: About::Nothing };
        }
        self.forget_rooms();
        let mut effects = Vec::new();
        if begun {
            effects.extend(self.ask_members());
        }
        if known {
            self.show_new();
            effects.extend(self.mark());
        } else {
            effects.extend(self.load(At::Unread));
        }
        effects
    }

    /// Puts away what was begun in the room that is open.
    pub(super) fn leave(&mut self) {
        self.completion = None;
        let Compose { line, about } = std::mem::take(&mut self.compose);
        let draft = match about {
            // The text of a message that is being changed is no draft of a new one.
            About::Edit(_) => String::new(),
            _ => line.text(),
        };
        if draft.is_empty() {
            self.drafts.remove(&self.current);
        } else if !self.current.is_empty() {
            self.drafts.insert(self.current.clone(), draft);
        }
        if let Some(timeline) = self.timelines.get_mut(&self.current) {
            timeline.selected = None;
            timeline.anchor = None;
            if timeline.at_end {
                timeline.trim(KEPT_ASIDE);
            } else {
                *timeline = Timeline::default();
            }
        }
    }

    fn forget_rooms(&mut self) {
        while self.timelines.len() > ROOMS_KEPT {
            let oldest = self.timelines.iter().min_by_key(|(_, timeline)| timeline.opened);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            self.timelines.remove(&key);
        }
    }

    /// The next room with something unread: first where this member is mentioned.
    pub(super) fn next_unread(&mut self) -> Vec<Effect> {
        let at = self.entries.iter().position(|it| it.key == self.current).unwrap_or_default();
        let (before, after) = self.entries.split_at(at);
        let round = || after.iter().chain(before).filter(|it| it.key != self.current);
        let loud = |entry: &&Entry| entry.unread > 0 && !self.muted.contains(&entry.key);
        let next = round().find(|it| it.mentions > 0).or_else(|| round().find(loud));
        match next.map(|entry| entry.key.clone()) {
            Some(key) => self.open(&key),
            None => {
                self.notice = Some(self.words().nothing_unread.into());
                Vec::new()
            }
        }
    }

    /// The line of the side bar above or below the open one.
    pub(super) fn neighbour(&mut self, step: isize) -> Vec<Effect> {
        let at = self.entries.iter().position(|it| it.key == self.current).unwrap_or_default();
        let next = at.checked_add_signed(step).and_then(|at| self.entries.get(at));
        match next.map(|entry| entry.key.clone()) {
            Some(key) => self.open(&key),
            None => Vec::new(),
        }
    }
}

/// What a name looks like to somebody who reads quickly.
fn look_of(name: &Untrusted) -> String {
    unicode_security::confusable_detection::skeleton(&name.line().to_lowercase()).collect()
}
