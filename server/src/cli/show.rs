//! Tables for people.

use serde_json::Value;

/// Bytes as people read them.
fn bytes(count: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, size)| count >= *size) {
        Some((name, size)) => format!("{}.{} {name}", count / size, count % size * 10 / size),
        None => format!("{count} B"),
    }
}

fn text(key: &str, value: &Value) -> String {
    let is_size = ["disk", "memory"].iter().any(|size| key.contains(size));
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if is_size => bytes(number.as_u64().unwrap_or(0)),
        Value::Object(fields) => {
            if fields.contains_key("log") {
                return format!("log {} from {}", fields["log"], fields["seq"]).replace('"', "");
            }
            let counted = fields.iter().filter(|(_, count)| count.as_u64() != Some(0));
            let counted: Vec<_> = counted.map(|(name, count)| format!("{name} {count}")).collect();
            if counted.is_empty() { "none".to_owned() } else { counted.join(", ") }
        }
        other => other.to_string(),
    }
}

/// One field a line.
pub(super) fn table(value: &Value) -> String {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(key, value)| format!("{:<16}{}\n", key, text(key, value))).collect()
}

/// One device a line.
pub(super) fn devices(devices: &[Value]) -> String {
    let head = ["entry", "admin", "connections", "behind", "last_here"];
    let line = |cells: [String; 5]| {
        let [entry, admin, connections, behind, here] = cells;
        format!("{entry:<18}{admin:<7}{connections:<13}{behind:<10}{here}\n")
    };
    let rows = devices.iter().map(|device| line(head.map(|key| text(key, &device[key]))));
    std::iter::once(line(head.map(str::to_owned))).chain(rows).collect()
}
