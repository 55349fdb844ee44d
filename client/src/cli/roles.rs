//! `team role`, `team log`, `team policy`, `team rewind`

use serde_json::{Value, json};

use super::{items, refresh};
use crate::api::{self, Calls};
use crate::commands::TeamCommand;
use crate::errors::Failure;
use crate::output::{Out, is_set, line_of, word_of};
use crate::passphrase::Source;
use crate::{text, time};

/// Runs one of the family.
pub(super) async fn run(
    command: TeamCommand,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    match command {
        TeamCommand::Role { member, role } => {
            refresh(api, out).await?;
            let member = member.strip_prefix('@').unwrap_or(&member);
            let answer = api.call("team.role", json!({"member": member, "role": role})).await?;
            if out.style.json {
                return out.json(answer);
            }
            out.done(&text::role_given(&line_of(&answer, "member"), &word_of(&answer, "role")))
        }
        TeamCommand::Log => log(api, out).await,
        TeamCommand::Policy { value, .. } => policy(value.as_deref(), api, out).await,
        TeamCommand::Rewind { numbers, root_words_file } => {
            refresh(api, out).await?;
            let words = Source::from_flag(root_words_file.as_deref()).root_words()?;
            let params = json!({"numbers": numbers, "words": words.as_str()});
            let answer = api.call("team.rewind", params).await?;
            if out.style.json {
                return out.json(answer);
            }
            let undone = answer.get("undone").and_then(Value::as_array).map_or(0, Vec::len);
            out.done(&text::undone(undone))
        }
    }
}

async fn policy(value: Option<&str>, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let params = value.map_or_else(api::none, |value| json!({"receipts": value == "on"}));
    let answer = api.call("team.policy", params).await?;
    if out.style.json {
        return out.json(answer);
    }
    let on = is_set(&answer, "receipts");
    out.line(if on { text::receipts_on() } else { text::receipts_off() })
}

async fn log(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let entries = items(api.call("team.log", api::none()).await?)?;
    if out.style.json {
        return entries.into_iter().try_for_each(|entry| out.json(entry));
    }
    let row = |entry: &Value| {
        let undone = if is_set(entry, "undone") { text::is_undone() } else { "" };
        vec![
            entry.get("number").and_then(Value::as_u64).unwrap_or_default().to_string(),
            time::minute(&line_of(entry, "at")),
            line_of(entry, "by"),
            word_of(entry, "action"),
            line_of(entry, "about"),
            word_of(entry, "role"),
            undone.to_owned(),
        ]
    };
    out.table(&entries.iter().map(row).collect::<Vec<_>>())
}
