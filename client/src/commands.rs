//! The one table of commands: names, flags and help, as UX.md section 2 fixes them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::text::Language;
use crate::time;

mod bots;
mod help;
mod relay;
mod rooms;
mod team;

pub(crate) use bots::{BotCommand, BotRunArgs, WebhookArgs};
pub(crate) use help::{command, parse};
pub(crate) use relay::{AddressesCommand, RelayCommand, SpareCommand};
pub(crate) use rooms::{DeviceCommand, RoomCommand};
pub(crate) use team::{TeamCommand, VerifyArgs};

/// The label of a device that nobody named; never the name of the host.
pub(crate) const DEVICE: &str = "computer";

/// A team messenger whose relay cannot read, and need not be trusted.
///
/// Without a command it opens the screen.
#[derive(Parser)]
#[command(name = "staffetta", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that stand before or after any command.
#[derive(Args)]
pub(crate) struct Global {
    /// Profile directory [default: staffetta in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) profile: Option<PathBuf>,
    /// Read the passphrase from FILE, or from standard input with `-`, instead of asking
    #[arg(long, global = true, value_name = "FILE|-")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Reach the relay through a SOCKS5 proxy, such as Tor: socks5://HOST:PORT
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print bare text: no colour, no QR code
    #[arg(long, global = true, conflicts_with = "json")]
    pub(crate) plain: bool,
    /// Draw the screen in ASCII alone
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say what happens, on standard error
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    pub(crate) color: Color,
    /// Language of what people read [default: that of the locale]
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Language>,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// What a newcomer may become.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Member,
    Admin,
    Bot,
}

impl Role {
    /// The word the local API uses.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Bot => "bot",
        }
    }
}

/// `file ...`
#[derive(Subcommand)]
pub(crate) enum FileCommand {
    /// Send a file
    Send {
        /// NAME, or @MEMBER
        room: String,
        /// The file, 60 MiB at most
        path: PathBuf,
    },
    /// Fetch a file; nothing that exists is written over, nothing is opened
    Get {
        /// The file's id
        id: String,
        /// Where to put it: a directory, or a new name
        #[arg(short, long, value_name = "PATH", default_value = ".")]
        output: PathBuf,
    },
    /// List files
    List {
        /// Only this room: NAME, or @MEMBER
        room: Option<String>,
    },
}

/// The forms of an exported history.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line
    Jsonl,
    /// Markdown
    Md,
}

