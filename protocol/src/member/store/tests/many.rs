//! A room of 100,000 messages: what the database takes for what a screen asks.

use std::time::{Duration, Instant};

use super::*;

const MESSAGES: u64 = 100_000;

fn timed<T>(what: &str, most: Duration, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    let took = begun.elapsed();
    println!("{what}: {took:?}");
    assert!(took < most, "{what}: {took:?}");
    done
}

#[test]
#[ignore = "fills a database: run with --ignored --nocapture"]
fn a_room_of_100_000_messages_opens_scrolls_and_is_searched_at_once() {
    let mut world = world();
    let here = room();
    let mut ids = Vec::new();
    for part in 0..100 {
        ids.extend(world.step(|tx| {
            let mut ids = Vec::new();
            for n in part * 1_000..(part + 1) * 1_000 {
                let text = format!("message {n} with several words, number{n} among them");
                let row = message(here, Some(n), &text);
                tx.insert_message(&row)?;
                ids.push(row.content);
            }
            Ok(ids)
        }));
    }
    assert_eq!(ids.len() as u64, MESSAGES);
    let mut world = timed("open", Duration::from_millis(500), || world.reopened());
    let page = Duration::from_millis(50);
    let ask = |query: MessageQuery, world: &World| {
        let limit = Some(200);
        world.view(|view| view.messages(&MessageQuery { room: Some(here), limit, ..query })).len()
    };
    let newest = MessageQuery::default();
    assert_eq!(timed("newest page", page, || ask(newest, &world)), 200);
    let before = MessageQuery { before: Some(ids[50_000]), ..newest };
    assert_eq!(timed("a page before the middle", page, || ask(before, &world)), 200);
    let after = MessageQuery { since: Some(ids[50_000]), oldest: true, ..newest };
    assert_eq!(timed("a page after the middle", page, || ask(after, &world)), 200);
    let first = MessageQuery { unread: true, oldest: true, ..newest };
    assert_eq!(timed("first unread", page, || ask(first, &world)), 200);
    let found =
        |words: &str, world: &World| world.view(|view| view.search(words, Some(&here), 100)).len();
    assert_eq!(timed("search of one", page, || found("number77777", &world)), 1);
    assert_eq!(timed("search of few", page, || found("number777", &world)), 100);
    timed("search of all", 4 * page, || found("several words", &world));
    let unread = timed("unread by room", 4 * page, || world.view(|view| view.unread()));
    assert_eq!(unread[0].count, MESSAGES);
    world.step(|tx| tx.mark_read_upto(&here, &ids[99_000]));
    let unread = timed("unread when read", page, || world.view(|view| view.unread()));
    assert_eq!(unread[0].count, 999);
}
