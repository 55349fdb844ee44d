use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::connection::Outbox;
use super::fake_core::{FakeCore, Saw};
use super::fake_relay::{FakeRelay, NOT_FOUND, cells};
use super::*;
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::{Digest, Lane};

struct Agent {
    handle: Handle,
    saw: UnboundedReceiver<Saw>,
    _dir: TempDir,
}

impl Agent {
    async fn run(core: Box<dyn Core>, saw: UnboundedReceiver<Saw>, proxy: Option<Proxy>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = OpenOptions { proxy, ..OpenOptions::new(dir.path()) };
        let handle = open::<ApiError>(options, |_| Ok(core)).await.unwrap();
        Self { handle, saw, _dir: dir }
    }

    async fn of(relay: &FakeRelay) -> Self {
        let (core, saw) = FakeCore::calling(relay.keys.clone(), &[&relay.address]);
        Self::run(core, saw, None).await
    }

    async fn next(&mut self) -> Saw {
        within("the core is told", self.saw.recv()).await.unwrap()
    }

    async fn welcomed(&mut self) {
        assert!(matches!(self.next().await, Saw::Frame(ToDevice::Welcome { head: 4, .. })));
    }

    async fn down(&mut self, why: Down) {
        match self.next().await {
            Saw::Down(said) => assert_eq!(said, why),
            Saw::Frame(_) => panic!("a frame instead of {why:?}"),
        }
    }

    /// Any call of a person's.
    async fn poke(&self) {
        self.handle.call("echo", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn a_device_resumes_where_it_stopped_and_frames_go_both_ways() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut peer = relay.knocked().await;
    assert_eq!(peer.hello().await, 5);
    peer.send(&super::fake_relay::welcome()).await;
    agent.welcomed().await;
    agent.handle.call("put", json!({ "frames": 2 })).await.unwrap();
    for wanted in 0..2 {
        let frame = peer.frame().await;
        assert!(matches!(frame, Some(ToRelay::Put { request, .. }) if request == wanted));
    }
    peer.send(&ToDevice::Done { request: 7 }).await;
    assert!(matches!(agent.next().await, Saw::Frame(ToDevice::Done { request: 7 })));
}

#[tokio::test]
async fn a_404_is_a_refusal_and_a_local_command_retries_at_once() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    relay.answer(NOT_FOUND).await;
    agent.down(Down::Refused).await;
    // Without this the next attempt would come after the 5 s of a refusal.
    let before = Clock::start();
    agent.poke().await;
    let _peer = relay.welcomed().await;
    agent.welcomed().await;
    assert!(before.ms() < 4_000);
}

#[tokio::test]
async fn a_close_after_noise_before_welcome_is_a_refusal() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut peer = relay.knocked().await;
    peer.hello().await;
    drop(peer);
    agent.down(Down::Refused).await;
}

#[tokio::test]
async fn what_is_no_refusal_is_unreachable() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    // A gate that opens onto nothing: no Noise, so nothing is known of our row.
    drop(relay.knocked().await);
    agent.down(Down::Unreachable).await;
    for answer in
        ["HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP/1.1 101\r\n\r\n", "SSH-2.0\r\n"]
    {
        agent.poke().await;
        relay.answer(answer).await;
        agent.down(Down::Unreachable).await;
    }
    agent.poke().await;
    let mut tcp = relay.accept().await;
    // An endless head is not read to its end.
    while tcp.write_all(&[b'x'; 1024]).await.is_ok() {}
    agent.down(Down::Unreachable).await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let keys = super::fake_relay::Keys::new();
    for address in [free.as_str(), "abcdef.onion:7443", "no address at all"] {
        let (core, saw) = FakeCore::calling(keys.clone(), &[address]);
        Agent::run(core, saw, None).await.down(Down::Unreachable).await;
    }
}

#[tokio::test]
async fn no_common_version_is_told() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut peer = relay.knocked().await;
    peer.hello().await;
    peer.send(&ToDevice::NoVersion { min: 8, max: 9 }).await;
    agent.down(Down::NoVersion).await;
}

#[tokio::test]
async fn a_lost_connection_comes_back_by_itself() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    for _ in 0..3 {
        let peer = relay.welcomed().await;
        agent.welcomed().await;
        drop(peer);
        agent.down(Down::Lost).await;
    }
}

#[tokio::test]
async fn a_redial_hangs_up_and_calls_again() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut peer = relay.welcomed().await;
    agent.welcomed().await;
    agent.handle.call("redial", json!({})).await.unwrap();
    assert!(peer.frame().await.is_none());
    agent.down(Down::Redialled).await;
    let _peer = relay.welcomed().await;
    agent.welcomed().await;
}

#[tokio::test]
async fn a_relay_that_is_given_up_again_and_again_is_called_more_and_more_rarely() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut waits = Vec::new();
    for _ in 0..6 {
        let mut peer = relay.welcomed().await;
        agent.welcomed().await;
        peer.send(&ToDevice::Gap { lane: Lane(0), oldest: 9 }).await;
        assert!(matches!(agent.next().await, Saw::Frame(ToDevice::Gap { .. })));
        agent.down(Down::Redialled).await;
        waits.push(tokio::time::Instant::now());
    }
    // The first time at once; half of a wait is random, and the last one is 0.8 s at least.
    let longest = waits.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest >= Duration::from_millis(800), "{longest:?}");
}

