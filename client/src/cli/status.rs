//! `status`, `sync`, `agent`, `version`

use serde_json::{Value, json};

use super::{PATIENCE_MS, follow};
use crate::api::{self, Api, Calls};
use crate::errors::{Failure, exit};
use crate::output::{Out, Paint, clean_line, is_set, line_of};
use crate::text;

/// `version`
pub(super) fn version(out: &mut Out) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if out.style.json {
        return out.json(json!({"name": "staffetta", "version": version}));
    }
    out.line(&format!("staffetta {version}"))
}

/// `status`
pub(super) async fn status(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    let mut status = api.call("status", api::none()).await?;
    // Only a holder beside this process counts: our own hold ends with the command.
    if let (true, Some(fields)) = (api.is_holder(), status.as_object_mut()) {
        fields.insert("agent".into(), false.into());
    }
    if out.style.json {
        return out.json(status);
    }
    if is_set(&status, "locked") {
        return out.line(&format!("{:<7} {}", "agent", text::is_locked()));
    }
    let connected = is_set(&status, "connected");
    let paint = if connected { Paint::Good } else { Paint::Dim };
    let state =
        out.style.paint(paint, text::words::word(if connected { "online" } else { "offline" }));
    let number = |field: &str| status.get(field).and_then(Value::as_u64).unwrap_or_default();
    let agent =
        if is_set(&status, "agent") { text::words::running() } else { text::words::not_running() };
    let rows = [
        (text::words::team(), line_of(&status, "team")),
        (
            text::words::you(),
            format!("{} ({})", line_of(&status, "member"), line_of(&status, "label")),
        ),
        (text::words::relay(), format!("{} ({state})", line_of(&status, "relay"))),
        (text::words::agent(), agent.to_owned()),
        (text::words::head(), number("head").to_string()),
        (text::words::queued(), number("queued").to_string()),
    ];
    for (name, value) in rows {
        out.line(&format!("{name:<7} {value}"))?;
    }
    let refused = text::said(&line_of(&status, "refused"));
    if !refused.is_empty() {
        out.line(
            &out.style.paint(Paint::Bad, &format!("{} {refused}", text::words::word("refused"))),
        )?;
    }
    for missing in status.get("missing").and_then(Value::as_array).into_iter().flatten() {
        let count = missing.get("count").and_then(Value::as_u64).unwrap_or_default();
        let (from, room) = (line_of(missing, "from"), line_of(missing, "room"));
        out.line(&out.style.paint(Paint::Bad, &text::missing(count, &from, &room)))?;
    }
    for alarm in status.get("alarms").and_then(Value::as_array).into_iter().flatten() {
        let what = alarm.as_str().map_or_else(|| line_of(alarm, "text"), clean_line);
        out.line(&out.style.paint(Paint::Bad, &text::alarm(&text::said(&what))))?;
    }
    Ok(())
}

/// `sync`
pub(super) async fn sync(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    let answer = api.call("sync", json!({"timeout_ms": PATIENCE_MS})).await?;
    if out.style.json {
        return out.json(answer);
    }
    out.done(text::reached())
}

/// `agent`: holds the profile until told to end. What it prints may end in a system's journal,
/// so it names nobody.
pub(super) async fn agent(
    api: &Api,
    lock_after: Option<u64>,
    out: &mut Out,
) -> Result<(), Failure> {
    if !api.is_holder() {
        return Err(Failure::with(exit::TRY_AGAIN, text::already_held(), text::use_the_other()));
    }
    if let Some(idle_s) = lock_after {
        api.call("lock.after", json!({"idle_s": idle_s})).await?;
    }
    let events = api.events(api::none()).await?;
    out.note(text::agent_ready());
    follow(events, |event| {
        match line_of(&event, "type").as_str() {
            "asking" => out.note(text::somebody_asks()),
            "locked" => out.note(text::locked()),
            "unlocked" => out.note(text::unlocked()),
            "alarm" => out.warn(text::alarm_raised()),
            "connection" if line_of(&event, "state") == "refused" => out.warn(text::refused()),
            _ => {}
        }
        Ok(())
    })
    .await
}
