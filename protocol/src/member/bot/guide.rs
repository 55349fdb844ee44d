//! The guide: from nothing to a bot that runs for years.
//!
//! # Your first bot
//!
//! ```toml
//! [package]
//! name = "my-bot"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [dependencies]
//! staffetta-protocol = { path = "../staffetta/protocol", features = ["member"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! The first build compiles SQLCipher and OpenSSL and takes some minutes; where the package
//! `libssl-dev` is installed, `OPENSSL_NO_VENDOR=1` saves most of it.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use staffetta_protocol::bot::{Bot, Command, Log, Message, RateLimit, Result};
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     Bot::from_env().await?
//!         .with(Log)
//!         .with(RateLimit::per_sender(20, Duration::from_secs(60)))
//!         .on_command("count", count)
//!         .on_message(|msg: Message| async move { msg.reply(format!("echo: {}", msg.text)).await })
//!         .await
//! }
//!
//! /// `!count` says how often it was asked.
//! async fn count(command: Command) -> Result {
//!     let asked: u64 = command.context().get("asked").await?.unwrap_or(0) + 1;
//!     command.context().set("asked", &asked).await?;
//!     command.reply(format!("asked {asked} times")).await
//! }
//! ```
//!
//! A [`Message`](super::Message) is a text of somebody else's, already sanitised: no escape
//! sequences, no invisible characters. [`Context`](super::Context) is everything a bot can do by
//! itself: send, edit, react, files, rooms, search, values of its own. The bot's own messages and
//! those of rooms it was not added to never reach it.
//!
//! # Enrolment
//!
//! A bot is a member like any other, with a mark that everybody sees. An admin, whose screen or
//! `staffetta agent` stays open for the moment:
//!
//! ```text
//! staffetta invite planning --role bot --auto-approve --json
//! ```
//!
//! The `code` of the answer goes into a file for the bot, a passphrase of at least 12 characters
//! into another, both readable by nobody else:
//!
//! ```text
//! umask 077
//! echo 'relay.example/K7QX4-...' > bot.invite
//! head -c 24 /dev/urandom | base64 > bot.pass
//! export STAFFETTA_PROFILE=$PWD/profile STAFFETTA_PASSPHRASE_FILE=$PWD/bot.pass
//! export STAFFETTA_INVITE_FILE=$PWD/bot.invite
//! cargo run --release
//! ```
//!
//! In a build without `--release` the keys of a passphrase take much longer to derive: give the first
//! start half a minute.
//!
//! Then somebody adds it to a room: `staffetta room add press planning`. The code works once; delete
//! its file. A bot is in no room by itself, not even in `general`; it cannot invite, approve, add or
//! remove anybody, rename rooms, begin conversations or change what the team allows, and that is
//! checked by every member's device, not by the relay. `staffetta revoke planning` ends it.
//!
//! A profile has one holder. If `staffetta agent` holds it already, the bot works through that. When
//! that ends, the bot takes the profile over, or works through whoever was quicker: it reads
//! `STAFFETTA_PASSPHRASE_FILE` again, so let the file stay. What it had not acknowledged comes again.
//!
//! # Exactly what *at least once* means
//!
//! * Each message, file, edit, deletion and reaction of somebody else's, in the bot's rooms, stands
//!   in the bot's profile from the moment the profile has read it from the log, in the same
//!   transaction. It is handed over, in log order, until its handler has returned `Ok` (in JSON-RPC:
//!   until `ack`). A crash of the bot, of the process that holds the profile or of the relay loses
//!   none, and gives the same `id` again.
//! * A handler may therefore see a message twice: when it had worked but the `ack` was not on disk
//!   yet. [`Message::reply`](super::Message::reply) and
//!   [`Context::send_once`](super::Context::send_once) say what they say once all the same, because
//!   their key is kept for 24 hours. Anything else that a handler does outside should be such that
//!   doing it twice does no harm, or be noted under the message's id with
//!   [`Context::set`](super::Context::set).
//! * A message whose handler takes longer than 30 s is not handed over a second time meanwhile. (Over
//!   JSON-RPC it is: what was not acknowledged comes again after 30 to 60 s, with the same `id`. An `ack`
//!   covers the edits, deletions and reactions before it, and these fill no window, so a program that only
//!   wants messages acknowledges only those.)
//! * A handler that fails is called again every 5 s, and what is behind it waits: order is worth
//!   more than speed. [`Bot::give_up_after`](super::Bot::give_up_after) says otherwise.
//! * Messages vanish when their room's lifetime is over (7 days unless somebody changed it), from the
//!   bot's profile too. A bot that was down for longer is told by [`Event::Gap`](super::Event::Gap)
//!   how many it missed. A message that was taken back before the bot read it never comes.
//! * At most [`Bot::window`](super::Bot::window) events are under way; the rest waits on disk, at
//!   most 100,000 of them, then the oldest go and are told as a gap.
//!
//! # Testing
//!
//! [`Bot::test`](super::Bot::test) is a world without a relay. The same handlers, the same promises:
//!
//! ```
//! use staffetta_protocol::bot::{Bot, Command, Result};
//!
//! async fn greet(command: Command) -> Result {
//!     command.reply(format!("hello {}", command.args)).await
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let world = Bot::test();
//! tokio::spawn(world.bot().on_command("greet", greet).into_future());
//! world.says("Lea", "press", "!greet Sofia");
//! assert_eq!(world.hears("press").await, "hello Sofia");
//! world.is_quiet().await;
//! # });
//! ```
//!
//! # Running it under systemd
//!
//! ```text
//! [Service]
//! ExecStart=/usr/local/bin/my-bot
//! StateDirectory=my-bot
//! Environment=STAFFETTA_PROFILE=%S/my-bot/profile
//! Environment=STAFFETTA_PASSPHRASE_FILE=%d/passphrase
//! LoadCredential=passphrase:/etc/my-bot/passphrase
//! DynamicUser=yes
//! Restart=always
//! RestartSec=1
//! ```
//!
//! SIGTERM ends it in order: what is being handled is finished and acknowledged, what was said goes
//! out. `deploy/bots/` holds whole units and bots that people run: an on-duty list, a reminder,
//! alerts from monitoring, a feed, a drop for files.
//!
//! # Other languages
//!
//! `staffetta bot run -- ./bot.py` holds the profile and speaks JSON-RPC 2.0 with any program, one
//! object a line, over its standard input and output. `staffetta bot describe` prints every method
//! and event as OpenRPC; `protocol/spec/11-local-api.md` is the text to it.
