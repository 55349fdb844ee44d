//! Rows that people and bots see: messages, counters, deliveries.

use super::*;

fn texts(world: &World, query: &MessageQuery) -> Vec<String> {
    let rows = world.view(|view| view.messages(query));
    rows.into_iter().map(|row| row.text).collect()
}

#[test]
fn messages_are_listed_in_log_order_with_queued_ones_last() {
    let mut world = world();
    let (here, there) = (room(), room());
    let all = world.step(|tx| {
        let rows = [
            message(here, None, "queued 1"),
            message(here, Some(30), "third"),
            message(here, Some(10), "first"),
            message(here, None, "queued 2"),
            message(there, Some(15), "elsewhere"),
            message(here, Some(20), "second"),
        ];
        for row in &rows {
            assert!(tx.insert_message(row)?);
        }
        Ok(rows)
    });
    let in_room = MessageQuery { room: Some(here), ..MessageQuery::default() };
    assert_eq!(texts(&world, &in_room), ["first", "second", "third", "queued 1", "queued 2"]);
    let newest = MessageQuery { limit: Some(3), ..in_room };
    assert_eq!(texts(&world, &newest), ["third", "queued 1", "queued 2"]);
    let since = MessageQuery { since: Some(all[5].content), ..in_room };
    assert_eq!(texts(&world, &since), ["third", "queued 1", "queued 2"]);
    let since = MessageQuery { since: Some(all[0].content), ..in_room };
    assert_eq!(texts(&world, &since), ["queued 2"]);
    let everywhere = MessageQuery { limit: Some(5), ..MessageQuery::default() };
    assert_eq!(
        texts(&world, &everywhere),
        ["elsewhere", "second", "third", "queued 1", "queued 2"]
    );
    let unknown = MessageQuery { since: Some(content()), ..in_room };
    let refused = world.store.view(|view| view.messages(&unknown));
    assert!(matches!(refused, Err(StoreError::NoSuchRow)));
}

#[test]
fn a_message_is_kept_once_however_often_it_comes() {
    let mut world = world();
    let row = message(room(), Some(1), "once");
    assert!(world.step(|tx| tx.insert_message(&row)));
    let copy = MessageRow { seq: Some(2), text: "twice".to_owned(), ..row.clone() };
    assert!(!world.step(|tx| tx.insert_message(&copy)));
    assert_eq!(world.view(|view| view.message(&row.content)), Some(row));
}

#[test]
fn an_own_message_is_sent_when_it_came_back() {
    let mut world = world();
    let row = message(room(), None, "hello");
    world.step(|tx| tx.insert_message(&row));
    assert!(world.step(|tx| tx.placed_message(&row.content, 44)));
    assert!(!world.step(|tx| tx.placed_message(&row.content, 45)));
    let read = world.view(|view| view.message(&row.content)).unwrap();
    assert_eq!((read.seq, read.state), (Some(44), MessageState::Sent));
}

#[test]
fn unread_messages_are_counted_by_room_and_read_positions_survive_restarts() {
    let mut world = world();
    let (busy, quiet) = (room(), room());
    let rows = world.step(|tx| {
        let rows = [
            message(busy, Some(1), "one"),
            message(busy, Some(2), "two"),
            message(busy, None, "mine"),
            message(quiet, Some(3), "three"),
        ];
        for row in &rows {
            tx.insert_message(row)?;
        }
        Ok(rows)
    });
    assert!(world.step(|tx| tx.mark_read(&rows[0].content)));
    assert!(!world.step(|tx| tx.mark_read(&rows[0].content)));
    assert!(world.step(|tx| tx.mark_read(&rows[3].content)));
    let world = world.reopened();
    assert_eq!(world.view(|view| view.unread()), [Unread { room: busy, count: 1 }]);
    let unread = MessageQuery { room: Some(busy), unread: true, ..MessageQuery::default() };
    assert_eq!(texts(&world, &unread), ["two"]);
}

#[test]
fn expired_messages_vanish_with_what_was_to_be_delivered_of_them() {
    let mut world = world();
    let room = room();
    let short = MessageRow { expires_at: Some(100), ..message(room, Some(1), "short") };
    let long = MessageRow { expires_at: Some(200), ..message(room, Some(2), "long") };
    let ever = message(room, Some(3), "ever");
    let bot = world.step(|tx| {
        let bot = tx.put_consumer("", None)?;
        for row in [&short, &long, &ever] {
            tx.insert_message(row)?;
            tx.add_delivery(row)?;
        }
        Ok(bot)
    });
    assert_eq!(world.step(|tx| tx.purge_expired(99)), 0);
    assert_eq!(world.step(|tx| tx.purge_expired(100)), 1);
    assert_eq!(texts(&world, &MessageQuery::default()), ["long", "ever"]);
    assert_eq!(unacked(&world, bot, 10), [long.content, ever.content]);
    assert_eq!(
        (world.step(|tx| tx.take_missed(bot)), world.step(|tx| tx.take_missed(bot))),
        (1, 0)
    );
}

#[test]
fn counters_show_missing_messages() {
    let mut world = world();
    let (here, there, own, other) = (room(), room(), device(), device());
    assert_eq!(world.step(|tx| tx.next_counter(&here, &own)), 1);
    assert_eq!(world.step(|tx| tx.next_counter(&here, &own)), 2);
    assert_eq!(world.step(|tx| tx.next_counter(&there, &own)), 1);
    assert_eq!(world.view(|view| view.seen_counter(&here, &other)), None);
    world.step(|tx| tx.set_seen_counter(&here, &other, 7));
    world.step(|tx| tx.set_seen_counter(&here, &other, 5));
    assert_eq!(world.view(|view| view.seen_counter(&here, &other)), Some(7));
    // A number no row can hold is the caller's error, and the step is not kept.
    let over = world.store.step(|tx| tx.set_seen_counter(&here, &other, u64::MAX));
    assert!(matches!(over, Err(StoreError::OutOfRange)));
}

