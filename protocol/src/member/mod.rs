//! Everything a device needs: sealed store, roster, invites, MLS rooms, engine, agent and bots.
//!
//! Every arrow points down: `bot` uses `agent`, which uses `engine`, which uses the rest.

pub mod agent;
pub mod bot;
pub mod content;
pub mod e2ee;
pub mod engine;
pub mod identity;
pub mod invite;
pub mod roster;
pub mod store;
