//! English.

pub(super) mod bots;
pub(super) mod chat;
pub(super) mod common;
pub(super) mod health;
pub(super) mod people;
pub(super) mod screen;
pub(super) mod wizard;
pub(super) mod words;