fn unacked(world: &World, consumer: i64, limit: u32) -> Vec<ContentId> {
    let open = world.view(|view| view.unacked(consumer, 0, limit));
    open.into_iter().map(|delivery| delivery.content).collect()
}

/// Messages of one room, to be delivered.
fn delivered(
    world: &mut World,
    room: RoomId,
    seqs: std::ops::RangeInclusive<u64>,
) -> Vec<ContentId> {
    seqs.map(|seq| {
        let row = message(room, Some(seq), "event");
        world.step(|tx| {
            tx.insert_message(&row)?;
            tx.add_delivery(&row)?;
            tx.add_delivery(&row)
        });
        row.content
    })
    .collect()
}

#[test]
fn a_message_is_delivered_again_until_it_is_acknowledged() {
    let mut world = world();
    let (one, other) =
        world.step(|tx| Ok((tx.put_consumer("one", None)?, tx.put_consumer("other", None)?)));
    let ids = delivered(&mut world, room(), 1..=4);
    assert_eq!(unacked(&world, one, 2), ids[..2]);
    assert!(world.step(|tx| tx.ack_delivery(one, &ids[1])));
    assert!(!world.step(|tx| tx.ack_delivery(one, &ids[1])));
    let mut world = world.reopened();
    assert_eq!(unacked(&world, one, 10), [ids[0], ids[2], ids[3]]);
    assert_eq!(unacked(&world, other, 10), ids);
    assert!(world.step(|tx| tx.remove_consumer("other")));
    assert_eq!(unacked(&world, other, 10), []);
}

#[test]
fn a_consumer_of_one_room_gets_that_room_and_a_backlog_is_bounded() {
    let mut world = world();
    let (here, there) = (room(), room());
    let bot = world.step(|tx| tx.put_consumer("bot", Some(&here)));
    delivered(&mut world, there, 1..=1);
    let ids = delivered(&mut world, here, 2..=5);
    assert_eq!(unacked(&world, bot, 10), ids);
    world.step(|tx| tx.trim_deliveries(3));
    assert_eq!(unacked(&world, bot, 10), ids[1..]);
    assert_eq!(world.step(|tx| tx.take_missed(bot)), 1);
}

#[test]
fn a_replay_repeats_what_came_after_a_message_in_the_order_of_the_log() {
    let mut world = world();
    let bot = world.step(|tx| tx.put_consumer("bot", None));
    let ids = delivered(&mut world, room(), 1..=5);
    for id in &ids[1..4] {
        world.step(|tx| tx.ack_delivery(bot, id));
    }
    assert_eq!(unacked(&world, bot, 10), [ids[0], ids[4]]);
    world.step(|tx| tx.replay(bot, &ids[1]));
    assert_eq!(unacked(&world, bot, 10), [ids[0], ids[2], ids[3], ids[4]]);
    let unknown = world.store.step(|tx| tx.replay(bot, &content()));
    assert!(matches!(unknown, Err(StoreError::NoSuchRow)));
}

#[test]
fn an_idempotency_key_names_one_message_for_a_day() {
    let mut world = world();
    let (first, second) = (content(), content());
    assert!(world.step(|tx| tx.remember_key("alert-1", &first, 1000)));
    assert!(!world.step(|tx| tx.remember_key("alert-1", &second, 2000)));
    assert_eq!(world.view(|view| view.by_key("alert-1")), Some(first));
    assert_eq!(world.step(|tx| tx.purge_keys(1000 + KEY_LIFETIME_S)), 0);
    assert_eq!(world.step(|tx| tx.purge_keys(1001 + KEY_LIFETIME_S)), 1);
    assert_eq!(world.view(|view| view.by_key("alert-1")), None);
}

/// A statement that may have to take back several rows has SQLite write the index of words before
/// it begins; every message would pay for a piece of the index of its own.
#[test]
fn a_step_writes_the_index_of_words_once_however_many_messages_it_takes() {
    let mut world = world();
    let (here, me) = (room(), device());
    let pieces = |world: &World| -> u64 {
        let sql = "SELECT count(*) FROM word_idx";
        world.store.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let bot = world.step(|tx| tx.put_consumer("", None));
    let before = pieces(&world);
    world.step(|tx| {
        for seq in 1..=8 {
            let row = message(here, Some(seq), &format!("word{seq}"));
            tx.insert_message(&row)?;
            tx.set_seen_counter(&here, &row.device, seq)?;
            tx.add_delivery(&row)?;
            tx.ack_delivery(bot, &row.content)?;
            tx.note_seen(&row.device, 1)?;
            let own = message(here, None, "answer");
            tx.next_counter(&here, &me)?;
            tx.insert_message(&own)?;
            let out = NewOut { content: Some(own.content), ..out(OutKind::Text) };
            let queued = tx.enqueue(&out, &[])?;
            tx.replace_cells(queued, 1, &cells(2))?;
            tx.placed_message(&own.content, seq + 8)?;
            tx.remove_out(queued)?;
        }
        Ok(())
    });
    assert_eq!(pieces(&world) - before, 1);
    world.step(|tx| tx.insert_message(&message(here, Some(20), "later")));
    assert_eq!(pieces(&world) - before, 2);
}
