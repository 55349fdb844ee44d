//! `relay ...`.

use clap::Subcommand;

/// `relay ...`
#[derive(Subcommand)]
pub(crate) enum RelayCommand {
    /// List the relay's addresses, which are tried in this order, or, as an admin, change them
    Addresses {
        #[command(subcommand)]
        command: Option<AddressesCommand>,
    },
    /// As an admin, move the team to the relay at ADDRESS, restored there from a backup
    Move {
        /// HOST:PORT
        address: String,
    },
    /// As an admin, go on with a relay that was restored at the same address
    Accept,
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
