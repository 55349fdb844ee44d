//! The local API, as far as programs use it, described for machines.
//!
//! One table feeds the OpenRPC document and the test that holds it against what the engine really
//! takes and says.

mod events;
mod methods;

use serde_json::{Map, Value, json};

use events::EVENTS;
use methods::METHODS;

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A message's, file's or change's id: 32 hexadecimal digits.
    Id,
    /// RFC 3339, UTC.
    Time,
    Number,
    Flag,
    /// Any JSON.
    Any,
    Texts,
    /// Objects of the schema of this name.
    Objects(&'static str),
}

/// A parameter, or a field of a result or an event.
struct Field {
    name: &'static str,
    kind: Kind,
    need: Need,
    about: &'static str,
}

/// Whether a field is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Always,
    /// May be left out.
    Optional,
    /// Is there, and may be null.
    Nullable,
}

struct Method {
    name: &'static str,
    about: &'static str,
    params: &'static [Field],
    result: Answer,
}

/// What a method answers.
enum Answer {
    Object(&'static [Field]),
    /// An array of objects of the schema of this name.
    List(&'static str),
}

struct Event {
    kind: &'static str,
    about: &'static str,
    fields: &'static [Field],
    /// Whether it is repeated until it is acknowledged.
    acknowledged: bool,
}

const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, need: Need::Always, about }
}

const fn maybe(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, need: Need::Optional, about }
}

const fn or_null(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, need: Need::Nullable, about }
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Id => json!({"type": "string", "pattern": "^[0-9a-f]{32}$"}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Number => json!({"type": "integer"}),
            Self::Flag => json!({"type": "boolean"}),
            Self::Any => json!({}),
            Self::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Self::Objects(name) => json!({"type": "array", "items": reference(name)}),
        }
    }
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = self.kind.schema();
        if let (Need::Nullable, Some(fields)) = (self.need, schema.as_object_mut())
            && let Some(kind) = fields.remove("type")
        {
            fields.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let (false, Some(fields)) = (self.about.is_empty(), schema.as_object_mut()) {
            fields.insert("description".to_owned(), self.about.into());
        }
        schema
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The properties of an object, and the names of those that are always there.
fn properties(fields: &[Field]) -> (Map<String, Value>, Vec<&'static str>) {
    let named = fields.iter().map(|field| (field.name.to_owned(), field.schema()));
    let needed = fields.iter().filter(|field| field.need != Need::Optional);
    (named.collect(), needed.map(|field| field.name).collect())
}

/// The schema of an object; more fields may come.
fn object(fields: &[Field]) -> Value {
    let (properties, required) = properties(fields);
    json!({"type": "object", "properties": properties, "required": required})
}

fn method(method: &Method) -> Value {
    let params: Vec<Value> = method
        .params
        .iter()
        .map(|param| {
            let schema = param.kind.schema();
            json!({"name": param.name, "summary": param.about, "schema": schema,
                "required": param.need == Need::Always})
        })
        .collect();
    let result = match method.result {
        Answer::Object(fields) => object(fields),
        Answer::List(name) => json!({"type": "array", "items": reference(name)}),
    };
    json!({"name": method.name, "summary": method.about, "paramStructure": "by-name",
        "params": params, "result": {"name": "result", "schema": result}})
}

fn event(event: &Event) -> Value {
    let (mut properties, required) = properties(event.fields);
    properties.insert("v".to_owned(), json!({"const": 1}));
    properties.insert("type".to_owned(), json!({"const": event.kind}));
    json!({"type": "object", "title": event.kind, "description": event.about,
        "x-acknowledged": event.acknowledged, "properties": properties, "required": required})
}

/// Every method and event that programs use, as an [OpenRPC](https://spec.open-rpc.org) 1.3 document
/// of this version. Events are the schemas named `event.TYPE`: notifications of the method `event`.
pub fn openrpc(version: &str) -> Value {
    let mut schemas = Map::new();
    for (name, fields) in methods::SCHEMAS {
        schemas.insert((*name).to_owned(), object(fields));
    }
    for one in EVENTS {
        schemas.insert(format!("event.{}", one.kind), event(one));
    }
    let about = "JSON-RPC 2.0, one object a line, over standard input and output under `staffetta \
        bot run`, or over agent.sock in the profile's directory. Errors: code, message, and data \
        {exit, hint, data}. Unknown fields and event types are to be ignored.";
    json!({
        "openrpc": "1.3.2",
        "info": {"title": "Staffetta's local API", "version": version, "description": about},
        "methods": METHODS.iter().map(method).collect::<Vec<_>>(),
        "components": {"schemas": schemas},
    })
}

#[cfg(test)]
pub(crate) mod tests;
