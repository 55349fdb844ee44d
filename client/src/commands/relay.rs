//! `relay ...`.

use clap::Subcommand;

use crate::time;

/// `relay ...`
#[derive(Subcommand)]
pub(crate) enum RelayCommand {
    /// List the relay's addresses, which are tried in this order, or, as an admin, change them
    Addresses {
        #[command(subcommand)]
        command: Option<AddressesCommand>,
    },
    /// As an admin, move the team to the relay at ADDRESS, restored there from a backup, or to a spare
    Move {
        /// HOST:PORT
        #[arg(required_unless_present_any = ["spare", "code"])]
        address: Option<String>,
        /// To the spare relay that the team has
        #[arg(long, conflicts_with_all = ["address", "code"])]
        spare: bool,
        /// To a spare relay that nobody has added, whose code is asked for or read from standard input
        #[arg(long, conflicts_with = "address")]
        code: bool,
    },
    /// Show the spare relay, to which everybody goes when the relay is gone, or, as an admin, set it
    Spare {
        #[command(subcommand)]
        command: Option<SpareCommand>,
    },
    /// As an admin, make a drill: visit every address and the spare relay, to see that they would do
    Drill,
    /// Find the team at a spare relay whose code an admin tells you; it is asked for or read from
    /// standard input
    Find,
    /// As an admin, go on with a relay that was restored at the same address
    Accept,
}

/// `relay spare ...`
#[derive(Subcommand)]
pub(crate) enum SpareCommand {
    /// Add a relay made with `init --spare`; its code is asked for or read from standard input
    Add {
        /// Go there after this long without the relay: 5s to 7d
        #[arg(long, value_name = "DURATION", value_parser = time::parse_duration, default_value = "10m")]
        after: u64,
    },
    /// Show it
    List,
    /// Go there no more
    Remove,
}

/// `relay addresses ...`
#[derive(Subcommand)]
pub(crate) enum AddressesCommand {
    /// Add an address at which the same relay is reached, such as another name or an onion service
    Add {
        /// HOST:PORT
        address: String,
    },
    /// Remove an address
    Remove {
        /// HOST:PORT
        address: String,
    },
    /// List the addresses
    List,
}
