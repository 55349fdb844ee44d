//! People are let in, moved between rooms, and cut off.

use serde_json::{Value, json};
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

fn state_of(staff: &Staff, member: &str) -> String {
    let team = staff.ok(&["team"]);
    let device = team.iter().find(|it| it["member"] == member).expect("in the team");
    device["state"].as_str().expect("a state").to_owned()
}

fn is_in(staff: &Staff, room: &str) -> bool {
    staff.ok(&["room", "list"]).iter().any(|it| it["name"] == room)
}

#[test]
fn a_revoked_device_is_cut_at_once_and_reads_nothing_afterwards() {
    let world = World::usual();
    let mut lea = world.admit("Lea", "laptop");
    let sofia = world.admit_unseen("Sofia", "phone", "member");
    world.room("press", &["Lea", "Sofia"]);
    world.founder.ok(&["send", "press", "before"]);
    lea.reads("press", "before");
    let (epoch, _) = world.founder.epoch("press").expect("in the room");

    world.founder.ok(&["revoke", "Lea"]);
    // When the command returns, the author's rooms have new keys and the device is cut.
    let after = world.founder.epoch("press").expect("in the room").0;
    assert!(after > epoch, "{epoch} to {after}");
    assert_eq!(world.founder.members("press"), ["Karim", "Sofia"]);
    lea.status_comes("is refused", |status| {
        status["connected"] == false && status["refused"].is_string()
    });
    world.founder.ok(&["send", "press", "after"]);
    sofia.reads("press", "after");
    assert_eq!(state_of(&sofia, "Lea"), "revoked");
    sofia.ok(&["send", GENERAL, "she is gone"]);
    assert!(lea.texts("press").iter().all(|text| text != "after"));

    lea.fails(77, &["send", "press", "still here?"]);
    lea.go_offline();
    lea.fails(77, &["sync"]);
    lea.fails(77, &["send", GENERAL, "still here?"]);
    world.founder.fails(1, &["room", "add", "press", "Lea"]);
    for staff in [&world.founder, &sofia] {
        assert!(staff.texts("press").iter().all(|text| text != "still here?"));
    }
}

#[test]
fn who_is_removed_from_a_room_reads_on_elsewhere_and_may_come_back() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    world.room("press", &["Lea"]);
    world.founder.ok(&["send", "press", "one"]);
    lea.reads("press", "one");

    world.founder.ok(&["room", "remove", "press", "Lea"]);
    eventually("Lea sees that she is out", || (!is_in(&lea, "press")).then_some(()));
    world.founder.ok(&["send", "press", "two"]);
    world.founder.ok(&["send", GENERAL, "for all"]);
    lea.reads(GENERAL, "for all");
    lea.fails(1, &["send", "press", "me too"]);

    world.founder.ok(&["room", "add", "press", "Lea"]);
    eventually("Lea is back", || is_in(&lea, "press").then_some(()));
    world.founder.ok(&["send", "press", "three"]);
    lea.reads("press", "three");
    let read = lea.texts("press");
    assert!(read.iter().all(|text| text != "two"), "what was said without her: {read:?}");
    lea.ok(&["send", "press", "four"]);
    world.founder.reads("press", "four");
}

#[test]
fn any_online_admin_can_approve_and_nobody_else() {
    let mut world = World::usual();
    let sofia = {
        let (id, code) = world.invite(&["Sofia", "--role", "admin"]);
        let sofia = Staff::new(world.dir(), "Sofia");
        world.let_in(sofia, &id, &code, "phone")
    };
    let lea = world.admit_unseen("Lea", "laptop", "member");
    // An admin is never let in unseen, and a member lets in nobody.
    let refused = world.founder.run(&["invite", "Eve", "--role", "admin", "--auto-approve"]);
    assert!([1, 2].contains(&refused.code), "{refused:?}");
    lea.fails(77, &["invite", "Eve"]);
    lea.fails(77, &["revoke", "Sofia"]);

    // The founder opens an invite and goes to sleep; another admin hears the words.
    let (id, code) = world.invite(&["Paul"]);
    eventually("the other admin knows the invite", || {
        sofia.ok(&["invites"]).iter().any(|it| it["id"] == id.as_str()).then_some(())
    });
    world.founder.go_offline();
    let paul = Staff::new(world.dir(), "Paul");
    let mut joining = paul.start(&["join", &code, "--name", "Paul", "--json"]);
    let words = staffetta_tests::world::five_words(&joining);
    eventually("the other admin sees the request", || {
        let all = sofia.ok(&["invites"]);
        all.iter().any(|it| it["id"] == id.as_str() && it["state"] == "asking").then_some(())
    });
    sofia.ok(&["approve", &id, "--words", &words]);
    assert_eq!(joining.wait(), 0, "{:#?}", joining.stderr.to_the_end());
    eventually("Lea sees Paul", || {
        lea.ok(&["team"]).iter().any(|it| it["member"] == "Paul").then_some(())
    });
    world.founder.go_online();
    eventually("the founder sees Paul", || {
        world.founder.ok(&["team"]).iter().any(|it| it["member"] == "Paul").then_some(())
    });
}

#[test]
fn what_the_team_decides_and_who_compared_words_stands_on_every_screen() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let policy = |staff: &Staff| staff.one(&["team", "policy"])["receipts"].clone();
    assert_eq!(policy(&lea), false);
    lea.fails(77, &["team", "policy", "receipts", "on"]);
    world.founder.ok(&["team", "policy", "receipts", "on"]);
    eventually("Lea's device knows the policy", || (policy(&lea) == true).then_some(()));
    lea.status_comes("says that receipts are on", |status| {
        let alarms = status["alarms"].as_array().expect("alarms");
        alarms.iter().any(|alarm| alarm.as_str().is_some_and(|it| it.contains("receipts on")))
    });

    // Whom the founder let in unseen, he calls later; then everybody sees that he did.
    let row = |staff: &Staff| {
        let team = staff.ok(&["team"]);
        team.into_iter().find(|it| it["member"] == "Lea").expect("in the team")
    };
    let before = row(&lea);
    assert_eq!((&before["verified"], &before["verified_by"]), (&json!(false), &json!([])));
    let heard = lea.one(&["verify", "Lea"])["words"].clone();
    let heard: Vec<_> = heard.as_array().expect("words").iter().filter_map(Value::as_str).collect();
    world.founder.ok(&["verify", "Lea", "--words", &heard.join(" ")]);
    eventually("Lea sees that Karim compared words", || {
        (row(&lea)["verified_by"] == json!(["Karim"])).then_some(())
    });
    let shown = lea.run(&["team"]).stdout;
    assert!(shown.lines().any(|line| line.contains("Lea") && line.contains("Karim")), "{shown}");

    // Nobody begins a room again that goes on.
    world.room("press", &["Lea"]);
    for staff in [&world.founder, &lea] {
        let refused = staff.fails(1, &["room", "restart", "press"]);
        assert!(refused.stderr.contains("was not broken by anybody"), "{refused:?}");
    }
    world.founder.ok(&["send", "press", "still here"]);
    lea.reads("press", "still here");
}
