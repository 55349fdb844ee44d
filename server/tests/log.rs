//! The log of a real relay, as devices see it.

#![allow(missing_docs, reason = "a test's documentation is its name")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use bytes::Bytes;
use harness::{Device, Relay, cell, eventually, numbers};
use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::frame::{FailCode, NoticeKind, ToDevice, ToRelay};
use staffetta_protocol::wire::ids::{BlobId, Digest, Lane, TeamId};
use staffetta_protocol::wire::{Cells, running_hash};

#[tokio::test]
async fn push_reaches_every_connected_device_in_order_without_gaps() {
    let relay = Relay::start();
    let (mut team, admin) = relay.found().await;
    let others: Vec<Device> = (0..3).map(|_| Device::new()).collect();
    let mut sender = admin.link(&relay, 1).await.unwrap();
    let added: Vec<_> = others.iter().map(|device| (device, false)).collect();
    let document = team.document(&added, &[]);
    sender.send(ToRelay::Rows { request: 9, document }).await;
    assert!(matches!(sender.next().await, Some(ToDevice::Done { request: 9 })));
    let mut links = Vec::new();
    for other in &others {
        links.push(other.link(&relay, 1).await.unwrap());
    }
    let mut echoed = Vec::new();
    for request in 0..20 {
        let first = u64::from(request) * 7;
        sender.put(request, first..first + 7).await;
        let seqs = sender.ack(request, &mut echoed).await.unwrap();
        assert_eq!(seqs, (first + 1..first + 8).collect::<Vec<_>>());
    }
    for link in &mut links {
        let mut next = 1;
        while next <= 140 {
            let Some(ToDevice::Push { lane, first, cells, .. }) = link.next().await else {
                panic!("a push")
            };
            assert_eq!((lane, first), (Lane(0), next));
            assert_eq!(
                numbers(&cells),
                (next - 1..next - 1 + cells.len() as u64).collect::<Vec<_>>()
            );
            next += cells.len() as u64;
        }
    }
    // Who comes later reads the same, with the running hash of the whole.
    let mut late = others[0].link(&relay, 1).await.unwrap();
    let (head, expected) = (late.head, late.hash);
    let mut last = None;
    let mut seen = 0;
    while seen < head {
        let Some(ToDevice::Push { hash, cells, .. }) = late.next().await else { panic!("a push") };
        seen += cells.len() as u64;
        last = Some(hash);
    }
    assert_eq!(last, Some(expected));
}

#[tokio::test]
async fn same_id_same_bytes_same_seq_and_other_bytes_an_error() {
    let relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    let mut pushed = Vec::new();
    link.put(1, 0..3).await;
    assert_eq!(link.ack(1, &mut pushed).await.unwrap(), [1, 2, 3]);
    link.put(2, 1..5).await;
    assert_eq!(link.ack(2, &mut pushed).await.unwrap(), [2, 3, 4, 5]);
    let (id, mut bytes) = cell(1);
    bytes[500] ^= 1;
    let cells = Cells::collect([(id, &bytes)]);
    link.send(ToRelay::Put { lane: Lane(0), request: 3, cells }).await;
    loop {
        match link.next().await.unwrap() {
            ToDevice::Fail { request: 3, code, retry_ms: 0 } => {
                break assert_eq!(code, FailCode::Conflict);
            }
            ToDevice::Push { .. } => {}
            _ => panic!("a refusal"),
        }
    }
}

#[tokio::test]
async fn a_request_for_another_lane_gets_fail_4() {
    let relay = Relay::start();
    let (_, device) = relay.found().await;
    let mut link = device.link(&relay, 1).await.unwrap();
    let (id, bytes) = cell(1);
    let lane = Lane(1);
    let requests = [
        ToRelay::Put { lane, request: 1, cells: Cells::collect([(id, &bytes)]) },
        ToRelay::BlobGet { lane, request: 1, id: BlobId([0; 32]), index: 0 },
    ];
    for request in requests {
        link.send(request).await;
        let answer = link.next().await;
        let unknown = ToDevice::Fail { request: 1, code: FailCode::Unknown, retry_ms: 0 };
        assert!(answer.is_some_and(|it| it.encode().unwrap() == unknown.encode().unwrap()));
    }
    // Nothing was stored, and the connection goes on.
    link.put(2, 1..2).await;
    assert_eq!(link.ack(2, &mut Vec::new()).await.unwrap(), [1]);
}

#[tokio::test]
async fn kill_9_in_mid_burst_loses_no_acknowledged_cell_and_keeps_order() {
    let mut relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut next = 0_u64;
    for round in 0..20 {
        let mut link = admin.link(&relay, 1).await.unwrap();
        let (mut acknowledged, mut pushed) = (0, Vec::new());
        // Several PUTs on the way when the relay dies, after another number of ACKs every round.
        let first = next;
        for request in 0..8 {
            let from = first + u64::from(request) * 5;
            link.put(request, from..from + 5).await;
        }
        for request in 0..round % 5 {
            acknowledged = *link.ack(request, &mut pushed).await.unwrap().last().unwrap();
        }
        relay.kill_and_restart();
        let mut again = admin.link(&relay, 1).await.unwrap();
        assert!(again.head >= acknowledged, "round {round}");
        assert!(again.head % 5 == 0, "round {round}: a PUT is stored whole or not at all");
        let mut hash = hash_start(&again);
        let mut seen = Vec::new();
        while (seen.len() as u64) < again.head {
            let Some(ToDevice::Push { cells, .. }) = again.next().await else { panic!("a push") };
            for (id, cell) in cells.iter() {
                hash = hash.map(|hash| running_hash::next(&hash, &id, cell));
            }
            seen.extend(numbers(&cells));
        }
        assert_eq!(
            seen,
            (0..again.head).collect::<Vec<_>>(),
            "round {round}: none twice, in order"
        );
        assert!(hash == Some(again.hash));
        next = again.head;
    }
    assert!(next > 0);
}

