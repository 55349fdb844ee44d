//! A team comes together and talks.

use std::collections::HashSet;

use serde_json::Value;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

/// Messages sent while one device is off.
const MISSED: usize = 500;

fn fields(message: &Value) -> (String, u64, String) {
    let text = |name: &str| message[name].as_str().expect("a text").to_owned();
    (text("id"), message["seq"].as_u64().expect("a seq"), text("text"))
}

fn of(messages: &[Value]) -> Vec<(String, u64, String)> {
    messages.iter().map(fields).collect()
}

fn is_in_log_order_and_once(messages: &[Value]) {
    let all = of(messages);
    assert!(all.windows(2).all(|two| two[0].1 < two[1].1), "seqs rise");
    let ids: HashSet<_> = all.iter().map(|it| &it.0).collect();
    assert_eq!(ids.len(), all.len(), "each once");
}

/// Waits until a device has read as far as another one.
fn catches_up(device: &Staff, with: &Staff) {
    let head = |staff: &Staff| staff.call("status", serde_json::json!({}))["head"].as_u64();
    let wanted = head(with);
    let fact = format!("{} has read as far as {}", device.name, with.name);
    eventually(&fact, || (head(device) >= wanted).then_some(()));
}

#[test]
fn two_people_and_a_bot_talk_in_two_rooms_and_the_outsider_opens_none_of_the_second() {
    let world = World::usual();
    let lea = world.admit("Lea", "laptop");
    let sofia = world.admit_unseen("Sofia", "phone", "member");
    let _bot = world.admit_echo_bot("echo");
    let karim = &world.founder;

    // Everybody is in the team room; the bot is only where it was added.
    assert_eq!(karim.members(GENERAL), ["Karim", "Lea", "Sofia"]);
    karim.ok(&["room", "add", GENERAL, "echo"]);
    world.room("press", &["Lea"]);
    assert_eq!(karim.members("press"), ["Karim", "Lea"]);

    // Verified by words or not, as everybody is told.
    let team = sofia.ok(&["team"]);
    let verified = |name: &str| {
        let device = team.iter().find(|it| it["member"] == name).expect("in the team");
        device["verified"].as_bool().expect("yes or no")
    };
    assert!(verified("Lea") && !verified("Sofia"));
    assert!(team.iter().any(|it| it["member"] == "echo" && it["role"] == "bot"));

    // A message, and the bot's answer.
    let sent = lea.one(&["send", GENERAL, "The hall is confirmed for 19:00."]);
    assert_eq!(sent["id"].as_str().expect("an id").len(), 32);
    assert!(sent["seq"].as_u64().expect("a seq") > 0);
    for staff in [karim, &lea, &sofia] {
        staff.reads(GENERAL, "The hall is confirmed for 19:00.");
        staff.reads(GENERAL, "echo: The hall is confirmed for 19:00.");
    }
    let read = sofia.ok(&["read", GENERAL]);
    let message = read.iter().find(|it| it["id"] == sent["id"]).expect("the same id everywhere");
    assert_eq!(message["seq"], sent["seq"]);
    assert_eq!((&message["v"], &message["type"]), (&1.into(), &"message".into()));
    assert_eq!((&message["from"], &message["room"]), (&"Lea".into(), &GENERAL.into()));
    assert_eq!((&message["own"], &message["edited"]), (&false.into(), &false.into()));

    // The second room: the outsider downloads the same cells and opens none.
    karim.ok(&["send", "press", "Two hundred posters wait at the printer."]);
    lea.reads("press", "Two hundred posters wait at the printer.");
    lea.ok(&["send", "press", "On it."]);
    catches_up(&sofia, &lea);
    sofia.fails(1, &["read", "press"]);
    sofia.fails(1, &["send", "press", "Let me in."]);
    let rooms = sofia.ok(&["room", "list"]);
    assert!(!rooms.is_empty() && rooms.iter().all(|room| room["name"] != "press"), "{rooms:?}");
    let everything = sofia.ok(&["read", "--limit", "1000"]);
    assert!(!everything.is_empty());
    for message in &everything {
        assert_eq!(message["room"], GENERAL);
    }

    // A conversation of two.
    karim.ok(&["send", "@Sofia", "Welcome."]);
    sofia.reads("@Karim", "Welcome.");
    sofia.ok(&["send", "@Karim", "Thank you."]);
    karim.reads("@Sofia", "Thank you.");
    catches_up(&lea, karim);
    assert!(lea.ok(&["read", "--limit", "1000"]).iter().all(|it| it["text"] != "Thank you."));
}

#[test]
fn five_hundred_messages_sent_while_a_device_is_off_arrive_once_and_in_log_order() {
    let world = World::usual();
    let mut lea = world.admit("Lea", "laptop");
    let sofia = world.admit_unseen("Sofia", "phone", "member");
    let karim = &world.founder;
    world.room("press", &["Lea"]);
    karim.ok(&["send", "press", "Before."]);
    lea.reads("press", "Before.");
    lea.go_offline();

    let texts: Vec<String> = (0..MISSED).map(|n| format!("missed {n}")).collect();
    let (first, second) = texts.split_at(MISSED / 2);
    karim.queue("press", first);
    sofia.queue(GENERAL, &["Meanwhile.".to_owned()]);
    karim.queue("press", second);
    karim.has_sent_everything();

    lea.go_online();
    lea.reads("press", texts.last().expect("some"));
    let (at_karim, at_lea) = (karim.messages("press"), lea.messages("press"));
    is_in_log_order_and_once(&at_lea);
    assert_eq!(of(&at_lea), of(&at_karim));
    let read: Vec<_> = at_lea.iter().map(|it| fields(it).2).collect();
    assert_eq!(read, [&["Before.".to_owned()], &texts[..]].concat());

    catches_up(&sofia, karim);
    let everything = sofia.ok(&["read", "--limit", "1000"]);
    assert!(everything.iter().all(|it| it["room"] == GENERAL), "{everything:?}");
    assert_eq!(sofia.texts(GENERAL), ["Meanwhile."]);
}

#[test]
fn a_stream_shows_what_comes_while_it_runs() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let mut tail = lea.start(&["tail", "--json"]);
    // The stream has begun once it shows anything.
    let shown = eventually("the stream runs", || {
        world.founder.ok(&["send", GENERAL, "Are you there?"]);
        let lines = tail.stdout.all();
        lines.iter().find(|line| line.contains("Are you there?")).cloned()
    });
    let message: Value = serde_json::from_str(&shown).expect("an object a line");
    assert_eq!((&message["type"], &message["from"]), (&"message".into(), &"Karim".into()));
    assert_eq!(tail.interrupt(), 0);
}
