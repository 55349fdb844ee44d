//! Bots: members of the team that are programs.
//!
//! ```no_run
//! use staffetta_protocol::bot::{Bot, Message, Result};
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     Bot::from_env().await?
//!         .on_message(|msg: Message| async move { msg.reply(format!("echo: {}", msg.text)).await })
//!         .await
//! }
//! ```
//!
//! A message is handed over **at least once**: it is repeated, also after a crash of the bot, until
//! its handler has returned `Ok`. [`Message::reply`] is sent once however often that happens.
//!
//! The bot holds its own profile, an ordinary device of the team with the bot flag. It needs
//! `STAFFETTA_PROFILE` (a directory), `STAFFETTA_PASSPHRASE_FILE` and, for its first start,
//! `STAFFETTA_INVITE_FILE` with a code made by `staffetta invite NAME --role bot`.
//!
//! Read on in the [`guide`]: your first bot, enrolment, what *at least once* means exactly, testing
//! without a relay, running it under systemd.
//!
//! This module owns handlers and their order. It must never know keys, cells or the relay: it calls
//! the local API like any other program.

mod backend;
mod builder;
mod context;
pub(crate) mod describe;
mod double;
mod environment;
mod error;
mod event;
pub mod guide;
mod middleware;
mod run;

#[cfg(test)]
mod tests;

pub use builder::Bot;
pub use context::{Context, Member, Room, Sent};
pub use describe::openrpc;
pub use double::World;
pub use error::{Error, Result};
pub use event::{Command, Event, File, Message};
pub use middleware::{Answer, Log, Middleware, Next, RateLimit};
