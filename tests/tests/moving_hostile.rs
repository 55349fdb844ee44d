//! What a relay that the team has left, and a thief with its disk and its address, try in vain.

use serde_json::{Value, json};
use staffetta_tests::relay_process::Relay;
use staffetta_tests::rpc::Rpc;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

/// What a device says from now on.
struct Ear(Rpc);

impl Ear {
    fn of(staff: &Staff) -> Self {
        let mut rpc = staff.rpc();
        rpc.call("subscribe", json!({})).expect("a subscription");
        Self(rpc)
    }

    /// Waits for an alarm of this kind, and returns its text.
    fn alarm(&mut self, kind: &str) -> String {
        loop {
            let said = self.0.hear().unwrap_or_else(|| panic!("no alarm {kind}"));
            let event = &said["params"];
            if event["type"] == "alarm" && event["kind"] == kind {
                return event["text"].as_str().expect("a text").to_owned();
            }
        }
    }
}

fn stands_in(status: &Value, text: &str) -> bool {
    status["alarms"].as_array().expect("alarms").iter().any(|it| it == text)
}

/// From now on the way in `at` leads to another relay.
fn puts_itself(at: &Relay, impostor: &Relay) {
    at.proxy.lead_to(Some(impostor.serving()));
    at.proxy.break_all();
}

fn head(relay: &Relay) -> u64 {
    relay.tells(&["status"])[0]["head"].as_u64().expect("a number")
}

/// The texts that this device has from everybody, in any order.
fn sorted(staff: &Staff) -> Vec<String> {
    let mut texts = staff.texts(GENERAL);
    texts.sort();
    texts
}

fn all_agree(all: &[&Staff], wanted: &[&str]) {
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    for staff in all {
        wanted.iter().for_each(|text| staff.reads(GENERAL, text));
        assert_eq!(sorted(staff), wanted, "{}: none lost, none twice", staff.name);
        eventually("all stand at the same epoch", || {
            (staff.epoch(GENERAL)? == all[0].epoch(GENERAL)?).then_some(())
        });
    }
}

#[test]
fn an_old_relay_that_replays_or_claims_to_be_the_new_one_is_refused_by_name() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let sofia = world.admit_unseen("Sofia", "laptop", "member");
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    let mut before = world.relay.stolen("before");
    before.serve();
    let mut new = world.relay.restored(world.dir(), "new");
    new.serve();
    let address = new.proxy.address().to_string();
    world.founder.ok(&["relay", "move", &address]);
    let (old, mut impostors) = (world.address(), vec![before]);
    for staff in [&world.founder, &lea, &sofia] {
        staff.comes_to(&address);
    }
    sofia.ok(&["send", GENERAL, "here"]);
    lea.reads(GENERAL, "here");

    // It replays what it had at its own address: nobody calls there.
    let called = world.relay.proxy.accepted();
    lea.go_offline();
    lea.go_online();
    assert_eq!(world.relay.proxy.accepted(), called, "{old}");

    // It stands at the new one's address, with its own end or with what it was before: it has the
    // right key, and is refused all the same.
    let mut wanted = vec!["before".to_owned(), "here".to_owned()];
    impostors.push(std::mem::replace(&mut world.relay, new));
    for (n, impostor) in impostors.iter().enumerate() {
        let (ends, mut ear) = (head(impostor), Ear::of(&lea));
        puts_itself(&world.relay, impostor);
        let text = format!("to whom {n}");
        lea.queue(GENERAL, std::slice::from_ref(&text));
        wanted.push(text);
        let said = ear.alarm("left-log");
        lea.status_comes("refuses it", |status| {
            status["connected"] == false && status["queued"] == 1 && stands_in(status, &said)
        });
        assert_eq!(sorted(&lea), wanted);
        assert_eq!(sorted(&sofia), wanted[..2 + n]);
        assert_eq!(head(impostor), ends, "nobody tells it anything");
        puts_itself(&world.relay, &world.relay);
        lea.comes_to(&address);
        lea.has_sent_everything();
        lea.call("alarms.clear", json!({}));
        sofia.reads(GENERAL, &wanted[2 + n]);
    }
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    all_agree(&[&world.founder, &lea, &sofia], &wanted);
}

