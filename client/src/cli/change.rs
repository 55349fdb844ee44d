//! `edit`, `delete`, `react`

use serde_json::{Value, json};

use super::chat::answered;
use super::{PATIENCE_MS, refresh};
use crate::api::Calls;
use crate::errors::Failure;
use crate::output::Out;
use crate::text;

/// `edit`
pub(super) async fn edit(
    id: &str,
    new: String,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    call("edit", json!({"id": id, "text": new}), text::edit_done(), api, out).await
}

/// `delete`
pub(super) async fn delete(id: &str, api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    call("delete", json!({"id": id}), text::delete_done(), api, out).await
}

/// `react`
pub(super) async fn react(
    id: &str,
    emoji: &str,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    call("react", json!({"id": id, "emoji": emoji}), text::react_done(), api, out).await
}

async fn call(
    method: &str,
    mut params: Value,
    said: &str,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    // The message may have come, or changed, since this profile was last held.
    refresh(api, out).await?;
    if let Some(fields) = params.as_object_mut() {
        fields.insert("wait_ms".into(), PATIENCE_MS.into());
    }
    answered(api.call(method, params).await, said, out)
}
