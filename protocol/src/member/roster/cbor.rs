//! Deterministic CBOR (RFC 8949 section 4.2.1) of arrays without maps: what is signed or hashed
//! has one encoding only.

use ciborium::Value;
use zeroize::Zeroize;

/// Deepest nesting of any of our formats.
const MAX_DEPTH: usize = 8;

/// Encodes shortest integers and definite lengths.
#[expect(clippy::expect_used, reason = "a Vec takes every write and a Value always encodes")]
pub(crate) fn encode_into(value: &Value, out: &mut Vec<u8>) {
    ciborium::into_writer(value, out).expect("writing to memory");
}

/// [`encode_into`] a new buffer.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Decodes one item of at most `max` bytes that fills `bytes` and is its own only encoding.
pub(crate) fn decode(bytes: &[u8], max: usize) -> Option<Value> {
    if bytes.len() > max {
        return None;
    }
    let mut rest = bytes;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH).ok()?;
    // The copy may hold a secret of the item, so it is wiped.
    let mut again = zeroize::Zeroizing::new(Vec::with_capacity(bytes.len()));
    encode_into(&value, &mut again);
    (rest.is_empty() && again.as_slice() == bytes).then_some(value)
}

/// An unsigned integer.
pub(crate) fn uint(value: impl Into<u64>) -> Value {
    Value::Integer(value.into().into())
}

/// A byte string.
pub(crate) fn bytes(value: &[u8]) -> Value {
    Value::Bytes(value.to_vec())
}

/// A text string.
pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// `null` for `None`.
pub(crate) fn optional(value: Option<Value>) -> Value {
    value.unwrap_or(Value::Null)
}

/// Overwrites every byte string of an item that held a secret.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::Bytes(bytes) => bytes.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        _ => {}
    }
}

/// The items of an array, taken in order.
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    /// The items of `value`, or `None` unless it is an array.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(Self(items.into_iter())),
            _ => None,
        }
    }

    /// The next item.
    pub(crate) fn value(&mut self) -> Option<Value> {
        self.0.next()
    }

    /// An unsigned integer.
    pub(crate) fn u64(&mut self) -> Option<u64> {
        as_u64(self.value()?)
    }

    /// An unsigned integer of at most 32 bits.
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.u64()?.try_into().ok()
    }

    /// An unsigned integer of at most 8 bits.
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.u64()?.try_into().ok()
    }

    /// A boolean.
    pub(crate) fn bool(&mut self) -> Option<bool> {
        match self.value()? {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        as_array(self.value()?)
    }

    /// A byte string of at most `max` bytes.
    pub(crate) fn bytes(&mut self, max: usize) -> Option<Vec<u8>> {
        match self.value()? {
            Value::Bytes(bytes) if bytes.len() <= max => Some(bytes),
            _ => None,
        }
    }

    /// A text string of at most `max` bytes.
    pub(crate) fn text(&mut self, max: usize) -> Option<String> {
        match self.value()? {
            Value::Text(text) if text.len() <= max => Some(text),
            _ => None,
        }
    }

    /// `null`, or what `read` makes of the item; the outer `None` is a malformed item.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.value()? {
            Value::Null => Some(None),
            value => read(value).map(Some),
        }
    }

    /// An array of at most `max` items.
    pub(crate) fn list(&mut self, max: usize) -> Option<Self> {
        let items = Self::of(self.value()?)?;
        (items.0.len() <= max).then_some(items)
    }

    /// How many items are left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    /// `result` if no item is left.
    pub(crate) fn end<T>(&self, result: T) -> Option<T> {
        (self.left() == 0).then_some(result)
    }
}

/// An unsigned integer.
pub(crate) fn as_u64(value: Value) -> Option<u64> {
    match value {
        Value::Integer(integer) => integer.try_into().ok(),
        _ => None,
    }
}

/// A byte string of exactly `N` bytes.
pub(crate) fn as_array<const N: usize>(value: Value) -> Option<[u8; N]> {
    match value {
        Value::Bytes(bytes) => bytes.try_into().ok(),
        _ => None,
    }
}