#[tokio::test]
async fn addresses_are_tried_in_order_and_what_worked_is_tried_first() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = FakeRelay::start().await;
    let first = dead.local_addr().unwrap().to_string();
    let (core, saw) = FakeCore::calling(relay.keys.clone(), &[&first, &relay.address]);
    let mut agent = Agent::run(core, saw, None).await;
    drop(within("the first address", dead.accept()).await.unwrap());
    let peer = relay.welcomed().await;
    agent.welcomed().await;
    drop(peer);
    agent.down(Down::Lost).await;
    // Nobody accepts at the first address now; trying it first would end in a time-out.
    let before = Clock::start();
    let _peer = relay.welcomed().await;
    agent.welcomed().await;
    assert!(before.ms() < 4_000);
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_name() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = FakeRelay::start().await;
    let (core, saw) = FakeCore::calling(relay.keys.clone(), &["abcdef.onion"]);
    let url = format!("socks5://{}", proxy.local_addr().unwrap());
    let mut agent = Agent::run(core, saw, Proxy::parse(&url)).await;
    let address = relay.address.clone();
    let proxied = tokio::spawn(async move {
        let (mut inside, _) = proxy.accept().await.unwrap();
        let mut greeting = [0; 3];
        inside.read_exact(&mut greeting).await.unwrap();
        assert_eq!(greeting, [5, 1, 0]);
        inside.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 4 + 1 + 12 + 2];
        inside.read_exact(&mut request).await.unwrap();
        assert_eq!(request, *b"\x05\x01\x00\x03\x0cabcdef.onion\x1d\x13");
        inside.write_all(&[5, 0, 0, 3, 2, b'a', b'b', 0, 80]).await.unwrap();
        let mut outside = TcpStream::connect(address).await.unwrap();
        let _ended = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
    });
    let mut peer = relay.welcomed().await;
    agent.welcomed().await;
    agent.handle.call("put", json!({ "frames": 1 })).await.unwrap();
    assert!(peer.frame().await.is_some());
    proxied.abort();
}

#[tokio::test]
async fn a_proxy_that_refuses_is_unreachable() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = super::fake_relay::Keys::new();
    let (core, saw) = FakeCore::calling(keys, &["192.0.2.1:1"]);
    let url = format!("socks5://{}", proxy.local_addr().unwrap());
    let mut agent = Agent::run(core, saw, Proxy::parse(&url)).await;
    for answer in [&[5, 0xff][..], &[4, 0], &[5, 0, 5, 5, 0, 1], &[5, 0, 5, 0, 0, 9]] {
        let (mut inside, _) = within("a connection", proxy.accept()).await.unwrap();
        inside.write_all(answer).await.unwrap();
        agent.down(Down::Unreachable).await;
        agent.poke().await;
    }
}

fn push(first: u64) -> ToDevice {
    ToDevice::Push { lane: Lane(0), first, hash: Digest([0; 32]), cells: cells(60) }
}

#[tokio::test]
async fn a_busy_engine_stops_the_reading_of_the_socket_and_nothing_is_lost() {
    const FRAMES: u64 = 600;
    let relay = FakeRelay::start().await;
    let (core, saw, go_on) = FakeCore::stuck(relay.keys.clone(), &relay.address);
    let mut agent = Agent::run(core, saw, None).await;
    let mut peer = relay.welcomed().await;
    agent.welcomed().await;
    let (sent, mut count) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        for first in 0..FRAMES {
            peer.send(&push(first + 1)).await;
            let _ended = sent.send(first + 1);
        }
        peer
    });
    // The relay's side gets stuck: no frame more within a time in which it could send them all.
    while let Ok(more) = timeout(Duration::from_millis(500), count.changed()).await {
        more.unwrap();
    }
    assert!(*count.borrow() < FRAMES, "37 MB were taken from the socket");
    go_on.send(()).unwrap();
    for wanted in 0..FRAMES {
        let next = agent.next().await;
        assert!(matches!(next, Saw::Frame(ToDevice::Push { first, .. }) if first == wanted + 1));
    }
}

#[tokio::test]
async fn frames_are_read_while_the_relay_reads_nothing() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut peer = relay.welcomed().await;
    agent.welcomed().await;
    // 14 MB, more than the socket holds.
    agent.handle.call("put", json!({ "frames": 230 })).await.unwrap();
    for request in 0..50 {
        peer.send(&ToDevice::Done { request }).await;
        assert!(matches!(agent.next().await, Saw::Frame(ToDevice::Done { .. })));
    }
    for _ in 0..230 {
        assert!(peer.frame().await.is_some());
    }
}

#[tokio::test]
async fn an_outbox_that_overflows_hangs_up_after_what_it_holds_and_comes_back() {
    let relay = FakeRelay::start().await;
    let mut agent = Agent::of(&relay).await;
    let mut peer = relay.welcomed().await;
    agent.welcomed().await;
    agent.handle.call("put", json!({ "frames": 2_000 })).await.unwrap();
    let mut received = 0;
    while peer.frame().await.is_some() {
        received += 1;
    }
    assert!((1..2_000).contains(&received), "{received}");
    agent.down(Down::Lost).await;
    let _peer = relay.welcomed().await;
    agent.welcomed().await;
}

#[test]
fn an_outbox_is_bounded_by_the_bytes_it_holds() {
    let (outbox, mut frames) = Outbox::new();
    let put = || ToRelay::Put { lane: Lane(0), request: 0, cells: cells(60) };
    let fitting = (0..10_000).take_while(|_| outbox.send(put()).is_ok()).count();
    assert_eq!(fitting, 16 * 1024 * 1024 / (60 * 1040));
    assert!(frames.try_recv().is_ok());
    assert!(outbox.send(put()).is_ok());
}
