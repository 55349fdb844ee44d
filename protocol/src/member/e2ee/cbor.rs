//! Deterministic CBOR (RFC 8949 section 4.2.1) of this module's small tuples.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Writes `value`; definite lengths and shortest integers are all that ciborium writes.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing tuples of integers, texts and byte strings into memory has no way to fail; an empty
    // answer would be refused by every reader.
    if ciborium::into_writer(value, &mut out).is_err() {
        out.clear();
    }
    out
}

/// Reads a value of at most `max` bytes; `None` unless its encoding is the deterministic one.
pub(super) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], max: usize) -> Option<T> {
    if bytes.len() > max {
        return None;
    }
    let value: T = ciborium::from_reader(bytes).ok()?;
    let again = Zeroizing::new(encode(&value));
    (*again == bytes).then_some(value)
}
