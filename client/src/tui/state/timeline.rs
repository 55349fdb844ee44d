//! What is known of one room's messages: a window into its history, and where people look.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::untrusted::Untrusted;
use crate::output::is_set;

/// The messages kept in memory of the room that is open; older ones are read again from the
/// profile when somebody goes there.
pub(in crate::tui) const KEPT: usize = 2_000;

/// The messages asked for at once.
pub(in crate::tui) const PAGE: usize = 200;

/// A reaction to a message.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Reaction {
    pub(in crate::tui) id: String,
    pub(in crate::tui) emoji: Untrusted,
    pub(in crate::tui) own: bool,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Body {
    Text(Untrusted),
    /// A file, and how much of it has moved if it is moving.
    File {
        name: Untrusted,
        size: u64,
        moved: Option<(u64, u64)>,
    },
}

/// How far an own message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Delivery {
    Queued,
    /// The relay has it.
    Stored,
    /// It came back in the log, readable.
    Sent,
}

/// A message in a room.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Message {
    pub(in crate::tui) id: String,
    pub(in crate::tui) from: Untrusted,
    pub(in crate::tui) verified: bool,
    pub(in crate::tui) own: bool,
    /// RFC 3339, as claimed by the sender.
    pub(in crate::tui) sent_at: String,
    pub(in crate::tui) seq: Option<u64>,
    pub(in crate::tui) delivery: Delivery,
    pub(in crate::tui) body: Body,
    pub(in crate::tui) reply_to: Option<String>,
    pub(in crate::tui) mentions: Vec<Untrusted>,
    pub(in crate::tui) edited: bool,
    pub(in crate::tui) unread: bool,
    pub(in crate::tui) reactions: Vec<Reaction>,
    pub(in crate::tui) expires_at: Option<String>,
    /// Who has said that he read it.
    pub(in crate::tui) seen_by: Vec<Untrusted>,
}

impl Message {
    pub(in crate::tui) fn read(object: &Value) -> Self {
        let id = |object: &Value, field: &str| {
            object.get(field).and_then(Value::as_str).map(str::to_owned)
        };
        let seq = object.get("seq").and_then(Value::as_u64);
        let body = match object.get("type").and_then(Value::as_str) {
            Some("file") => Body::File {
                name: Untrusted::of(object, "name"),
                size: object.get("size").and_then(Value::as_u64).unwrap_or_default(),
                moved: None,
            },
            _ => Body::Text(Untrusted::of(object, "text")),
        };
        let reactions = object.get("reactions").and_then(Value::as_array);
        Self {
            id: id(object, "id").unwrap_or_default(),
            from: Untrusted::of(object, "from"),
            verified: is_set(object, "verified"),
            own: is_set(object, "own"),
            sent_at: id(object, "sent_at").unwrap_or_default(),
            seq,
            delivery: if seq.is_some() { Delivery::Sent } else { Delivery::Queued },
            body,
            reply_to: id(object, "reply_to"),
            mentions: Untrusted::list(object, "mentions"),
            edited: is_set(object, "edited"),
            unread: is_set(object, "unread"),
            reactions: reactions.into_iter().flatten().map(Reaction::read).collect(),
            expires_at: id(object, "expires_at"),
            seen_by: Untrusted::list(object, "seen_by"),
        }
    }

    /// Its text, or the name of its file.
    pub(in crate::tui) fn words(&self) -> &Untrusted {
        match &self.body {
            Body::Text(text) => text,
            Body::File { name, .. } => name,
        }
    }
}

impl Reaction {
    fn read(object: &Value) -> Self {
        Self {
            id: object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
            emoji: Untrusted::of(object, "emoji"),
            own: is_set(object, "own"),
        }
    }
}

/// What stands at the lower edge when somebody has scrolled up: a message, and how many of its
/// rows are hidden below the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Anchor {
    pub(in crate::tui) id: String,
    pub(in crate::tui) below: usize,
}

/// Rows that somebody scrolled further than the window reaches, while its next page is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Owed {
    pub(in crate::tui) up: bool,
    pub(in crate::tui) rows: usize,
}

