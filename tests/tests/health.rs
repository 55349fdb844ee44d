//! Drills, and the doctor: what a person is told of the way to the relay before it is needed.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use staffetta_tests::cut_proxy::CutProxy;
use staffetta_tests::relay_process::Relay;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

/// What the doctor finds that is not as it should be, and how it ends.
fn doctor(staff: &Staff) -> (i32, Vec<(String, String)>) {
    let done = staff.run(&["--json", "doctor"]);
    let text = |line: &Value, field: &str| line[field].as_str().expect("a text").to_owned();
    let all = done.json();
    assert!(all.len() > 7, "{done:?}");
    let found = all.iter().map(|line| (text(line, "check"), text(line, "state")));
    (done.code, found.filter(|(_, state)| state != "ok").collect())
}

fn wrong(found: &[(&str, &str)]) -> Vec<(String, String)> {
    found.iter().map(|(check, state)| ((*check).to_owned(), (*state).to_owned())).collect()
}

fn results(drill: &Value) -> Vec<(&str, bool)> {
    let visits = drill["visits"].as_array().expect("visits").iter();
    visits.map(|it| (it["result"].as_str().expect("a text"), it["spare"] == true)).collect()
}

#[test]
fn the_doctor_says_when_the_last_drill_was_and_whether_the_spare_answers() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    assert_eq!(doctor(&world.founder), (0, wrong(&[("spare", "warn"), ("drill", "warn")])));
    assert_eq!(doctor(&lea), (0, wrong(&[("spare", "warn")])));

    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    world.founder.tells(&["relay", "spare", "add", "--after", "7d"], &spare.founder_code);
    let mut front = CutProxy::new();
    front.lead_to(Some(world.relay.serving()));
    let second = front.address().to_string();
    world.founder.ok(&["relay", "addresses", "add", &second]);
    for staff in [&world.founder, &lea] {
        staff.status_comes("is told", |status| {
            status["alarms"].as_array().is_some_and(|it| it.len() == 2)
        });
        staff.call("alarms.clear", json!({}));
    }

    // A drill visits every address as a device, and goes back to work.
    lea.fails(77, &["relay", "drill"]);
    let called = (spare.proxy.accepted(), front.accepted());
    let drill = world.founder.one(&["relay", "drill"]);
    let all = [("answers", false), ("answers", false), ("answers", true)];
    assert_eq!(results(&drill), all, "{drill}");
    assert!(spare.proxy.accepted() > called.0 && front.accepted() > called.1);
    world.founder.ok(&["send", GENERAL, "back at work"]);
    lea.reads(GENERAL, "back at work");
    for staff in [&world.founder, &lea] {
        assert_eq!(doctor(staff), (0, vec![]), "{}", staff.name);
    }

    // The spare is gone and one address leads nowhere: a drill finds both, and so does a knock.
    spare.kill();
    front.cut();
    let failed = world.founder.fails(1, &["relay", "drill"]);
    let drill = &failed.json()[0];
    assert_eq!(results(drill), [("answers", false), ("silent", false), ("silent", true)]);
    let gone = [("addresses", "warn"), ("spare", "fail")];
    assert_eq!(doctor(&lea), (1, wrong(&gone)));
    assert_eq!(doctor(&world.founder), (1, wrong(&[gone[0], gone[1], ("drill", "warn")])));
    spare.serve();
    front.mend();
    front.lead_to(Some(world.relay.serving()));
    world.founder.ok(&["relay", "drill"]);
    assert_eq!(doctor(&world.founder), (0, vec![]));

    // Somebody else stands where the spare was.
    spare.proxy.lead_to(Some(world.relay.serving()));
    let failed = world.founder.fails(1, &["relay", "drill"]);
    let drill = &failed.json()[0];
    assert_eq!(results(drill)[2], ("refuses", true));
    spare.proxy.lead_to(Some(spare.serving()));

    // Without the relay, and with files that others read.
    world.founder.ok(&["relay", "drill"]);
    set_permissions(lea.profile.join("store.db"), Permissions::from_mode(0o644)).expect("a mode");
    world.relay.kill();
    lea.status_comes("is cut off", |status| status["connected"] == false);
    let without = [("permissions", "fail"), ("connection", "fail"), ("addresses", "warn")];
    assert_eq!(doctor(&lea), (1, wrong(&without)));
    world.relay.serve();
    front.lead_to(Some(world.relay.serving()));
    eventually("she is back", || {
        (lea.call("status", json!({}))["connected"] == true).then_some(())
    });
}
