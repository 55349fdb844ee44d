//! What a bot keeps between two starts: JSON values under names of its own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::api::read;
use super::fault::{Fault, bad_params, refused};
use crate::member::store::MAX_VALUES;

/// The longest name, in bytes.
const MAX_KEY: usize = 256;
/// The largest value, in bytes of JSON.
const MAX_VALUE: usize = 16 * 1024;

/// `kv.get`, `kv.set`, `kv.delete`
#[derive(Deserialize)]
struct ValueParams {
    key: String,
    value: Option<Value>,
}

impl Cx<'_> {
    /// The three methods.
    pub(super) fn values(&self, method: &str, params: Value) -> Result<Value, Fault> {
        let ValueParams { key, value } = read(params)?;
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(bad_params(&format!("key: 1 to {MAX_KEY} bytes")).into());
        }
        match (method, value) {
            ("kv.get", _) => {
                let stored = self.tx.value(&key)?;
                let value = stored.and_then(|text| serde_json::from_str(&text).ok());
                Ok(json!({"value": value.unwrap_or(Value::Null)}))
            }
            ("kv.delete", _) => Ok(json!({"deleted": self.tx.remove_value(&key)?})),
            (_, None) => Err(bad_params("value: any JSON but null").into()),
            (_, Some(value)) => {
                let text = value.to_string();
                if text.len() > MAX_VALUE {
                    return Err(bad_params(&format!("value: {MAX_VALUE} bytes at most")).into());
                }
                if !self.tx.put_value(&key, &text)? {
                    let text = format!("There are {MAX_VALUES} values already.");
                    return Err(refused(&text, Some("Delete some with kv.delete.")).into());
                }
                Ok(json!({}))
            }
        }
    }
}