#[test]
fn another_past_shown_to_part_of_the_team_is_named_and_reaches_nobody_else() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let mut sofia = world.admit_unseen("Sofia", "laptop", "member");
    let mut paul = world.admit_unseen("Paul", "laptop", "member");
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia, &paul].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    [&mut sofia, &mut paul].into_iter().for_each(Staff::go_offline);
    let mut fork = world.relay.stolen("fork");
    fork.serve();
    world.founder.ok(&["send", GENERAL, "after the copy"]);
    let mut new = world.relay.restored(world.dir(), "new");
    new.serve();
    let address = new.proxy.address().to_string();
    world.founder.ok(&["relay", "move", &address]);
    for staff in [&world.founder, &lea] {
        staff.comes_to(&address);
    }

    // The old relay keeps the move from who was away, and goes on as if nothing had happened.
    world.relay.proxy.lead_to(Some(fork.serving()));
    [&mut sofia, &mut paul].into_iter().for_each(Staff::go_online);
    sofia.ok(&["send", GENERAL, "in the fork"]);
    paul.reads(GENERAL, "in the fork");
    lea.ok(&["send", GENERAL, "at the new one"]);
    // They meet the true end of that log: named, and nothing of it is taken over.
    let mut ears = [&sofia, &paul].map(Ear::of);
    puts_itself(&world.relay, &world.relay);
    for (staff, ear) in [&sofia, &paul].into_iter().zip(&mut ears) {
        let said = ear.alarm("fork");
        staff.status_comes("says so", |status| stands_in(status, &said));
        staff.fails(1, &["send", GENERAL, "to whom"]);
        assert_eq!(sorted(staff), ["before", "in the fork"]);
    }
    let right = ["before", "after the copy", "at the new one"];
    all_agree(&[&world.founder, &lea], &right);

    // The same of the new relay: a copy of it has Lea alone for a while.
    let mut copy = new.stolen("copy");
    copy.serve();
    lea.go_offline();
    world.founder.comes_to(&address);
    new.proxy.lead_to(Some(copy.serving()));
    lea.go_online();
    lea.ok(&["send", GENERAL, "in the copy"]);
    world.founder.ok(&["send", GENERAL, "right"]);
    let mut ear = Ear::of(&lea);
    puts_itself(&new, &new);
    let said = ear.alarm("fork");
    lea.status_comes("says so", |status| stands_in(status, &said));
    lea.fails(1, &["send", GENERAL, "to whom"]);
    assert!(!lea.texts(GENERAL).contains(&"right".to_owned()), "nothing more is believed");
    world.founder.comes_to(&address);
    world.founder.ok(&["send", GENERAL, "on and on"]);
    assert_eq!(world.founder.texts(GENERAL).len(), right.len() + 2);
    assert!(!world.founder.texts(GENERAL).iter().any(|text| text.starts_with("in the")));
}