/// Who may add people to a room.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhoMayAdd {
    /// Every person in it
    Members,
    /// Admins of the team
    Admins,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Join a team with an invite or founder code
    Join(JoinArgs),
    /// Invite one person or bot: prints a single-use code
    Invite(InviteArgs),
    /// List invites and who asks to come in
    Invites,
    /// Let in the newcomer whose five words you heard
    Approve(ApproveArgs),
    /// Turn a newcomer away and close the invite
    Reject {
        /// The invite's id, or its first digits
        id: String,
    },
    /// List the team: people, bots and their devices; change roles, undo changes
    Team {
        #[command(subcommand)]
        command: Option<TeamCommand>,
    },
    /// Say where the relay is
    #[command(subcommand)]
    Relay(RelayCommand),
    /// Show safety words and the team's number, to compare by voice
    Verify(VerifyArgs),
    /// List, link or revoke your own devices
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Cut off a member with all devices
    Revoke {
        /// The member's name
        member: String,
    },
    /// Create rooms and say who is in them
    #[command(subcommand)]
    Room(RoomCommand),
    /// Send a message
    Send(SendArgs),
    /// Print messages
    Read(ReadArgs),
    /// Print messages as they come
    Tail {
        /// Only this room: NAME, or @MEMBER
        room: Option<String>,
        /// Begin with what came after this message
        #[arg(long, value_name = "ID")]
        since: Option<String>,
    },
    /// Replace the text of a message of yours
    Edit {
        /// The message's id
        id: String,
        /// The new text; `-` reads standard input
        #[arg(allow_hyphen_values = true)]
        text: OsString,
    },
    /// Take back a message, file or reaction of yours
    Delete {
        /// The message's id
        id: String,
    },
    /// React to a message with an emoji
    React {
        /// The message's id
        id: String,
        /// The emoji
        emoji: String,
    },
    /// Find messages that hold all words
    Search {
        /// The words, in any order; the last may be the beginning of one
        #[arg(required = true)]
        words: Vec<String>,
        /// Only in this room: NAME, or @MEMBER
        #[arg(long)]
        room: Option<String>,
        /// The newest N
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Send, list and fetch files
    #[command(subcommand)]
    File(FileCommand),
    /// Print the whole history of a room
    Export {
        /// NAME, or @MEMBER
        room: String,
        #[arg(long, value_enum, default_value = "jsonl")]
        format: Format,
    },
    /// Show connection and counters, without connecting
    Status,
    /// Look for what is wrong with this device and its way to the relay, and say what to do
    Doctor,
    /// Process what is waiting and exit
    Sync,
    /// Destroy this profile, the key first, and ask the team to cut off this device
    Wipe {
        /// There is no way back
        #[arg(long, required = true)]
        yes_i_mean_it: bool,
    },
    /// Change the passphrase of this profile
    Passphrase {
        /// Read the new passphrase from FILE instead of asking
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Lock the profile where it is held: its keys leave memory, the link to the relay goes down
    Lock,
    /// Unlock the profile where it is held, with its passphrase
    Unlock,
    /// Hold the profile without a screen and serve its local socket
    Agent {
        /// Lock the profile when no command came for this long [default: never]
        #[arg(long, value_name = "DURATION", value_parser = time::parse_duration)]
        lock_after: Option<u64>,
    },
    /// Run programs that read and write in rooms
    #[command(subcommand)]
    Bot(BotCommand),
    /// Listen for HTTP posts and send what they say to a room: {"text": "..."} or plain text
    Webhook(WebhookArgs),
    /// Print the completions of a shell
    Completions {
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the manual, a page for each command
    Man {
        /// The directory
        dir: PathBuf,
    },
    /// Print the version
    Version,
}

/// `join`
#[derive(Args)]
pub(crate) struct JoinArgs {
    /// The code: HOST[:PORT]/XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX
    pub(crate) code: String,
    /// The name the team will see, 1 to 40 characters
    #[arg(long)]
    pub(crate) name: String,
    /// The label of this device
    #[arg(long, default_value = DEVICE, value_name = "LABEL")]
    pub(crate) device: String,
    /// Print the five words and exit; repeat the command once approved
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// With a founder code: write the 24 root words to a new file instead of showing them
    #[arg(long, value_name = "FILE")]
    pub(crate) root_words_file: Option<PathBuf>,
}

/// `invite`
#[derive(Args)]
pub(crate) struct InviteArgs {
    /// A name proposed to the newcomer
    pub(crate) name: Option<String>,
    #[arg(long, value_enum, default_value = "member")]
    pub(crate) role: Role,
    /// How long the code works, 7d at most [default: 24h; 1h with --auto-approve]
    #[arg(long, value_name = "DURATION", value_parser = time::parse_duration)]
    pub(crate) ttl: Option<u64>,
    /// The membership itself ends after this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = time::parse_duration)]
    pub(crate) expires: Option<u64>,
    /// Let whoever redeems it in without comparing words (1h at most, never for admins)
    #[arg(long)]
    pub(crate) auto_approve: bool,
}

/// `approve`
#[derive(Args)]
pub(crate) struct ApproveArgs {
    /// The invite's id, or its first digits
    pub(crate) id: String,
    /// The five words the newcomer told you
    #[arg(long, conflicts_with = "unverified")]
    pub(crate) words: Option<String>,
    /// Approve without comparing words; the device is shown as not verified
    #[arg(long)]
    pub(crate) unverified: bool,
}

/// `send`
#[derive(Args)]
pub(crate) struct SendArgs {
    /// NAME, or @MEMBER
    pub(crate) room: String,
    /// The text, 24,000 bytes at most; `-` reads standard input. It may start with `-`; put `--`
    /// before a text that is itself a flag
    #[arg(allow_hyphen_values = true)]
    pub(crate) text: OsString,
    /// The message this one answers
    #[arg(long, value_name = "ID")]
    pub(crate) reply_to: Option<String>,
    /// Queue the message and exit at once
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `read`
#[derive(Args)]
pub(crate) struct ReadArgs {
    /// Only this room: NAME, or @MEMBER
    pub(crate) room: Option<String>,
    /// Only what is not marked read
    #[arg(long)]
    pub(crate) unread: bool,
    /// The newest N
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
    /// Only what came after this message
    #[arg(long, value_name = "ID")]
    pub(crate) since: Option<String>,
    /// Mark what is printed as read
    #[arg(long)]
    pub(crate) mark_read: bool,
}

#[cfg(test)]
mod tests;
