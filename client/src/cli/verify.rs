//! `verify`

use serde_json::{Map, Value, json};

use super::team::trust;
use super::{items, refresh};
use crate::api::Calls;
use crate::commands::VerifyArgs;
use crate::errors::Failure;
use crate::output::{Out, clean_line, line_of};
use crate::text;

/// `verify`
pub(super) async fn run(args: VerifyArgs, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let mut params = Map::new();
    if let Some(member) = &args.member {
        params.insert("member".into(), member.strip_prefix('@').unwrap_or(member).into());
    }
    if let Some(words) = &args.words {
        let words: Vec<&str> = words.split(|c: char| c.is_whitespace() || c == ',').collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        params.insert("words".into(), json!(words));
    }
    let people = items(api.call("verify", Value::Object(params)).await?)?;
    if out.style.json {
        return people.into_iter().try_for_each(|person| out.json(person));
    }
    if let (Some(person), true) = (people.first(), args.words.is_some()) {
        return out.done(&text::verified(&line_of(person, "member")));
    }
    let words = |person: &Value| {
        let words = person.get("words").and_then(Value::as_array).cloned().unwrap_or_default();
        let words: Vec<_> = words.iter().filter_map(Value::as_str).map(clean_line).collect();
        words.join(" ")
    };
    let row =
        |person: &Value| vec![trust(person).to_owned(), line_of(person, "member"), words(person)];
    out.table(&people.iter().map(row).collect::<Vec<_>>())?;
    if let Some(person) = people.first() {
        out.line(&text::team_number(&line_of(person, "team_number")))?;
    }
    out.note(text::how_to_verify());
    Ok(())
}