/// A window into the history of a room.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Timeline {
    pub(in crate::tui) messages: Vec<Message>,
    /// Whether nothing older, or newer, is outside the window.
    pub(in crate::tui) at_start: bool,
    pub(in crate::tui) at_end: bool,
    /// Whether an answer is waited for.
    pub(in crate::tui) loading: bool,
    pub(in crate::tui) owed: Option<Owed>,
    /// The first message that was new when the room was opened.
    pub(in crate::tui) new_from: Option<String>,
    /// None: the newest message stands at the lower edge.
    pub(in crate::tui) anchor: Option<Anchor>,
    pub(in crate::tui) selected: Option<String>,
    /// Grows with each opening of any room, so that the rooms left longest ago are forgotten.
    pub(in crate::tui) opened: u64,
}

impl Timeline {
    pub(in crate::tui) fn index(&self, id: &str) -> Option<usize> {
        // People look at the newest.
        self.messages.iter().rposition(|message| message.id == id)
    }

    pub(in crate::tui) fn get(&self, id: &str) -> Option<&Message> {
        self.index(id).and_then(|at| self.messages.get(at))
    }

    pub(in crate::tui) fn get_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.index(id).and_then(|at| self.messages.get_mut(at))
    }

    /// Whether there is more behind the window's end.
    pub(in crate::tui) fn goes_on(&self, up: bool) -> bool {
        if up { !self.at_start } else { !self.at_end }
    }

    /// Whether somebody who scrolls comes to the end of the window within so many messages, and
    /// there is more behind it.
    pub(in crate::tui) fn ends_within(&self, up: bool, messages: usize) -> bool {
        let anchor = self.anchor.as_ref().and_then(|anchor| self.index(&anchor.id));
        let at = anchor.map_or(self.messages.len(), |at| at + 1);
        let left = if up { at } else { self.messages.len() - at };
        self.goes_on(up) && left < messages
    }

    /// Puts a message where its seq belongs, queued ones last; one that is known is replaced, but
    /// a seq once known stays.
    pub(in crate::tui) fn place(&mut self, mut message: Message) {
        if let Some(at) = self.index(&message.id) {
            let known = self.messages.remove(at);
            message.seq = message.seq.or(known.seq);
            message.delivery = match message.seq {
                Some(_) => Delivery::Sent,
                None => known.delivery,
            };
            if message.sent_at.is_empty() {
                message.sent_at = known.sent_at;
            }
            if let (Body::File { moved, .. }, Body::File { moved: before, .. }) =
                (&mut message.body, known.body)
            {
                *moved = before;
            }
        }
        let key = message.seq.unwrap_or(u64::MAX);
        let at = self.messages.partition_point(|known| known.seq.unwrap_or(u64::MAX) <= key);
        self.messages.insert(at, message);
    }

    /// Lets go of the window; another one comes.
    pub(in crate::tui) fn clear(&mut self) {
        self.messages.clear();
        self.owed = None;
    }

    /// Puts a page before everything there is.
    pub(in crate::tui) fn prepend(&mut self, mut page: Vec<Message>) {
        let known: BTreeSet<&str> = self.messages.iter().map(|it| it.id.as_str()).collect();
        page.retain(|message| !known.contains(message.id.as_str()));
        self.messages.splice(0..0, page);
    }

    /// Takes a message, or a reaction with this id, out; `false` if there is none.
    pub(in crate::tui) fn remove(&mut self, id: &str) -> bool {
        let Some(at) = self.index(id) else {
            let mut found = false;
            for message in &mut self.messages {
                let before = message.reactions.len();
                message.reactions.retain(|reaction| reaction.id != id);
                found |= message.reactions.len() < before;
            }
            return found;
        };
        self.messages.remove(at);
        // Whatever pointed there points to what has taken its place.
        let next = self.messages.get(at).or(self.messages.last()).map(|it| it.id.clone());
        if self.anchor.as_ref().is_some_and(|anchor| anchor.id == id) {
            self.anchor = next.clone().map(|id| Anchor { id, below: 0 });
        }
        if self.new_from.as_deref() == Some(id) {
            self.new_from.clone_from(&next);
        }
        if self.selected.as_deref() == Some(id) {
            self.selected = next;
        }
        true
    }

    /// Lets go of what is far from where people look.
    pub(in crate::tui) fn trim(&mut self, most: usize) {
        let surplus = self.messages.len().saturating_sub(most);
        if surplus == 0 {
            return;
        }
        let at = self.anchor.as_ref().and_then(|anchor| self.index(&anchor.id));
        if at.is_none_or(|at| at > self.messages.len() / 2) {
            self.messages.drain(..surplus);
            self.at_start = false;
        } else {
            self.messages.truncate(most);
            self.at_end = false;
        }
    }
}
