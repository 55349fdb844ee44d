//! `invite`, `invites`, `approve`, `reject`

use std::io::{self, BufRead, IsTerminal};

use serde_json::{Map, Value, json};

use super::{items, refresh, whole_id};
use crate::api::{self, Calls};
use crate::commands::{ApproveArgs, InviteArgs};
use crate::errors::Failure;
use crate::output::{Out, Paint, line_of, word_of};
use crate::{qr, text, time};

/// How long an invite works unless told otherwise, in seconds.
const TTL_S: u64 = 24 * 3_600;

/// The same for one that needs nobody's approval, which may not work longer.
const AUTO_TTL_S: u64 = 3_600;

/// The number of words a newcomer reads out.
const WORDS: usize = 5;

/// `invite`
pub(super) async fn create(
    args: InviteArgs,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    let ttl = args.ttl.unwrap_or(if args.auto_approve { AUTO_TTL_S } else { TTL_S });
    let mut params = Map::new();
    if let Some(name) = args.name {
        params.insert("name".into(), name.into());
    }
    params.insert("role".into(), args.role.word().into());
    params.insert("ttl_s".into(), ttl.into());
    if let Some(expires) = args.expires {
        params.insert("expires_s".into(), expires.into());
    }
    params.insert("auto_approve".into(), args.auto_approve.into());
    let invite = api.call("invite.create", Value::Object(params)).await?;
    show(invite, text::one_use(), out)
}

/// `device add`
pub(super) async fn add_device(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let invite = api.call("device.add", json!({"ttl_s": TTL_S})).await?;
    show(invite, text::one_device(), out)
}

fn show(invite: Value, note: &str, out: &mut Out) -> Result<(), Failure> {
    if out.style.json {
        return out.json(invite);
    }
    let code = line_of(&invite, "code");
    if !out.style.plain && !out.style.quiet {
        for row in qr::rows(&code).unwrap_or_default() {
            out.line(&out.style.paint(Paint::Paper, &row))?;
        }
    }
    out.line(&out.style.paint(Paint::Bold, &code))?;
    out.done(&text::expires(&time::minute(&line_of(&invite, "expires_at"))))?;
    out.note(note);
    Ok(())
}

/// `invites`
pub(super) async fn list(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let invites = items(api.call("invite.list", api::none()).await?)?;
    if out.style.json {
        return invites.into_iter().try_for_each(|invite| out.json(invite));
    }
    if invites.is_empty() {
        return out.done(text::no_invites());
    }
    let row = |invite: &Value| {
        let asking = invite.get("asking").filter(|asking| asking.is_object());
        let who = asking.map(|it| format!("{} ({})", line_of(it, "name"), line_of(it, "device")));
        vec![
            line_of(invite, "id").chars().take(8).collect(),
            word_of(invite, "state"),
            word_of(invite, "role"),
            line_of(invite, "name"),
            time::minute(&line_of(invite, "expires_at")),
            who.unwrap_or_default(),
        ]
    };
    out.table(&invites.iter().map(row).collect::<Vec<_>>())
}

/// `approve`
pub(super) async fn approve(
    args: ApproveArgs,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    refresh(api, out).await?;
    let id = invite_id(&args.id, api).await?;
    let params = match args.words {
        _ if args.unverified => json!({"id": id, "unverified": true}),
        Some(words) => json!({"id": id, "words": five(&words)?}),
        None => json!({"id": id, "words": five(&ask_words(out)?)?}),
    };
    let answer = api.call("invite.approve", params).await?;
    if out.style.json {
        return out.json(answer);
    }
    out.done(&text::approved(&line_of(&answer, "member")))
}

/// `reject`
pub(super) async fn reject(id: &str, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let id = invite_id(id, api).await?;
    let answer = api.call("invite.reject", json!({"id": id})).await?;
    if out.style.json {
        return out.json(answer);
    }
    out.done(text::rejected())
}

async fn invite_id(prefix: &str, api: &impl Calls) -> Result<String, Failure> {
    let invites = items(api.call("invite.list", api::none()).await?)?;
    whole_id(&invites, "id", prefix, text::list_invites())
}

/// Takes the words apart; whether they are the right ones is the agent's to say.
fn five(words: &str) -> Result<Vec<&str>, Failure> {
    let separator = |c: char| c.is_whitespace() || c == ',';
    let words: Vec<&str> = words.split(separator).filter(|word| !word.is_empty()).collect();
    if words.len() != WORDS {
        let message = text::wrong_number_of_words(words.len());
        return Err(Failure::usage(message, text::how_to_approve()));
    }
    Ok(words)
}

fn ask_words(out: &mut Out) -> Result<String, Failure> {
    let needed = || Failure::usage(text::words_needed(), text::how_to_approve());
    if !io::stdin().is_terminal() {
        return Err(needed());
    }
    out.warn(text::ask_words());
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|_| needed())?;
    Ok(line)
}
