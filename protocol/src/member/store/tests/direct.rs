//! Direct messages: whole once, in any order, within bounds.

use super::*;
use crate::cell::direct::{DirectFragment, DirectId};
use crate::wire::limits::CHAIN_LIFE;

fn piece(id: u64, index: u16, count: u16, content: &[u8]) -> DirectFragment {
    let id = DirectId(id.to_be_bytes());
    DirectFragment { index, count, kind: 3, id, content: content.to_vec() }
}

fn whole(content: &[u8], first: u64) -> DirectProgress {
    DirectProgress::Whole { kind: 3, first, content: content.to_vec() }
}

#[test]
fn a_direct_message_comes_once_although_its_cells_can_be_replayed() {
    let mut world = world();
    let (peer, other) = (device(), device());
    let mut take = |seq, from: &DeviceId, piece: &DirectFragment| {
        world.step(|tx| tx.accept_direct(from, seq, piece))
    };
    let (first, last) = (piece(1, 0, 2, b"wel"), piece(1, 1, 2, b"come"));
    assert_eq!(take(10, &peer, &last), DirectProgress::Incomplete);
    assert_eq!(take(11, &peer, &last), DirectProgress::Repeated);
    assert_eq!(take(12, &peer, &first), whole(b"welcome", 10));
    assert_eq!(take(13, &peer, &first), DirectProgress::Repeated);
    assert_eq!(take(14, &peer, &last), DirectProgress::Repeated);
    // Ids are the sender's: another's message of the same id is another message.
    assert_eq!(take(15, &other, &piece(1, 0, 1, b"hi")), whole(b"hi", 15));
}

#[test]
fn an_unfinished_direct_message_survives_a_restart() {
    let mut world = world();
    let peer = device();
    world.step(|tx| tx.accept_direct(&peer, 10, &piece(1, 0, 2, b"a")));
    let mut world = world.reopened();
    let done = world.step(|tx| tx.accept_direct(&peer, 20, &piece(1, 1, 2, b"b")));
    assert_eq!(done, whole(b"ab", 10));
    let mut world = world.reopened();
    let again = world.step(|tx| tx.accept_direct(&peer, 30, &piece(1, 0, 2, b"a")));
    assert_eq!(again, DirectProgress::Repeated);
    world.step(|tx| tx.forget_direct(&peer));
    let forgotten = world.step(|tx| tx.accept_direct(&peer, 31, &piece(1, 0, 2, b"a")));
    assert_eq!(forgotten, DirectProgress::Incomplete);
}

#[test]
fn pieces_that_contradict_each_other_are_refused() {
    let mut world = world();
    let peer = device();
    world.step(|tx| tx.accept_direct(&peer, 1, &piece(1, 0, 3, b"a")));
    for wrong in [
        piece(1, 1, 2, b"x"),
        DirectFragment { kind: 4, ..piece(1, 1, 3, b"x") },
        piece(1, 3, 3, b"x"),
        piece(2, 0, 0, b"x"),
    ] {
        let refused = world.step(|tx| tx.accept_direct(&peer, 2, &wrong));
        assert_eq!(refused, DirectProgress::Refused);
    }
    assert_eq!(world.view(|view| view.open_direct(&peer)), 1);
}

#[test]
fn a_device_cannot_fill_the_store_with_pieces() {
    let mut world = world();
    let peer = device();
    world.step(|tx| {
        for id in 0..MAX_OPEN_DIRECT {
            let kept = tx.accept_direct(&peer, 100, &piece(id, 0, 2, b"a"))?;
            assert_eq!(kept, DirectProgress::Incomplete);
        }
        let over = tx.accept_direct(&peer, 101, &piece(99, 0, 2, b"a"))?;
        assert_eq!(over, DirectProgress::Refused);
        // In time they are void, and there is room again.
        let late = tx.accept_direct(&peer, 100 + CHAIN_LIFE, &piece(99, 0, 2, b"a"))?;
        assert_eq!(late, DirectProgress::Incomplete);
        assert_eq!(tx.open_direct(&peer)?, 1);
        for id in 1000..1000 + u64::from(DIRECT_IDS_KEPT) + 5 {
            tx.accept_direct(&peer, 200 + CHAIN_LIFE, &piece(id, 0, 1, b"a"))?;
        }
        let sql = "SELECT count(*) FROM direct_done";
        assert_eq!(tx.count(sql, [])?, u64::from(DIRECT_IDS_KEPT));
        Ok(())
    });
}
