use std::fs::Permissions;

use super::*;

fn facts() -> Value {
    json!({"connected": true, "stopped": null, "refused": null, "in_use": "a.example:1",
        "addresses": ["a.example:1", "b.example:1"], "admin": true,
        "spare": {"addresses": ["s.example:1"], "answered": "2027-04-25T09:12:03Z", "silent_s": 60},
        "drill": {"at": "2027-04-25T09:12:03Z",
            "visits": [{"address": "a.example:1", "spare": false, "result": "answers"}]},
        "drill_age_s": DAY_S, "alarms": 0, "queued": 0, "ahead_s": 0, "database": true,
        "knocked": [{"address": "a.example:1", "spare": false, "answers": true},
            {"address": "b.example:1", "spare": false, "answers": true},
            {"address": "s.example:1", "spare": true, "answers": true}]})
}

const SOUND: Disk = Disk { open: None, free: Some(LITTLE) };

/// What is not right, by name.
fn wrong(disk: &Disk, facts: Option<&Value>) -> Vec<(&'static str, State)> {
    let all = examine(disk, facts).into_iter().filter(|it| it.state != State::Ok);
    all.inspect(|it| assert!(!it.found.is_empty() && !it.todo.is_empty(), "{it:?}"))
        .map(|it| (it.check, it.state))
        .collect()
}

/// As [`wrong`], with this put in the place of a fact.
fn with(fact: &str, value: Value) -> Vec<(&'static str, State)> {
    let mut facts = facts();
    facts[fact] = value;
    wrong(&SOUND, Some(&facts))
}

#[test]
fn a_sound_device_has_nothing_to_do_and_every_check_is_named() {
    assert_eq!(wrong(&SOUND, Some(&facts())), []);
    let names: Vec<_> = examine(&SOUND, Some(&facts())).iter().map(|it| it.check).collect();
    let wanted = [
        "profile",
        "permissions",
        "storage",
        "database",
        "connection",
        "clock",
        "addresses",
        "spare",
        "drill",
        "alarms",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn every_planted_fault_is_found_and_says_what_to_do() {
    let knock = |address: &str, spare: bool, answers: Value| json!([{"address": address, "spare": spare, "answers": answers}]);
    let spare_and = |of: Value| {
        let mut all = of;
        let more = knock("s.example:1", true, json!(true));
        all.as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
        all
    };
    let planted = [
        ("database", json!(false), "database", State::Fail),
        ("connected", json!(false), "connection", State::Fail),
        ("stopped", json!("It stopped."), "connection", State::Fail),
        ("ahead_s", json!(600), "clock", State::Warn),
        ("knocked", spare_and(knock("b.example:1", false, json!(false))), "addresses", State::Warn),
        ("knocked", spare_and(knock("b.onion:1", false, json!(null))), "addresses", State::Warn),
        ("knocked", knock("s.example:1", true, json!(false)), "spare", State::Fail),
        ("knocked", knock("s.onion:1", true, json!(null)), "spare", State::Warn),
        ("spare", json!(null), "spare", State::Warn),
        ("spare", json!({"silent_s": 3 * DAY_S}), "spare", State::Warn),
        ("drill", json!(null), "drill", State::Warn),
        ("drill_age_s", json!(31 * DAY_S), "drill", State::Warn),
        ("drill", json!({"visits": [{"address": "b", "result": "silent"}]}), "drill", State::Warn),
        ("alarms", json!(2), "alarms", State::Warn),
    ];
    for (fact, value, check, state) in planted {
        assert_eq!(with(fact, value.clone()), [(check, state)], "{fact}: {value}");
    }
    let mut refused = facts();
    (refused["connected"], refused["refused"]) = (json!(false), json!("refused"));
    assert_eq!(wrong(&SOUND, Some(&refused)), [("connection", State::Fail)]);
    assert!(examine(&SOUND, Some(&refused))[4].todo.contains("clock"));
}

#[test]
fn members_are_not_asked_for_drills() {
    let mut member = facts();
    (member["admin"], member["drill"]) = (json!(false), json!(null));
    assert_eq!(wrong(&SOUND, Some(&member)), []);
}

#[test]
fn a_profile_that_does_not_open_or_others_read_is_found_without_it() {
    let shut = ("profile", State::Fail);
    assert_eq!(wrong(&SOUND, None), [shut]);
    let full = Disk { open: Some(("here".into(), 0o644)), free: Some(NONE_LEFT - 1) };
    let found = wrong(&full, None);
    assert_eq!(found, [shut, ("permissions", State::Fail), ("storage", State::Fail)]);
    let little = Disk { open: None, free: Some(LITTLE - 1) };
    assert_eq!(wrong(&little, Some(&facts())), [("storage", State::Warn)]);

    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(disk(dir.path()).open, None);
    let file = dir.path().join("store.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let (path, mode) = disk(dir.path()).open.unwrap();
    assert!(path.ends_with("store.db") && mode == 0o640 && disk(dir.path()).free.is_some());
}
