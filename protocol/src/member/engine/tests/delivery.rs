//! At least once: consumers, acknowledgements, windows, values, and what a bot may not do.

use serde_json::{Value, json};

use super::super::delivery::MAX_WINDOW;
use super::world::World;
use crate::member::agent::core::Core;

/// A team with a bot that is in `general`; the bot's index.
fn with_a_bot() -> (World, usize) {
    let mut world = World::founded();
    let bot = world.join(0, "planning", "bot", true);
    world.ok(0, "room.add", json!({"room": "general", "member": "planning"}));
    (world, bot)
}

fn say(world: &mut World, text: &str) -> Value {
    world.ok(0, "send", json!({"room": "general", "text": text}))["id"].clone()
}

fn deliveries(world: &mut World, at: usize, after: i64, window: u32) -> (Vec<Value>, i64) {
    let answer = world.ok(at, "deliveries", json!({"after": after, "window": window}));
    (answer["events"].as_array().unwrap().clone(), answer["after"].as_i64().unwrap())
}

fn ids(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["id"].clone()).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn what_is_not_acknowledged_comes_again_with_the_same_id_in_log_order() {
    let (mut world, bot) = with_a_bot();
    assert_eq!(world.ok(bot, "subscribe", json!({}))["window"], 32);
    let sent: Vec<Value> = ["one", "two", "three"].map(|text| say(&mut world, text)).to_vec();
    assert_eq!(ids(&deliveries(&mut world, bot, 0, 32).0), sent);
    assert_eq!(world.ok(bot, "ack", json!({"id": sent[1]})), json!({"acked": true}));
    assert_eq!(world.ok(bot, "ack", json!({"id": sent[1]})), json!({"acked": false}));
    world.restart(bot);
    world.connect(bot);
    assert_eq!(ids(&deliveries(&mut world, bot, 0, 32).0), [sent[0].clone(), sent[2].clone()]);
}

#[test]
fn a_bot_misses_nothing_that_was_written_while_nobody_subscribed() {
    let (mut world, bot) = with_a_bot();
    world.disconnect(bot);
    let missed = say(&mut world, "while it was away");
    world.restart(bot);
    world.connect(bot);
    world.run();
    assert_eq!(ids(&deliveries(&mut world, bot, 0, 32).0), [missed]);
}

#[test]
fn no_more_than_the_window_is_handed_out_before_an_ack() {
    let (mut world, bot) = with_a_bot();
    let sent: Vec<Value> = (0..5).map(|n| say(&mut world, &n.to_string())).collect();
    let (first, after) = deliveries(&mut world, bot, 0, 2);
    assert_eq!(ids(&first), sent[..2]);
    assert_eq!(deliveries(&mut world, bot, after, 2), (vec![], after));
    world.ok(bot, "ack", json!({"id": sent[0]}));
    assert_eq!(ids(&deliveries(&mut world, bot, after, 2).0), sent[2..3]);
    for window in [0, MAX_WINDOW + 1] {
        assert_eq!(
            world.call(bot, "subscribe", json!({"window": window})).unwrap_err().code,
            -32_602
        );
    }
}

#[test]
fn edits_deletions_and_reactions_are_delivered_under_ids_of_their_own() {
    let (mut world, bot) = with_a_bot();
    let (kept, gone) = (say(&mut world, "kept"), say(&mut world, "gone"));
    world.ok(0, "edit", json!({"id": kept, "text": "kept and edited"}));
    world.ok(0, "react", json!({"id": kept, "emoji": "👍"}));
    world.ok(0, "delete", json!({"id": gone}));
    let (events, _) = deliveries(&mut world, bot, 0, 32);
    // What was taken back before it was read is not told; that it was, is.
    assert_eq!(types(&events), ["message", "edit", "reaction", "delete"]);
    assert_eq!((&events[1]["target"], &events[3]["target"]), (&kept, &gone));
    assert_eq!(
        (&events[1]["text"], &events[2]["emoji"]),
        (&json!("kept and edited"), &json!("👍"))
    );
    for id in ids(&events) {
        assert_eq!(world.ok(bot, "ack", json!({"id": id})), json!({"acked": true}));
    }
    assert_eq!(deliveries(&mut world, bot, 0, 32).0, [Value::Null; 0]);
}

