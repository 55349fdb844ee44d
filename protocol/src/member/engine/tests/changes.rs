//! Stories of what happens to a message after it was sent.

use serde_json::{Value, json};

use super::world::World;
use crate::member::content::Kind;
use crate::wire::ids::ContentId;

const DAY_MS: u64 = 86_400_000;

/// A founder and two people in `general`.
fn team() -> World {
    World::with(&["Karim", "Sofia"])
}

fn send(world: &mut World, at: usize, text: &str) -> Value {
    world.ok(at, "send", json!({"room": "general", "text": text}))["id"].clone()
}

fn events(world: &World, at: usize, kind: &str) -> Vec<Value> {
    let events = world.devices[at].events.iter();
    events.filter(|event| event["type"] == kind).cloned().collect()
}

fn messages(world: &mut World, at: usize) -> Vec<Value> {
    world.ok(at, "read", json!({"room": "general"})).as_array().unwrap().clone()
}

#[test]
fn an_edit_replaces_the_text_everywhere_under_the_same_id() {
    let mut world = team();
    let id = send(&mut world, 0, "at seven");
    let edit = world.ok(0, "edit", json!({"id": id, "text": "at eight, @Sofia"}));
    assert!(edit["seq"].is_u64() && edit["target"] == id && edit["id"] != id);
    world.ok(0, "edit", json!({"id": id, "text": "at nine, @Karim"}));
    for at in 0..3 {
        let read = messages(&mut world, at);
        assert_eq!(read.len(), 1);
        assert_eq!((&read[0]["text"], &read[0]["id"]), (&json!("at nine, @Karim"), &id));
        assert_eq!((&read[0]["edited"], &read[0]["mentions"]), (&json!(true), &json!(["Karim"])));
        let told = events(&world, at, "edit");
        assert_eq!((told.len(), &told[0]["id"], &told[0]["target"]), (2, &edit["id"], &id));
    }
    // Only the present text is found.
    assert_eq!(world.ok(1, "search", json!({"words": "eight"})), json!([]));
    assert_eq!(world.ok(1, "search", json!({"words": "NINE"}))[0]["id"], id);
}

#[test]
fn a_deleted_message_is_absent_and_cannot_be_changed_again() {
    let mut world = team();
    let id = send(&mut world, 1, "regretted");
    world.ok(2, "react", json!({"id": id, "emoji": "👍"}));
    let gone = world.ok(1, "delete", json!({"id": id}));
    assert_eq!(gone["target"], id);
    for at in 0..3 {
        assert!(messages(&mut world, at).is_empty());
        assert_eq!(world.ok(at, "search", json!({"words": "regretted"})), json!([]));
        assert_eq!(events(&world, at, "delete")[0]["target"], id);
    }
    for (method, more) in [("edit", "text"), ("react", "emoji"), ("delete", "text")] {
        let refused = world.call(1, method, json!({"id": id, more: "x"})).unwrap_err();
        assert_eq!(refused.exit, 1, "{method}");
    }
}

#[test]
fn only_the_authors_member_edits_and_deletes() {
    let mut world = team();
    let id = send(&mut world, 0, "mine");
    for (method, text) in [("edit", "yours"), ("delete", "")] {
        let refused = world.call(1, method, json!({"id": id, "text": text})).unwrap_err();
        assert!(refused.message.contains("author"), "{refused:?}");
    }
    // A hostile client does it all the same.
    let target = ContentId::from_hex(id.as_str().unwrap());
    for kind in [Kind::Edit("forged".into()), Kind::Delete] {
        world.say(1, "general", kind, target, None);
    }
    for at in [0, 2] {
        assert_eq!(world.texts(at, "general"), ["mine"]);
        let alarms = world.alarms(at);
        let named = "Karim tried to change a message of Lea in general. It was ignored.";
        assert_eq!(alarms.iter().filter(|alarm| *alarm == named).count(), 1, "{alarms:?}");
        assert!(events(&world, at, "edit").is_empty() && events(&world, at, "delete").is_empty());
    }
}

#[test]
fn an_edit_of_a_message_that_is_not_here_is_kept_and_does_nothing() {
    let mut world = team();
    let unknown = ContentId([7; 16]);
    world.say(1, "general", Kind::Edit("of nothing".into()), Some(unknown), None);
    world.say(1, "general", Kind::Delete, Some(unknown), None);
    send(&mut world, 1, "goes on");
    for at in 0..3 {
        assert_eq!(world.texts(at, "general"), ["goes on"]);
        assert!(world.alarms(at).is_empty());
    }
}

#[test]
fn reactions_are_shown_once_each_and_can_be_taken_back() {
    let mut world = team();
    let id = send(&mut world, 0, "done");
    let first = world.ok(1, "react", json!({"id": id, "emoji": "🎉"}));
    world.ok(1, "react", json!({"id": id, "emoji": "🎉"}));
    world.ok(2, "react", json!({"id": id, "emoji": "🎉"}));
    let shown = |world: &mut World, at| messages(world, at)[0]["reactions"].clone();
    for at in 0..3 {
        let reactions = shown(&mut world, at);
        let from: Vec<_> = reactions.as_array().unwrap().iter().map(|r| &r["from"]).collect();
        assert_eq!(from, ["Karim", "Sofia"]);
        assert_eq!(events(&world, at, "reaction").len(), 2);
    }
    world.ok(1, "delete", json!({"id": first["id"]}));
    assert_eq!(shown(&mut world, 0).as_array().unwrap().len(), 1);
    for emoji in ["", "two words", &"x".repeat(65)] {
        assert_eq!(world.call(1, "react", json!({"id": id, "emoji": emoji})).unwrap_err().exit, 1);
    }
}

