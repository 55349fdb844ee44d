//! Rows of the engine: channels, chains, outbox, rooms and what they wait for, the ring.

use super::*;
use crate::secret::Secret;
use crate::wire::ids::Digest;

fn channel(kind: ChannelKind, room: Option<RoomId>, epoch: u64) -> NewChannel {
    let secret = Secret::filled(|out| out.fill(11));
    NewChannel { kind, room, peer: None, invite: None, epoch, secret, opened: 10 }
}

#[test]
fn a_channel_is_kept_with_its_key_until_its_epoch_ends() {
    let mut world = world();
    let room = room();
    world.step(|tx| {
        tx.insert_channel(&channel(ChannelKind::Room, Some(room), 3))?;
        tx.insert_channel(&channel(ChannelKind::Check, Some(room), 3))?;
        let peer = Some(DeviceId([6; 16]));
        tx.insert_channel(&NewChannel { peer, ..channel(ChannelKind::Direct, None, 0) })?;
        tx.close_channel(&room, 3, 99)
    });
    let world = world.reopened();
    let rows = world.view(|view| view.channels());
    assert!(rows.iter().all(|row| row.secret.ct_eq(&[11; 32])));
    let closed: Vec<_> = rows.iter().map(|row| (row.kind, row.closed)).collect();
    assert_eq!(
        closed,
        [(ChannelKind::Room, Some(99)), (ChannelKind::Check, None), (ChannelKind::Direct, None)]
    );
    assert_eq!(rows[2].peer, Some(DeviceId([6; 16])));
}

#[test]
fn the_control_room_stays_readable_for_64_epochs() {
    let mut world = world();
    let (control, other) = (room(), room());
    let gone = world.step(|tx| {
        tx.insert_channel(&channel(ChannelKind::Room, Some(other), 0))?;
        for epoch in 0..70 {
            tx.insert_channel(&channel(ChannelKind::Control, Some(control), epoch))?;
        }
        tx.trim_control_channels()
    });
    assert_eq!(gone.len(), 6);
    let rows = world.view(|view| view.channels());
    assert_eq!(rows.len(), 65);
    assert_eq!(rows[1].epoch, 6);
}

#[test]
fn an_unfinished_message_goes_on_after_a_restart_and_is_void_after_its_time() {
    let mut world = world();
    let (id, row) = world.step(|tx| {
        let channel = tx.insert_channel(&channel(ChannelKind::Room, None, 0))?;
        tx.insert_chain(&NewChain {
            channel,
            first: 100,
            kind: 2,
            count: 3,
            next_index: 1,
            expects: [1; 16],
            content: b"one ".to_vec(),
        })?;
        Ok((channel, tx.chains(channel)?.remove(0)))
    });
    let mut world = world.reopened();
    let mut next = row.clone();
    next.chain.next_index = 2;
    next.chain.expects = [2; 16];
    next.chain.content.extend_from_slice(b"two");
    world.step(|tx| tx.advance_chain(&next));
    let read = world.view(|view| view.chains(id)).remove(0);
    assert_eq!((read.chain.next_index, read.chain.expects), (2, [2; 16]));
    assert_eq!(read.chain.content, b"one two");
    assert_eq!(world.step(|tx| tx.void_chains_before(100)), 0);
    assert_eq!(world.step(|tx| tx.void_chains_before(101)), 1);
    let lost = world.store.step(|tx| tx.advance_chain(&next));
    assert!(matches!(lost, Err(StoreError::NoSuchRow)));

    world.step(|tx| tx.insert_chain(&row.chain));
    assert_eq!(world.view(|view| view.chain_count(id)), 1);
    world.step(|tx| tx.delete_channel(id));
    assert_eq!(world.view(|view| view.chain_count(id)), 0);
}

#[test]
fn own_cells_are_recognised_by_equality_of_all_1024_bytes() {
    let mut world = world();
    let cells = cells(3);
    let id = world.step(|tx| tx.enqueue(&out(OutKind::Commit), &cells));
    let (name, mine) = cells[1];
    let OwnCell::Exact(own) = world.view(|view| view.own_cell(&mine)) else { panic!("not own") };
    assert_eq!((own.message, own.index, own.count, own.id), (id, 1, 3, name));
    assert_eq!(own.seq, None);

    let mut altered = mine;
    altered[1023] ^= 1;
    assert!(matches!(world.view(|view| view.own_cell(&altered)), OwnCell::Altered(_)));
    let mut foreign = mine;
    foreign[0] ^= 1;
    assert!(matches!(world.view(|view| view.own_cell(&foreign)), OwnCell::No));

    // First occurrence only: the second finds a place taken.
    assert!(world.step(|tx| tx.placed_cell(&name, 77)));
    assert!(!world.step(|tx| tx.placed_cell(&name, 78)));
    let OwnCell::Exact(own) = world.view(|view| view.own_cell(&mine)) else { panic!("not own") };
    assert_eq!(own.seq, Some(77));
}

