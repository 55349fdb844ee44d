//! What the screen needs of the history, and what it keeps beside it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::api::content_id;
use super::fault::{Fault, refused};
use super::views::Read;
use crate::member::store::{MessageQuery, MetaKey};
use crate::wire::ids::ContentId;

/// The most bytes that the screen keeps, as JSON.
const MOST_KEPT: usize = 1_048_576;

/// `read`
#[derive(Deserialize)]
pub(super) struct ReadParams {
    room: Option<String>,
    #[serde(default)]
    unread: bool,
    limit: Option<u32>,
    since: Option<String>,
    before: Option<String>,
    /// A message, or `unread` for the first one that is.
    around: Option<String>,
    #[serde(default)]
    mark_read: bool,
    /// The oldest `limit` messages instead of the newest.
    #[serde(default)]
    oldest: bool,
}

/// The messages of one answer if nobody says how many.
const READ: u32 = 50;

/// `mark_read`
#[derive(Deserialize)]
pub(super) struct MarkParams {
    room: String,
    /// The newest message that was read.
    upto: String,
}

/// `screen`
#[derive(Deserialize)]
pub(super) struct ScreenParams {
    /// What is to be kept from now on.
    put: Option<Value>,
}

impl Cx<'_> {
    /// `read`
    pub(super) fn read_call(&mut self, params: ReadParams) -> Result<Value, Fault> {
        let ReadParams { room, unread, limit, mark_read, oldest, .. } = params;
        let id = |typed: Option<String>| typed.as_deref().map(content_id).transpose();
        let (since, before) = (id(params.since)?, id(params.before)?);
        let limit = limit.unwrap_or(READ);
        let query = Read { room, unread, limit, since, before, mark_read, oldest };
        match params.around.as_deref() {
            None => self.read(&query),
            Some("unread") => self.read_around(query, None),
            Some(typed) => self.read_around(query, Some(content_id(typed)?)),
        }
    }

    /// `read` with `around`: so many messages before and behind `middle`, or the first unread one;
    /// the newest ones if nothing is unread.
    fn read_around(&mut self, mut read: Read, middle: Option<ContentId>) -> Result<Value, Fault> {
        let half = read.limit / 2;
        let middle = match middle {
            Some(middle) => Some(middle),
            None => {
                let room = read.room.as_deref().map(|typed| self.find_room(typed)).transpose()?;
                let room = room.map(|room| room.id);
                let query = MessageQuery {
                    room,
                    unread: true,
                    limit: Some(1),
                    oldest: true,
                    ..MessageQuery::default()
                };
                self.tx.messages(&query)?.first().map(|row| row.content)
            }
        };
        let Some(middle) = middle else { return self.read(&read) };
        let row = self.tx.message(&middle)?.filter(|row| !row.deleted && row.shown);
        let row = row.ok_or_else(|| refused("There is no message with that id.", None))?;
        (read.limit, read.before, read.oldest) = (half, Some(middle), false);
        let mut all = items(self.read(&read)?);
        all.push(self.message_json(&row)?);
        (read.before, read.since, read.oldest) = (None, Some(middle), true);
        all.extend(items(self.read(&read)?));
        Ok(Value::Array(all))
    }

    /// `mark_read`: a message and everything before it in its room; answers what is left unread.
    pub(super) fn mark_read(&mut self, params: &MarkParams) -> Result<Value, Fault> {
        let room = self.find_room(&params.room)?.id;
        let upto = content_id(&params.upto)?;
        self.tx.mark_read_upto(&room, &upto)?;
        let me = self.memory.profile.member();
        let mentions = me.map(|me| self.tx.unread_mentions(&me)).transpose()?.unwrap_or_default();
        let unread = self.tx.unread()?;
        let of = |all: &[crate::member::store::Unread]| {
            all.iter().find(|one| one.room == room).map_or(0, |one| one.count)
        };
        Ok(json!({"unread": of(&unread), "mentions": of(&mentions)}))
    }

    /// `screen`: what it keeps; `put` replaces it.
    pub(super) fn screen(&mut self, params: ScreenParams) -> Result<Value, Fault> {
        if let Some(put) = params.put {
            let text = put.to_string();
            if text.len() > MOST_KEPT {
                return Err(refused("The drafts are too long to be kept.", None).into());
            }
            self.tx.set(MetaKey::Screen, &text)?;
        }
        let kept: Option<String> = self.tx.get(MetaKey::Screen)?;
        let kept = kept.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        Ok(json!({"kept": kept}))
    }
}

fn items(list: Value) -> Vec<Value> {
    match list {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
