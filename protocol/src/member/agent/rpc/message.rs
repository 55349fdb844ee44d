//! The objects of JSON-RPC 2.0.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::core::ApiError;
use super::super::faults::{PARAMS, PARSE, REQUEST};
use super::lines::Line;
use crate::member::store::Passphrase;

/// A request as a client sent it.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// `None` if the client wants no answer.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    /// Always an object.
    pub(super) params: Value,
}

/// A line that is no request; the id to answer to.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed(pub(super) Value, pub(super) Box<ApiError>);

/// Reads one request.
pub(super) fn read(line: Line) -> Result<Request, Malformed> {
    let no =
        |id: &Value, code, why| Malformed(id.clone(), Box::new(ApiError::malformed(code, why)));
    let Line::Whole(line) = line else {
        return Err(no(&Value::Null, REQUEST, "a request is one line of at most 1 MiB"));
    };
    let Ok(value) = serde_json::from_slice::<Value>(&line) else {
        return Err(no(&Value::Null, PARSE, "this line is not JSON"));
    };
    let Value::Object(mut object) = value else {
        return Err(no(&Value::Null, REQUEST, "a request is one JSON object, never a batch"));
    };
    let id = object.remove("id");
    if id.as_ref().is_some_and(|id| !(id.is_string() || id.is_number() || id.is_null())) {
        return Err(no(&Value::Null, REQUEST, "an id is a string, a number or null"));
    }
    let answer_to = id.clone().unwrap_or_default();
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(no(&answer_to, REQUEST, "\"jsonrpc\" must be \"2.0\""));
    }
    let Some(Value::String(method)) = object.remove("method") else {
        return Err(no(&answer_to, REQUEST, "\"method\" must be a string"));
    };
    match object.remove("params").unwrap_or_else(|| json!({})) {
        params @ Value::Object(_) => Ok(Request { id, method, params }),
        _ => Err(no(&answer_to, PARAMS, "\"params\" must be an object")),
    }
}

/// The answer to a request, as a line.
pub(super) fn answer(id: Value, result: Result<Value, ApiError>) -> Zeroizing<Vec<u8>> {
    line(&match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error.to_json() }),
    })
}

/// A request, as a line.
pub(super) fn request(id: u64, method: &str, params: &Value) -> Zeroizing<Vec<u8>> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

/// A request to unlock, as a line: written once, into memory that is wiped.
pub(super) fn unlock_request(id: u64, passphrase: &Passphrase) -> Zeroizing<Vec<u8>> {
    /// The most bytes that JSON makes of one.
    const ESCAPED: usize = 6;
    /// More than everything beside the passphrase takes.
    const FRAME: usize = 128;
    let typed = passphrase.expose();
    let mut line = Zeroizing::new(Vec::with_capacity(FRAME + ESCAPED * typed.len()));
    line.extend_from_slice(
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"unlock","params":{{"passphrase":"#)
            .as_bytes(),
    );
    // Writing a string into a vector cannot fail.
    let _written = serde_json::to_writer(&mut *line, typed);
    line.extend_from_slice(b"}}\n");
    line
}

/// An event for a subscriber, as a line.
pub(super) fn event(params: Value) -> Zeroizing<Vec<u8>> {
    line(&json!({ "jsonrpc": "2.0", "method": "event", "params": params }))
}

fn line(value: &Value) -> Zeroizing<Vec<u8>> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line.into()
}

/// What a server sent.
pub(super) enum FromServer {
    Answer(u64, Result<Value, ApiError>),
    Event(Value),
    /// Something of a newer server.
    Unknown,
}

/// Reads what a server sent.
pub(super) fn read_from_server(line: &[u8]) -> FromServer {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(line) else {
        return FromServer::Unknown;
    };
    if object.get("method").and_then(Value::as_str) == Some("event") {
        return FromServer::Event(object.remove("params").unwrap_or_default());
    }
    let Some(id) = object.get("id").and_then(Value::as_u64) else { return FromServer::Unknown };
    match (object.remove("result"), object.remove("error")) {
        (Some(result), None) => FromServer::Answer(id, Ok(result)),
        (None, Some(error)) => FromServer::Answer(id, Err(ApiError::from_json(&error))),
        _ => FromServer::Unknown,
    }
}