#[test]
fn what_was_not_seen_in_the_log_is_sent_again_in_order_with_the_same_bytes() {
    let mut world = world();
    let (first, second) = (cells(2), cells(3));
    let (a, b) = world.step(|tx| {
        let a = tx.enqueue(&out(OutKind::Text), &first)?;
        let b = tx.enqueue(&out(OutKind::Direct), &second)?;
        Ok((a, b))
    });
    world.step(|tx| tx.placed_cell(&first[0].0, 5));
    let world = world.reopened();
    let list = |after, limit| {
        let cells = world.view(|view| view.unplaced(after, limit));
        cells.into_iter().map(|cell| (cell.message, cell.index, *cell.bytes)).collect::<Vec<_>>()
    };
    let wanted =
        [(a, 1, first[1].1), (b, 0, second[0].1), (b, 1, second[1].1), (b, 2, second[2].1)];
    assert_eq!(list(None, 100), wanted);
    assert_eq!(list(None, 2), wanted[..2]);
    assert_eq!(list(Some((b, 0)), 100), wanted[2..]);
    let known = world.view(|view| view.cell(&second[2].0)).unwrap();
    assert_eq!((known.message, known.index, known.count), (b, 2, 3));
}

#[test]
fn a_message_is_complete_when_its_last_cell_was_seen() {
    let mut world = world();
    let cells = cells(2);
    let id = world.step(|tx| tx.enqueue(&out(OutKind::Text), &cells));
    assert_eq!(world.view(|view| view.queued_count()), 1);
    world.step(|tx| tx.placed_cell(&cells[0].0, 8));
    assert_eq!(world.view(|view| view.is_complete(id)), None);
    world.step(|tx| tx.placed_cell(&cells[1].0, 9));
    assert_eq!(world.view(|view| view.is_complete(id)), Some(9));
    world.step(|tx| tx.remove_out(id));
    assert_eq!(world.view(|view| view.is_complete(id)), None);
    assert!(world.view(|view| view.out(id)).is_none());
    assert!(world.view(|view| view.cell(&cells[0].0)).is_none());
    // Numbers are not used again: order is that of queueing.
    assert!(world.step(|tx| tx.enqueue(&out(OutKind::Text), &[])) > id);
}

#[test]
fn a_message_that_missed_its_epoch_is_encrypted_again_under_the_same_content_id() {
    let mut world = world();
    let (old, new, content) = (cells(2), cells(1), content());
    let message =
        NewOut { room: Some(room()), epoch: 4, content: Some(content), ..out(OutKind::Text) };
    let id = world.step(|tx| {
        let id = tx.enqueue(&message, &old)?;
        tx.placed_cell(&old[0].0, 3)?;
        tx.replace_cells(id, 5, &new)?;
        Ok(id)
    });
    let row = world.view(|view| view.pending_messages()).remove(0);
    assert_eq!((row.id, row.message.epoch, row.message.content), (id, 5, Some(content)));
    assert!(matches!(world.view(|view| view.own_cell(&old[1].1)), OwnCell::No));
    let open = world.view(|view| view.unplaced(None, 10));
    assert_eq!(open.len(), 1);
    assert!(*open[0].bytes == new[0].1);
    let missing = world.store.step(|tx| tx.replace_cells(id + 1, 5, &[]));
    assert!(matches!(missing, Err(StoreError::NoSuchRow)));
    // Without cells it waits, and is not complete.
    world.step(|tx| tx.replace_cells(id, 6, &[]));
    assert_eq!(world.view(|view| view.is_complete(id)), None);
}

#[test]
fn a_room_keeps_its_state_and_its_reason_to_stand_still() {
    let mut world = world();
    let mut row = RoomRow {
        id: room(),
        name: "general".to_owned(),
        topic: String::new(),
        kind: 0,
        lifetime_s: 604_800,
        status: RoomStatus::Active,
        epoch: 1,
        opened: 2,
        roster_floor: 3,
        members: 4,
    };
    let waiting = RoomStatus::Waiting { number: 12, since: 1_800_000_000 };
    for status in [RoomStatus::Active, RoomStatus::Frozen(255), RoomStatus::Left, waiting] {
        row.status = status;
        world.step(|tx| tx.put_room(&row));
        assert_eq!(world.view(|view| view.room(&row.id)).as_ref(), Some(&row));
    }
    world.step(|tx| tx.set_room_status(&row.id, RoomStatus::Active));
    row.status = RoomStatus::Active;
    assert_eq!(world.view(|view| view.rooms()), [row]);
    let unknown = world.store.step(|tx| tx.set_room_status(&room(), RoomStatus::Left));
    assert!(matches!(unknown, Err(StoreError::NoSuchRow)));
}

