//! Whoever is not of the team learns nothing at the gate and breaks nothing behind it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};

use staffetta_protocol::gate::{Gate, Token};
use staffetta_protocol::invite_code::{InviteCode, InviteKeys};
use staffetta_protocol::noise::keys::AccessSecret;
use staffetta_protocol::random::{OsRandom, Random};
use staffetta_protocol::wire::frame::ToDevice;
use staffetta_protocol::wire::limits::{FRAME_SIZES, MAX_WIRE_MESSAGE, NOISE_TAG};
use staffetta_tests::Relay;
use staffetta_tests::hand::{Hand, connect, invite_token, knock, now_s, upgrade};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// What the relay may take, whatever strangers do.
const MOST_MEMORY: u64 = 256 << 20;
/// More than the connections that may stand before the gate at once.
const CROWD: usize = 600;
const HOUR_S: u64 = 3_600;

struct Gatehouse {
    relay: Relay,
    address: SocketAddr,
    keys: InviteKeys,
    _dir: TempDir,
}

fn gatehouse() -> Gatehouse {
    let dir = tempfile::tempdir().unwrap();
    let mut relay = Relay::init(dir.path(), "Campagne");
    let address = relay.serve();
    let keys = InviteCode::parse(&relay.founder_code).unwrap().keys();
    Gatehouse { relay, address, keys, _dir: dir }
}

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    OsRandom.fill(&mut bytes);
    bytes
}

/// The token with its last byte changed: the handle is right, the MAC is not.
fn spoiled(token: &Token) -> String {
    let mut text = token.to_text();
    let last = text.pop().unwrap();
    text.push(if last == 'A' { 'Q' } else { 'A' });
    text
}

fn is_open(gatehouse: &Gatehouse) {
    let mut hand = Hand::newcomer(gatehouse.address, &gatehouse.keys);
    assert!(matches!(hand.hear(), Some(ToDevice::InviteWelcome { .. })));
}

