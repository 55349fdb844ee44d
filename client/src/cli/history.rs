//! `search`, `export`

use serde_json::{Value, json};

use super::chat::{body_of, print};
use super::{items, refresh};
use crate::api::Calls;
use crate::commands::Format;
use crate::errors::Failure;
use crate::output::{Out, is_set, line_of};
use crate::{text, time};

/// How many messages are asked for at once.
const PAGE: usize = 500;

/// `search`
pub(super) async fn search(
    words: &[String],
    room: Option<String>,
    limit: u32,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    refresh(api, out).await?;
    let mut params = json!({"words": words.join(" "), "limit": limit});
    let one_room = room.is_some();
    if let (Some(room), Some(fields)) = (room, params.as_object_mut()) {
        fields.insert("room".into(), room.into());
    }
    let found = items(api.call("search", params).await?)?;
    if found.is_empty() {
        out.note(text::nothing_found());
    }
    found.into_iter().try_for_each(|message| print(message, one_room, out))
}

/// `export`: the whole history, oldest first, page by page.
pub(super) async fn export(
    room: &str,
    format: Format,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    refresh(api, out).await?;
    if format == Format::Md {
        out.line(&format!("# {}", line_of(&json!({"room": room}), "room")))?;
    }
    let mut since: Option<Value> = None;
    loop {
        let mut params = json!({"room": room, "oldest": true, "limit": PAGE});
        if let (Some(id), Some(fields)) = (since, params.as_object_mut()) {
            fields.insert("since".into(), id);
        }
        let page = items(api.call("read", params).await?)?;
        let (count, last) = (page.len(), page.last().and_then(|m| m.get("id")).cloned());
        for message in page {
            match format {
                Format::Jsonl => out.json(message)?,
                Format::Md => out.line(&markdown(&message))?,
            }
        }
        since = last;
        if count < PAGE || since.is_none() {
            return Ok(());
        }
    }
}

/// `**Karim**, 2027-04-25 09:12`, then the text as a quotation, so that nothing in it is taken for
/// a heading.
fn markdown(message: &Value) -> String {
    let edited = if is_set(message, "edited") { text::is_edited() } else { "" };
    let when = time::minute(&line_of(message, "sent_at"));
    let body = body_of(message);
    let quoted: Vec<String> = body.lines().map(|line| format!("> {line}")).collect();
    format!("\n**{}**, {when}{edited}\n\n{}", line_of(message, "from"), quoted.join("\n"))
}
