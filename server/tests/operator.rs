//! The operator's commands on a real relay.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use harness::{Device, PATIENCE, Relay, command, eventually};
use staffetta_protocol::invite_code::InviteCode;
use staffetta_protocol::noise::keys::StaticSecret;
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::session::device::DeviceSession;
use staffetta_protocol::wire::frame::{NoticeKind, ToDevice};

#[tokio::test]
async fn status_stats_and_devices_tell_how_the_relay_stands() {
    let relay = Relay::start();
    let status = relay.json(&["status"]);
    assert!(status["ready"] == true && status["claimed"] == false && status["devices"] == 0);
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    link.put(1, 0..5).await;
    link.ack(1, &mut Vec::new()).await.unwrap();
    let status = relay.json(&["status"]);
    assert!(status["claimed"] == true && status["devices"] == 1 && status["head"] == 5);
    assert_eq!(status["pid"], relay.pid());
    let stats = relay.json(&["stats"]);
    assert!(stats["cells_stored"] == 5 && stats["commits"].as_u64().unwrap() >= 1);
    assert!(stats["connections"].as_u64().unwrap() >= 1 && stats["gate_refused"] == 0);
    relay.raw(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(relay.json(&["stats"])["gate_refused"], 1);
    let device = relay.json(&["devices"]);
    assert!(device["admin"] == true && device["connections"] == 1);
    assert!(device["last_here"].as_str().unwrap().ends_with('Z'));
    let (code, table) = relay.command(&["devices"]);
    assert!(code == 0 && table.contains(device["entry"].as_str().unwrap()), "{table}");
    let (code, table) = relay.command(&["status"]);
    assert!(code == 0 && table.contains("ready           yes"), "{table}");
    let mode = std::fs::metadata(relay.data.join("admin.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[tokio::test]
async fn revoke_cuts_the_device_within_a_second_and_it_cannot_come_back() {
    let relay = Relay::start();
    let (mut team, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    let lost = Device::new();
    let document = team.document(&[(&lost, false)], &[]);
    link.send(staffetta_protocol::wire::frame::ToRelay::Rows { request: 1, document }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { request: 1 })));
    let mut cut = lost.link(&relay, 1).await.unwrap();
    let (_, listed) = relay.command(&["devices", "--json"]);
    let entries = listed.lines().map(|line| serde_json::from_str(line).unwrap());
    let entry = entries.into_iter().find(|row: &serde_json::Value| row["admin"] == false).unwrap();
    let entry = entry["entry"].as_str().unwrap();
    assert_eq!(relay.command(&["revoke", "ffff"]).0, 1, "too short to be meant");
    assert_eq!(relay.command(&["revoke", "00000000ffffffff"]).0, 1);
    let started = Instant::now();
    let done = relay.json(&["revoke", &entry[..10]]);
    assert!(done["revoked"] == true && done["admins_left"] == 1);
    assert!(cut.next().await.is_none());
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(lost.link(&relay, 1).await.is_none());
    assert!(admin.link(&relay, 1).await.is_some());
}

#[tokio::test]
async fn founder_reissue_kills_the_old_code_and_ends_with_the_founding() {
    let mut relay = Relay::start();
    let old = InviteCode::parse(&relay.code).unwrap().keys();
    let said = relay.json(&["founder", "reissue", "--team", "Campagne"]);
    let new = said["founder_code"].as_str().unwrap().to_owned();
    assert!(new.starts_with("relay.example") && new != relay.code);
    let throwaway = StaticSecret::generate(&mut OsRandom);
    let session = DeviceSession::newcomer(0, &throwaway, &old.psk).unwrap();
    let token = relay.invite_token(&old.gate);
    assert!(harness::Link::connect(&relay, token, session).await.is_none());
    relay.code = new;
    relay.found().await;
    let (code, why) = relay.command(&["founder", "reissue"]);
    assert!(code == 1 && why.contains("nothing left to found"), "{why}");
}

#[tokio::test]
async fn maintenance_keeps_devices_out_says_so_and_lets_them_in_again() {
    let relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    assert_eq!(relay.command(&["health"]).0, 0);
    assert_eq!(relay.command(&["maintenance", "on"]).0, 0);
    let notice = link.next().await;
    assert!(matches!(notice, Some(ToDevice::Notice { kind: NoticeKind::Draining, .. })));
    assert!(link.next().await.is_none());
    assert_eq!(relay.command(&["health"]).0, 1);
    let upgrade = |token: String| {
        let head = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        format!("{head}Authorization: Bearer {token}\r\n\r\n").into_bytes()
    };
    // A 5xx means "later" to a device; a stranger still sees a plain web server.
    let answer = relay.raw(&upgrade(relay.token(&admin.access.gate_key(), 0)));
    assert!(answer.starts_with(b"HTTP/1.1 503 "));
    let stranger = relay.raw(&upgrade(relay.token(&Device::new().access.gate_key(), 0)));
    assert!(stranger.starts_with(b"HTTP/1.1 404 "));
    assert_eq!(relay.command(&["maintenance", "off"]).0, 0);
    assert!(admin.link(&relay, 1).await.is_some());
}

#[tokio::test]
async fn drain_tells_clients_stops_in_order_and_a_restart_is_ready_within_two_seconds() {
    let mut relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    let started = Instant::now();
    assert_eq!(relay.command(&["drain"]).0, 0);
    let notice = link.next().await;
    assert!(matches!(notice, Some(ToDevice::Notice { kind: NoticeKind::Draining, .. })));
    assert!(link.next().await.is_none());
    assert_eq!(relay.wait(), Some(0));
    let drained = started.elapsed();
    assert!(drained < Duration::from_secs(3), "nobody waits for whoever has gone: {drained:?}");
    assert!(!relay.data.join("admin.sock").exists());
    let (code, why) = relay.command(&["status"]);
    assert!(code == 69 && why.contains("no relay is serving"), "{why}");
    assert_eq!(relay.command(&["health"]).0, 69);
    let started = Instant::now();
    relay.kill_and_restart();
    assert!(admin.link(&relay, 1).await.is_some());
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_backup_is_consistent_while_serving_and_restores_to_a_relay_that_serves() {
    let relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    link.put(0, 0..50).await;
    link.ack(0, &mut Vec::new()).await.unwrap();
    let file = relay.data.parent().unwrap().join("backup.age");
    let path = file.to_str().unwrap().to_owned();
    // Cells go on coming while it is made.
    let data = relay.data.clone();
    let making = std::thread::spawn({
        let path = path.clone();
        move || command(&data, &["backup", "create", &path, "--json"])
    });
    let mut sent = 50;
    for request in 1.. {
        link.put(request, sent..sent + 50).await;
        link.ack(request, &mut Vec::new()).await.unwrap();
        sent += 50;
        if making.is_finished() {
            break;
        }
    }
    let (code, made) = making.join().unwrap();
    assert_eq!(code, 0, "{made}");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let head = made["head"].as_u64().unwrap();
    assert!((50..=sent).contains(&head) && made["cells"] == head);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(relay.json(&["backup", "verify", &path]), made);
    assert_eq!(relay.command(&["backup", "create", &path]).0, 1, "never over another");
    assert!(relay.json(&["backup", "test"])["cells"].as_u64().unwrap() >= head);
    assert!(!relay.json(&["status"])["last_backup"].is_null());
    let new = relay.data.parent().unwrap().join("new");
    let key = relay.data.join("keys/backup.key");
    let restore = ["backup", "restore", &path, "--identity", key.to_str().unwrap(), "--json"];
    let (code, restored) = command(&new, &restore);
    assert_eq!(code, 0, "{restored}");
    let restored: serde_json::Value = serde_json::from_str(&restored).unwrap();
    assert_eq!(restored["backup"], made);
    assert_eq!(command(&new, &restore).0, 1, "never over a relay");
    assert_eq!(command(&new, &["check"]).0, 0);
    let old = link.log.unwrap();
    let relay = Relay::adopt(relay, &new);
    let link = admin.link(&relay, 1).await.unwrap();
    assert!(link.head == head && link.log != Some(old), "the same cells in a log of its own");
    assert_eq!(relay.json(&["status"])["replaces"]["log"], old.to_hex());
    // The relay is down: the store is opened by the command itself.
    drop(relay);
}

#[test]
fn a_backup_of_a_relay_that_is_down_is_made_from_its_files() {
    let mut relay = Relay::start();
    relay.signal("-TERM");
    assert_eq!(relay.wait(), Some(0));
    let file = relay.data.parent().unwrap().join("cold.age");
    let (code, said) = relay.command(&["backup", "create", file.to_str().unwrap()]);
    assert!(code == 0 && said.contains("0 cells"), "{said}");
    let wrong = relay.data.parent().unwrap().join("wrong.key");
    std::fs::write(&wrong, "nothing").unwrap();
    let verify = |key: &std::path::Path| {
        relay.command(&[
            "backup",
            "verify",
            file.to_str().unwrap(),
            "--identity",
            key.to_str().unwrap(),
        ])
    };
    assert_eq!(verify(&wrong).0, 1);
    assert_eq!(verify(&relay.data.join("keys/backup.key")).0, 0);
}

#[test]
fn metrics_livez_and_readyz_are_served_on_the_private_listener() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let relay = Relay::start_with(&[("STAFFETTA__LISTEN__METRICS", &address.to_string())]);
    let get = |path: &str| {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let metrics = get("/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(metrics.contains("\nstaffetta_ready 1\n") && metrics.contains("staffetta_build_info{"));
    assert!(get("/livez").starts_with("HTTP/1.1 200 "));
    assert!(get("/readyz").starts_with("HTTP/1.1 200 "));
    assert!(get("/").starts_with("HTTP/1.1 404 "));
    relay.command(&["maintenance", "on"]);
    assert!(get("/readyz").starts_with("HTTP/1.1 503 "));
    assert!(get("/livez").starts_with("HTTP/1.1 200 "));
    assert!(get("/metrics").contains("\nstaffetta_ready 0\n"));
    eventually("the directory is measured", || {
        !get("/metrics").contains("\nstaffetta_disk_used_bytes 0\n")
    });
}

#[test]
fn bad_configuration_exits_78_with_the_line_and_a_suggestion() {
    let relay = Relay::start();
    let file = relay.data.join("config.toml");
    for (text, line, suggestion) in [
        ("[limits]\nhalf_opn = 3\n", "line 2", "did you mean `half_open`"),
        ("[limits]\n\nhalf_open = true\n", "line 3", "`half_open = 512`"),
        ("[storage]\nmax_disk = \"3 GB\"\n", "line 2", "`max_disk = \"10GiB\"`"),
        ("[listen]\nmetrics = \"0.0.0.0:9464\"\n", "line 2", "a public address"),
    ] {
        std::fs::write(&file, text).unwrap();
        for arguments in [&["serve"][..], &["check"], &["config", "print"]] {
            let (code, said) = relay.command(arguments);
            assert!(code == 78 && said.contains(line) && said.contains(suggestion), "{said}");
        }
        assert_eq!(relay.command(&["doctor"]).0, 1, "doctor says it too, among the rest");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (code, said) = relay.command(&["serve"]);
    assert!(code == 78 && said.contains("must be readable"), "{said}");
}

#[test]
fn config_print_shows_effective_values_and_where_each_came_from() {
    let relay = Relay::start();
    let (code, text) = relay.command(&["config", "print", "--origin"]);
    assert_eq!(code, 0);
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(line("low_disk = \"1MiB\"").ends_with("# STAFFETTA__STORAGE__LOW_DISK"));
    assert!(line("keep = \"14d\"").contains("config.toml line "));
    // What it prints is a configuration.
    let (_, text) = relay.command(&["config", "print"]);
    std::fs::write(relay.data.join("config.toml"), text).unwrap();
    assert_eq!(relay.command(&["config", "print"]).0, 0);
    let json = relay.json(&["config", "print", "--origin"]);
    assert_eq!(json["storage"]["low_disk"]["origin"], "STAFFETTA__STORAGE__LOW_DISK");
}

#[test]
fn doctor_finds_a_world_readable_key_on_a_running_relay() {
    let relay = Relay::start();
    let key = relay.data.join("keys/transport.key");
    let find = |check: &str| {
        let (code, text) = relay.command(&["doctor", "--json"]);
        assert_eq!(code, 1, "there is no backup yet");
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["ok"], false);
        let findings = report["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["check"] == check).unwrap()
    };
    assert_eq!(find("permissions")["state"], "ok");
    assert_eq!(find("serving")["state"], "ok");
    assert_eq!(find("core_dumps")["state"], "ok", "serve forbids them itself");
    assert_eq!(find("backup")["state"], "fail");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o604)).unwrap();
    let found = find("permissions");
    assert!(found["state"] == "fail" && found["todo"].as_str().unwrap().contains("chmod"));
}

#[test]
fn version_completions_and_man_are_printed() {
    let nowhere = std::path::Path::new("/nonexistent");
    let (code, version) = command(nowhere, &["version", "--json"]);
    assert!(code == 0 && version.contains(env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let (code, text) = command(nowhere, &["completions", shell]);
        assert!(code == 0 && text.contains("staffetta-relay") && text.contains("maintenance"));
    }
    let (code, page) = command(nowhere, &["man"]);
    assert!(code == 0 && page.contains(".TH staffetta-relay 1"));
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man");
    assert_eq!(command(nowhere, &["man", pages.to_str().unwrap()]).0, 0);
    assert!(pages.join("staffetta-relay-backup-create.1").exists());
}
