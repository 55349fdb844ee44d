use std::path::PathBuf;

use super::facts::Facts;
use super::*;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const GIB: u64 = 1 << 30;

fn healthy() -> Facts {
    Facts {
        listen: Some("0.0.0.0:7443".parse().unwrap()),
        metrics: Some("127.0.0.1:9464".parse().unwrap()),
        has_store: true,
        serving: Some(true),
        modes: vec![
            ("/relay".into(), Some(0o700)),
            ("/relay/keys/transport.key".into(), Some(0o600)),
            ("/relay/keys/backup.key".into(), None),
        ],
        now: NOW,
        newest_file: Some(NOW),
        built: Some(NOW - DAY),
        clock_is_kept: Some(true),
        disk_free: Some(20 * GIB),
        low_disk: GIB / 2,
        disk_used: GIB,
        max_disk: 10 * GIB,
        last_backup: Some(NOW - DAY),
        has_recipient: true,
        core_limit: Some(0),
        file_limit: Some(65_536),
        files_needed: 1_668,
        public_ports: vec!["0.0.0.0:22".parse().unwrap(), "0.0.0.0:7443".parse().unwrap()],
        exposure: Some(12),
        ..Facts::default()
    }
}

/// One planted fault, the check that must find it, and a word of what to do.
type Planted = (&'static str, State, &'static str, fn(&mut Facts));

const FAULTS: [Planted; 29] = [
    ("permissions", State::Fail, "chmod", |f| f.modes[1].1 = Some(0o644)),
    ("permissions", State::Fail, "chmod", |f| f.modes[0].1 = Some(0o750)),
    ("permissions", State::Fail, "restore", |f| f.modes[1].1 = None),
    ("disk", State::Fail, "make room", |f| f.disk_free = Some(GIB / 2 - 1)),
    ("disk", State::Warn, "make room", |f| f.disk_free = Some(GIB - 1)),
    ("size", State::Fail, "storage.max_disk", |f| f.disk_used = 10 * GIB + 1),
    ("size", State::Warn, "storage.max_disk", |f| f.disk_used = 9 * GIB),
    ("clock", State::Fail, "timedatectl", |f| f.now = 1_000_000_000),
    ("clock", State::Fail, "timedatectl", |f| f.newest_file = Some(NOW + 3_600)),
    ("clock", State::Warn, "chrony", |f| f.clock_is_kept = Some(false)),
    ("metrics", State::Fail, "127.0.0.1:9464", |f| {
        f.config_error = Some(("public".into(), Some("listen.metrics".into())));
    }),
    ("metrics", State::Warn, "nftables", |f| f.metrics = Some("10.0.0.2:9464".parse().unwrap())),
    ("backup", State::Fail, "backup create", |f| f.last_backup = Some(NOW - 3 * DAY)),
    ("backup", State::Fail, "backup create", |f| f.last_backup = None),
    ("backup", State::Fail, "public key", |f| f.has_recipient = false),
    ("user", State::Fail, "user of its own", |f| f.is_root = true),
    ("core_dumps", State::Fail, "LimitCORE=0", |f| f.core_limit = Some(u64::MAX)),
    ("core_dumps", State::Warn, "", |f| f.core_limit = None),
    ("swap", State::Fail, "swapoff", |f| f.swap = vec!["/swapfile".into()]),
    ("ports", State::Fail, "firewall", |f| {
        f.public_ports.push("0.0.0.0:6379".parse().unwrap());
    }),
    ("files", State::Fail, "LimitNOFILE", |f| f.file_limit = Some(1_024)),
    ("unit", State::Fail, "staffetta-relay.service", |f| f.exposure = Some(57)),
    ("unit", State::Warn, "container", |f| f.exposure = None),
    ("version", State::Warn, "newer", |f| f.built = Some(NOW - 200 * DAY)),
    ("configuration", State::Fail, "correct", |f| {
        f.config_error = Some(("config.toml line 3: unknown key".into(), None));
    }),
    ("configuration", State::Warn, "log_addresses", |f| f.logs_addresses = true),
    ("serving", State::Fail, "status", |f| f.serving = Some(false)),
    ("serving", State::Warn, "start it", |f| f.serving = None),
    ("serving", State::Fail, "init", |f| (f.serving, f.has_store) = (None, false)),
];

#[test]
fn nothing_is_wrong_with_a_healthy_relay() {
    let findings = examine(&healthy());
    assert!(findings.iter().all(|finding| finding.state == State::Ok), "{}", report(&findings));
}

#[test]
fn each_planted_fault_is_found_and_says_what_to_do() {
    for (number, (check, state, todo, plant)) in FAULTS.into_iter().enumerate() {
        let mut facts = healthy();
        plant(&mut facts);
        let findings = examine(&facts);
        let found = findings.iter().find(|finding| finding.check == check).unwrap();
        assert!(found.state == state && found.todo.contains(todo), "fault {number}: {found:?}");
        let others = findings.iter().filter(|other| other.state == State::Fail).count();
        // What is wrong with the metrics is wrong with the configuration too.
        let wanted = usize::from(state == State::Fail)
            + usize::from(check == "metrics" && state == State::Fail);
        assert_eq!(others, wanted, "fault {number}: {}", report(&findings));
    }
}

#[test]
fn gather_sees_the_files_of_a_relay() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("relay");
    crate::init::init(&data, "relay.example:9000", &crate::init::Purpose::Team("Campagne"))
        .unwrap();
    let load = || {
        let file = data.join("config.toml");
        crate::config::Loaded::load(&file, std::iter::empty(), vec![])
    };
    let find = |check: &str| {
        let findings = examine(&gather(&data, load()));
        findings.into_iter().find(|finding| finding.check == check).unwrap()
    };
    assert_eq!(find("permissions").state, State::Ok);
    let key: PathBuf = data.join("keys/transport.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(find("permissions").found.contains("transport.key has mode 0644"));
    assert_eq!(find("backup").state, State::Fail);
    crate::admin::backed_up(&data, (crate::hub::system_clock())()).unwrap();
    assert_eq!(find("backup").state, State::Ok);
    std::fs::write(data.join("config.toml"), "[listen]\nmetrics = \"0.0.0.0:9464\"\n").unwrap();
    assert_eq!(find("metrics").state, State::Fail);
    assert_eq!(find("serving").state, State::Warn);
    std::fs::write(data.join("config.toml"), "[storage]\nlow_disk = \"900000GiB\"\n").unwrap();
    assert_eq!(find("disk").state, State::Fail);
}
