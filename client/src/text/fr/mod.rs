//! French, as campaign staff speak it. What looks like a blank before ? ! : ; » and after « does not
//! break.

pub(super) mod agent;
pub(super) mod bots;
pub(super) mod chat;
pub(super) mod common;
pub(super) mod health;
pub(super) mod help;
pub(super) mod people;
pub(super) mod screen;
pub(super) mod wizard;
pub(super) mod words;
pub(super) mod wrong;
