//! Moving under fire: the relay is reached over other ways, moves to another machine, or is gone.

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
