//! What the screen shows and what happens on each event: no terminal, no clock, no agent.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::Value;

use super::input::Input;
use crate::output::{clean_block, is_set, line_of};
use crate::text;

/// The most messages kept on the screen for one room; older ones are in `staffetta read`.
pub(super) const KEPT: usize = 500;

/// The rows that PageUp and PageDown move.
const PAGE: usize = 10;

/// A room in the side bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Room {
    pub(super) name: String,
    pub(super) members: u64,
    pub(super) unread: u64,
}

/// A message on the screen; `seq` is absent until it came back in the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) from: String,
    pub(super) verified: bool,
    pub(super) own: bool,
    pub(super) sent_at: String,
    pub(super) seq: Option<u64>,
    pub(super) text: String,
}

impl Message {
    fn read(object: &Value) -> Self {
        Self {
            id: line_of(object, "id"),
            from: line_of(object, "from"),
            verified: is_set(object, "verified"),
            own: is_set(object, "own"),
            sent_at: line_of(object, "sent_at"),
            seq: object.get("seq").and_then(Value::as_u64),
            text: object.get("text").and_then(Value::as_str).map(clean_block).unwrap_or_default(),
        }
    }
}

/// Everything the screen shows.
#[derive(Default)]
pub(super) struct State {
    pub(super) team: String,
    pub(super) me: String,
    pub(super) connection: String,
    pub(super) rooms: Vec<Room>,
    /// The name of the room that is open.
    pub(super) current: String,
    pub(super) history: BTreeMap<String, Vec<Message>>,
    pub(super) input: Input,
    /// Rows scrolled up from the newest message.
    pub(super) scroll: usize,
    /// One line that goes with the next key.
    pub(super) notice: Option<String>,
    /// The newest alarm; it stays.
    pub(super) alarm: Option<String>,
}

/// What happened.
pub(super) enum Event {
    Key(KeyEvent),
    Paste(String),
    /// Answer of `status`.
    Status(Value),
    /// Answer of `room.list`.
    Rooms(Value),
    /// Answer of `read` for a room.
    History(String, Value),
    /// An event of the agent.
    Agent(Value),
    /// Answer of `send`: room, text, and the message's id or why not.
    Sent(String, String, Result<Value, String>),
    /// A call failed that nobody waits for.
    Failed(String),
    /// The terminal has another size.
    Resized,
}

/// What the loop has to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Quit,
    /// Ask for the rooms again.
    Rooms,
    /// Read a room's newest messages and mark them read.
    Open(String),
    Send {
        room: String,
        text: String,
    },
}

/// The one transition.
pub(super) fn update(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => on_key(state, key),
        Event::Paste(pasted) => {
            if !state.input.insert(&clean_block(&pasted.replace("\r\n", "\n").replace('\r', "\n")))
            {
                state.notice = Some(text::screen::line_full().into());
            }
            Vec::new()
        }
        Event::Status(status) => {
            state.team = line_of(&status, "team");
            state.me = line_of(&status, "member");
            state.connection =
                text::words::word(if is_set(&status, "connected") { "online" } else { "offline" })
                    .into();
            Vec::new()
        }
        Event::Rooms(rooms) => on_rooms(state, &rooms),
        Event::History(room, messages) => {
            for message in messages.as_array().into_iter().flatten() {
                place(state.history.entry(room.clone()).or_default(), Message::read(message));
            }
            Vec::new()
        }
        Event::Agent(event) => on_agent(state, &event),
        Event::Sent(room, text, Ok(answer)) => {
            let message = Message {
                from: state.me.clone(),
                verified: true,
                own: true,
                text: clean_block(&text),
                ..Message::read(&answer)
            };
            place(state.history.entry(room).or_default(), message);
            Vec::new()
        }
        Event::Sent(_, text, Err(why)) => {
            // The words are not lost: they go back where they were written.
            if state.input.text().is_empty() {
                state.input.insert(&text);
            }
            state.notice = Some(why);
            Vec::new()
        }
        Event::Failed(why) => {
            state.notice = Some(why);
            Vec::new()
        }
        Event::Resized => Vec::new(),
    }
}

/// Takes back an effect that the agent's task has no room for: nothing written is lost.
pub(super) fn undo(state: &mut State, effect: Effect) {
    if let Effect::Send { room, text } = effect {
        update(state, Event::Sent(room, text, Err(text::screen::busy().into())));
    }
}

fn on_key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    state.notice = None;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('q') if control => return vec![Effect::Quit],
        KeyCode::Char('c') if control => state.notice = Some(text::screen::quit_how().into()),
        KeyCode::Char('n') if control => {
            let unread = state.rooms.iter().find(|room| room.unread > 0);
            if let Some(name) = unread.map(|room| room.name.clone()) {
                return open(state, name);
            }
        }
        KeyCode::Char(_) if control => {}
        KeyCode::Enter if alt => keep(state, "\n"),
        KeyCode::Enter => return enter(state),
        KeyCode::Up => return neighbour(state, -1),
        KeyCode::Down => return neighbour(state, 1),
        KeyCode::PageUp => state.scroll = state.scroll.saturating_add(PAGE),
        KeyCode::PageDown => state.scroll = state.scroll.saturating_sub(PAGE),
        KeyCode::Char(c) => keep(state, c.encode_utf8(&mut [0; 4])),
        other => state.input.key(other),
    }
    Vec::new()
}

