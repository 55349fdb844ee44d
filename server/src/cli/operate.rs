//! Commands to a running relay.

use std::process::ExitCode;

use serde_json::Value;

use super::{Global, print_line, show};
use crate::admin::{Request, ask};

pub(super) fn status(global: &Global) -> anyhow::Result<()> {
    global.print(&ask(global.data()?, &Request::Status {})?, show::table)
}

pub(super) fn stats(global: &Global) -> anyhow::Result<()> {
    global.print(&ask(global.data()?, &Request::Stats {})?, show::table)
}

/// One JSON object a line, as everything that is a list.
pub(super) fn devices(global: &Global) -> anyhow::Result<()> {
    let devices = ask(global.data()?, &Request::Devices {})?;
    let Value::Array(devices) = devices else { return Ok(()) };
    if global.json {
        return devices.iter().try_for_each(|device| print_line(&device.to_string()));
    }
    print_line(show::devices(&devices).trim_end())
}

pub(super) fn revoke(global: &Global, entry: String) -> anyhow::Result<()> {
    global.print(&ask(global.data()?, &Request::Revoke { entry })?, |done| {
        let left = done["admins_left"].as_u64().unwrap_or(0);
        let mut text = "The device is cut and cannot come back by itself.\n\
                        Tell an admin to revoke it in the team too: only that re-keys the rooms."
            .to_owned();
        if left == 0 {
            text.push_str("\nNo admin's device is left: nobody can add or remove devices now.");
        }
        text
    })
}

pub(super) fn reissue(global: &Global, address: String, team: String) -> anyhow::Result<()> {
    global.print(&ask(global.data()?, &Request::FounderReissue { address, team })?, |done| {
        format!(
            "Fingerprint   {}\nFounder code  {}\n\nThe code before this one is dead.",
            done["fingerprint"].as_str().unwrap_or_default(),
            done["founder_code"].as_str().unwrap_or_default(),
        )
    })
}

pub(super) fn drain(global: &Global) -> anyhow::Result<()> {
    global.print(&ask(global.data()?, &Request::Drain {})?, |_| {
        "The relay tells its clients to come back later and stops.".to_owned()
    })
}

pub(super) fn maintenance(global: &Global, on: bool) -> anyhow::Result<()> {
    global.print(&ask(global.data()?, &Request::Maintenance { on })?, |_| match on {
        true => "Devices are kept out until `maintenance off`; their messages wait on them.".into(),
        false => "Devices are let in again.".into(),
    })
}

/// Exits 0 if the relay is ready, 1 if it is not, 69 if there is none.
pub(super) fn health(global: &Global) -> anyhow::Result<ExitCode> {
    let status = ask(global.data()?, &Request::Status {})?;
    let ready = status.get("ready").and_then(Value::as_bool).unwrap_or(false);
    let object = serde_json::json!({ "ready": ready });
    global.print(&object, |_| if ready { "ready".into() } else { "not ready".into() })?;
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
