//! What a bot is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::context::Context;
use super::error::Result;

/// A text that somebody else wrote in one of the bot's rooms, sanitised.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The message's id, 32 hexadecimal digits, equal on all devices.
    pub id: String,
    /// The room's name.
    pub room: String,
    /// The room's id, 32 hexadecimal digits: it stays when the room is renamed.
    pub room_id: String,
    /// Who wrote it.
    pub from: String,
    /// Whether the writing device was verified by words.
    pub verified: bool,
    /// The text.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// The names of the members that it mentions.
    pub mentions: Vec<String>,
    /// When it was sent, as the sender claims: RFC 3339, UTC.
    pub sent_at: String,
    /// How many answers were given on this delivery.
    replies: Arc<AtomicU32>,
    context: Context,
}

/// A message that began with the bot's prefix and a command's name, such as `!duty tomorrow`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Command {
    /// The command's name.
    pub name: String,
    /// What followed it, without the spaces around it.
    pub args: String,
    /// The whole message.
    pub message: Message,
}

/// A file that somebody else sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct File {
    /// The id of its message; [`Context::download`] takes it.
    pub id: String,
    /// Its name, safe as a file name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The room's name.
    pub room: String,
    /// Who sent it.
    pub from: String,
    context: Context,
}

/// Something that happened. More kinds will come.
#[derive(Clone)]
#[non_exhaustive]
pub enum Event {
    /// A text; comes here only if no handler of messages or commands takes it.
    Message(Message),
    /// A file.
    File(File),
    /// A message has a new text.
    #[non_exhaustive]
    Edited {
        /// The message.
        target: String,
        /// Its text now.
        text: String,
        /// Whose it is.
        from: String,
        /// The room's name.
        room: String,
    },
    /// A message, file or reaction was taken back.
    #[non_exhaustive]
    Deleted {
        /// What it was.
        target: String,
        /// Whose it was.
        from: String,
        /// The room's name.
        room: String,
    },
    /// Somebody reacted to a message.
    #[non_exhaustive]
    Reaction {
        /// The message.
        target: String,
        /// The emoji.
        emoji: String,
        /// Who.
        from: String,
        /// The room's name.
        room: String,
    },
    /// Messages are missing: their sender's counters or a lifetime that passed say so.
    #[non_exhaustive]
    Gap {
        /// How many, if that is known.
        missing: Option<u64>,
    },
    /// The link to the relay came up or went down.
    #[non_exhaustive]
    Connection {
        /// Whether it is up.
        online: bool,
    },
    /// Anything else, as the object of the events contract (`protocol/spec/11-local-api.md`, A8).
    Other(Value),
}

/// The text of a field; empty if there is none.
pub(super) fn text_of(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Message {
    pub(super) fn read(event: &Value, context: &Context) -> Option<Self> {
        let names = event.get("mentions").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: event.get("id")?.as_str()?.to_owned(),
            room: text_of(event, "room"),
            room_id: text_of(event, "room_id"),
            from: text_of(event, "from"),
            verified: event.get("verified").and_then(Value::as_bool).unwrap_or_default(),
            text: event.get("text")?.as_str()?.to_owned(),
            reply_to: event.get("reply_to").and_then(Value::as_str).map(str::to_owned),
            mentions: names.filter_map(Value::as_str).map(str::to_owned).collect(),
            sent_at: text_of(event, "sent_at"),
            replies: Arc::default(),
            context: context.clone(),
        })
    }

    /// Answers in the same room, and returns when the answer is safe on disk. However often the
    /// message is repeated, each answer is sent once: the first of one handler's run counts as the
    /// first of any other.
    ///
    /// # Errors
    /// If the text is empty or longer than 24,000 bytes, or the bot is no longer in the room.
    pub async fn reply(&self, text: impl Into<String>) -> Result {
        let part = self.replies.fetch_add(1, Ordering::Relaxed);
        let key = format!("reply {} {part}", self.id);
        let params = json!({"to": self.id, "text": text.into(), "key": key, "wait_ms": 0});
        self.context.sent("reply", params).await.map(|_| ())
    }

    /// Reacts to the message with an emoji, once.
    ///
    /// # Errors
    /// If it is no emoji, or the bot is no longer in the room.
    pub async fn react(&self, emoji: &str) -> Result {
        self.context.react(&self.id, emoji).await.map(|_| ())
    }

    /// What else the bot can do.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The command in the text, if it begins with `prefix` and a name.
    pub(super) fn command(&self, prefix: &str) -> Option<Command> {
        let rest = self.text.trim_start().strip_prefix(prefix)?;
        let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (name, args) = (name.to_owned(), args.trim().to_owned());
        (!name.is_empty()).then(|| Command { name, args, message: self.clone() })
    }
}

impl Command {
    /// As [`Message::reply`].
    ///
    /// # Errors
    /// As [`Message::reply`].
    pub async fn reply(&self, text: impl Into<String>) -> Result {
        self.message.reply(text).await
    }

    /// What else the bot can do.
    pub fn context(&self) -> &Context {
        self.message.context()
    }
}

impl File {
    /// Fetches the file into a directory, or to a new name; nothing is written over.
    ///
    /// # Errors
    /// As [`Context::download`].
    pub async fn save(&self, to: impl AsRef<std::path::Path>) -> Result<std::path::PathBuf> {
        self.context.download(&self.id, to).await
    }

    /// What else the bot can do.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

impl Event {
    pub(super) fn read(event: Value, context: &Context) -> Self {
        let text = |field: &str| text_of(&event, field);
        match text("type").as_str() {
            "message" => match Message::read(&event, context) {
                Some(message) => Self::Message(message),
                None => Self::Other(event),
            },
            "file" => Self::File(File {
                id: text("id"),
                name: text("name"),
                size: event.get("size").and_then(Value::as_u64).unwrap_or_default(),
                room: text("room"),
                from: text("from"),
                context: context.clone(),
            }),
            "edit" => Self::Edited {
                target: text("target"),
                text: text("text"),
                from: text("from"),
                room: text("room"),
            },
            "delete" => {
                Self::Deleted { target: text("target"), from: text("from"), room: text("room") }
            }
            "reaction" => Self::Reaction {
                target: text("target"),
                emoji: text("emoji"),
                from: text("from"),
                room: text("room"),
            },
            "gap" => Self::Gap { missing: event.get("missing").and_then(Value::as_u64) },
            "connection" => Self::Connection { online: text("state") == "online" },
            _ => Self::Other(event),
        }
    }
}
