//! `file ...`

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::chat::answered;
use super::{PATIENCE_MS, items, refresh, whole_id};
use crate::api::{Api, ApiError, Calls};
use crate::commands::FileCommand;
use crate::errors::Failure;
use crate::output::{Out, clean_line, is_set, line_of};
use crate::{text, time};

/// Percent between two lines of progress.
const EVERY: u64 = 10;

/// Runs one of the family.
pub(super) async fn run(command: FileCommand, api: &Api, out: &mut Out) -> Result<(), Failure> {
    match command {
        FileCommand::Send { room, path } => send(&room, &path, api, out).await,
        FileCommand::Get { id, output } => get(&id, &output, api, out).await,
        FileCommand::List { room } => list(room, api, out).await,
    }
}

/// The path as the process that holds the profile finds it, wherever that was started.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::refused(text::no_path(&text::words::kind(error.kind())), text::check_path())
    })
}

async fn send(room: &str, path: &Path, api: &Api, out: &mut Out) -> Result<(), Failure> {
    let path = absolute(path)?;
    let named =
        path.to_str().ok_or_else(|| Failure::refused(text::path_utf8(), text::check_path()))?;
    if std::fs::metadata(&path).is_ok_and(|file| file.len() > SHARED) {
        out.note(text::large_file());
    }
    let params = json!({"room": room, "path": named, "wait_ms": PATIENCE_MS});
    let answer = watched(api, "upload", params, out).await;
    answered(answer, &text::sent(&clean_line(room)), out)
}

/// Files certainly small enough for every device to fetch them.
const SHARED: u64 = 900 * 1024;

async fn get(id: &str, to: &Path, api: &Api, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let files = items(api.call("files", json!({})).await?)?;
    let id = whole_id(&files, "id", id, text::list_files())?;
    let file = files.iter().find(|file| line_of(file, "id") == id);
    if file.is_some_and(|file| !is_set(file, "shared")) {
        out.warn(text::fetch_seen());
    }
    let to = absolute(to)?;
    let named =
        to.to_str().ok_or_else(|| Failure::refused(text::path_utf8(), text::check_path()))?;
    let params = json!({"id": id, "path": named, "wait_ms": PATIENCE_MS});
    let answer = watched(api, "download", params, out).await?;
    if out.style.json {
        return out.json(answer);
    }
    out.done(&text::saved(&line_of(&answer, "path")))
}

async fn list(room: Option<String>, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    refresh(api, out).await?;
    let params = room.map_or_else(|| json!({}), |room| json!({"room": room}));
    let files = items(api.call("files", params).await?)?;
    if out.style.json {
        return files.into_iter().try_for_each(|file| out.json(file));
    }
    let row = |file: &Value| {
        let bytes = file.get("size").and_then(Value::as_u64).unwrap_or_default();
        vec![
            line_of(file, "id").chars().take(8).collect(),
            line_of(file, "name"),
            text::size(bytes),
            line_of(file, "room"),
            line_of(file, "from"),
            time::minute(&line_of(file, "sent_at")),
        ]
    };
    out.table(&files.iter().map(row).collect::<Vec<_>>())
}

/// Makes a call and, on a terminal, tells how far it is.
async fn watched(api: &Api, method: &str, params: Value, out: &mut Out) -> Result<Value, ApiError> {
    if out.style.json || !io::stderr().is_terminal() {
        return api.call(method, params).await;
    }
    let mut events = api.events(json!({})).await?;
    let call = api.call(method, params);
    tokio::pin!(call);
    let mut told = 0;
    loop {
        let event = tokio::select! {
            answer = &mut call => return answer,
            event = events.next() => event,
        };
        let Some(event) = event else { return call.await };
        if line_of(&event, "type") != "progress" {
            continue;
        }
        let number = |name| event.get(name).and_then(Value::as_u64).unwrap_or_default();
        let percent = number("done") * 100 / number("total").max(1);
        if percent >= told + EVERY {
            told = percent;
            out.note(&text::progress(&line_of(&event, "name"), percent));
        }
    }
}
