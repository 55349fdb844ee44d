//! Stories of looking into a long history, and of what was read.

use serde_json::{Value, json};

use super::world::World;

fn ids(list: &Value) -> Vec<String> {
    let all = list.as_array().unwrap().iter();
    all.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

fn room(world: &mut World, at: usize) -> Value {
    let rooms = world.ok(at, "room.list", json!({}));
    rooms.as_array().unwrap().iter().find(|it| it["name"] == "general").unwrap().clone()
}

/// Lea reads; Karim has written ten messages, the fifth of them to her.
fn talked() -> (World, Vec<Value>) {
    let mut world = World::with(&["Karim"]);
    let me = world.ok(0, "status", json!({}))["member"].as_str().unwrap().to_owned();
    let sent = (0..10).map(|n| {
        let text = if n == 5 { format!("5 @{me}") } else { n.to_string() };
        world.ok(1, "send", json!({"room": "general", "text": text}))["id"].clone()
    });
    let sent = sent.collect();
    (world, sent)
}

#[test]
fn a_history_is_read_backwards_and_around_a_message() {
    let (mut world, sent) = talked();
    let mut read = |params: Value| ids(&world.ok(1, "read", params));
    let before = read(json!({"room": "general", "before": sent[4], "limit": 3}));
    assert_eq!(before, ["1", "2", "3"]);
    let around = read(json!({"room": "general", "around": sent[7], "limit": 4}));
    assert_eq!(around[1..3], ["6", "7"]);
    assert_eq!(around.len(), 5);
    let first = read(json!({"room": "general", "around": sent[0], "limit": 4}));
    assert_eq!(first[0], "0");
    let unknown = json!({"room": "general", "around": "00".repeat(16)});
    assert_eq!(world.call(1, "read", unknown).unwrap_err().exit, 1);
}

#[test]
fn reading_starts_where_it_stopped_and_marks_what_was_seen() {
    let (mut world, sent) = talked();
    let general = room(&mut world, 0);
    assert_eq!((&general["unread"], &general["mentions"]), (&json!(10), &json!(1)));
    let left = world.ok(0, "mark_read", json!({"room": "general", "upto": sent[3]}));
    assert_eq!(left, json!({"unread": 6, "mentions": 1}));
    world.restart(0);
    let read = world.ok(0, "read", json!({"room": "general", "around": "unread", "limit": 4}));
    let first = read.as_array().unwrap().iter().find(|message| message["unread"] == true).unwrap();
    assert_eq!(first["id"], sent[4]);
    assert_eq!(ids(&read)[..3], ["2", "3", "4"]);
    let left = world.ok(0, "mark_read", json!({"room": "general", "upto": sent[9]}));
    assert_eq!(left, json!({"unread": 0, "mentions": 0}));
    // Nothing is unread: the newest messages.
    let read = world.ok(0, "read", json!({"room": "general", "around": "unread", "limit": 2}));
    assert_eq!(ids(&read), ["8", "9"]);
}

#[test]
fn what_the_screen_keeps_survives_and_has_a_bound() {
    let (mut world, _) = talked();
    assert_eq!(world.ok(0, "screen", json!({})), json!({"kept": null}));
    let kept = json!({"drafts": {"x": "half a thought"}});
    world.ok(0, "screen", json!({"put": kept}));
    world.restart(0);
    assert_eq!(world.ok(0, "screen", json!({}))["kept"], kept);
    let huge = json!({"put": "x".repeat(2_000_000)});
    assert_eq!(world.call(0, "screen", huge).unwrap_err().exit, 1);
    assert_eq!(world.ok(0, "screen", json!({}))["kept"], kept);
}

#[test]
fn a_text_is_on_the_relay_before_it_is_sent() {
    let (mut world, _) = talked();
    let long = "words ".repeat(500);
    let id = world.ok(0, "send", json!({"room": "general", "text": long}))["id"].clone();
    let events = world.devices[0].events.iter().filter(|event| event["id"] == id);
    let told: Vec<&str> = events.filter_map(|event| event["type"].as_str()).collect();
    let place = |kind: &str| told.iter().position(|it| *it == kind);
    assert!(place("sent").is_some(), "{told:?}");
    // What came back before the relay's word for it needs no word any more.
    assert!(place("stored").is_none_or(|at| Some(at) < place("sent")), "{told:?}");
    assert_eq!(told.iter().filter(|it| **it == "stored").count(), 1, "{told:?}");
}