#[test]
fn changes_fill_no_window_and_the_ack_of_what_is_later_covers_them() {
    let (mut world, bot) = with_a_bot();
    let first = say(&mut world, "first");
    world.ok(0, "react", json!({"id": first, "emoji": "👍"}));
    world.ok(0, "edit", json!({"id": first, "text": "first of all"}));
    let second = say(&mut world, "second");
    world.ok(0, "react", json!({"id": second, "emoji": "👍"}));
    let (events, after) = deliveries(&mut world, bot, 0, 5);
    assert_eq!(types(&events), ["message", "reaction", "edit", "message", "reaction"]);
    // Two messages are under way, and nothing else counts.
    let third = say(&mut world, "third");
    assert_eq!(deliveries(&mut world, bot, after, 2).0, [Value::Null; 0]);
    assert_eq!(ids(&deliveries(&mut world, bot, after, 3).0), [third]);
    // A program that knows nothing but messages is asked for nothing else.
    world.ok(bot, "ack", json!({"id": second}));
    let (left, _) = deliveries(&mut world, bot, 0, 32);
    assert_eq!(types(&left), ["message", "reaction", "message"]);
    assert_eq!((&left[0]["id"], &left[1]["target"]), (&first, &second));
}

#[test]
fn what_was_handed_out_and_not_acknowledged_is_told_again_without_what_came_since() {
    let (mut world, bot) = with_a_bot();
    let sent: Vec<Value> = (0..3).map(|n| say(&mut world, &n.to_string())).collect();
    world.ok(0, "react", json!({"id": sent[0], "emoji": "👍"}));
    let (_, after) = deliveries(&mut world, bot, 0, 2);
    world.ok(bot, "ack", json!({"id": sent[0]}));
    let again = world.ok(bot, "deliveries", json!({"again": after}));
    assert_eq!(ids(again["events"].as_array().unwrap()), sent[1..2]);
    assert_eq!(ids(&deliveries(&mut world, bot, after, 32).0)[0], sent[2]);
}

#[test]
fn a_persons_profile_promises_nothing_until_a_consumer_is_named() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    assert_eq!(world.ok(karim, "subscribe", json!({}))["window"], Value::Null);
    say(&mut world, "before");
    assert_eq!(world.ok(karim, "subscribe", json!({"consumer": "archive"}))["window"], 32);
    let kept = say(&mut world, "after");
    let asked = json!({"consumer": "archive", "window": 32});
    let answer = world.ok(karim, "deliveries", asked.clone());
    assert_eq!(ids(answer["events"].as_array().unwrap()), std::slice::from_ref(&kept));
    world.ok(karim, "ack", json!({"id": kept, "consumer": "archive"}));
    let later = say(&mut world, "later");
    // From a point on, once more.
    world.ok(karim, "subscribe", json!({"consumer": "archive", "since": kept}));
    let answer = world.ok(karim, "deliveries", asked.clone());
    assert_eq!(ids(answer["events"].as_array().unwrap()), [later]);
    assert_eq!(world.ok(karim, "consumer.remove", json!({"consumer": "archive"}))["removed"], true);
    assert!(world.call(karim, "deliveries", asked).is_err());
    for n in 0..16 {
        world.ok(karim, "subscribe", json!({"consumer": n.to_string()}));
    }
    assert_eq!(world.call(karim, "subscribe", json!({"consumer": "17"})).unwrap_err().exit, 75);
}

#[test]
fn what_vanished_unread_is_told_as_a_gap() {
    let (mut world, bot) = with_a_bot();
    let never = json!({"room": "general", "lifetime_s": 60});
    world.ok(0, "room.set", never);
    say(&mut world, "short");
    world.pass(120_000);
    let kept = say(&mut world, "long enough");
    let (events, after) = deliveries(&mut world, bot, 0, 32);
    assert_eq!(types(&events), ["gap", "message"]);
    assert_eq!((&events[0]["missing"], &events[1]["id"]), (&json!(1), &kept));
    assert_eq!(deliveries(&mut world, bot, after, 32).0, [Value::Null; 0]);
}

#[test]
fn a_send_with_an_idempotency_key_appears_once_in_24_hours() {
    let (mut world, bot) = with_a_bot();
    let alert = json!({"room": "general", "text": "disk full", "key": "alert-1"});
    let first = world.ok(bot, "send", alert.clone());
    assert_eq!(world.ok(bot, "send", alert.clone())["id"], first["id"]);
    world.restart(bot);
    world.connect(bot);
    assert_eq!(world.ok(bot, "send", alert.clone())["id"], first["id"]);
    assert_eq!(world.texts(0, "general"), ["disk full"]);
    world.pass(24 * 60 * 60 * 1_000 + 61_000);
    world.pass(61_000);
    assert_ne!(world.ok(bot, "send", alert)["id"], first["id"]);
    let long = json!({"room": "general", "text": "x", "key": "k".repeat(257)});
    assert_eq!(world.call(bot, "send", long).unwrap_err().code, -32_602);
}

