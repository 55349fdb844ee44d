//! `tail`

use std::collections::{HashSet, VecDeque};

use serde_json::{Value, json};

use super::chat::print;
use super::{follow, items, refresh};
use crate::api::{Api, Calls};
use crate::errors::Failure;
use crate::output::{Out, line_of};

/// How many messages are asked for at once.
const PAGE: usize = 500;
/// Printed ids that are remembered: as many as events may wait for us, and one page more.
const REMEMBERED: usize = 1_024 + PAGE;

/// `tail`: what happens from now on, after what came since a message if one is named.
pub(super) async fn run(
    room: Option<String>,
    since: Option<String>,
    api: &Api,
    out: &mut Out,
) -> Result<(), Failure> {
    let one_room = room.is_some();
    let params = room.map_or_else(|| json!({}), |room| json!({"room": room}));
    // Subscribed first, so that nothing falls between the two.
    let events = api.events(params.clone()).await?;
    let mut printed = Printed::default();
    if let Some(since) = since {
        refresh(api, out).await?;
        catch_up(params, since, one_room, api, out, &mut printed).await?;
    }
    follow(events, |event| match printed.knows(&event) {
        true => Ok(()),
        false => print(event, one_room, out),
    })
    .await
}

/// Prints what came after a message, oldest first, page by page.
async fn catch_up(
    params: Value,
    mut since: String,
    one_room: bool,
    api: &impl Calls,
    out: &mut Out,
    printed: &mut Printed,
) -> Result<(), Failure> {
    loop {
        let mut params = params.clone();
        if let Some(fields) = params.as_object_mut() {
            fields.insert("since".into(), since.into());
            fields.insert("limit".into(), PAGE.into());
            fields.insert("oldest".into(), true.into());
        }
        let page = items(api.call("read", params).await?)?;
        let count = page.len();
        since = page.last().map(|last| line_of(last, "id")).unwrap_or_default();
        for message in page {
            printed.note(line_of(&message, "id"));
            print(message, one_room, out)?;
        }
        if count < PAGE {
            return Ok(());
        }
    }
}

/// The ids printed last.
#[derive(Default)]
struct Printed {
    order: VecDeque<String>,
    ids: HashSet<String>,
}

impl Printed {
    fn note(&mut self, id: String) {
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.ids.insert(id);
    }

    /// Whether an event tells of a message that was printed already.
    fn knows(&self, event: &Value) -> bool {
        let is_message = matches!(line_of(event, "type").as_str(), "message" | "file");
        is_message && self.ids.contains(&line_of(event, "id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_printed_is_known_and_what_is_remembered_is_bounded() {
        let mut printed = Printed::default();
        for n in 0..=REMEMBERED {
            printed.note(n.to_string());
        }
        let event = |kind: &str, id: usize| json!({"type": kind, "id": id.to_string()});
        assert!(printed.knows(&event("message", REMEMBERED)));
        assert!(!printed.knows(&event("message", 0)));
        assert!(!printed.knows(&event("edit", REMEMBERED)));
        assert_eq!(printed.ids.len(), REMEMBERED);
    }
}
