//! `relay ...`

use serde_json::{Value, json};

use super::refresh;
use crate::api::{self, Calls};
use crate::commands::{AddressesCommand, RelayCommand};
use crate::errors::Failure;
use crate::output::{Out, clean_line, line_of};
use crate::text;

/// Runs one of the family.
pub(super) async fn run(
    command: RelayCommand,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    match command {
        RelayCommand::Addresses { command } => addresses(command, api, out).await,
    }
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
