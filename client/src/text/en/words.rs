//! Labels, and the words that the agent uses for roles and states.

use std::io::ErrorKind;

say! {
    team => "team";
    you => "you";
    relay => "relay";
    agent => "agent";
    head => "head";
    queued => "queued";
    running => "running";
    not_running => "not running";
    people(count: u64) => "{count} people";
    unread(count: u64) => "{count} unread";
    duration_how => "write a number and one of s, m, h, d, w: 30m, 24h, 7d";
    duration_long => "that is too long";
    duration_nothing => "it must be longer than nothing";
}

pub(in crate::text) fn kind(kind: ErrorKind) -> String {
    kind.to_string()
}
