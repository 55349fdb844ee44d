//! `room ...` and `device ...`.

use clap::Subcommand;

use super::WhoMayAdd;
use crate::time;

/// `device ...`
#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// List your own devices, and the day each was last seen
    List,
    /// Link a further device of yours: prints a single-use code to redeem on it
    Add,
    /// Cut off one device
    Revoke {
        /// The device's id, or its first digits
        id: String,
    },
}

/// `room ...`
#[derive(Subcommand)]
pub(crate) enum RoomCommand {
    /// Create a room
    Create {
        /// A name that no other room of the team has
        name: String,
        /// How long messages are kept on devices
        #[arg(long, value_name = "DURATION", value_parser = time::parse_duration)]
        lifetime: Option<u64>,
        /// What the room is about
        #[arg(long)]
        topic: Option<String>,
    },
    /// List the rooms you are in
    List,
    /// Add members to a room
    Add {
        room: String,
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Remove members from a room
    Remove {
        room: String,
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Begin a room again without the device that broke it for everybody
    Restart { room: String },
    /// List who is in a room
    Members { room: String },
    /// Change a room's name, topic, lifetime, or who may add people
    #[command(group(clap::ArgGroup::new("what").required(true).multiple(true)
        .args(["name", "topic", "lifetime", "who_may_add"])))]
    Set {
        room: String,
        /// A name that no other room of the team has
        #[arg(long)]
        name: Option<String>,
        /// What the room is about
        #[arg(long)]
        topic: Option<String>,
        /// How long messages are kept on devices
        #[arg(long, value_name = "DURATION", value_parser = time::parse_duration)]
        lifetime: Option<u64>,
        /// Who may add people and change the room
        #[arg(long, value_enum)]
        who_may_add: Option<WhoMayAdd>,
    },
    /// Go out of a room, with all your devices
    Leave { room: String },
}
