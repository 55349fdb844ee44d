//! How the relay stands at one moment, in numbers.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::hub::Hub;

/// How the relay stands. Field names are those of `stats --json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Snapshot {
    /// Of this program.
    pub(crate) version: &'static str,
    /// Whether devices are served and cells stored.
    pub(crate) ready: bool,
    /// Whether the operator keeps devices out.
    pub(crate) maintenance: bool,
    /// Seconds since the start.
    pub(crate) uptime_s: u64,
    /// The last durable seq.
    pub(crate) head: u64,
    /// The oldest seq held.
    pub(crate) oldest: u64,
    /// Cells made durable since the start.
    pub(crate) cells_stored: u64,
    /// Syncs of the disk that made them durable.
    pub(crate) commits: u64,
    /// Cells handed to connections since the start.
    pub(crate) cells_pushed: u64,
    /// Connections through the gate.
    pub(crate) connections: u64,
    /// Connections that did not prove themselves yet.
    pub(crate) half_open: u64,
    /// Connections that went through the gate since the start.
    pub(crate) gate_admitted: u64,
    /// Connections that got the 404 since the start.
    pub(crate) gate_refused: u64,
    /// Requests refused since the start, by code.
    pub(crate) refused: BTreeMap<&'static str, u64>,
    /// Enrolled devices.
    pub(crate) devices: u64,
    /// Of them admins'.
    pub(crate) admins: u64,
    /// Invites that somebody may still use.
    pub(crate) invites_open: u64,
    /// Bytes of the relay's directory, as last measured.
    pub(crate) disk_used: u64,
    /// Bytes free on its disk.
    pub(crate) disk_free: u64,
    /// The configured bound of the first.
    pub(crate) max_disk: u64,
    /// The configured bound of the second.
    pub(crate) low_disk: u64,
    /// Seconds since the last backup, if there was one.
    pub(crate) backup_age_s: Option<u64>,
    /// Bytes of resident memory.
    pub(crate) memory: u64,
    /// Open file descriptors.
    pub(crate) open_files: u64,
}

impl Snapshot {
    /// Of `hub`, now. Reads a few small files.
    pub(crate) fn take(hub: &Hub) -> Self {
        let control = &hub.control;
        let counters = &control.counters;
        let (commits, cells_stored) = hub.log.totals();
        let rows = hub.registry.rows();
        let storage = &hub.config.storage;
        let now = (hub.clock)();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            ready: hub.is_ready(),
            maintenance: control.in_maintenance(),
            uptime_s: hub.now_ms() / 1_000,
            head: hub.log.head().seq,
            oldest: hub.log.oldest(),
            cells_stored,
            commits,
            cells_pushed: counters.pushed.load(Ordering::Relaxed),
            connections: counters.open.load(Ordering::Relaxed),
            half_open: hub.half_open.len() as u64,
            gate_admitted: counters.admitted.load(Ordering::Relaxed),
            gate_refused: counters.refused.load(Ordering::Relaxed),
            refused: counters.refusals().collect(),
            devices: rows.len() as u64,
            admins: rows.iter().filter(|row| row.is_admin).count() as u64,
            invites_open: hub.registry.open_invites() as u64,
            disk_used: control.disk_used(),
            disk_free: control.disk_free(),
            max_disk: storage.max_disk,
            low_disk: storage.low_disk,
            backup_age_s: control.last_backup().map(|at| now.saturating_sub(at)),
            memory: resident_bytes(),
            open_files: std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
        }
    }
}

/// Bytes of resident memory; 0 where the kernel does not say.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1_024
}