fn hash_start(link: &harness::Link) -> Option<Digest> {
    link.log.map(|log| running_hash::start(&TeamId([7; 32]), Lane(0), &log))
}

#[tokio::test]
async fn sigterm_drains() {
    let mut relay = Relay::start();
    let (_, admin) = relay.found().await;
    let mut link = admin.link(&relay, 1).await.unwrap();
    link.put(1, 0..9).await;
    link.ack(1, &mut Vec::new()).await.unwrap();
    relay.signal("-TERM");
    let draining =
        |frame| matches!(frame, ToDevice::Notice { kind: NoticeKind::Draining, retry_ms: 1.. });
    while !draining(link.next().await.expect("a notice before the end")) {}
    assert!(link.next().await.is_none());
    assert_eq!(relay.wait(), Some(0));
}

#[tokio::test]
async fn revoking_cuts_the_socket_at_once() {
    let relay = Relay::start();
    let (mut team, admin) = relay.found().await;
    let member = Device::new();
    let mut link = admin.link(&relay, 1).await.unwrap();
    let document = team.document(&[(&member, false)], &[]);
    link.send(ToRelay::Rows { request: 1, document }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { .. })));
    let mut theirs = member.link(&relay, 1).await.unwrap();
    let document = team.document(&[], &[&member]);
    link.send(ToRelay::Rows { request: 2, document }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { .. })));
    assert!(theirs.next().await.is_none());
    assert!(member.link(&relay, 1).await.is_none(), "and a 404 at the gate");
}

#[tokio::test]
async fn blobs_are_announced_to_all_and_read_by_all() {
    let relay = Relay::start();
    let (mut team, admin) = relay.found().await;
    let member = Device::new();
    let mut link = admin.link(&relay, 1).await.unwrap();
    let document = team.document(&[(&member, false)], &[]);
    link.send(ToRelay::Rows { request: 1, document }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { .. })));
    let mut theirs = member.link(&relay, 1).await.unwrap();
    for index in 0..2_u16 {
        let (secret, chunk) =
            (Secret::copy(&[5; 32]).unwrap(), Bytes::from(vec![index as u8; 900]));
        let request = 10 + u32::from(index);
        link.send(ToRelay::BlobPut { lane: Lane(0), request, secret, index, count: 2, chunk })
            .await;
        // The announcement may come before the answer.
        while !matches!(link.next().await.unwrap(), ToDevice::Done { .. }) {}
    }
    let Some(ToDevice::Announce { blobs, .. }) = theirs.next().await else { panic!("a blob") };
    let [(id, 1_800)] = blobs[..] else { panic!("of 1,800 bytes") };
    theirs.send(ToRelay::BlobGet { lane: Lane(0), request: 5, id, index: 1 }).await;
    let Some(ToDevice::Blob { request: 5, count: 2, chunk }) = theirs.next().await else {
        panic!("its second chunk")
    };
    assert_eq!(chunk, vec![1; 900]);
    theirs
        .send(ToRelay::BlobGet { lane: Lane(0), request: 6, id: BlobId([0; 32]), index: 0 })
        .await;
    assert!(matches!(theirs.next().await, Some(ToDevice::Fail { code: FailCode::Unknown, .. })));
}

#[tokio::test]
async fn a_reader_that_does_not_read_costs_only_itself() {
    let relay = Relay::start();
    let (mut team, admin) = relay.found().await;
    let sleeper = Device::new();
    let mut link = admin.link(&relay, 1).await.unwrap();
    let document = team.document(&[(&sleeper, false)], &[]);
    link.send(ToRelay::Rows { request: 1, document }).await;
    assert!(matches!(link.next().await, Some(ToDevice::Done { .. })));
    let _asleep = sleeper.link(&relay, 1).await.unwrap();
    let before = relay.memory();
    let mut pushed = Vec::new();
    for request in 0..250 {
        let first = u64::from(request) * 60;
        link.put(request, first..first + 60).await;
        link.ack(request, &mut pushed).await.unwrap();
    }
    while pushed.len() < 15_000 {
        let Some(ToDevice::Push { cells, .. }) = link.next().await else { panic!("a push") };
        pushed.extend(numbers(&cells));
    }
    assert_eq!(pushed, (0..15_000).collect::<Vec<_>>());
    // 15.6 MB went by; the shared recent cells, the store and one socket's buffers remain.
    let grown = relay.memory().saturating_sub(before);
    assert!(grown < 128 * 1024, "{grown} KiB");
    eventually("the relay is there", || relay.memory() <= 256 * 1024);
}