#[test]
fn values_are_kept_and_bounded() {
    let (mut world, bot) = with_a_bot();
    assert_eq!(world.ok(bot, "kv.get", json!({"key": "a"})), json!({"value": null}));
    world.ok(bot, "kv.set", json!({"key": "a", "value": {"n": [1, "x"]}}));
    world.restart(bot);
    assert_eq!(world.ok(bot, "kv.get", json!({"key": "a"}))["value"], json!({"n": [1, "x"]}));
    assert_eq!(world.ok(bot, "kv.delete", json!({"key": "a"})), json!({"deleted": true}));
    assert_eq!(world.ok(bot, "kv.delete", json!({"key": "a"})), json!({"deleted": false}));
    for bad in [
        json!({"key": "", "value": 1}),
        json!({"key": "k".repeat(257), "value": 1}),
        json!({"key": "a", "value": "x".repeat(16 * 1024)}),
        json!({"key": "a"}),
    ] {
        assert_eq!(world.call(bot, "kv.set", bad).unwrap_err().code, -32_602);
    }
}

#[test]
fn calls_that_come_together_share_a_step_and_one_that_fails_takes_no_other_with_it() {
    let (mut world, bot) = with_a_bot();
    let sent: Vec<Value> = (0..3).map(|n| say(&mut world, &n.to_string())).collect();
    let ack = |number: u64, id: &Value| (number, "ack".to_owned(), json!({"id": id}));
    let calls = vec![
        ack(1_001, &sent[0]),
        (
            1_002,
            "reply".to_owned(),
            json!({"to": sent[1], "text": "yes", "key": "r", "wait_ms": 0}),
        ),
        ack(1_003, &sent[1]),
    ];
    let now = world.now;
    world.devices[bot].engine.calls(now, calls);
    world.run();
    assert!([1_001, 1_002, 1_003].iter().all(|id| world.answer(bot, *id).unwrap().is_ok()));
    let calls = vec![
        ack(1_004, &sent[2]),
        (1_005, "send".to_owned(), json!({"room": "nowhere", "text": "x"})),
        (1_006, "send".to_owned(), json!({"room": "general", "text": "still here"})),
    ];
    world.devices[bot].engine.calls(now, calls);
    world.run();
    assert_eq!(world.answer(bot, 1_004).unwrap().unwrap()["acked"], true);
    assert!(world.answer(bot, 1_005).unwrap().is_err());
    assert!(world.answer(bot, 1_006).unwrap().is_ok());
    assert_eq!(world.texts(0, "general"), ["0", "1", "2", "yes", "still here"]);
}

#[test]
fn frames_and_calls_that_come_together_share_a_step_and_a_call_that_fails_takes_no_frame_with_it() {
    let (mut world, bot) = with_a_bot();
    let first = say(&mut world, "first");
    let ack = |number: u64, id: &Value| (number, "ack".to_owned(), json!({"id": id}));
    for (number, bad) in [(1_001, false), (1_003, true)] {
        let cursor = world.devices[bot].cursor;
        world.devices[bot].cursor = None;
        say(&mut world, &number.to_string());
        world.devices[bot].cursor = cursor;
        let frames = vec![world.next_push(bot).expect("cells wait")];
        let other = match bad {
            true => (number + 1, "send".to_owned(), json!({"room": "nowhere", "text": "x"})),
            false => (number + 1, "status".to_owned(), json!({})),
        };
        let now = world.now;
        world.devices[bot].engine.together(now, frames, vec![ack(number, &first), other]);
        world.run();
        assert_eq!(world.answer(bot, number).unwrap().unwrap()["acked"], !bad);
        assert_eq!(world.answer(bot, number + 1).unwrap().is_err(), bad);
    }
    assert_eq!(world.texts(bot, "general"), ["first", "1001", "1003"]);
    assert!(world.alarms(bot).is_empty());
}

#[test]
fn a_bot_cannot_invite_approve_change_rooms_or_policy() {
    let (mut world, bot) = with_a_bot();
    let before = world.relay.log.len();
    for (method, params) in [
        ("invite.create", json!({"name": "Eve"})),
        ("device.add", json!({})),
        ("invite.approve", json!({"id": "ab", "unverified": true})),
        ("room.create", json!({"name": "den"})),
        ("room.add", json!({"room": "general", "member": "planning"})),
        ("room.remove", json!({"room": "general", "member": "Lea"})),
        ("room.set", json!({"room": "general", "name": "mine"})),
        ("team.role", json!({"member": "planning", "role": "admin"})),
        ("revoke", json!({"member": "Lea"})),
        ("send", json!({"room": "@Lea", "text": "psst"})),
    ] {
        assert!(world.call(bot, method, params).is_err(), "{method}");
    }
    world.run();
    assert_eq!(world.relay.log.len(), before, "nothing was posted");
}
