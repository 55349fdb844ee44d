//! Stories of a team.

use serde_json::json;

use super::world::World;
use crate::wire::limits::MAX_OPEN_INVITES;

#[test]
fn a_founder_lets_people_and_a_bot_in_and_they_talk() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", false);
    let sofia = world.join(0, "Sofia", "member", true);
    let bot = world.join(0, "planning", "bot", true);
    for (at, text) in [(0, "one"), (karim, "two"), (sofia, "three"), (0, "four")] {
        let sent = world.ok(at, "send", json!({"room": "general", "text": text}));
        assert!(sent["seq"].as_u64().unwrap() > 0);
    }
    for at in [0, karim, sofia] {
        let texts = world.texts(at, "general");
        assert!(
            ["one", "two", "three", "four"].iter().all(|t| texts.iter().any(|x| x == t)),
            "{at}: {texts:?}"
        );
    }
    assert!(world.call(bot, "read", json!({"room": "general"})).is_err());
    let team = world.ok(sofia, "team", json!({}));
    let verified: Vec<_> = team
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["member"].as_str().unwrap(), d["verified"].as_bool().unwrap()))
        .collect();
    assert_eq!(verified.len(), 4);
    assert!(verified.contains(&("Karim", true)) && verified.contains(&("Sofia", false)));
    assert_eq!(world.epoch(0, "general"), world.epoch(karim, "general"));
    assert_eq!(world.epoch(0, "general"), world.epoch(sofia, "general"));
}

#[test]
fn an_outsider_downloads_the_same_cells_and_opens_none_of_the_room() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    let sofia = world.join(0, "Sofia", "member", true);
    world.room(0, "press", &["Karim"]);
    world.ok(karim, "send", json!({"room": "press", "text": "between us"}));
    assert_eq!(world.texts(0, "press"), ["between us"]);
    assert!(world.call(sofia, "read", json!({"room": "press"})).is_err());
    let head = |world: &mut World, at| world.ok(at, "status", json!({}))["head"].clone();
    assert_eq!(head(&mut world, 0), head(&mut world, sofia));
    let seen = world.devices[sofia].events.iter().any(|e| e.to_string().contains("between us"));
    assert!(!seen);
}

#[test]
fn messages_sent_while_one_is_off_arrive_once_and_in_order() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    world.disconnect(karim);
    let mut sent = Vec::new();
    for n in 0..200 {
        sent.push(format!("message {n}"));
        world.ok(0, "send", json!({"room": "general", "text": sent[n]}));
    }
    world.restart(karim);
    world.connect(karim);
    world.run();
    assert_eq!(world.texts(karim, "general"), sent);
    world.restart(karim);
    world.connect(karim);
    world.run();
    assert_eq!(world.texts(karim, "general"), sent);
}

#[test]
fn what_was_written_offline_is_queued_and_goes_out_later() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    world.disconnect(karim);
    let error = world.call(karim, "send", json!({"room": "general", "text": "later"})).unwrap_err();
    assert_eq!(error.exit, 69);
    assert_eq!(error.data["state"], "queued");
    world.restart(karim);
    world.connect(karim);
    world.run();
    assert_eq!(world.texts(0, "general"), ["later"]);
    assert_eq!(world.ok(karim, "status", json!({}))["queued"], 0);
}

#[test]
fn what_could_not_be_sent_before_one_was_put_out_of_a_room_is_withdrawn_and_said() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    world.room(0, "press", &["Karim"]);
    world.disconnect(karim);
    let ask = json!({"room": "press", "text": "late", "wait_ms": 600_000});
    let send = world.begin(karim, "send", ask);
    world.ok(0, "room.remove", json!({"room": "press", "member": "Karim"}));
    world.connect(karim);
    world.settle(1_000);
    assert_eq!(world.answer(karim, send).unwrap().unwrap_err().exit, 77);
    assert_eq!(world.ok(karim, "status", json!({}))["queued"], 0);
    world.ok(karim, "sync", json!({}));
    let alarms = world.alarms(karim);
    assert!(alarms.iter().any(|alarm| alarm.contains("press were not sent")), "{alarms:?}");
}

#[test]
fn over_quota_stays_queued_and_says_so_after_30_seconds() {
    let mut world = World::founded();
    world.relay.full = true;
    let error = world.call(0, "send", json!({"room": "general", "text": "much"})).unwrap_err();
    assert_eq!(error.exit, 75);
    world.relay.full = false;
    world.pass(1_000);
    assert_eq!(world.texts(0, "general"), ["much"]);
    assert_eq!(world.ok(0, "status", json!({}))["queued"], 0);
}

#[test]
fn a_revoked_device_is_cut_and_reads_nothing_afterwards() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    let sofia = world.join(0, "Sofia", "member", true);
    world.ok(0, "send", json!({"room": "general", "text": "before"}));
    world.disconnect(karim);
    world.ok(0, "revoke", json!({"member": "Karim"}));
    world.ok(sofia, "send", json!({"room": "general", "text": "after"}));
    assert_eq!(world.texts(0, "general"), ["before", "after"]);
    world.connect(karim);
    world.run();
    let head = world.ok(karim, "status", json!({}));
    assert!(head["refused"].as_str().unwrap().contains("revoked"));
    let events = &world.devices[karim].events;
    let seen = events.iter().filter(|e| e.to_string().contains("after")).count();
    println!("figure: {seen} messages read after the revocation");
    assert_eq!(seen, 0);
}

