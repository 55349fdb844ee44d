//! What a bot can do at any time, whether or not somebody has just written to it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::backend::Backend;
use super::error::{Error, Result};
use super::event::{Message, text_of};

/// The bot's hands: every message carries one, and scheduled work is given one. Clones are cheap and
/// mean the same bot.
#[derive(Clone)]
pub struct Context {
    pub(super) backend: Backend,
}

/// Something that was sent, or queued on disk to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Its id, 32 hexadecimal digits, equal on all devices.
    pub id: String,
    /// Its place in the log; `None` while it is queued.
    pub seq: Option<u64>,
}

/// A room the bot is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// Its name; of a conversation of two, `@` and the other's name.
    pub name: String,
    /// Its id, 32 hexadecimal digits.
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// How many members it has.
    pub members: u64,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The name.
    pub name: String,
    /// `admin`, `member` or `bot`.
    pub role: String,
    /// Whether all its devices were verified by words.
    pub verified: bool,
}

impl Context {
    /// Sends a text to a room the bot is in, or to `@MEMBER` who has written to it before. Returns
    /// once the text is safe on disk; it goes out by itself, in order.
    ///
    /// # Errors
    /// If there is no such room, or the text is empty or longer than 24,000 bytes.
    pub async fn send(&self, room: &str, text: impl Into<String>) -> Result<Sent> {
        let params = json!({"room": room, "text": text.into(), "wait_ms": 0});
        self.sent("send", params).await
    }

    /// As [`Context::send`], once in 24 hours for a key of 1 to 256 bytes, however often it is
    /// called: work that is repeated after a crash says what it said only once.
    ///
    /// # Errors
    /// As [`Context::send`].
    pub async fn send_once(&self, key: &str, room: &str, text: impl Into<String>) -> Result<Sent> {
        let params = json!({"room": room, "text": text.into(), "key": key, "wait_ms": 0});
        self.sent("send", params).await
    }

    /// Replaces the text of a message of the bot's own.
    ///
    /// # Errors
    /// If it is not the bot's, or no text.
    pub async fn edit(&self, id: &str, text: impl Into<String>) -> Result<Sent> {
        self.sent("edit", json!({"id": id, "text": text.into(), "wait_ms": 0})).await
    }

    /// Takes back a message, file or reaction of the bot's own.
    ///
    /// # Errors
    /// If it is not the bot's.
    pub async fn delete(&self, id: &str) -> Result<Sent> {
        self.sent("delete", json!({"id": id, "wait_ms": 0})).await
    }

    /// Reacts to a message with an emoji.
    ///
    /// # Errors
    /// If there is no such message, or it is no emoji.
    pub async fn react(&self, id: &str, emoji: &str) -> Result<Sent> {
        let key = format!("react {id} {emoji}");
        let params = json!({"id": id, "emoji": emoji, "key": key, "wait_ms": 0});
        self.sent("react", params).await
    }

    /// Sends a file of at most 60 MiB and waits until it is in the room.
    ///
    /// # Errors
    /// If it cannot be read, or the relay does not take it.
    pub async fn upload(&self, room: &str, path: impl AsRef<Path>) -> Result<Sent> {
        let path = std::path::absolute(path)?;
        self.sent("upload", json!({"room": room, "path": path})).await
    }

    /// Fetches a file into a directory, or to a new name; nothing is written over.
    ///
    /// # Errors
    /// If there is no such file, or it cannot be fetched or written.
    pub async fn download(&self, id: &str, to: impl AsRef<Path>) -> Result<PathBuf> {
        let path = std::path::absolute(to)?;
        let answer = self.call("download", json!({"id": id, "path": path})).await?;
        Ok(PathBuf::from(text_of(&answer, "path")))
    }

    /// The rooms the bot was added to.
    ///
    /// # Errors
    /// If the profile cannot be read.
    pub async fn rooms(&self) -> Result<Vec<Room>> {
        let room = |it: &Value| Room {
            name: text_of(it, "name"),
            id: text_of(it, "id"),
            topic: text_of(it, "topic"),
            members: it.get("members").and_then(Value::as_u64).unwrap_or_default(),
        };
        Ok(list(&self.call("rooms", json!({})).await?).map(room).collect())
    }

    /// Who is in a room.
    ///
    /// # Errors
    /// If the bot is not in it.
    pub async fn members(&self, room: &str) -> Result<Vec<Member>> {
        let member = |it: &Value| Member {
            name: text_of(it, "member"),
            role: text_of(it, "role"),
            verified: it.get("verified").and_then(Value::as_bool).unwrap_or_default(),
        };
        Ok(list(&self.call("members", json!({"room": room})).await?).map(member).collect())
    }

    /// The newest 50 messages that hold all words, oldest first.
    ///
    /// # Errors
    /// If there is no word.
    pub async fn search(&self, words: &str) -> Result<Vec<Message>> {
        let found = self.call("search", json!({"words": words})).await?;
        Ok(list(&found).filter_map(|it| Message::read(it, self)).collect())
    }

    /// The value that the bot keeps under a key, in its encrypted profile.
    ///
    /// # Errors
    /// If it is there and is no `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let mut answer = self.call("kv.get", json!({"key": key})).await?;
        match answer.get_mut("value").map(Value::take) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Ok(Some(serde_json::from_value(value)?)),
        }
    }

    /// Keeps a value under a key of 1 to 256 bytes: at most 16 KiB as JSON, at most 4,096 of them.
    ///
    /// # Errors
    /// If it is larger, or there are too many.
    pub async fn set<T: Serialize>(&self, key: &str, value: &T) -> Result {
        let value = serde_json::to_value(value)?;
        self.call("kv.set", json!({"key": key, "value": value})).await?;
        Ok(())
    }

    /// Forgets the value under a key; false if there was none.
    ///
    /// # Errors
    /// If the profile cannot be written.
    pub async fn forget(&self, key: &str) -> Result<bool> {
        let answer = self.call("kv.delete", json!({"key": key})).await?;
        Ok(answer.get("deleted") == Some(&Value::Bool(true)))
    }

    pub(super) async fn sent(&self, method: &str, params: Value) -> Result<Sent> {
        sent(&self.call(method, params).await?)
    }

    /// Calls any method of the local API (`protocol/spec/11-local-api.md`).
    ///
    /// # Errors
    /// What the method says.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value> {
        Ok(self.backend.call(method, params).await?)
    }
}

fn list(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.as_array().into_iter().flatten()
}

fn sent(answer: &Value) -> Result<Sent> {
    let id = answer.get("id").and_then(Value::as_str).map(str::to_owned);
    let id = id.ok_or_else(|| Error::new("The agent gave an answer without an id."))?;
    Ok(Sent { id, seq: answer.get("seq").and_then(Value::as_u64) })
}
