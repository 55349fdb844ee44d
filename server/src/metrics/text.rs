//! The Prometheus text format, version 0.0.4.

use std::fmt::Write;

use super::Snapshot;

/// A metric: its name, its type and what it says.
type Metric = (&'static str, &'static str, &'static str);

/// Every metric there is; `deploy/` may name no other.
pub(super) const NAMES: [Metric; 25] = [
    ("staffetta_build_info", "gauge", "1, with the version as its label"),
    ("staffetta_ready", "gauge", "1 while devices are served and cells stored"),
    ("staffetta_maintenance", "gauge", "1 while the operator keeps devices out"),
    ("staffetta_uptime_seconds", "gauge", "Seconds since the start"),
    ("staffetta_log_head", "gauge", "The last durable seq"),
    ("staffetta_log_oldest", "gauge", "The oldest seq held"),
    ("staffetta_cells_stored_total", "counter", "Cells made durable"),
    ("staffetta_commits_total", "counter", "Syncs of the disk that made cells durable"),
    ("staffetta_cells_pushed_total", "counter", "Cells handed to connections"),
    ("staffetta_connections", "gauge", "Connections through the gate"),
    ("staffetta_half_open", "gauge", "Connections that did not prove themselves yet"),
    ("staffetta_gate_admitted_total", "counter", "Connections that went through the gate"),
    ("staffetta_gate_refused_total", "counter", "Connections that got the 404"),
    ("staffetta_requests_refused_total", "counter", "Requests refused, by code"),
    ("staffetta_devices", "gauge", "Enrolled devices"),
    ("staffetta_admins", "gauge", "Enrolled devices of admins"),
    ("staffetta_invites_open", "gauge", "Invites that somebody may still use"),
    ("staffetta_disk_used_bytes", "gauge", "Size of the relay's directory, measured each minute"),
    ("staffetta_disk_free_bytes", "gauge", "Free space on its disk"),
    ("staffetta_disk_max_bytes", "gauge", "storage.max_disk"),
    ("staffetta_disk_low_bytes", "gauge", "storage.low_disk"),
    ("staffetta_backup_done", "gauge", "1 once a backup was made"),
    ("staffetta_backup_age_seconds", "gauge", "Seconds since the last backup; absent before it"),
    ("process_resident_memory_bytes", "gauge", "Resident memory"),
    ("process_open_fds", "gauge", "Open file descriptors"),
];

/// The values of one metric, each with its labels.
fn values(name: &str, of: &Snapshot) -> Vec<(String, u64)> {
    let plain = |value: u64| vec![(String::new(), value)];
    match name {
        "staffetta_build_info" => vec![(format!("{{version=\"{}\"}}", of.version), 1)],
        "staffetta_ready" => plain(of.ready.into()),
        "staffetta_maintenance" => plain(of.maintenance.into()),
        "staffetta_uptime_seconds" => plain(of.uptime_s),
        "staffetta_log_head" => plain(of.head),
        "staffetta_log_oldest" => plain(of.oldest),
        "staffetta_cells_stored_total" => plain(of.cells_stored),
        "staffetta_commits_total" => plain(of.commits),
        "staffetta_cells_pushed_total" => plain(of.cells_pushed),
        "staffetta_connections" => plain(of.connections),
        "staffetta_half_open" => plain(of.half_open),
        "staffetta_gate_admitted_total" => plain(of.gate_admitted),
        "staffetta_gate_refused_total" => plain(of.gate_refused),
        "staffetta_requests_refused_total" => {
            let label = |code: &str| format!("{{code=\"{code}\"}}");
            of.refused.iter().map(|(code, count)| (label(code), *count)).collect()
        }
        "staffetta_devices" => plain(of.devices),
        "staffetta_admins" => plain(of.admins),
        "staffetta_invites_open" => plain(of.invites_open),
        "staffetta_disk_used_bytes" => plain(of.disk_used),
        "staffetta_disk_free_bytes" => plain(of.disk_free),
        "staffetta_disk_max_bytes" => plain(of.max_disk),
        "staffetta_disk_low_bytes" => plain(of.low_disk),
        "staffetta_backup_done" => plain(of.backup_age_s.is_some().into()),
        "staffetta_backup_age_seconds" => of.backup_age_s.map(plain).unwrap_or_default(),
        "process_resident_memory_bytes" => plain(of.memory),
        "process_open_fds" => plain(of.open_files),
        _ => Vec::new(),
    }
}

/// The page of `/metrics`.
pub(super) fn render(of: &Snapshot) -> String {
    let mut out = String::new();
    for (name, kind, help) in NAMES {
        // Writing to a String does not fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values(name, of) {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    }
    out
}
