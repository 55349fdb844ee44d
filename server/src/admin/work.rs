//! Carrying out the operator's commands.

use std::io::Write;

use serde_json::{Value, json};

use super::{Answer, Request, backed_up};
use crate::backup::{self, Recipient, Summary};
use crate::founder::founder_code;
use crate::hub::Hub;
use crate::init::{Layout, fingerprint};
use crate::logsafe::safe;
use crate::metrics::Snapshot;
use crate::registry::Parent;
use crate::store::StoreError;
use crate::utc::utc;

/// Carries out one command; blocks.
pub(super) fn perform(hub: &Hub, request: Request) -> Answer {
    let result = match request {
        Request::Status {} => status(hub).map_err(|error| error.to_string()),
        Request::Stats {} => serde_json::to_value(Snapshot::take(hub)).map_err(|e| e.to_string()),
        Request::Devices {} => Ok(devices(hub)),
        Request::Revoke { entry } => revoke(hub, &entry),
        Request::FounderReissue { address, team } => reissue(hub, &address, &team),
        Request::Drain {} => {
            hub.control.drain.notify_one();
            Ok(json!({ "draining": true }))
        }
        Request::Maintenance { on } => {
            hub.control.set_maintenance(on);
            // Connections end with a NOTICE; the gate says 503 until this is over.
            hub.log.beat(|pulse| pulse.draining = on);
            tracing::info!(on = safe(on), "maintenance");
            Ok(json!({ "maintenance": on }))
        }
        Request::Backup {} => Err("a backup is no line".to_owned()),
    };
    match result {
        Ok(value) => Answer::Ok(value),
        Err(why) => Answer::Error(why),
    }
}

fn status(hub: &Hub) -> Result<Value, StoreError> {
    let replaces = Parent::read(&**hub.store())?;
    let now = Snapshot::take(hub);
    let notice = &hub.config.notice;
    Ok(json!({
        "version": now.version,
        "pid": std::process::id(),
        "fingerprint": fingerprint(&hub.key.public()),
        "claimed": hub.registry.is_claimed(),
        "ready": now.ready,
        "maintenance": now.maintenance,
        "uptime_s": now.uptime_s,
        "devices": now.devices,
        "admins": now.admins,
        "connections": now.connections,
        "invites_open": now.invites_open,
        "head": now.head,
        "oldest": now.oldest,
        "disk_used": now.disk_used,
        "disk_free": now.disk_free,
        "last_backup": hub.control.last_backup().map(utc),
        "operator": notice.operator,
        "hosting_country": notice.hosting_country,
        "replaces": replaces.map(|parent| json!({ "log": parent.log.to_hex(), "seq": parent.seq })),
    }))
}

fn devices(hub: &Hub) -> Value {
    let head = hub.log.head().seq;
    let mut rows = hub.registry.rows();
    rows.sort_by_key(|row| row.transport.0);
    let shown = rows.iter().map(|row| {
        let reader = row.reader();
        json!({
            "entry": row.entry(),
            "admin": row.is_admin,
            "connections": row.connections(),
            "seen": reader.seen,
            "behind": head.saturating_sub(reader.seen),
            "last_here": utc(reader.heard),
        })
    });
    Value::Array(shown.collect())
}

fn revoke(hub: &Hub, entry: &str) -> Result<Value, String> {
    let left = hub.registry.evict(entry).map_err(|error| error.to_string())?;
    tracing::info!("the operator took a row away");
    Ok(json!({ "revoked": true, "admins_left": left }))
}

fn reissue(hub: &Hub, address: &str, team: &str) -> Result<Value, String> {
    let address = match address {
        "" => hub.config.listen.public.as_str(),
        given => given,
    };
    if address.is_empty() {
        return Err("where do devices reach the relay? give --address HOST:PORT".to_owned());
    }
    let (code, invite) = founder_code(&hub.key.public(), address, team)?;
    hub.registry.reissue_founder(invite).map_err(|error| error.to_string())?;
    tracing::info!("a new founder code");
    Ok(json!({ "fingerprint": fingerprint(&hub.key.public()), "founder_code": code }))
}

/// Writes a backup of the serving relay to `to`; blocks.
pub(super) fn backup(hub: &Hub, to: impl Write) -> Result<Summary, String> {
    // What is only in memory goes too.
    hub.save().map_err(|error| error.to_string())?;
    let layout = Layout::new(hub.control.data());
    let recipient = Recipient::read(&layout.recipient()).map_err(|error| error.to_string())?;
    let _held = hub.control.hold_log();
    let summary = backup::write(&layout, &**hub.store(), &recipient, to)
        .map_err(|error| error.to_string())?;
    if let Err(error) = backed_up(hub.control.data(), (hub.clock)()) {
        tracing::warn!(kind = safe(error.kind()), "cannot note the backup");
    }
    Ok(summary)
}
