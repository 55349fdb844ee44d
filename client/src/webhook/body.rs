//! What a body says: Slack's shape, Alertmanager's, or plain text.

use serde_json::Value;

/// The longest text of a message, in bytes.
const MAX_TEXT: usize = crate::api::MAX_TEXT;
/// The most alerts of one body that are written out.
const MAX_ALERTS: usize = 20;

/// The text of a body, by its content type.
pub(super) fn text_of(kind: &str, body: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "The body is not UTF-8.")?;
    let said = match kind {
        "text/plain" => text.to_owned(),
        "application/json" | "" => of_json(text)?,
        _ => return Err("The content type is neither application/json nor text/plain."),
    };
    match said.trim_end() {
        "" => Err("There is no text."),
        said if said.len() > MAX_TEXT => Err("The text is longer than 24000 bytes."),
        said => Ok(said.to_owned()),
    }
}

fn of_json(text: &str) -> Result<String, &'static str> {
    let value: Value = serde_json::from_str(text).map_err(|_| "The body is not JSON.")?;
    if let Some(alerts) = value.get("alerts").and_then(Value::as_array) {
        return Ok(of_alerts(&value, alerts));
    }
    let said = value.get("text").and_then(Value::as_str);
    said.map(str::to_owned).ok_or("There is no \"text\" in the body.")
}

/// Alertmanager's webhook: one line an alert, `FIRING DiskFull (db1): summary`.
fn of_alerts(whole: &Value, alerts: &[Value]) -> String {
    let lines = alerts.iter().take(MAX_ALERTS).map(|alert| {
        let of = |group: &str, name: &str| {
            let value = alert.get(group).and_then(|group| group.get(name));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let state = alert.get("status").and_then(Value::as_str).unwrap_or("firing");
        let said = [of("annotations", "summary"), of("annotations", "description")];
        let said = said.into_iter().find(|said| !said.is_empty()).unwrap_or_default();
        let (name, place) = (of("labels", "alertname"), of("labels", "instance"));
        let place = if place.is_empty() { place } else { format!(" ({place})") };
        format!("{} {name}{place}: {said}", state.to_uppercase())
    });
    let mut lines: Vec<String> = lines.collect();
    let more = alerts.len().saturating_sub(MAX_ALERTS);
    let cut = whole.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or_default();
    if more > 0 || cut > 0 {
        lines.push(format!("and {} more", cut.saturating_add(more as u64)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_shape_and_plain_text_are_taken() {
        assert_eq!(text_of("application/json", br#"{"text": "hello"}"#), Ok("hello".into()));
        assert_eq!(text_of("", br#"{"text": "hello", "channel": "x"}"#), Ok("hello".into()));
        assert_eq!(text_of("text/plain", b"two\nlines\n"), Ok("two\nlines".into()));
    }

    #[test]
    fn what_says_nothing_is_refused_with_a_reason() {
        for (kind, body) in [
            ("application/json", &b"{"[..]),
            ("application/json", b"[]"),
            ("application/json", br#"{"text": 7}"#),
            ("application/json", br#"{"text": " "}"#),
            ("text/plain", b"\n"),
            ("text/plain", b"\xff"),
            ("image/png", b"x"),
            ("text/plain", &[b'a'; MAX_TEXT + 1]),
        ] {
            assert!(!text_of(kind, body).unwrap_err().is_empty());
        }
    }

    #[test]
    fn alertmanagers_body_becomes_a_line_an_alert() {
        let body = br#"{"version": "4", "truncatedAlerts": 2, "alerts": [
            {"status": "firing", "labels": {"alertname": "DiskFull", "instance": "db1"},
             "annotations": {"summary": "3 % left"}},
            {"status": "resolved", "labels": {"alertname": "Down"},
             "annotations": {"description": "back"}}]}"#;
        let said = "FIRING DiskFull (db1): 3 % left\nRESOLVED Down: back\nand 2 more";
        assert_eq!(text_of("application/json", body), Ok(said.into()));
    }
}
