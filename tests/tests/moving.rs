//! Moving under fire: the relay is reached over other ways, moves to another machine, or is gone.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::json;
use staffetta_tests::cut_proxy::CutProxy;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

fn addresses(staff: &Staff) -> Vec<String> {
    let all = staff.ok(&["relay", "addresses"]);
    all.iter().map(|it| it["address"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_relays_addresses_are_tried_in_order_and_the_one_that_worked_is_remembered() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let at = world.relay.serving();
    let spare = CutProxy::new();
    spare.lead_to(Some(at));
    let (first, second) = (world.address(), spare.address().to_string());

    lea.fails(77, &["relay", "addresses", "add", &second]);
    world.founder.fails(1, &["relay", "addresses", "add", "http://relay.example"]);
    world.founder.fails(1, &["relay", "addresses", "remove", &first]);
    world.founder.ok(&["relay", "addresses", "add", &second]);
    world.founder.fails(1, &["relay", "addresses", "add", &second]);
    for staff in [&world.founder, &lea] {
        eventually("everybody knows both addresses", || {
            (addresses(staff) == [first.clone(), second.clone()]).then_some(())
        });
        // A change of where the relay is stands on every screen.
        staff.status_comes("is told", |status| {
            let alarms = status["alarms"].as_array().expect("alarms");
            alarms.iter().any(|it| it.as_str().is_some_and(|it| it.contains("address was changed")))
        });
    }

    world.relay.proxy.cut();
    world.founder.ok(&["send", GENERAL, "over the second way"]);
    lea.reads(GENERAL, "over the second way");

    // It remembers, also across a restart: the first way is open again, and nobody tries it.
    lea.go_offline();
    world.relay.proxy.mend();
    let before = world.relay.proxy.accepted();
    lea.go_online();
    let in_use = lea.ok(&["relay", "addresses"]);
    assert_eq!(
        (&in_use[1]["address"], &in_use[1]["in_use"]),
        (&second.as_str().into(), &true.into())
    );
    assert_eq!(world.relay.proxy.accepted(), before);

    // The way that worked fails, and the first is there.
    drop(spare);
    world.founder.ok(&["send", GENERAL, "over the first again"]);
    lea.reads(GENERAL, "over the first again");
    world.founder.ok(&["relay", "addresses", "remove", &second]);
    eventually("the second is gone", || (addresses(&lea) == [first.clone()]).then_some(()));
}

/// The longest time from the command to the last online device.
const MOVE: Duration = Duration::from_secs(10);

/// A smaller room.
const PRESS: &str = "press";
/// Hours of the day that three devices miss: 9 devices say 5 things in each.
const DAY_HOURS: usize = 5;

fn in_use(staff: &Staff) -> Option<String> {
    let told = staff.call("relay.addresses", json!({}));
    let connected = staff.call("status", json!({}))["connected"] == true;
    told["in_use"].as_str().filter(|_| connected).map(str::to_owned)
}

fn texts(of: &str, what: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{what} {n} of {of}")).collect()
}

#[test]
fn a_team_of_twelve_moves_under_load_and_nothing_is_lost_or_doubled() {
    const NAMES: [&str; 11] =
        ["Lea", "Sofia", "Paul", "Nora", "Zoe", "Hugo", "Ines", "Omar", "Rosa", "Yann", "Alba"];
    let mut world = World::usual();
    let mut others: Vec<Staff> =
        NAMES.iter().map(|name| world.admit_unseen(name, "laptop", "member")).collect();
    world.founder.ok(&["send", GENERAL, "begin"]);
    others.iter().for_each(|staff| staff.reads(GENERAL, "begin"));
    world.founder.ok(&["room", "create", PRESS]);
    for name in &NAMES[..3] {
        world.founder.ok(&["room", "add", PRESS, name]);
    }
    let mut away = others.split_off(8);
    away.iter_mut().for_each(Staff::go_offline);
    let mut sent: Vec<String> = Vec::new();
    let say = |sent: &mut Vec<String>, world: &World, others: &[Staff], what: &str| {
        for staff in others.iter().chain([&world.founder]) {
            let said = texts(&staff.name, what, 5);
            staff.queue(GENERAL, &said);
            sent.extend(said);
        }
    };
    say(&mut sent, &world, &others, "before");
    let mut new = world.relay.restored(world.dir(), "elsewhere");
    new.serve();
    // What the backup does not hold, and what is under way while everybody moves.
    say(&mut sent, &world, &others, "after the backup");
    world.founder.has_sent_everything();
    say(&mut sent, &world, &others, "on the way");
    let address = new.proxy.address().to_string();
    let begun = Instant::now();
    world.founder.ok(&["relay", "move", &address]);
    for staff in others.iter().chain([&world.founder]) {
        eventually("everybody is there", || (in_use(staff)? == address).then_some(()));
    }
    let took = begun.elapsed();
    println!("moved 9 devices in {took:?}");
    // A day of messages before the others are started again.
    for hour in 0..DAY_HOURS {
        say(&mut sent, &world, &others, &format!("at {hour} o'clock"));
    }
    for staff in others.iter().chain([&world.founder]) {
        staff.has_sent_everything();
    }

    // The old relay only shows the way now; who was away follows it.
    away.iter_mut().for_each(Staff::hold);
    for staff in &away {
        eventually("who was away is there", || (in_use(staff)? == address).then_some(()));
    }
    world.relay.stop();
    others.append(&mut away);
    world.founder.ok(&["send", GENERAL, "all here"]);
    sent.extend(["begin".to_owned(), "all here".to_owned()]);
    let wanted: HashSet<String> = sent.into_iter().collect();
    for staff in others.iter().chain([&world.founder]) {
        staff.reads(GENERAL, "all here");
        let read = staff.texts(GENERAL);
        let set: HashSet<String> = read.iter().cloned().collect();
        assert_eq!(read.len(), set.len(), "{}: none twice", staff.name);
        assert_eq!(set, wanted, "{}: none lost", staff.name);
    }
    for (room, members) in [(GENERAL, &others[..]), (PRESS, &others[..3])] {
        for staff in members {
            eventually("all stand at the same epoch", || {
                (staff.epoch(room)? == world.founder.epoch(room)?).then_some(())
            });
        }
    }
    assert!(took <= MOVE, "{took:?}");
}