#[test]
fn a_pending_commit_is_kept_with_its_exact_bytes_until_it_is_decided() {
    let mut world = world();
    let pending = PendingCommit {
        room: room(),
        epoch: 9,
        out_message: 1,
        commit: vec![1; 3000],
        welcome: Some(vec![2; 9000]),
        added: vec![device(), device()],
    };
    world.step(|tx| tx.put_pending_commit(&pending));
    let mut world = world.reopened();
    assert_eq!(world.view(|view| view.pending_commit(&pending.room)).as_ref(), Some(&pending));
    world.step(|tx| tx.delete_pending_commit(&pending.room));
    assert_eq!(world.view(|view| view.pending_commit(&pending.room)), None);
}

#[test]
fn a_removal_asked_for_binds_the_commits_of_its_epoch() {
    let mut world = world();
    let (room, target, by) = (room(), device(), device());
    let removal = RequiredRemoval { room, epoch: 2, device: target, by };
    world.step(|tx| {
        tx.require_removal(&removal)?;
        tx.require_removal(&RequiredRemoval { by: target, ..removal })
    });
    assert_eq!(world.view(|view| view.required_removals(&room, 2)), [removal]);
    assert_eq!(world.view(|view| view.required_removals(&room, 3)), []);
    world.step(|tx| tx.drop_removals_before(&room, 3));
    assert_eq!(world.view(|view| view.required_removals(&room, 2)), []);
}

#[test]
fn a_waiting_room_holds_messages_back_in_log_order_and_within_a_bound() {
    let mut world = world();
    let room = room();
    let held = |seq| Held { seq, kind: 1, bytes: vec![2] };
    world.step(|tx| {
        for seq in (0..HELD_PER_ROOM).rev() {
            assert!(tx.hold(&room, &held(seq))?);
        }
        assert!(!tx.hold(&room, &held(HELD_PER_ROOM))?);
        Ok(())
    });
    assert_eq!(world.step(|tx| tx.take_held(&room, 2)), [held(0), held(1)]);
    assert_eq!(world.view(|view| view.held_count(&room)), HELD_PER_ROOM - 2);
}

#[test]
fn an_intent_is_kept_once_until_it_is_carried_out() {
    let mut world = world();
    let (room, target) = (room(), device());
    let wish = |kind| NewIntent { room, kind, not_before_ms: 50 };
    let (add, again, update) = world.step(|tx| {
        let add = tx.insert_intent(&wish(IntentKind::Add(target)))?;
        let again = tx.insert_intent(&wish(IntentKind::Add(target)))?;
        tx.insert_intent(&wish(IntentKind::Remove(target)))?;
        let update = tx.insert_intent(&wish(IntentKind::Update))?;
        assert_eq!(tx.insert_intent(&wish(IntentKind::Update))?, update);
        tx.retry_intent(update, 500)?;
        Ok((add, again, update))
    });
    assert_eq!(add, again);
    let mut world = world.reopened();
    let kept = world.view(|view| view.intents());
    assert_eq!(kept.len(), 3);
    let kind = IntentKind::Update;
    assert_eq!(kept[2], Intent { id: update, room, kind, not_before_ms: 500, tries: 1 });
    world.step(|tx| tx.remove_intent(add));
    assert_eq!(world.view(|view| view.intents()).len(), 2);
}

#[test]
fn unmatched_cells_are_kept_for_48_hours_and_within_64_mib() {
    let mut world = world();
    const { assert!(RING_CELLS as usize * CELL == 64 << 20) }
    let cells = cells(6);
    let hour = 3600;
    world.step(|tx| {
        for (seq, (id, cell)) in (1..).zip(&cells) {
            tx.push_ring(seq, id, cell, &Digest([seq as u8; 32]), (false, seq * 10 * hour))?;
        }
        tx.push_ring(1, &cells[1].0, &cells[1].1, &Digest([9; 32]), (true, 0))
    });
    let places = |world: &World, from| {
        let found = world.view(|view| view.ring_from(from, 100));
        found.iter().map(|cell| cell.seq).collect::<Vec<_>>()
    };
    assert_eq!(places(&world, 3), [3, 4, 5, 6]);
    let first = world.view(|view| view.ring_from(0, 1)).remove(0);
    assert!(first.id == cells[0].0 && *first.cell == cells[0].1);

    world.step(|tx| tx.trim_ring(60 * hour));
    assert_eq!(places(&world, 0), [2, 3, 4, 5, 6]);
    world.step(|tx| tx.trim_ring_to(60 * hour, 3));
    assert_eq!(places(&world, 0), [4, 5, 6]);
    world.step(|tx| tx.known_ring(5));
    assert_eq!(places(&world, 0), [4, 6]);
    // What matched is kept as well, for a relay that lacks it.
    let tail = world.view(|view| view.tail_from(4, 100));
    assert_eq!(tail.iter().map(|cell| cell.seq).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!(world.view(|view| view.ring_hash(5)), Some(Digest([5; 32])));
    assert_eq!(world.view(|view| view.ring_hash(1)), None);
}
