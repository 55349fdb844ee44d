//! The operator's commands to a running relay, over `DIR/admin.sock`.
//!
//! One JSON object a line, each answered by one; after a backup's answer come its bytes. Only the
//! relay's own user, its group and root get an answer. What the operator may do is what the
//! machine's owner could do anyway: refuse, cut, stop and copy, never enlarge the team.

mod client;
mod control;
mod server;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use self::client::{AdminError, ask, fetch_backup};
pub(crate) use self::control::{Control, backed_up, disk_free, last_backup};
pub(crate) use self::server::{bind, serve};

/// The longest request line, in bytes.
const MAX_REQUEST: usize = 4 * 1024;
/// The longest answer line, in bytes: a thousand devices fit.
const MAX_ANSWER: u64 = 1024 * 1024;
/// How long a line may take.
const LINE_TIME: Duration = Duration::from_secs(30);
/// Bytes of a piece of a backup at most.
const MAX_PIECE: usize = 64 * 1024;
/// The length that says that a backup failed half-way.
const BROKEN: u32 = u32::MAX;

/// The socket of the relay in `data`.
pub(crate) fn socket(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

/// What the relay is asked.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How it stands, for a person.
    Status {},
    /// How it stands, in numbers.
    Stats {},
    /// Its rows.
    Devices {},
    /// Take a row away.
    Revoke {
        /// The row, or the beginning of its entry.
        entry: String,
    },
    /// Replace the founder code.
    FounderReissue {
        /// Where devices reach the relay; the configuration says if empty.
        address: String,
        /// The team's name.
        team: String,
    },
    /// Go down in order.
    Drain {},
    /// Keep devices out, or let them in again.
    Maintenance {
        /// Whether to keep them out.
        on: bool,
    },
    /// A backup, sealed to the relay's backup recipient.
    Backup {},
}

/// What comes back: either is there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// It was done.
    Ok(serde_json::Value),
    /// It was not, and a sentence why.
    Error(String),
}
