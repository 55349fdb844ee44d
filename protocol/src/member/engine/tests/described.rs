//! The description of the local API, held against what the engine takes and says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::World;
use crate::member::bot::describe::tests::{check_call, check_event, methods};

struct Story {
    world: World,
    called: BTreeSet<&'static str>,
}

impl Story {
    fn call(&mut self, at: usize, method: &'static str, params: Value) -> Value {
        let result = self.world.ok(at, method, params.clone());
        check_call(method, &params, &result);
        self.called.insert(method);
        result
    }
}

#[test]
fn every_method_and_event_is_as_it_is_described() {
    let mut world = World::founded();
    let bot = world.join(0, "planning", "bot", true);
    world.ok(0, "room.add", json!({"room": "general", "member": "planning"}));
    let dir = tempfile::TempDir::new().unwrap();
    let (from, to) = (dir.path().join("plan.txt"), dir.path().join("copy.txt"));
    std::fs::write(&from, "the plan").unwrap();
    let mut story = Story { world, called: BTreeSet::new() };
    story.call(bot, "ping", json!({}));

    story.call(bot, "subscribe", json!({"window": 8, "room": "general"}));
    story.call(bot, "subscribe", json!({"live": true}));
    story.call(bot, "subscribe", json!({}));
    // What people do, for the bot to be told.
    let send = json!({"room": "general", "text": "@planning hello", "wait_ms": 10_000});
    let said = story.call(0, "send", send)["id"].clone();
    story.call(0, "react", json!({"id": said, "emoji": "👍"}));
    story.call(0, "edit", json!({"id": said, "text": "hello all"}));
    let gone = story.call(0, "send", json!({"room": "general", "text": "gone"}))["id"].clone();
    let file = story.call(0, "upload", json!({"room": "general", "path": from, "key": "plan"}));
    let waiting = story.call(bot, "deliveries", json!({"after": 0, "window": 32}));
    story.call(0, "delete", json!({"id": gone}));
    let later = story.call(bot, "deliveries", json!({"consumer": ""}));
    let mut types = BTreeSet::new();
    for event in [&waiting, &later].iter().flat_map(|it| it["events"].as_array().unwrap()) {
        check_event(event);
        types.insert(event["type"].as_str().unwrap().to_owned());
    }
    let all = ["delete", "edit", "file", "message", "reaction"];
    assert_eq!(types.iter().map(String::as_str).collect::<Vec<_>>(), all);

    story.call(bot, "ack", json!({"id": said}));
    let reply = story.call(bot, "reply", json!({"to": said, "text": "yes", "key": "r"}));
    story.call(bot, "delete", json!({"id": reply["id"], "wait_ms": 0}));
    story.call(bot, "download", json!({"id": file["id"], "path": to}));
    story.call(bot, "rooms", json!({}));
    story.call(bot, "members", json!({"room": "general"}));
    assert_eq!(story.call(bot, "search", json!({"words": "hello"})).as_array().unwrap().len(), 1);
    story.call(bot, "kv.set", json!({"key": "a", "value": [1, {"b": null}]}));
    story.call(bot, "kv.get", json!({"key": "a"}));
    story.call(bot, "kv.delete", json!({"key": "a"}));
    story.call(0, "subscribe", json!({"consumer": "archive"}));
    story.call(0, "consumer.remove", json!({"consumer": "archive"}));

    // What is told live beside it.
    story.world.disconnect(bot);
    story.world.connect(bot);
    let told = ["connection", "room", "member", "gap", "alarm", "notice"];
    let live = |event: &&Value| told.iter().any(|kind| event["type"] == *kind);
    let events = &story.world.devices[bot].events;
    events.iter().filter(live).for_each(check_event);
    assert!(events.iter().any(|event| event["type"] == "connection"));
    let described: BTreeSet<&str> = methods().into_iter().collect();
    assert_eq!(story.called, described, "each method was called");
}