#[test]
fn exactly_the_404_of_a_plain_web_server() {
    let mut gatehouse = gatehouse();
    let (address, keys) = (gatehouse.address, &gatehouse.keys);
    let refused = |head: &[u8]| match knock(address, head) {
        Err(answer) => answer,
        Ok(_) => panic!("let in: {}", String::from_utf8_lossy(head)),
    };

    let plain = refused(b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n");
    let text = String::from_utf8(plain.clone()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    for word in ["staffetta", "websocket", "noise", "token"] {
        assert!(!text.to_lowercase().contains(word), "it gives itself away: {text}");
    }

    let stranger = AccessSecret::generate(&mut OsRandom).gate_key();
    let unknown = Gate::of_invites().token(&stranger, now_s(), &mut OsRandom);
    let used = invite_token(keys, now_s());
    assert!(knock(address, upgrade(&used.to_text()).as_bytes()).is_ok(), "good once");
    let tokens = [
        ("no row's", unknown.to_text()),
        ("wrong", spoiled(&invite_token(keys, now_s()))),
        ("replayed", used.to_text()),
        ("stale", invite_token(keys, now_s() - HOUR_S).to_text()),
        ("barely stale", invite_token(keys, now_s() - 601 - 5).to_text()),
        ("of the future", invite_token(keys, now_s() + HOUR_S).to_text()),
        ("short", "AAAA".to_owned()),
        ("empty", String::new()),
    ];
    for (which, token) in &tokens {
        let answer = refused(upgrade(token).as_bytes());
        assert_eq!(answer, plain, "{which}: {}", String::from_utf8_lossy(&answer));
    }

    let token = || invite_token(keys, now_s()).to_text();
    let good = || upgrade(&token());
    let strangers = tokens.len();
    let heads = [
        "GET /favicon.ico HTTP/1.1\r\nHost: relay\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nHost: relay\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        upgrade("").replace("Authorization: Bearer \r\n", ""),
        good().replace("websocket", "h2c"),
        good().replace("Bearer", "Basic"),
    ];
    for head in &heads {
        assert_eq!(refused(head.as_bytes()), plain, "{head}");
    }
    assert_eq!(refused(&[random(300), b"\r\n\r\n".to_vec()].concat()), plain, "noise");
    let kinds = strangers + heads.len() + 1;
    println!("figure: {kinds} kinds of strangers get the {} bytes of a plain 404", plain.len());
    is_open(&gatehouse);
    assert!(gatehouse.relay.peak_memory() <= MOST_MEMORY);
}

#[test]
fn the_token_of_a_device_opens_once_and_not_after_the_relay_forgot_its_clock() {
    let gatehouse = gatehouse();
    let device = Hand::claim(gatehouse.address, &gatehouse.keys);
    let token = |at: u64| {
        Gate::of(&device.relay).token(&device.access.gate_key(), at, &mut OsRandom).to_text()
    };
    let plain = knock(gatehouse.address, b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n").unwrap_err();
    let first = token(now_s());
    assert!(knock(gatehouse.address, upgrade(&first).as_bytes()).is_ok());
    for refused in [first, token(now_s() - HOUR_S), token(now_s() + HOUR_S)] {
        let answer = knock(gatehouse.address, upgrade(&refused).as_bytes());
        assert_eq!(answer.unwrap_err(), plain);
    }
    // A clock that is off by less is fine.
    for at in [now_s() - 500, now_s() + 500] {
        assert!(knock(gatehouse.address, upgrade(&token(at)).as_bytes()).is_ok());
    }
}

#[test]
fn random_bytes_after_the_upgrade_close_the_connection() {
    let mut gatehouse = gatehouse();
    let through = |gatehouse: &Gatehouse| {
        let token = invite_token(&gatehouse.keys, now_s()).to_text();
        knock(gatehouse.address, upgrade(&token).as_bytes()).expect("the gate is open")
    };

    // Bytes that are no WebSocket at all.
    for len in [1_000, 70_000] {
        let mut socket = through(&gatehouse);
        // The relay may close while we still write.
        let _ = socket.write_all(&random(len));
        let _ = socket.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        assert!(rest.len() < 200, "it answers noise with {} bytes", rest.len());
    }

    // Messages that are no Noise, of sizes that a message may have and of others.
    let sizes = FRAME_SIZES.iter().map(|size| size + NOISE_TAG);
    let odd = [0, 1, 48, 64, 1_000, MAX_WIRE_MESSAGE + 1, 1 << 20];
    for len in sizes.chain(odd) {
        let mut socket = WebSocket::from_raw_socket(through(&gatehouse), Role::Client, None);
        let _ = socket.send(Message::binary(random(len)));
        loop {
            match socket.read() {
                Ok(Message::Close(_)) => {}
                Ok(other) => panic!("it answers {len} random bytes: {} bytes", other.len()),
                Err(_) => break,
            }
        }
    }

    // Noise in place of a frame, behind a handshake that was good.
    let hand = Hand::newcomer(gatehouse.address, &gatehouse.keys);
    assert!(hand.is_cut_after(&random(FRAME_SIZES[0] + NOISE_TAG)));

    is_open(&gatehouse);
    assert!(gatehouse.relay.process().is_alive());
    assert!(gatehouse.relay.peak_memory() <= MOST_MEMORY);
}

#[test]
fn a_crowd_that_stands_at_the_gate_shuts_nobody_out() {
    let mut gatehouse = gatehouse();
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let mut socket = connect(gatehouse.address);
            let _ = socket.write_all(b"GET / HTTP/1.1\r\nHost: rel");
            socket
        })
        .collect();
    is_open(&gatehouse);
    drop(crowd);
    for _ in 0..CROWD {
        let noise = [random(64), b"\r\n\r\n".to_vec()].concat();
        assert!(knock(gatehouse.address, &noise).is_err());
    }
    is_open(&gatehouse);
    assert!(gatehouse.relay.peak_memory() <= MOST_MEMORY);
    assert_eq!(gatehouse.relay.stop(), 0, "{:#?}", gatehouse.relay.log());
}
