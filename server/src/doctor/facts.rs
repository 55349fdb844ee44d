//! What was seen.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What `doctor` knows of a relay and its machine. What could not be seen is `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// What is wrong with the configuration, and the key that is.
    pub(crate) config_error: Option<(String, Option<String>)>,
    /// Where the relay listens.
    pub(crate) listen: Option<SocketAddr>,
    /// Where it serves metrics.
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether sources are logged.
    pub(crate) logs_addresses: bool,
    /// Whether there is a store, and a running relay that answers.
    pub(crate) has_store: bool,
    /// Whether a relay answers, and whether it is ready.
    pub(crate) serving: Option<bool>,
    /// Private files and directories with their modes; `None` for one that is missing.
    pub(crate) modes: Vec<(PathBuf, Option<u32>)>,
    /// Whether the relay runs, or would run, as root.
    pub(crate) is_root: bool,
    /// Unix seconds: now, the newest time on a file of the relay, and this program's own.
    pub(crate) now: u64,
    /// The newest time on a file of the relay.
    pub(crate) newest_file: Option<u64>,
    /// The time of this program's file.
    pub(crate) built: Option<u64>,
    /// Whether something keeps the clock right.
    pub(crate) clock_is_kept: Option<bool>,
    /// Bytes free on the disk, and below which nothing is accepted.
    pub(crate) disk_free: Option<u64>,
    /// storage.low_disk.
    pub(crate) low_disk: u64,
    /// Bytes of the directory, and above which nothing is accepted.
    pub(crate) disk_used: u64,
    /// storage.max_disk.
    pub(crate) max_disk: u64,
    /// The unix second of the last backup.
    pub(crate) last_backup: Option<u64>,
    /// Whether backups can be made: there is a recipient.
    pub(crate) has_recipient: bool,
    /// Bytes of a core dump the relay may leave.
    pub(crate) core_limit: Option<u64>,
    /// Swap devices that are on and that the relay may be written to.
    pub(crate) swap: Vec<String>,
    /// Open file descriptors the relay may have, and may need.
    pub(crate) file_limit: Option<u64>,
    /// Descriptors that the configured limits add up to.
    pub(crate) files_needed: u64,
    /// Sockets that listen on addresses the public may reach.
    pub(crate) public_ports: Vec<SocketAddr>,
    /// What `systemd-analyze security` gives the unit, in tenths.
    pub(crate) exposure: Option<u32>,
}