#[test]
fn a_wrong_word_lets_nobody_in_and_burns_nothing() {
    let mut world = World::founded();
    let invite = world.ok(0, "invite.create", json!({"name": "Karim"}));
    let code = crate::invite_code::InviteCode::parse(invite["code"].as_str().unwrap()).unwrap();
    let (new, words) = world.ask(&code, "Karim");
    let words = words.unwrap();
    let mut wrong = words.clone();
    wrong.rotate_left(1);
    let refused =
        world.call(0, "invite.approve", json!({"id": invite["id"], "words": wrong})).unwrap_err();
    assert_eq!(refused.exit, 1);
    world.ok(0, "invite.approve", json!({"id": invite["id"], "words": words}));
    world.run();
    world.enrol(new, &code);
}

#[test]
fn texts_are_bounded_and_empty_ones_refused() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    let long = "x".repeat(10_000);
    world.ok(0, "send", json!({"room": "general", "text": long}));
    assert_eq!(world.texts(karim, "general"), [long]);
    for text in [String::new(), "x".repeat(24_001)] {
        let error = world.call(0, "send", json!({"room": "general", "text": text})).unwrap_err();
        assert_eq!(error.exit, 1);
    }
    assert_eq!(world.ok(0, "status", json!({}))["queued"], 0);
}

#[test]
fn any_online_admin_lets_in_and_puts_out() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "admin", false);
    let paul = world.join(0, "Paul", "member", true);
    world.run();
    // An invite of Lea's, approved by Karim while she is away.
    let invite = world.ok(0, "invite.create", json!({"name": "Sofia"}));
    world.run();
    world.disconnect(0);
    let code = crate::invite_code::InviteCode::parse(invite["code"].as_str().unwrap()).unwrap();
    let (sofia, words) = world.ask(&code, "Sofia");
    world.ok(karim, "invite.approve", json!({"id": invite["id"], "words": words.unwrap()}));
    world.run();
    world.enrol(sofia, &code);
    // An invite of his own, and a revocation.
    let nina = world.join(karim, "Nina", "member", true);
    world.ok(karim, "revoke", json!({"member": "Paul"}));
    world.ok(nina, "send", json!({"room": "general", "text": "without Paul"}));
    world.connect(0);
    world.run();
    world.pass(61_000);
    for at in [0, karim, sofia, nina] {
        assert_eq!(world.texts(at, "general").last().unwrap(), "without Paul");
        assert_eq!(world.epoch(at, "general"), world.epoch(0, "general"));
    }
    assert!(world.texts(paul, "general").is_empty());
    // Lea goes on where Karim left the registry.
    world.join(0, "Zoe", "member", true);
    let states = world.ok(0, "invite.list", json!({}));
    assert!(states.as_array().unwrap().iter().all(|i| i["state"] == "used"), "{states}");
    assert!(world.alarms(0).iter().all(|alarm| alarm.contains("admin")), "{:?}", world.alarms(0));
}

#[test]
fn a_direct_conversation_begins_with_the_first_message() {
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    let sofia = world.join(0, "Sofia", "member", true);
    assert_eq!(world.ok(karim, "read", json!({"room": "@Sofia"})), json!([]));
    world.ok(karim, "send", json!({"room": "@sofia", "text": "for you"}));
    world.ok(sofia, "send", json!({"room": "@Karim", "text": "and back"}));
    assert_eq!(world.texts(sofia, "@Karim"), ["for you", "and back"]);
    assert_eq!(world.texts(karim, "@Sofia"), ["for you", "and back"]);
    assert_eq!(world.ok(0, "read", json!({"room": "@Sofia"})), json!([]));
    let unknown = world.call(0, "send", json!({"room": "@Sofja", "text": "x"})).unwrap_err();
    assert!(unknown.message.contains("person") && unknown.hint.unwrap().contains("Sofia"));
}

#[test]
fn an_invite_that_the_relay_refuses_is_dropped_and_what_to_do_is_said() {
    let mut world = World::founded();
    let invite = json!({"ttl_s": 60});
    // The relay's clock is ahead, or the frame was long under way.
    world.relay.unix_s = world.now.unix_s() + 60;
    let refused = world.call(0, "invite.create", invite.clone()).unwrap_err();
    assert_eq!(refused.exit, 1);
    assert!(refused.hint.is_some_and(|hint| hint.contains("clock")));
    world.relay.unix_s = 0;
    for _ in 0..MAX_OPEN_INVITES {
        world.ok(0, "invite.create", invite.clone());
    }
    let refused = world.call(0, "invite.create", invite).unwrap_err();
    assert!(refused.hint.is_some_and(|hint| hint.contains("open invites")));
    let listed = world.ok(0, "invite.list", json!({}));
    assert_eq!(listed.as_array().unwrap().len(), MAX_OPEN_INVITES, "no refused one is kept");
}
