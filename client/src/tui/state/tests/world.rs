//! A screen with a team: Lea looks at it, Karim is verified, Paul is not, planning is a bot.

use serde_json::{Value, json};
use staffetta_protocol::invite_code::{Host, InviteCode};
use staffetta_protocol::secret::Secret;

use super::super::*;
use crate::text::screen::EN;
use crate::tui::key::Code;

pub(in crate::tui) struct World {
    pub(in crate::tui) state: State,
    sent: Vec<Effect>,
}

pub(in crate::tui) fn setup(words: &'static Words, size: Size) -> Setup {
    Setup { words, zone: TimeZone::UTC, ascii: false, no_colour: false, size, notifies: false }
}

pub(in crate::tui) fn control(c: char) -> Key {
    Key { code: Code::Char(c), control: true, alt: false }
}

pub(in crate::tui) fn no(why: &str) -> Refusal {
    Refusal { message: why.into(), hint: Untrusted::default() }
}

pub(in crate::tui) fn message(id: &str, room: &str, seq: u64, text: &str, own: bool) -> Value {
    json!({"type": "message", "id": id, "room": room, "room_id": format!("id-{room}"),
        "from": if own { "Lea" } else { "Karim" }, "verified": true, "seq": seq, "text": text,
        "own": own, "unread": !own, "sent_at": "2027-04-25T09:12:03Z", "mentions": [],
        "reactions": []})
}

/// The call that sends `text` to `room`.
pub(in crate::tui) fn send(room: &str, text: &str) -> Effect {
    let key = format!("id-{room}");
    Effect::Call {
        ask: Ask::Send { key, text: text.into(), reply_to: None },
        lane: Lane::Quick,
        method: "send",
        params: json!({"room": room, "text": text, "reply_to": null, "wait_ms": 0}),
    }
}

pub(in crate::tui) fn asked(effects: &[Effect]) -> Ask {
    let ask = effects.iter().find_map(|effect| match effect {
        Effect::Call { ask, .. } => Some(ask.clone()),
        _ => None,
    });
    ask.expect("a call")
}

pub(in crate::tui) fn invitation() -> String {
    let host = Host::parse("relay.example").unwrap();
    let secret = Secret::filled(|bytes| bytes.fill(7));
    InviteCode::from_secret(host, None, secret).to_text().to_string()
}

pub(in crate::tui) fn rooms() -> Value {
    let room = |name: &str, unread: u64| {
        json!({"name": name, "id": format!("id-{name}"), "kind": "room", "members": 5,
            "unread": unread, "mentions": 0, "lifetime_s": 604_800, "topic": "", "frozen": false})
    };
    json!([room("general", 0), room("press", 0), room("legal", 0)])
}

pub(in crate::tui) fn team() -> Value {
    let device = |member: &str, role: &str, verified: bool, own: bool| {
        json!({"member": member, "device": format!("{member}-1"), "label": "laptop",
            "role": role, "verified": verified, "state": "active", "own": own})
    };
    json!([
        device("Lea", "admin", true, true),
        device("Karim", "admin", true, false),
        device("Paul", "member", false, false),
        device("planning", "bot", true, false),
    ])
}

impl World {
    /// A screen that knows nothing yet.
    pub(in crate::tui) fn empty() -> Self {
        Self::with(setup(&EN, Size::default()))
    }

    pub(in crate::tui) fn with(setup: Setup) -> Self {
        Self { state: State::new(setup), sent: Vec::new() }
    }

    /// A screen with `general` open and nothing said there.
    pub(in crate::tui) fn new() -> Self {
        let mut world = Self::empty();
        world.settle();
        world
    }

    pub(in crate::tui) fn settle(&mut self) {
        self.answer(Ask::Kept, Ok(json!({"kept": null})));
        let status = json!({"team": "Campagne", "member": "Lea", "label": "laptop",
            "relay": "relay.campagne.example", "connected": true});
        self.answer(Ask::Status, Ok(status));
        self.rooms();
    }

    pub(in crate::tui) fn rooms(&mut self) {
        self.answer(Ask::Team, Ok(team()));
        self.answer(Ask::Rooms, Ok(rooms()));
        self.loaded(json!([]));
    }

    /// What was asked for of the open room's history has come.
    pub(in crate::tui) fn loaded(&mut self, messages: Value) {
        let key = self.state.current.clone();
        self.answer(Ask::History { key, at: At::Unread }, Ok(messages));
    }

    pub(in crate::tui) fn happens(&mut self, event: Event) -> Vec<Effect> {
        let effects = update(&mut self.state, event);
        let sends = |effect: &&Effect| matches!(effect, Effect::Call { method: "send", .. });
        self.sent.extend(effects.iter().filter(sends).cloned());
        effects
    }

    pub(in crate::tui) fn sent(&self) -> &[Effect] {
        &self.sent
    }

    pub(in crate::tui) fn key(&mut self, key: Key) -> Vec<Effect> {
        self.happens(Event::Key(key))
    }

    pub(in crate::tui) fn press(&mut self, code: Code) -> Vec<Effect> {
        self.key(Key::from(code))
    }

    pub(in crate::tui) fn types(&mut self, text: &str) {
        for c in text.chars() {
            assert!(self.press(Code::Char(c)).is_empty(), "{c} did something");
        }
    }

    pub(in crate::tui) fn clear(&mut self) {
        self.key(control('u'));
    }

    pub(in crate::tui) fn paste(&mut self, text: &str) {
        self.happens(Event::Paste(text.into()));
    }

    pub(in crate::tui) fn answer(
        &mut self,
        ask: Ask,
        answer: Result<Value, Refusal>,
    ) -> Vec<Effect> {
        self.happens(Event::Answer(ask, answer))
    }

    pub(in crate::tui) fn hears(&mut self, event: Value) -> Vec<Effect> {
        self.happens(Event::Agent(event))
    }

    /// Opens a room by name, with nothing said there.
    pub(in crate::tui) fn open(&mut self, room: &str) {
        let key = format!("id-{room}");
        let effects = self.state.open(&key);
        if effects.iter().any(|it| matches!(it, Effect::Call { method: "read", .. })) {
            self.loaded(json!([]));
        }
    }

    /// Types a command and does it.
    pub(in crate::tui) fn does(&mut self, command: &str) -> Vec<Effect> {
        self.types(command);
        self.press(Code::Enter)
    }
}
