//! A world for tests: rooms, people and a bot, without a relay, a profile or a disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::agent::ApiError;
use super::backend::Backend;
use super::builder::Bot;

/// A scripted world: people write, the bot under test answers. What is acknowledged, repeated and
/// said once is as on a real profile, so that a crash can be told too.
///
/// ```
/// use staffetta_protocol::bot::{Bot, Message, Result};
///
/// async fn echo(msg: Message) -> Result {
///     msg.reply(format!("echo: {}", msg.text)).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let world = Bot::test();
/// let bot = tokio::spawn(world.bot().on_message(echo).into_future());
/// world.says("Lea", "general", "salut");
/// assert_eq!(world.hears("general").await, "echo: salut");
///
/// // It dies; what is written meanwhile is not lost.
/// bot.abort();
/// world.says("Lea", "general", "anybody?");
/// tokio::spawn(world.bot().on_message(echo).into_future());
/// assert_eq!(world.hears("general").await, "echo: anybody?");
/// # });
/// ```
#[derive(Clone, Default)]
pub struct World(Arc<Double>);

/// A profile that is not there.
#[derive(Default)]
pub(super) struct Double {
    state: Mutex<State>,
    pulse: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    /// Everything that was written, by number: the event, and whether it waits for an `ack`.
    written: BTreeMap<u64, (Value, bool)>,
    keys: BTreeMap<String, String>,
    values: BTreeMap<String, Value>,
    /// The number of the last text that [`World::hears`] returned, by room.
    heard: BTreeMap<String, u64>,
}

/// What a bot is told by a double.
pub(super) struct Told {
    double: Arc<Double>,
    pulse: watch::Receiver<()>,
    after: u64,
    window: usize,
}

impl World {
    /// The bot, to be given handlers and awaited; after its end another one takes up its place.
    pub fn bot(&self) -> Bot {
        Bot::new(Backend::Double(Arc::clone(&self.0))).stop_when(std::future::pending())
    }

    /// Somebody writes a text; returns its id.
    pub fn says(&self, from: &str, room: &str, text: &str) -> String {
        self.0.write(json!({"type": "message", "room": room, "from": from, "text": text,
            "verified": true, "reply_to": null, "mentions": [], "own": false}))
    }

    /// Anything happens: an object of the events contract. It is given an id if it has none.
    pub fn happens(&self, event: Value) -> String {
        self.0.write(event)
    }

    /// Waits for the next text that the bot says in a room.
    pub async fn hears(&self, room: &str) -> String {
        let mut pulse = self.0.pulse.subscribe();
        loop {
            if let Some(text) = self.0.state().next_said(room) {
                return text;
            }
            // The sender lives as long as this world does.
            let _changed = pulse.changed().await;
        }
    }

    /// All that the bot has said in a room.
    pub fn said(&self, room: &str) -> Vec<String> {
        self.0.state().own(room).map(|(_, text)| text).collect()
    }

    /// The ids of what the bot has not acknowledged, oldest first.
    pub fn unacked(&self) -> Vec<String> {
        let state = self.0.state();
        state
            .written
            .iter()
            .filter(|(_, (_, open))| *open)
            .map(|(number, _)| hex(*number))
            .collect()
    }

    /// Waits until the bot has acknowledged everything.
    pub async fn is_quiet(&self) {
        let mut pulse = self.0.pulse.subscribe();
        while !self.unacked().is_empty() {
            let _changed = pulse.changed().await;
        }
    }
}

fn hex(number: u64) -> String {
    format!("{number:032x}")
}

fn refused(message: &str) -> ApiError {
    let (message, hint) = (message.to_owned(), None);
    ApiError { code: -32_001, exit: 1, message, hint, data: Value::Null }
}

impl State {
    fn own(&self, room: &str) -> impl Iterator<Item = (u64, String)> {
        let room = room.to_owned();
        self.written.iter().filter_map(move |(number, (event, _))| {
            let is_own = event.get("own") == Some(&Value::Bool(true));
            let text = event.get("text").and_then(Value::as_str)?;
            let here = event.get("room").and_then(Value::as_str) == Some(&room);
            (is_own && here).then(|| (*number, text.to_owned()))
        })
    }

