//! Text that came over the wire.

use std::fmt;

use serde_json::Value;

use crate::output::{clean_block, clean_line};

/// A text that somebody else wrote. There is no way to its characters but through the sanitiser,
/// or back to the agent it came from.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Untrusted(String);

impl Untrusted {
    /// The text of `field`; empty if there is none.
    pub(super) fn of(object: &Value, field: &str) -> Self {
        Self::value(object.get(field).unwrap_or(&Value::Null))
    }

    /// The text that `value` is; empty if it is none.
    pub(super) fn value(value: &Value) -> Self {
        Self(value.as_str().unwrap_or_default().to_owned())
    }

    /// The texts in the list `field`.
    pub(super) fn list(object: &Value, field: &str) -> Vec<Self> {
        let items = object.get(field).and_then(Value::as_array);
        items.into_iter().flatten().map(Self::value).collect()
    }

    /// On one line and harmless.
    pub(super) fn line(&self) -> String {
        clean_line(&self.0)
    }

    /// On several lines and harmless.
    pub(super) fn block(&self) -> String {
        clean_block(&self.0)
    }

    /// As it came, for the agent alone.
    pub(super) fn to_agent(&self) -> Value {
        Value::String(self.0.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same name: case makes no difference.
    pub(super) fn names(&self, other: &Self) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }

    /// The name behind the `@` of a direct conversation.
    pub(super) fn person(&self) -> Option<Self> {
        self.0.strip_prefix('@').map(|name| Self(name.to_owned()))
    }

    /// The direct conversation with the person of this name.
    pub(super) fn conversation(&self) -> Self {
        Self(format!("@{}", self.0))
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.line())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_of_others_reaches_a_screen_through_the_sanitiser_only() {
        let evil = json!({"text": "a\u{1b}[2J\u{202e}b\nc"});
        let text = Untrusted::of(&evil, "text");
        for shown in [text.line(), text.block(), format!("{text:?}")] {
            assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
        }
        assert!(!text.line().contains('\n') && text.block().contains('\n'));
        assert_eq!(text.to_agent(), evil["text"]);
    }
}
