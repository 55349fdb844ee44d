//! Strangers who flood a real relay, devices over their quotas, and revoked ones.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Device, Link, PATIENCE, Relay, eventually};
use staffetta_protocol::wire::frame::{FailCode, NoticeKind, ToDevice, ToRelay};

const PLAIN: &[u8] = b"GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404";

fn upgrade(token: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: relay.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// A second device that the admin lets in.
async fn second(relay: &Relay) -> (harness::Team, Link, Device) {
    let (mut team, admin) = relay.found().await;
    let member = Device::new();
    let mut link = admin.link(relay, 1).await.unwrap();
    let document = team.document(&[(&member, false)], &[]);
    link.send(ToRelay::Rows { request: 1, document }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { .. })));
    (team, link, member)
}

#[tokio::test]
async fn enrolled_devices_always_find_a_place_while_strangers_flood() {
    let relay = Relay::start_with(&[("STAFFETTA__LIMITS__HALF_OPEN", "16")]);
    let (_, device) = relay.found().await;
    let mut early = device.link(&relay, 1).await.unwrap();
    let before = relay.descriptors();
    let mut strangers = Vec::new();
    for n in 0..300 {
        let mut stranger = TcpStream::connect(relay.address).unwrap();
        stranger.write_all(b"GET / HT").unwrap();
        strangers.push(stranger);
        if n % 50 == 0 {
            let mut late = device.link(&relay, 1).await.expect("a place");
            late.put(n, u64::from(n)..u64::from(n) + 1).await;
            assert!(late.ack(n, &mut Vec::new()).await.is_some());
        }
    }
    eventually("the oldest yielded", || relay.descriptors() <= before + 16 + 3);
    early.put(1, 1_000..1_001).await;
    assert!(early.ack(1, &mut Vec::new()).await.is_some());
    drop(strangers);
    eventually("descriptors are back", || relay.descriptors() <= before + 1);
}

#[tokio::test]
async fn whoever_is_over_a_quota_is_told_by_fail_and_notice_and_nobody_beside_it_notices() {
    let limits = [
        ("STAFFETTA__LIMITS__CELLS_BURST", "60"),
        ("STAFFETTA__LIMITS__CELLS_PER_MINUTE", "60"),
        ("STAFFETTA__LIMITS__BLOB_BYTES_PER_DAY", "1000"),
    ];
    let relay = Relay::start_with(&limits);
    let (_, mut greedy, member) = second(&relay).await;
    let mut modest = member.link(&relay, 1 << 60).await.unwrap();
    greedy.put(2, 0..60).await;
    assert!(greedy.ack(2, &mut Vec::new()).await.is_some());
    greedy.put(3, 60..120).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        match greedy.next().await.expect("still there") {
            ToDevice::Fail { request: 3, code: FailCode::OverQuota, retry_ms } => {
                assert!((1..=60_000).contains(&retry_ms), "{retry_ms}");
                told.push("fail");
            }
            ToDevice::Notice { kind: NoticeKind::OverQuota, retry_ms } => {
                assert!(retry_ms > 0);
                told.push("notice");
            }
            _ => {}
        }
    }
    assert_eq!(told, ["fail", "notice"]);
    modest.put(1, 500..501).await;
    assert!(modest.ack(1, &mut Vec::new()).await.is_some());
    let secret = staffetta_protocol::secret::Secret::copy(&[5; 32]).unwrap();
    let (lane, chunk) = (staffetta_protocol::wire::ids::Lane(0), vec![0; 1_001].into());
    modest.send(ToRelay::BlobPut { lane, request: 2, secret, index: 0, count: 1, chunk }).await;
    let answer = modest.next().await;
    assert!(matches!(answer, Some(ToDevice::Fail { code: FailCode::OverQuota, retry_ms, .. })
        if retry_ms > 0));
    assert!(matches!(modest.next().await, Some(ToDevice::Notice { .. })));
}

#[tokio::test]
async fn a_connection_too_many_makes_the_oldest_yield_and_says_so() {
    let relay = Relay::start_with(&[("STAFFETTA__LIMITS__CONNECTIONS_PER_DEVICE", "1")]);
    let (_, device) = relay.found().await;
    let mut first = device.link(&relay, 1).await.unwrap();
    let mut second = device.link(&relay, 1).await.unwrap();
    let said = first.next().await;
    assert!(matches!(said, Some(ToDevice::Notice { kind: NoticeKind::OverQuota, retry_ms })
        if retry_ms > 0));
    assert!(first.next().await.is_none());
    second.put(1, 0..1).await;
    assert!(second.ack(1, &mut Vec::new()).await.is_some());
}

