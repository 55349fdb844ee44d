//! What people do with messages after they were sent, and files, with real processes.

use serde_json::Value;
use staffetta_tests::canary::Canaries;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{World, eventually};

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

#[test]
fn messages_are_edited_reacted_to_found_exported_and_deleted() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let karim = &world.founder;
    let sent = karim.one(&["send", GENERAL, "The hall is confirmed for 19:00, @Lea."]);
    let other = karim.one(&["send", GENERAL, "Bring the banner."]);
    lea.reads(GENERAL, "Bring the banner.");
    assert_eq!(lea.messages(GENERAL)[0]["mentions"], serde_json::json!(["Lea"]));

    let edit = karim.one(&["edit", id(&sent), "The hall is confirmed for 20:00."]);
    assert_eq!(edit["target"], sent["id"]);
    assert_ne!(edit["id"], sent["id"]);
    lea.reads(GENERAL, "The hall is confirmed for 20:00.");
    let reaction = lea.one(&["react", id(&sent), "👍"]);
    assert_eq!(reaction["target"], sent["id"]);
    eventually("the reaction is shown", || {
        let message = karim.messages(GENERAL).into_iter().find(|it| it["id"] == sent["id"])?;
        (message["reactions"][0]["from"] == "Lea" && message["edited"] == true).then_some(())
    });
    // What somebody else wrote is not mine to change.
    lea.fails(1, &["edit", id(&sent), "Cancelled."]);
    lea.fails(1, &["delete", id(&sent)]);

    let found = lea.ok(&["search", "hall", "CONF"]);
    assert_eq!((found.len(), &found[0]["id"]), (1, &sent["id"]));
    assert!(lea.ok(&["search", "19:00"]).is_empty());
    let exported = lea.ok(&["export", GENERAL, "--format", "jsonl"]);
    let texts: Vec<_> = exported.iter().map(|it| it["text"].clone()).collect();
    assert_eq!(texts, ["The hall is confirmed for 20:00.", "Bring the banner."]);

    let gone = karim.one(&["delete", id(&other)]);
    assert_eq!(gone["target"], other["id"]);
    eventually("the deletion arrives", || (lea.messages(GENERAL).len() == 1).then_some(()));
    assert!(lea.ok(&["search", "banner"]).is_empty());
    lea.fails(1, &["react", id(&other), "👍"]);
}

#[test]
fn a_file_goes_from_one_to_the_other_and_the_relay_learns_neither_name_nor_bytes() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let karim = &world.founder;
    let line = b"Two hundred copies of the poster, please. ";
    let bytes = line.repeat(50_000);
    let path = world.dir().join("poster-final.txt");
    std::fs::write(&path, &bytes).expect("a file to send");
    let named = path.to_str().expect("UTF-8");

    let sent = karim.one(&["file", "send", GENERAL, named]);
    assert!(sent["seq"].is_u64());
    let listed = eventually("the file is listed", || lea.ok(&["file", "list"]).pop());
    assert_eq!((&listed["id"], &listed["name"]), (&sent["id"], &"poster-final.txt".into()));
    assert_eq!(listed["size"].as_u64(), Some(bytes.len() as u64));
    assert_eq!((&listed["from"], &listed["room"]), (&"Karim".into(), &GENERAL.into()));
    std::fs::remove_file(&path).expect("gone here");

    let to = world.dir().join("fetched.txt");
    let to_named = to.to_str().expect("UTF-8");
    lea.one(&["file", "get", id(&sent), "-o", to_named]);
    assert!(std::fs::read(&to).expect("fetched") == bytes, "the same bytes");
    let mut canaries = Canaries::default();
    canaries.text("poster-final");
    canaries.text("Two hundred copies");
    let found = canaries.in_directory(&world.relay.data);
    assert!(found.is_empty(), "{found:#?}");
    // The profile keeps them sealed too.
    assert!(canaries.in_directory(lea.home()).is_empty());
    // Nothing that exists is written over.
    lea.fails(1, &["file", "get", id(&sent), "-o", to_named]);
    karim.fails(1, &["file", "send", GENERAL, named]);
    karim.one(&["delete", id(&sent)]);
    eventually("it is listed no more", || lea.ok(&["file", "list"]).is_empty().then_some(()));
}
