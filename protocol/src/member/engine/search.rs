//! Looking back: search, and reading the history from its beginning.

use serde::Deserialize;
use serde_json::Value;

use super::Cx;
use super::fault::{Fault, refused};

/// The most messages of one answer.
const MAX_FOUND: u32 = 10_000;
/// The messages of one answer if nobody says how many.
const FOUND: u32 = 50;

/// `search`
#[derive(Deserialize)]
pub(super) struct SearchParams {
    words: String,
    room: Option<String>,
    limit: Option<u32>,
}

impl Cx<'_> {
    /// The newest messages that hold all words, oldest first.
    pub(super) fn search(&self, params: &SearchParams) -> Result<Value, Fault> {
        let room = params.room.as_deref().map(|typed| self.find_room(typed)).transpose()?;
        let limit = params.limit.unwrap_or(FOUND).min(MAX_FOUND);
        if !params.words.chars().any(char::is_alphanumeric) {
            return Err(refused("There is no word to search for.", None).into());
        }
        let found = self.tx.search(&params.words, room.map(|room| room.id).as_ref(), limit)?;
        found.iter().map(|row| self.message_json(row)).collect()
    }
}