    fn next_said(&mut self, room: &str) -> Option<String> {
        let heard = self.heard.get(room).copied().unwrap_or_default();
        let (number, text) = self.own(room).find(|(number, _)| *number > heard)?;
        self.heard.insert(room.to_owned(), number);
        Some(text)
    }

    fn write(&mut self, mut event: Value) -> String {
        self.last_id += 1;
        let id = hex(self.last_id);
        let own = event.get("own") == Some(&Value::Bool(true));
        if let Some(fields) = event.as_object_mut() {
            fields.entry("v").or_insert(1.into());
            fields.entry("id").or_insert(id.clone().into());
        }
        self.written.insert(self.last_id, (event, !own));
        id
    }

    fn find(&self, id: &str) -> Option<&Value> {
        let mut events = self.written.values().map(|(event, _)| event);
        events.find(|event| event.get("id").and_then(Value::as_str) == Some(id))
    }

    fn send(&mut self, params: &Value) -> Result<Value, ApiError> {
        let text = |field: &str| params.get(field).and_then(Value::as_str);
        if let Some(known) = text("key").and_then(|key| self.keys.get(key)) {
            return Ok(json!({"id": known, "seq": 1, "state": "sent"}));
        }
        let target = text("to").or(text("id")).or(text("reply_to"));
        let room = match (text("room"), target.and_then(|id| self.find(id))) {
            (Some(room), _) => room.to_owned(),
            (None, Some(event)) => {
                event.get("room").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            (None, None) => return Err(refused("There is no message with that id.")),
        };
        let said = text("text").or(text("emoji")).or(text("path")).unwrap_or_default().to_owned();
        let id = self.write(json!({"type": "message", "room": room, "from": "bot", "text": said,
            "reply_to": target, "own": true}));
        if let Some(key) = text("key") {
            self.keys.insert(key.to_owned(), id.clone());
        }
        Ok(json!({"id": id, "seq": self.last_id, "state": "sent"}))
    }

    fn ack(&mut self, id: &str) -> Value {
        let open = self
            .written
            .values_mut()
            .find(|(event, open)| *open && event.get("id").and_then(Value::as_str) == Some(id));
        let acked = open.map(|(_, open)| *open = false).is_some();
        json!({"acked": acked})
    }
}

impl Double {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds this lock can leave the world half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, event: Value) -> String {
        let id = self.state().write(event);
        self.pulse.send_replace(());
        id
    }

    pub(super) fn call(&self, method: &str, params: &Value) -> Result<Value, ApiError> {
        let text =
            |field: &str| params.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut state = self.state();
        let answer = match method {
            "send" | "reply" | "react" | "edit" | "delete" | "upload" => state.send(params),
            "ack" => Ok(state.ack(&text("id"))),
            "kv.get" => Ok(json!({"value": state.values.get(&text("key"))})),
            "kv.set" => {
                let value = params.get("value").cloned().unwrap_or_default();
                state.values.insert(text("key"), value);
                Ok(json!({}))
            }
            "kv.delete" => Ok(json!({"deleted": state.values.remove(&text("key")).is_some()})),
            "rooms" | "members" => Ok(json!([])),
            "search" => {
                let wanted = text("words");
                let all = state.written.values().map(|(event, _)| event);
                let found = all.filter(|event| {
                    event.get("text").and_then(Value::as_str).is_some_and(|t| t.contains(&wanted))
                });
                Ok(found.cloned().collect())
            }
            _ => Err(refused("This world has no such method.")),
        };
        drop(state);
        self.pulse.send_replace(());
        answer
    }

    pub(super) fn subscribe(self: &Arc<Self>, params: &Value) -> Told {
        let window = params.get("window").and_then(Value::as_u64).unwrap_or(32);
        Told {
            double: Arc::clone(self),
            pulse: self.pulse.subscribe(),
            after: 0,
            window: usize::try_from(window).unwrap_or(usize::MAX),
        }
    }
}

impl Told {
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            self.pulse.changed().await.ok()?;
        }
    }

    fn ready(&mut self) -> Option<Value> {
        let state = self.double.state();
        let open = || state.written.iter().filter(|(_, (_, open))| *open);
        if open().take_while(|(number, _)| **number <= self.after).count() >= self.window {
            return None;
        }
        let (number, event) = open()
            .find(|(number, _)| **number > self.after)
            .map(|(number, (event, _))| (*number, event.clone()))?;
        self.after = number;
        Some(event)
    }
}