fn keep(state: &mut State, typed: &str) {
    if !state.input.insert(typed) {
        state.notice = Some(text::screen::line_full().into());
    }
}

/// Sends the line. A mistyped command is never sent; `//x` sends `/x`.
fn enter(state: &mut State) -> Vec<Effect> {
    let line = state.input.text();
    let text = match line.strip_prefix('/') {
        _ if line.trim().is_empty() || state.current.is_empty() => return Vec::new(),
        None => line.to_owned(),
        Some(escaped) if escaped.starts_with('/') => escaped.to_owned(),
        Some("quit") => return vec![Effect::Quit],
        Some(_) => {
            state.notice = Some(text::screen::not_a_command().into());
            return Vec::new();
        }
    };
    state.input.clear();
    state.scroll = 0;
    vec![Effect::Send { room: state.current.clone(), text }]
}

fn neighbour(state: &mut State, step: isize) -> Vec<Effect> {
    let at = state.rooms.iter().position(|room| room.name == state.current).unwrap_or_default();
    let next = at.checked_add_signed(step).and_then(|at| state.rooms.get(at));
    match next.map(|room| room.name.clone()) {
        Some(name) => open(state, name),
        None => Vec::new(),
    }
}

fn open(state: &mut State, name: String) -> Vec<Effect> {
    state.scroll = 0;
    if let Some(room) = state.rooms.iter_mut().find(|room| room.name == name) {
        room.unread = 0;
    }
    state.current.clone_from(&name);
    vec![Effect::Open(name)]
}

fn on_rooms(state: &mut State, rooms: &Value) -> Vec<Effect> {
    let number = |room: &Value, field: &str| room.get(field).and_then(Value::as_u64).unwrap_or(0);
    let read = |room: &Value| Room {
        name: line_of(room, "name"),
        members: number(room, "members"),
        unread: number(room, "unread"),
    };
    state.rooms = rooms.as_array().into_iter().flatten().map(read).collect();
    if state.rooms.iter().any(|room| room.name == state.current) {
        return Vec::new();
    }
    match state.rooms.first().map(|room| room.name.clone()) {
        Some(first) => open(state, first),
        None => {
            state.current.clear();
            Vec::new()
        }
    }
}

fn on_agent(state: &mut State, event: &Value) -> Vec<Effect> {
    match line_of(event, "type").as_str() {
        "message" => {
            let name = line_of(event, "room");
            let message = Message::read(event);
            let news = !message.own;
            place(state.history.entry(name.clone()).or_default(), message);
            if name == state.current {
                // What is on the screen is read.
                return if news { vec![Effect::Open(name)] } else { Vec::new() };
            }
            match state.rooms.iter_mut().find(|room| room.name == name) {
                Some(room) => room.unread = room.unread.saturating_add(u64::from(news)),
                None => return vec![Effect::Rooms],
            }
        }
        "sent" => {
            let id = line_of(event, "id");
            let seq = event.get("seq").and_then(Value::as_u64);
            for messages in state.history.values_mut() {
                if let Some(at) = messages.iter().position(|message| message.id == id) {
                    let message = messages.remove(at);
                    place(messages, Message { seq, ..message });
                }
            }
        }
        "connection" => state.connection = text::words::word(&line_of(event, "state")).to_owned(),
        "alarm" => state.alarm = Some(text::said(&line_of(event, "text"))),
        "notice" => {
            let wait = event.get("retry_ms").and_then(Value::as_u64).unwrap_or(0);
            state.notice = Some(text::relay_says(&line_of(event, "text"), wait));
        }
        "asking" => {
            let id = line_of(event, "id").chars().take(8).collect::<String>();
            state.notice = Some(text::asks(&line_of(event, "name"), &id));
        }
        "room" | "member" => return vec![Effect::Rooms],
        // Something was missed: read again what is on the screen.
        "gap" if !state.current.is_empty() => {
            return vec![Effect::Rooms, Effect::Open(state.current.clone())];
        }
        _ => {}
    }
    Vec::new()
}

/// Puts a message where its seq belongs, queued ones last; one that is known is replaced, but a
/// seq once known stays.
fn place(messages: &mut Vec<Message>, mut message: Message) {
    if let Some(at) = messages.iter().position(|known| known.id == message.id) {
        let known = messages.remove(at);
        message.seq = message.seq.or(known.seq);
        if message.sent_at.is_empty() {
            message.sent_at = known.sent_at;
        }
    }
    let key = message.seq.unwrap_or(u64::MAX);
    let at = messages.partition_point(|known| known.seq.unwrap_or(u64::MAX) <= key);
    messages.insert(at, message);
    if messages.len() > KEPT {
        messages.remove(0);
    }
}

#[cfg(test)]
mod tests;
