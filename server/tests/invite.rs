//! Invites at a real relay: what newcomers and a second user of a code are told.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use harness::{Link, Relay, cell, numbers};
use staffetta_protocol::invite_code::{Host, InviteCode, InviteKeys};
use staffetta_protocol::noise::keys::StaticSecret;
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::session::device::DeviceSession;
use staffetta_protocol::wire::Cells;
use staffetta_protocol::wire::frame::{FailCode, InviteEnd, JoinState, ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{Lane, Seq};

async fn newcomer(relay: &Relay, keys: &InviteKeys, key: &StaticSecret) -> (Link, JoinState) {
    let session = DeviceSession::newcomer(0, key, &keys.psk).unwrap();
    let mut link = Link::connect(relay, relay.invite_token(&keys.gate), session).await.unwrap();
    let Some(ToDevice::InviteWelcome { bundle, state, .. }) = link.next().await else {
        panic!("a newcomer's welcome")
    };
    assert_eq!(bundle, &b"sealed"[..]);
    (link, state)
}

async fn join(link: &mut Link, request: u32) -> ToDevice {
    let cells: Vec<_> = (900..905).map(cell).collect();
    let cells = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
    link.send(ToRelay::Join { request, cells }).await;
    link.next().await.unwrap()
}

#[tokio::test]
async fn a_newcomer_reads_nothing_of_the_log_before_approval_and_a_second_key_is_refused() {
    let mut relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    link.put(1, 0..5).await;
    link.ack(1, &mut Vec::new()).await.unwrap();
    let code = InviteCode::generate(Host::parse("relay.example").unwrap(), None, &mut OsRandom);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let InviteKeys { id, gate, psk, .. } = code.keys();
    let bundle = Bytes::from_static(b"sealed");
    link.send(ToRelay::Invite { request: 2, id, gate, psk, expires: now + 3600, bundle }).await;
    while !matches!(link.next().await.unwrap(), ToDevice::Done { request: 2 }) {}

    let keys = code.keys();
    let (first, second) =
        (StaticSecret::generate(&mut OsRandom), StaticSecret::generate(&mut OsRandom));
    let (mut theirs, state) = newcomer(&relay, &keys, &first).await;
    assert_eq!(state, JoinState::Open);
    let ToDevice::Ack { request: 7, seqs } = join(&mut theirs, 7).await else { panic!("an ACK") };
    assert_eq!(seqs, (6..11).collect::<Vec<Seq>>());
    // The next thing they hear is where they stand, not the log.
    assert!(matches!(theirs.next().await, Some(ToDevice::Join { state: JoinState::Waiting })));
    // The admin's device finds the request in the one log.
    let mut seen = Vec::new();
    while !seen.contains(&904) {
        if let Some(ToDevice::Push { lane: Lane(0), cells, .. }) = link.next().await {
            seen.extend(numbers(&cells));
        }
    }

    let (mut other, state) = newcomer(&relay, &keys, &second).await;
    assert!(matches!(state, JoinState::Used(at) if at.abs_diff(now) < 60));
    let refused = join(&mut other, 1).await;
    assert!(matches!(refused, ToDevice::Fail { code: FailCode::Ended, .. }));

    // The joiner reconnects, also to a relay that was killed, and repeats itself.
    relay.kill_and_restart();
    let (mut theirs, state) = newcomer(&relay, &keys, &first).await;
    assert_eq!(state, JoinState::Waiting);
    let ToDevice::Ack { seqs, .. } = join(&mut theirs, 8).await else { panic!("an ACK") };
    assert_eq!(seqs, (6..11).collect::<Vec<Seq>>());
    let mut link = admin.link(&relay, 11).await.unwrap();
    link.send(ToRelay::InviteEnd { request: 3, id: keys.id, end: InviteEnd::Enrolled }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { request: 3 })));
    assert!(matches!(theirs.next().await, Some(ToDevice::Join { state: JoinState::Enrolled })));
}
