//! Labels, and the words that the agent uses for roles and states.

use std::io::ErrorKind;

use super::{Language, en, fr, language};

sentences! {
    words:
    team;
    you;
    relay;
    agent;
    head;
    queued;
    running;
    not_running;
    people(count: u64);
    unread(count: u64);
    duration_how;
    duration_long;
    duration_nothing;
}

/// A word of the local API (a role, a state, an action) as people read it; one that is not known is
/// left as it came.
pub(crate) fn word(said: &str) -> &str {
    match language() {
        Language::En => said,
        Language::Fr => fr::words::word(said),
    }
}

/// What the operating system refused.
pub(crate) fn kind(kind: ErrorKind) -> String {
    match language() {
        Language::En => en::words::kind(kind),
        Language::Fr => fr::words::kind(kind),
    }
}
