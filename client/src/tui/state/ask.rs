//! What the screen wants of the agent and of the terminal.

use serde_json::Value;

use super::super::untrusted::Untrusted;

/// Why a call was not done, as the agent says it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Refusal {
    pub(in crate::tui) message: Untrusted,
    pub(in crate::tui) hint: Untrusted,
}

/// Where in the history to read.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum At {
    Newest,
    /// Around the first message that is unread.
    Unread,
    Around(String),
    Before(String),
    After(String),
}

/// What a call was for; its answer comes back with it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Ask {
    Status,
    Rooms,
    Team,
    Members(String),
    Kept,
    Keep,
    History {
        key: String,
        at: At,
    },
    Search(String),
    Send {
        key: String,
        text: String,
        reply_to: Option<String>,
    },
    Edit {
        key: String,
        id: String,
        text: String,
    },
    /// A change of a message: nothing to say when it is done.
    Change,
    Read(String),
    Invite,
    Invites,
    /// Safety words: of everybody, to choose from.
    Words,
    Devices,
    /// Something whose success is told in these words.
    Act(String),
    Lock,
    Unlock,
}

/// Which calls wait for each other: messages keep their order, and what takes long stops nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Lane {
    Quick,
    Slow,
    Files,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Effect {
    Quit,
    /// Leave, and destroy the profile.
    Wipe,
    Call {
        ask: Ask,
        lane: Lane,
        method: &'static str,
        params: Value,
    },
    /// Unlock with what was typed; taken out of the state, so that it is wiped.
    Unlock,
    /// Put a text on the terminal's clipboard.
    Copy(String),
    Bell,
    /// Tell the desktop.
    Notify(String),
    /// Have the mouse, or leave it to the terminal.
    Mouse(bool),
}

/// A call that is answered at once.
pub(super) fn call(ask: Ask, method: &'static str, params: Value) -> Effect {
    Effect::Call { ask, lane: Lane::Quick, method, params }
}

/// A call that may take a while.
pub(super) fn slow(ask: Ask, method: &'static str, params: Value) -> Effect {
    Effect::Call { ask, lane: Lane::Slow, method, params }
}
