//! The old host is dead: the team goes on at a spare relay.

use std::time::{Duration, Instant};

use serde_json::json;
use staffetta_tests::relay_process::Relay;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

/// How long the team does without its relay before it goes to the spare one.
const AFTER: Duration = Duration::from_secs(5);
/// The longest time beyond that until everybody talks again.
const BACK: Duration = Duration::from_secs(60);

fn all_agree(all: &[&Staff], wanted: &[&str]) {
    for staff in all {
        for text in wanted {
            staff.reads(GENERAL, text);
        }
        let mut read = staff.texts(GENERAL);
        read.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(read, wanted, "{}: none lost, none twice", staff.name);
        eventually("all stand at the same epoch", || {
            (staff.epoch(GENERAL)? == all[0].epoch(GENERAL)?).then_some(())
        });
    }
}

#[test]
fn when_the_host_is_dead_everybody_goes_to_the_spare_relay_that_was_named_before() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let mut sofia = world.admit_unseen("Sofia", "laptop", "member");
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    let address = spare.proxy.address().to_string();
    let after = format!("{}s", AFTER.as_secs());

    let denied = lea.run_with_input(&["relay", "spare", "add"], spare.founder_code.as_bytes());
    assert_eq!(denied.code, 77, "{denied:?}");
    world.founder.tells(&["relay", "spare", "add", "--after", &after], &spare.founder_code);
    let used = world.founder.run_with_input(&["join", &spare.founder_code], b"");
    assert_ne!(used.code, 0, "{used:?}");
    for staff in [&world.founder, &lea, &sofia] {
        eventually("everybody knows the spare", || {
            let told = staff.call("relay.spare", json!({}));
            (told["spare"]["addresses"] == json!([address])).then_some(())
        });
    }
    // Somebody comes in later; the spare relay learns of it by itself.
    let paul = world.admit_unseen("Paul", "laptop", "member");

    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia, &paul].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    sofia.go_offline();
    lea.ok(&["send", GENERAL, "the last word"]);
    let last_ack = Instant::now();
    world.relay.kill();
    world.founder.queue(GENERAL, &["meanwhile".to_owned()]);
    for staff in [&world.founder, &lea, &paul] {
        staff.comes_to(&address);
        staff.has_sent_everything();
    }
    lea.ok(&["send", GENERAL, "here"]);
    [&world.founder, &paul].into_iter().for_each(|staff| staff.reads(GENERAL, "here"));
    let took = last_ack.elapsed();
    println!("everybody talks again after {took:?}, of which {AFTER:?} were set");
    assert!(took <= AFTER + BACK, "{took:?}");

    // Who was away finds the way alone, and reads what the dead relay had acknowledged.
    sofia.go_online();
    let wanted = ["before", "the last word", "meanwhile", "here"];
    all_agree(&[&world.founder, &lea, &sofia, &paul], &wanted);

    // The dead one answers again: nobody calls it.
    let before = world.relay.proxy.accepted();
    world.relay.serve();
    lea.go_offline();
    lea.go_online();
    assert_eq!(world.relay.proxy.accepted(), before);
    // It claims to be the new one, at its address: nobody believes it, or tells it anything.
    let stored = std::fs::metadata(world.relay.data.join("store")).expect("a store");
    spare.proxy.lead_to(Some(world.relay.serving()));
    spare.proxy.break_all();
    lea.queue(GENERAL, &["to whom".to_owned()]);
    lea.status_comes("does not connect", |status| status["connected"] == false);
    assert!(stored.is_dir());
    spare.proxy.lead_to(Some(spare.serving()));
    lea.comes_to(&address);
    lea.has_sent_everything();
    let wanted = ["before", "the last word", "meanwhile", "here", "to whom"];
    all_agree(&[&world.founder, &lea, &sofia, &paul], &wanted);

    // The team lives on: people come in, and are put out.
    let nora = world.admit_unseen("Nora", "laptop", "member");
    nora.ok(&["send", GENERAL, "hello"]);
    sofia.reads(GENERAL, "hello");
    world.founder.ok(&["revoke", "Paul"]);
}

#[test]
fn a_spare_relay_is_adopted_when_the_old_one_is_gone_and_the_others_find_it_by_its_code() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let mut sofia = world.admit_unseen("Sofia", "laptop", "member");
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    sofia.go_offline();
    lea.ok(&["send", GENERAL, "the last word"]);
    world.founder.reads(GENERAL, "the last word");
    world.relay.kill();

    // Nothing was prepared. Nobody but an admin brings the team anywhere.
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    let (address, code) = (spare.proxy.address().to_string(), spare.founder_code.clone());
    let denied = lea.run_with_input(&["relay", "move", "--code"], code.as_bytes());
    assert_eq!(denied.code, 77, "{denied:?}");
    let begun = Instant::now();
    world.founder.tells(&["relay", "move", "--code"], &code);
    world.founder.comes_to(&address);
    world.founder.ok(&["send", GENERAL, "come here"]);
    // By voice.
    sofia.hold();
    for staff in [&lea, &sofia] {
        staff.tells(&["relay", "find"], &code);
        staff.comes_to(&address);
    }
    lea.ok(&["send", GENERAL, "here"]);
    let all = [&world.founder, &lea, &sofia];
    all_agree(&all, &["before", "the last word", "come here", "here"]);
    let took = begun.elapsed();
    println!("everybody talks again {took:?} after the admin's command");
    assert!(took <= BACK, "{took:?}");
    world.admit_unseen("Nora", "laptop", "member");
}