#[tokio::test]
async fn a_revoked_devices_sockets_close_within_a_second_and_no_key_it_had_works_again() {
    let relay = Relay::start();
    let (mut team, mut admin, member) = second(&relay).await;
    let mut theirs = member.link(&relay, 1).await.unwrap();
    // Through the gate and waiting there, and a token that was made before.
    let mut waiting = TcpStream::connect(relay.address).unwrap();
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    waiting.write_all(&upgrade(&relay.token(&member.access.gate_key(), 0))).unwrap();
    let mut head = [0; 12];
    waiting.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    let made_before = relay.token(&member.access.gate_key(), 0);
    let start = Instant::now();
    let document = team.document(&[], &[&member]);
    admin.send(ToRelay::Rows { request: 2, document }).await;
    assert!(theirs.next().await.is_none());
    let _ = waiting.read_to_end(&mut Vec::new());
    let cut = start.elapsed();
    println!("figure: cut after {:.1} ms", cut.as_secs_f64() * 1e3);
    assert!(cut < Duration::from_secs(1), "{cut:?}");
    assert!(matches!(admin.next().await, Some(ToDevice::Done { .. })));
    assert!(member.link(&relay, 1).await.is_none());
    assert!(relay.raw(&upgrade(&made_before)).starts_with(NOT_FOUND));
}

#[tokio::test]
async fn pings_and_fragments_without_end_are_the_end_of_a_connection() {
    let relay = Relay::start();
    let (_, device) = relay.found().await;
    let ping = [&[0x89, 0x80 | 100, 0, 0, 0, 0][..], &[0x70; 100]].concat();
    let fragment = [0x00, 0x80, 0, 0, 0, 0];
    let begun = [0x02, 0x81, 0, 0, 0, 0, 7];
    let oversize = [&[0x82, 0xFF][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    for flood in [ping.repeat(10_000), [&begun[..], &fragment.repeat(50_000)].concat(), oversize] {
        let mut stream = TcpStream::connect(relay.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let token = relay.token(&device.access.gate_key(), 0);
        stream.write_all(&upgrade(&token)).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 101");
        // The relay closes before it read everything.
        let _ = stream.write_all(&flood);
        let ended = match stream.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        assert!(ended, "still open");
    }
    assert!(device.link(&relay, 1).await.is_some());
}

#[test]
fn strangers_hold_up_no_relay_that_drains() {
    let mut relay = Relay::start();
    let mut stranger = TcpStream::connect(relay.address).unwrap();
    stranger.write_all(b"GET / HT").unwrap();
    // Whoever is answered after the stranger came is proof that the stranger was let wait.
    assert!(relay.raw(PLAIN).starts_with(NOT_FOUND));
    let start = Instant::now();
    relay.signal("-TERM");
    assert_eq!(relay.wait(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

fn forwarded(source: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {source}\r\n\r\n").into_bytes()
}

#[test]
fn behind_a_trusted_proxy_each_source_has_its_own_budget() {
    let relay = Relay::start_with(&[("STAFFETTA__LIMITS__TRUSTED_PROXY", "127.0.0.1")]);
    let refused = (0..1_000).filter(|_| relay.raw(&forwarded("192.0.2.1")).is_empty()).count();
    assert!(refused > 100, "{refused}");
    assert!(relay.raw(&forwarded("192.0.2.2")).starts_with(NOT_FOUND));
}

#[test]
fn who_is_no_trusted_proxy_is_not_believed_and_loopback_has_no_budget_per_source() {
    let relay = Relay::start();
    for _ in 0..1_000 {
        assert!(relay.raw(&forwarded("192.0.2.1")).starts_with(NOT_FOUND));
    }
}

fn serve_on(data: &Path, socket: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_staffetta-relay"))
        .args(["serve", "--listen", socket, "--data-dir"])
        .arg(data)
        .env("STAFFETTA__STORAGE__LOW_DISK", "1MiB")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

#[test]
fn the_relay_listens_on_a_unix_socket_and_replaces_one_that_a_dead_relay_left() {
    let mut relay = Relay::start();
    relay.signal("-TERM");
    assert_eq!(relay.wait(), Some(0));
    let path = relay.data.join("ws.sock");
    let address = format!("unix:{}", path.display());
    for _ in 0..2 {
        let (mut child, line) = serve_on(&relay.data, &address);
        assert_eq!(line.trim(), format!("listening on {address}"));
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(PLAIN).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(NOT_FOUND));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
