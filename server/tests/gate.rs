//! Strangers before a real relay.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use harness::{Device, Relay};
use staffetta_protocol::session::device::DeviceSession;

fn upgrade(token: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: relay.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn exactly_the_404_of_a_plain_web_server_for_a_stranger_a_wrong_a_replayed_and_a_stale_token()
{
    let relay = Relay::start();
    let (_, device) = relay.found().await;
    let key = device.access.gate_key();
    let stranger = relay.raw(b"GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n");
    assert!(stranger.starts_with(b"HTTP/1.1 404 Not Found\r\n"));
    let good = relay.token(&key, 0);
    let stream = std::net::TcpStream::connect(relay.address).unwrap();
    std::io::Write::write_all(&mut &stream, &upgrade(&good)).unwrap();
    let mut first = [0; 12];
    std::io::Read::read_exact(&mut &stream, &mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    let mut wrong_mac = good.clone().into_bytes();
    // The last character but one: its bits are all of the MAC.
    let place = wrong_mac.len() - 2;
    wrong_mac[place] = if wrong_mac[place] == b'A' { b'B' } else { b'A' };
    for answer in [
        relay.raw(&upgrade(&good)),
        relay.raw(&upgrade(std::str::from_utf8(&wrong_mac).unwrap())),
        relay.raw(&upgrade(&relay.token(&key, -700))),
        relay.raw(&upgrade(&relay.token(&key, 700))),
        relay.raw(&upgrade(&relay.token(&Device::new().access.gate_key(), 0))),
        relay.raw(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
        relay.raw(b"\x16\x03\x01\x00\xa5\r\n\r\n"),
        relay.raw(&[b'A'; 9_000]),
    ] {
        assert_eq!(answer, stranger);
    }
    assert!(device.link(&relay, 1).await.is_some(), "the relay stays up");
    assert!(relay.memory() <= 256 * 1024);
}

#[tokio::test]
async fn random_bytes_after_the_upgrade_close_the_connection_and_the_relay_stays_up() {
    let relay = Relay::start();
    let (_, device) = relay.found().await;
    for len in [0_usize, 1, 100, 1_120, 62_480] {
        let psk = device.access.psk();
        let session = DeviceSession::device(0, &relay.key, &device.transport, &psk, 1).unwrap();
        let token = relay.token(&device.access.gate_key(), 0);
        let mut link = harness::Link::connect(&relay, token, session).await.unwrap();
        link.send_raw(vec![0xA5; len]).await;
        assert!(link.next().await.is_none(), "{len}");
        let mut link = device.link(&relay, 1).await.unwrap();
        link.send_raw(vec![0xA5; len]).await;
        assert!(link.next().await.is_none(), "{len}, after WELCOME");
    }
    // Bytes that are no WebSocket frame either.
    let token = relay.token(&device.access.gate_key(), 0);
    let answer = relay.raw(&[upgrade(&token), vec![0xFF; 300]].concat());
    assert!(answer.starts_with(b"HTTP/1.1 404"), "what comes with the head came too early");
    assert!(device.link(&relay, 1).await.is_some());
}

#[tokio::test]
async fn a_device_that_is_not_the_rows_is_closed_after_noise() {
    let relay = Relay::start();
    let (_, device) = relay.found().await;
    let thief = Device { access: device.access, transport: Device::new().transport };
    assert!(thief.link(&relay, 1).await.is_none());
}
