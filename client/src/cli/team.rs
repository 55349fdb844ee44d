//! `team`, `device`, `revoke`

use serde_json::{Value, json};

use super::{items, refresh, whole_id};
use crate::api::{self, Calls};
use crate::commands::DeviceCommand;
use crate::errors::Failure;
use crate::output::{Out, Paint, clean_line, is_set, line_of, word_of};
use crate::text;

/// `team`
pub(super) async fn list(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let devices = items(api.call("team", api::none()).await?)?;
    print(devices, out)
}

/// `device ...`
pub(super) async fn device(
    command: DeviceCommand,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    refresh(api, out).await?;
    let devices = items(api.call("team", api::none()).await?)?;
    match command {
        DeviceCommand::List | DeviceCommand::Add => {
            let status = api.call("status", api::none()).await?;
            let own = status.get("member");
            let own = devices.into_iter().filter(|device| device.get("member") == own).collect();
            print(own, out)
        }
        DeviceCommand::Revoke { id } => {
            let id = whole_id(&devices, "device", &id, text::list_devices())?;
            cut_off(json!({"device": id}), api, out).await
        }
    }
}

/// `revoke`
pub(super) async fn revoke(member: &str, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    let member = member.strip_prefix('@').unwrap_or(member);
    cut_off(json!({"member": member}), api, out).await
}

async fn cut_off(params: Value, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    let answer = api.call("revoke", params).await?;
    if out.style.json {
        return out.json(answer);
    }
    let count = answer.get("devices").and_then(Value::as_array).map_or(0, Vec::len);
    out.done(&text::revoked(count))
}

fn print(devices: Vec<Value>, out: &mut Out) -> Result<(), Failure> {
    if out.style.json {
        return devices.into_iter().try_for_each(|device| out.json(device));
    }
    let row = |device: &Value| {
        vec![
            trust(device).to_owned(),
            line_of(device, "member"),
            word_of(device, "role"),
            line_of(device, "label"),
            word_of(device, "state"),
            line_of(device, "device").chars().take(8).collect(),
            last_seen(device),
            compared_by(device),
        ]
    };
    let rows: Vec<_> = devices.iter().map(row).collect();
    out.table(&rows)
}

/// Who has compared words with the device's member, if anybody.
fn compared_by(device: &Value) -> String {
    let names = device.get("verified_by").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<_> = names.filter_map(Value::as_str).map(clean_line).collect();
    if names.is_empty() { String::new() } else { text::compared_by(&names.join(", ")) }
}

/// The day, and a mark for a device that did nothing for 30 days.
fn last_seen(device: &Value) -> String {
    let day: String = line_of(device, "seen").chars().take(10).collect();
    if is_set(device, "unseen") {
        format!("{day} {}", text::unseen()).trim().to_owned()
    } else {
        day
    }
}

/// `v` for a device somebody compared words with, `!` for one that nobody did.
pub(super) fn trust(object: &Value) -> &'static str {
    if is_set(object, "verified") { "v" } else { "!" }
}

/// The same in colour, for lines that are no table.
pub(super) fn painted_trust(object: &Value, out: &Out) -> String {
    let paint = if is_set(object, "verified") { Paint::Good } else { Paint::Bad };
    out.style.paint(paint, trust(object))
}
