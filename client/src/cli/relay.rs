//! `relay ...`

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{PATIENCE_MS, refresh};
use crate::api::{self, Calls};
use crate::commands::{AddressesCommand, RelayCommand, SpareCommand};
use crate::errors::{Failure, exit};
use crate::output::{Out, clean_line, is_set, line_of};
use crate::{passphrase, text};

/// Between two looks whether the relay's log is read.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Runs one of the family.
pub(super) async fn run(
    command: RelayCommand,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    match command {
        RelayCommand::Addresses { command } => addresses(command, api, out).await,
        RelayCommand::Move { address, code, .. } => {
            // The present relay may be gone.
            let code = if code { Some(ask_code()?) } else { None };
            refresh(api, out).await?;
            let params = json!({"address": address, "code": code.as_deref()});
            done(api.call("relay.move", params).await?, text::team_moves(), out)
        }
        RelayCommand::Spare { command } => spare(command, api, out).await,
        RelayCommand::Drill => drill(api, out).await,
        RelayCommand::Find => {
            let code = ask_code()?;
            let answer = api.call("relay.find", json!({"code": code.as_str()})).await?;
            done(answer, text::relay_found(), out)
        }
        RelayCommand::Accept => done(accept(api).await?, text::relay_accepted(), out),
    }
}

/// The spare code, never an argument: others see those.
fn ask_code() -> Result<Zeroizing<String>, Failure> {
    let code = passphrase::spare_code()?;
    api::read_code(&code)?;
    Ok(code)
}

async fn spare(
    command: Option<SpareCommand>,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    let (params, said) = match command {
        None | Some(SpareCommand::List) => {
            refresh(api, out).await?;
            (api::none(), None)
        }
        Some(SpareCommand::Add { after }) => {
            let code = ask_code()?;
            refresh(api, out).await?;
            (json!({"code": code.as_str(), "after_s": after}), Some(text::spare_added()))
        }
        Some(SpareCommand::Remove) => {
            refresh(api, out).await?;
            (json!({"remove": true}), Some(text::spare_removed()))
        }
    };
    let answer = api.call("relay.spare", params).await?;
    match said {
        _ if out.style.json => out.json(answer),
        Some(said) => out.done(said),
        None => match answer.get("spare").filter(|spare| spare.is_object()) {
            Some(spare) => out.table(&lines_of(spare)),
            None => out.done(text::no_spare()),
        },
    }
}

/// What is known of a spare relay: where it is, when everybody goes there, when it last answered.
fn lines_of(spare: &Value) -> Vec<Vec<String>> {
    let addresses = spare.get("addresses").and_then(Value::as_array).into_iter().flatten();
    let after = spare.get("after_s").and_then(Value::as_u64).unwrap_or_default();
    let mut rows: Vec<_> = addresses
        .filter_map(Value::as_str)
        .map(|address| vec![clean_line(address), text::spare_after(after)])
        .collect();
    let answered = line_of(spare, "answered");
    if !answered.is_empty() {
        rows.push(vec![text::spare_answered().to_owned(), answered]);
    }
    rows
}

/// Every address with what was found there; a failure if any would not do.
async fn drill(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let answer = api.call("relay.drill", api::none()).await?;
    let visits = answer.get("visits").and_then(Value::as_array).cloned().unwrap_or_default();
    let would_do = visits.iter().all(|visit| line_of(visit, "result") == "answers");
    if out.style.json {
        out.json(answer)?;
    } else {
        let row = |visit: &Value| {
            let spare = if is_set(visit, "spare") { text::the_spare() } else { "" };
            let found = text::visited(&line_of(visit, "result"));
            vec![line_of(visit, "address"), found.to_owned(), spare.to_owned()]
        };
        out.table(&visits.iter().map(row).collect::<Vec<_>>())?;
    }
    match would_do {
        true => out.done(text::drill_done()),
        false => Err(Failure::refused(text::drill_failed(), text::drill_todo())),
    }
}

/// The relay's log has to be read to its end first.
async fn accept(api: &impl Calls) -> Result<Value, Failure> {
    let patience = Instant::now() + Duration::from_millis(PATIENCE_MS);
    loop {
        match api.call("relay.accept", api::none()).await {
            Err(error) if error.exit == exit::TRY_AGAIN && Instant::now() < patience => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            answer => return Ok(answer?),
        }
    }
}

fn done(answer: Value, said: &str, out: &mut Out) -> Result<(), Failure> {
    if out.style.json { out.json(answer) } else { out.done(said) }
}

async fn addresses(
    command: Option<AddressesCommand>,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    refresh(api, out).await?;
    let (params, changed) = match command {
        None | Some(AddressesCommand::List) => (api::none(), false),
        Some(AddressesCommand::Add { address }) => (json!({"add": address}), true),
        Some(AddressesCommand::Remove { address }) => (json!({"remove": address}), true),
    };
    let answer = api.call("relay.addresses", params).await?;
    let in_use = line_of(&answer, "in_use");
    let all = answer.get("addresses").and_then(Value::as_array).cloned().unwrap_or_default();
    let all = all.iter().filter_map(Value::as_str);
    if out.style.json {
        return all.into_iter().try_for_each(|address| {
            out.json(json!({"address": address, "in_use": address == in_use}))
        });
    }
    if changed {
        out.done(text::addresses_changed())?;
    }
    let mark =
        |address: &str| if address == in_use { text::in_use().to_owned() } else { String::new() };
    let rows: Vec<_> = all.map(|address| vec![clean_line(address), mark(address)]).collect();
    out.table(&rows)
}
