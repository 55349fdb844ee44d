use super::*;

/// Holds a call and its answer against the description.
pub(crate) fn check_call(method: &str, params: &Value, result: &Value) {
    let document = openrpc("test");
    let methods = document["methods"].as_array().unwrap();
    let described = methods.iter().find(|it| it["name"] == method);
    let described = described.unwrap_or_else(|| panic!("{method} is not described"));
    let known = described["params"].as_array().unwrap();
    for (name, value) in params.as_object().unwrap() {
        let param = known.iter().find(|it| it["name"] == *name);
        let param = param.unwrap_or_else(|| panic!("{method}: {name} is not described"));
        check(&document, &param["schema"], value, &format!("{method}: {name}"));
    }
    for param in known.iter().filter(|it| it["required"] == true) {
        assert!(params.get(param["name"].as_str().unwrap()).is_some(), "{method}: {param}");
    }
    check(&document, &described["result"]["schema"], result, method);
}

/// Holds an event against the description.
pub(crate) fn check_event(event: &Value) {
    let document = openrpc("test");
    let kind = event["type"].as_str().unwrap();
    let schema = &document["components"]["schemas"][format!("event.{kind}")];
    assert!(schema.is_object(), "{kind} is not described");
    check(&document, schema, event, kind);
}

/// The names of all described methods.
pub(crate) fn methods() -> Vec<&'static str> {
    METHODS.iter().map(|method| method.name).collect()
}

/// As much of JSON Schema as the document uses; what is said beyond the description is a fault too,
/// because then it is not complete.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return check(document, &document["components"]["schemas"][name], value, place);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(|it| it == kind),
        one => one == kind,
    };
    assert!(allowed, "{place}: {value} is no {}", schema["type"]);
    if let (Some(_), Value::String(text)) = (schema.get("pattern"), value) {
        let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(is_id, "{place}: {text}");
    }
    if let (Some(items), Value::Array(values)) = (schema.get("items"), value) {
        values.iter().for_each(|value| check(document, items, value, place));
    }
    if let (Some(properties), Value::Object(fields)) = (schema.get("properties"), value) {
        for name in schema["required"].as_array().unwrap() {
            assert!(fields.contains_key(name.as_str().unwrap()), "{place}: {name} is missing");
        }
        for (name, field) in fields {
            let described = properties.get(name);
            // Events of rooms and members say more as they please.
            if matches!(place, "room" | "member") && described.is_none() {
                continue;
            }
            let described = described.unwrap_or_else(|| panic!("{place}: {name} is not described"));
            check(document, described, field, &format!("{place}: {name}"));
        }
    }
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let document = openrpc("1.2.3");
    assert_eq!(document["info"]["version"], "1.2.3");
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}