#[test]
fn reactions_are_bounded_per_message() {
    let mut world = team();
    let id = send(&mut world, 0, "flooded");
    let target = ContentId::from_hex(id.as_str().unwrap());
    for number in 0..20 {
        world.say(1, "general", Kind::Reaction(format!("r{number}")), None, target);
    }
    assert_eq!(messages(&mut world, 0)[0]["reactions"].as_array().unwrap().len(), 16);
}

#[test]
fn unknown_kinds_are_kept_within_a_bound() {
    let mut world = World::with(&["Karim"]);
    for _ in 0..260 {
        let body = ciborium::Value::from("later");
        world.say(1, "general", Kind::Unknown { code: 200, body }, None, None);
    }
    assert_eq!(world.unknown_kinds(0, 1), 256);
    send(&mut world, 1, "still here");
    assert_eq!(world.texts(0, "general"), ["still here"]);
    assert_eq!(world.ok(0, "status", json!({}))["missing"], json!([]));
}

#[test]
fn missing_messages_are_counted_and_shown_by_sender() {
    let mut world = team();
    send(&mut world, 1, "one");
    world.skip_counters(1, "general", 2);
    send(&mut world, 1, "four");
    for at in [0, 2] {
        let gaps = events(&world, at, "gap");
        assert_eq!(
            (gaps.len(), &gaps[0]["from"], &gaps[0]["missing"]),
            (1, &"Karim".into(), &2.into())
        );
        let missing = &world.ok(at, "status", json!({}))["missing"][0];
        assert_eq!((&missing["from"], &missing["count"]), (&"Karim".into(), &2.into()));
    }
    world.ok(0, "alarms.clear", json!({}));
    assert_eq!(world.ok(0, "status", json!({}))["missing"], json!([]));
}

#[test]
fn mentions_name_members_of_the_room() {
    let mut world = team();
    world.room(0, "press", &["Karim"]);
    let text = "@karim and @Sofia, mail karim@sofia.example";
    world.ok(0, "send", json!({"room": "press", "text": text}));
    let read = world.ok(1, "read", json!({"room": "press"}));
    assert_eq!(read[0]["mentions"], json!(["Karim"]));
}

#[test]
fn messages_vanish_on_time_on_every_device() {
    let mut world = team();
    world.ok(0, "room.create", json!({"name": "brief", "lifetime_s": 90}));
    world.ok(0, "room.add", json!({"room": "brief", "member": "Karim"}));
    world.ok(0, "send", json!({"room": "brief", "text": "burning"}));
    send(&mut world, 0, "staying");
    let due = world.devices[1].engine.deadline_within(world.now, 90_000);
    assert!(due, "no timer for the expiry");
    world.pass(89_000);
    assert_eq!(world.texts(1, "brief"), ["burning"]);
    world.pass(1_500);
    for at in 0..2 {
        assert!(world.texts(at, "brief").is_empty());
        assert_eq!(world.ok(at, "search", json!({"words": "burning"})), json!([]));
        assert_eq!(world.texts(at, "general"), ["staying"]);
    }
    world.pass(7 * DAY_MS);
    assert!(world.texts(1, "general").is_empty());
}

#[test]
fn what_expired_before_it_could_be_sent_or_read_is_not_shown() {
    let mut world = team();
    world.disconnect(2);
    send(&mut world, 0, "too late for Sofia");
    world.disconnect(1);
    let queued = json!({"room": "general", "text": "never left", "wait_ms": 0});
    world.ok(1, "send", queued);
    world.pass(8 * DAY_MS);
    for at in [1, 2] {
        world.connect(at);
    }
    world.run();
    for at in 0..3 {
        assert!(world.texts(at, "general").is_empty());
    }
    assert_eq!(world.ok(1, "status", json!({}))["queued"], 0);
    assert!(events(&world, 2, "message").is_empty());
}

#[test]
fn search_finds_words_in_any_order_without_case_and_accents() {
    let mut world = team();
    send(&mut world, 0, "La réunion est à l'Hôtel de Ville");
    send(&mut world, 1, "hotel booked \"NEAR\" OR not");
    let found = |world: &mut World, words: &str| -> usize {
        let found = world.ok(2, "search", json!({"words": words}));
        found.as_array().unwrap().len()
    };
    assert_eq!(found(&mut world, "ville REUNION"), 1);
    assert_eq!(found(&mut world, "hot"), 2);
    assert_eq!(found(&mut world, "\"near\" OR"), 1);
    assert_eq!(found(&mut world, "text:hotel"), 0);
    assert_eq!(world.call(2, "search", json!({"words": "\"*"})).unwrap_err().exit, 1);
}

#[test]
fn the_history_can_be_read_from_its_beginning_in_pages() {
    let mut world = team();
    let ids: Vec<_> = (0..7).map(|n| send(&mut world, 0, &format!("n{n}"))).collect();
    let page = |world: &mut World, since: Option<&Value>| -> Vec<Value> {
        let query = json!({"room": "general", "oldest": true, "limit": 3, "since": since});
        let read = world.ok(1, "read", query);
        read.as_array().unwrap().iter().map(|message| message["id"].clone()).collect()
    };
    assert_eq!(page(&mut world, None), ids[..3]);
    assert_eq!(page(&mut world, Some(&ids[2])), ids[3..6]);
    assert_eq!(page(&mut world, Some(&ids[6])), Vec::<Value>::new());
}
