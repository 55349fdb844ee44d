//! What systemd, a container and the log see of a real relay.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::{Device, PATIENCE, Relay, cell};

fn deploy(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

#[test]
fn sd_notify_says_ready_feeds_the_watchdog_and_says_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut heard = [0; 64];
        let length = socket.recv(&mut heard).unwrap();
        String::from_utf8(heard[..length].to_vec()).unwrap()
    };
    let place = path.to_str().unwrap();
    let mut relay = Relay::start_with(&[("NOTIFY_SOCKET", place), ("WATCHDOG_USEC", "300000")]);
    let heard: Vec<_> = (0..4).map(|_| hear()).collect();
    assert!(heard.contains(&"READY=1".to_owned()), "{heard:?}");
    assert!(heard.iter().filter(|state| *state == "WATCHDOG=1").count() >= 2, "{heard:?}");
    relay.signal("-TERM");
    assert_eq!(relay.wait(), Some(0));
    while hear() != "STOPPING=1" {}
}

#[test]
fn a_socket_that_systemd_holds_is_served() {
    if Command::new("systemd-socket-activate").arg("--version").output().is_err() {
        println!("skipped: systemd-socket-activate is not here");
        return;
    }
    let mut relay = Relay::start();
    relay.signal("-TERM");
    relay.wait();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut activated = Command::new("systemd-socket-activate")
        .arg(format!("--listen={address}"))
        .arg("--setenv=STAFFETTA__STORAGE__LOW_DISK=1MiB")
        .arg(env!("CARGO_BIN_EXE_staffetta-relay"))
        .args(["serve", "--data-dir"])
        .arg(&relay.data)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    relay.address = address;
    harness::eventually("the socket is there", || std::net::TcpStream::connect(address).is_ok());
    let answer = relay.raw(b"GET / HTTP/1.1\r\n\r\n");
    activated.kill().unwrap();
    activated.wait().unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 404 "));
}

#[test]
fn the_units_exposure_is_at_most_1_5() {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--threshold=15"])
        .arg(deploy("staffetta-relay.service"))
        .output();
    let Ok(output) = output else {
        println!("skipped: systemd-analyze is not here");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("Overall exposure level"), "{text}");
}

/// Everything that may not stand in a log, in the ways it could be written.
fn secrets(relay: &Relay, device: &Device) -> Vec<String> {
    let mut raw: Vec<Vec<u8>> = vec![
        relay.key.0.to_vec(),
        device.transport.public().0.to_vec(),
        device.access.secret().expose().to_vec(),
        device.access.gate_key().secret().expose().to_vec(),
        device.access.bind(&device.transport.public()).0.0.to_vec(),
        std::fs::read(relay.data.join("keys/transport.key")).unwrap(),
    ];
    raw.extend((0..5).map(|n| cell(n).0.0.to_vec()));
    let mut texts = vec![relay.code.clone(), "127.0.0.1".to_owned(), "relay.example".to_owned()];
    let code = relay.code.rsplit('/').next().unwrap();
    texts.extend(code.split('-').map(str::to_owned));
    for bytes in raw {
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        // Also the beginning, as the operator is shown it, and as Rust prints arrays.
        texts.push(hex[..16].to_owned());
        texts.push(hex.to_uppercase()[..16].to_owned());
        texts.push(data_encoding::BASE64.encode(&bytes)[..12].to_owned());
        texts.push(data_encoding::BASE64URL_NOPAD.encode(&bytes)[..12].to_owned());
        texts.push(format!("{:?}", &bytes[..6]).trim_matches(['[', ']']).to_owned());
    }
    texts
}

#[tokio::test]
async fn logs_at_trace_hold_no_address_key_entry_or_id() {
    let mut relay = Relay::start_with(&[("STAFFETTA_LOG", "trace")]);
    let (mut team, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    link.put(1, 0..5).await;
    link.ack(1, &mut Vec::new()).await.unwrap();
    // What goes wrong is logged most: strangers, a conflict, a torn session, a refused document.
    relay.raw(b"GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n");
    let document = team.document(&[(&Device::new(), false)], &[]);
    let rows =
        |request, document| staffetta_protocol::wire::frame::ToRelay::Rows { request, document };
    link.send(rows(2, document.clone())).await;
    link.next().await.unwrap();
    link.send(rows(3, document)).await;
    link.next().await.unwrap();
    relay.command(&["devices"]);
    relay.command(&["maintenance", "on"]);
    relay.command(&["maintenance", "off"]);
    let mut torn = admin.link(&relay, 1).await.unwrap();
    torn.send_raw(vec![7; 100]).await;
    while torn.next().await.is_some() {}
    let (_, devices) = relay.command(&["devices", "--json"]);
    let entry: serde_json::Value = serde_json::from_str(devices.lines().next().unwrap()).unwrap();
    relay.json(&["revoke", entry["entry"].as_str().unwrap()]);
    relay.signal("-TERM");
    assert_eq!(relay.wait(), Some(0));
    harness::eventually("its last line", || {
        String::from_utf8_lossy(&relay.said.lock().unwrap()).contains("stopped")
    });
    let log = String::from_utf8_lossy(&relay.said.lock().unwrap()).into_owned();
    assert!(log.contains("through the gate") && log.contains("maintenance"), "{log}");
    for secret in secrets(&relay, &admin) {
        assert!(!log.contains(&secret), "the log holds {secret}: {log}");
    }
    assert!(!log.contains(entry["entry"].as_str().unwrap()));
}
