//! `bot ...`, `webhook`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `bot ...`
#[derive(Subcommand)]
pub(crate) enum BotCommand {
    /// Run a program and speak JSON-RPC with it over its standard input and output, one object a
    /// line; start it again when it ends. What it says on standard error is the log
    Run(BotRunArgs),
    /// Print every method and event as one OpenRPC document
    Describe,
}

/// `bot run`
#[derive(Args)]
pub(crate) struct BotRunArgs {
    /// How many events may wait for the program's `ack`
    #[arg(long, value_name = "N", default_value_t = 32,
        value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) window: u32,
    /// Read under a name of its own, beside another program on the same profile
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) consumer: String,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// `webhook`
#[derive(Args)]
pub(crate) struct WebhookArgs {
    /// The room that what comes is sent to: NAME, or @MEMBER
    #[arg(long)]
    pub(crate) room: String,
    /// Where to listen
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: SocketAddr,
    /// The secret that whoever posts signs with, at least 16 bytes
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: PathBuf,
    /// Listen on an address that is not this machine's loopback. Bodies travel in clear: put a
    /// proxy that speaks TLS in front
    #[arg(long)]
    pub(crate) public: bool,
    /// Requests a minute that are taken on
    #[arg(long, value_name = "N", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..=6000))]
    pub(crate) per_minute: u32,
}