#[test]
fn once_the_spare_took_over_the_old_relay_is_refused_and_whom_it_keeps_is_freed_by_the_code() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let mut sofia = world.admit_unseen("Sofia", "laptop", "member");
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    let (address, code) = (spare.proxy.address().to_string(), spare.founder_code.clone());
    world.founder.tells(&["relay", "spare", "add", "--after", "5s"], &code);
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    sofia.go_offline();
    world.relay.kill();
    for staff in [&world.founder, &lea] {
        staff.comes_to(&address);
    }
    world.founder.ok(&["send", GENERAL, "here"]);

    // It answers again, and stands at the spare's address: its key is another, and it gets nothing.
    // It takes nothing either, so that nobody notices the silence by what comes back.
    world.relay.set_environment("STAFFETTA__LIMITS__CELLS_BURST", "1");
    world.relay.serve();
    let ends = head(&world.relay);
    puts_itself(&spare, &world.relay);
    lea.queue(GENERAL, &["to whom".to_owned()]);
    lea.status_comes("is refused, and says so", |status| {
        let refused = status["refused"].as_str().unwrap_or_default();
        status["connected"] == false && status["queued"] == 1 && refused.starts_with("refused")
    });
    assert_eq!(sorted(&lea), ["before", "here", "to whom"]);
    assert_eq!(head(&world.relay), ends);
    puts_itself(&spare, &spare);
    lea.comes_to(&address);
    lea.has_sent_everything();

    // Who was away when the team moved finds it in its place, and hears of nothing there: a person
    // says so, with the spare code.
    sofia.go_online();
    assert_eq!(sorted(&sofia), ["before"]);
    sofia.tells(&["relay", "find"], &code);
    sofia.comes_to(&address);
    sofia.ok(&["send", GENERAL, "found you"]);
    all_agree(&[&world.founder, &lea, &sofia], &["before", "here", "to whom", "found you"]);

    // Now it shows her its log at the team's address: it is one that she has left.
    let called = world.relay.proxy.accepted();
    sofia.go_offline();
    sofia.go_online();
    assert_eq!(world.relay.proxy.accepted(), called, "nobody calls it");
}

#[test]
fn a_thief_with_the_relays_disk_keys_and_address_moves_nobody() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let sofia = world.admit_unseen("Sofia", "laptop", "member");
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    let loot = world.relay.stolen("loot");
    let all = [&world.founder, &lea, &sofia];
    for staff in all {
        staff.comes_to(&world.address());
    }
    // They write while they are on the way to him.
    world.relay.proxy.lead_to(None);
    world.relay.proxy.break_all();
    for staff in all {
        staff.status_comes("is cut off", |status| status["connected"] == false);
        staff.queue(GENERAL, &[format!("from {}", staff.name)]);
    }
    let epochs: Vec<_> = all.iter().map(|staff| staff.epoch(GENERAL)).collect();

    // From the loot he makes a backup and stands it up: the right key, the right past, and a log
    // that no admin has named.
    let mut forged = loot.restored(world.dir(), "forged");
    forged.serve();
    let ends = head(&forged);
    let mut ears: Vec<_> = all.iter().map(|staff| Ear::of(staff)).collect();
    puts_itself(&world.relay, &forged);
    for (staff, ear) in all.iter().zip(&mut ears) {
        let said = ear.alarm("other-log");
        staff.status_comes("waits", |status| status["queued"] == 1 && stands_in(status, &said));
        staff.fails(1, &["send", GENERAL, "to whom"]);
    }
    lea.fails(77, &["relay", "accept"]);
    // He shuts everybody out of it.
    for entry in forged.tells(&["devices"]) {
        forged.tells(&["revoke", entry["entry"].as_str().expect("an id")]);
    }
    for staff in all {
        staff.status_comes("is refused", |status| status["connected"] == false);
    }
    assert_eq!(head(&forged), ends, "nobody tells it anything");

    // He makes a spare relay of his own, puts that there, and calls Lea with its code.
    let mut lure = Relay::spare(world.dir(), "lure");
    lure.serve();
    puts_itself(&world.relay, &lure);
    lea.tells(&["relay", "find"], &lure.founder_code);
    lea.status_comes("is not let in", |status| status["connected"] == false);
    for (staff, epoch) in all.iter().zip(&epochs) {
        let at = staff.call("status", json!({}))["relay"].clone();
        assert_eq!(at, world.address(), "{} stays", staff.name);
        assert_eq!(staff.epoch(GENERAL), *epoch);
        assert_eq!(sorted(staff), ["before".to_owned(), format!("from {}", staff.name)]);
    }

    // The right relay is there again: everybody goes on where it was.
    puts_itself(&world.relay, &world.relay);
    for staff in all {
        staff.status_comes("is back", |status| {
            status["connected"] == true && status["refused"].is_null()
        });
        staff.has_sent_everything();
    }
    all_agree(&all, &["before", "from Karim", "from Lea", "from Sofia"]);
}
