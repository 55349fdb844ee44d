use super::text::{NAMES, render};
use super::*;

fn snapshot() -> Snapshot {
    Snapshot {
        version: "1.2.3",
        ready: true,
        maintenance: false,
        uptime_s: 60,
        head: 7,
        oldest: 2,
        cells_stored: 6,
        commits: 3,
        cells_pushed: 12,
        connections: 2,
        half_open: 1,
        gate_admitted: 4,
        gate_refused: 9,
        refused: Counters::default().refusals().collect(),
        devices: 5,
        admins: 1,
        invites_open: 0,
        disk_used: 1_000,
        disk_free: 2_000,
        max_disk: 3_000,
        low_disk: 4_000,
        backup_age_s: Some(30),
        memory: 5_000,
        open_files: 11,
    }
}

#[test]
fn every_metric_has_a_value_and_no_label_stands_for_a_device() {
    let text = render(&snapshot());
    for (name, kind, _) in NAMES {
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let found: Vec<_> =
            lines.filter(|line| line.split(['{', ' ']).next() == Some(name)).collect();
        assert!(!found.is_empty(), "{name} has no value");
        // Only these labels, whose values are known beforehand.
        for line in found {
            let labels = line.split_once('{').map(|(_, rest)| rest.split('=').next().unwrap());
            assert!(matches!(labels, None | Some("version" | "code")), "{line}");
        }
    }
    assert!(text.contains("\nstaffetta_gate_refused_total 9\n"));
    assert!(text.contains("\nstaffetta_requests_refused_total{code=\"over_quota\"} 0\n"));
    let never = Snapshot { backup_age_s: None, ..snapshot() };
    assert!(render(&never).contains("\nstaffetta_backup_done 0\n"));
    assert!(!render(&never).contains("\nstaffetta_backup_age_seconds "));
}

/// The words in `text` that look like the name of one of our metrics.
fn named(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_part(c));
    words.filter(|word| word.starts_with("staffetta_") || word.starts_with("process_")).collect()
}

#[test]
fn alerts_and_dashboard_name_real_metrics_only() {
    let dashboard = include_str!("../../../deploy/grafana-dashboard.json");
    let alerts = include_str!("../../../deploy/prometheus-alerts.yml");
    let json: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = json["panels"].as_array().unwrap();
    let queries: Vec<_> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() >= 10);
    for text in queries.iter().copied().chain([alerts]) {
        let names = named(text);
        assert!(!names.is_empty(), "{text}");
        for name in names {
            assert!(NAMES.iter().any(|(known, ..)| *known == name), "{name} is no metric");
        }
    }
}