#[test]
fn an_admin_takes_the_team_to_the_spare_relay_while_the_old_one_is_still_there() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let sofia = world.admit_unseen("Sofia", "laptop", "member");
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    let address = spare.proxy.address().to_string();
    world.founder.fails(1, &["relay", "move", "--spare"]);
    world.founder.tells(&["relay", "spare", "add", "--after", "7d"], &spare.founder_code);
    world.founder.ok(&["send", GENERAL, "before"]);
    lea.queue(GENERAL, &["under way".to_owned()]);
    world.founder.ok(&["relay", "move", "--spare"]);
    for staff in [&world.founder, &lea, &sofia] {
        staff.comes_to(&address);
        staff.has_sent_everything();
    }
    sofia.ok(&["send", GENERAL, "here"]);
    let all = [&world.founder, &lea, &sofia];
    all_agree(&all, &["before", "under way", "here"]);
    let told = world.founder.call("relay.spare", json!({}));
    assert!(told["spare"].is_null(), "it is the next one no more: {told}");
    world.admit_unseen("Nora", "laptop", "member");
}

#[test]
fn two_halves_that_moved_at_different_moments_converge_and_nobody_loses_a_word() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let mut sofia = world.admit_unseen("Sofia", "laptop", "member");
    let mut paul = world.admit_unseen("Paul", "laptop", "member");
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    let address = spare.proxy.address().to_string();
    let after = format!("{}s", AFTER.as_secs());
    world.founder.tells(&["relay", "spare", "add", "--after", &after], &spare.founder_code);
    for staff in [&lea, &sofia, &paul] {
        eventually("everybody knows the spare", || {
            let told = staff.call("relay.spare", json!({}));
            (told["spare"]["addresses"] == json!([address])).then_some(())
        });
    }
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia, &paul].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));

    // One half is cut off; the other talks on until the relay is dead.
    world.founder.go_offline();
    lea.go_offline();
    sofia.ok(&["send", GENERAL, "we read on"]);
    paul.ok(&["send", GENERAL, "so do I"]);
    [&sofia, &paul].into_iter().for_each(|staff| staff.reads(GENERAL, "so do I"));
    sofia.has_sent_everything();
    paul.has_sent_everything();
    sofia.go_offline();
    paul.go_offline();
    world.relay.kill();

    world.founder.go_online();
    lea.go_online();
    for staff in [&world.founder, &lea] {
        staff.comes_to(&address);
    }
    lea.queue(GENERAL, &["we are here".to_owned()]);
    lea.has_sent_everything();
    world.founder.ok(&["send", GENERAL, "all well"]);
    lea.reads(GENERAL, "all well");

    let begun = Instant::now();
    sofia.go_online();
    paul.go_online();
    for staff in [&sofia, &paul] {
        staff.comes_to(&address);
    }
    let wanted = ["before", "we read on", "so do I", "we are here", "all well"];
    all_agree(&[&world.founder, &lea, &sofia, &paul], &wanted);
    println!(
        "two halves are one {:?} after the second began to look, of which {AFTER:?} were set",
        begun.elapsed()
    );
    let order = world.founder.texts(GENERAL);
    for staff in [&lea, &sofia, &paul] {
        assert_eq!(staff.texts(GENERAL), order, "{}", staff.name);
    }
    paul.ok(&["send", GENERAL, "one again"]);
    [&world.founder, &lea, &sofia].into_iter().for_each(|staff| staff.reads(GENERAL, "one again"));
}

#[test]
fn another_admins_device_looks_after_the_spare_when_the_one_that_added_it_is_revoked() {
    let mut world = World::usual();
    let sofia = world.admit("Sofia", "laptop");
    let lea = world.admit_unseen("Lea", "laptop", "member");
    world.founder.ok(&["team", "role", "Sofia", "admin"]);
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    let address = spare.proxy.address().to_string();
    world.founder.tells(&["relay", "spare", "add", "--after", "5s"], &spare.founder_code);
    // Sofia's device learns what it takes, by the admins' room.
    eventually("Sofia's device knows the spare", || {
        let told = sofia.call("relay.spare", json!({}));
        told["spare"]["answered"].is_string().then_some(())
    });
    assert!(lea.call("relay.spare", json!({}))["spare"]["answered"].is_null());
    assert_eq!(spare.tells(&["devices"]).len(), 3);

    sofia.ok(&["revoke", "Karim"]);
    world.founder.go_offline();
    // It takes Karim's row away there, by itself.
    eventually("the spare has two devices", || {
        (spare.tells(&["devices"]).len() == 2).then_some(())
    });
    world.relay.kill();
    for staff in [&sofia, &lea] {
        staff.comes_to(&address);
    }
    sofia.ok(&["send", GENERAL, "here"]);
    all_agree(&[&sofia, &lea], &["here"]);
    // She has its rows: people are put out.
    sofia.ok(&["revoke", "Lea"]);
    assert_eq!(spare.tells(&["devices"]).len(), 1);
}
