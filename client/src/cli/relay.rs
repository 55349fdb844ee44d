//! `relay ...`

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PATIENCE_MS, refresh};
use crate::api::{self, Calls};
use crate::commands::{AddressesCommand, RelayCommand};
use crate::errors::{Failure, exit};
use crate::output::{Out, clean_line, line_of};
use crate::text;

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
        RelayCommand::Move { address } => {
            refresh(api, out).await?;
            let answer = api.call("relay.move", json!({"address": address})).await?;
            done(answer, text::team_moves(), out)
        }
        RelayCommand::Accept => done(accept(api).await?, text::relay_accepted(), out),
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
